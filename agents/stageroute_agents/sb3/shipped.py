"""Trained agents that come with the package: weights to be played, without torch, by name.

Both policies score each model from that model's own statistics (`equivariant`), so they play with
any number of models, budget and horizon. ``agents/README.md`` says how each was trained.
"""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from stageroute_agents.allocation import best_set, capped_shares
from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.base import Agent
from stageroute_agents.memory import Learner, Outcomes
from stageroute_agents.sb3.files import AgentFile
from stageroute_agents.sb3.planned import planned_weights
from stageroute_agents.sb3.query_scores import QueryScores
from stageroute_agents.views import rows_of
from stageroute_gym.context import AgentContext

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
        self._features = file.settings.relative_features.of(context)
        self._planned = file.settings.planned
        self._policy = file.player(self._features)
        self._hold = file.settings.queries_held(self.problem.horizon)

    def initial_state(self, rows: int) -> State:
        """As `Agent.initial_state`; and the weights being held, and for how many queries yet."""
        return super().initial_state(rows) | {
            "weights": np.zeros((rows, self.num_models), np.float32),
            "left": np.zeros(rows, np.int64),
        }

    def seen(self, batch: Batch, state: State, rows: Integers) -> Batch:
        """What the policy sees of observations of ``R`` episodes: all of it, as it is.

        Args:
            batch: the observations.
            state: what is remembered of all episodes.
            rows: where the ``R`` episodes stand in it, shape (R,), int64.
        """
        return batch

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """The ``M_max`` models on offer that score best."""
        state["left"][rows] = 0  # what follows a deployment needs a new decision
        seen = self._features(self.seen(batch, state, rows))
        scores = self._policy.best(seen).astype(np.float64)
        caps = batch["available"] * self.throughput
        return best_set(scores, caps, batch["pulls"], self.problem.max_deployed)

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """Softmax of the scores, within the throughput; decided anew every few queries."""
        due = np.flatnonzero(state["left"][rows] == 0)
        if due.size:
            seen = self._features(self.seen(rows_of(batch, due), state, rows[due]))
            logits = self._policy.best(seen)
            declining = np.full(len(due), self._planned)
            state["weights"][rows[due]] = planned_weights(logits, declining)
            state["left"][rows[due]] = self._hold
        state["left"][rows] -= 1
        return capped_shares(state["weights"][rows], batch["deployed"], self.throughput)


class Ppo(ShippedAgent):
    """PPO, trained on the four scenarios of RouterBench's figures at once."""

    files = (FOLDER / "ppo.sragent",)
    trained_on = ("routerbench", "routerbench-tight", "routerbench-loose", "paper")


class Generalist(ShippedAgent, Learner):
    """Cloned from a teacher that knows the truth, on random worlds, for any scenario.

    Where queries have features that tell of scores or costs, the policy is given what each model is
    predicted to score and cost on the query at hand in place of its means, and decides anew for
    each query; see `stageroute_agents.sb3.query_scores`. An agent file of the same weights, played
    by path, leaves features out.

    Args:
        context: as for `ShippedAgent`.
        seed: see there.
    """

    files = (FOLDER / "generalist.sragent",)
    trained_on = ("worlds-tune", "random")

    def __init__(self, context: AgentContext, *, seed: int = 0) -> None:
        super().__init__(context, seed=seed)
        self.learns = context.num_features > 0

    @cached_property
    def query_scores(self) -> QueryScores:
        """The regressions; made once it is settled how late outcomes may be."""
        return QueryScores(self.context, self.diary)

    def initial_state(self, rows: int) -> State:
        """With the regressions, if queries have features."""
        state = super().initial_state(rows)
        return state | self.query_scores.blank(rows) if self.learns else state

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Learn what the features tell of an outcome."""
        self.query_scores.learn(batch, state, outcomes)

    def seen(self, batch: Batch, state: State, rows: Integers) -> Batch:
        """Observations of the query at hand, where features tell something."""
        return self.query_scores.seen(batch, state, rows) if self.learns else batch

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """As `ShippedAgent.shares`; decided for each query where features tell something."""
        if self.learns:
            state["left"][rows[self.query_scores.pays(state, rows)]] = 0
        return super().shares(batch, state, rows)


@cache
def _read(path: Path) -> AgentFile:
    return AgentFile(path)
