"""The options by which ``publish`` and ``fit`` are told what is in a recording."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from producers.clocks import TimeUnit
from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError

Analyte = Annotated[
    str | None,
    typer.Option(help="What was measured: a slug of the catalogue, e.g. heart-rate."),
]

Unit = Annotated[
    str | None, typer.Option(help="UCUM unit of the values. [default: the analyte's own]")
]

TimeColumn = Annotated[
    str | None,
    typer.Option(help="Column of the times: name, or number from 1; Date,Time joins two."),
]

ValueColumn = Annotated[
    str | None,
    typer.Option(
        help="Column of the values: name, or number from 1. Several, separated by commas, "
        "are the samples of a wide table, see --times."
    ),
]

SampleTimes = Annotated[
    str | None,
    typer.Option(
        metavar="TIME,TIME,…",
        help="When the columns of a wide table were sampled, e.g. --times=-30,0,30. The "
        "other options about time say what the numbers mean.",
    ),
]

SubjectColumn = Annotated[
    str | None, typer.Option(help="Column of the people's ids; without it, one person.")
]

Subject = Annotated[
    str | None,
    typer.Option(
        help="The person's pseudonym, letters and digits mixed. With --subject-column: the "
        "prefix of ids that are numbers. [default of the prefix: the file's name]"
    ),
]

Zone = Annotated[
    str | None,
    typer.Option(help="Time zone of the wearer, e.g. Europe/Berlin or +02:00."),
]

Start = Annotated[
    str | None,
    typer.Option(
        help="Clock time that minutes, hours or clock hours count from, or of the oldest "
        "reading if epoch times are shifted, e.g. 2024-01-01T06:15. A time of day alone is "
        "put on 2024-01-01."
    ),
]

TellsTime = Annotated[
    TimeUnit, typer.Option(help="How the file tells time, if it cannot be guessed.")
]

TimeFormat = Annotated[
    str | None, typer.Option(help="Format of the times (strptime), e.g. '%d.%m.%Y %H:%M'.")
]


def require_analyte(file: Path, analyte: str | None) -> str:
    """The analyte's slug; raises InputFileError that lists them if it was not given."""
    if analyte is None:
        raise InputFileError(
            f"{file} does not say what was measured: add --analyte, one of "
            + ", ".join(known.slug for known in load_catalogue())
            + "."
        )
    return analyte


def refuse_unused(file: Path, given: Mapping[str, str | None]) -> None:
    """Raises InputFileError that names the options that a file of records cannot use."""
    unused = [name for name, value in given.items() if value is not None]
    if unused:
        raise InputFileError(
            f"{file} holds wire-format records, which say for themselves what "
            f"{', '.join(unused)} would: leave that out."
        )


def split_times(times: str | None) -> tuple[str, ...] | None:
    """The entries of ``--times``.

    >>> split_times("-30, 0,30")
    ('-30', '0', '30')
    """
    return None if times is None else tuple(entry.strip() for entry in times.split(","))
