"""Advice against HiGHS, hand-made cases and truth that was planted."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog
from task_programme import by_highs

from stageroute_gym.advice import Limits, TableEvidence, Wishes, advise
from stageroute_gym.advice.evidence import Cells
from stageroute_gym.advice.plans import choose, least_cost, most_served
from stageroute_gym.advice.variations import frontier
from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import deploy_mip, task_deploy
from stageroute_gym.optimize.set_cuts import best_set
from stageroute_gym.problem import Problem
from stageroute_gym.report.advice_json import advice_dict
from stageroute_gym.report.advice_tables import advice_tables, headline
from stageroute_gym.workloads import Figures, OutcomeTable, Recorded


def noisy_table(rng, *, by_task: bool, queries=1200, tasks=40, models=6) -> OutcomeTable:
    """Binary scores; the best model depends on the task, or on nothing but luck."""
    task = rng.integers(tasks, size=queries)
    chance = np.linspace(0.3, 0.7, models) * np.ones((tasks, models))
    if by_task:
        chance = rng.random((tasks, models))
    return OutcomeTable(
        models=tuple(f"m{i}" for i in range(models)),
        score=(rng.random((queries, models)) < chance[task]).astype(float),
        cost=rng.gamma(2.0, np.linspace(1, 3, models) * 1e-3, (queries, models)),
        task=task,
        task_names=tuple(f"t{i}" for i in range(tasks)),
    )


@pytest.fixture(scope="module")
def figures() -> TableEvidence:
    problem = Problem(horizon=1, num_stages=1, max_deployed=5, budget=1e-3)
    return TableEvidence(Figures(num_queries=2000).build(problem)[0])


def cells_of(weight, score, cost) -> Cells:
    score = np.asarray(score, dtype=float)
    return Cells(np.asarray(weight), score, np.asarray(cost, dtype=float), np.isfinite(score))


def test_one_query_is_too_few():
    table = noisy_table(np.random.default_rng(0), by_task=False, queries=1, tasks=1)
    with pytest.raises(FieldError, match="queries with outcomes = 1: expected at least two"):
        advise(TableEvidence(table))


def test_a_budget_that_is_just_enough_for_the_best_is_no_search(monkeypatch):
    """Every price from 0 on is optimal there; by the largest alone, sets were passed one by one."""
    rng = np.random.default_rng(0)
    queries, models = 50_000, 20
    names = tuple(sorted(str(i) for i in range(40)))
    task = np.argsort([int(name) for name in names])[rng.integers(40, size=queries)]
    drawn = [
        ((rng.random(queries) < 0.3 + 0.02 * m), rng.gamma(3, 1e-4 * (1 + m), queries))
        for m in range(models)
    ]
    score, cost = (np.stack(part, axis=1).astype(float) for part in zip(*drawn, strict=True))
    labels = tuple(f"m{i}" for i in range(models))
    table = OutcomeTable(models=labels, score=score, cost=cost, task=task, task_names=names)
    cells = TableEvidence(table).sums().estimates()
    calls = []

    def counted(*arguments):
        calls.append(None)
        assert len(calls) < 100
        return best_set(*arguments)

    monkeypatch.setattr(task_deploy, "best_set", counted)
    budget = float(cells.weight @ cells.cost[:, -1])
    plan = choose(cells, Limits(budget, 5, np.ones(models)))
    assert plan is not None
    assert plan.worth.score == pytest.approx(float(cells.weight @ cells.score.max(axis=1)))


def test_the_frontier_begins_with_the_cheapest_plan(monkeypatch):
    """Not by a search: where no other plan is affordable, sets are passed over one by one."""
    rng = np.random.default_rng(0)
    score, cost = rng.random((40, 20)), np.arange(1, 21) * (1 + 0.01 * rng.random((40, 1)))
    cells = cells_of(np.full(40, 1 / 40), score, cost)
    limits = Limits(10.0, 5, np.ones(20))
    plan, least = choose(cells, limits), least_cost(cells, limits)
    assert plan is not None
    assert least is not None

    left = iter(range(300))

    def counted(*arguments):
        next(left)
        return best_set(*arguments)

    monkeypatch.setattr(task_deploy, "best_set", counted)
    points = frontier(cells, limits, plan, least, cost.mean(axis=0))
    assert points[0][0] == pytest.approx(least.worth.cost)
    assert points[0][1] is least
    scores = [one.worth.score for _, one in points]
    assert scores == sorted(scores)


def test_a_floor_for_the_score_is_reached_at_the_least_cost():
    rng = np.random.default_rng(0)
    for _ in range(30):
        weight, score, cost = rng.dirichlet(np.ones(4)), rng.random((4, 5)), rng.random((4, 5))
        cap = rng.uniform(0.4, 1.0)
        cells = cells_of(weight, score, cost)
        floor = float(rng.uniform(0.3, 0.8))
        plan = choose(cells, Limits(np.inf, 5, np.full(5, cap), floor))
        rows = np.zeros((5, 4, 5))
        for model in range(5):
            rows[model, :, model] = weight
        known = linprog(
            (weight[:, None] * cost).ravel(),
            A_ub=np.vstack([-(weight[:, None] * score).ravel(), rows.reshape(5, -1)]),
            b_ub=np.concatenate([[-floor], np.full(5, cap)]),
            A_eq=np.kron(np.eye(4), np.ones(5)),
            b_eq=np.ones(4),
        )
        assert (plan is None) == (not known.success)
        if plan is not None:
            assert plan.worth.cost == pytest.approx(known.fun, abs=1e-7)
            assert plan.worth.score >= floor - 1e-6
            # The marginal price is the floor's multiplier.
            assert plan.price == pytest.approx(-known.ineqlin.marginals[0], abs=1e-6)


def test_a_budget_below_the_least_serves_a_part():
    cells = cells_of([0.5, 0.5], [[0.5, 0.9], [0.2, 0.9]], [[1.0, 4.0], [3.0, 4.0]])
    limits = Limits(1.0, 2, np.ones(2))
    cheapest = least_cost(cells, limits)
    assert cheapest is not None
    assert cheapest.worth.cost == pytest.approx(2.0)
    # The cheap task in full takes 0.5 USD; the other half buys a sixth of the queries at 3 USD.
    assert most_served(cells, limits) == pytest.approx(0.5 + 0.5 / 3)
    plan = choose(cells, dataclasses.replace(limits, decline=True))
    assert plan is not None
    # Score per USD: 0.5 for the cheap cell, then 0.225 for the dear model on the other task.
    assert plan.worth.score == pytest.approx(0.25 + 0.5 / 4 * 0.9)


def test_a_group_of_which_a_model_is_unknown_goes_to_the_others():
    plan = choose(cells_of([1.0], [[0.2, 0.9]], [[1.0, 1.0]]), Limits(9.0, 2, np.array([0.5, 0.5])))
    assert plan is not None
    seen = plan.on(cells_of([1.0], [[0.2, np.nan]], [[1.0, 1.0]]))
    assert seen.score == pytest.approx(0.2)
    assert seen.served == pytest.approx(1.0)


def test_the_blind_plan_is_deploy_mip(figures: TableEvidence):
    mean = figures.sums().means().merged()
    for slots, cap in ((2, 0.6), (5, 0.4)):
        plan = choose(mean, Limits(5e-4, slots, np.full(11, cap)))
        known = deploy_mip(mean.score[0], mean.cost[0], 5e-4, cap, slots)
        assert plan is not None
        assert plan.worth.score == pytest.approx(known.value, abs=1e-8)
        assert plan.mix == pytest.approx(known.weights, abs=1e-6)
        assert plan.price == pytest.approx(known.price, rel=1e-5)


def agrees_with_highs(evidence: TableEvidence, wishes: Wishes) -> None:
    """The plan's set, shares and score are those of HiGHS on the same numbers."""
    advice = advise(evidence, wishes, resamples=2)
    cells, limits = advice.cells, advice.limits
    known = by_highs(
        cells.weight, cells.score, cells.cost, limits.budget, limits.throughput, limits.max_deployed
    )
    assert known is not None
    value, shares = known
    assert advice.plan.worth.score == pytest.approx(value, abs=1e-7)
    mix = cells.weight @ shares
    assert advice.plan.models == tuple(np.flatnonzero(mix > 1e-6).tolist())
    assert advice.plan.shares == pytest.approx(shares, abs=1e-4)
    assert advice.plan.mix == pytest.approx(mix, abs=1e-6)


