"""Melatonin: dim-light melatonin onset (DLMO) by three methods, offset and midpoint of the night.

- fixed threshold, linear interpolation: 3 or 4 pg/mL in saliva, 10 pg/mL in plasma (Benloucif et
  al., J Clin Sleep Med 4 (2008) 66-69);
- threshold of one's own: mean + 2 SD of the first three low samples (Voultsios, Kennaway & Dawson,
  J Biol Rhythms 12 (1997) 457-466);
- the knee of a hockey stick (Danilenko et al. 2014; `hockey_stick`).

A single sample above the threshold is a blip and no onset. A dose of melatonin hides one's own: a
tablet gives many times any level of the night.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from processors.rhythm.crossing import Profile, drawn, interpolated
from processors.rhythm.hockey_stick import (
    LATER_WINS_H,
    HockeyStick,
    Rise,
    find_rise,
    fit,
    grid,
    knee_sd,
)
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.marker_text import CLOCK, clock, measured
from processors.rhythm.samples import Floats, Samples, log_sd

_THRESHOLD = "fixed threshold, linear interpolation (Benloucif et al. 2008)"
_BASELINE = "mean + 2 SD of three low samples, linear interpolation (Voultsios et al. 1997)"
_HOCKEY = "hockey stick (Danilenko et al. 2014)"

# 10 mg by mouth reach about 3500 pg/mL with a half-life of 45 minutes: eleven half-lives are
# 8.3 h to 1-2 pg/mL, and slow-release tablets take longer.
WASHOUT_H = 12.0
# Between samples further apart than this an onset is not placed at all.
_MOST_GAP_H = 3.0
_LEAST_SAMPLES = 4
_Z = 1.6448536269514722


class _Night(NamedTuple):
    """A profile that may carry an onset: its rise, and results below the limit halved."""

    samples: Samples
    values: Floats
    threshold: float
    rise: Rise


def dlmo_threshold(
    samples: Samples,
    threshold: float,
    *,
    cv_analytical: float,
    timing_sd_h: float = 0.0,
    doses: Sequence[float] = (),
) -> Marker:
    """DLMO by a fixed threshold, local clock hours.

    `threshold` in the samples' unit; `cv_analytical`: the assay's coefficient of variation;
    `timing_sd_h`: SD of the sampling times, if they are not exact; `doses`: when melatonin was
    taken, on the scale of `samples.hours`. Raises ``ValueError`` for a threshold that is not above
    0, or an error below 0.

    >>> from processors.rhythm.samples import samples
    >>> evening = samples([19, 20, 21, 22, 23], [0.8, 1.0, 5.0, 12.0, 18.0], "pg/mL")
    >>> dlmo_threshold(evening, 3.0, cv_analytical=0.1).sentence
    'The melatonin onset is 20:30 (90 % interval 20:28 to 20:53).'
    """
    sd = _errors(threshold, cv_analytical, timing_sd_h)
    night = _night(samples, threshold, doses)
    return _onset("dlmo-threshold", samples, night, _THRESHOLD, sd, timing_sd_h)


def dlmo_baseline(
    samples: Samples,
    threshold: float,
    *,
    cv_analytical: float,
    timing_sd_h: float = 0.0,
    doses: Sequence[float] = (),
) -> Marker:
    """DLMO by the person's own threshold, local clock hours.

    Low samples are those before the rise over the fixed `threshold`; the first three of them give
    mean and SD. The interval is for the time at which that threshold is crossed. Arguments and
    errors as `dlmo_threshold`.
    """
    name = "dlmo-baseline"
    sd = _errors(threshold, cv_analytical, timing_sd_h)
    night = _night(samples, threshold, doses)
    if isinstance(night, str):
        return withheld(name, CLOCK, samples.n, night, _BASELINE)
    low = np.arange(night.rise.first, night.rise.crossing)[:3]
    first = night.values[low]
    sentence = None
    if low.size < 3:
        sentence = f"The baseline needs three low samples before the rise; there are {low.size}."
    elif samples.below[low].any():
        sentence = "The baseline is below the assay's detection limit, so its spread is not known."
    elif float(np.ptp(first)) <= 1e-9 * float(first.max()):
        sentence = "The first three low samples are the same, so they have no spread to go by."
    if sentence is not None:
        return withheld(name, CLOCK, samples.n, sentence, _BASELINE)
    own = float(first.mean() + 2.0 * first.std(ddof=1))
    lead = f"The melatonin onset at a threshold of {own:.3g} {samples.unit} is"
    later = _night(samples, own, doses)
    return _onset(name, samples, later, _BASELINE, sd, timing_sd_h, lead)


def dlmo_hockey_stick(
    samples: Samples,
    threshold: float,
    *,
    cv_analytical: float,
    timing_sd_h: float = 0.0,
    doses: Sequence[float] = (),
) -> Marker:
    """DLMO as the knee between base and rise, local clock hours, to the minute.

    `threshold` tells the rise from the base; arguments and errors as `dlmo_threshold`. The
    interval is that of the fit's own errors: of the assay, of the times, and of the base's scatter.
    """
    name = "dlmo-hockey-stick"
    log_error = _errors(threshold, cv_analytical, timing_sd_h)
    stick = _stick(samples, threshold, doses)
    if isinstance(stick, str):
        return withheld(name, CLOCK, samples.n, stick, _HOCKEY)
    (_, values, _, rise), found = stick
    hours = samples.hours
    curve = found.curve(hours)
    in_base = (hours <= found.hour) & (np.arange(samples.n) >= rise.first)
    scatter = 0.0
    if int(in_base.sum()) > 2:
        rest = float(((values - curve)[in_base] ** 2).sum())
        scatter = rest / (int(in_base.sum()) - 2)
    # A result below the limit lies anywhere under it: the SD of an even spread.
    unseen = np.where(samples.below, samples.values**2 / 12.0, 0.0)
    sd = np.sqrt(scatter + (log_error * curve) ** 2 + unseen)
    levels = grid(hours, values, threshold, rise)[1]
    half = _Z * knee_sd(hours, found, threshold, rise, levels, sd, timing_sd_h)
    at = samples.wall_clock(found.hour)
    n = rise.last + 1 - rise.first
    lead = "The melatonin onset (knee of the hockey stick) is"
    return measured(name, CLOCK, n, at, (at - half, at + half), _HOCKEY, lead)


def stick_of(
    samples: Samples, threshold: float, *, doses: Sequence[float] = ()
) -> tuple[HockeyStick, float, float] | None:
    """The hockey stick that `dlmo_hockey_stick` fits, and the hours (first, last) of the samples
    that it goes through; ``None`` where there is none. Hours are those of `samples.hours`."""
    stick = _stick(samples, threshold, doses)
    if isinstance(stick, str):
        return None
    night, found = stick
    hours = samples.hours
    return found, float(hours[night.rise.first]), float(hours[night.rise.last])


def melatonin_offset(
    samples: Samples,
    threshold: float,
    *,
    cv_analytical: float,
    timing_sd_h: float = 0.0,
    doses: Sequence[float] = (),
) -> Marker:
    """When the level falls below the threshold at the end of the night, local clock hours.

    Arguments and errors as `dlmo_threshold`.
    """
    name = "melatonin-offset"
    sd = _errors(threshold, cv_analytical, timing_sd_h)
    night = _night(samples, threshold, doses)
    fall = night if isinstance(night, str) else _fall(night)
    if isinstance(fall, str):
        return withheld(name, CLOCK, samples.n, fall, _THRESHOLD)
    value = interpolated(fall, threshold)
    times = drawn(fall, threshold, sd, timing_sd_h)
    return _timed(name, samples, value, times, _THRESHOLD, "The melatonin offset is")


def melatonin_midpoint(
    samples: Samples,
    threshold: float,
    *,
    cv_analytical: float,
    timing_sd_h: float = 0.0,
    doses: Sequence[float] = (),
) -> Marker:
    """Middle between onset and offset at a fixed threshold, local clock hours.

    Arguments and errors as `dlmo_threshold`.
    """
    name = "melatonin-midpoint"
    sd = _errors(threshold, cv_analytical, timing_sd_h)
    night = _night(samples, threshold, doses)
    if isinstance(night, str):
        return withheld(name, CLOCK, samples.n, night, _THRESHOLD)
    climb, fall = _climb(night), _fall(night)
    if isinstance(fall, str):
        return withheld(name, CLOCK, samples.n, fall, _THRESHOLD)
    value = (interpolated(climb, threshold) + interpolated(fall, threshold)) / 2.0
    # The same draws in another order: onset and offset share no error.
    falling = np.roll(drawn(fall, threshold, sd, timing_sd_h), 101)
    times = (drawn(climb, threshold, sd, timing_sd_h) + falling) / 2.0
    return _timed(name, samples, value, times, _THRESHOLD, "The middle of the melatonin night is")


def _errors(threshold: float, cv_analytical: float, timing_sd_h: float) -> float:
    if not (math.isfinite(threshold) and threshold > 0.0):
        raise ValueError(f"a threshold is a level above 0, not {threshold}")
    if not (math.isfinite(timing_sd_h) and timing_sd_h >= 0.0):
        raise ValueError(f"the SD of sampling times is 0 or more hours, not {timing_sd_h}")
    return log_sd(cv_analytical)


def _night(samples: Samples, threshold: float, doses: Sequence[float]) -> _Night | str:
    """The profile's rise, or in a sentence why it carries no onset."""
    flaw = samples.flaw()
    if flaw is not None:
        return flaw
    if samples.n < _LEAST_SAMPLES:
        return f"An onset needs at least {_LEAST_SAMPLES} samples, and there are {samples.n}."
    first, last = float(samples.hours[0]), float(samples.hours[-1])
    for dose in doses:
        # A dose at no known time may have been taken at any.
        if not (dose < first - WASHOUT_H or dose > last):
            when = clock(samples.wall_clock(dose)) if math.isfinite(dose) else "an unknown time"
            return (
                f"Melatonin was taken at {when}, and a dose hides one's own melatonin for up to "
                f"{WASHOUT_H:.0f} hours."
            )
    if samples.below.all():
        return "All samples are below the assay's detection limit."
    limits = samples.values[samples.below]
    if limits.size and float(limits.max()) > threshold:
        return (
            f"The assay's detection limit of {limits.max():.3g} {samples.unit} is above the "
            f"threshold of {threshold:.3g} {samples.unit}."
        )
    values = np.where(samples.below, samples.values / 2.0, samples.values)
    rise = find_rise(samples.hours, values, threshold)
    if isinstance(rise, str):
        return rise
    gap = float(samples.hours[rise.crossing] - samples.hours[rise.crossing - 1])
    if gap > _MOST_GAP_H:
        return f"No sample was taken for {gap:.1f} hours about the onset."
    return _Night(samples, values, threshold, rise)


