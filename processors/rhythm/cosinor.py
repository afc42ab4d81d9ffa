"""Ordinary least-squares cosinor with one or two components.

    y = M + sum over k of beta_k cos(k w t) + gamma_k sin(k w t) + e,   w = 2 pi / period

The phase is given twice, because readers of other tools expect either:

- ``acrophase``: clock time of the first harmonic's maximum, hours in [0, period);
- ``acrophase_radians``: phi of ``y = M + A cos(w t + phi)``, in (-pi, pi]. An earlier peak has a
  larger phi: ``acrophase = (-phi / w) mod period``.

Sources: Nelson, Tong, Lee & Halberg, Methods for cosinor-rhythmometry, Chronobiologia 6 (1979)
305-323; Cornelissen, Cosinor-based rhythmometry, Theor Biol Med Model 11 (2014) 16
(doi:10.1186/1742-4682-11-16): model, zero-amplitude F test, standard errors by the delta method.

Data that do not carry a fit are answered with a status and a sentence, never with NaN. A result
below an assay's limit has no place in least squares: at its limit it flattens the curve, and the
intervals do not hold. `estimator.fit_posterior` takes it for what it is. Replicates at one time are
data, each with an error of its own; the same reading sent twice is for the caller to leave out.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import fdtrc, stdtrit

from processors.rhythm.waveform import Floats, design, extreme, wrapped

# The joint region of a harmonic's two coefficients, and with it the zero-amplitude test, is read
# at the level that rhythmometry uses (Cornelissen 2014).
ALPHA = 0.05

# Least share of the period that the samples must span in time, and least share of the cycle that
# their clock times must span: series over many days may leave the nights out. With even samples
# over half the cycle the mesor's standard error is 2.3 times that over all of it (two harmonics:
# 9.4 times); over a third of it, 5.7 and 59 times, which is extrapolation.
LEAST_SPAN = 2 / 3
LEAST_CYCLE = 1 / 2

# Larger times are another unit (milliseconds, say); larger values overflow when squared.
MOST_HOURS = 1e8
MOST_VALUE = 1e100

# Clock times closer than this share of the period are the same; a design with a smaller ratio of
# singular values is one whose clock times are nearly so.
SAME_PHASE = 1e-9
LEAST_SINGULAR = 1e-6

# Values that differ by less have squares too small for a number.
LEAST_SWING = 1e-100


class FitStatus(StrEnum):
    """Whether the data carried a fit, and if not, why not."""

    FITTED = "fitted"
    NO_RHYTHM = "no-rhythm"  # fitted, but the first harmonic may be zero: no acrophase
    NOT_FINITE = "not-finite"
    TOO_FEW = "too-few-samples"
    SHORT_SPAN = "short-span"
    SAME_TIMES = "same-times"
    CONSTANT = "constant-values"
    # Not of `fit_cosinor`, which sees numbers: of those who know that most of them are limits.
    CENSORED = "censored"


class Cosinor(BaseModel):
    """A least-squares cosinor. Numbers are null where the data do not carry them.

    "Value unit" is the unit of the values that were fitted; where their logarithms were, it is
    natural-log units.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    status: FitStatus = Field(description="Whether the data carried a fit.")
    reason: str | None = Field(
        default=None, description="One sentence: why there is no fit, or no acrophase."
    )
    n: int = Field(description="Samples.")
    period: float = Field(description="Period of the first harmonic, hours.")
    components: int = Field(description="Number of harmonics: 1, or 2 (period and half period).")
    mesor: float | None = Field(default=None, description="Midline M of the curve, value unit.")
    mesor_se: float | None = Field(default=None, description="Standard error, value unit.")
    amplitude: float | None = Field(
        default=None, description="Amplitude A of the first harmonic, value unit."
    )
    amplitude_se: float | None = Field(
        default=None,
        description="Standard error (delta method), value unit; at an amplitude of exactly zero, "
        "where that method has no direction, the largest over all directions.",
    )
    acrophase: float | None = Field(
        default=None,
        description="Peak clock time of the first harmonic, hours [0, period); null if the joint "
        "95 % region of its coefficients contains zero.",
    )
    acrophase_se: float | None = Field(
        default=None, description="Standard error (delta method), hours."
    )
    acrophase_radians: float | None = Field(
        default=None, description="phi of y = M + A cos(w t + phi), radians (-pi, pi]."
    )
    acrophase_radians_se: float | None = Field(
        default=None, description="Standard error (delta method), radians."
    )
    peak: float | None = Field(
        default=None,
        description="Clock time of the full curve's maximum, hours [0, period); null if the "
        "zero-amplitude test does not reject.",
    )
    peak_se: float | None = Field(
        default=None,
        description="Standard error (delta method), hours; null for a top too flat to place.",
    )
    peak_value: float | None = Field(default=None, description="The curve's maximum, value unit.")
    trough: float | None = Field(
        default=None, description="Clock time of the full curve's minimum, as `peak`."
    )
    trough_se: float | None = Field(default=None, description="As `peak_se`.")
    trough_value: float | None = Field(default=None, description="The curve's minimum, value unit.")
    f: float | None = Field(
        default=None, description="F of the zero-amplitude test of all harmonics together."
    )
    df_model: int | None = Field(default=None, description="Its numerator's degrees of freedom.")
    df_residual: int | None = Field(
        default=None, description="Its denominator's degrees of freedom, n - 2 components - 1."
    )
    p: float | None = Field(default=None, description="Probability of such an F without rhythm.")
    r_squared: float | None = Field(
        default=None, description="Share 0..1 of the variance explained (percent rhythm / 100)."
    )
    residual_sd: float | None = Field(
        default=None, description="Residual standard deviation on df_residual, value unit."
    )
    coefficients: tuple[float, ...] = Field(
        default=(), description="M, beta_1, gamma_1[, beta_2, gamma_2], value unit; empty: no fit."
    )
    covariance: tuple[tuple[float, ...], ...] = Field(
        default=(), description="Covariance of the coefficients, value unit squared."
    )

    def curve(self, hours: ArrayLike) -> Floats:
        """The fitted curve at clock hours of any shape, in the values' unit.

        Raises ``ValueError`` if there was no fit.
        """
        if not self.coefficients:
            raise ValueError(f"there is no fitted curve: {self.reason}")
        rows = design(hours, period=self.period, components=self.components)
        return np.asarray(rows @ np.asarray(self.coefficients))

    def band(self, hours: ArrayLike, *, level: float = 0.9) -> tuple[Floats, Floats]:
        """Pointwise confidence limits (low, high) of the curve's mean at clock hours.

        Raises ``ValueError`` if there was no fit.
        """
        middle = self.curve(hours)
        assert self.df_residual is not None
        rows = design(hours, period=self.period, components=self.components)
        variance = np.einsum("...i,ij,...j->...", rows, np.asarray(self.covariance), rows)
        half = float(stdtrit(self.df_residual, 0.5 + level / 2)) * np.sqrt(variance.clip(0))
        return middle - half, middle + half


