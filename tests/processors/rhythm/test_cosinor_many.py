"""Many cosinors at once are the same as one after another."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from processors.rhythm.cosinor import Cosinor, FitStatus, fit_cosinor
from processors.rhythm.cosinor_many import Fits, fit_many
from processors.rhythm.turn import turn

OMEGA = 2 * np.pi / 24
Series = tuple[np.ndarray, np.ndarray]


def together(series: list[Series], components: Literal[1, 2], period: float = 24.0) -> Fits:
    hours = np.concatenate([s[0] for s in series]) if series else np.empty(0)
    values = np.concatenate([s[1] for s in series]) if series else np.empty(0)
    lengths = [len(s[0]) for s in series]
    return fit_many(hours, values, lengths, components=components, period=period)


def assert_same(fits: Fits, singles: list[Cosinor], rtol: float = 1e-8) -> None:
    assert [fits.status(k) for k in range(len(singles))] == [one.status for one in singles]
    fitted = [k for k, one in enumerate(singles) if one.coefficients]
    assert fits.series.tolist() == fitted
    rhythmic = 0
    for row, k in enumerate(fitted):
        one = singles[k]
        size = max(abs(np.array(one.coefficients)))
        np.testing.assert_allclose(
            fits.coefficients[row], one.coefficients, rtol=rtol, atol=rtol * size
        )
        covariance = np.array(one.covariance)
        np.testing.assert_allclose(
            fits.covariance[row], covariance, rtol=1e3 * rtol, atol=rtol * covariance.max()
        )
        for name in ("n", "df_residual", "mesor_se", "f", "p", "r_squared", "residual_sd"):
            expected = getattr(one, name)
            assert getattr(fits, name)[row] == pytest.approx(expected, rel=1e3 * rtol), name
        assert fits.mesor[row] == fits.coefficients[row, 0]
        assert fits.amplitude[row] == pytest.approx(one.amplitude, rel=rtol, abs=rtol * size)
        assert fits.amplitude_se[row] == pytest.approx(one.amplitude_se, rel=1e3 * rtol)
        assert fits.rhythmic[row] == (one.status is FitStatus.FITTED)
        if one.acrophase is not None:
            apart = (fits.acrophase[rhythmic] - one.acrophase + 12) % 24 - 12
            assert abs(apart) < 1e-6
            assert 0 <= fits.acrophase[rhythmic] < 24
            assert fits.acrophase_se[rhythmic] == pytest.approx(one.acrophase_se, rel=1e3 * rtol)
            rhythmic += 1
    assert fits.acrophase.size == fits.acrophase_se.size == rhythmic


def scattered(seed: int, n: int, days: int, amplitude: float) -> Series:
    rng = np.random.default_rng(seed)
    hours = rng.uniform(0, 24 * days, n)
    curve = 10 + amplitude * np.cos(OMEGA * (hours - rng.uniform(0, 24)))
    return hours, curve + rng.normal(0, 1, n)


noisy = st.builds(
    scattered,
    st.integers(0, 2**32),
    st.integers(0, 40),
    st.integers(1, 9),
    st.sampled_from([0.0, 0.5, 3.0]),
)


@settings(max_examples=40)
@given(st.lists(noisy, max_size=5), st.sampled_from([1, 2]))
def test_equals_one_fit_after_another(series: list[Series], components: Literal[1, 2]) -> None:
    singles = [fit_cosinor(*s, components=components) for s in series]
    assert_same(together(series, components), singles)


@given(st.floats(0, 1))
def test_a_turn_is_what_the_library_says(share: float) -> None:
    assert turn(share) == pytest.approx(
        (np.cos(2 * np.pi * share), np.sin(2 * np.pi * share)), abs=1e-15
    )


def test_a_person_s_neighbours_do_not_matter() -> None:
    series = [scattered(k, 20 + k, 2, 3.0) for k in range(8)]
    series[3] = (series[3][0], np.full(23, 2.0))
    every = together(series, 1)
    for k in (0, 2, 5, 7):
        alone = together([series[k]], 1)
        row = every.series.tolist().index(k)
        np.testing.assert_array_equal(every.coefficients[row], alone.coefficients[0])
        np.testing.assert_array_equal(every.statistics[row], alone.statistics[0])
    assert every.status(3) is FitStatus.CONSTANT


DAY = np.arange(24.0)
CURVE = 10 + 3 * np.cos(OMEGA * (DAY - 8))
CLOSE = np.tile([0.0, 8.0, 16.0, 20.0], 6)
ODD: list[tuple[str, ArrayLike, ArrayLike]] = [
    ("none", [], []),
    ("three", DAY[:3] * 8, CURVE[:3]),
    ("fifteen hours", DAY[:16], CURVE[:16]),
    ("mornings", np.concatenate([24 * d + np.array([7, 7.5, 8, 9]) for d in range(5)]), DAY[:20]),
    ("exactly half the cycle", np.concatenate([24 * d + DAY[:13] for d in range(3)]), DAY[:39]),
    ("a hair less", np.concatenate([24 * d + 0.999 * DAY[:13] for d in range(3)]), DAY[:39]),
    ("half the cycle across midnight", np.r_[18 + DAY[:13], 42 + DAY[:13]], np.r_[DAY, 1.0, 3]),
    ("constant", DAY, np.full(24, 0.1) * 3),
    ("constant but for rounding", DAY, np.r_[np.full(23, 0.3), 0.1 * 3]),
    ("differences too small to square", DAY, np.r_[np.zeros(23), 1e-200]),
    ("NaN", DAY, np.r_[CURVE[:23], np.nan]),
    ("NaN time", np.r_[DAY[:23], np.nan], CURVE),
    ("infinite", DAY, np.r_[-np.inf, CURVE[1:]]),
    ("epoch ms", 1.7e12 + DAY, CURVE),
    ("overflow", DAY, CURVE * 1e200),
    ("large", DAY, CURVE * 1e90 + np.sin(DAY**2) * 1e89),
    ("small", DAY, CURVE * 1e-90 + np.sin(DAY**2) * 1e-91),
    ("one time", np.full(24, 8.0), CURVE),
    ("two times", DAY * 12, CURVE),
    ("four times", DAY * 6, CURVE + DAY),
    ("a hair below midnight is midnight", np.r_[CLOSE, 24 - 1e-12, 8], np.r_[DAY, 1.0, 2]),
    ("two times and a millisecond", np.r_[DAY * 12, 3e-7], np.arange(25.0)),
    ("times close together", np.r_[DAY * 12 + 7, 7.2] + 0.0, np.arange(25.0) % 7),
    ("noiseless", DAY, CURVE),
    ("negative hours", DAY - 1000, CURVE + np.sin(DAY**2)),
    ("an amplitude of zero", np.arange(0, 24, 3.0), [1, 0, 1, 0, 1, 0, 1, 0]),
]


@pytest.mark.parametrize("components", [1, 2])
@pytest.mark.parametrize(("hours", "values"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_odd_and_bad_input_is_answered_alike(
    hours: ArrayLike, values: ArrayLike, components: Literal[1, 2]
) -> None:
    t, y = np.asarray(hours, dtype=float), np.resize(np.asarray(values, dtype=float), len(hours))  # type: ignore[arg-type]
    single = fit_cosinor(t, y, components=components)
    fits = together([(t, y)], components)
    if single.r_squared is not None and single.r_squared > 1 - 1e-12:
        # Residuals of rounding alone: their size is an accident.
        assert fits.status(0) is single.status
        np.testing.assert_allclose(fits.coefficients[0], single.coefficients, atol=1e-9)
        assert fits.r_squared[0] == pytest.approx(1.0)
        assert fits.p[0] == pytest.approx(0.0)
        return
    assert_same(fits, [single])


@given(st.floats(1e-4, 0.3), st.integers(0, 2**32))
def test_close_clock_times_lose_no_digits(apart: float, seed: int) -> None:
    """Two clock times twelve hours from each other and a third that is `apart` hours off."""
    rng = np.random.default_rng(seed)
    hours = np.r_[DAY * 12, DAY * 24 + 12 + apart]
    values = 10 + np.cos(OMEGA * hours) + rng.normal(0, 1, 48)
    assert_same(together([(hours, values)], 1), [fit_cosinor(hours, values)], rtol=1e-7)


anything = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(anything | st.floats(0, 48), anything | st.floats(-5, 5)), max_size=12),
    st.sampled_from([1, 2]),
)
def test_no_samples_whatever_make_nan(
    samples: list[tuple[float, float]], components: Literal[1, 2]
) -> None:
    fits = together(
        [(np.array([s[0] for s in samples]), np.array([s[1] for s in samples]))], components
    )
    assert np.isfinite(fits.coefficients).all()
    assert np.isfinite(fits.covariance).all()
    assert np.isfinite(fits.statistics).all()


def test_another_period() -> None:
    hours = np.arange(0, 100, 0.75)
    values = 5 + 2 * np.cos(2 * np.pi / 25.5 * (hours - 25.0)) + np.sin(hours**2)
    fits = together([(hours, values)], 1, period=25.5)
    single = fit_cosinor(hours, values, period=25.5)
    assert fits.acrophase[0] == pytest.approx(single.acrophase, abs=1e-9)
    assert fits.acrophase_se[0] == pytest.approx(single.acrophase_se, rel=1e-9)


def test_ten_thousand_people_s_weeks_are_one_loop() -> None:
    """Hourly samples of a week: 1.68 million. The bound is generous: 0.05 s (measured)."""
    k = 10_000
    rng = np.random.default_rng(3)
    hours = np.tile(np.arange(168.0), k)
    peaks = np.repeat(rng.uniform(0, 24, k), 168)
    values = 10 + 3 * np.cos(OMEGA * (hours - peaks)) + rng.normal(0, 1, hours.size)
    lengths = np.full(k, 168)
    fit_many(hours[:168], values[:168], [168])  # compiles
    start = time.thread_time()
    fits = fit_many(hours, values, lengths)
    assert time.thread_time() - start < 1.0
    assert fits.rhythmic.all()
    off = (fits.acrophase - peaks[::168] + 12) % 24 - 12
    assert abs(off / fits.acrophase_se).mean() == pytest.approx(np.sqrt(2 / np.pi), abs=0.03)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (([1, 2], [1], [1]), "one length"),
        (([[1, 2]], [[1, 2]], [2]), "columns"),
        (([1, 2], [1, 2], [[2]]), "columns"),
        (([1, 2], [1, 2], [1]), "sum to the 2 samples"),
        (([1, 2], [1, 2], [3, -1]), "0 or more"),
    ],
)
def test_a_call_that_is_wrong_in_itself_raises(
    arguments: tuple[ArrayLike, ArrayLike, ArrayLike], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        fit_many(*arguments)


def test_period_and_components_are_checked() -> None:
    with pytest.raises(ValueError, match="positive"):
        fit_many([1], [1], [1], period=0)
    with pytest.raises(ValueError, match="1 or 2"):
        fit_many([1], [1], [1], components=3)  # type: ignore[arg-type]


def test_nobody() -> None:
    fits = together([], 1)
    assert fits.coefficients.shape == (0, 3)
    assert fits.acrophase.size == 0
