"""PacedRoute: this project's own agent, StageRoute with each of its weak points mended."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.paced.estimates import Prior
from stageroute_agents.paced.estimating import EstimatingAgent
from stageroute_agents.paced.sets import best_sets
from stageroute_agents.paced.task_route import Settings, route_paced_rows
from stageroute_agents.paced.trials import bound_rows
from stageroute_gym.checks import number, switch
from stageroute_gym.context import AgentContext
from stageroute_gym.optimize.slots import fill_slots_rows
from stageroute_gym.tuning.space import Real, SearchSpace


class PacedRoute(EstimatingAgent):
    """DeployOPT and RouteOPT on estimates that fit the data, with the budget paced.

    What differs from StageRoute. Each part mends a loss that was measured and has a switch or a
    factor, and ``stageroute reproduce ablations`` measures what each is worth, on scenarios and
    over random worlds, where no single one is beyond doubt:

    * ``pace``: a query may cost what is left of the budget over the queries left, instead of ``b``.
      Costs are estimated, not bounded from below: optimism about them overspends a tight budget.
      Both programmes may decline queries where the budget brings more elsewhere; so a budget that
      cannot serve all goes to the best scores for the money, all over the horizon.
    * ``width``: models get what a trial of them would be worth within the queries left, a bonus
      that vanishes towards the end (`stageroute_agents.paced.trials`). For DeployOPT the shortest
      trial is a stage. StageRoute's radius knows neither horizon nor variance.
    * ``use_prices``: list prices are the prior of the costs as far as they prove to tell of them
      (`stageroute_agents.paced.costs`), and a regression on them that of the scores; level, slope
      and variances of the scores are learned from the models seen
      (`stageroute_agents.paced.scores`).
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
        width: factor of the worth of a trial, at least 0; 1 is what the calculation says.
        price_slope: prior of the rise in score with the list price, at least 0, see
            `stageroute_agents.paced.estimates.Prior`.
        cell_prior: weight of model and task against their combination, in observations, above 0.
        pace, use_prices, share_stages, forget, count_pending, per_task: see above.

    Raises:
        FieldError: if a parameter is out of range.
    """

    search_space: ClassVar[SearchSpace] = {
        "width": Real(0.1, 4.0, "log"),
        "price_slope": Real(0.0, 2.0),
    }

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        width: float = 1.0,
        price_slope: float = 0.5,
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
                number("price_slope", price_slope, 0),
                number("cell_prior", cell_prior, 0, above=True),
            ),
            use_prices=switch("use_prices", use_prices),
            forget=switch("forget", forget),
            per_task=switch("per_task", per_task),
            count_pending=switch("count_pending", count_pending),
        )
        self.width = number("width", width, 0)
        self.pace = switch("pace", pace)
        # Stages can only share what is paced.
        self.share_stages = switch("share_stages", share_stages) and self.pace
        self.stage_ends: Integers = self.problem.stage_bounds[1:]
        self.settings = Settings(
            self.width,
            self.problem.horizon,
            self.problem.feedback_delay,
            -1.0 if self.pace else self.problem.budget,
            self.continuous,
        )

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
        noise, queries = state["noise"][rows], state["queries"][rows]
        caps = self.throughput * (batch["available"] > 0)
        slots = self.problem.max_deployed
        left, budget = self._budget(batch, state, rows)
        stage = self.stages(queries)
        length, known = self.stage_ends[stage] - queries, self.settings.horizon - queries
        known -= self.settings.delay
        bound = np.empty_like(score)
        bound_rows(score, deviation, noise, caps, known, length, self.width, bound)
        stages_left = len(self.stage_ends) - stage if self.share_stages else np.ones_like(stage)
        sets = best_sets(bound, cost, budget, caps, slots, stages_left)
        kept = np.maximum(left - sets.cost * length, 0.0)
        state["budget_kept"][rows] = np.where(sets.uneven, kept, np.nan)
        # A spare slot is no loss, so that a trial in it may be as short as one query.
        bound_rows(score, deviation, noise, caps, known, np.ones_like(length), self.width, bound)
        pulls = batch["pulls"].astype(np.int64)
        fill_slots_rows(bound, cost, caps > 0, pulls, sets.price, slots, sets.chosen)
        return sets.chosen

    def route(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """Shares by RouteOPT over the tasks."""
        shares = np.empty((len(rows), self.num_models))
        route_paced_rows(
            rows,
            state["score"],
            state["deviation"],
            state["noise"],
            state["cost"],
            self.task_weights(state),
            state["task"],
            state["queries"],
            state["budget_kept"],
            self._left(batch, state, rows),
            batch["deployed"],
            self.throughput,
            self.stage_ends,
            state["key"],
            self.settings,
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
