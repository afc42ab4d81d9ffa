"""The least-squares cosinor: published figures, exactness, and honest refusals."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from processors.rhythm.cosinor import Cosinor, FitStatus, fit_cosinor
from processors.rhythm.waveform import design

HOURS = np.arange(0.0, 48.0, 0.5)


def wave(
    hours: np.ndarray, mesor: float, amplitude: float, peak: float, second: float, at: float
) -> np.ndarray:
    """mesor + A cos w(t - peak) + A2 cos 2w(t - at), hours of a 24-h day."""
    omega = 2 * np.pi / 24
    return np.asarray(
        mesor
        + amplitude * np.cos(omega * (hours - peak))
        + second * np.cos(2 * omega * (hours - at))
    )


def circular_difference(a: float, b: float, period: float = 24.0) -> float:
    return (a - b + period / 2) % period - period / 2


def known(value: float | None) -> float:
    assert value is not None
    return value


# -- published figures --------------------------------------------------------------------------


def carroll(shared_data: Path, hormone: str) -> Cosinor:
    table = np.loadtxt(shared_data / "hpa_24h" / f"Carroll-2007-controlGroup{hormone}.txt")
    return fit_cosinor(table[:, 0] / 60, table[:, 1])


def test_carroll_control_cortisol_is_what_cosinorpy_finds(shared_data: Path) -> None:
    fit = carroll(shared_data, "Cortisol")
    assert fit.n == 145
    assert fit.mesor == pytest.approx(5.5824, abs=5e-5)
    assert fit.amplitude == pytest.approx(4.1418, abs=5e-5)
    assert fit.amplitude_se == pytest.approx(0.1473, abs=5e-5)
    assert fit.acrophase == pytest.approx(9.4521, abs=5e-5)
    assert fit.f == pytest.approx(395.43, abs=5e-3)
    assert fit.r_squared == pytest.approx(0.84778, abs=5e-6)


def test_carroll_control_acth_is_what_cosinorpy_finds(shared_data: Path) -> None:
    fit = carroll(shared_data, "ACTH")
    assert fit.mesor == pytest.approx(21.0292, abs=5e-5)
    assert fit.amplitude == pytest.approx(6.5784, abs=5e-5)
    assert fit.amplitude_se == pytest.approx(0.2981, abs=5e-5)
    assert fit.acrophase == pytest.approx(9.0248, abs=5e-5)
    assert fit.f == pytest.approx(243.52, abs=5e-3)
    assert fit.r_squared == pytest.approx(0.77426, abs=5e-6)


def test_hourly_heart_rates_of_people_with_at_least_twenty_hours(shared_data: Path) -> None:
    """About half of the 657 people behind the published means (69.0, 5.66, 14.6 h) are here.

    The published amplitude and peak are those of the averaged coefficients (Bingham 1982), as
    here; the mean of the people's own amplitudes would be 6.81, as noise lengthens each.
    """
    people: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with (shared_data / "hourly_heart_rate" / "twins_hourly.csv").open() as file:
        for row in csv.DictReader(file):
            if row["HR"] not in ("", "NA"):
                people[row["patid"]].append((float(row["hour"]), float(row["HR"])))
    fits = [fit_cosinor(*np.array(v).T) for v in people.values() if len(v) >= 20]
    assert len(fits) == 326
    assert {fit.status for fit in fits} == {FitStatus.FITTED, FitStatus.NO_RHYTHM}
    mesor, beta, gamma = np.mean([fit.coefficients for fit in fits], axis=0)
    assert mesor == pytest.approx(69.720, abs=1e-3)
    assert math.hypot(beta, gamma) == pytest.approx(5.555, abs=1e-3)
    assert math.atan2(gamma, beta) * 12 / math.pi % 24 == pytest.approx(14.539, abs=1e-3)
    assert np.mean([fit.amplitude for fit in fits]) == pytest.approx(6.806, abs=1e-3)


# -- exactness ----------------------------------------------------------------------------------

mesors = st.floats(-100, 100)
amplitudes = st.floats(0.1, 50)
clock_hours = st.floats(0, 24, exclude_max=True)


@given(mesors, amplitudes, clock_hours)
def test_a_noiseless_curve_gives_its_parameters_back(
    mesor: float, amplitude: float, peak: float
) -> None:
    fit = fit_cosinor(HOURS, wave(HOURS, mesor, amplitude, peak, 0, 0))
    assert fit.status is FitStatus.FITTED
    assert fit.mesor == pytest.approx(mesor, abs=1e-9)
    assert fit.amplitude == pytest.approx(amplitude, rel=1e-9)
    assert abs(circular_difference(known(fit.acrophase), peak)) < 1e-9
    phi = known(fit.acrophase_radians)
    assert -math.pi < phi <= math.pi
    again = mesor + amplitude * np.cos(2 * np.pi / 24 * HOURS + phi)
    np.testing.assert_allclose(fit.curve(HOURS), again, atol=1e-9)
    assert known(fit.r_squared) == pytest.approx(1.0)
    assert fit.p == 0.0
    assert math.isfinite(known(fit.f))


@given(mesors, amplitudes, clock_hours, st.floats(0.01, 1.5), clock_hours)
def test_peak_and_trough_are_those_of_the_full_curve(
    mesor: float, amplitude: float, peak: float, share: float, at: float
) -> None:
    fit = fit_cosinor(
        HOURS, wave(HOURS, mesor, amplitude, peak, share * amplitude, at), components=2
    )
    assert fit.amplitude == pytest.approx(amplitude, rel=1e-9)
    fine = wave(np.linspace(0, 24, 20_001), mesor, amplitude, peak, share * amplitude, at)
    assert known(fit.peak_value) >= fine.max() - 1e-9
    assert known(fit.peak_value) == pytest.approx(fine.max(), abs=1e-5 * amplitude)
    assert known(fit.trough_value) <= fine.min() + 1e-9
    assert known(fit.trough_value) == pytest.approx(fine.min(), abs=1e-5 * amplitude)
    there = wave(
        np.array([known(fit.peak), known(fit.trough)]),
        mesor,
        amplitude,
        peak,
        share * amplitude,
        at,
    )
    np.testing.assert_allclose(there, [known(fit.peak_value), known(fit.trough_value)], atol=1e-8)


def scattered(seed: int, n: int, days: int) -> tuple[np.ndarray, np.ndarray]:
    """A noisy rhythm at random times."""
    rng = np.random.default_rng(seed)
    hours = rng.uniform(0, 24 * days, n)
    return hours, wave(hours, 10, 3, rng.uniform(0, 24), 1, 5) + rng.normal(0, 1, n)


noisy = st.builds(scattered, st.integers(0, 2**32), st.integers(25, 60), st.integers(1, 9))


@given(noisy, st.sampled_from([1, 2]))
def test_equals_numpy_and_the_textbook(
    samples: tuple[np.ndarray, np.ndarray], components: Literal[1, 2]
) -> None:
    hours, values = samples
    fit = fit_cosinor(hours, values, components=components)
    rows = design(hours, period=24.0, components=components)
    expected, rss, _, _ = np.linalg.lstsq(rows, values, rcond=None)
    np.testing.assert_allclose(fit.coefficients, expected, rtol=1e-9, atol=1e-9)
    df = len(hours) - 2 * components - 1
    covariance = np.linalg.inv(rows.T @ rows) * rss[0] / df
    np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-6, atol=1e-12)
    mss = ((rows @ expected - values.mean()) ** 2).sum()
    f = mss / (2 * components) / (rss[0] / df)
    assert fit.f == pytest.approx(f, rel=1e-8)
    assert fit.p == pytest.approx(stats.f.sf(f, 2 * components, df), rel=1e-7)
    assert fit.residual_sd == pytest.approx(math.sqrt(rss[0] / df), rel=1e-9)


@given(noisy)
def test_standard_errors_are_those_of_the_delta_method(
    samples: tuple[np.ndarray, np.ndarray],
) -> None:
    """Var A = (b2 Vbb + 2bg Vbg + g2 Vgg)/A2; Var phi = (g2 Vbb - 2bg Vbg + b2 Vgg)/A4."""
    fit = fit_cosinor(*samples)
    _, b, g = fit.coefficients
    (vbb, vbg), (_, vgg) = (row[1:] for row in fit.covariance[1:])
    a2 = b * b + g * g
    assert fit.amplitude_se == pytest.approx(
        math.sqrt((b * b * vbb + 2 * b * g * vbg + g * g * vgg) / a2), rel=1e-6
    )
    assert fit.status is FitStatus.FITTED
    radians = math.sqrt((g * g * vbb - 2 * b * g * vbg + b * b * vgg) / a2**2)
    assert fit.acrophase_radians_se == pytest.approx(radians, rel=1e-6)
    assert fit.acrophase_se == pytest.approx(radians * 12 / math.pi, rel=1e-6)
    assert fit.peak_se == pytest.approx(fit.acrophase_se, rel=1e-6)


@given(st.floats(-1000, 1000), st.sampled_from([1, 2]))
def test_a_shift_of_the_clock_moves_the_phase_and_nothing_else(
    shift: float, components: Literal[1, 2]
) -> None:
    values = wave(HOURS, 10, 3, 8, 1, 5) + np.random.default_rng(4).normal(0, 0.5, HOURS.size)
    here = fit_cosinor(HOURS, values, components=components)
    there = fit_cosinor(HOURS + shift, values, components=components)
    unmoved = {
        "mesor",
        "mesor_se",
        "amplitude",
        "amplitude_se",
        "acrophase_se",
        "f",
        "p",
        "n",
        "r_squared",
        "residual_sd",
        "peak_value",
        "peak_se",
        "trough_value",
        "trough_se",
    }
    for name in unmoved:
        assert getattr(there, name) == pytest.approx(getattr(here, name), rel=1e-7), name
    for name in ("acrophase", "peak", "trough"):
        moved = circular_difference(getattr(there, name), getattr(here, name) + shift)
        assert abs(moved) < 1e-7, name


def test_order_of_the_samples_does_not_matter() -> None:
    values = wave(HOURS, 10, 3, 8, 1, 5) + np.random.default_rng(5).normal(0, 0.5, HOURS.size)
    order = np.random.default_rng(6).permutation(HOURS.size)
    a, b = fit_cosinor(HOURS, values), fit_cosinor(HOURS[order], values[order])
    np.testing.assert_allclose(a.coefficients, b.coefficients, rtol=1e-12)


def test_a_peak_at_midnight_is_hour_zero_and_one_at_noon_is_plus_pi() -> None:
    fit = fit_cosinor(HOURS, wave(HOURS, 1, 1, 12, 0, 0))
    assert fit.acrophase_radians == pytest.approx(math.pi)
    # Coefficients that are exact to the sign of their zero.
    hours = np.array([0.0, 6.0, 12.0, 18.0, 24.0, 30.0])
    midnight = known(fit_cosinor(hours, [2, 1, 0, 1, 2, 1]).acrophase)
    assert 0.0 <= midnight < 24.0
    assert abs(circular_difference(midnight, 0.0)) < 1e-9


def test_another_period_counts_its_own_hours() -> None:
    hours = np.arange(0, 100, 0.75)
    fit = fit_cosinor(hours, 5 + 2 * np.cos(2 * np.pi / 25.5 * (hours - 25.0)), period=25.5)
    assert fit.acrophase == pytest.approx(25.0)


def test_intervals_cover_as_promised() -> None:
    """Two thousand series with normal noise: 90 % intervals and the 5 % test hold."""
    rng = np.random.default_rng(20)
    hours = np.arange(0, 48, 2.0)
    t = stats.t.ppf(0.95, hours.size - 3)
    hits = np.zeros(4)
    flat = 0
    for _ in range(2000):
        noise = rng.normal(0, 1, hours.size)
        fit = fit_cosinor(hours, wave(hours, 10, 3, 7, 0, 0) + noise)
        low, high = fit.band(np.array([3.0]))
        hits += [
            abs(known(fit.mesor) - 10) < t * known(fit.mesor_se),
            abs(known(fit.amplitude) - 3) < t * known(fit.amplitude_se),
            abs(circular_difference(known(fit.acrophase), 7)) < t * known(fit.acrophase_se),
            low[0] < 11.5 < high[0],
        ]
        flat += fit_cosinor(hours, noise).status is FitStatus.FITTED
    assert np.all(np.abs(hits / 2000 - 0.9) < 0.02), hits / 2000
    assert abs(flat / 2000 - 0.05) < 0.015


def test_the_peak_of_two_harmonics_varies_as_its_standard_error_says() -> None:
    rng = np.random.default_rng(21)
    hours = np.arange(0, 48, 1.0)
    fits = [
        fit_cosinor(
            hours, wave(hours, 10, 3, 8, 1.5, 6) + rng.normal(0, 0.5, hours.size), components=2
        )
        for _ in range(400)
    ]
    peaks = np.array([known(fit.peak) for fit in fits])
    assert np.mean([known(fit.peak_se) for fit in fits]) == pytest.approx(peaks.std(), rel=0.1)


# -- what the data do not carry -----------------------------------------------------------------


def test_no_acrophase_where_the_joint_region_contains_zero() -> None:
    fit = fit_cosinor(HOURS, np.random.default_rng(3).normal(10, 1, HOURS.size))
    assert fit.status is FitStatus.NO_RHYTHM
    assert known(fit.p) > 0.05
    assert fit.acrophase is fit.acrophase_radians is fit.acrophase_se is fit.peak is None
    assert fit.mesor is not None
    assert "contains zero" in known_text(fit.reason)


def test_a_pure_twelve_hour_rhythm_has_a_peak_and_no_acrophase() -> None:
    values = wave(HOURS, 10, 0, 0, 3, 5) + np.random.default_rng(4).normal(0, 0.3, HOURS.size)
    fit = fit_cosinor(HOURS, values, components=2)
    assert fit.status is FitStatus.NO_RHYTHM
    assert fit.acrophase is None
    assert known(fit.peak) % 12 == pytest.approx(5, abs=0.2)
    assert "as a whole is a rhythm" in known_text(fit.reason)


def test_an_amplitude_of_exactly_zero() -> None:
    hours = np.arange(0, 24, 3.0)
    fit = fit_cosinor(hours, [1, 0, 1, 0, 1, 0, 1, 0])
    assert fit.status is FitStatus.NO_RHYTHM
    assert fit.amplitude == pytest.approx(0, abs=1e-12)
    assert known(fit.amplitude_se) > 0


@pytest.mark.parametrize("seed", range(8))
def test_a_flat_top_has_a_height_and_no_certain_place(seed: int) -> None:
    """At A2 = A/4 opposite to the peak the curve's second derivative there vanishes."""
    noise = np.random.default_rng(seed).normal(0, 0.3, HOURS.size)
    fit = fit_cosinor(HOURS, wave(HOURS, 10, 4, 12, 1, 6) + noise, components=2)
    assert fit.peak_value == pytest.approx(13, abs=0.2)
    assert abs(known(fit.peak) - 12) < 2
    assert fit.peak_se is None
    assert known(fit.trough_se) == pytest.approx(0.043, abs=0.02)


