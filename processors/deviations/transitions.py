"""When a deviation opens and when it ends, for one series.

A deviation opens when its calibrated score exceeds the threshold and its effect is worth telling;
it ends when the score has fallen below half the threshold, so that it does not flicker. When
several kinds exceed the threshold at once (a curve that moved also looks flatter), the strongest
one opens, and another only if its score is still above the threshold after the strongest has
explained what it can.
"""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.deviations.calibration import learn_sustained, sustained_sd
from processors.deviations.kinds import AMPLITUDE, ARRHYTHMIC, LEVEL, PHASE
from processors.deviations.sustained import (
    AMPLITUDE as AMPLITUDE_DIRECTION,
)
from processors.deviations.sustained import (
    EARLIER_4,
    conditional_score,
    contrast,
    directions,
    score,
)
from processors.deviations.sustained import (
    LATER_2 as FIRST_LATER,
)
from processors.deviations.sustained import (
    LEVEL as LEVEL_DIRECTION,
)
from processors.rhythm.curve import (
    ACROPHASE,
    ACROPHASE_HALF,
    CURVE_SIZE,
    MESOR,
    MESOR_HALF,
    T90,
    describe,
    wrap_shift,
)
from processors.rhythm.curve import AMPLITUDE as CURVE_AMPLITUDE
from processors.rhythm.curve import AMPLITUDE_HALF as CURVE_AMPLITUDE_HALF
from processors.rhythm.layout import (
    CURRENT,
    HALF_LIVES_D,
    N_DIRECTIONS,
    N_PARAMETERS,
    N_PARAMS,
    N_RECENT,
    OPEN,
    OPEN_SIZE,
    P_LOG,
    P_MEAN,
    P_MIN_AMPLITUDE,
    P_MIN_LEVEL,
    P_MIN_PHASE_H,
    P_MIN_RHYTHM,
    P_RHYTHMIC,
    P_Z_SD,
    P_Z_SUSTAINED,
    TESTED,
)
from processors.rhythm.posterior import solve
from processors.rhythm.student import Z95, t_quantile

Array = NDArray[np.float64]

# Columns of a transition.
T_SLOT, T_KIND, T_SIGN, T_OPENS, T_ONSET, T_TIME = 0, 1, 2, 3, 4, 5  # times in hours
T_Z, T_THRESHOLD, T_EFFECT, T_LOW, T_HIGH, T_N = 6, 7, 8, 9, 10, 11
T_LIVE, T_OBSERVED, T_EXPECTED, T_WINDOW_D, T_SEQUENCE = 12, 13, 14, 15, 16
TRANSITION_SIZE = 17

_N_TESTED = 4  # level, amplitude, phase, arrhythmic
_END_AT = 0.5  # of the threshold
_HALF_LIVES = np.array(HALF_LIVES_D)


@compiled
def change(
    row: Array,
    slot: float,
    kind: int,
    sign: float,
    opens: bool,
    time: float,
    z: float,
    threshold: float,
    live: bool,
    out: Array,
) -> None:
    """Open or end a deviation in the row, and write it to out (TRANSITION_SIZE)."""
    o = OPEN + OPEN_SIZE * kind
    out[:] = np.nan
    out[T_SLOT] = slot
    out[T_KIND] = kind
    out[T_SIGN] = sign if opens else row[o + 1]
    out[T_OPENS] = 1.0 if opens else 0.0
    out[T_ONSET] = time if opens else row[o]
    out[T_TIME] = time
    out[T_Z] = z if opens else row[o + 2]
    out[T_THRESHOLD] = threshold
    out[T_LIVE] = 1.0 if live else 0.0
    row[o] = time if opens else 0.0
    row[o + 1] = sign if opens else 0.0
    row[o + 2] = z if opens else 0.0


