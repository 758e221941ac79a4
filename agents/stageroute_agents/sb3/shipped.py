"""Trained agents that come with the package: weights to be played, without torch, by name.

Both policies score each model from that model's own statistics (`equivariant`), so they play with
any number of models, budget and horizon. ``agents/README.md`` says how each was trained.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from stageroute_agents.allocation import best_set, capped_shares
from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.base import Agent, rows_of
from stageroute_agents.sb3.files import AgentFile
from stageroute_gym.context import AgentContext
from stageroute_gym.wrappers import RelativeFeatures
from stageroute_gym.wrappers.shares import softmax_weights

FOLDER = Path(__file__).parent.parent / "weights"


class ShippedAgent(Agent):
    """Plays the weights of an agent file of the package, by actions of either kind.

    With continuous actions it plays as the file itself does; with discrete ones it deploys the same
    models and draws from the same shares.

    Args:
        context: what it may know of the world it is for.
        seed: seed of its random numbers, at least 0; used with discrete actions only.

    Attributes:
        files: the agent file.
        trained_on: the scenarios that it was trained on, as the file tells.
    """

    files: ClassVar[tuple[Path, ...]]
    trained_on: ClassVar[tuple[str, ...]]

    def __init__(self, context: AgentContext, *, seed: int = 0) -> None:
        super().__init__(context, seed=seed)
        file = _read(self.files[0])
        self._features = RelativeFeatures.of(context)
        self._policy = file.player(self._features)
        self._hold = file.settings.queries_held(self.problem.horizon)

    def initial_state(self, rows: int) -> State:
        """As `Agent.initial_state`; and the weights being held, and for how many queries yet."""
        return super().initial_state(rows) | {
            "weights": np.zeros((rows, self.num_models), np.float32),
            "left": np.zeros(rows, np.int64),
        }

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The ``M_max`` models on offer that score best."""
        state["left"][rows] = 0  # what follows a deployment needs a new decision
        scores = self._policy.best(self._features(batch)).astype(np.float64)
        caps = batch["available"] * self.throughput
        return best_set(scores, caps, batch["pulls"], self.problem.max_deployed)

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """Softmax of the scores, within the throughput; decided anew every few queries."""
        due = np.flatnonzero(state["left"][rows] == 0)
        if due.size:
            seen = self._features(rows_of(batch, due))
            state["weights"][rows[due]] = softmax_weights(self._policy.best(seen))
            state["left"][rows[due]] = self._hold
        state["left"][rows] -= 1
        return capped_shares(state["weights"][rows], batch["deployed"], self.throughput)


class Ppo(ShippedAgent):
    """PPO, trained on the four scenarios of RouterBench's figures at once."""

    files = (FOLDER / "ppo.sragent",)
    trained_on = ("routerbench", "routerbench-tight", "routerbench-loose", "paper")


class Generalist(ShippedAgent):
    """Cloned from a teacher that knows the truth, on invented scenarios, for any scenario."""

    files = (FOLDER / "generalist.sragent",)
    trained_on = ("random",)


@cache
def _read(path: Path) -> AgentFile:
    return AgentFile(path)
