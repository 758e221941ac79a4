"""Price lists: what a token costs with each model, and when models come and go.

Read are LiteLLM's map, OpenRouter's list, RouterArena's map, LLMRouter's ``llm_data.json``, and CSV
with the columns ``model``, ``input`` and ``output`` in USD per million tokens. A price of 0, of
"-1" or none is unknown: nothing counts as free unless a list of one's own says so with
``free = true``.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stageroute_gym.errors import FieldError, closest
from stageroute_gym.workloads.table_files import read_table

MILLION = 1e6
# Prompt and completion tokens of a typical query, one round pair for all models: in RouterBench,
# mean cost over prompt price is about 230 tokens where both prices are equal and 298 where
# completions cost three times as much, which 196 and 34 tokens explain. A model's list price so
# knows nothing of how long that model answers.
TYPICAL_TOKENS = (200, 30)
# RouterArena's and LLMRouter's names of prices in USD per million tokens.
_SIDES = ("input", "output")
_PER_MILLION = ("{}_token_price_per_million", "{}_price")
# LiteLLM's description of its own format, not a model.
_NO_MODEL = "sample_spec"


class Price(NamedTuple):
    """What a model's tokens cost.

    Attributes:
        input: USD a prompt token; None where the list has no price.
        output: USD a completion token; None where the list has no price.
        created: the day from which on the model was offered; None where the list does not tell.
        expires: the day on which it is withdrawn; None where the list does not tell.
    """

    input: float | None
    output: float | None
    created: datetime.date | None = None
    expires: datetime.date | None = None


def read_prices(path: str | Path, field: str = "prices") -> dict[str, Price]:
    """The price list in a file, by the names that it has.

    Args:
        path: a ``.json`` or ``.csv`` file.
        field: name of the option that holds the path, for errors.

    Raises:
        FieldError: if it cannot be read, or is none of the lists that are known.
    """
    file = Path(path)
    if file.suffix.lower() != ".json":
        return _from_table(read_table(file, field).frame.to_dicts(), field, str(path))
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FieldError(field, str(path), f"a readable file: {error.strerror}") from error
    except ValueError as error:
        raise FieldError(field, str(path), f"JSON: {error}") from error
    prices = _from_json(content)
    if not prices:
        allowed = (
            "a price list of LiteLLM, OpenRouter, RouterArena or LLMRouter, "
            "or a CSV: model,input,output"
        )
        raise FieldError(field, str(path), allowed)
    return prices


def match(
    prices: Mapping[str, Price],
    models: Sequence[str],
    names: Mapping[str, str],
    field: str = "prices",
) -> dict[str, Price]:
    """The price of each model; nothing is guessed.

    Args:
        prices: the list.
        models: the models that need one.
        names: what a model is called in the list, for models that have another name there.
        field: name of the option that holds the list, for errors.

    Raises:
        FieldError: if a model is not in the list, with its nearest name there, or has no price.
    """
    for model, listed in names.items():
        if listed not in prices:
            raise FieldError(f"price of {model!r}", listed, _nearest(listed, prices))
    found = {}
    for model in models:
        name = names.get(model, model)
        if name not in prices:
            hint = _nearest(model, prices)
            allowed = f"{hint} (say so: --price-of '{model}=NAME')"
            raise FieldError(f"{field}: model", model, allowed)
        price = prices[name]
        if price.input is None or price.output is None:
            allowed = "a positive price for prompt and completion; the list has none, 0 or -1"
            raise FieldError(f"{field}: price of {model!r}", tuple(price[:2]), allowed)
        found[model] = price
    return found


def _nearest(name: str, prices: Mapping[str, Price]) -> str:
    # Ends of names count for most: lists put the provider before them.
    ends = [known for known in prices if known.rpartition("/")[2] == name.rpartition("/")[2]]
    if ends:
        return f"a name of the list; {', '.join(repr(end) for end in ends[:3])} ends alike"
    return f"a name of the list: {closest(name, list(prices)).partition(', or')[0][:200]}"


def _from_json(content: Any) -> dict[str, Price]:
    if isinstance(content, dict) and isinstance(content.get("data"), list):
        return {
            str(entry["id"]): Price(
                _number((entry.get("pricing") or {}).get("prompt")),
                _number((entry.get("pricing") or {}).get("completion")),
                _day(entry.get("created")),
                _day(entry.get("expiration_date")),
            )
            for entry in content["data"]
            if isinstance(entry, dict) and "id" in entry
        }
    prices = {}
    for name, entry in content.items() if isinstance(content, dict) else ():
        if name == _NO_MODEL or not isinstance(entry, dict):
            continue
        if "input_cost_per_token" in entry or "output_cost_per_token" in entry:
            both = entry.get("input_cost_per_token"), entry.get("output_cost_per_token")
            expires = _day(entry.get("deprecation_date"))
            prices[name] = Price(_number(both[0]), _number(both[1]), None, expires)
            continue
        for form in _PER_MILLION:
            if form.format("input") in entry:
                sides = [_number(entry.get(form.format(side)), MILLION) for side in _SIDES]
                prices[name] = Price(sides[0], sides[1])
    return prices


def _from_table(rows: list[dict[str, Any]], field: str, path: str) -> dict[str, Price]:
    prices: dict[str, Price] = {}
    for row in rows:
        for column in ("model", "input", "output"):
            if column not in row:
                allowed = (
                    f"a column of that name, prices in USD per million; {closest(column, row)}"
                )
                raise FieldError(f"{field}: column {column}", None, allowed)
        model = str(row["model"])
        if model in prices:
            raise FieldError(f"{field}: model", model, "a name given only once")
        free = str(row.get("free")).lower() in ("true", "1")
        prices[model] = Price(
            0.0 if free else _number(row["input"], MILLION),
            0.0 if free else _number(row["output"], MILLION),
            _day(row.get("created")),
            _day(row.get("expires")),
        )
    if not prices:
        raise FieldError(field, path, "a price for at least one model")
    return prices


def _number(value: Any, divisor: float = 1.0) -> float | None:
    """A price in USD a token; None for what is no price: 0, below 0, nothing, other text."""
    try:
        number = float(value) / divisor
    except (TypeError, ValueError):
        return None
    return number if 0 < number < float("inf") else None


def _day(value: Any) -> datetime.date | None:
    if isinstance(value, datetime.date):
        return value
    if isinstance(value, (int, float)):
        return datetime.datetime.fromtimestamp(value, datetime.UTC).date()
    try:
        return datetime.datetime.fromisoformat(str(value)).date()
    except ValueError:
        return None
