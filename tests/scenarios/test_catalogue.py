"""The scenarios, and that none of them drifts: run this file to write `trajectories.json` anew."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.oracles import oracles_of

IDS = ("StageRoute-v0", "StageRouteContinuous-v0")
SEED = 2026
FILE = Path(__file__).with_name("trajectories.json")
WITHOUT_FILE = [
    name for name in scenarios.names() if name not in ("recorded", "logged", "swebench")
]
SUITES = {
    "quick": [1, "e63a796a116fc08f395fd5b931508dcf36885c69e8bec77b7ae81509d29408e8"],
    "core": [2, "89be479637f645d05123b76ed6a13c339253e0fd67b5060b9a034c244a0dd1c5"],
    "full": [3, "9983228aa1fc44995c8951d2b6104298a97e651fe2c752dd3b30390215985fba"],
    "changes": [1, "82ee7bb16694d56e7aa8deb6571123137dd76cd6737eab19f85a97a9568c05a0"],
    "worlds-tune": [1, "81df1489c1374f597f19655351961a4b65d7f31d78b5a2cf4a798055b9fbb65b"],
    "worlds-test": [1, "3b8bf1e628d667bd631ddadc870cf3ff18742dd7e0c493c08fb355842169f9bb"],
}
# Exponentials of another libm, or sums in another order, differ in the last of 53 bits.
BITS = 14


def scripted(observation: dict[str, Any], step: int, *, continuous: bool) -> Any:
    """A policy in integers only: any model in turn, now and then a forbidden action."""
    mask = observation["action_mask"]
    n = len(mask) - 1
    if continuous:
        weights = (np.arange(n) * 7 + step * 3) % 5 - 1
        return (weights / 4).astype(np.float32)
    if step % 97 == 0:
        return step % (n + 1)
    allowed = np.flatnonzero(mask[:n])
    return int(allowed[step % len(allowed)]) if len(allowed) else n


def fingerprint(name: str, env_id: str, seed: int = SEED) -> str:
    """SHA-256 of an episode's observations, rewards and infos, each number to 14 bits."""
    env = gym.make(env_id, scenario=name, disable_env_checker=True).unwrapped
    observation, info = env.reset(seed=seed)
    rows, regrets, reward, over = [], [], 0.0, False
    while True:
        books = [value for key, value in info.items() if key != "regret"]
        rows.append(np.concatenate([*observation.values(), [reward, over], books]))
        if over:
            break
        action = scripted(observation, len(rows), continuous=env.continuous)
        before = info
        observation, reward, over, _, info = env.step(action)
        # A long sum is compared rarely, as it is the likeliest to round to either side.
        if over or info["stage"] != before["stage"]:
            regrets.append(info["regret"])
    digest = hashlib.sha256()
    for numbers in (np.array(rows, np.float64), np.array(regrets)):
        mantissa, exponent = np.frexp(numbers)
        digest.update(np.rint(mantissa * 2**BITS).astype("<i4").tobytes())
        digest.update(exponent.astype("<i4").tobytes())
    return digest.hexdigest()


def recorded() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("name", WITHOUT_FILE)
def test_trajectories_have_not_drifted(name, env_id):
    known, version = recorded()[name], scenarios.get(name).version
    if version != known["version"]:
        pytest.fail(
            f"{name} has version {version}, trajectories.json knows {known['version']}: run "
            "`python tests/scenarios/test_catalogue.py`, and say in the changelog what changed"
        )
    assert fingerprint(name, env_id) == known[env_id], (
        f"the trajectories of {name} have changed. If that is meant, raise its version in "
        "stageroute_gym/scenarios/catalogue.py, run `python tests/scenarios/test_catalogue.py`, "
        "and say in the changelog that results of both versions cannot be compared; if not, find "
        "out why"
    )


def test_every_scenario_without_a_file_is_watched():
    assert sorted(recorded()) == sorted(WITHOUT_FILE)


def test_another_seed_has_another_fingerprint():
    prints = [fingerprint("routerbench-tight", IDS[0], seed) for seed in (1, 1, 2)]
    assert prints[0] == prints[1] != prints[2]


