from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem
from stageroute_gym.workloads import Recorded

FILES = {
    "routerbench_0shot": (2224, 11, 8),
    "routerbench_0shot_5models": (7951, 5, 8),
    "routerbench_5shot": (3164, 11, 3),
    "swebench_bash_only": (500, 24, 12),
    "paretobandit_k4": (3559, 4, 31),
}


def problem(**changes) -> Problem:
    fields = {"horizon": 100, "num_stages": 10, "max_deployed": 1, "budget": 1.0}
    return Problem(**(fields | changes))


@pytest.fixture
def data(tmp_path) -> str:
    path = tmp_path / "outcomes.csv"
    path.write_text(
        "query_id,task,weight,score:good,cost:good,score:bad,cost:bad,score:fair,cost:fair\n"
        "q1,law,1,1.0,0.3,0.0,0.1,1.0,0.2\n"
        "q2,art,3,0.8,0.1,0.2,0.2,0.2,0.2\n"
    )
    return str(path)


@pytest.fixture
def dates(tmp_path) -> str:
    path = tmp_path / "models.csv"
    path.write_text(
        "model,leaderboard_date,kept\n"
        "fair,2025-03-11,True\nother,2025-01-01,True\ngood,2025-01-01,False\n"
        "good,2025-03-01,True\nbad,2025-03-31,True\n"
    )
    return str(path)


