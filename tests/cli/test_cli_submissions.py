from __future__ import annotations

from pathlib import Path

import pytest
from command import Stageroute
from small_suite import use_small_suite


@pytest.fixture(autouse=True)
def _suite(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_suite(monkeypatch)


@pytest.mark.slow
def test_submit_verify_rank(stageroute: Stageroute) -> None:
    made = stageroute("submit", "players:Even", "--suite", "small", "--jobs", "2")
    assert made.code == 0, made.err
    assert made.out.startswith("wrote small.submission: players:Even on suite small v1, 6 episodes")
    again = stageroute("submit", "players:Dear", "--suite", "small")
    assert again.code == 2
    assert "--overwrite" in again.err
    given = ["--sample", "2", "--fresh", "2", "--salt", "7", "--jobs", "1"]
    verified = stageroute("verify", "small.submission", *given)
    assert verified.code == 0, verified.err
    assert "2 of 6 episodes run again, every figure" in verified.out
    assert "all together" in verified.out
    assert "--salt 7 repeats this." in verified.out
    assert "What this cannot show: foreknowledge" in verified.out
    ranked = stageroute("rank", "small.submission")
    assert ranked.code == 0, ranked.err
    assert "small.submission: figures as they were submitted" in ranked.err
    assert "players:Even" in ranked.out


@pytest.mark.slow
def test_a_failing_entry_writes_nothing(stageroute: Stageroute) -> None:
    failed = stageroute("submit", "players:Raises", "--suite", "small", "--jobs", "1")
    assert failed.code == 1
    last = failed.err.strip().splitlines()[-1]
    assert last == "error: agent players:Raises on scenario small-drift: RuntimeError: out of ideas"
    assert not list(Path().glob("*.submission"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["submit", "players:Evn"], "'Even', the nearest name"),
        (["submit", "uniform,cheapest"], "entry = 'uniform,cheapest': expected one agent"),
        (["submit", "uniform", "--suite", "smal"], "'small', the nearest name"),
        (["submit", "uniform", "--out", "x.zip"], "a file that ends in .submission"),
        (["submit", "uniform", "--out", "no/x.submission"], "a folder that can be written to"),
        (["verify", "x.submission"], "No such file"),
        (["verify", "torn.submission"], "truncated or damaged"),
        (["rank", "torn.submission"], "truncated or damaged"),
    ],
)
def test_wrong_input_is_named(stageroute: Stageroute, arguments: list[str], message: str) -> None:
    Path("torn.submission").write_bytes(b"PK\x03\x04")
    refused = stageroute(*arguments)
    assert refused.code == 2
    assert message in refused.err
    assert refused.err.count("\n") == 1
