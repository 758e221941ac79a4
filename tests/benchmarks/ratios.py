"""How many times faster one task is than another, within one run."""

from __future__ import annotations

from stageroute_gym.benchmark.timing import Task, time_tasks

ATTEMPTS = 3


def assert_faster(
    fast: Task,
    slow: Task,
    at_least: float,
    what: str,
    *,
    rounds: int = 15,
    round_seconds: float = 0.01,
) -> None:
    """Assert that a unit of ``fast`` takes at most 1 / ``at_least`` of the time of one of ``slow``.

    A busy machine can spoil a measurement but not make one: the best of a few counts.
    """
    ratios: list[float] = []
    while len(ratios) < ATTEMPTS and not any(ratio >= at_least for ratio in ratios):
        timings = time_tasks(
            {"fast": fast, "slow": slow}, rounds=rounds, round_seconds=round_seconds
        )
        ratios.append(timings["slow"].minimum / timings["fast"].minimum)
        print(
            f"{what}: {ratios[-1]:.2f} times as fast, at least {at_least:g} wanted "
            f"({timings['fast'].microseconds:.3g} and {timings['slow'].microseconds:.3g} µs)"
        )
    assert max(ratios) >= at_least
