"""What kind of world a number stands for: levels of each trait, stratified over the numbers.

Each trait deals its levels like cards: a run of consecutive numbers, as long as the deck, meets
each card once, in an order that is shuffled anew for each run and trait. So every suite of
consecutive numbers is stratified in each trait, while the traits are independent of each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

HALVES = ("tune", "test")

# Cards of each trait; a level that stands several times is as many times as frequent. Most worlds
# are short, since an episode's time grows with its horizon.
_DECKS: dict[str, tuple[str, ...]] = {
    "budget": ("scarce", "tight", "middle", "loose"),
    "models": ("2-4", "5-10", "11-30", "31-100"),
    "horizon": (*("200-1000",) * 7, *("1000-4000",) * 3, "4000-20000", "20000-200000"),
    "stages": ("one", "few", "few", "many"),
    "slots": ("one", "some", "some", "all"),
    "alphas": ("equal", "mixed", "below-one"),
    "costs": ("near-equal", "one-decade", "five-decades", "pareto"),
    "scores": ("binary", "graded", "near-constant", "tiny"),
    "prices": ("informative", "misleading", "missing"),
    "change": ("none", "none", "none", "arrivals", "withdrawals", "drift", "price-cuts", "all"),
    "delay": ("none", "none", "none", "delayed"),
}
MOST_STAGES = 300


@dataclass(frozen=True)
class Traits:
    """What kind of world it is; how far each level reaches stands in its name.

    Args:
        budget: ``scarce`` (cannot serve all queries), ``tight``, ``middle``, ``loose`` (at least
            the dearest model's cost).
        models: least and most models ``N``.
        horizon: least and most queries ``T``.
        stages: ``one``, ``few`` (2 to 30) or ``many`` (to ``T``, and at most 300).
        slots: ``one``, ``some`` or ``all`` models may be deployed at once.
        alphas: throughput ``equal``, enough for all queries, ``mixed``, or ``below-one``: no set
            can serve all of them.
        costs: ``near-equal``, log-uniform over ``one-decade`` or ``five-decades``, or ``pareto``:
            one decade and heavy tails over the queries.
        scores: ``binary``, ``graded`` (five levels), ``near-constant`` for a
            model and group of queries, or ``tiny`` (no
            score above 0.001).
        prices: whether list prices are ``informative``, ``misleading`` or ``missing``.
        change: what changes over time, ``none`` to ``all`` of it.
        delay: whether feedback is ``delayed``.
    """

    budget: str
    models: str
    horizon: str
    stages: str
    slots: str
    alphas: str
    costs: str
    scores: str
    prices: str
    change: str
    delay: str

    def changes(self, kind: str) -> bool:
        """Whether the world changes in that way: arrivals, withdrawals, drift or price-cuts."""
        return self.change in (kind, "all")

    def strata(self) -> dict[str, str]:
        """The stratum of the world in each respect that rankings are broken down by."""
        return {
            "budget": self.budget,
            "models": "few (2-10)" if self.models in ("2-4", "5-10") else "many (11-100)",
            "horizon": "short (to 1000)" if self.horizon == "200-1000" else "long (from 1000)",
            "time": "changing" if self.change != "none" and self.stages != "one" else "stationary",
            "costs": self.costs,
            "scores": self.scores,
            "prices": self.prices,
            "throughput": self.alphas,
            "feedback": "at once" if self.delay == "none" else "delayed",
        }


def draw_traits(half: str, world: int) -> Traits:
    """The traits of a world.

    Args:
        half: ``tune`` or ``test``.
        world: its number, at least 0.
    """
    levels = {}
    for place, (trait, deck) in enumerate(_DECKS.items()):
        deal, card = divmod(world, len(deck))
        order = np.random.default_rng([HALVES.index(half), place, deal]).permutation(len(deck))
        levels[trait] = deck[order[card]]
    return Traits(**levels)


def count_between(level: str, rng: np.random.Generator) -> int:
    """A whole number within a level such as ``11-30``, log-uniform."""
    low, high = (int(end) for end in level.split("-"))
    return min(int(math.exp(rng.uniform(math.log(low), math.log(high + 1)))), high)
