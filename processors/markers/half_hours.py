"""The recent half hours of a dense series: means by local date and clock, for rest and activity.

A half hour is taken in when it closes, and again when a late reading changes its mean, which the
engine says of the last 24 hours: they come in no other order than that. `forget` keeps two days
more than markers look back over. When the clock is put back, the hour that comes twice is one.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from processors.rhythm.clock_bins import Bins

PER_DAY = 48
# Less is summer time, or a neighbouring zone.
_JOURNEY_H = 1.75


class _Day:
    """One local date: means and counts of its half hours, the largest offset from UTC (h)."""

    __slots__ = ("counts", "means", "offset_h", "packed")

    def __init__(
        self, offset_h: float, means: NDArray[np.float32], counts: NDArray[np.uint16]
    ) -> None:
        self.offset_h = offset_h
        self.means = means
        self.counts = counts
        self.packed: tuple[float, bytes, bytes] | None = None


class HalfHours:
    """Means of the local half hours of the last days."""

    __slots__ = ("_days", "_keep", "newest")

    def __init__(self, window_days: int) -> None:
        self._keep = window_days + 2
        self._days: dict[int, _Day] = {}
        self.newest: int | None = None
        """The newest local date with a reading, days from 1 January 1970."""

    def put(self, day: int, half: int, mean: float, n: int, offset_h: float) -> bool:
        """Set the mean of a half hour's n readings (half 0 begins at midnight).

        `offset_h`: what the wearer's clock adds to UTC then. True if it is not of the day that is
        still going on.
        """
        of_day = self._days.get(day)
        begins = of_day is None
        if of_day is None:
            means = np.full(PER_DAY, np.nan, dtype=np.float32)
            of_day = self._days[day] = _Day(offset_h, means, np.zeros(PER_DAY, dtype=np.uint16))
            if self.newest is None or day > self.newest:
                self.newest = day
        elif offset_h > of_day.offset_h:
            of_day.offset_h = offset_h
        of_day.means[half] = mean
        of_day.counts[half] = n
        of_day.packed = None
        return begins or day != self.newest

    def forget(self) -> None:
        """Drop what no marker will ask for again."""
        if self.newest is not None:
            oldest = self.newest - self._keep
            for day in [day for day in self._days if day < oldest]:
                del self._days[day]

    def days(self) -> set[int]:
        """Local dates with a reading."""
        return set(self._days)

    def hourly(self, first: int, last: int) -> Bins:
        """Hourly means of all readings of the local dates `first` to `last`; see `clock_bins` for
        the arrays."""
        days = np.array([day for day in range(first, last + 1) if day in self._days], np.int64)
        if not days.size:
            empty = np.zeros(0, dtype=np.int64)
            return Bins(1.0, empty, empty, empty, np.zeros(0), np.zeros(0))
        there = [self._days[day] for day in days.tolist()]
        weights = np.stack([of_day.counts for of_day in there]).astype(np.float64)
        halves = np.stack([of_day.means for of_day in there]).astype(np.float64)
        pairs = np.where(weights > 0.0, halves, 0.0) * weights
        n = weights.reshape(days.size, PER_DAY // 2, 2).sum(axis=2)
        means = pairs.reshape(days.size, PER_DAY // 2, 2).sum(axis=2) / np.maximum(n, 1.0)
        # Each reading is taken to be in the middle of its half hour.
        middles = (weights * (np.arange(PER_DAY) + 0.5) / 2.0).reshape(days.size, PER_DAY // 2, 2)
        clock_h = middles.sum(axis=2) / np.maximum(n, 1.0)
        row, hour = np.nonzero(n)
        return Bins(
            1.0,
            (days[row] * 24 + hour) * 3_600_000,
            hour.astype(np.int64),
            days[row],
            means[row, hour],
            clock_h[row, hour],
        )

    def same_clock(self, first: int, last: int) -> bool:
        """Whether the wearer's clock was not set anew, but for summer time, on these dates."""
        there = [self._days[day].offset_h for day in range(first, last + 1) if day in self._days]
        return not there or max(there) - min(there) < _JOURNEY_H

    def at(self, day: int, half: int) -> float | None:
        """Mean of one half hour; None if there is none."""
        of_day = self._days.get(day)
        return None if of_day is None or not of_day.counts[half] else float(of_day.means[half])

    def dump(self) -> list[tuple[int, tuple[float, bytes, bytes]]]:
        """What `load` takes."""
        packed = []
        for day, of_day in sorted(self._days.items()):
            if of_day.packed is None:
                of_day.packed = of_day.offset_h, of_day.means.tobytes(), of_day.counts.tobytes()
            packed.append((day, of_day.packed))
        return packed

    def load(self, days: Iterable[tuple[int, tuple[float, bytes, bytes]]]) -> None:
        """Take over what `dump` gave."""
        for day, (offset_h, means, counts) in days:
            self._days[day] = _Day(
                offset_h,
                np.frombuffer(means, dtype=np.float32).copy(),
                np.frombuffer(counts, dtype=np.uint16).copy(),
            )
        self.newest = max(self._days, default=None)
