"""Activity, heart rate and temperature: the markers of the days up to a local date."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from processors.markers.dated import Dated
from processors.rhythm.adjusted_rhythm import adjusted_rhythm
from processors.rhythm.clock_bins import Bins
from processors.rhythm.free_period import free_period
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.marker_text import CLOCK
from processors.rhythm.rest_activity import rest_activity
from schemas.analytes import Analyte

ACTIVITY = ("steps", "heart-rate")
# Whose phase follows the body clock, once steps are taken out where they matter.
PHASES = ("heart-rate", "core-temperature", "wrist-temperature")

STEPS, HEART_RATE = "steps", "heart-rate"
WEEK_DAYS = 7
# A period is told from two weeks: an hour off 24 then adds up to half a turn.
PERIOD_DAYS = 14
# The 24-hour model has failed if phases run on by more than this (h a day), or if there is none.
_RUNS_ON_H = 0.2
_LEAST_PHASES = 5
_PERIOD = "Lomb-Scargle with floating mean, where phases run on"
_ADJUSTED = "y = M + A cos + d·steps + AR(1) error (Bowman et al. 2021; Kim et al. 2023)"


def activity_markers(analyte: Analyte, hourly: Bins, day: int) -> list[Dated]:
    """Stability, variability, M10, L5 and relative amplitude of hourly means."""
    found = rest_activity(hourly, analyte.unit)
    return [
        Dated(analyte.slug, day, marker)
        for marker in (
            found.interdaily_stability,
            found.intradaily_variability,
            found.m10,
            found.l5,
            found.relative_amplitude,
        )
    ]


def rhythm_markers(
    analyte: Analyte, hourly: Bins, steps: Bins | None, day: int, *, same_clock: bool
) -> list[Dated]:
    """The rhythm at rest of the days up to `day`, the phase of that day, and a free period.

    `hourly`: the last two weeks of hourly means; `steps`: the same of steps, of a heart rate.
    Mesor, amplitude and acrophase are those of the last week. The period is offered only where
    24 hours fail, and not of days in which the wearer's clock was set anew (not `same_clock`).
    """
    adjusts = analyte.slug == HEART_RATE
    week = hourly.part(hourly.day > day - WEEK_DAYS)
    if adjusts and (steps is None or not steps.means.size):
        sentence = "Without step counts a heart rate's rhythm follows training, not the body clock."
        return [
            Dated(analyte.slug, day, withheld(name, CLOCK, week.means.size, sentence, _ADJUSTED))
            for name in ("acrophase", "day-acrophase")
        ]
    found = adjusted_rhythm(week, steps, analyte.unit)
    days = range(day - WEEK_DAYS + 1, day + 1)
    phases = [_phase(week.part(week.day == each), steps, analyte.unit) for each in days]
    markers = [
        found.mesor,
        found.amplitude,
        found.acrophase,
        replace(phases[-1], name="day-acrophase"),
    ]
    if adjusts:
        markers.append(found.per_step)
    markers.append(_period(hourly, found.acrophase, phases, same_clock))
    return [Dated(analyte.slug, day, marker) for marker in markers]


def _period(hourly: Bins, week: Marker, phases: list[Marker], same_clock: bool) -> Marker:
    """Always said: what failed on fewer readings may hold on more."""
    n = hourly.means.size
    if not same_clock:
        sentence = (
            "The wearer's clock was set anew in these days, after which every body clock runs on "
            "for a while."
        )
    elif week.status == "measured" and not _run_on(phases):
        sentence = "A day of 24 hours describes these days, so no other period is looked for."
    else:
        return free_period(hourly.start_ms / 3_600_000, hourly.means).period
    return withheld("free-period", "h", n, sentence, _PERIOD)


def _phase(of_day: Bins, steps: Bins | None, unit: str) -> Marker:
    return adjusted_rhythm(of_day, steps, unit).acrophase


def _run_on(phases: list[Marker]) -> bool:
    """Whether the phases of successive days drift in one direction."""
    seen = [(k, phase.value) for k, phase in enumerate(phases) if phase.value is not None]
    if len(seen) < _LEAST_PHASES:
        return False
    days, hours = (np.array(column, dtype=np.float64) for column in zip(*seen, strict=True))
    # Turns are undone from one to the next: a day's drift is far below half a turn.
    unwrapped = np.unwrap(hours, period=24.0)
    slope = float(np.polyfit(days, unwrapped, 1)[0])
    return abs(slope) > _RUNS_ON_H
