"""Verifying a submission: some of its episodes again, and episodes that nobody could prepare for.

What this shows: whether the figures come from the code that was submitted, and whether the suite's
seeds went better than seeds which were drawn after the submission. What it cannot show: an agent
with foreknowledge in its code, such as the models' true means or a way to compute the outcomes from
the seed that it is told. Such an agent plays fresh seeds as well as the suite's; its code has to be
read. Scores, spend and pulls come from the environment's books, which an agent is not handed.
"""

from __future__ import annotations

import math
import platform
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from stageroute_gym.checks import count
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.attempts import Failure, run_trials
from stageroute_gym.evaluation.backends import LocalProcesses
from stageroute_gym.evaluation.clusters import Backend
from stageroute_gym.evaluation.entries import Entry
from stageroute_gym.evaluation.measures import SCORE
from stageroute_gym.evaluation.running import LARGEST_SEED
from stageroute_gym.evaluation.statistics import holm, permutation_p_value
from stageroute_gym.evaluation.submissions import Submission, versions
from stageroute_gym.evaluation.submitted_figures import Difference, differences
from stageroute_gym.evaluation.trials import Trial

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

DEFAULT_SAMPLE = 26
DEFAULT_FRESH = 10
# Its luck with the queries is taken out of the comparison; it plans without looking at outcomes.
CONTROL = "horizon-oracle"
SIGNIFICANT = 0.05
# Beyond what anybody lists in advance.
SMALLEST_FRESH_SEED = 2**62


@dataclass(frozen=True)
class Luck:
    """How the suite's seeds went beside fresh ones.

    Attributes:
        scenario: name of the scenario; None for all together.
        public: mean score / horizon oracle on the suite's seeds, as submitted.
        fresh: mean on the fresh seeds.
        ahead: by how much more the entry was ahead of the control on the suite's seeds than on the
            fresh ones, on average over the scenarios.
        p_value: probability of such a lead or a larger one by chance, by a permutation test within
            scenarios, one-sided.
        corrected: the same, corrected by Holm's method for all that are reported.
    """

    scenario: str | None
    public: float
    fresh: float
    ahead: float
    p_value: float
    corrected: float


@dataclass(frozen=True)
class Verification:
    """What came of verifying a submission.

    Attributes:
        salt: what sample and fresh seeds follow from.
        sampled: number of episodes that were run again.
        fresh: number of fresh seeds a scenario.
        differences: figures of the sample that could not be reproduced.
        failures: where the entry or the control failed.
        luck: all scenarios together, then each; empty without fresh seeds.
        remarks: what else to know.
    """

    salt: int
    sampled: int
    fresh: int
    differences: list[Difference]
    failures: list[Failure]
    luck: list[Luck] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def reproduced(self) -> bool:
        """Whether every figure of the sample came out again."""
        return not self.differences and not self.failures

    @property
    def luckier(self) -> bool:
        """Whether the suite's seeds went better than fresh ones, beyond chance."""
        return any(luck.corrected < SIGNIFICANT for luck in self.luck)


def verify(
    submission: Submission,
    *,
    sample: int = DEFAULT_SAMPLE,
    fresh: int = DEFAULT_FRESH,
    salt: int | None = None,
    backend: Backend | None = None,
) -> Verification:
    """Run a sample of a submission's episodes again, and fresh ones beside them.

    Args:
        submission: the submission.
        sample: number of its episodes to run again, from every scenario alike; all if it has fewer.
        fresh: number of fresh seeds a scenario; 0 for none, else at least 2.
        salt: what sample and fresh seeds follow from; None draws one that nobody knows in advance.
            Given again, it repeats a verification.
        backend: as for `stageroute_gym.evaluation.leaderboard.run_leaderboard`.

    Raises:
        FieldError: if the submitted agent is not here, or is here with other code; nothing has run
            then.
    """
    import polars as pl

    count("sample", sample, 1)
    if count("fresh", fresh, 0) == 1:
        raise FieldError("fresh", fresh, "0, or at least 2 seeds")
    drawn = secrets.randbits(64) if salt is None else count("salt", salt, 0, 2**64 - 1)
    entry = _entry_here(submission)
    scenarios = submission.scenarios
    generator = np.random.default_rng(drawn)
    sampled = _sample(list(scenarios), submission.suite.seeds, sample, generator)
    fresh_seeds = {name: _fresh_seeds(fresh, generator) for name in scenarios}
    trials = [
        Trial(scenario, entry, (*sampled[name], *fresh_seeds[name]))
        for name, scenario in scenarios.items()
        if sampled[name] or fresh
    ]
    if fresh:
        control = Entry.parsed(CONTROL, entry.env_id)
        trials += [
            Trial(scenario, control, (*submission.suite.seeds, *fresh_seeds[name]))
            for name, scenario in scenarios.items()
        ]
    ours: dict[str, pl.DataFrame] = {}
    controls: dict[str, pl.DataFrame] = {}
    stages: dict[str, pl.DataFrame] = {}
    failures = []
    for place, outcome in run_trials(trials, backend or LocalProcesses()):
        name = trials[place].scenario.name
        if isinstance(outcome, Failure):
            failures.append(outcome)
        elif trials[place].entry is entry:
            ours[name], stages[name] = outcome.played.episodes, outcome.played.stages
        else:
            controls[name] = outcome.played.episodes
    missed = []
    for submitted, again, keys in (
        (submission.episodes, ours, ("scenario", "seed")),
        (submission.stages, stages, ("scenario", "seed", "stage")),
    ):
        for name in [name for name in sampled if name in again]:
            rows = again[name].filter(pl.col("seed").is_in(sampled[name]))
            missed += differences(submitted, rows, keys)
    return Verification(
        drawn,
        sum(map(len, sampled.values())),
        fresh,
        missed,
        failures,
        _luck(submission, ours, controls),
        _remarks(submission),
    )


