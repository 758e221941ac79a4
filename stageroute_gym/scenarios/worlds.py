"""Scenarios whose world, problem included, is drawn by number."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

from stageroute_gym.problem import RANGES, Problem
from stageroute_gym.scenarios.scenario import Scenario
from stageroute_gym.workloads import RandomWorld


@dataclass(frozen=True)
class WorldsScenario(Scenario):
    """A family of worlds, of which ``world=17`` takes one; models and horizon differ between them.

    Args:
        given: fields of the problem that the user chose; they stay as they are in any world.
    """

    given: tuple[str, ...] = ()

    @classmethod
    def family(cls, half: str, version: int, description: str) -> Self:
        """The family of a half, at its world 0.

        Args:
            half: as for `stageroute_gym.workloads.RandomWorld`.
            version: as for `Scenario`.
            description: as for `Scenario`.
        """
        workload = RandomWorld(half=half)
        return cls(_name(half), version, workload.problem(), workload, description)

    @property
    def random_world(self) -> RandomWorld:
        """The workload."""
        assert isinstance(self.workload, RandomWorld)
        return self.workload

    def override(self, **overrides: Any) -> Self:
        """As `Scenario.override`; another ``world`` brings its own problem and name.

        Raises:
            FieldError: as `Scenario.override`.
        """
        moved = self._moved(overrides.pop("world")) if "world" in overrides else self
        stages = {"num_stages", "stage_starts"}
        if "horizon" in overrides and not stages & {*self.given, *overrides}:
            horizon = RANGES["horizon"].check("horizon", overrides["horizon"])
            overrides["num_stages"] = min(len(moved.problem.stage_lengths), horizon)
        # Named as it is, since `super` knows no other object than this one.
        changed = Scenario.override(moved, **overrides)
        chosen = {name for name in Problem.field_names() if overrides.get(name) is not None}
        return dataclasses.replace(changed, given=tuple(sorted({*self.given, *chosen})))

    def strata(self) -> dict[str, str]:
        """The stratum of the world in each respect that a ranking can be broken down by."""
        return self.random_world.traits.strata()

    def notes(self) -> tuple[str, ...]:
        """None: a model that never arrives was drawn so."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """As `Scenario.to_dict`, with the strata."""
        return {**super().to_dict(), "strata": self.strata()}

    def _moved(self, world: object) -> Self:
        """The scenario in another world."""
        workload = dataclasses.replace(self.random_world, world=world)  # type: ignore[arg-type]
        kept = {name: getattr(self.problem, name) for name in self.given}
        return dataclasses.replace(
            self,
            name=f"{_name(workload.half)}-{workload.world}",
            problem=workload.problem().replace(**kept),
            workload=workload,
        )


def _name(half: str) -> str:
    return f"worlds-{half}"
