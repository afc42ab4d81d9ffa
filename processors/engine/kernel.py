"""One frame's readings through the estimator: close half hours, judge, fold, test.

Readings are taken in offset order, each judged against all before it, so results do not depend
on how Kafka cut the frames. Outputs go to buffers of fixed size; when one is nearly full the
loop returns, the caller empties them and calls again.

All times are hours since 1970 UTC. A half hour is numbered by the local clock's own boundaries:
index k begins at k / 2 - f hours UTC, f being the part of the wearer's offset from UTC that is
not a multiple of half an hour.
"""

from __future__ import annotations

from math import exp, floor, log

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.deviations.calibration import (
    learn_outlier,
    learn_percentiles,
    outlier_sd,
    percentile_scores,
)
from processors.deviations.kinds import MISSING, OUTLIER
from processors.deviations.transitions import (
    T_EFFECT,
    T_EXPECTED,
    T_HIGH,
    T_LOW,
    T_N,
    T_OBSERVED,
    T_SEQUENCE,
    TRANSITION_SIZE,
    change,
    test_sustained,
)
from processors.rhythm.curve import CURVE_SIZE, describe
from processors.rhythm.layout import (
    BASELINE,
    BIN,
    BIN_HIGH,
    BIN_LOW,
    BIN_N,
    BIN_SUM,
    CURRENT,
    FRESH,
    HALF,
    HALF_HOURS,
    LAST_DAY,
    LIVE,
    MASKS,
    MAX_GAP_H,
    MISSING_SINCE,
    N_DAYS,
    N_LIVE,
    N_MASKS,
    N_MOMENTS,
    N_PARAMETERS,
    N_QUANTILES,
    N_READINGS,
    NEWEST,
    OFFSET_H,
    OPEN,
    OPEN_SIZE,
    P_BIN_H,
    P_DECORRELATION_H,
    P_GRACE_H,
    P_LIVE_H,
    P_LOG,
    P_MIN_RHYTHM,
    P_MISSING_H,
    P_OUTLIER_GATE,
    P_STALE_H,
    P_Z_OUTLIER,
    STALE,
)
from processors.rhythm.moments import harmonics
from processors.rhythm.posterior import predict, solve
from processors.rhythm.student import Z95, t_quantile, z_score
from processors.rhythm.sums import fold

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# Columns of a rhythm in its buffer; the two described curves follow.
R_SLOT, R_HALF, R_OFFSET_H, R_STALE, R_N, R_DAYS, R_HOURS, R_NEWEST = 0, 1, 2, 3, 4, 5, 6, 7
R_CURRENT = 8
R_BASELINE = R_CURRENT + CURVE_SIZE
RHYTHM_SIZE = R_BASELINE + CURVE_SIZE
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
_MOST_TRANSITIONS = 24  # that one reading can cause
_MOST_POINTS = 2 * HALF_HOURS + 4

# A series is tested against its baseline once it has a week of days, and reported missing once
# three days have shown its cadence.
TESTABLE_DAYS = 7.0
CADENCE_DAYS = 3.0
# An outlier needs this many readings of the person's own before it.
OUTLIER_READINGS = 10.0
_MISSING_GAPS = 1.6  # of the longest usual pause
_LONGEST_PAUSE_H = 7 * 24.0  # a longer one is an interruption, no habit
_GAP_MEMORY_H = 14 * 24.0


@compiled
def half_hour(t: float, offset_h: float) -> float:
    """Index of the half hour that holds time t on a clock offset_h ahead of UTC."""
    return float(floor(2.0 * (t + offset_h - floor(2.0 * offset_h) / 2.0)))


@compiled
def half_hour_start(index: float, offset_h: float) -> float:
    """Begin of a half hour, hours UTC."""
    return index / 2.0 - (offset_h - floor(2.0 * offset_h) / 2.0)


@compiled
def hours_measured(row: Array) -> float:
    """Hours of the day in which the last week has a reading."""
    seen = 0
    for i in range(N_MASKS):
        seen |= int(row[MASKS + i])
    count = 0
    while seen:
        count += seen & 1
        seen >>= 1
    return float(count)


@compiled
def missing_after(row: Array, p: Array) -> float:
    """Silence, in hours, from which this series counts as missing."""
    return float(max(p[P_MISSING_H], _MISSING_GAPS * row[MAX_GAP_H]))


