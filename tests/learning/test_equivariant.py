from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from stageroute_agents.sb3 import training
from stageroute_agents.sb3.equivariant import EquivariantPolicy
from stageroute_agents.sb3.files import AgentFile
from stageroute_agents.sb3.settings import TrainingSettings

from stageroute_gym.actions import action_space
from stageroute_gym.evaluation import evaluate
from stageroute_gym.wrappers import Normalization
from stageroute_gym.wrappers.normalization import MODEL_FEATURES


def policy(num_models: int, *, continuous: bool) -> EquivariantPolicy:
    flat = Normalization(num_models, 1000, 1e-3, 20.0, (0.0,), (1.0,))
    torch.manual_seed(0)
    actions = action_space(num_models, continuous=continuous)
    return EquivariantPolicy(flat.space, actions, lambda _: 1e-3)


def rows(num_models: int) -> torch.Tensor:
    flat = Normalization(num_models, 1000, 1e-3, 20.0, (0.0,), (1.0,))
    values = np.random.default_rng(0).uniform(-1, 1, (6, flat.size)).astype(np.float32)
    values[:, : 2 * num_models] = values[:, : 2 * num_models] > 0
    return torch.as_tensor(values)


@pytest.mark.parametrize("continuous", [True, False])
def test_renaming_the_models_renames_the_scores(continuous: bool) -> None:
    n = 7
    network, original = policy(n, continuous=continuous), rows(n)
    order = np.random.default_rng(1).permutation(n)
    renamed = original.clone()
    for block in range(len(MODEL_FEATURES)):
        renamed[:, block * n : (block + 1) * n] = original[:, block * n + order]
    with torch.no_grad():
        first = network.mlp_extractor.forward_actor(original)
        second = network.mlp_extractor.forward_actor(renamed)
        values = network.predict_values(original), network.predict_values(renamed)
    torch.testing.assert_close(second[:, :n], first[:, order], rtol=0, atol=1e-6)
    torch.testing.assert_close(second[:, n:], first[:, n:], rtol=0, atol=1e-6)
    torch.testing.assert_close(*values, rtol=0, atol=1e-6)


@pytest.mark.parametrize("continuous", [True, False])
def test_same_weights_fit_any_number_of_models(continuous: bool) -> None:
    first, second = policy(5, continuous=continuous), policy(12, continuous=continuous)
    second.load_state_dict(first.state_dict())
    actions, _ = second.predict(rows(12).numpy(), deterministic=True)
    assert actions.shape == ((6, 12) if continuous else (6,))


def test_trained_on_11_models_it_plays_with_another_number(tmp_path: Path) -> None:
    settings = TrainingSettings(
        algo="ppo",
        scenario="routerbench",
        overrides={"horizon": 400, "num_stages": 4},
        equivariant=True,
        steps=64,
        num_envs=2,
        hold=20,
        eval_interval=64,
        eval_episodes=1,
        parameters={"n_steps": 16, "batch_size": 32},
    )
    path = training.train(settings, tmp_path / "run", show_progress=False)
    data = tmp_path / "outcomes.csv"
    data.write_text(
        "query_id,task,score:a,score:b,cost:a,cost:b\n1,t,0.5,1,0.1,0.2\n2,t,1,0,0.1,0.2\n"
    )
    table = evaluate(
        str(path),
        "recorded",
        [0],
        data=str(data),
        initial_models=1,
        arrival_interval=100,
        horizon=400,
        num_stages=4,
        throughput=1.0,
        budget=0.2,
    )
    assert table["decisions"][0] >= 404
    assert AgentFile(path).settings.equivariant
