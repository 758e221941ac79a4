"""The oracles side by side, and the world that one seed's queries make.

All know the schedule and the true means, and plan an expected score. What each knows more than the
one before, and what it may do:

| oracle | knows of a query | budget | ``M_max`` |
|---|---|---|---|
| stage | nothing | ``b`` in each stage | kept |
| pool | nothing | ``b`` in each stage | relaxed |
| horizon | nothing | ``b T`` in all | kept |
| horizon bound | nothing | ``b T`` in all | relaxed |
| task | its task | ``b T`` in all | relaxed |
| query | every model's score and cost on it | ``b T`` in all | relaxed |

Throughput is kept by all: at most ``alpha_m L_k`` of the ``L_k`` queries of stage ``k``. Costs of
deployment are left out. Horizon, task and query oracle may decline queries; stage and pool oracle
serve what the caps let them, and decline only where no mixture that does so is affordable. None
overspends.

In every world ``stage <= horizon <= horizon bound <= task <= query`` and ``pool <= horizon bound``.
Stage and pool have no order where serving every query with few models binds, nor have pool and
horizon.

What bounds what: the horizon oracle is the best plan made in advance, and what rankings divide by,
as it is what a provider could do that knew all means. It is no bound: where ``M_max`` binds, an
agent that picks the sets of later stages by its luck with costs can exceed it; with discrete
actions each model may serve one burst more in an episode; and under the rule ``hard`` the last
query may overspend. The horizon bound plus 1 bounds the expected score of every agent that is
blind to the queries in `StageRouteContinuous-v0`: whatever the sets, its expected shares keep to
the throughput of each stage, its expected spend is at most ``b T`` and one query, and the programme
is concave in both.

In hindsight, that is in `realised` of a seed, the order holds for the queries that came. There the
query oracle without throughput (all ``alpha`` 1) bounds the score of every episode of that seed
under the rule ``hard``, up to 1: the last query may overspend. With throughput it bounds, in the
same way, the expected score over the draws of the models in `StageRouteContinuous-v0`.
"""

from __future__ import annotations

import dataclasses
import math
from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray

from stageroute_gym.array_types import Floats, Integers
from stageroute_gym.compiling import njit
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.optimize import HorizonPlan, StagePlan, deploy_mip, horizon_oracle, stage_oracle
from stageroute_gym.optimize.assignment import AssignmentPlan, assign
from stageroute_gym.optimize.mixture import MASS_TOLERANCE
from stageroute_gym.simulator.arrays import STAGE_END, STAGE_MIX
from stageroute_gym.simulator.draws import draw_row
from stageroute_gym.simulator.episodes import draw_key
from stageroute_gym.simulator.world import World, weighted_means

# Those that look at no single query, and then the one that does.
PLANNING_ORACLES = ("stage", "pool", "horizon", "task")
ORACLES = (*PLANNING_ORACLES, "query")


class TaskMeans(NamedTuple):
    """What each of ``G`` tasks' queries are like in each stage.

    Attributes:
        share: share of the task in the queries of the stage, float64 (K, G).
        score: true mean score on the task, 0 where a stage has none of it, float64 (K, G, N).
        cost: true mean cost in USD per query, 0 as above, float64 (K, G, N).
    """

    share: Floats
    score: Floats
    cost: Floats


