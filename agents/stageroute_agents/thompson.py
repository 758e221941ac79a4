"""Thompson sampling under a budget: with a linear programme, and by the ratio of score to cost."""

from __future__ import annotations

import numpy as np

from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.index import IndexAgent
from stageroute_agents.linear_program import SlotlessAgent
from stageroute_agents.memory import Learner, Outcomes
from stageroute_agents.streams import (
    COST,
    COST_TRIAL,
    SCORE,
    SCORE_TRIAL,
    draw_means,
    draw_uniforms,
)
from stageroute_gym.context import AgentContext


class ThompsonLinearProgram(SlotlessAgent):
    """Thompson sampling with a linear programme: LinConTS without contexts.

    Saxena, Gonzalez & Jalden 2020, "Thompson sampling for linearly constrained bandits", arXiv
    2004.09258. Before each query a mean is drawn for every model from its posterior, the linear
    programme is solved on the draws, and the model drawn from its solution. The paper's rewards are
    binary, with a Beta(1, 1) prior, and its constraint is on them; here scores lie in [0, 1] and
    the constraint is on the cost, so both have the posterior Beta(1 + n mean, 1 + n (1 - mean)),
    the cost as a share of ``c2``. Deploys the set that its own index ranks best.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
    """

    def __init__(self, context: AgentContext, *, seed: int = 0) -> None:
        super().__init__(context, seed=seed)

    def estimates(self, batch: Batch, state: State, rows: Integers) -> tuple[Floats, Floats]:
        """Draws of the mean scores and costs of the models that can be used."""
        usable, pulls = usable_models(batch), batch["pulls"].astype(np.float64)
        keys, moments, dearest = state["key"][rows], self.moments(batch), self.cost_bounds[1]
        score = draw_means(keys, moments, SCORE, pulls * batch["mean_score"], pulls, usable)
        shares = pulls * (batch["mean_cost"] / dearest)
        return score, dearest * draw_means(keys, moments, COST, shares, pulls, usable)


class BudgetedThompson(Learner, IndexAgent):
    """Budgeted Thompson sampling, BTS (Xia, Li, Qin, Yu & Liu 2015, arXiv 1505.00146).

    Routes to the model with the largest ratio of a score to a cost drawn from their posteriors,
    ``Beta(S + 1, n - S + 1)`` each. Outcomes in [0, 1], costs as shares of ``c2``, become 0 or 1 by
    a Bernoulli trial, and ``S`` counts the ones. The ratio knows no horizon: money that is left at
    its end is lost. Deploys the set that its own index ranks best.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
    """

    def initial_state(self, rows: int) -> State:
        """With the ones among the trials of scores and costs, each of shape (rows, N)."""
        return {
            **super().initial_state(rows),
            "score_ones": np.zeros((rows, self.num_models)),
            "cost_ones": np.zeros((rows, self.num_models)),
        }

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """One Bernoulli trial each with the score and the cost as probability of a one."""
        rows, models = outcomes.served
        # Each query's trials have draws of their own, in whatever order the outcomes come.
        keys = state["key"][rows]
        queries = outcomes.query[rows] + 1 + self.problem.feedback_delay
        score_draws = draw_uniforms(keys, queries, SCORE_TRIAL, 1)[:, 0]
        cost_draws = draw_uniforms(keys, queries, COST_TRIAL, 1)[:, 0]
        state["score_ones"][rows, models] += score_draws < outcomes.score[rows]
        state["cost_ones"][rows, models] += cost_draws < outcomes.cost[rows] / self.cost_bounds[1]

    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """A draw of the score over a draw of the cost."""
        usable, pulls = caps > 0, batch["pulls"].astype(np.float64)
        keys, moments = state["key"][rows], self.moments(batch)
        score = draw_means(keys, moments, SCORE, state["score_ones"][rows], pulls, usable)
        cost = draw_means(keys, moments, COST, state["cost_ones"][rows], pulls, usable)
        return score / np.maximum(cost, np.finfo(np.float64).tiny)


def usable_models(batch: Batch) -> Flags:
    """Models that can be chosen now: those on offer, or, on a route step, deployed ones."""
    return np.where(batch["phase"] > 0, batch["deployed"], batch["available"]) > 0
