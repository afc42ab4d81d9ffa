"""The body clock after travel: by hand, promised coverage, and what a flight does not explain."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from processors.rhythm.body_clock import (
    WANDER_SD_H,
    BodyClock,
    Flight,
    PhaseSeen,
    beyond_travel,
    body_clock,
    body_clock_lag,
)

PEOPLE = 1000


def number(value: float | None) -> float:
    assert value is not None
    return value


def known(*args: Any, **more: Any) -> BodyClock:
    found = body_clock(*args, **more)
    assert isinstance(found, BodyClock), found
    return found


def mean_lag(days: float, change_h: float) -> float:
    found = known([Flight(0.0, 0.0, change_h)], 24 * days)
    return float(found.weights @ found.lags_h)


# -- by hand ------------------------------------------------------------------------------------


@pytest.mark.parametrize("change_h", [6.0, -6.0, 1.0, -3.0, 5.5])
def test_right_after_a_flight_the_body_clock_is_where_it_was(change_h: float) -> None:
    """Six hours eastward: what was noon is 18:00, so peaks come six hours later by the clock."""
    marker = body_clock_lag(known([Flight(0.0, 1.0, 1.0 + change_h)], 0.01))
    assert marker.value == pytest.approx(change_h, abs=0.05)
    half = 1.645 * WANDER_SD_H
    assert number(marker.high) - number(marker.low) == pytest.approx(2 * half, abs=0.1)
    assert ("behind" if change_h > 0 else "ahead of") in marker.sentence


def test_it_closes_in_by_an_hour_a_day_and_faster_westward() -> None:
    """As long as nobody has arrived: 57 minutes and 92 minutes a day, on average."""
    assert 5.9 - mean_lag(1, 5.9) == pytest.approx(57 / 60, abs=0.02)
    assert mean_lag(1, -5.9) + 5.9 == pytest.approx(92 / 60, abs=0.02)
    assert abs(mean_lag(20, 5.9)) < 0.01


def test_back_home_what_was_left_is_taken_back() -> None:
    """Out for a day, six hours eastward, and back: an hour ahead at most."""
    found = known([Flight(0.0, 0.0, 6.0), Flight(24.0, 6.0, 0.0)], 24.01)
    assert float(found.weights @ found.lags_h) == pytest.approx(-57 / 60, abs=0.05)


def test_some_clocks_go_the_other_way_round_after_a_long_flight_eastward() -> None:
    found = known([Flight(0.0, 0.0, 10.0)], 24.0 * 4)
    other = float(found.weights[found.lags_h < 0].sum())
    assert other == pytest.approx((10 - 6) / 12, abs=1e-9)
    assert float(known([Flight(0.0, 0.0, -10.0)], 96.0).lags_h.max()) <= 0


def test_summer_time_is_a_flight_of_an_hour() -> None:
    marker = body_clock_lag(known([Flight(0.0, 1.0, 2.0)], 12.0))
    assert number(marker.low) < 0.6 < number(marker.high)
    assert abs(number(body_clock_lag(known([Flight(0.0, 1.0, 2.0)], 24.0 * 5)).value)) < 0.05


def test_without_travel_the_clocks_agree() -> None:
    marker = body_clock_lag(known([], 1000.0))
    assert marker.value == pytest.approx(0, abs=0.02)
    assert number(marker.high) == pytest.approx(1.645 * WANDER_SD_H, abs=0.02)
    old = known([Flight(0.0, 0.0, 9.0)], 24.0 * 50)
    assert old.lags_h.max() == 0
    # What was seen before the flight is the usual phase, and no news.
    before = known([Flight(24.0, 0.0, 9.0)], 30.0, [PhaseSeen(12.0, 5.0, 0.1)])
    assert before.n == 0


def test_phases_that_were_seen_tell_how_fast_this_clock_is() -> None:
    flight = [Flight(0.0, 0.0, 6.0)]
    slow, fast = (
        body_clock_lag(known(flight, 72.0, [PhaseSeen(48.0, shift, 0.2)])) for shift in (5.2, 2.5)
    )
    unseen = body_clock_lag(known(flight, 72.0))
    assert number(slow.value) > number(unseen.value) > number(fast.value)
    for marker in (slow, fast):
        assert number(marker.high) - number(marker.low) < number(unseen.high) - number(unseen.low)
        assert marker.n == 1


# -- promised coverage --------------------------------------------------------------------------


def travelled(rng: np.random.Generator, flights: list[Flight], hours: np.ndarray) -> np.ndarray:
    """The true lag at hours (n, ascending) of a person of some speed, walked hour by hour."""
    speed = math.exp(0.35 * rng.standard_normal() - 0.35**2 / 2)
    lag, now, lags = 0.0, flights[0].hour, []
    waiting = list(flights)
    for hour in [*hours, math.inf]:
        while waiting and waiting[0].hour <= hour:
            flight = waiting.pop(0)
            lag = closer(lag, speed, flight.hour - now) + flight.to_offset_h - flight.from_offset_h
            now = flight.hour
            lag = (lag + 12) % 24 - 12
            if lag > 6 and rng.random() < (lag - 6) / 12:
                lag -= 24
        if math.isfinite(hour):
            lag = closer(lag, speed, hour - now)
            now = hour
            lags.append(lag)
    return np.array(lags)


def closer(lag: float, speed: float, hours: float) -> float:
    rate = speed * (57 if lag > 0 else 92) / 60 / 24
    return math.copysign(max(abs(lag) - rate * hours, 0.0), lag)


def test_the_lag_covers_and_a_flight_raises_no_alarm() -> None:
    """A thousand travellers of one or two flights (a change of the clock is one of an hour, see
    test_summer_time_is_a_flight_of_an_hour), with none to four phases seen, a quarter of an
    hour off their times: 90 % intervals hold the lag, and shifts that travel explains are as
    improbable as they are said to be."""
    rng = np.random.default_rng(151)
    hits = alarms = 0
    for k in range(PEOPLE):
        first = float(rng.choice([-9, -7, -5, -3, 3, 5, 7, 8, 9]))
        flights = [Flight(0.0, 1.0, 1.0 + first)]
        if k % 3 == 0:
            flights.append(Flight(24.0 * rng.uniform(1, 9), 1.0 + first, 1.0))
        hours = np.sort(rng.uniform(0, 24 * 10, 1 + k % 5))
        lags = travelled(rng, flights, hours)
        wandered = lags + WANDER_SD_H * rng.standard_normal(hours.size)
        noise = 0.5 * rng.standard_normal(hours.size)
        phases = [
            PhaseSeen(hour + rng.uniform(-0.25, 0.25), shift, 0.5)
            for hour, shift in zip(hours[:-1], (wandered + noise)[:-1], strict=True)
        ]
        found = known(flights, hours[-1], phases)
        marker = body_clock_lag(found)
        truth = wandered[-1] + 24 * round((number(marker.value) - wandered[-1]) / 24)
        hits += number(marker.low) <= truth <= number(marker.high)
        alarms += beyond_travel(found, wandered[-1] + noise[-1], 0.5) < 0.1
    assert abs(hits / PEOPLE - 0.9) < 0.03, hits
    assert abs(alarms / PEOPLE - 0.1) < 0.03, alarms


def test_a_real_shift_is_still_told() -> None:
    """Ten days after three hours eastward, a phase four hours late is the person's own."""
    found = known([Flight(0.0, 0.0, 3.0)], 240.0)
    assert beyond_travel(found, 4.0, 0.5) < 1e-6
    assert beyond_travel(found, 0.3, 0.5) > 0.5
    # The day after, the same four hours may be the flight; four hours early cannot.
    after = known([Flight(0.0, 0.0, 3.0)], 24.0)
    assert beyond_travel(after, 2.3, 0.5) > 0.5
    assert beyond_travel(after, -4.0, 0.5) < 1e-6


