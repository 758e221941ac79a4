"""Policies played without torch against the library's own, as independent truth."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from stageroute_agents.sb3 import algorithms
from stageroute_agents.sb3.equivariant import EquivariantPolicy
from stageroute_agents.sb3.networks import PlayedNetwork, PlayedScorer
from stageroute_agents.sb3.planned import PlannedFeatures

import stageroute_gym  # noqa: F401
from stageroute_gym.errors import FieldError
from stageroute_gym.simulator.actions import action_space
from stageroute_gym.wrappers import Normalization, RelativeFeatures
from stageroute_gym.wrappers.shares import logit_space

SMALL = {"horizon": 400, "num_stages": 5, "budget": 1e-3}
KINDS = ("ppo", "maskable-ppo", "generalist", "generalist-discrete", "planned")


def case(kind: str) -> tuple[Any, PlayedNetwork, NDArray[np.float32], NDArray[np.bool_] | None]:
    """A policy with weights as after a training, what plays it, and rows of an episode."""
    discrete = kind in ("maskable-ppo", "generalist-discrete")
    env = gym.make("StageRoute-v0" if discrete else "StageRouteContinuous-v0", **SMALL)
    shared, arguments = kind.startswith("generalist"), {}
    transformation = (RelativeFeatures if shared else Normalization).of(env)
    if kind == "planned":
        shared, arguments = True, {"planned": True}
        transformation = PlannedFeatures.of(env)
    actions = action_space(11, continuous=not discrete)
    if kind in ("generalist", "planned"):
        actions = logit_space(11)
    torch.manual_seed(0)
    policy_class = EquivariantPolicy if shared else algorithms.get(kind).policy_class()
    policy = policy_class(transformation.space, actions, lambda _: 0.0, **arguments)
    with torch.no_grad():
        for weight in policy.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    policy.set_training_mode(False)
    rows, masks = [], []
    observation, _ = env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(200):
        rows.append(transformation(observation))
        masks.append(env.unwrapped.action_masks())
        observation, _, over, _, _ = env.step(env.action_space.sample())
        if over:
            observation, _ = env.reset()
    weights = {name: tensor.numpy() for name, tensor in policy.state_dict().items()}
    kind_of_player = PlayedScorer if shared else PlayedNetwork
    player = kind_of_player(weights, transformation.space, actions, arguments)
    told = np.stack(masks) if kind == "maskable-ppo" else None
    return policy, player, np.stack(rows), told


@pytest.mark.parametrize("kind", KINDS)
def test_equals_torch(kind: str) -> None:
    policy, player, rows, masks = case(kind)
    told = {} if masks is None else {"action_masks": masks}
    with torch.no_grad():
        tensor, _ = policy.obs_to_tensor(rows)
        distribution = policy.get_distribution(tensor, **told).distribution
    best = policy.predict(rows, deterministic=True, **told)[0]
    if kind in ("maskable-ppo", "generalist-discrete"):
        probabilities = player.probabilities(rows, masks)
        np.testing.assert_allclose(probabilities, distribution.probs.numpy(), rtol=0, atol=1e-5)
        np.testing.assert_array_equal(player.best(rows, masks), best)
    else:
        outputs = player.outputs(rows)
        np.testing.assert_allclose(outputs, distribution.mean.numpy(), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(player.best(rows), best, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_played_alike_whatever_stands_beside_it(kind: str) -> None:
    _, player, rows, _ = case(kind)
    together = player.outputs(rows)
    for row in (0, 3, 77):
        np.testing.assert_array_equal(player.outputs(rows[row : row + 1])[0], together[row])


def test_weights_of_another_form_are_refused() -> None:
    policy, _, rows, _ = case("ppo")
    weights = {name: tensor.numpy() for name, tensor in policy.state_dict().items()}
    space = gym.spaces.Box(-1.0, 1.0, (rows.shape[1],), np.float32)
    for fewer in (
        {k: v for k, v in weights.items() if not k.startswith("action_net")},
        {**weights, "action_net.weight": weights["action_net.weight"][:, :5]},
    ):
        with pytest.raises(FieldError, match="weights"):
            PlayedNetwork(fewer, space, action_space(11, continuous=True), {})
    with pytest.raises(FieldError, match="weights"):
        PlayedNetwork(weights, space, action_space(12, continuous=True), {})
    with pytest.raises(FieldError, match="weights"):
        PlayedNetwork(weights, space, action_space(11, continuous=True), {"net_arch": [7]})
    with pytest.raises(FieldError, match="weights"):
        PlayedScorer(weights, space, logit_space(11), {})
