"""Tables in which models differ by their mean scores alone, which are exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stageroute_gym.array_types import Floats
from stageroute_gym.workloads.table import OutcomeTable


def equal_costs_table(models: Sequence[str], mean_score: Floats, cost: float) -> OutcomeTable:
    """A table of right and wrong answers with these means, each query at the same cost.

    A query has a difficulty, uniform on [0, 1), and a model answers it right if its mean score is
    larger. So the rows are the intervals between neighbouring means, weighted by their lengths, and
    no mean is rounded to a number of rows. Right answers of two models come together, which agents
    that see one model's score a query cannot tell from independent ones.

    Args:
        models: names of the ``N`` models.
        mean_score: their mean scores, in [0, 1], shape (N,), float64.
        cost: USD of a query, and list price, of each model.
    """
    ends = np.unique(np.concatenate([[0.0], mean_score, [1.0]]))
    right = mean_score >= ends[1:, None]
    rows = len(right)
    return OutcomeTable(
        models=tuple(models),
        score=right.astype(np.float64),
        cost=np.full(right.shape, cost),
        task=np.zeros(rows, np.int64),
        task_names=("all",),
        weight=np.diff(ends),
        list_price=np.full(len(mean_score), cost),
    )
