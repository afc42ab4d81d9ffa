"""Rest and activity without a curve: interdaily stability, intradaily variability, M10, L5 and
relative amplitude, of activity, heart rate or temperature.

With n stretches (hours) x of p a day, their mean m, and the mean m_h of each clock hour:

- interdaily stability IS = n Σ_h (m_h - m)² / (p Σ_i (x_i - m)²): 1 if every day is the same;
- intradaily variability IV = n Σ_i (x_i - x_(i-1))² / ((n - 1) Σ_i (x_i - m)²): near 0 for a slow
  wave, 2 for noise;
- M10 and L5: means of the ten highest and the five lowest hours in a row of the average day;
- relative amplitude RA = (M10 - L5) / (M10 + L5).

Stretches lie on the wearer's clock (`clock_bins`). Where some are missing, sums become means over
those that are there, and differences are taken only between neighbours in time.

IS has a bias that depends on the number of days D, by about (1 - IS)/D for independent days, and is
kept in its canonical form: values compare over the same number of days, and the interval is for
what such a number of days would show on average. It comes from leaving out each day in turn.

Sources: Witting, Kwa, Eikelenboom, Mirmiran & Swaab, Biol Psychiatry 27 (1990) 563-572 (IS, IV);
Van Someren, Swaab, Colenda, Cohen, McCall & Rosenquist, Chronobiol Int 16 (1999) 505-518 (all, RA);
Efron & Stein, Ann Stat 9 (1981) 586-596 (jackknife).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from processors.rhythm.clock_bins import Bins
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.marker_text import clock, measured
from processors.rhythm.samples import Floats

_METHODS = {
    "interdaily-stability": "n Σ_h (m_h - m)² / (p Σ (x - m)²) (Witting et al. 1990)",
    "intradaily-variability": "n Σ Δ² / ((n - 1) Σ (x - m)²) (Witting et al. 1990)",
    "m10": "ten highest hours in a row of the average day (Van Someren et al. 1999)",
    "l5": "five lowest hours in a row of the average day (Van Someren et al. 1999)",
    "relative-amplitude": "(M10 - L5)/(M10 + L5) (Van Someren et al. 1999)",
}
_LEADS = {
    "interdaily-stability": "The interdaily stability is",
    "intradaily-variability": "The intradaily variability is",
    "m10": "The mean of the ten highest hours is",
    "l5": "The mean of the five lowest hours is",
    "relative-amplitude": "The relative amplitude is",
}
_NAMES = tuple(_METHODS)

LEAST_DAYS = 5
# A day counts if so much of it was worn; a sleepless half would be a day of activity alone.
LEAST_OF_DAY = 2 / 3
_MOST_H, _LEAST_H = 10.0, 5.0


@dataclass(frozen=True, slots=True)
class RestActivity:
    """M10 and L5 in the values' unit, the others without one."""

    interdaily_stability: Marker
    intradaily_variability: Marker
    m10: Marker
    l5: Marker
    relative_amplitude: Marker


class _Days(NamedTuple):
    """Sums of each day (d), of each day and clock stretch (d, p)."""

    sums: Floats
    counts: Floats
    squares: Floats
    steps: Floats
    n_steps: Floats


def rest_activity(bins: Bins, unit: str) -> RestActivity:
    """The five markers of some days; `unit` of the values, UCUM.

    Days that were worn for less than two thirds do not count.

    >>> from processors.rhythm.clock_bins import clock_bins
    >>> hours = np.arange(0.0, 24 * 7)
    >>> awake = (hours % 24 >= 7) & (hours % 24 < 23)
    >>> found = rest_activity(clock_bins(hours, np.where(awake, 100.0, 0.0)), "1")
    >>> found.interdaily_stability.value, found.m10.value, found.l5.value
    (1.0, 100.0, 0.0)
    """
    n = int(bins.means.size)
    whole = _worn(bins)
    days = np.unique(whole.day)
    reason = None
    if bins.unusable:
        reason = f"{bins.unusable} readings have no usable time or value; leave absent values out."
    elif not n:
        reason = "There are no readings."
    elif days.size < LEAST_DAYS:
        reason = (
            f"At least {LEAST_DAYS} days with {LEAST_OF_DAY * 24:.0f} hours of readings are needed,"
            f" and there {'is' if days.size == 1 else 'are'} {days.size}."
        )
    elif np.bincount(whole.clock_bin, minlength=bins.per_day).min() < 2:
        reason = "Some hour of the clock was worn on fewer than two days."
    elif float(np.ptp(whole.means)) <= 1e-12 * float(np.abs(whole.means).max()):
        reason = "All values are the same, so there is no rhythm to describe."
    if reason is not None:
        return _all_withheld(unit, n, reason)

    days_sums = _sums(whole, days)
    everything = _statistics(days_sums, bins.per_day, np.ones((1, days.size)))[0]
    without = _statistics(days_sums, bins.per_day, 1.0 - np.eye(days.size))
    units = ("1", "1", unit, unit, "1")
    bounds = ((0.0, 1.0), (0.0, math.inf), *[(-math.inf, math.inf)] * 2, (-1.0, 1.0))
    profile, begins = _profile(days_sums)
    found = []
    for k, name in enumerate(_NAMES):
        value = float(everything[k])
        note = f", over {days.size} days"
        if name in ("m10", "l5"):
            note = f", from {clock(begins[k - 2] * bins.width_h)} on{note}"
        if name == "relative-amplitude" and float(profile.min()) < 0.0:
            sentence = "Some values are below 0, so a ratio of levels says nothing."
            found.append(withheld(name, "1", n, sentence, _METHODS[name]))
            continue
        limits = _limits(value, without[:, k], bounds[k])
        found.append(
            measured(
                name, units[k], whole.means.size, value, limits, _METHODS[name], _LEADS[name], note
            )
        )
    return RestActivity(*found)


