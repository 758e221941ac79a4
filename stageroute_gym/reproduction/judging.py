"""The claims of the paper, each with the rule that decides whether the results agree."""

from __future__ import annotations

from stageroute_gym.reproduction.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
