"""The body clock of a series beside its wall clock: the path that is expected after a flight.

A reading carries the wearer's clock; the body follows it. What is kept in a row is the time and
size of the newest changes of the wall clock, and from them follows the lag of the body clock: it
closes at the mean speeds of `body_clock`, the shorter way round. Changes of less than 1.75 h
(summer time, a neighbouring zone) apply at once. Body time is what the sums are kept in, so that a
baseline does not smear after a flight; days, half hours and clock hours stay on the wall clock.

The path is what is expected. How far people spread about it is told by `body_clock`, and used
where a finding has to be explained.

Changes are seen in readings as they come, so sums depend on the order of arrival as soon as the
offset has changed: a late reading from before the newest journey is placed by the journeys before
it, of which the newest four are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import copysign, exp

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.rhythm.body_clock import (
    ADVANCE,
    DELAY,
    OTHER_WAY_FROM_H,
    SPEED_SD,
    WANDER_SD_H,
    Flight,
)
from processors.rhythm.layout import (
    HOME_UNTIL,
    JOURNEYS,
    JOURNEYS_SIZE,
    LAG_AT,
    LAG_H,
    N_JOURNEYS,
    N_READINGS,
    NEWEST,
    OFFSET_H,
    PERIOD_H,
    SETTLED_AT,
)
from processors.rhythm.student import Z95

Array = NDArray[np.float64]

SMALL_CHANGE_H = 1.75
# A change that is taken back so soon was no journey: devices keep different zones, or somebody
# returned before the body clock had moved by an hour.
TAKEN_BACK_H = 24.0
_SAME_H = 0.1
_WANDER_H = Z95 * WANDER_SD_H
# Speeds of the slowest and the fastest of twenty people over the mean one.
SLOW = exp(-Z95 * SPEED_SD - SPEED_SD**2 / 2.0)
FAST = exp(Z95 * SPEED_SD - SPEED_SD**2 / 2.0)


@compiled
def wrapped(hours: float) -> float:
    """A difference of clocks as the shorter way round, [-12, 12)."""
    return (hours + 0.5 * PERIOD_H) % PERIOD_H - 0.5 * PERIOD_H


@compiled
def closed_in(lag: float, hours: float) -> float:
    """A lag (h) after some hours of re-entrainment at the mean speed."""
    left = abs(lag) - hours / 24.0 * (ADVANCE if lag > 0.0 else DELAY)
    return copysign(left, lag) if left > 0.0 else 0.0


@compiled
def lag_after(journeys: Array, first: int, t: float) -> float:
    """Hours that the body clock is expected to lag at time t, from journeys (JOURNEYS_SIZE).

    Newest first, as in a row; those before position `first` and those after t are left out.
    """
    lag, now = 0.0, 0.0
    for k in range(N_JOURNEYS - 1, first - 1, -1):
        at = journeys[2 * k]
        if at == 0.0 or at > t:
            continue
        lag = wrapped(closed_in(lag, at - now) + journeys[2 * k + 1])
        now = at
    return closed_in(lag, t - now)


@compiled
def lag_at(row: Array, t: float, offset_h: float) -> float:
    """Hours that the body clock is expected to be behind a wall clock of this offset at time t."""
    if row[LAG_AT] == 0.0:
        return 0.0
    # What comes out of order from just before the journey still shows the clock of home.
    if t > row[HOME_UNTIL] and abs(wrapped(offset_h - row[OFFSET_H])) < SMALL_CHANGE_H:
        return closed_in(row[LAG_H], max(0.0, t - row[LAG_AT]))
    return lag_after(row[JOURNEYS : JOURNEYS + JOURNEYS_SIZE], 1, t)


@compiled
def days_to_settle(lag: float) -> float:
    """Days until a slow clock has closed a lag (h), whichever way round it may go."""
    days = abs(lag) / (SLOW * (ADVANCE if lag > 0.0 else DELAY))
    if lag > OTHER_WAY_FROM_H:
        days = max(days, (PERIOD_H - lag) / (SLOW * DELAY))
    return days


@compiled
def note_offset(row: Array, t: float, offset_h: float) -> None:
    """Take over the wall clock of a reading at time t, if it is the newest one.

    The journey is dated midway between the reading that shows it and the one before.
    """
    if offset_h == row[OFFSET_H] or t <= row[NEWEST]:
        return
    change = wrapped(offset_h - row[OFFSET_H])
    row[OFFSET_H] = offset_h
    if row[N_READINGS] == 0.0 or abs(change) < SMALL_CHANGE_H:
        return
    journeys = row[JOURNEYS : JOURNEYS + JOURNEYS_SIZE]
    at = 0.5 * (t + row[NEWEST])
    if (
        journeys[0] > 0.0
        and at - journeys[0] < TAKEN_BACK_H
        and abs(wrapped(journeys[1] + change)) < _SAME_H
    ):
        for i in range(JOURNEYS_SIZE - 2):
            journeys[i] = journeys[i + 2]
        journeys[JOURNEYS_SIZE - 2 :] = 0.0
        row[LAG_AT] = journeys[0]
        row[HOME_UNTIL] = journeys[0]
        row[LAG_H] = lag_after(journeys, 0, journeys[0]) if journeys[0] > 0.0 else 0.0
        row[SETTLED_AT] = row[LAG_AT] + days_to_settle(row[LAG_H]) * 24.0
        return
    for i in range(JOURNEYS_SIZE - 1, 1, -1):
        journeys[i] = journeys[i - 2]
    journeys[0], journeys[1] = at, change
    row[LAG_AT] = at
    row[LAG_H] = lag_after(journeys, 0, at)
    row[HOME_UNTIL] = row[NEWEST]
    # Who flies home before having arrived may have gone further, or less far, than expected.
    row[SETTLED_AT] = max(row[SETTLED_AT], at + days_to_settle(row[LAG_H]) * 24.0)


@compiled
def settled(row: Array, t: float) -> bool:
    """Whether all but the slowest clocks are in step at time t."""
    return bool(t >= row[SETTLED_AT])


@compiled
def lag_arc(row: Array, t: float) -> tuple[float, float]:
    """Lags that slow, fast and contrary clocks may have at time t, less the expected one, hours.

    Everything between the two is taken to be possible; a day's wandering is added to either side.
    """
    days = max(0.0, t - row[LAG_AT]) / 24.0
    lag = row[LAG_H]
    size = abs(lag)
    speed = ADVANCE if lag > 0.0 else DELAY
    near = max(0.0, size - FAST * speed * days)
    far = max(0.0, size - SLOW * speed * days)
    if lag > OTHER_WAY_FROM_H:
        # the contrary clocks fall behind further, until they are a day behind
        far = min(PERIOD_H, size + FAST * DELAY * days)
    expected = closed_in(lag, 24.0 * days)
    low, high = (near, far) if lag > 0.0 else (-far, -near)
    return low - expected - _WANDER_H, high - expected + _WANDER_H


def flights(journeys: Array) -> list[Flight]:
    """The journeys of a row (JOURNEYS_SIZE) as flights, from the oldest on."""
    pairs = journeys.reshape(N_JOURNEYS, 2).tolist()
    return [Flight(at, 0.0, change) for at, change in reversed(pairs) if at > 0.0]


def expected_lag(flights: Sequence[Flight], t: float) -> float:
    """Lag (h) at time t that is expected after flights, from the oldest on, the newest four."""
    journeys = np.zeros((N_JOURNEYS, 2))
    for k, flight in enumerate(reversed(flights[-N_JOURNEYS:])):
        journeys[k] = flight.hour, flight.to_offset_h - flight.from_offset_h
    return float(lag_after(journeys.ravel(), 0, t))
