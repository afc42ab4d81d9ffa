"""The same reading twice counts once.

    - collected 10:00, 10:01, 10:02; again 10:01
    + fresh     10:00, 10:01, 10:02

Identity is (subject, analyte, device, collected_at) and is remembered for 7 days after it was
last received. A regular series compresses to a few numbers: the collected times of each UTC day
are kept as arithmetic runs (start, step, count), so a minute-by-minute day is one run.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

DAY_MS = 86_400_000
MEMORY_MS = 7 * DAY_MS


class Seen:
    """Collected times (epoch ms) of one source, with their expiry.

    A day is forgotten when nothing of it has been received for 7 days of `received_ms`, which is
    the series' own clock: forgetting depends on the data alone.
    """

    __slots__ = ("_day", "_days", "_expiry", "_newest", "_step")

    def __init__(self) -> None:
        self._days: dict[int, array[int]] = {}
        self._expiry: dict[int, int] = {}
        self._newest = -1
        # The newest time's day and the step of the run that it ends; 0 if it ends none.
        self._day = -1
        self._step = 0

    def add(self, time_ms: int, received_ms: int) -> bool:
        """Remember one time; False if it was there already."""
        day = time_ms // DAY_MS
        if (
            time_ms - self._newest == self._step
            and day == self._day
            and received_ms <= self._expiry[day]
            and self._step
        ):
            self._days[day][-1] += 1
            self._newest = time_ms
        else:
            runs = self._days.get(day)
            if runs is None or self._expiry[day] < received_ms:
                self._forget(received_ms)
                self._days[day] = array("q", (time_ms, 0, 1))
                if time_ms > self._newest or day == self._day:
                    self._newest, self._day, self._step = max(time_ms, self._newest), day, 0
            elif time_ms > self._newest:
                self._append(runs, time_ms)
                self._newest, self._day, self._step = time_ms, day, runs[-2]
            elif _contains(runs, time_ms):
                self._expiry[day] = max(self._expiry[day], received_ms + MEMORY_MS)
                return False
            else:
                runs.extend((time_ms, 0, 1))
                if day == self._day:
                    self._step = 0
        self._expiry[day] = received_ms + MEMORY_MS
        return True

    def add_all(self, times_ms: Sequence[int], received_ms: int, step: int = 0) -> Sequence[int]:
        """Remember many times; returns the positions that are fresh, in order.

        step: their spacing, if they are ascending and regular.
        """
        n = len(times_ms)
        first, last = times_ms[0], times_ms[-1]
        day = first // DAY_MS
        if step and first > self._newest and day == last // DAY_MS:
            # the usual case, a regular batch after all before it, without a loop
            self.add(first, received_ms)
            if n > 1:
                runs = self._days[day]
                if runs[-1] > 1 and runs[-2] == step:
                    runs[-1] += n - 1
                elif runs[-1] == 1:
                    runs[-2], runs[-1] = step, n
                else:
                    runs.extend((first + step, step, n - 1))
                self._newest = last
                self._step = runs[-2] if runs[-1] > 1 else 0
            return range(n)
        return [i for i, time_ms in enumerate(times_ms) if self.add(time_ms, received_ms)]

    def _append(self, runs: array[int], time_ms: int) -> None:
        start, step, count = runs[-3:]
        if start + step * (count - 1) == self._newest:
            if count == 1:
                runs[-2], runs[-1] = time_ms - start, 2
                return
            if time_ms - self._newest == step:
                runs[-1] = count + 1
                return
        runs.extend((time_ms, 0, 1))

    def _forget(self, received_ms: int) -> None:
        for day in [day for day, expiry in self._expiry.items() if expiry < received_ms]:
            del self._days[day], self._expiry[day]

    def dump(self) -> list[list[object]]:
        """Plain form for the state row: [day, expiry, runs as bytes] of each day."""
        return [[day, self._expiry[day], runs.tobytes()] for day, runs in self._days.items()]

    @classmethod
    def load(cls, days: list[tuple[int, int, bytes]]) -> Seen:
        """Inverse of `dump`."""
        seen = cls()
        for day, expiry, data in days:
            runs = array("q")
            runs.frombytes(data)
            seen._days[day] = runs
            seen._expiry[day] = expiry
            for i in range(0, len(runs), 3):
                last = runs[i] + runs[i + 1] * (runs[i + 2] - 1)
                if last > seen._newest:
                    seen._newest, seen._day = last, day
        return seen


def _contains(runs: array[int], time_ms: int) -> bool:
    for i in range(0, len(runs), 3):
        start, step, count = runs[i : i + 3]
        if start == time_ms:
            return True
        if step and start < time_ms <= start + step * (count - 1) and not (time_ms - start) % step:
            return True
    return False
