"""A policy of stable-baselines3 as what `TrainedAgent` plays."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Memory = tuple[NDArray[np.float32], NDArray[np.float32]]


class TorchPolicy:
    """The decisions of a policy, for those that `networks` cannot play, and while training.

    Args:
        policy: the policy, as the library made it.
    """

    def __init__(self, policy: Any) -> None:
        policy.set_training_mode(False)
        self._policy = policy

    def best(self, rows: NDArray[np.float32], masks: NDArray[np.bool_] | None = None) -> Any:
        """The likeliest or most valuable actions; see `networks.PlayedNetwork.best`."""
        told = {} if masks is None else {"action_masks": masks}
        return self._policy.predict(rows, deterministic=True, **told)[0]

    def probabilities(
        self, rows: NDArray[np.float32], masks: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """Probabilities of discrete actions; see `networks.PlayedNetwork.probabilities`."""
        told = {} if masks is None else {"action_masks": masks}
        with torch.no_grad():
            tensor, _ = self._policy.obs_to_tensor(rows)
            return self._policy.get_distribution(tensor, **told).distribution.probs.numpy()

    def memory(self, rows: int) -> Memory:
        """The memory of ``rows`` episodes at their start, each part of shape (L, rows, width)."""
        layers, _, width = self._policy.lstm_hidden_state_shape
        shape = (layers, rows, width)
        return np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    def best_with_memory(
        self, rows: NDArray[np.float32], memory: Memory, starts: NDArray[np.bool_]
    ) -> tuple[Any, Memory]:
        """As `best`, for a policy with a memory, which is returned as it is afterwards."""
        return self._policy.predict(rows, state=memory, episode_start=starts, deterministic=True)

    def probabilities_with_memory(
        self, rows: NDArray[np.float32], memory: Memory, starts: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], Memory]:
        """As `probabilities`, for a policy with a memory."""
        with torch.no_grad():
            tensor, _ = self._policy.obs_to_tensor(rows)
            hidden, cell = (torch.as_tensor(part) for part in memory)
            begun = torch.as_tensor(starts, dtype=torch.float32)
            distribution, after = self._policy.get_distribution(tensor, (hidden, cell), begun)
        probabilities = distribution.distribution.probs.numpy()
        return probabilities, (after[0].numpy(), after[1].numpy())
