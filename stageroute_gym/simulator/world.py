"""The world of one scenario as arrays: what the kernels read and no episode changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import stage_oracle
from stageroute_gym.problem import Problem
from stageroute_gym.simulator.arrays import WorldArrays
from stageroute_gym.workloads import OutcomeTable, Schedule


@dataclass(frozen=True, eq=False)
class World:
    """A problem, a table and a schedule, laid out for the kernels, with the true means.

    Args:
        problem: the problem.
        table: outcomes of ``N`` models on ``Q`` queries.
        schedule: what holds in each of the problem's ``K`` stages.
        declared_costs: smallest and largest cost in USD that any world of the scenario can have;
            None where there is only this one. Features then lie in [-1, 1].

    Raises:
        FieldError: if the three do not fit together.
    """

    problem: Problem
    table: OutcomeTable
    schedule: Schedule
    declared_costs: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        # The kernels do not check the bounds of these arrays.
        stages, models = len(self.problem.stage_lengths), self.table.num_models
        if self.schedule.available.shape != (stages, models):
            shape = self.schedule.available.shape
            allowed = f"{stages} stages of {models} models, as the problem and the table have"
            raise FieldError("shape of the schedule", shape, allowed)
        if self.schedule.mixes.shape[1] != self.table.num_queries:
            shape = self.schedule.mixes.shape
            allowed = f"weights for the table's {self.table.num_queries} queries"
            raise FieldError("shape of the schedule's mixes", shape, allowed)
        if self.schedule.in_order and self.problem.horizon > self.table.num_queries:
            allowed = f"at most {self.table.num_queries}, the queries that come in their order"
            raise FieldError("horizon", self.problem.horizon, allowed)
        self.problem.throughput_per_model(models)
        self._check_declared()

    def _check_declared(self) -> None:
        if self.declared_costs is None:
            return
        low, high = self.declared_costs
        lowest, highest = self._cost_range
        if lowest < low or max(highest, float(self.table.list_price.max())) > high:
            found = (lowest, max(highest, float(self.table.list_price.max())))
            allowed = f"costs and list prices within cost_bounds, {low:g} to {high:g}"
            raise FieldError("cost", found, allowed)
        if np.abs(self.table.features).max() > 1:
            largest = float(np.abs(self.table.features).max())
            raise FieldError("features", largest, "numbers in [-1, 1], in a world of each seed")

    @property
    def num_models(self) -> int:
        """Number of models ``N``."""
        return self.table.num_models

    @cached_property
    def throughput(self) -> NDArray[np.float64]:
        """Throughput share of each model, shape (N,), float64."""
        return self.problem.throughput_per_model(self.num_models)

    @cached_property
    def mean_score(self) -> NDArray[np.float64]:
        """True mean score of each model in each stage, failed calls included, (K, N), float64."""
        answered = weighted_means(self.schedule.mixes, self.table.score)
        return (answered * (1 - self.problem.failure_rate))[self.schedule.stage_mix]

    @cached_property
    def mean_cost(self) -> NDArray[np.float64]:
        """True mean cost in USD per query, shape (K, N), float64."""
        per_mix = weighted_means(self.schedule.mixes, self.table.cost)
        return per_mix[self.schedule.stage_mix] * self.schedule.cost_multiplier

    @property
    def cost_bounds(self) -> tuple[float, float]:
        """Smallest and largest cost ``c1, c2`` in USD that a query can have at all."""
        return self._cost_range if self.declared_costs is None else self.declared_costs

    @cached_property
    def _cost_range(self) -> tuple[float, float]:
        multiplier = self.schedule.cost_multiplier
        low = self.table.cost.min(axis=0) * multiplier.min(axis=0)
        high = self.table.cost.max(axis=0) * multiplier.max(axis=0)
        return float(low.min()), float(high.max())

    def agent_context(self, *, continuous: bool, per_seed: bool = False) -> AgentContext:
        """What an agent may know of this world.

        Args:
            continuous: whether it acts in `StageRouteContinuous-v0`.
            per_seed: whether it will meet other worlds of the scenario too: list prices then stand
                in the observations only, and are unknown here.
        """
        prices = np.zeros(self.num_models) if per_seed else self.table.list_price
        return AgentContext(
            problem=self.problem,
            models=self.table.models,
            list_prices=tuple(prices.tolist()),
            cost_bounds=self.cost_bounds,
            num_features=self.table.features.shape[1],
            actions="continuous" if continuous else "discrete",
            num_tasks=self.table.num_tasks,
            feature_names=self.table.feature_names,
        )

    @cached_property
    def stage_values(self) -> NDArray[np.float64]:
        """Expected score a query of the stage oracle in each stage, ``V_k``, shape (K,)."""
        return stage_oracle(
            self.mean_score,
            self.mean_cost,
            self.schedule.available,
            self.problem.budget,
            self.throughput,
            self.problem.max_deployed,
        ).values

    @cached_property
    def arrays(self) -> WorldArrays:
        """What the kernels read."""
        problem, schedule = self.problem, self.schedule
        stages = [problem.stage_bounds[1:], schedule.stage_mix, self.stage_values]
        stage_models = [schedule.available, schedule.cost_multiplier, self.mean_score]
        # Never writable, as those that are shared with the table are: one type for the compiler.
        features = np.ascontiguousarray(self.table.features, np.float32).view()
        features.setflags(write=False)
        return WorldArrays(
            outcomes=np.ascontiguousarray(np.stack([self.table.score, self.table.cost], axis=2)),
            sampler=np.empty((0, self.table.num_queries, 2))
            if schedule.in_order
            else np.stack([alias_table(mix) for mix in schedule.mixes]),
            stages=np.stack(stages, axis=1, dtype=np.float64),
            stage_models=np.stack(stage_models, axis=1, dtype=np.float64),
            models=np.stack([self.throughput, self.table.list_price]),
            settings=settings_of(problem),
            features=features,
        )


def settings_of(problem: Problem) -> NDArray[np.float64]:
    """What the kernels read of a problem; see `arrays.WorldArrays`."""
    settings = [
        problem.horizon,
        problem.total_budget,
        problem.budget_rule == "hard",
        problem.burst,
        problem.deployment_cost,
        problem.feedback_delay,
        problem.max_deployed,
        problem.feedback_rate,
        problem.activation_delay,
        problem.failure_rate,
    ]
    return np.array(settings, np.float64)


def weighted_means(
    weights: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Means of a table's columns under each of some weightings of its rows, shape (G, N), float64.

    Not a matrix product, whose last bits depend on the number of threads that BLAS uses: the sums
    of ``einsum`` have one order.

    Args:
        weights: each row sums to 1, shape (G, Q), float64.
        values: shape (Q, N), float64.
    """
    return np.einsum("gq,qn->gn", weights, values, optimize=False)


def alias_table(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Walker's alias table, by Vose's method: a row is drawn in constant time.

    Args:
        weights: a distribution over ``Q`` rows, shape (Q,), float64.

    Returns:
        For each row the probability to keep it and the row to take otherwise, shape (Q, 2),
        float64.
    """
    size = len(weights)
    scaled = (weights * (size / weights.sum())).tolist()
    keep = [1.0] * size
    alias = list(range(size))
    small = [row for row, mass in enumerate(scaled) if mass < 1.0]
    large = [row for row, mass in enumerate(scaled) if mass >= 1.0]
    while small and large:
        row, donor = small.pop(), large.pop()
        keep[row], alias[row] = scaled[row], donor
        scaled[donor] += scaled[row] - 1.0
        (small if scaled[donor] < 1.0 else large).append(donor)
    # Rounding leaves some rows unpaired; those of no weight at all must still never be drawn.
    for row in small:
        if weights[row] == 0.0:
            keep[row], alias[row] = 0.0, int(np.argmax(weights))
    return np.array([keep, alias], dtype=np.float64).T.copy()
