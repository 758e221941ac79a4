"""The slots left over, by hand."""

import math

import numpy as np
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.optimize import fill_slots

SCORE = [0.9, 0.5, 0.8, 0.8, 0.8]
COST = [1.0, 0.0, 0.2, 0.2, 0.1]
PULLS = [9, 9, 7, 3, 9]


def filled(price, slots, start=(), available=(1, 1, 1, 1, 1), pulls=PULLS):
    chosen = np.zeros(5, dtype=bool)
    chosen[list(start)] = True
    before = chosen.sum()
    added = fill_slots(chosen, SCORE, COST, price, pulls, available, slots)
    assert chosen.sum() == before + added
    return np.flatnonzero(chosen).tolist()


def test_by_score_at_price_zero():
    assert filled(0.0, 1) == [0]


def test_by_score_less_price_times_cost():
    # At price 1: 0.1, 0.5, 0.6, 0.6, 0.7
    assert filled(1.0, 1) == [4]
    assert filled(1.0, 2) == [3, 4]  # 2 and 3 tie: fewest pulls
    assert filled(1.0, 2, pulls=[0] * 5) == [2, 4]  # then the lowest index


def test_infinite_price_ranks_by_cost():
    assert filled(math.inf, 2) == [1, 4]


def test_chosen_and_unavailable_models_are_left_out():
    assert filled(1.0, 3, start=[0, 4]) == [0, 3, 4]
    assert filled(1.0, 5, start=[0], available=[1, 0, 1, 0, 0]) == [0, 2]
    assert filled(1.0, 2, start=[0, 1]) == [0, 1]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"price": -1.0}, "price"),
        ({"max_deployed": 0}, "max_deployed"),
        ({"pulls": [1]}, "pulls.shape"),
        ({"available": [1]}, "available.shape"),
        ({"chosen": np.zeros(2, bool)}, "chosen.shape"),
        ({"cost": [1.0]}, "cost.shape"),
    ],
)
def test_bad_arguments_are_refused(change, field):
    arguments = {
        "chosen": np.zeros(5, bool),
        "score": SCORE,
        "cost": COST,
        "price": 1.0,
        "pulls": PULLS,
        "available": [True] * 5,
        "max_deployed": 2,
    }
    with pytest.raises(FieldError) as caught:
        fill_slots(**(arguments | change))
    assert caught.value.field == field
