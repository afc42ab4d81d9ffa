"""When a deviation opens and when it ends, for one series.

A deviation opens when its calibrated score exceeds the threshold and its effect is worth telling;
it ends when the score has fallen below half the threshold, so that it does not flicker. When
several kinds exceed the threshold at once (a curve that moved also looks flatter), the strongest
one opens, and another only if its score is still above the threshold after the strongest has
explained what it can.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.compiled import compiled
from processors.deviations.calibration import learn_sustained, sustained_sd
from processors.deviations.effects import (
    EFFECT,
    EFFECT_HIGH,
    EFFECT_LOW,
    EFFECT_SIZE,
    EXPECTED,
    OBSERVED,
    SIZE,
    measure,
)
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
from processors.rhythm.curve import ACROPHASE
from processors.rhythm.curve import AMPLITUDE as CURVE_AMPLITUDE
from processors.rhythm.curve import AMPLITUDE_HALF as CURVE_AMPLITUDE_HALF
from processors.rhythm.layout import (
    CURRENT,
    HALF_LIVES_D,
    JOURNEYS,
    JOURNEYS_SIZE,
    N_DIRECTIONS,
    N_PARAMETERS,
    N_RECENT,
    NEWEST,
    OFFSET_H,
    OPEN,
    OPEN_SIZE,
    P_MIN_AMPLITUDE,
    P_MIN_LEVEL,
    P_MIN_PHASE_H,
    P_RHYTHMIC,
    P_Z_SD,
    P_Z_SUSTAINED,
    SETTLED_AT,
    TESTED,
)
from processors.rhythm.reentrainment import lag_at, settled

Array = NDArray[np.float64]

# Columns of a transition.
T_SLOT, T_KIND, T_SIGN, T_OPENS, T_ONSET, T_TIME = 0, 1, 2, 3, 4, 5  # times in hours
T_Z, T_THRESHOLD, T_EFFECT, T_LOW, T_HIGH, T_N = 6, 7, 8, 9, 10, 11
T_LIVE, T_OBSERVED, T_EXPECTED, T_WINDOW_D, T_SEQUENCE = 12, 13, 14, 15, 16
# Score that is left when the body clock may be elsewhere than expected (absolute value).
T_REST = 17
# How far the body clock is behind, when all will have arrived, and its journeys (`rhythm.layout`).
T_LAG, T_SETTLED, T_JOURNEYS = 18, 19, 20
# Of what stands: the score in its direction, by recent window.
T_WINDOWS = T_JOURNEYS + JOURNEYS_SIZE
TRANSITION_SIZE = T_WINDOWS + N_RECENT

# What a transition is, in T_OPENS: the end of a deviation, its begin, or that it is still there.
ENDS, OPENS, STANDS = 0.0, 1.0, 2.0

_N_TESTED = 4  # level, amplitude, phase, arrhythmic
_END_AT = 0.5  # of the threshold
_LARGEST_LOST = 0.7  # of the baseline's amplitude: what may be left of a rhythm that is lost
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
    write(row, slot, kind, time, z if opens else row[o + 2], threshold, live, out)
    out[T_SIGN] = sign if opens else row[o + 1]
    out[T_OPENS] = OPENS if opens else ENDS
    out[T_ONSET] = time if opens else row[o]
    row[o] = time if opens else 0.0
    row[o + 1] = sign if opens else 0.0
    row[o + 2] = z if opens else 0.0


@compiled
def stand(
    row: Array,
    slot: float,
    kind: int,
    time: float,
    z: float,
    threshold: float,
    live: bool,
    out: Array,
) -> None:
    """Write to out (TRANSITION_SIZE) that an open deviation is still there."""
    o = OPEN + OPEN_SIZE * kind
    write(row, slot, kind, time, z, threshold, live, out)
    out[T_SIGN] = row[o + 1]
    out[T_OPENS] = STANDS
    out[T_ONSET] = row[o]


@compiled
def write(
    row: Array,
    slot: float,
    kind: int,
    time: float,
    z: float,
    threshold: float,
    live: bool,
    out: Array,
) -> None:
    """Write what all transitions have in common to out (TRANSITION_SIZE)."""
    out[:] = np.nan
    out[T_SLOT] = slot
    out[T_KIND] = kind
    out[T_TIME] = time
    out[T_Z] = z
    out[T_THRESHOLD] = threshold
    out[T_LIVE] = 1.0 if live else 0.0
    out[T_LAG] = lag_at(row, max(time, row[NEWEST]), row[OFFSET_H])
    out[T_SETTLED] = row[SETTLED_AT]
    for i in range(JOURNEYS_SIZE):
        out[T_JOURNEYS + i] = row[JOURNEYS + i]


@compiled
def beyond_phase(projected: Array, covariance: Array, d: int) -> float:
    """|z| of direction d after whichever shift of the curve explains most of it."""
    least = abs(score(projected, covariance, d))
    for shift in range(EARLIER_4, N_DIRECTIONS):
        least = min(least, abs(conditional_score(projected, covariance, d, shift)))
    return least


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
    baseline is too young. Opens and ends deviations in the row, writes each change, and of each
    that goes on that it does, to out (k x TRANSITION_SIZE), returns their number.
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
    highest = np.zeros((_N_TESTED, N_RECENT))
    lowest = np.zeros((_N_TESTED, N_RECENT))
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
            highest[kind, r] = max(highest[kind, r], z)
            lowest[kind, r] = min(lowest[kind, r], z)
    something_open = False
    for kind in range(_N_TESTED):
        something_open = something_open or row[OPEN + OPEN_SIZE * kind] > 0.0
    in_step = settled(row, at)
    if row[TESTED] > 0.0 and not something_open and in_step:
        learn_sustained(row, raw, sd, min(1.0, max(0.0, (at - row[TESTED]) / 24.0)))
    row[TESTED] = at

    threshold = p[P_Z_SUSTAINED]
    if has_rhythm and best[AMPLITUDE] < 0.0:
        # Lost is a rhythm that cannot be told from none and was not small before; it is back
        # when the swing is, not when the data just happen to show a phase again.
        swing, usual = current[CURVE_AMPLITUDE], _LARGEST_LOST * baseline[CURVE_AMPLITUDE]
        lost = np.isnan(current[ACROPHASE]) and swing + current[CURVE_AMPLITUDE_HALF] < usual
        if lost or (row[OPEN + OPEN_SIZE * ARRHYTHMIC] > 0.0 and swing < usual):
            best[ARRHYTHMIC], best_r[ARRHYTHMIC] = best[AMPLITUDE], best_r[AMPLITUDE]
            best_d[ARRHYTHMIC] = AMPLITUDE_DIRECTION
            for r in range(N_RECENT):
                lowest[ARRHYTHMIC, r] = lowest[AMPLITUDE, r]
    winner = LEVEL
    for kind in (AMPLITUDE, PHASE):
        if abs(best[kind]) > abs(best[winner]):
            winner = kind
    changes = 0
    effect = np.empty(EFFECT_SIZE)
    for kind in range(_N_TESTED):
        o = OPEN + OPEN_SIZE * kind
        z = best[kind]
        sign = 1.0 if z > 0.0 else -1.0
        over = abs(z) > threshold and testable
        if row[o] > 0.0:
            turned = over and sign != row[o + 1]
            # What speaks for the other direction keeps nothing open: back in step, a person
            # differs from a baseline that has taken the trouble in.
            by_window = highest[kind] if row[o + 1] > 0.0 else lowest[kind]
            support = 0.0
            for r in range(N_RECENT):
                if abs(by_window[r]) > abs(support):
                    support = by_window[r]
            if turned or abs(support) < _END_AT * threshold:
                change(row, slot, kind, sign, False, at, z, threshold, live, out[changes])
                changes += 1
            else:
                if abs(support) > abs(row[o + 2]):
                    row[o + 2] = support
                stand(row, slot, kind, at, support, threshold, live, out[changes])
                for r in range(N_RECENT):
                    out[changes, T_WINDOWS + r] = by_window[r]
                r, d = best_r[kind], best_d[kind]
                if kind == PHASE and not in_step:
                    measure(row, p, kind, d, N_RECENT, at, sd[N_RECENT - 1, d], effect)
                    out[changes, T_EFFECT] = effect[EFFECT]
                    out[changes, T_LOW], out[changes, T_HIGH] = (
                        effect[EFFECT_LOW],
                        effect[EFFECT_HIGH],
                    )
                    out[changes, T_WINDOW_D] = _HALF_LIVES[N_RECENT]
                elif not in_step:
                    rest = beyond_phase(projected[r], covariance[r], d)
                    out[changes, T_REST] = rest / sd[r, d]
                changes += 1
                continue
        if not over:
            continue
        r, d = best_r[kind], best_d[kind]
        if kind not in (winner, ARRHYTHMIC):
            rest = conditional_score(projected[r], covariance[r], d, best_d[winner])
            if abs(rest) / sd[r, d] <= threshold:
                continue
        # long windows lag behind: they find small changes, but do not tell their size
        rate = max(r + 1, CURRENT)
        measure(row, p, kind, d, rate, at, sd[rate - 1, d], effect)
        if kind == LEVEL:
            least = p[P_MIN_LEVEL]
        elif kind == PHASE:
            least = p[P_MIN_PHASE_H]
        else:
            least = p[P_MIN_AMPLITUDE]
        # Too small to tell, or not yet to be seen as what the score says it is: windows of other
        # lengths may hold other news, and half a day's shift goes either way.
        if not sign * effect[SIZE] >= least:  # NaN has no size
            continue
        change(row, slot, kind, sign, True, at, z, threshold, live, out[changes])
        out[changes, T_EFFECT] = effect[EFFECT]
        out[changes, T_LOW], out[changes, T_HIGH] = effect[EFFECT_LOW], effect[EFFECT_HIGH]
        out[changes, T_OBSERVED] = effect[OBSERVED]
        out[changes, T_EXPECTED] = effect[EXPECTED]
        out[changes, T_N] = weight[rate - 1]
        out[changes, T_WINDOW_D] = _HALF_LIVES[rate]
        if not in_step:
            out[changes, T_REST] = beyond_phase(projected[r], covariance[r], d) / sd[r, d]
        changes += 1
    return changes


assert EARLIER_4 < FIRST_LATER
