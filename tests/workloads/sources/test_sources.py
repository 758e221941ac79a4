"""Every foreign format, on a small file of its public shape with invented values."""

from __future__ import annotations

import gzip
import io
import json
import tarfile

import polars as pl
import pytest

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.workloads import check_file, convert, read_outcomes

SCORES = {("q1", "a"): 1.0, ("q1", "b"): 0.0, ("q2", "a"): 0.5, ("q2", "b"): 1.0}
TOKENS = {
    ("q1", "a"): (100, 10),
    ("q1", "b"): (100, 20),
    ("q2", "a"): (50, 5),
    ("q2", "b"): (60, 6),
}
# USD a token, and what the tokens above cost with them.
RATES = {"a": (1e-6, 2e-6), "b": (1e-5, 3e-5)}
COSTS = {
    key: TOKENS[key][0] * RATES[key[1]][0] + TOKENS[key][1] * RATES[key[1]][1] for key in TOKENS
}


def write_lines(path, lines):
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def llmrouterbench(folder, change=lambda record: record):
    path = folder / "bench.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for model in "ab":
            records = [
                change(
                    {
                        "index": index,
                        "origin_query": "?",
                        "score": SCORES[f"q{index}", model],
                        "prompt_tokens": TOKENS[f"q{index}", model][0],
                        "completion_tokens": TOKENS[f"q{index}", model][1],
                        "cost": COSTS[f"q{index}", model],
                    }
                )
                for index in (1, 2)
            ]
            content = json.dumps({"model_name": model, "records": records}).encode()
            info = tarfile.TarInfo(f"bench-release/maths/{model}/run-1.json")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def routerarena(folder, failing=()):
    path = folder / "arena"
    (path / "cached_results").mkdir(parents=True)
    (path / "model_cost").mkdir()
    for model in "ab":
        lines = []
        for number in (1, 2, 3):
            key = (f"q{min(number, 2)}", model)
            failed = (number, model) in failing
            lines.append(
                {
                    "global_index": f"AIME_{number}",
                    "llm_selected": model,
                    "token_usage": None
                    if failed
                    else dict(zip(("input_tokens", "output_tokens"), TOKENS[key], strict=True)),
                    "success": not failed,
                    "evaluation_result": None
                    if failed
                    else {"score": SCORES[key], "metric": "exact", "inference_cost": None},
                }
            )
        write_lines(path / "cached_results" / f"{model}.jsonl", lines)
    prices = {
        model: {
            "input_token_price_per_million": RATES[model][0] * 1e6,
            "output_token_price_per_million": RATES[model][1] * 1e6,
        }
        for model in "ab"
    }
    (path / "model_cost" / "model_cost.json").write_text(json.dumps(prices))
    return path


def llmrouter(folder):
    lines = [
        {
            "task_name": "gsm8k",
            "query": f"what is {query}?",
            "task_id": None,
            "embedding_id": 7,
            "model_name": model,
            "performance": SCORES[query, model],
            "input_tokens": TOKENS[query, model][0],
            "output_tokens": TOKENS[query, model][1],
        }
        for query, model in SCORES
    ]
    return write_lines(folder / "routing_data_test.jsonl.gz", lines)


def sprout(folder):
    path = folder / "sprout.parquet"
    columns = {"key": ["k1", "k2"], "dataset": ["mmlu", "gpqa"], "dataset_idx": [0, 1]}
    for model in "ab":
        columns[model] = [
            {
                "score": SCORES[query, model],
                "num_input_tokens": TOKENS[query, model][0],
                "num_output_tokens": TOKENS[query, model][1],
                "response": "...",
            }
            for query in ("q1", "q2")
        ]
    pl.DataFrame(columns).write_parquet(path)
    return path


def swebench(folder):
    def entry(name, model, price=1.0):
        details = {
            f"django__django-{query}": {
                "resolved": SCORES[f"q{query}", model] >= 0.5,
                "cost": COSTS[f"q{query}", model] * price if price else None,
                "api_calls": 3,
            }
            for query in (1, 2)
        }
        return {"name": name, "date": "2025-07-26", "per_instance_details": details}

    results = [entry("a [mini] (2.0)", "a"), entry("b", "b"), entry("old", "a", None)]
    boards = {
        "leaderboards": [
            {"name": "Verified", "results": [{"name": "x", "resolved": 12.0}]},
            {"name": "bash-only", "results": results},
        ]
    }
    path = folder / "leaderboards.json"
    path.write_text(json.dumps(boards))
    return path


def json_lines(folder):
    lines = [
        {
            "prompt": "?",
            "dataset": "chat",
            "models": {
                model: {"score": SCORES[query, model], "cost": COSTS[query, model]}
                for model in "ab"
            },
        }
        for query in ("q1", "q2")
    ]
    return write_lines(folder / "outcomes.jsonl", lines)


def price_list(folder):
    path = folder / "prices.csv"
    rows = "".join(f"{name},{1e6 * rate[0]},{1e6 * rate[1]}\n" for name, rate in RATES.items())
    path.write_text("model,input,output\n" + rows)
    return path


