"""Finding agents: by the name in an entry-point group, ``module:Class``, or the path of a file."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from stageroute_gym import plugins
from stageroute_gym.context import AgentContext, attributes_of
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.evaluation.tuned import SUFFIX, tuned_agent

GROUP = "stageroute.agents"
# Suffix of a file, without its dot -> what makes an agent's factory from such a file's path.
FILES_GROUP = "stageroute.agent_files"


# What every agent is made from; its parameters are the other arguments of its class.
_GIVEN = ("self", "context", "world", "seed")
KINDS = ("reference", "baseline", "learner")


class Predictor(Protocol):
    """What the evaluation needs of an agent: stable-baselines3's interface.

    An agent with random numbers of its own may have a method ``begin(seeds)`` too: it returns the
    ``state`` for the first `predict` of a batch of episodes with these seeds.
    """

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """Actions for one observation or a batch, and the state for the next call."""


AgentFactory = Callable[..., Predictor]


class Parameter(NamedTuple):
    """A parameter of an agent.

    Attributes:
        name: its name.
        type: its annotation as text, such as ``float | None``; empty if there is none.
        default: its value unless it is given.
    """

    name: str
    type: str
    default: Any


def names() -> list[str]:
    """Names of all installed agents, this project's and those of other packages."""
    return sorted(plugins.installed(GROUP))


def tuned_names() -> list[str]:
    """Names of the installed agents that have tuned settings, each with the suffix ``-tuned``.

    They are the same agents with other defaults, see `stageroute_gym.evaluation.tuned`. One that
    cannot be loaded has none.
    """
    found = []
    for name in names():
        try:
            settings = tuned_agent(name, load(name))
        except FieldError:
            continue
        if settings is not None:
            found.append(f"{name}{SUFFIX}")
    return found


def load(name: str) -> AgentFactory:
    """The class of an agent, to be called as `build` does.

    Args:
        name: a name of the entry-point group ``stageroute.agents``, one of them with the suffix
            ``-tuned`` for its tuned settings, ``module:Class``, or the path of a file with a suffix
            of the group ``stageroute.agent_files``.

    Raises:
        FieldError: if there is no such agent, module or class, or it cannot be imported.
    """
    readers = plugins.installed(FILES_GROUP)
    suffix = Path(name).suffix.removeprefix(".")
    if suffix in readers:
        return readers[suffix].load()(name)
    if ":" in name:
        return _imported(name)
    installed = plugins.installed(GROUP)
    plain = name.removesuffix(SUFFIX)
    if name not in installed and plain in installed:
        tuned = tuned_agent(plain, load(plain))
        if tuned is None:
            allowed = f"an agent with tuned settings: one of {', '.join(tuned_names()) or 'none'}"
            raise FieldError("agent", name, allowed)
        return tuned
    if name not in installed:
        files = "".join(f", or a file *.{suffix}" for suffix in sorted(readers))
        raise FieldError("agent", name, f"{closest(name, installed)}; or module:Class{files}")
    return plugins.load(installed[name], "agent")


def make(name: str, env: Any, *, seed: int = 0, **parameters: Any) -> Predictor:
    """An agent for an environment, or for what a provider knows of one.

    Args:
        name: as for `load`.
        env: the environment that it is to act in, single or vector, wrapped or not, or one of
            stable-baselines3; or a `stageroute_gym.context.AgentContext`, for an agent that knows
            no more than that.
        seed: seed of the agent's own random numbers, at least 0.
        parameters: the agent's parameters, by name.

    Raises:
        FieldError: if there is no such agent or parameter, or a value is not allowed.
    """
    return build(load(name), env, name=name, seed=seed, parameters=parameters)


def build(
    factory: AgentFactory, env: Any, *, name: str, seed: int, parameters: Mapping[str, Any]
) -> Predictor:
    """An agent by its class: ``factory(context, seed=seed, **parameters)``.

    One that knows the truth, whose ``kind`` is ``"reference"``, gets ``world=`` as well.

    Args:
        factory: the agent's class, or what else makes it.
        env: as for `make`.
        name: what errors call the agent.
        seed: as for `make`.
        parameters: as for `make`.

    Raises:
        FieldError: if it cannot be called so, there is no such parameter, a value is not allowed,
            or an agent that knows the truth is asked for where there is none.
    """
    check_callable(factory, name)
    check_parameters(factory, name, parameters)
    context = AgentContext.of(env)
    truth = {}
    if kind_of(factory, name) == "reference":
        if env is context:
            allowed = "another agent: this one knows the truth, so it needs an environment"
            raise FieldError("agent", name, allowed)
        truth["world"] = attributes_of(env, "world")[0]
    return factory(context, **truth, seed=seed, **parameters)


def kind_of(factory: AgentFactory, name: str) -> str:
    """Kind of an agent, one of `KINDS`: the attribute ``kind`` of its class, or ``"learner"``.

    Args:
        factory: the agent's class.
        name: what errors call the agent.

    Raises:
        FieldError: if the attribute is anything else.
    """
    kind = getattr(factory, "kind", "learner")
    if kind not in KINDS:
        raise FieldError(f"kind of agent {name}", kind, closest(str(kind), KINDS))
    return str(kind)


def trained_on(factory: AgentFactory) -> tuple[str, ...]:
    """Scenarios that an agent was trained on: its class's attribute ``trained_on``, or none."""
    return tuple(getattr(factory, "trained_on", ()))


def parameters_of(factory: AgentFactory) -> dict[str, Parameter]:
    """Parameters of an agent's class by name, without what every agent is made from."""
    found = inspect.signature(factory).parameters.values()
    own = [parameter for parameter in found if parameter.name not in _GIVEN]
    return {p.name: Parameter(p.name, _text_of(p.annotation), p.default) for p in own}


def check_callable(factory: AgentFactory, name: str) -> None:
    """Check that an agent's class can be called as `build` does.

    Args:
        factory: the agent's class.
        name: what errors call the agent.

    Raises:
        FieldError: if it takes other arguments, or its kind is none.
    """
    truth = {"world": None} if kind_of(factory, name) == "reference" else {}
    try:
        inspect.signature(factory).bind(None, seed=0, **truth)
    except (TypeError, ValueError) as error:
        given = "a context, a world and a seed" if truth else "a context and a seed"
        allowed = f"a class or function to be called with {given}; {error}"
        raise FieldError("agent", name, allowed) from error


def check_parameters(factory: AgentFactory, name: str, parameters: Iterable[str]) -> None:
    """Check that an agent has all these parameters.

    Args:
        factory: the agent's class.
        name: what errors call the agent.
        parameters: names of parameters.

    Raises:
        FieldError: if it lacks one; the message names the nearest.
    """
    known = parameters_of(factory)
    for parameter in parameters:
        if parameter not in known:
            hint = closest(parameter, known) if known else "none; it has no parameters"
            raise FieldError(f"parameter of agent {name}", parameter, hint)


def _text_of(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _imported(name: str) -> AgentFactory:
    module, attribute = plugins.module_of(name, "agent")
    if not hasattr(module, attribute):
        public = [n for n, v in vars(module).items() if inspect.isclass(v)]
        allowed = f"a class of {module.__name__}: {closest(attribute, public)}"
        raise FieldError("agent", name, allowed)
    return getattr(module, attribute)
