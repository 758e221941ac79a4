"""Price lists: what a token costs with each model, and when models come and go.

Read are LiteLLM's map, OpenRouter's list, RouterArena's map, LLMRouter's ``llm_data.json``, and CSV
with the columns ``model``, ``input`` and ``output`` in USD per million tokens. A price of 0, of
"-1" or none is unknown: nothing counts as free unless a list of one's own says so with
``free = true``.
"""

from __future__ import annotations

import datetime
import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
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
        listed: what the list has for both, where that is not two prices; otherwise None.
    """

    input: float | None
    output: float | None
    created: datetime.date | None = None
    expires: datetime.date | None = None
    listed: tuple[object, object] | None = None


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
        FieldError: if models are not in the list, with their nearest names there, or one has no
            price.
    """
    found = listed(prices, models, names, field)
    for model, price in found.items():
        if price.input is None or price.output is None:
            value = price.listed if price.listed is not None else tuple(price[:2])
            allowed = (
                "a positive price for prompt and completion, which the list lacks; a CSV of your "
                "own (model,input,output in USD per million) gives it, or says free=true"
            )
            raise FieldError(f"{field}: price of {model!r}", value, allowed)
    return found


def listed(
    prices: Mapping[str, Price],
    models: Sequence[str],
    names: Mapping[str, str],
    field: str = "prices",
) -> dict[str, Price]:
    """What a list has of each model, a price or not; arguments as for `match`.

    Raises:
        FieldError: if models are not in the list, with their nearest names there.
    """
    for model, name in names.items():
        if name not in prices:
            raise FieldError(f"price of {model!r}", name, _nearest(name, prices))
    lacking = [model for model in models if names.get(model, model) not in prices]
    if len(lacking) == 1:
        near = _near(lacking[0], prices)
        said = f"{lacking[0]}={near[0] if near else 'NAME'}"
        allowed = f"{_nearest(lacking[0], prices)} (where it is that one: --price-of '{said}')"
        raise FieldError(f"{field}: model", lacking[0], allowed)
    if lacking:
        raise FieldError(f"{field}: models", lacking, _all_named(lacking, prices))
    return {model: prices[names.get(model, model)] for model in models}


def check_names(names: Mapping[str, str], models: Iterable[str]) -> None:
    """Check that it is models of the data that are given another name.

    Raises:
        FieldError: if one is none of them.
    """
    known = list(models)
    for model in names:
        if model not in known:
            raise FieldError("price_of", model, closest(model, known))


def _near(name: str, known: Iterable[str]) -> list[str]:
    """Names of a list that may be meant, the likeliest first."""
    listed = list(known)
    # Ends of names count for most: lists put the provider before them.
    ends = [other for other in listed if other.rpartition("/")[2] == name.rpartition("/")[2]]
    return ends[:3] or difflib.get_close_matches(name, listed, n=1, cutoff=0.4)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = _near(name, known)
    if not near:
        return "a name of the list, which has none like it"
    if near[0].rpartition("/")[2] == name.rpartition("/")[2]:
        return f"a name of the list; {', '.join(map(repr, near))} ends alike"
    return f"a name of the list: {near[0]!r}, the nearest name"


def _all_named(models: Sequence[str], known: Iterable[str]) -> str:
    """What to say of several models that a list lacks: the options that would name them."""
    listed = list(known)
    near = {model: _near(model, listed) for model in models}
    options = " ".join(f"--price-of '{model}={names[0]}'" for model, names in near.items() if names)
    strange = [model for model, names in near.items() if not names]
    parts = ["names of the list"]
    if options:
        parts.append(f"where the nearest ones are meant: {options}")
    if strange:
        parts.append(f"it has none like {', '.join(map(repr, strange))}")
    return "; ".join(parts)


def _from_json(content: Any) -> dict[str, Price]:
    if isinstance(content, dict) and isinstance(content.get("data"), list):
        return {
            str(entry["id"]): _price(
                (entry.get("pricing") or {}).get("prompt"),
                (entry.get("pricing") or {}).get("completion"),
                created=_day(entry.get("created")),
                expires=_day(entry.get("expiration_date")),
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
            prices[name] = _price(*both, expires=expires)
            continue
        for form in _PER_MILLION:
            if form.format("input") in entry:
                both = entry.get(form.format("input")), entry.get(form.format("output"))
                prices[name] = _price(*both, divisor=MILLION)
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
        price = _price(
            row["input"],
            row["output"],
            divisor=MILLION,
            created=_day(row.get("created")),
            expires=_day(row.get("expires")),
        )
        free = str(row.get("free")).lower() in ("true", "1")
        prices[model] = price._replace(input=0.0, output=0.0, listed=None) if free else price
    if not prices:
        raise FieldError(field, path, "a price for at least one model")
    return prices


def _price(
    prompt: Any,
    completion: Any,
    *,
    divisor: float = 1.0,
    created: datetime.date | None = None,
    expires: datetime.date | None = None,
) -> Price:
    """A price from what a list has."""
    sides = _number(prompt, divisor), _number(completion, divisor)
    listed = (prompt, completion) if None in sides else None
    return Price(*sides, created, expires, listed)


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
