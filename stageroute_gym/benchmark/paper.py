"""Time and memory of a whole episode of the scenario ``paper`` with StageRoute."""

from __future__ import annotations

from stageroute_gym import scenarios
from stageroute_gym.benchmark.probe import probe
from stageroute_gym.benchmark.section import Effort, Section

SCENARIO = "paper"
SIDE_BY_SIDE = 64


def measure(effort: Effort) -> Section:
    """One episode through ``gym.make``, and 64 side by side in the native vector environment."""
    problem = scenarios.get(SCENARIO).problem
    longest = problem.horizon + scenarios.get(SCENARIO).problem.stage_lengths.size
    rows: list[tuple[str | float | None, ...]] = []
    for num_envs, name in ((None, "gym.make"), (SIDE_BY_SIDE, f"vector, {SIDE_BY_SIDE}")):
        runs = [
            probe(num_envs, {"scenario": SCENARIO, "budget_rule": "soft"}, longest)
            for _ in range(1 if effort.rounds < 5 else 3)
        ]
        run = min(runs, key=lambda run: float(run["seconds"]))
        decisions = run["steps"] * (num_envs or 1)
        rows.append(
            (
                name,
                run["seconds"],
                decisions,
                run["seconds"] / decisions * 1e6,
                run["memory_at_start"],
                run["memory"],
            )
        )
    return Section(
        name="paper",
        title=f"StageRoute on {SCENARIO}: {problem.horizon:,} queries an episode",
        columns=(
            "environment",
            "seconds",
            "decisions",
            "µs a decision",
            "MiB before",
            "MiB at most",
        ),
        rows=tuple(rows),
        notes=(
            "StageRouteContinuous-v0, rule soft, so that every episode runs to its end, in a "
            "process of its own; agent and environment together. Before: all imported, kernels "
            "loaded.",
        ),
    )