class Oracles:
    """The oracles of one world; each programme is solved when it is first asked for.

    Failed calls lower every oracle's scores, in expectation: none knows which calls will fail. That
    a newly deployed model needs time (``activation_delay``) none takes into account, so with it
    they bound from above what is possible.

    Args:
        world: a world, or `realised` of it.
    """

    def __init__(self, world: World) -> None:
        # What is read of the world, not the world: it is the key of a cache of these.
        self._table, self._schedule, self._problem = world.table, world.schedule, world.problem
        self._throughput, self._means = world.throughput, (world.mean_score, world.mean_cost)
        self._answered = 1 - world.problem.failure_rate  # share of the calls that do not fail

    @cached_property
    def stage(self) -> StagePlan:
        """The stage oracle, the paper's: ``b`` USD a query in each stage."""
        return self._stage_plan(self._problem.max_deployed)

    @cached_property
    def pool(self) -> StagePlan:
        """As `stage`, with all models on offer deployed, whatever ``M_max``."""
        return self._stage_plan(self._table.num_models)

    @cached_property
    def horizon(self) -> HorizonPlan:
        """The horizon oracle: the best plan made in advance with one budget for all stages."""
        return self._horizon_plan(self._problem.max_deployed)

    @cached_property
    def horizon_bound(self) -> HorizonPlan:
        """As `horizon`, with all models on offer deployed, whatever ``M_max``.

        What it expects, plus one query, bounds from above what any agent that is blind to the
        queries can expect in `StageRouteContinuous-v0`, see this module's text.
        """
        return self._horizon_plan(self._table.num_models)

    @cached_property
    def task_means(self) -> TaskMeans:
        """What each task's queries are like in each stage."""
        table, schedule = self._table, self._schedule
        shape = (len(schedule.mixes), len(table.task_names))
        share = np.zeros(shape)
        score, cost = np.zeros((2, *shape, table.num_models))
        for task in range(shape[1]):
            rows = np.flatnonzero(table.task == task)
            weight = schedule.mixes[:, rows]
            share[:, task] = weight.sum(axis=1)
            # A task without queries has no means; zeros then.
            weight = weight / np.where(share[:, task] > 0, share[:, task], 1)[:, None]
            score[:, task] = weighted_means(weight, table.score[rows]) * self._answered
            cost[:, task] = weighted_means(weight, table.cost[rows])
        mix = schedule.stage_mix
        priced = cost[mix] * schedule.cost_multiplier[:, None, :]
        return TaskMeans(share[mix], score[mix], priced)

    @cached_property
    def task(self) -> AssignmentPlan:
        """The per-task oracle: it knows a query's task before routing it, and the horizon.

        One budget for all stages; throughput as a share of all queries of a stage; ``M_max``
        relaxed, so that it bounds from above what any agent can expect that is told the tasks.
        ``shares`` have shape (K, G, N).
        """
        means, (first, copy) = self.task_means, self.alike
        kind, task = np.nonzero(means.share[first] > 0)
        at = first[kind], task
        plan = self._assign(means.score[at], means.cost[at], means.share[at], kind)
        shares = np.zeros((len(first), *means.score.shape[1:]))
        shares[kind, task] = plan.shares
        return plan._replace(shares=shares[copy])

    @cached_property
    def query(self) -> AssignmentPlan:
        """The per-query oracle: it knows every model's score and cost on a query.

        Constraints as for `task`; queries are divisible, which matters for less than two queries in
        each stage and model. ``shares`` have a row for each stage and row of the table that it can
        draw, in that order.
        """
        table, schedule, (first, copy) = self._table, self._schedule, self.alike
        mixes = schedule.mixes[schedule.stage_mix[first]]
        kind, row = np.nonzero(mixes)
        plan = self._assign(
            table.score[row] * self._answered,
            table.cost[row] * schedule.cost_multiplier[first][kind],
            mixes[kind, row],
            kind,
        )
        of_kind = np.split(plan.shares, np.searchsorted(kind, np.arange(1, len(first))))
        return plan._replace(shares=np.concatenate([of_kind[k] for k in copy.tolist()]))

    @cached_property
    def alike(self) -> tuple[Integers, Integers]:
        """First stage of each kind, all alike but for their length; and the kind of each stage."""
        schedule = self._schedule
        _, first, copy = np.unique(
            np.column_stack([schedule.stage_mix, schedule.cost_multiplier, schedule.available]),
            axis=0,
            return_index=True,
            return_inverse=True,
        )
        return first, copy

    def _stage_plan(self, max_deployed: int) -> StagePlan:
        available, budget = self._schedule.available, self._problem.budget
        return stage_oracle(*self._means, available, budget, self._throughput, max_deployed)

    def _horizon_plan(self, max_deployed: int) -> HorizonPlan:
        return horizon_oracle(
            *self._means,
            self._schedule.available,
            self._problem.stage_lengths,
            self._problem.budget,
            self._throughput,
            max_deployed,
        )

    def _assign(self, score: Floats, cost: Floats, share: Floats, kind: Integers) -> AssignmentPlan:
        """The best assignment of groups that are a ``share`` of their kind of stage's queries."""
        first, copy = self.alike
        lengths = np.bincount(copy, self._problem.stage_lengths)
        capacity = lengths[:, None] * self._throughput * self._schedule.available[first]
        queries = share * lengths[kind]
        return assign(score, cost, queries, kind, capacity, self._problem.total_budget)


_ORACLES: WeakKeyDictionary[World, Oracles] = WeakKeyDictionary()


def oracles_of(world: World) -> Oracles:
    """The oracles of a world, kept as long as the world is."""
    if world not in _ORACLES:
        _ORACLES[world] = Oracles(world)
    return _ORACLES[world]


def oracle_total(world: World, oracle: str) -> float:
    """Expected score of an oracle, summed over the whole horizon.

    Args:
        world: a world, or `realised` of it. The query oracle has a variable for each model and
            each row that a stage can draw: in a realised world of 10,000 queries it takes about a
            second with 11 models and 20 with 200.
        oracle: one of `ORACLES`.

    Raises:
        FieldError: if there is no such oracle.
    """
    if oracle not in ORACLES:
        raise FieldError("oracle", oracle, closest(oracle, ORACLES))
    plan: StagePlan | HorizonPlan | AssignmentPlan = getattr(oracles_of(world), oracle)
    if isinstance(plan, StagePlan):
        # Not as a matrix product, whose last bits depend on the number of threads.
        return float((plan.values * world.problem.stage_lengths).sum())
    return plan.value


