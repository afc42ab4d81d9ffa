"""Sleep midpoint and social jet lag: by hand, promised coverage, and what is withheld."""

from __future__ import annotations

import math
from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.rhythm.marker import Marker
from processors.rhythm.sleep import Nights, Sleep, main_sleeps, sleep_markers, weekends

PEOPLE = 1000
FORTNIGHT = np.arange(14)


def number(value: float | None) -> float:
    assert value is not None
    return value


def nights(asleep: Any, awake: Any, **more: Any) -> Nights:
    found = main_sleeps(asleep, awake, **more)
    assert isinstance(found, Nights), found
    return found


def fortnight(asleep: Any, length: Any) -> Sleep:
    """Falling asleep at clock hours (14,), below 0 before midnight, for so many hours."""
    begin = 24.0 * FORTNIGHT + asleep
    return sleep_markers(main_sleeps(begin, begin + length))


def markers(found: Sleep) -> tuple[Marker, ...]:
    return found.midpoint, found.midpoint_corrected, found.duration, found.social_jet_lag


FREE = weekends(FORTNIGHT)


# -- by hand ------------------------------------------------------------------------------------


def test_a_fortnight_by_hand() -> None:
    """Work: 23:00 to 06:00, mid 02:30. Free: 01:00 to 10:00, mid 05:30. Social jet lag 3 h.
    SDweek = (10 · 7 + 4 · 9)/14 = 7.571; MSFsc = 5.5 - (9 - 7.571)/2 = 4.7857."""
    found = fortnight(np.where(FREE, 1.0, -1.0), np.where(FREE, 9.0, 7.0))
    assert found.social_jet_lag.value == pytest.approx(3.0)
    assert found.midpoint_corrected.value == pytest.approx(5.5 - (9 - (10 * 7 + 4 * 9) / 14) / 2)
    assert found.midpoint.value == pytest.approx((10 * 2.5 + 4 * 5.5) / 14)
    assert found.duration.value == pytest.approx((10 * 7 + 4 * 9) / 14)
    assert found.midpoint.n == 14


def test_who_sleeps_less_on_free_days_has_nothing_to_make_up_for() -> None:
    found = fortnight(np.where(FREE, 1.0, -1.0), np.where(FREE, 6.0, 7.0))
    assert found.midpoint_corrected.value == pytest.approx(4.0)


def test_mid_sleeps_about_midnight_have_their_middle_there() -> None:
    found = fortnight(np.where(FORTNIGHT % 2 == 0, 19.0, 21.0), 8.0)
    assert found.midpoint.value == pytest.approx(0.0, abs=1e-9)
    early = fortnight(np.where(weekends(FORTNIGHT + 1), 20.0, 19.5), 8.0)
    assert early.social_jet_lag.value == pytest.approx(0.5)


def test_the_longest_sleep_of_a_day_counts() -> None:
    found = nights([-1.0, 13.0, 23.0], [7.0, 14.5, 31.0])
    assert found.mid_h.tolist() == [3.0, 3.0]
    assert found.day.tolist() == [0, 1]
    # An hour and a half is nobody's night.
    assert nights([13.0], [14.5]).mid_h.size == 0


def test_the_night_of_the_change_is_told_by_the_clock_of_waking() -> None:
    """22:00 UTC to 05:00 UTC with the clock put back at 01:00 UTC: 7 hours, mid-sleep 01:30 UTC,
    which is 02:30 by the new clock; the next day is still one day on."""
    found = nights([22.0, 46.0], [29.0, 53.0], offset_h=[1.0, 1.0])
    assert found.mid_h.tolist() == [2.5, 2.5]
    assert found.length_h.tolist() == [7.0, 7.0]
    assert found.day.tolist() == [1, 2]


def test_own_free_days() -> None:
    found = nights([-1.0, 23.0], [7.0, 31.0], is_free=lambda day: np.asarray(day == 1))
    assert found.free.tolist() == [False, True]


# -- promised coverage --------------------------------------------------------------------------


