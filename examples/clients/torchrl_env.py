"""The environment in TorchRL, checked by TorchRL's own ``check_env_specs``: masked, and native."""

from __future__ import annotations

import gymnasium as gym
import torch
from gymnasium.vector import AutoresetMode
from torchrl.envs import Compose, DTypeCastTransform, TransformedEnv
from torchrl.envs.libs.gym import GymWrapper
from torchrl.envs.transforms import ActionMask
from torchrl.envs.utils import check_env_specs

import stageroute_gym  # noqa: F401
from stageroute_gym.wrappers import MaskedObservation

SHORT = {"horizon": 200, "num_stages": 4}


def masked() -> None:
    """A single environment whose random actions keep to the masks."""
    env = GymWrapper(MaskedObservation(gym.make("StageRouteFlat-v0", **SHORT)))
    check_env_specs(env)
    cast = DTypeCastTransform(torch.int8, torch.bool, in_keys=["mask"])
    env = TransformedEnv(env, Compose(cast, ActionMask(mask_key="mask")))
    rollout = env.rollout(300)
    print(f"masked: {len(rollout)} steps, reward {rollout['next', 'reward'].sum():.1f}")


def native(env_id: str) -> None:
    """The native vector environment, with the autoreset mode that TorchRL asks for."""
    mode = AutoresetMode.SAME_STEP
    vector = gym.make_vec(env_id, 4, "vector_entry_point", autoreset_mode=mode, **SHORT)
    env = GymWrapper(vector)
    check_env_specs(env)
    rollout = env.rollout(300, break_when_any_done=False)
    ends = int(rollout["next", "done"].sum())
    print(f"{env_id}: 4 x 300 steps over {ends} ends of episodes")


def main() -> None:
    masked()
    for env_id in ("StageRouteFlat-v0", "StageRouteContinuousFlat-v0"):
        native(env_id)


if __name__ == "__main__":
    main()
