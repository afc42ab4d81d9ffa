"""Harmonics of the local clock and their products.

With x(t) = [1, cos wt, sin wt, cos 2wt, sin 2wt] every element of x x' is a sum of cos k wt and
sin k wt for k = 0..4 (product-to-sum identities), so nine weighted moments stand for the 5 x 5
matrix of a weighted least-squares problem.
"""

from __future__ import annotations

from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.rhythm.layout import OMEGA

Array = NDArray[np.float64]


@compiled
def harmonics(clock_hour: float, e: Array) -> None:
    """Fill e (9) with 1, cos wt, sin wt, ... cos 4wt, sin 4wt at the local clock hour.

    The first five are x(t).
    """
    c = cos(OMEGA * clock_hour)
    s = sin(OMEGA * clock_hour)
    e[0] = 1.0
    e[1] = c
    e[2] = s
    # cos(k+1) and sin(k+1) by the addition theorems: one sine and cosine instead of four
    for k in range(1, 4):
        e[2 * k + 1] = e[2 * k - 1] * c - e[2 * k] * s
        e[2 * k + 2] = e[2 * k] * c + e[2 * k - 1] * s


@compiled
def expand(m: Array, scale: float, out: Array) -> None:
    """Write scale * sum(w x x') (5 x 5, lower triangle) from the nine moments m of w."""
    out[0, 0] = scale * m[0]
    out[1, 0] = scale * m[1]
    out[2, 0] = scale * m[2]
    out[3, 0] = scale * m[3]
    out[4, 0] = scale * m[4]
    h = 0.5 * scale
    out[1, 1] = h * (m[0] + m[3])  # cos cos
    out[2, 1] = h * m[4]  # sin cos
    out[2, 2] = h * (m[0] - m[3])  # sin sin
    out[3, 1] = h * (m[1] + m[5])  # cos2 cos
    out[3, 2] = h * (m[6] - m[2])  # cos2 sin
    out[3, 3] = h * (m[0] + m[7])  # cos2 cos2
    out[4, 1] = h * (m[6] + m[2])  # sin2 cos
    out[4, 2] = h * (m[1] - m[5])  # sin2 sin
    out[4, 3] = h * m[8]  # sin2 cos2
    out[4, 4] = h * (m[0] - m[7])  # sin2 sin2


@compiled
def mirror(a: Array) -> None:
    """Copy the lower triangle of a (n x n) to the upper one."""
    n = a.shape[0]
    for i in range(n):
        for j in range(i):
            a[j, i] = a[i, j]
