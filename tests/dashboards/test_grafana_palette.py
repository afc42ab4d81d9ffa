"""Colours of the dashboards stand out in light and dark, and are told apart by everybody."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from dashboards.grafana import palette

# Grafana's panel backgrounds, light and dark.
GROUNDS = ("#ffffff", "#181b1f")
NAMED = (*palette.SERIES, *palette.ALARMS, palette.NO_DATA)
# WCAG 2.1, 1.4.11: graphical objects.
LEAST_CONTRAST = 3.0
# Between any two series, ΔE*ab; a just noticeable difference is 2.3.
LEAST_DISTANCE = 25.0

# Machado, Oliveira & Fernandes 2009, full severity, on linear RGB.
VISIONS = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)

Colour = NDArray[np.float64]


def linear(colour: str) -> Colour:
    """Linear sRGB of ``#rrggbb``."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of relative luminances."""
    low, high = sorted(float(_TO_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: Colour) -> Colour:
    """CIE L*a*b* (D65) of linear sRGB."""
    xyz = _TO_XYZ @ np.clip(rgb, 0, 1) / (_TO_XYZ @ np.ones(3))
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("colour", NAMED)
@pytest.mark.parametrize("ground", GROUNDS)
def test_stands_out(colour: str, ground: str) -> None:
    assert contrast(colour, ground) >= LEAST_CONTRAST


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(("one", "other"), list(combinations(palette.SERIES, 2)))
def test_series_are_told_apart(one: str, other: str, vision: str) -> None:
    seen = [lab(VISIONS[vision] @ linear(colour)) for colour in (one, other)]
    assert float(np.linalg.norm(seen[0] - seen[1])) >= LEAST_DISTANCE


def test_nothing_is_green() -> None:
    for colour in NAMED:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        assert not (green > 1.15 * red and green > 1.15 * blue), colour


def test_no_alarm_is_a_series() -> None:
    assert not set(palette.ALARMS) & {*palette.SERIES, palette.NO_DATA}
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
