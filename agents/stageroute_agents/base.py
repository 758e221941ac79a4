"""What all agents share: from a set to deploy and shares to route by, to actions of either id.

An agent says two things: which models the coming stage is to have (`Agent.plan`), and in which
shares the deployed ones are to serve the next query (`Agent.shares`), both for a batch of episodes
at once. This module turns these into the actions of `StageRoute-v0` and `StageRouteContinuous-v0`,
one observation or a batch, and carries what an agent remembers of each episode in ``state``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stageroute_gym.env import StageRouteEnv
from stageroute_gym.problem import Problem
from stageroute_gym.simulator.world import World
from stageroute_gym.vector import StageRouteVectorEnv

Batch = Mapping[str, NDArray[Any]]
State = dict[str, NDArray[Any]]


class Agent(ABC):
    """A policy with the interface that stable-baselines3's ``evaluate_policy`` calls.

    Args:
        env: the environment it is for, single or vector, wrapped or not. Agents read its problem,
            its number of models and the bounds of its costs; only oracles look at its true means.
        seed: seed of the agent's own random numbers.
    """

    def __init__(self, env: Any, *, seed: int = 0) -> None:
        unwrapped = cast("StageRouteEnv | StageRouteVectorEnv", env.unwrapped)
        self.problem: Problem = unwrapped.problem
        self.world: World = unwrapped.world
        self.num_models: int = self.world.num_models
        self.cost_bounds: tuple[float, float] = unwrapped.cost_bounds
        self.throughput: NDArray[np.float64] = self.world.throughput
        self.continuous: bool = unwrapped.continuous
        self.rng: np.random.Generator = np.random.default_rng(seed)

    def initial_state(self, rows: int) -> State:
        """What the agent remembers at the start of an episode: arrays with a leading axis (rows,).

        `plan` and `shares` find these arrays in their batch, under the same names.
        """
        return {"plan": np.zeros((rows, self.num_models), np.bool_)}

    def observe(  # noqa: B027 - an agent that learns nothing beyond the observation needs none
        self, batch: Batch, state: State, episode_start: NDArray[np.bool_] | None
    ) -> None:
        """Bring ``state`` up to date, in place; called once a step, before any decision.

        Args:
            batch: observations of ``E`` episodes, in whatever phase.
            state: what `initial_state` made.
            episode_start: as for `predict`.
        """

    @abstractmethod
    def plan(self, batch: Batch) -> NDArray[np.bool_]:
        """Which models the coming stage is to have, shape (E, N), bool.

        Args:
            batch: observations of ``E`` episodes at the start of a deploy phase, with their state.
        """

    @abstractmethod
    def shares(self, batch: Batch) -> NDArray[np.float64]:
        """Shares in which the deployed models are to serve the next query, shape (E, N).

        They respect the throughput and add up to at most 1; the rest is declined.

        Args:
            batch: observations of ``E`` episodes in the route phase, with their state.
        """

    def queries(self, batch: Batch) -> NDArray[np.int64]:
        """Number of queries that are over, shape (E,), int64."""
        # Progress is a float32 share of the horizon; the number of queries is its rounding.
        progress = batch["progress"][:, 0].astype(np.float64)
        return np.rint(progress * self.problem.horizon).astype(np.int64)

    def predict(
        self,
        observation: Batch,
        state: State | None = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, State]:
        """Choose the next action.

        Args:
            observation: one observation, or a batch of them with a leading axis.
            state: what the last call returned, updated in place; None at the start.
            episode_start: where an episode has just started, shape (E,), bool.
            deterministic: with discrete actions, route to the model with the largest share that
                has a token, instead of drawing one; nothing is drawn otherwise either.

        Returns:
            The action, or actions, and the state to pass to the next call.
        """
        if observation["phase"].ndim == 1:
            actions, state = self.predict(_OneRow(observation), state, episode_start, deterministic)
            return actions[0], state
        if state is None:
            state = self.initial_state(len(observation["phase"]))
        self.observe(observation, state, episode_start)
        batch = _WithState(observation, state)
        if self.continuous:
            return self._continuous(batch), state
        return self._discrete(batch, state["plan"], deterministic), state

    def _continuous(self, batch: Batch) -> NDArray[np.float32]:
        routing = batch["phase"][:, 0] > 0
        if routing.all():
            return self.shares(batch).astype(np.float32)
        actions = np.empty((len(routing), self.num_models), np.float32)
        actions[~routing] = self.plan(rows_of(batch, ~routing))
        if routing.any():
            actions[routing] = self.shares(rows_of(batch, routing))
        return actions

    def _discrete(
        self, batch: Batch, plan: NDArray[np.bool_], deterministic: bool
    ) -> NDArray[np.int64]:
        routing = batch["phase"][:, 0] > 0
        if routing.all():
            return self._draw(batch, deterministic)
        # The plan is made before the first model goes in, and kept until the last one is.
        opening = ~routing & ~batch["deployed"].any(axis=1)
        if opening.any():
            plan[opening] = self.plan(rows_of(batch, opening))
        missing = plan & (batch["action_mask"][:, :-1] > 0)
        actions = np.where(missing.any(axis=1), missing.argmax(axis=1), self.num_models)
        if routing.any():
            actions[routing] = self._draw(rows_of(batch, routing), deterministic)
        return actions

    def _draw(self, batch: Batch, deterministic: bool) -> NDArray[np.int64]:
        shares = self.shares(batch)
        if deterministic:
            allowed = np.where(batch["action_mask"][:, :-1] > 0, shares, 0.0)
            return np.where(allowed.max(axis=1) > 0, allowed.argmax(axis=1), self.num_models)
        return draw_models(shares, batch["action_mask"], self.rng.random(len(shares)))


@njit(cache=True)
def draw_models(
    shares: NDArray[np.float64], masks: NDArray[np.int8], draws: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Draw a model for each row by its shares, among those that the mask allows.

    What masked models cannot take goes to the others in proportion; the share that was to be
    declined anyway, and every query of a row where no allowed model has a share, is declined.

    Args:
        shares: shape (E, N), float.
        masks: shape (E, N + 1), int8.
        draws: uniform in [0, 1), shape (E,), float64.

    Returns:
        Model numbers, N for PASS, shape (E,), int64.
    """
    rows, n = shares.shape
    actions = np.full(rows, n, np.int64)
    for e in range(rows):
        asked = 0.0
        allowed = 0.0
        for m in range(n):
            asked += shares[e, m]
            if masks[e, m]:
                allowed += shares[e, m]
        # Shares that add up to 1 only within rounding leave nothing to decline.
        target = draws[e] * (allowed if asked > 1.0 - 1e-6 else allowed / asked if asked else 0.0)
        for m in range(n):
            if masks[e, m] and shares[e, m] > 0.0:
                actions[e] = m
                target -= shares[e, m]
                if target < 0.0:
                    break
    return actions


