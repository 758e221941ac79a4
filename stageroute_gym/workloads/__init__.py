"""Workloads: the table of outcomes that a scenario draws from, and its schedule over the stages."""

from __future__ import annotations

from dataclasses import Field
from typing import Any, ClassVar, Protocol

from stageroute_gym.problem import Problem
from stageroute_gym.workloads.convert import convert
from stageroute_gym.workloads.figures import Figures
from stageroute_gym.workloads.files import FileReport, ModelReport, check_file, read_outcomes
from stageroute_gym.workloads.recorded import Recorded
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.table import OutcomeTable

__all__ = [
    "Figures",
    "FileReport",
    "ModelReport",
    "OutcomeTable",
    "Recorded",
    "Schedule",
    "Workload",
    "check_file",
    "convert",
    "read_outcomes",
]


class Workload(Protocol):
    """What a scenario needs to know of the world: a frozen dataclass with JSON-native fields."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def table(self) -> OutcomeTable:
        """Outcomes of every model on every query; the same at each call."""

    def schedule(self, table: OutcomeTable, problem: Problem) -> Schedule:
        """What holds in each stage of ``problem``.

        Raises:
            FieldError: if the workload cannot be laid out over the problem's stages.
        """

    def __hash__(self) -> int:
        """Equal workloads have equal hashes, so that their worlds are built once."""
