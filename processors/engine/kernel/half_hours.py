"""Closing half hours: the rhythm, the point of the day's profile, and the sustained tests.

A half hour is numbered by the local clock's own boundaries: index k begins at k / 2 - f hours UTC,
f being the part of the wearer's offset from UTC that is not a multiple of half an hour.
"""

from __future__ import annotations

from math import exp, floor

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.deviations.calibration import (
    percentile_scores,
)
from processors.deviations.kinds import PHASE
from processors.deviations.transitions import (
    T_EXPECTED,
    T_KIND,
    T_OBSERVED,
    T_SEQUENCE,
    test_sustained,
)
from processors.engine.kernel.buffers import (
    C_PROFILE,
    C_RHYTHM,
    C_TRANSITION,
    F_DAYS,
    F_HALF,
    F_N,
    F_OFFSET_H,
    F_P05,
    F_P95,
    F_SLOT,
    F_VALUE,
    R_BASELINE,
    R_CURRENT,
    R_DAYS,
    R_HALF,
    R_HOURS,
    R_JOURNEYS,
    R_LAG,
    R_N,
    R_NEWEST,
    R_OFFSET_H,
    R_SETTLED,
    R_SLOT,
    R_STALE,
)
from processors.rhythm.curve import CURVE_SIZE, clock_hour, describe
from processors.rhythm.layout import (
    BASELINE,
    CURRENT,
    FRESH,
    HALF,
    HALF_HOURS,
    JOURNEYS,
    JOURNEYS_SIZE,
    LIVE,
    MASKS,
    N_DAYS,
    N_MASKS,
    N_MOMENTS,
    N_PARAMETERS,
    N_QUANTILES,
    N_READINGS,
    NEWEST,
    OFFSET_H,
    P_LIVE_H,
    P_LOG,
    P_MIN_RHYTHM,
    SETTLED_AT,
)
from processors.rhythm.moments import harmonics
from processors.rhythm.posterior import predict, solve
from processors.rhythm.reentrainment import lag_at
from processors.rhythm.student import Z95, t_quantile

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# A series is tested against its baseline once it has a week of days, and reported missing once
# three days have shown its cadence.
TESTABLE_DAYS = 7.0


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
    out[R_LAG] = lag_at(row, row[NEWEST], row[OFFSET_H])
    out[R_SETTLED] = row[SETTLED_AT]
    for i in range(JOURNEYS_SIZE):
        out[R_JOURNEYS + i] = row[JOURNEYS + i]


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
    middle, offset_h = half_hour_start(index, row[OFFSET_H]) + 0.25, row[OFFSET_H]
    harmonics(middle + offset_h - lag_at(row, max(middle, row[NEWEST]), offset_h), e)
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
        lag = lag_at(row, at, row[OFFSET_H])
        for i in range(k, k + changes):
            transition[i, T_SEQUENCE] = sequence
            if transition[i, T_KIND] == PHASE:  # from body time to the wearer's clock
                transition[i, T_OBSERVED] = clock_hour(transition[i, T_OBSERVED] + lag)
                transition[i, T_EXPECTED] = clock_hour(transition[i, T_EXPECTED] + lag)
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
def describe_window(row: Array, p: Array, rate: int, at: float, out: Array) -> None:
    """Describe the curve of one rate at time `at`."""
    lower = np.empty((N_PARAMETERS, N_PARAMETERS))
    g = np.empty(N_PARAMETERS)
    m = np.empty(N_PARAMETERS)
    variance, df, n = solve(row, p, rate, at, lower, g)
    describe(lower, g, variance, df, n, t_quantile(Z95, df), p[P_MIN_RHYTHM], m, out)
