"""Two parts of a file of outcomes: one to fit agents on, one to evaluate them on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from stageroute_gym import checks
from stageroute_gym.errors import FieldError
from stageroute_gym.workloads.convert import TARGETS
from stageroute_gym.workloads.outcome_files import read_outcomes
from stageroute_gym.workloads.query_features import EMBEDDING, FEATURE
from stageroute_gym.workloads.table_files import read_table
from stageroute_gym.writing import write_table


class Split(NamedTuple):
    """How many queries went where.

    Attributes:
        first: queries of the first part.
        second: queries of the second.
        left_out: queries that the features file lacks.
    """

    first: int
    second: int
    left_out: int


def split(
    source: str | Path,
    first: str | Path,
    second: str | Path,
    *,
    share: float = 0.5,
    seed: int | None = None,
    features_file: str | None = None,
    overwrite: bool = False,
) -> Split:
    """Write the first queries of a file, in its order, to one file and the others to another.

    Args:
        source: outcomes in a layout of this project.
        first: ``.parquet`` or ``.csv`` file for the first part.
        second: the same for the second.
        share: share of the queries in the first part, in (0, 1).
        seed: seed of the order that they are drawn in, at least 0; None keeps the file's, which may
            be by task, so that the parts differ.
        features_file: a second file with ``query_id`` and features, which both parts then hold.
        overwrite: replace files that exist.

    Raises:
        FieldError: if a file has a fault or cannot be written, or a part would be empty.
    """
    part = checks.number("share", share, 0, 1, above=True, below=True)
    goals = {"first": Path(first), "second": Path(second)}
    for field, goal in goals.items():
        if goal.suffix.lower() not in TARGETS:
            raise FieldError(field, str(goal), f"a file that ends in {' or '.join(TARGETS)}")
        if goal.exists() and not overwrite:
            raise FieldError(field, str(goal), "a new file, or overwrite (--overwrite)")
        if not goal.parent.is_dir():
            raise FieldError(field, str(goal), "a file in an existing folder")
    if goals["first"] == goals["second"]:
        raise FieldError("second", str(second), "another file than the first")
    frame = read_outcomes(source)
    total = len(frame)
    if features_file is not None:
        told = read_table(features_file, "features_file").frame
        if "query_id" not in told.columns:
            raise FieldError("features_file", features_file, "a file with a column query_id")
        names = [n for n in told.columns if n.startswith(FEATURE) or n == EMBEDDING]
        # What it holds of features is what counts, as where a scenario is given both files.
        mine = [n for n in frame.columns if n.startswith(FEATURE) or n == EMBEDDING]
        told = told.select("query_id", *names).cast({"query_id": frame.schema["query_id"]})
        frame = frame.drop(mine).join(told, on="query_id", how="inner", maintain_order="left")
    size = round(part * len(frame))
    if seed is not None:
        # Each part keeps the file's order.
        order = np.random.default_rng(checks.count("seed", seed, 0)).permutation(len(frame))
        frame = frame[np.concatenate([np.sort(order[:size]), np.sort(order[size:])])]
    if not 0 < size < len(frame):
        raise FieldError("share", share, f"at least one of {len(frame)} queries in each part")
    write_table(goals["first"], frame[:size], field="first")
    write_table(goals["second"], frame[size:], field="second")
    return Split(size, len(frame) - size, total - len(frame))
