"""Fit the figures of RouterBench that `Figures` draws from.

Run `python tests/workloads/fit_figures.py RECORDS` where RECORDS is the folder with
`routerbench_0shot`, `routerbench_0shot_5models` and `routerbench_5shot`; it rewrites
`stageroute_gym/workloads/routerbench.json`. Needs nothing beyond the package's dependencies.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq, least_squares
from scipy.stats import norm, rankdata

from stageroute_gym.workloads import figures

Array = NDArray[np.float64]

# Means over all 36,497 queries of the 0-shot file: score, USD, GSM8K score, MBPP score.
# Then release date and list prices (USD per million prompt and completion tokens).
PUBLISHED = {
    "claude-v1": (0.6301, 0.002145, 0.6508, 0.5972, "2023-03-14", 8.0, 24.0),
    "claude-instant-v1": (0.5984, 0.000233, 0.6272, 0.6042, "2023-03-14", 0.8, 2.4),
    "claude-v2": (0.6358, 0.002419, 0.6626, 0.6417, "2023-07-11", 8.0, 24.0),
    "meta/llama-2-70b-chat": (0.3287, 0.000203, 0.5230, 0.3302, "2023-07-18", 0.9, 0.9),
    "WizardLM/WizardLM-13B-V1.2": (0.4311, 0.000073, 0.5063, 0.3700, "2023-07-25", 0.3, 0.3),
    "meta/code-llama-instruct-34b-chat": (
        *(0.2022, 0.000172, 0.4566, 0.5176),
        *("2023-08-24", 0.776, 0.776),
    ),
    "mistralai/mistral-7b-chat": (0.3061, 0.000046, 0.4115, 0.3443, "2023-09-27", 0.2, 0.2),
    "gpt-3.5-turbo-1106": (0.6193, 0.000243, 0.6048, 0.6534, "2023-11-06", 1.0, 2.0),
    "gpt-4-1106-preview": (0.7814, 0.003293, 0.6588, 0.6862, "2023-11-06", 10.0, 30.0),
    "zero-one-ai/Yi-34B-Chat": (0.6475, 0.000186, 0.5481, 0.3864, "2023-11-23", 0.8, 0.8),
    "mistralai/mixtral-8x7b-chat": (0.5471, 0.000135, 0.5190, 0.5410, "2023-12-11", 0.6, 0.6),
}
MODELS = tuple(PUBLISHED)
QUERIES = {
    "mmlu": 14042,
    "hellaswag": 10042,
    "gsm8k": 7450,
    "arc": 1470,
    "winogrande": 1267,
    "mbpp": 427,
    "mtbench": 80,
    "other": 1719,
}
LEVELS: dict[str, list[float]] = {family: [0.0, 1.0] for family in QUERIES}
LEVELS["gsm8k"] = LEVELS["other"] = [0.0, 0.25, 0.5, 0.75, 1.0]
LEVELS["mtbench"] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
# Too few recorded MT-Bench queries for correlations: scores as in the other judged tasks,
# costs as in the other long answers.
SCORES_LIKE = {"mtbench": "other"}
COSTS_LIKE = {"mtbench": "mbpp"}


@dataclass(frozen=True)
class Sample:
    """Recorded queries of one family: score and cost (n, N), weight (n,)."""

    score: Array
    cost: Array
    weight: Array


def load(records: Path, name: str, family: str, models: tuple[str, ...] = MODELS) -> Sample:
    frame = pl.read_parquet(records / name / "queries.parquet").filter(pl.col("family") == family)
    weight = (
        frame["weight"] if "weight" in frame.columns else pl.repeat(1.0, len(frame), eager=True)
    )
    return Sample(
        frame.select(f"score:{model}" for model in models).to_numpy().astype(np.float64),
        frame.select(f"cost:{model}" for model in models).to_numpy().astype(np.float64),
        weight.to_numpy().astype(np.float64),
    )


def sample_of(records: Path, family: str) -> Sample:
    # The 427 MBPP rows of the 5-shot file are complete, and are the same in the 0-shot file.
    return load(records, "routerbench_5shot" if family == "mbpp" else "routerbench_0shot", family)


def family_means(records: Path) -> tuple[dict[str, Array], dict[str, Array]]:
    """Mean score and cost of each family, adjusted so that their sum is the published mean.

    The gap to the published mean score goes to the families in proportion to what the variance of
    each mean contributes; families known in full are left alone. Costs share one factor a model.
    """
    score, cost, variance = {}, {}, {}
    five_names = ("routerbench_0shot_5models",)
    five = pl.read_parquet(records / five_names[0] / "queries.parquet").columns
    larger = tuple(model for model in MODELS if f"score:{model}" in five)
    places = [MODELS.index(model) for model in larger]
    for family in QUERIES:
        sample = sample_of(records, family)
        big = load(records, five_names[0], family, larger)
        score[family] = np.average(sample.score, axis=0, weights=sample.weight)
        cost[family] = np.average(sample.cost, axis=0, weights=sample.weight)
        variance[family] = sample.score.var(axis=0) / len(sample.score)
        if family == "mbpp":
            variance[family] = np.zeros(len(MODELS))
            continue
        score[family][places] = np.average(big.score, axis=0, weights=big.weight)
        cost[family][places] = np.average(big.cost, axis=0, weights=big.weight)
        variance[family][places] = big.score.var(axis=0) / len(big.score)
    score["gsm8k"] = np.array([PUBLISHED[model][2] for model in MODELS])
    variance["gsm8k"] = np.zeros(len(MODELS))
    score["mbpp"] = np.array([PUBLISHED[model][3] for model in MODELS])

    total = sum(QUERIES.values())
    share = {family: number / total for family, number in QUERIES.items()}
    mean = np.array([PUBLISHED[model][0] for model in MODELS])
    gap = mean - sum(share[family] * score[family] for family in QUERIES)
    pull = sum(share[family] ** 2 * variance[family] for family in QUERIES)
    for family in QUERIES:
        shifted = score[family] + gap * share[family] * variance[family] / pull
        score[family] = np.clip(shifted, min(LEVELS[family]), 1.0)
    usd = np.array([PUBLISHED[model][1] for model in MODELS])
    rest = sum(share[family] * cost[family] for family in QUERIES if family != "mbpp")
    factor = (usd - share["mbpp"] * cost["mbpp"]) / rest
    for family in QUERIES:
        if family != "mbpp":
            cost[family] = cost[family] * factor
    return score, cost


def level_shares(scores: Array, levels: Array, mean: float) -> Array:
    """Recorded shares of the levels, tilted exponentially to the wanted mean."""
    nearest = np.abs(scores[:, None] - levels).argmin(axis=1)
    # Half a count spread over the levels keeps a level alive that the sample happens to miss.
    base = np.bincount(nearest, minlength=len(levels)) + 0.5 / len(levels)

    def tilted(theta: float) -> Array:
        raised = base * np.exp(theta * levels)
        return raised / raised.sum()

    low, high = levels[0] + 1e-6, levels[-1] - 1e-6
    theta = brentq(lambda t: tilted(t) @ levels - np.clip(mean, low, high), -60, 60)
    return tilted(theta)


def score_loadings(scores: Array, tokens: Array) -> Array:
    """Loadings (N, 3) of a latent normal score on the token count and on two more factors.

    A score is its latent normal cut at thresholds. Correlations between latents follow from the
    recorded ones by Plackett's identity: the covariance of two cut normals is the integral over
    the correlation of their joint density at the thresholds.
    """
    number = scores.shape[1]
    cuts, jumps = [], []
    for column in scores.T:
        values, counts = np.unique(column, return_counts=True)
        cuts.append(norm.ppf(np.cumsum(counts)[:-1] / len(column)))
        jumps.append(np.diff(values))
    spread = scores.std(axis=0)
    slope = np.array([jumps[m] @ norm.pdf(cuts[m]) for m in range(number)])
    standard = (scores - scores.mean(axis=0)) / np.where(spread > 0, spread, 1)
    on_tokens = np.clip(
        (standard.T @ tokens) / len(tokens) * spread / np.maximum(slope, 1e-9), -0.7, 0.7
    )

    grid = np.linspace(-0.99, 0.99, 199)
    latent, weight = np.zeros((number, number)), np.zeros((number, number))
    for a in range(number):
        for b in range(a):
            x, y = cuts[a][:, None, None], cuts[b][None, :, None]
            density = np.exp(-(x**2 - 2 * grid * x * y + y**2) / (2 * (1 - grid**2)))
            density /= 2 * np.pi * np.sqrt(1 - grid**2)
            slopes = np.einsum("i,j,ijg->g", jumps[a], jumps[b], density) / (spread[a] * spread[b])
            steps = np.concatenate([[0.0], np.diff(grid) * (slopes[1:] + slopes[:-1]) / 2])
            correlation = np.cumsum(steps)
            correlation -= np.interp(0.0, grid, correlation)
            recorded = standard[:, a] @ standard[:, b] / len(tokens)
            latent[a, b] = np.interp(recorded, correlation, grid)
            weight[a, b] = np.interp(latent[a, b], grid, slopes)

    rows, columns = np.tril_indices(number, -1)
    target = (latent - np.outer(on_tokens, on_tokens))[rows, columns]
    importance = weight[rows, columns]
    full = np.zeros((number, number))
    full[rows, columns] = target
    values, vectors = np.linalg.eigh(full + full.T + 0.5 * np.eye(number))
    start = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0.01)) * 0.8

    def misfit(flat: Array) -> Array:
        factors = flat.reshape(number, 2)
        gap = importance * ((factors @ factors.T)[rows, columns] - target)
        excess = np.maximum((factors**2).sum(axis=1) + on_tokens**2 - 0.98, 0)
        return np.concatenate([gap, 10 * excess, 0.01 * flat])

    factors = least_squares(misfit, start.ravel()).x.reshape(number, 2)
    loadings = np.column_stack([on_tokens, factors])
    return loadings / np.maximum(1, np.sqrt((loadings**2).sum(axis=1) / 0.98))[:, None]


def shared_tokens(cost: Array) -> tuple[Array, Array]:
    """The part of the log costs that all models share: its values, and their normal scores."""
    logs = np.log(cost)
    shared = (logs - logs.mean(axis=0)).mean(axis=1)
    return shared, norm.ppf((rankdata(shared) - 0.5) / len(shared))


def fit(records: Path) -> dict[str, object]:
    """Everything that `routerbench.json` holds."""
    mean_score, mean_cost = family_means(records)
    samples = {family: sample_of(records, family) for family in QUERIES}
    families: dict[str, object] = {}
    for family, sample in samples.items():
        like_cost = samples[COSTS_LIKE.get(family, family)].cost
        shared, _ = shared_tokens(like_cost)
        grid = np.sort(shared)
        at = norm.cdf(figures.NORMAL_SCORES) * len(grid) - 0.5
        quantiles = np.interp(at, np.arange(len(grid)), grid)
        logs = np.log(like_cost) - np.log(like_cost).mean(axis=0)
        on_shared = (logs * shared[:, None]).sum(axis=0) / (shared**2).sum()
        own = (logs - shared[:, None] * on_shared).std(axis=0)
        like_score = samples[SCORES_LIKE.get(family, family)]
        loadings = score_loadings(like_score.score, shared_tokens(like_score.cost)[1])
        levels = np.array(LEVELS[family])
        outcomes = {}
        for column, model in enumerate(MODELS):
            mean = float(mean_score[family][column])
            shares = level_shares(sample.score[:, column], levels, mean)
            outcomes[model] = {
                "shares": [round(float(share), 5) for share in shares],
                "cost": float(f"{mean_cost[family][column]:.6g}"),
                "score_loadings": [round(float(value), 3) for value in loadings[column]],
                "cost_loadings": [round(float(on_shared[column]), 3), round(float(own[column]), 4)],
            }
        families[family] = {
            "queries": QUERIES[family],
            "levels": LEVELS[family],
            "log_tokens": [round(float(value), 3) for value in quantiles],
            "outcomes": outcomes,
        }
    models = {
        model: {"released": row[4], "prompt_price": row[5], "completion_price": row[6]}
        for model, row in PUBLISHED.items()
    }
    return {"models": models, "families": families}


def as_text(fitted: dict[str, object]) -> str:
    """JSON with one line for each model, and for each model in each family."""
    lines = json.dumps(fitted, indent=1)
    decoder = json.loads(lines)
    out = ['{"models": {']
    rows = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in decoder["models"].items()]
    out += [",\n".join(rows), "},", '"families": {']
    blocks = []
    for family, block in decoder["families"].items():
        head = {key: value for key, value in block.items() if key != "outcomes"}
        rows = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in block["outcomes"].items()]
        body = ",\n".join(rows)
        blocks.append(f'"{family}": {json.dumps(head)[:-1]}, "outcomes": {{\n{body}}}}}')
    return "\n".join(out) + "\n" + ",\n".join(blocks) + "}}\n"


if __name__ == "__main__":
    target = Path(figures.__file__).with_name("routerbench.json")
    target.write_text(as_text(fit(Path(sys.argv[1]))))
