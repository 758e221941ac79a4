"""What a part of the reproduction is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from stageroute_gym.evaluation.trials import LeaderboardSettings
    from stageroute_gym.report.results import Results
    from stageroute_gym.report.tables import ReportTable


@dataclass(frozen=True, eq=False)
class Measured:
    """What a part has come to.

    Attributes:
        summary: the figures that its tables and the claims need, JSON-native and small.
        tables: what its charts draw, by name; kept as Parquet.
        timings: what depends on the machine, JSON-native; kept apart from the other results.
    """

    summary: dict[str, Any]
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    timings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Chart:
    """One chart.

    Attributes:
        name: what its PNG is called, within the part's folder.
        title: heading.
        caption: what is drawn and what is seen, in a sentence or a few.
        chart: the specification, with its data, without colours of the paper.
    """

    name: str
    title: str
    caption: str
    chart: alt.TopLevelMixin


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        table: its title, columns and cells.
        notes: what explains it, a sentence or a few each.
    """

    table: ReportTable
    notes: tuple[str, ...] = ()


class PartModule(Protocol):
    """What computes a part: a module of `stageroute_gym.reproduction.parts`."""

    Settings: Callable[..., Any]

    def boards(self, settings: Any) -> Mapping[str, LeaderboardSettings]:
        """The leaderboards that the part needs, by name.

        Raises:
            FieldError: if a setting is out of range; nothing has run then.
        """

    def measure(
        self, settings: Any, boards: Mapping[str, Results], tell: Callable[[str], None]
    ) -> Measured:
        """Compute the part.

        Args:
            settings: the part's ``Settings``.
            boards: what its leaderboards wrote.
            tell: called with what is being done, for the progress.
        """


class ExhibitModule(Protocol):
    """What shows a part: a module of `stageroute_gym.reproduction.exhibits`."""

    def charts(self, measured: Measured) -> Sequence[Chart]:
        """The charts, in the order to show them in."""

    def tables(self, summary: Mapping[str, Any]) -> Sequence[Table]:
        """The tables, from the summary alone."""
