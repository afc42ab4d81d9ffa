"""A recording over menstrual cycles: the day of ovulation in each, from ``--menses`` and readings.

Not fused with other analytes: a file has one. Each cycle starts from the person's earlier finished
cycles in the log, as far as these tell of the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from acrophase.fit_markers import FitMarker, dated
from acrophase.fits import Samples
from processors.markers.cycles import cycle_at, cycle_markers, found_in, log_at, starts_of
from processors.rhythm.menses import cycle_log
from processors.rhythm.ovulation import Ovulation
from processors.rhythm.samples import Bools, Floats
from schemas.analytes import Analyte
from schemas.errors import InputFileError


class CycleFit(BaseModel):
    """One person's cycles, as ``--json`` prints them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    subject: str = Field(description="Pseudonymous id of the person.")
    analyte: str = Field(description="Analyte slug of the catalogue.")
    unit: str = Field(description="UCUM unit of the values.")
    notes: tuple[str, ...] = Field(description="What was made of readings and of the menses.")
    markers: tuple[FitMarker, ...] = Field(
        description="'ovulation-day', of temperatures also 'temperature-shift', of each cycle with "
        "readings; `on` is the first day of its menses, which is cycle day 1."
    )


class CycleSamples(NamedTuple):
    """One cycle with its readings (n) and what they say."""

    on: date
    length: int | None
    """Days to the next menses; None: not over yet."""
    days: Floats
    """Since the local midnight of its first day: 13.5 is the noon of cycle day 14."""
    values: Floats
    below: Bools
    found: Ovulation | str
    """The posterior, or why there is none."""
    markers: tuple[FitMarker, ...]


def parse_menses(text: str) -> tuple[date, ...]:
    """The entries of ``--menses``. Raises InputFileError for one that is no date.

    >>> parse_menses("2024-03-01, 2024-03-29")[1]
    datetime.date(2024, 3, 29)
    """
    found = []
    for entry in text.split(","):
        try:
            found.append(date.fromisoformat(entry.strip()))
        except ValueError:
            raise InputFileError(
                f"'{entry.strip()}' is no date of a menses: give its first day, such as 2024-03-01."
            ) from None
    return tuple(found)


def cycles_of(
    file: Path,
    analyte: Analyte,
    samples: Samples,
    menses: Sequence[date],
    *,
    surges: Sequence[float] = (),
    ill: Sequence[tuple[float, float]] = (),
) -> tuple[tuple[CycleSamples, ...], tuple[str, ...]]:
    """The cycles with readings, and in sentences what was made of the log.

    `menses`: first days, in any order; `surges`, `ill`: when LH tests were positive, and begin and
    end of illnesses, local days since the midnight from which the samples' hours count. Raises
    InputFileError if no reading lies in a cycle.
    """
    told = [(day - samples.midnight).days for day in menses]
    starts, notes = starts_of(told), cycle_log(told).notes
    taken = samples.taken
    local_days = (taken.hours + taken.offset_h) / 24.0
    found = []
    for start in starts:
        log = log_at(starts, start)
        cycle = cycle_at(log, start)
        assert cycle is not None
        end = np.inf if cycle.length is None else start + cycle.length
        inside = (local_days >= start) & (local_days < end)
        if not inside.any():
            continue
        part, days = taken.part(inside), local_days[inside] - start
        in_cycle = [surge - start for surge in surges if start <= surge < end]
        of_cycle = found_in(
            cycle,
            log,
            {analyte.slug: (days.tolist(), part.values.tolist(), part.below.tolist())},
            today=max([float(days.max()), *in_cycle]),
            surges=in_cycle,
            ill=[(begin - start, over - start) for begin, over in ill],
        )
        on = samples.midnight + timedelta(days=start)
        markers = tuple(dated(each.marker, on) for each in cycle_markers(of_cycle, start))
        found.append(
            CycleSamples(
                on, cycle.length, days, part.values, part.below, of_cycle.ovulation, markers
            )
        )
    if not found:
        raise InputFileError(
            f"{file}: all readings were taken before {min(menses)}, the first of the menses "
            "(--menses)."
        )
    early = int((local_days < starts[0]).sum())
    if early:
        notes += (f"{early} readings before the first menses are in no cycle.",)
    return tuple(found), notes
