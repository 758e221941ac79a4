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
    where = "--scenario routerbench --horizon 400 --num-stages 4"
    agents = f"--agents {out / 'agent.sragent'},stageroute"
    assert f"stageroute leaderboard {where} {agents}" in result.output
    again = CliRunner().invoke(app, ["--resume", str(out)], catch_exceptions=False)
    assert again.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--algo", "sac", "--env-id", "StageRoute-v0"], "ppo, a2c, dqn, qrdqn, maskable-ppo"),
        (["--algo", "dqn", "--env-id", "StageRouteContinuous-v0"], "sac, td3, tqc"),
        (["--algo", "pppo"], "expected 'ppo'"),
        (["--resume", "no-such-folder"], "resume = 'no-such-folder': expected the folder of a run"),
        (["--budget", "-1"], "budget"),
        (["--scenario", "router"], "'routerbench', the nearest name"),
        (["--parameter", "colour=1"], "parameter of ppo = .colour.: expected"),
        (
            ["--parameter", "learning_rate=fast"],
            "learning_rate.: .fast.*expected values that PPO takes",
        ),
        (
            ["--algo", "td3", "--parameter", "action_noise=loud"],
            "action_noise.: .loud.*expected values that TD3 takes",
        ),
    ],
)
def test_wrong_input_is_named_and_leaves_nothing_behind(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FieldError, match=message):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("evaluations", [0, 1])
def test_interrupted_run_says_how_to_go_on_and_does(
    evaluations: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = [0.5] * evaluations

    def evaluate(*arguments: object) -> tuple[float, float]:
        if not scores:
            raise KeyboardInterrupt
        return scores.pop(), 1.0

    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("stageroute_agents.sb3.training.evaluate_policy", evaluate)
        result = CliRunner().invoke(app, [*SHORT, "--steps", "160", "--out", str(out)])
    assert result.exit_code == 130
    assert f"stageroute train --resume {out}" in result.output
    assert (out / "checkpoint.pt").exists() == bool(evaluations)
    again = CliRunner().invoke(app, ["--resume", str(out)], catch_exceptions=False)
    assert again.exit_code == 0
    assert (out / "agent.sragent").exists()