@compiled
def write_rhythm(
    row: Array,
    slot: float,
    index: float,
    stale: float,
    current: Array,
    baseline: Array,
    out: Array,
) -> None:
    """Write the rhythm of a row for one half hour to out (RHYTHM_SIZE).

    stale: 1 if it is old news at the time that it is shown for.
    """
    out[R_SLOT] = slot
    out[R_HALF] = index
    out[R_OFFSET_H] = row[OFFSET_H]
    out[R_STALE] = stale
    out[R_N] = row[N_READINGS]
    out[R_DAYS] = row[N_DAYS]
    out[R_HOURS] = hours_measured(row)
    out[R_NEWEST] = row[NEWEST]
    for i in range(CURVE_SIZE):
        out[R_CURRENT + i] = current[i]
        out[R_BASELINE + i] = baseline[i]


@compiled
def write_profile(
    row: Array,
    p: Array,
    slot: float,
    index: float,
    mean: float,
    n: float,
    lower: Array,
    g: Array,
    variance: float,
    df: float,
    out: Array,
) -> None:
    """Write one half hour's point, its band predicted from the baseline, to out (PROFILE_SIZE)."""
    e = np.empty(N_MOMENTS)
    x = np.empty(N_PARAMETERS)
    harmonics(half_hour_start(index, row[OFFSET_H]) + 0.25 + row[OFFSET_H], e)
    centre, scale = predict(lower, g, variance, e, x)
    scores = np.empty(N_QUANTILES)
    percentile_scores(row, scores)
    out[F_SLOT] = slot
    out[F_HALF] = index
    out[F_OFFSET_H] = row[OFFSET_H]
    out[F_VALUE] = mean if n > 0.0 else np.nan
    out[F_N] = n
    for i in range(N_QUANTILES):
        out[F_P05 + i] = centre + t_quantile(scores[i], df) * scale
    if p[P_LOG] > 0.0:
        for i in range(F_P05, F_P95 + 1):
            out[i] = exp(out[i])
    out[F_DAYS] = row[N_DAYS]


@compiled
def close_half_hours(
    row: Array,
    p: Array,
    slot: float,
    until: float,
    clock: float,
    sequence: float,
    ring_mean: NDArray[np.float32],
    ring_n: NDArray[np.uint16],
    rhythm: Array,
    profile: Array,
    transition: Array,
    counters: Ints,
) -> None:
    """Close the open half hour and all before half hour `until`; test if there were readings.

    clock: the partition's clock, hours; what it finds in older data is retrospective. Of a long
    gap the last 48 half hours are written.
    """
    at = row[NEWEST]
    # Readings that came live stay so, however late the clock's next look at them is.
    live = row[LIVE] > 0.0 or clock - at <= p[P_LIVE_H]
    lower = np.empty((N_PARAMETERS, N_PARAMETERS))
    g = np.empty(N_PARAMETERS)
    variance, df, n = solve(row, p, BASELINE, at, lower, g)
    first = row[HALF]
    if row[FRESH] > 0.0:
        m = np.empty(N_PARAMETERS)
        baseline = np.empty(CURVE_SIZE)
        current = np.empty(CURVE_SIZE)
        describe(lower, g, variance, df, n, t_quantile(Z95, df), p[P_MIN_RHYTHM], m, baseline)
        describe_window(row, p, CURRENT, at, current)
        k = counters[C_TRANSITION]
        changes = test_sustained(
            row,
            p,
            slot,
            at,
            live,
            row[N_DAYS] >= TESTABLE_DAYS,
            lower,
            m,
            variance,
            baseline,
            current,
            transition[k:],
        )
        for i in range(k, k + changes):
            transition[i, T_SEQUENCE] = sequence
        counters[C_TRANSITION] = k + changes
        write_rhythm(row, slot, first, 0.0, current, baseline, rhythm[counters[C_RHYTHM]])
        counters[C_RHYTHM] += 1
        row[FRESH] = 0.0
    s = int(first) % HALF_HOURS
    write_profile(
        row,
        p,
        slot,
        first,
        float(ring_mean[s]),
        float(ring_n[s]),
        lower,
        g,
        variance,
        df,
        profile[counters[C_PROFILE]],
    )
    counters[C_PROFILE] += 1
    index = max(first + 1.0, until - HALF_HOURS)
    while index < until:
        s = int(index) % HALF_HOURS
        ring_n[s] = 0
        write_profile(
            row, p, slot, index, 0.0, 0.0, lower, g, variance, df, profile[counters[C_PROFILE]]
        )
        counters[C_PROFILE] += 1
        index += 1.0
    ring_n[int(until) % HALF_HOURS] = 0
    row[HALF] = until


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


