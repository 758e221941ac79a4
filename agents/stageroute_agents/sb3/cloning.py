"""Cloning a teacher that knows the true means, in states that the learner itself gets into.

As in DAgger (Ross, Gordon & Bagnell 2011): the learner plays, the teacher says what it would have
done, and the learner is fitted to that. The learner sees only statistics, so it learns the
teacher's decision averaged over all scenarios that look alike to it: to route to a model as often
as that model is likely to be right, as posterior (Thompson) sampling does. Fitting the expected
loss of a query as well makes that less curious, since it divides a model's share by its expected
gap, much like inverse gap weighting (Foster & Rakhlin 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from stageroute_agents.sb3.equivariant import SharedScorer
from stageroute_agents.sb3.planned import (
    PLANNED_CONTEXT_FEATURES,
    PLANNED_MODEL_FEATURES,
    PlannedFeatures,
    planned_weights,
)
from stageroute_agents.sb3.teacher import Teacher
from stageroute_gym.oracles import oracle_total
from stageroute_gym.scenarios import Scenario
from stageroute_gym.vector import StageRouteContinuousVectorEnv
from stageroute_gym.wrappers import VectorHoldDecision

_AVAILABLE = PLANNED_MODEL_FEATURES.index("available")
_DEPLOYED = PLANNED_MODEL_FEATURES.index("deployed")
_PHASE = PLANNED_CONTEXT_FEATURES.index("phase") - len(PLANNED_CONTEXT_FEATURES)
_BATCH = 512
_LEARNING_RATE, _LAST_RATE = 1e-3, 5e-5
# Rounds whose examples are fitted again; older ones were played by too different a learner.
_MEMORY = 4
# Neighbouring decisions tell nearly the same: only this share of the routing ones is kept.
_KEPT = 0.5
# Weight of the expected loss of a query beside the cross-entropy of the shares.
_LOSS_WEIGHT = 25.0
# Numbers of candidates at which rows are played apart.
_SIZES = (6, 16, 40)


class Examples(NamedTuple):
    """What the learner saw, and what the teacher says of it.

    Attributes:
        rows: relative features, shape (B, D), float32.
        advice: shares, or the set to deploy, shape (B, N), float32; see `Teacher.advise`.
        losses: what a query to each model loses, shape (B, N), float32; see there.
    """

    rows: NDArray[np.float32]
    advice: NDArray[np.float32]
    losses: NDArray[np.float32]


class Table:
    """Episodes of one scenario, played step by step beside those of others.

    Args:
        scenario: the scenario.
        episodes: how many episodes.
        hold: queries that a decision holds for.
        seed: seed of the first episode; the next one has the next seed.
        columns: models that rows and logits tell of, at least the scenario's; the others are none.
    """

    def __init__(
        self, scenario: Scenario, episodes: int, hold: int, seed: int, columns: int
    ) -> None:
        native = StageRouteContinuousVectorEnv(episodes, scenario=scenario)
        self.env = VectorHoldDecision(native, queries=hold)
        self.features = PlannedFeatures.of(native)
        self.columns = columns
        self.teacher = Teacher(native.agent_context, world=native.world, fill_slots=False)
        self.observation, _ = self.env.reset(seed=seed)
        self.running: NDArray[np.bool_] = np.ones(episodes, np.bool_)
        self.score: NDArray[np.float64] = np.zeros(episodes)

    @property
    def rows(self) -> NDArray[np.float32]:
        """Planned features, shape (E, D), float32."""
        return widened(self.features(self.observation), self.features.num_models, self.columns)

    def advice(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As `Teacher.advise`, for all columns."""
        missing = ((0, 0), (0, self.columns - self.features.num_models))
        advice, losses = self.teacher.advise(self.observation)
        return np.pad(advice, missing), np.pad(losses, missing)

    @property
    def oracle(self) -> float:
        """Score that the horizon oracle expects of an episode."""
        world = self.env.unwrapped.world  # type: ignore[attr-defined]
        return oracle_total(world, "horizon")

    def step(self, logits: NDArray[np.float32]) -> None:
        """Play a decision in each episode, logits of shape (E, N); those that are over idle."""
        routing = self.observation["phase"][:, 0] > 0
        weights = planned_weights(logits[:, : self.features.num_models], routing)
        self.observation, score, over, _, _ = self.env.step(weights)
        self.score += score * self.running
        self.running &= ~over


Look = Callable[[list[Table], NDArray[np.float32]], None]


def play(actor: SharedScorer, tables: Sequence[Table], look: Look | None = None) -> None:
    """Let a learner play all episodes to their end.

    Args:
        actor: the learner.
        tables: the episodes.
        look: called before each decision with the tables still playing and all their rows.
    """
    playing = list(tables)
    while playing:
        rows = np.concatenate([table.rows for table in playing])
        if look is not None:
            look(playing, rows)
        logits = np.empty((len(rows), actor.num_models), np.float32)
        # Rows of about as many candidates together, since the largest number decides what all cost.
        size = np.digitize(_candidates(rows, actor.num_models), _SIZES)
        for alike in (size == part for part in np.unique(size)):
            with torch.no_grad():
                logits[alike] = actor.actor(torch.as_tensor(rows[alike])).numpy()
        ends = np.cumsum([len(table.running) for table in playing])
        for table, own in zip(playing, np.split(logits, ends[:-1]), strict=True):
            table.step(own)
        playing = [table for table in playing if table.running.any()]


