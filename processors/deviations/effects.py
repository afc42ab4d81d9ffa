"""How large a change is: a ratio or hours, with its interval.

The test (`sustained`) says that something changed; its baseline has the change in it as soon as it
happens, and would tell too small a size. So a change is measured against the time before: the
baseline less the recent window. The weights of both at one time differ by nothing now and by more
the older a reading is, so the difference is again a weighting, and its sums, and those of products
of its weights, follow from those that are kept:

    q = b - r:   S_q = S_b - S_r,   S2_qq = S2_bb - 2 S2_rb + S2_rr,   S2_rq = S2_rb - S2_rr

The size is that of the one thing which is said to have changed, all else left as it was: the best
level, swing or shift of the curve before, by least squares over the recent window. For a direction
v of the curve that is v'u / v'S_r v, with the standard error that the score test has for v'u.
"""

from __future__ import annotations

from math import atan2, cos, exp, log, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.deviations.kinds import LEVEL, PHASE
from processors.deviations.sustained import contrast
from processors.rhythm.layout import (
    BASELINE,
    N_DIRECTIONS,
    N_MOMENTS,
    N_PARAMETERS,
    N_PARAMS,
    N_RECENT,
    OMEGA,
    P_LOG,
    P_MEAN,
    P_PRECISION,
    PAIRS,
    PERIOD_H,
    RATES,
    ROW_SIZE,
    SUM_SIZE,
    SUMS,
    T_REF,
)
from processors.rhythm.moments import expand, mirror
from processors.rhythm.posterior import backward, solve
from processors.rhythm.student import Z95
from processors.rhythm.sums import pair_rate

Array = NDArray[np.float64]

# Columns of an effect.
SIZE = 0  # signed, for the gate: ln ratio, or hours
EFFECT, EFFECT_LOW, EFFECT_HIGH = 1, 2, 3  # ratio or hours, 90 % interval
OBSERVED, EXPECTED = 4, 5  # analyte's unit (level), model scale (swing), clock hours (shift)
EFFECT_SIZE = 6

_RATE = np.array(RATES)
_GRID = 48  # shifts that are tried, one a half hour
_LEAST_RATIO = 1e-9
# The present is seen from the past with an SD of twice that between people.
_CHANGE_PRECISION = 0.25
_LEAST_AGREEMENT = 0.5


@compiled
def split_sums(row: Array, rate: int, at: float, out: Array) -> None:
    """Fill out (ROW_SIZE) with sums in which the baseline's are those before the recent window.

    They are relative to `at` (hours), and stand where `posterior` and `sustained` look for them.
    """
    dt = at - row[T_REF]
    out[:] = 0.0
    out[T_REF] = at
    base, recent = SUMS + BASELINE * SUM_SIZE, SUMS + rate * SUM_SIZE
    for i in range(SUM_SIZE):
        out[recent + i] = exp(-_RATE[rate] * dt) * row[recent + i]
        out[base + i] = exp(-_RATE[BASELINE] * dt) * row[base + i] - out[recent + i]
    bb, rr, rb = PAIRS, PAIRS + rate * N_MOMENTS, PAIRS + (N_RECENT + rate) * N_MOMENTS
    for i in range(N_MOMENTS):
        s_bb = exp(-pair_rate(0) * dt) * row[bb + i]
        s_rr = exp(-pair_rate(rate) * dt) * row[rr + i]
        s_rb = exp(-pair_rate(N_RECENT + rate) * dt) * row[rb + i]
        out[bb + i] = s_bb - 2.0 * s_rb + s_rr
        out[rr + i] = s_rr
        out[rb + i] = s_rb - s_rr


@compiled
def turned(m: Array, hours: float, derivative: int, out: Array) -> None:
    """Fill out (5) with the coefficients of the curve m moved later by `hours`.

    With derivative 1, with their change by the hour instead; the mesor is left out then.
    """
    out[0] = m[0] if derivative == 0 else 0.0
    for k in (1, 2):
        b, g = m[2 * k - 1], m[2 * k]
        c, s = cos(k * OMEGA * hours), sin(k * OMEGA * hours)
        if derivative == 0:
            out[2 * k - 1], out[2 * k] = b * c - g * s, g * c + b * s
        else:
            speed = k * OMEGA
            out[2 * k - 1], out[2 * k] = speed * (-b * s - g * c), speed * (-g * s + b * c)


@compiled
def misfit(m: Array, s_matrix: Array, s_vector: Array) -> float:
    """Weighted squares of recent readings about the curve m, but for what does not depend on it."""
    total = 0.0
    for i in range(N_PARAMETERS):
        total -= 2.0 * m[i] * s_vector[i]
        for j in range(N_PARAMETERS):
            total += m[i] * s_matrix[i, j] * m[j]
    return total


@compiled
def best_shift(m: Array, s_matrix: Array, s_vector: Array) -> float:
    """Hours (-12, 12] by which the curve m moved later fits the recent readings best."""
    step = PERIOD_H / _GRID
    fits = np.empty(_GRID)
    moved = np.empty(N_PARAMETERS)
    for i in range(_GRID):
        turned(m, i * step, 0, moved)
        fits[i] = misfit(moved, s_matrix, s_vector)
    at = np.argmin(fits)
    before, here, after = fits[at - 1], fits[at], fits[(at + 1) % _GRID]
    bend = before - 2.0 * here + after
    hours = at * step
    if bend > 0.0:
        hours += 0.5 * step * (before - after) / bend
    return float(12.0 - (12.0 - hours) % PERIOD_H)


