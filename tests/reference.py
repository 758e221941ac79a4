"""A slow model of one episode in plain Python, to test the compiled environment against.

Written from the problem's description alone: it shares no code with the dynamics. The draws are
part of the description: draw ``i`` of an episode is the ``i``-th output of SplitMix64 started at
the episode's key; query ``t`` takes draw ``2 t`` for its row, by the alias table, and draw
``2 t + 1`` for the model that shares are turned into.
"""

from __future__ import annotations

from typing import Any

from stageroute_gym.simulator.world import World, alias_table

WORD = 2**64
TOLERANCE = 1e-6


def splitmix(key: int, index: int) -> float:
    state = (key + (index + 1) * 0x9E3779B97F4A7C15) % WORD
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB % WORD
    state ^= state >> 31
    return (state >> 11) / 2**53


def alias_row(table: Any, draw: float) -> int:
    place = draw * len(table)
    row = min(int(place), len(table) - 1)
    keep, alias = table[row]
    return row if place - row < keep else int(alias)


def capped_shares(weights: dict[int, float], caps: dict[int, float]) -> dict[int, float]:
    """``min(cap, s * weight)`` with the ``s`` that makes the sum 1, or as large as it can be."""
    wanted = {m: w for m, w in weights.items() if w > 0}
    total = sum(wanted.values())
    fits = all(w <= caps[m] + TOLERANCE for m, w in wanted.items())
    if not wanted or (fits and abs(total - 1) <= TOLERANCE):
        return wanted
    # In this order each model, once capped, stays so while the scale grows.
    free = sorted(wanted, key=lambda m: caps[m] / wanted[m])
    full: list[int] = []
    while free:
        rest = 1 - sum(caps[m] for m in full)
        scale = rest / sum(wanted[m] for m in free)
        if scale * wanted[free[0]] <= caps[free[0]]:
            return {m: caps[m] if m in full else scale * wanted[m] for m in sorted(wanted)}
        full.append(free.pop(0))
    return {m: caps[m] for m in sorted(wanted)}


