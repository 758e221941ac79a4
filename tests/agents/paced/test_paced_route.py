"""PacedRoute: its budget by hand, its parts in the worlds they are for, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest
from stageroute_agents.paced.paced_route import PacedRoute
from stageroute_agents.paced.task_route import query_budget

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation import compare, evaluate
from stageroute_gym.vector import StageRouteContinuousVectorEnv, StageRouteVectorEnv

SHORT = {"scenario": "routerbench", "horizon": 1_000}


@pytest.fixture
def env():
    return StageRouteContinuousVectorEnv(1, **SHORT)


def allowed(agent, env, *, phase, queries, budget_left, **state):
    """What a query may cost from now on, in budgets ``b``."""
    observation, _ = env.reset(seed=0)
    known = agent.initial_state(1)
    known["queries"][:] = queries
    known |= {name: np.array([value]) for name, value in state.items()}
    batch = {**observation, "phase": np.full((1, 1), phase, np.float32)}
    batch["budget_left"] = np.full((1, 1), budget_left, np.float32)
    row = np.array([0])
    if phase == 0:
        _, budget = agent._budget(batch, known, row)
        return budget[0] / env.problem.budget
    left, kept = agent._left(batch, known, row)[0], known["budget_kept"][0]
    end = agent.stage_ends[agent.stages(np.array([queries]))[0]]
    return query_budget(left, kept, queries, end, env.problem.horizon) / env.problem.budget


def test_budget_is_what_is_left_over_the_queries_left(env):
    step = {"phase": 1, "queries": 750, "budget_left": 0.5}
    assert allowed(PacedRoute(env.agent_context), env, **step) == pytest.approx(2.0)
    step["phase"] = 0
    assert allowed(PacedRoute(env.agent_context, pace=False), env, **step) == 1.0


def test_a_stage_keeps_what_was_planned_for_those_after_it(env):
    """22 stages: query 750 belongs to stage 16, which ends with query 772."""
    kept = 0.4 * env.problem.total_budget
    step = {"queries": 750, "budget_left": 0.5, "budget_kept": kept}
    assert allowed(PacedRoute(env.agent_context), env, phase=1, **step) == pytest.approx(
        100 / 22, rel=1e-5
    )
    # The next stage is planned with all there is.
    assert allowed(PacedRoute(env.agent_context), env, phase=0, **step) == pytest.approx(2.0)


def test_late_feedback_counts_as_spent():
    env = StageRouteContinuousVectorEnv(1, feedback_delay=100, **SHORT)
    pending = np.zeros(11)
    pending[0] = 50.0
    cost = np.full((1, 11), 4 * env.problem.budget)
    step = {"phase": 1, "queries": 500, "budget_left": 0.5, "pending": pending, "cost": cost}
    assert allowed(PacedRoute(env.agent_context), env, **step) == pytest.approx((500 - 200) / 500)
    assert allowed(
        PacedRoute(env.agent_context, count_pending=False), env, **step
    ) == pytest.approx(1.0)


def play(env, agent, steps):
    observation, _ = env.reset(seed=0)
    state = None
    for _ in range(steps):
        action, state = agent.predict(observation, state)
        observation, _, _, _, infos = env.step(action)
    return state, infos


@pytest.mark.parametrize("cls", [StageRouteContinuousVectorEnv, StageRouteVectorEnv])
def test_pending_queries_are_those_routed_and_not_yet_observed(cls):
    env = cls(3, feedback_delay=40, **SHORT)
    agent = PacedRoute(env.agent_context)
    state, infos = play(env, agent, 400)
    # The step at hand is routed, but not yet over when the state was written.
    expected = np.where(infos["t"] > 40, 41, infos["t"])
    np.testing.assert_allclose(state["pending"].sum(axis=1), expected, atol=1.5)
    assert state["cells"][..., 0].sum() > 600


def test_evidence_is_what_the_environment_shows():
    """Without forgetting its sums are the observation's pulls and means."""
    env = StageRouteContinuousVectorEnv(2, scenario="per-task", horizon=1_000)
    agent = PacedRoute(env.agent_context, forget=False)
    observation, _ = env.reset(seed=0)
    state = None
    for _ in range(600):
        action, state = agent.predict(observation, state)
        seen = {name: np.array(observation[name]) for name in ("pulls", "mean_score", "mean_cost")}
        observation, *_ = env.step(action)
    cells = state["cells"]
    assert cells.shape == (2, 8, 11, 5)
    np.testing.assert_array_equal(cells[..., 0].sum(axis=1), seen["pulls"])
    np.testing.assert_allclose(
        cells[..., 1].sum(axis=1), seen["pulls"] * seen["mean_score"], rtol=1e-5
    )
    np.testing.assert_allclose(
        cells[..., 4].sum(axis=1), seen["pulls"] * seen["mean_cost"], rtol=1e-5
    )
    assert (cells[..., 0].sum(axis=2) > 0).all()  # every task was met


