"""Who the recording is of, as far as priors and references ask: ``--sex`` and ``--birth-year``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from schemas.analytes import Analyte
from schemas.conditions import Sex
from schemas.errors import InputFileError

SexOption = Annotated[
    Sex | None,
    typer.Option(
        help="The person's sex, which chooses the population to start from and the reference to "
        "compare with. [default: everybody's]"
    ),
]

BirthYear = Annotated[
    int | None,
    typer.Option(
        min=1900,
        max=2100,
        metavar="YEAR",
        help="The person's year of birth, which with the dates of the readings gives the age: "
        "chooses as --sex does. Needed for level and trend of DHEA-S and IGF-1.",
    ),
]

_OLDEST = 120


class Person(NamedTuple):
    """What is known of somebody; None: not told."""

    sex: Sex | None = None
    birth_year: int | None = None

    def age(self, on: date) -> float | None:
        """In whole years, as the stream counts: a birth year tells no more."""
        return None if self.birth_year is None else float(on.year - self.birth_year)

    def words(self, on: date) -> str:
        """Who that is, in a legend.

        >>> Person("female", 1970).words(date(2024, 3, 5)), Person().words(date(2024, 3, 5))
        ('women of 54', 'everybody')
        """
        who = {"female": "women", "male": "men", None: "people"}[self.sex]
        age = self.age(on)
        if age is None:
            return "everybody" if self.sex is None else who
        return f"{who} of {age:.0f}"


def check_age(file: Path, person: Person, first: date, last: date) -> None:
    """Raises InputFileError for a birth year that the dates of the readings contradict."""
    youngest, oldest = person.age(first), person.age(last)
    if youngest is None or oldest is None:
        return
    if youngest < 0:
        raise InputFileError(
            f"{file}: the first reading is of {first.year}, before the person was born "
            f"(--birth-year {person.birth_year})."
        )
    if oldest > _OLDEST:
        raise InputFileError(
            f"{file}: nobody is {oldest:.0f} years old, which --birth-year {person.birth_year} and "
            f"a reading of {last.year} make of this person."
        )


class HourlyReference(NamedTuple):
    """Reference limits of one person by local clock hour; None is an open end."""

    limits: tuple[tuple[float | None, float | None], ...]
    """Of each half hour from midnight on."""
    words: str
    """Whose they are."""


def hourly_reference(analyte: Analyte, person: Person, on: date) -> HourlyReference | None:
    """The catalogue's reference for somebody, as the stream compares them; None if it has none."""
    age = person.age(on)
    limits = tuple(analyte.reference(i / 2 + 0.25, person.sex, age) for i in range(48))
    if all(low is high is None for low, high in limits):
        return None
    return HourlyReference(limits, person.words(on))
