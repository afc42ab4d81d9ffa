"""The period of somebody whose clock does not run at 24 hours (blind, free-running, on shifts).

Least squares of y = M + β cos(2πt/T) + γ sin(2πt/T) (and a second harmonic) for every period T of a
range: the Lomb-Scargle periodogram with a floating mean. t is time that never jumps, not clock
time: a free-running clock does not follow a change of it. The interval holds every period whose
squares are not larger than the least by more than chance allows, with the errors' correlation taken
into account. A period is given only if 24 hours is not among those of the 99 % interval: otherwise
the daily rhythm stands.

Sources: Lomb, Astrophys Space Sci 39 (1976) 447-462; Scargle, Astrophys J 263 (1982) 835-853;
Zechmeister & Kürster, Astron Astrophys 496 (2009) 577-584 (floating mean).
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtrc, fdtri

from processors.rhythm.marker import Marker, withheld
from processors.rhythm.samples import Floats

METHOD = "Lomb-Scargle with floating mean (Zechmeister & Kürster 2009), profile interval"
_NAME, _UNIT = "free-period", "h"

LOW_H, HIGH_H = 19.0, 29.0
_DAY = 24.0
_LEAST_DAYS = 5.0
_LEAST_SAMPLES = 20
_LEAST_HOURS = 4
_LONGEST_GAP_SHARE = 2 / 3
_MOST_HOURS = 1e8
_MOST_VALUE = 1e100
# The noise's chance of a peak anywhere in the range.
_ALPHA = 0.05
# Level of the interval that must leave 24 hours out.
_DAY_LEVEL = 0.99
# Frequencies in a resolution element of 1/span, and between the two about the best one.
_OVERSAMPLING, _FINE = 5, 41


class Periodogram(NamedTuple):
    """How well a rhythm of each period fits."""

    periods: Floats
    """(f) hours, from the shortest to the longest that is looked for."""
    shares: Floats
    """(f) of the samples' variance that the best curve of that period explains, 0 to 1."""


class FreePeriod(NamedTuple):
    """The period where the 24-hour model fails, and how well that does."""

    period: Marker
    day_fits: bool
    """Whether 24 hours fits as well as the best period."""
    best_h: float | None = None
    """Where the periodogram is highest; None where there is none."""


def free_period(
    hours: ArrayLike,
    values: ArrayLike,
    *,
    components: Literal[1, 2] = 1,
) -> FreePeriod:
    """The period of samples (n) in any order; `hours` since any instant (UTC), not clock hours.

    For concentrations pass logarithms. Raises ``ValueError`` for columns of two lengths.

    >>> t = np.arange(0.0, 24 * 14, 2.0)
    >>> noise = np.random.default_rng(1).normal(0, 1, t.size)
    >>> found = free_period(t, 3 * np.cos(2 * np.pi * t / 24.6) + noise)
    >>> found.period.status, round(found.period.value, 1), found.day_fits
    ('measured', 24.6, False)
    """
    t, y = _columns(hours, values)
    n = t.size
    trouble = _trouble(t, y)
    if trouble is not None:
        return FreePeriod(withheld(_NAME, _UNIT, n, trouble, METHOD), day_fits=False)

    t, y = _centred(t, y)
    p = 2 * components + 1
    span = float(t[-1] - t[0])
    frequencies = _frequencies(t)
    squares, theta = _squares(t, y, frequencies, components)
    at = int(squares.argmin())
    df = n - p - 1
    if 0 < at < squares.size - 1:
        near = np.linspace(frequencies[at - 1], frequencies[at + 1], _FINE)
        frequencies, squares, theta = _merged(
            (frequencies, squares, theta), (near, *_squares(t, y, near, components))
        )
        at = int(squares.argmin())
    best = float(1.0 / frequencies[at])
    least = max(float(squares[at]), n * (8 * np.finfo(np.float64).eps) ** 2)
    total = float(y @ y)
    residuals = y - _rows(t, frequencies[at : at + 1], components)[0] @ theta[at]
    inflation = _inflation(t, residuals, best)
    f = max(total - least, 0.0) / (p - 1) / (least / df) / inflation
    alone = max(float(fdtrc(p - 1, df, f)), 1e-300)
    # Of a peak anywhere in the range (Baluev, Mon Not R Astron Soc 385 (2008) 1279-1285).
    places = span * (1.0 / LOW_H - 1.0 / HIGH_H)
    chance = min(alone * (1.0 + components * places * math.sqrt(-math.log(alone))), 1.0)
    if chance > _ALPHA:
        sentence = (
            f"No period between {LOW_H:g} and {HIGH_H:g} hours stands out from the noise "
            f"(p = {chance:.2g})."
        )
        return FreePeriod(withheld(_NAME, _UNIT, n, sentence, METHOD), day_fits=False)

    def limit(level: float) -> float:
        return least * (1.0 + inflation * float(fdtri(1, df, level)) / df)

    # Nobody whose day is 24 hours should be told otherwise one time in ten.
    if float(_squares(t, y, np.array([1.0 / _DAY]), components)[0][0]) <= limit(_DAY_LEVEL):
        sentence = (
            f"A period of 24 hours fits as well as the best, {best:.2f} hours, so the daily rhythm "
            "stands."
        )
        return FreePeriod(withheld(_NAME, _UNIT, n, sentence, METHOD), day_fits=True, best_h=best)
    interval = _crossings(frequencies, squares, at, limit(0.9))
    if interval is None:
        sentence = (
            f"The period is not told within {LOW_H:g} to {HIGH_H:g} hours: more days are needed."
        )
        return FreePeriod(withheld(_NAME, _UNIT, n, sentence, METHOD), day_fits=False, best_h=best)
    low, high = interval
    sentence = (
        f"The period is {best:.2f} h (90 % interval {low:.2f} to {high:.2f}), and 24 hours does "
        "not fit."
    )
    marker = Marker(_NAME, "measured", _UNIT, n, sentence, METHOD, best, low, high)
    return FreePeriod(marker, day_fits=False, best_h=best)


