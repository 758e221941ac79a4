"""Finding scenarios: registered ones, those of other packages, ``module:NAME``, and objects."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from typing import Any

from stageroute_gym import plugins
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.scenarios.catalogue import CATALOGUE
from stageroute_gym.scenarios.scenario import Scenario
from stageroute_gym.scenarios.worlds import WorldsScenario

GROUP = "stageroute.scenarios"

_registered: dict[str, Scenario] = {scenario.name: scenario for scenario in CATALOGUE}


def register(scenario: Scenario) -> None:
    """Make a scenario known by its name in this process.

    A process that is started afresh does not know it: hand it the `Scenario` itself, write
    ``module:NAME``, or name it in the entry-point group ``stageroute.scenarios``.

    Args:
        scenario: the scenario.

    Raises:
        FieldError: if it is none, cannot be written as JSON, or its name belongs to another one.
    """
    if not isinstance(scenario, Scenario):
        raise FieldError("scenario", scenario, "a stageroute_gym.scenarios.Scenario")
    scenario.check_json()
    name = scenario.name
    if not re.fullmatch(r"[\w.-]+", name):
        allowed = "letters, digits, and the signs - _ ., since commas and colons part names"
        raise FieldError("name of the scenario", name, allowed)
    taken = _registered.get(name) or _world_of_family(name)
    if taken not in (None, scenario) or name in plugins.installed(GROUP):
        raise FieldError("name of the scenario", name, "a name that no other scenario has")
    _registered[name] = scenario


def names() -> list[str]:
    """Names of all scenarios: this project's, registered ones, and those of other packages."""
    return [*_registered, *sorted(set(plugins.installed(GROUP)) - set(_registered))]


def get(name: str | Scenario, **overrides: Any) -> Scenario:
    """A scenario, overridden.

    Args:
        name: one of `names()`; ``worlds-tune-17`` for a world of a family by its number;
            ``module:NAME`` for a scenario in a module; or a scenario itself.
        overrides: fields of `stageroute_gym.problem.Problem`, and options of the workload.

    Raises:
        FieldError: if there is no such scenario or argument, or a value is not allowed.
    """
    if isinstance(name, Scenario):
        return name.override(**overrides)
    if not isinstance(name, str):
        raise FieldError("scenario", name, "a name, module:NAME, or a Scenario")
    if name in _registered:
        return _registered[name].override(**overrides)
    world = _world_of_family(name)
    if world is not None:
        return world.override(**overrides)
    installed = plugins.installed(GROUP)
    if name in installed:
        return _loaded(installed[name]).override(**overrides)
    if ":" not in name:
        raise FieldError("scenario", name, f"{closest(name, names())}; or module:NAME")
    return _imported(name).override(**overrides)


def _world_of_family(name: str) -> Scenario | None:
    """The world that ``worlds-tune-17`` and the like stand for; None for other names."""
    family, _, number = name.rpartition("-")
    worlds = _registered.get(family)
    if isinstance(worlds, WorldsScenario) and re.fullmatch(r"\d{1,10}", number):
        return worlds.override(world=int(number))
    return None


def _imported(name: str) -> Scenario:
    module, attribute = plugins.module_of(name, "scenario")
    known = [key for key, value in vars(module).items() if isinstance(value, Scenario)]
    if attribute not in known:
        hint = closest(attribute, known) if known else "one that holds a Scenario"
        raise FieldError("scenario", name, f"a Scenario of {module.__name__}: {hint}")
    found: Scenario = getattr(module, attribute)
    return found


def _loaded(point: EntryPoint) -> Scenario:
    found = plugins.load(point, "scenario")
    if not isinstance(found, Scenario):
        raise FieldError("scenario", point.name, f"a Scenario, which {point.value} is not")
    return found
