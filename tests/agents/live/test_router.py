"""The router's budgets, windows and refusals."""

from __future__ import annotations

import asyncio
import itertools
import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from gymnasium.error import InvalidAction
from stageroute_agents.live import Router, requests
from traffic import small_context

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.entries import Entry

NOON = 1_780_000_000.0 - 1_780_000_000.0 % 86_400 + 43_200


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Stray:
    """An agent whose first routing action is none: of a model that there is not, or NaN."""

    def __init__(self, context, *, seed=0, stray=0.0):
        self.stray = stray
        self.env_id = "StageRouteContinuous-v0" if context.continuous else "StageRoute-v0"

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        models = observation["available"].shape[1]
        routing = observation["phase"][0, 0] > 0
        if self.env_id == "StageRoute-v0":
            return np.array([int(self.stray) if routing else 0]), state
        return np.full((1, models), self.stray if routing else 1.0), state


def serve(router: Router, *, cost: float = 1e-3, score: float = 0.5, queries: int = 1) -> int:
    """Serve queries at a fixed cost until some are refused; how many were served."""
    for served in range(queries):
        decision = router.choose()
        if decision.id is None:
            return served
        router.record(decision.id, score, cost=cost)
    return queries


def test_what_is_in_flight_counts_at_its_expected_cost():
    context = small_context(budget=1e-3, horizon=100, num_stages=1)
    router = Router(context, "cheapest")
    # Before a cost is known, the list price: 0.1 USD are committed by 500 requests of 2e-4.
    open_requests = []
    while (decision := router.choose()).id is not None and len(open_requests) < 100:
        open_requests.append(decision)
    assert len(open_requests) == 100
    assert router.spend == 0
    prices = dict(zip(context.models, context.list_prices, strict=True))
    expected = sum(prices[decision.model] for decision in open_requests)
    assert router.committed == pytest.approx(expected)
    router.record(open_requests[0].id, 1.0, cost=0.05)
    assert router.spend == 0.05


def test_a_hard_budget_is_exceeded_by_no_more_than_what_is_in_flight():
    rng = np.random.default_rng(0)
    router = Router(small_context(horizon=1_000, feedback_delay=8), "stageroute")
    flying: list[str] = []
    for _ in range(3_000):
        decision = router.choose()
        if decision.id is not None:
            flying.append(decision.id)
        if flying and (len(flying) >= 8 or decision.id is None):
            router.record(
                flying.pop(rng.integers(len(flying))), rng.random(), cost=rng.random() / 100
            )
    for request in flying:
        router.record(request, 0.0, cost=0.01)
    assert 1.0 - 0.01 <= router.spend <= 1.0 + 9 * 0.01
    assert router.choose().reason == "budget"


def test_a_task_is_told_by_its_name():
    names = ("task:code", "task:*", "feature:length")
    context = small_context().replace(num_features=3, num_tasks=2, feature_names=names)
    by_name, by_hand = (Router(context, "linucb", seed=1) for _ in range(2))
    for task, shown in (("code", (1, 0)), ("poem", (0, 1)), ("*", (0, 1)), ("code", (1, 0))):
        assert by_name.choose([0.5], task=task).model == by_hand.choose([*shown, 0.5]).model
    with pytest.raises(FieldError, match=r"expected 1 finite numbers"):
        by_name.choose(task="code")
    with pytest.raises(FieldError, match=r"3 finite numbers.*or task=, one of code, \*"):
        by_name.choose()
    known = Router(context.replace(feature_names=("task:code", "task:chat", "x")), "linucb")
    with pytest.raises(FieldError, match="task = 'coda': expected 'code', the nearest name"):
        known.choose([0.5], task="coda")
    with pytest.raises(FieldError, match="task = 'code': expected None: it knows no tasks"):
        Router(small_context(), "linucb").choose(task="code")


@pytest.mark.parametrize("agent", ["stageroute", "linucb"])
def test_a_request_without_an_outcome_is_charged_as_expected_until_it_is_found(agent, tmp_path):
    clock = Clock()
    arguments = {"store": tmp_path / "store", "timeout": 60.0, "clock": clock}
    context = small_context(budget=1.0)
    router = Router(context, agent, **arguments)
    assert serve(router, cost=3e-3, queries=20) == 20
    silent = router.choose()
    clock.now += 59
    serve(router)
    assert router.report()["lost"] == 0
    before = router.committed
    expected = router.report()["models"][silent.model]["mean_cost"]
    clock.now += 1
    flying = router.choose()
    report = router.report()
    assert (report["lost"], report["without_outcome"]) == (1, 2)
    assert sum(model["in_flight"] for model in report["models"].values()) == 1
    # What was committed is spent now, and what the agent sees of it.
    assert router.spend == pytest.approx(before)
    assert router._episode.books.observation(None)["budget_left"][0] == pytest.approx(
        1 - before / 1000, rel=1e-6
    )
    # A kill changes nothing of it.
    router._store.close()
    router = Router(context, agent, **arguments)
    assert {**router.report(), "refused": 0} == {**report, "refused": 0}
    router.record(silent.id, 1.0, cost=1e-4)
    assert router.spend == pytest.approx(before - expected + 1e-4)
    assert router.report()["lost"] == 0
    with pytest.raises(FieldError, match="still to be recorded"):
        router.record(silent.id, 1.0, cost=1e-4)
    router.record(flying.id, 1.0, cost=1e-4)
    serve(router)
    assert router._episode.books.observation(None)["budget_left"][0] == pytest.approx(
        1 - (router.spend - 1e-3) / 1000, rel=1e-6
    )
    assert router.report()["without_outcome"] == 0


