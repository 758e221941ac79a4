"""Advice as JSON-native values."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from stageroute_gym.advice.advising import Advice, Measured
from stageroute_gym.advice.log_report import LogReport
from stageroute_gym.advice.plans import Plan
from stageroute_gym.advice.resampling import CONFIDENCE, Interval
from stageroute_gym.advice.variations import Variation


def advice_dict(
    advice: Advice, log: LogReport | None = None, ranked: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The advice as JSON-native values; costs in USD a query, intervals by name.

    Args:
        advice: the advice.
        log: what the log can tell that it is from; None where it is from no log.
        ranked: what `stageroute_gym.advice.learning.rank_agents` returned; None without it.

    Returns:
        ``data`` (what it rests on), ``limits``, ``chosen`` (what was left open), ``service``,
        ``plan`` (models, shares, by group), ``measured`` by plan, ``ahead_of_blind``, ``sets``,
        ``prices``, ``without``, ``singles``, ``frontier``; with a log
        ``log``, with agents ranked ``agents``. A value that does not exist is null.
    """
    content = _content(advice)
    if log is not None:
        content["log"] = _log(advice, log)
    if ranked is not None:
        content["agents"] = ranked
    return content


def _content(advice: Advice) -> dict[str, Any]:
    limits, evidence = advice.limits, advice.evidence
    names = evidence.models
    return {
        "data": {
            "source": advice.source,
            "queries": evidence.num_queries,
            "models": list(names),
            "groups": dict(zip(evidence.groups, advice.cells.weight.tolist(), strict=True))
            if advice.by_group
            else {},
        },
        "limits": {
            "budget": _number(limits.budget),
            "max_deployed": limits.max_deployed,
            "throughput": dict(zip(names, limits.throughput.tolist(), strict=True)),
            "min_score": limits.min_score,
        },
        "chosen": list(advice.chosen),
        "service": {
            "all_served": not limits.decline,
            "most_served": advice.most_served,
            "budget_for_all": None if advice.least is None else advice.least.worth.cost,
        },
        "plan": {
            **_plan(advice.plan, names),
            "price": advice.plan.price,
            "by_group": [
                {
                    "group": group,
                    "queries": float(advice.cells.weight[g]),
                    "shares": _shares(advice.plan.shares[g].tolist(), names),
                }
                for g, group in enumerate(evidence.groups)
            ]
            if advice.by_group
            else [],
        },
        "blind": _plan(advice.blind, names),
        "measured": {name: _measured(value) for name, value in advice.measured.items()},
        "confidence": CONFIDENCE,
        "ahead_of_blind": _interval(advice.ahead_of_blind),
        "resamples": advice.resamples,
        "sets": [{"models": [names[m] for m in s], "share": share} for s, share in advice.sets],
        "prices": [_variation(step, names) for step in advice.prices],
        "without": [_variation(step, names) for step in advice.without],
        "singles": [
            {
                "model": single.model,
                "score": _interval(single.score),
                "cost": _interval(single.cost),
                "ahead": _interval(single.ahead),
                "allowed": single.allowed,
            }
            for single in advice.singles
        ],
        "frontier": [{"budget": budget, **_plan(plan, names)} for budget, plan in advice.frontier],
    }


def _log(advice: Advice, log: LogReport) -> dict[str, Any]:
    names, groups = advice.evidence.models, advice.evidence.groups
    return {
        "today": {
            "score": _interval(log.today_score),
            "cost": _interval(log.today_cost),
            "shares": _shares(log.today_shares.tolist(), names),
        },
        "coverage": {
            group: dict(zip(names, row, strict=True))
            for group, row in zip(groups, log.counts.tolist(), strict=True)
        },
        "unscored": [[groups[group], names[model]] for group, model in log.unscored],
        "propensity": "estimated" if log.estimated else "logged",
        "policies": {name: _finite(asdict(policy)) for name, policy in log.policies.items()},
        "assumptions": list(log.assumptions),
    }


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return _number(value) if isinstance(value, float) else value


def _plan(plan: Plan, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "models": [names[model] for model in plan.models],
        "shares": _shares(plan.mix.tolist(), names),
        "score": plan.worth.score,
        "cost": plan.worth.cost,
        "served": plan.worth.served,
    }


def _shares(shares: list[float], names: tuple[str, ...]) -> dict[str, float]:
    return {name: share for name, share in zip(names, shares, strict=True) if share > 0.0}


def _measured(value: Measured) -> dict[str, Any]:
    return {
        "score": _interval(value.score),
        "cost": _interval(value.cost),
        "held_out_score": _interval(value.held_out_score),
        "held_out_cost": _interval(value.held_out_cost),
        "served": value.served,
    }


def _variation(step: Variation, names: tuple[str, ...]) -> dict[str, Any]:
    plan = None if step.plan is None else _plan(step.plan, names)
    return {"change": step.change, "gain": step.gain, "plan": plan}


def _interval(interval: Interval) -> dict[str, float | None]:
    return {
        "value": _number(interval.value),
        "low": _number(interval.low),
        "high": _number(interval.high),
    }


def _number(value: float) -> float | None:
    """A number that JSON can hold."""
    return value if math.isfinite(value) else None
