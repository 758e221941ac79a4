"""A LiteLLM gateway whose deployments are chosen by StageRoute under a budget.

Clients ask it concurrently while models fail at times, a model is added on the way, and the gateway
is closed and opened again in the middle. Run it as `python examples/litellm_gateway/gateway.py`.
"""

from __future__ import annotations

import os

# LiteLLM would fetch its list of prices from the network.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

import litellm
import openai
from provider import COSTS, MODELS, provider
from stageroute_agents.live import Decision, Router
from stageroute_agents.live.gateway import install

from stageroute_gym.context import AgentContext
from stageroute_gym.problem import Problem

litellm.suppress_debug_info = True
litellm.telemetry = False


class TimedRouter(Router):
    """A router that knows how many seconds each of its own calls has taken."""

    chosen: ClassVar[list[float]] = []
    recorded: ClassVar[list[float]] = []

    def choose(self, features: Any = None, *, task: str | None = None) -> Decision:
        """As `Router.choose`."""
        began = time.perf_counter()
        decision = super().choose(features, task=task)
        self.chosen.append(time.perf_counter() - began)
        return decision

    def record(self, *arguments: Any, **named: Any) -> None:
        """As `Router.record`."""
        began = time.perf_counter()
        super().record(*arguments, **named)
        self.recorded.append(time.perf_counter() - began)


def score(kwargs: dict[str, Any], response: Any) -> float:
    """What an answer is worth: here the provider says so itself."""
    return float(response.choices[0].message.content == "right")


def make_gateway(address: str, models: list[str]) -> Any:
    """LiteLLM's router for these models at the provider's address."""
    return litellm.Router(model_list=[deployment(address, name) for name in models], num_retries=0)


def deployment(address: str, name: str) -> dict[str, Any]:
    """One model as LiteLLM lists it; all answer to the name ``chat``."""
    price = MODELS[name]["price"]
    return {
        "model_name": "chat",
        "litellm_params": {
            "model": f"openai/{name}",
            "api_base": address,
            "api_key": "none",
            "input_cost_per_token": price,
            "output_cost_per_token": price,
        },
        "model_info": {
            "id": name,
            "cache_creation_input_token_cost": 0.0,
            "cache_read_input_token_cost": 0.0,
        },
    }


def make_context(requests: int, clients: int, budget: float) -> AgentContext:
    """What is known in advance: prices, and how many requests are to be served."""
    return AgentContext(
        problem=Problem(
            horizon=requests,
            num_stages=10,
            max_deployed=3,
            budget=budget,
            feedback_delay=clients,
        ),
        models=tuple(MODELS),
        list_prices=tuple(COSTS.values()),
        cost_bounds=(0.0, max(COSTS.values())),
        num_features=0,
        actions="continuous",
    )


async def ask(gateway: Any, numbers: range, clients: int) -> dict[str, int]:
    """Ask the gateway these questions from several clients; how many were answered."""
    counts = {"answered": 0, "failed": 0, "refused": 0}
    questions = iter(numbers)

    async def client() -> None:
        for number in questions:
            messages = [{"role": "user", "content": f"question {number}"}]
            try:
                await gateway.acompletion(model="chat", messages=messages)
                counts["answered"] += 1
            except litellm.BudgetExceededError:
                counts["refused"] += 1
            except openai.APIError:
                counts["failed"] += 1

    await asyncio.gather(*(client() for _ in range(clients)))
    await settle()
    return counts


async def settle() -> None:
    """Wait for LiteLLM's callbacks, which run behind the answers."""
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

    await GLOBAL_LOGGING_WORKER.flush()
    await asyncio.sleep(0.2)


def run(requests: int, clients: int, budget: float, agent: str, store: Path) -> dict[str, Any]:
    """The whole run, with a restart in the middle; its figures."""
    context = make_context(requests, clients, budget)
    thirds = [range(i * requests // 3, (i + 1) * requests // 3) for i in range(3)]
    totals = {"answered": 0, "failed": 0, "refused": 0}
    started = time.perf_counter()
    with provider() as served:
        for part, numbers in enumerate(thirds):
            # The last model comes with the last third, and the gateway is opened anew before it.
            models = list(MODELS) if part == 2 else list(MODELS)[:-1]
            if part != 1:
                router = TimedRouter(context, agent, store=store)
                gateway = make_gateway(served.address, models)
                recorder = install(router, gateway, score)
                router.available(models)
            counts = asyncio.run(ask(gateway, numbers, clients))
            totals = {name: totals[name] + number for name, number in counts.items()}
            if part != 0:
                report = router.report()
                recorder.remove()
                router.close()
    seconds = time.perf_counter() - started
    calls = {"choose": TimedRouter.chosen, "record": TimedRouter.recorded}
    return {
        **totals,
        "seconds": seconds,
        "billed": served.billed,
        "calls": calls,
        "report": report,
    }


def main() -> None:
    """Run the gateway and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--budget", type=float, default=6e-5, help="USD a request")
    parser.add_argument("--agent", default="paced-route")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(**vars(arguments), store=Path(folder) / "store")
    report = figures["report"]
    print(
        f"{figures['answered']} answered, {figures['failed']} failed, "
        f"{figures['refused']} refused, {figures['seconds']:.1f} s"
    )
    for name, calls in figures["calls"].items():
        # The first one may have waited for the kernels to be compiled.
        usual = statistics.median(calls)
        share = usual * len(calls) / figures["seconds"]
        print(
            f"{name}: median {usual * 1e6:.0f} us ({1 / usual:,.0f} a second), {share:.1%} of that"
        )
    print(f"with LiteLLM and the provider: {arguments.requests / figures['seconds']:.0f} a second")
    print(f"spend {report['total_spend']:.6f} of {report['budget']:.6f} USD")
    for name, model in report["models"].items():
        print(f"{name:10} {model['outcomes']:6} outcomes, mean score {model['mean_score']}")


if __name__ == "__main__":
    main()
