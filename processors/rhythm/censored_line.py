"""A straight line through logarithms of which some are known only to be below a limit.

The errors' SD is known (assay and person). Without limits this is least squares; a limit adds the
probability of falling below it (Tobin, Econometrica 26 (1958) 24-36). The slope's interval is that
of its likelihood ratio, exact without limits.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtri, log_ndtr, stdtrit

from processors.rhythm.samples import Bools, Floats

_Z = 1.6448536269514722
# A scatter as large as only one in a thousand lines through such errors would show is another SD.
_SCATTER_P = 1e-3


def slope(x: Floats, y: Floats, below: Bools, sd: float) -> tuple[float, tuple[float, float], bool]:
    """Slope of y on x, its 90 % limits, and whether the scatter itself had to give the SD.

    x, y, below: (n), at least two of them not `below` and at different x; sd above 0.

    >>> x = np.array([0.0, 5.0, 10.0])
    >>> found, (low, high), _ = slope(x, 2.0 - 0.1 * x, np.zeros(3, bool), 0.2)
    >>> round(found, 6), round(high - found, 6)  # 1.645 * 0.2 / sqrt(50)
    (-0.1, 0.046523)
    """
    x = x - x[~below].mean()
    seen = int((~below).sum())
    centre, gradient = _solve(x, y, below, sd)
    quantile, scattered = _Z, False
    if seen > 2:
        scatter = float(((y - centre - gradient * x)[~below] ** 2).sum())
        if scatter > sd * sd * chdtri(seen - 2, _SCATTER_P):
            sd, scattered = math.sqrt(scatter / (seen - 2)), True
            quantile = float(stdtrit(seen - 2, 0.95))
            centre, gradient = _solve(x, y, below, sd)
    half = quantile * sd / math.sqrt(float((x[~below] ** 2).sum()))
    if not below.any():
        return gradient, (gradient - half, gradient + half), scattered
    best = _deviance(x, y, below, sd, centre, gradient)
    limits = []
    for sign in (-1.0, 1.0):
        inner, outer = 0.0, half
        start = centre
        while True:
            start = _level(x, y, below, sd, start, gradient + sign * outer)
            rise = _deviance(x, y, below, sd, start, gradient + sign * outer) - best
            if rise > quantile**2:
                break
            inner, outer = outer, 2.0 * outer
        for _ in range(30):
            middle = (inner + outer) / 2.0
            start = _level(x, y, below, sd, start, gradient + sign * middle)
            rise = _deviance(x, y, below, sd, start, gradient + sign * middle) - best
            inner, outer = (inner, middle) if rise > quantile**2 else (middle, outer)
        limits.append(gradient + sign * (inner + outer) / 2.0)
    return gradient, (limits[0], limits[1]), scattered


def _solve(x: Floats, y: Floats, below: Bools, sd: float) -> tuple[float, float]:
    """The likeliest level at x = 0 and slope."""
    rows = np.stack((np.ones_like(x), x))
    seen = ~below
    theta = np.linalg.lstsq(rows[:, seen].T, y[seen], rcond=None)[0]
    if not below.any():
        return float(theta[0]), float(theta[1])
    # The deviance is convex, and its steps are halved where they do not descend.
    at = _deviance(x, y, below, sd, *theta)
    for _ in range(50):
        first, second = _derivatives(x, y, below, sd, float(theta[0]), float(theta[1]))
        step = np.linalg.solve((rows * second) @ rows.T, rows @ first)
        for _ in range(30):
            there = _deviance(x, y, below, sd, *(theta - step))
            if there <= at:
                break
            step /= 2.0
        theta, at = theta - step, there
        if float(np.abs(step).max()) < 1e-10 * sd:
            break
    return float(theta[0]), float(theta[1])


def _level(x: Floats, y: Floats, below: Bools, sd: float, start: float, gradient: float) -> float:
    """The likeliest level at x = 0 for a given slope."""
    level = start
    at = _deviance(x, y, below, sd, level, gradient)
    for _ in range(50):
        first, second = _derivatives(x, y, below, sd, level, gradient)
        step = float(first.sum() / second.sum())
        for _ in range(30):
            there = _deviance(x, y, below, sd, level - step, gradient)
            if there <= at:
                break
            step /= 2.0
        level, at = level - step, there
        if abs(step) < 1e-10 * sd:
            break
    return level


def _deviance(
    x: Floats, y: Floats, below: Bools, sd: float, level: float, gradient: float
) -> float:
    """-2 log likelihood, but for a constant."""
    z = (y - level - gradient * x) / sd
    return float(np.where(below, -2.0 * log_ndtr(z), z * z).sum())


def _derivatives(
    x: Floats, y: Floats, below: Bools, sd: float, level: float, gradient: float
) -> tuple[Floats, Floats]:
    """First and second derivative of half the deviance by each sample's expectation."""
    z = (y - level - gradient * x) / sd
    hazard = np.exp(-0.5 * z * z - 0.5 * math.log(2.0 * math.pi) - log_ndtr(z))
    first = np.where(below, hazard, -z) / sd
    # Far below its limit a sample pulls no more; a trace of curvature keeps the step finite.
    second = np.where(below, np.maximum(hazard * (hazard + z), 1e-9), 1.0) / sd**2
    return first, second
