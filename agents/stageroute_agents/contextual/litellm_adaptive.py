"""LiteLLM's adaptive router: a Beta bandit for each type of request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.index import IndexAgent
from stageroute_agents.memory import Learner, Outcomes
from stageroute_agents.streams import SCORE, SCORE_TRIAL, draw_means, draw_uniforms
from stageroute_gym.checks import number
from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError
from stageroute_gym.tuning.space import Real, SearchSpace

_PRIOR_MASS, _MOST_MASS = 10.0, 200.0
_TIER_MEANS = {1: 0.3, 2: 0.5, 3: 0.7}
_WEIGHTS = 0.7, 0.3  # of quality and of cost


class LiteLlmAdaptive(Learner, IndexAgent):
    """LiteLLM's adaptive router: Thompson sampling by request type, with a fixed weight on price.

    One Beta(a, b) for each pair of a request's type and a model, with the prior mass 10 and the
    mean 0.3, 0.5 or 0.7 of the model's tier; the query's task, where it tells one, is the type. A
    request explores with probability ``exploration_rate``: it draws ``q ~ Beta`` of every model,
    otherwise it takes the means. It goes to the largest ``0.7 q + 0.3 k`` with ``k = 1 - (c - min
    c) / (max c - min c)`` of the list prices, 0.5 without a spread. An outcome adds ``s`` to ``a``
    and ``1 - s`` to ``b``, unless that would take ``a + b`` above 200. There is no budget and no
    forgetting.

    Adapted: the list price of a typical query stands for the price a token, and where it is unknown
    the mean cost, of untried models too where others have none, so that these count as cheapest. A
    set is deployed by the same rule, with the mean over the types as they come. Ties go to the
    model tried least, where LiteLLM takes the first. Strengths declared for a type, and priors from
    offline data, which LiteLLM knows too, are not given here.

    Args:
        context: what it may know of the world it is for.
        seed: seed of the agent's own random numbers.
        exploration_rate: share of the requests that draw, in [0, 1].
        tiers: tier of each model, 1 to 3; None takes 2 for all, as LiteLLM does where none is said.

    Raises:
        FieldError: if a parameter is out of range.
    """

    search_space: ClassVar[SearchSpace] = {"exploration_rate": Real(0.0, 1.0)}

    def __init__(
        self,
        context: AgentContext,
        *,
        seed: int = 0,
        exploration_rate: float = 1.0,
        tiers: Sequence[int] | None = None,
    ) -> None:
        super().__init__(context, seed=seed)
        self.exploration_rate = number("exploration_rate", exploration_rate, 0, 1)
        self.num_types = max(context.num_tasks, 1)
        if tiers is None:
            tiers = (2,) * self.num_models
        fine = isinstance(tiers, (list, tuple)) and len(tiers) == self.num_models
        if not fine or any(tier not in _TIER_MEANS for tier in tiers):
            raise FieldError(
                "tiers", tiers, f"a tier, 1 to 3, for each of {self.num_models} models"
            )
        self.prior_mean = np.array([_TIER_MEANS[tier] for tier in tiers])

    def initial_state(self, rows: int) -> State:
        """With ``a`` and ``b`` (rows, G, N, 2), each type's queries, and the type of the query."""
        prior = _PRIOR_MASS * np.stack([self.prior_mean, 1.0 - self.prior_mean], axis=1)
        shape = (rows, self.num_types, self.num_models, 2)
        return {
            **super().initial_state(rows),
            "beliefs": np.broadcast_to(prior, shape).copy(),
            "type": np.zeros(rows, np.int64),
            "types": self.diary.blank(rows, 1),
            "type_counts": np.zeros((rows, self.num_types)),
        }

    def learn(self, batch: Batch, state: State, outcomes: Outcomes) -> None:
        """Book the outcome, unless the belief is full, and note the type of the next query."""
        rows, models = outcomes.served
        types = self.diary.recall(state["types"], outcomes.query, rows)[:, 0].astype(np.int64)
        score = outcomes.score[rows]
        # A full belief stays as it is for ever.
        fits = state["beliefs"][rows, types, models].sum(axis=1) + 1.0 <= _MOST_MASS
        added = np.stack([score, 1.0 - score], axis=1) * fits[:, None]
        state["beliefs"][rows, types, models] += added
        routed = np.flatnonzero(batch["phase"][:, 0] > 0)
        if self.num_types > 1:
            state["type"][routed] = batch["query"][routed, : self.num_types].argmax(axis=1)
        kind = state["type"][routed]
        self.diary.note(state["types"], state["queries"], routed, kind[:, None].astype(np.float64))
        state["type_counts"][routed, kind] += 1.0

    def index(self, batch: Batch, state: State, rows: Integers, caps: Floats) -> Floats:
        """Quality, drawn or expected, and cheapness in fixed weights."""
        beliefs = state["beliefs"][rows]
        if batch["phase"][0, 0] > 0:
            at_hand = beliefs[np.arange(len(rows)), state["type"][rows]]
        else:
            counts = state["type_counts"][rows] + 1e-9
            share = counts / counts.sum(axis=1, keepdims=True)
            at_hand = np.einsum("rg,rgnk->rnk", share, beliefs)
        mass = at_hand.sum(axis=2)
        keys, moments = state["key"][rows], self.moments(batch)
        # `draw_means` counts from Beta(1, 1).
        drawn = draw_means(keys, moments, SCORE, at_hand[:, :, 0] - 1.0, mass - 2.0, caps > 0)
        explores = draw_uniforms(keys, moments, SCORE_TRIAL, 1) < self.exploration_rate
        quality = np.where(explores, drawn, at_hand[:, :, 0] / mass)
        return _WEIGHTS[0] * quality + _WEIGHTS[1] * cheapness(batch, caps > 0)


def cheapness(batch: Batch, usable: Flags) -> Floats:
    """``k``, 1 for the cheapest usable model and 0 for the dearest, shape (R, N), float64."""
    price = np.where(batch["list_price"] > 0, batch["list_price"], batch["mean_cost"])
    low = np.where(usable, price, np.inf).min(axis=1, keepdims=True)
    high = np.where(usable, price, -np.inf).max(axis=1, keepdims=True)
    spread = high > low
    part = (price - np.where(spread, low, 0.0)) / np.where(spread, high - low, 1.0)
    return np.where(spread, 1.0 - part, 0.5)
