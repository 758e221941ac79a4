"""StageRoute on recorded data lands where an independent implementation of it does."""

from __future__ import annotations

import math

import pytest

from stageroute_gym.evaluation import evaluate

# Budget in 1e-4 USD, score / stage oracle, spend / budget: means over ten seeds of another
# implementation (RouterBench 0-shot drawn by weight to 36,497 queries in 33 stages, five of eleven
# models deployed, alpha 0.4, the five weakest first and one more each 4,000 queries, rule soft;
# costs divided by the largest in the table).
ELSEWHERE = [
    (1, 1.076, 1.32),
    (2, 0.963, 1.07),
    (5, 0.965, 0.85),
    (10, 0.958, 0.74),
    (20, 0.960, 0.56),
]


@pytest.mark.slow
@pytest.mark.parametrize(("budget", "score", "spend"), ELSEWHERE)
def test_agrees_within_the_noise_of_ten_seeds(shared_data, budget, score, spend):
    found = evaluate(
        'stageroute(cost_scale="query")',
        "recorded",
        range(10),
        data=str(shared_data / "routerbench_0shot" / "queries.parquet"),
        budget=budget * 1e-4,
        budget_rule="soft",
        horizon=36_497,
        num_stages=33,
        max_deployed=5,
        throughput=0.4,
        initial_models=5,
        arrival_interval=4_000,
    )
    for column, expected in (("score_over_stage_oracle", score), ("spend_over_budget", spend)):
        # Both means are over ten seeds, so their difference has twice the variance of one.
        error = found[column].std() * math.sqrt(2 / 10)
        print(f"{column}: {found[column].mean():.3f}, elsewhere {expected}, error {error:.3f}")
        assert abs(found[column].mean() - expected) <= 3 * error
