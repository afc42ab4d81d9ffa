"""The same reading twice counts once.

    - collected 10:00, 10:01, 10:02; again 10:01
    + fresh     10:00, 10:01, 10:02

Identity is (subject, analyte, device, collected_at) and is remembered for 7 days after it was
last received. A regular series compresses to a few numbers: the collected times of each UTC day
are kept as arithmetic runs (start, step, count), so a minute-by-minute day is one run.

Of days that are forgotten, the hours that held readings stay: four bytes a day. A recording that
is replayed a second time was received, by its own account, weeks before what has come since; where
such a record falls into an hour that held readings, it is taken for a repetition. Late data say
that they are received now, and count.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

DAY_MS = 86_400_000
MEMORY_MS = 7 * DAY_MS
HOUR_MS = 3_600_000
# Three years of hours: 4 KB.
MOST_DAYS = 1_100
# In a state row this stands where a day has its expiry.
_HOURS = 0


class Seen:
    """Collected times (epoch ms) of one source, with their expiry.

    A day is forgotten when nothing of it has been received for 7 days of `received_ms`, which is
    the series' own clock: forgetting depends on the data alone.
    """

    __slots__ = ("_day", "_days", "_expiry", "_first_day", "_hours", "_newest", "_step")

    def __init__(self) -> None:
        self._days: dict[int, array[int]] = {}
        self._expiry: dict[int, int] = {}
        self._newest = -1
        # The newest time's day and the step of the run that it ends; 0 if it ends none.
        self._day = -1
        self._step = 0
        # Of forgotten days from the first one on: bit h is set if hour h held readings.
        self._first_day = 0
        self._hours = array("i")

    def add(self, time_ms: int, received_ms: int, replayed: bool = False) -> bool:
        """Remember one time; False if it was there already.

        replayed: it comes out of the dead letters, so it is certain that it was not in its hour.
        """
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
                if not replayed and self._repeats(time_ms, received_ms):
                    return False
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
            elif not replayed and self._repeats(time_ms, received_ms):
                return False
            else:
                runs.extend((time_ms, 0, 1))
                if day == self._day:
                    self._step = 0
        self._expiry[day] = max(self._expiry.get(day, 0), received_ms + MEMORY_MS)
        return True

    def add_all(
        self, times_ms: Sequence[int], received_ms: int, step: int = 0, replayed: bool = False
    ) -> Sequence[int]:
        """Remember many times; returns the positions that are fresh, in order.

        step: their spacing, if they are ascending and regular; replayed: see `add`.
        """
        n = len(times_ms)
        first, last = times_ms[0], times_ms[-1]
        day = first // DAY_MS
        if (
            step
            and first > self._newest
            and day == last // DAY_MS
            and self.add(first, received_ms, replayed)
        ):
            # the usual case, a regular batch after all before it, without a loop
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
        return [i for i, time_ms in enumerate(times_ms) if self.add(time_ms, received_ms, replayed)]

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
            self._keep_hours(day)
            del self._days[day], self._expiry[day]

    def _keep_hours(self, day: int) -> None:
        if not self._hours:
            self._first_day = day
        if day < self._first_day - MOST_DAYS:
            return  # a clock that was years behind
        if day < self._first_day:
            self._hours = array("i", [0] * (self._first_day - day)) + self._hours
            self._first_day = day
        self._hours.extend([0] * (day - self._first_day + 1 - len(self._hours)))
        runs = self._days[day]
        for i in range(0, len(runs), 3):
            start, step, count = runs[i : i + 3]
            for n in range(count):
                hour = (start + step * n) % DAY_MS // HOUR_MS
                self._hours[day - self._first_day] |= 1 << hour
        surplus = max(0, len(self._hours) - MOST_DAYS)
        del self._hours[:surplus]
        self._first_day += surplus

    def _repeats(self, time_ms: int, received_ms: int) -> bool:
        day = time_ms // DAY_MS - self._first_day
        if not 0 <= day < len(self._hours):
            return False
        newest_ms = max(self._expiry.values()) - MEMORY_MS
        hour = time_ms % DAY_MS // HOUR_MS
        return received_ms < newest_ms - MEMORY_MS and bool(self._hours[day] >> hour & 1)

    def dump(self) -> list[list[object]]:
        """Plain form for the state row: [day, expiry, runs as bytes] of each day, and of the
        forgotten ones [first day, 0, hours as bytes]."""
        days = [[day, self._expiry[day], runs.tobytes()] for day, runs in self._days.items()]
        if self._hours:
            days.append([self._first_day, _HOURS, self._hours.tobytes()])
        return days

    @classmethod
    def load(cls, days: list[tuple[int, int, bytes]]) -> Seen:
        """Inverse of `dump`."""
        seen = cls()
        for day, expiry, data in days:
            if expiry == _HOURS:
                seen._first_day = day
                seen._hours.frombytes(data)
                continue
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
