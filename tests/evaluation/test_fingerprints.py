"""An agent's fingerprint follows what its code imports, without running any of it."""

from __future__ import annotations

import sys

import pytest

from stageroute_gym.evaluation import fingerprints


@pytest.fixture
def agent_module(tmp_path, monkeypatch):
    """A module that imports a package's module, which cannot be loaded here."""
    package = tmp_path / "fingerprinted"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "window.py").write_text("import not_installed_here\nraise RuntimeError\n")
    (package / "agent.py").write_text(
        "def make():\n    from fingerprinted.window import Window\n    return Window()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return package


def test_nothing_is_loaded_to_take_it(agent_module):
    assert len(fingerprints.of_code("fingerprinted.agent")) == 64
    assert not any(name.startswith("fingerprinted") for name in sys.modules)


@pytest.mark.parametrize("name", ["agent.py", "window.py", "__init__.py"])
def test_it_changes_with_each_file_that_is_imported(agent_module, name):
    before = fingerprints.of_code("fingerprinted.agent")
    file = agent_module / name
    file.write_text(file.read_text() + "# changed\n")
    assert fingerprints.of_code("fingerprinted.agent") != before


def test_a_file_that_is_not_imported_does_not_count(agent_module):
    before = fingerprints.of_code("fingerprinted.agent")
    (agent_module / "other.py").write_text("")
    assert fingerprints.of_code("fingerprinted.agent") == before