@compiled
def describe_window(row: Array, p: Array, rate: int, at: float, out: Array) -> None:
    """Describe the curve of one rate at time `at`."""
    lower = np.empty((N_PARAMETERS, N_PARAMETERS))
    g = np.empty(N_PARAMETERS)
    m = np.empty(N_PARAMETERS)
    variance, df, n = solve(row, p, rate, at, lower, g)
    describe(lower, g, variance, df, n, t_quantile(Z95, df), p[P_MIN_RHYTHM], m, out)


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
def judge_reading(
    row: Array,
    p: Array,
    slot: float,
    t: float,
    y: float,
    e: Array,
    counts: bool,
    live: bool,
    sequence: float,
    out: Array,
    changes: Ints,
) -> float:
    """Score a reading against its prediction; open or end an outlier. Returns its z.

    `counts` is False for censored readings and for those of dense analytes, which are scored but
    never an outlier of their own. Changes are written to out from row changes[0] on.
    """
    lower = np.empty((N_PARAMETERS, N_PARAMETERS))
    g = np.empty(N_PARAMETERS)
    x = np.empty(N_PARAMETERS)
    variance, df, n = solve(row, p, BASELINE, max(t, row[NEWEST]), lower, g)
    mean, scale = predict(lower, g, variance, e, x)
    raw = z_score((y - mean) / scale, df)
    scores = np.empty(N_QUANTILES)
    percentile_scores(row, scores)
    learn_from(row, p, t, raw)
    if not counts:
        return raw
    z = raw / outlier_sd(row)
    learn_outlier(row, raw)
    threshold = p[P_Z_OUTLIER]
    o = OPEN + OPEN_SIZE * OUTLIER
    # a late reading from before it says nothing of its end
    if row[o] > 0.0 and abs(z) < threshold and t > row[o]:
        change(row, slot, OUTLIER, 0.0, False, t, z, threshold, live, out[changes[0]])
        out[changes[0], T_SEQUENCE] = sequence
        changes[0] += 1
    enough = row[N_READINGS] >= OUTLIER_READINGS
    if row[o] == 0.0 and abs(z) > threshold and abs(y - mean) > p[P_OUTLIER_GATE] and enough:
        k = changes[0]
        change(row, slot, OUTLIER, 1.0 if z > 0 else -1.0, True, t, z, threshold, live, out[k])
        is_log = p[P_LOG] > 0.0
        low = mean + t_quantile(scores[0], df) * scale
        high = mean + t_quantile(scores[N_QUANTILES - 1], df) * scale
        out[k, T_OBSERVED] = exp(y) if is_log else y
        out[k, T_EXPECTED] = exp(mean) if is_log else mean
        out[k, T_LOW] = exp(low) if is_log else low
        out[k, T_HIGH] = exp(high) if is_log else high
        out[k, T_EFFECT] = exp(y - mean) if is_log else y / mean
        out[k, T_N] = n
        out[k, T_SEQUENCE] = sequence
        changes[0] += 1
    return raw


@compiled
def learn_from(row: Array, p: Array, t: float, z: float) -> None:
    """Let the person's percentiles learn from the score of a reading that is not folded in yet.

    Of a dense analyte one reading a half hour is enough. Nothing is learnt from late readings, nor
    while the rhythm is known to be out of order.
    """
    if row[N_READINGS] > 0.0 and t <= row[NEWEST]:
        return
    for kind in range(OUTLIER):
        if row[OPEN + OPEN_SIZE * kind] > 0.0:
            return
    spacing_h = t - row[NEWEST]
    if p[P_BIN_H] != 0.0:
        if row[FRESH] > 0.0:
            return
        spacing_h = max(spacing_h, 0.5)
    share = 1.0 if row[N_READINGS] == 0.0 else min(1.0, spacing_h / p[P_DECORRELATION_H])
    learn_percentiles(row, z, share)


