"""The claims of the paper, each with the rule that decides whether the results agree.

A rule gets the summaries of the parts that its claim names and decides from their figures alone;
what it asks for stands in its constants and in the words that it returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stageroute_gym.evaluation.tuned import SUFFIX
from stageroute_gym.reproduction.claims import Claim, Finding, judged, untested
from stageroute_gym.reproduction.judging_theory import CLAIMS as THEORY_CLAIMS

Summary = Mapping[str, Any]
Row = Mapping[str, Any]

STAGEROUTE = "stageroute"
# Who tracks an oracle reaches this share of its score, the interval over seeds included, ...
TRACKS = 0.95
# ... and spends no more than this share of the budget, in the median over seeds.
WITHIN = 1.01
# Budgets up to this multiple of the tightest one count as tight.
TIGHT = 2.0
# Share of seeds in which a better newcomer has to be adopted.
ADOPTED = 0.9
SIMPLE = ("greedy-ratio", "greedy-price", "uniform")


def tracks_oracle(regret: Summary, variants: Summary) -> Finding:
    """Whether StageRoute tracks the stage oracle at the tight budgets, under both budget rules."""
    rows = [row for row in regret["rows"] if row["entry"] == STAGEROUTE]
    if len({row["rule"] for row in rows}) < 2:
        return untested("one budget rule did not run")
    tightest = min(row["budget"] for row in rows)
    tight = [row for row in rows if row["budget"] <= TIGHT * tightest]
    failing = [row for row in tight if not _tracks(row)]
    enough = _from_budget(rows)
    words = [
        "; ".join(
            f"{_usd(row['budget'])}, {row['rule']}: {row['stage']['mean']:.3f} of the stage "
            f"oracle's score for {row['spend']['median']:.2f} of the budget"
            for row in tight
        ),
        f"it does under both rules {enough}",
        _variants_that_track(variants["rows"]),
    ]
    asked = f"at least {TRACKS:g} of it, interval included, for at most {WITHIN:g} of b"
    measured = ". ".join(f"{line[0].upper()}{line[1:]}" for line in words) + "."
    reached = ", ".join(
        f"{row['stage']['mean']:.3f} for {row['spend']['median']:.2f} of the budget ({row['rule']})"
        for row in tight
        if row["budget"] == tightest
    )
    short = (
        f"of the stage oracle's score at {_usd(tightest)}: {reached}; asked {TRACKS:g} for "
        f"{WITHIN:g}"
    )
    return judged(measured, short, asked, agrees=not failing)


def keeps_budget(regret: Summary) -> Finding:
    """Whether StageRoute keeps the budget on average, where nothing ends an episode."""
    rows = [row for row in regret["rows"] if row["entry"] == STAGEROUTE and row["rule"] == "soft"]
    if not rows:
        return untested("the rule soft did not run")
    spends = ", ".join(
        f"{row['spend']['median']:.2f} ({row['spend']['minimum']:.2f} to "
        f"{row['spend']['maximum']:.2f}) at {_usd(row['budget'])}"
        for row in rows
    )
    medians = [row["spend"]["median"] for row in rows]
    measured = f"Spend / budget under the rule soft, median and range over seeds: {spends}."
    short = f"spend / budget {_range(medians, 2)} by budget (soft); asked at most {WITHIN:g}"
    asked = f"at most {WITHIN:g} in the median, at each budget"
    return judged(measured, short, asked, agrees=max(medians) <= WITHIN)


def beats_simple(regret: Summary) -> Finding:
    """Whether StageRoute is behind no simple baseline at any budget, under the rule hard."""
    rows = [row for row in regret["ahead"] if row["rule"] == "hard" and row["entry"] in SIMPLE]
    absent = [entry for entry in SIMPLE if entry not in {row["entry"] for row in rows}]
    if absent:
        return untested(f"{', '.join(absent)} did not run under the rule hard")
    words, brief, behind = [], [], False
    for entry in SIMPLE:
        found = [row["ahead"] for row in rows if row["entry"] == entry]
        counts = _sides(found)
        behind = behind or counts["behind"] > 0 or counts["ahead"] == 0
        means = ", ".join(f"{value['mean']:+.3f}" for value in found)
        words.append(
            f"{entry}: ahead at {counts['ahead']}, not to be told apart at {counts['even']}, "
            f"behind at {counts['behind']} budgets ({means})"
        )
        lost = f" (behind at {counts['behind']})" if counts["behind"] else ""
        brief.append(f"{entry} at {counts['ahead']} of {len(found)}{lost}")
    asked = "by score / horizon oracle, paired by seed, rule hard; ahead somewhere, behind nowhere"
    short = f"ahead of {', '.join(brief)} budgets (hard)"
    return judged("; ".join(words) + ".", short, asked, agrees=not behind)


def near_optimum(regret: Summary) -> Finding:
    """Whether StageRoute comes near the stage oracle at every budget, and who is ahead of it."""
    rows = [row for row in regret["rows"] if row["entry"] == STAGEROUTE and row["rule"] == "hard"]
    if not rows:
        return untested("the rule hard did not run")
    kinds = {row["entry"]: row["kind"] for row in regret["rows"]}
    words = []
    for entry, kind in kinds.items():
        mine = (row for row in regret["ahead"] if row["rule"] == "hard" and row["entry"] == entry)
        found = [row["ahead"] for row in mine]
        behind = _sides(found)["behind"]
        if kind != "reference" and behind:
            words.append(f"{entry} at {behind} of {len(found)}")
    scores = ", ".join(f"{row['stage']['mean']:.3f}" for row in rows)
    measured = (
        f"Score / stage oracle by budget, rule hard: {scores}. Ahead of it by paired intervals at "
        f"budgets: {'; '.join(words) if words else 'nobody'}."
    )
    asked = f"at least {TRACKS:g} at each budget, interval included, for at most {WITHIN:g} of it"
    reached = _range([row["stage"]["mean"] for row in rows], 3)
    short = f"{reached} of the stage oracle's score by budget (hard); asked {TRACKS:g}"
    return judged(measured, short, asked, agrees=all(map(_tracks, rows)))


def adopts(newcomers: Summary) -> Finding:
    """Whether StageRoute adopts a better newcomer in nearly all seeds, whatever the setting."""
    rows = [row for row in newcomers["rows"] if row["entry"] == STAGEROUTE]
    if not rows:
        return untested(f"{STAGEROUTE} did not run")
    worst = min(rows, key=lambda row: row["adopted"])
    names = {"max_deployed": "M_max", "num_stages": "K", "quality": "quality"}
    ordered = sorted(rows, key=lambda row: row["value"])
    delays = "; ".join(
        f"{name}: {', '.join(_delay(row) for row in ordered if row['factor'] == factor)}"
        for factor, name in names.items()
    )
    measured = (
        f"Adopted in {worst['adopted']:.0%} of the seeds or more; each setting with the "
        f"median of stages until then: {delays}."
    )
    asked = f"{ADOPTED:.0%} of the seeds in every setting"
    short = f"adopted in {worst['adopted']:.0%} of the seeds or more; asked {ADOPTED:.0%}"
    return judged(measured, short, asked, agrees=worst["adopted"] >= ADOPTED)


def diverse(ranks: Summary) -> Finding:
    """Whether StageRoute comes near the best plan on all scenarios of the suite."""
    row = next((each for each in ranks["entries"] if each["entry"] == STAGEROUTE), None)
    if row is None:
        return untested(f"{STAGEROUTE} did not run")
    scores = {name: row["on"][name]["score"] for name in ranks["scenarios"]}
    near = [name for name, score in scores.items() if score >= TRACKS]
    worst = min(scores, key=lambda name: scores[name])
    low, high = row["ranks"]
    rank = f"rank {low} to {high} of {sum(e['ranks'] is not None for e in ranks['entries'])}"
    measured = (
        f"On {len(near)} of {len(scores)} scenarios of suite {ranks['suite']} at least "
        f"{TRACKS:g} of the horizon oracle's score; worst {scores[worst]:.3f} ({worst}); overall "
        f"{rank}."
    )
    short = f"{TRACKS:g} of the best plan on {len(near)} of {len(scores)} scenarios; {rank}"
    asked = f"{TRACKS:g} on each; half of the scenarios change in ways the paper has not"
    return judged(measured, short, asked, agrees=len(near) == len(scores))


def figures() -> Finding:
    """The paper's own curves."""
    return untested(
        "K, M_max, b, alpha, arrivals and Greedy's formula are not public, nor the code"
    )


