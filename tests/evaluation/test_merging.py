from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.backends import LocalProcesses
from stageroute_gym.evaluation.leaderboard import run_leaderboard
from stageroute_gym.evaluation.merging import merge_leaderboards
from stageroute_gym.evaluation.trials import LeaderboardSettings
from stageroute_gym.locking import locked


def board(out: Path, **changes: Any) -> Path:
    given: dict[str, Any] = {"scenarios": ["routerbench"], "seeds": [0, 1], "horizon": 200}
    settings = LeaderboardSettings.checked(**{**given, **changes})
    run_leaderboard(settings, out, backend=LocalProcesses(1))
    return out


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("boards")
    return {
        "even": board(folder / "even", agents=["players:Even"]),
        "dear": board(folder / "dear", agents=["players:Dear"], seeds=[1, 2]),
        "whole": board(folder / "whole", agents=["players:Dear", "players:Even"], seeds=[0, 1]),
    }


def test_results_of_several_machines_are_ranked_together(
    boards: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    merged = merge_leaderboards([boards["even"], boards["dear"] / "results.parquet"], out)
    ranking = merged.summary["scenarios"]["routerbench"]["ranking"]
    assert sorted(entry["entry"] for entry in ranking) == ["players:Dear", "players:Even"]
    rows = pl.read_parquet(out / "results.parquet")
    assert rows.select("entry", "seed").rows() == [
        ("players:Dear", 1),
        ("players:Dear", 2),
        ("players:Even", 0),
        ("players:Even", 1),
    ]
    assert json.loads((out / "leaderboard.json").read_text()) == merged.summary
    with pytest.raises(FieldError, match="--overwrite"):
        merge_leaderboards([boards["even"]], out)
    with locked(out, field="out"), pytest.raises(FieldError, match="no other run is at work"):
        merge_leaderboards([boards["even"]], out, overwrite=True)
    merge_leaderboards([boards["even"], boards["whole"]], out, overwrite=True)
    for name in ("results.parquet", "stages.parquet"):
        assert (out / name).read_bytes() == (boards["whole"] / name).read_bytes()


def test_the_budgets_of_several_machines_make_one_curve(tmp_path: Path) -> None:
    budgets = {"low": [1e-4, 2e-4], "high": [1e-3, 5e-4], "all": [1e-4, 2e-4, 5e-4, 1e-3]}
    folders = {
        name: board(tmp_path / name, agents=["players:Even"], budget=several)
        for name, several in budgets.items()
    }
    merged = merge_leaderboards([folders["high"], folders["low"]], tmp_path / "out")
    whole = json.loads((folders["all"] / "leaderboard.json").read_text())
    assert merged.summary["sweeps"] == whole["sweeps"]
    assert merged.summary["sweeps"][0]["budgets"] == budgets["all"]


def test_what_does_not_fit_together_is_refused_by_name(
    boards: dict[str, Path], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    out = tmp_path / "out"

    def refused(field: str) -> None:
        with pytest.raises(FieldError) as caught:
            merge_leaderboards([boards["even"], other], out)
        assert caught.value.field == field
        assert not out.exists()

    shutil.copytree(boards["even"], other)
    settings = json.loads((other / "settings.json").read_text())
    changes = {
        "entries.players:Even.fingerprint": ("entries", "players:Even", "fingerprint"),
        "scenarios.routerbench.version": ("scenarios", "routerbench", "version"),
    }
    for field, (part, name, key) in changes.items():
        value = settings[part][name][key]
        settings[part][name][key] = "other"
        (other / "settings.json").write_text(json.dumps(settings))
        refused(field)
        settings[part][name][key] = value
    (other / "settings.json").write_text(json.dumps({**settings, "version": "0"}))
    refused("version")
    (other / "settings.json").write_text(json.dumps(settings))
    rows = pl.read_parquet(other / "results.parquet")
    rows.with_columns(score=pl.lit(1.0)).write_parquet(other / "results.parquet")
    refused("files")
    (other / "stages.parquet").unlink()
    refused("files")
