"""The extras that the code asks for are those that pyproject.toml offers."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.extras import MODULES, absent_module, check_extra

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]


def test_each_is_offered():
    assert set(MODULES) <= set(PROJECT["optional-dependencies"])


@pytest.mark.parametrize("extra", MODULES)
def test_what_is_absent_is_named_with_what_to_install(extra: str, monkeypatch: pytest.MonkeyPatch):
    for module in MODULES[extra]:
        monkeypatch.setitem(sys.modules, module, None)
    first = MODULES[extra][0]
    assert absent_module(extra) == first
    words = rf"the extra {extra}: pip install 'stageroute-gym\[{extra}\]' \({first} is absent\)"
    with pytest.raises(FieldError, match=f"^option = 'x': expected {words}"):
        check_extra(extra, "option", "x")