def _worn(bins: Bins) -> Bins:
    """Without the days that were hardly worn."""
    if not bins.means.size:
        return bins
    first = int(bins.day.min())
    counts = np.bincount(bins.day - first)
    return bins.part(counts[bins.day - first] >= LEAST_OF_DAY * bins.per_day)


def _sums(bins: Bins, days: np.ndarray) -> _Days:
    """What the statistics need, day by day; squares about the mean, so that no digits are lost."""
    p, d = bins.per_day, days.size
    row = np.searchsorted(days, bins.day)
    at = row * p + bins.clock_bin
    centre = float(bins.means.mean())
    x = bins.means - centre
    width_ms = round(bins.width_h * 3_600_000)
    after = np.flatnonzero(np.diff(bins.start_ms) == width_ms) + 1
    steps = np.zeros(x.size)
    steps[after] = (x[after] - x[after - 1]) ** 2
    is_step = np.zeros(x.size)
    is_step[after] = 1.0
    sums = np.bincount(at, weights=x, minlength=d * p).reshape(d, p)
    counts = np.bincount(at, minlength=d * p).reshape(d, p).astype(np.float64)
    return _Days(
        sums + centre * counts,
        counts,
        np.asarray(np.bincount(row, weights=x * x, minlength=d), dtype=np.float64),
        np.asarray(np.bincount(row, weights=steps, minlength=d), dtype=np.float64),
        np.asarray(np.bincount(row, weights=is_step, minlength=d), dtype=np.float64),
    )


def _statistics(days: _Days, per_day: int, weights: Floats) -> Floats:
    """IS, IV, M10, L5, RA (w, 5) of days that each count as the rows of weights (w, d) say."""
    counts = np.einsum("wd,dp->wp", weights, days.counts)
    sums = np.einsum("wd,dp->wp", weights, days.sums)
    n = counts.sum(axis=1)
    centre = float(days.sums.sum() / days.counts.sum())
    mean = sums.sum(axis=1) / n
    profile = sums / counts
    # `squares` are about the mean of all days.
    spread = np.maximum(weights @ days.squares / n - (mean - centre) ** 2, 0.0)
    spread = np.where(spread > 0.0, spread, math.inf)
    stability = ((profile - mean[:, None]) ** 2).mean(axis=1) / spread
    n_steps = np.maximum(weights @ days.n_steps, 1.0)
    variability = (weights @ days.steps) / n_steps / spread
    most = _windows(profile, _MOST_H, per_day).max(axis=1)
    least = _windows(profile, _LEAST_H, per_day).min(axis=1)
    both = most + least
    ratio = np.divide(most - least, both, out=np.zeros_like(both), where=both > 0.0)
    return np.stack((np.minimum(stability, 1.0), variability, most, least, ratio), axis=1)


def _windows(profile: Floats, hours: float, per_day: int) -> Floats:
    """Means (w, p) of so many hours in a row from each stretch of profiles (w, p) on."""
    length = round(hours * per_day / 24.0)
    around = np.concatenate((profile, profile[:, : length - 1]), axis=1)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(around, length, axis=1).mean(axis=2))


def _profile(days: _Days) -> tuple[Floats, tuple[int, int]]:
    """The average day, and the stretches at which M10 and L5 begin."""
    profile = days.sums.sum(axis=0) / days.counts.sum(axis=0)
    most = _windows(profile[None], _MOST_H, profile.size)[0]
    least = _windows(profile[None], _LEAST_H, profile.size)[0]
    return profile, (int(most.argmax()), int(least.argmin()))


def _limits(value: float, without: Floats, bounds: tuple[float, float]) -> tuple[float, float]:
    """90 % limits from the values without each day (Student's t on one degree less than days)."""
    d = without.size
    variance = (d - 1) / d * float(((without - without.mean()) ** 2).sum())
    half = float(stdtrit(d - 1, 0.95)) * math.sqrt(variance)
    return max(value - half, bounds[0]), min(value + half, bounds[1])


def _all_withheld(unit: str, n: int, sentence: str) -> RestActivity:
    return RestActivity(
        *(
            withheld(name, unit if name in ("m10", "l5") else "1", n, sentence, _METHODS[name])
            for name in _NAMES
        )
    )