def test_table(data):
    table = Recorded(data=data, features="task").outcomes()
    assert table.models == ("good", "bad", "fair")
    assert table.task_names == ("art", "law")
    assert table.task.tolist() == [1, 0]
    assert table.features.tolist() == [[0, 1], [1, 0]]
    assert table.list_price.tolist() == [0, 0, 0]
    np.testing.assert_allclose(table.mean_score(), [0.85, 0.15, 0.4])
    np.testing.assert_allclose(table.mean_cost(), [0.15, 0.175, 0.2])
    assert Recorded(data=data).outcomes().features.tolist() == [[0], [0]]


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 5), st.floats(0.01, 100)), min_size=1, max_size=8
    )
)
def test_means_are_weighted(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("means") / "outcomes.parquet"
    score, cost, weight = np.array(rows).T
    names = [f"q{place}" for place in range(len(rows))]
    columns = {"query_id": names, "task": names, "score:m": score, "cost:m": cost}
    pl.DataFrame(columns | {"weight": weight}).write_parquet(path)
    table = Recorded(data=str(path)).outcomes()
    assert table.mean_score()[0] == pytest.approx(score @ weight / weight.sum())
    assert table.mean_cost()[0] == pytest.approx(cost @ weight / weight.sum())
    schedule = Recorded(data=str(path)).build(problem())[1]
    assert (schedule.mixes @ table.cost)[0, 0] == pytest.approx(table.mean_cost()[0])


def first_stage(workload: Recorded, **changes) -> dict[str, int]:
    table = workload.outcomes()
    available = workload.build(problem(**changes))[1].available
    assert available.any(axis=0).all()
    return dict(zip(table.models, available.argmax(axis=0).tolist(), strict=True))


def test_orders(data):
    # One model fills the single slot; the others come at 33 and 66, so at update points 40 and 70.
    weakest_first = Recorded(data=data, arrival_order="score")
    assert first_stage(weakest_first) == {"bad": 0, "fair": 4, "good": 7}
    assert first_stage(Recorded(data=data, initial_models=1)) == first_stage(weakest_first)
    assert first_stage(Recorded(data=data)) == {"bad": 0, "fair": 0, "good": 0}
    by_column = Recorded(data=data, arrival_order="column")
    assert first_stage(by_column) == {"good": 0, "bad": 4, "fair": 7}
    named = Recorded(data=data, arrival_order=("fair", "good", "bad"), arrival_interval=20)
    assert first_stage(named) == {"fair": 0, "good": 2, "bad": 4}
    assert first_stage(Recorded(data=data, initial_models=3)) == {"good": 0, "bad": 0, "fair": 0}


def test_dates(data, dates):
    # From 03-01 to 03-31, mapped to 2/3 of the horizon: 03-11 is a third of it, query 22.
    dated = Recorded(data=data, models=dates)
    assert first_stage(dated) == {"good": 0, "fair": 3, "bad": 7}
    assert first_stage(Recorded(data=data, models=dates, arrival_order="date")) == first_stage(
        dated
    )
    regular = Recorded(data=data, models=dates, arrival_interval=40)
    assert first_stage(regular) == {"good": 0, "fair": 4, "bad": 8}


def test_withdrawals(data, tmp_path):
    path = tmp_path / "models.csv"
    path.write_text(
        "model,date,withdrawal_date\ngood,2025-01-01,2025-02-10\n"
        "fair,2025-01-11,\nbad,2025-01-21,2025-01-31\n"
    )
    available = Recorded(data=data, models=str(path)).build(problem())[1].available
    # Four days after the first, the last of which is 4/5 of the horizon: ten days are 20 queries.
    assert available[:, 0].tolist() == [True] * 8 + [False] * 2
    assert available[:, 2].tolist() == [False] * 2 + [True] * 8
    assert available[:, 1].tolist() == [False] * 4 + [True] * 2 + [False] * 4
    path.write_text("model,date,withdrawal_date\ngood,2025-01-01,2025-01-01\n")
    with pytest.raises(FieldError, match=r"withdrawal_date of 'good' = .*a day after 2025-01-01"):
        Recorded(data=data, models=str(path)).build(problem())


@pytest.fixture
def openrouter(tmp_path) -> str:
    path = tmp_path / "models.json"
    entries = [
        ("good", 1735689600, "0.000004", "2026-01-01"),
        ("bad", 1738368000, "0.000001", None),
        ("fair", 1740787200, "-1", None),
    ]
    listed = [
        {
            "id": name,
            "created": created,
            "pricing": {"prompt": price, "completion": price},
            "expiration_date": gone,
        }
        for name, created, price, gone in entries
    ]
    path.write_text(json.dumps({"data": listed}))
    return str(path)


def test_a_price_list_is_a_calendar_and_known_in_advance(data, openrouter):
    workload = Recorded(data=data, models=openrouter, prices=openrouter)
    table, schedule = workload.build(problem())
    np.testing.assert_allclose(table.list_price, [230 * 4e-6, 230 * 1e-6, 0.0])
    assert schedule.available[0].tolist() == [True, False, False]
    assert schedule.available[-1].tolist() == [False, True, True]
    notes = workload.notes(problem())
    assert notes[0] == "list prices are those of 200 prompt and 30 completion tokens"
    assert notes[1].startswith("no list price: fair: a positive price")
    elsewhere = dataclasses.replace(workload, price_of=("fair=bad",))
    np.testing.assert_allclose(elsewhere.outcomes().list_price[2], 230 * 1e-6)
    for pair, message in (("fare=bad", "price_of = 'fare'"), ("fair=bed", "price of 'fair' = 'be")):
        with pytest.raises(FieldError, match=message):
            dataclasses.replace(workload, price_of=(pair,)).outcomes()
    with pytest.raises(FieldError, match="price_of = 'fair': expected MODEL=NAME"):
        Recorded(data=data, price_of="fair")


def test_a_price_list_with_other_names_is_a_calendar_too(data, openrouter):
    other = Path(openrouter)
    other.write_text(other.read_text().replace('"id": "', '"id": "grove/'))
    workload = Recorded(data=data, models=openrouter)
    with pytest.raises(FieldError, match=r"models: models = .* --price-of 'fair=grove/fair'"):
        workload.build(problem())
    named = dataclasses.replace(
        workload, price_of=tuple(f"{name}=grove/{name}" for name in ("good", "fair", "bad"))
    )
    assert named.build(problem())[1].available[0].tolist() == [True, False, False]


def test_pool_satisfies_the_throughput(data):
    weak = Recorded(data=data, arrival_order="score")
    assert first_stage(weak, max_deployed=2, throughput=0.5) == {
        "bad": 0,
        "fair": 0,
        "good": 5,
    }
    assert first_stage(weak, max_deployed=2, throughput=[0.9, 0.05, 0.1]) == {
        "bad": 0,
        "fair": 0,
        "good": 0,
    }


def test_many_tasks(tmp_path):
    path = tmp_path / "tasks.csv"
    tasks = [f"t{place:02}" for place in range(40)] + [f"t{place:02}" for place in range(8, 40)]
    rows = [f"q{place},{task},1,1" for place, task in enumerate(tasks)]
    path.write_text("\n".join(["query_id,task,score:m,cost:m", *rows]))
    table = Recorded(data=str(path), features="task").outcomes()
    assert table.features.shape == (72, 33)
    assert table.features[:8, 32].all()
    assert table.features[8].argmax() == 0
    assert (table.features.sum(axis=1) == 1).all()
    assert table.features[:, 32].sum() == 8
    families = [f"{row},{place % 2}" for place, row in enumerate(rows)]
    path.write_text("\n".join(["query_id,task,score:m,cost:m,family", *families]))
    assert Recorded(data=str(path), features="task").outcomes().features.shape == (72, 2)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data": 3}, "data = 3: expected a path"),
        ({"models": 3}, "models = 3: expected a path"),
        ({"arrival_order": "dates"}, "arrival_order = 'dates': expected 'date'"),
        ({"arrival_order": "date"}, "models = None: expected a release list"),
        ({"arrival_order": "score", "models": "m.csv"}, "models = 'm.csv': expected None, unless"),
        ({"initial_models": 0}, "initial_models = 0"),
        ({"arrival_interval": 1.5}, "arrival_interval = 1.5"),
        ({"features": "family"}, "features = 'family'"),
    ],
)
def test_bad_fields(fields, message):
    with pytest.raises(FieldError, match=message):
        Recorded(**({"data": "outcomes.csv"} | fields))


