"""A person's own day: hours since waking and how they are known, and the days of shift workers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from processors.rhythm.cosinor import fit_cosinor
from processors.rhythm.own_day import (
    OwnDays,
    UsualWake,
    Wake,
    own_days,
    since_waking,
    usual_wake,
)
from processors.rhythm.sleep import main_sleeps

USUAL = UsualWake(7.0, 0.6, 20)
FORTNIGHT = 24.0 * np.arange(14)


def number(value: float | None) -> float:
    assert value is not None
    return value


def days(asleep: Any, awake: Any) -> OwnDays:
    found = own_days(asleep, awake)
    assert isinstance(found, OwnDays), found
    return found


# -- hours since waking -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hour", "wakes", "hours", "timing"),
    [
        (8.0, [Wake(7.5, True)], 0.5, "verified"),
        (8.0, [Wake(7.5, False)], 0.5, "reported"),
        (8.0, [Wake(7.5, False), Wake(7.5, True)], 0.5, "verified"),  # told twice
        (8.0, [Wake(7.9, True), Wake(5.0, True)], 0.1, "verified"),  # the last waking
        (8.0, [Wake(7.0, True), Wake(8.5, True)], 1.0, "verified"),  # and none after it
        (26.0, [Wake(7.5, True)], 18.5, "verified"),
        (32.0, [Wake(7.5, True)], 1.0, "assumed"),  # yesterday's
        (8.0, [], 1.0, "assumed"),
        (25.0, [], 18.0, "assumed"),
        (8.0, [Wake(math.nan, True)], 1.0, "assumed"),
        (8.0, [Wake(8.5, True)], None, "unknown"),  # the wake event after the sample
        (4.0, [], None, "unknown"),  # in the night
        (math.nan, [], None, "unknown"),
    ],
)
def test_hours_since_waking_and_how_they_are_known(
    hour: float, wakes: list[Wake], hours: float | None, timing: str
) -> None:
    found = since_waking(hour, 0.0, wakes, USUAL)
    assert found.timing == timing
    assert found.hours == (pytest.approx(hours) if hours is not None else None)
    assert (found.sd_h is None) == (hours is None)
    assert ("assumed" in found.sentence) == (timing == "assumed")
    assert found.sentence.endswith(".")


def test_the_usual_wake_time_is_by_the_wearer_s_clock() -> None:
    found = since_waking(6.0, 2.0, [], USUAL)
    assert found.hours == pytest.approx(1.0)
    assert found.sd_h == 0.6
    assert "07:00 (± 0.6 h)" in found.sentence
    late = since_waking(6.0, 2.0, [Wake(6.2, True)], USUAL)
    assert "taken before the waking at 08:12" in late.sentence


def test_without_events_and_without_a_habit_nothing_is_assumed() -> None:
    assert "not known" in since_waking(8.0, 0.0, [], None).sentence
    assert "at least 5" in since_waking(8.0, 0.0, [], usual_wake(main_sleeps([], []))).sentence


def test_a_usual_wake_time_holds_the_next_one_as_promised() -> None:
    """Mean and SD of a new night, known from a fortnight of which a fifth was not recorded, with
    times a quarter of an hour off, and the clock changed within for half of the people."""
    rng = np.random.default_rng(161)
    hits = 0
    for k in range(1000):
        middle = rng.uniform(0, 24)
        wakes = middle + 0.8 * rng.standard_normal(15)
        told = wakes + rng.uniform(-0.25, 0.25, 15)
        kept = np.flatnonzero(rng.random(14) > 0.2)
        offset = np.where(np.arange(14) >= 6, 2.0, 2.0 - k % 2)
        awake = FORTNIGHT + told[:14] - offset
        usual = usual_wake(main_sleeps(awake[kept] - 8, awake[kept], offset_h=offset[kept]))
        assert isinstance(usual, UsualWake)
        apart = (told[14] - usual.clock_h + 12) % 24 - 12
        hits += abs(apart) <= stdtrit(usual.n - 1, 0.95) * usual.sd_h
    assert abs(hits / 1000 - 0.9) < 0.03, hits


def test_who_wakes_at_any_time_has_no_usual_one() -> None:
    wakes = FORTNIGHT + np.linspace(0, 20, 14)
    found = usual_wake(main_sleeps(wakes - 7, wakes))
    assert isinstance(found, str)
    assert "far apart" in found
    assert usual_wake("Two sleeps overlap.") == "Two sleeps overlap."
    few = usual_wake(main_sleeps(FORTNIGHT[:4] - 1, FORTNIGHT[:4] + 7))
    assert isinstance(few, str)
    assert "there are 4" in few


# -- days of one's own --------------------------------------------------------------------------


def test_a_regular_life_has_days_from_mid_sleep_to_mid_sleep() -> None:
    found = days(FORTNIGHT - 1, FORTNIGHT + 7)
    np.testing.assert_allclose(found.middles, FORTNIGHT + 3)
    day, since = found.place([2.9, 3.0, 26.9, 27.0, 400.0, math.nan])
    assert day.tolist() == [-1, 0, 0, 1, -1, -1]
    np.testing.assert_allclose(since, [0, 0, 23.9, 0, 0, 0])


def test_naps_and_split_sleep_are_no_days() -> None:
    found = days([-1, 13.0, 17.0, 23.0], [7, 14.0, 19.5, 31.0])
    np.testing.assert_allclose(found.middles, [3.0, 27.0])
    # The longer of two sleeps within twelve hours, whichever comes first.
    split = days([-1, 4.0, 23.0], [2.5, 9.0, 31.0])
    np.testing.assert_allclose(split.middles, [6.5, 27.0])
    split = days([-1, 9.0, 23.0], [6.0, 12.0, 31.0])
    np.testing.assert_allclose(split.middles, [2.5, 27.0])


def test_two_days_without_a_sleep_are_no_day() -> None:
    found = days([0.0, 60.0, 84.0], [8.0, 68.0, 92.0])
    assert found.place([30.0, 70.0])[0].tolist() == [-1, 1]


def test_a_shift_worker_s_rhythm_is_whole_by_their_own_day_and_smeared_by_the_clock() -> None:
    """A week of nights, a week of days, and so on; cortisol peaks an hour after each waking."""
    rng = np.random.default_rng(162)
    day = np.arange(56)
    asleep = 24.0 * day + np.where(day // 7 % 2 == 0, 9.0, 23.0) + rng.normal(0, 0.4, 56)
    awake = asleep + 7.5
    hours = np.arange(48.0, 24 * 54, 1.5)
    last = np.array([awake[awake <= t].max() for t in hours])
    values = 10 + 5 * np.cos(2 * np.pi * (hours - last - 1) / 24) + rng.normal(0, 1, hours.size)
    own, since = days(asleep, awake).place(hours)
    by_own = fit_cosinor(since[own >= 0], values[own >= 0])
    by_clock = fit_cosinor(hours, values)
    assert number(by_own.amplitude) > 4.3
    assert number(by_clock.amplitude) < 2.5
    # Mid-sleep is 3.75 h before waking, the peak an hour after.
    assert number(by_own.acrophase) == pytest.approx(4.75, abs=0.5)


@pytest.mark.parametrize(
    ("asleep", "awake", "words"),
    [
        ([], [], "there are 0"),
        ([0.0], [8.0], "there are 1"),
        ([0.0, 13.0], [8.0, 14.0], "there are 1"),
        ([0.0, 24.0], [8.0, 20.0], "ends before it"),
        ([0.0, 24.0], [30.0, 32.0], "a waking is missing"),
        ([0.0, math.nan], [8.0, 32.0], "1 of 2 sleeps"),
        ([0.0, 4.0], [8.0, 12.0], "overlap"),
    ],
)
def test_sleeps_that_make_no_days_are_told_why(asleep: Any, awake: Any, words: str) -> None:
    found = own_days(asleep, awake)
    assert isinstance(found, str)
    assert words in found


def test_order_does_not_matter() -> None:
    order = np.random.default_rng(5).permutation(14)
    np.testing.assert_array_equal(
        days((FORTNIGHT - 1)[order], (FORTNIGHT + 7)[order]).middles,
        days(FORTNIGHT - 1, FORTNIGHT + 7).middles,
    )


anything = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.lists(st.tuples(st.floats(0, 200) | anything, st.floats(0, 19)), max_size=8),
    st.lists(anything | st.floats(0, 200), max_size=4),
    st.lists(st.tuples(st.floats(0, 50) | anything, st.booleans()), max_size=4),
)
def test_no_days_whatever_make_nan_or_a_warning(
    sleeps: list[tuple[float, float]], hours: list[float], wakes: list[tuple[float, bool]]
) -> None:
    asleep = np.array([row[0] for row in sleeps])
    awake = np.array([row[0] + row[1] for row in sleeps])
    found = own_days(asleep, awake)
    if isinstance(found, OwnDays):
        assert (np.diff(found.middles) > 0).all()
        day, since = found.place(hours)
        assert np.isfinite(since).all()
        assert (since[day < 0] == 0).all()
        assert ((since >= 0) & (since <= 40)).all()
    usual = usual_wake(main_sleeps(asleep, awake))
    for hour in hours:
        told = since_waking(hour, 1.0, [Wake(*wake) for wake in wakes], usual)
        assert told.hours is None or 0.0 <= told.hours <= 20.0