def oracle_score(world: World, oracle: str) -> float:
    """Expected score a query of an oracle, see `oracle_total`."""
    return oracle_total(world, oracle) / world.problem.horizon


def servable_share(world: World) -> float:
    """Largest share of the horizon's queries that can be served within the budget, expected.

    Of all plans that know the mean costs and the arrivals, keep throughput and ``M_max`` and may
    spend ``b T`` unevenly over the stages: what the horizon oracle does where every score is 1.
    Costs of deployment are left out. Below 1 also where models or throughput do not suffice.

    Args:
        world: the world.

    Returns:
        The share, in [0, 1]; 1 if and only if the budget is at least `full_service_budget`.
    """
    problem = world.problem
    if problem.budget >= full_service_budget(world):
        return 1.0
    plan = horizon_oracle(
        np.ones_like(world.mean_cost),
        world.mean_cost,
        world.schedule.available,
        problem.stage_lengths,
        problem.budget,
        world.throughput,
        problem.max_deployed,
    )
    return min(plan.value / problem.horizon, math.nextafter(1.0, 0.0))


def full_service_budget(world: World) -> float:
    """Smallest budget, in USD a query, with which all queries of the horizon can be served.

    The mean over the horizon of each stage's cheapest mixture of at most ``M_max`` models that
    serves every query. Costs of deployment are left out.

    Args:
        world: the world.

    Returns:
        The budget; infinite where some stage's models or their throughput cannot serve every query
        at any price.
    """
    problem, available = world.problem, world.schedule.available
    caps = np.where(available, world.throughput, 0.0)
    stages, first, copy = np.unique(
        np.concatenate([world.mean_cost, caps], axis=1),
        axis=0,
        return_index=True,
        return_inverse=True,
    )
    cheapest = np.empty(len(stages))
    for row, stage in enumerate(first):
        cost, cap = world.mean_cost[stage], caps[stage]
        plan = deploy_mip(-cost, cost, math.inf, cap, problem.max_deployed)
        serves_all = plan.weights.sum() >= 1.0 - MASS_TOLERANCE
        cheapest[row] = (plan.weights * cost).sum() if serves_all else math.inf
    return float((cheapest[copy] * problem.stage_lengths).sum()) / problem.horizon


def query_variables(world: World) -> int:
    """Number of variables in the query oracle's programme, see `oracle_score`."""
    first, _ = oracles_of(world).alike
    drawn = np.count_nonzero(world.schedule.mixes, axis=1)[world.schedule.stage_mix[first]].sum()
    return int(drawn) * world.num_models


def realised_rows(world: World, seed: int) -> NDArray[np.int64]:
    """Row of the table that each query of an episode is, shape (T,), int64.

    Args:
        world: the world.
        seed: what a single environment is reset with; sub-environment ``i`` of a vector environment
            reset with ``seed`` meets the queries of ``seed + i``.
    """
    generator, _ = seeding.np_random(seed)
    arrays = world.arrays
    rows = np.empty(world.problem.horizon, np.int64)
    _draw_rows(arrays.sampler, arrays.stages, int(draw_key(generator).view(np.int64)[0]), rows)
    return rows


def realised(world: World, seed: int) -> World:
    """The world in hindsight: a stage's query mix is just the queries that a seed's episode meets.

    Args:
        world: the world.
        seed: as in `realised_rows`.
    """
    rows = realised_rows(world, seed)
    lengths = world.problem.stage_lengths
    stage = np.repeat(np.arange(len(lengths)), lengths)
    counts = np.zeros((len(lengths), world.table.num_queries))
    np.add.at(counts, (stage, rows), 1.0)
    schedule = dataclasses.replace(
        world.schedule,
        mixes=counts / lengths[:, None],
        stage_mix=np.arange(len(lengths)),
    )
    return World(world.problem, world.table, schedule)


@njit(cache=True)
def _draw_rows(
    sampler: NDArray[np.float64],
    stages: NDArray[np.float64],
    key: int,
    rows: NDArray[np.int64],
) -> None:
    """Fill ``rows`` as the environment draws them, or takes them in their order."""
    stage = 0
    for query in range(rows.shape[0]):
        if query >= stages[stage, STAGE_END]:
            stage += 1
        rows[query] = draw_row(sampler, int(stages[stage, STAGE_MIX]), key, query)
