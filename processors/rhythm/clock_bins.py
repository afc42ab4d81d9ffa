"""Means of equal stretches of the local clock: activity, heart rate, temperature.

Stretches begin at whole multiples of their width by the wearer's clock and not at the first sample:
that alone changes interdaily stability in the third digit. When the clock is put back an hour comes
twice and stays two stretches; when it is put forward one is missing.

`ClockBins` takes readings one by one in any order and keeps a bounded number of days; `clock_bins`
takes them all at once; both end in the same means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from processors.rhythm.samples import Floats

Integers = NDArray[np.int64]

_MS = 3_600_000
_MOST_HOURS = 1e8
_MOST_VALUE = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """n means, in the order of time."""

    width_h: float
    start_ms: Integers
    """(n) when each stretch began, milliseconds since the epoch (or whatever hours count from)."""
    clock_bin: Integers
    """(n) which stretch of the local day it is, 0 for the one from midnight."""
    day: Integers
    """(n) the local day, counted from the epoch's."""
    means: Floats
    """(n) mean of the readings in it."""
    clock_h: Floats
    """(n) mean clock hour of these: with a reading each full hour it is that hour, and half an hour
    earlier than the middle of its stretch."""
    unusable: int = 0
    """Readings without a usable time or value, which are in no mean."""

    @property
    def per_day(self) -> int:
        """Stretches of a day of 24 hours."""
        return round(24.0 / self.width_h)

    def part(self, chosen: NDArray[np.bool_]) -> Bins:
        """Those stretches only."""
        return Bins(
            self.width_h,
            self.start_ms[chosen],
            self.clock_bin[chosen],
            self.day[chosen],
            self.means[chosen],
            self.clock_h[chosen],
            self.unusable,
        )


def clock_bins(
    hours: ArrayLike, values: ArrayLike, *, offset_h: ArrayLike = 0.0, width_h: float = 1.0
) -> Bins:
    """Means of columns (n) in any order.

    `hours` on a scale that never jumps (hours since the epoch, UTC); `offset_h`: what the wearer's
    clock adds to them, one for all or one each. Raises ``ValueError`` for columns of two lengths
    and for a width that does not divide the day.

    >>> bins = clock_bins([7.0, 7.5, 8.5, 31.2], [2.0, 4.0, 6.0, 8.0], offset_h=2.0)
    >>> bins.clock_bin.tolist(), bins.day.tolist(), bins.means.tolist()
    ([9, 10, 9], [0, 0, 1], [3.0, 6.0, 8.0])
    """
    width_ms = _width_ms(width_h)
    t = np.asarray(hours, dtype=np.float64)
    y = np.asarray(values, dtype=np.float64)
    if t.ndim != 1 or t.shape != y.shape:
        raise ValueError(
            f"hours and values must be columns of one length, not {t.shape}, {y.shape}"
        )
    offset = np.broadcast_to(np.asarray(offset_h, dtype=np.float64), t.shape)
    # Comparisons with NaN are false.
    usable = (np.abs(t) <= _MOST_HOURS) & (np.abs(offset) <= 24.0) & (np.abs(y) <= _MOST_VALUE)
    at = np.rint(t[usable] * _MS).astype(np.int64)
    turn = np.rint(offset[usable] * _MS).astype(np.int64)
    local = (at + turn) // width_ms
    keys, inverse = np.unique(
        np.stack((local * width_ms - turn, local), axis=1), axis=0, return_inverse=True
    )
    which = inverse.ravel()
    counts = np.bincount(which, minlength=len(keys))
    means = np.bincount(which, weights=y[usable], minlength=len(keys)) / counts
    # Whole milliseconds, whose sums are exact in any order.
    since = np.bincount(which, weights=at + turn - local * width_ms, minlength=len(keys)) / counts
    per_day = round(24.0 / width_h)
    return Bins(
        width_h,
        keys[:, 0],
        keys[:, 1] % per_day,
        keys[:, 1] // per_day,
        means,
        keys[:, 1] % per_day * width_h + since / _MS,
        int(t.size - usable.sum()),
    )


@dataclass(slots=True)
class ClockBins:
    """The same means, reading by reading, of the last `days` days.

    >>> stream = ClockBins(days=28)
    >>> for hour, value in ((31.2, 8.0), (7.5, 4.0), (8.5, 6.0), (7.0, 2.0)):
    ...     stream.add(hour, value, offset_h=2.0)
    >>> stream.bins().means.tolist()
    [3.0, 6.0, 8.0]
    """

    days: int
    width_h: float = 1.0
    _sums: dict[tuple[int, int], tuple[float, int, int]] = field(default_factory=dict)
    _newest: int | None = None
    _unusable: int = 0

    def add(self, hour: float, value: float, *, offset_h: float = 0.0) -> None:
        """Take a reading; one from before the days that are kept changes nothing."""
        width_ms = _width_ms(self.width_h)
        usable = abs(hour) <= _MOST_HOURS and abs(offset_h) <= 24.0 and abs(value) <= _MOST_VALUE
        if not usable:
            self._unusable += 1
            return
        # As np.rint: halves to even.
        turn = round(offset_h * _MS)
        clock_ms = round(hour * _MS) + turn
        local = clock_ms // width_ms
        day = local // round(24.0 / self.width_h)
        if self._newest is None or day > self._newest:
            self._newest = day
            oldest = (day - self.days + 1) * round(24.0 / self.width_h)
            self._sums = {key: sums for key, sums in self._sums.items() if key[1] >= oldest}
        elif day <= self._newest - self.days:
            return
        key = (local * width_ms - turn, local)
        total, since, count = self._sums.get(key, (0.0, 0, 0))
        self._sums[key] = (total + value, since + clock_ms - local * width_ms, count + 1)

    def bins(self) -> Bins:
        """The means so far."""
        keys = sorted(self._sums)
        local = np.array([key[1] for key in keys], dtype=np.int64)
        sums = [self._sums[key] for key in keys]
        since = np.array([late / count for _, late, count in sums])
        per_day = round(24.0 / self.width_h)
        return Bins(
            self.width_h,
            np.array([key[0] for key in keys], dtype=np.int64),
            local % per_day,
            local // per_day,
            np.array([total / count for total, _, count in sums]),
            local % per_day * self.width_h + since / _MS,
            self._unusable,
        )


def _width_ms(width_h: float) -> int:
    per_day = 24.0 / width_h if width_h > 0.0 else math.nan
    if not (per_day >= 1.0 and math.isclose(per_day, round(per_day), rel_tol=1e-9)):
        raise ValueError(f"{width_h} hours do not divide the day")
    return round(width_h * _MS)
