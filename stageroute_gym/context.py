"""What a provider knows before the first query: all that an agent is made from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from stageroute_gym.checks import choice, count, interval, listed, mapping, number
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.problem import Problem

ActionKind = Literal["discrete", "continuous"]


@dataclass(frozen=True, kw_only=True)
class AgentContext:
    """What an agent is told of the world that it is for; nothing of it is learned by serving.

    All fields are JSON-native, so that an agent can be made again on another machine, or for live
    traffic, from a file: `to_dict` and `from_dict`.

    Args:
        problem: horizon, stages, budget and limits.
        models: names of the ``N`` models that may ever be on offer.
        list_prices: USD of a typical query with each model, as its provider's price list tells in
            advance, 0 where unknown; ``N`` numbers.
        cost_bounds: smallest and largest cost ``c1, c2`` in USD that a query can have.
        num_features: number of features ``F`` that a query shows, at least 0.
        actions: ``"discrete"`` for the actions of `StageRoute-v0`, ``"continuous"`` for those of
            `StageRouteContinuous-v0`.
        num_tasks: how many of the features, the first ones, name the query's task, one-hot; 0 if
            none does. The others are numbers.
        feature_names: names of the features, as `OutcomeTable` has them; none where they are not
            known by name. A history is read by them.

    Raises:
        FieldError: if a value is out of range; the message names field, value and what is allowed.
    """

    problem: Problem
    models: tuple[str, ...]
    list_prices: tuple[float, ...]
    cost_bounds: tuple[float, float]
    num_features: int
    actions: ActionKind
    num_tasks: int = 0
    feature_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _set = object.__setattr__
        if not isinstance(self.problem, Problem):
            raise FieldError("problem", self.problem, "a Problem")
        _set(self, "models", listed("models", self.models))
        if not all(isinstance(name, str) for name in self.models):
            raise FieldError("models", self.models, "names of models")
        if not self.models or len(set(self.models)) < len(self.models):
            raise FieldError("models", self.models, "at least one name, each given once")
        given = listed("list_prices", self.list_prices)
        prices = tuple(number("list_prices", price, 0, unit="USD") for price in given)
        if len(prices) != len(self.models):
            raise FieldError(
                "list_prices", prices, f"a price for each of {len(self.models)} models"
            )
        _set(self, "list_prices", prices)
        bounds = self.cost_bounds
        pair = tuple(bounds) if isinstance(bounds, list) else bounds
        _set(self, "cost_bounds", interval("cost_bounds", pair, 0))
        _set(self, "num_features", count("num_features", self.num_features, 0))
        _set(self, "num_tasks", count("num_tasks", self.num_tasks, 0, self.num_features))
        _set(self, "feature_names", tuple(self.feature_names))
        if self.feature_names and len(set(self.feature_names)) != self.num_features:
            allowed = f"none, or {self.num_features} distinct names"
            raise FieldError("feature_names", self.feature_names, allowed)
        choice("actions", self.actions, get_args(ActionKind))
        self.problem.throughput_per_model(len(self.models))

    @property
    def num_models(self) -> int:
        """Number of models ``N``."""
        return len(self.models)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that the first features stand for; none where they have no names."""
        named = self.feature_names[: self.num_tasks]
        return tuple(name.partition(":")[2] for name in named)

    @property
    def continuous(self) -> bool:
        """Whether actions are shares of the models, as in `StageRouteContinuous-v0`."""
        return self.actions == "continuous"

    @cached_property
    def throughput(self) -> NDArray[np.float64]:
        """Throughput share of each model, shape (N,), float64."""
        return self.problem.throughput_per_model(self.num_models)

    @classmethod
    def of(cls, env: Any) -> AgentContext:
        """The context of an environment.

        Args:
            env: a single or vector environment of this project, wrapped or not; vectors of such
                environments, by Gymnasium or stable-baselines3, in this process or others; or a
                context, which is returned.

        Raises:
            FieldError: if it is anything else, or its environments differ.
        """
        if isinstance(env, AgentContext):
            return env
        contexts = attributes_of(env, "agent_context")
        for context in contexts:
            if context != contexts[0]:
                raise FieldError("env", env, "environments of one scenario")
        return contexts[0]

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed.

        Raises:
            FieldError: if a field does not exist or a value is out of range.
        """
        self._check_names(changes)
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The context as JSON-native values."""
        # Left out where there are none: a store of live traffic compares what it was made with.
        named = {"feature_names": list(self.feature_names)} if self.feature_names else {}
        return {
            "problem": self.problem.to_dict(),
            "models": list(self.models),
            "list_prices": list(self.list_prices),
            "cost_bounds": list(self.cost_bounds),
            "num_features": self.num_features,
            "actions": self.actions,
            "num_tasks": self.num_tasks,
            **named,
        }

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The context in a JSON file, as ``stageroute advise --context`` writes it.

        Raises:
            FieldError: if it cannot be read, or as `from_dict`.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            allowed = f"a readable file: {error.strerror}"
            raise FieldError("context", str(path), allowed) from error
        except ValueError as error:
            raise FieldError("context", str(path), f"JSON: {error}") from error
        if not isinstance(values, dict) or not isinstance(values.get("problem"), dict):
            raise FieldError("context", str(path), "a file that advise --context wrote")
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The context that `to_dict` described.

        Raises:
            FieldError: if a field does not exist, is missing or out of range.
        """
        cls._check_names(mapping("context", values))
        for field in dataclasses.fields(cls):
            if field.name not in values and field.default is dataclasses.MISSING:
                raise FieldError(field.name, None, "a value; this field has no default")
        return cls(**{**values, "problem": Problem.from_dict(values["problem"])})

    @classmethod
    def _check_names(cls, values: Mapping[str, Any]) -> None:
        names = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in names:
                raise FieldError("AgentContext field", name, closest(name, names))


def attributes_of(env: Any, name: str) -> list[Any]:
    """An attribute of an environment beneath its wrappers, or of each environment of a vector.

    Args:
        env: as for `AgentContext.of`.
        name: the attribute's name.

    Raises:
        FieldError: if neither the environment nor those of a vector have it.
    """
    inner = getattr(env, "unwrapped", env)
    if hasattr(inner, name):
        return [getattr(inner, name)]
    try:
        # Gymnasium's and stable-baselines3's vectors alike.
        return list(inner.get_attr(name))
    except (AttributeError, EOFError) as error:
        allowed = (
            "an AgentContext, or an environment of this project, wrapped or in a vector; "
            "AgentContext.read(PATH) reads one from a file"
        )
        raise FieldError("env", env, allowed) from error
