"""Logs of each gateway, invented, and logs with faults."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.logs import Log, is_log_file, read_log

# A request of each gateway; `{i}` is its number, `{fail}` whether it failed.
LITELLM = {
    "request_id": "r{i}",
    "call_type": "acompletion",
    "spend": 0.001,
    "startTime": "2026-05-01T00:00:0{i}Z",
    "model": "gpt",
    "status": "success",
    "metadata": {"score": 0.5, "kind": "chat"},
}
HELICONE = {
    "request_id": "r{i}",
    "request_created_at": "2026-05-01T00:00:0{i}.000Z",
    "model": "gpt",
    "cost": 0.001,
    "response_status": 200,
    "request_properties": {"score": "0.5"},
}
PORTKEY = {
    "id": "r{i}",
    "created_at": "2026-05-01T00:00:0{i}Z",
    "ai_model": "gpt",
    "cost": 0.1,
    "is_success": True,
    "score": 0.5,
}
OPENROUTER = {
    "id": "r{i}",
    "created_at": "2026-05-01 00:00:0{i}",
    "model": "gpt",
    "total_cost": 0.001,
    "score": 0.5,
}


def lines(tmp_path: Path, request: dict, number: int = 3, **changes) -> Path:
    """A log of some requests; ``changes`` are values of the second one."""
    written = []
    for i in range(number):
        values = json.loads(json.dumps(request).replace("{i}", str(i)))
        written.append(json.dumps(values | (changes if i == 1 else {})))
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(written))
    return path


def csv(tmp_path: Path, *rows: str, header: str = "time,model,cost,score,task") -> Path:
    path = tmp_path / "log.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


@pytest.mark.parametrize(
    ("name", "request_", "columns", "failed"),
    [
        ("litellm", LITELLM, {"score": "metadata.score"}, {"status": "failure"}),
        (
            "helicone",
            HELICONE,
            {"score": "request_properties.score"},
            {"response_status": 500},
        ),
        ("portkey", PORTKEY, {}, {"is_success": False}),
        ("openrouter", OPENROUTER, {}, None),
    ],
)
def test_each_gateway(tmp_path: Path, name, request_, columns, failed):
    path = lines(tmp_path, request_)
    assert is_log_file(path)
    log = read_log(path, columns=columns)
    assert f"read as a log of {name}" in log.remarks
    assert log.models == ("gpt",)
    assert log.cost == pytest.approx([0.001] * 3)
    assert log.score.tolist() == [0.5] * 3
    assert np.diff(log.time).tolist() == [1.0, 1.0]
    assert log.time[0] == 1_777_593_600  # the first of May 2026
    if failed is not None:
        log = read_log(lines(tmp_path, request_, **failed), columns=columns)
        assert log.num_requests == 2
        assert "1 of 3 requests failed and are left out" in log.remarks


def span(i: int, **attributes) -> dict:
    values = {
        "gen_ai.request.model": {"stringValue": "gpt"},
        "gen_ai.usage.input_tokens": {"intValue": "12"},
        "app.cost": {"doubleValue": 0.001},
        "app.score": {"doubleValue": 0.5},
        **attributes,
    }
    return {
        "spanId": f"s{i}",
        "startTimeUnixNano": str(1_777_593_600_000_000_000 + i * 10**9),
        "attributes": [{"key": key, "value": value} for key, value in values.items()],
    }


def test_opentelemetry_spans_as_exported(tmp_path: Path):
    path = tmp_path / "spans.jsonl"
    path.write_text(
        "\n".join(
            json.dumps(
                {"resourceSpans": [{"scopeSpans": [{"spans": [span(2 * i), span(2 * i + 1)]}]}]}
            )
            for i in range(2)
        )
    )
    assert is_log_file(path)
    log = read_log(path, columns={"cost": "app.cost", "score": "app.score"})
    assert log.num_requests == 4
    assert log.time[0] == pytest.approx(1_777_593_600)
    with pytest.raises(FieldError, match=r"column gen_ai\.usage\.cost.*--columns cost=NAME"):
        read_log(path)


def test_a_plain_table_gzipped_with_semicolons(tmp_path: Path):
    text = "time;model;cost;score;task;propensity\n1;b;0,5;1;x;0,25\n2;a;0,25;;x;0,75\n"
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    log = read_log(path)
    assert log.models == ("a", "b")
    assert log.model.tolist() == [1, 0]
    assert log.cost.tolist() == [0.5, 0.25]
    assert log.propensity is not None
    assert log.propensity.tolist() == [0.25, 0.75]
    assert np.isnan(log.score).tolist() == [False, True]
    assert "50.0% of the requests have a score; the others count for cost only" in log.remarks


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_times_in_any_unit(tmp_path: Path, unit: int):
    rows = [f"{(1_777_593_600 + i) * unit},a,1,1,t" for i in range(2)]
    assert read_log(csv(tmp_path, *rows)).time.tolist() == [1_777_593_600, 1_777_593_601]


def test_the_newest_first_is_turned_round_and_said(tmp_path: Path):
    log = read_log(csv(tmp_path, "3,a,3,1,t", "2,a,2,1,t", "1,a,1,1,t"))
    assert log.cost.tolist() == [1.0, 2.0, 3.0]
    assert any("newest request comes first" in remark for remark in log.remarks)


@pytest.mark.parametrize(
    ("row", "field", "kept"),
    [
        ("2,b,,1,t", "cost in line 3", 2),
        ("2,b,nan,1,t", "cost in line 3", 2),
        ("2,b,-0.1,1,t", "cost in line 3", 2),
        ("2,b,1,1.5,t", "score in line 3", 2),
        ("2,,1,1,t", "model in line 3", 2),
        (",b,1,1,t", "time in line 3", 2),
        ("9,b,1,1,t", "time in line 4", 3),
    ],
)
def test_faults_are_refused_or_repaired(tmp_path: Path, row: str, field: str, kept: int):
    path = csv(tmp_path, "1,a,1,1,t", row, "3,a,1,1,t")
    before = path.read_bytes()
    with pytest.raises(FieldError, match="--repair") as refused:
        read_log(path)
    assert refused.value.field == field
    log = read_log(path, repair=True)
    assert log.num_requests == kept
    assert (np.diff(log.time) >= 0).all()
    assert len(log.remarks) == 2
    assert path.read_bytes() == before


def test_a_fault_is_named_by_its_line_and_as_the_file_has_it(tmp_path: Path):
    header = "time,note,model,cost,score"
    rows = ('1,"two\nlines, and a "" sign",a,1,1', "2,,b,dear,1", "3,,a,1,1")
    with pytest.raises(FieldError) as refused:
        read_log(csv(tmp_path, *rows, header=header))
    assert (refused.value.field, refused.value.value) == ("cost in line 4", "dear")
    # Failed requests and blank lines are lines, too; times are shown as they are written.
    text = lines(tmp_path, LITELLM, 4, status="failure").read_text()
    path = tmp_path / "log.jsonl.gz"
    text = text.replace("00:03Z", "00:00Z").replace("\n", "\n\n", 1)
    path.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(FieldError) as refused:
        read_log(path, columns={"score": "metadata.score"})
    assert refused.value.field == "startTime in line 5"
    assert refused.value.value == "2026-05-01T00:00:00Z"
    assert "the request above, 2026-05-01T00:00:02Z" in refused.value.allowed


def test_a_month_is_not_taken_for_a_day(tmp_path: Path):
    path = csv(tmp_path, "05/01/2026 10:00:00,a,1,1,t", "05/02/2026 10:00:00,a,1,1,t")
    with pytest.raises(FieldError, match="time in line 2 = '05/01/2026 10:00:00': expected a time"):
        read_log(path)


@pytest.mark.parametrize("wrap", [list, lambda requests: {"data": requests}])
def test_an_array_of_requests_as_interfaces_answer(tmp_path: Path, wrap):
    requests = [json.loads(line) for line in lines(tmp_path, LITELLM).read_text().splitlines()]
    path = tmp_path / "log.json"
    path.write_text(json.dumps(wrap(requests), indent=2))
    log = read_log(path, columns={"score": "metadata.score", "task": "metadata.kind"})
    assert (log.num_requests, log.tasks) == (3, ("chat",))
    requests[2]["spend"] = -1
    path.write_text(json.dumps(wrap(requests)))
    with pytest.raises(FieldError, match="spend in entry 3 = -1"):
        read_log(path, columns={"score": "metadata.score"})


def test_requests_each_under_data(tmp_path: Path):
    path = lines(tmp_path, OPENROUTER)
    path.write_text("".join(f'{{"data": {line}}}\n' for line in path.read_text().splitlines()))
    assert is_log_file(path)
    assert read_log(path).score.tolist() == [0.5] * 3


def test_a_table_keeps_its_objects_as_text(tmp_path: Path):
    header = "request_id,startTime,model,spend,metadata"
    rows = [f'r{i},2026-05-01T00:00:0{i}Z,gpt,0.1,"{{""score"": 0.{i}}}"' for i in (1, 2)]
    path = csv(tmp_path, *rows, header=header)
    assert read_log(path, columns={"score": "metadata.score"}).score.tolist() == [0.1, 0.2]
    with pytest.raises(FieldError, match=r"metadata\.core.*expected 'metadata\.score'"):
        read_log(path, columns={"score": "metadata.core"})
    path.write_text(path.read_text().replace("{", "(", 1))
    with pytest.raises(FieldError, match="JSON objects in column metadata"):
        read_log(path, columns={"score": "metadata.score"})


def test_an_id_given_twice(tmp_path: Path):
    header = "id,time,model,cost,score"
    path = csv(tmp_path, "x,1,a,1,1", "y,2,a,1,1", "x,3,a,1,0", header=header)
    with pytest.raises(FieldError, match="an id given only once"):
        read_log(path)
    assert read_log(path, repair=True).score.tolist() == [1.0, 1.0]


def test_a_log_without_scores_says_how_to_add_them(tmp_path: Path):
    path = csv(tmp_path, "1,a,1,x", "2,b,1,y", header="time,model,cost,task")
    with pytest.raises(FieldError, match=r"--columns score=NAME.*--scores FILE"):
        read_log(path)
    with pytest.raises(FieldError, match=r"--columns score=metadata\.score\)"):
        read_log(lines(tmp_path, LITELLM))
    scores = tmp_path / "scores.csv"
    scores.write_text("task,model,score,count\nx,a,0.5,20\nx,b,0.75,40\nz,a,1,9\nx,other,1,9\n")
    log = read_log(path, scores=scores)
    assert log.cell_score is not None
    assert np.isnan(log.cell_score).tolist() == [[False, False], [True, True]]
    assert log.cell_score[0].tolist() == [0.5, 0.75]
    assert log.cell_count is not None
    assert log.cell_count[0].tolist() == [20, 40]
    said = f"2 rows of {scores} are passed over, since the log lacks task 'z', model 'other'"
    assert said in log.remarks


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task,model,score\nx,a,1\n", "column count"),
        ("task,model,score,count\nx,a,1.5,3\n", "a mean score in [0, 1]"),
        ("task,model,score,count\nx,a,1,0\n", "at least 1"),
        ("task,model,score,count\nx,a,1,3\nx,a,0,3\n", "one row for each task and model"),
        ("task,model,score,count\nx,c,1,3\n", "a model of the log: a, b"),
    ],
)
def test_bad_score_files_are_refused(tmp_path: Path, text: str, said: str):
    path = csv(tmp_path, "1,a,1,x", "2,b,1,y", header="time,model,cost,task")
    scores = tmp_path / "scores.csv"
    scores.write_text(text)
    with pytest.raises(FieldError) as refused:
        read_log(path, scores=scores)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"source": "litelm"}, "'litellm', the nearest name"),
        ({"columns": {"cots": "cost"}}, "'cost', the nearest name"),
        ({"columns": {"cost": "csot"}}, "'cost', the nearest name"),
    ],
)
def test_unknown_names_get_their_nearest(tmp_path: Path, options: dict, said: str):
    with pytest.raises(FieldError) as refused:
        read_log(csv(tmp_path, "1,a,1,1,t"), **options)
    assert said in str(refused.value)


def test_a_table_of_outcomes_is_no_log(tmp_path: Path):
    path = csv(tmp_path, "q,t,1,1", header="query_id,task,score:a,cost:a")
    assert not is_log_file(path)
    with pytest.raises(FieldError, match="--columns time="):
        read_log(path)


def test_outcomes_that_tell_times_are_no_log_unless_one_says_so(tmp_path: Path):
    path = csv(tmp_path, "1,q,t,a,1,1", header="time,query_id,task,model,score,cost")
    assert not is_log_file(path)
    assert read_log(path, source="generic").num_requests == 1


def test_a_log_of_failures_only_is_refused(tmp_path: Path):
    path = lines(tmp_path, LITELLM | {"status": "failure"}, 2)
    with pytest.raises(FieldError, match="at least one request that was answered"):
        read_log(path, columns={"score": "metadata.score"})


def test_the_log_is_typed(tmp_path: Path):
    log = read_log(csv(tmp_path, "1,a,1,1,t"))
    assert isinstance(log, Log)
    assert log.model.dtype == log.task.dtype == np.int64
    assert log.propensity is None


def test_costs_from_tokens_and_a_price_list(tmp_path: Path):
    path = tmp_path / "spans.jsonl"
    tokens = {"gen_ai.usage.output_tokens": {"intValue": "8"}}
    spans = [
        {"resourceSpans": [{"scopeSpans": [{"spans": [span(i, **tokens)]}]}]} for i in range(2)
    ]
    path.write_text("\n".join(map(json.dumps, spans)))
    prices = tmp_path / "prices.csv"
    prices.write_text("model,input,output\nopenai/gpt,1,10\n")
    columns = {"score": "app.score"}
    with pytest.raises(FieldError, match="openai/gpt"):
        read_log(path, columns=columns, prices=prices)
    log = read_log(path, columns=columns, prices=prices, price_of={"gpt": "openai/gpt"})
    # 12 tokens at 1 USD and 8 at 10 USD a million.
    assert log.cost == pytest.approx([92e-6] * 2)
    assert any("costs are tokens times the prices" in remark for remark in log.remarks)
    with pytest.raises(FieldError, match="the log tells its costs"):
        read_log(path, columns=columns | {"cost": "app.cost"}, prices=prices)


def test_a_cost_of_0_is_said_and_priced_on_request(tmp_path: Path):
    header = "time,model,cost,input_tokens,output_tokens,score"
    path = csv(tmp_path, "1,a,0,100,10,1", "2,a,0,200,10,1", "3,b,0.5,10,10,0", header=header)
    remarks = read_log(path).remarks
    assert any("a counts as free: each of its 2 requests" in remark for remark in remarks)
    prices = tmp_path / "prices.csv"
    prices.write_text("model,input,output\na,1,10\n")
    log = read_log(path, prices=prices)
    assert log.cost == pytest.approx([2e-4, 3e-4, 0.5])
    assert any("the costs of 2 requests that told none" in remark for remark in log.remarks)


def test_what_a_cache_answered_tells_no_models_cost(tmp_path: Path):
    path = lines(tmp_path, LITELLM | {"cache_hit": "False"}, cache_hit="True", spend=0.0)
    log = read_log(path, columns={"score": "metadata.score"})
    assert log.cost.tolist() == [0.001] * 2
    assert any("1 of 3 requests were answered by a cache" in remark for remark in log.remarks)


def test_spans_of_tools_and_agents_are_no_requests(tmp_path: Path):
    spans = [
        {"startTimeUnixNano": 1, "gen_ai.request.model": "a", "gen_ai.response.model": "a-2026"},
        {"startTimeUnixNano": 2, "gen_ai.request.model": "b", "gen_ai.operation.name": "chat"},
        {"startTimeUnixNano": 3, "http.route": "/v1/chat"},
        {
            "startTimeUnixNano": 4,
            "gen_ai.request.model": "a",
            "gen_ai.operation.name": "embeddings",
        },
        {
            "startTimeUnixNano": 5,
            "gen_ai.request.model": "a",
            "gen_ai.operation.name": "invoke_agent",
        },
    ]
    path = tmp_path / "spans.jsonl"
    path.write_text("\n".join(json.dumps(span | {"cost": 0.1, "score": 1}) for span in spans))
    log = read_log(path, columns={"cost": "cost"})
    assert log.models == ("a-2026", "b")
    assert "1 of 5 rows name no model and are left out" in log.remarks
    assert "2 of 4 requests are for something else than text and are left out" in log.remarks


def test_embeddings_in_a_log_are_left_out(tmp_path: Path):
    log = read_log(
        lines(tmp_path, LITELLM, call_type="aembedding", model="embedder"),
        columns={"score": "metadata.score"},
    )
    assert log.models == ("gpt",)


def test_a_plain_log_of_tokens_is_recognised_where_prices_are_given(tmp_path):
    path, prices = tmp_path / "log.csv", tmp_path / "llm_data.json"
    path.write_text("time,model,prompt,output_tokens,score\n1,a,100,20,1\n2,a,300,0,0\n")
    prices.write_text('{"a": {"input_price": 1.0, "output_price": 5.0}}')
    log = read_log(path, prices=prices, columns={"input_tokens": "prompt"})
    assert log.cost.tolist() == pytest.approx([2e-4, 3e-4])
    with pytest.raises(FieldError, match="cost"):
        read_log(path)
