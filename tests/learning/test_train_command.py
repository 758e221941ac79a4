from __future__ import annotations

from pathlib import Path

import pytest
import typer
from stageroute_agents.sb3.command import train
from typer.testing import CliRunner

from stageroute_gym.errors import FieldError

app = typer.Typer()
app.command()(train)
SHORT = [
    *["--algo", "ppo", "--seed", "3", "--steps", "64", "--num-envs", "2", "--hold", "20"],
    *["--eval-interval", "64", "--eval-episodes", "1", "--horizon", "400", "--num-stages", "4"],
    *["--parameter", "n_steps=16", "--parameter", "batch_size=32"],
]


def test_command_trains_resumes_and_names_the_file(tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = CliRunner().invoke(app, [*SHORT, "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0
    assert f"stageroute leaderboard --agent {out / 'agent.sragent'}" in result.output
    again = CliRunner().invoke(app, ["--resume", str(out)], catch_exceptions=False)
    assert again.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--algo", "sac", "--env-id", "StageRoute-v0"], "ppo, a2c, dqn, qrdqn, maskable-ppo"),
        (["--algo", "dqn", "--env-id", "StageRouteContinuous-v0"], "sac, td3, tqc"),
        (["--algo", "pppo"], "expected 'ppo'"),
        (["--resume", "no-such-folder"], "settings"),
        (["--budget", "-1"], "budget"),
    ],
)
def test_wrong_input_is_named(arguments: list[str], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
