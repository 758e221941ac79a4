"""Trained networks played without torch: compiled forward passes over the weights of a file.

Every sum has one order, so that a row's result does not depend on the rows beside it, as it would
with a matrix product of a library.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from stageroute_agents.sb3.planned import PLANNED_CONTEXT_FEATURES, PLANNED_MODEL_FEATURES
from stageroute_gym.compiling import njit
from stageroute_gym.errors import FieldError
from stageroute_gym.wrappers.relative import CONTEXT_FEATURES, MODEL_FEATURES
from stageroute_gym.wrappers.shares import LIMIT

Rows = NDArray[np.float32]
Weights = Mapping[str, NDArray[np.float32]]

_AVAILABLE = MODEL_FEATURES.index("available")
_DEPLOYED = MODEL_FEATURES.index("deployed")
_PHASE = CONTEXT_FEATURES.index("phase")
# What a shared scorer is made of, unless its arguments say otherwise; see `equivariant`.
HEADS, WIDTH, ROUNDS = 4, 48, 2
# As torch's LayerNorm.
_EPSILON = np.float32(1e-5)


class PlayedNetwork:
    """The actor of PPO, A2C or MaskablePPO: two layers with tanh and a linear one, as a rule.

    Args:
        weights: the policy's weights by name, as stable-baselines3 names them.
        rows: the space of the rows that it sees.
        actions: the space of its actions.
        arguments: the arguments that shape its networks, as in ``policy_kwargs``.

    Raises:
        FieldError: if the weights are not those of such a policy.
    """

    def __init__(
        self,
        weights: Weights,
        rows: spaces.Box,
        actions: spaces.Space[Any],
        arguments: Mapping[str, Any],
    ) -> None:
        self._actions = actions
        self._check_and_keep(weights, rows.shape[0], arguments)

    def _check_and_keep(self, weights: Weights, inputs: int, arguments: Mapping[str, Any]) -> None:
        shape = arguments.get("net_arch") or [64, 64]
        hidden = shape["pi"] if isinstance(shape, Mapping) else shape
        layers = [name for name in weights if name.startswith("mlp_extractor.policy_net.")]
        names = sorted({name.rpartition(".")[0] for name in layers}, key=_position)
        self._layers = [_dense(weights, name) for name in [*names, "action_net"]]
        sizes = [inputs, *hidden, _num_outputs(self._actions)]
        if [weight.shape for weight, _ in self._layers] != list(pairwise(sizes)):
            raise _misfit()

    def outputs(self, rows: Rows) -> Rows:
        """Means of the actions, or logits of discrete ones, shape (B, A), float32."""
        *hidden, last = self._layers
        for weight, bias in hidden:
            rows = np.tanh(_linear(rows, weight, bias))
        return _linear(rows, *last)

    def best(self, rows: Rows, masks: NDArray[np.bool_] | None = None) -> NDArray[Any]:
        """The likeliest actions, shape (B,), int64, or (B, N), float32.

        Args:
            rows: what the policy sees, shape (B, D), float32.
            masks: which actions are allowed, shape (B, A), if the policy is told.
        """
        outputs = self.outputs(rows)
        if isinstance(self._actions, spaces.Box):
            return np.clip(outputs, self._actions.low, self._actions.high)
        if masks is not None:
            outputs = np.where(masks, outputs, -np.inf)
        return outputs.argmax(axis=1)

    def probabilities(self, rows: Rows, masks: NDArray[np.bool_] | None = None) -> Rows:
        """Probabilities of discrete actions, shape (B, A), float32; arguments as for `best`."""
        logits = self.outputs(rows)
        if masks is not None:
            logits = np.where(masks, logits, np.float32(-np.inf))
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        return likely / likely.sum(axis=1, keepdims=True)


class PlayedScorer(PlayedNetwork):
    """The actor of `stageroute_agents.sb3.equivariant.EquivariantPolicy`."""

    def _check_and_keep(self, weights: Weights, inputs: int, arguments: Mapping[str, Any]) -> None:
        prefix = "mlp_extractor.actor."
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        self._fields, shared = row_sizes(planned=arguments.get("planned", False))
        self._models = (inputs - shared) // self._fields
        self._with_pass = isinstance(self._actions, spaces.Discrete)
        rounds, width = arguments.get("rounds", ROUNDS), arguments.get("width", WIDTH)
        try:
            self._embed = _dense(own, "embed")
            self._rounds = [self._round(own, f"rounds.{i}.") for i in range(rounds)]
            self._score = (*_norm(own, "score.0"), *_dense(own, "score.1"))
            self._whole = (
                *_norm(own, "whole.0"),
                *_dense(own, "whole.1"),
                *_dense(own, "whole.3"),
            )
        except KeyError as error:
            raise _misfit() from error
        if self._embed[0].shape != (self._fields + shared, width):
            raise _misfit()

    @staticmethod
    def _round(weights: Weights, name: str) -> tuple[Rows, ...]:
        parts = [*_norm(weights, f"{name}before_looking"), *_dense(weights, f"{name}look")]
        parts += [*_dense(weights, f"{name}seen"), *_norm(weights, f"{name}before_thinking")]
        parts += [*_dense(weights, f"{name}think.0"), *_dense(weights, f"{name}think.2")]
        return tuple(parts)

    def outputs(self, rows: Rows) -> Rows:
        """Logits of the shares, shape (B, N), or of discrete actions, shape (B, N + 1)."""
        n, fields = self._models, self._fields
        found = np.full((len(rows), n + self._with_pass), -LIMIT, np.float32)
        for row, values in enumerate(rows):
            blocks, context = values[: n * fields].reshape(fields, n), values[n * fields :]
            used = blocks[_DEPLOYED if context[_PHASE] > 0 else _AVAILABLE] > 0
            models = np.flatnonzero(used)
            shared = np.broadcast_to(context, (len(models), len(context)))
            seen = np.ascontiguousarray(np.hstack([blocks[:, models].T, shared]))
            tokens = _linear(seen, *self._embed)
            for parts in self._rounds:
                tokens = _compare(tokens, parts)
            scores = _linear(_normed(tokens, *self._score[:2]), *self._score[2:])
            found[row, models] = np.clip(scores[:, 0], -LIMIT, LIMIT)
            if self._with_pass:
                found[row, n] = _of_the_whole(_mean(tokens), self._whole)[0, 0]
        return found


def row_sizes(*, planned: bool) -> tuple[int, int]:
    """Entries of a row for each model, and of the context after them."""
    if planned:
        return len(PLANNED_MODEL_FEATURES), len(PLANNED_CONTEXT_FEATURES)
    return len(MODEL_FEATURES), len(CONTEXT_FEATURES)


def _position(name: str) -> int:
    return int(name.rpartition(".")[2])


def _dense(weights: Weights, name: str) -> tuple[Rows, Rows]:
    """Weight, inputs first, and bias of a layer."""
    try:
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    except KeyError as error:
        raise _misfit() from error
    if weight.ndim != 2 or bias.shape != weight.shape[:1]:
        raise _misfit()
    return np.ascontiguousarray(weight.T, np.float32), np.ascontiguousarray(bias, np.float32)


def _norm(weights: Weights, name: str) -> tuple[Rows, Rows]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def _num_outputs(actions: spaces.Space[Any]) -> int:
    return int(actions.n) if isinstance(actions, spaces.Discrete) else int(actions.shape[0])  # type: ignore[index]


def _misfit() -> FieldError:
    return FieldError("weights", "of another form", "those of the networks its settings describe")


@njit(cache=True)
def _linear(rows: Rows, weight: Rows, bias: Rows) -> Rows:
    """Rows (B, I) times weight (I, O), plus bias; summed over the inputs in their order."""
    result = np.empty((rows.shape[0], weight.shape[1]), np.float32)
    for b in range(rows.shape[0]):
        for o in range(weight.shape[1]):
            result[b, o] = bias[o]
        for i in range(weight.shape[0]):
            value = rows[b, i]
            for o in range(weight.shape[1]):
                result[b, o] += value * weight[i, o]
    return result


@njit(cache=True)
def _normed(tokens: Rows, scale: Rows, shift: Rows) -> Rows:
    """Each token (M, width) with mean 0 and variance 1, scaled and shifted."""
    width = tokens.shape[1]
    result = np.empty_like(tokens)
    for m in range(tokens.shape[0]):
        mean = np.float32(0.0)
        for i in range(width):
            mean += tokens[m, i]
        mean /= np.float32(width)
        variance = np.float32(0.0)
        for i in range(width):
            variance += (tokens[m, i] - mean) ** 2
        root = np.float32(math.sqrt(variance / np.float32(width) + _EPSILON))
        for i in range(width):
            result[m, i] = (tokens[m, i] - mean) / root * scale[i] + shift[i]
    return result


@njit(cache=True)
def _gelu(values: Rows) -> Rows:
    result = np.empty_like(values)
    for m in range(values.shape[0]):
        for i in range(values.shape[1]):
            x = values[m, i]
            result[m, i] = 0.5 * x * (1.0 + math.erf(x / math.sqrt(2.0)))
    return result


@njit(cache=True)
def _attend(heads: Rows, width: int) -> Rows:
    """What each token sees: heads (M, 3 width) hold queries, keys and values."""
    models, size = heads.shape[0], width // HEADS
    scale = np.float32(1.0 / math.sqrt(size))
    seen = np.zeros((models, width), np.float32)
    weight = np.empty(models, np.float32)
    for head in range(HEADS):
        start = head * size
        for m in range(models):
            largest = np.float32(-np.inf)
            for k in range(models):
                product = np.float32(0.0)
                for i in range(start, start + size):
                    product += heads[m, i] * heads[k, width + i]
                weight[k] = product * scale
                largest = max(largest, weight[k])
            total = np.float32(0.0)
            for k in range(models):
                weight[k] = math.exp(weight[k] - largest)
                total += weight[k]
            for k in range(models):
                for i in range(start, start + size):
                    seen[m, i] += weight[k] / total * heads[k, 2 * width + i]
    return seen


@njit(cache=True)
def _compare(tokens: Rows, parts: Any) -> Rows:
    """One round of `stageroute_agents.sb3.equivariant.Comparison` over the candidates."""
    scale, shift, look, look_bias, seen, seen_bias = parts[:6]
    later_scale, later_shift, think, think_bias, say, say_bias = parts[6:]
    heads = _linear(_normed(tokens, scale, shift), look, look_bias)
    tokens = tokens + _linear(_attend(heads, tokens.shape[1]), seen, seen_bias)
    thought = _gelu(_linear(_normed(tokens, later_scale, later_shift), think, think_bias))
    return tokens + _linear(thought, say, say_bias)


@njit(cache=True)
def _mean(tokens: Rows) -> Rows:
    """The mean token, shape (1, width); 0 if there is none."""
    result = np.zeros((1, tokens.shape[1]), np.float32)
    for m in range(tokens.shape[0]):
        for i in range(tokens.shape[1]):
            result[0, i] += tokens[m, i]
    return result / np.float32(max(tokens.shape[0], 1))


@njit(cache=True)
def _of_the_whole(mean: Rows, parts: Any) -> Rows:
    scale, shift, think, think_bias, say, say_bias = parts
    thought = _gelu(_linear(_normed(mean, scale, shift), think, think_bias))
    return _linear(thought, say, say_bias)
