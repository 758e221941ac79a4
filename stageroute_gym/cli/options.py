"""Options that commands share: the fields of `Problem`, values as text, lists of seeds."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer

from stageroute_gym.errors import FieldError
from stageroute_gym.problem import Problem

# A whole number that 64 bits hold has at most this many digits.
MOST_DIGITS = 18

EnvId = Annotated[
    str | None,
    typer.Option(
        "--env-id", metavar="ID", help="StageRoute-v0 or StageRouteContinuous-v0, the default."
    ),
]
Jobs = Annotated[
    int | None, typer.Option(help="Processes; default: one a core.", show_default=False)
]
Backend = Annotated[str, typer.Option(help="loky (this machine), or a dask or ray cluster.")]
Patience = Annotated[
    float, typer.Option(help="Seconds for one decision after which an agent hangs.")
]

# Not taken from docstrings, which `python -OO` leaves out.
HELP = {
    "horizon": "Number of queries in an episode, up to 1e9.",
    "num_stages": "Number of stages, spread evenly over the horizon; or give --stage-starts.",
    "stage_starts": "The update points in queries, increasing, the first one 0.",
    "max_deployed": "How many models may be deployed at once.",
    "budget": "Allowed cost in USD per query, on average over the horizon.",
    "budget_rule": "hard ends the episode when the budget is spent; soft reports the overspend.",
    "throughput": "Largest share of the queries that one model may serve; one number or one each.",
    "burst": "Size in queries of the token bucket that enforces it with discrete actions.",
    "deployment_cost": "USD for each model that a stage deploys and the stage before did not.",
    "feedback_delay": "Number of queries after which score and cost of a query are observed.",
    "feedback_rate": "Share of the queries whose score comes back; the cost always does.",
    "activation_delay": "Number of queries before a newly deployed model can serve.",
    "failure_rate": "Share of the calls that fail: they cost as any other and score 0.",
}
PROBLEM_PANEL = "Problem (overrides the scenario's)"
DATA_PANEL = "Data (of scenarios that read files)"


def with_problem_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command one option for each field of `Problem`.

    The command gets those that were given as a dictionary, in its argument ``problem``.
    """
    fields = dataclasses.fields(Problem)

    @functools.wraps(command)
    def wrapper(**arguments: Any) -> None:
        given = {field.name: arguments.pop(field.name) for field in fields}
        problem = {name: parse_value(text) for name, text in given.items() if text is not None}
        command(problem=problem, **arguments)

    own = inspect.signature(command, eval_str=True).parameters.values()
    parameters = [parameter for parameter in own if parameter.name != "problem"]
    for field in fields:
        option = typer.Option(
            f"--{field.name.replace('_', '-')}",
            help=HELP[field.name],
            metavar="VALUE",
            rich_help_panel=PROBLEM_PANEL,
        )
        parameters.append(
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[str | None, option],
            )
        )
    keyword_only = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    wrapper.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in keyword_only}
    return wrapper


def _data_option(*names: str, metavar: str, text: str) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=DATA_PANEL)


_Text = str | None
_Texts = list[str] | None
# What overrides a scenario beside the fields of `Problem`, by the names of its workload's options.
_DATA: dict[str, Any] = {
    "data": Annotated[
        _Text,
        _data_option(
            "--data",
            metavar="FILE",
            text="Outcomes, a table or a benchmark's file; for the scenario logged, a log.",
        ),
    ],
    "source": Annotated[
        _Text,
        _data_option("--from", metavar="FORMAT", text="What --data is; recognised unless given."),
    ],
    "models": Annotated[
        _Text,
        _data_option("--models", metavar="FILE", text="Release list of the models in --data."),
    ],
    "prices": Annotated[
        _Text, _data_option("--prices", metavar="FILE", text="Price list of the models in --data.")
    ],
    "price_of": Annotated[
        _Texts,
        _data_option("--price-of", metavar="MODEL=NAME", text="A model's name in --prices."),
    ],
    "features_file": Annotated[
        _Text,
        _data_option(
            "--features", metavar="FILE", text="Numbers known of each query in --data, by query_id."
        ),
    ],
    "assignments": Annotated[
        _Texts,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the scenario's workload."),
    ],
}
_OPTIONS = {"source": "--from", "price_of": "--price-of", "features_file": "--features"}


