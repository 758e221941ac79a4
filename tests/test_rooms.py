"""The way of the data: no import of the project runs upwards."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("stageroute_gym", "stageroute_agents")
# From the ground up; a module imports from its own room and from those before it.
FLOORS = (
    ("errors", "array_types", "compiling"),
    ("checks", "writing", "registration", "vector_input", "plugins", "extras"),
    ("locking", "optimize"),
    ("stageroute_gym", "problem"),
    ("context", "workloads"),
    ("logs", "simulator"),
    ("scenarios",),
    ("oracles", "rendering"),
    ("env", "vector"),
    ("wrappers", "evaluation"),
    ("flat", "advice", "tuning"),
    ("report", "testing"),
    ("cli",),
    ("benchmark", "stageroute_agents"),
    ("reproduction",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = [
    path for folder in (PACKAGES[0], "agents") for path in sorted((ROOT / folder).rglob("*.py"))
]


def room(module: str) -> str:
    """The top-level file or folder of a module; the agents are one room."""
    package, *inside = module.split(".")
    return inside[0] if inside and package == PACKAGES[0] else package


def module_of(path: Path) -> str:
    start = ROOT if path.is_relative_to(ROOT / PACKAGES[0]) else ROOT / "agents"
    return ".".join(path.relative_to(start).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    """Modules of the project that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module in PACKAGES:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name for name in names if name.split(".")[0] in PACKAGES}


def test_imports_run_downwards_only():
    upwards = []
    for path in FILES:
        here = room(module_of(path))
        assert here in FLOOR, f"{here} has no floor yet: put it into FLOORS"
        for name in imported(path):
            there = room(name)
            if there in FLOOR and there != here and FLOOR[there] >= FLOOR[here]:
                upwards.append((module_of(path), name))
    assert upwards == []


def test_the_environment_never_imports_the_agents():
    for path in FILES:
        if path.is_relative_to(ROOT / PACKAGES[0]):
            assert not any(name.startswith(PACKAGES[1]) for name in imported(path)), path
