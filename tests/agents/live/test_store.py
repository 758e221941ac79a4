"""What the store keeps, through kills too, and what it refuses."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from stageroute_agents.live import Router
from stageroute_agents.live import router as router_module
from stageroute_agents.live.store import FORMAT
from traffic import small_context

from stageroute_gym.errors import FieldError

SERVER = """
import sys
sys.path[:0] = sys.argv[1].split(':')
from traffic import small_context
from stageroute_agents.live import Router, router
router._EVENTS_PER_SNAPSHOT = 70
served = Router(small_context(budget=1.0, horizon=100_000), sys.argv[3], store=sys.argv[2], seed=5)
while True:
    decision = served.choose()
    served.record(decision.id, 0.5, cost=1e-3)
    print(decision.id, decision.model, flush=True)
"""


def killed_after(path: Path, agent: str, lines: int) -> list[list[str]]:
    """What a server acknowledged before it was killed."""
    here = Path(__file__).parent
    command = [sys.executable, "-c", SERVER, f"{here}:{here.parents[1]}", str(path), agent]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        seen = [server.stdout.readline().split() for _ in range(lines)]
        os.kill(server.pid, signal.SIGKILL)
        seen += [line.split() for line in server.stdout if line.endswith("\n")]
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("agent", ["stageroute", "linucb"])
def test_a_kill_loses_no_record_and_goes_on_where_it_was(agent, tmp_path):
    path = tmp_path / "store"
    context = small_context(budget=1.0, horizon=100_000)
    acknowledged: list[list[str]] = []
    for lines in (1, 40, 155):
        acknowledged += killed_after(path, agent, lines)
        with Router(context, agent, store=path, seed=5) as router:
            report = router.report()
            # The kill may have come between a decision and its record, or before it was printed.
            assert len(acknowledged) <= report["scored"] <= len(acknowledged) + 1
            assert report["total_spend"] == pytest.approx(1e-3 * report["scored"])
            assert report["routed"] - report["scored"] in (0, 1)
            for request in list(router._episode._requests._open):
                router.record(f"{router._token}-{request}", 0.5, cost=1e-3)
                acknowledged.append([f"{router._token}-{request}", ""])
            while len(acknowledged) < router.report()["scored"]:
                acknowledged.append(["", ""])
    whole = Router(context, agent, seed=5)
    for name, model in acknowledged:
        decision = whole.choose()
        whole.record(decision.id, 0.5, cost=1e-3)
        assert model in ("", decision.model), name


@pytest.mark.slow
def test_a_journal_and_a_snapshot_lead_to_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(router_module, "_EVENTS_PER_SNAPSHOT", 7)
    context = small_context(budget=1.0)
    lasting = Router(context, "paced-route")
    kept = Router(context, "paced-route", store=tmp_path / "store")
    for number in range(60):
        if number % 9 == 4:
            # As a kill leaves it: nothing is written at the end.
            kept._store.close()
            kept = Router(context, "paced-route", store=tmp_path / "store")
        decisions = [router.choose() for router in (lasting, kept)]
        assert decisions[0].model == decisions[1].model
        for router, decision in zip((lasting, kept), decisions, strict=True):
            router.record(decision.id, number % 3 / 2, cost=1e-3 * (1 + number % 5))
    assert {**lasting.report(), "refused": 0} == {**kept.report(), "refused": 0}


def refused(path: Path, match: str, agent: str = "stageroute", **changes: object) -> None:
    before = path.read_bytes()
    with pytest.raises(FieldError, match=match) as raised:
        Router(small_context(**changes), agent, store=path)
    assert raised.value.field == "store"
    assert path.read_bytes() == before


def test_stores_of_others_are_refused_and_left_alone(tmp_path):
    path = tmp_path / "store"
    Router(small_context(), "stageroute", store=path).close()
    refused(path, r"context.problem.budget is 0.001 there and 0.002 here", budget=2e-3)
    refused(path, r"context.models is .* there", models=("small", "medium", "huge"))
    refused(path, r"agent.name is 'stageroute' there and 'uniform' here", agent="uniform")
    refused(path, r"agent.parameters.gamma is None there and 0.5", agent="stageroute(gamma=0.5)")
    for version in (FORMAT - 1, 99):
        database = sqlite3.connect(path)
        database.execute(f"PRAGMA user_version = {version}")
        database.close()
        refused(path, f"version {FORMAT}, not {version}")
    text = tmp_path / "notes.txt"
    text.write_text("no store\n" * 500)
    refused(text, "can be opened")
    other = tmp_path / "other.db"
    database = sqlite3.connect(other)
    database.execute("CREATE TABLE notes (text)")
    database.close()
    refused(other, "a store of a live router")
    with pytest.raises(FieldError, match="store"):
        Router(small_context(), "stageroute", store=tmp_path / "none" / "store")


def test_a_store_has_one_router(tmp_path):
    with Router(small_context(), "stageroute", store=tmp_path / "store") as router:
        with pytest.raises(FieldError, match="no other process"):
            Router(small_context(), "stageroute", store=tmp_path / "store")
        decision = router.choose()
    with pytest.raises(RuntimeError, match="closed"):
        router.choose()
    with Router(small_context(), "stageroute", store=tmp_path / "store") as router:
        router.record(decision.id, 1.0, cost=1e-3)
        assert router.spend == 1e-3


def test_a_call_that_fails_half_way_stops_the_router_and_loses_nothing(tmp_path, monkeypatch):
    router = Router(small_context(), "stageroute", store=tmp_path / "store")
    first = router.choose()
    router.record(first.id, 1.0, cost=1e-3)

    def fail(event: bytes) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(router._store, "append", fail)
    with pytest.raises(sqlite3.OperationalError):
        router.choose()
    with pytest.raises(RuntimeError, match="failed half-way"):
        router.choose()
    router.close()
    with Router(small_context(), "stageroute", store=tmp_path / "store") as again:
        assert again.report()["routed"] == 1
        assert again.spend == 1e-3