@compiled
def count_reading(row: Array, t: float, offset_h: float, clock: float, live: bool) -> None:
    """Keep the books: times, days, hours of the day, pauses.

    A pause is how long the partition's clock (hours) has run on without news of the series; that
    includes the delay with which a device usually sends.
    """
    local = t + offset_h
    day = floor(local / 24.0)
    gap = max(t, clock) - row[NEWEST]
    if row[N_READINGS] > 0.0 and t > row[NEWEST] and gap < _LONGEST_PAUSE_H:
        row[MAX_GAP_H] = max(gap, row[MAX_GAP_H] * exp(-log(2.0) * gap / _GAP_MEMORY_H))
    if day > row[LAST_DAY]:
        row[N_DAYS] += 1.0
        # masks of days without readings are emptied on the way
        ahead = min(float(N_MASKS), day - row[LAST_DAY])
        for i in range(int(ahead)):
            row[MASKS + int(day - i) % N_MASKS] = 0.0
        row[LAST_DAY] = day
    if row[LAST_DAY] - day < N_MASKS:
        i = MASKS + int(day) % N_MASKS
        row[i] = float(int(row[i]) | (1 << int(local - 24.0 * day)))
    row[N_READINGS] += 1.0
    row[FRESH] += 1.0
    if live:
        row[N_LIVE] += 1.0
    if t > row[NEWEST]:
        row[NEWEST] = t
        row[OFFSET_H] = offset_h


@compiled
def store_mean(
    row: Array,
    slot: float,
    width: float,
    t: float,
    v: float,
    offset_h: float,
    bins: Array,
    counters: Ints,
) -> None:
    """Add a reading to its five-minute mean.

    A bin is written when a reading of a later one arrives. A reading that is too late for the
    open bin is written as it is.
    """
    index = floor(t / width)
    if index < row[BIN]:
        out = bins[counters[C_BIN]]
        out[B_SLOT], out[B_TIME], out[B_SUM], out[B_N] = slot, t, v, 1.0
        out[B_LOW], out[B_HIGH], out[B_OFFSET_H] = v, v, offset_h
        counters[C_BIN] += 1
        return
    if index > row[BIN]:
        if row[BIN_N] > 0.0:
            write_bin(row, slot, width, bins[counters[C_BIN]])
            counters[C_BIN] += 1
        row[BIN] = index
        row[BIN_SUM] = 0.0
        row[BIN_N] = 0.0
        row[BIN_LOW] = v
        row[BIN_HIGH] = v
    row[BIN_SUM] += v
    row[BIN_N] += 1.0
    row[BIN_LOW] = min(row[BIN_LOW], v)
    row[BIN_HIGH] = max(row[BIN_HIGH], v)


@compiled
def write_bin(row: Array, slot: float, width: float, out: Array) -> None:
    """Write the open bin to out (BIN_SIZE); it is dated by its begin."""
    out[B_SLOT] = slot
    out[B_TIME] = row[BIN] * width
    out[B_SUM] = row[BIN_SUM]
    out[B_N] = row[BIN_N]
    out[B_LOW] = row[BIN_LOW]
    out[B_HIGH] = row[BIN_HIGH]
    out[B_OFFSET_H] = row[OFFSET_H]


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
    clocks_before: Array,
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
    clocks and clocks_before (the partition's clock at and before its record, h), censored.
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
                clocks_before[i],
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
                    clocks_before[i],
                    sequence,
                    ring_mean[slot],
                    ring_n[slot],
                    rhythm,
                    profile,
                    transition,
                    counters,
                )
        harmonics(t + offsets_h[i], e)
        changes[0] = counters[C_TRANSITION]
        counts = p[P_BIN_H] == 0.0 and not censored[i]
        z[i] = judge_reading(
            row, p, slot, t, model_values[i], e, counts, live, sequence, transition, changes
        )
        counters[C_TRANSITION] = changes[0]
        fold(row, t, e, model_values[i], extra_variances[i], weights[i])
        count_reading(row, t, offsets_h[i], clocks_before[i], live)
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
                out = revision[counters[C_REVISION]]
                out[V_SLOT], out[V_HALF], out[V_OFFSET_H] = slot, index, offsets_h[i]
                out[V_VALUE], out[V_N] = ring_mean[slot, s], ring_n[slot, s]
                counters[C_REVISION] += 1
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
    """Write each series' open half hour and mean as they stand; later writes replace these points.

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
