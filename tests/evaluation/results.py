"""Results as an evaluation leaves them, from scores alone."""

from __future__ import annotations

import polars as pl


def rows(scores: dict[tuple[str, str], list[float | None]], **columns: object) -> pl.DataFrame:
    """Results with these scores by scenario and entry, seeds counted from 0."""
    records = [
        {"scenario": scenario, "entry": entry, "seed": seed, "score_over_horizon_oracle": value}
        for (scenario, entry), values in scores.items()
        for seed, value in enumerate(values)
    ]
    constant = {
        "scenario_version": 1,
        "horizon": 100,
        "budget": 1e-3,
        "budget_rule": "hard",
        "horizon_oracle": 80.0,
        "stage_oracle": 75.0,
        "score": 1.0,
        "spend": 0.1,
        "score_over_stage_oracle": 1.0,
        "regret": 1.0,
        "spend_over_budget": 1.2,
        "unserved": 0,
        "invalid_share": 0.0,
        "activations": 5,
        **columns,
    }
    frame = pl.DataFrame(records, schema_overrides={"score_over_horizon_oracle": pl.Float64})
    return frame.with_columns(**{name: pl.lit(value) for name, value in constant.items()})
