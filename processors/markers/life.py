"""What events told of a person's nights, doses, illnesses and cycles.

Order of arrival does not matter: sets of the newest events by the time at which things happened.
Far more are kept than any marker asks for, so that a late event finds its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from processors.markers.diary import DAY_MS, HOUR_MS
from schemas.events import Dose, Event, Illness, LhSurge, Menses, Sleep

# Of falling asleep and waking up: four months of two sleeps a day. Of menses: eight years.
_MOST_SLEEPS = 500
_MOST_DOSES = 500
_MOST_ILLNESSES = 100
_ILL_FOR_MS = 2 * DAY_MS
_MOST_CYCLE_EVENTS = 100


class SleepTold(NamedTuple):
    """Falling asleep or waking up; epoch ms, and what the wearer's clock added."""

    time_ms: int
    offset_ms: int
    awake: bool
    verified: bool

    @property
    def day(self) -> int:
        """The local date, days from 1 January 1970."""
        return (self.time_ms + self.offset_ms) // DAY_MS


class DoseTold(NamedTuple):
    """A dose; epoch ms, and what the wearer's clock added."""

    time_ms: int
    offset_ms: int
    substance: str
    """In lower case."""


class IllnessTold(NamedTuple):
    """An illness; local times, ms since 1 January 1970."""

    begin_ms: int
    end_ms: int


@dataclass(slots=True)
class Life:
    """See the module's docstring; all lists are in order of time."""

    sleeps: list[SleepTold] = field(default_factory=list)
    menses: list[int] = field(default_factory=list)
    """Local dates, days from 1 January 1970."""
    surges: list[int] = field(default_factory=list)
    """Local time of positive LH tests, ms since 1 January 1970."""
    doses: list[DoseTold] = field(default_factory=list)
    illnesses: list[IllnessTold] = field(default_factory=list)

    def take(self, event: Event) -> bool:
        """Take in an event; True if something is known that was not."""
        offset = event.at.utcoffset()
        assert offset is not None  # the contract takes no other times
        time_ms, offset_ms = (
            round(event.at.timestamp() * 1000),
            round(offset.total_seconds() * 1000),
        )
        if isinstance(event, Sleep):
            told = SleepTold(time_ms, offset_ms, event.kind == "wake", event.verified)
            return _add(self.sleeps, told, _MOST_SLEEPS)
        if isinstance(event, Menses):
            return _add(self.menses, (time_ms + offset_ms) // DAY_MS, _MOST_CYCLE_EVENTS)
        if isinstance(event, LhSurge):
            return _add(self.surges, time_ms + offset_ms, _MOST_CYCLE_EVENTS)
        if isinstance(event, Dose):
            dose = DoseTold(time_ms, offset_ms, event.substance.lower())
            return _add(self.doses, dose, _MOST_DOSES)
        if isinstance(event, Illness):
            length = _ILL_FOR_MS
            if event.until is not None:
                length = max(round(event.until.timestamp() * 1000) - time_ms, 0)
            ill = IllnessTold(time_ms + offset_ms, time_ms + offset_ms + length)
            return _add(self.illnesses, ill, _MOST_ILLNESSES)
        return False

    def taken(self, substance: str) -> list[float]:
        """When a substance (in lower case) was taken, hours since the epoch, in order."""
        return [dose.time_ms / HOUR_MS for dose in self.doses if dose.substance == substance]

    def dump(self) -> list[Any]:
        """What `load` takes."""
        return [self.sleeps, self.menses, self.surges, self.doses, self.illnesses]

    @classmethod
    def load(cls, saved: list[Any]) -> Life:
        """Inverse of `dump`."""
        sleeps, menses, surges, doses, illnesses = saved
        return cls(
            [SleepTold(*one) for one in sleeps],
            list(menses),
            list(surges),
            [DoseTold(*one) for one in doses],
            [IllnessTold(*one) for one in illnesses],
        )


_T = TypeVar("_T", SleepTold, DoseTold, IllnessTold, int)


def _add(items: list[_T], item: _T, most: int) -> bool:
    if item in items:
        return False
    items.append(item)
    items.sort()
    del items[:-most]
    return item in items
