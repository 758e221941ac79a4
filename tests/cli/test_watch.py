"""The command ``watch``, into a pipe and in a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios

import pytest
from command import COMMAND, Stageroute
from rich.console import Console

from stageroute_gym.env import StageRouteEnv
from stageroute_gym.rendering.colors import LEGEND
from stageroute_gym.rendering.terminal import episode_view

SHORT = ("--horizon", "120", "--num-stages", "3")


def test_into_a_pipe_goes_the_end_of_what_run_plays(stageroute: Stageroute):
    watched = stageroute("watch", "greedy-ratio", *SHORT, "--seed", "4")
    assert watched.code == 0, watched.err
    assert "greedy-ratio on routerbench, StageRouteContinuous-v0, seed 4" in watched.out
    assert "episode over" in watched.out
    played = stageroute("run", "greedy-ratio", *SHORT, "--seeds", "4:5")
    row = next(line.split() for line in played.out.splitlines() if line.split()[:1] == ["4"])
    score = float(row[1].replace(",", ""))
    assert f"mean score {score / 120:.3f}" in watched.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seconds", "-1"), "seconds = -1.0: expected a number of 0 to 86,400"),
        (("--seed", "-1"), "seeds = -1"),
        (("--scenario", "routerbenc"), "scenario = 'routerbenc': expected 'routerbench'"),
    ],
)
def test_wrong_input_is_named(stageroute: Stageroute, options: tuple[str, ...], message: str):
    outcome = stageroute("watch", "uniform", *options)
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {message}")


@pytest.mark.slow
def test_in_a_terminal_it_is_live():
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(
            sys.executable,
            [*COMMAND, "watch", "uniform", *SHORT, "--seconds", "1"],
            {**os.environ, "TERM": "xterm-256color"},
        )
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not part:
            break
        shown += part
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    queries = [int(number) for number in re.findall(r"query (\d+) of 120", text)]
    assert len(queries) > 8
    assert queries == sorted(queries)
    assert queries[0] == 0
    assert "episode over" in text


def test_two_hundred_models_fit_into_a_terminal():
    env = StageRouteEnv(scenario="many-models", horizon=400, num_stages=4)
    env.reset(seed=0)
    for action in range(60):
        env.step(action)
    console = Console(width=100, height=30, record=True, force_terminal=True)
    console.print(episode_view(env.snapshot(), "t" * 300, 30))
    lines = console.export_text().splitlines()
    assert len(lines) <= 30
    assert max(len(line) for line in lines) <= 100
    assert any(re.match(r"1\d\d more models: \d+ on offer", line) for line in lines)
    assert all(words in lines[-1] for _, words in LEGEND[:2])
