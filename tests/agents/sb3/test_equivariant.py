from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from stageroute_agents.sb3 import training
from stageroute_agents.sb3.equivariant import EquivariantPolicy
from stageroute_agents.sb3.files import AgentFile
from stageroute_agents.sb3.settings import TrainingSettings

from stageroute_gym.evaluation import evaluate
from stageroute_gym.simulator.actions import action_space
from stageroute_gym.wrappers.relative import CONTEXT_FEATURES, MODEL_FEATURES, row_space
from stageroute_gym.wrappers.shares import LIMIT, logit_space

FLAGS = ("available", "deployed", "previous", "allowed", "tried", "listed")


def policy(num_models: int, *, continuous: bool = True) -> EquivariantPolicy:
    torch.manual_seed(0)
    discrete = action_space(num_models, continuous=False)
    actions = logit_space(num_models) if continuous else discrete
    return EquivariantPolicy(row_space(num_models), actions, lambda _: 1e-3)


def rows(num_models: int, count: int = 6) -> torch.Tensor:
    """Random rows; the first half in the deploy phase, the second in the route phase."""
    values = torch.as_tensor(row_space(num_models).sample()).repeat(count, 1)
    torch.manual_seed(1)
    values = values.uniform_(-1, 1)
    values[:, : len(FLAGS) * num_models] = (values[:, : len(FLAGS) * num_models] > 0).float()
    values[:, : 2 * num_models : num_models] = 1.0  # one candidate at least
    phase = len(MODEL_FEATURES) * num_models + CONTEXT_FEATURES.index("phase")
    values[:, phase] = torch.where(torch.arange(count) < count // 2, -1.0, 1.0)
    return values


@pytest.mark.parametrize("continuous", [True, False])
def test_renaming_the_models_renames_the_scores(continuous: bool) -> None:
    n = 7
    network, original = policy(n, continuous=continuous), rows(n)
    order = np.random.default_rng(1).permutation(n)
    renamed = original.clone()
    for block in range(len(MODEL_FEATURES)):
        renamed[:, block * n : (block + 1) * n] = original[:, block * n + order]
    assert not torch.equal(renamed, original)
    with torch.no_grad():
        first = network.mlp_extractor.forward_actor(original)
        second = network.mlp_extractor.forward_actor(renamed)
        values = network.predict_values(original), network.predict_values(renamed)
    assert first[:, :n].std() > 0
    torch.testing.assert_close(second[:, :n], first[:, order], rtol=0, atol=1e-5)
    torch.testing.assert_close(second[:, n:], first[:, n:], rtol=0, atol=1e-5)
    torch.testing.assert_close(*values, rtol=0, atol=1e-5)


def test_models_that_are_no_candidates_count_for_nothing() -> None:
    n = 7
    network, original = policy(n), rows(n)
    flags = {name: original[:, place * n : (place + 1) * n] for place, name in enumerate(FLAGS)}
    candidate = torch.where(torch.arange(6)[:, None] < 3, flags["available"], flags["deployed"])
    changed = original.clone()
    for block in range(len(FLAGS), len(MODEL_FEATURES)):
        values = changed[:, block * n : (block + 1) * n]
        values[candidate == 0] = 0.123
    assert not torch.equal(changed, original)
    with torch.no_grad():
        first, second = (network.mlp_extractor.forward_actor(rows) for rows in (original, changed))
    torch.testing.assert_close(second, first, rtol=0, atol=1e-5)
    assert (first[candidate == 0] == -LIMIT).all()


@pytest.mark.parametrize("continuous", [True, False])
def test_same_weights_fit_any_number_of_models(continuous: bool) -> None:
    first, second = policy(5, continuous=continuous), policy(12, continuous=continuous)
    second.load_state_dict(first.state_dict())
    actions, _ = second.predict(rows(12).numpy(), deterministic=True)
    assert actions.shape == ((6, 12) if continuous else (6,))


def test_models_that_are_not_there_change_nothing() -> None:
    few, many = policy(5), policy(12)
    original = rows(5)
    blocks = original[:, : 5 * len(MODEL_FEATURES)].view(6, len(MODEL_FEATURES), 5)
    wider = torch.cat([blocks, torch.zeros(6, len(MODEL_FEATURES), 7)], dim=2).flatten(1)
    padded = torch.cat([wider, original[:, 5 * len(MODEL_FEATURES) :]], dim=1)
    with torch.no_grad():
        first = few.mlp_extractor.forward_actor(original)
        second = many.mlp_extractor.forward_actor(padded)
    torch.testing.assert_close(second[:, :5], first, rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["StageRoute-v0", "StageRouteContinuous-v0"])
def test_trained_on_11_models_it_plays_with_another_number(env_id: str, tmp_path: Path) -> None:
    settings = TrainingSettings(
        algo="ppo",
        scenario="routerbench",
        overrides={"horizon": 400, "num_stages": 4},
        env_id=env_id,
        equivariant=True,
        steps=64,
        num_envs=2,
        hold=0.05,
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
        horizon=800,
        num_stages=4,
        throughput=1.0,
        budget=0.2,
    )
    assert table["decisions"][0] >= 804
    assert AgentFile(path).settings.queries_held(800) == 40
