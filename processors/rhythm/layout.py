"""The state of one series as one row of float64 numbers, and the constants it is judged by.

A row is all that the estimator remembers of a series (subject x analyte); `BYTES_PER_SERIES`
counts it together with the means of the last 48 half hours, kept in two arrays beside it.

Times are hours since 1970-01-01 UTC. The sums are relative to `T_REF`: a reading at time t enters
with weight w * exp(rate * (t - T_REF)), so to look at them at time T they are scaled by
exp(-rate * (T - T_REF)). That makes the sums independent of the order of arrival.
"""

from __future__ import annotations

from typing import Final

import numpy as np

PERIOD_H: Final = 24.0
OMEGA: Final = 2.0 * np.pi / PERIOD_H

# Half-lives of forgetting, in days: the person's baseline first, then the recent windows that
# the sustained tests compare with it. `CURRENT` is the one published as the rhythm of now.
HALF_LIVES_D: Final = (28.0, 10.0, 3.0, 1.0)
RATES: Final = tuple(float(np.log(2.0) / (24.0 * days)) for days in HALF_LIVES_D)
N_RATES: Final = 4
N_RECENT: Final = 3
BASELINE: Final = 0
CURRENT: Final = 2

N_PARAMETERS: Final = 5  # mesor, cos and sin of 24 h, cos and sin of 12 h
N_MOMENTS: Final = 9  # 1, cos k, sin k for k = 1..4: all products of the five
SUM_SIZE: Final = N_MOMENTS + N_PARAMETERS + 1  # moments of w, of w*y, and w*y^2
N_PAIRS: Final = 1 + 2 * N_RECENT  # products of weights: bb, then rr and rb of each recent rate

# Directions of the sustained test, see processors.deviations.sustained.
N_DIRECTIONS: Final = 6

# --- columns of a row ------------------------------------------------------------------------
T_REF: Final = 0
NEWEST: Final = 1  # collection time of the newest reading
N_READINGS: Final = 2
N_DAYS: Final = 3  # local days with a reading
LAST_DAY: Final = 4  # newest local day, days since 1970
OFFSET_H: Final = 5  # local clock minus UTC of the newest reading, hours
HALF: Final = 6  # index of the open half hour; -1 before the first reading
TESTED: Final = 7  # time of the last sustained test, 0 = never
FRESH: Final = 8  # readings since the last closed half hour
MAX_GAP_H: Final = 9  # longest usual pause between readings, slowly forgotten
N_LIVE: Final = 10  # readings that arrived live
MISSING_SINCE: Final = 11  # event time from which the series counts as silent; 0 = it is not
STALE: Final = 12  # 1 if the newest reading came stale, or has been published as stale since
LIVE: Final = 13  # 1 if the newest record's reading arrived live
BIN: Final = 14  # open five-minute bin: index, sum, count, lowest, highest
BIN_SUM: Final = 15
BIN_N: Final = 16
BIN_LOW: Final = 17
BIN_HIGH: Final = 18
# Open deviations: for each kind of `deviations.kinds` its onset (0 = none), signed direction and
# largest score so far.
OPEN: Final = 19
OPEN_SIZE: Final = 3
N_OPEN_KINDS: Final = 5
MASKS: Final = OPEN + OPEN_SIZE * N_OPEN_KINDS  # hours of the day measured, one mask a local day
N_MASKS: Final = 7
# Running second moments of the sustained scores, and of single readings' scores.
CAL_DAYS: Final = MASKS + N_MASKS
CAL: Final = CAL_DAYS + 1
CAL_OUTLIER_N: Final = CAL + N_RECENT * N_DIRECTIONS
CAL_OUTLIER: Final = CAL_OUTLIER_N + 1
# Percentiles of single readings as learnt from the person: the number of readings they rest on,
# and how far the score of each lies from the standard normal's.
QUANTILE_N: Final = CAL_OUTLIER + 1
QUANTILES: Final = QUANTILE_N + 1
N_QUANTILES: Final = 5  # 5, 25, 50, 75 and 95 %
# The body clock, see processors.rhythm.reentrainment. Times are 0 before the first journey.
LAG_AT: Final = QUANTILES + N_QUANTILES  # time of the newest journey
LAG_H: Final = LAG_AT + 1  # hours that the body clock was behind just after it
HOME_UNTIL: Final = LAG_H + 1  # newest reading before it
SETTLED_AT: Final = HOME_UNTIL + 1  # when all but the slowest clocks have arrived
# Of the newest journeys, newest first: time (0 = none), change of the wall clock in hours.
JOURNEYS: Final = SETTLED_AT + 1
N_JOURNEYS: Final = 4
JOURNEYS_SIZE: Final = 2 * N_JOURNEYS
SUMS: Final = JOURNEYS + JOURNEYS_SIZE
PAIRS: Final = SUMS + N_RATES * SUM_SIZE
ROW_SIZE: Final = PAIRS + N_PAIRS * N_MOMENTS

HALF_HOURS: Final = 48  # half hours whose means are kept
BYTES_PER_SERIES: Final = ROW_SIZE * 8 + HALF_HOURS * (4 + 2)

# --- columns of an analyte's parameters (one row an analyte, `processors.engine.parameters`) ---
P_MEAN: Final = 0  # prior mean of the five coefficients, model scale
P_PRECISION: Final = 5  # prior precision of each over 1/residual variance
P_SHAPE: Final = 10  # inverse-gamma shape and scale of the residual variance
P_SCALE: Final = 11
P_DECORRELATION_H: Final = 12
P_LOG: Final = 13  # 1 if the model is of the natural logarithm
P_Z_SD: Final = 14  # prior SD of the raw sustained score: level, amplitude, phase
P_MIN_LEVEL: Final = 17  # smallest level change worth telling: |ln ratio|
P_MIN_AMPLITUDE: Final = 18  # the same for amplitude: |ln ratio|
P_MIN_PHASE_H: Final = 19
P_MIN_RHYTHM: Final = 20  # amplitude below which there is no rhythm to speak of, model scale
P_LIVE_H: Final = 21
P_STALE_H: Final = 22
P_MISSING_H: Final = 23
P_BIN_H: Final = 24  # width of a stored mean; 0 = every reading is stored, < 0 = none
P_OUTLIER_GATE: Final = 25  # smallest outlier worth telling, model scale (reference change value)
P_Z_OUTLIER: Final = 26  # score that a single reading must exceed
P_Z_SUSTAINED: Final = 27  # score that a sustained change must exceed
P_RHYTHMIC: Final = 28  # 1 if a 24-hour rhythm is expected at all
P_GRACE_H: Final = 29  # how long readings are waited for before a half hour closes by itself
N_PARAMS: Final = 30
