"""The daily rhythm of heart rate or temperature, adjusted for steps, and its phase day by day.

    y = M + A cos(w (t - acrophase)) + d steps + e,   w = 2π/24 h, e: AR(1)

Without the term for steps the rhythm of heart rate follows training and not the body clock. With
it the model is that of Bowman et al., Cell Rep Methods 1 (2021) 100058 (there fitted by 100,000
draws a day). It is solved by least squares, as Kim et al. 2023 approximate it, with the errors'
correlation in the intervals.

Rates and steps come as `clock_bins` of one width. Stretches without a step count are left out: no
count is not zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import fdtrc

from processors.rhythm.clock_bins import Bins
from processors.rhythm.correlated_line import CorrelatedLine, correlated_line
from processors.rhythm.cosinor_limits import (
    amplitude_support,
    delta_limits,
    joint_radius_squared,
)
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.marker_text import CLOCK, measured
from processors.rhythm.samples import Floats
from processors.rhythm.waveform import design, wrapped

_PERIOD = 24.0
_HOURS_PER_RADIAN = _PERIOD / (2.0 * math.pi)
# As `cosinor.ALPHA`: of the joint region that must not hold zero.
_ALPHA = 0.05
# Stretches of a day that must be there, so that a phase is read and not extrapolated.
_LEAST_OF_DAY = 2 / 3
_LEAST_STRETCHES = 12


@dataclass(frozen=True, slots=True)
class AdjustedRhythm:
    """The rhythm at rest. `per_step` is in the unit of the rates per unit of the steps."""

    mesor: Marker
    amplitude: Marker
    acrophase: Marker
    per_step: Marker


class DayPhase(NamedTuple):
    """The acrophase of one local day, counted from the epoch's."""

    day: int
    acrophase: Marker


def adjusted_rhythm(rates: Bins, steps: Bins | None, unit: str) -> AdjustedRhythm:
    """One rhythm over all days. `steps`: ``None`` for what does not follow steps.

    `unit`: of the rates, UCUM. Raises ``ValueError`` for two widths.
    """
    method = _method(steps)
    names = (("mesor", unit), ("amplitude", unit), ("acrophase", CLOCK), ("per-step", unit))
    found = _fit(rates, steps)
    if isinstance(found, str):
        return AdjustedRhythm(
            *(withheld(name, its, rates.means.size, found, method) for name, its in names)
        )
    line, n = found
    mesor = float(line.theta[0])
    se = math.sqrt(line.covariance[0, 0])
    at_rest = " at rest" if steps is not None else ""
    if steps is None:
        per_step = withheld("per-step", unit, n, "The rhythm is not adjusted for steps.", method)
    else:
        slope, slope_se = float(line.theta[3]), math.sqrt(line.covariance[3, 3])
        limits = delta_limits(slope, slope_se, line.df)
        per_step = measured("per-step", unit, n, slope, limits, method, "The rise for each step is")
    return AdjustedRhythm(
        measured(
            "mesor",
            unit,
            n,
            mesor,
            delta_limits(mesor, se, line.df),
            method,
            f"The mesor{at_rest} is",
        ),
        _amplitude(line, n, unit, method, at_rest),
        _acrophase(line, n, method, f"The acrophase{at_rest} is"),
        per_step,
    )


def daily_phases(rates: Bins, steps: Bins | None, unit: str) -> list[DayPhase]:
    """The acrophase of each local day that has any reading, each from that day alone.

    Arguments and errors as `adjusted_rhythm`.
    """
    result = []
    for day in np.unique(rates.day).tolist():
        of_day = rates.part(rates.day == day)
        phase = adjusted_rhythm(of_day, steps, unit).acrophase
        result.append(DayPhase(day, phase))
    return result