def fit_cosinor(
    hours: ArrayLike,
    values: ArrayLike,
    *,
    period: float = 24.0,
    components: Literal[1, 2] = 1,
) -> Cosinor:
    """Fit a cosinor by ordinary least squares.

    ``hours``, shape (n,): hours since a local midnight; they may run over many days, in any
    order. ``values``, shape (n,): one a time. For the log scale pass logarithms.

    Raises ``ValueError`` for arrays that are not of one length, a period that is not positive and
    another number of components. What is wrong with the data themselves is told in the result.

    >>> hours = np.arange(24.0)
    >>> fit = fit_cosinor(hours, 10 + 3 * np.cos(2 * np.pi * (hours - 8.5) / 24))
    >>> round(fit.mesor, 6), round(fit.amplitude, 6), round(fit.acrophase, 6)
    (10.0, 3.0, 8.5)
    """
    t = np.asarray(hours, dtype=np.float64)
    y = np.asarray(values, dtype=np.float64)
    if t.ndim != 1 or t.shape != y.shape:
        raise ValueError(
            f"hours and values must be columns of one length, not {t.shape}, {y.shape}"
        )
    if not (math.isfinite(period) and period > 0):
        raise ValueError(f"the period must be a positive number of hours, not {period}")
    if components not in (1, 2):
        raise ValueError(f"components must be 1 or 2, not {components}")
    n = t.size

    def refused(status: FitStatus, reason: str) -> Cosinor:
        return Cosinor(status=status, reason=reason, n=n, period=period, components=components)

    trouble = _trouble(t, y, period, components)
    if trouble is not None:
        return refused(*trouble)

    rows = design(t, period=period, components=components)
    left, singular, right = np.linalg.svd(rows, full_matrices=False)
    if singular[-1] < LEAST_SINGULAR * singular[0]:
        return refused(
            FitStatus.SAME_TIMES,
            f"The samples lie at too few different clock times for {_harmonics(components)}.",
        )

    # Around their mean the values lose no digits when they are squared.
    centre = float(y.mean())
    deviations = y - centre
    theta = right.T @ ((left.T @ deviations) / singular)
    residuals = deviations - rows @ theta
    df_model, df_residual = 2 * components, n - 2 * components - 1
    # Residuals below the rounding of the values themselves are not evidence of a better fit.
    rounding = n * (np.finfo(np.float64).eps * float(np.abs(y).max())) ** 2
    rss = max(float(residuals @ residuals), rounding)
    mss = max(float(deviations @ deviations) - rss, 0.0)
    variance = rss / df_residual
    covariance = (right.T / singular**2) @ right * variance
    theta[0] += centre

    f = mss / df_model / variance
    p = float(fdtrc(df_model, df_residual, f))
    amplitude, amplitude_se = _amplitude(theta[1:3], covariance[1:3, 1:3])
    first_f = float(theta[1:3] @ np.linalg.solve(covariance[1:3, 1:3], theta[1:3])) / 2
    first_p = float(fdtrc(2, df_residual, first_f))
    return Cosinor(
        status=FitStatus.FITTED if first_p < ALPHA else FitStatus.NO_RHYTHM,
        reason=None if first_p < ALPHA else _no_rhythm(period, first_p, p),
        n=n,
        period=period,
        components=components,
        mesor=float(theta[0]),
        mesor_se=math.sqrt(covariance[0, 0]),
        amplitude=amplitude,
        amplitude_se=amplitude_se,
        **(_acrophase(theta[1:3], covariance[1:3, 1:3], period) if first_p < ALPHA else {}),
        **(_extremes(theta, covariance, period) if p < ALPHA else {}),
        f=f,
        df_model=df_model,
        df_residual=df_residual,
        p=p,
        r_squared=mss / (mss + rss),
        residual_sd=math.sqrt(variance),
        coefficients=tuple(theta.tolist()),
        covariance=tuple(tuple(row) for row in covariance.tolist()),
    )


