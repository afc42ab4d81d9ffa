"""Rows of the topic `state`: how a partition survives.

Each row absorbs one input topic and carries the last offset that it has absorbed. Keys:

    series|SUBJECT|ANALYTE   absorbs readings: the kernel's row, what was seen, what is open
    subject|SUBJECT          absorbs events: profile, recent doses and illnesses
    clock                    the partition's clock at each offset that may still be committed

What was seen stands in the same row as the sums: they must survive together, or a replayed
reading could be taken for its own duplicate.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import msgspec

from processors.deviations.explain import LONGEST_H, Ill, TakenDose
from processors.engine.seen import Seen
from processors.engine.series import Known, Rows, Series
from processors.engine_port import ForeignState
from processors.markers.life import Life
from schemas.conditions import Sex
from schemas.events import Dose, Event, Illness, Profile

VERSION = 3
"""Layout of the rows; a worker reads no other."""
CLOCK_KEY = b"clock"
_KEPT_MS = round(8 * LONGEST_H * 3_600_000)
_MOST_DOSES = 1_000  # of somebody without readings: nearly a year of three a day
_MOST_ILLNESSES = 100
_ILL_MS = 2 * 24 * 3_600_000  # without an end, see `schemas.events.Illness`


@dataclass(slots=True)
class Person:
    """What is known of a person from events."""

    absorbed: int = -1
    sex: Sex | None = None
    birth_year: int | None = None
    group: str | None = None
    profile_ms: int = -1
    doses: list[TakenDose] = field(default_factory=list)
    illnesses: list[Ill] = field(default_factory=list)
    site: str = "default"
    """Of the newest event."""
    life: Life = field(default_factory=Life)
    """What markers are made of beside readings."""

    @property
    def known(self) -> Known:
        """What priors and references are chosen by."""
        return Known(self.sex, self.birth_year, self.group)

    def take(self, event: Event, clock_ms: int) -> bool:
        """Take in an event; True if the profile changed.

        Order of arrival does not matter; of profiles of the same time the later one counts.
        Doses and illnesses long before the partition's clock are forgotten: events may run ahead
        of the readings that they explain, by years when a recording is judged.
        """
        at_ms = round(event.at.timestamp() * 1000)
        self.site = event.site
        if isinstance(event, Profile) and at_ms >= self.profile_ms:
            self.profile_ms = at_ms
            before = self.known
            self.sex, self.birth_year = event.sex, event.birth_year
            self.group = event.reference_group
            return self.known != before
        if isinstance(event, Dose):
            dose = TakenDose(at_ms, event.substance)
            kept = {d for d in (*self.doses, dose) if clock_ms - d.at_ms <= _KEPT_MS}
            self.doses = sorted(kept)[-_MOST_DOSES:]
        if isinstance(event, Illness):
            until = event.until
            ill = Ill(at_ms, at_ms + _ILL_MS if until is None else round(until.timestamp() * 1000))
            during = {
                each for each in (*self.illnesses, ill) if clock_ms - each.until_ms <= _KEPT_MS
            }
            self.illnesses = sorted(during)[-_MOST_ILLNESSES:]
        return False

    def dump(self) -> bytes:
        """Value of the person's row."""
        return msgspec.msgpack.encode(
            [
                VERSION,
                self.absorbed,
                self.sex,
                self.birth_year,
                self.group,
                self.profile_ms,
                self.doses,
                self.illnesses,
                self.site,
                self.life.dump(),
            ]
        )

    @classmethod
    def load(cls, value: bytes) -> Person:
        """Inverse of `dump`."""
        absorbed, sex, birth_year, group, profile_ms, doses, ill, site, life = _decode(value)
        taken = [TakenDose(*dose) for dose in doses]
        illnesses = [Ill(*each) for each in ill]
        told = Life.load(life)
        return cls(absorbed, sex, birth_year, group, profile_ms, taken, illnesses, site, told)


def series_key(subject: str, analyte: str) -> bytes:
    """Key of a series' row."""
    return f"series|{subject}|{analyte}".encode()


def subject_key(subject: str) -> bytes:
    """Key of a person's row."""
    return f"subject|{subject}".encode()


def dump_series(series: Series, rows: Rows, clock_ms: int, diary: bytes) -> bytes:
    """Value of a series' row; clock_ms is the partition's clock at its offset, `diary` what markers
    are made of (`processors.markers.book.Book.dump`)."""
    row, mean, n = rows.dump(series.slot)
    seen = {device: seen.dump() for device, seen in series.seen.items()}
    return msgspec.msgpack.encode(
        [
            VERSION,
            series.absorbed,
            clock_ms,
            series.site,
            series.began_ms,
            row,
            mean,
            n,
            zlib.compress(msgspec.msgpack.encode(seen), level=1),
            series.open,
            diary,
        ]
    )


@dataclass(frozen=True, slots=True)
class SavedSeries:
    """A series' row as read back."""

    absorbed: int
    clock_ms: int
    site: str
    began_ms: int
    kernel: tuple[bytes, bytes, bytes]
    seen: dict[str, Seen]
    open: dict[str, dict[str, Any]]
    diary: bytes


def load_series(value: bytes) -> SavedSeries:
    """Inverse of `dump_series`."""
    absorbed, clock_ms, site, began_ms, row, mean, n, seen, open_now, diary = _decode(value)
    devices = msgspec.msgpack.decode(zlib.decompress(seen))
    return SavedSeries(
        absorbed=absorbed,
        clock_ms=clock_ms,
        site=site,
        began_ms=began_ms,
        kernel=(row, mean, n),
        seen={device: Seen.load(days) for device, days in devices.items()},
        open=open_now,
        diary=diary,
    )


def _decode(value: bytes) -> list[Any]:
    """What follows the version of a row; raises `ForeignState` if that is not ours."""
    try:
        version, *rest = msgspec.msgpack.decode(value, type=list[Any])
    except (msgspec.DecodeError, ValueError) as error:
        raise ForeignState(
            f"the topic state holds a row that is not Acrophase's: {error}"
        ) from error
    if version != VERSION:
        raise ForeignState(
            f"the topic state was written by another version of Acrophase (layout {version}, this "
            f"one reads {VERSION}): go on with that version, or empty the topics state and set the "
            f"group back to the beginning of readings and events, to judge them anew"
        )
    return rest


def dump_clock(clocks: dict[int, int]) -> bytes:
    """Value of the clock's row: the clock (epoch ms) by offset."""
    return msgspec.msgpack.encode(clocks)


def load_clock(value: bytes) -> dict[int, int]:
    """Inverse of `dump_clock`."""
    return msgspec.msgpack.decode(value, type=dict[int, int])