def _fit(rates: Bins, steps: Bins | None) -> tuple[CorrelatedLine, int] | str:
    """The regression and how many stretches it used, or in a sentence why there is none."""
    if steps is not None and steps.width_h != rates.width_h:
        raise ValueError(
            f"rates and steps have two widths, {rates.width_h} and {steps.width_h} hours"
        )
    unusable = rates.unusable + (steps.unusable if steps is not None else 0)
    if unusable:
        return f"{unusable} readings have no usable time or value; leave absent values out."
    start, clock_bin, y, hours = rates.start_ms, rates.clock_bin, rates.means, rates.clock_h
    if not y.size:
        return "There are no readings."
    if y.size < _LEAST_STRETCHES:
        return f"At least {_LEAST_STRETCHES} stretches with readings are needed, not {y.size}."
    counts = np.zeros(0)
    if steps is not None:
        _, mine, theirs = np.intersect1d(start, steps.start_ms, return_indices=True)
        if mine.size < y.size * _LEAST_OF_DAY:
            return (
                f"Steps are known for {mine.size} of {y.size} stretches, and without them the "
                "rhythm would follow movement and not the body clock."
            )
        start, clock_bin, y, hours = start[mine], clock_bin[mine], y[mine], hours[mine]
        counts = steps.means[theirs]
        if float(np.ptp(counts)) <= 1e-12 * float(np.abs(counts).max()):
            return "The step counts are all the same, so nothing can be adjusted by them."
    seen = np.unique(clock_bin)
    if seen.size < _LEAST_OF_DAY * rates.per_day:
        return (
            f"The readings cover {seen.size * rates.width_h:.3g} hours of the day, and a rhythm "
            f"needs {_LEAST_OF_DAY * 24:.0f}."
        )
    if float(np.ptp(y)) <= 1e-12 * float(np.abs(y).max()):
        return "All values are the same, so there is no rhythm to fit."
    rows = design(hours, period=_PERIOD, components=1)
    if steps is not None:
        rows = np.column_stack((rows, counts))
    line = correlated_line(rows, y, np.rint(start / (rates.width_h * 3_600_000)).astype(np.int64))
    if line is None:
        return "The step counts follow the clock so closely that rhythm and steps cannot be told."
    return line, y.size


def _amplitude(line: CorrelatedLine, n: int, unit: str, method: str, at_rest: str) -> Marker:
    harmonic, covariance = _harmonic(line)
    amplitude = math.hypot(*harmonic)
    lead = f"The amplitude{at_rest} is"
    if _rhythmic(line):
        along = harmonic / amplitude
        limits = delta_limits(
            amplitude, math.sqrt(float(along @ covariance @ along)), line.df, least=0.0
        )
        return measured("amplitude", unit, n, amplitude, limits, method, lead)
    limits = amplitude_support(harmonic, covariance, joint_radius_squared(line.df))
    note = ", and may be none at all" if limits.low == 0.0 else ""
    return measured("amplitude", unit, n, amplitude, limits, method, lead, note)


def _acrophase(line: CorrelatedLine, n: int, method: str, lead: str) -> Marker:
    if not _rhythmic(line):
        sentence = (
            "The joint 95 % confidence region of the 24-hour harmonic contains zero, so there is "
            "no acrophase to report."
        )
        return withheld("acrophase", CLOCK, n, sentence, method)
    harmonic, covariance = _harmonic(line)
    across = np.array([-harmonic[1], harmonic[0]]) / float(harmonic @ harmonic)
    se = math.sqrt(float(across @ covariance @ across)) * _HOURS_PER_RADIAN
    hour = wrapped(math.atan2(harmonic[1], harmonic[0]) * _HOURS_PER_RADIAN, _PERIOD)
    return measured("acrophase", CLOCK, n, hour, delta_limits(hour, se, line.df), method, lead)


def _rhythmic(line: CorrelatedLine) -> bool:
    """Whether the joint region of the harmonic's coefficients leaves zero out."""
    harmonic, covariance = _harmonic(line)
    f = float(harmonic @ np.linalg.solve(covariance, harmonic)) / 2.0
    return float(fdtrc(2, line.df, f)) < _ALPHA


def _harmonic(line: CorrelatedLine) -> tuple[Floats, Floats]:
    return line.theta[1:3], line.covariance[1:3, 1:3]


def _method(steps: Bins | None) -> str:
    adjusted = "adjusted for steps (Bowman et al. 2021)" if steps is not None else "not adjusted"
    return f"cosinor with correlated errors, {adjusted}"
