"""The recent half hours of a dense series: means by local date and clock, for rest and activity.

A half hour is taken in when it closes, and again when a late reading changes its mean, which the
engine says of the last 24 hours: they come in no other order than that. `forget` keeps two days
more than markers look back over. When the clock is put back, what comes twice stays two: half hours
are told apart by the offset from UTC as well.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from processors.rhythm.clock_bins import Bins

PER_DAY = 48
_HOUR_MS = 3_600_000
# Less is summer time, or a neighbouring zone.
_JOURNEY_H = 1.75


class _Day:
    """One local date in one offset from UTC: means and counts of its half hours."""

    __slots__ = ("counts", "means", "packed")

    def __init__(self, means: NDArray[np.float32], counts: NDArray[np.uint16]) -> None:
        self.means = means
        self.counts = counts
        self.packed: tuple[bytes, bytes] | None = None


class HalfHours:
    """Means of the local half hours of the last days."""

    __slots__ = ("_days", "_keep", "newest")

    def __init__(self, window_days: int) -> None:
        self._keep = window_days + 2
        self._days: dict[tuple[int, float], _Day] = {}  # by date and offset (h)
        self.newest: int | None = None
        """The newest local date with a reading, days from 1 January 1970."""

    def put(self, day: int, half: int, mean: float, n: int, offset_h: float) -> bool:
        """Set the mean of a half hour's n readings (half 0 begins at midnight).

        `offset_h`: what the wearer's clock adds to UTC then. True if it is not of the day that is
        still going on.
        """
        of_day = self._days.get((day, offset_h))
        begins = of_day is None
        if of_day is None:
            means = np.full(PER_DAY, np.nan, dtype=np.float32)
            of_day = self._days[day, offset_h] = _Day(means, np.zeros(PER_DAY, dtype=np.uint16))
            if self.newest is None or day > self.newest:
                self.newest = day
        of_day.means[half] = mean
        of_day.counts[half] = n
        of_day.packed = None
        return begins or day != self.newest

    def forget(self) -> None:
        """Drop what no marker will ask for again."""
        if self.newest is not None:
            oldest = self.newest - self._keep
            for key in [key for key in self._days if key[0] < oldest]:
                del self._days[key]

    def days(self) -> set[int]:
        """Local dates with a reading."""
        return {day for day, _ in self._days}

    def hourly(self, first: int, last: int) -> Bins:
        """Hourly means of all readings of the local dates `first` to `last`; see `clock_bins` for
        the arrays."""
        keys = sorted(key for key in self._days if first <= key[0] <= last)
        if not keys:
            empty = np.zeros(0, dtype=np.int64)
            return Bins(1.0, empty, empty, empty, np.zeros(0), np.zeros(0))
        days = np.array([day for day, _ in keys], dtype=np.int64)
        offsets_ms = np.rint(np.array([offset for _, offset in keys]) * _HOUR_MS).astype(np.int64)
        weights = np.stack([self._days[key].counts for key in keys]).astype(np.float64)
        halves = np.stack([self._days[key].means for key in keys]).astype(np.float64)
        shape = days.size, PER_DAY // 2, 2
        n = weights.reshape(shape).sum(axis=2)
        sums = (np.where(weights > 0.0, halves, 0.0) * weights).reshape(shape).sum(axis=2)
        # Each reading is taken to be in the middle of its half hour.
        middles = (weights * (np.arange(PER_DAY) + 0.5) / 2.0).reshape(shape).sum(axis=2)
        row, hour = np.nonzero(n)
        start_ms = (days[row] * 24 + hour) * _HOUR_MS - offsets_ms[row]
        order = np.argsort(start_ms, kind="stable")
        row, hour = row[order], hour[order]
        n = n[row, hour]
        return Bins(
            1.0,
            start_ms[order],
            hour.astype(np.int64),
            days[row],
            sums[row, hour] / n,
            middles[row, hour] / n,
        )

    def same_clock(self, first: int, last: int) -> bool:
        """Whether the wearer's clock was not set anew, but for summer time, on these dates."""
        offsets = [offset for day, offset in self._days if first <= day <= last]
        return not offsets or max(offsets) - min(offsets) < _JOURNEY_H

    def at(self, day: int, half: int) -> float | None:
        """Mean of one half hour; None if there is none. Of one that comes twice the first."""
        for key in sorted((key for key in self._days if key[0] == day), reverse=True):
            if self._days[key].counts[half]:
                return float(self._days[key].means[half])
        return None

    def dump(self) -> list[tuple[int, float, tuple[bytes, bytes]]]:
        """What `load` takes."""
        packed = []
        for (day, offset_h), of_day in sorted(self._days.items(), key=lambda item: item[0]):
            if of_day.packed is None:
                of_day.packed = of_day.means.tobytes(), of_day.counts.tobytes()
            packed.append((day, offset_h, of_day.packed))
        return packed

    def load(self, days: Iterable[tuple[int, float, tuple[bytes, bytes]]]) -> None:
        """Take over what `dump` gave."""
        for day, offset_h, (means, counts) in days:
            self._days[day, offset_h] = _Day(
                np.frombuffer(means, dtype=np.float32).copy(),
                np.frombuffer(counts, dtype=np.uint16).copy(),
            )
        self.newest = max((day for day, _ in self._days), default=None)
