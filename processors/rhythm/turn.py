"""Cosine and sine of a share of a full turn, for compiled loops."""

from __future__ import annotations

import math

from processors.compiled import compiled


@compiled
def turn(share: float) -> tuple[float, float]:
    """(cos, sin) of 2 pi share, share in [0, 1], to within 1e-15.

    To the nearest quarter turn, and from there by the polynomials of fdlibm (Sun Microsystems 1993,
    k_cos.c and k_sin.c), which need no more: the library's functions, made for angles of any size,
    took two thirds of a cosinor's time (measured).

    >>> turn(0.5), turn(1.0)
    ((-1.0, -0.0), (1.0, 0.0))
    >>> c, s = turn(1 / 12)
    >>> round(c * c, 12), round(s, 12)
    (0.75, 0.5)
    """
    quarter = math.floor(4.0 * share + 0.5)
    x = (share - 0.25 * quarter) * (2.0 * math.pi)
    z = x * x
    s = -2.50507602534068634195e-08 + z * 1.58969099521155010221e-10
    s = -1.98412698298579493134e-04 + z * (2.75573137070700676789e-06 + z * s)
    s = -1.66666666666666324348e-01 + z * (8.33333333332248946124e-03 + z * s)
    s = x + x * z * s
    c = 2.08757232129817482790e-09 - z * 1.13596475577881948265e-11
    c = 2.48015872894767294178e-05 + z * (-2.75573143513906633035e-07 + z * c)
    c = 4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03 + z * c)
    c = 1.0 - (0.5 * z - z * z * c)
    turned = int(quarter) & 3
    if turned == 1:
        return -s, c
    if turned == 2:
        return -c, -s
    if turned == 3:
        return s, -c
    return c, s
