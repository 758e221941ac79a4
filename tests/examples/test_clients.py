"""The clients run in environments of their own, see `make clients`; here, that all of them do."""

from __future__ import annotations

import runpy
from pathlib import Path

CLIENTS = Path(__file__).resolve().parents[2] / "examples" / "clients"


def test_every_client_is_run_by_the_check() -> None:
    environments = runpy.run_path(str(CLIENTS / "check.py"))["ENVIRONMENTS"]
    runs = [run for environment in environments.values() for run in environment.commands]
    commands = [arguments for arguments, _ in runs]
    named = {Path(argument).name for arguments in commands for argument in arguments}
    files = {path.name for path in CLIENTS.iterdir() if path.suffix in (".py", ".yml")}
    assert files - {"check.py"} <= named


def test_every_environment_pins_what_it_installs() -> None:
    for path in CLIENTS.glob("*_requirements.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        required = [line for line in lines if line and not line.startswith("#")]
        assert required[0] == "torch==2.13.0"
        assert all("==" in line for line in required)
