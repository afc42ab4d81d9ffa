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


class HalfHours:
    """Means of the local half hours of the last days."""

    __slots__ = ("_counts", "_days", "_keep", "_offsets", "newest")

    def __init__(self, window_days: int) -> None:
        self._keep = window_days + 2
        self._days: dict[int, NDArray[np.float32]] = {}
        self._counts: dict[int, NDArray[np.uint16]] = {}
        self._offsets: dict[int, float] = {}
        self.newest: int | None = None
        """The newest local date with a reading, days from 1 January 1970."""

    def put(self, day: int, half: int, mean: float, n: int, offset_h: float) -> None:
        """Set the mean of a half hour's n readings (half 0 begins at midnight).

        `offset_h`: what the wearer's clock adds to UTC then.
        """
        self.newest = day if self.newest is None else max(day, self.newest)
        means = self._days.get(day)
        if means is None:
            means = self._days[day] = np.full(PER_DAY, np.nan, dtype=np.float32)
            self._counts[day] = np.zeros(PER_DAY, dtype=np.uint16)
        means[half] = mean
        self._counts[day][half] = n
        self._offsets[day] = max(offset_h, self._offsets.get(day, offset_h))

    def forget(self) -> None:
        """Drop what no marker will ask for again."""
        if self.newest is not None:
            oldest = self.newest - self._keep
            for day in [day for day in self._days if day < oldest]:
                del self._days[day], self._counts[day], self._offsets[day]

    def days(self) -> set[int]:
        """Local dates with a reading."""
        return set(self._days)

    def hourly(self, first: int, last: int) -> Bins:
        """Hourly means of all readings of the local dates `first` to `last`; see `clock_bins` for
        the arrays."""
        days = np.array([day for day in range(first, last + 1) if day in self._days], np.int64)
        if not days.size:
            empty = np.zeros(0, dtype=np.int64)
            return Bins(1.0, empty, empty, empty, np.zeros(0))
        halves = np.stack([self._days[day] for day in days.tolist()]).astype(np.float64)
        weights = np.stack([self._counts[day] for day in days.tolist()]).astype(np.float64)
        pairs = np.where(weights > 0.0, halves, 0.0) * weights
        n = weights.reshape(days.size, PER_DAY // 2, 2).sum(axis=2)
        means = pairs.reshape(days.size, PER_DAY // 2, 2).sum(axis=2) / np.maximum(n, 1.0)
        row, hour = np.nonzero(n)
        return Bins(
            1.0,
            (days[row] * 24 + hour) * 3_600_000,
            hour.astype(np.int64),
            days[row],
            means[row, hour],
        )

    def same_clock(self, first: int, last: int) -> bool:
        """Whether the wearer's clock was not set anew, but for summer time, on these dates."""
        offsets = [self._offsets[day] for day in range(first, last + 1) if day in self._offsets]
        return not offsets or max(offsets) - min(offsets) < _JOURNEY_H

    def at(self, day: int, half: int) -> float | None:
        """Mean of one half hour; None if there is none."""
        means = self._days.get(day)
        return None if means is None or np.isnan(means[half]) else float(means[half])

    def dump(self) -> list[tuple[int, float, bytes, bytes]]:
        """What `load` takes."""
        return [
            (day, self._offsets[day], self._days[day].tobytes(), self._counts[day].tobytes())
            for day in sorted(self._days)
        ]

    def load(self, days: Iterable[tuple[int, float, bytes, bytes]]) -> None:
        """Take over what `dump` gave."""
        for day, offset_h, means, counts in days:
            self._counts[day] = np.frombuffer(counts, dtype=np.uint16).copy()
            self._days[day] = np.frombuffer(means, dtype=np.float32).copy()
            self._offsets[day] = offset_h
        self.newest = max(self._days, default=None)
