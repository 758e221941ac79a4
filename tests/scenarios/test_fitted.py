from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stageroute_gym import scenarios
from stageroute_gym.errors import FieldError
from stageroute_gym.oracles import servable_share
from stageroute_gym.scenarios.fitted import MOST_SLOTS

DATA = Path(__file__).parents[1] / "data"
OUTCOMES, MODELS = str(DATA / "outcomes.csv"), str(DATA / "models.csv")


def file_of(folder: Path, costs: list[float]) -> str:
    path = folder / "outcomes.csv"
    names = [f"m{place}" for place in range(len(costs))]
    header = ",".join(f"score:{name},cost:{name}" for name in names)
    cells = ",".join(f"{place / len(costs)},{cost}" for place, cost in enumerate(costs))
    path.write_text(f"query_id,task,{header}\nq,t,{cells}\n")
    return str(path)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 9, 10, 11, 24, 60])
def test_any_number_of_models_makes_a_problem_that_can_be_served(tmp_path, number):
    costs = np.geomspace(1e-5, 1e-2, number).tolist()
    scenario = scenarios.get("recorded", data=file_of(tmp_path, costs))
    problem, world = scenario.problem, scenario.world()
    assert problem.max_deployed == min(MOST_SLOTS, number)
    assert problem.throughput == min(1.0, 2 / problem.max_deployed)
    # Every model is there from the start, and the best can be had for a part of the queries.
    assert world.schedule.available.all()
    assert servable_share(world) == 1.0
    assert float(np.median(costs)) <= problem.budget <= 1.1 * float(np.median(costs))


def test_what_the_user_gives_stays(tmp_path):
    given = {"max_deployed": 1, "budget": 0.5, "throughput": [0.4, 0.6], "horizon": 8}
    data = file_of(tmp_path, [0.1, 0.2])
    scenario = scenarios.get("recorded", **given, data=data)
    assert {name: getattr(scenario.problem, name) for name in given} == given | {
        "throughput": (0.4, 0.6)
    }
    assert scenario.problem.num_stages == 8
    again = scenario.override(budget=0.25)
    assert (again.problem.max_deployed, again.problem.budget) == (1, 0.25)
    assert scenarios.get("recorded", budget=0.5).override(data=data).problem.budget == 0.5
    starts = scenarios.get("recorded", data=data, stage_starts=[0, 4], horizon=8)
    assert starts.problem.stage_starts == (0, 4)


def test_each_default_is_said_with_how_to_change_it():
    scenario = scenarios.get("recorded", data=OUTCOMES, budget=1e-3)
    notes = scenario.notes()
    assert any("max_deployed = 5: 5 at most, of the file's 6 models" in note for note in notes)
    assert any("(--throughput)" in note for note in notes)
    assert not any(note.startswith("budget") for note in notes)
    assert scenarios.get("routerbench").notes() == ()
    assert scenarios.get("recorded").defaults() == {}


def test_free_models_have_a_budget(tmp_path):
    assert scenarios.get("recorded", data=file_of(tmp_path, [0, 0, 0])).problem.budget == 1e-3
    some = scenarios.get("recorded", data=file_of(tmp_path, [0, 0, 0.021]))
    assert some.problem.budget == 0.021


def test_models_arrive_only_by_a_calendar_or_when_asked():
    slots = {"max_deployed": 3, "throughput": 0.7}
    always = scenarios.get("recorded", data=OUTCOMES).world()
    assert always.schedule.available.all()
    dated = scenarios.get("recorded", data=OUTCOMES, models=MODELS, **slots).world()
    # Three slots; two of the first three models share a date, and the others come one by one.
    assert dated.schedule.available.sum(axis=1)[[0, -1]].tolist() == [3, 6]
    asked = scenarios.get("recorded", data=OUTCOMES, arrival_order="column", **slots).world()
    assert asked.schedule.available.sum(axis=1)[[0, -1]].tolist() == [3, 6]


def test_models_that_never_arrive_are_named():
    late = {"initial_models": 2, "arrival_interval": 400, "horizon": 1000}
    (note,) = scenarios.get("recorded", data=OUTCOMES, **late).notes()[-1:]
    assert "never on offer in 1,000 queries: fir-max, gingko-turbo; give a longer" in note
    short = scenarios.get("paper", horizon=8_000)
    assert "never on offer in 8,000 queries: " in short.notes()[0]


def test_dates_without_effect_are_said():
    few = {"data": OUTCOMES, "models": MODELS, "max_deployed": 2, "throughput": 0.3}
    (note,) = scenarios.get("recorded", **few).notes()[-1:]
    assert note.startswith(
        "release dates have no effect: 2 slots carry at most 60% of the queries, so all are there"
    )
    roomy = scenarios.get("recorded", data=OUTCOMES, models=MODELS, max_deployed=6, throughput=1.0)
    assert "no effect: the 6 models fit into the slots" in roomy.notes()[-1]
    assert not any(
        "no effect" in note for note in scenarios.get("recorded", **few, initial_models=2).notes()
    )


def test_a_missing_or_faulty_file_is_named():
    with pytest.raises(FieldError, match=r"data = '': expected the path of a file of outcomes"):
        scenarios.get("recorded").world()
    with pytest.raises(FieldError, match=r"data = 'absent.csv': expected an existing file"):
        scenarios.get("recorded", data="absent.csv")
