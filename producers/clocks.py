"""A column of times as instants with the wearer's own clock.

Files tell time in five ways: with an offset, as a naive local clock, as epoch seconds, as time
since a start, or as hours of the local clock. ``choose_clock`` finds out which from a sample,
``Clock.read`` turns one cell into integers while the file is read, and ``Clock.settle`` turns
whole columns into UTC milliseconds and local offsets at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InputFileError

TimeUnit = Literal["auto", "datetime", "epoch-s", "epoch-ms", "minutes", "hours", "clock-hour"]
Millis = NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)
_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
# Offsets from UTC have changed on quarter hours only since the 1970s (tz database), so one look
# at the zone serves a quarter hour of readings.
_QUARTER_MS = 900_000
# Numbers between these are epoch times of 2000 to 2100.
_EPOCH_S = (946_684_800.0, 4_102_444_800.0)
# Numbers from these on and below the epochs above are too large for minutes since any start (19
# years and more): such files hold epoch times that were shifted to hide when they were taken.
_SHIFTED_S, _SHIFTED_MS = 1e7, 1e10
# The day that a start without a date is put on; a recording needs one, a 24-hour fit does not.
_ANY_DAY = "2024-01-01"

_DATES = ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%m-%d-%Y", "%d-%m-%Y")
_TIMES = (" %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", " %H:%M:%S.%f", "")
_FORMATS = tuple(date + time for date in _DATES for time in _TIMES)

_PER_UNIT_MS = {"epoch-s": 1000.0, "epoch-ms": 1.0, "minutes": 60_000.0, "hours": 3_600_000.0}


def parse_zone(text: str) -> tzinfo:
    """The zone of an IANA name or a fixed offset ``±HH:MM``. Raises InputFileError.

    >>> parse_zone("+02:00").utcoffset(None)
    datetime.timedelta(seconds=7200)
    """
    fixed = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", text)
    if fixed:
        minutes = int(fixed[2]) * 60 + int(fixed[3])
        if minutes <= 18 * 60 and int(fixed[3]) < 60:
            return timezone(timedelta(minutes=-minutes if fixed[1] == "-" else minutes))
    else:
        try:
            return ZoneInfo(text)
        except (KeyError, ValueError, OSError):
            pass
    raise InputFileError(
        f"'{text}' is no time zone: give an IANA name such as Europe/Berlin or an offset such as "
        "+01:00."
    )


def parse_start(text: str) -> datetime:
    """The clock time that a file's times count from, aware or naive. Raises InputFileError.

    A time of day alone is put on 1 January 2024.

    >>> parse_start("06:15")
    datetime.datetime(2024, 1, 1, 6, 15)
    """
    try:
        dated = f"{_ANY_DAY}T{text}" if re.fullmatch(r"\d{2}:\d{2}(:\d{2})?", text) else text
        return datetime.fromisoformat(dated)
    except ValueError:
        raise InputFileError(
            f"'{text}' is no start: give a date and clock time such as 2024-01-01T06:15."
        ) from None


@dataclass(frozen=True, slots=True)
class Clock:
    """How one file tells time.

    ``kind``: ``offset`` (cells carry an offset from UTC), ``naive`` (cells are local clock
    times), ``epoch`` (milliseconds since 1970, UTC), ``since`` (milliseconds since ``start``),
    ``shifted`` (milliseconds from an unknown origin; the file's oldest reading was at ``start``),
    ``clock-hour`` (hours of the local clock, from the day of ``start`` on).
    """

    _WORDS: ClassVar[dict[str, str]] = {
        "offset": "times with their offset from UTC",
        "naive": "clock times of the zone",
        "epoch": "epoch times",
        "since": "times since the start",
        "shifted": "shifted epoch times, the oldest put at the start",
        "clock-hour": "hours of the day, from the start's on",
    }

    kind: Literal["offset", "naive", "epoch", "since", "shifted", "clock-hour"]
    zone: tzinfo | None
    start: datetime | None = None
    unit_ms: float = 1.0
    time_format: str | None = None

    @property
    def words(self) -> str:
        """How the file tells time, for people: what was guessed must be seen."""
        return self._WORDS[self.kind]

    def read(self, cell: str) -> tuple[int, int]:
        """One cell as ``(milliseconds, offset in milliseconds)``; the offset is 0 unless the
        kind is ``offset``. Raises ValueError, whose text does not repeat the cell."""
        if self.kind in ("offset", "naive"):
            return self._read_datetime(cell.strip())
        number = parse_number(cell)
        if not np.isfinite(number):
            raise ValueError("is not a finite number")
        if self.kind == "clock-hour" and not 0 <= number <= 24:
            raise ValueError("is no hour of the day (0 to 24)")
        if abs(number * self.unit_ms) > 2**53:
            raise ValueError("is too large for a time")
        return round(number * self.unit_ms), 0

    def settle(
        self, times: Millis, offsets: Millis, oldest: int, notes: dict[str, int]
    ) -> tuple[Millis, Millis]:
        """UTC and local-offset milliseconds of one subject's column of ``read`` results, in file
        order. ``oldest`` is the smallest ``read`` time of the file; ``notes`` counts the readings
        that a person should know about."""
        if self.kind == "offset":
            if self.zone is None:
                return times, offsets
            return times, _offsets_at(times, self.zone)
        if self.kind == "epoch":
            assert self.zone is not None
            return times, _offsets_at(times, self.zone)
        if self.kind == "naive":
            assert self.zone is not None
            return _from_wall(times, self.zone, notes)
        assert self.start is not None
        if self.kind == "clock-hour":
            zone = self.start.tzinfo or UTC
            midnight = self.start.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
            # A clock hour below the one before it is the next day's.
            days = np.concatenate([[0], np.cumsum(np.diff(times) < 0)]) if len(times) else times
            return _from_wall(
                times + days.astype(np.int64) * _DAY_MS + _millis(midnight - _NAIVE_EPOCH),
                zone,
                notes,
            )
        origin = oldest if self.kind == "shifted" else 0
        utc = times - origin + _millis(self.start - _EPOCH)
        return utc, _offsets_at(utc, self.start.tzinfo or UTC)

    def _read_datetime(self, cell: str) -> tuple[int, int]:
        try:
            if self.time_format is None:
                moment = datetime.fromisoformat(cell)
            else:
                moment = datetime.strptime(cell, self.time_format)
        except ValueError:
            raise ValueError("is no time like those of the other rows") from None
        offset = moment.utcoffset()
        if self.kind == "naive":
            if offset is not None:
                raise ValueError("has an offset from UTC and the first rows have none")
            return _millis(moment - _NAIVE_EPOCH), 0
        if offset is None:
            raise ValueError("has no offset from UTC and the first rows have one")
        return _millis(moment - _EPOCH), _millis(offset)


def choose_clock(
    sample: Sequence[str],
    *,
    time_unit: TimeUnit,
    zone: str | None,
    start: str | None,
    time_format: str | None,
) -> Clock:
    """The clock of a file, from the cells of its first rows and what the user said about it.

    Raises InputFileError that says which option is missing.
    """
    place = parse_zone(zone) if zone is not None else None
    numbers = _numbers(sample)
    if time_unit == "auto":
        time_unit = _guess_unit(sample, numbers, start, time_format)
    if time_unit == "datetime":
        if start is not None:
            raise InputFileError(
                "--start is for files that count from an unknown moment; this one holds dates."
            )
        return _datetime_clock(sample, place, time_format)
    unit_ms = _PER_UNIT_MS.get(time_unit, float(_HOUR_MS))
    if start is None:
        if time_unit in ("epoch-s", "epoch-ms"):
            if numbers and float(np.median(numbers)) * unit_ms < _EPOCH_S[0] * 1000:
                raise InputFileError(
                    "The times are epoch times before 2000, that is, shifted ones: add --start "
                    "with the date and clock time of the oldest reading, known or agreed upon, "
                    "for example --start 2024-01-01T00:00."
                )
            if place is None:
                raise InputFileError(
                    "Epoch times do not tell the wearer's clock: add --zone, for example "
                    "--zone Europe/Berlin or --zone +00:00."
                )
            return Clock("epoch", place, unit_ms=unit_ms)
        raise InputFileError(
            f"Times in {time_unit.replace('clock-hour', 'clock hours')} need a day to count from: "
            "add --start with the date and clock time of zero, for example "
            "--start 2024-01-01T06:15."
        )
    begin = parse_start(start)
    if begin.tzinfo is None:
        # The start states a clock, which is all a rhythm needs; without a zone it is kept as UTC.
        begin = begin.replace(tzinfo=place or UTC)
    elif place is not None:
        begin = begin.astimezone(place)
    kinds: dict[str, Literal["since", "shifted", "clock-hour"]] = {
        "epoch-s": "shifted",
        "epoch-ms": "shifted",
        "clock-hour": "clock-hour",
    }
    return Clock(kinds.get(time_unit, "since"), place, start=begin, unit_ms=unit_ms)


def parse_number(cell: str, *, decimal_comma: bool = False) -> float:
    """A cell as a number. Raises ValueError whose text does not repeat the cell."""
    text = cell.strip()
    if decimal_comma and "." not in text:
        text = text.replace(",", ".", 1)
    try:
        # Python reads 1_000 as a number; no file means that.
        if "_" in text:
            raise ValueError
        return float(text)
    except ValueError:
        raise ValueError("is not a number") from None


def _numbers(sample: Sequence[str]) -> list[float]:
    numbers = []
    for cell in sample:
        try:
            numbers.append(parse_number(cell))
        except ValueError:
            continue
    return numbers


def _guess_unit(
    sample: Sequence[str], numbers: Sequence[float], start: str | None, time_format: str | None
) -> TimeUnit:
    if time_format is not None or 2 * len(numbers) <= len(sample):
        return "datetime"
    middle = float(np.median(numbers))
    if _SHIFTED_S <= middle <= _EPOCH_S[1]:
        return "epoch-s"
    if _SHIFTED_MS <= middle <= _EPOCH_S[1] * 1000:
        return "epoch-ms"
    shift = "" if start is not None else ", and --start with the date and clock time of zero"
    raise InputFileError(
        "The times are numbers, too small for epoch times. Say what they are: --time-unit "
        f"minutes or hours since a start, or clock-hour for hours of the day{shift}."
    )


def _datetime_clock(sample: Sequence[str], zone: tzinfo | None, time_format: str | None) -> Clock:
    sample = [cell.strip() for cell in sample]
    if time_format is None:
        iso = [moment for cell in sample if (moment := _iso(cell)) is not None]
        if 2 * len(iso) <= len(sample):
            time_format = _guess_format(sample)
            aware = False
        else:
            aware = iso[0].tzinfo is not None
    else:
        aware = "%z" in time_format
    if not aware and zone is None:
        raise InputFileError(
            "The times have no offset from UTC: add --zone with the wearer's time zone, for "
            "example --zone Europe/Berlin or --zone +01:00."
        )
    return Clock("offset" if aware else "naive", zone, time_format=time_format)


def _iso(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None


def _guess_format(sample: Sequence[str]) -> str:
    read = {
        time_format: sum(_fits(cell, time_format) for cell in sample) for time_format in _FORMATS
    }
    most = max(read.values())
    best = [time_format for time_format, count in read.items() if count == most]
    if 2 * most <= len(sample):
        raise InputFileError(
            "The time column holds neither numbers nor dates that are known here: choose another "
            "--time-column, or describe the dates with --time-format, for example "
            "'%m/%d/%Y %I:%M:%S %p'."
        )
    if len(best) > 1:
        raise InputFileError(
            "The dates may be day first or month first: say which with --time-format "
            f"'{best[0]}' or '{best[1]}'."
        )
    return best[0]


def _fits(cell: str, time_format: str) -> bool:
    try:
        datetime.strptime(cell, time_format)
    except ValueError:
        return False
    return True


def _millis(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))


def _offsets_at(utc: Millis, zone: tzinfo) -> Millis:
    quarters, where = np.unique(utc // _QUARTER_MS, return_inverse=True)
    at = [_EPOCH + timedelta(milliseconds=int(q) * _QUARTER_MS) for q in quarters]
    offsets = [_millis(moment.astimezone(zone).utcoffset() or timedelta()) for moment in at]
    return np.asarray(offsets, dtype=np.int64)[where.reshape(-1)]


def _from_wall(wall: Millis, zone: tzinfo, notes: dict[str, int]) -> tuple[Millis, Millis]:
    """Naive local milliseconds to UTC. A clock time that came twice (clocks set back) is taken
    as its first pass; one that never came (clocks set forward) as the instant that many minutes
    after the change."""
    quarters, where = np.unique(wall // _QUARTER_MS, return_inverse=True)
    first: list[int] = []
    second: list[int] = []
    for quarter in quarters:
        local = _NAIVE_EPOCH + timedelta(milliseconds=int(quarter) * _QUARTER_MS)
        for fold, offsets in enumerate((first, second)):
            moment = local.replace(tzinfo=zone, fold=fold)
            offsets.append(_millis(moment.utcoffset() or timedelta()))
    where = where.reshape(-1)
    early = np.asarray(first, dtype=np.int64)[where]
    late = np.asarray(second, dtype=np.int64)[where]
    for sentence, odd in (
        ("at a clock time that came twice that night, taken as the first", early > late),
        (
            "at a clock time that the change of clocks left out; if the device does not follow "
            "it, give --zone as a fixed offset",
            early < late,
        ),
    ):
        if odd.any():
            notes[sentence] = notes.get(sentence, 0) + int(odd.sum())
    utc = wall - early
    return utc, _offsets_at(utc, zone)
