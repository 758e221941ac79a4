from __future__ import annotations

import datetime
import json

import pytest

from stageroute_gym.errors import FieldError
from stageroute_gym.workloads.prices import Price, match, read_prices


def file_of(folder, content):
    path = folder / "prices.json"
    path.write_text(json.dumps(content))
    return path


def test_litellms_map(tmp_path):
    content = {
        "sample_spec": {"input_cost_per_token": 0.0, "mode": "one of chat, embedding"},
        "birch": {
            "input_cost_per_token": 1e-6,
            "output_cost_per_token": 2e-6,
            "deprecation_date": "2026-03-01",
            "litellm_provider": "grove",
        },
        "free-one": {"input_cost_per_token": 0, "output_cost_per_token": 0},
        "embedder": {"mode": "embedding"},
    }
    prices = read_prices(file_of(tmp_path, content))
    assert prices == {
        "birch": Price(1e-6, 2e-6, None, datetime.date(2026, 3, 1)),
        "free-one": Price(None, None, listed=(0, 0)),
    }


def test_openrouters_list(tmp_path):
    content = {
        "data": [
            {
                "id": "grove/birch",
                "created": 1735689600,
                "pricing": {"prompt": "0.000001", "completion": "0.000002", "request": "0"},
                "expiration_date": "2026-02-01",
            },
            {"id": "grove/auto", "created": 0, "pricing": {"prompt": "-1", "completion": "-1"}},
        ]
    }
    prices = read_prices(file_of(tmp_path, content))
    day = datetime.date
    assert prices["grove/birch"] == Price(1e-6, 2e-6, day(2025, 1, 1), day(2026, 2, 1))
    assert prices["grove/auto"][:2] == (None, None)


def test_prices_a_million_and_a_list_of_ones_own(tmp_path):
    arena = {"a": {"input_token_price_per_million": 1, "output_token_price_per_million": 4}}
    assert read_prices(file_of(tmp_path, arena)) == {"a": Price(1e-6, 4e-6)}
    llms = {"a": {"size": "7B", "input_price": 1, "output_price": 4.0, "service": "x"}}
    assert read_prices(file_of(tmp_path, llms)) == {"a": Price(1e-6, 4e-6)}
    own = tmp_path / "own.csv"
    own.write_text("model,input,output,free\na,1,4,\nb,0,0,true\nc,0,2,\n")
    assert read_prices(own) == {
        "a": Price(1e-6, 4e-6),
        "b": Price(0.0, 0.0),
        "c": Price(None, 2e-6, listed=(0, 2)),
    }


def test_nothing_is_guessed_and_nothing_is_free_unasked():
    cedar = Price(None, 1e-6, listed=("-1", "0.000001"))
    prices = {"grove/birch": Price(1e-6, 2e-6), "cedar": cedar}
    with pytest.raises(FieldError, match=r"prices: model = 'birch': .*'grove/birch' ends alike"):
        match(prices, ["birch"], {})
    assert match(prices, ["birch"], {"birch": "grove/birch"}) == {"birch": prices["grove/birch"]}
    with pytest.raises(FieldError, match=r"price of 'cedar' = \('-1', '0\.000001'\): .*free=true"):
        match(prices, ["cedar"], {})
    with pytest.raises(FieldError, match="price of 'birch' = 'grove/brich'"):
        match(prices, ["birch"], {"birch": "grove/brich"})
    # All at once, as options that can be copied.
    with pytest.raises(FieldError) as caught:
        match(prices, ["birch", "ceder", "xyzzy"], {})
    assert caught.value.value == ["birch", "ceder", "xyzzy"]
    options = "--price-of 'birch=grove/birch' --price-of 'ceder=cedar'; it has none like 'xyzzy'"
    assert options in caught.value.allowed


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("p.json", "{", "JSON: "),
        ("p.json", "[]", "a price list of LiteLLM, OpenRouter, RouterArena or LLMRouter"),
        ("p.csv", "model,input\na,1\n", "column output = None"),
        ("p.csv", "model,input,output\na,1,1\na,1,1\n", "a name given only once"),
        ("p.csv", "model,input,output\n", "a price for at least one model"),
    ],
)
def test_what_is_no_price_list(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(FieldError) as caught:
        read_prices(tmp_path / name)
    assert words in str(caught.value)
    with pytest.raises(FieldError, match="a readable file"):
        read_prices(tmp_path / "absent.json")
