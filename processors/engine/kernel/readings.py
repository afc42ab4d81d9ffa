"""One reading: its score, its place in the books and in its five-minute mean."""

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
from processors.deviations.kinds import OUTLIER
from processors.deviations.transitions import (
    T_EFFECT,
    T_EXPECTED,
    T_HIGH,
    T_LOW,
    T_N,
    T_OBSERVED,
    T_REST,
    T_SEQUENCE,
    change,
    stand,
)
from processors.engine.kernel.buffers import (
    B_HIGH,
    B_LOW,
    B_N,
    B_OFFSET_H,
    B_SLOT,
    B_SUM,
    B_TIME,
    C_BIN,
)
from processors.rhythm.layout import (
    BASELINE,
    BIN,
    BIN_HIGH,
    BIN_LOW,
    BIN_N,
    BIN_SUM,
    FRESH,
    LAST_DAY,
    MASKS,
    MAX_GAP_H,
    N_DAYS,
    N_LIVE,
    N_MASKS,
    N_PARAMETERS,
    N_QUANTILES,
    N_READINGS,
    NEWEST,
    OFFSET_H,
    OPEN,
    OPEN_SIZE,
    P_BIN_H,
    P_DECORRELATION_H,
    P_LOG,
    P_OUTLIER_GATE,
    P_Z_OUTLIER,
)
from processors.rhythm.moments import harmonics
from processors.rhythm.posterior import predict, solve
from processors.rhythm.reentrainment import lag_arc, settled
from processors.rhythm.student import t_quantile, z_score

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# An outlier needs this many readings of the person's own before it.
OUTLIER_READINGS = 10.0
_LONGEST_PAUSE_H = 7 * 24.0  # a longer one is an interruption, no habit
_GAP_MEMORY_H = 14 * 24.0
_ARC_STEP_H = 0.5


@compiled
def judge_reading(
    row: Array,
    p: Array,
    slot: float,
    t: float,
    y: float,
    body_hour: float,
    e: Array,
    counts: bool,
    live: bool,
    sequence: float,
    out: Array,
    changes: Ints,
) -> float:
    """Score a reading against its prediction; open or end an outlier. Returns its z.

    body_hour: clock hour in body time, and e its harmonics. `counts` is False for censored
    readings and for those of dense analytes, which are scored but never an outlier of their own.
    Changes are written to out from row changes[0] on.
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
    elif row[o] > 0.0 and abs(z) >= threshold and t > row[o]:
        stand(row, slot, OUTLIER, t, z, threshold, live, out[changes[0]])
        out[changes[0], T_REST] = least_score(row, lower, g, variance, df, t, y, body_hour, e)
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
        out[k, T_REST] = least_score(row, lower, g, variance, df, t, y, body_hour, e)
        out[k, T_SEQUENCE] = sequence
        changes[0] += 1
    return raw


@compiled
def least_score(
    row: Array,
    lower: Array,
    g: Array,
    variance: float,
    df: float,
    t: float,
    y: float,
    body_hour: float,
    e: Array,
) -> float:
    """|z| of a reading at whichever hour, of those where travel may have left the body, fits best.

    lower, g, variance, df: the baseline's posterior; body_hour: where the body is expected, and e
    (work space) its harmonics.
    """
    x = np.empty(N_PARAMETERS)
    mean, scale = predict(lower, g, variance, e, x)
    least = abs(z_score((y - mean) / scale, df))
    if not settled(row, t):
        earliest, latest = lag_arc(row, t)
        shift = earliest
        while shift <= latest:
            harmonics(body_hour - shift, e)
            mean, scale = predict(lower, g, variance, e, x)
            least = min(least, abs(z_score((y - mean) / scale, df)))
            shift += _ARC_STEP_H
        harmonics(body_hour, e)
    return least / outlier_sd(row)


@compiled
def learn_from(row: Array, p: Array, t: float, z: float) -> None:
    """Let the person's percentiles learn from the score of a reading that is not folded in yet.

    Of a dense analyte one reading a half hour is enough. Nothing is learnt from late readings, nor
    while the rhythm is known to be out of order, nor before the body is in step after a journey.
    """
    if (row[N_READINGS] > 0.0 and t <= row[NEWEST]) or not settled(row, t):
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
    includes the delay with which a device usually sends. It is forgotten as time goes by, which is
    that of the readings: all of a batch have waited, and the wait must not count with each.
    """
    local = t + offset_h
    day = floor(local / 24.0)
    gap = max(t, clock) - row[NEWEST]
    if row[N_READINGS] > 0.0 and t > row[NEWEST] and gap < _LONGEST_PAUSE_H:
        kept = exp(-log(2.0) * (t - row[NEWEST]) / _GAP_MEMORY_H)
        row[MAX_GAP_H] = max(gap, row[MAX_GAP_H] * kept)
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
