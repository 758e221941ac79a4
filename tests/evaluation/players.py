"""Tiny agents; the command line's tests find them as ``players:Class``."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from stageroute_gym.errors import FieldError


class Even:
    """Deploys the first models on offer and routes to all of them alike; draws nothing."""

    pause = 0.0

    def __init__(self, context: Any, *, seed: int = 0, share: float = 0.5) -> None:
        self.seed = seed
        self.share = share

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[Any, Any]:
        time.sleep(self.pause)
        routing = observation["phase"] > 0
        wanted = np.where(routing, observation["deployed"], observation["available"])
        return (self.share * wanted).astype(np.float32), state


class Slow(Even):
    """As `Even`, and never through within a test, unless told to hurry."""

    pause = 0.0 if "PLAYERS_HURRY" in os.environ else 0.5


class Dear:
    """Takes the first model that the mask allows, in `StageRoute-v0`; draws nothing."""

    env_id = "StageRoute-v0"

    def __init__(self, context: Any, *, seed: int = 0) -> None:
        self.seed = seed

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[Any, Any]:
        return observation["action_mask"].argmax(axis=-1), state


class Shares:
    """Random shares; the batch's own draws."""

    def __init__(self, context: Any, *, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[Any, Any]:
        return self.rng.random(observation["available"].shape, dtype=np.float32), state


class Prepared(Even):
    """Knows by heart how to play the seeds of a suite, and declines every query of others."""

    def begin(self, seeds: Any) -> Any:
        return np.array([[seed < 1000] for seed in seeds])

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[Any, Any]:
        actions, _ = super().predict(observation)
        return np.where(observation["phase"] > 0, actions * state, actions), state


class Scribbles(Even):
    """Writes over all that it is shown."""

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[Any, Any]:
        actions, state = super().predict(observation, state)
        for values in observation.values():
            values[...] = 1
        return actions, state


class Raises(Even):
    """Raises at its first decision."""

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[Any, Any]:
        raise RuntimeError("out of ideas")


class Refuses(Even):
    """An agent that fits other environments."""

    def __init__(self, context: Any, *, seed: int = 0) -> None:
        raise FieldError("number of models", 11, "3, as in its training")


class Recorder(Even):
    """Keeps what it was told about starts of episodes."""

    def __init__(self, context: Any, *, seed: int = 0) -> None:
        super().__init__(context, seed=seed)
        self.starts: list[Any] = []
        self.progress: list[Any] = []

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        self.starts.append(np.array(episode_start))
        self.progress.append(observation["progress"][:, 0].copy())
        return super().predict(observation, state, episode_start, deterministic)


class Exits(Even):
    """Ends the interpreter as a script does."""

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[Any, Any]:
        raise SystemExit(0)


class Interrupts(Even):
    """Raises what an interruption by the terminal raises."""

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[Any, Any]:
        raise KeyboardInterrupt


class Dies(Even):
    """Ends its process at once."""

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[Any, Any]:
        os._exit(0)


class NotNumbers(Even):
    """Wants shares that are no numbers."""

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[Any, Any]:
        actions, state = super().predict(observation, state)
        return np.full_like(actions, np.nan), state


class Hangs(Even):
    """Never decides."""

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[Any, Any]:
        while True:
            time.sleep(0.01)


class Reference(Even):
    """As `Even`, and says that it knows the truth."""

    kind = "reference"
