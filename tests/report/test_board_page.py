"""The page of a leaderboard as a file: it stands alone, and holds what the files hold."""

from __future__ import annotations

import itertools
import json
import re
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import vl_convert

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.leaderboard import Leaderboard
from stageroute_gym.report.board import write_page
from stageroute_gym.report.board_page import board_page, packed, shown_first
from stageroute_gym.report.charts import board_charts
from stageroute_gym.report.charts.data import chart_tables
from stageroute_gym.report.charts.parts import NAME_SIZE, PIXELS_AN_ENTRY
from stageroute_gym.report.pictures import check_entries, filled, write_pictures
from stageroute_gym.report.results import Results, read_results

pytestmark = pytest.mark.slow

ODD = "a <b> & c"


@pytest.fixture(scope="module")
def page(results: Results) -> str:
    return board_page(results)


def content(page: str) -> dict[str, Any]:
    return json.loads(page.partition('id="content">')[2].partition("</script>")[0])


def unpacked(table: dict[str, Any]) -> dict[str, list[Any]]:
    """What the page's script does."""
    columns: dict[str, list[Any]] = {}
    for name, column in table["columns"].items():
        if "values" in column:
            columns[name] = column["values"]
            continue
        codes = column.get("codes")
        if codes is None:
            runs = column["runs"]
            pairs = zip(runs[::2], runs[1::2], strict=True)
            codes = [code for code, times in pairs for _ in range(times)]
        columns[name] = [column["levels"][code] for code in codes]
    return columns


def test_it_stands_alone(page: str):
    before, _, rest = page.partition("<script>")
    own = before + rest.partition("</script>")[2]
    assert not re.search(r"<(script|link|img|iframe)[^>]*\s(src|href)=", own)
    assert "default-src 'none'" in own
    assert page.count("<script") == page.count("</script>") == 3


def test_names_are_no_markup(page: str):
    assert "<b>" not in page.replace("&lt;b&gt;", "")
    assert page.count('data-entry="a &lt;b&gt; &amp; c"') == 3


def test_data_stand_in_it_once_and_are_those_of_the_files(page: str, results: Results):
    kept = content(page)
    for name, table in chart_tables(results).items():
        columns = unpacked(kept["tables"][name])
        assert {key: len(values) for key, values in columns.items()} == dict.fromkeys(
            table.columns, len(table)
        )
        for key in table.columns:
            assert columns[key] == table[key].to_list()
    assert "datasets" not in json.dumps(kept["charts"])


def test_columns_are_packed_as_runs_codes_or_values():
    table = pl.DataFrame({"a": [*"xxxxxy"], "b": [*"uvuvuv"], "c": [1.0, None, 2.5, 3, 4, 5]})
    assert packed(table)["columns"] == {
        "a": {"levels": ["x", "y"], "runs": [0, 5, 1, 1]},
        "b": {"levels": ["u", "v"], "codes": [0, 1, 0, 1, 0, 1]},
        "c": {"values": [1, None, 2.5, 3, 4, 5]},
    }


def test_it_opens_with_the_best_and_a_reference(results: Results):
    shown = shown_first(results.kinds)
    assert shown[-1] == "oracle"
    assert set(shown) == set(results.kinds)
    many = {**{f"l{i}": "learner" for i in range(9)}, "r": "reference", "s": "reference"}
    assert shown_first(many) == ["l0", "l1", "l2", "l3", "l4", "r"]


@pytest.mark.parametrize("chart", board_charts(swept=False), ids=lambda chart: chart.name)
def test_every_chart_draws_its_entries(chart: Any, results: Results):
    tables = chart_tables(results)
    shown = check_entries(results, None)
    svg = vl_convert.vegalite_to_svg(filled(chart, tables, results, "outage", shown))
    names = [ODD.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), "stageroute"]
    texts = re.findall(r"<text[^>]*>([^<]*)<", svg)
    if not chart.of_entry:
        assert all(any(name == text for text in texts) for name in names)
    assert "NaN" not in svg


@pytest.mark.parametrize("name", ["regret", "spend", "profile"])
def test_names_at_the_ends_of_lines_do_not_overlap(results: Results, name: str):
    """Twenty-four lines that end at the same place, as where all have spent their budget."""
    chart = next(chart for chart in board_charts() if chart.name == name)
    drawn = filled(chart, chart_tables(results), results, "outage", list(results.kinds))
    table = "profile" if name == "profile" else "curves"
    lines = [row for row in drawn["datasets"][table] if row["entry"] == "cheapest"]
    labels = [f"line {number}" for number in range(24)]
    drawn["datasets"][table] = [{**row, "entry": label} for label in labels for row in lines]
    drawn["height"] = 24 * PIXELS_AN_ENTRY
    svg = vl_convert.vegalite_to_svg(drawn)
    heights = [float(y) for y in re.findall(r'translate\([\d.]+,(-?[\d.]+)\)"[^>]*>line \d', svg)]
    assert len(heights) == 24
    assert all(b - a >= 10 for a, b in itertools.pairwise(sorted(heights)))
    # The plot makes no room for names beyond what it draws.
    half = NAME_SIZE / 2
    assert all(-half <= height <= drawn["height"] + half for height in heights)
    percents = re.findall(r">(\u2212?\d+)%<", svg)
    assert name == "regret" or {0, 100} <= set(map(int, percents)) <= set(range(121))


def test_pictures_are_written_for_each_scenario(results: Results, tmp_path: Path):
    files = write_pictures(results, tmp_path / "new", "png", ["oracle", "cheapest"])
    assert len(files) == 1 + 6 * 2
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in files)


def test_entries_of_pictures_are_checked(results: Results):
    assert check_entries(results, ["oracle", "oracle"]) == ["oracle"]
    with pytest.raises(FieldError, match=r"entries = 'oracl': expected 'oracle', the nearest"):
        check_entries(results, ["oracl"])
    with pytest.raises(FieldError, match="at least one entry"):
        check_entries(results, [])


def test_without_the_extra_there_is_no_page(board: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    finished = Leaderboard({}, pl.DataFrame(), [])
    assert write_page(finished, board) == []


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("leaderboard.json", None, "the folder of a finished leaderboard"),
        ("leaderboard.json", b"{", "a readable leaderboard.json"),
        ("leaderboard.json", b"[]", "that a leaderboard wrote"),
        ("leaderboard.json", b'{"settings": {}, "failures": []}', "an entry has finished"),
        ("leaderboard.json", b'{"settings": {}, "scenarios": {}}', "of this version"),
        ("oracles.parquet", None, "a folder with oracles.parquet"),
        ("stages.parquet", b"PAR1", "a readable stages.parquet"),
    ],
)
def test_files_that_cannot_be_read_are_named(
    board: Path, tmp_path: Path, file: str, content: bytes | None, message: str
):
    for name in ("leaderboard.json", "results.parquet", "stages.parquet", "oracles.parquet"):
        (tmp_path / name).write_bytes((board / name).read_bytes())
    (tmp_path / "timings.parquet").write_bytes((board / "timings.parquet").read_bytes())
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(FieldError, match=message):
        read_results(tmp_path)
