"""Random worlds: what their traits promise, and that the numbers keep their worlds."""

from __future__ import annotations

import collections
import hashlib
import json
import math

import numpy as np
import pytest

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.oracles import servable_share
from stageroute_gym.workloads import RandomWorld
from stageroute_gym.workloads.worlds import draw_traits

NUMBERS = range(24)
FROZEN = "7653251f42524282ef9ffedd991c68b6798ea04bc09b557e7f7e1e7a9bbaa7b5"


def fingerprint(name: str) -> str:
    """SHA-256 of all that a world is made of, outcomes to 14 bits.

    Exponentials of another libm differ in the last of 53.
    """
    world = scenarios.get(name).world()
    # What is drawn; a field that problems get later changes no world.
    drawn = ("horizon", "num_stages", "max_deployed", "throughput", "budget", "feedback_delay")
    problem = world.problem.to_dict()
    text = json.dumps({field: problem[field] for field in drawn})
    digest = hashlib.sha256(text.encode())
    table, schedule = world.table, world.schedule
    for array in (table.score, table.cost, table.list_price, schedule.cost_multiplier):
        mantissa, exponent = np.frexp(array)
        digest.update(np.rint(mantissa * 2**14).astype("<i4").tobytes())
        digest.update(exponent.astype("<i4").tobytes())
    for array in (table.task, schedule.stage_mix, schedule.available):
        digest.update(array.astype("<i8").tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("half", ["tune", "test"])
def test_consecutive_numbers_meet_each_level_in_its_share(half):
    met = [draw_traits(half, number) for number in range(24, 48)]
    assert set(collections.Counter(traits.budget for traits in met).values()) == {6}
    assert set(collections.Counter(traits.models for traits in met).values()) == {6}
    horizons = collections.Counter(traits.horizon for traits in met)
    assert horizons == {"200-1000": 14, "1000-4000": 6, "4000-20000": 2, "20000-200000": 2}
    assert collections.Counter(traits.change for traits in met)["none"] == 9


def test_no_number_has_the_traits_of_its_namesake_in_the_other_half():
    same = [draw_traits("tune", number) == draw_traits("test", number) for number in range(50)]
    assert not any(same)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_world_keeps_what_its_traits_say(number):
    scenario = scenarios.get(f"worlds-tune-{number}")
    world, traits = scenario.world(), RandomWorld(half="tune", world=number).traits
    low, high = (int(end) for end in traits.models.split("-"))
    assert low <= world.num_models <= high
    low, high = (int(end) for end in traits.horizon.split("-"))
    assert low <= world.problem.horizon <= high
    assert world.schedule.available.any(axis=1).all()
    slots, stages = world.problem.max_deployed, world.problem.num_stages
    assert {"one": slots == 1, "some": slots >= 1, "all": slots == world.num_models}[traits.slots]
    low, high = {"one": (1, 1), "few": (2, 30), "many": (30, 300)}[traits.stages]
    assert low <= stages <= min(high, world.problem.horizon)
    carried = np.sort(world.throughput)[::-1][:slots].sum()
    assert {"equal": carried >= 1 - 1e-5, "mixed": True, "below-one": carried < 1}[traits.alphas]
    scores = set(np.unique(world.table.score).tolist())
    if traits.scores == "binary":
        assert scores == {0.0, 1.0}
    if traits.scores == "graded":
        assert scores <= {0.0, 0.25, 0.5, 0.75, 1.0}
    if traits.scores == "tiny":
        assert max(scores) == 1e-3
    if traits.scores == "near-constant":
        for group in np.unique(world.table.task):
            assert (world.table.score[world.table.task == group].std(axis=0) < 0.01).all()
    decades = math.log10(world.table.mean_cost().max() / world.table.mean_cost().min())
    assert decades <= {"near-equal": 0.03, "five-decades": 5.01}.get(traits.costs, 1.01)
    prices = world.table.list_price / world.table.mean_cost()
    if traits.prices == "missing":
        assert (prices == 0).all()
    if traits.prices == "informative":
        assert (np.abs(np.log(prices)) < 1).all()
    if traits.change == "none":
        assert world.schedule.available.all()
        assert len(world.schedule.mixes) == 1
        assert (world.schedule.cost_multiplier == 1).all()
    assert (world.problem.feedback_delay > 0) == (traits.delay == "delayed")


@pytest.mark.parametrize("number", NUMBERS)
def test_budgets_serve_what_their_level_says(number):
    scenario = scenarios.get(f"worlds-test-{number}")
    world, level = scenario.world(), draw_traits("test", number).budget
    caps = np.sort(world.throughput)[::-1][: world.problem.max_deployed].sum()
    dearest = world.table.mean_cost().max()
    if level == "scarce":
        assert world.problem.budget < dearest
        if not draw_traits("test", number).changes("price-cuts") and caps >= 1:
            assert servable_share(world) < 1
    if level == "loose":
        assert dearest * (1 - 1e-5) <= world.problem.budget <= 10 * dearest * (1 + 1e-5)


def test_another_number_draws_another_world_and_the_same_number_the_same():
    one, again, other = (RandomWorld(half="tune", world=number) for number in (5, 5, 6))
    assert one == again
    assert one.problem() == again.problem() != other.problem()
    assert one.table.score.shape != other.table.score.shape


def test_wrong_values_are_told():
    with pytest.raises(FieldError, match=r"half = 'tuna': expected .*tune"):
        RandomWorld(half="tuna")
    with pytest.raises(FieldError, match="world = -1: expected a whole number of at least 0"):
        RandomWorld(half="tune", world=-1)


def test_the_worlds_to_report_on_are_frozen():
    prints = [fingerprint(name) for name in scenarios.suite("worlds-test").scenarios]
    assert hashlib.sha256("".join(prints).encode()).hexdigest() == FROZEN, (
        "a world of worlds-test has changed: what was reported on it holds no longer. If that is "
        "meant, raise the family's version in the catalogue and say so in the changelog"
    )
