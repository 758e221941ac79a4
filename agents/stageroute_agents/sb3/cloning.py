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
from stageroute_agents.sb3.teacher import Teacher
from stageroute_gym.oracles import oracle_total
from stageroute_gym.scenarios import Scenario
from stageroute_gym.vector import StageRouteContinuousVectorEnv
from stageroute_gym.wrappers import RelativeFeatures, VectorHoldDecision
from stageroute_gym.wrappers.relative import CONTEXT_FEATURES, MODEL_FEATURES
from stageroute_gym.wrappers.shares import softmax_weights

_AVAILABLE, _DEPLOYED = MODEL_FEATURES.index("available"), MODEL_FEATURES.index("deployed")
_PHASE = CONTEXT_FEATURES.index("phase") - len(CONTEXT_FEATURES)
_BATCH = 512
_LEARNING_RATE, _LAST_RATE = 1e-3, 5e-5
# Rounds whose examples are fitted again; older ones were played by too different a learner.
_MEMORY = 4
# Neighbouring decisions tell nearly the same: only this share of the routing ones is kept.
_KEPT = 0.5
# Weight of the expected loss of a query beside the cross-entropy of the shares.
_LOSS_WEIGHT = 40.0


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
    """

    def __init__(self, scenario: Scenario, episodes: int, hold: int, seed: int) -> None:
        native = StageRouteContinuousVectorEnv(episodes, scenario=scenario)
        self.env = VectorHoldDecision(native, queries=hold)
        self.features = RelativeFeatures.of(native)
        self.teacher = Teacher(native.agent_context, world=native.world, fill_slots=False)
        self.observation, _ = self.env.reset(seed=seed)
        self.running: NDArray[np.bool_] = np.ones(episodes, np.bool_)
        self.score: NDArray[np.float64] = np.zeros(episodes)

    @property
    def rows(self) -> NDArray[np.float32]:
        """Relative features, shape (E, D), float32."""
        return self.features(self.observation)

    @property
    def stage_oracle(self) -> float:
        """Score that the stage oracle expects of an episode."""
        world = self.env.unwrapped.world  # type: ignore[attr-defined]
        return oracle_total(world, "stage")

    def step(self, logits: NDArray[np.float32]) -> None:
        """Play a decision in each episode, logits of shape (E, N); those that are over idle."""
        self.observation, score, over, _, _ = self.env.step(softmax_weights(logits))
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
        # Apart, since a deployment has many more candidates than a route.
        for phase in np.unique(rows[:, _PHASE]):
            of_phase = rows[:, _PHASE] == phase
            with torch.no_grad():
                logits[of_phase] = actor.actor(torch.as_tensor(rows[of_phase])).numpy()
        ends = np.cumsum([len(table.running) for table in playing])
        for table, own in zip(playing, np.split(logits, ends[:-1]), strict=True):
            table.step(own)
        playing = [table for table in playing if table.running.any()]


def collect(actor: SharedScorer, tables: Sequence[Table], rng: np.random.Generator) -> Examples:
    """Let a learner play, and keep the teacher's advice on what it meets."""
    parts: list[Examples] = []

    def look(playing: list[Table], rows: NDArray[np.float32]) -> None:
        advised = [table.teacher.advise(table.observation) for table in playing]
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
    """Mean score / stage oracle of a learner over the episodes of some tables."""
    play(actor, tables)
    return float(np.mean([table.score.mean() / table.stage_oracle for table in tables]))


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
    for phase, feature in ((True, _DEPLOYED), (False, _AVAILABLE)):
        places = rng.permutation(np.flatnonzero(routing == phase))
        candidates = examples.rows[places, feature * n : (feature + 1) * n].sum(axis=1)
        places = places[np.argsort(candidates, kind="stable")]
        cut += [(phase, places[start : start + _BATCH]) for start in range(0, len(places), _BATCH)]
    for index in rng.permutation(len(cut)).tolist():
        phase, places = cut[index]
        yield phase, tuple(torch.as_tensor(column[places]) for column in examples)
