"""The recent readings of a sparse series, one by one: what its markers are made of.

Readings of a series come in offset order, late ones among them. A reading is kept if it is not
older than `late_days` before the newest one at that moment; `forget` drops what is older than
`late_days + window_days` before it. So whatever is taken in finds the whole window of each marker
that it changes still there, and a marker is a function of the readings alone, however they were
cut into frames and whenever markers were made in between.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple

import numpy as np

from processors.rhythm.samples import Samples

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
# A device may send as many readings as it likes of what people have a few of a day.
_MOST = 5_000


class Kept(NamedTuple):
    """A reading: when (epoch ms, and what the wearer's clock adds), value in the canonical unit."""

    time_ms: int
    offset_ms: int
    value: float
    sign: int
    """-1 for '<', 1 for '>', 0 for a result."""
    verified: bool
    """Whether its time was measured or verified, not reported or assumed."""

    @property
    def day(self) -> int:
        """The local date, days from 1 January 1970."""
        return (self.time_ms + self.offset_ms) // DAY_MS


class Diary:
    """See the module's docstring."""

    __slots__ = ("_entries", "_keep_ms", "_late_ms", "newest_ms")

    def __init__(self, window_days: int, late_days: int) -> None:
        self._late_ms = late_days * DAY_MS
        self._keep_ms = (late_days + window_days) * DAY_MS
        self._entries: list[Kept] = []
        self.newest_ms: int | None = None
        """Collection time of the newest reading."""

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, reading: Kept) -> bool:
        """Take a reading; False if it comes too late to change a marker."""
        if self.newest_ms is None or reading.time_ms > self.newest_ms:
            self.newest_ms = reading.time_ms
        elif reading.time_ms < self.newest_ms - self._late_ms:
            return False
        insort(self._entries, reading)
        return True

    def replace(self, reading: Kept) -> bool:
        """Take a reading in place of the one at its time; False if that changes nothing."""
        at = bisect_left(self._entries, reading.time_ms, key=lambda kept: kept.time_ms)
        if at < len(self._entries) and self._entries[at].time_ms == reading.time_ms:
            if self._entries[at] == reading:
                return False
            del self._entries[at]
        return self.add(reading)

    def forget(self) -> None:
        """Drop what no marker will ask for again."""
        if self.newest_ms is not None:
            oldest = self.newest_ms - self._keep_ms
            cut = bisect_left(self._entries, oldest, key=lambda kept: kept.time_ms)
            del self._entries[: max(cut, len(self._entries) - _MOST)]

    def between(self, from_ms: int, to_ms: int) -> list[Kept]:
        """Readings collected from `from_ms` to before `to_ms`, in order of time."""
        low = bisect_left(self._entries, from_ms, key=lambda kept: kept.time_ms)
        high = bisect_left(self._entries, to_ms, key=lambda kept: kept.time_ms)
        return self._entries[low:high]

    def of_days(self, first: int, last: int) -> list[Kept]:
        """Readings whose local date is `first` to `last`, in order of time."""
        # No clock is further than a day from UTC.
        near = self.between((first - 1) * DAY_MS, (last + 2) * DAY_MS)
        return [kept for kept in near if first <= kept.day <= last]

    def all(self) -> list[Kept]:
        """All that are kept, in order of time."""
        return list(self._entries)

    def days(self) -> set[int]:
        """Local dates with a reading."""
        return {kept.day for kept in self._entries}

    def dump(self) -> list[list[float]]:
        """What `load` takes."""
        return [list(kept) for kept in self._entries]

    def load(self, entries: list[list[float]]) -> None:
        """Take over what `dump` gave."""
        self._entries = [
            Kept(int(time), int(offset), value, int(sign), bool(verified))
            for time, offset, value, sign, verified in entries
        ]
        self.newest_ms = self._entries[-1].time_ms if self._entries else None


def samples_of(readings: list[Kept], unit: str) -> Samples:
    """Readings in order of time as samples, hours since the epoch (UTC).

    A result above the assay's range counts as that limit: markers know only '<'.
    """
    n = len(readings)
    return Samples(
        hours=np.fromiter((r.time_ms / HOUR_MS for r in readings), np.float64, n),
        offset_h=np.fromiter((r.offset_ms / HOUR_MS for r in readings), np.float64, n),
        values=np.fromiter((r.value for r in readings), np.float64, n),
        unit=unit,
        below=np.fromiter((r.sign < 0 for r in readings), np.bool_, n),
        verified=np.fromiter((r.verified for r in readings), np.bool_, n),
    )
