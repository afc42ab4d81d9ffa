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

from acrophase.wakings import wakes_of
from processors.rhythm.awakening_response import awakening_response
from processors.rhythm.clock_bins import Bins, clock_bins
from processors.rhythm.cortisol import diurnal_slope, evening_morning_ratio, late_night_level
from processors.rhythm.marker import Marker
from processors.rhythm.melatonin import (
    dlmo_baseline,
    dlmo_hockey_stick,
    dlmo_threshold,
    melatonin_midpoint,
    melatonin_offset,
)
from processors.rhythm.own_day import Wake
from processors.rhythm.rest_activity import rest_activity
from processors.rhythm.samples import Samples
from schemas.analytes import Analyte
from schemas.events import Dose, Event, Sleep

# Fixed thresholds, pg/mL, the analytes' own unit. Of the two in use for saliva, 3 and 4, the one
# that also finds the onset of people with low levels (Benloucif et al., J Clin Sleep Med 4 (2008)
# 66-69).
DLMO_THRESHOLDS = {"saliva-melatonin": 3.0, "plasma-melatonin": 10.0}

_ONE_PROFILE_H = 36.0

# Wüst et al., Noise Health 2 (2000) 79-88: salivary cortisol that rises by 2.5 nmol/L.
_RESPONDER_NMOL_L = 2.5

ACTIVITY = ("steps", "heart-rate")
# Widths of an actogram's bars, hours.
_BARS_H = (1 / 6, 0.25, 0.5, 1.0)

CORTISOL = ("saliva-cortisol", "serum-cortisol")


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
    """When melatonin was taken."""
    wakes: tuple[Wake, ...]


def told_by(events: Sequence[Event], subject: str, begin_ms: int, taken: Samples) -> Told:
    """One person's doses of melatonin and wakings; `begin_ms`: when `taken.hours` is 0, epoch."""
    own = [
        (event, (event.at.timestamp() * 1000 - begin_ms) / 3_600_000)
        for event in events
        if event.subject == subject
    ]
    doses = tuple(
        hour
        for event, hour in own
        if isinstance(event, Dose) and event.substance.lower() == "melatonin"
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
    threshold = DLMO_THRESHOLDS.get(analyte.slug)
    if threshold is None:
        return ()
    local = taken.hours + taken.offset_h
    if float(np.ptp(local)) <= _ONE_PROFILE_H:
        night = np.full(taken.n, int(local[0] // 24))
    else:
        night = ((local - 12.0) // 24.0).astype(np.int64)
    nights = []
    for number in np.unique(night).tolist():
        part = taken.part(night == number)
        on = midnight + timedelta(days=number)
        found = (
            method(part, threshold, cv_analytical=analyte.cv_analytical, doses=doses)
            for method in (
                dlmo_threshold,
                dlmo_baseline,
                dlmo_hockey_stick,
                melatonin_offset,
                melatonin_midpoint,
            )
        )
        markers = tuple(dated(marker, on) for marker in found)
        nights.append(Night(on, part, threshold, tuple(doses), markers))
    return tuple(nights)


def cortisol_markers(
    analyte: Analyte, taken: Samples, midnight: date, wakes: Sequence[Wake]
) -> tuple[FitMarker, ...]:
    """Slope, ratio, late-night level and, of saliva, the awakening response; none of another.

    `taken`, `midnight`: as `melatonin_nights`; `wakes`: when the person woke up, on the scale of
    its hours, ascending.
    """
    if analyte.slug not in CORTISOL:
        return ()
    found = []
    for event in wakes or (None,):
        wake, on = None, None
        if event is not None:
            wake = event.hour
            on = midnight + timedelta(days=int(taken.wall_clock(wake) // 24))
        slope = diurnal_slope(
            taken, wake, cv_analytical=analyte.cv_analytical, cv_within=analyte.cv_within
        )
        found.append(dated(slope, on))
        if analyte.slug != "saliva-cortisol":
            continue
        response = awakening_response(
            taken,
            wake,
            wake_verified=event is not None and event.verified,
            responder_rise=_RESPONDER_NMOL_L * analyte.conversion("nmol/L").scale,
            cv_analytical=analyte.cv_analytical,
        )
        found += [
            dated(marker, on)
            for marker in (response.rise, response.aucg, response.auci, response.responder)
        ]
    for method in (evening_morning_ratio, late_night_level):
        marker = method(taken, cv_analytical=analyte.cv_analytical, cv_within=analyte.cv_within)
        found.append(dated(marker, None))
    return tuple(found)


def activity_markers(analyte: Analyte, taken: Samples) -> tuple[FitMarker, ...]:
    """Stability, variability, M10, L5 and relative amplitude of hourly means; none of another.

    `taken`: as `melatonin_nights`.
    """
    if analyte.slug not in ACTIVITY:
        return ()
    hourly = clock_bins(taken.hours, taken.values, offset_h=taken.offset_h)
    found = rest_activity(hourly, analyte.unit)
    return tuple(
        dated(marker, None)
        for marker in (
            found.interdaily_stability,
            found.intradaily_variability,
            found.m10,
            found.l5,
            found.relative_amplitude,
        )
    )


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