def test_lost_requests_count_against_a_hard_budget_of_their_own_day():
    clock = Clock()
    context = small_context(horizon=100, num_stages=1, budget=1e-4)
    router = Router(context, "cheapest", renew="day", timeout=60.0, clock=clock)
    # 0.01 USD, of which the cheapest model is expected to take 2e-4 a request.
    for _ in range(200):
        clock.now += 61
        last = router.choose()
        if last.id is None:
            break
    report = router.report()
    assert last.reason == "budget"
    assert report["routed"] == 50
    assert report["lost"] == 49
    assert report["committed"] == pytest.approx(0.01)
    clock.now += 86_400
    assert router.choose().id is not None
    report = router.report()
    assert (report["lost"], report["spend"]) == (50, 0)
    assert report["total_spend"] == pytest.approx(0.01)
    # The first id of the day before: its charge is corrected there.
    router.record(f"{router._token}-0", 0.0, cost=1e-3)
    assert router.report()["total_spend"] == pytest.approx(0.01 - 2e-4 + 1e-3)
    assert router.spend == 0


def test_of_too_many_lost_requests_the_oldest_are_given_up(monkeypatch):
    monkeypatch.setattr(requests, "MOST_KEPT", 3)
    clock = Clock()
    router = Router(small_context(), "stageroute", timeout=1.0, clock=clock)
    silent = [router.choose() for _ in range(5)]
    clock.now += 1
    router.choose()
    assert router.report()["lost"] == 3
    with pytest.raises(FieldError, match="longer than those of"):
        router.record(silent[1].id, 1.0, cost=1e-3)
    router.record(silent[2].id, 1.0, cost=1e-3)


def test_the_horizon_ends_without_renewal():
    router = Router(small_context(horizon=5, num_stages=1, budget=1.0), "uniform")
    assert serve(router, queries=9) == 5
    assert router.choose() == (None, None, "horizon")


@pytest.mark.parametrize(("renew", "days"), [("day", 1), ("month", 31)])
@pytest.mark.parametrize("agent", ["stageroute", "paced-route", "linucb", "budgeted-thompson"])
def test_a_renewed_budget_forgets_the_spend_and_nothing_else(agent, renew, days, tmp_path):
    clock = Clock()
    context = small_context(horizon=50, num_stages=2, budget=1e-3)
    arguments = {"store": tmp_path / "store", "renew": renew, "clock": clock}
    with Router(context, agent, **arguments) as router:
        assert serve(router, queries=200) == 50
        assert router.choose().reason == "budget"
        late = None
        clock.now += days * 86_400
        late = router.choose()
        assert late.id is not None
        report = router.report()
        assert report["spend"] == 0
        assert report["total_spend"] == pytest.approx(0.05)
        assert sum(model["outcomes"] for model in report["models"].values()) == 50
        clock.now += days * 86_400
        assert serve(router) == 1
        # That of an earlier day is not charged to this one.
        router.record(late.id, 1.0, cost=0.02)
        assert router.spend == pytest.approx(1e-3)
    with Router(context, agent, **arguments) as router:
        assert router.report()["total_spend"] == pytest.approx(0.071)
        assert serve(router, queries=200) == 49


def test_more_traffic_than_expected_shares_what_is_left():
    clock = Clock()
    router = Router(small_context(horizon=20, num_stages=2), "stageroute", renew="day", clock=clock)
    assert serve(router, queries=70, cost=2e-4) == 70
    assert router.spend == pytest.approx(0.014)


def test_windows_by_clock():
    clock = Clock()
    context = small_context(num_stages=100, max_deployed=1)
    router = Router(context, "uniform", windows=("03:00", "15:00"), clock=clock)
    router.available(["small"])
    serve(router)
    router.available(["medium", "small"])
    assert serve(router, queries=50) == 50
    assert router.deployed == ("small",)
    sets = set()
    for _ in range(40):
        clock.now += 43_200
        serve(router)
        sets.add(router.deployed)
    assert sets == {("small",), ("medium",)}


def test_a_clock_that_runs_backwards_stands_still():
    clock = Clock()
    router = Router(small_context(), "stageroute", renew="day", windows=("03:00",), clock=clock)
    assert serve(router, queries=5) == 5
    clock.now -= 1e6
    assert serve(router, queries=5) == 5
    assert router.report()["spend"] == pytest.approx(0.01)