def _trouble(t: Floats, y: Floats, period: float, components: int) -> tuple[FitStatus, str] | None:
    """What forbids a fit, in the order in which a person would want to hear it."""
    n = t.size
    # Comparisons with NaN are false, so NaN and infinity both count here.
    unusable = n - int(((np.abs(t) <= MOST_HOURS) & (np.abs(y) <= MOST_VALUE)).sum())
    if unusable:
        return FitStatus.NOT_FINITE, (
            f"{unusable} of {n} samples have a time or value that is not a finite number of a "
            "usable size; leave absent values out."
        )
    least = 2 * components + 2
    if n < least:
        return FitStatus.TOO_FEW, (
            f"{_harmonics(components).capitalize()} with statistics need at least {least} samples, "
            f"and there are {n}."
        )
    phases = np.unique(np.round(np.remainder(t / period, 1.0) / SAME_PHASE) % (1 / SAME_PHASE))
    phases *= SAME_PHASE
    if phases.size < 2 * components + 1:
        return FitStatus.SAME_TIMES, (
            f"The samples lie at {phases.size} different clock time{'s'[: phases.size > 1]}, and "
            f"{_harmonics(components)} need at least {2 * components + 1}."
        )
    span = float(np.ptp(t))
    if span < LEAST_SPAN * period:
        return FitStatus.SHORT_SPAN, (
            f"The samples span {span:.1f} hours, and a period of {period:g} hours needs at least "
            f"{LEAST_SPAN * period:.1f}."
        )
    gaps = np.diff(phases, append=phases[0] + 1.0)
    cycle = 1.0 - float(gaps.max())
    if cycle < LEAST_CYCLE:
        return FitStatus.SHORT_SPAN, (
            f"The samples lie within {cycle * period:.1f} of the cycle's {period:g} hours, and a "
            f"curve over all of it needs at least {LEAST_CYCLE * period:.1f}."
        )
    # Values that differ by the rounding of a float only are constant.
    rounding = 8 * np.finfo(np.float64).eps * float(np.abs(y).max())
    if float(np.ptp(y)) <= max(rounding, LEAST_SWING):
        return FitStatus.CONSTANT, "All values are the same, so there is no rhythm to fit."
    return None


