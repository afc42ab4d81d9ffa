"""From coefficients to what people read: acrophase, amplitude, peak and trough with intervals.

Conventions: y = M + A cos(w(t - peak)), phase as peak clock time in hours. Intervals by the delta
method (Var A and Var phi as in Cornelissen 2014, doi:10.1186/1742-4682-11-16), 90 %, Student t;
those of peak and trough reach further where the curve is flat.
"""

from __future__ import annotations

from math import atan2, cos, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.rhythm.layout import N_PARAMETERS, OMEGA, PERIOD_H
from processors.rhythm.posterior import backward, forward

Array = NDArray[np.float64]

# Columns of a described curve (`describe`).
MESOR, MESOR_HALF = 0, 1  # model scale; half-width of the 90 % interval
AMPLITUDE, AMPLITUDE_HALF = 2, 3
ACROPHASE, ACROPHASE_HALF = 4, 5  # hours; NaN if the joint region contains zero
PEAK, PEAK_HALF, PEAK_VALUE = 6, 7, 8  # of the full curve
TROUGH, TROUGH_HALF, TROUGH_VALUE = 9, 10, 11
RESIDUAL_SD = 12
N_EFFECTIVE = 13
T90 = 14  # 95th percentile of the posterior's Student t
CURVE_SIZE = 15

_GRID = 48  # candidates for the full curve's extremes, one a half hour
_THETA = OMEGA * PERIOD_H / _GRID * np.arange(_GRID)
_C1, _S1 = np.cos(_THETA), np.sin(_THETA)
_C2, _S2 = np.cos(2 * _THETA), np.sin(2 * _THETA)


@compiled
def f_quantile_90(df: float) -> float:
    """90th percentile of F(2, df), exact: the F(2, df) distribution has a closed form.

    >>> round(f_quantile_90(10.0), 4)
    2.9245
    """
    return float(0.5 * df * (0.1 ** (-2.0 / df) - 1.0))


@compiled
def wrap_shift(hours: float) -> float:
    """A difference of clock times as the shortest way round, in (-12, 12]."""
    return 12.0 - (12.0 - hours) % PERIOD_H


@compiled
def extreme(m: Array, sign: float) -> float:
    """Clock hour [0, 24) of the maximum (sign 1) or minimum (sign -1) of the full curve."""
    y = np.empty(_GRID)
    for i in range(_GRID):
        y[i] = sign * (m[1] * _C1[i] + m[2] * _S1[i] + m[3] * _C2[i] + m[4] * _S2[i])
    best = -1e300
    at = 0.0
    for i in range(_GRID):
        # the higher of two humps may look lower on the grid
        if y[i] >= y[i - 1] and y[i] >= y[(i + 1) % _GRID]:
            hour = _climb(m, sign, _THETA[i]) / OMEGA
            height = sign * value_at(m, hour)
            if height > best:
                best = height
                at = hour
    return clock_hour(at)


@compiled
def clock_hour(hours: float) -> float:
    """Hours of any turn on the clock, [0, 24)."""
    hour = hours % PERIOD_H
    # of a hair less than midnight the remainder is rounded to a whole period
    return hour if hour < PERIOD_H else 0.0


@compiled
def _climb(m: Array, sign: float, theta: float) -> float:
    """Angle near theta where the slope changes its sign.

    Newton's step, or half of what is left where that would leave the cell of the grid (a flat top
    has next to no bend).
    """
    low = theta - OMEGA * PERIOD_H / _GRID
    high = theta + OMEGA * PERIOD_H / _GRID
    for _ in range(40):
        c1, s1, c2, s2 = cos(theta), sin(theta), cos(2 * theta), sin(2 * theta)
        slope = sign * (-m[1] * s1 + m[2] * c1 - 2 * m[3] * s2 + 2 * m[4] * c2)
        bend = sign * (-m[1] * c1 - m[2] * s1 - 4 * m[3] * c2 - 4 * m[4] * s2)
        if slope > 0.0:
            low = theta
        else:
            high = theta
        new = theta - slope / bend if bend < 0.0 else low
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - theta) < 1e-10:
            break
        theta = new
    return theta


@compiled
def value_at(m: Array, clock_hour: float) -> float:
    """The curve at a clock hour, model scale."""
    theta = OMEGA * clock_hour
    first = m[1] * cos(theta) + m[2] * sin(theta)
    return float(m[0] + first + m[3] * cos(2 * theta) + m[4] * sin(2 * theta))


@compiled
def _covariance(lower: Array, variance: float, out: Array) -> None:
    """Fill out (5 x 5) with the coefficients' covariance, variance * A^-1."""
    z = np.zeros((N_PARAMETERS, N_PARAMETERS))
    unit = np.zeros(N_PARAMETERS)
    for k in range(N_PARAMETERS):
        unit[:] = 0.0
        unit[k] = 1.0
        forward(lower, unit, z[k])
        for j in range(k + 1):
            total = 0.0
            for i in range(N_PARAMETERS):
                total += z[k, i] * z[j, i]
            out[k, j] = variance * total
            out[j, k] = out[k, j]


