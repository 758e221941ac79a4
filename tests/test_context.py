"""The context of an agent: from every kind of environment, to JSON and back."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import gymnasium as gym
import pytest
from speeds import quick_ones
from stageroute_agents import make

import stageroute_gym  # noqa: F401  registers the environments
from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError
from stageroute_gym.wrappers import FlatObservation

IDS = ("StageRoute-v0", "StageRouteContinuous-v0")
SHORT: dict[str, Any] = {"horizon": 60, "num_stages": 3, "throughput": 0.5}


def single(env_id: str) -> gym.Env[Any, Any]:
    return gym.make(env_id, **SHORT)


@pytest.mark.parametrize("env_id", IDS)
def test_every_kind_of_environment_tells_the_same(env_id: str) -> None:
    expected = single(env_id).unwrapped.agent_context  # type: ignore[attr-defined]
    assert expected.continuous == (env_id == IDS[1])
    assert expected.problem.throughput == 0.5
    assert expected.num_models == len(expected.list_prices) == 11
    for env in (
        single(env_id),
        FlatObservation(single(env_id)),
        gym.make_vec(env_id, 2, vectorization_mode="vector_entry_point", **SHORT),
        gym.make_vec(env_id, 2, vectorization_mode="sync", **SHORT),
        expected,
    ):
        assert AgentContext.of(env) == expected


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize(
    "kind",
    quick_ones(["DummyVecEnv", "SubprocVecEnv", "NativeVecEnv"], "DummyVecEnv", "NativeVecEnv"),
)
@pytest.mark.parametrize("name", ["paced-route", "oracle", "uniform"])
def test_agents_play_in_stable_baselines3_s_environments(env_id: str, kind: str, name: str) -> None:
    vec_env = pytest.importorskip("stable_baselines3.common.vec_env", reason="the extra rl")
    from stageroute_agents.sb3.vec_env import NativeVecEnv

    native = gym.make_vec(env_id, 2, vectorization_mode="vector_entry_point", **SHORT)
    if kind == "NativeVecEnv":
        env: Any = NativeVecEnv(native)
    elif kind == "DummyVecEnv":
        env = vec_env.VecMonitor(vec_env.DummyVecEnv([partial(single, env_id)] * 2))
    else:
        env = vec_env.SubprocVecEnv([partial(single, env_id)] * 2)
    try:
        agent: Any = make(name, env)
        assert agent.context == AgentContext.of(native)
        env.seed(0)
        observation, state, infos = env.reset(), None, [{}]
        for _ in range(80):
            actions, state = agent.predict(observation, state)
            observation, _, _, infos = env.step(actions)
        assert all(info["invalid_actions"] == 0 for info in infos)
    finally:
        env.close()


def test_it_survives_json() -> None:
    context = AgentContext.of(single(IDS[0]))
    assert AgentContext.from_dict(json.loads(json.dumps(context.to_dict()))) == context


def test_it_is_read_from_a_file(tmp_path) -> None:
    context = AgentContext.of(gym.make(IDS[0], scenario="per-task"))
    path = tmp_path / "context.json"
    path.write_text(json.dumps(context.to_dict()))
    assert AgentContext.read(path) == context
    assert context.tasks[0] == "mmlu"
    for text, said in (("{", "JSON: "), ("[]", "advise --context"), ('{"problem": 1}', "advise")):
        path.write_text(text)
        with pytest.raises(FieldError, match=said):
            AgentContext.read(path)
    with pytest.raises(FieldError, match="a readable file"):
        AgentContext.read(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("models", ()),
        ("models", ("a",) * 11),
        ("models", "eleven-names"),
        ("list_prices", (1.0,)),
        ("list_prices", (-1.0,) * 11),
        ("cost_bounds", (2.0, 1.0)),
        ("cost_bounds", (float("nan"), 1.0)),
        ("num_features", -1),
        ("num_tasks", 2),
        ("feature_names", ("a", "b")),
        ("actions", "both"),
        ("problem", {"horizon": 3}),
    ],
)
def test_bad_fields_are_named(field: str, value: Any) -> None:
    with pytest.raises(FieldError, match=f"^{field} = "):
        AgentContext.of(single(IDS[0])).replace(**{field: value})


def test_contexts_tell_the_tasks_and_older_ones_have_none() -> None:
    context = AgentContext.of(gym.make(IDS[0], scenario="per-task"))
    assert context.num_tasks == context.num_features == 8
    assert AgentContext.of(gym.make(IDS[0], scenario="per-query")).num_tasks == 0
    assert context.feature_names[0] == "task:mmlu"
    values = context.to_dict()
    del values["num_tasks"], values["feature_names"]
    assert AgentContext.from_dict(values) == context.replace(num_tasks=0, feature_names=())


def test_missing_and_unknown_fields_are_named() -> None:
    values = AgentContext.of(single(IDS[0])).to_dict()
    with pytest.raises(FieldError, match="'modells': expected 'models'"):
        AgentContext.from_dict({**values, "modells": []})
    del values["models"]
    with pytest.raises(FieldError, match=r"^models = None"):
        AgentContext.from_dict(values)


@pytest.mark.parametrize("field", ["models", "list_prices", "problem", "cost_bounds"])
def test_a_file_with_values_of_another_kind_is_refused_by_name(field: str) -> None:
    values = AgentContext.of(single(IDS[0])).to_dict()
    with pytest.raises(FieldError, match=f"^{field} = 5: expected "):
        AgentContext.from_dict({**values, field: 5})
    with pytest.raises(FieldError, match=r"^context = \[5\]: expected values by name"):
        AgentContext.from_dict([5])


@pytest.mark.parametrize("env", [None, 3, "routerbench"])
def test_other_things_are_refused(env: Any) -> None:
    with pytest.raises(FieldError, match=r"^env = "):
        AgentContext.of(env)


def test_vectors_of_other_environments_are_refused() -> None:
    with pytest.raises(FieldError, match=r"^env = "):
        AgentContext.of(gym.make_vec("CartPole-v1", 2, vectorization_mode="sync"))