# What random worlds can serve, and whether models leave them, is drawn too.
@pytest.mark.parametrize("name", [n for n in WITHOUT_FILE if not n.startswith("worlds-")])
def test_each_scenario_can_be_played_within_its_budget(name):
    world = scenarios.get(name).world()
    assert oracles_of(world).stage.feasible.all()
    assert (world.stage_values > 0).all()
    assert world.schedule.available[0].any()
    assert world.schedule.available[-1].all()


def test_equal_scenarios_share_one_world():
    assert scenarios.get("routerbench").world() is scenarios.get("routerbench").world()
    tight = scenarios.get("routerbench", budget=1e-4)
    assert tight.world() is scenarios.get("routerbench-tight").world()
    assert tight.world() is not scenarios.get("routerbench").world()


def test_overrides_reach_problem_and_workload():
    changed = scenarios.get("routerbench", budget=1e-3, throughput=[0.5] * 11, initial_models=8)
    assert changed.problem.budget == 1e-3
    assert changed.problem.throughput == (0.5,) * 11
    assert changed.world().schedule.available[0].sum() == 8
    assert scenarios.get("routerbench").problem.budget == 5e-4
    described = json.loads(json.dumps(changed.to_dict()))
    assert described["problem"]["budget"] == 1e-3
    assert described["workload"]["initial_models"] == 8


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("routerbensh", {}, "scenario = 'routerbensh': expected 'routerbench'"),
        ("", {}, "scenario = '': expected one of crowd, delayed, "),
        (None, {}, "scenario = None: expected"),
        ("paper", {"horizn": 3}, "keyword argument 'horizn': expected 'horizon'"),
        ("paper", {"initial_model": 3}, "'initial_models'"),
        ("paper", {"initial_models": 12}, "initial_models = 12"),
        ("paper", {"horizon": 20}, "num_stages = 33: expected at most the horizon, 20"),
    ],
)
def test_bad_names_and_values(name, overrides, message):
    with pytest.raises(FieldError, match=message):
        scenarios.get(name, **overrides)


def test_suites_name_scenarios_that_need_no_file():
    for name in scenarios.suite_names():
        suite = scenarios.suite(name)
        families = {re.sub(r"^(worlds-\w+)-\d+$", r"\1", listed) for listed in suite.scenarios}
        assert families <= set(WITHOUT_FILE)
        assert len(set(suite.seeds)) == len(suite.seeds) > 1
    with pytest.raises(FieldError, match="expected 'quick'"):
        scenarios.suite("quik")


def test_a_suite_that_asks_for_other_episodes_has_another_version():
    found = {name: scenarios.suite(name) for name in scenarios.suite_names()}
    assert {name: [suite.version, suite.sha256()] for name, suite in found.items()} == SUITES, (
        "a suite, or a scenario in it, has changed: raise the suite's version, put its new hash "
        "here, and say in the changelog that results of both versions cannot be compared"
    )


def test_core_holds_every_scenario_that_needs_no_file():
    # Hard instances ask what cannot be done, not who is best.
    apart = {"late-newcomers", "hidden-model"}
    chosen = [n for n in WITHOUT_FILE if not n.startswith("worlds-") and n not in apart]
    assert sorted(scenarios.suite("core").scenarios) == sorted(chosen)


def test_a_file_that_changed_is_read_again(tmp_path):
    import os

    path = tmp_path / "outcomes.csv"
    header = "query_id,task,score:a,cost:a,score:b,cost:b\n"
    arguments = {"data": str(path), "horizon": 10, "num_stages": 1, "arrival_interval": 1}
    arguments |= {"initial_models": 1}
    costs = []
    for cost in (1, 2):
        path.write_text(header + f"q,t,1,{cost},0.5,{cost}\n", encoding="utf-8")
        os.utime(path, ns=(cost * 10**9, cost * 10**9))
        costs.append(scenarios.get("recorded", **arguments).world().cost_bounds)
    assert costs == [(1.0, 1.0), (2.0, 2.0)]


if __name__ == "__main__":
    written = {
        name: {"version": scenarios.get(name).version}
        | {env_id: fingerprint(name, env_id) for env_id in IDS}
        for name in WITHOUT_FILE
    }
    FILE.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
