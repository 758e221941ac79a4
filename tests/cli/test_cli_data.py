"""Files that once were misread, by the command that a user gives."""

from __future__ import annotations

import os
import subprocess

import pytest
from command import COMMAND


def wide(*names: str) -> str:
    """One query, answered right by the first of the models and wrong by the others."""
    columns = ",".join(f'"score:{name}","cost:{name}"' for name in names)
    cells = ",".join(f"{int(place == 0)},0.1" for place in range(len(names)))
    return f"query_id,task,{columns}\nq,t,{cells}\n"


def test_a_path_with_brackets_reads_that_file(stageroute, tmp_path):
    (tmp_path / "answers[1].csv").write_text("query_id,task,score:a,cost:a\nq1,t,1,0.1\n")
    assert stageroute("data", "check", "answers[1].csv").code == 0
    (tmp_path / "answers1.csv").write_text("query_id,task,score:a,cost:a\nq1,t,0,0.1\n")
    (line,) = [
        line
        for line in stageroute("data", "check", "answers[1].csv").out.splitlines()
        if line.strip().startswith("a ")
    ]
    assert line.split()[1] == "1"


@pytest.mark.parametrize("names", [("alpha [high]", "alpha [low]"), ("alpha[/chat]", "[red]b")])
def test_names_with_brackets_are_shown_whole(stageroute, tmp_path, names):
    (tmp_path / "models.csv").write_text(wide(*names))
    outcome = stageroute("data", "check", "models.csv")
    assert outcome.code == 0
    for name in names:
        assert name in outcome.out


def test_a_name_with_quotes_survives_every_conversion(stageroute, tmp_path):
    import polars as pl

    (tmp_path / "quoted.csv").write_text(wide('alpha ""v2""'))
    for source, target, layout in (
        ("quoted.csv", "wide.parquet", "wide"),
        ("wide.parquet", "wide.csv", "wide"),
        ("wide.csv", "long.csv", "long"),
        ("long.csv", "again.parquet", "wide"),
    ):
        assert stageroute("data", "convert", source, target, "--layout", layout).code == 0
    columns = pl.read_parquet(tmp_path / "again.parquet").columns
    assert columns == ["query_id", "task", 'score:alpha "v2"', 'cost:alpha "v2"']


def test_a_name_beyond_the_encoding_is_shown_as_far_as_it_goes(tmp_path):
    (tmp_path / "wide_name.csv").write_text(wide("\N{CJK UNIFIED IDEOGRAPH-6A21}-1"), "utf-8")
    environment = os.environ | {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(
        [*COMMAND, "data", "check", "wide_name.csv"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"?-1" in done.stdout
    assert b"no problems" in done.stdout


def test_models_of_a_release_list_that_the_outcomes_lack_are_passed_over(stageroute, tmp_path):
    (tmp_path / "two.csv").write_text(wide("a", "b"))
    for name, rest in (
        ("twice.csv", "elsewhere,2024-01-01\nelsewhere,2024-02-01\n"),
        ("undated.csv", "elsewhere,\n,2024-01-01\n"),
    ):
        (tmp_path / name).write_text(f"model,date\na,2024-01-01\nb,2024-03-01\n{rest}")
        outcome = stageroute(
            *("run", "uniform", "--scenario", "swebench", "--data", "two.csv", "--models", name),
            *("--horizon", "20", "--num-stages", "2"),
        )
        assert outcome.code == 0, outcome.err


def test_what_was_recognised_is_said(stageroute, tmp_path):
    (tmp_path / "excel.csv").write_text("query_id;task;score:a;cost:a\nq1;t;0,5;0,001\n")
    outcome = stageroute("data", "check", "excel.csv")
    assert outcome.code == 0
    assert "columns are separated by semicolons" in outcome.out
    assert "decimal commas are read as points in column 'score:a' and 1 more" in outcome.out


def test_foreign_files_are_converted_and_ranked_in_one_command_each(stageroute, tmp_path):
    lines = [
        f'{{"dataset": "chat", "models": {{"a": {{"score": {place % 2}, "input_tokens": 100, '
        f'"output_tokens": 10}}, "b": {{"score": 1.5, "cost": 0.001}}}}}}'
        for place in range(6)
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    (tmp_path / "prices.csv").write_text("model,input,output\ngrove/a,1,2\nb,3,4\n")
    command = ["data", "convert", "log.jsonl", "out.csv"]
    refused = stageroute(*command, "--prices", "prices.csv").err
    assert "prices: model = 'a': expected a name of the list; 'grove/a' ends alike" in refused
    command += ["--prices", "prices.csv", "--price-of", "a=grove/a"]
    assert "--clip-scores" in stageroute(*command).err
    done = stageroute(*command, "--clip-scores")
    assert done.code == 0, done.err
    assert "note: the cost of 6 answers is their tokens times the list prices" in done.out
    assert "6 of 12 scores lie outside [0, 1], from 0 to 1.5: clipped" in done.out
    assert "wrote out.csv: 6 queries, 2 models, from format json-lines" in done.out
    played = stageroute(
        *("run", "uniform", "--scenario", "recorded", "--data", "out.csv"),
        *("--prices", "prices.csv", "--set", "price_of=a=grove/a", "--horizon", "50"),
    )
    assert played.code == 0, played.err
    assert "max_deployed = 2: 5 at most, of the file's 2 models" in played.out
    assert "list prices are those of 200 prompt and 30 completion tokens" in played.out
    both = stageroute(*command, "--clip-scores", "--scale-scores", "--overwrite")
    assert "either --clip-scores or --scale-scores" in both.err
    assert "columns = 'x': expected NAME=VALUE" in stageroute(*command, "--columns", "x").err


@pytest.mark.parametrize("target", ["/proc/out.csv", "absent/out.csv"])
def test_a_target_that_cannot_be_written_is_named(stageroute, tmp_path, target):
    (tmp_path / "models.csv").write_text(wide("a", "b"))
    outcome = stageroute("data", "convert", "models.csv", target)
    assert outcome.code == 2
    assert f"target = '{target}': expected a file in a" in outcome.err.replace("an existing", "a")
