from __future__ import annotations

import gc
import itertools
import os
import subprocess
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pygame
import pytest
from gymnasium.error import DependencyNotInstalled
from worlds import make_env, make_world, random_action

from stageroute_gym.rendering.colors import ALARM, LEGEND
from stageroute_gym.rendering.folding import folded_line, shown_models
from stageroute_gym.rendering.picture import Picture
from stageroute_gym.rendering.snapshot import take, usd


def played(mode, *, steps=40, continuous=False, **options):
    env = make_env(make_world(**options), render_mode=mode, continuous=continuous)
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    for _ in range(steps):
        if env.step(random_action(rng, env.action_masks(), continuous=continuous))[2]:
            break
    return env


def colours(picture) -> int:
    """Number of different colours."""
    packed = picture.astype(np.uint32) @ np.array([1, 256, 65536], np.uint32)
    return len(np.unique(packed))


def test_text_by_hand():
    env = make_env(
        make_world(models=3, horizon=8, stages=2, budget=1.0, budget_rule="soft", max_deployed=2,
                   available=np.array([[True, True, False], [True, True, True]])),
        render_mode="ansi",
    )  # fmt: skip
    env.reset(seed=0)
    lines = env.render().splitlines()
    assert lines[0] == "stage 1/2  deploy  query 0/8  mean score 0.000  declined 0"
    assert lines[1].startswith("budget [|....")
    assert lines[1].endswith("(0.0% spent, 0.0% of the queries)")
    assert lines[2].split() == ["model", "tokens", "pulls", "score", "cost"]
    assert [line[:9] for line in lines[3:6]] == ["  model-0", "  model-1", "- model-2"]
    assert lines[6:] == ["last: no query served"]
    env.step(1)
    env.step(0)
    _, reward, _, _, info = env.step(1)
    lines = env.render().splitlines()
    assert lines[0] == f"stage 1/2  route  query 1/8  mean score {reward:.3f}  declined 0"
    assert lines[1].count("|") == 1
    assert usd(info["spend"]) + " of $8.00" in lines[1]
    assert lines[3].split() == ["*", "model-0", "20.0", "0"]
    assert lines[4].split() == ["*", "model-1", "20.0", "1", f"{reward:.3f}", usd(info["cost"])]
    assert lines[6] == f"last: model-1, score {reward:.2f}, cost {usd(info['cost'])}"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0"),
        (1234.5, "$1,234.50"),
        (0.5, "$0.500"),
        (5e-4, "$0.000500"),
        (2.345e-5, "$0.0000235"),
        (3e-9, "$0.00000000"),
    ],
)
def test_usd(amount, text):
    assert usd(amount) == text


@pytest.mark.parametrize(
    ("models", "continuous"), [(1, False), (4, True), (11, False), (24, True), (40, False)]
)
def test_a_picture_of_any_number_of_models(models, continuous):
    env = played("rgb_array", models=models, horizon=200, steps=60, continuous=continuous)
    picture = env.render()
    height, width, channels = picture.shape
    assert picture.dtype == np.uint8
    assert (width % 2, height % 2, channels) == (0, 0, 3)
    assert height <= 1080
    # Blank paper would have a handful of colours; text, bars and marks have many.
    assert colours(picture) > 50
    assert (env.render() == picture).all()


def test_a_picture_follows_the_episode():
    env = played("rgb_array", steps=0, horizon=200)
    frames = [env.render()]
    rng = np.random.default_rng(0)
    for _ in range(8):
        env.step(random_action(rng, env.action_masks(), continuous=False))
        frames.append(env.render())
    changed = [(a != b).any() for a, b in itertools.pairwise(frames)]
    assert all(changed)
    assert frames[0].shape == frames[-1].shape
    env.reset(seed=0)
    assert (env.render() == frames[0]).all()


def test_a_picture_is_not_painted_over_by_the_next():
    env = played("rgb_array", horizon=200)
    first = env.render()
    kept = first.copy()
    env.step(4)
    env.render()
    assert (first == kept).all()