def _harmonics(components: int) -> str:
    return "one harmonic" if components == 1 else "two harmonics"


def _no_rhythm(period: float, first_p: float, p: float) -> str:
    sentence = (
        f"The joint 95 % confidence region of the {period:g}-hour harmonic contains zero "
        f"(p = {first_p:.2g}), so there is no acrophase to report"
    )
    return (
        f"{sentence}; the curve as a whole is a rhythm (p = {p:.2g})."
        if p < ALPHA
        else (f"{sentence}.")
    )


def _amplitude(harmonic: Floats, covariance: Floats) -> tuple[float, float]:
    """A = |(beta, gamma)|, and its standard error along that direction."""
    amplitude = math.hypot(*harmonic)
    if amplitude == 0.0:
        return 0.0, math.sqrt(float(np.linalg.eigvalsh(covariance)[-1]))
    direction = harmonic / amplitude
    return amplitude, math.sqrt(max(float(direction @ covariance @ direction), 0.0))


def _acrophase(harmonic: Floats, covariance: Floats, period: float) -> dict[str, float]:
    """Phase and its standard error, across the harmonic's direction."""
    beta, gamma = map(float, harmonic)
    amplitude = math.hypot(beta, gamma)
    across = np.array([-gamma, beta]) / amplitude
    radians_se = math.sqrt(max(float(across @ covariance @ across), 0.0)) / amplitude
    hours_per_radian = period / (2 * math.pi)
    phi = math.atan2(-gamma, beta)
    return {
        "acrophase": wrapped(math.atan2(gamma, beta) * hours_per_radian, period),
        "acrophase_se": radians_se * hours_per_radian,
        # atan2 gives -pi for a negative zero.
        "acrophase_radians": phi if phi > -math.pi else math.pi,
        "acrophase_radians_se": radians_se,
    }


def _extremes(theta: Floats, covariance: Floats, period: float) -> dict[str, float | None]:
    """Maximum and minimum of the full curve: where, how sure, how high."""
    result: dict[str, float | None] = {}
    for name, sign in (("peak", 1.0), ("trough", -1.0)):
        place = extreme(theta, covariance, period, sign)
        result[name] = place.hour
        result[f"{name}_se"] = place.se(covariance)
        result[f"{name}_value"] = place.value
    return result