@pytest.mark.parametrize("wishes", [Wishes(3e-4), Wishes(5e-4, 3, 0.5), Wishes(1e-3, 4)])
def test_set_and_shares_are_those_of_highs(figures: TableEvidence, wishes: Wishes):
    agrees_with_highs(figures, wishes)


@pytest.mark.parametrize("name", ["routerbench_0shot", "swebench_bash_only"])
@pytest.mark.parametrize("throughput", [None, 0.4])
def test_set_and_shares_on_recorded_data(shared_data: Path, name: str, throughput: float | None):
    evidence = TableEvidence.read(Recorded(data=str(shared_data / name / "queries.parquet")))
    agrees_with_highs(evidence, Wishes(throughput=throughput))


def test_luck_by_task_is_not_taken_for_skill():
    """Where tasks tell nothing, the held-out value is below that on the queries seen."""
    advice = advise(
        TableEvidence(noisy_table(np.random.default_rng(1), by_task=False)),
        Wishes(budget=1.0),
        resamples=40,
    )
    # The truth is the best model everywhere, 0.7.
    assert advice.main.held_out_score.low < 0.7 < advice.main.held_out_score.high
    assert advice.main.held_out_score.value <= advice.main.score.value
    assert advice.ahead_of_blind.low <= 1e-9
    text = " ".join(headline(advice))
    assert "no difference that is sure" in text


