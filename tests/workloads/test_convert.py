from __future__ import annotations

import builtins
import importlib
import pickle

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stageroute_gym.errors import FieldError
from stageroute_gym.workloads import convert, read_outcomes

WIDE = pl.DataFrame(
    {
        "query_id": ["q1", "q2"],
        "task": ["law", "maths"],
        "score:a": [0.0, 1.0],
        "cost:a": [1e-4, 2e-4],
        "score:b": [1.0, 0.25],
        "cost:b": [1e-3, 2e-3],
    }
)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.csv"
    WIDE.write_csv(path)
    return path


@st.composite
def outcomes(draw):
    size = draw(st.integers(1, 6))
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=5)
    text = text.filter(lambda name: name == name.strip())
    models = draw(st.lists(text, min_size=1, max_size=4, unique=True))

    def column(values):
        return draw(st.lists(values, min_size=size, max_size=size))

    columns = {
        "query_id": [f"q{place}" for place in range(size)],
        "task": column(st.sampled_from(["law", "maths"])),
    }
    if draw(st.booleans()):
        columns["weight"] = column(st.floats(1e-3, 1e3))
    for model in models:
        columns[f"score:{model}"] = column(st.floats(0, 1))
        columns[f"cost:{model}"] = column(st.floats(0, 10))
    return pl.DataFrame(columns)


@settings(deadline=None, max_examples=40)
@given(outcomes(), st.sampled_from(["csv", "parquet"]), st.sampled_from(["csv", "parquet"]))
def test_wide_to_long_and_back(tmp_path_factory, frame, first, second):
    folder = tmp_path_factory.mktemp("convert")
    source, long, wide = folder / "s.parquet", folder / f"l.{first}", folder / f"w.{second}"
    frame.write_parquet(source)
    convert(source, long, layout="long")
    columns = ["query_id", "task", "weight", "model", "score", "cost"]
    with_weight = "weight" in frame.columns
    raw = pl.read_csv(long) if first == "csv" else pl.read_parquet(long)
    assert raw.columns == [name for name in columns if with_weight or name != "weight"]
    convert(long, wide)
    assert read_outcomes(wide).to_dict(as_series=False) == frame.to_dict(as_series=False)
    assert len(list(folder.iterdir())) == 3


def test_keeps_an_existing_target(source, tmp_path):
    target = tmp_path / "target.parquet"
    target.write_text("precious")
    with pytest.raises(FieldError, match=r"target = .*a new file, or overwrite"):
        convert(source, target)
    assert target.read_text() == "precious"
    convert(source, target, overwrite=True)
    assert read_outcomes(target).equals(WIDE)


def test_leaves_nothing_when_writing_fails(source, tmp_path, monkeypatch):
    target = tmp_path / "target.parquet"
    target.write_text("precious")

    def interrupted(frame, stream, **options):
        stream.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(pl.DataFrame, "write_parquet", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert(source, target, overwrite=True)
    assert target.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.csv", "target.parquet"]


def test_target_is_readable_as_any_new_file(source, tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    convert(source, tmp_path / "target.csv")
    assert (tmp_path / "target.csv").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("target.json", "target = .*ends in .parquet or .csv"),
        ("absent/target.csv", "target = .*existing folder"),
    ],
)
def test_bad_targets(source, tmp_path, target, message):
    with pytest.raises(FieldError, match=message):
        convert(source, tmp_path / target)


def test_bad_sources(source, tmp_path):
    target = tmp_path / "target.parquet"
    with pytest.raises(FieldError, match=r"source = .*an existing file"):
        convert(tmp_path / "absent.csv", target)
    with pytest.raises(FieldError, match="layout = 'broad'"):
        convert(source, target, layout="broad")
    WIDE.with_columns(pl.lit(2.0).alias("score:a")).write_csv(source)
    with pytest.raises(FieldError, match="score:a of query 'q1' = 2"):
        convert(source, target)
    assert not target.exists()


