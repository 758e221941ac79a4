"""``NAME-tuned``: the agent NAME with the parameters that a file holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stageroute_agents import make, names
from stageroute_agents.base import Agent
from stageroute_agents.linear import LinUcb

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import agents, evaluate
from stageroute_gym.evaluation.entries import Entry, installed_entries
from stageroute_gym.vector import StageRouteContinuousVectorEnv

SHORT = {"horizon": 300, "num_stages": 2}


@pytest.fixture
def tuned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with settings for LinUCB, which all agents here name."""
    path = tmp_path / "tuned.json"
    write(path, alpha=0.03)
    monkeypatch.setattr(Agent, "tuned_file", path)
    return path


def write(path: Path, **parameters: float) -> None:
    kept = {"suite": {"name": "worlds-tune"}, "agents": {"linucb": {"parameters": parameters}}}
    path.write_text(json.dumps(kept))


def test_it_is_the_agent_with_other_defaults(tuned: Path) -> None:
    env = StageRouteContinuousVectorEnv(1, scenario="routerbench", **SHORT)
    agent = make("linucb-tuned", env)
    assert isinstance(agent, LinUcb)
    assert (agent.alpha, agent.lambda_0) == (0.03, 1.0)
    assert make("linucb-tuned", env, alpha=0.4).alpha == 0.4
    shown = agents.parameters_of(agents.load("linucb-tuned"))
    assert (shown["alpha"].default, shown["eta"].default) == (0.03, 10.0)
    with pytest.raises(FieldError, match="parameter of agent linucb-tuned = 'alfa'"):
        make("linucb-tuned", env, alfa=1)


def test_an_entry_says_its_kind_and_what_it_was_tuned_on(tuned: Path) -> None:
    entry = Entry.parsed("linucb-tuned")
    assert (entry.kind, entry.trained_on) == ("baseline", ("worlds-tune",))
    results = evaluate("linucb-tuned", "routerbench", [0, 1], **SHORT)
    assert results["entry"].unique().to_list() == ["linucb-tuned"]
    given = Entry.parsed("linucb-tuned(alpha=0.5)")
    assert dict(given.parameters) == {"alpha": 0.5}


def test_its_fingerprint_follows_its_own_settings(tuned: Path) -> None:
    before = Entry.parsed("linucb-tuned").fingerprint
    assert before != Entry.parsed("linucb").fingerprint
    kept = json.loads(tuned.read_text())
    kept["agents"]["stageroute"] = {"parameters": {"gamma": 0.2}}
    tuned.write_text(json.dumps(kept))
    assert Entry.parsed("linucb-tuned").fingerprint == before
    write(tuned, alpha=0.04)
    assert Entry.parsed("linucb-tuned").fingerprint != before


def test_it_is_listed_apart_and_plays_only_when_it_is_named(tuned: Path) -> None:
    assert agents.tuned_names() == ["linucb-tuned"]
    assert "linucb-tuned" not in names()
    entries, _ = installed_entries()
    assert not any(entry.label.endswith("-tuned") for entry in entries)


def test_agents_that_need_a_file_play_when_they_are_named() -> None:
    entries, broken = installed_entries()
    labels = {entry.label for entry in entries}
    assert not broken
    assert not labels & {"port", "offline-ridge"}
    assert {"linucb", "feature-route", "ppo"} <= labels
    assert Entry.parsed("port").kind == "baseline"


def test_an_agent_without_tuned_settings_is_told(tuned: Path) -> None:
    with pytest.raises(FieldError, match=r"an agent with tuned settings: one of linucb-tuned"):
        agents.load("uniform-tuned")
    with pytest.raises(FieldError, match=r"agent = 'linucp-tuned': expected 'linucb"):
        agents.load("linucp-tuned")


def test_a_damaged_file_is_named(tuned: Path) -> None:
    tuned.write_text("{}")
    with pytest.raises(FieldError, match=r"tuned_file = .*: expected a file that stageroute tune"):
        agents.load("linucb-tuned")
