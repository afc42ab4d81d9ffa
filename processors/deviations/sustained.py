"""The sustained test: has the recent rhythm left the person's baseline?

For one recent rate r beside the baseline b, with S = sum w x x', s = sum w x y,
A = S_b + L0 and the baseline's posterior mean m:

    u = s_r - S_r m,    M = S_r A^-1
    Var(u) = s2 (S2_rr - S2_rb M' - M S2_rb + M (S2_bb + L0) M')

where S2 are the same sums with products of weights. The variance is exact for independent
errors, though the recent readings are also part of the baseline. Against a direction v the score
is z = v'u / sqrt(v' Var(u) v). With p = A^-1 S_r v this is

    v'u = v's_r - (S_r v)'m,    v'Var(u)v = s2 (v'S2_rr v - 2 v'S2_rb p + p'(S2_bb + L0) p).

Directions are matched filters: level; amplitude (the baseline curve without its mesor); phase
(the baseline curve moved by -4, -2, +2, +4 hours, minus itself; a plain derivative would lose
half the power at 4 h). Everything is a function of the sums, so arrival order does not matter.
"""

from __future__ import annotations

from math import cos, exp, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.rhythm.layout import (
    N_DIRECTIONS,
    N_MOMENTS,
    N_PARAMETERS,
    N_RECENT,
    OMEGA,
    P_PRECISION,
    PAIRS,
    RATES,
    SUM_SIZE,
    SUMS,
    T_REF,
)
from processors.rhythm.moments import expand, mirror
from processors.rhythm.posterior import backward, forward
from processors.rhythm.sums import pair_rate

Array = NDArray[np.float64]

LEVEL, AMPLITUDE, EARLIER_4, EARLIER_2, LATER_2, LATER_4 = range(N_DIRECTIONS)
PHASE_STEPS_H = (0.0, 0.0, -4.0, -2.0, 2.0, 4.0)
_STEPS = np.array(PHASE_STEPS_H)
_RATE = np.array(RATES)


@compiled
def directions(m: Array, out: Array) -> None:
    """Fill out (N_DIRECTIONS x 5) with the matched filters of the baseline curve m (5)."""
    out[:] = 0.0
    out[LEVEL, 0] = 1.0
    for i in range(1, N_PARAMETERS):
        out[AMPLITUDE, i] = m[i]
    for d in range(EARLIER_4, N_DIRECTIONS):
        for k in (1, 2):
            # moving the curve later by h turns the coefficient pair by k w h
            c = cos(k * OMEGA * _STEPS[d])
            s = sin(k * OMEGA * _STEPS[d])
            b, g = m[2 * k - 1], m[2 * k]
            out[d, 2 * k - 1] = b * c - g * s - b
            out[d, 2 * k] = g * c + b * s - g


@compiled
def contrast(
    row: Array,
    p: Array,
    recent: int,
    at: float,
    lower: Array,
    m: Array,
    variance: float,
    filters: Array,
    projected: Array,
    covariance: Array,
) -> float:
    """Score every direction for one recent rate (1..3).

    row, p: state and parameters; at: hours; lower, m, variance: Cholesky factor of A, posterior
    mean and residual variance of the baseline at `at`; filters: from `directions`. Fills
    projected (N_DIRECTIONS) with v'u and covariance (N_DIRECTIONS x N_DIRECTIONS) with v'Var(u)w.
    Returns the effective number of recent readings.
    """
    dt = at - row[T_REF]
    start = SUMS + recent * SUM_SIZE
    scale = exp(-_RATE[recent] * dt)
    s_r = np.empty((N_PARAMETERS, N_PARAMETERS))
    rr = np.empty((N_PARAMETERS, N_PARAMETERS))
    rb = np.empty((N_PARAMETERS, N_PARAMETERS))
    bb = np.empty((N_PARAMETERS, N_PARAMETERS))
    expand(row[start : start + N_MOMENTS], scale, s_r)
    for pair, matrix in ((0, bb), (recent, rr), (N_RECENT + recent, rb)):
        first = PAIRS + pair * N_MOMENTS
        expand(row[first : first + N_MOMENTS], exp(-pair_rate(pair) * dt), matrix)
    for matrix in (s_r, rr, rb, bb):
        mirror(matrix)
    for i in range(N_PARAMETERS):
        bb[i, i] += p[P_PRECISION + i]
    u = np.empty(N_PARAMETERS)
    for i in range(N_PARAMETERS):
        u[i] = scale * row[start + N_MOMENTS + i]
        for j in range(N_PARAMETERS):
            u[i] -= s_r[i, j] * m[j]
    q = np.empty((N_DIRECTIONS, N_PARAMETERS))  # A^-1 S_r v
    work = np.empty(N_PARAMETERS)
    half = np.empty(N_PARAMETERS)
    for d in range(N_DIRECTIONS):
        for i in range(N_PARAMETERS):
            work[i] = 0.0
            for j in range(N_PARAMETERS):
                work[i] += s_r[i, j] * filters[d, j]
        forward(lower, work, half)
        backward(lower, half, q[d])
        projected[d] = 0.0
        for i in range(N_PARAMETERS):
            projected[d] += filters[d, i] * u[i]
    for a in range(N_DIRECTIONS):
        for b in range(a + 1):
            total = 0.0
            for i in range(N_PARAMETERS):
                for j in range(N_PARAMETERS):
                    total += (
                        filters[a, i] * rr[i, j] * filters[b, j]
                        - filters[a, i] * rb[i, j] * q[b, j]
                        - q[a, i] * rb[i, j] * filters[b, j]
                        + q[a, i] * bb[i, j] * q[b, j]
                    )
            covariance[a, b] = variance * total
            covariance[b, a] = covariance[a, b]
    return float(scale * row[start])


@compiled
def score(projected: Array, covariance: Array, d: int) -> float:
    """z of direction d; 0 where the direction carries no information."""
    v = covariance[d, d]
    return projected[d] / sqrt(v) if v > 0.0 else 0.0


@compiled
def conditional_score(projected: Array, covariance: Array, d: int, given: int) -> float:
    """z of direction d after direction `given` has explained what it can."""
    if covariance[given, given] <= 0.0:
        return score(projected, covariance, d)
    slope = covariance[d, given] / covariance[given, given]
    v = covariance[d, d] - slope * covariance[given, d]
    if v <= 1e-9 * covariance[d, d]:
        return 0.0
    return float((projected[d] - slope * projected[given]) / sqrt(v))
