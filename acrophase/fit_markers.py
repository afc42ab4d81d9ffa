"""Which markers a recording gets, from which of its samples: what ``acrophase fit`` adds to curves.

Melatonin: an onset belongs to one night. A recording of up to 36 hours is one profile; a longer one
is cut at noon, and each night has its own markers.

Cortisol: slope and awakening response belong to one waking; ratio and late-night level are those
of all days. The intervals hold for the person, whose own days vary (the catalogue's within-person
variation), but for the awakening response, whose are those of that morning.

Steps and heart rate: means of clock hours, over all days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from processors.markers import weeks
from processors.markers.nights import DLMO_THRESHOLDS, night, nights
from processors.markers.wakings import (
    CORTISOL,
    HYDROCORTISONE,
    level_markers,
    wakes_of,
    waking_markers,
)
from processors.markers.weeks import ACTIVITY
from processors.rhythm.clock_bins import Bins, clock_bins
from processors.rhythm.marker import Marker
from processors.rhythm.own_day import Wake
from processors.rhythm.samples import Samples
from schemas.analytes import Analyte
from schemas.events import Dose, Event, Sleep

_ONE_PROFILE_H = 36.0

# Widths of an actogram's bars, hours.
_BARS_H = (1 / 6, 0.25, 0.5, 1.0)


class FitMarker(BaseModel):
    """A marker as ``--json`` prints it; see `processors.rhythm.marker.Marker`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(description="The marker's name, such as 'dlmo-threshold'.")
    on: date | None = Field(
        description="Local date on which its night or day begins; null: the whole recording."
    )
    status: Literal["measured", "withheld"] = Field(
        description="'withheld': the data do not carry it, and `sentence` says why."
    )
    value: float | None = Field(description="In `unit`; null if withheld.")
    unit: str = Field(description="UCUM, or 'clock_h': local clock hours, [0, 24).")
    low: float | None = Field(description="Lower limit of the 90 % interval, not wrapped.")
    high: float | None = Field(description="Upper limit of the 90 % interval, not wrapped.")
    n: int = Field(description="Readings used.")
    sentence: str = Field(description="The marker in words, or why there is none.")
    method: str = Field(description="The formula and its source.")


class Night(NamedTuple):
    """One melatonin profile."""

    on: date
    samples: Samples
    threshold: float
    """In the samples' unit."""
    doses: tuple[float, ...]
    """When melatonin was taken, on the scale of the samples' hours."""
    markers: tuple[FitMarker, ...]


class Told(NamedTuple):
    """What events tell of one person, on the scale of the samples' hours."""

    doses: tuple[float, ...]
    """When melatonin was taken, or of cortisol hydrocortisone."""
    wakes: tuple[Wake, ...]


def told_by(
    events: Sequence[Event], subject: str, analyte: Analyte, begin_ms: int, taken: Samples
) -> Told:
    """One person's doses and wakings; `begin_ms`: when `taken.hours` is 0, epoch."""
    substance = HYDROCORTISONE if analyte.slug in CORTISOL else "melatonin"
    own = [
        (event, (event.at.timestamp() * 1000 - begin_ms) / 3_600_000)
        for event in events
        if event.subject == subject
    ]
    doses = tuple(
        hour
        for event, hour in own
        if isinstance(event, Dose) and event.substance.lower() == substance
    )
    wakes = [
        Wake(hour, event.verified)
        for event, hour in own
        if isinstance(event, Sleep) and event.kind == "wake"
    ]
    return Told(doses, wakes_of(wakes, taken))


def melatonin_nights(
    analyte: Analyte, taken: Samples, midnight: date, doses: Sequence[float]
) -> tuple[Night, ...]:
    """The profiles of a recording with their markers; none of another analyte.

    `taken`: its samples in the analyte's unit, hours since the local midnight of the date
    `midnight`; `doses`: when melatonin was taken, on the scale of these hours.
    """
    if analyte.slug not in DLMO_THRESHOLDS:
        return ()
    local = taken.hours + taken.offset_h
    if float(np.ptp(local)) <= _ONE_PROFILE_H:
        found = [night(analyte, taken, int(local[0] // 24), doses)]
    else:
        found = nights(analyte, taken, doses)
    return tuple(
        Night(
            midnight + timedelta(days=one.day),
            one.samples,
            one.threshold,
            one.doses,
            tuple(dated(each.marker, midnight + timedelta(days=one.day)) for each in one.markers),
        )
        for one in found
    )


def cortisol_markers(
    analyte: Analyte,
    taken: Samples,
    midnight: date,
    wakes: Sequence[Wake],
    doses: Sequence[float] = (),
) -> tuple[FitMarker, ...]:
    """Slope, ratio, late-night level and, of saliva, the awakening response; none of another.

    `taken`, `midnight`: as `melatonin_nights`; `wakes`: when the person woke up, on the scale of
    its hours, ascending; `doses`: when hydrocortisone was taken.
    """
    if analyte.slug not in CORTISOL:
        return ()
    found = []
    for wake in wakes or (None,):
        on = None
        day = 0
        if wake is not None:
            day = int(taken.wall_clock(wake.hour) // 24)
            on = midnight + timedelta(days=day)
        found += [
            dated(each.marker, on) for each in waking_markers(analyte, taken, day, wake, doses)
        ]
    found += [dated(each.marker, None) for each in level_markers(analyte, taken, 0, doses)]
    return tuple(found)


def activity_markers(analyte: Analyte, taken: Samples) -> tuple[FitMarker, ...]:
    """Stability, variability, M10, L5 and relative amplitude of hourly means; none of another.

    `taken`: as `melatonin_nights`.
    """
    if analyte.slug not in ACTIVITY:
        return ()
    hourly = clock_bins(taken.hours, taken.values, offset_h=taken.offset_h)
    return tuple(dated(each.marker, None) for each in weeks.activity_markers(analyte, hourly, 0))


def activity_days(analyte: Analyte, taken: Samples) -> Bins | None:
    """The means that an actogram shows; ``None`` of another analyte, or of a single day.

    As fine as the samples: their usual spacing, from ten minutes to an hour.
    """
    if analyte.slug not in ACTIVITY or taken.n < 2:
        return None
    spacing = float(np.median(np.diff(taken.hours)))
    # Half a second more or less is no coarser bar.
    width = next((bar for bar in _BARS_H if spacing <= bar + 1.0 / 7200.0), _BARS_H[-1])
    bins = clock_bins(taken.hours, taken.values, offset_h=taken.offset_h, width_h=width)
    return bins if int(np.ptp(bins.day)) else None


def dated(marker: Marker, on: date | None) -> FitMarker:
    """A marker with the local date on which its night or day begins."""
    return FitMarker(
        name=marker.name,
        on=on,
        status=marker.status,
        value=marker.value,
        unit=marker.unit,
        low=marker.low,
        high=marker.high,
        n=marker.n,
        sentence=marker.sentence,
        method=marker.method,
    )
