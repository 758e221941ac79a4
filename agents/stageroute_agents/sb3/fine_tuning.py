"""Reinforcement learning over random worlds: from a cloned policy on, or from nothing.

PPO (Schulman et al. 2017) on the worlds that `generalist` trains on, with a reward that needs no
teacher: the score over what the horizon oracle expects of the world's episodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gymnasium.vector import VectorWrapper
from stable_baselines3 import PPO

from stageroute_agents.sb3.cloning import widened
from stageroute_agents.sb3.equivariant import EquivariantPolicy
from stageroute_agents.sb3.files import AgentFile
from stageroute_agents.sb3.generalist import HOLD, MOST_MODELS, world
from stageroute_agents.sb3.planned import VectorPlanned, planned_space
from stageroute_agents.sb3.settings import RETURN_SCALE
from stageroute_agents.sb3.vec_env import JoinedVecEnv, NativeVecEnv
from stageroute_gym.oracles import oracle_total
from stageroute_gym.vector import StageRouteContinuousVectorEnv
from stageroute_gym.wrappers import VectorHoldDecision
from stageroute_gym.wrappers.shares import logit_space

# Beyond those of all cloning runs.
_FIRST_WORLD = 910_000_000
# Iterations in which only the critic learns, since a cloned policy comes without one.
_CRITIC_FIRST = 2


class Widened(VectorWrapper):
    """Rows and logits for `MOST_MODELS` models, rewards in terms of the horizon oracle.

    Args:
        env: an environment of at most as many models.
    """

    def __init__(self, env: VectorPlanned) -> None:
        super().__init__(env)
        self._models = env.normalization.num_models
        # What cannot score is worth nothing, whatever it is divided by.
        oracle = oracle_total(env.unwrapped.world, "horizon")  # type: ignore[attr-defined]
        self._scale = RETURN_SCALE / oracle if oracle > 0 else 0.0
        self.single_observation_space = planned_space(MOST_MODELS)
        self.single_action_space = logit_space(MOST_MODELS)

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Start new episodes."""
        rows, info = self.env.reset(seed=seed, options=options)
        return widened(rows, self._models, MOST_MODELS), info

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Play logits of shape (E, `MOST_MODELS`)."""
        step = self.env.step(actions[:, : self._models])
        return widened(step[0], self._models, MOST_MODELS), step[1] * self._scale, *step[2:]


def fine_tune(
    start: Path | None,
    *,
    seed: int = 0,
    iterations: int = 16,
    worlds: int = 24,
    episodes: int = 4,
    steps: int = 256,
    learning_rate: float = 1e-4,
) -> Iterator[tuple[Any, int]]:
    """Train by PPO, each iteration on worlds of its own.

    Args:
        start: agent file of a cloned policy; None begins with random weights.
        seed: seed of the networks, the exploration and the worlds.
        iterations: iterations of playing and fitting.
        worlds: worlds of an iteration.
        episodes: environments of each world.
        steps: decisions of an iteration in each environment.
        learning_rate: step size of Adam.

    Yields:
        After each iteration the policy and the decisions that all environments took so far.
    """
    import torch

    torch.set_num_threads(1)
    first = _FIRST_WORLD + seed * 1_000_000
    model = PPO(
        EquivariantPolicy,
        _environments(first, worlds, episodes),
        n_steps=steps,
        batch_size=min(1024, worlds * episodes * steps),
        n_epochs=4,
        learning_rate=learning_rate,
        gamma=0.999,
        gae_lambda=0.95,
        clip_range=0.1,
        max_grad_norm=0.5,
        policy_kwargs={"planned": True},
        seed=seed,
        device="cpu",
    )
    if start is not None:
        weights = AgentFile(start).weights
        model.policy.load_state_dict({k: torch.as_tensor(v) for k, v in weights.items()})
    # Its gradient is mostly noise of the many models that are no candidates.
    model.policy.log_std.requires_grad_(False)
    actor = model.policy.mlp_extractor.actor
    for iteration in range(iterations):
        if iteration:
            model.set_env(_environments(first + iteration * worlds, worlds, episodes))
        actor.requires_grad_(start is None or iteration >= _CRITIC_FIRST)
        model.learn(worlds * episodes * steps, reset_num_timesteps=iteration == 0)
        yield model.policy, model.num_timesteps


def _environments(first: int, worlds: int, episodes: int) -> JoinedVecEnv:
    return JoinedVecEnv([_environment(first + place, episodes) for place in range(worlds)])


def _environment(number: int, episodes: int) -> NativeVecEnv:
    scenario = world(number)
    native = StageRouteContinuousVectorEnv(episodes, scenario=scenario)
    hold = max(int(HOLD * scenario.problem.horizon), 1)
    env = NativeVecEnv(Widened(VectorPlanned(VectorHoldDecision(native, queries=hold))))
    env.seed(number)
    return env
