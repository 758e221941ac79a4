"""The horizon oracle against brute force in rational arithmetic, HiGHS, and by hand."""

import math

import numpy as np
import pytest
from rational import best_value
from scipy.optimize import Bounds, LinearConstraint, milp

from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import combining, horizon_oracle, stage_oracle


def highs_horizon(score, cost, available, lengths, budget, throughput, slots):
    """The value of the whole programme by HiGHS."""
    stages, models = score.shape
    size = stages * models
    caps = np.where(available, throughput, 0.0).ravel()
    sums, none = np.kron(np.eye(stages), np.ones((1, models))), np.zeros((stages, size))
    spend = (lengths[:, None] * cost).ravel() / (budget * lengths.sum())
    result = milp(
        -np.concatenate([(lengths[:, None] * score).ravel() / lengths.sum(), np.zeros(size)]),
        constraints=[
            LinearConstraint(np.concatenate([spend, np.zeros(size)])[None], -np.inf, 1),
            LinearConstraint(np.hstack([sums, none]), -np.inf, 1),
            LinearConstraint(np.hstack([none, sums]), -np.inf, slots),
            LinearConstraint(np.hstack([np.eye(size), -np.diag(caps)]), -np.inf, 0),
        ],
        integrality=np.repeat([0, 1], size),
        bounds=Bounds(0, np.concatenate([caps, np.ones(size)])),
        options={"mip_rel_gap": 0},
    )
    return -result.fun * lengths.sum()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_equals_highs_and_bounds_the_stage_oracle(seed):
    rng = np.random.default_rng(seed)
    ordered = 0
    for kind in range(100):
        stages, models, slots = (int(rng.integers(1, top)) for top in (6, 7, 5))
        score, cost = rng.random((stages, models)), rng.random((stages, models))
        if kind % 3 == 1:
            score, cost = score.round(1), cost.round(1)
        if kind % 3 == 2:
            score[:], cost[:] = score[0], cost[0]
        available = rng.random((stages, models)) < 0.8
        lengths = rng.integers(0, 100, stages).astype(float)
        lengths[0] += 1
        caps = rng.random(models) if rng.random() < 0.5 else rng.choice([0.2, 0.25, 0.4, 1.0])
        budget = float(rng.choice([0.1, 0.3, 0.5, 1.0]))
        usd = 1e-4
        plan = horizon_oracle(score, cost * usd, available, lengths, budget * usd, caps, slots)
        assert (plan.weights >= 0).all()
        assert (plan.weights <= np.where(available, caps, 0.0) + 1e-12).all()
        assert (plan.weights.sum(axis=1) <= 1 + 1e-9).all()
        assert (np.count_nonzero(plan.weights, axis=1) <= slots).all()
        assert plan.spend <= budget * usd * lengths.sum() * (1 + 1e-9)
        reference = highs_horizon(score, cost, available, lengths, budget, caps, slots)
        assert plan.value == pytest.approx(reference, rel=1e-9, abs=1e-9)
        values, _, feasible = stage_oracle(score, cost * usd, available, budget * usd, caps, slots)
        if feasible.all():
            ordered += 1
            assert values @ lengths <= plan.value * (1 + 1e-9) + 1e-9
    assert ordered > 20


SCALES = ("even", "far apart", "tiny", "ties", "one dear model", "equal stages", "free")


def draw_stages(rng, scale):
    """Stages, and a budget between a tenth of the cheapest and ten times the dearest."""
    stages, models = int(rng.integers(1, 5)), int(rng.integers(1, 5))
    shape = stages, models
    score, cost = rng.random(shape), rng.random(shape)
    match scale:
        case "far apart":
            score, cost = 10 ** rng.uniform(-6, 0, shape), 10 ** rng.uniform(-12, 4, shape)
        case "tiny":
            score, cost = 10 ** rng.uniform(-6, -4, shape), 10 ** rng.uniform(-12, -9, shape)
        case "ties":
            score, cost = rng.integers(0, 4, shape) / 4, rng.integers(0, 4, shape) / 4
        case "one dear model":
            cost[:, 0] *= 1e6
        case "equal stages":
            score[:], cost[:] = score[0], cost[0]
        case "free":
            cost[:, rng.random(models) < 0.7] = 0.0
    available = rng.random(shape) < 0.85
    lengths = rng.integers(1, 60, stages) if rng.random() < 0.5 else np.full(stages, 10)
    caps = rng.uniform(0.03, 1, models) if rng.random() < 0.5 else rng.choice([0.1, 0.4, 0.5, 1])
    paid = np.log10(cost[cost > 0]) if (cost > 0).any() else np.zeros(1)
    tight = 10 ** rng.uniform(paid.min() - 1, paid.max() + 1)
    budget = float(tight if rng.random() < 0.5 else rng.uniform(0.05, 1) * 10 ** np.median(paid))
    return score, cost, available, lengths.astype(float), budget, caps, int(rng.integers(1, 4))


@pytest.mark.parametrize("scale", SCALES)
def test_equals_brute_force_at_every_scale(scale):
    for seed in range(60):
        arguments = draw_stages(np.random.default_rng(seed), scale)
        score, _, available, lengths, budget, caps, slots = arguments
        plan = horizon_oracle(*arguments)
        assert plan.value == pytest.approx(best_value(*arguments), rel=1e-10, abs=0.0), seed
        assert plan.value == pytest.approx((lengths @ (plan.weights * score)).sum(), rel=1e-12)
        assert (plan.weights >= 0).all()
        assert (plan.weights <= np.where(available, caps, 0.0) * (1 + 1e-12)).all()
        assert (plan.weights.sum(axis=1) <= 1 + 1e-12).all()
        assert (np.count_nonzero(plan.weights, axis=1) <= slots).all()
        assert plan.spend <= budget * lengths.sum() * (1 + 1e-11)


