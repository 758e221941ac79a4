"""RouteOPT on StageRoute's bounds, compiled: one query of many episodes, or a whole stage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.arrays import Floats, Integers
from stageroute_gym.array_types import Singles
from stageroute_gym.compiling import njit
from stageroute_gym.optimize.bounds import cost_lower_bound_scalar, score_upper_bound_scalar
from stageroute_gym.optimize.route import route_row
from stageroute_gym.simulator.arrays import (
    OBS_DEPLOYED,
    OBS_MEAN_COST,
    OBS_MEAN_SCORE,
    OBS_PULLS,
    PHASE,
    ROUTE,
    EpisodeArrays,
    WorldArrays,
)
from stageroute_gym.simulator.kernels import advance_continuous

# `gamma`, `c1`, `c2`, the scale of costs in USD, and whether the radius is the joint one.
Bounds = tuple[float, float, float, float, bool]


class StageServer:
    """Routes every query of a stage as StageRoute does, in one call.

    Args:
        throughput: shape (N,), float64.
        budgets: USD a query, shape (1,), float64.
        bounds: as for `route_by_bounds`.
    """

    def __init__(self, throughput: Floats, budgets: Floats, bounds: Bounds) -> None:
        models = len(throughput)
        self._settings = (throughput, budgets, bounds)
        self._room = (np.empty((1, models)), route_scratch(models))

    def __call__(self, world: WorldArrays, state: EpisodeArrays) -> None:
        """Route on in each episode until its next update point or its end."""
        actions = np.empty((len(state.finished), len(self._settings[0])), np.float32)
        serve_stage(world, state, *self._settings, *self._room, actions)


@njit(cache=True)
def route_by_bounds(
    pulls: NDArray[np.float32],
    mean_score: NDArray[np.float32],
    mean_cost: NDArray[np.float32],
    deployed: NDArray[np.float32],
    throughput: Floats,
    budgets: Floats,
    bounds: Bounds,
) -> Floats:
    """RouteOPT on ``mu^U`` and ``c^L`` of the deployed models: shares, shape (E, N), float64.

    Args:
        pulls: observation, shape (E, N), float32, like the next three.
        mean_score: see there.
        mean_cost: USD.
        deployed: see there.
        throughput: shape (N,), float64.
        budgets: USD a query, shape (E,), float64.
        bounds: see `Bounds`.
    """
    shares = np.empty(pulls.shape)
    observed = (pulls, mean_score, mean_cost, deployed)
    route_into(shares, observed, throughput, budgets, bounds, route_scratch(pulls.shape[1]))
    return shares


@njit(cache=True)
def route_scratch(models: int) -> tuple[Floats, Floats, Integers]:
    """What `route_into` works in, for so many models."""
    size = models + 1
    return np.zeros((3, models)), np.empty((5, size)), np.empty((4, size), np.int64)


@njit(cache=True, _nrt=False)
def route_into(
    shares: Floats,
    observed: tuple[Singles, Singles, Singles, Singles],
    throughput: Floats,
    budgets: Floats,
    bounds: Bounds,
    scratch: tuple[Floats, Floats, Integers],
) -> None:
    """Write the shares; apart from what allocates, so that no slice of a row is counted.

    Args:
        shares: where to, shape (E, N), float64.
        observed: the first four arguments of `route_by_bounds`.
        throughput: as for `route_by_bounds`, like the next two.
        budgets: see there.
        bounds: see there.
        scratch: room for what lies between, as `route_scratch` makes it.
    """
    pulls, mean_score, mean_cost, deployed = observed
    gamma, cost_min, cost_max, scale, joint = bounds
    estimates, floats, integers = scratch
    score, cost, caps = estimates[0], estimates[1], estimates[2]
    rows, n = pulls.shape
    for e in range(rows):
        for m in range(n):
            # Values of models that are not deployed are not read.
            caps[m] = throughput[m] * deployed[e, m]
            if caps[m] > 0.0:
                number = np.float64(pulls[e, m])
                scored, paid = np.float64(mean_score[e, m]), np.float64(mean_cost[e, m])
                score[m] = score_upper_bound_scalar(scored, scored, number, gamma, joint)
                cost[m] = cost_lower_bound_scalar(
                    paid, paid / scale, number, gamma, cost_min, cost_max, scale, joint
                )
        route_row(score, cost, budgets[e], caps, shares[e], floats, integers)


@njit(cache=True, error_model="numpy", _nrt=False)
def serve_stage(
    world: WorldArrays,
    state: EpisodeArrays,
    throughput: Floats,
    budgets: Floats,
    bounds: Bounds,
    shares: Floats,
    scratch: tuple[Floats, Floats, Integers],
    actions: Singles,
) -> None:
    """Route each episode's queries one by one, until its next update point or its end.

    Args:
        world: the world of the episodes.
        state: ``E`` episodes; those in a deploy phase and those that are over stay as they are.
        throughput: shape (N,), float64.
        budgets: USD a query, shape (1,), float64.
        bounds: as for `route_by_bounds`.
        shares: room for one episode's shares, shape (1, N), float64.
        scratch: as `route_scratch` makes it.
        actions: room for all episodes' actions, shape (E, N), float32.
    """
    fields = state.fields
    for e in range(actions.shape[0]):
        observed = (
            fields[e : e + 1, OBS_PULLS],
            fields[e : e + 1, OBS_MEAN_SCORE],
            fields[e : e + 1, OBS_MEAN_COST],
            fields[e : e + 1, OBS_DEPLOYED],
        )
        while not state.finished[e] and state.counters[e, PHASE] == ROUTE:
            route_into(shares, observed, throughput, budgets, bounds, scratch)
            for m in range(actions.shape[1]):
                actions[e, m] = shares[0, m]
            advance_continuous(e, world, state, actions)
