"""Scores and percentiles measured on the person.

Real people wander: days share errors, residuals have heavy tails, and a score that is standard
normal for independent errors is not so for them. Each score is therefore divided by the root of
its own running second moment, kept per person, direction and recent window.

Nor are single readings normal about the curve: a heart that rests most of the time and races now
and then has a narrow middle and a long upper tail. The percentiles that people are shown are
therefore learnt as well, each as the score below which its share of the person's readings fell.
"""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.rhythm.layout import (
    CAL,
    CAL_DAYS,
    CAL_OUTLIER,
    CAL_OUTLIER_N,
    N_DIRECTIONS,
    N_QUANTILES,
    QUANTILE_N,
    QUANTILES,
)
from processors.rhythm.student import Z75, Z95

Array = NDArray[np.float64]

# The prior is worth 15 days and moments are forgotten over 75. A score counts as twice its
# present SD at most, or the change that is to be found would hide itself within days: with the
# clip at 6 that the prototype used, a cortisol rhythm flattened to a fifth doubled its own SD in
# a week and was never found. A clipped standard normal score has the mean square 0.92.
_PRIOR_DAYS = 15.0
_FORGET_PER_DAY = log(2.0) / 75.0
_CLIP_SD = 2.0
_CLIPPED_MEAN_SQUARE = 0.9206
# Single readings: the prior is worth 50 of them, and the last 500 or so count.
_PRIOR_READINGS = 50.0
_KEEP_READINGS = 500.0
_CLIP_OUTLIER = 4.0
# A person quieter than the model does not make the test hypersensitive.
_LEAST_SD = 0.8

# The percentiles: shares, standard normal scores and densities there. The normal prior is worth 50
# readings, and the last 500 or so count. Readings that share a unit of weight count as one.
_SHARES = np.array((0.05, 0.25, 0.5, 0.75, 0.95))
_NORMAL = np.array((-Z95, -Z75, 0.0, Z75, Z95))
_DENSITY = np.exp(-0.5 * _NORMAL**2) / np.sqrt(2.0 * np.pi)


@compiled
def sustained_sd(row: Array, recent: int, d: int, prior_sd: float) -> float:
    """SD of the raw score of direction d and recent rate (1..3) for this person."""
    total = _PRIOR_DAYS * prior_sd * prior_sd + row[CAL + (recent - 1) * N_DIRECTIONS + d]
    return max(_LEAST_SD, sqrt(total / (_PRIOR_DAYS + row[CAL_DAYS])))


@compiled
def learn_sustained(row: Array, z: Array, sd: Array, days: float) -> None:
    """Count the raw scores z (N_RECENT x N_DIRECTIONS) with present SDs sd as holding for days."""
    keep = exp(-_FORGET_PER_DAY * days)
    row[CAL_DAYS] = row[CAL_DAYS] * keep + days
    for r in range(z.shape[0]):
        for d in range(N_DIRECTIONS):
            clipped = min(_CLIP_SD * sd[r, d], abs(z[r, d]))
            i = CAL + r * N_DIRECTIONS + d
            row[i] = row[i] * keep + days * clipped * clipped / _CLIPPED_MEAN_SQUARE


@compiled
def outlier_sd(row: Array) -> float:
    """SD of a single reading's score for this person."""
    total = (_PRIOR_READINGS + row[CAL_OUTLIER]) / (_PRIOR_READINGS + row[CAL_OUTLIER_N])
    return max(1.0, sqrt(total))


@compiled
def learn_outlier(row: Array, z: float) -> None:
    """Count one reading's raw score."""
    keep = 1.0 - 1.0 / _KEEP_READINGS
    clipped = min(_CLIP_OUTLIER, abs(z))
    row[CAL_OUTLIER_N] = row[CAL_OUTLIER_N] * keep + 1.0
    row[CAL_OUTLIER] = row[CAL_OUTLIER] * keep + clipped * clipped


@compiled
def percentile_scores(row: Array, out: Array) -> None:
    """Fill out (N_QUANTILES) with the scores of this person's percentiles, in ascending order."""
    for i in range(N_QUANTILES):
        out[i] = _NORMAL[i] + row[QUANTILES + i]
        if i > 0:
            out[i] = max(out[i], out[i - 1])


@compiled
def learn_percentiles(row: Array, z: float, share: float) -> None:
    """Count one reading's raw score as `share` of one reading.

    Each percentile takes a step up or down that balances when its share of readings is below it
    (Tierney 1983, "A space-efficient recursive procedure for estimating a quantile of an unknown
    distribution", SIAM J. Sci. Stat. Comput. 4); the density that scales it is the normal's.
    """
    n = min(_KEEP_READINGS, row[QUANTILE_N] + share)
    row[QUANTILE_N] = n
    for i in range(N_QUANTILES):
        below = 1.0 if z < _NORMAL[i] + row[QUANTILES + i] else 0.0
        step = share / ((_PRIOR_READINGS + n) * _DENSITY[i])
        row[QUANTILES + i] += step * (_SHARES[i] - below)
