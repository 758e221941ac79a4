"""StageRoute: the reference agent, optimism at both levels (Li & Li 2026, arXiv 2506.17254)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Batch, Floats, Integers, State
from stageroute_agents.linear_program import LinearProgramAgent
from stageroute_agents.memory import Learner, Outcomes
from stageroute_agents.routing_by_bounds import Bounds, StageServer, route_by_bounds
from stageroute_gym.checks import choice, number, switch
from stageroute_gym.compiling import njit
from stageroute_gym.context import AgentContext
from stageroute_gym.optimize.bounds import (
    RADII,
    cost_lower_bound,
    cost_lower_bound_scalar,
    is_joint,
    score_upper_bound,
    score_upper_bound_scalar,
)
from stageroute_gym.tuning.space import OneOf, Real, SearchSpace


class StageRoute(Learner, LinearProgramAgent):
    """StageRoute, Algorithm 1 of the paper, with its bounds ``mu^U`` and ``c^L`` as estimates.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        gamma: confidence scale, at least 0. The theory asks for ``Theta(log(N T / delta))``, the
            published experiments are said to use 0.1.
        fill_slots: whether slots that DeployOPT leaves empty are filled.
        cost_scale: what costs are divided by before their bounds are taken, since the radius
            depends on it; see `cost_scale_of`. The paper does not say. With the largest cost of a
            single query, which puts costs into [0, 1] as the theory has them, the bounds stay near
            ``c1`` for thousands of queries, and a tight budget is spent long before the end.
        radius: ``"sum"``, the paper's ``sqrt(gamma v / n) + gamma / n``, or ``"joint"``, the other
            one in circulation, ``sqrt(gamma v / n + gamma / n)``.
        variance: what ``v`` is: ``"mean"``, the empirical mean as in the paper, or ``"empirical"``,
            the empirical variance, which is learned from each outcome since the observation shows
            means only.
        epsilon: part of the budget that both programmes hold back, in [0, 1), as UCB-BwK does.

    Raises:
        FieldError: if a parameter is out of range.
    """

    search_space: ClassVar[SearchSpace] = {
        "gamma": Real(1e-4, 1.0, "log"),
        "fill_slots": OneOf((True, False)),
        "cost_scale": OneOf(("list_price", "query")),
        "radius": OneOf(RADII),
        "variance": OneOf(("mean", "empirical")),
        "epsilon": Real(0.0, 0.3),
    }

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        gamma: float = 0.1,
        fill_slots: bool = True,
        cost_scale: str | float = "list_price",
        radius: str = "sum",
        variance: str = "mean",
        epsilon: float = 0.0,
    ) -> None:
        super().__init__(context, seed=seed)
        self.fill_slots = switch("fill_slots", fill_slots)
        self.gamma = number("gamma", gamma, 0)
        self.cost_scale = cost_scale_of(cost_scale, context.list_prices, self.cost_bounds[1])
        self.radius = radius
        self.joint = is_joint(radius)
        self.learns = choice("variance", variance, ("mean", "empirical")) == "empirical"
        self.planned_budget = (1.0 - number("epsilon", epsilon, 0, 1, below=True)) * (
            self.problem.budget
        )

    def initial_state(self, rows: int) -> State:
        """With each model's sums, shape (rows, N, 5), where variances are asked for."""
        state = super().initial_state(rows)
        if self.learns:
            state["sums"] = np.zeros((rows, self.num_models, 5))
        return state

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Add up number, scores, squared scores, costs and squared costs of what was scored."""
        rows, models = outcomes.served
        score, cost = outcomes.score[rows], outcomes.cost[rows]
        powers = (np.ones(len(rows)), score, score * score, cost, cost * cost)
        state["sums"][rows, models] += np.stack(powers, axis=1)

    def budgets(self, batch: Batch) -> Floats:
        """``(1 - epsilon) b``, USD a query, shape (E,)."""
        return np.full(len(batch["phase"]), self.planned_budget)

    def estimates(self, batch: Batch, state: State, rows: Integers) -> tuple[Floats, Floats]:
        """The upper bounds of the scores and the lower bounds of the costs."""
        if self.learns:
            return self._bounds_by_variance(batch, state["sums"][rows])
        return confidence_bounds(
            batch["pulls"],
            batch["mean_score"],
            batch["mean_cost"],
            self.gamma,
            self.cost_bounds,
            self.cost_scale,
            self.joint,
        )

    @property
    def bounds(self) -> Bounds:
        """What the bounds depend on, for the kernels."""
        return (self.gamma, *self.cost_bounds, self.cost_scale, self.joint)

    def stage_server(self) -> StageServer | None:
        """What routes all queries up to the next update point, as `shares` would, compiled.

        See `stageroute_gym.evaluation.regrets`. None for variants that route otherwise.
        """
        if type(self) is not StageRoute or self.learns or not self.continuous:
            return None
        if self.all_free or self.problem.activation_delay:
            return None
        return StageServer(self.throughput, np.array([self.planned_budget]), self.bounds)

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """The mixture of RouteOPT over the deployed models, from their bounds only.

        Subclasses with estimates of their own derive from `LinearProgramAgent`.
        """
        if self.learns:
            return super().shares(batch, state, rows)
        return route_by_bounds(
            batch["pulls"],
            batch["mean_score"],
            batch["mean_cost"],
            batch["deployed"],
            self.throughput,
            self.budgets(batch),
            self.bounds,
        )

    def _bounds_by_variance(self, batch: Batch, sums: Floats) -> tuple[Floats, Floats]:
        """The bounds with empirical variances for ``v``, from sums of shape (R, N, 5)."""
        number = np.maximum(sums[..., 0], 1.0)
        score_variance, cost_variance = (
            np.maximum(sums[..., i + 1] / number - (sums[..., i] / number) ** 2, 0.0)
            for i in (1, 3)
        )
        pulls, gamma = batch["pulls"], self.gamma
        score = score_upper_bound(
            batch["mean_score"], pulls, gamma, variance=score_variance, radius=self.radius
        )
        cost = cost_lower_bound(
            batch["mean_cost"],
            pulls,
            gamma,
            *self.cost_bounds,
            self.cost_scale,
            variance=cost_variance,
            radius=self.radius,
        )
        return score, cost


def cost_scale_of(scale: str | float, list_prices: Sequence[float], dearest: float) -> float:
    """What costs are divided by before their confidence bounds are taken, in USD.

    Args:
        scale: ``"list_price"``, the largest list price, which a provider knows in advance (where
            no price is known, the next one); ``"query"``, the largest cost that a single query can
            have; or a number of USD.
        list_prices: USD of a typical query with each model, 0 where unknown.
        dearest: largest cost of a query, USD.

    Raises:
        FieldError: if it is none of these.
    """
    if isinstance(scale, str):
        if choice("cost_scale", scale, ("list_price", "query")) == "query":
            return dearest
        return max(list_prices) or dearest
    return number("cost_scale", scale, 0, above=True, unit="USD")


@njit(cache=True)
def confidence_bounds(
    pulls: NDArray[np.float32],
    mean_score: NDArray[np.float32],
    mean_cost: NDArray[np.float32],
    gamma: float,
    cost_bounds: tuple[float, float],
    cost_scale: float,
    joint: bool,
) -> tuple[Floats, Floats]:
    """``mu^U`` and ``c^L`` (USD) of each model, each of shape (E, N), float64.

    Args:
        pulls: observation, shape (E, N), float32, like the next two.
        mean_score: see there.
        mean_cost: see there, USD.
        gamma: confidence scale, at least 0.
        cost_bounds: smallest and largest cost of a query, USD.
        cost_scale: what costs are divided by, USD, above 0.
        joint: whether by the radius ``"joint"``, see `stageroute_gym.optimize.bounds.RADII`.
    """
    score = np.empty(pulls.shape)
    cost = np.empty(pulls.shape)
    for e in range(pulls.shape[0]):
        for m in range(pulls.shape[1]):
            n = np.float64(pulls[e, m])
            scored, paid = np.float64(mean_score[e, m]), np.float64(mean_cost[e, m])
            score[e, m] = score_upper_bound_scalar(scored, scored, n, gamma, joint)
            cost[e, m] = cost_lower_bound_scalar(
                paid,
                paid / cost_scale,
                n,
                gamma,
                cost_bounds[0],
                cost_bounds[1],
                cost_scale,
                joint,
            )
    return score, cost