def test_tasks_that_differ_are_routed_apart():
    advice = advise(
        TableEvidence(noisy_table(np.random.default_rng(2), by_task=True)),
        Wishes(budget=1.0, max_deployed=6),
        resamples=40,
    )
    assert advice.ahead_of_blind.low > 0.1
    assert "more than one mixture" in " ".join(headline(advice))
    # The six models' truth by task, known by construction, is at most the mean of maxima.
    assert advice.main.held_out_score.value < advice.main.score.value


def test_prices_and_losses_are_differences_of_exact_plans(figures: TableEvidence):
    advice = advise(figures, Wishes(5e-4, 3, {"": 0.5}), resamples=5)
    assert [step.change for step in advice.prices] == [
        "budget + 10 %",
        "budget + 1 USD per 1,000 queries",
        "one more slot",
        "one slot less",
        "throughput of each model + 10 %",
    ]
    changed = (
        dataclasses.replace(advice.limits, budget=5.5e-4),
        dataclasses.replace(advice.limits, budget=1.5e-3),
        dataclasses.replace(advice.limits, max_deployed=4),
        dataclasses.replace(advice.limits, max_deployed=2),
        dataclasses.replace(advice.limits, throughput=np.full(11, 0.55)),
    )
    for step, limits in zip(advice.prices, changed, strict=True):
        best = choose(advice.cells, limits)
        assert best is not None
        assert step.gain == pytest.approx(best.worth.score - advice.plan.worth.score, abs=1e-7)
    assert all(step.gain <= 1e-7 for step in advice.without)
    # The price at the margin is the slope of the frontier there.
    near = choose(advice.cells, dataclasses.replace(advice.limits, budget=5e-4 * (1 + 1e-5)))
    assert near is not None
    slope = (near.worth.score - advice.plan.worth.score) / (5e-4 * 1e-5)
    assert slope == pytest.approx(advice.plan.price, rel=0.01)


