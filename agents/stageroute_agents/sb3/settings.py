"""What a training run is made of, as JSON, and the environment that it trains in."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from stageroute_agents.sb3 import algorithms
from stageroute_agents.sb3.planned import PlannedFeatures, VectorPlanned
from stageroute_gym import checks, scenarios
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.registration import CONTINUOUS, vector_class
from stageroute_gym.wrappers import RelativeFeatures

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

# An episode's rewards are scaled to a sum of at most this, whatever the horizon: the libraries'
# defaults for step sizes and entropy are made for returns of about this size.
RETURN_SCALE = 10.0


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """A training run.

    Args:
        algo: name of the algorithm.
        scenario: name of the scenario; or names of several of as many models, with commas between,
            which share the environments; for an equivariant policy.
        overrides: fields of its problem and options of its workload; of each one's.
        env_id: ``StageRoute-v0`` or ``StageRouteContinuous-v0``; None takes the algorithm's first.
        seed: seed of the networks, the exploration and the training episodes.
        steps: decisions to train for, at least 1; None takes the algorithm's default.
        num_envs: environments to train in, as many for each scenario; None takes the algorithm's
            default.
        hold: queries that a routing decision holds for, or, below 1, the share of the horizon; None
            holds it for the longest stage, or, of several scenarios, the largest share of one.
        price: price of the budget in the reward, or where it starts. A small one teaches an agent
            to save before it learns what running out of budget costs; a large one makes it save too
            much.
        price_step_size: how fast that price adapts by dual ascent; 0 keeps it fixed.
        equivariant: whether the policy scores each model by the same weights, so that it also plays
            with another number of models; for ``ppo`` and ``a2c``.
        eval_interval: decisions between two evaluations, each with a checkpoint.
        eval_episodes: episodes of an evaluation.
        parameters: arguments of the algorithm's class that replace its defaults here; the two
            together are kept. ``action_noise`` is the standard deviation of Gaussian noise.

    Raises:
        FieldError: if a value is not allowed, or the algorithm does not fit the environment.
    """

    algo: str
    scenario: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    env_id: str | None = None
    seed: int = 0
    steps: int | None = None
    num_envs: int | None = None
    hold: float | None = None
    price: float = 0.0
    price_step_size: float = 0.0
    equivariant: bool = False
    eval_interval: int = 20_000
    eval_episodes: int = 5
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        algorithm = algorithms.get(self.algo, self.env_id)
        if self.equivariant and self.algo not in ("ppo", "a2c"):
            raise FieldError("algo", self.algo, "ppo or a2c for the equivariant policy")
        _set = object.__setattr__
        _set(self, "env_id", self.env_id or algorithm.env_ids[0])
        _set(self, "steps", algorithm.steps if self.steps is None else self.steps)
        _set(self, "num_envs", algorithm.num_envs if self.num_envs is None else self.num_envs)
        longest = self._longest_stage()
        _set(self, "hold", longest if self.hold is None else self.hold)
        for name in ("steps", "num_envs", "eval_interval", "eval_episodes"):
            _set(self, name, _count(name, getattr(self, name), 1))
        self._check_scenarios()
        assert self.hold is not None
        if not (isinstance(self.hold, float) and 0 < self.hold < 1):
            _set(self, "hold", _count("hold", self.hold, 1, "or a share of the horizon below 1"))
        _set(self, "seed", _count("seed", self.seed, 0))
        _set(self, "parameters", self._complete(self.parameters))
        for name in ("price", "price_step_size"):
            checks.number(name, getattr(self, name), 0)

    @property
    def algorithm(self) -> algorithms.Algorithm:
        """The algorithm."""
        return algorithms.get(self.algo)

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Names of the scenarios."""
        return scenario_names(self.scenario)

    def each(self) -> tuple[Self, ...]:
        """The settings for each of the scenarios alone, with its part of the environments."""
        names = self.scenarios
        if len(names) == 1:
            return (self,)
        assert self.num_envs is not None
        own = self.num_envs // len(names)
        return tuple(dataclasses.replace(self, scenario=name, num_envs=own) for name in names)

    @property
    def planned(self) -> bool:
        """Whether the policy sees a plan beside the relative features."""
        return bool((self.parameters.get("policy_kwargs") or {}).get("planned", False))

    @property
    def relative_features(self) -> type[RelativeFeatures]:
        """What makes the rows that an equivariant policy sees."""
        return PlannedFeatures if self.planned else RelativeFeatures

    def queries_held(self, horizon: int) -> int:
        """Queries that a routing decision holds for in an episode of ``horizon`` queries."""
        assert self.hold is not None
        return max(int(self.hold * horizon if self.hold < 1 else self.hold), 1)

    def _check_scenarios(self) -> None:
        names, envs = self.scenarios, self.num_envs
        if len(names) == 1:
            return
        if not self.equivariant:
            raise FieldError("scenario", self.scenario, "one scenario; or equivariant settings")
        if len(set(names)) < len(names):
            raise FieldError("scenario", self.scenario, "names given once each")
        assert envs is not None
        if envs % len(names):
            allowed = f"a multiple of {len(names)}, the number of scenarios"
            raise FieldError("num_envs", envs, allowed)

    def _longest_stage(self) -> int | float:
        """The longest stage in queries, or of several scenarios the largest share of a horizon."""
        names = self.scenarios
        problems = [scenarios.get(name, **self.overrides).problem for name in names]
        if len(problems) == 1:
            return int(problems[0].stage_lengths.max())
        return float(max(each.stage_lengths.max() / each.horizon for each in problems))

    def _complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The algorithm's tuned defaults, replaced where asked for."""
        complete = {**self.algorithm.parameters, **given}
        if "batch_size" in complete and "batch_size" not in given and not self.algorithm.off_policy:
            # Few environments collect less than the default batch.
            collected = complete["n_steps"] * self.num_envs
            complete["batch_size"] = min(complete["batch_size"], collected)
        return complete

    def make_env(self) -> VectorEnv[Any, Any, Any]:
        """The vector environment to train in: held, priced, flat or relative, rewards scaled."""
        from gymnasium.wrappers.vector import TransformReward

        from stageroute_gym import wrappers

        assert self.num_envs is not None
        held = self.make_held_env(self.num_envs)
        priced = wrappers.VectorBudgetPrice(held, price=self.price, step_size=self.price_step_size)
        scale = RETURN_SCALE / held.unwrapped.problem.horizon  # type: ignore[attr-defined]
        return TransformReward(self.observed(priced), lambda rewards: rewards * scale)

    def observed(self, env: VectorEnv[Any, Any, Any]) -> VectorEnv[Any, Any, Any]:
        """A vector environment with the observations, and the actions, that the policy deals in."""
        from stageroute_gym import wrappers

        if not self.equivariant:
            return wrappers.VectorFlatObservation(env)
        if self.planned:
            return VectorPlanned(env)
        relative = wrappers.VectorRelativeObservation(env)
        continuous = self.env_id == CONTINUOUS
        return wrappers.VectorSoftmaxAction(relative) if continuous else relative

    def make_held_env(self, num_envs: int) -> VectorEnv[Any, Any, Any]:
        """The scenario's vector environment in which decisions hold; all else is as it is."""
        from stageroute_gym import wrappers

        assert self.env_id is not None  # filled in when the settings were made
        native = vector_class(self.env_id)(num_envs, scenario=self.scenario, **self.overrides)
        return wrappers.VectorHoldDecision(
            native, queries=self.queries_held(native.problem.horizon)
        )

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON-native values."""
        return dataclasses.asdict(self)

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> Self:
        """The settings that ``to_dict`` described.

        Their parameters are whole, so that runs and agent files outlive a change of the defaults.

        Raises:
            FieldError: if a name is unknown or a value is not allowed.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in names:
                raise FieldError("setting", name, closest(name, names))
        settings = cls(**values)
        object.__setattr__(settings, "parameters", dict(values["parameters"]))
        return settings

    @classmethod
    def read(cls, path: Path) -> Self:
        """The settings in a JSON file.

        Raises:
            FieldError: if the file is missing or broken, or a value is not allowed.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FieldError("settings", str(path), f"a readable JSON file; {error}") from error
        try:
            return cls.restored(values)
        except (KeyError, TypeError) as error:
            raise FieldError("settings", str(path), f"all settings of a run; {error}") from error


def scenario_names(text: str) -> tuple[str, ...]:
    """Names of scenarios that stand in a text with commas between them."""
    return tuple(name.strip() for name in text.split(","))


def _count(name: str, value: object, minimum: int, otherwise: str = "") -> int:
    try:
        return checks.count(name, value, minimum)
    except FieldError as error:
        raise FieldError(name, value, f"{error.allowed} {otherwise}".rstrip()) from None
