"""A trained policy as an agent like any other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Batch, State
from stageroute_agents.sb3.planned import planned_weights
from stageroute_agents.sb3.settings import TrainingSettings
from stageroute_agents.streams import ACTION, draw_uniforms, episode_keys, next_keys
from stageroute_agents.views import rows_of
from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError
from stageroute_gym.registration import CONTINUOUS, DISCRETE, plain_id
from stageroute_gym.wrappers import Normalization, RelativeFeatures
from stageroute_gym.wrappers.shares import softmax_weights


class TrainedAgent:
    """Plays a policy of stable-baselines3 on the plain environment, as it was trained to.

    It flattens the observations itself and holds each routing decision for ``hold`` queries, as
    `stageroute_gym.wrappers.HoldDecision` does.

    Args:
        policy: what decides: a `networks.PlayedNetwork`, or a `torch_policy.TorchPolicy`.
        normalization: the transformation of the observations.
        env_id: the environment whose actions it chooses.
        hold: queries that a routing decision holds for.
        samples: whether discrete actions are drawn from the policy, unless a call asks for
            ``deterministic`` ones.
        masked: whether the policy is told which actions are allowed.
        recurrent: whether the policy has a memory.
        logits: whether its continuous actions are logits of the shares.
        planned: whether very small shares count as none, see `planned.planned_weights`.
        seed: seed of the agent's own random numbers.
    """

    def __init__(
        self,
        policy: Any,
        normalization: Normalization | RelativeFeatures,
        *,
        env_id: str,
        hold: int,
        samples: bool = False,
        masked: bool = False,
        recurrent: bool = False,
        logits: bool = False,
        planned: bool = False,
        seed: int = 0,
    ) -> None:
        self.policy = policy
        self.normalization = normalization
        self.env_id = env_id
        self.hold = hold
        self.samples = samples and env_id == DISCRETE
        self.masked = masked
        self.recurrent = recurrent
        self.logits = logits
        self.planned = planned
        self.seed = seed

    @classmethod
    def of(
        cls,
        settings: TrainingSettings,
        policy: Any,
        normalization: Normalization | RelativeFeatures,
        seed: int = 0,
    ) -> Self:
        """The agent that settings describe, with a policy of theirs."""
        algorithm = settings.algorithm
        return cls(
            policy,
            normalization,
            env_id=str(settings.env_id),
            hold=settings.queries_held(normalization.horizon),
            samples=algorithm.samples,
            masked=algorithm.masked,
            recurrent="Lstm" in algorithm.policy,
            logits=settings.equivariant and settings.env_id == CONTINUOUS,
            planned=settings.planned,
            seed=seed,
        )

    def check(self, context: AgentContext) -> None:
        """Check that it can act in a world.

        Raises:
            FieldError: if the actions, the number of models or that of query features differ.
        """
        actual = plain_id(continuous=context.continuous)
        if actual != self.env_id:
            raise FieldError("env_id", actual, f"{self.env_id}, which the agent was trained in")
        trained = self.normalization
        if isinstance(trained, RelativeFeatures):
            return  # made for the environment, as such a policy fits any
        if context.num_models != trained.num_models:
            allowed = f"{trained.num_models}, as in the scenario the agent was trained on"
            raise FieldError("number of models", context.num_models, allowed)
        if context.num_features != len(trained.query_low):
            allowed = f"{len(trained.query_low)}, as in the scenario the agent was trained on"
            raise FieldError("number of query features", context.num_features, allowed)

    def predict(
        self,
        observation: Batch,
        state: State | None = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, State]:
        """Choose the next action; see `stageroute_agents.base.Agent.predict`.

        ``state`` holds the decision being held, and the policy's memory if it has one.
        """
        if observation["phase"].ndim == 1:
            batch = {key: values[None] for key, values in observation.items()}
            actions, state = self.predict(batch, state, episode_start, deterministic)
            return actions[0], state
        routing = observation["phase"][:, 0] > 0
        if state is None:
            state = self.begin(range(len(routing)))
        if episode_start is not None:
            state["fresh"] |= np.asarray(episode_start, np.bool_)
        self._renew(observation, state)
        due = ~routing | (state["left"] == 0) | state["fresh"]
        if self.env_id == DISCRETE:
            masks, held = observation["action_mask"], state["action"]
            due |= np.take_along_axis(masks, held[:, None], axis=1)[:, 0] == 0
        if due.any():
            part = observation if due.all() else rows_of(observation, due)
            state["action"][due] = self._decide(part, state, due, deterministic)
            # A deploy step takes one decision; what follows it needs a new one.
            state["left"][due] = np.where(routing[due], self.hold, 1)
            state["fresh"][due] = False
        state["left"] -= 1
        state["step"] += 1
        return state["action"].copy(), state

    def begin(self, seeds: Iterable[int]) -> State:
        """The state for the first `predict`; see `stageroute_agents.base.Agent.begin`."""
        keys = episode_keys(self.seed, seeds)
        rows, n = len(keys), self.normalization.num_models
        continuous = self.env_id != DISCRETE
        state: State = {
            "action": np.zeros((rows, n), np.float32) if continuous else np.zeros(rows, np.int64),
            "left": np.zeros(rows, np.int64),
            "fresh": np.ones(rows, np.bool_),
            "key": keys,
            "step": np.zeros(rows, np.int64),
        }
        if self.recurrent:
            state["hidden"], state["cell"] = self.policy.memory(rows)
        return state

    def _decide(
        self, batch: Batch, state: State, due: NDArray[np.bool_], deterministic: bool
    ) -> NDArray[Any]:
        rows = self.normalization(batch)
        if self.recurrent:
            return self._remember(rows, state, due, deterministic)
        masks = batch["action_mask"].astype(np.bool_) if self.masked else None
        if self.samples and not deterministic:
            return self._draw(self.policy.probabilities(rows, masks), state, due)
        actions = self.policy.best(rows, masks)
        if not self.logits:
            return actions
        if self.planned:
            return planned_weights(actions, batch["phase"][:, 0] > 0)
        return softmax_weights(actions)

    def _remember(
        self, rows: NDArray[np.float32], state: State, due: NDArray[np.bool_], deterministic: bool
    ) -> NDArray[Any]:
        memory = (state["hidden"][:, due], state["cell"][:, due])
        starts = state["fresh"][due]
        if self.samples and not deterministic:
            chances, memory = self.policy.probabilities_with_memory(rows, memory, starts)
            actions = self._draw(chances, state, due)
        else:
            actions, memory = self.policy.best_with_memory(rows, memory, starts)
        state["hidden"][:, due], state["cell"][:, due] = memory
        return actions

    @staticmethod
    def _renew(observation: Batch, state: State) -> None:
        """Give an episode that starts random numbers of its own."""
        first = (observation["phase"][:, 0] == 0) & (observation["progress"][:, 0] == 0)
        first &= ~observation["deployed"].any(axis=1)
        rows = np.flatnonzero(first | state["fresh"])
        state["key"][rows] = next_keys(state["key"][rows])
        state["step"][rows] = 0

    @staticmethod
    def _draw(
        probabilities: NDArray[np.float32], state: State, due: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        cumulative = probabilities.astype(np.float64).cumsum(axis=1)
        draws = draw_uniforms(state["key"][due], state["step"][due], ACTION, 1)
        return (cumulative[:, :-1] <= draws * cumulative[:, -1:]).sum(axis=1)
