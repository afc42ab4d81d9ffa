"""The clocks of a simulated wearer: the one on the wrist and the one in the body.

The wrist shows the civil time of wherever the wearer is. The body follows a change of it, by
travel or by daylight saving, at a pace of about an hour a day, without treatment: 57 minutes a day
eastward and 92 westward (Aschoff et al., Chronobiologia 1975;2:23-78).

Everything here is a function of the zone, the start and the journeys; no clock of the machine is
read. Instants are epoch seconds, UTC.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

DAY_S = 86_400
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Journey:
    """The wearer's clock is set to another zone."""

    at: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a body follows, seconds a day: it advances after flights eastward, else delays."""

    advance_s: float = 3_600.0
    delay_s: float = 3_600.0


class WearerClock:
    """Offsets from UTC of the wearer's civil time and of the body, from two days before `start`.

    Days are numbered by the civil calendar of the home zone: day 0 is the date of `start` there.
    """

    def __init__(
        self, start: datetime, zone: str, journeys: Sequence[Journey] = (), pace: Pace | None = None
    ) -> None:
        self.zone = zone
        self._pace = pace or Pace()
        self.journeys = tuple(sorted(journeys, key=lambda journey: journey.at))
        self._home = ZoneInfo(zone)
        self._zones = [self._home, *(ZoneInfo(journey.zone) for journey in self.journeys)]
        self._departures = [journey.at.timestamp() for journey in self.journeys]
        self._first_day = start.astimezone(self._home).date().toordinal()
        self._known = int(start.timestamp()) - 2 * DAY_S
        # Change i happened at _times[i]; from then on the wrist shows _offsets[i], and the body
        # is _gaps[i] seconds behind (negative: ahead), less what it has caught up since.
        self._times: list[float] = [float(self._known)]
        self._offsets: list[int] = [self._civil_offset(self._known)]
        self._gaps: list[float] = [0.0]
        # Seconds by which the body's calendar has been turned, going the other way round.
        self._turns: list[float] = [0.0]

    def day_number(self, instant: float) -> int:
        """The home civil day that holds `instant`."""
        return datetime.fromtimestamp(instant, self._home).date().toordinal() - self._first_day

    def day_span(self, day: int) -> tuple[float, float]:
        """First instant of home civil day `day` and of the next: 23, 24 or 25 hours apart."""
        return self._midnight(day), self._midnight(day + 1)

    def weekend(self, day: int) -> bool:
        """Whether that day's date is a Saturday or a Sunday."""
        return self.date(day).weekday() >= 5

    def date(self, day: int) -> date:
        """The date of day `day`."""
        return date.fromordinal(self._first_day + day)

    def offset(self, instant: float) -> int:
        """Seconds that the wrist is ahead of UTC."""
        self._extend(instant)
        return self._offsets[max(bisect_right(self._times, instant) - 1, 0)]

    def zone_at(self, instant: float) -> str:
        """IANA name of the zone in which the wearer is."""
        return self._zones[bisect_right(self._departures, instant)].key

    def offset_changes(self, since: float, until: float) -> list[float]:
        """Instants in (since, until) at which the wrist jumps."""
        self._extend(until)
        return [time for time in self._times[1:] if since < time < until]

    def body_offsets(self, instants: FloatArray) -> FloatArray:
        """Seconds that the body's clock is ahead of UTC; shape of `instants`."""
        if not instants.size:
            return np.empty(0)
        self._extend(float(instants.max()))
        change = np.maximum(np.searchsorted(self._times, instants, side="right") - 1, 0)
        elapsed_days = (instants - np.asarray(self._times)[change]) / DAY_S
        gap: FloatArray = np.asarray(self._gaps, dtype=np.float64)[change]
        pace = np.where(gap > 0.0, self._pace.advance_s, self._pace.delay_s)
        left = np.maximum(np.abs(gap) - pace * elapsed_days, 0.0)
        offset: FloatArray = np.asarray(self._offsets, dtype=np.float64)[change]
        return np.asarray(offset - np.sign(gap) * left, dtype=np.float64)

    def instant(self, day: int, clock_hour: float) -> float | None:
        """When the wrist shows `clock_hour` on the date of day `day`.

        Hours below 0 and above 24 reach into the neighbouring dates. ``None`` if the wrist jumps
        over that time; the first of two if it shows it twice.
        """
        local = (self._first_day + day - _EPOCH) * DAY_S + clock_hour * 3600.0
        self._extend(local + DAY_S)
        begins = [float("-inf"), *self._times[1:]]
        ends = [*self._times[1:], float("inf")]
        for begin, end, offset in zip(begins, ends, self._offsets, strict=True):
            if begin <= local - offset < end:
                return local - offset
        return None

    def body_instant(self, day: int, clock_hour: float) -> float:
        """When the body's clock shows `clock_hour` in its day `day`; hours as in `instant`.

        Days of the body are counted as at home: half way round the world the wearer's calendar
        may be a date ahead or behind, but no night is lost or lived twice.
        """
        local = (self._first_day + day - _EPOCH) * DAY_S + clock_hour * 3600.0
        found = local - self.offset(local)
        # The offset moves by minutes a day, so this is a contraction.
        for _ in range(8):
            change = max(bisect_right(self._times, found) - 1, 0)
            offset = float(self.body_offsets(np.array([found]))[0]) - self._turns[change]
            found = local - offset
        return found

    def lag(self, instant: float) -> float:
        """Seconds that the body is behind the wrist; below 0: ahead of it."""
        return self.offset(instant) - float(self.body_offsets(np.array([instant]))[0])

    def local_time(self, instant: float) -> datetime:
        """`instant`, to the millisecond, with the wearer's own offset."""
        return from_epoch_ms(round(instant * 1000), self.offset(instant))

    def _midnight(self, day: int) -> float:
        midnight = self.date(day)
        return datetime(midnight.year, midnight.month, midnight.day, tzinfo=self._home).timestamp()

    def _civil_offset(self, instant: float) -> int:
        zone = self._zones[bisect_right(self._departures, instant)]
        offset = datetime.fromtimestamp(instant, zone).utcoffset()
        assert offset is not None  # a ZoneInfo always knows
        return int(offset.total_seconds())

    def _extend(self, until: float) -> None:
        """Find every change up to a day beyond `until`."""
        while self._known < until + DAY_S:
            begin, end = self._known, self._known + DAY_S // 2
            while self._civil_offset(end) != self._offsets[-1]:
                low, high = begin, end
                while high - low > 1:
                    middle = (low + high) // 2
                    if self._civil_offset(middle) == self._offsets[-1]:
                        low = middle
                    else:
                        high = middle
                self._change(float(high))
                begin = high
            self._known = end

    def _change(self, time: float) -> None:
        offset = self._civil_offset(time)
        elapsed_days = (time - self._times[-1]) / DAY_S
        gap = self._gaps[-1]
        pace = self._pace.advance_s if gap > 0.0 else self._pace.delay_s
        left = max(abs(gap) - pace * elapsed_days, 0.0)
        far = (left if gap > 0 else -left) + offset - self._offsets[-1]
        # Beyond half a day the body goes the other way round.
        gap = (far + DAY_S / 2) % DAY_S - DAY_S / 2
        self._turns.append(self._turns[-1] + far - gap)
        self._times.append(time)
        self._offsets.append(offset)
        self._gaps.append(gap)


@lru_cache(maxsize=128)
def _fixed(offset_s: int) -> timezone:
    return timezone(timedelta(seconds=offset_s)) if offset_s else UTC


def from_epoch_ms(instant_ms: int, offset_s: int = 0) -> datetime:
    """An instant as a datetime with a fixed offset from UTC.

    >>> from_epoch_ms(1_767_225_600_500, 3600).isoformat()
    '2026-01-01T01:00:00.500000+01:00'
    """
    return datetime.fromtimestamp(instant_ms / 1000, _fixed(offset_s))