def test_the_markers_cover_as_promised() -> None:
    """Four weeks with a fifth of the nights missed, quarter hours of error, and the clock changed
    on one of the nights."""
    rng = np.random.default_rng(91)
    days = np.arange(28)
    free = weekends(days)
    hits = np.zeros(4)
    for _ in range(PEOPLE):
        mid = rng.uniform(0, 7)
        lag, more = rng.uniform(0.5, 3), rng.uniform(0.8, 2)
        length = np.where(free, 7 + more, 7.0) + rng.normal(0, 0.8, 28)
        middle = mid + np.where(free, lag, 0.0) + rng.normal(0, 0.7, 28)
        offset = np.where(days >= 9, 2.0, 1.0)
        begin = 24.0 * days - offset + middle - length / 2 + rng.uniform(-0.25, 0.25, 28)
        end = 24.0 * days - offset + middle + length / 2 + rng.uniform(-0.25, 0.25, 28)
        kept = rng.random(28) > 0.2
        found = sleep_markers(main_sleeps(begin[kept], end[kept], offset_h=offset[kept]))
        n_free = (free & kept).sum() / kept.sum()
        truths = (
            mid + n_free * lag,
            mid + lag - more * (1 - n_free) / 2,
            7 + n_free * more,
            lag,
        )
        for k, (marker, truth) in enumerate(zip(markers(found), truths, strict=True)):
            if marker.unit == "clock_h":
                truth += 24 * round((number(marker.value) - truth) / 24)
            hits[k] += number(marker.low) <= truth <= number(marker.high)
    assert np.all(np.abs(hits / PEOPLE - 0.9) < 0.03), hits


# -- what the data do not carry -----------------------------------------------------------------

BEGIN = 24.0 * FORTNIGHT - 1.0

REFUSED: list[tuple[str, Any, Any, str]] = [
    ("none", [], [], "there are 0"),
    ("two nights", BEGIN[:2], BEGIN[:2] + 8, "there are 2"),
    ("waking before sleep", BEGIN, np.r_[BEGIN[:13] + 8, BEGIN[13] - 8], "ends before it"),
    ("no waking in between", BEGIN, np.r_[BEGIN[:13] + 8, BEGIN[13] + 20], "a waking is missing"),
    ("overlap", np.r_[BEGIN, BEGIN[3] + 2], np.r_[BEGIN, BEGIN[3] + 2] + 8, "overlap"),
    ("NaN", np.r_[math.nan, BEGIN[1:]], BEGIN + 8, "1 of 14 sleeps"),
    ("infinite", BEGIN, np.r_[math.inf, BEGIN[1:] + 8], "1 of 14 sleeps"),
]


@pytest.mark.parametrize(
    ("asleep", "awake", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_bad_nights_are_told_why(asleep: Any, awake: Any, words: str) -> None:
    for marker in markers(sleep_markers(main_sleeps(asleep, awake))):
        assert marker.status == "withheld"
        assert words in marker.sentence
        assert marker.value is marker.low is marker.high is None


def test_sleep_all_around_the_clock_has_a_length_and_no_middle() -> None:
    found = fortnight(np.linspace(0, 22, 14), 7.0)
    assert found.midpoint.status == found.social_jet_lag.status == "withheld"
    assert "all around the clock" in found.midpoint.sentence
    assert found.duration.value == pytest.approx(7.0)


def test_without_free_days_there_is_no_social_jet_lag() -> None:
    found = sleep_markers(main_sleeps(BEGIN[4:9], BEGIN[4:9] + 8))
    assert found.midpoint.status == "measured"
    assert "there are 0 and 5" in found.social_jet_lag.sentence


def test_order_and_repetition_do_not_matter() -> None:
    order = np.random.default_rng(5).permutation(14)
    twice = np.r_[BEGIN[order], BEGIN]
    assert astuple(sleep_markers(main_sleeps(twice, twice + 8))) == astuple(
        sleep_markers(main_sleeps(BEGIN, BEGIN + 8))
    )


def test_columns_of_two_lengths_raise() -> None:
    with pytest.raises(ValueError, match="one length"):
        main_sleeps([1.0, 2.0], [3.0])


anything = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(st.floats(0, 400) | anything, st.floats(0, 20) | anything), max_size=14))
def test_no_nights_whatever_make_nan_or_a_warning(rows: list[tuple[float, float]]) -> None:
    asleep = np.array([row[0] for row in rows])
    awake = np.array([row[0] + row[1] if math.isfinite(row[0]) else row[1] for row in rows])
    for marker in markers(sleep_markers(main_sleeps(asleep, awake))):
        numbers = (marker.low, marker.value, marker.high)
        if marker.status == "withheld":
            assert numbers == (None, None, None)
        else:
            low, value, high = map(number, numbers)
            assert -math.inf < low <= value <= high < math.inf
