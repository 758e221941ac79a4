"""Worlds of every scale: tiny and large scores and costs, budgets loose and next to nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from stageroute_gym.problem import Problem
from stageroute_gym.simulator.world import World
from stageroute_gym.workloads import OutcomeTable, Schedule


@st.composite
def scaled_worlds(draw: st.DrawFn, **fixed: Any) -> World:
    """Worlds with scores of 1e-6 to 1 and costs of 1e-12 to 1e4 USD, or 0.

    One model or several, equal ones among them; budgets from a tenth of the cheapest model's mean
    to ten times the dearest one's; throughput that may not suffice; as many stages as queries.
    """
    models, rows = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    horizon = draw(st.integers(1, 30))
    stages = draw(st.sampled_from([1, min(4, horizon), horizon]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    score = rng.random((rows, models)) * 10.0 ** -rng.uniform(0, 6, models)
    score *= 10.0 ** -draw(st.sampled_from([0, 0, 3, 6]))
    score = np.clip(score, 1e-6, 1.0)
    spread = draw(st.sampled_from([0.0, 1.0, 6.0]))
    centre = draw(st.floats(-12.0 + spread, 4.0 - spread))
    cost = 10.0 ** (centre + rng.uniform(-spread, spread, models) / 2)
    cost = cost * rng.uniform(0.5, 1.5, (rows, models))
    kind = draw(st.sampled_from(["different", "equal", "one free", "all free"]))
    if kind == "equal":
        score[:], cost[:] = score[:, :1], cost[:, :1]
    elif kind == "one free":
        cost[:, 0] = 0.0
    elif kind == "all free":
        cost[:] = 0.0
    cost = np.where(cost > 0.0, np.clip(cost, 1e-12, 1e4), 0.0)
    mean = cost.mean(axis=0)
    low = 0.1 * max(mean.min(), 1e-12)
    high = 10.0 * max(mean.max(), 1e-12)
    share = draw(st.floats(0.0, 1.0))
    budget = float(np.clip(low ** (1 - share) * high**share, 1e-14, 1e6))
    alphas = st.sampled_from([0.05, 0.3, 0.5, 1.0])
    throughput: Any = draw(alphas)
    if draw(st.booleans()):
        throughput = tuple(draw(st.lists(alphas, min_size=models, max_size=models)))
    problem = {
        "horizon": horizon,
        "num_stages": stages,
        "max_deployed": draw(st.integers(1, models + 1)),
        "budget": budget,
        "budget_rule": draw(st.sampled_from(["hard", "soft"])),
        "throughput": throughput,
        "feedback_delay": draw(st.sampled_from([0, 0, 3])),
    }
    table = OutcomeTable(
        models=tuple(f"model-{m}" for m in range(models)),
        score=score,
        cost=cost,
        task=np.zeros(rows, np.int64),
        task_names=("all",),
        features=rng.normal(size=(rows, draw(st.integers(1, 3)))),
        list_price=mean * draw(st.sampled_from([0.0, 1.0, 3.0])),
    )
    schedule = Schedule.stationary(table, np.ones((stages, models), bool))
    return World(Problem(**{**problem, **fixed}), table, schedule)
