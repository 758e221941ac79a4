"""Run every client in an environment that holds nothing but what it says it needs.

python examples/clients/check.py            # all of them and the gateway's tests, as CI does
python examples/clients/check.py rllib      # those of one environment

Each environment is a folder below ``.clients``, made with Python's own ``venv`` and kept.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import NamedTuple

CLIENTS = Path(__file__).resolve().parent
ROOT = CLIENTS.parents[1]
FOLDER = ROOT / ".clients"


class Environment(NamedTuple):
    """What an environment holds, and what runs in it.

    Attributes:
        install: arguments of pip, from the project's folder.
        commands: arguments of Python, with a text that the output has to contain.
        limit: seconds that each may take on a busy machine.
    """

    install: list[str]
    commands: list[tuple[list[str], str]]
    limit: float = 300.0


def _file(name: str, *arguments: str) -> list[str]:
    return ["-W", "ignore", str(CLIENTS / name), *arguments]


def _extra(name: str) -> list[str]:
    return ["-c", "constraints.txt", "-e", f".[{name}]"]


def _own(name: str) -> list[str]:
    return ["-r", str(CLIENTS / f"{name}_requirements.txt"), "-e", "."]


_ZOO = ["-m", "rl_zoo3.train", "--algo", "ppo", "--gym-packages", "stageroute_gym"]
_ZOO += ["-n", "2048", "--eval-freq", "-1", "--device", "cpu"]
_CONF = ["--conf-file", str(CLIENTS / "rl_zoo3_ppo.yml")]
ENVIRONMENTS = {
    "clients": Environment(
        _extra("clients"),
        [
            (_file("torchrl_env.py"), "StageRouteContinuousFlat-v0: "),
            (_file("minari_dataset.py"), "episode 2: "),
        ],
    ),
    "rl": Environment(
        _extra("rl"),
        [
            (_file("cleanrl_ppo.py", "--iterations", "2"), "iteration 1: reward of a decision"),
            (_file("sb3_ppo.py", "--steps", "2048"), "after"),
        ],
    ),
    "rl_zoo3": Environment(
        _own("rl_zoo3"),
        [
            ([*_ZOO, "--env", "StageRouteFlat-v0"], "Using 'default' hyperparameters"),
            ([*_ZOO, "--env", "StageRouteContinuousFlat-v0", *_CONF], "Using 8 environments"),
        ],
    ),
    "tianshou": Environment(
        _own("tianshou"),
        [
            (_file("tianshou_dqn.py", "--epochs", "1"), "after"),
            (_file("tianshou_ppo.py", "--epochs", "1"), "best mean return"),
        ],
    ),
    "rllib": Environment(
        _own("rllib"),
        [
            (_file("rllib_ppo.py", "--iterations", "1"), "iteration 0: mean return"),
            (_file("rllib_ppo.py", "--iterations", "1", "--no-masks"), "iteration 0: mean return"),
        ],
    ),
    # LiteLLM's router and proxy in front of a live router. Their tests pass, none is skipped.
    "gateway": Environment(
        ["-e", ".[litellm]", "-r", str(ROOT / "examples/litellm_gateway/requirements.txt")],
        [
            (
                ["-m", "pytest", "-q", str(ROOT / "tests/agents/live/test_gateway.py")],
                "\n2 passed in ",
            )
        ],
        limit=1200.0,
    ),
}


def run(command: list[str], limit: float, folder: Path = FOLDER) -> tuple[bool, str]:
    """Whether a command ended well within ``limit`` seconds, and what it printed."""
    # Minari keeps its datasets below the home folder, unless told otherwise.
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "MINARI_DATASETS_PATH": str(FOLDER / "data")}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        shown = error.stdout or b""
        return False, f"{shown.decode(errors='replace')}\nstopped after {limit:.0f} seconds"
    return done.returncode == 0, done.stdout


def install(name: str, environment: Environment) -> tuple[str, bool, str]:
    """Make the environment; its Python, whether all went well, and what was printed."""
    folder = FOLDER / name
    python = str(folder / "bin" / "python")
    if not Path(python).exists():
        venv.create(folder, with_pip=True)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    return python, *run([*pip, *environment.install], 600, ROOT)


def main() -> int:
    """Run what was asked for; the exit status is 1 if anything failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ENVIRONMENTS))
    names = parser.parse_args().names or list(ENVIRONMENTS)
    if unknown := set(names) - set(ENVIRONMENTS):
        parser.error(f"no environment {', '.join(unknown)}: expected {', '.join(ENVIRONMENTS)}")
    FOLDER.mkdir(exist_ok=True)
    passed, failed = 0, 0
    for name in names:
        environment, start = ENVIRONMENTS[name], time.monotonic()
        python, good, shown = install(name, environment)
        print(f"{name}: installed in {time.monotonic() - start:.0f} s", flush=True)
        if not good:
            print(f"{shown}\n{name}: the installation failed", flush=True)
            failed += len(environment.commands)
            continue
        for arguments, expected in environment.commands:
            start = time.monotonic()
            good, shown = run([python, *arguments], environment.limit)
            good = good and expected in shown
            passed, failed = passed + good, failed + (not good)
            label = " ".join(Path(a).name if a.startswith("/") else a for a in arguments)
            if not good:
                print(f"{shown}\nexpected to see: {expected}")
            outcome = "passed" if good else "FAILED"
            print(f"{name}: {outcome} in {time.monotonic() - start:.0f} s: {label}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