def test_bad_table_and_schedule(data):
    with pytest.raises(FieldError, match=r"data = 'absent.csv': expected an existing file"):
        Recorded(data="absent.csv").outcomes()
    with pytest.raises(FieldError, match=r"initial_models = 4: .*at most 3"):
        Recorded(data=data, initial_models=4).build(problem())
    with pytest.raises(FieldError, match="arrival_order = 'god': expected 'good'"):
        Recorded(data=data, arrival_order=["god", "bad"]).build(problem())
    with pytest.raises(FieldError, match="throughput"):
        Recorded(data=data, arrival_order="score").build(problem(throughput=[0.5, 0.5]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,date\ngood,2025-01-01\n", "column model = None"),
        ("model,day\ngood,2025-01-01\n", "columns = .*one of leaderboard_date, release_date, date"),
        ("model,date\ngood,2025-01\nbad,2025-01-01\n", "date of 'good' = '2025-01': .*YYYY-MM-DD"),
        ("model,date\ngood,\nbad,2025-01-01\n", "date of 'good' = None"),
        ("model,date\ngood,2025-01-01\ngood,2025-01-02\n", "model = 'good': .*only once"),
        ("model,date\ngood,2025-01-01\nbad,2025-01-01\n", "model without a date = 'fair'"),
        ("model,date\ngood,2025-01-01\nbad,2025-01-01\nfaire,2025-01-01\n", "'faire', the nearest"),
        ("", "models = .*not empty"),
    ],
)
def test_bad_release_lists(data, tmp_path, text, message):
    models = tmp_path / "models.csv"
    models.write_text(text)
    workload = Recorded(data=data, models=str(models))
    with pytest.raises(FieldError, match=message):
        workload.build(problem())


def test_fields_are_json_native(data):
    workload = Recorded(data=data, arrival_order=("fair", "good", "bad"))
    assert Recorded(**json.loads(json.dumps(vars(workload)))) == workload


@pytest.mark.parametrize("name", FILES)
def test_every_recorded_file(shared_data, name):
    file = shared_data / name / "queries.parquet"
    if not file.is_file():
        pytest.skip(f"{name} is not among the recorded outcomes on this machine")
    workload = Recorded(data=str(file), features="task")
    table = workload.outcomes()
    assert (table.num_queries, table.num_models, table.features.shape[1]) == FILES[name]
    assert (table.cost > 0).all()
    frame = pl.read_parquet(file)
    assert table.models == tuple(c[6:] for c in frame.columns if c.startswith("score:"))
    weight = frame["weight"].to_numpy() if "weight" in frame.columns else np.ones(len(frame))
    for model, mean in zip(table.models, table.mean_score(), strict=True):
        assert mean == pytest.approx(np.average(frame[f"score:{model}"], weights=weight), abs=1e-6)
    arriving = Recorded(data=str(file), arrival_order="score")
    schedule = arriving.build(problem(horizon=20_000, num_stages=27, max_deployed=3))[1]
    assert schedule.available[0].sum() == 3
    assert schedule.available[-1].all()


def test_swebench_by_date(shared_data):
    folder = shared_data / "swebench_bash_only"
    workload = Recorded(data=str(folder / "queries.parquet"), models=str(folder / "models.csv"))
    table = workload.outcomes()
    schedule = workload.build(problem(horizon=5000, num_stages=50, max_deployed=5))[1]
    there = [table.models[m] for m in np.flatnonzero(schedule.available[0])]
    assert there == [
        "llama-4-maverick-instruct",
        "claude-4-sonnet-20250514",
        "gemini-2.5-pro",
        "o3-20250416",
        "o4-mini-20250416",
    ]
    first = dict(zip(table.models, schedule.available.argmax(axis=0).tolist(), strict=True))
    # From 07-26 to 12-09 are 136 days, the last of 10 later dates at 10/11 of 5,000.
    assert first["Qwen3-Coder-480B-A35B-Instruct"] == np.ceil(7 / 136 * 10 / 11 * 50)
    assert first["gpt-5-2025-08-07"] == first["gpt-oss-120b"]
    assert first["devstral-2512"] == first["devstral-small-2512"] == 46
    four = Recorded(
        data=workload.data, models=workload.models, initial_models=2, features="none"
    ).build(problem(horizon=5000, num_stages=50, max_deployed=5))[1]
    # Four models share the second date.
    assert four.available[0].sum() == 5
