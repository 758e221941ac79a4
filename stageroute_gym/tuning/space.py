"""What may be tried of an agent's parameters, declared beside the agent.

The class of an agent has an attribute ``search_space``: for each parameter that is worth tuning the
values to try. What a subclass inherits of it counts as far as it has these parameters too.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from stageroute_gym.checks import choice, count, number
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.evaluation.agents import AgentFactory, kind_of, parameters_of

Spacing = Literal["even", "log", "log_to_one"]
_DIGITS = 4


@dataclass(frozen=True)
class Real:
    """Real numbers between two ends.

    Args:
        low: smallest value.
        high: largest value.
        spacing: which of them are as likely at first: ``"even"``; ``"log"``, equal ratios;
            ``"log_to_one"``, equal ratios of the distance to 1, for discounts.

    Raises:
        FieldError: if the ends are not in order, or have no logarithm where one is needed.
    """

    low: float
    high: float
    spacing: Spacing = "even"

    def __post_init__(self) -> None:
        choice("spacing", self.spacing, get_args(Spacing))
        low = number("low", self.low, 0, above=self.spacing == "log")
        number("high", self.high, low, above=True)
        if self.spacing == "log_to_one":
            number("high", self.high, 0, 1, below=True)

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of what is drawn."""
        if self.spacing == "log_to_one":
            return 1.0 - self.high, 1.0 - self.low
        return self.low, self.high

    def value(self, drawn: float) -> float:
        """The value that a number drawn stands for, of four digits."""
        rounded = float(f"{drawn:.{_DIGITS}g}")
        value = 1.0 - rounded if self.spacing == "log_to_one" else rounded
        return min(max(round(value, 12), self.low), self.high)

    def drawn(self, value: object) -> float | None:
        """The number drawn that a value comes from; None for one outside of the space."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        if not self.low <= value <= self.high:
            return None
        low, high = self.ends
        inner = 1.0 - value if self.spacing == "log_to_one" else float(value)
        return min(max(inner, low), high)


@dataclass(frozen=True)
class Whole:
    """Whole numbers between two ends.

    Args:
        low: smallest value, at least 0.
        high: largest value.
        log: whether equal ratios are as likely at first; ``low`` is at least 1 then.

    Raises:
        FieldError: if the ends are not in order, or have no logarithm where one is needed.
    """

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        count("high", self.high, count("low", self.low, int(self.log)) + 1)

    def value(self, drawn: float) -> int:
        """The value that a number drawn stands for."""
        return int(drawn)

    def drawn(self, value: object) -> int | None:
        """The number drawn that a value comes from; None for one outside of the space."""
        inside = isinstance(value, int) and not isinstance(value, bool)
        return value if inside and self.low <= value <= self.high else None  # type: ignore[operator,return-value]


@dataclass(frozen=True)
class OneOf:
    """A few values, JSON-native and not numbers in between which others would make sense.

    Args:
        choices: the values, two at least.

    Raises:
        FieldError: if they are fewer.
    """

    choices: tuple[str | bool | float, ...]

    def __post_init__(self) -> None:
        if len(self.choices) < 2:
            raise FieldError("choices", self.choices, "two values at least")

    def value(self, drawn: Any) -> Any:
        """The value drawn."""
        return drawn

    def drawn(self, value: object) -> Any:
        """The value, or None for one outside of the space."""
        return value if value in self.choices else None


Range = Real | Whole | OneOf
SearchSpace = Mapping[str, Range]


def space_of(factory: AgentFactory, name: str) -> dict[str, Range]:
    """What may be tried of an agent's parameters, by name; empty where nothing is to be tuned.

    Args:
        factory: the agent's class.
        name: what errors call the agent.

    Raises:
        FieldError: if a class declares a range for a parameter that it does not have.
    """
    if kind_of(factory, name) == "reference":
        return {}
    own = parameters_of(factory)
    for declaring in getattr(factory, "__mro__", (factory,)):
        declared = vars(declaring).get("search_space", {})
        # An abstract class's constructor may leave the parameters to its subclasses.
        known = declared if inspect.isabstract(declaring) else parameters_of(declaring)
        for parameter in declared:
            if parameter not in known:
                field = f"search_space of {declaring.__qualname__}"
                raise FieldError(field, parameter, closest(parameter, known))
    space: SearchSpace = getattr(factory, "search_space", {})
    return {parameter: values for parameter, values in space.items() if parameter in own}
