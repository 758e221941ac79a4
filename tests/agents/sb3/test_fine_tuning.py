"""Reinforcement learning over random worlds: the reward, and what learns when."""

from __future__ import annotations

import numpy as np
import pytest
from stageroute_agents.sb3.generalist import MOST_MODELS, world
from stageroute_agents.sb3.planned import VectorPlanned
from stageroute_agents.sb3.settings import RETURN_SCALE
from stageroute_agents.sb3.shipped import Generalist

from stageroute_gym.oracles import oracle_total
from stageroute_gym.vector import StageRouteContinuousVectorEnv
from stageroute_gym.wrappers import VectorHoldDecision

(START,) = Generalist.files
SHORT = {"worlds": 2, "episodes": 1, "steps": 16}


def test_rewards_of_an_episode_are_its_share_of_the_horizon_oracle() -> None:
    from stageroute_agents.sb3.fine_tuning import Widened

    native = StageRouteContinuousVectorEnv(2, scenario=world(50), horizon=300, num_stages=3)
    env = Widened(VectorPlanned(VectorHoldDecision(native, queries=2)))
    rows, _ = env.reset(seed=0)
    assert env.single_observation_space.contains(rows[0])
    rng = np.random.default_rng(0)
    total, score, running = np.zeros(2), np.zeros(2), np.ones(2, np.bool_)
    while running.any():
        logits = rng.normal(size=(2, MOST_MODELS)).astype(np.float32)
        rows, rewards, over, _, info = env.step(logits)
        total += rewards * running
        score += info["score"] * running
        running &= ~over
    assert (score > 0).all()
    oracle = oracle_total(native.world, "horizon")
    np.testing.assert_allclose(total, RETURN_SCALE * score / oracle, rtol=1e-6)


@pytest.mark.slow
def test_a_clone_keeps_its_actor_until_the_critic_has_learned() -> None:
    import torch
    from stageroute_agents.sb3.fine_tuning import fine_tune

    seen = [
        {name: value.clone() for name, value in policy.state_dict().items()}
        for policy, _ in fine_tune(START, iterations=3, **SHORT)
    ]
    actor = "mlp_extractor.actor.embed.weight"
    critic = "mlp_extractor.value.embed.weight"
    assert torch.equal(seen[0][actor], seen[1][actor])
    assert not torch.equal(seen[0][critic], seen[1][critic])
    assert not torch.equal(seen[1][actor], seen[2][actor])


@pytest.mark.slow
def test_the_same_seed_gives_the_same_policy() -> None:
    import torch
    from stageroute_agents.sb3.fine_tuning import fine_tune

    runs = [list(fine_tune(None, seed=3, iterations=1, **SHORT)) for _ in range(2)]
    (first, decisions), (second, _) = runs[0][0], runs[1][0]
    assert decisions == 32
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
