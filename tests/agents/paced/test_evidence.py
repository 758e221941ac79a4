"""What PacedRoute remembers: sums by hand, and changes that are found or not there."""

from __future__ import annotations

import math

import numpy as np
from stageroute_agents.paced.evidence import (
    COST_SUM,
    COSTS,
    NUM_SUMS,
    NUM_WATCHED,
    SCORE_SUM,
    SCORES,
    learn_rows,
)

MEMORY, THRESHOLD = 30.0, 8.0


class Notebook:
    """One model on two tasks; what is expected is the mean so far."""

    def __init__(self, threshold=THRESHOLD):
        self.cells = np.zeros((1, 2, 1, NUM_SUMS))
        self.watches = np.zeros((1, 1, 2, NUM_WATCHED))
        self.threshold = threshold

    def learn(self, score, cost, task=0):
        cell = self.cells[0, task, 0]
        expected = (cell[SCORE_SUM] + 1.0) / (cell[SCORES] + 2.0)
        learn_rows(
            self.cells,
            self.watches,
            np.array([0]),
            np.array([task]),
            np.array([0]),
            np.array([score]),
            np.array([cost]),
            np.array([expected]),
            np.array([(cell[COST_SUM] + 1.0) / (cell[COSTS] + 1.0)]),
            MEMORY,
            self.threshold,
        )

    def mean(self, sums, counts, task=0):
        return self.cells[0, task, 0, sums] / self.cells[0, task, 0, counts]


def test_sums_by_hand():
    notebook = Notebook()
    notebook.learn(0.5, 2.0)
    notebook.learn(1.0, 1.0, task=1)
    notebook.learn(0.25, 4.0)
    np.testing.assert_array_equal(
        notebook.cells[0, :, 0], [[2, 0.75, 2 * 0.125**2, 2, 6], [1, 1, 0, 1, 1]]
    )


def test_a_worse_model_is_noticed_within_some_outcomes_and_its_costs_are_kept():
    rng = np.random.default_rng(0)
    delays, means = [], []
    for _ in range(50):
        notebook = Notebook()
        for _ in range(400):
            notebook.learn(float(rng.random() < 0.65), 1.0)
        sizes = [notebook.cells[0, 0, 0, SCORES]]
        for _ in range(200):
            notebook.learn(float(rng.random() < 0.3), 1.0)
            sizes.append(notebook.cells[0, 0, 0, SCORES])
        alarms = np.flatnonzero(np.diff(sizes) < 0)
        delays.append(int(alarms[0]) if alarms.size else 200)
        means.append(notebook.mean(SCORE_SUM, SCORES))
        assert notebook.cells[0, 0, 0, COSTS] == 600
    assert (np.array(delays) < 200).mean() > 0.9
    assert np.mean(means) < 0.35
    # 0.35 in the mean at a variance of 0.22 is worth about 0.28 nats an outcome: 8 take 29 or more.
    assert 20 < np.median(delays) < 80


def test_a_cheaper_model_is_noticed_at_once_and_its_scores_are_kept():
    rng = np.random.default_rng(1)
    notebook = Notebook()
    for _ in range(300):
        notebook.learn(0.5, rng.lognormal(sigma=0.5))
    for _ in range(12):
        notebook.learn(0.5, 0.1 * rng.lognormal(sigma=0.5))
    assert notebook.cells[0, 0, 0, COSTS] < 60
    for _ in range(188):
        notebook.learn(0.5, 0.1 * rng.lognormal(sigma=0.5))
    # 0.113 in truth, and 1.13 before.
    assert notebook.mean(COST_SUM, COSTS) < 0.25
    assert notebook.cells[0, 0, 0, SCORES] == 500


def test_a_steady_model_is_rarely_taken_for_a_changed_one():
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(40):
        notebook = Notebook()
        for _ in range(1_000):
            before = notebook.cells[0, 0, 0, SCORES]
            notebook.learn(float(rng.random() < 0.6), rng.lognormal())
            alarms += notebook.cells[0, 0, 0, SCORES] < before
    assert alarms <= 8  # in 40,000 outcomes


def test_nothing_is_forgotten_without_a_threshold():
    notebook = Notebook(threshold=math.inf)
    for score in (1.0, 0.0):
        for _ in range(200):
            notebook.learn(score, 1.0)
    np.testing.assert_allclose(notebook.cells[0, 0, 0], [400, 200, 100, 400, 400])
    assert not notebook.watches.any()