@compiled
def recent_curve(row: Array, p: Array, rate: int, at: float, m: Array, out: Array) -> float:
    """Describe the recent rhythm as seen from the baseline m (5): the prior's mean is the baseline.

    Used for the size of an effect, not for its evidence. Returns the effective number of readings.
    """
    shifted = np.empty(N_PARAMS)
    shifted[:] = p[:N_PARAMS]
    for i in range(N_PARAMETERS):
        shifted[P_MEAN + i] = m[i]
    lower = np.empty((N_PARAMETERS, N_PARAMETERS))
    g = np.empty(N_PARAMETERS)
    mean = np.empty(N_PARAMETERS)
    variance, df, n = solve(row, shifted, rate, at, lower, g)
    describe(lower, g, variance, df, n, t_quantile(Z95, df), p[P_MIN_RHYTHM], mean, out)
    return n


@compiled
def measure(kind: int, is_log: bool, baseline: Array, recent: Array, out: Array) -> float:
    """Fill the effect of a kind into a transition; return its size for the gate.

    Ratios for level and amplitude (gate: |ln ratio|), hours for phase (gate: |hours|).
    """
    size = 0.0
    if kind == LEVEL:
        half = sqrt(baseline[MESOR_HALF] ** 2 + recent[MESOR_HALF] ** 2)
        if is_log:
            d = recent[MESOR] - baseline[MESOR]
            out[T_EFFECT], out[T_LOW], out[T_HIGH] = exp(d), exp(d - half), exp(d + half)
            out[T_OBSERVED], out[T_EXPECTED] = exp(recent[MESOR]), exp(baseline[MESOR])
            size = abs(d)
        else:
            m = baseline[MESOR]
            out[T_EFFECT] = recent[MESOR] / m
            out[T_LOW], out[T_HIGH] = (recent[MESOR] - half) / m, (recent[MESOR] + half) / m
            out[T_OBSERVED], out[T_EXPECTED] = recent[MESOR], m
            size = abs(log(max(1e-9, out[T_EFFECT])))
    elif kind == PHASE:
        if not (np.isnan(baseline[ACROPHASE]) or np.isnan(recent[ACROPHASE])):
            d = wrap_shift(recent[ACROPHASE] - baseline[ACROPHASE])
            half = sqrt(baseline[ACROPHASE_HALF] ** 2 + recent[ACROPHASE_HALF] ** 2)
            out[T_EFFECT], out[T_LOW], out[T_HIGH] = d, d - half, d + half
            out[T_OBSERVED], out[T_EXPECTED] = recent[ACROPHASE], baseline[ACROPHASE]
            size = abs(d)
    else:
        a, b = recent[CURVE_AMPLITUDE], baseline[CURVE_AMPLITUDE]
        half = recent[CURVE_AMPLITUDE_HALF]
        out[T_EFFECT] = a / b
        out[T_LOW], out[T_HIGH] = max(0.0, a - half) / b, (a + half) / b
        out[T_OBSERVED], out[T_EXPECTED] = a, b
        size = abs(log(max(1e-9, a / b)))
    return size