def with_scenario_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all options that override a scenario.

    The command gets those that were given as a dictionary, in its argument ``overrides``.
    """

    @functools.wraps(command)
    def wrapper(*, problem: dict[str, Any], **arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in _DATA}
        command(overrides=_overrides(problem, given), **arguments)

    own = inspect.signature(command, eval_str=True).parameters.values()
    parameters = [parameter for parameter in own if parameter.name != "overrides"]
    keyword = inspect.Parameter.KEYWORD_ONLY
    for name, annotation in _DATA.items():
        parameters.append(inspect.Parameter(name, keyword, default=None, annotation=annotation))
    keyword_only = [parameter.replace(kind=keyword) for parameter in parameters]
    wrapper.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]
    return with_problem_options(wrapper)


def _overrides(problem: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """All overrides of a scenario that a command was given.

    Raises:
        FieldError: if an assignment is none, or gives what an option has given already.
    """
    assignments = given.pop("assignments") or ()
    values = {**problem, **{name: value for name, value in given.items() if value is not None}}
    for name, value in parse_assignments(assignments).items():
        if name in values:
            option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
            raise FieldError("set", f"{name}={value}", f"another name; {option} is given")
        values[name] = value
    if given["features_file"] is not None:
        # Who names the file wants what is in it.
        values.setdefault("features", "columns")
    return values


def override_words(overrides: Mapping[str, Any]) -> list[str]:
    """The words of a command line that give these overrides."""
    words = []
    for name, value in overrides.items():
        option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
        if name == "price_of":
            words += [word for pair in value for word in (option, pair)]
            continue
        text = value if isinstance(value, str) else json.dumps(value)
        own = name in Problem.field_names() or name in _DATA
        words += [option, text] if own else ["--set", f"{name}={text}"]
    return words


def parse_value(text: str) -> Any:
    """The value that a text stands for: JSON, or values with commas between them, or the text."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    if "," in text:
        return [parse_value(part.strip()) for part in text.split(",")]
    # What float() takes and JSON does not, such as nan and 1e-4's relative 1.e-4.
    try:
        return float(text)
    except ValueError:
        return text


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Options given as ``name=value``.

    Raises:
        FieldError: if there is no ``=``, or a name is given twice.
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name:
            raise FieldError("set", assignment, "name=value")
        if name in values:
            raise FieldError("set", assignment, "a name given only once")
        values[name] = parse_value(text)
    return values


def parse_seeds(text: str) -> Sequence[int]:
    """Seeds from ``10`` (the first ten), ``5:8`` (5, 6, 7) or ``0,3,5``.

    Raises:
        FieldError: if the text is none of these, or names no seed.
    """
    allowed = f"a number of seeds (10), a range (5:15) or a list (0,3,5), to {MOST_DIGITS} digits"
    number = rf"\d{{1,{MOST_DIGITS}}}"
    if re.fullmatch(number, text):
        seeds: Sequence[int] = range(int(text))
    elif ends := re.fullmatch(rf"({number}):({number})", text):
        seeds = range(int(ends[1]), int(ends[2]))
    elif re.fullmatch(rf"{number}(,{number})*,?", text):
        seeds = [int(part) for part in text.split(",") if part]
    else:
        raise FieldError("seeds", text, allowed)
    if not seeds:
        raise FieldError("seeds", text, f"{allowed} that names at least one")
    return seeds


def split_names(given: Iterable[str]) -> list[str]:
    """Names from options that may be repeated and may hold several, with commas between them."""
    return [name.strip() for text in given for name in text.split(",") if name.strip()]