def _stick(
    samples: Samples, threshold: float, doses: Sequence[float]
) -> tuple[_Night, HockeyStick] | str:
    """The profile and its hockey stick, or in a sentence why there is none."""
    night = _night(samples, threshold, doses)
    if isinstance(night, str):
        return night
    if night.rise.last == night.rise.rise:
        return "Only one sample is on the steady part of the rise, which sets no slope."
    return night, fit(samples.hours, night.values, threshold, night.rise)


def _onset(
    name: str,
    samples: Samples,
    night: _Night | str,
    method: str,
    sd: float,
    timing_sd_h: float,
    lead: str = "The melatonin onset is",
) -> Marker:
    if isinstance(night, str):
        return withheld(name, CLOCK, samples.n, night, method)
    climb = _climb(night)
    value = interpolated(climb, night.threshold)
    times = drawn(climb, night.threshold, sd, timing_sd_h)
    return _timed(name, samples, value, times, method, lead)


def _timed(
    name: str, samples: Samples, value: float, times: Floats, method: str, lead: str
) -> Marker:
    """A crossing time with the middle 90 % of its draws."""
    low, high = np.quantile(times, (0.05, 0.95)).tolist()
    turn = samples.wall_clock(value) - value
    limits = min(low, value) + turn, max(high, value) + turn
    return measured(name, CLOCK, samples.n, value + turn, limits, method, lead)


