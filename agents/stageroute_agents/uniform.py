"""Uniform: a random set, and equal shares."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from stageroute_agents.allocation import capped_shares
from stageroute_agents.arrays import Batch, Flags, Floats, Integers, State
from stageroute_agents.base import Agent, Kind
from stageroute_agents.streams import SET, draw_uniforms


class Uniform(Agent):
    """Deploys models drawn at random and routes to all of them alike, as far as throughput lets."""

    kind: ClassVar[Kind] = "baseline"

    def plan(self, batch: Batch, state: State, rows: Integers) -> Flags:
        """``M_max`` of the models on offer, all sets equally likely."""
        available = batch["available"] > 0
        draws = draw_uniforms(state["key"][rows], self.moments(batch), SET, self.num_models)
        order = np.argsort(-np.where(available, draws, -1.0), axis=1)
        chosen = np.zeros(available.shape, np.bool_)
        np.put_along_axis(chosen, order[:, : self.problem.max_deployed], True, axis=1)
        return chosen & available

    def shares(self, batch: Batch, state: State, rows: Integers) -> Floats:
        """Equal shares, capped by the throughput."""
        deployed = batch["deployed"]
        return capped_shares(deployed, deployed, self.throughput)
