"""Bandits with knapsacks, stochastic: UCB-BwK and PD-BwK.

Both know one budget for the whole horizon, but neither stages nor slots: they deploy the set that
their own index ranks best. Costs are divided by the largest cost ``c2``.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from stageroute_agents.arrays import Batch, Floats, Integers, State
from stageroute_agents.base import Kind
from stageroute_agents.index import IndexAgent
from stageroute_agents.linear_program import SlotlessAgent
from stageroute_agents.memory import Learner, Outcomes
from stageroute_agents.stageroute import StageRoute
from stageroute_agents.views import FREE
from stageroute_gym.checks import number
from stageroute_gym.context import AgentContext
from stageroute_gym.tuning.space import Real, SearchSpace

MOST_HELD_BACK = 0.9


class UcbBwk(SlotlessAgent, StageRoute):
    """UCB-BwK (Agrawal & Devanur 2014, "Bandits with concave rewards and convex knapsacks").

    Before each query the linear programme on optimistic estimates is solved, and the model drawn
    from its solution: ``max sum UCB_m p_m`` s.t. ``sum LCB_m p_m <= (1 - epsilon) B / T``,
    ``sum p_m = 1``, with the bounds ``mean +- 2 rad(mean, n + 1)``. This is StageRoute's RouteOPT
    with a smaller budget; throughput caps the shares as there. Costs
    are divided by ``c2``, so that they lie in [0, 1] as published. The paper lets ``sum p_m < 1``.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        gamma: confidence scale of the radius ``rad``, at least 0.
        epsilon: part of the budget that is held back, in [0, 1); None takes the theory's value,
            recalled and not confirmed from a public text, ``sqrt(gamma N / B) + ln(T) gamma N / B``
            with ``B = b T / c2``: 0.19 in the scenario ``routerbench``, 0.68 in
            ``routerbench-tight``, 0.08 in ``paper``. The theory is void where that reaches 1, which
            it does in small worlds; there 0.9 is held back.

    Raises:
        FieldError: if a parameter is out of range.
    """

    kind: ClassVar[Kind] = "baseline"
    search_space: ClassVar[SearchSpace] = {
        "gamma": Real(1e-4, 1.0, "log"),
        "epsilon": Real(0.0, MOST_HELD_BACK),
    }

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        gamma: float = 0.1,
        epsilon: float | None = None,
    ) -> None:
        scale = number("gamma", gamma, 0)
        held_back = held_back_by_theory(context, scale) if epsilon is None else epsilon
        super().__init__(context, seed=seed, gamma=scale, cost_scale="query", epsilon=held_back)


def held_back_by_theory(context: AgentContext, gamma: float) -> float:
    """UCB-BwK's ``epsilon`` by the theory, at most 0.9; see `UcbBwk`.

    Args:
        context: the world's number of models, horizon, budget and largest cost.
        gamma: confidence scale, at least 0.
    """
    problem, dearest = context.problem, context.cost_bounds[1] or FREE
    # gamma N / B, with the budget B in units of the largest cost of a query.
    scarcity = gamma * context.num_models * dearest / problem.total_budget
    return min(math.sqrt(scarcity) + math.log(problem.horizon) * scarcity, MOST_HELD_BACK)


class PdBwk(Learner, IndexAgent):
    """PD-BwK (Badanidiyuru, Kleinberg & Slivkins 2013, arXiv 1305.2545, Algorithm 2).

    Routes to the model with the most optimistic bang per buck, ``UCB_m / (v . LCB_m)``, with the
    bounds ``mean +- rad(mean, n)`` clipped to [0, 1] and the radius
    ``rad(v, n) = sqrt(C_rad v / n) + C_rad / n``. The unit costs ``v`` of the resources follow
    Hedge: ``v_i <- v_i (1 + epsilon)^LCB_{m,i}`` for the model that served, with
    ``epsilon = sqrt(ln(d) / B)``. The ``d = 2`` resources are money, with ``B = b T / c2``, and
    time, of which each query takes ``B / T``. Models never tried come first. The bound in the
    update is the one after the outcome, as outcomes may be late.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        C_rad: confidence scale, at least 0; ``Theta(log(d T N))`` in the theory.

    Raises:
        FieldError: if a parameter is out of range.
    """

    search_space: ClassVar[SearchSpace] = {"C_rad": Real(1e-4, 10.0, "log")}

    def __init__(self, context: AgentContext, *, seed: int = 0, C_rad: float = 0.1) -> None:  # noqa: N803
        super().__init__(context, seed=seed)
        self.C_rad = number("C_rad", C_rad, 0)
        self.dearest = self.cost_bounds[1]
        # Consumption of time a query, B / T; money is measured in units of c2.
        self.time = self.problem.budget / self.dearest
        self.growth = math.log1p(math.sqrt(math.log(2.0) / (self.time * self.problem.horizon)))

    def initial_state(self, rows: int) -> State:
        """With ``log(v_money / v_time)``, shape (rows,)."""
        return {**super().initial_state(rows), "log_price": np.zeros(rows)}

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Raise the price of money against that of time, or lower it."""
        rows, models = outcomes.served
        used = self._cost_bound(batch["mean_cost"][rows, models], batch["pulls"][rows, models])
        state["log_price"][rows] += self.growth * (used - self.time)

    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """Upper bound of the score over the estimated cost of both resources."""
        mean, pulls = batch["mean_score"].astype(np.float64), batch["pulls"]
        score = np.minimum(mean + self._radius(mean, pulls), 1.0)
        money = self._cost_bound(batch["mean_cost"], pulls)
        # A logistic weight is v_money / (v_money + v_time) and cannot overflow.
        price = 0.5 * (1.0 + np.tanh(0.5 * state["log_price"][rows]))[:, None]
        ratio = score / (price * money + (1.0 - price) * self.time + np.finfo(np.float64).tiny)
        return np.where(pulls > 0, ratio, np.inf)

    def _cost_bound(self, mean_cost: Floats, pulls: Floats) -> Floats:
        mean = mean_cost.astype(np.float64) / self.dearest
        return np.maximum(mean - self._radius(mean, pulls), 0.0)

    def _radius(self, mean: Floats, pulls: Floats) -> Floats:
        tried = np.maximum(pulls, 1.0)
        return np.sqrt(self.C_rad * mean / tried) + self.C_rad / tried
