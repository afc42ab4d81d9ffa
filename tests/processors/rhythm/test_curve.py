"""What is read off a posterior: extremes of the full curve, intervals, and honest silence."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from processors.rhythm import curve
from processors.rhythm.curve import describe, f_quantile_90, wrap_shift
from processors.rhythm.student import Z95, t_quantile

Floats = NDArray[np.float64]
GRID = np.arange(0.0, 24.0, 0.02)
OUT_OF_REACH = (
    curve.ACROPHASE,
    curve.ACROPHASE_HALF,
    curve.PEAK,
    curve.PEAK_HALF,
    curve.TROUGH,
    curve.TROUGH_HALF,
)


def design(hours: Floats) -> Floats:
    w = 2 * np.pi / 24 * hours
    return np.column_stack([np.ones_like(w), np.cos(w), np.sin(w), np.cos(2 * w), np.sin(2 * w)])


class Described(NamedTuple):
    out: Floats
    mean: Floats
    covariance: Floats
    df: float


def described(
    mean: Floats, precision: Floats, variance: float, df: float, least: float = 0.0
) -> Described:
    """The curve of a posterior with this mean and precision (over the residual variance)."""
    lower = np.asarray(np.linalg.cholesky(precision), dtype=np.float64)
    out, m = np.empty(curve.CURVE_SIZE), np.empty(5)
    t90 = t_quantile(Z95, df)
    describe(lower, lower.T @ mean, variance, df, 40.0, t90, least, m, out)
    np.testing.assert_allclose(m, mean, atol=1e-9)
    return Described(out, mean, np.asarray(variance * np.linalg.inv(precision), np.float64), df)


def sampled_precision(seed: int, readings: int = 40) -> Floats:
    """Precision from readings at random hours over a prior of unit strength."""
    x = design(np.random.default_rng(seed).uniform(0, 24, readings))
    return np.asarray(x.T @ x + np.eye(5))


coefficient = st.floats(-2, 2).map(lambda v: round(v, 3))
coefficients = st.tuples(st.floats(-50, 50), coefficient, coefficient, coefficient, coefficient)


@given(coefficients)
def test_peak_and_trough_are_those_of_the_full_curve(m: tuple[float, ...]) -> None:
    mean = np.array(m)
    values = design(GRID) @ mean
    out = described(mean, 1e12 * np.eye(5), 1.0, 50.0).out
    # between two points of the grid the curve rises by 2e-4 at most
    assert values.max() - 1e-9 <= out[curve.PEAK_VALUE] <= values.max() + 2e-4
    assert values.min() - 2e-4 <= out[curve.TROUGH_VALUE] <= values.min() + 1e-9
    if np.hypot(*mean[1:3]) > 1e-3:
        for hour, value in ((curve.PEAK, curve.PEAK_VALUE), (curve.TROUGH, curve.TROUGH_VALUE)):
            assert 0.0 <= out[hour] < 24.0
            at = float((design(np.array([out[hour]])) @ mean)[0])
            assert at == pytest.approx(out[value], abs=1e-9)


@given(st.floats(0, 23.99), st.floats(0.2, 5))
def test_acrophase_is_the_first_harmonics_peak_clock_time(peak: float, amplitude: float) -> None:
    w = 2 * np.pi / 24
    mean = np.array([3.0, amplitude * math.cos(w * peak), amplitude * math.sin(w * peak), 0, 0])
    out = described(mean, 1e6 * np.eye(5), 1.0, 50.0).out
    assert 0.0 <= out[curve.ACROPHASE] < 24.0
    assert wrap_shift(out[curve.ACROPHASE] - peak) == pytest.approx(0.0, abs=1e-9)
    assert wrap_shift(out[curve.PEAK] - peak) == pytest.approx(0.0, abs=1e-6)
    assert wrap_shift(out[curve.TROUGH] - peak - 12.0) == pytest.approx(0.0, abs=1e-6)
    assert out[curve.AMPLITUDE] == pytest.approx(amplitude)


def test_intervals_hold_ninety_percent_of_the_posterior() -> None:
    """Against draws from the posterior's multivariate t.

    Of curves of every shape: a half of them have a second harmonic so large that the top is flat
    or there are two, where the delta method alone held as little as 45 % of some.
    """
    rng = np.random.default_rng(20260301)
    columns = (curve.MESOR, curve.AMPLITUDE, curve.ACROPHASE, curve.PEAK, curve.TROUGH)
    held: dict[int, list[float]] = {at: [] for at in columns}
    for i in range(80):
        mean = np.array([2.0, *rng.normal(0, 1, 4)])
        mean[1:3] *= 1.5 / np.hypot(*mean[1:3])
        mean[3:5] *= 1.5 * rng.uniform(0, 1.2) / np.hypot(*mean[3:5])
        d = described(mean, sampled_precision(i), float(rng.choice([0.05, 0.2, 0.6])), 30.0)
        draws = stats.multivariate_t(mean, d.covariance, df=d.df, seed=rng).rvs(1000)
        curves = draws @ design(GRID).T
        found = (
            draws[:, 0],
            np.hypot(draws[:, 1], draws[:, 2]),
            np.arctan2(draws[:, 2], draws[:, 1]) * 24 / (2 * np.pi),
            GRID[curves.argmax(axis=1)],
            GRID[curves.argmin(axis=1)],
        )
        for at, values in zip(columns, found, strict=True):
            away = values - d.out[at]
            if at in OUT_OF_REACH:
                away = 12.0 - (12.0 - away) % 24.0
            # extremes on the grid may miss by half a step
            reach = d.out[at + 1] + (0.01 if at in (curve.PEAK, curve.TROUGH) else 0.0)
            held[at].append(float(np.mean(np.abs(away) <= reach)))
    for at, shares in held.items():
        assert np.mean(shares) == pytest.approx(0.9, abs=0.02), at
        assert min(shares) > (0.65 if at in (curve.PEAK, curve.TROUGH) else 0.85), at


@given(st.floats(0.0, 0.4), st.floats(0, 2 * np.pi), st.integers(0, 50), st.floats(6, 60))
def test_there_is_a_phase_only_if_the_joint_region_leaves_zero_out(
    amplitude: float, angle: float, seed: int, df: float
) -> None:
    mean = np.array([1.0, amplitude * math.cos(angle), amplitude * math.sin(angle), 0.3, 0.1])
    d = described(mean, sampled_precision(seed), 1.0, df)
    block = d.covariance[1:3, 1:3]
    f = float(mean[1:3] @ np.linalg.solve(block, mean[1:3])) / 2
    p = float(stats.f.sf(f, 2, df))
    if abs(p - 0.1) < 1e-6:
        return
    for at in OUT_OF_REACH:
        assert math.isnan(d.out[at]) == (p > 0.1)
    rest = np.delete(d.out, OUT_OF_REACH)
    assert np.isfinite(rest).all()


def test_a_sure_rhythm_too_small_to_speak_of_has_no_phase() -> None:
    mean = np.array([1.0, 0.1, 0.0, 0.0, 0.0])
    assert described(mean, 1e9 * np.eye(5), 1.0, 50.0, least=0.09).out[curve.ACROPHASE] == 0.0
    assert math.isnan(described(mean, 1e9 * np.eye(5), 1.0, 50.0, least=0.11).out[curve.ACROPHASE])


def test_a_curve_without_any_rhythm_is_described_without_nan() -> None:
    out = described(np.array([1.0, 0, 0, 0, 0]), np.eye(5), 1.0, 8.0).out
    assert np.isfinite(np.delete(out, OUT_OF_REACH)).all()
    assert out[curve.AMPLITUDE] == 0.0
    assert out[curve.AMPLITUDE_HALF] > 0.0


@pytest.mark.parametrize("df", [1.0, 4.0, 8.0, 30.0, 1000.0])
def test_the_f_quantile_is_exact(df: float) -> None:
    assert f_quantile_90(df) == pytest.approx(stats.f.ppf(0.9, 2, df), rel=1e-9)


@given(st.floats(-1e4, 1e4))
def test_a_shift_goes_the_shortest_way_round(hours: float) -> None:
    shift = wrap_shift(hours)
    assert -12.0 < shift <= 12.0 + 1e-9
    turns = (hours - shift) / 24.0
    assert turns == pytest.approx(round(turns), abs=1e-6)
