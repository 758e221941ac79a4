"""Worlds of every scale: tiny and large scores and costs, budgets loose and next to nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from stageroute_gym.problem import Problem
from stageroute_gym.simulator.world import World
from stageroute_gym.workloads import OutcomeTable, Schedule

KINDS = ("even", "far apart", "tiny", "free", "all free", "equal", "one dear", "ties")


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


@st.composite
def worlds_of_every_scale(draw: st.DrawFn) -> World:
    """Worlds small enough for brute force, with tasks, price changes and models that come and go.

    Free models, one model, equal models, one model a million times dearer than the others; budgets
    from a tenth of the cheapest to ten times the dearest; caps that sum to less than 1; as many
    stages as queries.
    """
    kind = draw(st.sampled_from(KINDS))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    models, rows = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    stages = draw(st.integers(1, 4))
    horizon = draw(st.sampled_from([stages, stages + 3, 30, 47]))
    tasks = draw(st.integers(1, 2))
    score, cost = rng.random((rows, models)), rng.random((rows, models))
    match kind:
        case "far apart":
            score = 10 ** rng.uniform(-6, 0, score.shape)
            cost = 10 ** rng.uniform(-12, 4, models) * (0.5 + cost)
        case "tiny":
            score, cost = 1e-5 * score + 1e-6, 1e-9 * cost + 1e-12
        case "free":
            cost[:, rng.random(models) < 0.6] = 0.0
        case "all free":
            cost[:] = 0.0
        case "equal":
            score[:], cost[:] = score[:, :1], cost[:, :1]
        case "one dear":
            cost[:, -1] *= 1e6
        case "ties":
            score, cost = rng.integers(0, 3, score.shape) / 2, rng.integers(0, 3, cost.shape) / 2
    table = OutcomeTable(
        models=tuple("abcd"[:models]),
        score=score,
        cost=cost,
        task=rng.integers(0, tasks, rows),
        task_names=tuple("xy"[:tasks]),
        list_price=cost.mean(axis=0),
    )
    mixes = rng.random((2, rows)) + 0.01
    available = rng.random((stages, models)) < draw(st.sampled_from([0.7, 1.1]))
    paid = np.log10(cost[cost > 0]) if (cost > 0).any() else np.zeros(1)
    caps = draw(st.sampled_from([(1.0,), (0.4,), (0.1, 0.3), (0.05, 1.0)]))
    problem = Problem(
        horizon=horizon,
        num_stages=stages,
        max_deployed=draw(st.integers(1, 3)),
        budget=float(10 ** rng.uniform(paid.min() - 1, paid.max() + 1)),
        budget_rule=draw(st.sampled_from(["hard", "soft"])),
        throughput=tuple(rng.choice(caps, models).tolist()),
    )
    schedule = Schedule(
        mixes=mixes / mixes.sum(axis=1, keepdims=True),
        stage_mix=rng.integers(0, 2, stages),
        cost_multiplier=rng.choice([0.1, 1.0], (stages, models)),
        available=available,
    )
    return World(problem, table, schedule)
