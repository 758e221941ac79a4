"""What a log can tell, in words and tables."""

from __future__ import annotations

from stageroute_gym.advice.advising import Advice
from stageroute_gym.advice.log_report import FEW_REQUESTS, LogReport
from stageroute_gym.logs.off_policy import WithInterval
from stageroute_gym.report.advice_tables import (
    GROUPS_SHOWN,
    AdviceTable,
    span,
    usd,
)
from stageroute_gym.report.names import short_names

_SHOWN = 3


def log_headline(advice: Advice, log: LogReport) -> list[str]:
    """What the log does today against the plan, what it covers, and what is assumed."""
    main = advice.main
    gain = main.held_out_score.value - log.today_score.value
    saved = log.today_cost.value - main.held_out_cost.value
    cells = log.counts.size
    thin = len(log.thin)
    return [
        f"Today the log scores {span(log.today_score)} at {usd(log.today_cost.value)} USD a "
        f"request; the plan {abs(gain):.4f} {'more' if gain >= 0 else 'less'} for "
        f"{usd(abs(saved))} USD a request {'less' if saved >= 0 else 'more'}.",
        f"Coverage: of {cells} pairs of task and model {log.empty} have no request and {thin} "
        f"fewer than {FEW_REQUESTS}{_unscored(advice, log)}.",
        *log.assumptions,
    ]


def _unscored(advice: Advice, log: LogReport) -> str:
    """What the coverage says of requests without scores."""
    if not log.unscored:
        return ""
    names, groups = short_names(advice.evidence.models), advice.evidence.groups
    told = [f"{names[model]} on {groups[group]}" for group, model in log.unscored]
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return f"; no score is known of {', '.join(told[:_SHOWN])}{more}"


def log_tables(
    advice: Advice, log: LogReport, groups_shown: int | None = GROUPS_SHOWN
) -> list[AdviceTable]:
    """Coverage, and the estimates that assume less."""
    tables = [coverage_table(advice, log, groups_shown)]
    if log.policies:
        tables.append(estimate_table(log))
    return tables


def coverage_table(advice: Advice, log: LogReport, shown: int | None) -> AdviceTable:
    """Requests of each task that each model served."""
    names, groups = short_names(advice.evidence.models), advice.evidence.groups
    order = (-log.counts.sum(axis=1)).argsort(kind="stable").tolist()
    rows = tuple(
        (groups[group], *(f"{number:,}" for number in log.counts[group].tolist()))
        for group in order[:shown]
    )
    more = len(groups) - len(rows)
    note = f"and {more} more tasks: --json and --html have all" if more else ""
    return AdviceTable(
        "Coverage: requests of each task that each model served", ("task", *names), rows, note=note
    )


def estimate_table(log: LogReport) -> AdviceTable:
    """Each policy's score, estimated three ways."""
    rows = tuple(
        (
            name,
            f"{policy.direct:.4f}",
            _estimate(policy.inverse_propensity),
            _estimate(policy.doubly_robust),
            f"{policy.effective:,.0f}",
        )
        for name, policy in log.policies.items()
    )
    columns = ("policy", "by task and model", "inverse propensity", "doubly robust", "effective")
    kind = "estimated from the log" if log.estimated else "from the log"
    note = (
        f"Score, 95 % intervals; propensities are {kind}. Where the columns disagree by more than "
        "their intervals, plain means by task and model mislead"
        + ("." if log.estimated else "; the plan is made from weighted ones.")
        + " Effective: requests that the weighted estimates rest on; a dash below 30."
    )
    return AdviceTable(
        "How far the assumption carries: the score estimated three ways", columns, rows, note=note
    )


def _estimate(value: WithInterval | None) -> str:
    return "-" if value is None else f"{value.value:.4f} ({value.low:.4f} to {value.high:.4f})"
