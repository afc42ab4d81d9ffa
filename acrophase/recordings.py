"""What ``publish`` and ``fit`` ask of the options that describe a recording."""

from __future__ import annotations

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


def split_times(times: str | None) -> tuple[str, ...] | None:
    """The entries of ``--times``.

    >>> split_times("-30, 0,30")
    ('-30', '0', '30')
    """
    return None if times is None else tuple(entry.strip() for entry in times.split(","))
