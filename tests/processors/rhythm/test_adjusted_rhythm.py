"""Rhythms adjusted for steps: exactness, promised coverage, and what is withheld."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.rhythm.adjusted_rhythm import AdjustedRhythm, adjusted_rhythm, daily_phases
from processors.rhythm.clock_bins import Bins, clock_bins
from processors.rhythm.correlated_line import correlated_line
from processors.rhythm.cosinor import fit_cosinor
from processors.rhythm.marker import Marker

OMEGA = 2 * np.pi / 24
PEOPLE = 1000
HALF_HOURS = np.arange(0.25, 24 * 5, 0.5)
WALKED = np.where(HALF_HOURS % 24 > 8, np.random.default_rng(1).gamma(1, 20, 240), 0.0)


def number(value: float | None) -> float:
    assert value is not None
    return value


def covers(marker: Marker, truth: float) -> bool:
    assert marker.status == "measured", marker.sentence
    if marker.unit == "clock_h":
        truth += 24 * round((number(marker.value) - truth) / 24)
    return number(marker.low) <= truth <= number(marker.high)


def markers(found: AdjustedRhythm) -> tuple[Marker, ...]:
    return found.mesor, found.amplitude, found.acrophase, found.per_step


def binned(hours: Any, values: Any, **more: Any) -> Bins:
    return clock_bins(hours, values, width_h=0.5, **more)


def following(rng: np.random.Generator, rho: float, sd: float, shape: tuple[int, ...]) -> Any:
    """Errors each of which keeps rho of the one before."""
    noise = rng.normal(0, sd, shape)
    for k in range(1, shape[-1]):
        noise[..., k] = rho * noise[..., k - 1] + math.sqrt(1 - rho**2) * noise[..., k]
    return noise


# -- exactness ----------------------------------------------------------------------------------


def test_without_noise_the_rhythm_is_found_whatever_was_walked() -> None:
    rates = 62 + 6 * np.cos(OMEGA * (HALF_HOURS - 16.5)) + 0.35 * WALKED
    found = adjusted_rhythm(binned(HALF_HOURS, rates), binned(HALF_HOURS, WALKED), "/min")
    values = [number(marker.value) for marker in markers(found)]
    assert values == pytest.approx([62, 6, 16.5, 0.35], abs=1e-6)


@pytest.mark.parametrize("late", [0.0, 0.1, 0.45])
def test_readings_count_at_their_own_time_and_not_in_the_middle_of_their_stretch(
    late: float,
) -> None:
    """A reading each full hour is half an hour earlier than the middle of its hour."""
    hours = np.arange(24.0 * 5) + late
    rates = clock_bins(hours, 62 + 6 * np.cos(OMEGA * (hours - 16.5)) + 1e-3 * np.sin(hours * 7))
    assert adjusted_rhythm(rates, None, "/min").acrophase.value == pytest.approx(16.5, abs=1e-3)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.floats(0.2, 0.8))
def test_the_regression_is_generalised_least_squares(seed: int, share: float) -> None:
    """At each rho of the grid the solution has a closed form in the full covariance; the answer
    lies among them, and with uncorrelated errors near ordinary least squares."""
    rng = np.random.default_rng(seed)
    at = np.flatnonzero(rng.random(120) < share)
    if at.size < 12:
        return
    rows = np.column_stack((np.ones(at.size), np.cos(at / 5), rng.normal(0, 1, at.size)))
    y = rows @ [5.0, 2.0, 1.0] + rng.normal(0, 1, at.size)
    found = correlated_line(rows, y, at)
    assert found is not None
    closed = []
    for rho in np.arange(0, 1, 0.05):
        inverse = np.linalg.inv(rho ** np.abs(at[:, None] - at) if rho else np.eye(at.size))
        closed.append(np.linalg.solve(rows.T @ inverse @ rows, rows.T @ inverse @ y))
    assert (found.theta >= np.min(closed, axis=0) - 0.05).all()
    assert (found.theta <= np.max(closed, axis=0) + 0.05).all()
    plain = np.linalg.lstsq(rows, y, rcond=None)[0]
    assert np.abs(found.theta - plain).max() < 1.5
    assert found.rho < 0.85


def test_training_every_evening_moves_the_plain_rhythm_and_not_the_adjusted_one() -> None:
    """A rhythm at 15:00, and an hour of training at 20:00 each day."""
    rng = np.random.default_rng(2)
    walked = WALKED + np.where((HALF_HOURS % 24 >= 20) & (HALF_HOURS % 24 < 21), 120.0, 0.0)
    rates = 62 + 4 * np.cos(OMEGA * (HALF_HOURS - 15)) + 0.4 * walked + rng.normal(0, 1, 240)
    adjusted = adjusted_rhythm(binned(HALF_HOURS, rates), binned(HALF_HOURS, walked), "/min")
    assert covers(adjusted.acrophase, 15.0)
    assert abs(number(adjusted.acrophase.value) - 15) < 0.3
    plain = adjusted_rhythm(binned(HALF_HOURS, rates), None, "/min")
    assert number(plain.acrophase.value) > 16
    assert number(fit_cosinor(HALF_HOURS, rates).acrophase) > 16
    assert plain.per_step.status == "withheld"


# -- promised coverage --------------------------------------------------------------------------


def test_a_rhythm_at_rest_covers_as_promised() -> None:
    """Three to seven days of half hours, an eighth of them missing, errors that follow each other,
    a watch a quarter of an hour off, and for half of the people a change of the clock."""
    rng = np.random.default_rng(81)
    hits = np.zeros(4)
    noise = following(rng, 0.6, 4.0, (PEOPLE, 336))
    for k in range(PEOPLE):
        n = 48 * int(rng.integers(3, 8))
        hours = np.arange(n) / 2 + 0.25
        offset = np.where(hours > 25, k % 2, 0)
        clock = hours + offset
        peak = rng.uniform(0, 24)
        steps = np.where((clock % 24 > 8) & (clock % 24 < 22), rng.gamma(1, 20, n), 0.0)
        curve = 62 + 5 * np.cos(OMEGA * (clock + rng.uniform(-0.25, 0.25) - peak))
        rates = curve + 0.3 * steps + noise[k, :n]
        kept = rng.random(n) > 0.125
        found = adjusted_rhythm(
            binned(hours[kept], rates[kept], offset_h=offset[kept]),
            binned(hours, steps, offset_h=offset),
            "/min",
        )
        hits += [
            covers(marker, truth)
            for marker, truth in zip(markers(found), (62, 5, peak, 0.3), strict=True)
        ]
    assert np.all(np.abs(hits / PEOPLE - 0.9) < 0.03), hits


def test_each_day_s_phase_covers_as_promised() -> None:
    """The phase moves from day to day, and every day is told by itself: a tenth of the stretches
    missed, a watch a quarter of an hour off, the clock put back on the third night for half of the
    people. Nothing is censored: rates have no limit."""
    rng = np.random.default_rng(82)
    days = 5
    noise = following(rng, 0.5, 2.0, (PEOPLE // days, 48 * days))
    hits = given_ = 0
    for k in range(PEOPLE // days):
        phases = rng.uniform(0, 24) + np.cumsum(rng.normal(0, 0.7, days))
        watch = HALF_HOURS + rng.uniform(-0.25, 0.25)
        offset = np.where(HALF_HOURS >= 51.0, -(k % 2), 0)
        clock = watch + offset
        curve = 62 + 6 * np.cos(OMEGA * (clock - phases[(HALF_HOURS // 24).astype(int)]))
        rates = curve + 0.3 * WALKED + noise[k]
        # The hour that the last day gains at its end is no sixth day.
        kept = (rng.random(240) > 0.1) & (HALF_HOURS + offset >= 24 * (HALF_HOURS // 24))
        found = daily_phases(
            binned(HALF_HOURS[kept], rates[kept], offset_h=offset[kept]),
            binned(HALF_HOURS, WALKED, offset_h=offset),
            "/min",
        )
        assert [one.day for one in found] == list(range(days))
        for one, phase in zip(found, phases, strict=True):
            if one.acrophase.status == "measured":
                given_ += 1
                hits += covers(one.acrophase, phase)
    assert given_ > 0.97 * PEOPLE
    assert abs(hits / given_ - 0.9) < 0.03, hits


# -- what the data do not carry -----------------------------------------------------------------

RATES = 62 + 6 * np.cos(OMEGA * (HALF_HOURS - 16)) + np.sin(HALF_HOURS * 9) + 0.3 * WALKED
STEPS = binned(HALF_HOURS, WALKED)
MORNINGS = HALF_HOURS % 24 < 12

REFUSED: list[tuple[str, Bins, Bins | None, str]] = [
    ("none", binned([], []), STEPS, "no readings"),
    ("no steps", binned(HALF_HOURS, RATES), binned([], []), "Steps are known for 0 of 240"),
    ("few steps", binned(HALF_HOURS, RATES), STEPS.part(HALF_HOURS < 60), "known for 120 of 240"),
    ("never walked", binned(HALF_HOURS, RATES), binned(HALF_HOURS, 0 * WALKED), "all the same"),
    ("few", binned(HALF_HOURS[:11], RATES[:11]), STEPS, "At least 12 stretches"),
    ("mornings", binned(HALF_HOURS[MORNINGS], RATES[MORNINGS]), STEPS, "cover 12 hours"),
    ("constant", binned(HALF_HOURS, 0 * RATES + 0.3), STEPS, "All values are the same"),
    ("NaN", binned(HALF_HOURS, np.r_[math.nan, RATES[1:]]), STEPS, "1 readings have no usable"),
    ("NaN steps", binned(HALF_HOURS, RATES), binned([math.nan], [1.0]), "1 readings have no"),
    (
        "steps by the clock",
        binned(HALF_HOURS, RATES),
        binned(HALF_HOURS, 50 + 50 * np.cos(OMEGA * HALF_HOURS)),
        "so closely",
    ),
]


@pytest.mark.parametrize(
    ("rates", "steps", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_bad_recordings_are_told_why(rates: Bins, steps: Bins | None, words: str) -> None:
    for marker in markers(adjusted_rhythm(rates, steps, "/min")):
        assert marker.status == "withheld"
        assert words in marker.sentence
        assert marker.value is marker.low is marker.high is None


def test_days_without_steps_have_no_phase_and_the_others_have() -> None:
    found = daily_phases(binned(HALF_HOURS, RATES), STEPS.part(HALF_HOURS < 60), "/min")
    assert [one.acrophase.status for one in found] == ["measured"] * 2 + ["withheld"] * 3
    assert "known for 0 of 48" in found[4].acrophase.sentence


def test_a_regression_that_has_no_solution() -> None:
    at = np.arange(9)
    ones = np.ones((9, 1))
    y = np.cos(at)
    assert correlated_line(ones, y, at) is not None
    assert correlated_line(ones[:2], y[:2], at[:2]) is None  # nothing left for the error
    assert correlated_line(np.c_[ones, 0 * ones], y, at) is None
    assert correlated_line(np.c_[ones, ones], y, at) is None


def test_without_rhythm_there_is_no_acrophase() -> None:
    rates = 62 + np.random.default_rng(4).normal(0, 3, 240)
    found = adjusted_rhythm(binned(HALF_HOURS, rates), STEPS, "/min")
    assert found.acrophase.status == "withheld"
    assert "contains zero" in found.acrophase.sentence
    assert found.amplitude.status == "measured"
    assert found.mesor.status == "measured"


def test_two_widths_raise() -> None:
    with pytest.raises(ValueError, match="two widths"):
        adjusted_rhythm(binned(HALF_HOURS, RATES), clock_bins(HALF_HOURS, WALKED), "/min")


@given(
    st.integers(0, 2**32),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=3),
    st.sampled_from([0.0, 1e-300, 1e-9, 1.0, 1e8]),
    st.sampled_from([0.1, 0.6, 1.0]),
)
def test_no_recording_whatever_makes_nan_or_a_warning(
    seed: int, odd: list[float], size: float, share: float
) -> None:
    rng = np.random.default_rng(seed)
    kept = rng.random(HALF_HOURS.size) < share
    values = np.r_[size * np.round(rng.random(kept.sum()), int(rng.integers(0, 3))), odd]
    hours = np.r_[HALF_HOURS[kept], HALF_HOURS[: len(odd)]]
    steps = binned(HALF_HOURS, np.round(size * rng.random(240), int(rng.integers(0, 3))))
    for marker in markers(adjusted_rhythm(binned(hours, values), steps, "/min")):
        numbers = (marker.low, marker.value, marker.high)
        if marker.status == "withheld":
            assert numbers == (None, None, None)
        else:
            low, value, high = map(number, numbers)
            assert -math.inf < low <= value <= high < math.inf
