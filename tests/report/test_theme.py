"""Colours that can be read: contrasts by WCAG 2.1, and series told apart with weak eyes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from stageroute_gym.report.theme import DARK, LIGHT, Theme

# Simulation of full protanopia and deuteranopia in linear RGB (Vienot, Brettel & Mollon 1999).
RGB_TO_LMS = np.array(
    [[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]
)
PROTANOPIA = np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]])
DEUTERANOPIA = np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])


def linear(color: str) -> NDArray[np.float64]:
    value = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) + 0.05 for c in (one, other))
    return light[1] / light[0]


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L*a*b* of linear RGB under D65."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ rgb.clip(0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_contrasts(theme: Theme):
    for color in (theme.text, theme.quiet, theme.accent, theme.warn):
        assert contrast(color, theme.back) >= 4.5
        assert contrast(color, theme.band) >= 4.5
    for color in theme.series:
        assert contrast(color, theme.back) >= 3
    for low, high in theme.ramps:
        assert contrast(high, low) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("weakness", [PROTANOPIA, DEUTERANOPIA, np.eye(3)])
def test_series_are_told_apart_with_all_cones_and_without_some(
    theme: Theme, weakness: NDArray[np.float64]
):
    seen = [
        lab(np.linalg.inv(RGB_TO_LMS) @ weakness @ RGB_TO_LMS @ linear(color))
        for color in theme.series
    ]
    # A just noticeable difference is about 2.3.
    apart = [float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)]
    assert len(apart) == 28
    assert min(apart) > 20
