"""The expected path of the body clock after journeys, as a row keeps it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.rhythm.body_clock import ADVANCE, DELAY, Flight, body_clock, lag_bounds
from processors.rhythm.layout import (
    JOURNEYS,
    JOURNEYS_SIZE,
    N_READINGS,
    NEWEST,
    OFFSET_H,
    SETTLED_AT,
)
from processors.rhythm.reentrainment import (
    expected_lag,
    flights,
    lag_arc,
    lag_at,
    note_offset,
    settled,
)
from processors.rhythm.sums import empty_row

Floats = NDArray[np.float64]
START_H = 490_008.0


def seen(*readings: tuple[float, float]) -> Floats:
    """A row after readings at these hours after the start with these offsets."""
    row = empty_row(START_H)
    for hour, offset_h in readings:
        take(row, hour, offset_h)
    return row


def take(row: Floats, hour: float, offset_h: float) -> None:
    """What the kernel does with a reading, as far as clocks are concerned."""
    note_offset(row, START_H + hour, offset_h)
    row[N_READINGS] += 1.0
    row[NEWEST] = max(row[NEWEST], START_H + hour)


def lag(row: Floats, hour: float, offset_h: float | None = None) -> float:
    return float(lag_at(row, START_H + hour, row[OFFSET_H] if offset_h is None else offset_h))


@pytest.mark.parametrize(
    ("change", "speed"), [(8.0, ADVANCE), (-9.0, -DELAY), (13.0, -DELAY), (-13.0, ADVANCE)]
)
def test_it_lags_by_the_flight_and_closes_in_the_shorter_way_round(
    change: float, speed: float
) -> None:
    row = seen((0.0, 1.0), (1.0, 1.0 + change))
    behind = (change + 12.0) % 24.0 - 12.0
    assert lag(row, 0.5) == behind  # midway between what the two readings show
    assert lag(row, 48.5) == pytest.approx(behind - 2.0 * speed)
    assert lag(row, 0.5 + 24.0 * abs(behind / speed)) == pytest.approx(0.0, abs=1e-9)
    assert lag(row, 10_000.0) == 0.0


@pytest.mark.parametrize("change", [1.0, -1.0, 1.5])
def test_summer_time_and_a_neighbouring_zone_apply_at_once(change: float) -> None:
    row = seen((0.0, 1.0), (1.0, 1.0 + change))
    assert lag(row, 1.0) == 0.0
    assert settled(row, START_H + 1.0)
    # and leave a lag that there is as it is
    row = seen((0.0, 1.0), (1.0, 9.0))
    before = lag(row, 30.0)
    take(row, 30.0, 9.0 + change)
    assert lag(row, 30.0) == before


def test_the_date_line_alone_moves_no_clock() -> None:
    assert lag(seen((0.0, -11.0), (5.0, 13.0)), 6.0) == 0.0


def test_before_the_newest_journey_a_reading_is_placed_by_the_journeys_before_it() -> None:
    row = seen((0.0, 1.0), (1.0, 9.0), (169.0, 9.0), (170.0, 1.0))
    assert lag(row, -5.0, 1.0) == 0.0  # at home
    assert lag(row, 48.5, 9.0) == pytest.approx(8.0 - 2.0 * ADVANCE)  # abroad
    # late from the last hour, before and after the flight
    left = 8.0 - ADVANCE * (169.5 - 0.5) / 24.0
    assert lag(row, 169.4, 1.0) == pytest.approx(left - 8.0)
    assert lag(row, 169.6, 9.0) == pytest.approx(left, abs=0.02)


@pytest.mark.parametrize("apart_h", [0.1, 5.0, 23.0])
def test_a_change_that_is_soon_taken_back_was_no_journey(apart_h: float) -> None:
    """Two devices that keep different zones, one reading each in turn."""
    row = seen((0.0, 1.0))
    for i in range(20):
        take(row, apart_h * (i + 1), 9.0 if i % 2 == 0 else 1.0)
    assert lag(row, 400.0) == 0.0
    assert settled(row, START_H + apart_h * 20)
    assert not row[JOURNEYS : JOURNEYS + JOURNEYS_SIZE].any()


def test_a_return_within_a_day_goes_on_with_the_journey_before() -> None:
    with_trip = seen((0.0, 1.0), (1.0, 9.0), (50.0, 9.0), (51.0, 5.0), (60.0, 9.0))
    without = seen((0.0, 1.0), (1.0, 9.0), (50.0, 9.0), (60.0, 9.0))
    assert lag(with_trip, 100.0) == pytest.approx(lag(without, 100.0))
    assert with_trip[SETTLED_AT] == without[SETTLED_AT]


offsets = st.lists(st.sampled_from([-9.0, -8.0, 0.0, 1.0, 5.5, 8.0, 12.0]), min_size=1, max_size=4)


@given(offsets, st.floats(30.0, 400.0), st.floats(0.0, 900.0))
def test_a_row_and_its_flights_tell_the_same_lag(
    visited: list[float], stay_h: float, after_h: float
) -> None:
    row = seen((0.0, 1.0), *((stay_h * (i + 1), each) for i, each in enumerate(visited)))
    at = stay_h * len(visited) + after_h
    found = flights(row[JOURNEYS : JOURNEYS + JOURNEYS_SIZE])
    assert expected_lag(found, START_H + at) == pytest.approx(lag(row, at), abs=1e-6)
    low, high = lag_arc(row, START_H + at)
    assert low < 0.0 < high


@pytest.mark.parametrize("change", [8.0, -9.0, 5.0, 11.0])
@pytest.mark.parametrize("days", [1.0, 4.0, 8.0, 12.0])
def test_nine_of_ten_people_are_within_the_bounds(change: float, days: float) -> None:
    flight = Flight(START_H, 0.0, change)
    expected = expected_lag([flight], START_H + 24.0 * days)
    low, high = lag_bounds([flight], START_H + 24.0 * days, expected)
    assert low <= expected <= high
    found = body_clock([flight], START_H + 24.0 * days)
    assert not isinstance(found, str)
    lags = (found.lags_h - expected + 12.0) % 24.0 - 12.0 + expected
    within = found.weights[(lags >= low - 1e-9) & (lags <= high + 1e-9)].sum()
    assert within >= 0.9
    narrower = found.weights[(lags > low + 0.5) & (lags < high - 0.5)].sum()
    assert narrower < 0.9 or high - low < 1.0


def test_nobody_is_taken_to_be_settled_before_nineteen_of_twenty_are() -> None:
    for change in (8.0, -9.0, 5.0):
        row = seen((0.0, 1.0), (1.0, 1.0 + change))
        at = row[SETTLED_AT]
        found = body_clock([Flight(START_H + 0.5, 0.0, change)], at)
        assert not isinstance(found, str)
        arrived = found.weights[np.abs(found.lags_h) < 0.2].sum()
        assert arrived >= 0.94
        early = body_clock([Flight(START_H + 0.5, 0.0, change)], at - 72.0)
        assert not isinstance(early, str)
        assert early.weights[np.abs(early.lags_h) < 0.2].sum() < arrived
