"""The body clock after travel: how far it lags the wall clock, and what that explains.

A flight moves the wall clock at once and the body clock by about an hour a day: on average 57
minutes a day after flights eastward (it must advance) and 92 after flights westward. People differ,
by an assumed third. After long flights eastward some clocks go the other way round. A lag is a
mixture over all of that: each share of people's speeds, either way round, with its weight; phases
seen since the flight (an acrophase, an onset) weigh the shares by how well they foretold it.

A lag is positive where the body clock is behind: peaks come later by the wall clock than they
usually do, as after a flight eastward.

Source of the speeds: Aschoff, Hoffmann, Pohl & Wever, Re-entrainment of circadian rhythms after
phase-shifts of the Zeitgeber, Chronobiologia 2 (1975) 23-78, from memory: the paper was not at
hand, the two speeds were read as repeated by others without it. Spreads, and how often a clock goes
the other way round, are assumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from processors.rhythm.marker import Marker, withheld
from processors.rhythm.samples import Floats

_METHOD = "re-entrainment by 57 min a day eastward, 92 westward (Aschoff et al. 1975), and phases"

# Hours a day, and the spread of its logarithm between people.
ADVANCE, DELAY, SPEED_SD = 57.0 / 60.0, 92.0 / 60.0, 0.35
_SPEEDS = 48
# From a lag of so many hours on some clocks go the other way round; half of them at twelve hours.
OTHER_WAY_FROM_H, _OTHER_WAY_ALL_H = 6.0, 18.0
# A settled body clock still wanders from day to day (assumed).
WANDER_SD_H = 0.4
# After so long every clock has arrived.
_SETTLED_DAYS = 40.0
_MOST_HOURS = 1e8
# Of the grid on which distributions are summed, an eighth of the narrowest SD.
_STEP_H = 0.05


class Flight(NamedTuple):
    """A change of the wall clock: travel, or summer time."""

    hour: float
    """When, hours since the epoch (UTC)."""
    from_offset_h: float
    to_offset_h: float


class PhaseSeen(NamedTuple):
    """A phase by the wall clock less the person's usual one, hours, and its standard deviation."""

    hour: float
    shift_h: float
    sd_h: float


@dataclass(frozen=True, slots=True, eq=False)
class BodyClock:
    """Where the body clock may be; make it with `body_clock`."""

    lags_h: Floats
    """(k) hours behind the wall clock; above 12 or below -12 it comes the other way round."""
    weights: Floats
    """(k) sum to 1."""
    days_left: float
    """Until it is in step, on average."""
    n: int
    """Phases that counted."""


def body_clock(
    flights: Sequence[Flight], at: float, phases: Sequence[PhaseSeen] = ()
) -> BodyClock | str:
    """The body clock at an hour (UTC, since the epoch), or in a sentence why it cannot be told.

    Flights and phases in any order; phases seen before the first of the recent flights, or after
    `at`, do not count.
    """
    if not abs(at) <= _MOST_HOURS:
        return "The time is not known."
    for flight in flights:
        if not (
            abs(flight.hour) <= _MOST_HOURS
            and abs(flight.from_offset_h) <= 24.0
            and abs(flight.to_offset_h) <= 24.0
        ):
            return "A flight has no usable time or change of the clock."
    for phase in phases:
        if not (abs(phase.hour) <= _MOST_HOURS and math.isfinite(phase.shift_h)):
            return "A phase has no usable time or shift."
        if not (math.isfinite(phase.sd_h) and phase.sd_h >= 0.0):
            return "A phase has no usable error."
    recent = sorted(f for f in flights if at - 24.0 * _SETTLED_DAYS <= f.hour <= at)
    seen = sorted(p for p in phases if recent and recent[0].hour <= p.hour <= at)
    speed = np.exp(SPEED_SD * ndtri((np.arange(_SPEEDS) + 0.5) / _SPEEDS) - SPEED_SD**2 / 2.0)
    lag = np.zeros(_SPEEDS)
    weight = np.full(_SPEEDS, 1.0 / _SPEEDS)
    now = recent[0].hour if recent else at
    # At one hour a flight comes before what was seen there.
    events: list[tuple[float, int, Flight | PhaseSeen]] = [(f.hour, 0, f) for f in recent]
    events += [(p.hour, 1, p) for p in seen]
    for hour, _, event in sorted(events):
        lag = _later(lag, speed, (hour - now) / 24.0)
        now = hour
        if isinstance(event, Flight):
            lag, speed, weight = _flown(lag, speed, weight, event)
        else:
            weight = weight * _density(lag, event.shift_h, math.hypot(event.sd_h, WANDER_SD_H))
            # Something that none of them foretold tells nothing between them.
            weight = weight + 1e-12 * max(float(weight.max()), 1e-300)
            weight /= weight.sum()
    lag = _later(lag, speed, (at - now) / 24.0)
    left = np.abs(lag) / (speed * np.where(lag > 0.0, ADVANCE, DELAY))
    return BodyClock(lag, weight, float(weight @ left), len(seen))


