"""The agent of a live router: made by its name, asked for actions, told of outcomes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Batch
from stageroute_agents.memory import Learner, Outcomes
from stageroute_agents.streams import next_keys
from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import agents
from stageroute_gym.evaluation.entries import Entry

# Agents with notes on each query keep them for so many queries.
REACH = 256


class Player:
    """An agent and what it remembers.

    Args:
        context: what the agent may know.
        agent: an entry's text, such as ``stageroute(gamma=0.05)``, or an entry.
        seed: seed of the agent, and of the episode that it is to take live traffic for.

    Attributes:
        entry: the agent's name and parameters.
        reach: how many queries back the agent can place an outcome; -1 if it only looks at what
            the observation shows.

    Raises:
        FieldError: if there is no such agent, or it cannot act in this context.
    """

    def __init__(self, context: AgentContext, agent: str | Entry, seed: int) -> None:
        self.entry = agent if isinstance(agent, Entry) else Entry.parsed(agent)
        self._agent: Any = agents.build(
            agents.load(self.entry.agent),
            context,
            name=self.entry.agent,
            seed=seed,
            parameters=self.entry.parameters,
        )
        self.reach = -1
        if isinstance(self._agent, Learner) and self._agent.learns:
            self._agent.listen(REACH)
            self.reach = self._agent.reach
        self._state: Any = self._agent.begin([seed]) if hasattr(self._agent, "begin") else None

    def act(self, observation: Batch) -> NDArray[Any]:
        """The action for an observation with a leading axis of one; it has that axis too."""
        actions, self._state = self._agent.predict(observation, self._state)
        return actions

    def hear(self, query: int, model: int, score: float, cost: float) -> None:
        """Tell an agent that remembers queries of the outcome of one, -1 for none."""
        # Rounded as the observation would show them.
        shown = np.array([[score], [cost]], np.float32).astype(np.float64)
        self._agent.hear(
            Outcomes(np.ones(1, np.bool_), np.array([model]), shown[0], shown[1], np.array([query]))
        )

    def start_anew(self) -> None:
        """Draw other random numbers, as the count of queries starts anew; nothing is forgotten."""
        if isinstance(self._state, dict) and "key" in self._state:
            self._state["key"] = next_keys(self._state["key"])

    def memory(self) -> dict[str, NDArray[Any]]:
        """What it remembers.

        Raises:
            FieldError: if that is no dictionary of arrays.
        """
        state = {} if self._state is None else self._state
        kept = isinstance(state, dict) and all(
            isinstance(values, np.ndarray) and not values.dtype.hasobject
            for values in state.values()
        )
        if not kept:
            allowed = "an agent whose state is a dictionary of arrays, which a store can keep"
            raise FieldError("agent", self.entry.label, allowed)
        return dict(state)

    def remember(self, memory: dict[str, NDArray[Any]]) -> None:
        """Go on with what `memory` returned.

        Raises:
            FieldError: if it is that of another version of the agent.
        """
        own = self.memory()
        shapes = {name: (values.shape, values.dtype.str) for name, values in own.items()}
        kept = {name: (values.shape, values.dtype.str) for name, values in memory.items()}
        if shapes != kept:
            allowed = f"a store of this version of {self.entry.label}, which remembers {shapes}"
            raise FieldError("store", kept, allowed)
        if memory:
            self._state = memory