@compiled
def test_sustained(
    row: Array,
    p: Array,
    slot: float,
    at: float,
    live: bool,
    testable: bool,
    lower: Array,
    m: Array,
    variance: float,
    baseline: Array,
    current: Array,
    out: Array,
) -> int:
    """Test level, amplitude, phase and arrhythmia at time `at` (hours).

    lower, m, variance: the baseline's posterior; baseline, current: described curves
    (`rhythm.curve`) of the baseline and of the published window. `testable` is False while the
    baseline is too young. Opens and ends deviations in the row, writes each change to out
    (k x TRANSITION_SIZE), returns their number.
    """
    filters = np.empty((N_DIRECTIONS, N_PARAMETERS))
    directions(m, filters)
    projected = np.empty((N_RECENT, N_DIRECTIONS))
    covariance = np.empty((N_RECENT, N_DIRECTIONS, N_DIRECTIONS))
    raw = np.empty((N_RECENT, N_DIRECTIONS))
    sd = np.empty((N_RECENT, N_DIRECTIONS))
    weight = np.empty(N_RECENT)
    has_rhythm = p[P_RHYTHMIC] > 0.0 and not np.isnan(baseline[ACROPHASE])
    best = np.zeros(_N_TESTED)  # signed calibrated score of each kind
    best_r = np.zeros(_N_TESTED, dtype=np.int64)
    best_d = np.zeros(_N_TESTED, dtype=np.int64)
    for r in range(N_RECENT):
        weight[r] = contrast(
            row, p, r + 1, at, lower, m, variance, filters, projected[r], covariance[r]
        )
        for d in range(N_DIRECTIONS):
            prior_sd = p[P_Z_SD + (d if d < 2 else 2)]
            raw[r, d] = score(projected[r], covariance[r], d)
            sd[r, d] = sustained_sd(row, r + 1, d, prior_sd)
            z = raw[r, d] / sd[r, d]
            if d == LEVEL_DIRECTION:
                kind = LEVEL
            elif not has_rhythm:
                continue
            elif d == AMPLITUDE_DIRECTION:
                kind = AMPLITUDE
            elif z > 0.0:
                kind = PHASE
                z = z if d >= FIRST_LATER else -z
            else:
                continue
            if abs(z) > abs(best[kind]):
                best[kind], best_r[kind], best_d[kind] = z, r, d
    something_open = False
    for kind in range(_N_TESTED):
        something_open = something_open or row[OPEN + OPEN_SIZE * kind] > 0.0
    if row[TESTED] > 0.0 and not something_open:
        learn_sustained(row, raw, sd, min(1.0, max(0.0, (at - row[TESTED]) / 24.0)))
    row[TESTED] = at

    threshold = p[P_Z_SUSTAINED]
    if has_rhythm and np.isnan(current[ACROPHASE]):
        ceiling = current[CURVE_AMPLITUDE] + current[CURVE_AMPLITUDE_HALF]
        if ceiling < 0.7 * baseline[CURVE_AMPLITUDE] and best[AMPLITUDE] < 0.0:
            best[ARRHYTHMIC], best_r[ARRHYTHMIC] = best[AMPLITUDE], best_r[AMPLITUDE]
            best_d[ARRHYTHMIC] = AMPLITUDE_DIRECTION
    winner = LEVEL
    for kind in (AMPLITUDE, PHASE):
        if abs(best[kind]) > abs(best[winner]):
            winner = kind
    changes = 0
    is_log = p[P_LOG] > 0.0
    recent = np.empty(CURVE_SIZE)
    for kind in range(_N_TESTED):
        o = OPEN + OPEN_SIZE * kind
        z = best[kind]
        sign = 1.0 if z > 0.0 else -1.0
        over = abs(z) > threshold and testable
        if row[o] > 0.0:
            turned = over and sign != row[o + 1]
            if turned or abs(z) < _END_AT * threshold:
                change(row, slot, kind, sign, False, at, z, threshold, live, out[changes])
                changes += 1
            else:
                if abs(z) > abs(row[o + 2]):
                    row[o + 2] = z
                continue
        if not over:
            continue
        r, d = best_r[kind], best_d[kind]
        if kind not in (winner, ARRHYTHMIC):
            rest = conditional_score(projected[r], covariance[r], d, best_d[winner])
            if abs(rest) / sd[r, d] <= threshold:
                continue
        # long windows lag behind: they find small changes, but do not tell their size
        recent_curve(row, p, max(r + 1, CURRENT), at, m, recent)
        size = measure(kind, is_log, baseline, recent, out[changes])
        if kind == LEVEL:
            least = p[P_MIN_LEVEL]
        elif kind == PHASE:
            least = p[P_MIN_PHASE_H]
        else:
            least = p[P_MIN_AMPLITUDE]
        if size < least:
            continue
        change(row, slot, kind, sign, True, at, z, threshold, live, out[changes])
        measure(kind, is_log, baseline, recent, out[changes])
        out[changes, T_N] = weight[r]
        out[changes, T_WINDOW_D] = _HALF_LIVES[max(r + 1, CURRENT)]
        changes += 1
    return changes


# The described curves that this module reads end with the percentile used for their intervals.
assert T90 == CURVE_SIZE - 1
assert EARLIER_4 < FIRST_LATER
