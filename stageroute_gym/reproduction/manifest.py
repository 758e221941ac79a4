"""The manifest: which parts there are, and with what settings."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.reproduction import parts
from stageroute_gym.reproduction.part import ExhibitModule, PartModule

MANIFEST = Path(__file__).parent / "manifest.toml"
# What settings of these types have to be, and how that is called in TOML.
_SHAPES: dict[str, tuple[type, str]] = {
    "tuple": (tuple, "a list"),
    "dict": (dict, "a table"),
    "str": (str, "a text"),
}
_KEYS = ("title", "about", "module", "needs_data", "full", "quick")


@dataclass(frozen=True)
class Part:
    """One part of the manifest.

    Attributes:
        name: its name, and that of its folder.
        title: heading.
        about: what is asked, in a sentence or two.
        module: name of its modules in ``parts`` and ``exhibits``.
        settings: its settings by name; those of ``--quick`` where that was asked for.
        needs_data: whether it runs on recorded outcomes, which a user has to give.
    """

    name: str
    title: str
    about: str
    module: str
    settings: Mapping[str, Any]
    needs_data: bool = False

    @property
    def code(self) -> str:
        """Full name of the module that computes it."""
        return f"stageroute_gym.reproduction.parts.{self.module}"

    def computing(self) -> PartModule:
        """The module that computes it."""
        return cast("PartModule", importlib.import_module(self.code))

    def showing(self) -> ExhibitModule:
        """The module that shows it."""
        name = f"stageroute_gym.reproduction.exhibits.{self.module}"
        return cast("ExhibitModule", importlib.import_module(name))

    def checked(self) -> Any:
        """Its settings, as the computing module takes them.

        Raises:
            FieldError: if a name is unknown or absent, or a value is out of range.
        """
        kind = cast("Any", self.computing().Settings)
        fields = dataclasses.fields(kind)
        types = {each.name: str(each.type).partition("[")[0] for each in fields}
        for name, value in self.settings.items():
            if name not in types:
                raise FieldError(f"{self.name}.{name}", value, closest(name, list(types)))
            if types[name] in _SHAPES and not isinstance(value, _SHAPES[types[name]][0]):
                raise FieldError(f"{self.name}.{name}", value, _SHAPES[types[name]][1])
        absent = [
            each.name
            for each in fields
            if each.name not in self.settings
            and each.default is dataclasses.MISSING
            and each.default_factory is dataclasses.MISSING
        ]
        if absent:
            raise FieldError(self.name, list(self.settings), f"also {', '.join(absent)}")
        try:
            return kind(**self.settings)
        except FieldError as error:
            raise FieldError(f"{self.name}.{error.field}", error.value, error.allowed) from error


def read_manifest(path: str | Path | None = None, *, quick: bool = False) -> dict[str, Part]:
    """The parts of a manifest by name, in their order.

    Args:
        path: a TOML file: by part ``title``, ``about``, ``module`` (the part's name where absent),
            ``needs_data`` (false where absent), ``full`` and ``quick``, which holds what differs;
            None takes the one that is shipped.
        quick: whether to take the settings of ``--quick``.

    Raises:
        FieldError: if the file cannot be read or is none, or a module is unknown.
    """
    file = MANIFEST if path is None else Path(path)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FieldError("manifest", str(file), f"a readable TOML file; {error}") from error
    if not content:
        raise FieldError("manifest", str(file), "at least one part")
    return {name: _part(name, given, quick) for name, given in content.items()}


def chosen_parts(
    parts: Mapping[str, Part], names: Sequence[str], data: str | None = None
) -> list[Part]:
    """The parts of these names in the manifest's order; all that can run where none is named.

    Args:
        parts: the manifest's.
        names: names of parts.
        data: a file of recorded outcomes, for the parts that need one; None for none.

    Raises:
        FieldError: if there is no part of a name, one of them needs a file and none is given, or
            one is given and none needs it.
    """
    for name in names:
        if name not in parts:
            raise FieldError("part", name, closest(name, parts))
        if parts[name].needs_data and data is None:
            raise FieldError("data", data, f"a file of recorded outcomes, which {name} runs on")
    able = (part for part in parts.values() if data is not None or not part.needs_data)
    chosen = [part for part in able if not names or part.name in names]
    if data is not None and not any(part.needs_data for part in chosen):
        needing = [part.name for part in parts.values() if part.needs_data]
        allowed = f"a part that reads it among those named: {', '.join(needing) or 'there is none'}"
        raise FieldError("data", data, allowed)
    return [_with_data(part, data) if part.needs_data else part for part in chosen]


def _with_data(part: Part, data: str | None) -> Part:
    overrides = {**part.settings.get("overrides", {}), "data": data}
    return dataclasses.replace(part, settings={**part.settings, "overrides": overrides})


def _part(name: str, given: Any, quick: bool) -> Part:
    if not isinstance(given, dict) or not isinstance(given.get("full"), dict):
        raise FieldError(f"manifest.{name}", given, f"a table with {', '.join(_KEYS)}")
    for key in given:
        if key not in _KEYS:
            raise FieldError(f"manifest.{name}", key, closest(key, _KEYS))
    module = str(given.get("module", name)).replace("-", "_")
    modules = [each.name for each in pkgutil.iter_modules(parts.__path__)]
    if module not in modules:
        raise FieldError(f"manifest.{name}.module", module, closest(module, modules))
    settings = {**given["full"], **(given.get("quick", {}) if quick else {})}
    return Part(
        name,
        str(given.get("title", name)),
        str(given.get("about", "")),
        module,
        {key: _frozen(value) for key, value in settings.items()},
        bool(given.get("needs_data", False)),
    )


def _frozen(value: Any) -> Any:
    """Lists as tuples, as frozen dataclasses take them."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
