"""A section of the benchmark: a table that can be shown and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stageroute_gym.registration import CONTINUOUS, DISCRETE

if TYPE_CHECKING:
    from rich.table import Table

Cell = str | float | None
MISSING = "-"


@dataclass(frozen=True)
class Effort:
    """How much time a benchmark spends.

    Attributes:
        rounds: rounds of each task, see `stageroute_gym.benchmark.timing`.
        round_seconds: about how long a round takes.
        num_envs: sizes of the vector environments.
        agent_envs: ids of the environments in which agents decide.
        batches: numbers of episodes that an agent decides for at once.
        num_models: ``N`` in the growth section, like the next three.
        max_deployed: ``M_max``.
        horizons: ``T``.
        episodes: episodes side by side.
    """

    rounds: int
    round_seconds: float
    num_envs: tuple[int, ...]
    agent_envs: tuple[str, ...]
    batches: tuple[int, ...]
    num_models: tuple[int, ...]
    max_deployed: tuple[int, ...]
    horizons: tuple[int, ...]
    episodes: tuple[int, ...]


FULL = Effort(
    rounds=7,
    round_seconds=0.03,
    num_envs=(1, 16, 256, 1024, 4096),
    agent_envs=(DISCRETE, CONTINUOUS),
    batches=(256, 1024),
    num_models=(10, 30, 100, 300, 1000),
    max_deployed=(2, 5, 10, 20, 50),
    horizons=(1_000, 10_000, 100_000, 1_000_000),
    episodes=(1, 16, 256, 1024, 4096),
)
QUICK = Effort(
    rounds=3,
    round_seconds=0.004,
    num_envs=(1, 256, 1024),
    agent_envs=(CONTINUOUS,),
    batches=(1024,),
    num_models=(10, 1000),
    max_deployed=(2, 20),
    horizons=(1_000, 30_000),
    episodes=(1, 1024),
)


@dataclass(frozen=True)
class Section:
    """One table of results.

    Attributes:
        name: name of the section, for ``--only`` and as key in ``bench.json``.
        title: title of the table.
        columns: headings, of which the first ones may be words.
        rows: cells; None where something could not be measured.
        notes: what a reader has to know, a sentence each.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def records(self) -> list[dict[str, Cell]]:
        """The rows as dictionaries by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """JSON-native values."""
        return {"title": self.title, "rows": self.records(), "notes": list(self.notes)}


def rich_table(section: Section) -> Table:
    """The section for a terminal."""
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, title=section.title, title_justify="left", title_style="bold")
    for place, column in enumerate(section.columns):
        words = all(isinstance(row[place], str) for row in section.rows)
        table.add_column(column, justify="left" if words else "right")
    for row in section.rows:
        table.add_row(*(_text(cell) for cell in row))
    return table


def _text(cell: Cell) -> str:
    if cell is None:
        return MISSING
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.3g}"