def body_clock_lag(found: BodyClock | str) -> Marker:
    """How far the body clock is behind the wall clock, hours, with its 90 % interval.

    >>> found = body_clock([Flight(0.0, 1.0, 9.0)], 48.0)
    >>> body_clock_lag(found).sentence
    'The body clock is 6.4 h behind the local clock (90 % interval 4.8 to 11.5); it is expected ...'
    """
    name, unit = "body-clock-lag", "h"
    if isinstance(found, str):
        return withheld(name, unit, 0, found, _METHOD)
    direction = np.angle(found.weights @ np.exp(2j * np.pi * found.lags_h / 24.0))
    centre = float(direction) * 12.0 / math.pi
    lags = (found.lags_h - centre + 12.0) % 24.0 - 12.0 + centre
    x = np.arange(centre - 13.0, centre + 13.0, _STEP_H)
    share = found.weights @ ndtr((x - lags[:, None]) / WANDER_SD_H)
    low, value, high = np.interp((0.05, 0.5, 0.95), share, x).tolist()
    where = "behind" if value >= 0.0 else "ahead of"
    sides = (low, high) if value >= 0.0 else (-high, -low)
    sentence = (
        f"The body clock is {abs(value):.1f} h {where} the local clock "
        f"(90 % interval {sides[0]:.1f} to {sides[1]:.1f})"
    )
    if found.days_left >= 0.5:
        sentence += f"; it is expected to be in step in about {found.days_left:.0f} days"
    return Marker(name, "measured", unit, found.n, f"{sentence}.", _METHOD, value, low, high)


def lag_bounds(flights: Sequence[Flight], at: float, lag_h: float) -> tuple[float, float]:
    """Bounds of the lag at an hour within which nine of ten people are, about the expected one.

    They come from how people differ alone: clocks that go the other way round, too.

    >>> low, high = lag_bounds([Flight(0.0, 1.0, 9.0)], 48.0, 6.1)
    >>> round(low, 1), round(high, 1)
    (4.8, 11.5)
    """
    found = body_clock(flights, at)
    if isinstance(found, str):
        raise ValueError(found)
    lags = (found.lags_h - lag_h + 12.0) % 24.0 - 12.0
    order = np.argsort(lags)
    share = np.cumsum(found.weights[order])
    low, high = lags[order[np.searchsorted(share, (0.05, 0.95))]].tolist()
    return lag_h + min(low, 0.0), lag_h + max(high, 0.0)


def beyond_travel(found: BodyClock, shift_h: float, sd_h: float) -> float:
    """Probability of a shift as unlikely as this one, if travel is all there is.

    `shift_h`: a phase by the wall clock less the usual one, `sd_h` its standard deviation. Small:
    the person's rhythm itself has moved; a flight alone gives any value evenly between 0 and 1.
    Raises ``ValueError`` for numbers that are none.

    >>> clock = body_clock([Flight(0.0, 1.0, 7.0)], 24.0)
    >>> beyond_travel(clock, 5.0, 0.3) > 0.5, beyond_travel(clock, -4.0, 0.3) < 0.001
    (True, True)
    """
    if not (math.isfinite(shift_h) and math.isfinite(sd_h) and sd_h >= 0.0):
        raise ValueError(f"no shift with its error: {shift_h}, {sd_h}")
    sd = math.hypot(sd_h, WANDER_SD_H)
    x = np.arange(-12.0, 12.0, _STEP_H)
    density = found.weights @ _density(found.lags_h[:, None], x, sd)
    here = float(found.weights @ _density(found.lags_h, shift_h, sd))
    return min(float(density[density <= here].sum() / density.sum()), 1.0)


def _later(lag: Floats, speed: Floats, days: float) -> Floats:
    """Lags after some days of closing in."""
    closed = days * speed * np.where(lag > 0.0, ADVANCE, DELAY)
    return np.asarray(np.sign(lag) * np.maximum(np.abs(lag) - closed, 0.0))


def _flown(
    lag: Floats, speed: Floats, weight: Floats, flight: Flight
) -> tuple[Floats, Floats, Floats]:
    """Lags after a flight; those who may go the other way round are there twice."""
    lag = lag + (flight.to_offset_h - flight.from_offset_h)
    lag = (lag + 12.0) % 24.0 - 12.0
    other = np.clip((lag - OTHER_WAY_FROM_H) / (_OTHER_WAY_ALL_H - OTHER_WAY_FROM_H), 0.0, 1.0)
    both = other > 0.0
    return (
        np.r_[lag, lag[both] - 24.0],
        np.r_[speed, speed[both]],
        np.r_[weight * (1.0 - other), (weight * other)[both]],
    )


def _density(lag: Floats, shift_h: Floats | float, sd: float) -> Floats:
    """Normal density about lags on the circle of 24 hours (SDs here are far below it)."""
    apart = (np.asarray(shift_h) - lag + 12.0) % 24.0 - 12.0
    return np.asarray(np.exp(-0.5 * (apart / sd) ** 2) / sd)
