"""Small agents and observations of one episode, for cases computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from stageroute_agents import make
from stageroute_agents.memory import Outcomes
from worlds import make_env, make_world

ONE = np.zeros(1, np.int64)  # the only row of a batch


def agent_for(name: str, parameters: dict[str, Any] | None = None, **world: Any) -> Any:
    """An agent for two models (throughput 1, budget 1 USD, costs up to 4 USD) by default."""
    made = make_world(**({"models": 2, "horizon": 100, "stages": 1} | world))
    context = make_env(made, continuous=True).agent_context.replace(cost_bounds=(0.5, 4.0))
    return make(name, context, **(parameters or {}))


def batch(models: int = 2, **fields: Any) -> dict[str, np.ndarray]:
    """A route step of one episode in which all models are deployed."""
    everything = {
        "phase": [1],
        "progress": [0.5, 0.5],
        "available": np.ones(models),
        "deployed": np.ones(models),
        "pulls": np.full(models, 10),
        "mean_score": np.full(models, 0.5),
        "mean_cost": np.ones(models),
        "list_price": np.zeros(models),
        "budget_left": [0.5],
        "query": [0.0],
        "last_action": [-1],
        "last_score": [0],
        "last_cost": [0],
        "action_mask": np.ones(models + 1),
    } | fields
    return {name: np.array([value], np.float32) for name, value in everything.items()}


def outcome(model: int, score: float, cost: float, query: int = 0) -> Outcomes:
    known = np.array([True]), np.array([model]), np.array([score]), np.array([cost])
    return Outcomes(*known, np.array([query]))


def follow(agents: list[Any], world: Any, steps: int) -> list[list[np.ndarray]]:
    """What each agent would do along the episode that the first one plays."""
    env = make_env(world, continuous=True)
    observation, _ = env.reset(seed=0)
    states, actions = [None] * len(agents), []
    for _ in range(steps):
        row = []
        for i, agent in enumerate(agents):
            action, states[i] = agent.predict(observation, state=states[i])
            row.append(action)
        actions.append(row)
        observation, _, over, _, _ = env.step(row[0])
        if over:
            break
    return actions


def contextual(model: int, state: dict, agent: Any, x: list, score: float, cost: float) -> None:
    """One query with the features ``x``, served by ``model``."""
    nothing = Outcomes(np.array([False]), np.array([-1]), np.zeros(1), np.zeros(1), ONE)
    agent.learn(batch(query=x), state, nothing)
    query = int(state["queries"][0])
    state["queries"] += 1
    agent.learn(batch(query=x, phase=[0]), state, outcome(model, score, cost, query))