def _entry_here(submission: Submission) -> Entry:
    given = submission.entry
    found = Entry.resolved(
        given["agent"], given["parameters"], label=given["label"], env_id=given["env_id"]
    )
    described = found.to_dict()
    for name in ("fingerprint", "kind", "trained_on"):
        here = described[name]
        if given[name] != here:
            allowed = f"{here!r}, that of agent {found.agent} here: other code than was submitted"
            raise FieldError(f"{name} of the entry", given[name], allowed)
    return found


def _sample(
    names: Sequence[str], seeds: Sequence[int], wanted: int, generator: np.random.Generator
) -> dict[str, list[int]]:
    """Seeds of the episodes to run again, by scenario: as many of each as of any other, or one."""
    shuffled = {name: generator.permutation(np.array(seeds)).tolist() for name in names}
    order = [names[place] for place in generator.permutation(len(names))]
    chosen = [(name, shuffled[name][turn]) for turn in range(len(seeds)) for name in order]
    return {
        name: sorted(seed for other, seed in chosen[:wanted] if other == name) for name in names
    }


def _fresh_seeds(number: int, generator: np.random.Generator) -> list[int]:
    seeds: set[int] = set()
    while len(seeds) < number:
        seeds.add(int(generator.integers(SMALLEST_FRESH_SEED, LARGEST_SEED)))
    return sorted(seeds)


def _luck(
    submission: Submission, ours: dict[str, pl.DataFrame], controls: dict[str, pl.DataFrame]
) -> list[Luck]:
    import polars as pl

    parts: dict[str, tuple[NDArray[np.float64], ...]] = {}
    for name in [name for name in submission.suite.scenarios if name in ours and name in controls]:
        control = _scores(controls[name])
        public = _scores(submission.episodes.filter(pl.col("scenario") == name))
        fresh = _scores(ours[name].filter(pl.col("seed") >= SMALLEST_FRESH_SEED))
        # Where the horizon oracle expects nothing there is no score.
        if None in (*control.values(), *public.values(), *fresh.values()):
            continue
        parts[name] = (
            _array(public),
            _array(fresh),
            _array(public) - _array(control, public),
            _array(fresh) - _array(control, fresh),
        )
    if not parts:
        return []
    groups = [(None, list(parts)), *((name, [name]) for name in parts)]
    values = [
        permutation_p_value([parts[n][2] for n in group], [parts[n][3] for n in group])
        for _, group in groups
    ]
    return [
        Luck(
            name,
            _mean([parts[n][0] for n in group]),
            _mean([parts[n][1] for n in group]),
            _mean([parts[n][2] for n in group]) - _mean([parts[n][3] for n in group]),
            value,
            corrected,
        )
        for (name, group), value, corrected in zip(groups, values, holm(values), strict=True)
    ]


def _scores(episodes: pl.DataFrame) -> dict[int, float | None]:
    return dict(episodes.select("seed", SCORE).rows())


def _array(
    scores: dict[int, float | None], seeds: dict[int, float | None] | None = None
) -> NDArray[np.float64]:
    """The scores in the order of the seeds, of ``seeds`` only if they are given."""
    return np.array([scores[seed] for seed in sorted(scores if seeds is None else seeds)], float)


def _mean(samples: list[NDArray[np.float64]]) -> float:
    """The mean over scenarios of the means over seeds."""
    means = [math.fsum(sample.tolist()) / len(sample) for sample in samples]
    return math.fsum(means) / len(means)


def _remarks(submission: Submission) -> list[str]:
    here = versions()
    remarks = [
        f"submitted with {name} {submission.versions.get(name)}, verified with {value}"
        for name, value in here.items()
        if submission.versions.get(name) != value
    ]
    there, processor = submission.machine.get("processor"), platform.machine()
    if there != processor:
        remarks.append(f"submitted from a {there} processor, verified on {processor}")
    return remarks
