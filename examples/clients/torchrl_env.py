"""The environment in TorchRL, with masks, checked by TorchRL's own ``check_env_specs``."""

from __future__ import annotations

import gymnasium as gym
import torch
from torchrl.envs import Compose, DTypeCastTransform, TransformedEnv
from torchrl.envs.libs.gym import GymWrapper
from torchrl.envs.transforms import ActionMask
from torchrl.envs.utils import check_env_specs

import stageroute_gym  # noqa: F401
from stageroute_gym.wrappers import MaskedObservation


def main() -> None:
    for env_id in ("StageRouteFlat-v0", "StageRouteContinuousFlat-v0"):
        env = GymWrapper(MaskedObservation(gym.make(env_id, horizon=200, num_stages=4)))
        check_env_specs(env)
        if env_id == "StageRouteFlat-v0":
            cast = DTypeCastTransform(torch.int8, torch.bool, in_keys=["mask"])
            env = TransformedEnv(env, Compose(cast, ActionMask(mask_key="mask")))
        rollout = env.rollout(300)
        print(f"{env_id}: {len(rollout)} steps, reward {rollout['next', 'reward'].sum():.1f}")


if __name__ == "__main__":
    main()