@compiled
def unlike(split: Array, p: Array, kind: int, rate: int, at: float, m: Array, size: float) -> bool:
    """Whether the recent readings, free to take any curve, contradict a change of swing or shift.

    A curve that has moved looks flatter at the hours that are sampled, and a flatter one moved.
    split: from `split_sums`; m: coefficients of the curve before; size: signed, as in the gate.
    """
    seen_from = np.empty(N_PARAMS)
    seen_from[:] = p[:N_PARAMS]
    for i in range(N_PARAMETERS):
        seen_from[P_MEAN + i] = m[i]
        seen_from[P_PRECISION + i] *= _CHANGE_PRECISION
    lower = np.empty((N_PARAMETERS, N_PARAMETERS))
    g = np.empty(N_PARAMETERS)
    now = np.empty(N_PARAMETERS)
    solve(split, seen_from, rate, at, lower, g)
    backward(lower, g, now)
    if kind == PHASE:
        turn = atan2(now[2], now[1]) - atan2(m[2], m[1])
        free = 12.0 - (12.0 - turn / OMEGA) % PERIOD_H
    else:
        free = 0.5 * log((now[1] ** 2 + now[2] ** 2) / (m[1] ** 2 + m[2] ** 2))
    return bool(free * (1.0 if size > 0.0 else -1.0) < _LEAST_AGREEMENT * abs(size))


@compiled
def measure(
    row: Array, p: Array, kind: int, direction: int, rate: int, at: float, sd: float, out: Array
) -> None:
    """Fill out (EFFECT_SIZE) with the size of a change of this kind; NaN if it has none.

    row, p: state and parameters; direction: the test's (`sustained`); rate: the recent window;
    at: hours; sd: calibrated SD of that direction's score.
    """
    out[:] = np.nan
    split = np.empty(ROW_SIZE)
    split_sums(row, rate, at, split)
    lower = np.empty((N_PARAMETERS, N_PARAMETERS))
    g = np.empty(N_PARAMETERS)
    m = np.empty(N_PARAMETERS)
    variance, _, _ = solve(split, p, BASELINE, at, lower, g)
    backward(lower, g, m)
    s_matrix = np.empty((N_PARAMETERS, N_PARAMETERS))
    start = SUMS + rate * SUM_SIZE
    expand(split[start : start + N_MOMENTS], 1.0, s_matrix)
    mirror(s_matrix)
    s_vector = split[start + N_MOMENTS : start + N_MOMENTS + N_PARAMETERS]

    filters = np.zeros((N_DIRECTIONS, N_PARAMETERS))
    v = filters[direction]
    shift = 0.0
    if kind == LEVEL:
        v[0] = 1.0
    elif kind == PHASE:
        shift = best_shift(m, s_matrix, s_vector)
        turned(m, shift, 1, v)
    else:
        v[1:] = m[1:]
    projected = np.empty(N_DIRECTIONS)
    covariance = np.empty((N_DIRECTIONS, N_DIRECTIONS))
    contrast(split, p, rate, at, lower, m, variance, filters, projected, covariance)
    information = 0.0
    for i in range(N_PARAMETERS):
        for j in range(N_PARAMETERS):
            information += v[i] * s_matrix[i, j] * v[j]
    if information <= 0.0:
        return
    size = projected[direction] / information
    half = Z95 * sd * sqrt(max(0.0, covariance[direction, direction])) / information
    if kind == LEVEL:
        if p[P_LOG] > 0.0:
            out[EFFECT] = exp(size)
            out[EFFECT_LOW], out[EFFECT_HIGH] = exp(size - half), exp(size + half)
            out[OBSERVED], out[EXPECTED] = exp(m[0] + size), exp(m[0])
            out[SIZE] = size
        elif m[0] > 0.0:  # of a level below zero there is no ratio
            out[EFFECT] = (m[0] + size) / m[0]
            out[EFFECT_LOW] = (m[0] + size - half) / m[0]
            out[EFFECT_HIGH] = (m[0] + size + half) / m[0]
            out[OBSERVED], out[EXPECTED] = m[0] + size, m[0]
            out[SIZE] = log(max(_LEAST_RATIO, out[EFFECT]))
    elif kind == PHASE:
        expected = (atan2(m[2], m[1]) / OMEGA) % PERIOD_H
        out[SIZE], out[EFFECT] = shift, shift
        out[EFFECT_LOW], out[EFFECT_HIGH] = shift - half, shift + half
        out[OBSERVED], out[EXPECTED] = (expected + shift) % PERIOD_H, expected
    else:
        amplitude = sqrt(m[1] * m[1] + m[2] * m[2])
        out[EFFECT] = max(0.0, 1.0 + size)
        out[EFFECT_LOW], out[EFFECT_HIGH] = max(0.0, 1.0 + size - half), max(0.0, 1.0 + size + half)
        out[OBSERVED], out[EXPECTED] = amplitude * out[EFFECT], amplitude
        out[SIZE] = log(max(_LEAST_RATIO, out[EFFECT]))
    if kind != LEVEL and unlike(split, p, kind, rate, at, m, out[SIZE]):
        out[SIZE] = np.nan
