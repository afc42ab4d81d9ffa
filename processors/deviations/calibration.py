"""Scores measured on the person.

Real people wander: days share errors, residuals have heavy tails, and a score that is standard
normal for independent errors is not so for them. Each score is therefore divided by the root of
its own running second moment, kept per person, direction and recent window.
"""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from processors.rhythm.layout import CAL, CAL_DAYS, CAL_OUTLIER, CAL_OUTLIER_N, N_DIRECTIONS

Array = NDArray[np.float64]

# Design section 4 (measured on simulated and real people): the prior is worth 15 days, moments
# are forgotten over 75, and a score counts as 6 at most.
_PRIOR_DAYS = 15.0
_FORGET_PER_DAY = log(2.0) / 75.0
_CLIP = 6.0
# Single readings: the prior is worth 50 of them, and the last 500 or so count.
_PRIOR_READINGS = 50.0
_KEEP_READINGS = 500.0
# A person quieter than the model does not make the test hypersensitive.
_LEAST_SD = 0.8


@njit(cache=True, error_model="numpy")
def sustained_sd(row: Array, recent: int, d: int, prior_sd: float) -> float:
    """SD of the raw score of direction d and recent rate (1..3) for this person."""
    total = _PRIOR_DAYS * prior_sd * prior_sd + row[CAL + (recent - 1) * N_DIRECTIONS + d]
    return max(_LEAST_SD, sqrt(total / (_PRIOR_DAYS + row[CAL_DAYS])))


@njit(cache=True, error_model="numpy")
def learn_sustained(row: Array, z: Array, days: float) -> None:
    """Count the raw scores z (N_RECENT x N_DIRECTIONS) as holding for `days` days."""
    keep = exp(-_FORGET_PER_DAY * days)
    row[CAL_DAYS] = row[CAL_DAYS] * keep + days
    for r in range(z.shape[0]):
        for d in range(N_DIRECTIONS):
            clipped = min(_CLIP, abs(z[r, d]))
            i = CAL + r * N_DIRECTIONS + d
            row[i] = row[i] * keep + days * clipped * clipped


@njit(cache=True, error_model="numpy")
def outlier_sd(row: Array) -> float:
    """SD of a single reading's score for this person."""
    total = (_PRIOR_READINGS + row[CAL_OUTLIER]) / (_PRIOR_READINGS + row[CAL_OUTLIER_N])
    return max(1.0, sqrt(total))


@njit(cache=True, error_model="numpy")
def learn_outlier(row: Array, z: float) -> None:
    """Count one reading's raw score."""
    keep = 1.0 - 1.0 / _KEEP_READINGS
    clipped = min(_CLIP, abs(z))
    row[CAL_OUTLIER_N] = row[CAL_OUTLIER_N] * keep + 1.0
    row[CAL_OUTLIER] = row[CAL_OUTLIER] * keep + clipped * clipped