class Reference:
    """One episode; `step` returns what the environment should.

    Args:
        world: the world to play in.
        key: the number that decides the episode's draws.
        continuous: which of the two ids.
    """

    def __init__(self, world: World, key: int, *, continuous: bool) -> None:
        self.world, self.problem, self.key, self.continuous = world, world.problem, key, continuous
        self.models = range(world.num_models)
        self.alpha = dict(enumerate(world.throughput.tolist()))
        self.bounds = world.problem.stage_bounds.tolist()
        self.aliases = [alias_table(mix).tolist() for mix in world.schedule.mixes]
        self.t = self.stage = 0
        self.spend = self.regret = 0.0
        self.declined = self.invalid = self.activations = 0
        self.deployed: list[int] = []
        self.tokens = dict.fromkeys(self.models, self.problem.burst)
        self.ready = dict.fromkeys(self.models, 0)
        self.history: list[tuple[int, float, float]] = []
        self.activation_spend = 0.0
        self.served = -1
        self.score = self.cost = 0.0
        self.over = False
        self.open_stage()

    def open_stage(self) -> None:
        self.deploying = True
        self.previous = self.deployed
        self.chosen: list[int] = []
        self.row: int | None = None
        on_offer = self.world.schedule.available[self.stage].tolist()
        self.available = [m for m in self.models if on_offer[m]]
        self.update_deploy_mask()

    def update_deploy_mask(self) -> None:
        self.mask = [m in self.available and m not in self.chosen for m in self.models]
        self.mask.append(bool(self.chosen) or not self.available)

    @property
    def complete(self) -> bool:
        return len(self.chosen) == self.problem.max_deployed or len(self.chosen) == len(
            self.available
        )

    def commit(self) -> None:
        fresh = [m for m in self.chosen if m not in self.previous]
        for m in fresh:
            self.ready[m] = self.t + self.problem.activation_delay if self.stage > 0 else 0
            self.activations += 1
            self.spend += self.problem.deployment_cost
            self.activation_spend += self.problem.deployment_cost
        self.deployed = sorted(self.chosen)
        self.deploying = False
        self.mask = [False for _ in self.models] + [True]

    def show_query(self) -> None:
        mix = int(self.world.schedule.stage_mix[self.stage])
        self.row = alias_row(self.aliases[mix], splitmix(self.key, 2 * self.t))
        self.update_route_mask()

    def update_route_mask(self) -> None:
        self.mask = [
            m in self.deployed
            and self.t >= self.ready[m]
            and (self.continuous or self.tokens[m] >= 1)
            for m in self.models
        ]
        self.mask.append(True)

    def serve(self, model: int) -> None:
        self.served = model
        self.score = float(self.world.table.score[self.row, model])
        if splitmix(self.key, 2**40 + self.t) < self.problem.failure_rate:
            self.score = 0.0
        multiplier = float(self.world.schedule.cost_multiplier[self.stage, model])
        self.cost = float(self.world.table.cost[self.row, model]) * multiplier
        self.spend += self.cost
        mix = self.world.schedule.mixes[int(self.world.schedule.stage_mix[self.stage])].tolist()
        mean = sum(w * s for w, s in zip(mix, self.world.table.score[:, model], strict=True))
        self.regret += self.value - float(mean) * (1 - self.problem.failure_rate)

    def decline(self) -> None:
        self.declined += 1
        self.regret += self.value

    @property
    def value(self) -> float:
        return float(self.world.stage_values[self.stage])

    def deploy(self, action: Any) -> None:
        if self.continuous:
            order = sorted(self.available, key=lambda m: (-action[m], m))
            wanted = [m for m in order if action[m] > 0]
            self.chosen = wanted[: self.problem.max_deployed]
            self.invalid += not self.chosen and bool(self.available)
            self.commit()
            return
        legal = self.mask[action]
        self.invalid += not legal
        if legal and action < len(self.models):
            self.chosen.append(action)
            self.update_deploy_mask()
        if not legal or action == len(self.models) or self.complete:
            self.commit()

    def route(self, action: Any) -> None:
        model = self.pick_by_shares(action) if self.continuous else self.pick(action)
        if model is None:
            self.decline()
        else:
            self.serve(model)
            if not self.continuous:
                self.tokens[model] -= 1
        for m in self.deployed:
            self.tokens[m] = min(self.problem.burst, self.tokens[m] + self.alpha[m])
        told = splitmix(self.key, 2**41 + self.t) < self.problem.feedback_rate or self.served < 0
        self.history.append((self.served, self.score if told else -1, self.cost))
        self.t += 1

    def pick(self, action: int) -> int | None:
        if not self.mask[action]:
            self.invalid += 1
            return None
        return action if action < len(self.models) else None

    def pick_by_shares(self, action: Any) -> int | None:
        weights = {m: float(action[m]) for m in self.deployed if self.mask[m]}
        shares = capped_shares(weights, self.alpha)
        if not shares:
            self.invalid += any(w > 0 for w in action)
            return None
        total = sum(shares.values())
        draw = splitmix(self.key, 2 * self.t + 1)
        if total >= 1 - TOLERANCE:
            draw *= total
        elif draw >= total:
            return None
        for m, share in shares.items():
            draw -= share
            if draw < 0:
                return m
        return list(shares)[-1]

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, dict[str, Any]]:
        self.served, self.score, self.cost = -1, 0.0, 0.0
        if self.deploying:
            self.deploy(action)
        else:
            self.route(action)
        broke = self.problem.budget_rule == "hard" and self.spend >= self.problem.total_budget
        if self.t == self.problem.horizon or broke:
            self.over = True
            if not self.continuous and not self.deploying:
                self.update_route_mask()
            for query in range(self.t, self.problem.horizon):
                stage = sum(bound <= query for bound in self.bounds) - 1
                self.regret += float(self.world.stage_values[stage])
        elif self.t == self.bounds[self.stage + 1]:
            self.stage += 1
            self.open_stage()
        elif not self.deploying:
            self.show_query()
        return self.observation(), self.score, self.over, self.info()

    def info(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "t": self.t,
            "model": self.served,
            "score": self.score,
            "cost": self.cost,
            "spend": self.spend,
            "oracle_score": self.value,
            "regret": self.regret,
            "declined": self.declined,
            "invalid_actions": self.invalid,
            "activations": self.activations,
        }

    def observation(self) -> dict[str, Any]:
        """Numbers as they are before they are rounded to float32."""
        seen = self.history[: max(0, len(self.history) - self.problem.feedback_delay)]
        of_model = {m: [(s, c) for model, s, c in seen if model == m] for m in self.models}
        last = seen[-1] if seen else (-1, 0.0, 0.0)
        seen_spend = self.activation_spend + sum(c for _, _, c in seen)
        start, end = self.bounds[self.stage], self.bounds[self.stage + 1]
        table = self.world.table
        shown = self.chosen if self.deploying else self.deployed
        features = table.features[self.row] if self.row is not None else 0 * table.features[0]

        def mean(pairs: list[tuple[float, float]], which: int) -> float:
            return sum(pair[which] for pair in pairs) / len(pairs) if pairs else 0.0

        def scored(model: int) -> list[tuple[float, float]]:
            return [pair for pair in of_model[model] if pair[0] >= 0]

        return {
            "action_mask": [int(allowed) for allowed in self.mask],
            "available": [int(m in self.available) for m in self.models],
            "budget_left": [1 - seen_spend / self.problem.total_budget],
            "deployed": [int(m in shown) for m in self.models],
            "last_action": [last[0]],
            "last_cost": [last[2]],
            "last_score": [last[1]],
            "list_price": table.list_price.tolist(),
            "mean_cost": [mean(of_model[m], 1) for m in self.models],
            "mean_score": [mean(scored(m), 0) for m in self.models],
            "phase": [0 if self.deploying else 1],
            "previous": [int(m in self.previous) for m in self.models],
            "progress": [self.t / self.problem.horizon, (self.t - start) / (end - start)],
            "pulls": [len(scored(m)) for m in self.models],
            "query": features.tolist(),
            "throughput": [self.alpha[m] for m in self.models],
            "tokens": [self.tokens[m] for m in self.models],
        }
