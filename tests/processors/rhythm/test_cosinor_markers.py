"""The cosinor's markers: published figures, promised coverage, and what they withhold."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from processors.rhythm.cosinor import fit_cosinor
from processors.rhythm.cosinor_markers import cosinor_markers
from processors.rhythm.marker import Marker
from processors.rhythm.marker_text import clock
from processors.rhythm.waveform import design, extreme, hours_above_mesor, maximum

OMEGA = 2 * np.pi / 24
NAMES = (
    "mesor",
    "amplitude",
    "acrophase",
    "percent-rhythm",
    "peak",
    "trough",
    "hours-above-mesor",
    "wave-skew",
)
PEOPLE = 1000


def markers(
    hours: np.ndarray,
    values: np.ndarray,
    components: Literal[1, 2] = 1,
    limits: Literal["delta", "ellipse"] = "delta",
) -> dict[str, Marker]:
    fit = fit_cosinor(hours, values, components=components)
    found = cosinor_markers(fit, "ug/dL", limits=limits)
    assert tuple(m.name for m in found) == NAMES
    return {m.name: m for m in found}


def number(value: float | None) -> float:
    assert value is not None
    return value


def covers(marker: Marker, truth: float) -> bool:
    """Whether the interval holds a truth; of a clock time on whichever day is nearer."""
    assert marker.status == "measured", marker.sentence
    if marker.unit == "clock_h":
        truth += 24 * round((number(marker.value) - truth) / 24)
    return number(marker.low) <= truth <= number(marker.high)


# -- published figures --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hormone", "mesor", "amplitude", "se", "acrophase", "percent", "f"),
    [
        ("Cortisol", 5.5824, 4.1418, 0.1473, 9.4521, 84.778, "395.4"),
        ("ACTH", 21.0292, 6.5784, 0.2981, 9.0248, 77.426, "243.5"),
    ],
)
def test_carroll_controls(
    shared_data: Path,
    hormone: str,
    mesor: float,
    amplitude: float,
    se: float,
    acrophase: float,
    percent: float,
    f: str,
) -> None:
    """CosinorPy 3.1 on the same file; the interval is ours: t on 142 degrees of freedom."""
    table = np.loadtxt(shared_data / "hpa_24h" / f"Carroll-2007-controlGroup{hormone}.txt")
    found = markers(table[:, 0] / 60, table[:, 1])
    assert found["mesor"].value == pytest.approx(mesor, abs=5e-5)
    assert found["amplitude"].value == pytest.approx(amplitude, abs=5e-5)
    half = number(found["amplitude"].high) - number(found["amplitude"].value)
    assert half == pytest.approx(se * stats.t.ppf(0.95, 142), abs=1e-4)
    assert found["acrophase"].value == pytest.approx(acrophase, abs=5e-5)
    assert found["percent-rhythm"].value == pytest.approx(percent, abs=5e-4)
    assert f"F = {f}" in found["percent-rhythm"].sentence
    assert found["peak"].value == pytest.approx(number(found["acrophase"].value))
    assert found["hours-above-mesor"].status == found["wave-skew"].status == "withheld"


def test_carroll_control_cortisol_rises_faster_than_it_falls(shared_data: Path) -> None:
    table = np.loadtxt(shared_data / "hpa_24h" / "Carroll-2007-controlGroupCortisol.txt")
    found = markers(table[:, 0] / 60, table[:, 1], components=2)
    assert 8.0 < number(found["peak"].value) < 9.5
    assert number(found["wave-skew"].low) > 0.1
    # Fewer than twelve hours above the mesor: a high morning over a long low.
    assert 9.0 < number(found["hours-above-mesor"].value) < 12.0


def test_debono_s_healthy_adults_are_read_off_as_published() -> None:
    """Debono et al. 2009: 33 healthy adults, a sample every 20 minutes: peak 15.5 ug/dL at 08:32,
    nadir below 2.0 ug/dL at 00:18. Their samples are not at hand: the one curve of two harmonics on
    the log that has these extremes, 1.9 for the nadir and a midline of 5.6 ug/dL stands in."""
    conditions = [
        design(np.array(hour), period=24.0, components=2, derivative=order)
        for hour in (8 + 32 / 60, 18 / 60)
        for order in (0, 1)
    ]
    theta = np.linalg.solve(
        np.array([*conditions, [1.0, 0, 0, 0, 0]]),
        [math.log(15.5), 0.0, math.log(1.9), 0.0, math.log(5.6)],
    )
    every = np.arange(0, 24, 1 / 3)
    curve = design(every, period=24.0, components=2) @ theta
    exact = fit_cosinor(every, curve, components=2)
    assert clock(number(exact.peak)) == "08:32"
    assert clock(number(exact.trough)) == "00:18"
    assert round(math.exp(number(exact.peak_value)), 1) == 15.5
    assert math.exp(number(exact.trough_value)) < 2.0
    rng = np.random.default_rng(33)
    people = [curve + rng.normal(0, 0.3) + rng.normal(0, 0.35, every.size) for _ in range(33)]
    found = markers(np.tile(every, 33), np.concatenate(people), components=2)
    assert covers(found["peak"], 8 + 32 / 60)
    assert covers(found["trough"], 24 + 18 / 60)


# -- promised coverage --------------------------------------------------------------------------


def half_hourly(rng: np.random.Generator) -> np.ndarray:
    return np.arange(0, 48, 2.0)


def with_gaps(rng: np.random.Generator) -> np.ndarray:
    """Six samples a day at home over a week, a quarter of them missed."""
    hours = (24 * np.arange(7)[:, None] + np.array([1.0, 6, 10, 14, 18, 22])).ravel()
    return np.asarray(hours[rng.random(hours.size) > 0.25])


def over_autumn(rng: np.random.Generator) -> np.ndarray:
    """Every two hours by a watch that is put back from 03:00 to 02:00 on the second night."""
    elapsed = np.arange(0.5, 72, 2.0)
    return np.asarray(elapsed - (elapsed >= 27.0))


def test_one_harmonic_covers_as_promised() -> None:
    """Mesor, amplitude, acrophase, percent rhythm: 90 % ± 3 over a thousand people, however
    they are sampled, and half of them up to 15 minutes off the time that is noted."""
    rng = np.random.default_rng(11)
    hits = dict.fromkeys(("mesor", "amplitude", "acrophase", "percent-rhythm"), 0)
    joint = 0
    for k in range(PEOPLE):
        hours = (half_hourly, with_gaps, over_autumn)[k % 3](rng)
        peak = rng.uniform(0, 24)
        timing_h = 0.25 * (k % 2)
        taken = hours + rng.uniform(-timing_h, timing_h, hours.size)
        signal = 3 * np.cos(OMEGA * (taken - peak))
        values = 10 + signal + rng.normal(0, 1, hours.size)
        found = markers(hours, values)
        share = 100 * signal.var() / (signal.var() + 1)
        truths = {"mesor": 10.0, "amplitude": 3.0, "acrophase": peak, "percent-rhythm": share}
        for name, truth in truths.items():
            hits[name] += covers(found[name], truth)
        ellipse = markers(hours, values, limits="ellipse")
        joint += covers(ellipse["amplitude"], 3.0) and covers(ellipse["acrophase"], peak)
    for name, count in hits.items():
        assert abs(count / PEOPLE - 0.9) < 0.03, (name, count)
    assert joint / PEOPLE >= 0.9


def full_curve(hours: np.ndarray) -> np.ndarray:
    return np.asarray(
        10 + 4 * np.cos(OMEGA * (hours - 9)) + 1.8 * np.cos(2 * OMEGA * (hours - 7.5))
    )


def test_the_full_curve_covers_as_promised() -> None:
    """Peak, trough, hours above mesor and skew of two harmonics: 90 % ± 3 over a thousand people
    who miss a tenth of their samples, half of them up to 15 minutes off the time that is noted, and
    a third over the autumn night."""
    fine = np.arange(0, 24, 0.001)
    curve = full_curve(fine)
    truths = {
        "peak": float(fine[curve.argmax()]),
        "trough": float(fine[curve.argmin()]),
        "hours-above-mesor": 24 * float((curve > 10).mean()),
    }
    truths["wave-skew"] = 1 - 2 * ((truths["peak"] - truths["trough"]) % 24) / 24
    rng = np.random.default_rng(102)
    every = np.arange(0, 72, 1.0)
    hits = dict.fromkeys(truths, 0)
    for k in range(PEOPLE):
        hours = every[rng.random(every.size) > 0.1]
        if k % 3 == 0:
            hours = hours - (hours >= 27.0)  # local clock hours: one of them comes twice
        off = 0.25 * (k % 2)
        taken = hours + rng.uniform(-off, off, hours.size)
        found = markers(hours, full_curve(taken) + rng.normal(0, 0.8, hours.size), components=2)
        for name, truth in truths.items():
            hits[name] += covers(found[name], truth)
    for name, count in hits.items():
        assert abs(count / PEOPLE - 0.9) < 0.03, (name, count)


@given(st.floats(0.3, 1.5), st.floats(0, 24), st.floats(0, 12))
def test_hours_above_mesor_are_those_of_the_curve_drawn_finely(
    share: float, peak: float, second: float
) -> None:
    hours = np.arange(0, 48, 0.5)
    values = (
        10 + 4 * np.cos(OMEGA * (hours - peak)) + 4 * share * np.cos(2 * OMEGA * (hours - second))
    )
    fit = fit_cosinor(hours, values, components=2)
    theta = np.asarray(fit.coefficients)
    above = hours_above_mesor(theta, np.asarray(fit.covariance), 24.0)
    drawn = fit.curve(np.arange(0, 24, 0.002)) > number(fit.mesor)
    if above.gradient is None:  # it grazes its mesor: two crossings may hide between two points
        assert abs(above.hours - 24 * drawn.mean()) < 0.5
        return
    assert above.hours == pytest.approx(24 * drawn.mean(), abs=0.01)
    # The gradient is how the hours move when each coefficient does.
    for k in range(1, 5):
        nudged = []
        for step in (-1e-5, 1e-5):
            moved = theta.copy()
            moved[k] += step
            nudged.append(hours_above_mesor(moved, np.asarray(fit.covariance), 24.0).hours)
        slope = (nudged[1] - nudged[0]) / 2e-5
        assert above.gradient[k] == pytest.approx(slope, rel=1e-3, abs=1e-4)
    assert above.gradient[0] == 0.0


def test_the_extremes_gradient_is_how_the_peak_moves() -> None:
    hours = np.arange(0, 48, 0.5)
    fit = fit_cosinor(hours, full_curve(hours), components=2)
    theta = np.asarray(fit.coefficients)
    gradient = extreme(theta, np.asarray(fit.covariance), 24.0, 1.0).gradient
    assert gradient is not None
    for k in range(5):
        nudge = 1e-4 * np.eye(5)[k]
        moved = (maximum(theta + nudge, 24.0) - maximum(theta - nudge, 24.0)) / 2e-4
        assert gradient[k] == pytest.approx(moved, abs=1e-5)


# -- what the data do not carry -----------------------------------------------------------------


def test_without_rhythm_there_is_an_amplitude_that_may_be_zero_and_no_acrophase() -> None:
    hours = np.arange(0, 48, 2.0)
    found = markers(hours, np.random.default_rng(3).normal(10, 1, hours.size))
    assert found["mesor"].status == "measured"
    assert (found["amplitude"].low, found["amplitude"].status) == (0.0, "measured")
    assert "may be none at all" in found["amplitude"].sentence
    assert found["percent-rhythm"].low == 0.0
    for name in ("acrophase", "peak", "trough"):
        assert found[name].status == "withheld"
        assert "contains zero" in found[name].sentence
        assert found[name].value is found[name].low is found[name].high is None


def test_a_flat_top_has_no_time() -> None:
    hours = np.arange(0, 48, 0.5)
    noise = np.random.default_rng(2).normal(0, 0.3, hours.size)
    curve = 4 * np.cos(OMEGA * (hours - 12)) + np.cos(2 * OMEGA * (hours - 6))
    found = markers(hours, curve + noise, components=2)
    assert found["peak"].status == found["wave-skew"].status == "withheld"
    assert "too flat" in found["peak"].sentence
    assert "peak is too flat" in found["wave-skew"].sentence
    assert found["trough"].status == "measured"


def test_a_curve_that_grazes_its_mesor_has_no_time_above_it() -> None:
    """cos x + cos 2x touches -9/8 and, at x = pi, 0: one crossing more or two less."""
    hours = np.arange(0, 48, 0.5)
    noise = np.random.default_rng(2).normal(0, 0.2, hours.size)
    curve = np.cos(OMEGA * hours) + np.cos(2 * OMEGA * hours)
    found = markers(hours, curve + noise, components=2)
    assert found["hours-above-mesor"].status == "withheld"
    assert "grazes" in found["hours-above-mesor"].sentence


def test_a_pure_twelve_hour_rhythm_withholds_the_acrophase_alone() -> None:
    hours = np.arange(0, 48, 0.5)
    noise = np.random.default_rng(4).normal(0, 0.3, hours.size)
    found = markers(hours, 10 + 3 * np.cos(2 * OMEGA * (hours - 5)) + noise, components=2)
    assert found["acrophase"].status == "withheld"
    assert found["peak"].status == "withheld"  # the other top is as high
    assert found["percent-rhythm"].status == "measured"


DAY = np.arange(24.0)
BAD = [
    ("none", [], [], "there are 0"),
    ("three samples", DAY[:3], DAY[:3], "at least 4"),
    ("span under two thirds", DAY[:15], np.cos(OMEGA * DAY[:15]), "span 14.0 hours"),
    ("all at the detection limit", DAY, np.full(24, 0.5), "the same"),
    ("one time", np.full(24, 8.0), DAY, "1 different clock time"),
    ("NaN", DAY, np.r_[np.nan, DAY[1:]], "1 of 24"),
    ("infinite", DAY, np.r_[np.inf, DAY[1:]], "1 of 24"),
]


@pytest.mark.parametrize(
    ("hours", "values", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
@pytest.mark.parametrize("components", [1, 2])
def test_bad_input_withholds_every_marker_with_the_reason(
    hours: np.ndarray, values: np.ndarray, words: str, components: Literal[1, 2]
) -> None:
    if "at least 4" in words and components == 2:
        words = "at least 6"
    for marker in markers(hours, values, components).values():
        assert marker.status == "withheld"
        assert words in marker.sentence
        assert marker.sentence.endswith(".")
        assert marker.value is marker.low is marker.high is None


def test_unsorted_and_repeated_times_change_nothing() -> None:
    """Replicates are data, and order is none."""
    rng = np.random.default_rng(7)
    hours = np.repeat(np.arange(0, 24, 2.0), 2)
    values = 10 + 3 * np.cos(OMEGA * (hours - 8)) + rng.normal(0, 1, hours.size)
    order = rng.permutation(hours.size)
    sorted_, mixed = markers(hours, values), markers(hours[order], values[order])
    for name in ("mesor", "amplitude", "acrophase"):
        assert mixed[name].value == pytest.approx(number(sorted_[name].value), rel=1e-12)
        assert mixed[name].high == pytest.approx(number(sorted_[name].high), rel=1e-9)


@given(
    st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e99, 1e99)), min_size=7, max_size=20),
    st.sampled_from([1, 2]),
    st.sampled_from(["delta", "ellipse"]),
)
def test_samples_of_any_size_give_ordered_finite_limits_or_none(
    samples: list[tuple[float, float]],
    components: Literal[1, 2],
    limits: Literal["delta", "ellipse"],
) -> None:
    hours, values = np.array(samples).T
    for marker in markers(hours, values, components, limits).values():
        if marker.status == "measured":
            low, value, high = (number(x) for x in (marker.low, marker.value, marker.high))
            assert all(map(math.isfinite, (low, value, high)))
            assert low <= value <= high
            assert marker.unit != "clock_h" or 0 <= value < 24


def test_another_period_has_hours_and_no_clock() -> None:
    hours = np.arange(0, 100, 0.75)
    fit = fit_cosinor(
        hours, 5 + 2 * np.cos(2 * np.pi / 25.5 * (hours - 25.0)) + 0.01 * hours % 0.1, period=25.5
    )
    acrophase = cosinor_markers(fit, "ug/dL")[2]
    assert acrophase.unit == "h"
    assert acrophase.value == pytest.approx(25.0, abs=0.1)
