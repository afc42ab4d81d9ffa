"""The estimator over one whole recording, without forgetting: what `acrophase fit` reports."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from processors.rhythm.censoring import censored
from processors.rhythm.curve import (
    ACROPHASE,
    ACROPHASE_HALF,
    AMPLITUDE,
    AMPLITUDE_HALF,
    CURVE_SIZE,
    MESOR,
    MESOR_HALF,
    N_EFFECTIVE,
    PEAK,
    PEAK_HALF,
    PEAK_VALUE,
    RESIDUAL_SD,
    TROUGH,
    TROUGH_HALF,
    TROUGH_VALUE,
    describe,
)
from processors.rhythm.layout import BASELINE, N_MOMENTS, N_PARAMETERS, P_MIN_RHYTHM
from processors.rhythm.moments import harmonics
from processors.rhythm.parameters import estimator_parameters, weight
from processors.rhythm.posterior import solve
from processors.rhythm.student import Z95, t_quantile
from processors.rhythm.sums import empty_row, fold
from schemas.catalogue import Analyte
from schemas.priors import Prior

Interval = tuple[float, float]


class Posterior(BaseModel):
    """Posterior of one recording; every interval is a 90 % interval."""

    model_config = ConfigDict(frozen=True)

    mesor: float = Field(description="Midline, analyte's unit (log scale: geometric).")
    mesor_interval: Interval = Field(description="90 % interval, analyte's unit.")
    amplitude: float = Field(
        description="Of the 24-h harmonic: analyte's unit, or natural-log units on the log scale."
    )
    amplitude_interval: Interval = Field(description="90 % interval, same unit.")
    acrophase: float | None = Field(
        description="Peak clock time of the 24-h harmonic, hours [0, 24); null if the data show "
        "no rhythm."
    )
    acrophase_interval: Interval | None = Field(description="90 % interval, hours, not wrapped.")
    peak: float | None = Field(description="Clock time of the full curve's maximum, hours.")
    peak_interval: Interval | None = Field(description="90 % interval, hours, not wrapped.")
    peak_value: float = Field(description="The curve's maximum, analyte's unit.")
    trough: float | None = Field(description="Clock time of the full curve's minimum, hours.")
    trough_interval: Interval | None = Field(description="90 % interval, hours, not wrapped.")
    trough_value: float = Field(description="The curve's minimum, analyte's unit.")
    residual_sd: float = Field(description="Spread about the curve, model scale.")
    n_effective: float = Field(
        description="Readings, those closer than the decorrelation time sharing one unit."
    )


def fit_posterior(
    analyte: Analyte,
    clock_hours: NDArray[np.float64],
    values: NDArray[np.float64],
    spacing_s: NDArray[np.float64],
    *,
    comparators: NDArray[np.int8],
    prior: Prior | None = None,
) -> Posterior:
    """Posterior of the analyte's rhythm given one recording.

    clock_hours: local clock hours (n); values: analyte's unit (n), above 0 on the log scale;
    spacing_s: seconds that each stands for, i.e. how far apart they are there (n); comparators:
    -1 where the result was '<' the value, 1 where it was '>', 0 elsewhere (n); prior: of people
    like this one, everybody's if left out.
    """
    p = estimator_parameters(analyte, prior)
    row = empty_row(0.0)
    e = np.empty(N_MOMENTS)
    columns = (clock_hours, values, spacing_s, comparators)
    for hour, value, spacing, beyond in zip(*(c.tolist() for c in columns), strict=True):
        if beyond:
            y, variance = censored(analyte, hour, value, "<" if beyond < 0 else ">")
        else:
            y, variance = analyte.to_model(value), 0.0
        harmonics(hour, e)
        # all at one time: nothing is forgotten
        fold(row, 0.0, e, y, variance, weight(analyte, spacing))
    lower = np.empty((N_PARAMETERS, N_PARAMETERS))
    g = np.empty(N_PARAMETERS)
    variance, df, n = solve(row, p, BASELINE, 0.0, lower, g)
    out = np.empty(CURVE_SIZE)
    m = np.empty(N_PARAMETERS)
    describe(lower, g, variance, df, n, t_quantile(Z95, df), p[P_MIN_RHYTHM], m, out)

    def around(at: int, half: int) -> Interval | None:
        if np.isnan(out[at]):
            return None
        return float(out[at] - out[half]), float(out[at] + out[half])

    def time(at: int) -> float | None:
        return None if np.isnan(out[at]) else float(out[at])

    centre, half = float(out[MESOR]), float(out[MESOR_HALF])
    swing, swing_half = float(out[AMPLITUDE]), float(out[AMPLITUDE_HALF])
    return Posterior(
        mesor=analyte.from_model(centre),
        mesor_interval=(analyte.from_model(centre - half), analyte.from_model(centre + half)),
        amplitude=swing,
        amplitude_interval=(max(0.0, swing - swing_half), swing + swing_half),
        acrophase=time(ACROPHASE),
        acrophase_interval=around(ACROPHASE, ACROPHASE_HALF),
        peak=time(PEAK),
        peak_interval=around(PEAK, PEAK_HALF),
        peak_value=analyte.from_model(float(out[PEAK_VALUE])),
        trough=time(TROUGH),
        trough_interval=around(TROUGH, TROUGH_HALF),
        trough_value=analyte.from_model(float(out[TROUGH_VALUE])),
        residual_sd=float(out[RESIDUAL_SD]),
        n_effective=float(out[N_EFFECTIVE]),
    )