def played_to_the_end(env, every=1):
    """An episode of random actions, with its pictures each so many steps."""
    rng = np.random.default_rng(1)
    env.reset(seed=3)
    frames, over, step = [], False, 0
    while not over:
        over = env.step(random_action(rng, env.action_masks(), continuous=False))[2]
        step += 1
        if over or step % every == 0:
            frames.append(env.render())
    return frames


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["rgb_array", "ansi"])
def test_a_picture_depends_on_the_episode_alone(mode):
    """Not on when it was drawn before: the history of deployed models is the episode's."""
    options = {"models": 6, "horizon": 200, "stages": 8, "max_deployed": 2}
    often = played_to_the_end(make_env(make_world(**options), render_mode=mode))
    seldom = played_to_the_end(make_env(make_world(**options), render_mode=mode), every=10_000)
    assert len(often) > len(seldom) == 1
    assert np.array_equal(often[-1], seldom[-1])
    again = make_env(make_world(**options), render_mode=mode)
    again.reset(seed=9)
    again.render()
    for action in (0, 1, 0, 1):
        again.step(action)
    assert np.array_equal(played_to_the_end(again)[-1], seldom[-1])


def test_the_history_holds_what_was_deployed_in_each_stage():
    env = make_env(make_world(models=5, horizon=60, stages=6, max_deployed=3))
    rng = np.random.default_rng(2)
    env.reset(seed=0)
    seen = np.zeros((6, 5), bool)
    over = False
    while not over:
        shot = env.snapshot()
        if shot.routing:
            seen[shot.stage] = shot.deployed
        assert (shot.history[: shot.stage] == seen[: shot.stage]).all()
        assert (shot.history[shot.stage] == shot.deployed).all()
        assert not shot.history[shot.stage + 1 :].any()
        over = env.step(random_action(rng, env.action_masks(), continuous=False))[2]
    assert seen.any(axis=1).all()


def test_two_hundred_models_fit_into_a_window():
    env = played("rgb_array", models=200, horizon=400, steps=90)
    shot = env.snapshot()
    assert env.render().shape[0] <= 1080
    shown = shown_models(shot, 36)
    assert len(shown) == 36
    assert shown == sorted(shown)
    assert set(np.flatnonzero(shot.deployed)) <= set(shown)
    hidden = set(range(200)) - set(shown)
    assert max(shot.pulls[m] for m in hidden) <= max(shot.pulls[m] for m in shown)
    assert folded_line(shot, shown).startswith("164 more models: ")
    assert folded_line(shot, list(range(200))) == ""


@pytest.mark.parametrize(
    ("spend", "query", "red"),
    [
        (0.5, 500, False),
        (1.0, 1000, False),
        (1.004, 1000, False),
        (1.0, 995, False),
        (1.0, 900, True),
        (1.2, 1000, True),
    ],
)
def test_red_is_kept_for_a_budget_that_did_not_last(spend, query, red):
    env = played("rgb_array", models=3, horizon=1000, steps=0)
    budget = env.problem.total_budget
    shot = replace(env.snapshot(), spend=spend * budget, query=query, over=query == 1000)
    surface = Picture(env.world).draw(shot)
    picture = pygame.surfarray.array3d(surface)[:, :140]
    assert (picture == np.array(ALARM)).all(axis=2).any() == red


def test_each_colour_of_the_legend_is_another():
    assert len({color for color, _ in LEGEND}) == len(LEGEND) == 8


def test_a_very_long_name_and_a_huge_overspend_fit():
    world = make_world(budget=1e-3, budget_rule="soft", horizon=50)
    object.__setattr__(world.table, "models", ("m" * 300, "b", "c", "d"))
    env = make_env(world, render_mode="rgb_array")
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    while not env.step(random_action(rng, env.action_masks(), continuous=False))[2]:
        pass
    assert take(env._episodes).spent > 100
    # The title's margins stay blank, so nothing has run over the edge.
    assert (env.render()[:, -8:] == env.render()[0, 0]).all()
    text = make_env(world, render_mode="ansi")
    text.reset(seed=0)
    assert max(len(line) for line in text.render().splitlines()) < 120


