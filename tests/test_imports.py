"""What a user pays for an import, and what a step may load."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "altair",
    "jinja2",
    "joblib",
    "numba",
    "pandas",
    "polars",
    "pygame",
    "rich",
    "scipy",
    "stable_baselines3",
    "torch",
    "typer",
}
STEP = (
    "import gymnasium as gym, stageroute_gym\n"
    "env = gym.make({env_id!r}, horizon=20, num_stages=2)\n"
    "env.reset(seed=0)\n"
    "while not env.step(env.action_space.sample())[2]: pass\n"
)
STEP_MANY = (
    "import gymnasium as gym, stageroute_gym\n"
    "env = gym.make_vec({env_id!r}, num_envs=3, horizon=20, num_stages=2,"
    " vectorization_mode='vector_entry_point')\n"
    "env.reset(seed=0)\n"
    "for _ in range(30): env.step(env.action_space.sample())\n"
)
IDS = ("StageRoute-v0", "StageRouteContinuous-v0")


def loaded(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after some code."""
    report = code + "\nimport sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", report], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_import_loads_gymnasium_and_nothing_heavy():
    packages = loaded("import stageroute_gym")
    assert {"stageroute_gym", "gymnasium", "numpy"} <= packages
    assert packages & HEAVY == set()
    assert "stageroute_agents" not in packages


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("code", [STEP, STEP_MANY], ids=["single", "vector"])
def test_a_step_loads_no_torch_pygame_or_plots(env_id, code):
    packages = loaded(code.format(env_id=env_id))
    assert "numba" in packages
    unneeded = HEAVY - {"numba", "scipy"}
    assert packages & unneeded == set()


def test_the_problem_needs_no_compiler():
    """Checking and writing problems, as a tool around the package does, stays light."""
    packages = loaded(
        "from stageroute_gym.problem import Problem\n"
        "print(Problem(horizon=3, num_stages=1, max_deployed=1, budget=1).to_dict())"
    )
    assert packages & HEAVY == set()
