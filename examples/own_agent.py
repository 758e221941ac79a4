"""An agent of one's own: a class with `predict`, evaluated in Python and on the command line.

python examples/own_agent.py [--horizon 10000]
cd examples && stageroute leaderboard --agents own_agent:Thrifty,stageroute --scenario routerbench
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from stageroute_gym.context import AgentContext
from stageroute_gym.evaluation import compare, evaluate
from stageroute_gym.testing import check_agent


class Thrifty:
    """Explores first, then favours score, less cost in terms of what is left a query.

    Observations come alone or in batches, one row an episode. In `StageRouteContinuous-v0` an
    action holds a weight for each model: at a deploy step the largest ones are deployed, at a route
    step they are the shares of the models, which the environment caps by their throughput.
    """

    env_id = "StageRouteContinuous-v0"

    def __init__(self, context: AgentContext, *, seed: int = 0, trials: int = 30) -> None:
        self.budget = context.problem.budget
        self.trials = trials

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Weights for observations; nothing is remembered in `state`."""
        tried = observation["pulls"] >= self.trials
        price = np.where(tried, observation["mean_cost"], observation["list_price"])
        queries_left = np.maximum(1 - observation["progress"][..., :1], 1e-6)
        pace = np.maximum(self.budget * observation["budget_left"] / queries_left, 1e-9)
        merit = np.where(tried, observation["mean_score"], 1.0) - 0.5 * price / pace
        allowed = observation["action_mask"][..., :-1] > 0
        weights = np.exp(8 * np.clip(merit - merit.max(axis=-1, keepdims=True), -5, 0))
        return np.where(allowed, weights, 0).astype(np.float32), state


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--horizon", type=int, default=10_000, help="queries in an episode")
    horizon = parser.parse_args().horizon
    check_agent(Thrifty)
    by_class = evaluate(Thrifty, "routerbench", range(5), horizon=horizon)
    by_name = evaluate("own_agent:Thrifty", "routerbench", range(5), horizon=horizon)
    assert by_class["score"].equals(by_name["score"])
    other = evaluate("uniform", "routerbench", range(5), horizon=horizon)
    found = compare(by_name.vstack(other), "own_agent:Thrifty", "uniform").row(0, named=True)
    print(f"{found['first']} minus {found['second']}, score / horizon oracle, 5 seeds:")
    print(f"{found['difference']:+.3f}, 95 % interval [{found['low']:+.3f}, {found['high']:+.3f}]")


if __name__ == "__main__":
    main()
