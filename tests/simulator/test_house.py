"""Rules of the simulator's own house."""

from __future__ import annotations

import ast
from pathlib import Path

import stageroute_gym.simulator

FOLDER = Path(stageroute_gym.simulator.__file__).parent
FLAT_ENTRY_POINTS = {"step_discrete", "step_continuous"}


def test_no_function_has_more_than_eight_parameters_but_the_flat_entry_points():
    long = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                arguments = node.args
                if len(arguments.posonlyargs + arguments.args + arguments.kwonlyargs) > 8:
                    long.add(node.name)
    assert long == FLAT_ENTRY_POINTS
