"""LiteLLM's proxy with deployments chosen by a live router, as a process of its own.

`proxy.py` starts it, kills it and starts it again. It serves until its standard input ends.
"""

from __future__ import annotations

import os

# LiteLLM would fetch its list of prices from the network.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import json
import logging
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import uvicorn
from fastapi import Body, Depends
from gateway import deployment, make_context, score
from litellm.proxy import proxy_server
from litellm.proxy.auth.user_api_key_auth import user_api_key_auth
from litellm.types.router import Deployment
from stageroute_agents.live import Router
from stageroute_agents.live.gateway import install


class Settings(NamedTuple):
    """What the process is started with.

    Attributes:
        address: the provider's.
        folder: where the store lies.
        port: port on 127.0.0.1 that it listens on.
        key: without which it serves nobody.
        models: the models on offer at the start.
        requests: how many the budget is for.
        clients: how many there are.
        budget: USD a request.
        agent: what decides.
    """

    address: str
    folder: str
    port: int
    key: str
    models: list[str]
    requests: int
    clients: int
    budget: float
    agent: str


def start(settings: Settings) -> tuple[uvicorn.Server, threading.Thread]:
    """Start the proxy in a thread, and wait until it serves."""
    config = Path(settings.folder) / "config.yaml"
    models = [deployment(settings.address, name) for name in settings.models]
    # YAML reads JSON.
    config.write_text(
        json.dumps(
            {
                "model_list": models,
                "router_settings": {"num_retries": 0},
                "general_settings": {"master_key": settings.key},
            }
        )
    )
    proxy_server.save_worker_config(config=str(config))
    server = uvicorn.Server(
        uvicorn.Config(proxy_server.app, host="127.0.0.1", port=settings.port, log_level="critical")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(600):
        if server.started and proxy_server.llm_router is not None:
            return server, thread
        time.sleep(0.1)
    raise TimeoutError("the proxy has not started within a minute")


def add_routes(router: Router, settings: Settings) -> None:
    """Let holders of the key read the router's report, and say which models are on offer."""
    gateway: Any = proxy_server.llm_router
    holders = [Depends(user_api_key_auth)]

    @proxy_server.app.get("/stageroute/report", dependencies=holders)
    def report() -> dict[str, Any]:
        return router.report()

    @proxy_server.app.put("/stageroute/models", dependencies=holders)
    def offer(offered: Annotated[list[str], Body(embed=True)]) -> None:
        known = {entry["model_info"]["id"] for entry in gateway.model_list}
        for name in offered:
            if name not in known:
                gateway.add_deployment(Deployment(**deployment(settings.address, name)))
        router.available(offered)


def main() -> None:
    """Serve until standard input ends."""
    # The models fail on purpose; LiteLLM would write a traceback for each.
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    settings = Settings(**json.loads(sys.argv[1]))
    context = make_context(settings.requests, settings.clients, settings.budget)
    store = Path(settings.folder) / "store"
    # Short for the sake of the example: what was in flight at a kill is lost after five seconds.
    with Router(context, settings.agent, store=store, timeout=5.0) as router:
        router.available(settings.models)
        server, thread = start(settings)
        add_routes(router, settings)
        recorder = install(router, proxy_server.llm_router, score)
        print("ready", flush=True)
        sys.stdin.read()
        recorder.remove()
        server.should_exit = True
        thread.join(30)


if __name__ == "__main__":
    main()
