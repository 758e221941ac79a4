"""What an agent's results depend on besides its parameters: its code, or its file, as a hash."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

# Packages whose modules belong to an agent's code wherever it imports them.
_OURS = ("stageroute_gym", "stageroute_agents")


def of_file(path: str | Path) -> str:
    """SHA-256 of a file's content."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def of_json(content: Any) -> str:
    """SHA-256 of JSON-native values, whatever the order of their names."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def of_code(
    module: str, files: Iterable[str | Path] = (), settings: Mapping[str, Any] | None = None
) -> str:
    """SHA-256 of a module's source and that of what it imports, directly or not, and of files.

    Settings, JSON-native, count as well where there are any.

    Followed are imports, those within functions too, into the module's own top-level package, into
    modules in its own folder, and into this project's packages; not into other libraries.
    """
    sources: dict[str, Path] = {}
    _follow(module, module.partition(".")[0], sources)
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(f"{name}\n{of_file(sources[name])}\n".encode())
    for path in files:
        digest.update(f"{of_file(path)}\n".encode())
    if settings is not None:
        digest.update(json.dumps(dict(settings), sort_keys=True).encode())
    return digest.hexdigest()


def _follow(module: str, root: str, sources: dict[str, Path]) -> None:
    """Add the sources of a module and of what it imports to ``sources``."""
    waiting, met = [module], set()
    folder = _folder(module)
    while waiting:
        name = waiting.pop()
        if name in met:
            continue
        met.add(name)
        path = _source(name)
        if path is None:
            continue
        if name.partition(".")[0] not in (root, *_OURS) and path.parent != folder:
            continue
        sources[name] = path
        about = path.stat()
        waiting += _imports(name, path, (about.st_mtime_ns, about.st_size))


def _folder(module: str) -> Path | None:
    """The folder of a module that is no part of a package."""
    path = _source(module)
    return path.parent if path is not None and "." not in module else None


def _source(module: str) -> Path | None:
    """The source file of a module, None where it has none or is no module; imports nothing."""
    loaded = sys.modules.get(module)
    file = getattr(loaded, "__file__", None) if loaded is not None else _origin(module)
    path = Path(file) if file else None
    return path if path is not None and path.suffix == ".py" and path.is_file() else None


def _origin(module: str) -> str | None:
    """Where a module that is not loaded would come from."""
    # Step by step, since `importlib.util.find_spec` imports the packages around a module, and one
    # of them may need what is not installed.
    top, *inside = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # a module that is loaded and has no specification
        return None
    for part in inside:
        if spec is None or spec.submodule_search_locations is None:
            return None  # no module, but something inside of one
        spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
    return spec.origin if spec is not None else None


# Parsing is most of the work, and agents share most of their sources.
@lru_cache(maxsize=1024)
def _imports(module: str, path: Path, stamp: tuple[int, int]) -> tuple[str, ...]:
    """Names of modules, or of things in them, that a source imports; ``stamp`` says its version."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join([*(parents if node.level else []), *filter(None, [node.module])])
            found += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    # A submodule's packages are imported with it.
    return tuple({name: None for full in found for name in _with_parents(full)})


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]