def test_the_probability_without_travel_is_the_normal_one() -> None:
    found = known([], 0.0)
    sd = math.hypot(0.3, WANDER_SD_H)
    assert beyond_travel(found, 1.0, 0.3) == pytest.approx(2 * stats.norm.sf(1 / sd), abs=0.01)
    assert beyond_travel(found, 23.0, 0.3) == pytest.approx(beyond_travel(found, -1.0, 0.3))


# -- what cannot be told ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flights", "at", "phases", "words"),
    [
        ([], math.nan, [], "time is not known"),
        ([Flight(math.nan, 0.0, 1.0)], 0.0, [], "A flight has no usable"),
        ([Flight(0.0, 0.0, math.inf)], 0.0, [], "A flight has no usable"),
        ([Flight(0.0, 0.0, 100.0)], 0.0, [], "A flight has no usable"),
        ([Flight(0.0, 0.0, 1.0)], 9.0, [PhaseSeen(1.0, math.nan, 0.1)], "no usable time or shift"),
        ([Flight(0.0, 0.0, 1.0)], 9.0, [PhaseSeen(1.0, 1.0, -0.1)], "no usable error"),
    ],
)
def test_bad_travels_are_told(
    flights: list[Flight], at: float, phases: list[PhaseSeen], words: str
) -> None:
    marker = body_clock_lag(body_clock(flights, at, phases))
    assert marker.status == "withheld"
    assert words in marker.sentence
    assert marker.value is marker.low is marker.high is None


def test_a_shift_that_is_none_raises() -> None:
    with pytest.raises(ValueError, match="no shift"):
        beyond_travel(known([], 0.0), math.nan, 0.1)


def test_order_does_not_matter() -> None:
    flights = [Flight(0.0, 0.0, 6.0), Flight(96.0, 6.0, 0.0)]
    phases = [PhaseSeen(24.0, 5.0, 0.3), PhaseSeen(100.0, -2.0, 0.3)]
    one = known(flights, 130.0, phases)
    two = known(flights[::-1], 130.0, phases[::-1])
    np.testing.assert_array_equal(one.weights, two.weights)


offsets = st.floats(-24, 24)


@given(
    st.lists(st.tuples(st.floats(-500, 500), offsets, offsets), max_size=4),
    st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 500),
    st.lists(st.tuples(st.floats(0, 500), st.floats(-1e6, 1e6), st.floats(0, 1e3)), max_size=4),
)
def test_no_travels_whatever_make_nan_or_a_warning(
    flights: list[tuple[float, float, float]],
    at: float,
    phases: list[tuple[float, float, float]],
) -> None:
    found = body_clock([Flight(*f) for f in flights], at, [PhaseSeen(*p) for p in phases])
    marker = body_clock_lag(found)
    if isinstance(found, BodyClock):
        assert found.weights.sum() == pytest.approx(1.0)
        assert number(marker.low) <= number(marker.value) <= number(marker.high)
        assert 0.0 <= beyond_travel(found, 1.0, 0.5) <= 1.0
    else:
        assert marker.status == "withheld"