def test_the_frontier_rises_and_holds_the_plan(figures: TableEvidence):
    advice = advise(figures, Wishes(5e-4), resamples=5)
    budgets = [budget for budget, _ in advice.frontier]
    scores = [plan.worth.score for _, plan in advice.frontier]
    assert budgets == sorted(budgets)
    assert all(a <= b + 1e-7 for a, b in itertools.pairwise(scores))
    assert dict(advice.frontier)[5e-4].worth.score == pytest.approx(advice.plan.worth.score)
    assert all(plan.worth.cost <= budget * (1 + 1e-6) for budget, plan in advice.frontier if budget)


def test_a_budget_too_small_is_said(figures: TableEvidence):
    advice = advise(figures, Wishes(budget=1e-5), resamples=5)
    text = " ".join(headline(advice))
    assert advice.least is not None
    assert "cannot serve every query: at most" in text
    assert f"From {advice.least.worth.cost:.4g} USD a query on" in text
    assert advice.plan.worth.served <= advice.most_served + 1e-7 < 1.0
    starved = advise(figures, Wishes(1.0, 2, {"": 0.3}), resamples=5)
    assert "at most 60.0%" in " ".join(headline(starved))
    assert starved.plan.worth.served == pytest.approx(0.6)


def test_what_is_left_open_is_said_and_how_to_change_it(figures: TableEvidence):
    advice = advise(figures, resamples=5)
    assert [line.partition(":")[0] for line in advice.chosen] == ["slots", "throughput", "budget"]
    assert all("--" in line for line in advice.chosen)
    assert advice.limits.budget == pytest.approx(np.median(figures.table.mean_cost()))


def test_a_seed_decides_all(figures: TableEvidence):
    first, again, other = (
        advise(figures, Wishes(5e-4), resamples=8, seed=seed) for seed in (3, 3, 4)
    )
    assert advice_dict(first) == advice_dict(again)
    assert advice_dict(first)["measured"] != advice_dict(other)["measured"]


@pytest.mark.parametrize("wishes", [Wishes(), Wishes(1e-5), Wishes(min_score=0.7)])
def test_json_and_tables_hold_every_kind_of_advice(figures: TableEvidence, wishes: Wishes):
    advice = advise(figures, wishes, resamples=5, source="x")
    content = json.loads(json.dumps(advice_dict(advice), allow_nan=False))
    assert set(content["plan"]["shares"]) == set(content["plan"]["models"])
    assert sum(content["plan"]["shares"].values()) == pytest.approx(content["plan"]["served"])
    for table in advice_tables(advice):
        assert all(len(row) == len(table.columns) for row in table.rows), table.title
    assert len(content["singles"]) == 11


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"budget": 0.0}, "budget"),
        ({"budget": float("nan")}, "budget"),
        ({"max_deployed": 0}, "max_deployed"),
        ({"throughput": 0.0}, "throughput"),
        ({"throughput": {"x": 2.0}}, "throughput of 'x'"),
        ({"min_score": 1.5}, "min_score"),
        ({"min_score": 0.5, "budget": 1.0}, "min_score"),
    ],
)
def test_bad_wishes_are_refused(given, field):
    with pytest.raises(FieldError) as refused:
        Wishes(**given)
    assert refused.value.field == field


def test_wishes_that_do_not_fit_the_data_are_refused(figures: TableEvidence):
    with pytest.raises(FieldError, match="gpt-4"):
        advise(figures, Wishes(throughput={"gpt-5": 0.5}), resamples=2)
    with pytest.raises(FieldError, match=r"min_score = 0\.99: expected at most"):
        advise(figures, Wishes(min_score=0.99), resamples=2)
    with pytest.raises(FieldError, match="resamples"):
        advise(figures, resamples=1)
