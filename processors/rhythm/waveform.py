"""The curve that harmonics draw: its rows, its highest and lowest point, and how sure they are.

    f(t) = M + sum over k of beta_k cos(k w t) + gamma_k sin(k w t),   w = 2 pi / period

`theta` is always (2 components + 1,): M, beta_1, gamma_1[, beta_2, gamma_2]; `covariance` is
theirs. Hours are hours of the period; a place is in [0, period).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Points of the period among which an extreme or a crossing is first looked for: two minutes of a
# day. Two harmonics have at most four of either, and none closer than that matters to anyone.
_GRID = 720


def design(hours: ArrayLike, *, period: float, components: int, derivative: int = 0) -> Floats:
    """Rows [1, cos wt, sin wt, cos 2wt, sin 2wt], or their derivatives by time.

    ``hours`` of shape S gives shape (*S, 2 components + 1); the unit of derivative d is 1/h^d.
    """
    omega = 2 * math.pi / period
    angle = np.remainder(np.asarray(hours, dtype=np.float64), period) * omega
    rows = np.empty((*angle.shape, 2 * components + 1))
    rows[..., 0] = 1.0 if derivative == 0 else 0.0
    for k in range(1, components + 1):
        # d/dt turns by a quarter and multiplies by k w.
        turned = k * angle + derivative * (math.pi / 2)
        size = (k * omega) ** derivative
        rows[..., 2 * k - 1] = size * np.cos(turned)
        rows[..., 2 * k] = size * np.sin(turned)
    return rows


def wrapped(hour: float, period: float) -> float:
    """The hour in [0, period); a tiny negative one would round up to the period itself."""
    inside = hour % period
    return inside if inside < period else 0.0


def maximum(theta: Floats, period: float) -> float:
    """Hour of a curve's highest point: the best of a grid, then Newton within its cell.

    >>> round(maximum(np.array([10.0, 0.0, 3.0]), 24.0), 6)
    6.0
    """
    components = theta.size // 2
    if components == 1:
        return wrapped(math.atan2(theta[2], theta[1]) * period / (2 * math.pi), period)
    cell = period / _GRID
    grid = np.arange(_GRID) * cell
    start = float(grid[np.argmax(design(grid, period=period, components=components) @ theta)])
    hour = start
    for _ in range(8):
        slope, bend = (
            float(design(hour, period=period, components=components, derivative=d) @ theta)
            for d in (1, 2)
        )
        if bend >= 0.0:
            break
        step = slope / bend
        hour = min(max(hour - step, start - cell), start + cell)
        if abs(step) < 1e-13 * period:
            break
    return wrapped(hour, period)


class Extreme(NamedTuple):
    """A curve's highest or lowest point."""

    hour: float
    value: float
    gradient: Floats | None
    """How the hour moves with theta (h per value unit); None for a top too flat to place."""

    def se(self, covariance: Floats) -> float | None:
        """Standard error of the hour by the delta method."""
        if self.gradient is None:
            return None
        return math.sqrt(max(float(self.gradient @ covariance @ self.gradient), 0.0))


def extreme(theta: Floats, covariance: Floats, period: float, sign: float) -> Extreme:
    """The maximum (sign 1) or minimum (sign -1) of a curve.

    The hour moves by -df'/f'' when theta changes. That sees the extreme's own top only; there is
    no gradient if, further than four of its standard errors away, the curve may well be as extreme
    again: over a flat top, or with two tops alike, the extreme wanders further than that.
    """
    components = theta.size // 2
    hour = maximum(sign * theta, period)
    here, slope, bend = (
        design(hour, period=period, components=components, derivative=d) for d in (0, 1, 2)
    )
    place = Extreme(hour, float(here @ theta), None)
    slope_sd = math.sqrt(max(float(slope @ covariance @ slope), 0.0))
    curvature = float(bend @ theta)
    if abs(curvature) * period / 8 <= slope_sd:
        return place
    if components > 1:
        se = slope_sd / abs(curvature)
        away = np.arange(4 * se, period - 4 * se, period / _GRID)
        rows = here - design(hour + away, period=period, components=components)
        spread = np.sqrt(np.einsum("ij,jk,ik->i", rows, covariance, rows).clip(0))
        # On a parabola the ratio is exactly 2 at four standard errors, and grows outwards.
        if (np.abs(rows @ theta) < 1.6 * spread).any():
            return place
    return place._replace(gradient=-slope / curvature)


class Above(NamedTuple):
    """How long a curve is above its mesor in each period."""

    hours: float
    gradient: Floats | None
    """How it moves with theta; None where the curve only grazes its mesor, or never crosses it."""


def hours_above_mesor(theta: Floats, covariance: Floats, period: float) -> Above:
    """Hours of the period in which f(t) > M.

    Each crossing moves by -df/f' when theta changes. That fails where a hump or hollow of the curve
    lies within 1.645 of its standard errors of the mesor: then the number of crossings itself is
    not known, and there is no gradient.

    >>> round(hours_above_mesor(np.array([0.0, 1, 0, 1, 0]), np.eye(5) * 1e-6, 24.0).hours, 6)
    8.0
    """
    components = theta.size // 2
    swing = theta.copy()
    swing[0] = 0.0
    cell = period / _GRID
    # Half a cell off the full hours, where tidy curves cross.
    grid = (np.arange(_GRID) + 0.5) * cell
    rows = design(grid, period=period, components=components)
    rows[:, 0] = 0.0
    level = rows @ swing
    sd = np.sqrt(np.einsum("ij,jk,ik->i", rows, covariance, rows).clip(0))
    rise = np.roll(level, -1) - level
    turns = rise * np.roll(rise, 1) <= 0
    grazes = bool((np.abs(level[turns]) <= 1.645 * sd[turns]).any())
    last = np.roll(level, -1)
    crossings = np.flatnonzero((level > 0) != (last > 0))
    if not crossings.size:
        return Above(period if level[0] > 0 else 0.0, None)
    hours = 0.0
    gradient = np.zeros_like(theta)
    for i in crossings.tolist():
        at = float(grid[i]) + cell * float(level[i] / (level[i] - last[i]))
        for _ in range(4):  # Newton from a chord of two minutes
            here, slope = (
                design(at, period=period, components=components, derivative=d) for d in (0, 1)
            )
            steepness = float(slope @ swing)
            if steepness == 0.0:
                grazes = True
                break
            at -= min(max(float(here @ swing) / steepness, -cell), cell)
        here[0] = 0.0
        direction = 1.0 if last[i] <= 0 else -1.0  # a fall ends the time above, a rise begins it
        hours += direction * at
        if steepness != 0.0:
            gradient -= direction * here / steepness
    # The fall may come before the rise within the period.
    return Above(wrapped(hours, period), None if grazes else gradient)
