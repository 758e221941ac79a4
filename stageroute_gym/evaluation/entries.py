"""Entries of a leaderboard: an agent, its parameters and a label, resolved once and carried."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.evaluation import agents, fingerprints
from stageroute_gym.registration import CONTINUOUS, DISCRETE

DEFAULT_ENV_ID = CONTINUOUS
ENV_IDS = (DISCRETE, CONTINUOUS)
FORM = "agent, agent(parameter=value), or label=agent(parameter=value)"
LONGEST_LABEL = 300
_JSON_NAMES = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Entry:
    """An agent with its parameters, under a label.

    Attributes:
        agent: a name, ``module:Class`` or the path of a file, as `agents.load` takes it.
        parameters: the agent's parameters, by name.
        label: what results and tables call the entry.
        kind: ``reference`` (knows the truth), ``baseline`` or ``learner``.
        env_id: the environment that it plays in.
        fingerprint: SHA-256 of the agent's code, the files that its class's attribute ``files``
            names and its tuned settings, or of its file.
        trained_on: names of the scenarios that the agent was trained on.
    """

    agent: str
    parameters: Mapping[str, Any]
    label: str
    kind: str
    env_id: str
    fingerprint: str = field(repr=False)
    trained_on: tuple[str, ...] = ()

    @classmethod
    def parsed(cls, text: str, env_id: str | None = None) -> Self:
        """The entry that a text stands for.

        Args:
            text: ``stageroute``, ``stageroute(gamma=0.05, fill_slots=false)`` or
                ``wide=stageroute(gamma=0.5)``; values as in Python or JSON. The label is the text
                before ``=``, or else the entry itself.
            env_id: the environment; None takes the agent's attribute ``env_id`` if it has one, and
                the continuous environment otherwise.

        Raises:
            FieldError: if there is no such agent, parameter or environment, or the text is not of
                this form.
        """
        label, agent, parameters = _parts(text.strip())
        return cls.resolved(agent, parameters, label=label, env_id=env_id)

    @classmethod
    def resolved(
        cls,
        agent: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        label: str | None = None,
        env_id: str | None = None,
    ) -> Self:
        """The entry of an agent; see `parsed`.

        Raises:
            FieldError: if there is no such agent, parameter or environment, or the label cannot be
                used.
        """
        factory = agents.load(agent)
        given = dict(parameters or {})
        kind = agents.kind_of(factory, agent)
        agents.check_callable(factory, agent)
        agents.check_parameters(factory, agent, given)
        shown = _shown(agent, given) if label is None else label
        return cls(
            agent,
            MappingProxyType(given),
            _checked_label(shown),
            kind,
            environment_of(factory, env_id),
            _fingerprint(agent, factory),
            agents.trained_on(factory),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by plain values, for worker processes."""
        return _rebuilt, (type(self), self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """The entry as JSON-native values."""
        return {
            "agent": self.agent,
            "parameters": dict(self.parameters),
            "label": self.label,
            "kind": self.kind,
            "env_id": self.env_id,
            "fingerprint": self.fingerprint,
            "trained_on": list(self.trained_on),
        }


def parse_entries(texts: Sequence[str | Entry], env_id: str | None = None) -> tuple[Entry, ...]:
    """Entries from texts of one or several, with commas between them.

    Raises:
        FieldError: if there is none, one has a fault (see `Entry.parsed`), or two have one label.
    """
    entries: list[Entry] = []
    for given in texts:
        if isinstance(given, Entry):
            entries.append(given)
        else:
            entries += [Entry.parsed(text, env_id) for text in split_entries(given)]
    if not entries:
        raise FieldError("agent", list(texts), "at least one name")
    labels = [entry.label for entry in entries]
    for label in labels:
        if labels.count(label) > 1:
            raise FieldError("agent", label, "a label given only once; write label=agent(...)")
    return tuple(entries)


def installed_entries(
    env_id: str | None = None,
) -> tuple[tuple[Entry, ...], tuple[tuple[str, str], ...]]:
    """An entry for each installed agent, and the names of those that are broken, with the reason.

    Another package's agent that cannot be loaded must not keep the others from playing. Agents
    whose class says ``plays_by_default = False``, as those that need a user's file, are left out.
    """
    entries, broken = [], []
    for name in agents.names():
        try:
            if getattr(agents.load(name), "plays_by_default", True):
                entries.append(Entry.resolved(name, env_id=env_id))
        except FieldError as error:
            broken.append((name, str(error)))
    return tuple(entries), tuple(broken)


def split_entries(text: str) -> list[str]:
    """The parts of a text between commas that stand outside of brackets and quotes.

    Raises:
        FieldError: if a bracket or a quote is not closed.
    """
    parts, depth, quote = [""], 0, ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'" and depth:
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        if sign == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += sign
    if depth or quote:
        raise FieldError("agent", text, f"{FORM}, with brackets and quotes closed")
    return [part.strip() for part in parts if part.strip()]


def environment_of(agent: object, env_id: str | None) -> str:
    """The environment to run an agent in; see `Entry.parsed`.

    Raises:
        FieldError: if there is no such environment.
    """
    chosen = env_id if env_id is not None else getattr(agent, "env_id", None) or DEFAULT_ENV_ID
    if chosen not in ENV_IDS:
        raise FieldError("env_id", chosen, closest(str(chosen), ENV_IDS))
    return str(chosen)


def _parts(text: str) -> tuple[str | None, str, dict[str, Any]]:
    """Label, agent and parameters of a text."""
    if Path(text).is_file():
        return None, text, {}
    label, rest = None, text
    if named := re.match(r"([^=(]+)=(?=.)", text):
        label, rest = named[1].strip(), text[named.end() :].strip()
    if not rest.endswith(")") or Path(rest).is_file():
        return label, rest, {}
    # The bracket that the last one closes, since a path may hold brackets too.
    depth = 0
    for place in range(len(rest) - 1, -1, -1):
        depth += (rest[place] == ")") - (rest[place] == "(")
        if not depth:
            return label, rest[:place].strip(), _parameters(text, rest[place:])
    raise FieldError("agent", text, FORM)


def _parameters(text: str, brackets: str) -> dict[str, Any]:
    try:
        call = ast.parse(f"agent{brackets}", mode="eval").body
    except SyntaxError as error:
        raise FieldError("agent", text, f"{FORM}; {error.msg}") from error
    if not isinstance(call, ast.Call) or call.args or any(k.arg is None for k in call.keywords):
        raise FieldError("agent", text, f"{FORM}, each parameter with its name")
    names = [k.arg for k in call.keywords]
    if len(set(names)) < len(names):
        raise FieldError("agent", text, f"{FORM}, each parameter once")
    return {str(k.arg): _value(text, str(k.arg), k.value) for k in call.keywords}


def _value(text: str, name: str, node: ast.expr) -> Any:
    if isinstance(node, ast.Name) and node.id in _JSON_NAMES:
        return _JSON_NAMES[node.id]
    try:
        return ast.literal_eval(node)
    except ValueError:
        allowed = f"a number, true, false, null, a text in quotes or a list for {name}"
        raise FieldError("agent", text, allowed) from None


def _checked_label(label: str) -> str:
    allowed = f"a label of 1 to {LONGEST_LABEL} printable signs"
    if not label or len(label) > LONGEST_LABEL or not label.isprintable():
        raise FieldError("label", label, f"{allowed}; write label=agent(...)")
    return label


def _shown(agent: str, parameters: Mapping[str, Any]) -> str:
    if not parameters:
        return agent
    return f"{agent}({', '.join(f'{name}={value!r}' for name, value in parameters.items())})"


def _fingerprint(agent: str, factory: agents.AgentFactory) -> str:
    if Path(agent).is_file():
        return fingerprints.of_file(agent)
    module = inspect.getmodule(factory)
    if module is None:
        return ""
    files = getattr(factory, "files", ())
    return fingerprints.of_code(module.__name__, files, getattr(factory, "tuned_parameters", None))


def _rebuilt(kind: type[Entry], values: dict[str, Any]) -> Entry:
    own = {
        "parameters": MappingProxyType(values["parameters"]),
        "trained_on": tuple(values["trained_on"]),
    }
    return kind(**{**values, **own})
