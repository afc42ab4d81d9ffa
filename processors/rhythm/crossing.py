"""When a sampled level crosses a threshold, by linear interpolation, and how sure that is.

The time itself is the field's: the straight line between the two samples about the threshold. Its
interval takes in what that leaves out:

- errors of the assay: every sample is drawn about its result, lognormal, and the crossing read
  again; a result below the detection limit lies anywhere between nothing and that limit;
- errors of the times, if any;
- the shape between two samples. Rises start gently and steepen, so the line comes early; a curve
  that stays low and then takes the steepest slope in sight comes as late as can be. The crossing
  lies evenly between the line's time and half as far again beyond that latest one, within its
  interval. With hourly samples this is most of the error: without it, 90 % intervals held 40 %
  (simulated hockey sticks, pulses and baseline cosines).

The draws are always the same ones, so that results repeat.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from processors.rhythm.samples import Bools, Floats

_DRAWS = 256
_SEED = 1997
_BEYOND = 1.5


class Profile(NamedTuple):
    """Samples (n) on the way from low to high; time may run backwards, for the way down."""

    hours: Floats
    values: Floats
    """The limit itself where `below`."""
    below: Bools
    peak: int
    """Index of the highest sample of the night; the crossing is the last one before it."""


def interpolated(profile: Profile, threshold: float) -> float:
    """When the line between the two samples about the threshold meets it.

    A result below the detection limit counts as half of it.

    >>> evening = np.array([19.0, 20.0, 21.0]), np.array([0.5, 1.0, 5.0]), np.zeros(3, bool)
    >>> interpolated(Profile(*evening, peak=2), 3.0)
    20.5
    """
    values = np.where(profile.below, profile.values / 2.0, profile.values)
    low = int(np.flatnonzero(values[: profile.peak] < threshold)[-1])
    share = (threshold - values[low]) / (values[low + 1] - values[low])
    return float(profile.hours[low] + share * (profile.hours[low + 1] - profile.hours[low]))


def drawn(profile: Profile, threshold: float, log_sd: float, timing_sd_h: float) -> Floats:
    """Crossing times (256) of profiles drawn about the samples.

    `log_sd`: of a result's logarithm; `timing_sd_h`: of a sampling time, hours.
    """
    n = profile.hours.size
    rng = np.random.default_rng(_SEED)
    errors = rng.standard_normal((_DRAWS, n))
    shape = rng.permutation((np.arange(_DRAWS) + 0.5) / _DRAWS) * _BEYOND
    late = timing_sd_h * rng.standard_normal((_DRAWS, n))
    levels = profile.values * np.where(profile.below, ndtr(errors), np.exp(log_sd * errors))
    forwards = 1.0 if profile.hours[-1] >= profile.hours[0] else -1.0
    times = forwards * np.maximum.accumulate(forwards * (profile.hours + late), axis=1)

    low = levels[:, : profile.peak] < threshold
    # Without a low sample the crossing was at the first or before it.
    at = np.where(low.any(axis=1), profile.peak - low[:, ::-1].argmax(axis=1), 1)
    row = np.arange(_DRAWS)
    after = np.minimum(at + 1, n - 1)
    bottom, top = levels[row, at - 1], np.maximum(levels[row, at], threshold)
    bottom = np.minimum(bottom, threshold)
    start, end = times[row, at - 1], times[row, at]
    step = np.abs(end - start)
    climb = np.maximum(top - bottom, 1e-12 * threshold)
    line = start + (end - start) * (threshold - bottom) / climb
    onward = np.abs(times[row, after] - end)
    steepest = np.maximum(
        climb / np.maximum(step, 1e-9),
        np.where(onward > 0.0, (levels[row, after] - top) / np.maximum(onward, 1e-9), 0.0),
    )
    latest = end - forwards * np.minimum((top - threshold) / steepest, step)
    crossing = line + shape * (latest - line)
    return np.asarray(np.where(forwards * (crossing - end) > 0.0, end, crossing))
