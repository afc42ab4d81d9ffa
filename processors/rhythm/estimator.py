"""The estimator over one whole recording, without forgetting: what `acrophase fit` reports."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import erfcx

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

# Newton's steps over results beyond the range, each from the last; four to eight are usual.
_MOST_STEPS, _CLOSE = 50, 1e-6
_LEAST = 1e-9


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

    A result beyond the assay's range counts by its likelihood, the probability of lying beyond
    (Tobin, Econometrica 26 (1958) 24-36), expanded to second order about the answer itself: at each
    step it is a reading of such a value and weight as have the same slope and curvature.
    """
    p = estimator_parameters(analyte, prior)
    n_readings = len(values)
    rows = np.empty((n_readings, N_MOMENTS))
    y, extra = np.zeros(n_readings), np.zeros(n_readings)
    weights = np.array([weight(analyte, spacing) for spacing in spacing_s.tolist()])
    for i, (hour, value) in enumerate(zip(clock_hours.tolist(), values.tolist(), strict=True)):
        harmonics(hour, rows[i])
        y[i] = analyte.to_model(value)
    beyond = np.flatnonzero(comparators)
    limits, sides = y[beyond], comparators[beyond].astype(np.float64)
    for i in beyond.tolist():
        comparator = "<" if comparators[i] < 0 else ">"
        y[i], extra[i] = censored(analyte, float(clock_hours[i]), float(values[i]), comparator)
    lower = np.empty((N_PARAMETERS, N_PARAMETERS))
    g = np.empty(N_PARAMETERS)
    variance, df, n = _posterior(p, rows, y, extra, weights, lower, g)
    # By the person's own curve, where `censored` has the population's: of a single recording no
    # order of arrival has to be kept.
    own = weights.copy()
    means = rows[beyond, :N_PARAMETERS] @ _mean(lower, g)
    for _ in range(_MOST_STEPS if beyond.size else 0):
        sd = sqrt(variance)
        # > 0 where the limit lies on the far side of the curve's expectation.
        a = -sides * (limits - means) / sd
        hazard = sqrt(2.0 / pi) / erfcx(-a / sqrt(2.0))
        pull = np.maximum(hazard + a, _LEAST)
        y[beyond] = means + sides * sd / pull
        own[beyond] = weights[beyond] * np.clip(hazard * pull, _LEAST, 1.0)
        extra[beyond] = variance * (hazard / pull - 1.0 / pull**2)
        variance, df, n = _posterior(p, rows, y, extra, own, lower, g)
        last, means = means, rows[beyond, :N_PARAMETERS] @ _mean(lower, g)
        if float(np.abs(means - last).max()) < _CLOSE * sd:
            break
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


def _posterior(
    p: NDArray[np.float64],
    rows: NDArray[np.float64],
    y: NDArray[np.float64],
    extra: NDArray[np.float64],
    weights: NDArray[np.float64],
    lower: NDArray[np.float64],
    g: NDArray[np.float64],
) -> tuple[float, float, float]:
    """`posterior.solve` of readings that are all of one time: nothing is forgotten."""
    row = empty_row(0.0)
    for e, value, variance, share in zip(
        rows, y.tolist(), extra.tolist(), weights.tolist(), strict=True
    ):
        fold(row, 0.0, e, value, variance, share)
    return solve(row, p, BASELINE, 0.0, lower, g)


def _mean(lower: NDArray[np.float64], g: NDArray[np.float64]) -> NDArray[np.float64]:
    """The coefficients' posterior mean (5), as `posterior.solve` leaves it."""
    # Only the lower triangle is filled.
    return np.asarray(np.linalg.solve(np.tril(lower).T, g))