def known_text(text: str | None) -> str:
    assert text is not None
    return text


DAY = np.arange(0.0, 24.0, 1.0)
CURVE = wave(DAY, 10, 3, 8, 0, 0)

REFUSALS = [
    ("no samples", [], [], 1, FitStatus.TOO_FEW, "there are 0"),
    ("three for one harmonic", DAY[:3] * 8, CURVE[:3], 1, FitStatus.TOO_FEW, "at least 4"),
    ("five for two harmonics", DAY[:5] * 5, CURVE[:5], 2, FitStatus.TOO_FEW, "at least 6"),
    ("fifteen hours", DAY[:16], CURVE[:16], 1, FitStatus.SHORT_SPAN, "span 15.0 hours"),
    (
        "mornings only",
        np.concatenate([d * 24 + np.array([7, 7.5, 8, 9]) for d in range(5)]),
        np.arange(20.0),
        1,
        FitStatus.SHORT_SPAN,
        "within 2.0 of the cycle's 24 hours",
    ),
    ("constant", DAY, np.full(24, 0.1) * 3, 1, FitStatus.CONSTANT, "the same"),
    (
        "constant but for rounding",
        DAY,
        np.r_[np.full(23, 0.3), 0.1 * 3],
        1,
        FitStatus.CONSTANT,
        "the same",
    ),
    ("zeros", DAY, np.zeros(24), 2, FitStatus.CONSTANT, "the same"),
    ("NaN value", DAY, np.r_[CURVE[:23], np.nan], 1, FitStatus.NOT_FINITE, "1 of 24"),
    ("NaN time", np.r_[DAY[:22], np.nan, np.inf], CURVE, 1, FitStatus.NOT_FINITE, "2 of 24"),
    ("infinite value", DAY, np.r_[-np.inf, CURVE[1:]], 1, FitStatus.NOT_FINITE, "1 of 24"),
    ("times in epoch ms", 1.7e12 + DAY, CURVE, 1, FitStatus.NOT_FINITE, "24 of 24"),
    ("values that overflow", DAY, CURVE * 1e200, 1, FitStatus.NOT_FINITE, "24 of 24"),
    ("one time", np.full(24, 8.0), CURVE, 1, FitStatus.SAME_TIMES, "at 1 different clock time,"),
    (
        "the same two times every day",
        np.arange(24) * 12.0,
        CURVE,
        1,
        FitStatus.SAME_TIMES,
        "at 2 different clock times,",
    ),
    (
        "four times, two harmonics",
        np.arange(24) * 6.0,
        CURVE,
        2,
        FitStatus.SAME_TIMES,
        "need at least 5",
    ),
    (
        "two times and a millisecond",
        np.r_[np.arange(24) * 12.0, 3e-7],
        np.arange(25.0),
        1,
        FitStatus.SAME_TIMES,
        "too few different",
    ),
]