CLAIMS = (
    Claim(
        "StageRoute tracks a strong oracle under tight budgets",
        ("regret", "variants"),
        tracks_oracle,
    ),
    Claim("Its routing keeps the average cost within the budget", ("regret",), keeps_budget),
    Claim("It beats Greedy (both readings) and Uniform", ("regret",), beats_simple),
    Claim(
        "It performs close to the optimum in practical settings (first version's abstract)",
        ("regret",),
        near_optimum,
    ),
    Claim("It does so across diverse workloads", ("ranks",), diverse),
    Claim("It takes up better models as they arrive", ("newcomers",), adopts),
    *THEORY_CLAIMS,
    Claim("The values of its figures", (), figures),
)


def _tracks(row: Row) -> bool:
    low = row["stage"]["low"]
    reached = row["stage"]["mean"] if low is None else low
    return bool(reached >= TRACKS and row["spend"]["median"] <= WITHIN)


def _from_budget(rows: Sequence[Row]) -> str:
    """From which budget on it tracks under every rule."""
    enough = None
    for budget in sorted({row["budget"] for row in rows}, reverse=True):
        if not all(_tracks(row) for row in rows if row["budget"] == budget):
            break
        enough = budget
    return "at no budget" if enough is None else f"from {_usd(enough)} on"


