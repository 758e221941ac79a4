"""A policy that scores each model by that model's own statistics, with the same weights for each.

Renaming the models renames its actions and changes nothing else, and it plays with any number of
models: its weights know of none. Features of queries are left out, since they differ from one
scenario to the next.
"""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from gymnasium.spaces.utils import flatdim
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from stageroute_gym.wrappers.normalization import CONTEXT_FEATURES, MODEL_FEATURES

_CANDIDATE = (MODEL_FEATURES.index("available"), MODEL_FEATURES.index("deployed"))
_PHASE = CONTEXT_FEATURES.index("phase")


class SharedScorer(nn.Module):
    """Scores of all models, and one of the whole, from a flat row.

    Each model's features and the context are embedded by one network; mean and maximum over the
    candidates (available ones in the deploy phase, deployed ones in the route phase) tell each
    model of the others; a second network scores it.

    Args:
        num_models: number of models ``N`` of the rows; no weight depends on it.
        width: units of the hidden layers.
        with_pass: whether a score for PASS is added, for discrete actions.
    """

    def __init__(self, num_models: int, width: int, *, with_pass: bool) -> None:
        super().__init__()
        self.num_models = num_models
        context = len(CONTEXT_FEATURES)
        self.embed = nn.Sequential(
            nn.Linear(len(MODEL_FEATURES) + context, width),
            nn.Tanh(),
            nn.Linear(width, width),
            nn.Tanh(),
        )
        self.score = nn.Sequential(
            nn.Linear(3 * width + context, width), nn.Tanh(), nn.Linear(width, 1)
        )
        self.whole = nn.Sequential(
            nn.Linear(2 * width + context, width), nn.Tanh(), nn.Linear(width, 1)
        )
        self.with_pass = with_pass
        if with_pass:
            self.decline = nn.Linear(2 * width + context, 1)

    def pooled(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Embeddings (B, N, width), their pooling (B, 2 width) and the context (B, C) of rows."""
        n, fields = self.num_models, len(MODEL_FEATURES)
        blocks = rows[:, : n * fields].reshape(-1, fields, n)
        context = rows[:, n * fields : n * fields + len(CONTEXT_FEATURES)]
        shared = context[:, None, :].expand(-1, n, -1)
        embedded = self.embed(torch.cat([blocks.transpose(1, 2), shared], dim=2))
        routing = context[:, _PHASE, None] > 0
        candidate = torch.where(routing, blocks[:, _CANDIDATE[1]], blocks[:, _CANDIDATE[0]])
        weight = candidate[:, :, None]
        mean = (embedded * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1.0)
        # Embeddings lie in [-1, 1], so that 2 is below all of them.
        largest = (embedded - 2.0 * (1.0 - weight)).amax(dim=1).clamp(min=-1.0)
        return embedded, torch.cat([mean, largest], dim=1), context

    def actor(self, rows: Tensor) -> Tensor:
        """Scores, shape (B, N), or (B, N + 1) with PASS last."""
        embedded, pool, context = self.pooled(rows)
        whole = torch.cat([pool, context], dim=1)
        each = torch.cat([embedded, whole[:, None, :].expand(-1, self.num_models, -1)], dim=2)
        scores = self.score(each)[:, :, 0]
        return torch.cat([scores, self.decline(whole)], dim=1) if self.with_pass else scores

    def critic(self, rows: Tensor) -> Tensor:
        """One value for each row, shape (B, 1)."""
        _, pool, context = self.pooled(rows)
        return self.whole(torch.cat([pool, context], dim=1))


class _ActorAndCritic(nn.Module):
    """The two networks in the place where stable-baselines3 expects its feature networks."""

    def __init__(self, num_models: int, width: int, *, with_pass: bool) -> None:
        super().__init__()
        self.actor = SharedScorer(num_models, width, with_pass=with_pass)
        self.value = SharedScorer(num_models, width, with_pass=False)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        return self.forward_actor(rows), self.forward_critic(rows)

    def forward_actor(self, rows: Tensor) -> Tensor:
        return self.actor.actor(rows)

    def forward_critic(self, rows: Tensor) -> Tensor:
        return self.value.critic(rows)


class EquivariantPolicy(ActorCriticPolicy):
    """The policy, for stable-baselines3's PPO and A2C on flat normalised observations.

    Args:
        observation_space: as for ``ActorCriticPolicy``.
        action_space: as for ``ActorCriticPolicy``.
        lr_schedule: as for ``ActorCriticPolicy``.
        width: units of the hidden layers.
        log_std_init: logarithm of the continuous actions' first standard deviation.
        arguments: further arguments of ``ActorCriticPolicy``.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Any,
        width: int = 64,
        log_std_init: float = -1.0,
        **arguments: Any,
    ) -> None:
        self._width = width
        super().__init__(
            observation_space, action_space, lr_schedule, log_std_init=log_std_init, **arguments
        )

    def _build(self, lr_schedule: Any) -> None:
        discrete = isinstance(self.action_space, spaces.Discrete)
        n = int(flatdim(self.action_space)) - discrete
        networks = _ActorAndCritic(n, self._width, with_pass=discrete)
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
