from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from small_suite import Here, use_small_suite
from test_submissions import scaled

from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.statistics import permutation_p_value
from stageroute_gym.evaluation.submissions import Submission, submit
from stageroute_gym.evaluation.verification import Verification, verify
from stageroute_gym.report.verification_tables import (
    conclusions,
    differences_table,
    luck_table,
)


def submitted(entry: str) -> Submission:
    submission = submit(entry, "small", backend=Here())
    assert isinstance(submission, Submission)
    return submission


def verified(submission: Submission, salt: int = 1, fresh: int = 6) -> Verification:
    return verify(submission, sample=4, fresh=fresh, salt=salt, backend=Here())


@pytest.fixture(autouse=True)
def _suite(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_suite(monkeypatch, seeds=6)


@pytest.mark.slow
@pytest.mark.parametrize("entry", ["players:Even", "players:Dear", "uniform"])
def test_an_honest_submission_comes_out_again(entry: str) -> None:
    submission = submitted(entry)
    found = verified(submission)
    assert found.reproduced
    assert not found.luckier
    assert (found.sampled, found.fresh, found.salt) == (4, 6, 1)
    assert [luck.scenario for luck in found.luck] == [None, "small", "small-drift"]
    assert found.luck[0].public == pytest.approx(
        submission.episodes["score_over_horizon_oracle"].mean()
    )
    assert (
        "every figure of them and of their stages as submitted" in conclusions(submission, found)[0]
    )
    # The salt says it all; another one draws other seeds.
    assert verified(submission) == found
    assert verified(submission, salt=2).luck[0].fresh != found.luck[0].fresh


def test_without_a_salt_nobody_knows_it_in_advance() -> None:
    submission = submitted("players:Even")
    salts = {verify(submission, sample=1, fresh=0, backend=Here()).salt for _ in range(2)}
    assert len(salts) == 2


def test_figures_that_were_made_up_are_named() -> None:
    submission = scaled(submitted("players:Even"), 1.001)
    found = verified(submission, fresh=0)
    assert not found.reproduced
    assert {each.figure for each in found.differences} == {
        "score",
        "score_per_query",
        "score_over_horizon_oracle",
        "score_over_stage_oracle",
    }
    # Four episodes, and those of their stages in which anything was left to spend.
    episodes = [each for each in found.differences if each.stage is None]
    assert len(episodes) == 4 * 4
    assert {(each.scenario, each.seed) for each in found.differences[len(episodes) :]} == {
        (each.scenario, each.seed) for each in episodes
    }
    assert "is" in str(found.differences[0])
    table = differences_table(found)
    assert len(table.rows) == len(found.differences)
    assert f"{len(found.differences)} figures not as submitted" in conclusions(submission, found)[0]
    assert found.luck == []


def test_an_agent_that_knows_the_suites_seeds_by_heart_is_luckier_there() -> None:
    submission = submitted("players:Prepared")
    found = verified(submission)
    # It did play as it said.
    assert found.reproduced
    assert found.luckier
    assert found.luck[0].ahead > 0.1
    assert found.luck[0].corrected < 0.05
    assert luck_table(found).rows[0][0] == "all together"
    assert "seeds were luckier than 6 fresh ones" in conclusions(submission, found)[1]


def test_other_code_than_was_submitted_is_refused() -> None:
    submission = submitted("players:Even")
    for name in ("fingerprint", "kind"):
        other = dataclasses.replace(submission, entry={**submission.entry, name: "other"})
        with pytest.raises(FieldError, match="other code than was submitted") as caught:
            verified(other)
        assert caught.value.field == f"{name} of the entry"


@pytest.mark.parametrize(
    ("given", "field"),
    [({"sample": 0}, "sample"), ({"fresh": 1}, "fresh"), ({"salt": -1}, "salt")],
)
def test_wrong_numbers_are_named(given: dict[str, int], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        verify(submitted("players:Even"), backend=Here(), **given)
    assert caught.value.field == field


def test_other_libraries_and_machines_are_told() -> None:
    submission = submitted("players:Even")
    assert verified(submission, fresh=0).remarks == []
    far = dataclasses.replace(
        submission,
        versions={**submission.versions, "numpy": "2.0"},
        machine={**submission.machine, "processor": "abacus"},
    )
    remarks = verified(far, fresh=0).remarks
    assert len(remarks) == 2
    assert remarks[0].startswith("submitted with numpy 2.0, verified with ")
    assert remarks[1].startswith("submitted from a abacus processor")


def test_the_permutation_test_against_all_arrangements() -> None:
    generator = np.random.default_rng(5)
    first = [generator.random(3) + 0.2, generator.random(2)]
    second = [generator.random(4), generator.random(3)]
    met = sum(a.mean() - b.mean() for a, b in zip(first, second, strict=True))
    parts = []
    for ours, theirs in zip(first, second, strict=True):
        pooled = np.concatenate([ours, theirs])
        chosen = itertools.combinations(range(len(pooled)), len(ours))
        parts.append([pooled[list(c)].mean() - np.delete(pooled, list(c)).mean() for c in chosen])
    sums = [one + other for one, other in itertools.product(*parts)]
    exact = np.mean([value >= met - 1e-12 for value in sums])
    assert permutation_p_value(first, second) == pytest.approx(exact, abs=0.02)
    assert permutation_p_value([np.ones(3)], [np.ones(4)]) == 1.0
    assert permutation_p_value([np.ones(1)], [np.zeros(1)]) == pytest.approx(0.5, abs=0.02)
