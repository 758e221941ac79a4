"""The books of a live router: what the agent sees, what is spent, what is in flight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Flags
from stageroute_agents.streams import next_keys
from stageroute_gym.array_types import Singles
from stageroute_gym.context import AgentContext
from stageroute_gym.simulator import live
from stageroute_gym.simulator.actions import model_numbers, model_weights
from stageroute_gym.simulator.arrays import (
    AVAILABLE,
    CALLS,
    COST_SUM,
    KEY,
    NO_MODEL,
    NO_SCORE,
    OBS_DEPLOYED,
    PHASE,
    PROGRESS,
    PULLS,
    QUERIES,
    ROUTE,
    SCORE_SUM,
    SEEN_SPEND,
    SPEND,
    STAGE,
    STAGE_END,
    STAGE_PROGRESS,
    EpisodeArrays,
)
from stageroute_gym.simulator.observation import Observation, make_observation

# An agent takes a progress of exactly 0 for the start of an episode, and forgets what it knows.
_HARDLY_BEGUN = np.float32(1e-30)


class Books:
    """State of one live episode, on the arrays and by the kernels of the simulator.

    The count of queries starts anew in each *lap*: where a budget is renewed, and where more
    queries come than the problem's horizon has.

    Args:
        context: the problem and the models.
        key: the number that decides the routing draws, shape (1,), uint64.
        count_stages: whether the problem's stages, which count queries, say when the set may
            change; otherwise the horizon is one stage here.

    Attributes:
        lap: number of the lap.
        in_flight: requests of each model whose cost is not known, shape (N,), int64.
    """

    def __init__(
        self, context: AgentContext, key: NDArray[np.uint64], *, count_stages: bool
    ) -> None:
        world = live.live_world(context)
        if not count_stages:
            # The first one, whose models have been loaded in advance, and all others.
            whole = np.array([[context.problem.horizon, 0.0, 0.0]] * 2)
            world = world._replace(stages=whole, stage_models=np.ones((2, 3, context.num_models)))
        self._count_stages = count_stages
        self._world = world
        self._state = EpisodeArrays.start(world, 1)
        self.lap = 0
        self.in_flight = np.zeros(context.num_models, np.int64)
        self._total = context.problem.total_budget
        self._hard = context.problem.budget_rule == "hard"
        # Of a model whose costs are not known: its list price, or else the dearest query.
        prices = np.array(context.list_prices)
        self._expected = np.where(prices > 0, prices, context.cost_bounds[1])
        continuous = self._continuous = context.continuous
        self._deploy: Any = live.deploy_continuous if continuous else live.deploy_discrete
        self._route: Callable[..., int] = (
            live.route_continuous if continuous else live.route_discrete
        )
        self._counters, self._amounts = self._state.counters[0], self._state.amounts[0]
        live.start(self._world, self._state, key.view(np.int64)[0])

    @property
    def queries(self) -> int:
        """Queries of this lap that have been routed or declined."""
        return int(self._counters[QUERIES])

    @property
    def spend(self) -> float:
        """USD that are known to be spent of this budget."""
        return float(self._amounts[SPEND])

    @property
    def deploying(self) -> bool:
        """Whether the set is being chosen."""
        return bool(self._counters[PHASE] != ROUTE)

    @property
    def deployed(self) -> Flags:
        """The models deployed, shape (N,), bool."""
        return self._state.fields[0, OBS_DEPLOYED] > 0

    @property
    def offered(self) -> Flags:
        """The models on offer, shape (N,), bool."""
        return self._world.stage_models[0, AVAILABLE] > 0

    @property
    def totals(self) -> NDArray[np.float64]:
        """Of each model: scores and their sum, costs and their sum, shape (N, 4), float64."""
        return self._state.totals[0][:, [PULLS, SCORE_SUM, CALLS, COST_SUM]]

    def offer(self, models: Flags) -> None:
        """Change the models on offer, shape (N,), bool, from the next deploy phase on."""
        self._world.stage_models[:, AVAILABLE] = models

    def committed(self) -> float:
        """USD spent, and what the requests in flight are expected to cost."""
        spend = float(self._amounts[SPEND])
        if not self.in_flight.any():
            return spend
        return spend + float((self.in_flight * self._expected_costs()).sum())

    def expected_cost(self, model: int) -> float:
        """USD that a request to a model is expected to cost."""
        return float(self._expected_costs()[model])

    def _expected_costs(self) -> NDArray[np.float64]:
        _, _, number, total = self.totals.T
        return np.where(number > 0, total / np.maximum(number, 1.0), self._expected)

    def exhausted(self) -> bool:
        """Whether no budget is left that is not spent or committed; never under ``soft``."""
        return self._hard and self.committed() >= self._total

    def start_lap(self, *, renewed: bool) -> None:
        """Count the queries anew, under another key.

        Args:
            renewed: whether the budget is given anew; what is in flight is not charged to it.
        """
        self.lap += 1
        counters = self._counters
        key = counters[KEY : KEY + 1]
        key[:] = next_keys(key.view(np.uint64)).view(np.int64)
        ready = self._state.ready[0]
        np.maximum(ready - counters[QUERIES], 0.0, out=ready)
        counters[QUERIES] = 0
        if self._count_stages:
            counters[STAGE] = 0
        if renewed:
            self._amounts[SPEND] = self._amounts[SEEN_SPEND] = 0.0
            self.in_flight[:] = 0

    def stage_is_over(self) -> bool:
        """Whether the problem's count of queries ends the stage; the next one's number is set."""
        if self._counters[QUERIES] < self._world.stages[self._counters[STAGE], STAGE_END]:
            return False
        self._counters[STAGE] += 1
        return True

    def stage_bounds(self) -> tuple[int, int]:
        """First query of the stage, and the first after it."""
        stage, ends = self._counters[STAGE], self._world.stages[:, STAGE_END]
        return int(ends[stage - 1]) if stage else 0, int(ends[stage])

    def pay(self, model: int, cost: float, *, current: bool) -> None:
        """Charge a cost in USD, to the budget if it is ``current``."""
        if current:
            self._amounts[SPEND] += cost
            self.in_flight[model] -= 1

    def lose(self, model: int) -> float:
        """Charge a request in flight at its expected cost, which is returned, in USD."""
        charge = self.expected_cost(model)
        self._amounts[SPEND] += charge
        self._amounts[SEEN_SPEND] += charge
        self.in_flight[model] -= 1
        return charge

    def find(self, model: int, charge: float) -> None:
        """Undo `lose`, which charged so many USD: the request's cost is known now."""
        self._amounts[SPEND] -= charge
        self._amounts[SEEN_SPEND] -= charge
        self.in_flight[model] += 1

    def hear_nothing(self) -> None:
        """Show the agent that no outcome came."""
        live.hear(self._state, NO_MODEL, 0.0, 0.0, False)

    def hear(self, model: int, score: float | None, cost: float, *, current: bool) -> None:
        """Show an outcome to the agent; without a score if none comes back."""
        live.hear(self._state, model, NO_SCORE if score is None else score, cost, current)

    def hear_cost(self, model: int, cost: float, *, current: bool) -> None:
        """Book a cost in USD whose score may follow."""
        live.hear_cost(self._state, model, cost, current)

    def hear_score(self, model: int, score: float, cost: float) -> None:
        """Show an outcome whose cost was booked before."""
        live.hear_score(self._state, model, score, cost)

    def open_stage(self, *, first: bool) -> None:
        """Open a deploy phase, the first or a later one."""
        if not (self._count_stages or first):
            self._counters[STAGE] = 1
        live.open_stage(self._world, self._state)

    def deploy(self, actions: NDArray[Any]) -> None:
        """Apply the action of a deploy step, with a leading axis of one.

        Raises:
            InvalidAction: if it is not allowed, as in the environment.
        """
        self._deploy(self._world, self._state, self._checked(actions))

    def look(self, features: Singles) -> None:
        """Show a query, by its features, shape (F,), float32."""
        live.look(self._world, self._state, features)

    def route(self, actions: NDArray[Any]) -> int:
        """Route the query by an action with a leading axis of one; the model, or -1.

        Raises:
            InvalidAction: if it is not allowed, as in the environment; nothing is routed then.
        """
        return self._route(self._world, self._state, self._checked(actions))

    def _checked(self, actions: NDArray[Any]) -> NDArray[Any]:
        # The kernels would read beyond their arrays.
        models = self._world.models.shape[1]
        if self._continuous:
            return model_weights(actions, (1, models))
        return model_numbers(actions, (1,), models)

    def observation(self, stage_progress: float | None) -> Observation:
        """What the agent sees, with a leading axis of one.

        Args:
            stage_progress: the share of the stage that is over, where the problem's count of
                queries does not tell it.
        """
        state = self._state
        scalars = state.scalars.copy()
        if self.lap and not self._counters[QUERIES]:
            scalars[0, PROGRESS] = _HARDLY_BEGUN
        if stage_progress is not None:
            scalars[0, STAGE_PROGRESS] = stage_progress
        return make_observation(state.fields.copy(), scalars, state.mask.copy(), batched=True)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays, by name, for `restore`."""
        return {
            **self._state._asdict(),
            "offer": self._world.stage_models,
            "in_flight": self.in_flight,
        }

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from what `arrays` returned."""
        for name, array in self.arrays().items():
            array[...] = arrays[name]
