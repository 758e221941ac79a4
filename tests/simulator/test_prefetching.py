from __future__ import annotations

import numpy as np
from numba import njit

from stageroute_gym.simulator.prefetching import prefetch


@njit
def touch(array, row, column):
    prefetch(array, (row, column))


def test_it_compiles_to_the_processors_instruction():
    touch(np.zeros((4, 3)), 1, 2)
    assert "llvm.prefetch" in touch.inspect_llvm(touch.signatures[0])


def test_an_index_outside_does_no_harm():
    array = np.arange(12.0).reshape(4, 3)
    touch(array, 10**9, 10**9)
    touch(np.zeros((0, 3)), 0, 0)
    assert (array == np.arange(12.0).reshape(4, 3)).all()
