"""What happens while training: curves, evaluations against the oracle, checkpoints, progress."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from stable_baselines3.common.callbacks import BaseCallback

from stageroute_agents.sb3.checkpoints import write_checkpoint
from stageroute_gym.oracles import oracles_of
from stageroute_gym.simulator.world import World
from stageroute_gym.wrappers import Normalization


class Curves(BaseCallback):
    """TensorBoard curves of the training episodes that end between two points of the curve.

    ``episode/score_over_oracle`` (the horizon oracle), ``episode/spend_over_budget``,
    ``episode/forbidden_actions`` (share of the decisions) and ``episode/routing_entropy`` (of the
    shares in which the models were used, in nats; 0 is always the same model).

    Args:
        worlds: the worlds of the environments, one each.
        normalizations: the transformation of their observations, one each.
    """

    def __init__(self, worlds: list[World], normalizations: list[Normalization]) -> None:
        super().__init__()
        self._worlds = worlds
        self._normalizations = normalizations
        self._score: NDArray[np.float64] = np.zeros(len(worlds))
        self._decisions: NDArray[np.int64] = np.zeros(len(worlds), np.int64)

    def _on_step(self) -> bool:
        infos, dones = self.locals["infos"], self.locals["dones"]
        self._score += [info["score"] for info in infos]
        self._decisions += 1
        for row in np.flatnonzero(dones).tolist():
            self._record(row, infos[row])
            self._score[row], self._decisions[row] = 0.0, 0
        return True

    def _record(self, row: int, info: dict[str, Any]) -> None:
        world = self._worlds[row]
        pulls = self._normalizations[row].pulls(info["terminal_observation"])
        record = self.logger.record_mean
        oracle = oracles_of(world).horizon.value
        if oracle > 0:
            record("episode/score_over_oracle", float(self._score[row]) / oracle)
        record("episode/spend_over_budget", info["spend"] / world.problem.total_budget)
        record("episode/forbidden_actions", info["invalid_actions"] / int(self._decisions[row]))
        record("episode/routing_entropy", _entropy(pulls))


class Evaluations(BaseCallback):
    """Every so often: evaluate, keep the best policy, write a checkpoint.

    Curves ``eval/score_over_oracle`` and ``eval/spend_over_budget``.

    Args:
        folder: where the checkpoint goes.
        interval: decisions between two evaluations.
        evaluate: means of score / horizon oracle and spend / budget of the policy as it stands.
        keep: writes the agent file; called with the decisions trained for.
        best: score / horizon oracle that the best policy has reached so far.
        report: called with the figures of each evaluation.
    """

    def __init__(
        self,
        folder: Path,
        interval: int,
        evaluate: Callable[[], tuple[float, float]],
        keep: Callable[[int], None],
        best: float,
        report: Callable[[float, float], None],
    ) -> None:
        super().__init__()
        self.best = best
        self._folder = folder
        self._interval = interval
        self._evaluate = evaluate
        self._keep = keep
        self._report = report
        self._last = 0

    def _on_training_start(self) -> None:
        self._last = self.num_timesteps

    def _on_step(self) -> bool:
        # Of an on-policy algorithm too, this is the policy that the last update left.
        if self.num_timesteps - self._last >= self._interval:
            self._last = self.num_timesteps
            self._take_stock()
        return True

    def _on_training_end(self) -> None:
        if self.num_timesteps > self._last:
            self._take_stock()

    def _take_stock(self) -> None:
        score, spend = self._evaluate()
        self.logger.record("eval/score_over_oracle", score)
        self.logger.record("eval/spend_over_budget", spend)
        self.logger.dump(self.num_timesteps)
        if score > self.best:
            self.best = score
            self._keep(self.num_timesteps)
        write_checkpoint(self._folder, self.model, self.best)
        self._report(score, spend)


class ProgressBar(BaseCallback):
    """A bar on the terminal, with the figures of the last evaluation.

    Args:
        steps: decisions of the whole run.
        visible: whether it is shown.
    """

    def __init__(self, steps: int, *, visible: bool) -> None:
        super().__init__()
        self._steps = steps
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            disable=not visible,
        )
        self._task = self._bar.add_task("training", total=steps, figures="")

    def report(self, score: float, spend: float) -> None:
        """Show the figures of an evaluation."""
        figures = f"score/oracle {score:.3f}, spend/budget {spend:.2f}"
        self._bar.update(self._task, figures=figures)

    def _on_training_start(self) -> None:
        self._bar.start()

    def _on_step(self) -> bool:
        # An algorithm finishes what it collects between two updates.
        self._bar.update(self._task, completed=min(self.num_timesteps, self._steps))
        return True

    def close(self) -> None:
        """Take the bar off the terminal."""
        self._bar.stop()


def _entropy(counts: NDArray[np.float64]) -> float:
    total = counts.sum()
    if total == 0:
        return 0.0
    shares = counts[counts > 0] / total
    return float(-(shares * np.log(shares)).sum())
