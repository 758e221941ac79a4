"""The command ``report``, and the page that ``leaderboard`` writes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from stageroute_gym import cli
from stageroute_gym.extras import needed
from stageroute_gym.report.charts.data import chart_tables
from stageroute_gym.report.results import read_results

pytestmark = pytest.mark.slow

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command in this process: exit code, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["stageroute", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        captured = capsys.readouterr()
        return int(left.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def copy(board: Path, tmp_path: Path) -> Path:
    return shutil.copytree(board, tmp_path / "copy")


def test_page_and_pictures_from_files(command: Command, copy: Path, tmp_path: Path):
    (copy / "settings.json").unlink()
    shutil.rmtree(copy / "episodes")
    pictures = tmp_path / "pictures"
    entries = ("--entries", "stageroute,cheapest", "--entry", "oracle")
    code, out, err = command("report", str(copy), "--svg", str(pictures), *entries)
    assert code == 0, err
    assert (copy / "leaderboard.html").stat().st_size > 500_000
    written = sorted(path.name for path in pictures.iterdir())
    assert len(written) == 13
    assert all(str(pictures / name) in out for name in written)
    svg = (pictures / "regret-outage.svg").read_text()
    assert all(f">{entry}<" in svg for entry in ("stageroute", "cheapest", "oracle"))
    assert ">greedy-ratio<" not in svg
    assert "stageroute on outage" in (pictures / "queries-outage.svg").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--entries", "oracle"], "entries = ['oracle']: expected entries of pictures"),
        (["--png", "x", "--entries", "orakel"], "entries = 'orakel': expected 'oracle'"),
    ],
)
def test_wrong_options_are_named_first(
    command: Command, copy: Path, options: list[str], message: str
):
    code, _, err = command("report", str(copy), *options)
    assert code == 2
    assert err.startswith(f"error: {message}")
    assert not (copy / "leaderboard.html").exists()


def test_merged_leaderboards_have_a_page(command: Command, board: Path, tmp_path: Path):
    code, out, err = command("rank", str(board), "--out", str(tmp_path / "merged"))
    assert code == 0, err
    page = tmp_path / "merged" / "leaderboard.html"
    assert str(page) in out
    assert page.stat().st_size > 500_000


@pytest.mark.slow
def test_a_sweep_of_budgets_has_a_chart_of_its_own(command: Command, tmp_path: Path):
    small = ("--horizon", "90", "--num-stages", "3", "--seeds", "2", "--jobs", "1")
    swept = ("--agents", "cheapest,uniform", "--budget", "1e-4,5e-4,2e-3")
    out = tmp_path / "swept"
    scenarios = ("--scenario", "routerbench,outage")
    code, _, err = command("leaderboard", *scenarios, *small, *swept, "--out", str(out))
    assert code == 0, err
    tables = chart_tables(read_results(out))
    lines = tables["budgets"].filter(scenario="outage(budget=0.0005)").sort("cost")
    assert lines["entry"].n_unique() == 3
    assert lines["cost"].unique().sort().to_list() == [0.1, 0.5, 2.0]
    plan = lines.filter(pl.col("entry").is_null())["score"].to_list()
    assert plan == sorted(plan)
    episodes = pl.read_parquet(out / "results.parquet")
    uniform = episodes.filter(entry="uniform", scenario="outage(budget=0.0005)")
    drawn = lines.filter(entry="uniform", cost=0.5)["score"].item()
    assert drawn == pytest.approx(uniform["score_per_query"].mean(), rel=1e-4)
    assert 'id="chart-budget"' in (out / "leaderboard.html").read_text()
    code, _, err = command("report", str(out), "--svg", str(tmp_path / "svg"))
    assert code == 0, err
    drawn_files = sorted(path.name for path in (tmp_path / "svg").glob("budget*"))
    assert drawn_files == ["budget-outage.svg", "budget-routerbench.svg"]
    assert ">best plan<" in (tmp_path / "svg" / "budget-outage.svg").read_text()


def test_a_folder_without_a_leaderboard(command: Command, tmp_path: Path):
    code, _, err = command("report", str(tmp_path))
    assert code == 2
    assert err.startswith(f"error: dir = {str(tmp_path)!r}: expected the folder of a finished")


def test_a_leaderboard_writes_its_page_or_says_what_it_needs(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    small = ("--horizon", "60", "--num-stages", "2", "--seeds", "1", "--agents", "cheapest")
    options = ("leaderboard", "--scenario", "routerbench", *small, "--jobs", "1")
    code, out, err = command(*options, "--out", str(tmp_path / "with"))
    assert code == 0, err
    assert "With one seed" in (tmp_path / "with" / "leaderboard.html").read_text()
    assert str(tmp_path / "with" / "leaderboard.html") in out
    monkeypatch.setitem(sys.modules, "altair", None)
    code, out, err = command(*options, "--out", str(tmp_path / "without"))
    assert code == 0, err
    assert not (tmp_path / "without" / "leaderboard.html").exists()
    assert needed("report") in out
    code, _, err = command("report", str(tmp_path / "without"))
    assert code == 2
    assert needed("report") in err
