"""PacedRoute: this project's own agent, StageRoute with each of its weak points mended."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.paced.estimates import Prior
from stageroute_agents.paced.estimating import EstimatingAgent
from stageroute_agents.paced.sets import best_mixtures, shared_mixtures
from stageroute_agents.paced.task_route import route_paced_rows
from stageroute_gym.checks import number, switch
from stageroute_gym.context import AgentContext
from stageroute_gym.optimize.slots import fill_slots_rows
from stageroute_gym.tuning.space import Real, SearchSpace


class PacedRoute(EstimatingAgent):
    """DeployOPT and RouteOPT on estimates that fit the data, with the budget paced.

    Six things differ from StageRoute. Each mends a loss that was measured and has a switch, and
    ``stageroute reproduce ablations`` measures what each is worth:

    * ``pace``: a query may cost what is left of the budget over the queries left, instead of ``b``.
      Costs are estimated, not bounded from below: optimism about them overspends a tight budget.
    * ``use_prices``: list prices are the prior of the costs, and a regression on them the prior of
      the scores. Scores get upper bounds ``m + width s`` with the deviation ``s`` of a posterior
      mean; StageRoute's radius shrinks with the mean, so that it drops a model after a bad start.
    * ``share_stages``: dear and cheap stages in turn (`stageroute_agents.paced.sets`).
    * ``forget``: what is known of a model that changes shrinks to its last outcomes
      (`stageroute_agents.paced.evidence`).
    * ``count_pending``: queries whose outcome is late count as spent and as tried.
    * ``per_task``: where a query tells its task, one-hot (`AgentContext.num_tasks`), tasks have
      estimates of their own (`stageroute_agents.paced.estimates`) and share one budget in one
      linear programme (`stageroute_agents.paced.task_route`).

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        width: width of the score bound that RouteOPT and spare slots go by, in deviations.
        deploy_width: the same for DeployOPT.
        score_prior: weight of the prior on a model's score, in observations, above 0.
        prior_mean: prior mean of a score, in (0, 1).
        price_slope: prior of the rise in score for a list price ``e`` times as high.
        slope_prior: weight of that prior, in squared logarithms of a price, above 0.
        cost_prior: weight of the prior on a model's cost, in observations, above 0.
        cell_prior: weight of model and task against their combination, in observations, above 0.
        pace, use_prices, share_stages, forget, count_pending, per_task: see above.

    Raises:
        FieldError: if a parameter is out of range.
    """

    search_space: ClassVar[SearchSpace] = {
        "width": Real(0.1, 4.0, "log"),
        "deploy_width": Real(0.05, 4.0, "log"),
        "score_prior": Real(1.0, 50.0, "log"),
        "prior_mean": Real(0.2, 0.95),
        "price_slope": Real(0.0, 0.3),
        "slope_prior": Real(0.5, 100.0, "log"),
        "cost_prior": Real(0.3, 30.0, "log"),
    }

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        width: float = 1.5,
        deploy_width: float = 0.25,
        score_prior: float = 5.0,
        prior_mean: float = 0.65,
        price_slope: float = 0.1,
        slope_prior: float = 8.0,
        cost_prior: float = 3.0,
        cell_prior: float = 20.0,
        pace: bool = True,
        use_prices: bool = True,
        share_stages: bool = True,
        forget: bool = True,
        count_pending: bool = True,
        per_task: bool = True,
    ) -> None:
        super().__init__(
            context,
            seed=seed,
            prior=Prior(
                number("score_prior", score_prior, 0, above=True),
                number("prior_mean", prior_mean, 0, 1, above=True, below=True),
                number("price_slope", price_slope, 0),
                number("slope_prior", slope_prior, 0, above=True),
                number("cost_prior", cost_prior, 0, above=True),
                number("cell_prior", cell_prior, 0, above=True),
            ),
            use_prices=switch("use_prices", use_prices),
            forget=switch("forget", forget),
            per_task=switch("per_task", per_task),
            count_pending=switch("count_pending", count_pending),
        )
        self.width = number("width", width, 0)
        self.deploy_width = number("deploy_width", deploy_width, 0)
        self.pace = switch("pace", pace)
        # Stages can only share what is paced.
        self.share_stages = switch("share_stages", share_stages) and self.pace
        self.stage_ends: Integers = self.problem.stage_bounds[1:]

    def initial_state(self, rows: int) -> State:
        """With ``budget_kept``, shape (rows,).

        That is what the stage leaves for those after it, in USD; NaN where each query left may
        spend the same.
        """
        return {
            **super().initial_state(rows),
            "budget_kept": np.full(rows, np.nan),
        }

    def stages(self, queries: Integers) -> Integers:
        """Number of the stage that the next query belongs to; the last one's after the end."""
        stage = np.searchsorted(self.stage_ends, queries, side="right")
        return np.minimum(stage, len(self.stage_ends) - 1)

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The set by DeployOPT; slots left over go to the best bounds at the budget's price."""
        score, deviation, cost = (
            self.over_tasks(state, name, rows) for name in ("score", "deviation", "cost")
        )
        caps = self.throughput * (batch["available"] > 0)
        slots = self.problem.max_deployed
        left, budget = self._budget(batch, state, rows)
        bound = np.minimum(score + self.deploy_width * deviation, 1.0)
        if self.share_stages:
            stage = self.stages(state["queries"][rows])
            stages_left = len(self.stage_ends) - stage
            mixtures, uneven = shared_mixtures(bound, cost, budget, caps, slots, stages_left)
            length = self.stage_ends[stage] - state["queries"][rows]
            kept = np.maximum(left - mixtures.cost * length, 0.0)
            state["budget_kept"][rows] = np.where(uneven, kept, np.nan)
        else:
            mixtures = best_mixtures(bound, cost, budget, caps, slots)
        chosen = mixtures.weights > 0
        bound = np.minimum(score + self.width * deviation, 1.0)
        pulls = batch["pulls"].astype(np.int64)
        fill_slots_rows(bound, cost, caps > 0, pulls, mixtures.price, slots, chosen)
        return chosen

    def route(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """Shares by RouteOPT over the tasks."""
        shares = np.empty((len(rows), self.num_models))
        route_paced_rows(
            rows,
            state["score"],
            state["deviation"],
            state["cost"],
            self.task_weights(state),
            state["task"],
            state["queries"],
            state["budget_kept"],
            self._left(batch, state, rows),
            batch["deployed"],
            self.throughput,
            self.stage_ends,
            (self.width, self.problem.horizon, -1.0 if self.pace else self.problem.budget),
            shares,
        )
        return shares

    def _left(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """What is left of the budget, USD, shape (R,), float64; below 0 after an overspend."""
        left = self.problem.total_budget * batch["budget_left"][:, 0].astype(np.float64)
        if self.count_pending:
            left -= (state["pending"][rows] * self.over_tasks(state, "cost", rows)).sum(axis=1)
        return left

    def _budget(self, batch: Batch, state: State, rows: Integers) -> tuple[Floats, Floats]:
        """What is left as a stage opens, USD, and what a query may cost from then on, USD a query.

        The stage before is over, and what it kept is free.
        """
        problem = self.problem
        left = np.maximum(self._left(batch, state, rows), 0.0)
        if not self.pace:
            return left, np.full(len(rows), problem.budget)
        return left, left / np.maximum(problem.horizon - state["queries"][rows], 1)
