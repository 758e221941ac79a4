"""What all agents share: from a set to deploy and shares to route by, to actions of either id.

An agent says two things: which models the coming stage is to have (`Agent.plan`), and in which
shares the deployed ones are to serve the next query (`Agent.shares`), both for a batch of episodes
at once. This module turns these into the actions of `StageRoute-v0` and `StageRouteContinuous-v0`,
one observation or a batch, and carries what an agent remembers of each episode in ``state``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.streams import ACTION, episode_keys, next_keys
from stageroute_agents.views import FREE, OneRow, Priced, Ready, rows_of
from stageroute_gym.checks import count
from stageroute_gym.compiling import njit
from stageroute_gym.context import AgentContext
from stageroute_gym.problem import Problem
from stageroute_gym.simulator.draws import bits, uniform
from stageroute_gym.tuning.space import SearchSpace

Kind = Literal["reference", "baseline", "learner"]


class Agent(ABC):
    """A policy with the interface that stable-baselines3's ``evaluate_policy`` calls.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers, at least 0.

    Attributes:
        kind: ``"learner"`` for an agent made for this problem, ``"baseline"`` for a fixed rule or
            an algorithm of the literature to compare with, ``"reference"`` for one that knows the
            truth and is made with a ``world`` too.
        search_space: what ``stageroute tune`` may try of the parameters, by name; what a subclass
            inherits of it counts as far as it has these parameters.
        tuned_file: the settings that ``stageroute tune`` chose, for the agents ``NAME-tuned``.

    Raises:
        FieldError: if the seed is negative or no integer.
    """

    kind: ClassVar[Kind] = "learner"
    search_space: ClassVar[SearchSpace] = {}
    tuned_file: ClassVar[Path] = Path(__file__).with_name("tuned.json")

    def __init__(self, context: AgentContext, *, seed: int = 0) -> None:
        self.context = context
        self.seed = count("seed", seed, 0)
        self.problem: Problem = context.problem
        self.num_models: int = context.num_models
        self.throughput: Floats = context.throughput
        self.continuous: bool = context.continuous
        self.all_free: bool = context.cost_bounds[1] == 0.0
        self.cost_bounds: tuple[float, float] = (
            (FREE, FREE) if self.all_free else context.cost_bounds
        )

    def initial_state(self, rows: int) -> State:
        """What the agent remembers at the start of an episode: arrays with a leading axis (rows,).

        ``key`` is what the episode's random numbers are drawn from, ``plan`` the set that is being
        deployed with discrete actions.
        """
        return {
            "key": np.zeros(rows, np.uint64),
            "plan": np.zeros((rows, self.num_models), np.bool_),
        }

    def begin(self, seeds: Iterable[int]) -> State:
        """The state for the first `predict` of a batch of episodes.

        Whatever the agent draws in an episode follows from its own seed and from the episode's,
        not from the episodes beside it. Without this call row ``i`` of a batch has the seed ``i``.
        The episode that follows in a row has a stream of its own.

        Args:
            seeds: what each episode is reset with, shape (E,), at least 0.

        Raises:
            FieldError: if a seed is negative or no integer.
        """
        checked = [count("seeds", seed, 0) for seed in seeds]
        state = self.initial_state(len(checked))
        state["key"][:] = episode_keys(self.seed, checked)
        return state

    def observe(  # noqa: B027 - an agent that learns nothing beyond the observation needs none
        self, batch: Batch, state: State
    ) -> None:
        """Bring ``state`` up to date, in place; called once a step, before any decision.

        Args:
            batch: observations of ``E`` episodes, in whatever phase.
            state: what is remembered of them, as `initial_state` made it.
        """

    @abstractmethod
    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """Which models the coming stage is to have, shape (R, N), bool.

        Args:
            batch: observations of the ``R`` episodes asked about, at the start of a deploy phase.
            state: what is remembered of all ``E`` episodes; it may be written.
            rows: where the episodes asked about stand in it, shape (R,), int64.
        """

    @abstractmethod
    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """Shares in which the deployed models are to serve the next query, shape (R, N).

        They respect the throughput and add up to at most 1. What they leave is declined with
        continuous actions; with discrete ones see `draw_models`.

        Args:
            batch: observations of the ``R`` episodes asked about, in the route phase.
            state: what is remembered of all ``E`` episodes; it may be written.
            rows: where the episodes asked about stand in it, shape (R,), int64.
        """

    def queries(self, batch: Batch) -> Integers:
        """Number of queries that are over, shape (E,), int64."""
        # Progress is a float32 share of the horizon; the number of queries is its rounding.
        progress = batch["progress"][:, 0].astype(np.float64)
        return np.rint(progress * self.problem.horizon).astype(np.int64)

    def moments(self, batch: Batch) -> Integers:
        """A number for the decision, different in each decision of an episode, shape (E,), int64.

        The steps that add one model after the other carry out one decision.
        """
        return 2 * self.queries(batch) + (batch["phase"][:, 0] > 0)

    def predict(
        self,
        observation: Batch,
        state: State | None = None,
        episode_start: Flags | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, State]:
        """Choose the next action.

        Args:
            observation: one observation, or a batch of them with a leading axis.
            state: what the last call returned, updated in place; at the start what `begin`
                returned, or None.
            episode_start: where an episode has just started, shape (E,), bool.
            deterministic: with discrete actions, route to the model with the largest share that
                has a token, instead of drawing one; nothing is drawn otherwise either.

        Returns:
            The action, or actions, and the state to pass to the next call.
        """
        if observation["phase"].ndim == 1:
            actions, state = self.predict(OneRow(observation), state, episode_start, deterministic)
            return actions[0], state
        if state is None:
            state = self.begin(range(len(observation["phase"])))
        batch = Priced(observation) if self.all_free else observation
        if self.continuous and self.problem.activation_delay:
            batch = Ready(batch)
        routing = batch["phase"][:, 0] > 0
        everyone = routing.all()
        if not everyone or (episode_start is not None and np.count_nonzero(episode_start)):
            self._renew(batch, state, episode_start)
        self.observe(batch, state)
        if everyone:
            return self._route(batch, state, np.arange(len(routing)), deterministic), state
        routed, deploying = np.flatnonzero(routing), np.flatnonzero(~routing)
        actions = self._deploy(batch, state, deploying)
        if routed.size:
            both = np.empty((len(routing), *actions.shape[1:]), actions.dtype)
            both[deploying] = actions
            both[routed] = self._route(rows_of(batch, routed), state, routed, deterministic)
            return both, state
        return actions, state

    def _renew(self, batch: Batch, state: State, episode_start: Flags | None) -> None:
        """Forget what belongs to an earlier episode."""
        fresh = (batch["phase"][:, 0] == 0) & (batch["progress"][:, 0] == 0)
        # With discrete actions the later steps of the first deploy phase look alike, but for this.
        fresh &= ~batch["deployed"].any(axis=1)
        if episode_start is not None:
            fresh |= np.asarray(episode_start, np.bool_)
        rows = np.flatnonzero(fresh)
        if rows.size:
            keys = next_keys(state["key"][rows])
            for name, values in self.initial_state(len(rows)).items():
                state[name][rows] = values
            state["key"][rows] = keys

    def _deploy(self, batch: Batch, state: State, rows: Integers) -> NDArray[Any]:
        """Actions of the deploy phase, shape (R,) or (R, N)."""
        batch = batch if len(rows) == len(batch["phase"]) else rows_of(batch, rows)
        if self.continuous:
            return self.plan(batch, state, rows).astype(np.float32)
        # The plan is made before the first model goes in, and kept until the last one is.
        opening = np.flatnonzero(~batch["deployed"].any(axis=1))
        if opening.size:
            opened = rows[opening]
            state["plan"][opened] = self.plan(rows_of(batch, opening), state, opened)
        missing = state["plan"][rows] & (batch["action_mask"][:, :-1] > 0)
        return np.where(missing.any(axis=1), missing.argmax(axis=1), self.num_models)

    def _route(
        self, batch: Batch, state: State, rows: Integers, deterministic: bool
    ) -> NDArray[Any]:
        """Actions of the route phase, shape (R,) or (R, N)."""
        shares = self.shares(batch, state, rows)
        if self.continuous:
            return shares.astype(np.float32)
        if deterministic:
            allowed = np.where(batch["action_mask"][:, :-1] > 0, shares, 0.0)
            return np.where(allowed.max(axis=1) > 0, allowed.argmax(axis=1), self.num_models)
        keys, progress = state["key"][rows], batch["progress"]
        return draw_actions(shares, batch["action_mask"], keys, progress, self.problem.horizon)


@njit(cache=True)
def draw_actions(
    shares: Floats,
    masks: NDArray[np.int8],
    keys: NDArray[np.uint64],
    progress: NDArray[np.float32],
    horizon: int,
) -> Integers:
    """Draw a model for each row by `draw_models`, as the episode's key and query decide.

    Args:
        shares: as for `draw_models`.
        masks: see there.
        keys: keys of the episodes, shape (E,), uint64.
        progress: share of the horizon that is over, in the first column, shape (E, 2), float32.
        horizon: queries in an episode.
    """
    draws = np.empty(len(keys))
    for e in range(len(keys)):
        # As `Agent.moments` counts on a route step.
        moment = 2 * np.int64(np.rint(np.float64(progress[e, 0]) * horizon)) + 1
        draws[e] = uniform(bits(bits(keys[e], ACTION), moment), 0)
    return draw_models(shares, masks, draws)


@njit(cache=True)
def draw_models(shares: Floats, masks: NDArray[np.int8], draws: Floats) -> Integers:
    """Draw a model for each row by its shares, among those that the mask allows.

    What masked models cannot take goes to the others in proportion. What the shares leave goes to
    the last allowed model that has one: where it is throughput that they lack, the mask alone says
    when a model's tokens are used up, and bursts are not wasted; where it is budget, the query is
    served all the same, and later ones pay for it. A query of a row where no allowed model has a
    share is declined.

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
