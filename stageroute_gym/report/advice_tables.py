"""Advice in words and tables, for the terminal and the page; both from the same cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stageroute_gym.advice.advising import Advice
from stageroute_gym.advice.resampling import Interval
from stageroute_gym.advice.variations import Variation
from stageroute_gym.report.names import short_names
from stageroute_gym.report.tables import ReportTable

# More tasks than this make a table that nobody reads on a terminal; the page and JSON have all.
GROUPS_SHOWN = 12
SETS_SHOWN = 3


@dataclass(frozen=True)
class AdviceTable(ReportTable):
    """A table to show.

    Attributes:
        names: how many of the first columns hold names, the others numbers.
        note: a sentence below it; may be empty.
    """

    names: int = 1
    note: str = ""

    def holds_names(self, column: str) -> bool:
        """Whether names stand below a heading, and not numbers."""
        return column in self.columns[: self.names]


def headline(advice: Advice) -> list[str]:
    """The advice in a few sentences, the most important first."""
    limits, main = advice.limits, advice.main
    names = ", ".join(short_names(advice.evidence.models)[model] for model in advice.plan.models)
    task = ", by task," if advice.by_group else ""
    lines = [
        f"Deploy {len(advice.plan.models)} of {len(advice.evidence.models)} models: {names}.",
        f"Expected score{task} {span(main.held_out_score)} on queries that the plan has not seen, "
        f"at {usd(main.held_out_cost.value)} USD a query ({usd(main.held_out_cost.low)} to "
        f"{usd(main.held_out_cost.high)}).",
    ]
    if limits.decline:
        lines.append(_service(advice))
    if advice.by_group:
        lines.append(
            f"On the queries that it was made from the plan scores {span(main.score)}"
            + (", which flatters it." if main.score.value > main.held_out_score.value else ".")
        )
        lines.append(_by_group(advice.ahead_of_blind))
    first = dict(advice.sets).get(advice.plan.models, 0.0)
    others = [(models, share) for models, share in advice.sets if models != advice.plan.models]
    line = f"This set is the best in {first:.0%} of {advice.resamples} resamples of the queries"
    if others:
        swaps = "; ".join(
            f"{_difference(advice, models)} in {share:.0%}" for models, share in others[:SETS_SHOWN]
        )
        line += f"; {swaps}"
    lines.append(line + ".")
    return lines


def _by_group(better: Interval) -> str:
    more = "more" if better.value >= 0.0 else "less"
    sure = "" if better.low > 0.0 or better.high < 0.0 else ": no difference that is sure"
    return (
        f"On unseen queries, shares by task score {abs(better.value):.4f} {more} than one mixture "
        f"for all ({better.low:+.4f} to {better.high:+.4f}){sure}."
    )


def _service(advice: Advice) -> str:
    budget = advice.limits.budget
    if advice.least is None:
        return (
            f"Slots and throughput do not serve every query: at most {advice.most_served:.1%} of "
            "them, whatever the budget. A query declined counts as score 0."
        )
    return (
        f"{usd(budget)} USD a query cannot serve every query: at most {advice.most_served:.1%} of "
        f"them. From {usd(advice.least.worth.cost)} USD a query on, all can be served. The plan "
        f"serves {advice.plan.worth.served:.1%}, for the highest score where a query declined "
        "counts as 0."
    )


def limits_lines(advice: Advice) -> list[str]:
    """What was asked, and what was left open."""
    limits = advice.limits
    asked = (
        f"the best score for at most {usd(limits.budget)} USD a query"
        if limits.min_score is None
        else f"the least cost for a score of at least {limits.min_score:g}"
    )
    evidence = advice.evidence
    tasks = f", {len(evidence.groups)} groups by task" if advice.by_group else ""
    return [
        f"{advice.source}: {evidence.num_queries:,} queries, {len(evidence.models)} models{tasks}",
        f"Asked: {asked}, with at most {limits.max_deployed} models deployed.",
        *(f"Left open, {line}." for line in advice.chosen),
    ]


def advice_tables(advice: Advice, groups_shown: int | None = GROUPS_SHOWN) -> list[AdviceTable]:
    """All tables; of the tasks only the largest, or all where ``groups_shown`` is None."""
    tables = [set_table(advice)]
    if advice.by_group:
        tables.append(group_table(advice, groups_shown))
    return [
        *tables,
        price_table(advice),
        without_table(advice),
        single_table(advice),
        frontier_table(advice),
    ]


def set_table(advice: Advice) -> AdviceTable:
    """The models to deploy, with what each serves."""
    cells, plan = advice.cells, advice.plan
    mass = cells.weight[:, None] * plan.shares
    rows = []
    for model in sorted(plan.models, key=lambda m: -plan.mix[m]):
        part = mass[:, model] / mass[:, model].sum()
        used = part > 0.0
        rows.append(
            (
                advice.evidence.models[model],
                f"{plan.mix[model]:.1%}",
                f"{float(part[used] @ cells.score[used, model]):.4f}",
                usd(float(part[used] @ cells.cost[used, model])),
                f"{int(used.sum())}" if advice.by_group else "-",
            )
        )
    columns = ("model", "share of queries", "score on them", "USD a query", "tasks")
    return AdviceTable("The set to deploy, and what each model serves", columns, tuple(rows))


def group_table(advice: Advice, shown: int | None) -> AdviceTable:
    """The shares of each task."""
    plan, names = advice.plan, short_names(advice.evidence.models)
    groups = advice.evidence.groups
    rows = tuple(
        (
            groups[g],
            f"{advice.cells.weight[g]:.1%}",
            *(_share(plan.shares[g, model]) for model in plan.models),
        )
        for g in np.argsort(-advice.cells.weight, kind="stable")[:shown].tolist()
    )
    more = len(groups) - len(rows)
    note = f"and {more} more tasks: --json and --html have all" if more else ""
    columns = ("task", "of queries", *(names[model] for model in plan.models))
    return AdviceTable("Shares by task, the largest tasks first", columns, rows, note=note)


def price_table(advice: Advice) -> AdviceTable:
    """What a step in each constraint brings."""
    floored = advice.limits.min_score is not None
    unit = "USD a query" if floored else "score"
    rows = tuple(_variation_row(advice, step) for step in advice.prices)
    if floored:
        note = (
            f"At the margin a score higher by 0.01 costs {usd(advice.plan.price * 0.01)} USD a "
            "query more."
        )
    elif advice.plan.price > 0.0:
        note = (
            f"At the margin, with the same set, score rises by {advice.plan.price * 1e-3:.4g} for "
            "each USD more per 1,000 queries."
        )
    else:
        note = "The budget does not bind: more of it brings nothing."
    return AdviceTable(
        "What a step in each limit brings", ("step", "set then", unit), rows, names=2, note=note
    )


def without_table(advice: Advice) -> AdviceTable:
    """What is lost without each model of the set."""
    unit = "score" if advice.limits.min_score is None else "USD a query"
    rows = tuple(_variation_row(advice, step) for step in advice.without)
    return AdviceTable(
        "What is lost without each model, the best of the others in its place",
        ("without", "set then", unit),
        tuple((row[0].removeprefix("without "), *row[1:]) for row in rows),
        names=2,
    )


def single_table(advice: Advice) -> AdviceTable:
    """Each model alone."""
    order = sorted(advice.singles, key=lambda single: -single.score.value)
    rows = tuple(
        (
            single.model,
            span(single.score),
            usd(single.cost.value),
            f"{single.ahead.value:+.4f} ({single.ahead.low:+.4f} to {single.ahead.high:+.4f})",
            "all" if single.allowed >= 1.0 else f"{single.allowed:.1%}",
        )
        for single in order
    )
    columns = ("model alone", "score", "USD a query", "the plan's score less its", "could serve")
    note = (
        "The plan's score is its held-out one. Could serve: the share of queries within budget and "
        "throughput."
    )
    return AdviceTable("Against each model alone", columns, rows, note=note)


def frontier_table(advice: Advice) -> AdviceTable:
    """The budgets at which the set changes."""
    own = _own_budget(advice)
    rows = []
    before: tuple[int, ...] = ()
    for place, (budget, plan) in enumerate(advice.frontier):
        last = place == len(advice.frontier) - 1
        if plan.models == before and budget != own and not last:
            continue
        mark = " <- yours" if budget == own else ""
        rows.append(
            (
                f"{usd(budget)}{mark}",
                f"{plan.worth.score:.4f}",
                f"{plan.worth.served:.0%}",
                ", ".join(short_names(advice.evidence.models)[model] for model in plan.models),
            )
        )
        before = plan.models
    return AdviceTable(
        "Over budgets: where the set changes",
        ("set", "from USD a query", "score", "served"),
        tuple((row[3], row[0], row[1], row[2]) for row in rows),
        note=(
            f"Of {len(advice.frontier)} budgets, each solved exactly; expected scores. Where all "
            "queries can be served all are, even where declining some would score more."
        ),
    )


def _own_budget(advice: Advice) -> float:
    limits = advice.limits
    return advice.plan.worth.cost if limits.min_score is not None else limits.budget


def _variation_row(advice: Advice, step: Variation) -> tuple[str, str, str]:
    if step.plan is None or step.gain is None:
        return step.change, "-", "floor out of reach"
    gain = f"{step.gain:+.4f}" if advice.limits.min_score is None else f"{step.gain:+.4g}"
    return step.change, _difference(advice, step.plan.models), gain


def _difference(advice: Advice, models: tuple[int, ...]) -> str:
    """A set by what it has more and less than the plan's."""
    names, own = short_names(advice.evidence.models), advice.plan.models
    added = [f"+ {names[model]}" for model in models if model not in own]
    gone = [f"- {names[model]}" for model in own if model not in models]
    return " ".join(added + gone) or "the same"


def span(interval: Interval) -> str:
    """A score and its interval."""
    return f"{interval.value:.4f} ({interval.low:.4f} to {interval.high:.4f})"


def usd(value: float) -> str:
    """An amount in USD, to four digits."""
    return "no limit" if math.isinf(value) else f"{value:.4g}"


def _share(share: float) -> str:
    return f"{share:.0%}" if share > 0.0 else ""