@pytest.mark.parametrize(
    ("hours", "values", "components", "status", "words"),
    [row[1:] for row in REFUSALS],
    ids=[row[0] for row in REFUSALS],
)
def test_bad_input_is_answered_with_a_status_and_a_sentence(
    hours: np.ndarray,
    values: np.ndarray,
    components: Literal[1, 2],
    status: FitStatus,
    words: str,
) -> None:
    fit = fit_cosinor(hours, values, components=components)
    assert fit.status is status
    assert words in known_text(fit.reason)
    assert known_text(fit.reason).endswith(".")
    assert (fit.mesor, fit.amplitude, fit.f, fit.coefficients) == (None, None, None, ())
    with pytest.raises(ValueError, match="no fitted curve"):
        fit.curve([1.0])


def test_five_saliva_samples_a_day_are_enough() -> None:
    """Their night gap is over a third of the cycle, which over several days is no short span."""
    hours = np.concatenate([d * 24 + np.array([7, 7.5, 12, 17, 22]) for d in range(4)])
    values = wave(hours, 5, 3, 8, 0, 0) + np.random.default_rng(1).normal(0, 0.3, hours.size)
    fit = fit_cosinor(hours, values)
    assert fit.status is FitStatus.FITTED
    assert abs(known(fit.acrophase) - 8) < 0.5


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"hours": [1, 2], "values": [1]}, "one length"),
        ({"hours": [[1, 2]], "values": [[1, 2]]}, "one length"),
        ({"hours": [1], "values": [1], "period": 0}, "positive"),
        ({"hours": [1], "values": [1], "period": float("nan")}, "positive"),
        ({"hours": [1], "values": [1], "components": 3}, "1 or 2"),
    ],
)
def test_a_call_that_is_wrong_in_itself_raises(arguments: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        fit_cosinor(**arguments)  # type: ignore[arg-type]


anything = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(anything | st.floats(0, 48), anything | st.floats(-5, 5)), max_size=12),
    st.sampled_from([1, 2]),
)
def test_no_samples_whatever_make_nan_or_a_warning(
    samples: list[tuple[float, float]], components: Literal[1, 2]
) -> None:
    """The model refuses NaN and infinity; warnings are errors in this suite."""
    hours = [s[0] for s in samples]
    values = [s[1] for s in samples]
    fit = fit_cosinor(hours, values, components=components)
    assert (fit.status is FitStatus.FITTED) == (fit.reason is None)
    if fit.acrophase is not None:
        assert 0 <= fit.acrophase < 24


@given(
    st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e99, 1e99)), min_size=7, max_size=20),
    st.sampled_from([1, 2]),
)
def test_finite_samples_of_any_size_fit_without_a_warning(
    samples: list[tuple[float, float]], components: Literal[1, 2]
) -> None:
    fit = fit_cosinor([s[0] for s in samples], [s[1] for s in samples], components=components)
    assert fit.status is not FitStatus.NOT_FINITE
