"""Cortisol over the day: diurnal slope, evening-to-morning ratio, late-night level.

All are of logarithms: cortisol falls by a share, not by an amount, and its errors are shares. The
error of one result is that of the assay and, if the markers are to hold for the person and not for
this day alone, of the person's own days (`samples.log_sd`). The awakening response has a file of
its own.

Sources: Adam & Kumari, Psychoneuroendocrinology 34 (2009) 1423-1436 (slope without the awakening
response, ratio); Stalder et al., Psychoneuroendocrinology 63 (2016) 414-432 (its length). Clock
windows are those of reference intervals for saliva (Mayo Clinic Laboratories: 07-09 h
and 23-24 h).
"""

from __future__ import annotations

import math

import numpy as np

from processors.rhythm.censored_line import slope
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.marker_text import clock, measured
from processors.rhythm.samples import Bools, Samples, log_sd

_SLOPE = "regression of ln cortisol on hours since waking (Adam & Kumari 2009)"
_RATIO = "ratio of geometric means, evening to morning (Adam & Kumari 2009)"
_LATE = "geometric mean of late-night samples"

MORNING_H = (7.0, 9.0)
EVENING_H = (20.0, 24.0)
LATE_NIGHT_H = (23.0, 24.0)

# Hours after waking between which samples count for the slope: from the end of the awakening
# response to the end of the day.
_SLOPE_FROM_H, _SLOPE_TO_H = 1.5, 20.0
_LEAST_SLOPE_SAMPLES = 3
_LEAST_SLOPE_SPAN_H = 6.0

_Z = 1.6448536269514722


def diurnal_slope(
    samples: Samples, wake: float | None, *, cv_analytical: float, cv_within: float
) -> Marker:
    """Change of ln cortisol per hour over one day; -0.1 is a fall of 10 % an hour.

    `wake`: when the person woke up, on the scale of `samples.hours`; it may be reported, because
    it only says which samples belong to the awakening response (up to 90 minutes after it) and
    are left out. Samples below the detection limit count as such. Where the samples scatter more
    than the given errors allow, their own scatter gives the interval.
    Raises ``ValueError`` for a CV that is no number of 0 or more, and for two of 0.

    >>> from processors.rhythm.samples import samples
    >>> day = samples([7, 7.5, 9.5, 13, 17, 22], [12, 18, 8, 5, 3, 1.5], "nmol/L")
    >>> found = diurnal_slope(day, 7.0, cv_analytical=0.06, cv_within=0.2)
    >>> round(found.value, 3), found.n
    (-0.133, 4)
    """
    name, unit = "diurnal-slope", "1/h"
    sd = log_sd(cv_analytical, cv_within)
    if sd == 0.0:
        raise ValueError("results without any error have no interval")
    flaw = samples.flaw()
    if flaw is not None:
        return withheld(name, unit, samples.n, flaw, _SLOPE)
    if wake is None or not math.isfinite(wake):
        sentence = (
            "The time of waking is not known, so the awakening response cannot be left out of the "
            "slope."
        )
        return withheld(name, unit, samples.n, sentence, _SLOPE)
    since = samples.hours - wake
    chosen = (since >= _SLOPE_FROM_H) & (since <= _SLOPE_TO_H)
    day = samples.part(chosen)
    x = since[chosen]
    span = float(np.ptp(x)) if day.n else 0.0
    if day.n < _LEAST_SLOPE_SAMPLES or span < _LEAST_SLOPE_SPAN_H:
        sentence = (
            f"The slope needs at least {_LEAST_SLOPE_SAMPLES} samples over "
            f"{_LEAST_SLOPE_SPAN_H:.0f} hours, from 90 minutes after waking on; there are {day.n} "
            f"over {span:.1f} hours."
        )
        return withheld(name, unit, day.n, sentence, _SLOPE)
    if int((~day.below).sum()) < 2:
        sentence = (
            f"{int(day.below.sum())} of {day.n} samples are below the assay's detection limit, so "
            "there is no slope to see."
        )
        return withheld(name, unit, day.n, sentence, _SLOPE)
    value, limits, scattered = slope(x, np.log(day.values), day.below, sd)
    note = "; the samples scatter more than assay and person explain" if scattered else ""
    lead = "The change of cortisol's logarithm per hour is"
    return measured(name, unit, day.n, value, limits, _SLOPE, lead, note)


