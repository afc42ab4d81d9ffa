"""What the kernel writes to: buffers of rows of numbers, and their columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.deviations.transitions import (
    TRANSITION_SIZE,
)
from processors.rhythm.curve import CURVE_SIZE
from processors.rhythm.layout import JOURNEYS_SIZE

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# Columns of a rhythm in its buffer; the two described curves follow, in body time, and then how
# far that is behind the wall clock, when all will have arrived and the journeys that it comes from.
R_SLOT, R_HALF, R_OFFSET_H, R_STALE, R_N, R_DAYS, R_HOURS, R_NEWEST = 0, 1, 2, 3, 4, 5, 6, 7
R_CURRENT = 8
R_BASELINE = R_CURRENT + CURVE_SIZE
R_LAG = R_BASELINE + CURVE_SIZE
R_SETTLED = R_LAG + 1
R_JOURNEYS = R_SETTLED + 1
RHYTHM_SIZE = R_JOURNEYS + JOURNEYS_SIZE
# Columns of a profile point.
F_SLOT, F_HALF, F_OFFSET_H, F_VALUE, F_N = 0, 1, 2, 3, 4
F_P05, F_P25, F_P50, F_P75, F_P95, F_DAYS = 5, 6, 7, 8, 9, 10
PROFILE_SIZE = 11
# Columns of a late half-hour mean: the point is revised, its band stays as it was judged.
V_SLOT, V_HALF, V_OFFSET_H, V_VALUE, V_N = 0, 1, 2, 3, 4
REVISION_SIZE = 5
# Columns of a stored mean.
B_SLOT, B_TIME, B_SUM, B_N, B_LOW, B_HIGH, B_OFFSET_H = 0, 1, 2, 3, 4, 5, 6
BIN_SIZE = 7

# Positions in the counters.
C_RHYTHM, C_PROFILE, C_REVISION, C_BIN, C_TRANSITION = 0, 1, 2, 3, 4
COUNTERS = 5

BUFFER = 4096


def buffers() -> tuple[Array, Array, Array, Array, Array, Ints]:
    """Fresh buffers: rhythm, profile, revision, bins, transition, counters."""
    return (
        np.empty((BUFFER, RHYTHM_SIZE)),
        np.empty((BUFFER, PROFILE_SIZE)),
        np.empty((BUFFER, REVISION_SIZE)),
        np.empty((BUFFER, BIN_SIZE)),
        np.empty((BUFFER, TRANSITION_SIZE)),
        np.zeros(COUNTERS, dtype=np.int64),
    )
