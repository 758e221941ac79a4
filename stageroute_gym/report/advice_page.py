"""The page of advice: the plan, its charts and all tables."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stageroute_gym.advice.advising import Advice
from stageroute_gym.advice.log_report import LogReport
from stageroute_gym.report.advice_tables import (
    AdviceTable,
    frontier_table,
    group_table,
    headline,
    limits_lines,
    price_table,
    set_table,
    single_table,
    without_table,
)
from stageroute_gym.report.learning_table import learning_table
from stageroute_gym.report.log_tables import log_headline, log_tables
from stageroute_gym.report.names import short_names
from stageroute_gym.report.page import Section, write_page

if TYPE_CHECKING:
    import altair as alt

# Told apart by most people with a colour deficiency, on white and on black (Okabe & Ito 2008).
COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a90f", "#888888")
FRONTIER_COLOR, SINGLE_COLOR = COLORS[0], "#8a929c"
TASKS_DRAWN = 40
PER_THOUSAND = 1e3
FRONTIER_HEIGHT = 340  # pixels
# Room that a label takes, as parts of the chart.
LABEL_WIDTH, LABEL_HEIGHT = 0.25, 0.06
LABEL_LIMIT = 180  # pixels, half of a phone


def write_advice_page(
    path: str | Path,
    advice: Advice,
    log: LogReport | None = None,
    ranked: dict[str, Any] | None = None,
) -> None:
    """Write the page.

    Args:
        path: the file.
        advice: the advice.
        log: what the log can tell that it is from; None where it is from no log.
        ranked: what `stageroute_gym.advice.learning.rank_agents` returned; None without it.

    Raises:
        FieldError: as `stageroute_gym.report.page.write_page`.
    """
    sections = [
        _section(set_table(advice)),
        Section(
            "What more or less money buys",
            text=(
                "The line is the best plan at each budget, expected score; a dot is where the set "
                "changes. Grey: each model alone, serving every query at any throughput.",
            ),
            chart=frontier_chart(advice, log),
            table=frontier_table(advice),
            marked=_own_row(advice),
            note=frontier_table(advice).note,
        ),
    ]
    if advice.by_group:
        table = group_table(advice, None)
        sections.append(
            Section(
                table.title,
                text=("Each bar is as long as the task's part of all queries.",),
                chart=share_chart(advice),
                table=table,
            )
        )
    sections += [
        _section(table)
        for table in (price_table(advice), without_table(advice), single_table(advice))
    ]
    title = f"What to deploy: {'/'.join(Path(advice.source).parts[-2:])}"
    lead = headline(advice)
    if log is not None:
        lead += log_headline(advice, log)
        sections += [_section(table) for table in log_tables(advice, log, None)]
    if ranked is not None:
        sections.append(_section(learning_table(ranked)))
    write_page(path, title, lead, limits_lines(advice), sections)


def frontier_chart(advice: Advice, log: LogReport | None = None) -> alt.LayerChart | alt.FacetChart:
    """Expected score over the budget, with each model alone, and what the log does today."""
    import altair as alt

    names = short_names(advice.evidence.models)
    points, before = [], None
    for budget, plan in advice.frontier:
        points.append(
            {
                "usd": budget * PER_THOUSAND,
                "score": plan.worth.score,
                "set": ", ".join(names[model] for model in plan.models),
                "change": plan.models != before,
            }
        )
        before = plan.models
    labelled = _labelled(advice)
    singles = [
        {
            "usd": single.cost.value * PER_THOUSAND,
            "score": single.score.value,
            "model": name,
            "label": name if place in labelled else "",
        }
        for place, (name, single) in enumerate(zip(names, advice.singles, strict=True))
        if single.cost.value > 0.0 and np.isfinite(single.score.value)
    ]
    own = [{"usd": _own_budget(advice) * PER_THOUSAND}]
    amounts = [budget * PER_THOUSAND for budget, _ in advice.frontier]
    amounts += [one.cost.value * PER_THOUSAND for one in advice.singles if one.cost.value > 0.0]
    middle = math.sqrt(min(amounts) * max(amounts))
    x = alt.X(
        "usd:Q",
        title="USD per 1,000 queries (logarithmic)",
        scale=alt.Scale(type="log", nice=False, padding=24),
        axis=alt.Axis(format="~g", grid=False, tickCount=6),
    )
    y = alt.Y("score:Q", title="mean score", scale=alt.Scale(zero=False))
    line = alt.Chart({"values": points}).mark_line(color=FRONTIER_COLOR, size=2.5).encode(x=x, y=y)
    changes = (
        alt.Chart({"values": points})
        .transform_filter("datum.change")
        .mark_circle(color=FRONTIER_COLOR, size=70, opacity=1)
        .encode(
            x=x,
            y=y,
            tooltip=[
                alt.Tooltip("usd:Q", title="USD per 1,000", format=".4~g"),
                alt.Tooltip("score:Q", format=".4f"),
                alt.Tooltip("set:N"),
            ],
        )
    )
    alone = alt.Chart({"values": singles})
    dots = alone.mark_circle(color=SINGLE_COLOR, size=45, opacity=0.9).encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("usd:Q", title="USD per 1,000", format=".4~g"),
            alt.Tooltip("score:Q", format=".4f"),
        ],
    )
    # Towards the middle, so that a long name does not run over an edge of a narrow page.
    cheap, dear = (alone.transform_filter(f"datum.usd {side} {middle!r}") for side in ("<=", ">"))
    labels = [
        each.encode(x=x, y=y, text="label:N")
        for each in (
            cheap.mark_text(align="left", dx=-4, dy=13, fontSize=11, limit=LABEL_LIMIT),
            dear.mark_text(align="right", dx=4, dy=13, fontSize=11, limit=LABEL_LIMIT),
        )
    ]
    here = alt.Chart({"values": own})
    rule = here.mark_rule(strokeDash=[4, 3]).encode(x=x)
    # At the foot, where neither the rising line nor the best models' names are.
    said = "your budget" if _budgeted(advice) else "the plan"
    word = here.mark_text(align="left", dx=4, dy=-6, baseline="bottom").encode(
        x=x, y=alt.value(FRONTIER_HEIGHT), text=alt.value(said)
    )
    layers = [rule, line, dots, changes, *labels, word]
    if log is not None:
        now = [{"usd": log.today_cost.value * PER_THOUSAND, "score": log.today_score.value}]
        today = alt.Chart({"values": now})
        layers.append(today.mark_point(color=COLORS[5], size=90, filled=True).encode(x=x, y=y))
        layers.append(
            today.mark_text(dx=9, align="left", fontWeight="bold").encode(
                x=x, y=y, text=alt.value("the log today")
            )
        )
    return alt.layer(*layers).properties(width="container", height=FRONTIER_HEIGHT)


def share_chart(advice: Advice) -> alt.Chart:
    """Which model serves how much of each task, the largest tasks first."""
    import altair as alt

    names, plan, weight = short_names(advice.evidence.models), advice.plan, advice.cells.weight
    order = np.argsort(-weight, kind="stable")[:TASKS_DRAWN].tolist()
    rows = [
        {
            "task": advice.evidence.groups[g],
            "model": names[model],
            "queries": float(weight[g] * plan.shares[g, model]),
            "share": float(plan.shares[g, model]),
        }
        for g in order
        for model in plan.models
        if plan.shares[g, model] > 0.0
    ]
    used = sorted(plan.models, key=lambda model: -plan.mix[model])
    return (
        alt.Chart({"values": rows})
        .mark_bar(height=11)
        .encode(
            x=alt.X(
                "queries:Q", title="part of all queries", axis=alt.Axis(format="%", tickCount=6)
            ),
            y=alt.Y(
                "task:N",
                title=None,
                sort=[advice.evidence.groups[g] for g in order],
                axis=alt.Axis(labelLimit=150, ticks=False, domain=False),
            ),
            color=alt.Color(
                "model:N",
                title=None,
                sort=[names[model] for model in used],
                scale=alt.Scale(
                    domain=[names[model] for model in used],
                    range=[COLORS[place % len(COLORS)] for place in range(len(used))],
                ),
                legend=alt.Legend(orient="top", columns=1, labelLimit=LABEL_LIMIT),
            ),
            tooltip=[
                alt.Tooltip("task:N"),
                alt.Tooltip("model:N"),
                alt.Tooltip("share:Q", title="share of the task", format=".1%"),
            ],
        )
        .properties(width="container", height={"step": 17})
    )


def _section(table: AdviceTable) -> Section:
    return Section(table.title, table=table, note=table.note)


def _labelled(advice: Advice) -> list[int]:
    """The models that are worth a label, since no other is better and cheaper, if there is room."""
    singles = advice.singles
    score = np.array([single.score.value for single in singles])
    place = np.log(np.maximum([single.cost.value for single in singles], 1e-300))
    best_first = np.argsort(-score, kind="stable").tolist()
    chosen: list[int] = []
    for model in best_first:
        dominated = ((score >= score[model]) & (place < place[model])).any()
        crowded = any(
            abs(place[model] - place[other]) < LABEL_WIDTH * np.ptp(place)
            and abs(score[model] - score[other]) < LABEL_HEIGHT * np.ptp(score)
            for other in chosen
        )
        if not dominated and not crowded:
            chosen.append(model)
    return chosen


def _budgeted(advice: Advice) -> bool:
    return advice.limits.min_score is None


def _own_budget(advice: Advice) -> float:
    return advice.limits.budget if _budgeted(advice) else advice.plan.worth.cost


def _own_row(advice: Advice) -> int | None:
    rows = frontier_table(advice).rows
    return next((place for place, row in enumerate(rows) if "yours" in row[1]), None)
