"""Which models are shown where there is no room for all."""

from __future__ import annotations

from stageroute_gym.rendering.snapshot import Snapshot


def shown_models(shot: Snapshot, room: int) -> list[int]:
    """The models to show, at most ``room``, in their order.

    What is deployed comes first, then what served most, then what is on offer.
    """
    if len(shot.models) <= room:
        return list(range(len(shot.models)))

    def rank(model: int) -> tuple[bool, float, bool, int]:
        offered = bool(shot.available[model])
        return not shot.deployed[model], -float(shot.pulls[model]), not offered, model

    return sorted(sorted(range(len(shot.models)), key=rank)[:room])


def folded_line(shot: Snapshot, shown: list[int]) -> str:
    """What is said of the models that are not shown; empty if all are."""
    hidden = [model for model in range(len(shot.models)) if model not in set(shown)]
    if not hidden:
        return ""
    offered = sum(bool(shot.available[model]) for model in hidden)
    deployed = sum(bool(shot.deployed[model]) for model in hidden)
    served = float(sum(shot.pulls[model] for model in hidden))
    return (
        f"{len(hidden)} more models: {offered} on offer, {deployed} deployed, "
        f"{served:,.0f} queries served"
    )
