from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("stable_baselines3")

# Threads only get in each other's way with networks of this size.
torch.set_num_threads(1)
