"""LiteLLM's proxy with deployments chosen by a live router, killed and started again.

Run it as `python examples/litellm_gateway/proxy.py`. The proxy listens on 127.0.0.1 and asks the
invented provider. After a third of the requests its process is killed, with requests in flight, and
started again on the same store; after two thirds a model is added while it serves.
"""

from __future__ import annotations

import argparse
import http.client
import json
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from provider import MODELS, provider


class Proxy:
    """The proxy's process, and its clients' way to it.

    Args:
        settings: see `proxy_process.Settings`.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._up = threading.Event()
        self._start()

    def _start(self) -> None:
        script = Path(__file__).with_name("proxy_process.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), json.dumps(self._settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        if not any(line == "ready\n" for line in self._process.stdout):
            raise RuntimeError("the proxy has ended before it served")
        self._up.set()

    def call(self, method: str, path: str, content: Any = None) -> Any:
        """What the proxy answers, as JSON."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._settings['port']}{path}",
            None if content is None else json.dumps(content).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self._settings['key']}",
            },
            method=method,
        )
        # The first decision of all may wait for the kernels to be compiled.
        with urllib.request.urlopen(request, timeout=300) as response:
            return json.load(response)

    def ask(self, number: int) -> str:
        """Ask a question; the status, or ``cut off`` where no answer arrived."""
        messages = [{"role": "user", "content": f"question {number}"}]
        self._up.wait()
        try:
            self.call("POST", "/v1/chat/completions", {"model": "chat", "messages": messages})
        except urllib.error.HTTPError as error:
            return str(error.code)
        except (OSError, http.client.HTTPException):
            return "cut off"
        return "200"

    def kill(self) -> None:
        """Kill the process, as ``kill -9``, and start another one; clients wait for it."""
        self._up.clear()
        self._process.kill()
        self._process.wait()
        self._start()

    def close(self) -> None:
        """Have the process end by itself."""
        self._process.communicate(timeout=60)


def run(requests: int, clients: int, budget: float, agent: str, folder: Path) -> dict[str, Any]:
    """Serve some requests through the proxy; how they ended, what was billed, and the reports."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with provider() as served:
        proxy = Proxy(
            {
                "address": served.address,
                "folder": str(folder),
                "port": port,
                # The proxy serves nobody without a key: one for this run.
                "key": f"sk-{secrets.token_hex(32)}",
                "models": list(MODELS)[:-1],
                "requests": requests,
                "clients": clients,
                "budget": budget,
                "agent": agent,
            }
        )
        statuses: Counter[str] = Counter()

        def wait_for(number: int) -> None:
            while statuses.total() < number:
                time.sleep(0.01)

        def ask(number: int) -> None:
            statuses[proxy.ask(number)] += 1

        began = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            asked = pool.map(ask, range(requests))
            wait_for(requests // 3)
            before = proxy.call("GET", "/stageroute/report")
            proxy.kill()
            after = proxy.call("GET", "/stageroute/report")
            wait_for(2 * requests // 3)
            proxy.call("PUT", "/stageroute/models", {"offered": list(MODELS)})
            list(asked)
        seconds = time.perf_counter() - began
        report = settled(proxy)
        proxy.close()
        return {
            "statuses": dict(statuses),
            "seconds": seconds,
            "billed": served.billed,
            "before": before,
            "after": after,
            "report": report,
        }


def settled(proxy: Proxy) -> dict[str, Any]:
    """The router's report once LiteLLM, which records behind its answers, has told it all."""
    for _ in range(100):
        report: dict[str, Any] = proxy.call("GET", "/stageroute/report")
        if report["without_outcome"] == report["lost"]:
            break
        time.sleep(0.1)
    return report


def main() -> None:
    """Run the proxy and print how its requests ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--budget", type=float, default=6e-5, help="USD a request")
    parser.add_argument("--agent", default="paced-route")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(**vars(arguments), folder=Path(folder))
    before, after, report = figures["before"], figures["after"], figures["report"]
    print(f"statuses {figures['statuses']}, {figures['seconds']:.1f} s")
    print(f"recorded before the kill {before['scored']}, after it {after['scored']}")
    print(f"{report['routed']} routed, {report['scored']} recorded, {report['lost']} lost")
    print(
        f"spend {report['total_spend']:.6f} of {report['budget']:.6f} USD; "
        f"the provider billed {figures['billed']:.6f}"
    )


if __name__ == "__main__":
    main()
