"""How the world changes from stage to stage: the query mix, the prices, the models on offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.checks import array
from stageroute_gym.errors import FieldError
from stageroute_gym.workloads.table import OutcomeTable


@dataclass(frozen=True, eq=False)
class Schedule:
    """What holds in each of ``K`` stages of a workload with ``Q`` rows and ``N`` models.

    A drifting query mix is a sequence of mixes; a model that gets worse is a table with rows of
    before and after and a mix that moves from the ones to the others.

    Args:
        mixes: distributions over the table's rows, each summing to 1, shape (G, Q), float64.
        stage_mix: which mix stage ``k`` draws its queries from, shape (K,), int64.
        cost_multiplier: what each model's table cost is multiplied by, positive, shape (K, N),
            float64.
        available: whether the model can be deployed in the stage, shape (K, N), bool.
        in_order: whether query ``t`` of every episode is row ``t`` of the table, as where a log is
            played again, in place of a draw from its stage's mix. The mixes then tell what stands
            in each stage.

    Raises:
        FieldError: if a shape or a value is not allowed.
    """

    mixes: NDArray[np.float64]
    stage_mix: NDArray[np.int64]
    cost_multiplier: NDArray[np.float64]
    available: NDArray[np.bool_]
    in_order: bool = False

    def __post_init__(self) -> None:
        array("mixes", self.mixes, 2)
        array("stage_mix", self.stage_mix, 1, "iu")
        array("cost_multiplier", self.cost_multiplier, 2)
        array("available", self.available, 2, "b")
        stages, models = self.available.shape
        if self.stage_mix.shape != (stages,):
            raise FieldError("shape of stage_mix", self.stage_mix.shape, str((stages,)))
        if self.cost_multiplier.shape != (stages, models):
            raise FieldError(
                "shape of cost_multiplier", self.cost_multiplier.shape, str((stages, models))
            )
        if not (np.isfinite(self.mixes) & (self.mixes >= 0)).all():
            raise FieldError("mixes", float(self.mixes.min()), "finite weights, >= 0")
        if not np.allclose(self.mixes.sum(axis=1), 1.0, rtol=0, atol=1e-9):
            raise FieldError("mixes", self.mixes.sum(axis=1).tolist(), "rows that sum to 1")
        if self.stage_mix.min() < 0 or self.stage_mix.max() >= len(self.mixes):
            raise FieldError("stage_mix", self.stage_mix.tolist(), f"0 to {len(self.mixes) - 1}")
        if not (np.isfinite(self.cost_multiplier) & (self.cost_multiplier > 0)).all():
            raise FieldError("cost_multiplier", "a value <= 0 or not finite", "positive numbers")

    @classmethod
    def stationary(cls, table: OutcomeTable, available: NDArray[np.bool_]) -> Self:
        """The table's own query mix and prices in every stage; only the models on offer change.

        Args:
            table: the outcomes; its ``weight`` is the mix.
            available: whether the model can be deployed in the stage, shape (K, N), bool.

        Raises:
            FieldError: if the number of models differs.
        """
        array("available", available, 2, "b")
        stages = len(available)
        return cls(
            mixes=(table.weight / table.weight.sum())[None, :],
            stage_mix=np.zeros(stages, dtype=np.int64),
            cost_multiplier=np.ones((stages, table.num_models)),
            available=available,
        )

    @property
    def num_stages(self) -> int:
        """Number of stages ``K``."""
        return self.available.shape[0]
