"""The problem an agent faces: horizon, stages, budget, and the limits on deployment and routing."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.checks import Range, mapping
from stageroute_gym.errors import FieldError, closest

BudgetRule = Literal["hard", "soft"]

# What each number may be. Beyond these, sums over a horizon lose their digits or the memory ends.
RANGES = {
    "horizon": Range(1, 10**9, "queries", whole=True),
    "num_stages": Range(1, 10**5, "stages", whole=True),
    "stage_starts": Range(0, 10**9, "queries", whole=True),
    "max_deployed": Range(1, 10**6, "models", whole=True),
    "budget": Range(1e-15, 1e9, "USD per query"),
    "throughput": Range(1e-9, 1),
    "burst": Range(1, 1e9, "queries"),
    "deployment_cost": Range(0, 1e9, "USD"),
    "feedback_delay": Range(0, 10**6, "queries", whole=True),
    "feedback_rate": Range(0, 1),
    "activation_delay": Range(0, 10**6, "queries", whole=True),
    "failure_rate": Range(0, 1),
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One deployment-and-routing problem (Li & Li 2026, arXiv 2506.17254, section 3).

    All fields are JSON-native, so that a problem travels inside an environment's spec.

    Args:
        horizon: number of queries ``T`` in an episode, up to 1e9.
        num_stages: number of stages ``K``; update points are then spread evenly over the horizon.
            Give either this or ``stage_starts``.
        stage_starts: the update points ``tau_k`` in queries, increasing, the first one 0.
        max_deployed: how many models may be deployed at once, ``M_max``.
        budget: allowed cost ``b`` in USD per query, on average over the horizon.
        budget_rule: ``"hard"`` ends the episode as soon as the spend reaches ``budget * horizon``;
            ``"soft"`` goes on and reports the overspend.
        throughput: largest share ``alpha`` of the queries that one model may serve, in (0, 1]; one
            number for all models or one for each.
        burst: size in queries of the token bucket that enforces the throughput with discrete
            actions, at least 1.
        deployment_cost: USD charged for each model that a stage deploys and the stage before did
            not.
        feedback_delay: number of queries after which score and cost of a query are observed; 0
            shows them at once.
        feedback_rate: share of the queries whose score comes back; the cost always does. Which
            ones they are depends on neither model nor agent.
        activation_delay: number of queries before a newly deployed model can serve; models that
            stay deployed serve on. The first stage's models have been loaded in advance.
        failure_rate: share of the calls that fail: they cost as any other and score 0.

    Raises:
        FieldError: if a value is out of range; the message names the field, the value and what is
            allowed.
    """

    horizon: int
    num_stages: int | None = None
    stage_starts: tuple[int, ...] | None = None
    max_deployed: int
    budget: float
    budget_rule: BudgetRule = "hard"
    throughput: float | tuple[float, ...] = 1.0
    burst: float = 20.0
    deployment_cost: float = 0.0
    feedback_delay: int = 0
    feedback_rate: float = 1.0
    activation_delay: int = 0
    failure_rate: float = 0.0

    def __post_init__(self) -> None:
        for field in ("horizon", "max_deployed", "budget", "burst", "deployment_cost"):
            self._check_range(field)
        for field in ("feedback_delay", "feedback_rate", "activation_delay", "failure_rate"):
            self._check_range(field)
        self._check_stages()
        if self.budget_rule not in get_args(BudgetRule):
            raise FieldError("budget_rule", self.budget_rule, "'hard' or 'soft'")
        object.__setattr__(self, "throughput", _throughput(self.throughput))

    def _check_range(self, field: str) -> None:
        object.__setattr__(self, field, RANGES[field].check(field, getattr(self, field)))

    def _check_stages(self) -> None:
        if (self.num_stages is None) == (self.stage_starts is None):
            given = None if self.num_stages is None else (self.num_stages, self.stage_starts)
            raise FieldError("num_stages", given, "either num_stages or stage_starts, not both")
        if self.num_stages is not None:
            self._check_range("num_stages")
            if self.num_stages > self.horizon:
                allowed = f"at most the horizon, {self.horizon}"
                raise FieldError("num_stages", self.num_stages, allowed)
            return
        allowed = f"increasing query numbers, the first one 0, all below the horizon {self.horizon}"
        if not isinstance(self.stage_starts, (tuple, list, np.ndarray)):
            raise FieldError("stage_starts", self.stage_starts, allowed)
        starts = tuple(RANGES["stage_starts"].check("stage_starts", s) for s in self.stage_starts)
        increasing = all(a < b for a, b in itertools.pairwise(starts))
        if not starts or starts[0] != 0 or not increasing or starts[-1] >= self.horizon:
            raise FieldError("stage_starts", self.stage_starts, allowed)
        object.__setattr__(self, "stage_starts", starts)

    @property
    def stage_bounds(self) -> NDArray[np.int64]:
        """Update points and the horizon: stage ``k`` is ``[bounds[k], bounds[k + 1])``, int64."""
        if self.stage_starts is not None:
            return np.array([*self.stage_starts, self.horizon], dtype=np.int64)
        assert self.num_stages is not None
        return np.arange(self.num_stages + 1, dtype=np.int64) * self.horizon // self.num_stages

    @property
    def stage_lengths(self) -> NDArray[np.int64]:
        """Queries in each stage, shape (K,), int64."""
        return np.diff(self.stage_bounds)

    @property
    def total_budget(self) -> float:
        """Budget of the whole horizon, ``b T``, in USD."""
        return self.budget * self.horizon

    def throughput_per_model(self, num_models: int) -> NDArray[np.float64]:
        """Throughput share of each of ``num_models`` models, shape (N,), float64.

        Raises:
            FieldError: if ``throughput`` is a sequence of another length.
        """
        shares = self.throughput_of_first(num_models)
        if isinstance(self.throughput, tuple) and len(self.throughput) != num_models:
            raise self._wrong_number(num_models)
        return shares

    def throughput_of_first(self, num_models: int) -> NDArray[np.float64]:
        """Share of each of the first models, where others are yet to be added behind them.

        Raises:
            FieldError: if ``throughput`` is a sequence with fewer entries.
        """
        if isinstance(self.throughput, float):
            return np.full(num_models, self.throughput)
        if len(self.throughput) < num_models:
            raise self._wrong_number(num_models)
        return np.array(self.throughput[:num_models])

    def _wrong_number(self, num_models: int) -> FieldError:
        allowed = f"one share, or one for each of {num_models} models"
        return FieldError("throughput", self.throughput, allowed)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed; ``num_stages`` and ``stage_starts`` drop each other.

        Raises:
            FieldError: if a field does not exist or a value is out of range.
        """
        names = self.field_names()
        for name in changes:
            if name not in names:
                raise FieldError("Problem field", name, closest(name, names))
        if changes.get("num_stages") is not None:
            changes.setdefault("stage_starts", None)
        elif changes.get("stage_starts") is not None:
            changes.setdefault("num_stages", None)
        return dataclasses.replace(self, **changes)

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """Names of all fields, in order."""
        return tuple(field.name for field in dataclasses.fields(cls))

    def to_dict(self) -> dict[str, Any]:
        """The problem as JSON-native values."""
        values = dataclasses.asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The problem that ``to_dict`` described.

        Raises:
            FieldError: if a field does not exist, is missing or out of range.
        """
        names = cls.field_names()
        for name in mapping("problem", values):
            if name not in names:
                raise FieldError("Problem field", name, closest(name, names))
        for name in ("horizon", "max_deployed", "budget"):
            if name not in values:
                raise FieldError(name, None, "a value; this field has no default")
        return cls(**values)


def _throughput(value: object) -> float | tuple[float, ...]:
    share = RANGES["throughput"]
    allowed = f"a share of {share.low:g} to {share.high:g}, or one such share for each model"
    many = isinstance(value, (list, tuple, np.ndarray))
    shares: Sequence[object] = value if many else (value,)  # type: ignore[assignment]
    if len(shares) == 0:
        raise FieldError("throughput", value, allowed)
    try:
        checked = tuple(float(share.check("throughput", one)) for one in shares)
    except FieldError as error:
        raise FieldError("throughput", error.value, allowed) from None
    return checked if many else checked[0]