def routerbench():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    return pandas.DataFrame(
        {
            "sample_id": ["mmlu.1", "mbpp.2"],
            "prompt": ["['why?']", "['how?']"],
            "eval_name": ["mmlu", "mbpp"],
            "gpt-4": [1.0, 0.0],
            "claude": pandas.Series([0.25, 1], dtype=object),
            "gpt-4|model_response": ["a", "b"],
            "claude|model_response": ["c", "d"],
            "gpt-4|total_cost": [0.01, 0.02],
            "claude|total_cost": [0.03, 0.04],
            "oracle_model_to_route_to": ["gpt-4", "claude"],
        }
    )


@pytest.mark.parametrize("ending", ["pkl", "pickle"])
def test_pickle(tmp_path, ending):
    source, target = tmp_path / f"routerbench.{ending}", tmp_path / "target.parquet"
    routerbench().to_pickle(source)
    with pytest.warns(UserWarning, match="executes code from the file"):
        done = convert(source, target, allow_pickle=True)
    left = "prompt, gpt-4|model_response, claude|model_response, oracle_model_to_route_to"
    said = f"columns left out: {left}"
    assert done.notes == (said,)
    routerbench().to_csv(tmp_path / "copy.csv", index=False)
    copied = convert(tmp_path / "copy.csv", target, overwrite=True)
    assert copied == convert(
        tmp_path / "copy.csv", target, overwrite=True, source_format="routerbench"
    )
    assert (copied.format, copied.notes) == ("routerbench", (said,))
    with pytest.raises(FieldError, match=r"from = 'routerbench': .*MODEL\|total_cost"):
        convert(target, tmp_path / "x.csv", source_format="routerbench")
    assert read_outcomes(target).to_dict(as_series=False) == {
        "query_id": ["mmlu.1", "mbpp.2"],
        "task": ["mmlu", "mbpp"],
        "score:gpt-4": [1.0, 0.0],
        "score:claude": [0.25, 1.0],
        "cost:gpt-4": [0.01, 0.02],
        "cost:claude": [0.03, 0.04],
    }


class Malicious:
    def __reduce__(self):
        return builtins.exec, ("raise SystemExit('code ran')",)


def test_pickle_is_not_touched_unasked(tmp_path):
    source = tmp_path / "evil.pkl"
    source.write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(FieldError, match="runs code from the file; give --allow-pickle"):
        convert(source, tmp_path / "target.parquet")


@pytest.mark.filterwarnings("ignore:loading the pickle")
def test_bad_pickles(tmp_path):
    frame = routerbench()
    target = tmp_path / "target.parquet"
    with pytest.raises(FieldError, match="an existing file"):
        convert(tmp_path / "absent.pkl", target, allow_pickle=True)
    source = tmp_path / "source.pkl"
    source.write_bytes(b"no pickle")
    with pytest.raises(FieldError, match="a readable pandas pickle: UnpicklingError"):
        convert(source, target, allow_pickle=True)
    source.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(FieldError, match="a pickled DataFrame, not list"):
        convert(source, target, allow_pickle=True)
    frame["gpt-4"] = [None, 1.0]
    frame.to_pickle(source)
    with pytest.raises(FieldError, match=r"score:gpt-4 of query 'mmlu.1' = "):
        convert(source, target, allow_pickle=True)
    frame["gpt-4"] = ["good", 1.0]
    frame.to_pickle(source)
    with pytest.raises(FieldError, match=r"score:gpt-4 of query 'mmlu.1' = 'good'"):
        convert(source, target, allow_pickle=True)
    assert not target.exists()


def test_pickle_without_pandas(tmp_path, monkeypatch):
    source = tmp_path / "source.pkl"
    source.write_bytes(b"x")

    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ImportError, match="pip install pandas"):
        convert(source, tmp_path / "target.csv", allow_pickle=True)