def test_a_withdrawn_model_gets_no_query_more_and_one_on_offer_can_be_deployed():
    router = Router(small_context(max_deployed=1, num_stages=1), "stageroute")
    router.available(["large"])
    assert router.choose().model == "large"
    router.available(["small"])
    assert router.offered == ("small",)
    assert router.choose().model == "small"
    router.available([])
    assert router.choose() == (None, None, "declined")


def test_a_cost_first_and_its_score_later():
    router = Router(small_context(), "stageroute")
    decision = router.choose()
    router.record(decision.id, cost=2e-3)
    assert router.spend == 2e-3
    with pytest.raises(FieldError, match="cost"):
        router.record(decision.id, cost=2e-3)
    router.choose()
    model = router.report()["models"][decision.model]
    assert (model["outcomes"], model["mean_cost"]) == (0, 2e-3)
    router.record(decision.id, 0.25)
    router.choose()
    model = router.report()["models"][decision.model]
    assert (model["outcomes"], model["mean_score"], model["mean_cost"]) == (1, 0.25, 2e-3)
    assert router.spend == 2e-3


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("cost", {"cost": math.nan}),
        ("cost", {"cost": -1e-9}),
        ("cost", {"cost": math.inf}),
        ("cost", {"cost": "free"}),
        ("score", {"score": 1.5, "cost": 1e-3}),
        ("score", {"score": math.nan, "cost": 1e-3}),
        ("score", {}),
        ("cost", {"final": True}),
        ("final", {"final": "yes", "cost": 1e-3}),
    ],
)
def test_bad_outcomes_change_nothing(field, values):
    router = Router(small_context(), "stageroute")
    decision = router.choose()
    before = router.report()
    with pytest.raises(FieldError) as raised:
        router.record(decision.id, **values)
    assert raised.value.field == field
    assert router.report() == before
    router.record(decision.id, 1.0, cost=1e-3)


def test_unknown_ids_models_and_features():
    router, other = (Router(small_context(), "stageroute") for _ in range(2))
    decision = router.choose()
    for name in (other.choose().id, "", "7", f"{decision.id}0", None):
        with pytest.raises(FieldError, match="id = "):
            router.record(name, 1.0, cost=1e-3)
    router.record(decision.id, 1.0, cost=1e-3)
    with pytest.raises(FieldError, match="still to be recorded"):
        router.record(decision.id, 1.0, cost=1e-3)
    with pytest.raises(FieldError, match=r"models = 'smal': expected 'small', the nearest"):
        router.available(["medium", "smal"])
    assert router.offered == ("small", "medium", "large")
    with pytest.raises(FieldError, match="features"):
        router.choose([1.0])
    described = Router(small_context(num_features=2), "linucb")
    for features in (None, [1.0], [1.0, math.nan], "ab"):
        with pytest.raises(FieldError, match="features"):
            described.choose(features)
    assert described.choose([0.5, 1]).id is not None


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("windows", {"windows": ["3am"]}),
        ("windows", {"windows": "03:00"}),
        ("windows", {"windows": ["03:00", "03:00"]}),
        ("renew", {"renew": "week"}),
        ("timeout", {"timeout": 0}),
        ("timeout", {"timeout": math.nan}),
        ("seed", {"seed": -1}),
    ],
)
def test_bad_arguments(field, arguments):
    with pytest.raises(FieldError) as raised:
        Router(small_context(), "stageroute", **arguments)
    assert raised.value.field == field


def test_agents_that_know_the_truth_are_refused():
    with pytest.raises(FieldError, match="knows the truth"):
        Router(small_context(), "oracle")


def test_threads_share_a_router(tmp_path):
    router = Router(small_context(budget=1.0), "stageroute", store=tmp_path / "store")
    ids: list[str] = []
    lock = threading.Lock()

    def client(number: int) -> None:
        for _ in range(50):
            decision = router.choose()
            assert decision.id is not None
            router.record(decision.id, number / 8, cost=1e-3)
            with lock:
                ids.append(decision.id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(client, range(8)))
    assert len(set(ids)) == 400
    assert router.spend == pytest.approx(0.4)
    assert router.report()["without_outcome"] == 0


def test_tasks_of_one_event_loop_share_a_router():
    router = Router(small_context(budget=1.0), "paced-route")

    async def client() -> None:
        for _ in range(20):
            decision = router.choose()
            await asyncio.sleep(0)
            router.record(decision.id, 1.0, cost=1e-3)

    async def clients() -> None:
        await asyncio.gather(*itertools.starmap(client, [()] * 8))

    asyncio.run(clients())
    assert router.report()["scored"] == 160


@pytest.mark.parametrize(
    ("actions", "stray"),
    [("discrete", -1), ("discrete", 10**9), ("continuous", math.nan), ("continuous", 2.0)],
)
def test_an_action_that_the_environment_refuses_is_refused(actions, stray):
    context = small_context(actions=actions)
    router = Router(context, Entry.resolved("test_router:Stray", {"stray": stray}))
    with pytest.raises(InvalidAction, match="action"):
        router.choose()
    assert router.committed == 0
