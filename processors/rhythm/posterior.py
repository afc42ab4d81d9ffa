"""What a series' sums say: Bayesian linear regression with a normal-inverse-gamma prior.

    b | s2 ~ N(m0, s2 L0^-1),   s2 ~ InvGamma(a0, b0)
    A = S + L0,  m = A^-1 (s + L0 m0),  a = a0 + W/2,  b = b0 + (yy + m0'L0 m0 - m'A m)/2

with S, s, yy, W the exponentially forgotten sums (Bishop 2006, section 3.3; Murphy 2012, 7.6.3).
The prior keeps its strength while data are forgotten: with no data the person looks like the
population.
"""

from __future__ import annotations

from math import exp, sqrt

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.rhythm.layout import (
    N_MOMENTS,
    N_PARAMETERS,
    P_MEAN,
    P_PRECISION,
    P_SCALE,
    P_SHAPE,
    RATES,
    SUM_SIZE,
    SUMS,
    T_REF,
)
from processors.rhythm.moments import expand

Array = NDArray[np.float64]

_RATE = np.array(RATES)


@compiled
def cholesky(a: Array, lower: Array) -> None:
    """Lower Cholesky factor of the symmetric positive definite a (lower triangle is read)."""
    n = a.shape[0]
    for i in range(n):
        for j in range(i + 1):
            total = a[i, j]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i == j:
                lower[i, i] = sqrt(total)
            else:
                lower[i, j] = total / lower[j, j]


@compiled
def forward(lower: Array, b: Array, out: Array) -> None:
    """Solve L out = b."""
    for i in range(lower.shape[0]):
        total = b[i]
        for k in range(i):
            total -= lower[i, k] * out[k]
        out[i] = total / lower[i, i]


@compiled
def backward(lower: Array, b: Array, out: Array) -> None:
    """Solve L' out = b."""
    n = lower.shape[0]
    for i in range(n - 1, -1, -1):
        total = b[i]
        for k in range(i + 1, n):
            total -= lower[k, i] * out[k]
        out[i] = total / lower[i, i]


@compiled
def solve(
    row: Array, p: Array, rate: int, at: float, lower: Array, g: Array
) -> tuple[float, float, float]:
    """Posterior of the coefficients at time `at` (hours) from the sums of one rate.

    row: state; p: the analyte's parameters. Fills lower (5 x 5, Cholesky factor L of A) and
    g (5) = L^-1 (s + L0 m0), so that m = L'^-1 g. Returns (residual variance b/a, degrees of
    freedom 2a, effective number of readings W).
    """
    start = SUMS + rate * SUM_SIZE
    scale = exp(-_RATE[rate] * (at - row[T_REF]))
    a = np.empty((N_PARAMETERS, N_PARAMETERS))
    expand(row[start : start + N_MOMENTS], scale, a)
    rhs = np.empty(N_PARAMETERS)
    prior = 0.0
    for i in range(N_PARAMETERS):
        precision = p[P_PRECISION + i]
        mean = p[P_MEAN + i]
        a[i, i] += precision
        rhs[i] = scale * row[start + N_MOMENTS + i] + precision * mean
        prior += precision * mean * mean
    cholesky(a, lower)
    forward(lower, rhs, g)
    explained = 0.0
    for i in range(N_PARAMETERS):
        explained += g[i] * g[i]
    n = scale * row[start]
    shape = p[P_SHAPE] + 0.5 * n
    yy = scale * row[start + N_MOMENTS + N_PARAMETERS]
    b = p[P_SCALE] + 0.5 * max(0.0, yy + prior - explained)
    return b / shape, 2.0 * shape, n


@compiled
def predict(lower: Array, g: Array, variance: float, e: Array, x: Array) -> tuple[float, float]:
    """Mean and scale of the predictive Student t of one reading with harmonics e.

    x is work space (5).
    """
    forward(lower, e[:N_PARAMETERS], x)
    mean = 0.0
    leverage = 0.0
    for i in range(N_PARAMETERS):
        mean += x[i] * g[i]
        leverage += x[i] * x[i]
    return mean, sqrt(variance * (1.0 + leverage))
