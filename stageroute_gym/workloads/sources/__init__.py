"""Foreign formats: which one a file has, and what reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.workloads.prices import read_prices
from stageroute_gym.workloads.sources.answers import Completed, Source, completed
from stageroute_gym.workloads.sources.benchmarks import (
    is_llmrouter,
    is_llmrouterbench,
    is_routerarena,
    is_sprout,
    read_llmrouter,
    read_llmrouterbench,
    read_routerarena,
    read_sprout,
)
from stageroute_gym.workloads.sources.boards import (
    is_json_lines,
    is_swebench,
    read_json_lines,
    read_swebench,
)

__all__ = ["FORMATS", "Completed", "Format", "read", "recognised"]


class Format(NamedTuple):
    """A foreign format.

    Attributes:
        recognises: whether a path holds it.
        read: what it holds.
    """

    recognises: Callable[[Path], bool]
    read: Callable[[Path], Source]


# In the order in which they are tried.
FORMATS = {
    "swebench": Format(is_swebench, read_swebench),
    "sprout": Format(is_sprout, read_sprout),
    "routerarena": Format(is_routerarena, read_routerarena),
    "llmrouterbench": Format(is_llmrouterbench, read_llmrouterbench),
    "llmrouter": Format(is_llmrouter, read_llmrouter),
    "json-lines": Format(is_json_lines, read_json_lines),
}


def recognised(path: Path) -> str | None:
    """Name of the foreign format that a path holds; None if it is none of them."""
    return next((name for name, known in FORMATS.items() if known.recognises(path)), None)


def read(
    name: str,
    path: Path,
    *,
    prices: str | Path | None,
    price_names: Mapping[str, str],
    without: Sequence[str] = (),
    field: str = "source",
) -> Completed:
    """The outcomes in a foreign file, of every model on every query.

    Args:
        name: the format, one of `FORMATS`.
        path: the file, or folder.
        prices: path of a price list, for answers that tell tokens and no cost; None for none.
        price_names: model -> its name in the price list, where that is another one.
        without: models to leave out.
        field: name of the option that holds the path, for errors.

    Raises:
        FieldError: if the file has a fault, or costs need prices that are not there.
    """
    import polars as pl

    listed = None if prices is None else read_prices(prices)
    try:
        source = FORMATS[name].read(path)
    # What a foreign file may lack or hold in place of an object; or it is no file of that kind.
    except (KeyError, TypeError, AttributeError, OSError, pl.exceptions.PolarsError) as error:
        allowed = f"a file of the format {name}; {type(error).__name__}: {error}"
        raise FieldError(field, str(path), allowed) from error
    if not source.answers:
        raise FieldError(field, str(path), f"a file of the format {name}; it holds no answers")
    models = {answer[2] for answer in source.answers}
    for model in without:
        if model not in models:
            raise FieldError("without", model, closest(model, models))
    kept = [answer for answer in source.answers if answer[2] not in without]
    return completed(source._replace(answers=kept), listed, price_names)
