"""When somebody woke up, by ``--wake`` or by events, and to which samples that belongs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

import numpy as np

from processors.rhythm.own_day import Wake
from processors.rhythm.samples import Floats, Samples
from schemas.errors import InputFileError

# A sample belongs to the last waking of the 20 hours before it; one up to three hours before a
# waking contradicts it, which the markers then say.
_LONGEST_AWAKE_H = 20.0
_JUST_BEFORE_H = 3.0
# Waking up again within so many hours is that from a nap.
_NAP_H = 12.0


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


def wakes_of(told: Sequence[Wake], taken: Samples) -> tuple[Wake, ...]:
    """Of wake events on the scale of the samples' hours those that samples follow or contradict.

    >>> from processors.rhythm.own_day import Wake
    >>> from processors.rhythm.samples import samples
    >>> told = [Wake(15.0, True), Wake(7.0, False), Wake(-300.0, True)]
    >>> wakes_of(told, samples([7.5, 16.0], [1.0, 2.0], "ug/dL"))
    (Wake(hour=7.0, verified=False),)
    """
    found: list[Wake] = []
    for wake in sorted(told):
        if _has_samples(wake.hour, taken.hours) and not (
            found and wake.hour - found[-1].hour < _NAP_H
        ):
            found.append(wake)
    return tuple(found)


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
        placed = [hour for hour in told if _has_samples(hour, local)]
        if not placed:
            raise InputFileError(
                f"{file}: nobody took a sample within {_LONGEST_AWAKE_H:.0f} hours after the "
                f"waking at {wake.isoformat(timespec='minutes')} (--wake)."
            )
        for hour in placed:
            # By the clock that the wearer had at the first sample after it.
            after = min(int(np.searchsorted(local, hour)), taken.n - 1)
            hours.add(hour - float(taken.offset_h[after]))
    return tuple(Wake(hour, verified) for hour in sorted(hours))


def _has_samples(wake: float, local: Floats) -> bool:
    since = local - wake
    return bool(((since >= -_JUST_BEFORE_H) & (since <= _LONGEST_AWAKE_H)).any())
