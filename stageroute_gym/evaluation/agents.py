"""Finding agents: by the name in an entry-point group, ``module:Class``, or the path of a file."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

from stageroute_gym.errors import FieldError, closest

GROUP = "stageroute.agents"
# Suffix of a file, without its dot -> what makes an agent's factory from such a file's path.
FILES_GROUP = "stageroute.agent_files"


class Predictor(Protocol):
    """What the evaluation needs of an agent: stable-baselines3's interface."""

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """Actions for one observation or a batch, and the state for the next call."""


AgentFactory = Callable[..., Predictor]


def names() -> list[str]:
    """Names of all installed agents, this project's and those of other packages."""
    return sorted(_installed(GROUP))


def load(name: str) -> AgentFactory:
    """The class of an agent, to be called as ``factory(env, seed=..., **parameters)``.

    Args:
        name: a name of the entry-point group ``stageroute.agents``, ``module:Class``, or the path
            of a file with a suffix of the group ``stageroute.agent_files``.

    Raises:
        FieldError: if there is no such agent, module or class, or it cannot be imported.
    """
    readers = _installed(FILES_GROUP)
    suffix = Path(name).suffix.removeprefix(".")
    if suffix in readers:
        return readers[suffix].load()(name)
    if ":" in name:
        return _imported(name)
    installed = _installed(GROUP)
    if name not in installed:
        files = "".join(f", or a file *.{suffix}" for suffix in sorted(readers))
        raise FieldError("agent", name, f"{closest(name, installed)}; or module:Class{files}")
    try:
        return installed[name].load()
    except (ImportError, AttributeError) as error:
        raise FieldError("agent", name, f"an agent that can be loaded; {error}") from error


def make(name: str, env: Any, *, seed: int = 0, **parameters: Any) -> Predictor:
    """An agent for an environment.

    Args:
        name: as for `load`.
        env: the environment, single or vector, that it is to act in.
        seed: seed of the agent's own random numbers.
        parameters: the agent's parameters, by name.

    Raises:
        FieldError: if there is no such agent or parameter, or a value is not allowed.
    """
    factory = load(name)
    known = [p for p in parameters_of(factory) if p not in ("self", "env", "seed")]
    for parameter in parameters:
        if parameter not in known:
            hint = closest(parameter, known) if known else "none; it has no parameters"
            raise FieldError(f"parameter of agent {name}", parameter, hint)
    return factory(env, seed=seed, **parameters)


def parameters_of(factory: AgentFactory) -> dict[str, Any]:
    """Parameters of an agent's class and their defaults."""
    signature = inspect.signature(factory)
    return {name: parameter.default for name, parameter in signature.parameters.items()}


def _installed(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def _imported(name: str) -> AgentFactory:
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise FieldError("agent", name, f"an importable module; {error}") from error
    if not hasattr(module, attribute):
        public = [n for n, v in vars(module).items() if inspect.isclass(v)]
        raise FieldError("agent", name, f"a class of {module_name}: {closest(attribute, public)}")
    return getattr(module, attribute)
