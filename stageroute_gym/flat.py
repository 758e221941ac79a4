"""The flat environments: one normalised row to see, and a decision for many queries to make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from stageroute_gym.checks import count, number
from stageroute_gym.env import StageRouteContinuousEnv, StageRouteEnv
from stageroute_gym.scenarios import Scenario
from stageroute_gym.simulator.episodes import Episodes
from stageroute_gym.vector import (
    Info,
    StageRouteContinuousVectorEnv,
    StageRouteVectorEnv,
)
from stageroute_gym.wrappers.normalization import Normalization
from stageroute_gym.wrappers.rewards import ahead_of_pace
from stageroute_gym.wrappers.shares import softmax_weights

# Decisions that an episode takes by default: what is lost at its end still counts for a learner
# with the usual discount of 0.99.
_DECISIONS = 100
# Actions in [-1, 1] times this are the logits of the shares: two models' differ by up to e^10.
SHARPNESS = 5.0


@dataclass(frozen=True)
class FlatRules:
    """What the single and the vector flat environment share, for a batch of episodes.

    Args:
        hold: queries that a routing decision holds for.
        budget_price: score charged for each query's budget that the spend runs ahead of its pace.
        reward_scale: what rewards are multiplied by.
        budget: USD a query, ``b``.
        normalization: the transformation of the observations.
    """

    hold: int
    budget_price: float
    reward_scale: float
    budget: float
    normalization: Normalization

    @classmethod
    def of(cls, env: Any, hold: int | None, budget_price: float, return_scale: float) -> Self:
        """The rules of an environment, for its arguments; `StageRouteFlatEnv` describes these.

        Raises:
            FieldError: if one is not allowed.
        """
        if hold is None:
            hold = max(env.problem.horizon // _DECISIONS, 1)
        scale = number("return_scale", return_scale, 0.0, above=True)
        return cls(
            hold=count("hold", hold, 1),
            budget_price=number("budget_price", budget_price, 0.0),
            reward_scale=scale / env.problem.horizon,
            budget=env.problem.budget,
            normalization=Normalization.of(env),
        )

    def play(self, episodes: Episodes, actions: NDArray[Any], queries: int) -> NDArray[np.float64]:
        """Apply one decision to each episode, or restart those that are over.

        Args:
            episodes: the episodes ``E``.
            actions: checked actions, shape (E,), int64, or weights, shape (E, N), float32.
            queries: how many queries a routing decision holds for.

        Returns:
            Rewards, shape (E,).
        """
        restarting = episodes.state.finished.copy()
        before = self._ahead(episodes)
        if actions.ndim == 1:
            actions = next_allowed(actions, episodes.state.mask)
        episodes.hold(actions, queries)
        charge = self.budget_price * (self._ahead(episodes) - before)
        rewards = episodes.scores() - charge
        return np.where(restarting, 0.0, self.reward_scale * rewards)

    def _ahead(self, episodes: Episodes) -> NDArray[np.float64]:
        return ahead_of_pace(episodes.spend(), episodes.queries(), self.budget)


def next_allowed(actions: NDArray[np.int64], masks: NDArray[np.int8]) -> NDArray[np.int64]:
    """Actions in which each forbidden one is replaced by the next model that is allowed.

    The models are gone through by their numbers, from the last to the first again; PASS is taken
    only if none of them is allowed.

    Args:
        actions: shape (E,), int64, in 0 to N.
        masks: which are allowed, shape (E, N + 1), int8.
    """
    forbidden = np.flatnonzero(masks[np.arange(len(actions)), actions] == 0)
    if not len(forbidden):
        return actions
    n = masks.shape[1] - 1
    order = (actions[forbidden, None] + np.arange(n)) % n
    allowed = masks[forbidden[:, None], order] > 0
    first = order[np.arange(len(forbidden)), allowed.argmax(axis=1)]
    replaced = actions.copy()
    replaced[forbidden] = np.where(allowed.any(axis=1), first, n)
    return replaced


class StageRouteFlatEnv(StageRouteEnv):
    """`StageRoute-v0` as learners' libraries want it, with nothing to wrap and no mask needed.

    ## Description

    The dynamics, the queries and the outcomes of `StageRoute-v0`, made fit for a library's default
    settings: observations are one normalised row, a routing decision holds for many queries, a
    forbidden action has a substitute, rewards are scaled, and spending too fast costs at once.

    ## Action Space

    `Discrete(N + 1)`, as `StageRouteEnv`. A routing decision holds for up to `hold` queries; it
    ends early with the stage, with the episode, or when the model has no token left. A forbidden
    action plays the next model that is allowed, by number and from the last to the first again
    (PASS if there is none), and is not counted as invalid: a learner without masks loses nothing
    by it. One with masks finds them in `info["action_mask"]` and `action_masks()`.

    ## Observation Space

    `Box(-1, 1, (D,), float32)`: the row that `stageroute_gym.wrappers.Normalization` describes,
    `D = 11 N + 8 + F`.

    ## Rewards

    `(return_scale / T) (score - budget_price * ahead)`, with `score` summed over the queries that
    the decision served, and `ahead` what it added to `max(spend / b - t, 0)`: the spend, in
    queries' budgets, that runs ahead of an even pace. What is charged comes back as the pace
    catches up, and nothing is charged to an episode that stays within it; one that spends its
    budget at query `t` has paid for the `T - t` queries that it will not reach. `info` holds the
    score itself.

    ## Starting State

    As `StageRouteEnv`; under one seed all ids meet the same queries and outcomes.

    ## Episode End

    As `StageRouteEnv`. A time limit (`max_episode_steps`) counts decisions; the row tells how much
    of the horizon is over, so that `TimeAwareObservation` is needed only with such a limit.

    ## Information

    As `StageRouteEnv`, with `score` and `cost` summed over the decision's queries, and
    `action_mask`, shape (N + 1,), int8: 1 where an action is allowed.

    ## Arguments

    As `StageRouteEnv`, and

    - `hold`: queries that a routing decision holds for; a hundredth of the horizon by default.
      With a discount below 0.99 or few steps, take more, up to a stage.
    - `budget_price`: score charged for each query's budget that is spent ahead of the pace; 0.25
      by default. 0 is the bare score, under which learners with a discount earn now and run dry
      early; take 0.5 where most models cost several times the budget, 0 where it is ample.
    - `return_scale`: rewards of an episode sum to at most this; 10 by default.

    ## Vectorized Environment

    `stageroute_gym.flat.StageRouteFlatVectorEnv`.

    ## Version History

    * v0: initial version.
    """

    def __init__(
        self,
        *,
        scenario: str | Scenario = "routerbench",
        hold: int | None = None,
        budget_price: float = 0.25,
        return_scale: float = 10.0,
        render_mode: str | None = None,
        **overrides: Any,
    ) -> None:
        super().__init__(scenario=scenario, render_mode=render_mode, **overrides)
        self.rules = FlatRules.of(self, hold, budget_price, return_scale)
        self.observation_space = self.rules.normalization.space  # type: ignore[assignment]
        self._reward = 0.0

    @property
    def normalization(self) -> Normalization:
        """The transformation of the observations."""
        return self.rules.normalization

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start a new episode; there are no ``options``."""
        row, info = super().reset(seed=seed, options=options)
        info["action_mask"] = self._mask.copy()
        return row, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Apply one decision; the class tells what it means.

        Raises:
            InvalidAction: if the action lies outside the action space.
            ResetNeeded: if the episode has not started or is over.
        """
        row, _, terminated, truncated, info = super().step(action)
        info["action_mask"] = self._mask.copy()
        return row, self._reward, terminated, truncated, info

    def _advancing(self) -> Callable[[NDArray[Any]], None]:
        return self._play

    def _play(self, actions: NDArray[Any]) -> None:
        self._reward = self.rules.play(self._episodes, actions, self.rules.hold).item()

    def _observe(self) -> Any:
        return self.rules.normalization(super()._observe())


class StageRouteContinuousFlatEnv(StageRouteFlatEnv, StageRouteContinuousEnv):
    """`StageRouteFlat-v0` with shares of the models as actions.

    ## Description

    As `StageRouteFlatEnv`, with one deploy step a stage and the paper's throughput constraint.

    ## Action Space

    `Box(-1, 1, (N,), float32)`: logits of the shares, divided by 5. A deploy step deploys the
    `M_max` models on offer with the largest entries; on a route step the softmax over the deployed
    models gives the shares, projected onto the caps as in `StageRouteContinuous-v0`. So every
    action is allowed, and none declines a query that could be served.

    ## Observation Space

    As `StageRouteFlatEnv`.

    ## Rewards

    As `StageRouteFlatEnv`.

    ## Starting State

    As `StageRouteFlatEnv`.

    ## Episode End

    As `StageRouteFlatEnv`.

    ## Arguments

    As `StageRouteFlatEnv`; `burst` has no effect.

    ## Vectorized Environment

    `stageroute_gym.flat.StageRouteContinuousFlatVectorEnv`.

    ## Version History

    * v0: initial version.
    """

    def _checked(self, action: Any) -> NDArray[Any]:
        return softmax_weights(SHARPNESS * super()._checked(action))


# skrl tells a vector environment by its direct bases, hence Gymnasium's class among them.
class StageRouteFlatVectorEnv(StageRouteVectorEnv, VectorEnv[Any, Any, Any]):
    """``E`` copies of `StageRouteFlat-v0`, to the bit; see `StageRouteVectorEnv`.

    Args:
        num_envs: number of environments ``E``, at least 1.
        scenario: as for `StageRouteFlatEnv`, like the further arguments.

    Raises:
        FieldError: if an argument is not allowed.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        scenario: str | Scenario = "routerbench",
        hold: int | None = None,
        budget_price: float = 0.25,
        return_scale: float = 10.0,
        **overrides: Any,
    ) -> None:
        super().__init__(num_envs, scenario=scenario, **overrides)
        self.rules = FlatRules.of(self, hold, budget_price, return_scale)
        space = self.rules.normalization.space
        self.single_observation_space = space  # type: ignore[assignment]
        self.observation_space = batch_space(space, self.num_envs)
        self._earned: NDArray[np.float64] = np.zeros(self.num_envs)

    @property
    def normalization(self) -> Normalization:
        """The transformation of the observations."""
        return self.rules.normalization

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Any, NDArray[Any], NDArray[Any], NDArray[Any], Info]:
        """Apply one decision in every sub-environment, or reset those that are over.

        Args:
            actions: shape (E,), integer, or (E, N), float, for the continuous environment.

        Raises:
            InvalidAction: if an action is not allowed; no sub-environment has moved then.
        """
        return self.hold(actions, self.rules.hold)

    def hold(
        self, actions: NDArray[Any], queries: int
    ) -> tuple[Any, NDArray[Any], NDArray[Any], NDArray[Any], Info]:
        """As `step`, with another number of queries that a routing decision holds for."""
        return self._advance(actions, partial(self._play, queries=queries))

    def _play(self, actions: NDArray[Any], queries: int) -> None:
        self._earned = self.rules.play(self._episodes, actions, queries)

    def _rewards(self) -> NDArray[np.float64]:
        return self._earned

    def _observe(self) -> Any:
        return self.rules.normalization(super()._observe())

    def _infos(self, selected: NDArray[np.bool_] | None = None) -> Info:
        infos = super()._infos(selected)
        masks = self._episodes.state.mask.copy()
        if selected is not None:
            masks[~selected] = 0
        return infos | {"action_mask": masks, "_action_mask": infos["_t"]}


class StageRouteContinuousFlatVectorEnv(
    StageRouteFlatVectorEnv, StageRouteContinuousVectorEnv, VectorEnv[Any, Any, Any]
):
    """``E`` copies of `StageRouteContinuousFlat-v0`; see `StageRouteFlatVectorEnv`."""

    def _checked(self, actions: Any) -> NDArray[Any]:
        return softmax_weights(SHARPNESS * super()._checked(actions))
