"""A marker with the night, day or cycle that it belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from processors.rhythm.marker import Marker

_EPOCH = datetime.fromtimestamp(0, UTC)


class Dated(NamedTuple):
    """One marker of one person."""

    analyte: str
    """Slug, or 'cycle' for what belongs to the menstrual cycle as a whole."""
    day: int
    """Local date on which its night, day or cycle begins, in days from 1 January 1970 (or from
    whatever day the readings' hours count from)."""
    marker: Marker


def midnight(day: int) -> datetime:
    """Midnight of a local date as if its clock were UTC: a name of the date that never moves.

    >>> midnight(20_000).isoformat()
    '2024-10-04T00:00:00+00:00'
    """
    return _EPOCH + timedelta(days=day)