def collect(actor: SharedScorer, tables: Sequence[Table], rng: np.random.Generator) -> Examples:
    """Let a learner play, and keep the teacher's advice on what it meets."""
    parts: list[Examples] = []

    def look(playing: list[Table], rows: NDArray[np.float32]) -> None:
        advised = [table.advice() for table in playing]
        advice, losses = (np.concatenate(column) for column in zip(*advised, strict=True))
        kept = np.concatenate([table.running for table in playing])
        kept &= (rows[:, _PHASE] < 0) | (rng.random(len(rows)) < _KEPT)
        parts.append(Examples(rows[kept], advice[kept], losses[kept]))

    play(actor, tables, look)
    return _joined(parts)


def clone(
    actor: SharedScorer,
    tables: Callable[[int], Sequence[Table]],
    rounds: int,
    rng: np.random.Generator,
) -> Iterator[float]:
    """Fit a learner to the teacher, in rounds of playing and fitting.

    Args:
        actor: the learner; its weights change.
        tables: the episodes to play in a round, by its number.
        rounds: number of rounds.
        rng: what chooses the examples and their order.

    Yields:
        After each round the mean loss on its examples.
    """
    optimizer = torch.optim.Adam(actor.parameters())
    memory: list[Examples] = []
    for number in range(rounds):
        memory = [*memory, collect(actor, tables(number), rng)][-_MEMORY:]
        cooled = 0.5 * (1.0 + np.cos(np.pi * number / rounds))
        rate = _LAST_RATE + (_LEARNING_RATE - _LAST_RATE) * cooled
        optimizer.param_groups[0]["lr"] = float(rate)
        losses = []
        for routing, part in _batches(_joined(memory), rng):
            loss = _route_loss(actor, *part) if routing else _deploy_loss(actor, *part)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(actor.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        yield float(np.mean(losses))


def score_of(actor: SharedScorer, tables: Sequence[Table]) -> float:
    """Mean score / horizon oracle of a learner over the episodes of some tables."""
    play(actor, tables)
    return float(np.mean([table.score.mean() / table.oracle for table in tables]))


def _route_loss(actor: SharedScorer, rows: Tensor, advice: Tensor, losses: Tensor) -> Tensor:
    logs = functional.log_softmax(actor.actor(rows), dim=1)
    entropy = -(advice * logs).sum(dim=1)
    return (entropy + _LOSS_WEIGHT * (logs.exp() * losses).sum(dim=1)).mean()


def _deploy_loss(actor: SharedScorer, rows: Tensor, advice: Tensor, _: Tensor) -> Tensor:
    n = actor.num_models
    available = rows[:, _AVAILABLE * n : (_AVAILABLE + 1) * n]
    loss = functional.binary_cross_entropy_with_logits(
        actor.actor(rows), advice, weight=available, reduction="sum"
    )
    return loss / available.sum()


def widened(rows: NDArray[np.float32], models: int, columns: int) -> NDArray[np.float32]:
    """Rows for ``columns`` models, from rows for fewer; those that are added are not on offer.

    Args:
        rows: planned features, shape (E, D), float32.
        models: models that they tell of.
        columns: models that they are to tell of.
    """
    fields = len(PLANNED_MODEL_FEATURES)
    wide = np.zeros((len(rows), fields * columns + len(PLANNED_CONTEXT_FEATURES)), np.float32)
    blocks = wide[:, : fields * columns].reshape(-1, fields, columns)
    blocks[:, :, :models] = rows[:, : fields * models].reshape(-1, fields, models)
    wide[:, fields * columns :] = rows[:, fields * models :]
    return wide


def _candidates(rows: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """Models that each row may use, shape (B,), whole numbers: on offer, or deployed."""
    available, deployed = (
        rows[:, feature * n : (feature + 1) * n].sum(axis=1) for feature in (_AVAILABLE, _DEPLOYED)
    )
    return np.where(rows[:, _PHASE] > 0, deployed, available)


def _joined(parts: Sequence[Examples]) -> Examples:
    return Examples(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _batches(
    examples: Examples, rng: np.random.Generator
) -> Iterator[tuple[bool, tuple[Tensor, ...]]]:
    """All examples once, in batches of one phase and of about as many candidates, shuffled.

    Whether each is of the route phase, and its tensors. What a batch costs depends on its largest
    number of candidates.
    """
    n = examples.advice.shape[1]
    routing = examples.rows[:, _PHASE] > 0
    cut: list[tuple[bool, NDArray[np.int64]]] = []
    candidates = _candidates(examples.rows, n)
    for phase in (True, False):
        places = rng.permutation(np.flatnonzero(routing == phase))
        places = places[np.argsort(candidates[places], kind="stable")]
        cut += [(phase, places[start : start + _BATCH]) for start in range(0, len(places), _BATCH)]
    for index in rng.permutation(len(cut)).tolist():
        phase, places = cut[index]
        yield phase, tuple(torch.as_tensor(column[places]) for column in examples)