def rows_of(batch: Batch, selected: NDArray[np.bool_]) -> Batch:
    """The selected rows of a batch, shape of ``selected``: (E,)."""
    return _Rows(batch, selected)


class _View(Mapping[str, NDArray[Any]]):
    """A mapping over another; only what an agent looks at is computed."""

    def __init__(self, fields: Batch) -> None:
        self._fields = fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class _OneRow(_View):
    """A single observation as a batch of one."""

    def __getitem__(self, key: str) -> NDArray[Any]:
        return self._fields[key][None]


class _Rows(_View):
    """The selected rows of a batch."""

    def __init__(self, fields: Batch, selected: NDArray[np.bool_]) -> None:
        super().__init__(fields)
        self._selected = selected

    def __getitem__(self, key: str) -> NDArray[Any]:
        return self._fields[key][self._selected]


class _WithState(_View):
    """Observations together with what the agent remembers of their episodes."""

    def __init__(self, observation: Batch, state: State) -> None:
        super().__init__(observation)
        self._state = state

    def __getitem__(self, key: str) -> NDArray[Any]:
        return self._state[key] if key in self._state else self._fields[key]

    def __iter__(self) -> Iterator[str]:
        yield from self._fields
        yield from self._state

    def __len__(self) -> int:
        return len(self._fields) + len(self._state)
