"""Every format ranked by one command, as it is and after a conversion."""

from __future__ import annotations

import json
import sys

import pytest
from test_sources import FORMATS, llmrouter, price_list, routerarena

from stageroute_gym import cli, scenarios
from stageroute_gym.advice import TableEvidence, read_material
from stageroute_gym.errors import FieldError

TABLES = {
    "wide.csv": "query_id,task,score:a,cost:a,score:b,cost:b\nq1,t,1,1e-4,0,1e-3\nq2,t,0,1,1,2\n",
    "long.csv": "query_id,task,model,score,cost\nq1,t,a,1,1e-4\nq1,t,b,0,1e-3\n",
    "bench.csv": "sample_id,eval_name,a,a|total_cost,b,b|total_cost\nq1,t,1,1e-4,0.5,1e-3\n",
    "comma.csv": "query_id;task;score:a;cost:a;score:b;cost:b\nq1;t;0,5;0,0001;1;0,001\n",
}


@pytest.fixture
def stageroute(tmp_path, monkeypatch, capsys):
    """Run the command in this process, in an empty folder; what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["stageroute", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        printed = capsys.readouterr()
        assert left.value.code in (0, None), printed.err
        return printed

    return run


def ranked(stageroute, data, *options):
    """What a leaderboard of two agents says on standard error; both are in it."""
    few = ("--agents", "stageroute,uniform", "--seeds", "1", "--horizon", "40", "--num-stages", "2")
    where = ("--scenario", "recorded", "--data", str(data), "--jobs", "1", "--overwrite")
    printed = stageroute("leaderboard", *where, *few, *options)
    assert "stageroute" in printed.out
    assert "uniform" in printed.out
    return printed.err


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_benchmarks_file_is_ranked_by_one_command(stageroute, tmp_path, name):
    make, _, needs_prices = FORMATS[name]
    source = make(tmp_path)
    prices = ("--prices", str(price_list(tmp_path))) if needs_prices else ()
    said = ranked(stageroute, source, *prices)
    assert f"the file is read as {name}" in said
    assert f"the file is read as {name}" in ranked(stageroute, source, *prices, "--from", name)
    stageroute("data", "convert", str(source), "out.parquet", *prices)
    assert "is read as" not in ranked(stageroute, "out.parquet")


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_ranked_by_one_command(stageroute, tmp_path, name):
    (tmp_path / name).write_text(TABLES[name])
    assert ("decimal commas" in ranked(stageroute, name)) == (name == "comma.csv")
    stageroute("data", "convert", name, "out.csv")
    ranked(stageroute, "out.csv")


@pytest.mark.parametrize("name", FORMATS)
def test_a_benchmarks_file_makes_the_world_of_its_conversion(stageroute, tmp_path, name):
    make, _, needs_prices = FORMATS[name]
    source = make(tmp_path)
    prices = str(price_list(tmp_path)) if needs_prices else None
    stageroute(
        "data", "convert", str(source), "out.parquet", *(("--prices", prices) if prices else ())
    )
    direct = scenarios.get("recorded", data=str(source), prices=prices).world().table
    converted = scenarios.get("recorded", data="out.parquet").world().table
    assert direct.models == converted.models
    assert direct.score.tolist() == converted.score.tolist()
    assert direct.cost.tolist() == converted.cost.tolist()
    material = read_material(str(source), prices=prices)
    assert isinstance(material.evidence, TableEvidence)
    assert material.remarks[0] == f"the file is read as {name}"


def test_what_is_lost_is_said_where_the_file_is_read(tmp_path):
    notes = scenarios.get("recorded", data=str(routerarena(tmp_path, failing=[(3, "b")]))).notes()
    assert any("1 answers without score or cost are left out" in note for note in notes)


def test_faults_name_the_option_that_holds_the_file(tmp_path):
    source = str(llmrouter(tmp_path))
    with pytest.raises(FieldError, match=r"prices = None: expected a price list"):
        scenarios.get("recorded", data=source)
    with pytest.raises(FieldError, match="source = 'sprut': expected 'sprout'"):
        scenarios.get("recorded", data=source, source="sprut")
    with pytest.raises(FieldError, match=r"columns = .*none, for a file of outcomes"):
        read_material(source, columns=("cost=spend",))
    broken = tmp_path / "broken.jsonl"
    broken.write_text("no json\n")
    with pytest.raises(FieldError, match=r"data = .*JSON lines"):
        scenarios.get("recorded", data=str(broken))


def test_an_answer_is_priced_anew_when_the_price_list_has_changed(tmp_path):
    source, prices = str(llmrouter(tmp_path)), price_list(tmp_path)
    before = scenarios.get("recorded", data=source, prices=str(prices)).world().table.cost
    listed = {name: {"input_price": 2.0, "output_price": 4.0} for name in "ab"}
    other = tmp_path / "llm_data.json"
    other.write_text(json.dumps(listed))
    after = scenarios.get("recorded", data=source, prices=str(other)).world().table.cost
    assert after[:, 0].tolist() == pytest.approx((2 * before[:, 0]).tolist())