def periodogram(
    hours: ArrayLike, values: ArrayLike, *, components: Literal[1, 2] = 1
) -> Periodogram | str:
    """The periodogram by which `free_period` judges, or in a sentence why there is none.

    Arguments and errors as there.

    >>> t = np.arange(0.0, 24 * 14, 2.0)
    >>> found = periodogram(t, np.cos(2 * np.pi * t / 25.0))
    >>> round(float(found.periods[found.shares.argmax()]))
    25
    """
    t, y = _columns(hours, values)
    trouble = _trouble(t, y)
    if trouble is not None:
        return trouble
    t, y = _centred(t, y)
    # Finer than it needs to be for the search: people look at it.
    frequencies = np.linspace(1.0 / LOW_H, 1.0 / HIGH_H, 4 * _frequencies(t).size)
    squares, _ = _squares(t, y, frequencies, components)
    return Periodogram(1.0 / frequencies, np.clip(1.0 - squares / float(y @ y), 0.0, 1.0))


def _columns(hours: ArrayLike, values: ArrayLike) -> tuple[Floats, Floats]:
    """Times and values in the order of the times."""
    t = np.asarray(hours, dtype=np.float64)
    y = np.asarray(values, dtype=np.float64)
    if t.ndim != 1 or t.shape != y.shape:
        raise ValueError(
            f"hours and values must be columns of one length, not {t.shape}, {y.shape}"
        )
    order = np.argsort(t, kind="stable")
    return t[order], y[order]


