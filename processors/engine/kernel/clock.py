"""What the partition's clock asks of a series that has no reading of its own just now."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.deviations.kinds import MISSING
from processors.deviations.transitions import (
    T_EFFECT,
    T_EXPECTED,
    T_N,
    T_SEQUENCE,
)
from processors.engine.kernel.buffers import C_RHYTHM, C_TRANSITION
from processors.engine.kernel.half_hours import (
    close_half_hours,
    describe_window,
    half_hour,
    write_rhythm,
)
from processors.rhythm.curve import CURVE_SIZE
from processors.rhythm.layout import (
    BASELINE,
    CURRENT,
    FRESH,
    HALF,
    LIVE,
    MAX_GAP_H,
    MISSING_SINCE,
    N_DAYS,
    N_LIVE,
    N_READINGS,
    NEWEST,
    OFFSET_H,
    P_GRACE_H,
    P_MISSING_H,
    P_STALE_H,
    STALE,
)

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

CADENCE_DAYS = 3.0  # days that must have shown a series' cadence before it can be missing
_MISSING_GAPS = 1.6  # of the longest usual pause


@compiled
def missing_after(row: Array, p: Array) -> float:
    """Silence, in hours, from which this series counts as missing."""
    return float(max(p[P_MISSING_H], _MISSING_GAPS * row[MAX_GAP_H]))


@compiled
def note_silence(
    row: Array, p: Array, slot: float, clock: float, sequence: float, out: Array
) -> int:
    """Open a missing deviation if the partition's clock shows one; return 1 if so.

    It is dated from the series' own last reading, so it is the same whenever it is noticed.
    """
    if row[N_LIVE] == 0.0 or row[N_DAYS] < CADENCE_DAYS or row[MISSING_SINCE] > 0.0:
        return 0
    wait = missing_after(row, p)
    since = row[NEWEST] + wait
    if clock <= since:
        return 0
    row[MISSING_SINCE] = since
    silence(row, slot, True, since, sequence, out)
    out[T_EFFECT] = wait
    out[T_EXPECTED] = max(row[MAX_GAP_H], 0.0)
    return 1


@compiled
def silence(row: Array, slot: float, opens: bool, time: float, sequence: float, out: Array) -> None:
    """Write the begin or end of a silence to out (TRANSITION_SIZE)."""
    out[:] = np.nan
    out[0] = slot
    out[1] = MISSING
    out[2] = -1.0
    out[3] = 1.0 if opens else 0.0
    out[4] = row[MISSING_SINCE]
    out[5] = time
    out[6] = 0.0
    out[7] = 0.0
    out[T_N] = row[N_READINGS]
    out[12] = 1.0
    out[T_SEQUENCE] = sequence


@compiled
def catch_up(
    row: Array,
    p: Array,
    slot: float,
    clock: float,
    sequence: float,
    ring_mean: NDArray[np.float32],
    ring_n: NDArray[np.uint16],
    rhythm: Array,
    profile: Array,
    transition: Array,
    counters: Ints,
) -> bool:
    """Do what the partition's clock (hours) asks of a series without a reading of its own.

    Closes half hours while the series is live and for a day after its newest reading, notes a
    silence, publishes the rhythm as stale. The state that this looks at changes with the series'
    own readings only, so it does not matter when it is called in between: before each reading
    it is, and so frames make no difference. Returns whether the row has changed.
    """
    changed = False
    if row[LIVE] > 0.0:
        until = half_hour(min(clock - p[P_GRACE_H], row[NEWEST] + 24.0), row[OFFSET_H])
        if until > row[HALF]:
            close_half_hours(
                row,
                p,
                slot,
                until,
                clock,
                sequence,
                ring_mean,
                ring_n,
                rhythm,
                profile,
                transition,
                counters,
            )
            changed = True
    found = note_silence(row, p, slot, clock, sequence, transition[counters[C_TRANSITION]])
    counters[C_TRANSITION] += found
    if row[STALE] == 0.0 and clock - row[NEWEST] > p[P_STALE_H]:
        if row[FRESH] > 0.0:
            # readings that came late: no clock has closed their half hour
            close_half_hours(
                row,
                p,
                slot,
                row[HALF] + 1.0,
                clock,
                sequence,
                ring_mean,
                ring_n,
                rhythm,
                profile,
                transition,
                counters,
            )
        row[STALE] = 1.0
        baseline = np.empty(CURVE_SIZE)
        current = np.empty(CURVE_SIZE)
        describe_window(row, p, BASELINE, row[NEWEST], baseline)
        describe_window(row, p, CURRENT, row[NEWEST], current)
        index = half_hour(row[NEWEST] + p[P_STALE_H], row[OFFSET_H])
        write_rhythm(row, slot, index, 1.0, current, baseline, rhythm[counters[C_RHYTHM]])
        counters[C_RHYTHM] += 1
        changed = True
    return changed or found > 0
