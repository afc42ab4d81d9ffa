"""What is kept of one person, and what of it is new since markers were last made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from processors.markers.diary import Diary
from processors.markers.half_hours import HalfHours
from processors.markers.life import Life
from schemas.catalogue import Catalogue
from schemas.conditions import Sex


class Who(NamedTuple):
    """What is known of the person."""

    sex: Sex | None = None
    birth_year: int | None = None


@dataclass(slots=True)
class Shelf:
    """What markers of one person are made of."""

    catalogue: Catalogue
    life: Life
    diaries: dict[str, Diary] = field(default_factory=dict)
    """Single readings, by analyte."""
    half_hours: dict[str, HalfHours] = field(default_factory=dict)
    """Means of what is measured all the time, by analyte."""


@dataclass(slots=True)
class Touched:
    """Local dates (days from 1 January 1970) of which something is new."""

    readings: dict[str, set[int]] = field(default_factory=dict)
    """By analyte."""
    sleeps: set[int] = field(default_factory=set)
    doses: set[int] = field(default_factory=set)
    cycle_from: int | None = None
    """The earliest on which something about cycles is new."""

    def of(self, *slugs: str) -> set[int]:
        """Dates with a new reading of any of these analytes."""
        return {day for slug in slugs for day in self.readings.get(slug, ())}

    def cycle(self, day: int) -> None:
        """Something about cycles is new on a date."""
        self.cycle_from = day if self.cycle_from is None else min(self.cycle_from, day)
