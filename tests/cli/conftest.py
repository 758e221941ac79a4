from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command import COMMAND, PLAYERS, Outcome, Stageroute

from stageroute_gym import cli


@pytest.fixture
def stageroute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Stageroute:
    """Run the command in this process, in an empty folder, with ``players:Class`` as agents."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(PLAYERS))

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["stageroute", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        captured = capsys.readouterr()
        code = left.value.code
        return Outcome(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run


@pytest.fixture
def process() -> Callable[..., subprocess.Popen[str]]:
    """Start the command as a process of its own, in a session of its own."""

    def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(PLAYERS)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start
