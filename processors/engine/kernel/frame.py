"""One frame's readings through the estimator: close half hours, judge, fold, test.

Readings are taken in offset order, each judged against all before it, so results do not depend
on how Kafka cut the frames. Outputs go to buffers of fixed size; when one is nearly full the
loop returns, the caller empties them and calls again.

Curves and tests are in body time (`processors.rhythm.reentrainment`): after a flight the wearer's
clock less what the body clock is expected to lag it. Days, half hours and clock hours are the wall
clock's.

All times are hours since 1970 UTC. A half hour is numbered by the local clock's own boundaries:
index k begins at k / 2 - f hours UTC, f being the part of the wearer's offset from UTC that is
not a multiple of half an hour.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.engine.kernel.buffers import (
    BUFFER,
    C_BIN,
    C_PROFILE,
    C_REVISION,
    C_RHYTHM,
    C_TRANSITION,
    V_HALF,
    V_N,
    V_OFFSET_H,
    V_SLOT,
    V_VALUE,
)
from processors.engine.kernel.clock import catch_up, silence
from processors.engine.kernel.half_hours import (
    close_half_hours,
    describe_window,
    half_hour,
    write_profile,
    write_rhythm,
)
from processors.engine.kernel.readings import count_reading, judge_reading, store_mean, write_bin
from processors.rhythm.curve import CURVE_SIZE, describe
from processors.rhythm.layout import (
    BASELINE,
    BIN_N,
    CURRENT,
    FRESH,
    HALF,
    HALF_HOURS,
    LIVE,
    MISSING_SINCE,
    N_MOMENTS,
    N_PARAMETERS,
    N_READINGS,
    NEWEST,
    P_BIN_H,
    P_LIVE_H,
    P_MIN_RHYTHM,
    P_STALE_H,
    STALE,
)
from processors.rhythm.moments import harmonics
from processors.rhythm.posterior import solve
from processors.rhythm.reentrainment import lag_at, note_offset
from processors.rhythm.student import Z95, t_quantile
from processors.rhythm.sums import fold

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_TRANSITIONS = 24  # that one reading can cause
_MOST_POINTS = 2 * HALF_HOURS + 4


@compiled
def run(
    start: int,
    slots: Ints,
    times: Array,
    offsets_h: Array,
    values: Array,
    model_values: Array,
    extra_variances: Array,
    weights: Array,
    clocks: Array,
    censored: NDArray[np.bool_],
    rows: Array,
    analytes: Ints,
    parameters: Array,
    ring_mean: NDArray[np.float32],
    ring_n: NDArray[np.uint16],
    z: Array,
    lives: NDArray[np.bool_],
    rhythm: Array,
    profile: Array,
    revision: Array,
    bins: Array,
    transition: Array,
    counters: Ints,
) -> int:
    """Take readings start.. of a frame, in offset order, until done or a buffer is nearly full.

    Per reading (n): slots (row of its series), times (collected, h), offsets_h (local clock minus
    UTC), values (canonical unit), model_values, extra_variances and weights (see `sums.fold`),
    clocks (the partition's clock as its record arrives, h), censored. A series is brought up to
    that clock, its own record's receipt included, before its reading counts: while records come in
    the order of receipt, it makes no difference who else shares the partition.
    State: rows, analytes (row -> parameters), parameters, ring_mean, ring_n. Fills z (score of
    each reading) and lives (n), and the buffers. Returns the position to go on from.
    """
    e = np.empty(N_MOMENTS)
    changes = np.zeros(1, dtype=np.int64)
    for i in range(start, slots.shape[0]):
        if (
            counters[C_PROFILE] + _MOST_POINTS > BUFFER
            or counters[C_RHYTHM] + _MOST_POINTS > BUFFER
            or counters[C_TRANSITION] + _MOST_TRANSITIONS > BUFFER
            or counters[C_BIN] + 1 >= BUFFER
            or counters[C_REVISION] + 1 > BUFFER
        ):
            return i
        slot = slots[i]
        row = rows[slot]
        p = parameters[analytes[slot]]
        t = times[i]
        sequence = float(i)
        if row[N_READINGS] > 0.0:
            catch_up(
                row,
                p,
                slot,
                clocks[i],
                sequence,
                ring_mean[slot],
                ring_n[slot],
                rhythm,
                profile,
                transition,
                counters,
            )
        if row[MISSING_SINCE] > 0.0 and t > row[MISSING_SINCE]:
            silence(row, slot, False, clocks[i], sequence, transition[counters[C_TRANSITION]])
            counters[C_TRANSITION] += 1
        live = clocks[i] - t <= p[P_LIVE_H]
        lives[i] = live
        if row[HALF] < 0.0:
            row[HALF] = half_hour(t, offsets_h[i])
            ring_n[slot, :] = 0
        else:
            until = half_hour(t, offsets_h[i])
            if until > row[HALF]:
                close_half_hours(
                    row,
                    p,
                    slot,
                    until,
                    clocks[i],
                    sequence,
                    ring_mean[slot],
                    ring_n[slot],
                    rhythm,
                    profile,
                    transition,
                    counters,
                )
        note_offset(row, t, offsets_h[i])
        body_hour = t + offsets_h[i] - lag_at(row, t, offsets_h[i])
        harmonics(body_hour, e)
        if p[P_BIN_H] == 0.0 or row[FRESH] == 0.0:
            # Of a dense analyte one reading a half hour is judged, for the percentiles; a single
            # one is no finding, whatever its score.
            changes[0] = counters[C_TRANSITION]
            z[i] = judge_reading(
                row,
                p,
                slot,
                t,
                model_values[i],
                body_hour,
                e,
                p[P_BIN_H] == 0.0 and not censored[i],
                live,
                sequence,
                transition,
                changes,
            )
            counters[C_TRANSITION] = changes[0]
        fold(row, t, e, model_values[i], extra_variances[i], weights[i])
        count_reading(row, t, offsets_h[i], clocks[i], live)
        if t > row[MISSING_SINCE]:
            row[MISSING_SINCE] = 0.0
        # stale on arrival: of a recording from long ago each reading would be, and say so later
        row[STALE] = 1.0 if clocks[i] - row[NEWEST] > p[P_STALE_H] else 0.0
        row[LIVE] = 1.0 if live else 0.0
        index = half_hour(t, offsets_h[i])
        if row[HALF] - index < HALF_HOURS:
            s = int(index) % HALF_HOURS
            if ring_n[slot, s] == 0:
                ring_mean[slot, s] = 0.0
            if ring_n[slot, s] < 65535:
                ring_n[slot, s] += 1
            ring_mean[slot, s] += (values[i] - ring_mean[slot, s]) / ring_n[slot, s]
            if index < row[HALF]:
                # late readings come together: the one before is often of the same half hour
                k = counters[C_REVISION]
                if k > 0 and revision[k - 1, V_SLOT] == slot and revision[k - 1, V_HALF] == index:
                    k -= 1
                out = revision[k]
                out[V_SLOT], out[V_HALF], out[V_OFFSET_H] = slot, index, offsets_h[i]
                out[V_VALUE], out[V_N] = ring_mean[slot, s], ring_n[slot, s]
                counters[C_REVISION] = k + 1
        if p[P_BIN_H] > 0.0:
            store_mean(row, slot, p[P_BIN_H], t, values[i], offsets_h[i], bins, counters)
    return int(slots.shape[0])


@compiled
def settle(
    start: int,
    slots: Ints,
    rows: Array,
    analytes: Ints,
    parameters: Array,
    ring_mean: NDArray[np.float32],
    ring_n: NDArray[np.uint16],
    rhythm: Array,
    profile: Array,
    bins: Array,
    counters: Ints,
) -> int:
    """Write the open half hour and mean of each series as they stand; later writes replace these.

    A half hour without readings has nothing to show yet. Changes no state. Returns the position
    to go on from when a buffer is full.
    """
    lower = np.empty((N_PARAMETERS, N_PARAMETERS))
    g = np.empty(N_PARAMETERS)
    m = np.empty(N_PARAMETERS)
    baseline = np.empty(CURVE_SIZE)
    current = np.empty(CURVE_SIZE)
    for i in range(start, slots.shape[0]):
        if counters[C_PROFILE] + 1 >= BUFFER or counters[C_BIN] + 1 >= BUFFER:
            return i
        slot = slots[i]
        row = rows[slot]
        p = parameters[analytes[slot]]
        # even if the clock has closed the half hour: nothing else would, if no reading follows
        if p[P_BIN_H] > 0.0 and row[BIN_N] > 0.0:
            write_bin(row, slot, p[P_BIN_H], bins[counters[C_BIN]])
            counters[C_BIN] += 1
        if row[FRESH] == 0.0:
            continue
        at = row[NEWEST]
        variance, df, n = solve(row, p, BASELINE, at, lower, g)
        describe(lower, g, variance, df, n, t_quantile(Z95, df), p[P_MIN_RHYTHM], m, baseline)
        describe_window(row, p, CURRENT, at, current)
        write_rhythm(
            row, slot, row[HALF], row[STALE], current, baseline, rhythm[counters[C_RHYTHM]]
        )
        counters[C_RHYTHM] += 1
        s = int(row[HALF]) % HALF_HOURS
        write_profile(
            row,
            p,
            slot,
            row[HALF],
            float(ring_mean[slot, s]),
            float(ring_n[slot, s]),
            lower,
            g,
            variance,
            df,
            profile[counters[C_PROFILE]],
        )
        counters[C_PROFILE] += 1
    return int(slots.shape[0])


@compiled
def watch(
    start: int,
    slots: Ints,
    clock: float,
    rows: Array,
    analytes: Ints,
    parameters: Array,
    ring_mean: NDArray[np.float32],
    ring_n: NDArray[np.uint16],
    changed: NDArray[np.bool_],
    rhythm: Array,
    profile: Array,
    transition: Array,
    counters: Ints,
) -> int:
    """Let every series catch up with the partition's clock (hours).

    Fills changed (n). Returns the position to go on from when a buffer is full.
    """
    for i in range(start, slots.shape[0]):
        if (
            counters[C_PROFILE] + _MOST_POINTS > BUFFER
            or counters[C_RHYTHM] + _MOST_POINTS > BUFFER
            or counters[C_TRANSITION] + _MOST_TRANSITIONS > BUFFER
        ):
            return i
        slot = slots[i]
        if rows[slot, N_READINGS] == 0.0:
            continue  # all that came so far were reasons for absent values
        changed[i] = catch_up(
            rows[slot],
            parameters[analytes[slot]],
            slot,
            clock,
            -1.0,
            ring_mean[slot],
            ring_n[slot],
            rhythm,
            profile,
            transition,
            counters,
        )
    return int(slots.shape[0])
