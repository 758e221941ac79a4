"""What holds in every episode, whatever the world and the agent."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import make_env, make_world, random_action, worlds

from stageroute_gym.simulator.observation import Observation

RUNS = settings(max_examples=100, deadline=None)
BOTH = pytest.mark.parametrize("continuous", [False, True])
SEEDS = st.integers(0, 1000)


class Step:
    """One step: the mask and observation before it, and what it returned."""

    def __init__(self, before: Observation, action, returned) -> None:
        self.before = before
        self.action = action
        self.observation, self.reward, self.terminated, self.truncated, self.info = returned

    @property
    def routed(self) -> bool:
        return bool(self.before["phase"][0] == 1)


def episode(world, seed, *, continuous, lawless=0.0, policy_seed=0) -> list[Step]:
    env = make_env(world, continuous=continuous)
    rng = np.random.default_rng(policy_seed)
    observation, _ = env.reset(seed=seed)
    assert observation in env.observation_space
    steps: list[Step] = []
    while not steps or not steps[-1].terminated:
        mask = observation["action_mask"]
        assert (mask == env.action_masks()).all()
        action = random_action(rng, mask, continuous=continuous, lawless=lawless)
        steps.append(Step(observation, action, env.step(action)))
        observation = steps[-1].observation
    return steps


@BOTH
@RUNS
@given(worlds(), SEEDS, st.sampled_from([0.0, 0.5]))
def test_observations_lie_in_their_space(continuous, world, seed, lawless):
    space = make_env(world, continuous=continuous).observation_space
    for step in episode(world, seed, continuous=continuous, lawless=lawless):
        assert step.observation in space
        assert step.observation["action_mask"].any()
        assert 0 <= step.reward <= 1


@BOTH
@RUNS
@given(worlds(), SEEDS)
def test_the_books_are_kept(continuous, world, seed):
    problem = world.problem
    steps = episode(world, seed, continuous=continuous)
    cost = np.cumsum([step.info["cost"] for step in steps])
    activations = np.array([step.info["activations"] for step in steps])
    spend = [step.info["spend"] for step in steps]
    assert spend == pytest.approx(cost + activations * problem.deployment_cost)
    stage_of = [0] + [step.info["stage"] for step in steps[:-1]]
    regret = np.zeros(len(steps))
    for i, (stage, step) in enumerate(zip(stage_of, steps, strict=True)):
        model = step.info["model"]
        mean = world.mean_score[stage, model] if model >= 0 else 0.0
        regret[i] = (world.stage_values[stage] - mean) * step.routed
    # The step that ends the episode charges the queries never reached.
    value_of_query = np.repeat(world.stage_values, problem.stage_lengths)
    regret[-1] += value_of_query[steps[-1].info["t"] :].sum()
    assert [step.info["regret"] for step in steps] == pytest.approx(np.cumsum(regret), abs=1e-9)
    routed = np.cumsum([step.routed for step in steps])
    assert [step.info["t"] for step in steps] == routed.tolist()
    unserved = np.cumsum([step.routed and step.info["model"] < 0 for step in steps])
    assert [step.info["declined"] for step in steps] == unserved.tolist()
    for step in steps:
        served = step.info["model"] >= 0
        assert served or (step.reward, step.info["cost"]) == (0.0, 0.0)
        assert step.reward == step.info["score"]


@BOTH
@RUNS
@given(worlds(), SEEDS, st.sampled_from([0.0, 0.5]))
def test_an_episode_ends_at_the_horizon_or_without_budget(continuous, world, seed, lawless):
    problem = world.problem
    steps = episode(world, seed, continuous=continuous, lawless=lawless)
    over = [
        step.info["t"] == problem.horizon
        or (problem.budget_rule == "hard" and step.info["spend"] >= problem.total_budget)
        for step in steps
    ]
    assert [step.terminated for step in steps] == over
    assert not any(step.truncated for step in steps)
    largest = len(problem.stage_lengths) * (min(world.num_models, problem.max_deployed) + 1)
    assert len(steps) <= problem.horizon + largest


@BOTH
@RUNS
@given(worlds(), SEEDS, st.sampled_from([0.0, 0.5]))
def test_only_deployed_models_on_offer_serve(continuous, world, seed, lawless):
    limit = world.problem.max_deployed
    for step in episode(world, seed, continuous=continuous, lawless=lawless):
        deployed = step.observation["deployed"] > 0
        assert deployed.sum() <= limit
        assert (step.observation["available"][deployed] == 1).all()
        if step.info["model"] >= 0:
            assert step.before["deployed"][step.info["model"]] == 1


@BOTH
@RUNS
@given(worlds(), SEEDS)
def test_a_masked_action_is_never_counted_as_forbidden(continuous, world, seed):
    steps = episode(world, seed, continuous=continuous)
    assert steps[-1].info["invalid_actions"] == 0


@RUNS
@given(worlds(), SEEDS)
def test_each_step_changes_exactly_its_counters(world, seed):
    """Any action, legal or not, against what the mask and the phase said before."""
    n = world.num_models
    steps = episode(world, seed, continuous=False, lawless=0.7)
    invalid = declined = activations = 0
    for step in steps:
        legal = step.before["action_mask"][step.action] == 1
        invalid += not legal
        if step.routed:
            served = bool(legal and step.action < n)
            declined += not served
            assert step.info["model"] == (step.action if served else -1)
        else:
            assert step.info["model"] == -1
            assert step.info["activations"] - activations in range(world.problem.max_deployed + 1)
            activations = step.info["activations"]
        counted = step.info["invalid_actions"], step.info["declined"], step.info["activations"]
        assert counted == (invalid, declined, activations)


@RUNS
@given(worlds(budget=5.0, horizon=40, stages=1, stage_starts=(0,), available=None), SEEDS)
def test_no_window_serves_more_than_the_bucket_holds(world, seed):
    """While a model stays deployed: at most burst + alpha (w - 1) queries in any w."""
    steps = episode(world, seed, continuous=False)
    served = np.array([step.info["model"] for step in steps if step.routed])
    problem = world.problem
    for model in range(world.num_models):
        count = np.concatenate([[0], np.cumsum(served == model)])
        for start in range(len(served)):
            windows = np.arange(1, len(served) - start + 1)
            most = problem.burst + world.throughput[model] * (windows - 1)
            assert (count[start + 1 :] - count[start] <= most + 1e-9).all()


def test_a_greedy_agent_gets_the_share_and_the_burst():
    world = make_world(horizon=1000, stages=1, throughput=0.25, burst=7.0, budget=100.0)
    env = make_env(world)
    env.reset(seed=0)
    env.step(0)
    env.step(4)
    served = []
    while True:
        action = 0 if env.action_masks()[0] else 4
        _, _, terminated, _, info = env.step(action)
        served.append(info["model"] == 0)
        if terminated:
            break
    assert served[:7] == [True] * 7
    # 7 tokens at first, and a quarter of one with each of the first 999 queries.
    assert sum(served) == int(7 + 0.25 * 999)


@RUNS
@given(worlds(budget_rule="soft"), SEEDS, st.sampled_from([0.0, 0.5]))
def test_a_model_serves_its_share_of_its_stages_and_one_burst(world, seed, lawless):
    """Whatever the sets: at most alpha of the queries of the stages it was deployed in, + burst."""
    served = np.zeros(world.num_models)
    offered = np.zeros(world.num_models)
    for step in episode(world, seed, continuous=False, lawless=lawless):
        if step.routed:
            offered += step.before["deployed"]
            if step.info["model"] >= 0:
                served[step.info["model"]] += 1
    assert (served <= world.problem.burst + world.throughput * offered + 1e-9).all()


def test_taking_turns_is_no_way_to_more_bursts():
    """T = 400, K = 20, M_max = 1, alpha = .1, burst = 20: at most 2 (20 + .1 * 200) queries."""
    world = make_world(
        models=2, horizon=400, stages=20, max_deployed=1, throughput=0.1, burst=20.0, budget=100.0
    )
    env = make_env(world)
    observation, _ = env.reset(seed=0)
    served, over, info = 0, False, {"stage": 0}
    while not over:
        turn = info["stage"] % 2
        allowed = observation["action_mask"][turn]
        observation, _, over, _, info = env.step(turn if allowed else 2)
        served += info["model"] >= 0
        assert observation["tokens"].max() <= 20
    assert 76 <= served <= 80


@BOTH
@RUNS
@given(worlds(budget=5.0, budget_rule="soft", deployment_cost=0.0), SEEDS)
def test_agents_under_one_seed_meet_the_same_outcomes(continuous, world, seed):
    first, second = (
        episode(world, seed, continuous=kind, lawless=lawless, policy_seed=policy)
        for kind, policy, lawless in ((continuous, 1, 0.0), (False, 2, 0.3))
    )
    shown, met = {}, {}
    for step in first:
        if step.routed:
            shown[step.info["t"]] = step.before["query"].tolist()
            met[step.info["t"], step.info["model"]] = (step.reward, step.info["cost"])
    for step in second:
        t, model = step.info["t"], step.info["model"]
        if step.routed and sum(step.before["deployed"]) and sum(shown[t]):
            assert shown[t] == step.before["query"].tolist()
        if step.routed and model >= 0 and (t, model) in met:
            assert met[t, model] == (step.reward, step.info["cost"])


def test_shared_outcomes_are_met_often():
    """The test above has something to compare: on random policies, hundreds of queries."""
    world = make_world(models=2, horizon=500, budget=5.0, max_deployed=2, mixes=2, rows=50)
    first, second = (
        [s for s in episode(world, 0, continuous=kind, policy_seed=kind) if s.routed]
        for kind in (False, True)
    )
    same = [
        (a.reward, a.info["cost"]) == (b.reward, b.info["cost"])
        for a, b in zip(first, second, strict=True)
        if a.info["model"] == b.info["model"] >= 0
    ]
    assert len(same) > 50
    assert all(same)


def test_episodes_of_one_env_differ_and_none_repeats_a_draw():
    world = make_world(horizon=100, rows=1000, features=1)
    env = make_env(world)
    env.reset(seed=0)
    seen = []
    for _ in range(5):
        env.reset()
        env.step(0)
        env.step(4)
        seen.append(tuple(float(env.step(4)[0]["query"][0]) for _ in range(50)))
    assert len(set(seen)) == 5
    assert len(set(seen[0])) > 40


def test_a_stage_draws_from_its_own_mix():
    world = make_world(horizon=2000, stages=4, mixes=3, rows=10, seed=3, budget=100.0)
    steps = [s for s in episode(world, 0, continuous=False) if s.routed]
    values = {float(np.float32(v)): row for row, v in enumerate(world.table.features[:, 0])}
    stages = []
    counts = np.zeros((4, 10))
    for step in steps:
        stage = int(np.searchsorted(world.problem.stage_bounds, step.info["t"] - 1, "right")) - 1
        counts[stage, values[float(step.before["query"][0])]] += 1
        stages.append(stage)
    shares = counts / counts.sum(axis=1, keepdims=True)
    expected = world.schedule.mixes[world.schedule.stage_mix]
    assert (np.diff(stages) >= 0).all()
    assert abs(shares - expected).max() < 0.08
    assert abs(shares[0] - expected[3]).max() > 0.1


@BOTH
def test_the_delay_hides_outcomes_for_that_many_queries(continuous):
    delay = 5
    world = make_world(horizon=60, stages=2, feedback_delay=delay, budget=100.0)
    steps = [s for s in episode(world, 1, continuous=continuous) if s.routed]
    truth = [(s.info["model"], s.reward, s.info["cost"]) for s in steps]
    for i, step in enumerate(steps):
        seen = truth[: max(0, i + 1 - delay)]
        last = seen[-1] if seen else (-1, 0.0, 0.0)
        shown = tuple(float(step.observation[f"last_{k}"][0]) for k in ("action", "score", "cost"))
        assert shown == pytest.approx(last, rel=1e-6)
        assert step.observation["pulls"].sum() == sum(model >= 0 for model, _, _ in seen)


def test_stages_follow_their_starts():
    world = make_world(horizon=20, stages=3, num_stages=None, stage_starts=(0, 3, 17), budget=100.0)
    steps = episode(world, 0, continuous=False)
    changes = [a.info["t"] for a, b in pairwise(steps) if a.routed and not b.routed]
    assert changes == [3, 17]
