"""The hockey stick: exact on its grid, and cut as its rules say."""

from __future__ import annotations

import csv
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from processors.rhythm.hockey_stick import (
    HockeyStick,
    Rise,
    _too_wide,
    cells,
    find_rise,
    fit,
    grid,
    region,
)


def sample_profile(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    """dlmoR's sample profile: hours from its first midnight, pg/mL."""
    with (shared_data / "dlmo_melatonin" / "sample_melatonin_profile.csv").open() as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    times = [datetime.fromisoformat(row["datetime"]) for row in rows]
    midnight = times[0].replace(hour=0, minute=0, second=0)
    hours = np.array([(at - midnight).total_seconds() / 3600 for at in times])
    return hours, np.array([float(row["melatonin"]) for row in rows])


def found(hours: np.ndarray, values: np.ndarray, threshold: float) -> tuple[Rise, HockeyStick]:
    rise = find_rise(hours, values, threshold)
    assert isinstance(rise, Rise), rise
    return rise, fit(hours, values, threshold, rise)


# -- published figures --------------------------------------------------------------------------


def test_dlmor_s_sample_profile_has_its_knee_at_20_16(shared_data: Path) -> None:
    """dlmoR's README, threshold 3 pg/mL: 20:16:00 at a level of 0.1 pg/mL."""
    hours, values = sample_profile(shared_data)
    rise, stick = found(hours, values, 3.0)
    assert round(stick.hour * 3600) == 20 * 3600 + 16 * 60
    assert stick.level == pytest.approx(0.1)
    # The two morning samples above 3 pg/mL and the levelling night do not count.
    assert (rise.first, rise.base, rise.rise, rise.last, rise.end) == (2, 14, 15, 16, 19)


def test_a_fit_takes_milliseconds(shared_data: Path) -> None:
    """dlmoR: minutes. The bound is generous: 6 ms (measured)."""
    hours, values = sample_profile(shared_data)
    found(hours, values, 3.0)
    start = time.thread_time()
    for _ in range(5):
        found(hours, values, 3.0)
    assert (time.thread_time() - start) / 5 < 0.1


# -- exact on its grid --------------------------------------------------------------------------


def one_cell(t: np.ndarray, y: np.ndarray, threshold: float, knee: float, level: float) -> float:
    """Least squares under the limits of one cell, by a solver that knows nothing of the formulae.

    With p = b and q = b + 2 a L the rise's limits are bounds: p >= half the line's slope, q >= 0.
    """
    u, v = t - knee, y - level
    base, rise = u <= 0, u > 0
    steepest = 0.2 / 2.3 * threshold
    low, high = -steepest, steepest
    if u[0] < 0:
        low, high = max(low, (level - threshold) / -u[0]), min(high, level / -u[0])
    m = 0.0
    if (u[base] < 0).any():
        m = lsq_linear(u[base][:, None], v[base], bounds=(low - 1e-12, high + 1e-12)).x[0]
    rest = ((v - m * u)[base] ** 2).sum()
    line = (u[rise] * v[rise]).sum() / (u[rise] ** 2).sum()
    if rise.sum() <= 2:
        return float(rest + ((v - line * u)[rise] ** 2).sum())
    last = u[-1]
    # b u + a u² with a = (q - p) / 2L
    columns = np.stack((u - u**2 / (2 * last), u**2 / (2 * last)), axis=1)[rise]
    solved = lsq_linear(
        columns,
        v[rise],
        bounds=([max(line, 0) / 2, 0.0], np.inf),
        method="bvls",
        tol=1e-14,
    )
    return float(rest + ((columns @ solved.x - v[rise]) ** 2).sum())


def evening(seed: int, n: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Low until a knee, then a rise; hours in their order, levels above 0."""
    rng = np.random.default_rng(seed)
    hours = 18 + np.sort(rng.uniform(0, 8, n))
    knee = rng.uniform(20, 23)
    rise = rng.uniform(2, 15) * np.maximum(hours - knee, 0) ** rng.uniform(0.6, 1.6)
    levels = (rng.uniform(0.2, 1.5) + rise) * np.exp(noise * rng.standard_normal(n))
    return hours, np.maximum(levels, 0.05)


@settings(max_examples=40)
@given(
    st.builds(evening, st.integers(0, 2**32), st.integers(5, 14), st.sampled_from([0.02, 0.3])),
    st.sampled_from([2.3, 3.0, 10.0]),
)
def test_every_cell_is_the_least_squares_under_its_limits(
    profile: tuple[np.ndarray, np.ndarray], threshold: float
) -> None:
    t, y = profile
    knees = np.linspace(t[0] + 0.01, t[-2] - 0.01, 5)
    levels = np.linspace(0.05, threshold, 4)
    squares = cells(t, y, threshold, knees, levels)[0]
    expected = np.array([[one_cell(t, y, threshold, x, z) for z in levels] for x in knees])
    np.testing.assert_allclose(squares, expected, rtol=1e-6, atol=1e-7 * (y**2).sum())


@settings(max_examples=8)
@given(st.builds(evening, st.integers(0, 2**32), st.integers(9, 14), st.just(0.1)))
def test_the_search_finds_the_best_cell_and_says_what_curve_it_is(
    profile: tuple[np.ndarray, np.ndarray],
) -> None:
    hours, values = profile
    rise = find_rise(hours, values, 3.0)
    if isinstance(rise, str):
        return
    stick = fit(hours, values, 3.0, rise)
    t, y = (column[rise.first : rise.last + 1] for column in (hours, values))
    knees, levels = grid(hours, values, 3.0, rise)
    best = min(
        (one_cell(t, y, 3.0, x, z), x, z)
        for x in knees[:: max(len(knees) // 12, 1)]
        for z in levels[:: max(len(levels) // 12, 1)]
    )
    assert stick.squares <= best[0] + 1e-9
    assert stick.squares == pytest.approx(one_cell(t, y, 3.0, stick.hour, stick.level), abs=1e-6)
    assert stick.squares == pytest.approx(((stick.curve(t) - y) ** 2).sum(), abs=1e-6)
    begin, end = region(hours, rise)
    assert begin - 1e-6 <= stick.hour <= end + 1e-6
    assert round(stick.hour * 60, 6) == round(stick.hour * 60) or len(knees) == 1


def test_a_flat_rise_has_no_parallelogram() -> None:
    assert _too_wide(np.array([20.0, 21.0, 22.0]), np.full(3, 5.0))


def test_several_profiles_at_once_are_each_alone() -> None:
    t, y = evening(5, 12, 0.1)
    other = y[::-1].copy()
    knees, levels = np.linspace(t[2], t[9], 7), np.linspace(0.1, 3, 5)
    together = cells(t, np.stack((y, other)), 3.0, knees, levels)
    for k, values in enumerate((y, other)):
        for several, alone in zip(together, cells(t, values, 3.0, knees, levels), strict=True):
            np.testing.assert_allclose(np.broadcast_to(several, (2, 7, 5))[k], alone, rtol=1e-9)


rises = st.lists(st.tuples(st.floats(0.1, 1.5), st.floats(-3, 20)), min_size=2, max_size=6).map(
    lambda steps: np.cumsum(np.array(steps), axis=0).T
)


@given(rises)
def test_the_smallest_parallelogram_is_the_smallest_of_all(samples: np.ndarray) -> None:
    """Against leans tried one by one; too wide is a lean of less than three widths."""
    x, y = samples
    y = y - y.min()
    height = y.max()
    assume(height > 1e-3)
    leans = np.linspace(0, 3 * np.ptp(x) / height, 40_001)
    across = x - leans[:, None] * y
    widths = np.ptp(across, axis=1)
    lean = leans[widths.argmin()] * height
    if (
        abs(lean - 3 * widths.min()) > 0.02 * np.ptp(x)
        and np.sum(widths < widths.min() + 1e-3 * np.ptp(x)) < 200
    ):
        assert _too_wide(x, y) == (lean < 3 * widths.min())


# -- which samples are what ---------------------------------------------------------------------

HALF_HOURS = np.arange(19.0, 25.0, 0.5)


def parts(*values: float, threshold: float = 3.0) -> Rise:
    rise = find_rise(HALF_HOURS[: len(values)], np.array(values), threshold)
    assert isinstance(rise, Rise), rise
    return rise


def test_base_and_rise_of_a_plain_evening() -> None:
    rise = parts(1.0, 0.9, 1.1, 0.8, 5, 9, 13)
    assert (rise.base, rise.rise, rise.crossing, rise.last, rise.end) == (3, 4, 4, 6, 7)


def test_samples_that_climb_already_belong_to_the_rise() -> None:
    """From 0.8 by 1.7 and then by 2.5: half as steep and more is rise, below the threshold."""
    rise = parts(1.0, 0.9, 0.8, 2.5, 5, 9, 13)
    assert (rise.base, rise.rise, rise.crossing) == (2, 3, 4)


def test_a_slow_start_is_neither_base_nor_rise() -> None:
    rise = parts(1.0, 0.9, 0.8, 1.0, 1.2, 6, 11, 16)
    assert (rise.base, rise.rise) == (2, 5)
    begin, end = region(HALF_HOURS[:8], rise)
    assert begin == pytest.approx(20.05)  # a tenth after the base
    assert end == pytest.approx(21.0 + 0.95 * 0.5)


def test_a_blip_is_base() -> None:
    rise = parts(1.0, 0.9, 8.0, 0.8, 0.9, 0.8, 5, 9, 13)
    assert (rise.base, rise.crossing) == (5, 6)


def test_a_later_rise_within_two_hours_wins_and_after_two_hours_does_not() -> None:
    soon = parts(1.0, 0.9, 5, 6, 1.0, 0.9, 5, 9, 13)
    assert soon.crossing == 6
    late = parts(1.0, 0.9, 5, 9, 12, 13, 12, 2.0, 9, 10)
    assert (late.crossing, late.end) == (2, 7)


def test_levelling_off_is_cut() -> None:
    """Steps of 4, 4, 1, 0.5: the last two are below half the steepest."""
    assert parts(1.0, 0.9, 4.9, 8.9, 9.9, 10.4).last == 3
    assert parts(1.0, 0.9, 4.9, 8.9, 8.0, 7.0).last == 3


def test_a_base_of_one_sample_and_one_that_only_climbs() -> None:
    rise = parts(0.5, 5, 9, 13)
    assert (rise.first, rise.base, rise.rise) == (0, 0, 1)
    begin, end = region(HALF_HOURS[:4], rise)
    assert begin == pytest.approx(19.025)
    assert end == pytest.approx(19.475)
    assert parts(0.5, 0.6, 0.7, 5, 9, 13).base == 0


NO_RISE = [
    ("never", [1.0, 0.9, 1.2, 1.1], "never rises"),
    ("from the start", [5.0, 9, 12], "from the first sample on"),
    ("falls", [9.0, 5, 1, 0.8], "does not rise again"),
    ("one sample", [1.0, 0.9, 8.0, 0.9, 0.8], "single samples"),
    ("the last one", [1.0, 0.9, 0.8, 8.0], "single samples"),
]


@pytest.mark.parametrize(
    ("values", "words"), [row[1:] for row in NO_RISE], ids=[row[0] for row in NO_RISE]
)
def test_profiles_without_a_rise_are_told_why(values: list[float], words: str) -> None:
    answer = find_rise(HALF_HOURS[: len(values)], np.array(values), 3.0)
    assert isinstance(answer, str)
    assert words in answer
