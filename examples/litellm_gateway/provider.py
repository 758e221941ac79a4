"""A provider of invented models on this machine, with OpenAI's interface: no request leaves it."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zlib import crc32

# Prices in USD a token, and how often a model's answer is right, and a call fails.
MODELS = {
    "small": {"price": 2e-7, "right": 0.55, "fails": 0.02},
    "medium": {"price": 1e-6, "right": 0.75, "fails": 0.05},
    "large": {"price": 5e-6, "right": 0.9, "fails": 0.02},
    "newcomer": {"price": 4e-7, "right": 0.85, "fails": 0.02},
}
TOKENS = {"prompt_tokens": 60, "completion_tokens": 40}
COSTS = {name: model["price"] * sum(TOKENS.values()) for name, model in MODELS.items()}


class Provider(ThreadingHTTPServer):
    """The provider, and what it has billed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self._lock = threading.Lock()
        self._answered: Counter[str] = Counter()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def billed(self) -> float:
        """What all of its answers cost, in USD, whether or not they were received."""
        with self._lock:
            return sum(COSTS[model] * number for model, number in self._answered.items())

    def bill(self, model: str) -> None:
        """Count an answer."""
        with self._lock:
            self._answered[model] += 1


class Answers(BaseHTTPRequestHandler):
    """Answers chat completions; chance is a function of the request, so that runs are alike."""

    server: Provider
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a chat completion, or fail."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = MODELS[request["model"]]
        chance = crc32(json.dumps([request["model"], request["messages"]]).encode()) / 2**32
        if chance < model["fails"]:
            self._send(503, {"error": {"message": "overloaded", "type": "server_error"}})
            return
        right = (chance - model["fails"]) / (1 - model["fails"]) < model["right"]
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "right" if right else "wrong"},
        }
        usage = {**TOKENS, "total_tokens": sum(TOKENS.values())}
        content = {"id": "1", "object": "chat.completion", "created": 1, "model": request["model"]}
        self.server.bill(request["model"])
        self._send(200, {**content, "choices": [choice], "usage": usage})

    def _send(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """As the base; a gateway that is killed leaves its connections half open."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True


@contextmanager
def provider() -> Iterator[Provider]:
    """Runs the provider."""
    server = Provider()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