def test_the_window(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    import pygame

    env = gym.make("StageRoute-v0", render_mode="human", horizon=40, num_stages=2)
    env.metadata["render_fps"] = 1000
    env.reset(seed=0)
    assert pygame.display.get_surface() is not None
    for action in (0, 1, 2, 3, 4, 0):
        env.step(action)
    shown = pygame.surfarray.array3d(pygame.display.get_surface())
    assert colours(shown) > 50
    env.close()
    assert not pygame.display.get_init()
    env.close()
    env.reset(seed=0)
    assert pygame.display.get_init()
    env.close()


@pytest.mark.parametrize("closing", ["QUIT", "escape"])
def test_closing_the_window_ends_it(monkeypatch, closing):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = gym.make("StageRoute-v0", render_mode="human", horizon=40, num_stages=2)
    env.reset(seed=0)
    kind = {"type": pygame.QUIT} if closing == "QUIT" else {"type": pygame.KEYDOWN}
    pygame.event.post(pygame.event.Event(kind["type"], {"key": pygame.K_ESCAPE}))
    with pytest.raises(KeyboardInterrupt, match="window was closed"):
        env.step(0)
    assert not pygame.display.get_init()
    env.close()


# moviepy leaves the pipe to ffmpeg to the garbage collector, which warns of it.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_video_of_an_episode(tmp_path):
    """Gymnasium's RecordVideo, with what the extra ``render`` installs."""
    env = gym.make("StageRoute-v0", render_mode="rgb_array", horizon=30, num_stages=2)
    recorded = gym.wrappers.RecordVideo(env, str(tmp_path / "new"), episode_trigger=lambda _: True)
    observation, _ = recorded.reset(seed=0)
    over, steps = False, 0
    while not over:
        allowed = np.flatnonzero(observation["action_mask"])
        observation, _, over, _, _ = recorded.step(int(allowed[0]))
        steps += 1
    recorded.close()
    gc.collect()  # here, where its warning is expected
    (video,) = (tmp_path / "new").glob("*.mp4")
    # What moviepy writes by; its own reader may give an earlier frame for the last.
    import imageio_ffmpeg

    reader = imageio_ffmpeg.read_frames(str(video))
    shown, frames = next(reader), [np.frombuffer(frame, np.uint8) for frame in reader]
    height, width, _ = env.render().shape
    assert shown["size"] == (width, height)
    # ffmpeg times the frames anew by a duration in hundredths of a second.
    assert abs(len(frames) - (steps + 1)) <= 2
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 100


def test_lists_of_pictures_and_recorded_steps():
    """What video recorders are built on."""
    env = gym.make("StageRoute-v0", render_mode="rgb_array_list", horizon=40, num_stages=2)
    env.reset(seed=0)
    for action in (0, 1, 2):
        env.step(action)
    frames = env.render()
    assert len(frames) == 4
    assert len({frame.shape for frame in frames}) == 1


def test_without_a_mode_render_warns():
    env = gym.make("StageRoute-v0").unwrapped
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None


def test_a_missing_pygame_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    for name in ("window", "picture"):
        monkeypatch.delitem(sys.modules, f"stageroute_gym.rendering.{name}", raising=False)
    env = make_env(make_world(), render_mode="rgb_array")
    env.reset(seed=0)
    with pytest.raises(DependencyNotInstalled, match=r"the extra render: pip install"):
        env.render()


def test_text_needs_no_pygame():
    code = (
        "import sys, gymnasium as gym, stageroute_gym\n"
        "env = gym.make('StageRoute-v0', render_mode='ansi'); env.reset(seed=0)\n"
        "print(env.render()); assert 'pygame' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "stage 1/22" in done.stdout


@pytest.mark.parametrize("driver", [None, "x11"], ids=["found by SDL", "asked for"])
def test_a_window_without_a_display_says_what_is_missing(driver):
    unset = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    env = {name: value for name, value in os.environ.items() if name not in unset}
    if driver is not None:
        env["SDL_VIDEODRIVER"] = driver
    code = (
        "import gymnasium, stageroute_gym\n"
        "env = gymnasium.make('StageRoute-v0', render_mode='human', horizon=20, num_stages=2)\n"
        "env.reset(seed=0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "render_mode = 'human': expected a display to open a window on" in last
