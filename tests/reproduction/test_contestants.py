from __future__ import annotations

import json
from pathlib import Path

import pytest
from stageroute_agents.base import Agent

from stageroute_gym.reproduction.contestants import with_tuned


@pytest.fixture
def tuned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tuned.json"
    chosen = {
        name: {"parameters": {key: 0.03}} for name, key in (("linucb", "alpha"), ("cucb", "gamma"))
    }
    path.write_text(json.dumps({"suite": {"name": "worlds-tune"}, "agents": chosen}))
    monkeypatch.setattr(Agent, "tuned_file", path)


def labels(entries: list[str], agents: list[str] | None = None) -> list[str]:
    return [entry.label for entry in with_tuned(entries, agents)]


@pytest.mark.usefixtures("tuned")
def test_tuned_entries_stand_behind_those_as_published():
    own = "wide=linucb(alpha=2.0)"
    assert labels(["uniform", "linucb", own]) == ["uniform", "linucb", "linucb-tuned", "wide"]
    assert labels(["linucb-tuned", "linucb"]) == ["linucb-tuned", "linucb"]
    assert labels(["linucb", "cucb"], ["cucb"]) == ["linucb", "cucb", "cucb-tuned"]


def test_without_tuned_settings_nobody_is_added(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Agent, "tuned_file", Path("absent.json"))
    assert labels(["uniform", "linucb"]) == ["uniform", "linucb"]
