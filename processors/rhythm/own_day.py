"""A person's own day: hours since waking, with how the waking is known, and days between sleeps.

Analytes that follow waking (the awakening response, DHEA) are placed by wake events; where there is
none by the usual wake time, and then say so: `assumed`, with its spread. People who work in shifts
live days of their own: each from the middle of one main sleep to that of the next, whenever it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors.rhythm.marker_text import clock
from processors.rhythm.samples import Floats
from processors.rhythm.sleep import Nights, told_sleeps

# Nobody is awake for longer as a habit; an older wake event belongs to an earlier day.
_LONGEST_AWAKE_H = 20.0
# A wake event that follows a sample so closely contradicts it, but for samples of the night.
_JUST_AFTER_H = 3.0
# Reported wake times are known to about a quarter of an hour.
_REPORTED_SD_H = 0.25
_LEAST_NIGHTS = 5
_LEAST_CONCENTRATION = 0.8  # of wake times: their spread is about two and a half hours
_NAP_H = 2.0
# Two sleeps nearer than this have one main sleep.
_LEAST_DAY_H = 12.0
_LONGEST_DAY_H = 40.0
_MOST_HOURS = 1e8


class Wake(NamedTuple):
    """A wake event."""

    hour: float
    """Since the epoch (UTC)."""
    verified: bool


class UsualWake(NamedTuple):
    """When a person usually wakes up, by the local clock."""

    clock_h: float
    sd_h: float
    n: int


@dataclass(frozen=True, slots=True)
class SinceWaking:
    """Hours since waking; None where it is not known, and `sentence` says why."""

    hours: float | None
    timing: Literal["verified", "reported", "assumed", "unknown"]
    sd_h: float | None
    sentence: str


class OwnDays(NamedTuple):
    """Middles of main sleeps (n + 1), which bound n days."""

    middles: Floats

    def place(self, hours: ArrayLike) -> tuple[NDArray[np.int64], Floats]:
        """Which day each hour is in, and hours since its beginning; -1 and 0 outside of all.

        >>> days = OwnDays(np.array([3.0, 28.0, 51.0]))
        >>> [column.tolist() for column in days.place([2.0, 10.0, 30.0, 60.0])]
        [[-1, 0, 1, -1], [0.0, 7.0, 2.0, 0.0]]
        """
        t = np.asarray(hours, dtype=np.float64)
        t = np.where(np.abs(t) <= _MOST_HOURS, t, -math.inf)
        day = np.searchsorted(self.middles, t, side="right") - 1
        inside = (day >= 0) & (day < self.middles.size - 1)
        length = np.diff(self.middles)
        inside &= length[np.clip(day, 0, length.size - 1)] <= _LONGEST_DAY_H
        begun = self.middles[np.clip(day, 0, self.middles.size - 1)]
        return np.where(inside, day, -1), np.where(inside, t - np.where(inside, begun, 0.0), 0.0)


def usual_wake(nights: Nights | str) -> UsualWake | str:
    """When somebody usually wakes up, or in a sentence why there is no such time.

    >>> from processors.rhythm.sleep import main_sleeps
    >>> night = 24.0 * np.arange(7)
    >>> usual_wake(main_sleeps(night + 23, night + 31)).clock_h
    7.0
    """
    if isinstance(nights, str):
        return nights
    n = nights.mid_h.size
    if n < _LEAST_NIGHTS:
        return f"A usual wake time needs at least {_LEAST_NIGHTS} nights, and there are {n}."
    awake = nights.mid_h + nights.length_h / 2.0
    direction = np.exp(2j * np.pi * awake / 24.0).mean()
    if abs(direction) < _LEAST_CONCENTRATION:
        return "The wake times lie so far apart that none of them is the usual one."
    centre = float(np.angle(direction)) * 12.0 / math.pi
    apart = (awake - centre + 12.0) % 24.0 - 12.0
    middle = (centre + float(apart.mean())) % 24.0
    return UsualWake(middle, float(apart.std(ddof=1)) * math.sqrt(1.0 + 1.0 / n), n)


def since_waking(
    hour: float, offset_h: float, wakes: Sequence[Wake], usual: UsualWake | str | None
) -> SinceWaking:
    """Hours from waking to a sample.

    `hour` of the sample since the epoch (UTC), `offset_h` what the wearer's clock adds; `wakes` in
    any order; `usual`: as `usual_wake` gives it, for samples without a wake event.

    >>> since_waking(8.0, 0.0, [Wake(7.5, True)], None).timing
    'verified'
    >>> since_waking(8.0, 0.0, [], UsualWake(7.0, 0.8, 20)).sentence
    'No waking was recorded; 1.0 h are assumed from the usual wake time of 07:00 (± 0.8 h).'
    """
    if not (abs(hour) <= _MOST_HOURS and abs(offset_h) <= 24.0):
        return SinceWaking(None, "unknown", None, "The time of the sample is not known.")
    told = [wake for wake in wakes if abs(wake.hour) <= _MOST_HOURS]
    before = [wake for wake in told if 0.0 <= hour - wake.hour <= _LONGEST_AWAKE_H]
    after = [wake for wake in told if 0.0 < wake.hour - hour <= _JUST_AFTER_H]
    if after and not before:
        at = min(wake.hour for wake in after)
        return SinceWaking(
            None,
            "unknown",
            None,
            f"The sample at {clock(hour + offset_h)} was taken before the waking at "
            f"{clock(at + offset_h)}: one of the two times is wrong, or it was taken at night.",
        )
    if before:
        # Of two events at one time the verified one counts.
        last = max(before, key=lambda wake: (wake.hour, wake.verified))
        since = hour - last.hour
        timing: Literal["verified", "reported"] = "verified" if last.verified else "reported"
        return SinceWaking(
            since,
            timing,
            0.0 if last.verified else _REPORTED_SD_H,
            f"{since:.1f} h after the {timing} waking at {clock(last.hour + offset_h)}.",
        )
    if not isinstance(usual, UsualWake):
        reason = usual or "A usual wake time is not known."
        return SinceWaking(
            None,
            "unknown",
            None,
            f"No waking was recorded in the {_LONGEST_AWAKE_H:.0f} hours before it. {reason}",
        )
    since = (hour + offset_h - usual.clock_h) % 24.0
    if since > _LONGEST_AWAKE_H:
        return SinceWaking(
            None,
            "unknown",
            None,
            f"No waking was recorded, and the sample at {clock(hour + offset_h)} is before the "
            f"usual wake time of {clock(usual.clock_h)}.",
        )
    return SinceWaking(
        since,
        "assumed",
        usual.sd_h,
        f"No waking was recorded; {since:.1f} h are assumed from the usual wake time of "
        f"{clock(usual.clock_h)} (± {usual.sd_h:.1f} h).",
    )


def own_days(asleep: ArrayLike, awake: ArrayLike) -> OwnDays | str:
    """The days between main sleeps, or in a sentence why these times cannot be used.

    `asleep`, `awake` (n): hours since the epoch (UTC), in any order. Of sleeps within twelve hours
    the longest is the main one; shorter than two hours are naps. Raises ``ValueError`` for columns
    of two lengths.

    >>> own_days([23.0, 38.0, 55.0], [31.0, 38.5, 63.0]).middles.tolist()
    [27.0, 59.0]
    """
    told = told_sleeps(asleep, awake)
    if isinstance(told, str):
        return told
    begin, end, _ = told
    length = end - begin
    main: list[int] = []
    for k in np.flatnonzero(length >= _NAP_H).tolist():
        middle = (begin[k] + end[k]) / 2.0
        if main and middle - (begin[main[-1]] + end[main[-1]]) / 2.0 < _LEAST_DAY_H:
            if length[k] > length[main[-1]]:
                main[-1] = k
        else:
            main.append(k)
    if len(main) < 2:
        return f"A day of one's own lies between two main sleeps, and there are {len(main)}."
    return OwnDays((begin[main] + end[main]) / 2.0)
