"""Linear regression on readings whose errors follow each other: AR(1) in time, with gaps.

Two errors that are k stretches apart correlate by rho^k. rho is not known: every value of a grid is
solved exactly and weighted by its restricted likelihood, and the answer is the mean of them all,
with the spread between them in its covariance. A single best rho makes intervals too narrow where
few readings tell it.

Sources: Harville, J Am Stat Assoc 72 (1977) 320-338 (restricted likelihood); Bowman et al., Cell
Rep Methods 1 (2021) 100058 (AR(1) about the cosinor of heart rate).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from processors.rhythm.clock_bins import Integers
from processors.rhythm.samples import Floats

_RHOS = np.r_[0.0, np.arange(0.05, 0.9, 0.05), 0.9, 0.925, 0.95, 0.97, 0.985]
# A design whose columns nearly say the same has no solution.
_LEAST_SINGULAR = 1e-6


class CorrelatedLine(NamedTuple):
    """Coefficients (p), their covariance (p, p), mean rho, degrees of freedom."""

    theta: Floats
    covariance: Floats
    rho: float
    df: int


def correlated_line(rows: Floats, y: Floats, at: Integers) -> CorrelatedLine | None:
    """Regress y (n) on rows (n, p); `at` (n): which stretch of time each is, ascending.

    ``None`` if the rows say the same in two ways, or if nothing is left to judge errors by.

    >>> at = np.arange(200)
    >>> found = correlated_line(np.ones((200, 1)), 5.0 + np.cos(at * 2.0), at)
    >>> round(float(found.theta[0]), 2), found.rho < 0.01
    (5.0, True)
    """
    n, p = rows.shape
    if n <= p + 1:
        return None
    scale = np.sqrt((rows**2).sum(axis=0))
    if not (scale > 0.0).all():
        return None
    x = rows / scale
    singular = np.linalg.svd(x, compute_uv=False)
    if singular[-1] < _LEAST_SINGULAR * singular[0]:
        return None
    # (r, n): what each error keeps of the one before; the first of all keeps nothing.
    kept = np.zeros((_RHOS.size, n))
    kept[:, 1:] = _RHOS[:, None] ** np.diff(at)
    loose = np.sqrt(1.0 - kept**2)
    white_y = (y - kept * np.r_[0.0, y[:-1]]) / loose
    white_x = (x - kept[..., None] * np.r_[np.zeros((1, p)), x[:-1]]) / loose[..., None]
    gram = white_x.transpose(0, 2, 1) @ white_x
    cross = (white_x.transpose(0, 2, 1) @ white_y[..., None])[..., 0]
    inverse = np.linalg.inv(gram)
    theta = (inverse @ cross[..., None])[..., 0]
    squares = ((white_y - (white_x @ theta[..., None])[..., 0]) ** 2).sum(axis=1)
    # Residuals below the rounding of the values are not evidence of a better fit.
    least = n * (8 * np.finfo(np.float64).eps * float(np.abs(y).max())) ** 2
    squares = np.maximum(squares, max(least, 1e-300))
    df = n - p
    restricted = -0.5 * (
        df * np.log(squares) + np.linalg.slogdet(gram)[1] + 2.0 * np.log(loose).sum(axis=1)
    )
    # The grid is finer near 1; each value stands for its share of the line.
    weights = np.exp(restricted - restricted.max()) * np.gradient(_RHOS)
    weights /= weights.sum()
    mean = weights @ theta
    apart = theta - mean
    covariance = np.einsum("r,rij->ij", weights * squares / df, inverse)
    covariance += np.einsum("r,ri,rj->ij", weights, apart, apart)
    return CorrelatedLine(
        mean / scale, covariance / np.outer(scale, scale), float(weights @ _RHOS), df
    )