FORMATS = {
    "llmrouterbench": (llmrouterbench, ["maths"], False),
    "routerarena": (routerarena, ["AIME"], False),
    "llmrouter": (llmrouter, ["gsm8k"], True),
    "sprout": (sprout, ["gpqa", "mmlu"], True),
    "swebench": (swebench, ["django/django"], False),
    "json-lines": (json_lines, ["chat"], False),
}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_recognised_converted_and_played(tmp_path, name):
    make, tasks, needs_prices = FORMATS[name]
    source, target = make(tmp_path), tmp_path / "outcomes.parquet"
    prices = price_list(tmp_path) if needs_prices else None
    done = convert(source, target, prices=prices)
    named = convert(source, target, prices=prices, source_format=name, overwrite=True)
    assert done == named
    assert done.format == name
    frame = read_outcomes(target)
    assert sorted(set(frame["task"])) == tasks
    first, second = done.models
    for place, query in enumerate(("q1", "q2")):
        for column, model in ((first, "a"), (second, "b")):
            score = SCORES[query, model]
            expected = float(score >= 0.5) if name == "swebench" else score
            assert frame[f"score:{column}"][place] == expected
            cost = frame[f"cost:{column}"][place]
            assert cost == pytest.approx(COSTS[query, model], rel=1e-12)
    scenario = scenarios.get("recorded", data=str(target), horizon=20)
    assert scenario.world().num_models == 2
    if needs_prices:
        assert any("tokens times the list prices" in note for note in done.notes)
        with pytest.raises(FieldError, match=r"prices = None: expected a price list \(--prices"):
            convert(source, target, overwrite=True)


@pytest.mark.parametrize("name", FORMATS)
def test_a_check_reads_them_as_a_leaderboard_does(tmp_path, name):
    make, tasks, needs_prices = FORMATS[name]
    source = make(tmp_path)
    if needs_prices:
        (problem,) = check_file(source).problems
        assert "a price list (--prices FILE)" in problem
    prices = price_list(tmp_path) if needs_prices else None
    report = check_file(source, prices=prices)
    assert (report.problems, report.rows) == ((), 3 if name == "routerarena" else 2)
    assert report.remarks[0] == f"the file is read as {name}"
    assert sorted(report.tasks) == tasks
    with pytest.raises(FieldError, match="source = 'sprut': expected 'sprout'"):
        check_file(source, source="sprut")


def test_what_is_lost_or_assumed_is_said(tmp_path):
    source = routerarena(tmp_path, failing=[(3, "b")])
    done = convert(source, tmp_path / "arena.csv")
    assert (done.queries, done.models) == (2, ("a", "b"))
    notes = "\n".join(done.notes)
    assert "rules forbid fitting" in notes
    assert "1 answers without score or cost are left out: b 1" in notes
    assert "1 of 3 queries lack a model's answer: left out" in notes
    board = convert(swebench(tmp_path), tmp_path / "board.csv")
    assert any("1 entries whose costs are null or 0 are left out" in note for note in board.notes)


def test_no_query_that_all_models_answered(tmp_path):
    lines = [
        {"dataset": "t", "models": {"a": {"score": 1, "cost": 1}, "b": {"score": 1, "cost": 1}}},
        {"dataset": "t", "models": {"c": {"score": 1, "cost": 1}}},
    ]
    source, target = write_lines(tmp_path / "x.jsonl", lines), tmp_path / "x.csv"
    message = r"a query that all 3 models have answered; leave .*--without MODEL.* 1 of 2"
    with pytest.raises(FieldError, match=message):
        convert(source, target)
    assert convert(source, target, without=["c"]).models == ("a", "b")
    with pytest.raises(FieldError, match="without = 'd'"):
        convert(source, target, without=["d"], overwrite=True)


def test_entries_of_one_name_on_a_board(tmp_path):
    source = swebench(tmp_path)
    board = json.loads(source.read_text())
    entries = (board["leaderboards"] if isinstance(board, dict) else board)[-1]
    results = entries.get("results") or entries["entries"]
    told = [entry for entry in results if entry.get("per_instance_details")]
    for place, entry in enumerate(told):
        entry |= {"name": "agent", "folder": f"run-{place}"}
    source.write_text(json.dumps(board))
    done = convert(source, tmp_path / "out.csv")
    assert set(done.models) <= {f"agent run-{place}" for place in range(len(told))}
    assert any("entries of one name have their folder behind it: agent" in n for n in done.notes)


def test_json_lines_in_an_array(tmp_path):
    lines = [json.loads(line) for line in json_lines(tmp_path).read_text().splitlines()]
    source = tmp_path / "array.json"
    source.write_text(json.dumps(lines, indent=1))
    done = convert(source, tmp_path / "out.csv")
    assert (done.format, done.models) == ("json-lines", ("a", "b"))


