"""The algorithms that can be trained, what they fit, and their tuned defaults."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.extras import needed
from stageroute_gym.registration import CONTINUOUS, DISCRETE


@dataclass(frozen=True)
class Algorithm:
    """One algorithm of stable-baselines3 or sb3-contrib.

    Args:
        name: its name on the command line.
        module: the package that has it.
        class_name: its class there.
        env_ids: the environments whose actions it can choose; the first is the default.
        policy: the library's name of the policy.
        samples: whether its discrete actions are drawn from the policy when it plays, since that
            is how the policy mixes models; the best one is taken otherwise.
        masked: whether it is told which actions are allowed.
        off_policy: whether it learns from a replay buffer.
        num_envs: environments to train in, by default.
        steps: decisions to train for, by default.
        parameters: arguments of the class, where they differ from the library's defaults.
    """

    name: str
    module: str
    class_name: str
    env_ids: tuple[str, ...]
    policy: str = "MlpPolicy"
    samples: bool = False
    masked: bool = False
    off_policy: bool = False
    num_envs: int = 16
    steps: int = 100_000
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Any:
        """The class; imports torch.

        Raises:
            FieldError: if the library is not installed.
        """
        try:
            return getattr(importlib.import_module(self.module), self.class_name)
        except ImportError as error:
            raise FieldError("algo", self.name, f"{needed('rl')}; {error}") from error

    def policy_class(self) -> Any:
        """The class of its policy; imports torch."""
        return self.load().policy_aliases[self.policy]


# An update every 64 decisions of each environment: more than an episode, if they hold for a stage.
_PPO = {
    "n_steps": 64,
    "gamma": 0.99,
    "gae_lambda": 0.95,
    "learning_rate": 5e-4,
    "batch_size": 256,
    "n_epochs": 10,
}
_A2C = {
    "n_steps": 64,
    "gamma": 0.95,
    "gae_lambda": 0.95,
    "learning_rate": 2e-4,
    "ent_coef": 0.01,
    "normalize_advantage": True,
    "policy_kwargs": {"log_std_init": -1.0},
}
_OFF_POLICY = {"learning_starts": 2_000, "buffer_size": 200_000, "gamma": 0.99, "train_freq": 4}
_ACTOR_CRITIC = {
    **_OFF_POLICY,
    "gradient_steps": 16,
    "batch_size": 256,
    # The library's networks of 256 units cost three times as much for each step.
    "policy_kwargs": {"net_arch": [64, 64]},
    "learning_rate": 1e-3,
    "tau": 0.02,
}
_SAC = {**_ACTOR_CRITIC, "gamma": 0.98, "ent_coef": 0.003}
_TD3 = {**_ACTOR_CRITIC, "gamma": 0.95, "n_steps": 10, "action_noise": 0.2}
_TQC = {**_ACTOR_CRITIC, "gamma": 0.95, "n_steps": 10, "ent_coef": 0.003}
_VALUES = {
    **_OFF_POLICY,
    "gradient_steps": 4,
    "batch_size": 256,
    "learning_rate": 5e-4,
    "target_update_interval": 1_000,
    "exploration_fraction": 0.3,
    "exploration_final_eps": 0.02,
}
_QRDQN = {
    **_VALUES,
    "gradient_steps": 8,
    "learning_rate": 2e-3,
    "target_update_interval": 500,
    "exploration_fraction": 0.2,
    "exploration_final_eps": 0.0,
    # The library's 200 cost 60 times as much for each step.
    "policy_kwargs": {"n_quantiles": 25},
}
_SB3, _CONTRIB = "stable_baselines3", "sb3_contrib"
_ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("ppo", _SB3, "PPO", (CONTINUOUS, DISCRETE), samples=True, parameters=_PPO),
        Algorithm(
            "a2c",
            _SB3,
            "A2C",
            (CONTINUOUS, DISCRETE),
            samples=True,
            parameters=_A2C,
        ),
        Algorithm("dqn", _SB3, "DQN", (DISCRETE,), off_policy=True, parameters=_VALUES),
        Algorithm("qrdqn", _CONTRIB, "QRDQN", (DISCRETE,), off_policy=True, parameters=_QRDQN),
        Algorithm(
            "maskable-ppo",
            _CONTRIB,
            "MaskablePPO",
            (DISCRETE,),
            samples=True,
            masked=True,
            parameters=_PPO,
        ),
        Algorithm(
            "recurrent-ppo",
            _CONTRIB,
            "RecurrentPPO",
            (CONTINUOUS, DISCRETE),
            policy="MlpLstmPolicy",
            samples=True,
            # The library's 256 units and ten epochs cost five times as much for each step.
            parameters={**_PPO, "n_epochs": 4, "policy_kwargs": {"lstm_hidden_size": 32}},
        ),
        Algorithm(
            "sac",
            _SB3,
            "SAC",
            (CONTINUOUS,),
            off_policy=True,
            steps=20_000,
            parameters=_SAC,
        ),
        Algorithm(
            "td3", _SB3, "TD3", (CONTINUOUS,), off_policy=True, steps=20_000, parameters=_TD3
        ),
        Algorithm(
            "tqc", _CONTRIB, "TQC", (CONTINUOUS,), off_policy=True, steps=20_000, parameters=_TQC
        ),
    )
}


def names() -> list[str]:
    """Names of all algorithms."""
    return list(_ALGORITHMS)


def get(name: str, env_id: str | None = None) -> Algorithm:
    """The algorithm of that name.

    Args:
        name: one of `names()`.
        env_id: an environment that it has to fit; None for any.

    Raises:
        FieldError: if there is no such algorithm or environment, or one does not fit the other.
    """
    if name not in _ALGORITHMS:
        raise FieldError("algo", name, closest(name, _ALGORITHMS))
    if env_id is None:
        return _ALGORITHMS[name]
    if env_id not in (DISCRETE, CONTINUOUS):
        raise FieldError("env_id", env_id, closest(env_id, (DISCRETE, CONTINUOUS)))
    if env_id not in _ALGORITHMS[name].env_ids:
        fits = [a.name for a in _ALGORITHMS.values() if env_id in a.env_ids]
        kind = "discrete" if env_id == DISCRETE else "continuous"
        allowed = f"one for the {kind} actions of {env_id}: {', '.join(fits)}"
        raise FieldError("algo", name, allowed)
    return _ALGORITHMS[name]
