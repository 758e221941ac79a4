"""How an episode went, stage by stage: what ``stages.parquet`` holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

    from stageroute_gym.simulator.world import World

# What `info` sums up since the start of the episode.
_TOTALS = ("t", "declined", "activations", "spend", "regret")


class StageBooks:
    """What each stage of a batch of first episodes has come to.

    Args:
        num_envs: number of episodes ``E``.
        num_stages: number of stages ``K``.
        num_models: number of models ``N``.

    Attributes:
        gains: for ``score`` and each total of ``info``, what each stage added to it, shape (E, K),
            float64.
        deployed: the models of each stage, shape (E, K, N), bool.
        pulls: queries that each model served, shape (E, K, N), int32.
        last: the last stage that an episode reached, shape (E,), int64.
    """

    def __init__(self, num_envs: int, num_stages: int, num_models: int) -> None:
        shape = (num_envs, num_stages)
        self.gains: dict[str, NDArray[np.float64]] = {
            name: np.zeros(shape) for name in ("score", *_TOTALS)
        }
        self.deployed: NDArray[np.bool_] = np.zeros((*shape, num_models), np.bool_)
        self.last: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        self._before = {name: np.zeros(num_envs) for name in self.gains}
        self._stage: NDArray[np.int64] = np.zeros(num_envs, np.int64)
        # One more stage for what comes after the first episode, one more model for "none", -1.
        self._served = np.zeros((num_envs, num_stages + 1, num_models + 1), np.int32)
        self._over = num_stages
        # One index for all three axes, since this is done at every step. "None", -1, is the cell
        # before a stage's first, which is the same column of the stage before.
        self._cells = self._served.reshape(-1)
        self._blocks = np.arange(num_envs * (num_stages + 1)).reshape(num_envs, -1)
        self._blocks *= num_models + 1
        self._first: NDArray[np.int64] = self._blocks[:, 0].copy()

    @property
    def pulls(self) -> NDArray[np.int32]:
        """See the class."""
        return self._served[:, :-1, :-1]

    def enter(
        self,
        observation: Mapping[str, NDArray[Any]],
        score: NDArray[np.float64],
        ended: NDArray[np.bool_],
        infos: Mapping[str, NDArray[Any]],
    ) -> None:
        """Book one step of the vector environment.

        Args:
            observation: what followed from the step.
            score: total score of each first episode, this step included, shape (E,), float64.
            ended: which first episodes the step ended, shape (E,), bool.
            infos: the vector environment's ``info``.
        """
        self._cells[self._first + infos["model"]] += 1
        moved = infos["stage"] != self._stage
        moved &= self._stage < self._over
        if moved.any():
            rows = np.flatnonzero(moved)
            # The next stage's set is being chosen: the one that served is the previous one.
            self._close(rows, observation["previous"], score, infos)
            self._stage[rows] = infos["stage"][rows]
            self._first[rows] = self._blocks[rows, self._stage[rows]]
        if ended.any():
            rows = np.flatnonzero(ended)
            self._close(rows, observation["deployed"], score, infos)
            self.last[rows] = self._stage[rows]
            self._stage[rows] = self._over
            self._first[rows] = self._blocks[rows, self._over]

    def _close(
        self,
        rows: NDArray[np.int64],
        deployed: NDArray[np.float32],
        score: NDArray[np.float64],
        infos: Mapping[str, NDArray[Any]],
    ) -> None:
        stage = self._stage[rows]
        for name, gained in self.gains.items():
            total = (score if name == "score" else infos[name])[rows]
            gained[rows, stage] = total - self._before[name][rows]
            self._before[name][rows] = total
        self.deployed[rows, stage] = deployed[rows] > 0


def stage_rows(
    world: World,
    books: StageBooks,
    regret: NDArray[np.float64],
    *,
    scenario: str,
    entry: str,
    seeds: list[int],
) -> pl.DataFrame:
    """One row for each episode and stage, in this order; stages never reached too.

    Columns: ``scenario`` (name), ``entry`` (label), ``seed``; ``stage`` (from 0), ``start`` (its
    first query), ``queries`` (its length), of which ``served``, ``declined`` and ``unreached`` are
    the parts; ``score`` (total of the stage), ``oracle_score`` (what the stage oracle expects of
    the whole stage), ``regret`` (expected score behind that oracle, with the queries unreached),
    ``spend`` (USD), ``activations``; ``deployed`` (list of the names of the models deployed, in
    the order of the world's models) and ``pulls`` (list of the queries that each of these served).
    The rows of an episode add up to its row in ``results.parquet``.

    Args:
        world: the world of the episodes.
        books: their books.
        regret: regret of each episode over the whole horizon, shape (E,), float64.
        scenario: name of the scenario.
        entry: label of the entry.
        seeds: seeds of the episodes.
    """
    import polars as pl

    lengths = world.problem.stage_lengths
    oracle = lengths * world.stage_values
    gains, episodes, stages = books.gains, len(seeds), len(lengths)
    regrets = gains["regret"].copy()
    later = np.arange(stages) > books.last[:, None]
    regrets[later] = np.broadcast_to(oracle, later.shape)[later]
    # The last stage reached is charged with its own unreached queries, and takes the rounding.
    rows = np.arange(episodes)
    regrets[rows, books.last] = 0.0
    regrets[rows, books.last] = regret - regrets.sum(axis=1)
    pulls, names = books.pulls, world.table.models
    sets = [np.flatnonzero(chosen) for chosen in books.deployed.reshape(-1, len(names))]
    served = pulls.sum(axis=2)

    def each(values: NDArray[Any]) -> NDArray[Any]:
        return np.broadcast_to(values, (episodes, stages)).ravel()

    return pl.DataFrame(
        {
            "scenario": [scenario] * (episodes * stages),
            "entry": [entry] * (episodes * stages),
            "seed": np.repeat(np.array(seeds, np.int64), stages),
            "stage": each(np.arange(stages)),
            "start": each(world.problem.stage_bounds[:-1]),
            "queries": each(lengths),
            "served": served.ravel().astype(np.int64),
            "declined": gains["declined"].ravel().astype(np.int64),
            "unreached": (lengths - gains["t"]).ravel().astype(np.int64),
            "score": gains["score"].ravel(),
            "oracle_score": each(oracle),
            "regret": regrets.ravel(),
            "spend": gains["spend"].ravel(),
            "activations": gains["activations"].ravel().astype(np.int64),
            "deployed": [[names[m] for m in chosen] for chosen in sets],
            "pulls": [
                row[chosen].tolist()
                for row, chosen in zip(pulls.reshape(-1, len(names)), sets, strict=True)
            ],
        },
        schema_overrides={"deployed": pl.List(pl.String), "pulls": pl.List(pl.Int64)},
    )
