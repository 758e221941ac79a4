"""PacedRoute: this project's own agent, StageRoute with each of its weak points mended."""

from __future__ import annotations

from typing import Any

import numpy as np

from stageroute_agents.base import Batch
from stageroute_agents.linear_program import Floats, LinearProgramAgent
from stageroute_agents.parameters import not_negative, positive
from stageroute_gym.errors import FieldError


class PacedRoute(LinearProgramAgent):
    """DeployOPT and RouteOPT on bounds that fit the data, with the budget paced.

    It differs from StageRoute in three points, each found by measuring where StageRoute loses and
    each with a switch or a parameter that gives its ablation:

    * *The budget is paced.* A query may cost what is left of the budget over the queries left,
      instead of ``b``: early savings are spent and early overspends made up for.
    * *Costs are estimated, not bounded.* Optimism about costs overspends a tight budget, which
      the rule ``hard`` punishes by ending the episode. The estimate is the mean of the observed
      costs and of ``cost_prior`` pseudo-observations at the list price, or, where that is unknown,
      at the mean cost of all queries observed so far.
    * *Scores have a prior.* StageRoute's radius shrinks with the empirical mean, so that a good
      model whose first answer scores 0 is hardly asked again (its bound falls to ``gamma``).
      Here ``mu^U = m + width sqrt(m (1 - m) / (n + score_prior))`` with the mean ``m`` of the
      scores observed and of ``score_prior`` pseudo-observations at ``prior_mean``; ``m (1 - m)``
      is the largest variance that a score in [0, 1] with mean ``m`` can have.

    Args:
        env: the environment it is for.
        seed: seed of the agent's own random numbers.
        width: width of the score bound in standard errors, at least 0.
        score_prior: weight of the prior on scores, in observations, above 0.
        prior_mean: prior mean of a score, in (0, 1).
        cost_prior: weight of the prior on costs, in observations, above 0.
        pace: whether the budget is paced; False allows ``b`` at every query.

    Raises:
        FieldError: if a parameter is out of range.
    """

    def __init__(
        self,
        env: Any,
        *,
        seed: int = 0,
        width: float = 1.5,
        score_prior: float = 3.0,
        prior_mean: float = 0.65,
        cost_prior: float = 3.0,
        pace: bool = True,
    ) -> None:
        super().__init__(env, seed=seed)
        self.width = not_negative("width", width)
        self.score_prior = positive("score_prior", score_prior)
        if not 0 < prior_mean < 1:
            raise FieldError("prior_mean", prior_mean, "a score in (0, 1)")
        self.prior_mean = float(prior_mean)
        self.cost_prior = positive("cost_prior", cost_prior)
        self.pace = pace

    def budgets(self, batch: Batch) -> Floats:
        """What is left of the budget over the queries left, or ``b``."""
        return self.paced_budgets(batch) if self.pace else super().budgets(batch)

    def estimates(self, batch: Batch) -> tuple[Floats, Floats]:
        """Upper bounds of the scores, and estimates of the costs."""
        pulls = batch["pulls"].astype(np.float64)
        weight = pulls + self.score_prior
        mean = (pulls * batch["mean_score"] + self.score_prior * self.prior_mean) / weight
        score = np.minimum(mean + self.width * np.sqrt(mean * (1.0 - mean) / weight), 1.0)
        spent = pulls * batch["mean_cost"]
        known = batch["list_price"].astype(np.float64)
        pooled = spent.sum(axis=1) / np.maximum(pulls.sum(axis=1), 1.0)
        guess = np.where(known > 0, known, np.maximum(pooled, self.cost_bounds[0])[:, None])
        cost = (spent + self.cost_prior * guess) / (pulls + self.cost_prior)
        return score, cost
