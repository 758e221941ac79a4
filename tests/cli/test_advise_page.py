"""The page of ``advise``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import polars as pl
import pytest
from command import Stageroute

pytest.importorskip("altair")
pytest.importorskip("vl_convert")
pytest.importorskip("jinja2")


@pytest.fixture
def outcomes(tmp_path: Path) -> str:
    path = tmp_path / "outcomes.csv"
    pl.DataFrame(
        {
            "query_id": [str(i) for i in range(60)],
            "task": ["</script><b>", "chat"] * 30,
            "score:a[b]": [1.0, 0.0] * 30,
            "cost:a[b]": [2e-3] * 60,
            "score:b": [0.0, 1.0] * 30,
            "cost:b": [1e-3, 2e-3] * 30,
        }
    ).write_csv(path)
    return str(path)


def test_the_page_stands_alone_and_holds_all(stageroute: Stageroute, outcomes: str):
    outcome = stageroute(
        "advise", outcomes, "--html", "page.html", *("--resamples", "5", "--budget", "1")
    )
    assert outcome.code == 0, outcome.err
    assert "wrote page.html" in outcome.out
    page = Path("page.html").read_text()
    before, _, rest = page.partition("<script>")
    own = before + rest.partition("</script>")[2]
    assert not re.search(r"<(script|link|img)[^>]*\s(src|href)=", own)
    assert page.count("<script") == page.count("</script>") == 3
    assert "&lt;/script&gt;&lt;b&gt;" in page
    content = json.loads(page.partition('id="content">')[2].partition("</script>")[0])
    charts = content["charts"]
    assert list(charts) == ["chart-2", "chart-3"]
    texts = [layer["mark"] for layer in charts["chart-2"]["layer"] if "limit" in layer["mark"]]
    assert [text["align"] for text in texts] == ["left", "right"]  # each towards the middle
    (bars,) = charts["chart-3"]["datasets"].values()
    assert {(bar["task"], bar["model"], bar["share"]) for bar in bars} == {
        ("</script><b>", "a[b]", 1.0),
        ("chat", "b", 1.0),
    }


def test_json_beside_a_page_stays_json(stageroute: Stageroute, outcomes: str):
    given = ("--html", "page.html", "--json", "--resamples", "5", "--by", "none")
    outcome = stageroute("advise", outcomes, *given)
    assert json.loads(outcome.out)["plan"]["by_group"] == []
    assert Path("page.html").is_file()


@pytest.mark.parametrize("target", ["page.txt", "absent/page.html"])
def test_a_page_that_cannot_be_written_is_refused_first(stageroute: Stageroute, target: str):
    outcome = stageroute("advise", "absent.csv", "--html", target)
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: html = {target!r}")


def test_without_the_extra_it_is_named(
    stageroute: Stageroute, outcomes: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "altair", None)
    outcome = stageroute("advise", outcomes, "--html", "page.html")
    assert outcome.code == 2
    assert "stageroute-gym[report]" in outcome.err
