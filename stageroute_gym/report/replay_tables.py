"""A replay in tables and as JSON-native values."""

from __future__ import annotations

import datetime
from dataclasses import asdict
from typing import Any

from stageroute_gym.advice.replay import Replay, Replayed
from stageroute_gym.evaluation.statistics import Estimate
from stageroute_gym.report.advice_tables import AdviceTable, usd


def replay_tables(replay: Replay) -> list[AdviceTable]:
    """All policies beside the log, and stage by stage the one that scores the most."""
    return [policy_table(replay), stage_table(replay)]


def policy_table(replay: Replay) -> AdviceTable:
    """Each policy's score and cost, the best first, below what the log did."""
    today = replay.today
    order = sorted(replay.played, key=lambda played: -(played.score.mean or 0.0))
    rows = tuple(
        (
            played.name,
            _number(played.score, 4),
            "-" if played is today else f"{_mean(played.score) - _mean(today.score):+.4f}",
            _amount(played.cost),
            "-" if played is today else f"{_mean(played.cost) / _mean(today.cost) - 1:+.1%}",
            f"{played.served:.1%}",
        )
        for played in (today, *order)
    )
    columns = ("policy", "score", "than the log", "USD a request", "than the log's", "served")
    note = "Means over seeds ± half of the 95 % interval; a request that is not served scores 0."
    title = f"{replay.problem.horizon:,} requests in the order of the log"
    return AdviceTable(title, columns, rows, note=note)


def stage_table(replay: Replay) -> AdviceTable:
    """Stage by stage: the log, and the agent that scored the most."""
    best = max(replay.played, key=lambda played: _mean(played.score))
    rows = tuple(
        (
            _day(replay.starts[stage]),
            f"{length:,}",
            f"{replay.today.stage_score[stage]:.4f}",
            f"{best.stage_score[stage]:.4f}",
            usd(float(replay.today.stage_cost[stage])),
            usd(float(best.stage_cost[stage])),
        )
        for stage, length in enumerate(replay.problem.stage_lengths.tolist())
    )
    columns = (
        "from",
        "requests",
        "score, log",
        f"score, {best.name}",
        "USD a request, log",
        f"USD a request, {best.name}",
    )
    return AdviceTable("Stage by stage", columns, rows)


def replay_dict(replay: Replay) -> dict[str, Any]:
    """The replay as JSON-native values: its fields by name."""
    return {
        "problem": replay.problem.to_dict(),
        "starts": replay.starts.tolist(),
        "service": dict(replay.service),
        "today": _dict(replay.today),
        "played": [_dict(played) for played in replay.played],
    }


def _dict(played: Replayed) -> dict[str, Any]:
    return {
        "name": played.name,
        "score": asdict(played.score),
        "cost": asdict(played.cost),
        "served": played.served,
        "stage_score": played.stage_score.tolist(),
        "stage_cost": played.stage_cost.tolist(),
    }


def _mean(value: Estimate) -> float:
    assert value.mean is not None
    return value.mean


def _number(value: Estimate, digits: int) -> str:
    half = "" if value.half_width is None else f" ± {value.half_width:.{digits}f}"
    return f"{_mean(value):.{digits}f}{half}"


def _amount(value: Estimate) -> str:
    half = "" if value.half_width is None else f" ± {value.half_width:.2g}"
    return f"{usd(_mean(value))}{half}"


def _day(seconds: float) -> str:
    """A time in UTC; the plain number where it lies before 1980, as of a log that counts."""
    if seconds < 315_532_800:
        return f"{seconds:g}"
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M")
