from __future__ import annotations

import os
from pathlib import Path

import pytest

# Windows and sounds without a screen; read when pygame starts.
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded outcomes beside the repository; skips where there is none."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the recorded outcomes, ../shared/data, are not on this machine")
    return folder
