"""From the catalogue to the numbers that the compiled estimator reads."""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import NDArray

from processors.rhythm.layout import (
    N_PARAMETERS,
    N_PARAMS,
    P_BIN_H,
    P_DECORRELATION_H,
    P_GRACE_H,
    P_LIVE_H,
    P_LOG,
    P_MEAN,
    P_MIN_AMPLITUDE,
    P_MIN_LEVEL,
    P_MIN_PHASE_H,
    P_MIN_RHYTHM,
    P_MISSING_H,
    P_PRECISION,
    P_RHYTHMIC,
    P_SCALE,
    P_SHAPE,
    P_STALE_H,
    P_Z_SD,
)
from schemas.catalogue import Analyte

MEAN_WIDTH_H = 5.0 / 60.0
# An amplitude below this share of the population's is no rhythm to speak of, however significant
# (Cushing's disease: 0.05 against 0.83 relative amplitude in health, design section 4).
_LEAST_RHYTHM = 0.15
# Devices with dense readings send them some at a time.
_DENSE_GRACE_H = 1.0
_STORED = {"all": 0.0, "means": MEAN_WIDTH_H, "none": -1.0}


def estimator_parameters(analyte: Analyte) -> NDArray[np.float64]:
    """The estimator's numbers of one analyte (N_PARAMS), see `layout`; thresholds are left 0."""
    p = np.zeros(N_PARAMS)
    prior = analyte.prior
    residual = prior.residual_sd
    p[P_MEAN : P_MEAN + N_PARAMETERS] = prior.mean()
    p[P_PRECISION : P_PRECISION + N_PARAMETERS] = residual**2 / np.array(prior.sd()) ** 2
    p[P_SHAPE] = 0.5 * prior.residual_strength
    p[P_SCALE] = p[P_SHAPE] * residual**2
    p[P_DECORRELATION_H] = analyte.decorrelation_s / 3600.0
    p[P_LOG] = analyte.scale == "log"
    p[P_Z_SD : P_Z_SD + 3] = analyte.z_sd.level, analyte.z_sd.amplitude, analyte.z_sd.phase
    p[P_MIN_LEVEL] = log(analyte.minimum_effect.level_ratio)
    p[P_MIN_AMPLITUDE] = -log(analyte.minimum_effect.amplitude_ratio)
    p[P_MIN_PHASE_H] = analyte.minimum_effect.phase_h
    p[P_MIN_RHYTHM] = _LEAST_RHYTHM * prior.amplitude
    p[P_LIVE_H] = analyte.live_window_h
    p[P_STALE_H] = analyte.stale_after_h
    p[P_MISSING_H] = analyte.missing_after_h
    p[P_BIN_H] = _STORED[analyte.keep]
    p[P_GRACE_H] = 0.0 if analyte.keep == "all" else _DENSE_GRACE_H
    p[P_RHYTHMIC] = analyte.rhythm not in ("flat", "pulsatile", "cycle")
    return p


def weight(analyte: Analyte, interval_s: float) -> float:
    """Share of one unit of weight of a reading from a source of this sampling interval."""
    return min(1.0, interval_s / analyte.decorrelation_s)