def test_scores_beyond_the_unit_interval(tmp_path):
    def negative(record):
        return record | {"score": record["score"] * 3 - 1}

    source, target = llmrouterbench(tmp_path, negative), tmp_path / "out.csv"
    message = r"score:a of query 'maths/1' = 2.0: .*--clip-scores.*3 of 4 scores .* from -1 to 2"
    with pytest.raises(FieldError, match=message):
        convert(source, target)
    clipped = convert(source, target, scores="clip")
    assert read_outcomes(target)["score:b"].to_list() == [0.0, 1.0]
    assert any("clipped" in note for note in clipped.notes)
    convert(source, target, scores="scale", overwrite=True)
    assert read_outcomes(target)["score:a"].to_list() == [1.0, 0.5]


def published(folder, *runs):
    """LLMRouterBench's folders as they are published: dataset, split, model, a file a run."""
    for dataset, model, time, score, changes in runs:
        home = folder / "bench" / dataset / "test" / model
        home.mkdir(parents=True, exist_ok=True)
        record = {"index": 1, "score": score, "cost": 0.1, "prompt_tokens": 9} | changes
        run = {"dataset_name": dataset, "split": "test", "model_name": model}
        run |= {"demo": time == "demo", "records": [record | {"completion_tokens": 1}]}
        (home / f"{dataset}-test-{model}-{time}.json").write_text(json.dumps(run))
    return folder / "bench"


def test_a_dataset_is_told_from_its_split_and_a_run_from_a_later_one(tmp_path):
    new, old, plain = "20250901_120000", "20250831_235959", {}
    source = published(
        tmp_path,
        ("aime", "a", new, 1, plain),
        ("aime", "a", old, 0, plain),
        ("aime", "b", new, 0, plain),
        ("aime", "b", "demo", 1, plain),
        ("bbh", "a", new, 0, plain),
        ("bbh", "b", new, 1, plain),
    )
    done = convert(source, tmp_path / "out.csv")
    frame = read_outcomes(tmp_path / "out.csv")
    assert dict(zip(frame["query_id"], frame["task"], strict=True)) == {
        "aime/test/1": "aime",
        "bbh/test/1": "bbh",
    }
    assert frame["score:a"].to_list() == [1.0, 0.0]
    assert frame["score:b"].to_list() == [0.0, 1.0]
    assert "1 older runs of a model on the same task are left out" in done.notes
    assert "1 demonstration runs are left out" in done.notes


def test_costs_that_are_all_0_are_no_price(tmp_path):
    runs = [
        ("aime", model, "20250901_120000", 1, {"cost": cost})
        for model, cost in (("a", 0), ("b", 1))
    ]
    source, target = published(tmp_path, *runs), tmp_path / "out.csv"
    with pytest.raises(
        FieldError, match=r"1 answers of 1 models tell .* no cost, or 0: a; one's own"
    ):
        convert(source, target)
    convert(source, target, prices=price_list(tmp_path))
    frame = read_outcomes(target)
    assert frame["cost:a"][0] == pytest.approx(9 * RATES["a"][0] + RATES["a"][1])
    assert frame["cost:b"][0] == 1.0
    free = tmp_path / "free.csv"
    free.write_text("model,input,output,free\na,0,0,true\n")
    convert(source, target, prices=free, overwrite=True)
    assert read_outcomes(target)["cost:a"][0] == 0.0


def test_columns_of_other_names(tmp_path):
    source, target = tmp_path / "own.csv", tmp_path / "out.csv"
    source.write_text("request_id,kind,model,points,cost_usd\nq,t,a,1,0.1\nq,t,b,0,0.2\n")
    names = {"query_id": "request_id", "task": "kind", "score": "points", "cost": "cost_usd"}
    assert convert(source, target, columns=names).models == ("a", "b")
    with pytest.raises(FieldError, match="columns: cost = 'costs': expected 'cost_usd'"):
        convert(source, target, columns={"cost": "costs"}, overwrite=True)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("bench.tar", b"no tar", "a whole tar file"),
        ("x.jsonl", b'{"models": {"a": 1}}\n', "a file of the format json-lines; AttributeError"),
        ("x.jsonl", b'{"models": {"a": {"score": "x"}}}\n', "number = 'x'"),
        ("x.jsonl", b'{"models": {}}\n[1]\n', "a JSON object"),
        ("r.jsonl", b'{"global_index": "A_1"}\n{"llm": 1}\n', "KeyError: 'global_index'"),
        ("b.json", b'[{"name": "per_instance_details"', "JSON: "),
    ],
)
def test_broken_files_are_named(tmp_path, name, content, words):
    source = tmp_path / name
    source.write_bytes(content)
    with pytest.raises(FieldError) as caught:
        convert(source, tmp_path / "out.csv")
    assert words in str(caught.value)
    with pytest.raises(FieldError, match="from = 'sprut': expected 'sprout'"):
        convert(source, tmp_path / "out.csv", source_format="sprut")


@pytest.mark.parametrize("name", FORMATS)
def test_a_table_under_the_name_of_a_format_is_refused_in_a_line(tmp_path, name):
    source = tmp_path / "log.csv"
    source.write_text("time,model,cost\n1,a,1e-3\n")
    with pytest.raises(FieldError) as caught:
        convert(source, tmp_path / "out.csv", source_format=name)
    assert caught.value.field == "source"
    assert len(str(caught.value).splitlines()) == 1
