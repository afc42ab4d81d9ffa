"""How large a change is said to be, against changes of known size."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.deviations.effects import (
    EFFECT,
    EFFECT_HIGH,
    EFFECT_LOW,
    EFFECT_SIZE,
    EXPECTED,
    OBSERVED,
    SIZE,
    best_shift,
    measure,
    split_sums,
    turned,
)
from processors.deviations.kinds import AMPLITUDE, LEVEL, PHASE
from processors.deviations.sustained import AMPLITUDE as AMPLITUDE_DIRECTION
from processors.deviations.sustained import LATER_4
from processors.deviations.sustained import LEVEL as LEVEL_DIRECTION
from processors.rhythm.layout import (
    BASELINE,
    N_MOMENTS,
    N_RATES,
    N_RECENT,
    PAIRS,
    RATES,
    ROW_SIZE,
    SUM_SIZE,
    SUMS,
)
from processors.rhythm.moments import expand, harmonics, mirror
from processors.rhythm.parameters import estimator_parameters
from processors.rhythm.sums import empty_row, fold
from schemas.catalogue import Analyte, load_catalogue

Floats = NDArray[np.float64]
CATALOGUE = load_catalogue()
CORTISOL, HEART_RATE = CATALOGUE["saliva-cortisol"], CATALOGUE["heart-rate"]
AT = 490_008.0
ONE_DAY = N_RATES - 1
LEVEL_ONLY = np.array([1.0, 0, 0, 0, 0])
DIRECTIONS = {LEVEL: LEVEL_DIRECTION, AMPLITUDE: AMPLITUDE_DIRECTION, PHASE: LATER_4}


def design(hours: Floats) -> Floats:
    w = 2 * np.pi / 24 * hours
    return np.column_stack([np.ones_like(w), np.cos(w), np.sin(w), np.cos(2 * w), np.sin(2 * w)])


def folded(times: Floats, clock: Floats, y: Floats) -> Floats:
    row = empty_row(float(times[0]))
    e = np.empty(N_MOMENTS)
    for t, hour, value in zip(times.tolist(), clock.tolist(), y.tolist(), strict=True):
        harmonics(hour, e)
        fold(row, t, e, value, 0.0, 1.0)
    return row


def changed(
    analyte: Analyte,
    before: Floats,
    after: Floats,
    rng: np.random.Generator | None = None,
    now: int = 24,
) -> Floats:
    """A row of 50 days on one curve that ended 10 days ago, and `now` readings on another.

    The new ones were all taken this hour, at clock hours all over the day: so none of them is
    counted into the time before.
    """
    past = np.arange(AT - 60 * 24.0, AT - 10 * 24.0, 2.0)
    times = np.concatenate([past, np.full(now, AT)])
    clock = np.concatenate([past, 24.0 / now * np.arange(now)])
    y = np.concatenate([design(past) @ before, design(clock[-now:]) @ after])
    if rng is not None:
        y += analyte.prior.residual_sd * rng.standard_normal(len(y))
    return folded(times, clock, y)


def effect(analyte: Analyte, row: Floats, kind: int, rate: int = ONE_DAY) -> Floats:
    out = np.empty(EFFECT_SIZE)
    p = estimator_parameters(analyte)
    measure(row, p, kind, DIRECTIONS[kind], rate, AT, 1.0, out)
    return out


@given(
    st.lists(st.tuples(st.floats(0, 2000), st.floats(-4, 1)), min_size=1, max_size=30),
    st.integers(1, N_RECENT),
)
def test_the_sums_of_the_time_before(data: list[tuple[float, float]], rate: int) -> None:
    ago, y = (np.array(column) for column in zip(*data, strict=True))
    times = AT - ago
    out = np.empty(ROW_SIZE)
    split_sums(folded(times, times, y), rate, AT, out)
    recent = np.exp(-RATES[rate] * ago)
    past = np.exp(-RATES[BASELINE] * ago) - recent
    assert (past >= 0.0).all()
    x = design(times)
    matrix = np.empty((5, 5))

    def close(first: int, weights: Floats) -> None:
        expand(out[first : first + N_MOMENTS], 1.0, matrix)
        mirror(matrix)
        np.testing.assert_allclose(matrix, x.T @ (x * weights[:, None]), rtol=1e-9, atol=1e-9)

    for k, weights in ((BASELINE, past), (rate, recent)):
        start = SUMS + k * SUM_SIZE
        close(start, weights)
        vector = out[start + N_MOMENTS : start + N_MOMENTS + 5]
        np.testing.assert_allclose(vector, x.T @ (weights * y), rtol=1e-9, atol=1e-9)
    close(PAIRS, past * past)
    close(PAIRS + rate * N_MOMENTS, recent * recent)
    close(PAIRS + (N_RECENT + rate) * N_MOMENTS, past * recent)


@pytest.mark.parametrize("ratio", [0.4, 0.8, 1.3, 2.5])
def test_a_level_on_the_log_scale_is_a_ratio(ratio: float) -> None:
    before = np.array(CORTISOL.prior.mean())
    out = effect(CORTISOL, changed(CORTISOL, before, before + math.log(ratio) * LEVEL_ONLY), LEVEL)
    assert out[EFFECT] == pytest.approx(ratio, rel=0.02)
    assert out[SIZE] == pytest.approx(math.log(ratio), abs=0.02)
    assert out[EXPECTED] == pytest.approx(CORTISOL.from_model(before[0]), rel=0.01)
    assert out[OBSERVED] == pytest.approx(ratio * out[EXPECTED], rel=0.02)
    assert out[EFFECT_LOW] < out[EFFECT] < out[EFFECT_HIGH]


@pytest.mark.parametrize("beats", [-15.0, 8.0, 30.0])
def test_a_level_on_the_linear_scale_is_a_ratio_too(beats: float) -> None:
    before = np.array(HEART_RATE.prior.mean())
    out = effect(HEART_RATE, changed(HEART_RATE, before, before + beats * LEVEL_ONLY), LEVEL)
    assert out[EFFECT] == pytest.approx((69.0 + beats) / 69.0, rel=0.01)
    assert out[OBSERVED] - out[EXPECTED] == pytest.approx(beats, rel=0.02)


def test_a_level_below_zero_has_no_ratio() -> None:
    steps = CATALOGUE["steps"]
    before = np.array([-3.0, 1.0, 0, 0, 0])
    out = effect(steps, changed(steps, before, before + 9.0 * LEVEL_ONLY), LEVEL)
    assert np.isnan(out[[SIZE, EFFECT, OBSERVED]]).all()


@pytest.mark.parametrize("factor", [0.3, 0.7, 1.4, 2.5])
def test_a_swing_is_a_ratio(factor: float) -> None:
    before = np.array(CORTISOL.prior.mean())
    after = np.array([before[0], *(factor * before[1:])])
    out = effect(CORTISOL, changed(CORTISOL, before, after), AMPLITUDE)
    assert out[EFFECT] == pytest.approx(factor, rel=0.03)
    assert out[SIZE] == pytest.approx(math.log(factor), abs=0.03)
    assert out[OBSERVED] / out[EXPECTED] == pytest.approx(out[EFFECT])


@pytest.mark.parametrize("hours", [-11.0, -6.0, -2.0, -0.5, 1.0, 4.0, 7.5, 11.5])
def test_a_shift_is_hours(hours: float) -> None:
    before = np.array(CORTISOL.prior.mean())
    after = np.empty(5)
    turned(before, hours, 0, after)
    out = effect(CORTISOL, changed(CORTISOL, before, after), PHASE)
    assert out[EFFECT] == pytest.approx(hours, abs=0.1)
    assert out[SIZE] == out[EFFECT]
    assert (out[OBSERVED] - out[EXPECTED] - hours) % 24.0 == pytest.approx(0.0, abs=0.1) or (
        out[EXPECTED] + hours - out[OBSERVED]
    ) % 24.0 == pytest.approx(0.0, abs=0.1)
    assert out[EXPECTED] == pytest.approx(CORTISOL.prior.acrophase_h, abs=0.1)


def test_turning_a_curve_moves_it() -> None:
    m = np.array([1.0, 0.7, -0.4, 0.3, 0.2])
    moved, slope = np.empty(5), np.empty(5)
    grid = np.arange(0.0, 24.0, 0.25)
    for hours in (-7.0, 0.0, 3.3):
        turned(m, hours, 0, moved)
        np.testing.assert_allclose(design(grid) @ moved, design(grid - hours) @ m, atol=1e-12)
        turned(m, hours, 1, slope)
        rise = (design(grid - hours - 1e-6) @ m - design(grid - hours + 1e-6) @ m) / 2e-6
        np.testing.assert_allclose(design(grid) @ slope, rise, atol=1e-6)


@given(st.floats(-11.9, 12.0))
def test_the_best_shift_is_found_wherever_it_is(hours: float) -> None:
    m = np.array(CORTISOL.prior.mean())
    moved = np.empty(5)
    turned(m, hours, 0, moved)
    x = design(np.arange(0.0, 24.0, 1.0))
    found = best_shift(m, x.T @ x, x.T @ (x @ moved))
    assert -12.0 < found <= 12.0
    assert 12.0 - (12.0 - (found - hours)) % 24.0 == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("kind", [LEVEL, AMPLITUDE, PHASE])
def test_nine_of_ten_intervals_hold_the_truth(kind: int) -> None:
    """The standard error of a share of 0.9 in 600 people is 0.012."""
    rng = np.random.default_rng(31)
    before = np.array(CORTISOL.prior.mean())
    after = before.copy()
    truth = 1.6
    if kind == LEVEL:
        after[0] += math.log(truth)
    elif kind == AMPLITUDE:
        after[1:] *= truth
    else:
        turned(before, truth, 0, after)
    held = []
    for _ in range(600):
        out = effect(CORTISOL, changed(CORTISOL, before, after, rng, now=15), kind)
        held.append(out[EFFECT_LOW] <= truth <= out[EFFECT_HIGH])
    assert np.mean(held) == pytest.approx(0.9, abs=0.03)


def test_what_free_readings_contradict_is_not_measured() -> None:
    """Flatter readings that by chance look moved at the hours of the test are no shift."""
    before = np.array(CORTISOL.prior.mean())
    flat = np.array([before[0], *(0.4 * before[1:])])
    out = effect(CORTISOL, changed(CORTISOL, before, flat), PHASE)
    assert not abs(out[SIZE]) >= 1.0
    moved = np.empty(5)
    turned(before, 5.0, 0, moved)
    out = effect(CORTISOL, changed(CORTISOL, before, moved), AMPLITUDE)
    assert math.isnan(out[SIZE])
