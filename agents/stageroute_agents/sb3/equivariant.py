"""A policy that scores each model by that model's own statistics, with the same weights for each.

Renaming the models renames its actions and changes nothing else, and it plays with any number of
models: its weights know of none. It reads the relative observation (`RelativeFeatures`), or that
beside a plan (`planned`). Both leave out the features of queries, since these differ from one
scenario to the next.
"""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn
from torch.nn import functional

from stageroute_agents.sb3.networks import HEADS, ROUNDS, WIDTH, row_sizes
from stageroute_gym.wrappers.relative import CONTEXT_FEATURES, MODEL_FEATURES
from stageroute_gym.wrappers.shares import LIMIT

_AVAILABLE = MODEL_FEATURES.index("available")
_DEPLOYED = MODEL_FEATURES.index("deployed")
_PHASE = CONTEXT_FEATURES.index("phase")


class Comparison(nn.Module):
    """One round in which each model looks at all candidates: attention, then a network of its own.

    Args:
        width: numbers that stand for a model.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before_looking, self.before_thinking = nn.LayerNorm(width), nn.LayerNorm(width)
        self.look = nn.Linear(width, 3 * width)
        self.seen = nn.Linear(width, width)
        self.think = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, tokens: Tensor, candidate: Tensor) -> Tensor:
        """New tokens (B, M, width) from tokens and candidates (B, M), bool."""
        batch, models, width = tokens.shape
        heads = self.look(self.before_looking(tokens))
        heads = heads.view(batch, models, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        # Large negative, not infinite: a row without candidates must not become NaN.
        hidden = torch.where(candidate, 0.0, -1e9)[:, None, None, :]
        query, key, value = heads
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=hidden)
        tokens = tokens + self.seen(seen.transpose(1, 2).reshape(batch, models, width))
        return tokens + self.think(self.before_thinking(tokens))


class SharedScorer(nn.Module):
    """Scores of all models, or one of the whole, from rows of relative features.

    Only the candidates count: the models on offer in the deploy phase, the deployed ones in the
    route phase. All others get the lowest score.

    Args:
        num_models: number of models ``N`` of the rows; no weight depends on it.
        width: numbers that stand for a model.
        rounds: rounds of comparison.
        planned: whether the rows hold a plan.
        with_pass: whether a score for PASS is added, for discrete actions.
    """

    def __init__(
        self, num_models: int, width: int, rounds: int, *, planned: bool, with_pass: bool
    ) -> None:
        super().__init__()
        self.num_models = num_models
        self.fields, shared = row_sizes(planned=planned)
        self.with_pass = with_pass
        self.embed = nn.Linear(self.fields + shared, width)
        self.rounds = nn.ModuleList(Comparison(width) for _ in range(rounds))
        self.score = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 1))
        self.whole = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1)
        )

    def compared(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (B, M, width) of the candidates first, which are candidates, and their models.

        ``M`` is the largest number of candidates in a row, so that nothing is spent on the others.
        """
        n, fields = self.num_models, self.fields
        blocks = rows[:, : n * fields].reshape(-1, fields, n)
        context = rows[:, n * fields :]
        routing = context[:, _PHASE, None] > 0
        candidate = torch.where(routing, blocks[:, _DEPLOYED], blocks[:, _AVAILABLE]) > 0
        most = max(int(candidate.sum(dim=1).max()), 1)
        models = candidate.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :most]
        candidate = candidate.gather(1, models)
        each = blocks.transpose(1, 2).gather(1, models[:, :, None].expand(-1, -1, fields))
        shared = context[:, None, :].expand(-1, most, -1)
        tokens = self.embed(torch.cat([each, shared], dim=2))
        for comparison in self.rounds:
            tokens = comparison(tokens, candidate)
        return tokens, candidate, models

    def actor(self, rows: Tensor) -> Tensor:
        """Scores, shape (B, N), or (B, N + 1) with PASS last."""
        tokens, candidate, models = self.compared(rows)
        scores = self.score(tokens)[:, :, 0].clamp(-LIMIT, LIMIT)
        scores = torch.where(candidate, scores, -LIMIT)
        lowest = scores.new_full((len(rows), self.num_models), -LIMIT)
        scattered = lowest.scatter(1, models, scores)
        if not self.with_pass:
            return scattered
        return torch.cat([scattered, self.whole(_mean(tokens, candidate))], dim=1)

    def critic(self, rows: Tensor) -> Tensor:
        """One value for each row, shape (B, 1)."""
        tokens, candidate, _ = self.compared(rows)
        return self.whole(_mean(tokens, candidate))


def _mean(tokens: Tensor, candidate: Tensor) -> Tensor:
    weight = candidate.to(tokens.dtype)[:, :, None]
    return (tokens * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1.0)


class _ActorAndCritic(nn.Module):
    """The two networks in the place where stable-baselines3 expects its feature networks."""

    def __init__(
        self, num_models: int, width: int, rounds: int, *, planned: bool, with_pass: bool
    ) -> None:
        super().__init__()
        shape = (num_models, width, rounds)
        self.actor = SharedScorer(*shape, planned=planned, with_pass=with_pass)
        self.value = SharedScorer(*shape, planned=planned, with_pass=False)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        return self.forward_actor(rows), self.forward_critic(rows)

    def forward_actor(self, rows: Tensor) -> Tensor:
        return self.actor.actor(rows)

    def forward_critic(self, rows: Tensor) -> Tensor:
        return self.value.critic(rows)


class EquivariantPolicy(ActorCriticPolicy):
    """The policy, for stable-baselines3's PPO and A2C on relative observations.

    Args:
        observation_space: as for ``ActorCriticPolicy``.
        action_space: of logits, see `stageroute_gym.wrappers.SoftmaxAction`, or discrete.
        lr_schedule: as for ``ActorCriticPolicy``.
        width: numbers that stand for a model, a multiple of 4.
        rounds: rounds in which the models are compared.
        planned: whether the observations hold a plan, as `planned.PlannedFeatures` do.
        log_std_init: logarithm of the logits' first standard deviation.
        arguments: further arguments of ``ActorCriticPolicy``.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Any,
        width: int = WIDTH,
        rounds: int = ROUNDS,
        planned: bool = False,
        log_std_init: float = -1.0,
        **arguments: Any,
    ) -> None:
        self._width, self._rounds, self._planned = width, rounds, planned
        super().__init__(
            observation_space, action_space, lr_schedule, log_std_init=log_std_init, **arguments
        )

    def _build(self, lr_schedule: Any) -> None:
        discrete = isinstance(self.action_space, spaces.Discrete)
        fields, shared = row_sizes(planned=self._planned)
        size = self.observation_space.shape[0] - shared  # type: ignore[index]
        networks = _ActorAndCritic(
            size // fields, self._width, self._rounds, planned=self._planned, with_pass=discrete
        )
        self.mlp_extractor = networks  # type: ignore[assignment]
        self.action_net, self.value_net = nn.Identity(), nn.Identity()  # type: ignore[assignment]
        if not discrete:
            # One for all models, since their number must not matter.
            self.log_std = nn.Parameter(torch.full((1,), self.log_std_init))
        self.optimizer = self.optimizer_class(
            self.parameters(),
            lr=lr_schedule(1),  # type: ignore[call-arg]
            **self.optimizer_kwargs,
        )