@compiled
def _variance_of(d: Array, covariance: Array) -> float:
    """Variance of d'b, d (4) being over the coefficients without the mesor."""
    total = 0.0
    for i in range(N_PARAMETERS - 1):
        for j in range(N_PARAMETERS - 1):
            total += d[i] * covariance[i + 1, j + 1] * d[j]
    return max(0.0, total)


@compiled
def _extreme_half(m: Array, covariance: Array, clock_hour: float, t90: float) -> float:
    """Half-width (h) of the interval of an extreme, at most 12 h.

    The delta method on x'(t)'m = 0 sees the extreme's own top only. Where the curve elsewhere is
    nearly as extreme, over a flat top or with two tops alike, the interval reaches as far: to
    every half hour that differs from the extreme by less than t90/2 standard errors, which on a
    parabola is the delta method's own half-width.
    """
    theta = OMEGA * clock_hour
    c1, s1, c2, s2 = cos(theta), sin(theta), cos(2 * theta), sin(2 * theta)
    bend = abs(-m[1] * c1 - m[2] * s1 - 4 * (m[3] * c2 + m[4] * s2))
    d = np.array((-s1, c1, -2 * s2, 2 * c2))
    half = 0.5 * PERIOD_H
    if bend > 0.0:
        half = min(half, t90 * sqrt(_variance_of(d, covariance)) / bend / OMEGA)
    for i in range(_GRID):
        d[0], d[1], d[2], d[3] = c1 - _C1[i], s1 - _S1[i], c2 - _C2[i], s2 - _S2[i]
        away = abs(wrap_shift(clock_hour - i * PERIOD_H / _GRID))
        if away > half:
            difference = abs(m[1] * d[0] + m[2] * d[1] + m[3] * d[2] + m[4] * d[3])
            if difference < 0.5 * t90 * sqrt(_variance_of(d, covariance)):
                half = away
    return float(half)


@compiled
def describe(
    lower: Array,
    g: Array,
    variance: float,
    df: float,
    n: float,
    t90: float,
    min_amplitude: float,
    m: Array,
    out: Array,
) -> None:
    """Describe the posterior's curve.

    lower, g, variance, df, n: from `posterior.solve`; t90: 95th percentile of Student's t with df;
    min_amplitude: amplitude below which no phase is given, model scale. Fills m (5, posterior
    mean) and out (CURVE_SIZE), model scale. There is no acrophase, peak or trough time (NaN) if
    the joint 90 % region of the first harmonic's two coefficients contains zero.
    """
    backward(lower, g, m)
    covariance = np.empty((N_PARAMETERS, N_PARAMETERS))
    _covariance(lower, variance, covariance)
    v_mm, v_bb, v_gg = covariance[0, 0], covariance[1, 1], covariance[2, 2]
    v_bg = covariance[2, 1]
    b, c = m[1], m[2]
    a2 = b * b + c * c
    amplitude = sqrt(a2)
    out[MESOR] = m[0]
    out[MESOR_HALF] = t90 * sqrt(v_mm)
    out[AMPLITUDE] = amplitude
    determinant = v_bb * v_gg - v_bg * v_bg
    if a2 > 0.0:
        var_a = (b * b * v_bb + 2 * b * c * v_bg + c * c * v_gg) / a2
        var_phi = (c * c * v_bb - 2 * b * c * v_bg + b * b * v_gg) / (a2 * a2)
    else:
        var_a = max(v_bb, v_gg)
        var_phi = 1e300
    out[AMPLITUDE_HALF] = t90 * sqrt(max(0.0, var_a))
    wald = (b * b * v_gg - 2 * b * c * v_bg + c * c * v_bb) / determinant
    rhythmic = wald > 2.0 * f_quantile_90(df) and amplitude > min_amplitude
    high = extreme(m, 1.0)
    low = extreme(m, -1.0)
    out[PEAK_VALUE] = value_at(m, high)
    out[TROUGH_VALUE] = value_at(m, low)
    if rhythmic:
        out[ACROPHASE] = clock_hour(atan2(c, b) / OMEGA)
        out[ACROPHASE_HALF] = min(0.5 * PERIOD_H, t90 * sqrt(max(0.0, var_phi)) / OMEGA)
        out[PEAK] = high
        out[PEAK_HALF] = _extreme_half(m, covariance, high, t90)
        out[TROUGH] = low
        out[TROUGH_HALF] = _extreme_half(m, covariance, low, t90)
    else:
        for i in (ACROPHASE, ACROPHASE_HALF, PEAK, PEAK_HALF, TROUGH, TROUGH_HALF):
            out[i] = np.nan
    out[RESIDUAL_SD] = sqrt(variance)
    out[N_EFFECTIVE] = n
    out[T90] = t90
