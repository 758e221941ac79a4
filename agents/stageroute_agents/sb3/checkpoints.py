"""Checkpoints: the tensors from which an interrupted training goes on.

A checkpoint holds the networks, the optimisers' state and the number of decisions; torch reads it
with ``weights_only=True``, which executes no code from the file. Episodes in progress and the
replay buffer are not in it: a resumed training starts new episodes, and fills a new buffer first.
"""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from stable_baselines3.common.save_util import recursive_getattr, recursive_setattr

from stageroute_gym.errors import FieldError
from stageroute_gym.writing import write_atomically

_NAME = "checkpoint.pt"


def write_checkpoint(folder: Path, model: Any, best: float) -> None:
    """Write the state of a model; an older checkpoint is replaced once this one is complete.

    Args:
        folder: folder of the training run.
        model: the model of stable-baselines3.
        best: score / horizon oracle of the best policy so far.
    """
    content = {
        "parameters": model.get_parameters(),
        "variables": {name: recursive_getattr(model, name) for name in _variables(model)},
        "steps": model.num_timesteps,
        "best": best,
    }
    write_atomically(folder / _NAME, lambda partial: torch.save(content, partial))


def has_checkpoint(folder: Path) -> bool:
    """Whether a training run has got as far as its first checkpoint."""
    return (folder / _NAME).is_file()


def read_checkpoint(folder: Path, model: Any) -> float:
    """Put a model into the state of the checkpoint.

    Args:
        folder: folder of the training run.
        model: a new model of the same settings.

    Returns:
        Score / horizon oracle of the best policy so far.

    Raises:
        FieldError: if there is no checkpoint, or it is broken or of another model.
    """
    path = folder / _NAME
    if not path.is_file():
        raise FieldError("resume", str(folder), f"a folder of a training run, with a {_NAME}")
    broken = (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        model.set_parameters(content["parameters"], device="cpu")
        for name in _variables(model):
            recursive_setattr(model, name + ".data", content["variables"][name].data)
        model.num_timesteps = int(content["steps"])
        if hasattr(model, "learning_starts"):
            # The buffer is empty again, and nothing can be learned from a few transitions.
            model.learning_starts += model.num_timesteps
        return float(content["best"])
    except (*broken, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        # The second line of torch's message names the first network that does not fit.
        reason = " ".join(str(error).split()[:40]) or type(error).__name__
        allowed = f"a whole checkpoint of the same settings; {reason}"
        raise FieldError("checkpoint", str(path), allowed) from error


def _variables(model: Any) -> list[str]:
    """Tensors outside the networks, such as the logarithm of SAC's entropy coefficient."""
    return [
        name
        for name in model._get_torch_save_params()[1]
        if recursive_getattr(model, name, None) is not None
    ]