def _variants_that_track(rows: Sequence[Row]) -> str:
    """Which of the open choices make it track at the tightest budget there."""
    tightest = min(row["budget"] for row in rows)
    own = (STAGEROUTE, f"{STAGEROUTE}{SUFFIX}")
    mine = [row for row in rows if row["budget"] == tightest and row["agent"] in own]
    if not mine:
        return f"no {STAGEROUTE} ran in the part variants"
    tracking = [row["entry"] for row in mine if _tracks(row)]
    best = max(mine, key=lambda row: row["stage"]["mean"])
    shown = f"best: {best['entry']}, {best['stage']['mean']:.3f}"
    number = f"of {len(mine)} StageRoutes of the part variants at {_usd(tightest)} (hard)"
    return f"{number} it is true of {', '.join(tracking) if tracking else 'none'} ({shown})"


def _sides(found: Sequence[Mapping[str, float | None]]) -> dict[str, int]:
    """How many intervals lie above 0, around it and below."""
    lows = [value["low"] if value["low"] is not None else value["mean"] for value in found]
    highs = [value["high"] if value["high"] is not None else value["mean"] for value in found]
    ahead = sum(low is not None and low > 0 for low in lows)
    behind = sum(high is not None and high < 0 for high in highs)
    return {"ahead": ahead, "even": len(found) - ahead - behind, "behind": behind}


def _delay(row: Row) -> str:
    """A value of a factor, and the median stages until the adoption there."""
    median = row["delay"]["median"]
    return f"{row['value']:g} ({'never' if median is None else f'{median:g}'})"


def _range(values: Sequence[float], digits: int) -> str:
    """The smallest and the largest value."""
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


def _usd(budget: float) -> str:
    return f"{budget * 1000:.4g} USD for 1,000"