def decide(env, agent, *, queries, budget_left=1.0, number=40.0, **state):
    """Shares for one query of two deployed models, the second with few outcomes."""
    observation, _ = env.reset(seed=0)
    known = agent.begin([0])
    known["queries"][:] = queries
    models = env.agent_context.num_models
    known["score"][0, 0, :2], known["cost"][0, 0, :] = (0.6, 0.55), state["cost"]
    known["deviation"][0, 0, 1], known["noise"][:] = 0.4 / np.sqrt(number), 0.4
    deployed = np.zeros((1, models), np.float32)
    deployed[0, :2] = 1.0
    batch = {**observation, "phase": np.ones((1, 1), np.float32), "deployed": deployed}
    batch["budget_left"] = np.full((1, 1), budget_left, np.float32)
    return agent.route(batch, known, np.array([0]))[0, :2]


@pytest.fixture
def loose():
    return StageRouteVectorEnv(1, scenario="routerbench", horizon=1_000, throughput=1.0)


def test_it_stops_exploring_as_the_end_comes_near(loose):
    """The second model may be the better one; to find out takes some of the queries left."""
    agent, cost = PacedRoute(loose.agent_context), 0.1 * loose.problem.budget
    np.testing.assert_array_equal(decide(loose, agent, queries=100, cost=cost), [0.0, 1.0])
    np.testing.assert_array_equal(decide(loose, agent, queries=990, cost=cost), [1.0, 0.0])
    greedy = PacedRoute(loose.agent_context, width=0.0)
    np.testing.assert_array_equal(decide(loose, greedy, queries=100, cost=cost), [1.0, 0.0])


def test_where_the_budget_does_not_bind_costs_do_not_matter(loose):
    agent = PacedRoute(loose.agent_context)
    costs = np.full(loose.agent_context.num_models, 1e-3 * loose.problem.budget)
    costs[0] = 0.9 * loose.problem.budget
    shares = decide(loose, agent, queries=990, cost=costs)
    np.testing.assert_array_equal(shares, [1.0, 0.0])


def test_where_the_budget_cannot_serve_all_it_declines(loose):
    agent, cost = PacedRoute(loose.agent_context), 4 * loose.problem.budget
    shares = decide(loose, agent, queries=990, budget_left=0.01, cost=cost)
    np.testing.assert_allclose(shares, [0.25, 0.0], rtol=1e-6)


def test_a_scarce_budget_lasts():
    seeds = range(3)
    rows = evaluate("paced-route", "routerbench", seeds, budget=6e-5, horizon=2_000)
    assert (rows["declined"] > 100).all()
    reached = (rows["served"] + rows["declined"]) / rows["horizon"]
    assert reached.min() > 0.95
    assert rows["spend_over_budget"].max() < 1.05


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("width", -1.0),
        ("price_slope", float("inf")),
        ("cell_prior", 0.0),
    ],
)
def test_bad_parameters(env, field, value):
    with pytest.raises(FieldError, match=field):
        PacedRoute(env.agent_context, **{field: value})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "part"),
    [
        ("routerbench-tight", "pace"),
        ("price-cut", "share_stages"),
        ("regression", "forget"),
        ("outage", "use_prices"),
        ("delayed", "count_pending"),
        ("per-task", "per_task"),
    ],
)
def test_each_part_pays_where_it_is_meant_to(scenario, part):
    """Paired by seed, the interval of the gain lies above 0."""
    seeds = range(2_000, 2_010)
    whole = evaluate("paced-route", scenario, seeds)
    without = evaluate("paced-route", scenario, seeds, agent_parameters={part: False})
    gain = compare(
        whole.vstack(without),
        "paced-route",
        f"paced-route({part}=False)",
    )
    assert gain["low"][0] > 0
    assert whole["spend_over_budget"].max() < 1.01


@pytest.mark.slow
def test_beats_stageroute_within_the_budget():
    seeds = range(100, 108)
    paced = evaluate("paced-route", "routerbench", seeds)
    reference = evaluate("stageroute", "routerbench", seeds)
    assert paced["spend_over_budget"].max() < 1.01
    assert (paced["score"].to_numpy() > reference["score"].to_numpy()).all()


def test_only_what_is_told_one_hot_is_a_task():
    numbers = StageRouteVectorEnv(1, scenario="per-query", horizon=100)
    assert numbers.agent_context.num_features == 8
    assert PacedRoute(numbers.agent_context).num_tasks == 1
    both = numbers.agent_context.replace(num_tasks=3)
    assert PacedRoute(both).num_tasks == 3
    tasks = StageRouteVectorEnv(1, scenario="per-task", horizon=100)
    assert PacedRoute(tasks.agent_context).num_tasks == 8
    assert PacedRoute(tasks.agent_context, per_task=False).num_tasks == 1


@pytest.mark.parametrize("env_id", ["StageRoute-v0", "StageRouteContinuous-v0"])
def test_without_prices_a_dear_model_that_comes_first_locks_no_cheap_one_out(env_id):
    """Where untried models were taken as dear, the worst of these seeds came to 0.25 and 0.04."""
    problem = {"scenario": "routerbench-tight", "budget": 5e-5, "env_id": env_id}
    found = evaluate(
        "paced-route", seeds=range(10), agent_parameters={"use_prices": False}, **problem
    )
    assert found["score_over_horizon_oracle"].min() > 0.85
