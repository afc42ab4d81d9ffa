"""Confidence limits of an amplitude and an acrophase from the two coefficients of a harmonic.

Two ways, for an estimate (beta, gamma) with covariance V:

- **Delta method**: A ± q se(A), and the acrophase likewise, each on its own (Cornelissen 2014,
  doi:10.1186/1742-4682-11-16). q is the quantile of Student's t.
- **Joint ellipse**: the region (theta - estimate)' V^-1 (theta - estimate) <= r², with
  r² = 2 F(2, df), holds both coefficients together (Nelson, Tong, Lee & Halberg, Chronobiologia 6
  (1979) 305-323). Its limits are the shortest and the longest distance from the origin and the two
  tangents from the origin: exact, no linearisation. They hold for amplitude and acrophase at
  once, and so are wider than each needs alone. If the region contains the origin there is no
  acrophase.

The tangents with r² = t² are Fieller's limits, which the population-mean cosinor uses.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from processors.rhythm.waveform import Floats, maximum

LEVEL = 0.9


class Interval(NamedTuple):
    """Low and high limit; of an angle unwrapped, so that low <= estimate <= high."""

    low: float
    high: float


def joint_radius_squared(df: float, level: float = LEVEL) -> float:
    """r² = 2 F(2, df) of the joint region; F(2, df) has a closed quantile.

    >>> round(joint_radius_squared(10.0) / 2, 4)
    2.9245
    """
    return float(df * ((1 - level) ** (-2.0 / df) - 1.0))


def delta_limits(
    estimate: float, se: float, df: float, level: float = LEVEL, *, least: float = -math.inf
) -> Interval:
    """estimate ± t(df) se, not below `least`.

    >>> low, high = delta_limits(10.0, 1.0, 10.0)
    >>> round(low, 3), round(high, 3)
    (8.188, 11.812)
    """
    half = float(stdtrit(df, 0.5 + level / 2)) * se
    return Interval(max(estimate - half, least), estimate + half)


def amplitude_support(harmonic: Floats, covariance: Floats, radius_squared: float) -> Interval:
    """Shortest and longest distance from the origin to the ellipse; 0 if it contains the origin.

    harmonic (2,), covariance (2, 2). On the ellipse's edge the squared distance is a curve of two
    harmonics of the edge's own angle, and its extremes are found as those of a rhythm.

    >>> low, high = amplitude_support(np.array([3.0, 4.0]), np.eye(2), 1.0)
    >>> round(low, 9), round(high, 9)
    (4.0, 6.0)
    """
    size, harmonic, covariance = _of_size_one(harmonic, covariance)
    axes, turn = np.linalg.eigh(covariance)
    a, b = np.sqrt(axes.clip(0.0) * radius_squared).tolist()
    u, v = (turn.T @ harmonic).tolist()
    # |(u + a cos p, v + b sin p)|² = a constant and two harmonics of p
    squared = np.array(
        [u * u + v * v + (a * a + b * b) / 2, 2 * u * a, 2 * v * b, (a * a - b * b) / 2, 0.0]
    )

    def distance(angle: float) -> float:
        return size * math.hypot(u + a * math.cos(angle), v + b * math.sin(angle))

    whole = 2 * math.pi
    # The estimate itself is in the region, whatever the rounding.
    centre = size * math.hypot(u, v)
    high = max(distance(maximum(squared, whole)), centre)
    if acrophase_support(harmonic, covariance, radius_squared) is None:
        return Interval(0.0, high)
    return Interval(min(distance(maximum(-squared, whole)), centre), high)


def acrophase_support(
    harmonic: Floats, covariance: Floats, radius_squared: float
) -> Interval | None:
    """Angles (rad) from the estimate's direction to the ellipse's two tangents, low <= 0 <= high.

    ``None`` if the ellipse contains the origin. Positive is later. The form is that of Bingham,
    Arbogast, Cornelissen Guillaume, Lee & Halberg, Chronobiologia 9 (1982) 397-439, with
    c22, c23, c33 the covariance along, between and across the estimate's direction; their phi
    counts the other way round, hence the other sign of c23.

    >>> low, high = acrophase_support(np.array([2.0, 0.0]), np.eye(2), 1.0)
    >>> round(math.degrees(low), 6), round(math.degrees(high), 6)
    (-30.0, 30.0)
    """
    _, harmonic, covariance = _of_size_one(harmonic, covariance)
    amplitude = math.hypot(*harmonic)
    if amplitude == 0.0:
        return None
    c22, c23, c33 = along_across(harmonic, covariance)
    if c33 == 0.0:
        return Interval(0.0, 0.0)
    outside = amplitude**2 - (c22 * c33 - c23**2) * radius_squared / c33
    if outside <= 0.0:
        return None
    denominator = amplitude**2 - c22 * radius_squared
    root = math.sqrt(radius_squared * c33 * outside)
    # The two numerators multiply to -r² c33 times the denominator, so each tangent has two forms.
    # The one that does not subtract like from like also serves beyond a right angle.
    across = radius_squared * c33
    if c23 <= 0.0:
        numerator = root - radius_squared * c23
        return Interval(math.atan2(-across, numerator), math.atan2(numerator, denominator))
    numerator = -radius_squared * c23 - root
    return Interval(math.atan2(numerator, denominator), math.atan2(across, -numerator))


def along_across(harmonic: Floats, covariance: Floats) -> tuple[float, float, float]:
    """(c22, c23, c33): variance along (beta, gamma), covariance, and variance across it."""
    along = harmonic / math.hypot(*harmonic)
    across = np.array([-along[1], along[0]])
    return (
        float(along @ covariance @ along),
        float(along @ covariance @ across),
        float(across @ covariance @ across),
    )


def _of_size_one(harmonic: Floats, covariance: Floats) -> tuple[float, Floats, Floats]:
    """The unit that makes estimate and error of order one, and both in it: no product overflows."""
    size = max(math.hypot(*harmonic), math.sqrt(max(np.diag(covariance))), 1e-300)
    return size, harmonic / size, covariance / size / size
