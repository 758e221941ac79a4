"""What every agent has to keep, as a check for agents of one's own."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from stageroute_gym.context import AgentContext
from stageroute_gym.env import StageRouteContinuousEnv, StageRouteEnv
from stageroute_gym.evaluation import agents
from stageroute_gym.evaluation.agents import AgentFactory, Predictor
from stageroute_gym.evaluation.entries import ENV_IDS, environment_of
from stageroute_gym.registration import plain_id
from stageroute_gym.simulator.world import World
from stageroute_gym.testing.reachable import reachable
from stageroute_gym.vector import (
    StageRouteContinuousVectorEnv,
    StageRouteVectorEnv,
)
from stageroute_gym.workloads import OutcomeTable, Schedule

# The worlds that an agent plays in, as arguments of the environments.
WORLDS: Mapping[str, Mapping[str, Any]] = {
    "plain": {"horizon": 60, "num_stages": 4},
    "late feedback": {"horizon": 60, "num_stages": 3, "feedback_delay": 7, "budget_rule": "soft"},
    "sparse feedback": {"horizon": 60, "num_stages": 3, "feedback_rate": 0.4, "failure_rate": 0.2},
    "slow start": {"horizon": 60, "num_stages": 6, "activation_delay": 6, "initial_models": 5},
    "scarce": {"horizon": 60, "num_stages": 4, "budget": 5e-5, "throughput": 0.1},
    "tasks": {"horizon": 60, "num_stages": 4, "features": "task", "deployment_cost": 1e-4},
    "features": {"scenario": "per-query", "horizon": 60, "num_stages": 4},
}
_SEEDS = (3, 11, 4)
_HANDED_OVER = 25  # steps after which another agent goes on
# What holds the truth, and what leads to it.
_TRUTH = (World, OutcomeTable, Schedule, gym.Env, gym.vector.VectorEnv)

Steps = list[NDArray[Any]]


def check_agent(factory: AgentFactory, *, keeps_limits: bool = False, **parameters: Any) -> None:
    """Check that an agent behaves as the evaluation expects of it.

    In several small worlds, and with the actions of
    `StageRoute-v0` and `StageRouteContinuous-v0` (or of the one that the agent's attribute
    ``env_id`` names):

    * its actions lie in the action space and the mask forbids none of them, whether it is asked for
      ``deterministic`` ones or not, and it leaves the observations as they are;
    * the same seed gives the same episode, and none needs a state to start with;
    * a batch takes the decisions of single episodes, whichever run beside them;
    * all that it remembers is in ``state``: another agent of the same class goes on with it;
    * unless its kind is ``reference``, nothing that it, its state or its class holds leads to the
      truth, and made from a context that was written as JSON it takes the same decisions.

    Args:
        factory: the agent's class, called as ``factory(context, seed=..., **parameters)``.
        keeps_limits: whether continuous actions must be shares already, within the throughput and
            adding up to at most 1, and sets of at most ``M_max`` models; the environment projects
            and cuts off what goes beyond.
        parameters: the agent's parameters.

    Raises:
        AssertionError: if something does not hold; the message says what, and where.
        FieldError: if a parameter is unknown or has a value that is not allowed, ``env_id`` names
            no environment, or the factory cannot be called so.
    """
    name = getattr(factory, "__qualname__", type(factory).__qualname__)
    only = getattr(factory, "env_id", None)
    for env_id in ENV_IDS if only is None else [environment_of(factory, only)]:
        for world in WORLDS:
            _Checks(factory, name, world, parameters, env_id).run(keeps_limits)


class _Checks:
    """The checks of one agent in one world."""

    def __init__(
        self,
        factory: AgentFactory,
        name: str,
        world: str,
        parameters: Mapping[str, Any],
        env_id: str,
    ) -> None:
        self.factory, self.name, self.parameters = factory, name, parameters
        continuous = env_id == plain_id(continuous=True)
        single = StageRouteContinuousEnv if continuous else StageRouteEnv
        batch = StageRouteContinuousVectorEnv if continuous else StageRouteVectorEnv
        self.env, self.batch = single(**WORLDS[world]), batch(len(_SEEDS), **WORLDS[world])
        self.state: Any = None  # what the agent remembered at the end of the last episode
        kind = "continuous" if continuous else "discrete"
        self.where = f"{name}, world {world!r}, {kind} actions"

    def run(self, keeps_limits: bool) -> None:
        agent = self.make(self.env)
        alone = [self.play(agent, seed, keeps_limits) for seed in _SEEDS]
        again = [self.play(self.make(self.env), seed, keeps_limits) for seed in _SEEDS]
        self.same(alone, again, "the same seed gives another episode")
        self.same(alone, self.play_together(), "a batch decides otherwise than single episodes")
        handed = [self.play(agent, seed, keeps_limits, hand_over=True) for seed in _SEEDS]
        self.same(alone, handed, "something that it remembers is not in its state")
        # As stable-baselines3's `evaluate_policy` calls it.
        self.steps(self.make(self.env), _SEEDS[0], None, keeps_limits, deterministic=True)
        if agents.kind_of(self.factory, self.name) != "reference":
            self.check_blind(agent)
            written = json.dumps(AgentContext.of(self.env).to_dict())
            rebuilt = self.make(AgentContext.from_dict(json.loads(written)))
            played = [self.play(rebuilt, seed, keeps_limits) for seed in _SEEDS]
            self.same(alone, played, "made from a context read from JSON, it decides otherwise")

    def make(self, env: Any) -> Predictor:
        return agents.build(
            self.factory, env, name=self.name, seed=1, parameters=dict(self.parameters)
        )

    def demand(self, holds: bool, fault: str) -> None:
        if not holds:
            raise AssertionError(f"{self.where}: {fault}")

    def same(self, first: list[Steps], second: list[Steps], fault: str) -> None:
        for seed, one, other in zip(_SEEDS, first, second, strict=True):
            for step, (a, b) in enumerate(zip(one, other, strict=False)):
                close = np.allclose(a, b, rtol=1e-6, atol=1e-9)
                self.demand(close, f"{fault}: seed {seed}, step {step}, {a} and {b}")
            self.demand(len(one) == len(other), f"{fault}: seed {seed}, {len(one)}, {len(other)}")

    def check_blind(self, agent: Predictor) -> None:
        world = self.env.world
        hidden = (world.table.score, world.table.cost, world.mean_score, world.mean_cost)
        for start, held in (("", agent), ("state: ", self.state)):
            for path, value in reachable(held):
                told = isinstance(value, _TRUTH)
                if isinstance(value, np.ndarray):
                    told = any(np.array_equal(value, truth) for truth in hidden)
                self.demand(not told, f"it holds the truth, in {start}{path}")

    def play(
        self, agent: Predictor, seed: int, keeps_limits: bool, *, hand_over: bool = False
    ) -> Steps:
        """The actions of one episode."""
        hand = _HANDED_OVER if hand_over else None
        return self.steps(agent, seed, begun(agent, [seed]), keeps_limits, hand_over_at=hand)

    def steps(
        self,
        agent: Predictor,
        seed: int,
        state: Any,
        keeps_limits: bool,
        *,
        deterministic: bool = False,
        hand_over_at: int | None = None,
    ) -> Steps:
        observation, info = self.env.reset(seed=seed)
        start, over = np.ones(1, np.bool_), False
        actions: Steps = []
        while not over:
            if len(actions) == hand_over_at:
                agent, state = self.make(self.env), copy.deepcopy(state)
            shown = {field: values.copy() for field, values in observation.items()}
            action, state = agent.predict(observation, state, start, deterministic)
            for field, values in shown.items():
                kept = np.array_equal(values, observation[field])
                self.demand(kept, f"step {len(actions)}: it writes to the observation's {field!r}")
            inside = self.env.action_space.contains(np.asarray(action)[()])
            self.demand(inside, f"step {len(actions)}: {action!r} is outside the action space")
            if keeps_limits and self.env.continuous:
                self.check_limits(observation, action)
            observation, _, over, _, info = self.env.step(action)
            actions.append(np.array(action))
            start = np.zeros(1, np.bool_)
            forbidden = f"step {len(actions) - 1}: the mask forbids {action!r}"
            self.demand(info["invalid_actions"] == 0, forbidden)
        self.state = state
        return actions

    def check_limits(self, observation: Mapping[str, NDArray[Any]], action: Any) -> None:
        if observation["phase"][0] == 0:
            slots = self.env.problem.max_deployed
            self.demand((action > 0).sum() <= slots, f"it deploys more than {slots} models")
            return
        capped = (action <= observation["throughput"] + 1e-6).all()
        self.demand(bool(capped), f"shares {action} above the throughput")
        self.demand(action.sum() <= 1 + 1e-5, f"shares {action} that add up to more than 1")

    def play_together(self) -> list[Steps]:
        """The actions of all episodes, played as one batch."""
        agent = self.make(self.batch)
        observation, _ = self.batch.reset(seed=list(_SEEDS))
        state = begun(agent, _SEEDS)
        start, running = np.ones(len(_SEEDS), np.bool_), np.ones(len(_SEEDS), np.bool_)
        actions: list[Steps] = [[] for _ in _SEEDS]
        while running.any():
            chosen, state = agent.predict(observation, state, start)
            for row in np.flatnonzero(running):
                actions[row].append(np.array(chosen[row]))
            # Nothing is told of what starts anew after an episode's end; only first episodes count.
            start = np.zeros(len(_SEEDS), np.bool_)
            observation, _, over, *_ = self.batch.step(chosen)
            running &= ~over
        return actions


def begun(agent: Predictor, seeds: Any) -> Any:
    """The state for the first decision in episodes with these seeds, None if the agent has none."""
    begin = getattr(agent, "begin", None)
    return None if begin is None else begin(seeds)
