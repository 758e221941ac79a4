"""The data of the kernels as named tuples of arrays, with their shapes and columns.

``K`` stages, ``N`` models, ``Q`` rows of the table, ``G`` query mixes, ``F`` features; ``E``
episodes. The kernels take the arrays one by one, since named tuples cost three times as much to
pass from Python, and pack them inside, which costs nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from stageroute_gym.array_types import Flags, Floats, Integers, Masks, Members, Singles
from stageroute_gym.compiling import njit


class WorldArrays(NamedTuple):
    """What no episode changes: problem, table and schedule; all float64 but the features."""

    outcomes: Floats  # (Q, N, 2): SCORE, COST of each model on each row
    # (G, Q, 2): KEEP_PROBABILITY, ALIAS of each row in each query mix; G = 0: rows in their order
    sampler: Floats
    stages: Floats  # (K, 3): STAGE_END, STAGE_MIX, STAGE_VALUE
    stage_models: Floats  # (K, 3, N): AVAILABLE, COST_MULTIPLIER, TRUE_SCORE
    models: Floats  # (2, N): THROUGHPUT, LIST_PRICE
    settings: Floats  # (10,): HORIZON to FAILURE_RATE
    features: Singles  # (Q, F): what is shown of each row


SCORE, COST = range(2)
KEEP_PROBABILITY, ALIAS = range(2)
# First query after the stage, its query mix, the stage oracle's value V_k.
STAGE_END, STAGE_MIX, STAGE_VALUE = range(3)
AVAILABLE, COST_MULTIPLIER, TRUE_SCORE = range(3)
THROUGHPUT, LIST_PRICE = range(2)
HORIZON, TOTAL_BUDGET, HARD_BUDGET, BURST, DEPLOYMENT_COST, FEEDBACK_DELAY, MAX_DEPLOYED = range(7)
FEEDBACK_RATE, ACTIVATION_DELAY, FAILURE_RATE = range(7, 10)


class EpisodeArrays(NamedTuple):
    """The state of ``E`` episodes, one row each."""

    finished: Flags  # (E,): the episode is over, and the next step starts a new one
    counters: Integers  # (E, 10): QUERIES to KEY
    amounts: Floats  # (E, 7): STEP_SCORE to TOTAL_SCORE
    routing: Floats  # (E, 2, M_max): SHARES, CAPS of the deployed models in the current query
    tokens: Floats  # (E, N): what each model's bucket holds
    # (E, K, M_max): the models chosen for each stage so far, in ascending order, then N
    members: Members
    totals: Floats  # (E, N, 4): PULLS to COST_SUM that have been observed
    ready: Floats  # (E, N): the query from which each model that is deployed serves
    pending: Floats  # (E, feedback_delay, 3): PENDING_*, feedback that is still on its way
    fields: Singles  # (E, 9, N): the observation's fields with an entry for each model
    scalars: Singles  # (E, 7 + F): its other fields
    mask: Masks  # (E, N + 1): its action mask

    @classmethod
    def start(cls, world: WorldArrays, num_envs: int) -> EpisodeArrays:
        """Arrays for episodes that have not started."""
        n, features = world.models.shape[1], world.features.shape[1]
        slots = min(int(world.settings[MAX_DEPLOYED]), n)
        delay = int(world.settings[FEEDBACK_DELAY])
        return cls(
            finished=np.zeros(num_envs, np.bool_),
            counters=np.zeros((num_envs, NUM_COUNTERS), np.int64),
            amounts=np.zeros((num_envs, NUM_AMOUNTS), np.float64),
            routing=np.zeros((num_envs, 2, slots), np.float64),
            tokens=np.zeros((num_envs, n), np.float64),
            members=np.zeros((num_envs, len(world.stages), slots), np.uint32),
            totals=np.zeros((num_envs, n, NUM_TOTALS), np.float64),
            ready=np.zeros((num_envs, n), np.float64),
            pending=np.zeros((num_envs, delay, NUM_PENDING), np.float64),
            fields=np.zeros((num_envs, NUM_FIELDS, n), np.float32),
            scalars=np.zeros((num_envs, QUERY + features), np.float32),
            mask=np.zeros((num_envs, n + 1), np.int8),
        )


# The first six are shown in `info`. PHASE is DEPLOY or ROUTE, MODEL the one that served or
# NO_MODEL, ROW the current query's in the table, KEY what decides the episode's draws.
QUERIES, STAGE, MODEL, DECLINED, INVALID, ACTIVATIONS = range(6)
PHASE, CHOSEN_SIZE, ROW, KEY = range(6, 10)
NUM_COUNTERS = 10
DEPLOY, ROUTE = 0, 1
NO_MODEL = -1
# The first five are shown in `info`; SEEN_SPEND is what the observation knows of the spend.
STEP_SCORE, STEP_COST, SPEND, REGRET, ORACLE_SCORE, SEEN_SPEND, TOTAL_SCORE = range(7)
NUM_AMOUNTS = 7
SHARES, CAPS = range(2)
# PULLS are the outcomes with a score, CALLS all of them.
PULLS, CALLS, SCORE_SUM, COST_SUM = range(4)
NUM_TOTALS = 4
NO_SCORE = -1.0  # in place of a score that does not come back
PENDING_MODEL, PENDING_SCORE, PENDING_COST = range(3)
NUM_PENDING = 3
# The observation; the sets of models on offer and deployed are kept here only.
NUM_FIELDS = 9
(
    OBS_AVAILABLE,
    OBS_DEPLOYED,
    OBS_PREVIOUS,
    OBS_PULLS,
    OBS_MEAN_SCORE,
    OBS_MEAN_COST,
    OBS_LIST_PRICE,
    OBS_THROUGHPUT,
    OBS_TOKENS,
) = range(NUM_FIELDS)
OBS_PHASE, PROGRESS, STAGE_PROGRESS, BUDGET_LEFT, LAST_MODEL, LAST_SCORE, LAST_COST = range(7)
QUERY = 7  # where the query's features begin

# Division as in C: Python's check for a zero divisor costs a branch each time. Without numba's
# reference counting, which took half the time of a step: the kernels hold and allocate nothing.
_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy", "_nrt": False}
kernel = njit(**_OPTIONS)
# For what every step calls: passing a dozen arrays to a function costs more than its work.
inlined = njit(**_OPTIONS, inline="always")


@inlined
def index(number: int) -> np.unsignedinteger[Any]:
    """A number that is not negative, as an index: no access needs to look for negative ones."""
    return np.uintp(number)
