"""Limits by the delta method and by the joint ellipse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from processors.rhythm.cosinor_limits import (
    acrophase_support,
    amplitude_support,
    delta_limits,
    joint_radius_squared,
)

EDGE = np.linspace(0, 2 * np.pi, 20_001)


def edge(harmonic: np.ndarray, covariance: np.ndarray, radius_squared: float) -> np.ndarray:
    """The ellipse's edge, point by point: (20001, 2)."""
    circle = np.stack((np.cos(EDGE), np.sin(EDGE)))
    lower = np.linalg.cholesky(covariance)
    return np.asarray(harmonic + math.sqrt(radius_squared) * (lower @ circle).T)


def covariance(first: float, second: float, correlation: float) -> np.ndarray:
    between = correlation * first * second
    return np.array([[first**2, between], [between, second**2]])


harmonics = st.tuples(st.floats(-5, 5), st.floats(-5, 5)).map(np.array)
covariances = st.builds(covariance, st.floats(0.05, 3), st.floats(0.05, 3), st.floats(-0.95, 0.95))


@given(harmonics, covariances, st.floats(0.5, 8))
def test_supports_are_those_of_the_ellipse_drawn_point_by_point(
    harmonic: np.ndarray, spread: np.ndarray, radius_squared: float
) -> None:
    points = edge(harmonic, spread, radius_squared)
    distances = np.hypot(*points.T)
    depth = float(harmonic @ np.linalg.solve(spread, harmonic)) / radius_squared
    assume(abs(depth - 1) > 1e-3)  # the drawn edge cannot tell what lies on it
    low, high = amplitude_support(harmonic, spread, radius_squared)
    assert high == pytest.approx(distances.max(), rel=1e-6)
    angles = acrophase_support(harmonic, spread, radius_squared)
    if depth < 1:
        assert low == 0.0
        assert angles is None
        return
    # The nearest point lies between two drawn ones.
    step = float(np.hypot(*np.diff(points, axis=0).T).max())
    assert low - 1e-9 <= distances.min() <= math.hypot(low, step) + 1e-9
    assert angles is not None
    # Angles from the estimate's own direction; unwrapped along the edge, which starts anywhere.
    turned = np.angle(np.conj(complex(*harmonic)) * (points[:, 0] + 1j * points[:, 1]))
    drawn = np.unwrap(turned)
    drawn -= 2 * np.pi * round((drawn.max() + drawn.min()) / (4 * np.pi))
    assert angles.low == pytest.approx(drawn.min(), abs=2e-3)
    assert angles.high == pytest.approx(drawn.max(), abs=2e-3)
    assert angles.low <= 0.0 <= angles.high
    assert angles.high - angles.low < math.pi


def test_quantiles_are_those_of_the_distributions() -> None:
    for df in (3.0, 12.0, 141.5):
        assert joint_radius_squared(df, 0.95) == pytest.approx(2 * stats.f.ppf(0.95, 2, df))
        assert delta_limits(0, 1, df)[1] == pytest.approx(stats.t.ppf(0.95, df))
    assert delta_limits(1.0, 5.0, 10.0, least=0.0).low == 0.0


def test_an_estimate_without_error_has_no_width() -> None:
    harmonic = np.array([3.0, 4.0])
    assert acrophase_support(harmonic, np.zeros((2, 2)), 5.0) == (0.0, 0.0)
    assert amplitude_support(harmonic, np.zeros((2, 2)), 5.0) == pytest.approx((5.0, 5.0))


def test_the_origin_itself_has_no_acrophase() -> None:
    assert acrophase_support(np.zeros(2), np.eye(2), 5.0) is None
    assert amplitude_support(np.zeros(2), np.eye(2), 4.0) == pytest.approx((0.0, 2.0))


def test_the_joint_region_covers_both_at_once_as_promised() -> None:
    """Two thousand estimates with a variance on 10 degrees of freedom: the region holds the truth
    in 90 %, and then so do both supports."""
    rng = np.random.default_rng(31)
    truth = np.array([1.5, -2.0])
    spread = covariance(0.5, 0.3, 0.6)
    lower = np.linalg.cholesky(spread)
    radius_squared = joint_radius_squared(10.0)
    inside = both = 0
    for _ in range(2000):
        estimate = truth + lower @ rng.standard_normal(2)
        seen = spread * rng.chisquare(10) / 10
        off = truth - estimate
        held = float(off @ np.linalg.solve(seen, off)) <= radius_squared
        inside += held
        amplitudes = amplitude_support(estimate, seen, radius_squared)
        angles = acrophase_support(estimate, seen, radius_squared)
        assert angles is not None
        turn = float(np.angle(np.conj(complex(*estimate)) * complex(*truth)))
        supported = (
            amplitudes.low <= math.hypot(*truth) <= amplitudes.high
            and angles.low <= turn <= angles.high
        )
        assert supported or not held
        both += supported
    assert abs(inside / 2000 - 0.9) < 0.02
    assert both / 2000 >= 0.9
