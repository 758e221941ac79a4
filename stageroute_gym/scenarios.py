from dataclasses import dataclass

import numpy as np

from stageroute_gym.problem import Problem
from stageroute_gym.workloads import *
from stageroute_gym.world import World


@dataclass(frozen=True)
class Scenario:
    name: str
    problem: Problem

    def world(self):
        rng = np.random.default_rng(0)
        Q, N = 4096, 11
        K = len(self.problem.stage_lengths)
        t = OutcomeTable(
            tuple(map(str, range(N))),
            rng.random((Q, N)),
            rng.random((Q, N)) * 1e-3,
            np.zeros(Q, int),
            ("a",),
        )
        av = np.ones((K, N), bool)
        av[:3, 5:] = False
        s = Schedule(np.full((1, Q), 1 / Q), np.zeros(K, int), np.ones((K, N)), av)
        return World(self.problem, t, s)


def get(name, **o):
    return Scenario(
        name,
        Problem(horizon=10000, num_stages=22, max_deployed=5, budget=5e-4, throughput=0.4).replace(
            **o
        ),
    )
