"""Every wrong input of a user ends with one line on stderr and exit code 2, before any work."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Stageroute

HEADER = "query_id,task,score:a,cost:a\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["--budget", "0"],
            "budget = 0: expected a finite number of USD per query of",
        ),
        (["--budget=-1e-4"], "budget = -0.0001: expected a finite number of USD per query"),
        (["--budget", "nan"], "budget = nan: expected a finite number of USD per query"),
        (["--budget", "inf"], "budget = inf: expected a finite number of USD per query"),
        (["--budget", "cheap"], "budget = 'cheap': expected a finite number of USD per query"),
        (["--horizon", "10", "--num-stages", "11"], "num_stages = 11: expected at most"),
        (["--horizon", "0"], "horizon = 0: expected a whole number of queries of at least 1"),
        (["--horizon", "10.5"], "horizon = 10.5: expected a whole number"),
        (["--stage-starts", "0,5,3"], "stage_starts"),
        (["--throughput", "0"], "throughput = 0: expected a share of 1e-09 to 1"),
        (["--throughput", "1.1"], "throughput = 1.1: expected a share of 1e-09 to 1"),
        (["--throughput", "0.5,0.5"], "throughput"),
        (["--budget-rule", "harsh"], "budget_rule = 'harsh': expected 'hard' or 'soft'"),
        (["--max-deployed", "0"], "max_deployed = 0"),
        (["--burst", "0.5"], "burst = 0.5"),
        (["--deployment-cost=-1"], "deployment_cost = -1"),
        (["--feedback-delay=-1"], "feedback_delay = -1"),
        (["--scenario", "routerbensh"], "'routerbench', the nearest name"),
        (["--agents", "players:Evn"], "'Even', the nearest name"),
        (["--agents", "stagerout"], "'stageroute', the nearest name"),
        (["--suite", "quik"], "'quick', the nearest name"),
        (["--suite", "quick", "--scenario", "paper"], "either a suite or scenarios"),
        (["--seeds", "0"], "seeds = '0'"),
        (["--seeds", "5:5"], "seeds = '5:5'"),
        (["--seeds", "1,x"], "seeds = '1,x'"),
        (["--seeds", "3,3"], "seeds = 3"),
        (["--env-id", "StageRoute-v1"], "'StageRoute-v0', the nearest name"),
        (["--jobs", "0"], "jobs = 0"),
        (["--set", "featurs=task"], "'features', the nearest name"),
        (["--set", "features"], "set = 'features': expected name=value"),
        (["--set", "budget=1", "--budget", "2"], "--budget is given"),
        (["--data", "x.csv"], "data = 'x.csv': expected a scenario that reads it"),
        (["--scenario", "recorded"], "data = ''"),
        (["--scenario", "recorded", "--data", "x.csv"], "data = 'x.csv': expected an existing"),
        (["--scenario", "recorded", "--data", "x.pkl"], "data = 'x.pkl'"),
        (["--resume", "--overwrite"], "not both"),
        (["--resume"], "a leaderboard to resume"),
        (["--out", ""], "out = ''"),
        (["--seeds", "0:1000000000000"], "seeds = range(0, 1000000000000)"),
        (["--seeds", "9" * 5000], "seeds = '999"),
        (["--patience", "0"], "patience = 0.0"),
        (["--agents", "os:path"], "agent = 'os:path': expected a class or function"),
        (["--agents", "os:getcwd"], "agent = 'os:getcwd': expected a class or function"),
        (["--agents", "players:Even(share=0.1"], "with brackets and quotes closed"),
        (["--agents", "players:Even(0.1)"], "each parameter with its name"),
        (["--agents", "players:Even(share=x)"], "for share"),
        (["--agents", "players:Even(share=0.1, share=0.2)"], "each parameter once"),
        (["--agents", "players:Even(shar=0.1)"], "'share', the nearest name"),
        (["--agents", "stageroute(gamma=-1)"], "gamma"),
        (["--agents", "a=players:Even,a=players:Dear"], "a label given only once"),
    ],
)
def test_wrong_arguments_of_the_leaderboard(
    stageroute: Stageroute, tmp_path: Path, arguments: list[str], expected: str
) -> None:
    if "--agents" not in arguments:
        arguments = [*arguments, "--agents", "players:Even"]
    outcome = stageroute("leaderboard", *arguments)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
    assert expected in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "a file that is not empty"),
        (HEADER, "row"),
        (f"{HEADER}1,t,1.5,0.1\n", "score:a"),
        (f"{HEADER}1,t,0.5,-0.1\n", "cost:a"),
        (f"{HEADER}1,t,0.5,\n", "cost:a"),
        (f"{HEADER}1,t,0.5,0.1\n1,t,0.5,0.1\n", "query_id"),
        ("query_id,task,score:a,csot:a\n1,t,0.5,0.1\n", "cost:a"),
        ("query_id,tsak,score:a,cost:a\n1,t,0.5,0.1\n", "'tsak', the nearest name"),
    ],
)
@pytest.mark.parametrize("command", ["run", "leaderboard", "check"])
def test_wrong_files(stageroute: Stageroute, content: str, expected: str, command: str) -> None:
    Path("data.csv").write_text(content)
    arguments = {
        "run": ["run", "players:Even", "--scenario", "recorded", "--data", "data.csv"],
        "leaderboard": [
            *("leaderboard", "--agents", "players:Even"),
            *("--scenario", "recorded", "--data", "data.csv"),
        ],
        "check": ["data", "check", "data.csv"],
    }[command]
    outcome = stageroute(*arguments)
    assert outcome.code == (1 if command == "check" else 2)
    assert expected in outcome.err
    assert outcome.err.startswith("problem: " if command == "check" else "error: ")
    assert not Path("results").exists()


def test_a_file_that_is_not_what_its_ending_says(stageroute: Stageroute) -> None:
    Path("data.parquet").write_text(f"{HEADER}1,t,0.5,0.1\n")
    outcome = stageroute("run", "players:Even", "--scenario", "recorded", "--data", "data.parquet")
    assert outcome.code == 2
    assert "data = 'data.parquet': expected a Parquet file; this is not one" in outcome.err


def test_run_names_wrong_input_too(stageroute: Stageroute) -> None:
    outcome = stageroute("run", "stagerout")
    assert (outcome.code, outcome.out) == (2, "")
    assert "'stageroute', the nearest name" in outcome.err


def test_a_pickle_is_not_opened_unasked(stageroute: Stageroute) -> None:
    Path("data.pkl").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    outcome = stageroute("data", "convert", "data.pkl", "data.csv")
    assert outcome.code == 2
    assert "--allow-pickle" in outcome.err
    assert "runs code" in outcome.err
    assert not Path("owned").exists()


def test_an_unknown_option_or_command_is_refused(stageroute: Stageroute) -> None:
    assert stageroute("leaderboard", "--bugdet", "1").code == 2
    assert stageroute("leaderbord").code == 2
