"""The trained agents of the package, which play without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from stageroute_agents import make
from stageroute_agents.sb3.files import AgentFile
from stageroute_agents.sb3.shipped import Generalist, Ppo, ShippedAgent

from stageroute_gym.evaluation import agents, evaluate, fingerprints
from stageroute_gym.evaluation.entries import Entry
from stageroute_gym.evaluation.leaderboard import run_leaderboard
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.report.tables import notes
from stageroute_gym.vector import StageRouteContinuousVectorEnv

SHORT = {"horizon": 2_000, "num_stages": 4}
NAMES = {"ppo": Ppo, "generalist": Generalist}


@pytest.mark.parametrize(("name", "agent"), NAMES.items())
def test_is_installed_as_a_learner_that_says_what_its_file_was_trained_on(
    name: str, agent: type[ShippedAgent]
) -> None:
    entry = Entry.parsed(name)
    (path,) = agent.files
    assert agents.load(name) is agent
    assert entry.kind == "learner"
    assert entry.trained_on == AgentFile(path).trained_on == agent.trained_on
    assert path.stat().st_size < 400_000


@pytest.mark.parametrize(("name", "agent"), NAMES.items())
def test_plays_as_its_file_does(name: str, agent: type[ShippedAgent]) -> None:
    named = evaluate(name, "routerbench", range(3), **SHORT)
    by_path = evaluate(str(agent.files[0]), "routerbench", range(3), **SHORT)
    assert named["score"].to_list() == pytest.approx(by_path["score"].to_list(), abs=1e-9)
    assert named["spend"].to_list() == pytest.approx(by_path["spend"].to_list(), abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_plays_discrete_actions_about_as_well(name: str) -> None:
    scores = [
        evaluate(name, "routerbench", range(5), env_id=env_id, **SHORT)["score"].mean()
        for env_id in ("StageRoute-v0", "StageRouteContinuous-v0")
    ]
    assert scores[0] == pytest.approx(scores[1], rel=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_plays_any_number_of_models(name: str) -> None:
    env = StageRouteContinuousVectorEnv(2, scenario="many-models", horizon=100, num_stages=2)
    agent = make(name, env)
    observation, _ = env.reset(seed=0)
    state, over = None, [False, False]
    while not any(over):
        actions, state = agent.predict(observation, state)
        observation, _, over, _, infos = env.step(actions)
    assert (infos["invalid_actions"] == 0).all()
    assert (observation["pulls"].sum(axis=1) > 0).all()


def test_loads_no_torch() -> None:
    code = (
        "import sys\n"
        "from stageroute_gym.evaluation import evaluate\n"
        "for name in ('ppo', 'generalist'):\n"
        "    print(evaluate(name, 'paper', [0], horizon=200, num_stages=2)['score'].sum() > 0)\n"
        "print('torch' in sys.modules, 'stable_baselines3' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.split() == ["True", "True", "False", "False"]


@pytest.mark.slow
def test_fingerprint_holds_the_weights(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.write_bytes(b"one")
    module = Ppo.__module__
    before = fingerprints.of_code(module, [weights])
    assert before == fingerprints.of_code(module, [str(weights)]) != fingerprints.of_code(module)
    weights.write_bytes(b"another")
    assert fingerprints.of_code(module, [weights]) != before
    assert Entry.parsed("ppo").fingerprint == fingerprints.of_code(module, Ppo.files)
    assert Entry.parsed("ppo").fingerprint != Entry.parsed("generalist").fingerprint


@pytest.mark.slow
def test_a_leaderboard_says_on_what_they_were_trained(tmp_path: Path) -> None:
    table = LeaderboardSettings.checked(
        agents=["ppo", "own=generalist", "uniform"],
        scenarios=["routerbench", "crowd"],
        seeds=[0, 1],
        horizon=200,
        num_stages=2,
    )
    board = run_leaderboard(table, tmp_path / "results")
    assert not board.failures
    told = [line for line in notes(board.summary) if "trained on" in line]
    assert told == [
        f"ppo: trained on scenarios: {', '.join(Ppo.trained_on)}.",
        f"own: trained on scenarios: {', '.join(Generalist.trained_on)}.",
    ]
