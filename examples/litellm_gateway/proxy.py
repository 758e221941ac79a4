"""LiteLLM's proxy with deployments chosen by a live router.

Run it as `python examples/litellm_gateway/proxy.py`. It listens on 127.0.0.1, asks the invented
provider, and stops after its clients have been served.
"""

from __future__ import annotations

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import argparse
import json
import secrets
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvicorn
from gateway import deployment, make_context, score
from litellm.proxy import proxy_server
from provider import MODELS, provider
from stageroute_agents.live import Router
from stageroute_agents.live.gateway import install


def start(
    address: str, folder: Path, port: int, key: str
) -> tuple[uvicorn.Server, threading.Thread]:
    """Start the proxy for the provider at this address, and wait until it serves."""
    config = folder / "config.yaml"
    # YAML reads JSON.
    models = [deployment(address, name) for name in MODELS]
    settings = {
        "model_list": models,
        "router_settings": {"num_retries": 0},
        "general_settings": {"master_key": key},
    }
    config.write_text(json.dumps(settings))
    proxy_server.save_worker_config(config=str(config))
    server = uvicorn.Server(
        uvicorn.Config(proxy_server.app, host="127.0.0.1", port=port, log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(600):
        if server.started and proxy_server.llm_router is not None:
            return server, thread
        time.sleep(0.1)
    raise TimeoutError("the proxy has not started within a minute")


def ask(port: int, key: str, number: int) -> int:
    """Ask the proxy a question over HTTP; the status."""
    content = {"model": "chat", "messages": [{"role": "user", "content": f"question {number}"}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        json.dumps(content).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def run(requests: int, clients: int, budget: float, agent: str, folder: Path) -> dict[str, Any]:
    """Serve some requests through the proxy; how they ended, and the router's report."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The proxy serves nobody without a key: one for this run.
    key = f"sk-{secrets.token_hex(32)}"
    context = make_context(requests, clients, budget)
    with provider() as address, Router(context, agent, store=folder / "store") as router:
        server, thread = start(address, folder, port, key)
        recorder = install(router, proxy_server.llm_router, score)
        began = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            statuses = Counter(pool.map(lambda number: ask(port, key, number), range(requests)))
        seconds = time.perf_counter() - began
        time.sleep(1.0)
        recorder.remove()
        server.should_exit = True
        thread.join(30)
        return {"statuses": dict(statuses), "seconds": seconds, "report": router.report()}


def main() -> None:
    """Run the proxy and print how its requests ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--budget", type=float, default=1e-4, help="USD a request")
    parser.add_argument("--agent", default="paced-route")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(**vars(arguments), folder=Path(folder))
    report = figures["report"]
    print(f"statuses {figures['statuses']}, {figures['seconds']:.1f} s")
    print(f"spend {report['total_spend']:.6f} of {report['budget']:.6f} USD")
    print(f"{report['routed']} routed, {report['scored']} recorded")


if __name__ == "__main__":
    main()