def _climb(night: _Night) -> Profile:
    """The samples from the base to the end of the night's first stretch above the threshold."""
    rise, samples = night.rise, night.samples
    part = slice(rise.first, rise.end)
    peak = rise.crossing + int(night.values[rise.crossing : rise.end].argmax())
    return Profile(
        samples.hours[part], samples.values[part], samples.below[part], peak - rise.first
    )


def _fall(night: _Night) -> Profile | str:
    """The samples from the morning back to the night's peak, or why there are none."""
    samples, rise = night.samples, night.rise
    above = night.values >= night.threshold
    begin, end = rise.crossing, rise.end
    # A level that is back above the threshold within two hours has not fallen yet.
    while end < samples.n:
        back = end + int(above[end:].argmax())
        stop = back if above[end:].any() else samples.n
        if stop == samples.n or samples.hours[back] - samples.hours[end] > LATER_WINS_H:
            break
        falls = np.flatnonzero(~above[back:])
        begin, end = back, back + int(falls[0]) if falls.size else samples.n
    if end == samples.n:
        return "The level does not fall below the threshold while samples were taken."
    gap = float(samples.hours[end] - samples.hours[end - 1])
    if gap > _MOST_GAP_H:
        return f"No sample was taken for {gap:.1f} hours about the offset."
    backwards = slice(stop - 1, begin - 1 if begin else None, -1)
    peak = begin + int(night.values[begin:end].argmax())
    return Profile(
        samples.hours[backwards],
        samples.values[backwards],
        samples.below[backwards],
        stop - 1 - peak,
    )
