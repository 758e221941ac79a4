from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stageroute_agents.sb3 import algorithms, training
from stageroute_agents.sb3.checkpoints import read_checkpoint
from stageroute_agents.sb3.files import AgentFile
from stageroute_agents.sb3.settings import TrainingSettings
from stageroute_agents.sb3.vec_env import NativeVecEnv

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import agents, evaluate
from stageroute_gym.evaluation.backends import LocalProcesses
from stageroute_gym.evaluation.leaderboard import run_leaderboard
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.vector import StageRouteContinuousVectorEnv, StageRouteVectorEnv

SMALL = {"horizon": 400, "num_stages": 4}


def settings(algo: str = "ppo", **changes: Any) -> TrainingSettings:
    on_policy = not algorithms.get(algo).off_policy
    few = {"n_steps": 16} if on_policy else {"learning_starts": 50, "gradient_steps": 1}
    if "ppo" in algo:
        few |= {"batch_size": 32, "n_epochs": 2}
    values: dict[str, Any] = {
        "algo": algo,
        "scenario": "routerbench",
        "overrides": SMALL,
        "steps": 128,
        "num_envs": 2,
        "hold": 20,
        "eval_interval": 64,
        "eval_episodes": 2,
        "parameters": few,
    }
    return TrainingSettings(**{**values, **changes})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent file of a short PPO run."""
    folder = tmp_path_factory.mktemp("runs") / "ppo"
    return training.train(settings(), folder, show_progress=False)


@pytest.mark.parametrize("algo", algorithms.names())
@pytest.mark.parametrize("env_id", [algorithms.DISCRETE, algorithms.CONTINUOUS])
def test_every_algorithm_gives_an_agent_that_can_be_evaluated(
    algo: str, env_id: str, tmp_path: Path
) -> None:
    if env_id not in algorithms.get(algo).env_ids:
        with pytest.raises(FieldError, match=f"algo = '{algo}'.*{env_id}"):
            settings(algo, env_id=env_id)
        return
    path = training.train(settings(algo, env_id=env_id), tmp_path, show_progress=False)
    rows = evaluate(str(path), "routerbench", [0, 1], **SMALL)
    assert rows["env_id"].to_list() == [env_id] * 2
    assert (rows["score"] >= 0).all()
    if algorithms.get(algo).masked:
        assert rows["invalid_actions"].sum() == 0


def test_leaderboard_ranks_the_file_beside_others(trained: Path, tmp_path: Path) -> None:
    table = LeaderboardSettings.checked(
        scenarios=["routerbench"], agents=[str(trained), "uniform"], seeds=[0, 1], **SMALL
    )
    result = run_leaderboard(table, tmp_path / "results", backend=LocalProcesses(1))
    assert not result.failures
    assert str(trained) in json.dumps(result.summary)


def test_agent_decides_as_the_policy_does_in_the_environment_it_was_trained_in(
    trained: Path,
) -> None:
    rows = evaluate(str(trained), "routerbench", [0, 1], **SMALL)
    file = AgentFile(trained)
    env = NativeVecEnv(settings().make_env())
    policy = file(env.env).policy
    env.seed(0)
    observations, scores, running = env.reset(), np.zeros(2), np.ones(2, np.bool_)
    while running.any():
        actions = policy.best(observations)
        observations, _, dones, infos = env.step(actions)
        scores += running * [info["score"] for info in infos]
        running &= ~dones
    np.testing.assert_allclose(rows["score"].to_numpy(), scores, rtol=0, atol=1e-9)


@pytest.mark.parametrize("algo", ["maskable-ppo", "td3"])
def test_same_settings_give_the_same_file_to_the_byte(algo: str, tmp_path: Path) -> None:
    chosen = {"first": settings(algo), "again": settings(algo), "other": settings(algo, seed=1)}
    files = {
        name: training.train(each, tmp_path / name, show_progress=False).read_bytes()
        for name, each in chosen.items()
    }
    assert files["first"] == files["again"]
    assert files["first"] != files["other"]


def test_one_policy_is_trained_over_several_scenarios_to_the_same_byte(tmp_path: Path) -> None:
    several = settings(
        scenario="routerbench,paper", equivariant=True, num_envs=4, hold=None, steps=64
    )
    first, again = (
        training.train(several, tmp_path / name, show_progress=False) for name in ("first", "again")
    )
    assert first.read_bytes() == again.read_bytes()
    assert AgentFile(first).trained_on == ("routerbench", "paper")
    assert evaluate(str(first), "crowd", [0], **SMALL)["score"].sum() > 0
    each = several.each()
    assert [(part.scenario, part.num_envs, part.hold) for part in each] == [
        ("routerbench", 2, 0.25),
        ("paper", 2, 0.25),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"equivariant": False}, "scenario = 'routerbench,paper'.*equivariant"),
        ({"scenario": "paper,paper"}, "scenario = 'paper,paper'.*once"),
        ({"num_envs": 3}, "num_envs = 3.*multiple of 2"),
        ({"scenario": "routerbench,nowhere"}, "nowhere"),
    ],
)
def test_several_scenarios_that_do_not_fit_are_named(changes: dict[str, Any], message: str) -> None:
    values: dict[str, Any] = {"scenario": "routerbench,paper", "equivariant": True, "num_envs": 4}
    with pytest.raises(FieldError, match=message):
        settings(**{**values, **changes})


def test_scenarios_with_other_numbers_of_models_are_refused() -> None:
    apart = settings(scenario="routerbench,crowd", equivariant=True, num_envs=4)
    with pytest.raises(FieldError, match="as many models"):
        training.make_vec_env(apart)


@pytest.mark.parametrize("algo", ["ppo", "sac"])
def test_resumed_run_goes_on_where_the_checkpoint_is(algo: str, tmp_path: Path) -> None:
    training.train(settings(algo), tmp_path, show_progress=False)
    text = (tmp_path / "settings.json").read_text().replace('"steps": 128', '"steps": 192')
    (tmp_path / "settings.json").write_text(text)
    before = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    training.resume(tmp_path, show_progress=False)
    after = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert (before["steps"], after["steps"]) == (128, 192)
    assert after["best"] >= before["best"]


def test_evaluation_while_training_is_that_of_the_leaderboard(trained: Path) -> None:
    file, chosen = AgentFile(trained), settings()
    policy = file.policy(file.normalization)
    score, spend = training.evaluate_policy(chosen, policy, [file.normalization])
    seeds = range(training.EVALUATION_SEED, training.EVALUATION_SEED + chosen.eval_episodes)
    rows = evaluate(file, "routerbench", seeds, **SMALL)
    assert score == pytest.approx(rows["score_over_horizon_oracle"].mean(), abs=1e-12)
    assert spend == pytest.approx(rows["spend_over_budget"].mean(), abs=1e-12)


def test_resumed_run_fills_its_replay_buffer_first(tmp_path: Path) -> None:
    training.train(settings("sac"), tmp_path, show_progress=False)
    model = training.make_model(settings("sac"), NativeVecEnv(settings("sac").make_env()))
    read_checkpoint(tmp_path, model)
    assert (model.num_timesteps, model.learning_starts) == (128, 128 + 50)


def test_action_noise_is_gaussian() -> None:
    noisy = settings("td3", parameters={"action_noise": 0.25})
    model = training.make_model(noisy, NativeVecEnv(noisy.make_env()))
    assert (model.action_noise._sigma == 0.25).all()
    assert model.action_noise._sigma.shape == model.action_space.shape


def test_settings_keep_the_arguments_that_they_were_made_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = {"policy_kwargs": {"net_arch": [8]}}
    few = {"n_steps": 16}
    path = training.train(settings("a2c", parameters=few | policy), tmp_path, show_progress=False)
    a2c = dataclasses.replace(algorithms.get("a2c"), parameters={"use_sde": True})
    monkeypatch.setitem(algorithms._ALGORITHMS, "a2c", a2c)
    file = AgentFile(path)
    assert file.settings.parameters["n_steps"] == 16
    assert "use_sde" not in file.settings.parameters
    assert TrainingSettings.read(tmp_path / "settings.json").parameters == file.settings.parameters
    file(StageRouteContinuousVectorEnv(1, **SMALL))


def test_few_environments_cut_the_batch_of_rollouts_only() -> None:
    assert settings(parameters={"n_steps": 16}).parameters["batch_size"] == 2 * 16
    assert settings("sac", parameters={"n_steps": 3}).parameters["batch_size"] == 256


def test_curves_are_written(trained: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curves = EventAccumulator(str(trained.parent))
    curves.Reload()
    for name in ("score_over_oracle", "spend_over_budget", "forbidden_actions", "routing_entropy"):
        values = [event.value for event in curves.Scalars(f"episode/{name}")]
        assert values
        assert np.isfinite(values).all()
    assert curves.Scalars("eval/score_over_oracle")


def test_training_refuses_a_folder_that_holds_something(trained: Path) -> None:
    with pytest.raises(FieldError, match="folder"):
        training.train(settings(), trained.parent, show_progress=False)


def test_agent_says_which_scenario_shape_it_fits(trained: Path, tmp_path: Path) -> None:
    file = AgentFile(trained)
    with pytest.raises(FieldError, match="env_id = 'StageRoute-v0'"):
        file(StageRouteVectorEnv(1))
    with pytest.raises(FieldError, match=r"number of query features = 8: expected 1"):
        file(StageRouteContinuousVectorEnv(1, features="task"))
    data = tmp_path / "outcomes.csv"
    data.write_text(
        "query_id,task,score:a,score:b,cost:a,cost:b\n1,t,0.5,1,0.1,0.2\n2,t,1,0,0.1,0.2\n"
    )
    other = {"scenario": "recorded", "data": str(data), "initial_models": 1, "throughput": 1.0}
    with pytest.raises(FieldError, match="number of models = 2: expected 11"):
        file(StageRouteContinuousVectorEnv(1, **other))


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_truncated_agent_file_is_refused(kept: float, trained: Path, tmp_path: Path) -> None:
    content = trained.read_bytes()
    broken = tmp_path / "broken.sragent"
    broken.write_bytes(content[: int(kept * len(content)) if kept < 1 else int(kept)])
    with pytest.raises(FieldError, match=r"whole \.sragent file"):
        agents.load(str(broken))


def test_agent_file_of_other_contents_is_refused(trained: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(trained) as archive:
        description = json.loads(archive.read("agent.json"))
        weights = archive.read("weights.npz")
    changes = [
        ({"format": 99}, "format = 99"),
        ({"settings": {**description["settings"], "algo": "ppq"}}, "expected 'ppo'"),
        ({"settings": {**description["settings"], "colour": 1}}, "colour"),
        ({"normalization": {}}, "normalization"),
    ]
    for change, message in changes:
        path = _write(tmp_path, {**description, **change}, weights)
        with pytest.raises(FieldError, match=message):
            AgentFile(path)
    wide = {**description["settings"]["parameters"], "policy_kwargs": {"net_arch": [7]}}
    settings = {**description["settings"], "parameters": wide}
    path = _write(tmp_path, {**description, "settings": settings}, weights)
    with pytest.raises(FieldError, match="weights of the networks"):
        AgentFile(path)(StageRouteContinuousVectorEnv(1))
    with pytest.raises(FieldError, match="existing file"):
        AgentFile(tmp_path / "none.sragent")


def test_agent_file_with_pickled_weights_is_not_unpickled(trained: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(trained) as archive:
        description = json.loads(archive.read("agent.json"))
    evil = tmp_path / "weights.npz"
    np.savez(evil, a=np.array([{"any": "object"}], dtype=object))
    with pytest.raises(FieldError, match="pickle"):
        AgentFile(_write(tmp_path, description, evil.read_bytes()))


@pytest.mark.parametrize("fault", ["truncated", "garbage", "missing", "other"])
def test_broken_checkpoint_is_refused(fault: str, trained: Path, tmp_path: Path) -> None:
    content = (trained.parent / "checkpoint.pt").read_bytes()
    path = tmp_path / "checkpoint.pt"
    contents = {"truncated": content[:-2000], "garbage": b"no checkpoint", "other": content}
    if fault != "missing":
        path.write_bytes(contents[fault])
    few = {"n_steps": 16, "batch_size": 32}
    other = {**few, "policy_kwargs": {"net_arch": [7]}}
    changed = settings(parameters=other if fault == "other" else few)
    model = training.make_model(changed, NativeVecEnv(changed.make_env()))
    with pytest.raises(FieldError, match="checkpoint"):
        read_checkpoint(tmp_path, model)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"steps": 0}, "steps"),
        ({"seed": -1}, "seed"),
        ({"hold": 2.5}, "hold"),
        ({"price": -1.0}, "price"),
        ({"env_id": "StageRoute-v9"}, "env_id"),
        ({"scenario": "router"}, "scenario"),
        ({"overrides": {"budget": -1}}, "budget"),
        ({"algo": "sac", "equivariant": True}, "ppo or a2c"),
    ],
)
def test_settings_name_the_field_at_fault(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError, match=field):
        settings(**{"algo": "ppo", "parameters": {}, **changes})


def test_unknown_argument_of_the_algorithm_is_named() -> None:
    wrong = settings(parameters={"gama": 0.9})
    message = "^parameter of ppo = 'gama': expected 'gamma', the nearest name, or one of "
    with pytest.raises(FieldError, match=message):
        training.make_model(wrong, NativeVecEnv(wrong.make_env()))


def test_nothing_heavy_is_loaded_before_it_is_asked_for() -> None:
    code = (
        "import sys, stageroute_agents.sb3.command, stageroute_agents.sb3.files\n"
        "from stageroute_gym.evaluation import agents; agents.names()\n"
        "assert not {'torch', 'stable_baselines3'} & set(sys.modules), 'loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_torch_some_files_are_played_and_others_say_what_is_missing(
    trained: Path, tmp_path: Path
) -> None:
    other = training.train(settings("td3"), tmp_path / "td3", show_progress=False)
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from stageroute_gym.errors import FieldError\n"
        "from stageroute_gym.evaluation import evaluate\n"
        "from stageroute_agents.sb3.settings import TrainingSettings\n"
        "from stageroute_agents.sb3.training import train\n"
        "from pathlib import Path\n"
        f"assert len(evaluate({str(trained)!r}, 'routerbench', [0], horizon=300)) == 1\n"
        "for call in (\n"
        f"    lambda: evaluate({str(other)!r}, 'routerbench', [0]),\n"
        "    lambda: train(TrainingSettings(algo='ppo', scenario='routerbench'), Path('run')),\n"
        "):\n"
        "    try: call()\n"
        "    except FieldError as error: assert 'the extra rl: pip install' in str(error)\n"
        "    else: raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def _write(folder: Path, description: dict[str, Any], weights: bytes) -> Path:
    path = folder / "changed.sragent"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("agent.json", json.dumps(description))
        archive.writestr("weights.npz", weights)
    return path
