"""What advice is made from: a file of outcomes, a benchmark's file, or a gateway's log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stageroute_gym.advice.evidence import TableEvidence
from stageroute_gym.advice.log_evidence import LogEvidence
from stageroute_gym.errors import FieldError
from stageroute_gym.logs import Logged, is_log_file
from stageroute_gym.workloads import Recorded, is_outcome_format


class Material(NamedTuple):
    """What a file holds.

    Attributes:
        evidence: what it tells of the models.
        workload: the same as a workload, to play agents on.
        remarks: what was recognised, assumed or left out, in words.
    """

    evidence: TableEvidence | LogEvidence
    workload: Recorded | Logged
    remarks: tuple[str, ...]


def read_material(
    file: str,
    *,
    by: str = "task",
    seed: int = 0,
    source: str | None = None,
    columns: Sequence[str] = (),
    scores: str | None = None,
    repair: bool = False,
    prices: str | None = None,
    price_of: Sequence[str] = (),
) -> Material:
    """Read a file as what it is.

    Args:
        file: its path.
        by: the column that tells a query's group before it is routed, or ``"none"``.
        seed: of the draw of the folds.
        source: the benchmark or gateway that it is of; None recognises it.
        columns: as for `stageroute_gym.logs.Logged`, like the next two; a file of which they are
            told is a log.
        scores: see there.
        repair: see there.
        prices: path of a price list, for answers or requests that tell tokens and no cost.
        price_of: names of models in the price list, each as ``"model=name"``.

    Raises:
        FieldError: for the first fault of a file, or an option that does not go with it.
    """
    features = "none" if by == "none" else "task"
    of_log = {"columns": columns, "scores": scores, "repair": repair}
    if is_outcome_format(file, source):
        for field, value in of_log.items():
            if value:
                raise FieldError(field, value, "none, for a file of outcomes; it is for logs")
    elif source or prices or any(of_log.values()) or is_log_file(file):
        if by not in ("task", "none"):
            raise FieldError("by", by, "task or none, for a log; --columns task=NAME names it")
        logged = Logged(
            data=file,
            source=source,
            columns=tuple(columns),
            scores=scores,
            repair=repair,
            prices=prices,
            price_of=tuple(price_of),
            features=features,
        )
        log = logged.log()
        return Material(LogEvidence(log, by == "task", seed), logged, log.remarks)
    recorded = Recorded(
        data=file, source=source, prices=prices, price_of=tuple(price_of), features=features
    )
    evidence = TableEvidence.read(recorded, by, seed)
    return Material(evidence, recorded, recorded.file_notes())
