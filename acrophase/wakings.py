"""When somebody woke up, as ``--wake`` tells it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

import numpy as np

from processors.markers.wakings import LONGEST_AWAKE_H, has_samples
from processors.rhythm.own_day import Wake
from processors.rhythm.samples import Samples
from schemas.errors import InputFileError


def parse_wakes(text: str) -> tuple[datetime | time, ...]:
    """The entries of ``--wake``: wakings of one day, or a clock time of every day.

    Raises InputFileError for an entry that is neither.

    >>> parse_wakes("06:50")
    (datetime.time(6, 50),)
    >>> parse_wakes("2024-03-05T06:50, 2024-03-06T07:10")[1]
    datetime.datetime(2024, 3, 6, 7, 10)
    """
    return tuple(_parse(entry.strip()) for entry in text.split(","))


def _parse(entry: str) -> datetime | time:
    for read in (time.fromisoformat, datetime.fromisoformat):
        try:
            found: datetime | time = read(entry)
        except ValueError:
            continue
        # A date alone would be read as its midnight.
        if ":" in entry and found.tzinfo is None:
            return found
    raise InputFileError(
        f"'{entry}' is no wake time: give a time of the wearer's clock, such as 06:50 for every "
        "day of the recording or 2024-01-01T06:50 for one."
    )


def place_wakes(
    file: Path,
    wakes: Sequence[datetime | time],
    taken: Samples,
    midnight: date,
    *,
    verified: bool,
) -> tuple[Wake, ...]:
    """The wakings on the scale of the samples' hours, in order.

    `taken`: samples, hours since the local midnight of the date `midnight`; `verified`: whether
    something or somebody that watched told them. Raises InputFileError for a waking that no sample
    follows or contradicts.
    """
    local = taken.hours + taken.offset_h
    hours: set[float] = set()
    for wake in wakes:
        if isinstance(wake, time):
            at = wake.hour + wake.minute / 60 + wake.second / 3600
            days = range(int(local.min() // 24), int(local.max() // 24) + 1)
            told = [24.0 * day + at for day in days]
        else:
            start = datetime.combine(midnight, time())
            told = [(wake - start).total_seconds() / 3600]
        placed = [hour for hour in told if has_samples(hour, local)]
        if not placed:
            raise InputFileError(
                f"{file}: nobody took a sample within {LONGEST_AWAKE_H:.0f} hours after the "
                f"waking at {wake.isoformat(timespec='minutes')} (--wake)."
            )
        for hour in placed:
            # By the clock that the wearer had at the first sample after it.
            after = min(int(np.searchsorted(local, hour)), taken.n - 1)
            hours.add(hour - float(taken.offset_h[after]))
    return tuple(Wake(hour, verified) for hour in sorted(hours))
