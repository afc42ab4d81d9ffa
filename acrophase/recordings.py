"""What ``publish`` and ``fit`` ask of the options that describe a recording."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError


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
