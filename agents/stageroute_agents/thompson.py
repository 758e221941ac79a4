"""Thompson sampling under a budget: with a linear programme, and by the ratio of score to cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.base import Batch, State
from stageroute_agents.index import IndexAgent
from stageroute_agents.linear_program import Floats, SlotlessAgent
from stageroute_agents.memory import Learner, Outcomes


class ThompsonLinearProgram(SlotlessAgent):
    """Thompson sampling with a linear programme: LinConTS without contexts.

    Saxena, Gonzalez & Jalden 2020, "Thompson sampling for linearly constrained bandits", arXiv
    2004.09258. Before each query a mean is drawn for every model from its posterior, the linear
    programme is solved on the draws, and the model drawn from its solution. The paper's rewards are
    binary, with a Beta(1, 1) prior, and its constraint is on them; here scores lie in [0, 1] and
    the constraint is on the cost, so both have the posterior Beta(1 + n mean, 1 + n (1 - mean)),
    the cost as a share of ``c2``. Deploys the set that its own index ranks best.

    Args:
        env: the environment it is for.
        seed: seed of the agent's own random numbers.
    """

    def __init__(self, env: Any, *, seed: int = 0) -> None:
        super().__init__(env, seed=seed)

    def estimates(self, batch: Batch) -> tuple[Floats, Floats]:
        """Draws of the mean scores and costs of the models that can be used."""
        usable, pulls = usable_models(batch), batch["pulls"].astype(np.float64)
        dearest = self.cost_bounds[1]
        score = draw_means(self.rng, pulls * batch["mean_score"], pulls, usable)
        cost = draw_means(self.rng, pulls * batch["mean_cost"] / dearest, pulls, usable)
        return score, cost * dearest


class BudgetedThompson(Learner, IndexAgent):
    """Budgeted Thompson sampling, BTS (Xia, Li, Qin, Yu & Liu 2015, arXiv 1505.00146).

    Routes to the model with the largest ratio of a score to a cost drawn from their posteriors,
    ``Beta(S + 1, n - S + 1)`` each. Outcomes in [0, 1], costs as shares of ``c2``, become 0 or 1 by
    a Bernoulli trial, and ``S`` counts the ones. The ratio knows no horizon: money that is left at
    its end is lost. Deploys the set that its own index ranks best.

    Args:
        env: the environment it is for.
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
        draws = self.rng.random((2, len(rows)))
        state["score_ones"][rows, models] += draws[0] < outcomes.score[rows]
        state["cost_ones"][rows, models] += draws[1] < outcomes.cost[rows] / self.cost_bounds[1]

    def index(self, batch: Batch, caps: Floats) -> Floats:
        """A draw of the score over a draw of the cost."""
        usable, pulls = caps > 0, batch["pulls"].astype(np.float64)
        score = draw_means(self.rng, batch["score_ones"], pulls, usable)
        cost = draw_means(self.rng, batch["cost_ones"], pulls, usable)
        return score / np.maximum(cost, np.finfo(np.float64).tiny)


def usable_models(batch: Batch) -> NDArray[np.bool_]:
    """Models that can be chosen now: those on offer, or, on a route step, deployed ones."""
    return np.where(batch["phase"] > 0, batch["deployed"], batch["available"]) > 0


def draw_means(
    rng: np.random.Generator, successes: Floats, trials: Floats, usable: NDArray[np.bool_]
) -> Floats:
    """Draws from ``Beta(1 + successes, 1 + trials - successes)``; 0 for unusable models.

    Args:
        rng: generator of the draws.
        successes: shape (E, N), float64.
        trials: shape (E, N), float64.
        usable: shape (E, N), bool.
    """
    drawn = np.zeros(usable.shape)
    ones = successes[usable]
    # A float32 mean may exceed 1 by a rounding.
    drawn[usable] = rng.beta(1.0 + ones, 1.0 + np.maximum(trials[usable] - ones, 0.0))
    return drawn
