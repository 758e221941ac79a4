"""The verdicts on the paper's theory, from summaries made by hand."""

from __future__ import annotations

from typing import Any

from stageroute_gym.reproduction.judging_theory import (
    PUBLISHED,
    THEORY,
    grows_as_bound,
    nobody_below,
    terms_of_bound,
)


def line(instance: str, rule: str, entry: str, slope: float, **changes: Any) -> dict[str, Any]:
    interval = {"mean": slope, "low": slope - 0.02, "high": slope + 0.02}
    return {
        "instance": instance,
        "rule": rule,
        "entry": entry,
        "hard": instance != "stationary",
        "tail": interval,
        "own": {"mean": 0.1, "low": 0.05, "high": 0.15},
        "end": {"mean": 110.0, "low": 100.0, "high": 120.0},
        "end_horizon": 1000,
        "unavoidable": 0.0 if instance == "noise" else 100.0,
    } | changes


def term(instance: str, factor: str, expected: float, slope: float) -> dict[str, Any]:
    interval = {"mean": slope, "low": slope - 0.02, "high": slope + 0.02}
    return {"instance": instance, "factor": factor, "expected": expected, "slope": interval}


def law(**changes: Any) -> dict[str, Any]:
    lines = [line("stationary", "T^(1/3)", THEORY, 0.4, unavoidable=0.0)]
    for instance in ("late newcomers", "discovery", "noise"):
        lines.append(line(instance, "T^(1/3)", THEORY, 0.66))
        lines.append(line(instance, "T^(1/3)", PUBLISHED, 0.66))
    slopes = {"3": (1.0, 1.0, 0.5), "T^(2/3)": (0.3, 0.3, 0.83)}
    for rule, values in slopes.items():
        names = ("late newcomers", "discovery", "noise")
        lines += [line(n, rule, THEORY, v) for n, v in zip(names, values, strict=True)]
    terms = [
        term("noise", "num_stages", 0.5, 0.505),
        term("discovery", "models", 1.0, 1.1),
    ]
    return {"lines": lines, "others": [], "terms": terms, "tail": 100} | changes


def test_growth_is_judged_with_the_theorys_gamma_and_says_what_the_published_one_does():
    assert grows_as_bound(law()).verdict.startswith("agrees: asked no interval above 2/3")
    faster = line("discovery", "T^(1/3)", PUBLISHED, 0.95)
    found = grows_as_bound(law(lines=[*law()["lines"], faster]))
    assert found.verdict.startswith("agrees: ")
    assert "with 0.1 it is not so on discovery" in found.verdict
    worse = line("discovery", "T^(1/3)", THEORY, 0.95)
    found = grows_as_bound(law(lines=[*law()["lines"], worse]))
    assert found.verdict.startswith("differs")
    assert "above it discovery" in found.verdict


def test_an_agent_below_the_floor_differs():
    assert nobody_below(law()).verdict.startswith("agrees: asked nobody below the floor")
    assert "which waits too, the slope over all T is 0.100 (0.050 to 0.150)" in (
        nobody_below(law()).measured
    )
    below = line("discovery", "T^(1/3)", "magic", 0.66, end={"mean": 50, "low": 40, "high": 60})
    found = nobody_below(law(others=[below]))
    assert found.verdict.startswith("differs")
    assert "magic on discovery" in found.verdict
    slow = line("noise", "T^(1/3)", "slow", 0.5)
    assert "slow on noise" in nobody_below(law(others=[slow])).verdict


def test_terms_need_their_exponents_and_the_cube_root_has_to_be_best():
    found = terms_of_bound(law())
    assert found.verdict.startswith("agrees")
    assert "set after they had been seen" in found.verdict
    assert "its interval holds the bound's in 1 of 2 (noise against K)" in found.measured
    flat = [term("noise", "num_stages", 0.5, 0.1)]
    assert terms_of_bound(law(terms=flat)).verdict.startswith("differs")
    steep = [*law()["lines"], line("noise", "T^(1/3)", THEORY, 0.9)]
    assert terms_of_bound(law(lines=steep)).verdict.startswith("differs")


def test_a_mean_that_has_no_logarithm_leaves_the_claim_untested():
    nothing = line("noise", "T^(1/3)", THEORY, 0.6)
    nothing["tail"] = {"mean": None, "low": None, "high": None}
    found = law(lines=[*law()["lines"], nothing])
    for judge in (grows_as_bound, nobody_below, terms_of_bound):
        assert judge(found).verdict.startswith("could not be tested: a mean regret is not above 0")
    assert nobody_below(law(others=[nothing])).verdict.startswith("agrees")


def test_the_theorys_gamma_has_to_run():
    published = [row for row in law()["lines"] if row["entry"] == PUBLISHED]
    for judge in (grows_as_bound, nobody_below, terms_of_bound):
        found = judge(law(lines=published))
        assert found.verdict == f"could not be tested: {THEORY} did not run"
