"""The single environments: `StageRoute-v0` and `StageRouteContinuous-v0`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from stageroute_gym import scenarios
from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.scenarios import Scenario
from stageroute_gym.simulator.actions import action_space, model_numbers, model_weights
from stageroute_gym.simulator.episodes import draw_key, info_fields
from stageroute_gym.simulator.observation import Observation, make_observation, observation_space
from stageroute_gym.simulator.seeded import SeededEpisodes, make_episodes
from stageroute_gym.simulator.world import World
from stageroute_gym.vector_input import check_render_mode

if TYPE_CHECKING:
    from stageroute_gym.rendering import Renderer
    from stageroute_gym.rendering.snapshot import Snapshot


class StageRouteEnv(gym.Env[Observation, Any]):
    """Deploy language models stage by stage and route every query to one of them.

    ## Description

    A provider serves a stream of ``T`` queries with ``N`` language models that it does not know.
    Time is cut into ``K`` stages. At the start of each stage the provider deploys up to ``M_max``
    of the models then on offer; until the next stage every query goes to one of these, which
    answers with a score in [0, 1] and a cost in USD. The scores are to be high while the cost per
    query stays within the budget ``b`` on average, and no model serves more than its share
    ``alpha`` of the queries. The problem is that of Li & Li, "Near-Optimal Online Deployment and
    Routing for Streaming LLMs", ICLR 2026, arXiv 2506.17254.

    An episode alternates between two phases. In the *deploy* phase each step adds one model to the
    coming stage's set, and no query is consumed. In the *route* phase each step routes one query.

    ## Action Space

    `Discrete(N + 1)`.

    | action | deploy step | route step |
    |---|---|---|
    | `a < N` | add model `a` to the set | send the query to model `a` |
    | `N` (PASS) | commit the set | decline the query |

    The set is also committed as soon as `M_max` models are in or none is left. Throughput: each
    model has a token bucket of `burst` tokens, full when the episode starts and refilled by `alpha`
    a query while the model is deployed; while it is not, the bucket keeps its level. Serving a
    query takes one token, and a model with less than one is masked. So a model serves at most
    `alpha` of the queries of the stages it was deployed in, plus `burst`.
    `action_masks()` and the observation's `action_mask` tell what is allowed. PASS is always
    allowed on a route step, and on a deploy step once a model is in or if none is on offer.

    A forbidden action does not raise: on a deploy step it commits the set as it stands, on a route
    step the query is declined, and `info["invalid_actions"]` counts it. An action outside the
    space raises `gymnasium.error.InvalidAction`.

    ## Observation Space

    A `Dict` of one-dimensional float32 boxes (`action_mask`: int8) with finite bounds.

    | key | shape | meaning |
    |---|---|---|
    | `action_mask` | (N + 1,) | 1 where the action is allowed |
    | `phase` | (1,) | 0: deploy, 1: route |
    | `available` | (N,) | 1 for models on offer in this stage |
    | `deployed` | (N,) | 1 for deployed models; on a deploy step those added so far |
    | `previous` | (N,) | 1 for models that were deployed in the stage before |
    | `pulls` | (N,) | queries whose outcome has been observed |
    | `mean_score` | (N,) | their mean score, 0 if there are none |
    | `mean_cost` | (N,) | their mean cost in USD, 0 if there are none |
    | `list_price` | (N,) | USD of a typical query by the provider's price list, 0 if unknown |
    | `throughput` | (N,) | share `alpha` |
    | `tokens` | (N,) | tokens in the bucket, in queries, also of models not deployed |
    | `progress` | (2,) | share of the horizon, and of the stage, that is over |
    | `budget_left` | (1,) | 1 - observed spend / (b T); below 0 after an overspend |
    | `query` | (F,) | features of the query to route; 0 on a deploy step |
    | `last_action` | (1,) | model whose outcome was observed last, -1 for none |
    | `last_score`, `last_cost` | (1,) | that outcome; cost in USD |

    With `feedback_delay = d` all that depends on an outcome shows it `d` queries late. With a
    `feedback_rate` below 1 some scores never show: `last_score` is -1 then, `pulls` and
    `mean_score` leave the query out, `last_cost`, `mean_cost` and `budget_left` do not. With an
    `activation_delay` a deployed model that cannot serve yet is masked on route steps, and shares
    for it go to the others.

    ## Rewards

    The score of the query served; 0 for deploy steps and declined queries.

    ## Starting State

    No model deployed, no spend, the deploy phase of the first stage. The seed decides which
    queries come and what each model would answer to each of them, whatever the agent does. Where
    the scenario draws a world for each seed, that of the reset's seed is entered, and without one
    a world that the environment's random numbers draw.

    ## Episode End

    Terminated after query `T`, or, under the budget rule `hard`, as soon as the spend reaches
    `b T`. Never truncated.

    ## Information

    `info` has the same keys from `reset` on: `stage`, `t` (queries consumed), `model` (that served
    the last query, -1: none), `score`, `cost` (of the last step, USD), `spend` (USD, with
    deployment costs), `oracle_score` (the stage oracle's expected score a query, `V_k`), `regret`
    (cumulative, `sum of V_k - mu_m`; it can be negative after an overspend; the step that ends an
    episode adds `V_k` for each query never reached, as if it were declined), `declined`,
    `invalid_actions` and `activations` (counts).

    ## Arguments

    All arguments can be JSON-native, so that the spec can be written as JSON.

    - `scenario`: name of a scenario, see `stageroute_gym.scenarios.names()`, or a `Scenario`.
    - any field of `stageroute_gym.problem.Problem`, which overrides the scenario's: `horizon`,
      `num_stages` or `stage_starts`, `max_deployed`, `budget`, `budget_rule`, `throughput`,
      `burst`, `deployment_cost`, `feedback_delay`, `feedback_rate`, `activation_delay`,
      `failure_rate`.
    - any option of the scenario's workload, such as `data` for `recorded`.
    - `render_mode`: `ansi`, `rgb_array` or `human`; the latter two need the extra `render`.

    ## Vectorized Environment

    `gymnasium.make_vec("StageRoute-v0", num_envs=E, vectorization_mode="vector_entry_point")`
    makes `stageroute_gym.vector.StageRouteVectorEnv`, which runs the same kernels.

    ## Version History

    * v0: initial version.
    """

    metadata = {  # noqa: RUF012 - Gymnasium's attribute
        "render_modes": ["ansi", "rgb_array", "human"],
        "render_fps": 30,
    }
    continuous: ClassVar[bool] = False
    observation_space: spaces.Dict  # type: ignore[assignment]

    def __init__(
        self,
        *,
        scenario: str | Scenario = "routerbench",
        render_mode: str | None = None,
        **overrides: Any,
    ) -> None:
        self.render_mode = check_render_mode(render_mode, self.metadata["render_modes"])
        self.scenario: Scenario = scenarios.get(scenario, **overrides)
        self.problem: Problem = self.scenario.problem
        self._episodes = make_episodes(
            self.scenario.world, 1, per_seed=self.scenario.per_seed, continuous=self.continuous
        )
        self.models: tuple[str, ...] = self.world.table.models
        self.cost_bounds: tuple[float, float] = self.world.cost_bounds
        n = self.world.num_models
        self.observation_space = observation_space(self.world)
        self.action_space = action_space(n, continuous=self.continuous)
        self._action = np.zeros(1, np.int64)
        self._running = False
        self._renderer: Renderer | None = None
        self._bind()

    def _bind(self) -> None:
        # Views and plain calls: methods of the episodes would cost a step a tenth of its time.
        state = self._episodes.state
        self._finished = state.finished
        self._fields, self._scalars, self._mask = state.fields[0], state.scalars[0], state.mask[0]
        self._counters, self._amounts = state.counters[0], state.amounts[0]
        self._advance = self._advancing()

    def _advancing(self) -> Callable[[NDArray[Any]], None]:
        # What applies a checked action to the episode.
        return self._episodes.step

    def __getstate__(self) -> dict[str, Any]:
        """The running episode; views of its arrays and a window do not survive a copy."""
        views = ("_finished", "_fields", "_scalars", "_mask", "_counters", "_amounts", "_advance")
        state = {k: v for k, v in self.__dict__.items() if k not in views}
        return state | {"_renderer": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._bind()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start a new episode.

        Raises:
            FieldError: if there are ``options``; nothing is reset then.
        """
        if options:
            raise FieldError("options", options, "None or an empty dict; there are no options")
        super().reset(seed=seed)
        if isinstance(self._episodes, SeededEpisodes):
            self._episodes.enter(np.zeros(1, np.int64), [seed], [self.np_random])
            if self._renderer is not None:
                self._renderer.enter(self.world)
        self._episodes.reset(np.zeros(1, np.int64), draw_key(self.np_random))
        self._running = True
        if self.render_mode == "human":
            self.render()
        return self._observe(), info_fields(self._counters.tolist(), self._amounts.tolist())

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Apply one decision; the class tells what it means.

        Raises:
            InvalidAction: if the action lies outside the action space.
            ResetNeeded: if the episode has not started or is over.
        """
        if not self._running:
            raise ResetNeeded("the episode is over or was never started: call reset() first")
        self._advance(self._checked(action))
        counters, amounts = self._counters.tolist(), self._amounts.tolist()
        info = info_fields(counters, amounts)
        terminated = self._finished.item()
        if terminated:
            self._running = False
        if self.render_mode == "human":
            self.render()
        return self._observe(), info["score"], terminated, False, info

    @property
    def world(self) -> World:
        """The world of the episode; before the first reset, where each seed draws one, seed 0's."""
        return self._episodes.world

    @property
    def agent_context(self) -> AgentContext:
        """What an agent for this environment may know."""
        return self._episodes.world.agent_context(
            continuous=self.continuous, per_seed=self.scenario.per_seed
        )

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are allowed now, shape (N + 1,), bool; the last entry is PASS."""
        return self._mask.astype(np.bool_)

    def snapshot(self) -> Snapshot:
        """What there is to see of the episode, by name, for whoever shows it."""
        # Only here, since few need it.
        from stageroute_gym.rendering.snapshot import take

        return take(self._episodes)

    def render(self) -> Any:
        """Show the episode: text for `ansi`, an RGB array, shape (H, W, 3), uint8, or a window.

        Raises:
            KeyboardInterrupt: if the user has closed the window.
        """
        if self.render_mode is None:
            gym.logger.warn("render() needs a render_mode: pass one to gymnasium.make()")
            return None
        if self._renderer is None:
            # Only here, since a renderer may load pygame.
            from stageroute_gym.rendering import make_renderer

            self._renderer = make_renderer(self.world, self.render_mode, self.metadata)
        return self._renderer.render(self._episodes)

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def _checked(self, action: Any) -> NDArray[Any]:
        # The usual cases, a plain int and what `action_space.sample()` returns, need no array to be
        # checked; as a plain int the latter is compared three times as fast.
        if type(action) is int or type(action) is np.int64:
            number = int(action)
            if 0 <= number <= len(self.models):
                self._action[0] = number
                return self._action
        return model_numbers(action, (), len(self.models)).reshape(1)

    def _observe(self) -> Observation:
        return make_observation(self._fields.copy(), self._scalars.copy(), self._mask.copy())


class StageRouteContinuousEnv(StageRouteEnv):
    """`StageRoute-v0` with shares of the models as actions.

    ## Description

    As `StageRouteEnv`, with one deploy step a stage and the paper's throughput constraint, which
    caps the probability of routing to a model rather than counting queries.

    ## Action Space

    `Box(-1, 1, (N,), float32)`.

    * Deploy step: the up to `M_max` models on offer with the largest positive entries are
      deployed (ties: lowest number).
    * Route step: the positive entries of deployed models, normalised, then projected onto
      `p_m <= alpha_m`: what a model cannot take is shared among the others in proportion, and the
      mass that fits nowhere is declined. The environment draws the model. A distribution that
      already respects the caps is used unchanged.

    An action without a positive entry is PASS. Deploying nothing although a model is on offer, and
    weights for undeployed models only, count as forbidden.

    ## Observation Space

    As `StageRouteEnv`; `action_mask` tells which models can get a share, and `tokens` stay full.

    ## Rewards

    As `StageRouteEnv`.

    ## Starting State

    As `StageRouteEnv`; under one seed both ids meet the same queries and outcomes.

    ## Episode End

    As `StageRouteEnv`.

    ## Arguments

    As `StageRouteEnv`; `burst` has no effect.

    ## Vectorized Environment

    `stageroute_gym.vector.StageRouteContinuousVectorEnv`.

    ## Version History

    * v0: initial version.
    """

    continuous = True

    def _checked(self, action: Any) -> NDArray[Any]:
        return model_weights(action, (len(self.models),))[None, :]