def evening_morning_ratio(
    samples: Samples,
    *,
    cv_analytical: float,
    cv_within: float,
    morning_h: tuple[float, float] = MORNING_H,
    evening_h: tuple[float, float] = EVENING_H,
) -> Marker:
    """Evening level over morning level, geometric means of the samples in two clock windows.

    The windows are local clock hours (from, to), and may run over midnight: people who work by
    night have their own. Raises ``ValueError`` for a CV that is no number of 0 or more.
    """
    name, unit = "evening-morning-ratio", "1"
    sd = log_sd(cv_analytical, cv_within)
    flaw = samples.flaw()
    if flaw is not None:
        return withheld(name, unit, samples.n, flaw, _RATIO)
    morning = samples.part(_within(samples, morning_h))
    evening = samples.part(_within(samples, evening_h))
    n = morning.n + evening.n
    for part, when, window in (
        (morning, "morning", morning_h),
        (evening, "evening", evening_h),
    ):
        if not part.n:
            sentence = f"There is no {when} sample, {_window(window)}."
            return withheld(name, unit, n, sentence, _RATIO)
        if part.below.any():
            article = "An" if when == "evening" else "A"
            sentence = (
                f"{article} {when} sample is below the assay's detection limit of "
                f"{part.values[part.below].max():.3g} {samples.unit}, so the ratio is not known."
            )
            if when == "evening" and part.below.all():
                most = part.values.max() / math.exp(float(np.log(morning.values).mean()))
                sentence = f"{sentence[:-1]}, only that it is below about {most:.2g}."
            return withheld(name, unit, n, sentence, _RATIO)
    ratio = math.exp(float(np.log(evening.values).mean() - np.log(morning.values).mean()))
    factor = math.exp(_Z * sd * math.sqrt(1.0 / evening.n + 1.0 / morning.n))
    lead = "The evening level over the morning level is"
    return measured(name, unit, n, ratio, (ratio / factor, ratio * factor), _RATIO, lead)


def late_night_level(
    samples: Samples,
    *,
    cv_analytical: float,
    cv_within: float,
    window_h: tuple[float, float] = LATE_NIGHT_H,
) -> Marker:
    """The level late at night, geometric mean of the samples in a clock window.

    As `evening_morning_ratio`.
    """
    name = "late-night-level"
    sd = log_sd(cv_analytical, cv_within)
    flaw = samples.flaw()
    if flaw is not None:
        return withheld(name, samples.unit, samples.n, flaw, _LATE)
    night = samples.part(_within(samples, window_h))
    if not night.n:
        sentence = f"There is no late-night sample, {_window(window_h)}."
        return withheld(name, samples.unit, 0, sentence, _LATE)
    if night.below.any():
        sentence = (
            f"{int(night.below.sum())} of {night.n} late-night samples are below the assay's "
            f"detection limit of {night.values[night.below].max():.3g} {samples.unit}."
        )
        return withheld(name, samples.unit, night.n, sentence, _LATE)
    level = math.exp(float(np.log(night.values).mean()))
    factor = math.exp(_Z * sd / math.sqrt(night.n))
    lead = "The late-night level is"
    limits = level / factor, level * factor
    return measured(name, samples.unit, night.n, level, limits, _LATE, lead)


def _within(samples: Samples, window: tuple[float, float]) -> Bools:
    """Which samples lie in a window of clock hours [from, to]."""
    begin, end = window
    after = (samples.clock_h - begin) % 24.0
    return np.asarray(after <= (end - begin) % 24.0 if end - begin < 24.0 else after >= 0.0)


def _window(window: tuple[float, float]) -> str:
    return f"{clock(window[0])} to {clock(window[1])} by the clock"
