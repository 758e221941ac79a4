"""What a log can and cannot tell: coverage, what is assumed, and estimates that assume less."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.advice.evidence import FOLDS
from stageroute_gym.advice.log_evidence import LogEvidence
from stageroute_gym.advice.plans import Plan
from stageroute_gym.advice.resampling import Interval
from stageroute_gym.array_types import Floats
from stageroute_gym.logs.off_policy import OffPolicy, off_policy

FEW_REQUESTS = 30
# Parts of the log in which the chances of the models are estimated where it does not tell them.
PERIODS = 10
TODAY_RESAMPLES = 200


@dataclass(frozen=True, eq=False)
class LogReport:
    """What stands beside advice from a log.

    Attributes:
        counts: requests of each group that each model served, ``(G, N)``.
        scored: whether a score is known of each of these pairs, bool ``(G, N)``.
        today_score: what the log's own choices scored.
        today_cost: what they cost, USD a query.
        today_shares: share of the requests that each model served, ``(N,)``.
        estimated: whether propensities are estimated, as frequencies within a task and a tenth of
            the log.
        policies: by name (models alone, ``today``, ``the plan``), estimates of the score; empty
            where the log's scores are not its own.
        assumptions: in words.
    """

    counts: NDArray[np.int64]
    scored: NDArray[np.bool_]
    today_score: Interval
    today_cost: Interval
    today_shares: Floats
    estimated: bool
    policies: dict[str, OffPolicy]
    assumptions: tuple[str, ...]

    @property
    def thin(self) -> list[tuple[int, int]]:
        """Cells with some requests, but fewer than 30."""
        found = np.argwhere((self.counts > 0) & (self.counts < FEW_REQUESTS))
        return [(int(group), int(model)) for group, model in found]

    @property
    def empty(self) -> int:
        """Number of cells without any request."""
        return int((self.counts == 0).sum())

    @property
    def unscored(self) -> list[tuple[int, int]]:
        """Cells with requests of which no score is known."""
        found = np.argwhere((self.counts > 0) & ~self.scored)
        return [(int(group), int(model)) for group, model in found]


def log_report(evidence: LogEvidence, plan: Plan, seed: int = 0) -> LogReport:
    """Look at a log, and at a plan made from it.

    Args:
        evidence: the log.
        plan: the plan.
        seed: of the resamples for what the log does today.
    """
    log = evidence.log
    generator = np.random.default_rng(seed)
    now = evidence.today()
    drawn = np.array([evidence.today(generator) for _ in range(TODAY_RESAMPLES)])
    policies: dict[str, OffPolicy] = {}
    if log.cell_score is None:
        policies = _policies(evidence, plan)
    counts = evidence.counts()
    return LogReport(
        counts=counts,
        scored=np.isfinite(evidence.sums().means().score),
        today_score=Interval.of(now.score, drawn[:, 0]),
        today_cost=Interval.of(now.cost, drawn[:, 1]),
        today_shares=counts.sum(axis=0) / counts.sum(),
        estimated=log.propensity is None,
        policies=policies,
        assumptions=_assumptions(evidence),
    )


def _policies(evidence: LogEvidence, plan: Plan) -> dict[str, OffPolicy]:
    """Estimates of each model alone, of the plan and of the log's own policy."""
    log = evidence.log
    group = evidence.group
    looked = np.flatnonzero(np.isfinite(log.score))
    # The direct estimates are plain means, so that a reader sees what weights change.
    plain = replace(evidence, log=replace(log, propensity=None))
    sums, fold = plain.sums(), evidence.fold
    expected = np.empty((log.num_requests, len(log.models)))
    for left_out in range(FOLDS):
        cells = sums.estimates([other for other in range(FOLDS) if other != left_out])
        mine = fold == left_out
        # Where a model has not served a task, what it scores over all tasks.
        filled = np.where(cells.known, cells.score, cells.merged().score)
        expected[mine] = filled[group[mine]]
    chances = _chances(evidence)
    rows = np.arange(log.num_requests)
    propensity = log.propensity if log.propensity is not None else chances[rows, log.model]

    def estimate(policy: Floats, likely: Floats) -> OffPolicy:
        return off_policy(
            policy[looked], expected[looked], log.score[looked], log.model[looked], likely[looked]
        )

    # Today's policy agrees with itself on every request.
    found = {
        "the plan": estimate(evidence.policy(plan)[group], propensity),
        "today": estimate(chances, chances[rows, log.model]),
    }
    for place, name in enumerate(log.models):
        alone = np.zeros(expected.shape)
        alone[:, place] = 1.0
        found[name] = estimate(alone, propensity)
    return found


def _chances(evidence: LogEvidence) -> Floats:
    """How often each model served a request of its group in its part of the log, ``(n, N)``."""
    log = evidence.log
    group = evidence.group
    period = np.arange(log.num_requests) * PERIODS // log.num_requests
    cell = group * PERIODS + period
    shape = (len(evidence.groups) * PERIODS, len(log.models))
    counts = np.bincount(cell * shape[1] + log.model, minlength=shape[0] * shape[1]).reshape(shape)
    chances: Floats = (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))[cell]
    return chances


def _assumptions(evidence: LogEvidence) -> tuple[str, ...]:
    log = evidence.log
    kind = "a task" if len(evidence.groups) > 1 else "the log"
    chosen = (
        f"within {kind}, which model served a request says nothing of how hard it was"
        if log.propensity is None
        else "the log's propensities are right, so that requests can be weighted by them"
    )
    lines = [
        f"Assumed: {chosen}; and what one model scores and costs says nothing of another.",
        "A plan sends no request of a task to a model that served none of that task, or of which "
        "no score there is known.",
    ]
    if log.cell_score is not None:
        lines.append(
            "Scores are means from a second file; they count as that many scores of 0 and 1."
        )
    elif log.propensity is None:
        lines.append(
            "The log tells no propensity: it is taken as the model's part of a task's requests in "
            "a tenth of the log, which checks changes over time and nothing else."
        )
    return tuple(lines)
