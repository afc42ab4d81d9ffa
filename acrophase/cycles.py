"""A recording over menstrual cycles: the day of ovulation in each, from ``--menses`` and readings.

Not fused with other analytes: a file has one. Each cycle starts from the person's earlier finished
cycles in the log, as far as these tell of the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from acrophase.fit_markers import FitMarker, dated
from acrophase.fits import Samples
from processors.rhythm.cycle_evidence import EvidenceKind, evidence
from processors.rhythm.menses import Cycle, cycle_log
from processors.rhythm.ovulation import Ovulation, PastCycle, habit, ovulation, ovulation_day
from processors.rhythm.samples import Bools, Floats
from processors.rhythm.temperature_shift import temperature_shift
from schemas.analytes import Analyte
from schemas.errors import InputFileError

# What the course of each is about ovulation is known.
KINDS: Mapping[str, EvidenceKind] = {
    "serum-lh": "serum-lh",
    "urine-lh": "urine-lh",
    "serum-progesterone": "serum-progesterone",
    "urine-pdg": "urine-pdg",
    "basal-temperature": "temperature",
}


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
    file: Path, analyte: Analyte, samples: Samples, menses: Sequence[date]
) -> tuple[tuple[CycleSamples, ...], tuple[str, ...]]:
    """The cycles with readings, and in sentences what was made of the log.

    `menses`: first days, in any order. Raises InputFileError if no reading lies in a cycle.
    """
    log = cycle_log([(day - samples.midnight).days for day in menses])
    local_days = (samples.taken.hours + samples.taken.offset_h) / 24.0
    found = []
    past: list[PastCycle] = []
    for cycle in log.cycles:
        end = np.inf if cycle.length is None else cycle.start + cycle.length
        inside = (local_days >= cycle.start) & (local_days < end)
        if inside.any():
            found.append(_cycle(analyte, samples, cycle, inside, past))
        if cycle.length is not None and not cycle.log_missing:
            past.append(PastCycle(float(cycle.length)))
    if not found:
        raise InputFileError(
            f"{file}: all readings were taken before {min(menses)}, the first of the menses "
            "(--menses)."
        )
    early = int((local_days < log.cycles[0].start).sum())
    notes = log.notes
    if early:
        notes += (f"{early} readings before the first menses are in no cycle.",)
    return tuple(found), notes


def _cycle(
    analyte: Analyte, samples: Samples, cycle: Cycle, inside: Bools, past: Sequence[PastCycle]
) -> CycleSamples:
    taken = samples.taken.part(inside)
    days = (taken.hours + taken.offset_h) / 24.0 - cycle.start
    on = samples.midnight + timedelta(days=cycle.start)
    kind = KINDS[analyte.slug]
    seen = evidence(kind, days, taken.values, below=taken.below)
    found: Ovulation | str
    if cycle.log_missing:
        found = f"The cycle of {cycle.length} days has probably lost a menses in between."
    else:
        length = None if cycle.length is None else float(cycle.length)
        found = ovulation([seen], today=float(days.max()), length=length, usual=habit(past))
    markers = [ovulation_day(found)]
    if kind == "temperature":
        markers.append(temperature_shift(found if isinstance(found, str) else seen))
    return CycleSamples(
        on,
        cycle.length,
        days,
        taken.values,
        taken.below,
        found,
        tuple(dated(marker, on) for marker in markers),
    )