def test_a_budget_far_below_the_costs_is_not_lost_in_tolerances():
    score, cost = [[6e-6, 2e-7, 9e-5]], [[0.0035, 0.23, 0.67]]
    everywhere = np.ones((1, 3), bool)
    plan = horizon_oracle(score, cost, everywhere, [70], 0.0035, [0.03, 0.35, 0.65], 1)
    # All to the third model, as far as the budget reaches: 70 * 9e-5 * 0.0035 / 0.67.
    assert plan.value == pytest.approx(70 * 9e-5 * 0.0035 / 0.67, rel=1e-14)


@pytest.mark.parametrize("slots", [1, 2])
def test_equal_stages_may_do_different_things(slots):
    # Six stages of ten queries. The budget pays for neither one set in all nor a switch on a stage.
    score, cost = np.tile([0.3, 0.55, 0.9], (6, 1)), np.tile([0.1, 0.37, 1.0], (6, 1))
    lengths = np.array([10.0, 10, 10, 10, 9, 9])
    for budget in np.linspace(0.12, 0.9, 9).tolist():
        arguments = score, cost, np.ones((6, 3), bool), lengths, budget, [1.0, 0.7, 0.8], slots
        assert horizon_oracle(*arguments).value == pytest.approx(best_value(*arguments), rel=1e-10)


@pytest.mark.parametrize("kind", ["equal", "arrivals", "different", "lengths"])
@pytest.mark.parametrize("slots", [1, 2])
def test_many_stages_cost_little_more_work(kind, slots, monkeypatch):
    # What could grow beyond measure is the number of combinations, so these are counted.
    sizes = []

    def counted(*arguments, **keywords):
        layers = enumerate_states(*arguments, **keywords)
        sizes.append(max(len(states.loss) for states in layers))
        return layers

    enumerate_states = combining._enumerate
    monkeypatch.setattr(combining, "_enumerate", counted)
    rng = np.random.default_rng(3)
    stages, models = (60 if kind == "lengths" else 1000), 11
    score = rng.random((stages, models))
    cost = 10 ** rng.uniform(-1, 0, score.shape) * score
    if kind != "different":
        score[:], cost[:] = score[0], cost[0]
    available = np.ones(score.shape, bool)
    if kind == "arrivals":
        available = np.arange(stages)[:, None] >= stages * (np.arange(models) - 3) / models
    lengths = rng.integers(50, 400, stages) if kind == "lengths" else 36 + np.arange(stages) % 2
    for budget in (0.1, 0.2, 0.3):
        plan = horizon_oracle(score, cost, available, lengths, budget, 0.6, slots)
        free = horizon_oracle(score, cost, available, lengths, budget, 0.6, models)
        assert 0.6 * free.value < plan.value <= free.value * (1 + 1e-12)
        assert (np.count_nonzero(plan.weights, axis=1) <= slots).all()
        assert plan.spend <= budget * lengths.sum() * (1 + 1e-11)
    assert max(sizes, default=0) < 2e5


def test_by_hand_the_budget_moves_to_the_later_stage():
    # 100 queries each; stage 1 buys 0.1 for 1 USD, stage 2 buys 0.9 for 2 USD.
    score, cost = [[0.1, 0.0], [0.1, 0.9]], [[1.0, 0.0], [1.0, 2.0]]
    everywhere = np.ones((2, 2), dtype=bool)
    plan = horizon_oracle(score, cost, everywhere, [100, 100], 1.0, 1.0, 2)
    np.testing.assert_allclose(plan.weights[1], [0.0, 1.0], atol=1e-12)
    assert plan.value == pytest.approx(90.0)
    assert plan.spend == pytest.approx(200.0)
    assert stage_oracle(score, cost, everywhere, 1.0, 1.0, 2)[0].sum() * 100 < plan.value


def test_by_hand_declining_what_is_not_affordable():
    plan = horizon_oracle([[0.8]], [[2.0]], [[True]], [50], 1.0, 1.0, 1)
    assert plan.value == pytest.approx(20.0)
    assert plan.spend == pytest.approx(50.0)
    assert plan.price == pytest.approx(0.4)


def test_by_hand_a_loose_budget_has_no_price():
    plan = horizon_oracle([[0.8, 0.9]], [[2.0, 1.0]], [[True, True]], [50], math.inf, 0.6, 2)
    np.testing.assert_allclose(plan.weights, [[0.4, 0.6]])
    assert plan.price == 0.0


def test_without_a_limit_the_oracle_is_at_least_as_strong():
    rng = np.random.default_rng(2)
    score, cost = rng.random((6, 8)), rng.random((6, 8))
    rest = (np.ones((6, 8), dtype=bool), np.full(6, 10.0), 0.3, rng.uniform(0.1, 0.3, 8))
    limited = horizon_oracle(score, cost, *rest, 3)
    free = horizon_oracle(score, cost, *rest, 8)
    assert (np.count_nonzero(limited.weights, axis=1) <= 3).all()
    assert free.value > limited.value


def test_nothing_available():
    plan = horizon_oracle([[0.8]], [[2.0]], [[False]], [50], 1.0, 1.0, 1)
    assert (plan.value, plan.price, plan.spend) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("lengths", "field"), [([1.0, 2.0], "stage_lengths.shape"), ([-1.0], "stage_lengths")]
)
def test_bad_lengths_are_refused(lengths, field):
    with pytest.raises(FieldError) as caught:
        horizon_oracle([[0.1]], [[1.0]], [[True]], lengths, 1.0, 1.0, 1)
    assert caught.value.field == field