def _centred(t: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Times about their middle and values about their mean, the farthest of them 1."""
    y = y - float(y.mean())
    return t - (t[0] + t[-1]) / 2.0, y / float(np.abs(y).max())


def _frequencies(t: Floats) -> Floats:
    """Of the longest period to the shortest, so dense that no peak lies between two."""
    span = float(t[-1] - t[0])
    count = math.ceil(_OVERSAMPLING * span * (1.0 / LOW_H - 1.0 / HIGH_H)) + 2
    return np.linspace(1.0 / HIGH_H, 1.0 / LOW_H, max(count, 20))


def _trouble(t: Floats, y: Floats) -> str | None:
    n = t.size
    usable = (np.abs(t) <= _MOST_HOURS) & (np.abs(y) <= _MOST_VALUE)
    if not usable.all():
        return f"{int((~usable).sum())} of {n} samples have no usable time or value."
    if n < _LEAST_SAMPLES:
        return f"A period needs at least {_LEAST_SAMPLES} samples, and there are {n}."
    span = float(t[-1] - t[0])
    if span < _LEAST_DAYS * _DAY:
        return (
            f"The samples span {span / _DAY:.1f} days, and a period needs at least "
            f"{_LEAST_DAYS:.0f}."
        )
    clock = np.unique(np.floor(t % _DAY))
    gap = float(np.diff(clock, append=clock[0] + _DAY).max())
    if clock.size < _LEAST_HOURS or gap > _LONGEST_GAP_SHARE * _DAY:
        return (
            "The samples lie at too few hours of the day, where another period looks like this one."
        )
    if float(np.ptp(y)) <= 8 * np.finfo(np.float64).eps * float(np.abs(y).max()):
        return "All values are the same, so there is no period."
    if float(np.ptp(y)) < 1e-100:
        return "All values are nearly the same, so there is no period."
    return None


def _rows(t: Floats, frequencies: Floats, components: int) -> Floats:
    """(f, n, p): constant, cosines and sines."""
    angle = 2.0 * math.pi * frequencies[:, None] * t
    columns = [np.ones_like(angle)]
    for k in range(1, components + 1):
        columns += [np.cos(k * angle), np.sin(k * angle)]
    return np.stack(columns, axis=-1)


def _squares(t: Floats, y: Floats, frequencies: Floats, components: int) -> tuple[Floats, Floats]:
    """Sum of squared residuals (f) at each frequency, and the coefficients (f, p)."""
    squares, thetas = [], []
    # Blocks that stay in the cache.
    block = max(200_000 // max(t.size, 1), 1)
    for begin in range(0, frequencies.size, block):
        rows = _rows(t, frequencies[begin : begin + block], components)
        gram = rows.transpose(0, 2, 1) @ rows
        cross = rows.transpose(0, 2, 1) @ y
        # A trace of ridge, below rounding where the design is sound.
        gram += 1e-9 * t.size * np.eye(gram.shape[1])
        theta = np.linalg.solve(gram, cross[..., None])[..., 0]
        squares.append(((y - (rows @ theta[..., None])[..., 0]) ** 2).sum(axis=1))
        thetas.append(theta)
    return np.concatenate(squares), np.concatenate(thetas)


def _merged(
    one: tuple[Floats, Floats, Floats], two: tuple[Floats, Floats, Floats]
) -> tuple[Floats, Floats, Floats]:
    frequencies, first = np.unique(np.r_[one[0], two[0]], return_index=True)
    return frequencies, np.r_[one[1], two[1]][first], np.concatenate((one[2], two[2]))[first]


def _inflation(t: Floats, residuals: Floats, period: float) -> float:
    """By how much errors that follow each other widen the variance at a period.

    The spectrum of an AR(1) process over that of white noise: (1 - r²)/(1 - 2 r cos w + r²), r at
    the usual spacing of the samples, w the angle of that spacing.
    """
    steps = np.diff(t)
    usual = float(np.median(steps))
    near = steps <= 1.5 * usual
    variance = max(float(residuals @ residuals) / residuals.size, 1e-300)
    r = float((residuals[1:] * residuals[:-1])[near].mean()) / variance
    # Residuals of a fit correlate a little less than their errors.
    r = min(max(r + (1.0 + 3.0 * r) / near.sum(), 0.0), 0.95)
    angle = 2.0 * math.pi * usual / period
    return max(float((1.0 - r * r) / (1.0 - 2.0 * r * math.cos(angle) + r * r)), 1.0)


def _crossings(
    frequencies: Floats, squares: Floats, at: int, limit: float
) -> tuple[float, float] | None:
    """Periods about the best one at which the squares pass a limit; None beyond the range."""
    above = squares > limit
    left, right = np.flatnonzero(above[:at]), np.flatnonzero(above[at:])
    if not left.size or not right.size:
        return None
    low, high = int(left[-1]), at + int(right[0])

    def crossed(outer: int, inner: int) -> float:
        share = (limit - squares[inner]) / (squares[outer] - squares[inner])
        return float(frequencies[inner] + share * (frequencies[outer] - frequencies[inner]))

    return 1.0 / crossed(high, high - 1), 1.0 / crossed(low, low + 1)
