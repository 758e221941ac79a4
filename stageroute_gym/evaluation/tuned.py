"""Tuned settings as data: the agent ``NAME-tuned`` is the agent ``NAME`` with other defaults.

The class of an agent names, in its attribute ``tuned_file``, a JSON file with what ``stageroute
tune`` chose; `stageroute_gym.tuning` writes such files.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stageroute_gym.errors import FieldError

SUFFIX = "-tuned"


class TunedAgent:
    """What makes an agent with tuned parameters; those that are given come first.

    Args:
        name: name of the agent without the suffix.
        factory: its class.
        parameters: the tuned parameters.
        suite: name of the suite that they were tuned on.

    Attributes:
        kind: as of the class, like ``files`` and ``env_id``.
        trained_on: as of the class, with the suite: figures on its worlds are optimistic.
        tuned_parameters: the tuned parameters, on which results depend.
    """

    def __init__(
        self, name: str, factory: Callable[..., Any], parameters: Mapping[str, Any], suite: str
    ) -> None:
        self._factory = factory
        self.tuned_parameters = dict(parameters)
        self.kind = getattr(factory, "kind", "learner")
        self.files = getattr(factory, "files", ())
        self.env_id = getattr(factory, "env_id", None)
        self.trained_on = (*getattr(factory, "trained_on", ()), suite)
        self.__doc__ = f"The agent {name} with the parameters that ``stageroute tune`` chose."
        self.__name__ = self.__qualname__ = f"{name}{SUFFIX}"
        self.__module__ = factory.__module__
        signature = inspect.signature(factory)
        changed = [
            parameter.replace(default=parameters.get(parameter.name, parameter.default))
            for parameter in signature.parameters.values()
        ]
        self.__signature__ = signature.replace(parameters=changed)

    def __call__(self, context: Any, **given: Any) -> Any:
        """The agent for a context; see `stageroute_gym.evaluation.agents.build`."""
        return self._factory(context, **{**self.tuned_parameters, **given})


def tuned_agent(name: str, factory: Callable[..., Any]) -> TunedAgent | None:
    """The agent ``NAME-tuned`` of a class; None where it has no tuned settings.

    Args:
        name: name of the agent without the suffix.
        factory: its class.

    Raises:
        FieldError: if the file of settings cannot be read.
    """
    path = getattr(factory, "tuned_file", None)
    if path is None or not Path(path).is_file():
        return None
    kept = read_tuned(path)
    if name not in kept["agents"]:
        return None
    return TunedAgent(name, factory, kept["agents"][name]["parameters"], kept["suite"]["name"])


def read_tuned(path: str | Path) -> dict[str, Any]:
    """What a file of tuned settings holds, see `stageroute_gym.tuning.results.summary`.

    Raises:
        FieldError: if it is no such file.
    """
    try:
        kept = json.loads(Path(path).read_text(encoding="utf-8"))
        for settings in kept["agents"].values():
            dict(settings["parameters"])
        str(kept["suite"]["name"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        allowed = f"a file that stageroute tune wrote; {type(error).__name__}: {error}"
        raise FieldError("tuned_file", str(path), allowed) from error
    return kept
