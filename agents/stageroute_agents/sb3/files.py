"""Agent files: a trained policy with all that is needed to play it, in one ``.sragent`` file.

The file is a zip of ``agent.json`` (algorithm, environment, normalisation, how it was trained) and
``weights.npz`` (the policy's weights as plain numpy arrays). Reading it executes no code from it:
numpy refuses pickled objects, and the policy is built by the installed library. That is not so for
the zip files that stable-baselines3 itself saves: their ``load`` unpickles, so an untrusted one can
run anything.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stageroute_agents.sb3.agent import TrainedAgent
from stageroute_agents.sb3.networks import PlayedNetwork, PlayedScorer
from stageroute_agents.sb3.settings import TrainingSettings, scenario_names
from stageroute_gym import scenarios
from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError
from stageroute_gym.registration import CONTINUOUS
from stageroute_gym.simulator.actions import action_space
from stageroute_gym.wrappers import Normalization, RelativeFeatures
from stageroute_gym.wrappers.shares import logit_space
from stageroute_gym.writing import write_atomically

SUFFIX = ".sragent"
_FORMAT = 2
_DESCRIPTION, _WEIGHTS = "agent.json", "weights.npz"
# Algorithms whose policies are played without torch.
_PLAYED = ("ppo", "a2c", "maskable-ppo")
# Arguments of a policy that change its networks in no other way than their sizes.
_SHAPING = {"net_arch", "log_std_init", "ortho_init", "width", "rounds", "planned"}
_FITTING = "weights of the networks that its settings describe"


def save(
    path: Path,
    policy: Any,
    settings: TrainingSettings,
    normalization: Normalization | RelativeFeatures | None,
    steps: int,
    scenario: Mapping[str, Any] | None = None,
) -> None:
    """Write an agent file; an existing one is replaced only once the new one is complete.

    Args:
        path: where to.
        policy: the policy of stable-baselines3.
        settings: how it was trained.
        normalization: the transformation of the observations that it was trained under; only a
            `Normalization` is kept, since relative features are made for where it plays.
        steps: decisions, or rounds of cloning, that it was trained for.
        scenario: what it was trained on, JSON-native; None for the settings' scenarios.
    """
    if scenario is None:
        each = [scenarios.get(name, **settings.overrides).to_dict() for name in settings.scenarios]
        several = {"name": settings.scenario, "scenarios": each}
        scenario = each[0] if len(each) == 1 else several
    kept = normalization.to_dict() if isinstance(normalization, Normalization) else None
    description = {
        "format": _FORMAT,
        "settings": {**settings.to_dict(), "scenario": scenario["name"]},
        "normalization": kept,
        "scenario": scenario,
        "steps": steps,
        "versions": _versions(),
    }
    arrays = {name: tensor.cpu().numpy() for name, tensor in policy.state_dict().items()}
    weights = io.BytesIO()
    np.savez(weights, **arrays)
    contents: dict[str, str | bytes] = {
        _DESCRIPTION: json.dumps(description, indent=1),
        _WEIGHTS: weights.getvalue(),
    }

    def write(partial: Path) -> None:
        with zipfile.ZipFile(partial, "w") as archive:
            for name, content in contents.items():
                # A ZipInfo holds no time of writing: the same training gives the same bytes.
                archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)

    write_atomically(path, write)


class AgentFile:
    """An agent file as a factory of agents; see `stageroute_gym.evaluation.agents.load`.

    Args:
        path: the file.

    Attributes:
        trained_on: names of the scenarios that it was trained on.

    Raises:
        FieldError: if the file is missing, broken, or of another format.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        try:
            with zipfile.ZipFile(path) as archive:
                description = json.loads(archive.read(_DESCRIPTION))
                weights = io.BytesIO(archive.read(_WEIGHTS))
            with np.load(weights, allow_pickle=False) as arrays:
                self.weights = {name: arrays[name] for name in arrays.files}
            if description["format"] != _FORMAT:
                raise FieldError("format", description["format"], f"{_FORMAT}; train it again")
            self.settings = TrainingSettings.restored(self._trusted(description["settings"]))
            self.normalization = None
            if not self.settings.equivariant:
                self.normalization = Normalization.from_dict(description["normalization"])
            self.steps = int(description["steps"])
            self.scenario: dict[str, Any] = description["scenario"]
            self.trained_on = scenario_names(self.scenario["name"])
        except FileNotFoundError as error:
            raise FieldError("agent file", self.path, "an existing file") from error
        except FieldError as error:
            raise FieldError("agent file", self.path, f"a file that fits here; {error}") from error
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            allowed = f"a whole {SUFFIX} file, as `stageroute train` writes it; {error}"
            raise FieldError("agent file", self.path, allowed) from error
        self.env_id = str(self.settings.env_id)

    def __call__(self, context: Any, *, seed: int = 0) -> TrainedAgent:
        """The agent for a world.

        Weights that fit any world are blind to what features tell of a query; the agent
        `generalist` plays the same weights on scores predicted from them.

        Args:
            context: what it may know of the world it is for, or an environment; see
                `AgentContext.of`.
            seed: seed of the agent's own random numbers.

        Raises:
            FieldError: if the scenario's shape or its actions do not fit, or the
                algorithm is played by torch and the extra ``rl`` is not installed.
        """
        known = AgentContext.of(context)

        # Weights that are shared by all models fit any number of them, and any budget.
        own = self.normalization or self.settings.relative_features.of(known)
        agent = TrainedAgent.of(self.settings, self.player(own), own, seed)
        agent.check(known)
        return agent

    def policy(self, normalization: Normalization | RelativeFeatures) -> Any:
        """The policy as stable-baselines3's own; imports torch.

        Args:
            normalization: the transformation of the observations of the world it is for.

        Raises:
            FieldError: if the weights do not fit, or the extra ``rl`` is not installed.
        """
        self.settings.algorithm.load()
        import torch

        arguments = self.settings.parameters.get("policy_kwargs") or {}
        actions = self._actions(normalization.num_models)
        policy = policy_class(self.settings)(
            normalization.space, actions, lambda _: 0.0, **arguments
        )
        try:
            policy.load_state_dict({k: torch.as_tensor(v) for k, v in self.weights.items()})
        except RuntimeError as error:
            raise FieldError("agent file", self.path, _FITTING) from error
        return policy

    def player(self, normalization: Normalization | RelativeFeatures) -> Any:
        """What plays the weights: compiled code where it can, torch for all other policies.

        Args:
            normalization: as for `policy`.

        Raises:
            FieldError: as by `policy`, whose extra only other policies need.
        """
        arguments = self.settings.parameters.get("policy_kwargs") or {}
        if self.settings.algorithm.name not in _PLAYED or not set(arguments) <= _SHAPING:
            policy = self.policy(normalization)
            from stageroute_agents.sb3.torch_policy import TorchPolicy

            return TorchPolicy(policy)
        kind = PlayedScorer if self.settings.equivariant else PlayedNetwork
        actions = self._actions(normalization.num_models)
        try:
            return kind(self.weights, normalization.space, actions, arguments)
        except FieldError as error:
            raise FieldError("agent file", self.path, _FITTING) from error

    def _actions(self, num_models: int) -> Any:
        continuous = self.env_id == CONTINUOUS
        if continuous and self.settings.equivariant:
            return logit_space(num_models)
        return action_space(num_models, continuous=continuous)

    @staticmethod
    def _trusted(settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings without what only training needs, such as paths of the scenario's data."""
        return {**settings, "scenario": "routerbench", "overrides": {}}


def policy_class(settings: TrainingSettings) -> Any:
    """The class of the policy that settings describe; imports torch."""
    if settings.equivariant:
        from stageroute_agents.sb3.equivariant import EquivariantPolicy

        return EquivariantPolicy
    return settings.algorithm.policy_class()


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    packages = ("stageroute-gym", "stable-baselines3", "sb3-contrib", "torch", "numpy")
    return {package: version(package) for package in packages}
