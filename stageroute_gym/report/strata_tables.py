"""Tables of a leaderboard over many worlds: all of them, and one entry in each stratum."""

from __future__ import annotations

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.evaluation.measures import BY_KEY, SCORE
from stageroute_gym.evaluation.strata import in_strata, over_worlds, world_scores
from stageroute_gym.report.results import Results
from stageroute_gym.report.tables import ReportTable

STRATA_LEGEND = (
    "Score / horizon oracle, mean over seeds in each world. Interquartile mean: over worlds, "
    "without their best and worst quarters, with a bootstrap interval over worlds; worst 5 %: "
    "mean of the worst worlds. Difference: to the best other entry of the stratum, paired by "
    "world, ± half of the 95 % interval; ahead or behind: beyond doubt by Student's t at 5 % after "
    "Holm's correction for all strata and all other entries."
)


def strata_tables(results: Results, entry: str | None = None) -> list[ReportTable]:
    """Two tables of a leaderboard: entries over all worlds, and an entry by stratum.

    Args:
        results: what the leaderboard wrote.
        entry: label of the entry; None takes the first over all worlds, references apart.

    Raises:
        FieldError: if the leaderboard's scenarios have no strata, there is no such entry, or fewer
            than two entries ran in all worlds.
    """
    described = results.summary["settings"]["scenarios"]
    strata = {name: part["strata"] for name, part in described.items() if "strata" in part}
    if not strata:
        allowed = "a leaderboard of scenarios that have strata, such as --suite worlds-tune"
        raise FieldError("dir", ", ".join(described), allowed)
    import polars as pl

    kinds = results.kinds
    scores = world_scores(results.episodes.filter(pl.col("scenario").is_in(list(strata))))
    standing = over_worlds(scores)
    ranked = [row.entry for row in standing if kinds[row.entry] != "reference"]
    if len(ranked) < 2:
        allowed = "at least two entries, references apart, that ran in all worlds"
        raise FieldError("dir", ", ".join(ranked), allowed)
    chosen = ranked[0] if entry is None else entry
    if chosen not in ranked:
        raise FieldError("entry", chosen, closest(chosen, ranked))
    number = BY_KEY[SCORE].number
    cells = {
        row.entry: (
            row.entry,
            f"{number(row.middle)} ({number(row.low)} to {number(row.high)})",
            number(row.mean),
            number(row.worst),
        )
        for row in standing
    }
    overall = ReportTable(
        f"{len(scores[chosen])} worlds",
        ("entry", "interquartile mean", "mean", "worst 5 %"),
        tuple(cells[label] for label in ranked),
        tuple(cells[row.entry] for row in standing if row.entry not in ranked),
    )
    rows = in_strata({label: scores[label] for label in ranked}, chosen, strata)
    by_stratum = ReportTable(
        f"{chosen} by stratum",
        ("stratum", "worlds", "interquartile mean", "best other", "its", "difference", "verdict"),
        tuple(
            (
                f"{row.respect}: {row.level}",
                str(row.worlds),
                number(row.middle),
                row.rival,
                number(row.rival_middle),
                _signed(row.difference.mean, row.difference.half_width),
                row.verdict,
            )
            for row in rows
        ),
    )
    return [overall, by_stratum]


def _signed(mean: float | None, half: float | None) -> str:
    digits = BY_KEY[SCORE].digits
    if mean is None:
        return "-"
    return f"{mean:+.{digits}f}" + ("" if half is None else f" ± {half:.{digits}f}")
