"""Fold a reading into a series' sums; forget exponentially in event time.

The sums are all the state that the estimator has. They do not depend on the order in which
readings arrive: each enters with a weight that is a function of its own time.
"""

from __future__ import annotations

from math import exp

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.rhythm.layout import (
    N_MOMENTS,
    N_PAIRS,
    N_PARAMETERS,
    N_RATES,
    N_RECENT,
    PAIRS,
    RATES,
    SUM_SIZE,
    SUMS,
    T_REF,
)

Array = NDArray[np.float64]

_RATE = np.array(RATES)
# Weights grow from the reference time on; after this many hours it is moved, long before they
# lose precision (the fastest pair of rates has grown by 2^16).
_MOVE_AFTER_H = 192.0


@compiled
def move_reference(row: Array, to: float) -> None:
    """Make `to` (hours) the time that the row's sums are relative to."""
    dt = to - row[T_REF]
    row[T_REF] = to
    for k in range(N_RATES):
        scale = exp(-_RATE[k] * dt)
        start = SUMS + k * SUM_SIZE
        for i in range(start, start + SUM_SIZE):
            row[i] *= scale
    for p in range(N_PAIRS):
        scale = exp(-pair_rate(p) * dt)
        start = PAIRS + p * N_MOMENTS
        for i in range(start, start + N_MOMENTS):
            row[i] *= scale


@compiled
def pair_rate(p: int) -> float:
    """Rate of forgetting (1/h) of the p-th product of weights: bb, rr and rb of each recent."""
    if p == 0:
        return float(2.0 * _RATE[0])
    if p <= N_RECENT:
        return float(2.0 * _RATE[p])
    return float(_RATE[0] + _RATE[p - N_RECENT])


@compiled
def fold(row: Array, t: float, e: Array, y: float, extra_variance: float, weight: float) -> None:
    """Add one reading to the sums.

    t: collection time, hours; e: harmonics of its local clock hour (9); y: value on the model
    scale; extra_variance: variance of y itself (of a censored reading, else 0); weight: share of
    one unit, in (0, 1].

    Readings that share a unit of weight are taken to share their error, so a unit made of k
    readings has the variance of one: products of weights carry `weight` once, not squared.
    """
    if t - row[T_REF] > _MOVE_AFTER_H:
        move_reference(row, t)
    dt = t - row[T_REF]
    w0 = exp(_RATE[0] * dt)
    w1 = exp(_RATE[1] * dt)
    w2 = exp(_RATE[2] * dt)
    w3 = exp(_RATE[3] * dt)
    yy = y * y + extra_variance
    for k in range(N_RATES):
        w = weight * (w0 if k == 0 else w1 if k == 1 else w2 if k == 2 else w3)
        start = SUMS + k * SUM_SIZE
        for i in range(N_MOMENTS):
            row[start + i] += w * e[i]
        wy = w * y
        start += N_MOMENTS
        for i in range(N_PARAMETERS):
            row[start + i] += wy * e[i]
        row[start + N_PARAMETERS] += w * yy
    for p in range(N_PAIRS):
        if p == 0:
            w = w0 * w0
        elif p == 1:
            w = w1 * w1
        elif p == 2:
            w = w2 * w2
        elif p == 3:
            w = w3 * w3
        elif p == 4:
            w = w0 * w1
        elif p == 5:
            w = w0 * w2
        else:
            w = w0 * w3
        w *= weight
        start = PAIRS + p * N_MOMENTS
        for i in range(N_MOMENTS):
            row[start + i] += w * e[i]


def empty_row(at: float) -> Array:
    """A row that has seen nothing; its sums are relative to `at` (hours)."""
    from processors.rhythm.layout import HALF, LAST_DAY, ROW_SIZE

    row = np.zeros(ROW_SIZE)
    row[T_REF] = at
    row[HALF] = -1.0
    row[LAST_DAY] = -1.0
    return row
