"""Provisional exports until the oracles land."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from stageroute_gym.optimize.deploy import DeployPlan, deploy_mip
from stageroute_gym.optimize.route import RoutePlan, route_lp

__all__ = ["DeployPlan", "HorizonPlan", "RoutePlan", "deploy_mip", "route_lp", "horizon_oracle", "stage_oracle", "fill_slots"]


class HorizonPlan(NamedTuple):
    value: float
    weights: Any
    price: float
    spend: float


def stage_oracle(mean_score, mean_cost, available, budget, throughput, max_deployed):
    plans = [
        deploy_mip(s, c, budget, throughput * a, max_deployed)
        for s, c, a in zip(mean_score, mean_cost, available, strict=True)
    ]
    return (
        np.array([p.value for p in plans]),
        np.array([p.weights for p in plans]),
        np.array([p.feasible for p in plans]),
    )


def horizon_oracle(mean_score, mean_cost, available, stage_lengths, budget, throughput, max_deployed):
    from scipy.optimize import linprog

    k, n = mean_score.shape
    length = np.repeat(stage_lengths, n).astype(float)
    a = np.zeros((k + 1, k * n))
    for i in range(k):
        a[i, i * n : (i + 1) * n] = 1
    a[k] = (length * mean_cost.ravel()) / (budget * stage_lengths.sum())
    caps = (available * throughput).ravel()
    r = linprog(-(length * mean_score.ravel()), A_ub=a, b_ub=np.ones(k + 1), bounds=np.stack([0 * caps, caps], 1))
    return HorizonPlan(-r.fun, r.x.reshape(k, n), 0.0, 0.0)


def fill_slots(chosen, score, cost, price, pulls, available, max_deployed):
    key = score - price * cost if np.isfinite(price) else -cost
    for m in np.lexsort((np.arange(len(key)), pulls, -key)):
        if chosen.sum() >= max_deployed:
            break
        chosen[m] |= bool(available[m])
