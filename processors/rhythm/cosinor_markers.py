"""The markers of a least-squares cosinor, each with its 90 % interval, or why there is none.

Mesor, amplitude, acrophase, percent rhythm; of the full curve: peak, trough, hours above mesor and
skew. Amplitude and acrophase have the delta method's limits, or those of the joint ellipse
(`cosinor_limits`). Percent rhythm is R²; its limits are exact: those noncentralities of F are in
the interval under which the F at hand is neither too large nor too small.

Skew is the share of the period by which the fall from peak to trough takes longer than the rise
from trough to peak: 0 for a plain cosine, positive for a wave that rises fast and falls slowly
(cortisol), in (-1, 1).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy.special import chdtri, ncfdtr

from processors.rhythm.cosinor import Cosinor
from processors.rhythm.cosinor_limits import (
    Interval,
    acrophase_support,
    amplitude_support,
    delta_limits,
    joint_radius_squared,
)
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.marker_text import CLOCK, measured
from processors.rhythm.waveform import extreme, hours_above_mesor

_COSINOR = "least-squares cosinor (Cornelissen 2014)"
_METHODS = {
    "delta": f"{_COSINOR}, delta method",
    "ellipse": f"{_COSINOR}, joint confidence ellipse (Nelson et al. 1979)",
}
# Beyond it the noncentral F loses its digits, and chance in the numerator no longer counts.
_MOST_NONCENTRALITY = 1e6


def cosinor_markers(
    fit: Cosinor,
    unit: str,
    *,
    limits: Literal["delta", "ellipse"] = "delta",
) -> tuple[Marker, ...]:
    """Mesor, amplitude, acrophase, percent rhythm, peak, trough, hours above mesor, skew.

    `unit`: UCUM unit of what was fitted ("1" for logarithms).

    >>> from processors.rhythm.cosinor import fit_cosinor
    >>> hours = np.arange(24.0)
    >>> noise = np.random.default_rng(1).normal(0, 1, 24)
    >>> fit = fit_cosinor(hours, 10 + 5 * np.cos(2 * np.pi * (hours - 8) / 24) + noise)
    >>> markers = {m.name: m for m in cosinor_markers(fit, "ug/dL")}
    >>> markers["acrophase"].sentence
    'The 24-hour acrophase is 07:47 (90 % interval 07:33 to 08:02).'
    >>> markers["wave-skew"].status
    'withheld'
    """
    return (
        _mesor(fit, unit),
        _amplitude(fit, unit, limits),
        _acrophase(fit, limits),
        _percent_rhythm(fit),
        _extreme(fit, "peak"),
        _extreme(fit, "trough"),
        _hours_above(fit),
        _skew(fit),
    )


def _mesor(fit: Cosinor, unit: str) -> Marker:
    if fit.mesor is None or fit.mesor_se is None:
        return _no_fit("mesor", unit, fit)
    interval = delta_limits(fit.mesor, fit.mesor_se, _df(fit))
    return measured("mesor", unit, fit.n, fit.mesor, interval, _COSINOR, "The mesor is")


def _amplitude(fit: Cosinor, unit: str, limits: Literal["delta", "ellipse"]) -> Marker:
    if fit.amplitude is None or fit.amplitude_se is None:
        return _no_fit("amplitude", unit, fit)
    lead = f"The amplitude of the {fit.period:g}-hour harmonic is"
    # Where the amplitude may be zero the delta method has no direction to go by.
    if limits == "ellipse" or fit.acrophase is None:
        theta, covariance = _first_harmonic(fit)
        interval = amplitude_support(theta, covariance, joint_radius_squared(_df(fit)))
        note = ", and may be none at all" if interval.low == 0.0 else ""
        method = _METHODS["ellipse"]
        return measured("amplitude", unit, fit.n, fit.amplitude, interval, method, lead, note)
    interval = delta_limits(fit.amplitude, fit.amplitude_se, _df(fit), least=0.0)
    return measured("amplitude", unit, fit.n, fit.amplitude, interval, _METHODS["delta"], lead)


def _acrophase(fit: Cosinor, limits: Literal["delta", "ellipse"]) -> Marker:
    unit, method = _hour_unit(fit), _METHODS[limits]
    if fit.acrophase is None or fit.acrophase_se is None:
        return _no_fit("acrophase", unit, fit, method)
    interval = delta_limits(fit.acrophase, fit.acrophase_se, _df(fit))
    if limits == "ellipse":
        theta, covariance = _first_harmonic(fit)
        angles = acrophase_support(theta, covariance, joint_radius_squared(_df(fit)))
        assert angles is not None  # smaller than the 95 % region that the fit's acrophase needs
        hours = fit.period / (2 * math.pi)
        interval = Interval(fit.acrophase + angles.low * hours, fit.acrophase + angles.high * hours)
    lead = f"The {fit.period:g}-hour acrophase is"
    return measured("acrophase", unit, fit.n, fit.acrophase, interval, method, lead)


def _percent_rhythm(fit: Cosinor) -> Marker:
    method = f"{_COSINOR}, R², noncentral F"
    if fit.r_squared is None or fit.f is None or fit.df_model is None or fit.p is None:
        return _no_fit("percent-rhythm", "%", fit, method)
    shares = [
        noncentrality / (noncentrality + fit.n)
        for noncentrality in (
            _noncentrality(fit.f, fit.df_model, _df(fit), p) for p in (0.95, 0.05)
        )
    ]
    interval = 100 * min(shares[0], fit.r_squared), 100 * max(shares[1], fit.r_squared)
    note = f"; zero-amplitude test F = {fit.f:.4g}, p = {fit.p:.2g}"
    lead = "The share of the variance that the curve explains is"
    value = 100 * fit.r_squared
    return measured("percent-rhythm", "%", fit.n, value, interval, method, lead, note)


def _noncentrality(f: float, df_model: float, df: float, probability: float) -> float:
    """The noncentrality (>= 0) at which such an F or a smaller one has that probability."""
    if ncfdtr(df_model, df, 0.0, f) <= probability:
        return 0.0
    if f * df_model > _MOST_NONCENTRALITY:
        # The numerator's chance is gone; what is left is the residual variance's, chi-squared.
        return float(f * df_model * chdtri(df, probability) / df)
    low, high = 0.0, f * df_model + 1.0
    while ncfdtr(df_model, df, high, f) > probability:
        high *= 2.0
    for _ in range(60):
        middle = (low + high) / 2
        if ncfdtr(df_model, df, middle, f) > probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _extreme(fit: Cosinor, name: Literal["peak", "trough"]) -> Marker:
    unit, method = _hour_unit(fit), f"{_COSINOR}, full curve, delta method"
    hour, se = (fit.peak, fit.peak_se) if name == "peak" else (fit.trough, fit.trough_se)
    if hour is None:
        return _no_fit(name, unit, fit, method)
    if se is None:
        return _withheld_place(name, unit, fit, method)
    interval = delta_limits(hour, se, _df(fit))
    return measured(name, unit, fit.n, hour, interval, method, f"The curve's {name} is at")


def _hours_above(fit: Cosinor) -> Marker:
    name, method = "hours-above-mesor", f"{_COSINOR}, full curve, delta method"
    if fit.peak is None:
        return _no_fit(name, "h", fit, method)
    if fit.components == 1:
        return _by_construction(name, "h", fit, method, "above its mesor for half of the period")
    theta, covariance = _all(fit)
    above = hours_above_mesor(theta, covariance, fit.period)
    if above.gradient is None:
        sentence = (
            "The curve only grazes its mesor somewhere, so how long it is above it is not known."
        )
        return withheld(name, "h", fit.n, sentence, method)
    se = math.sqrt(max(float(above.gradient @ covariance @ above.gradient), 0.0))
    low, high = delta_limits(above.hours, se, _df(fit), least=0.0)
    lead = "The time that the curve is above its mesor is"
    interval = low, min(high, fit.period)
    return measured(name, "h", fit.n, above.hours, interval, method, lead)


def _skew(fit: Cosinor) -> Marker:
    name, method = "wave-skew", f"{_COSINOR}, time of fall less time of rise, delta method"
    if fit.peak is None:
        return _no_fit(name, "1", fit, method)
    if fit.components == 1:
        return _by_construction(name, "1", fit, method, "symmetrical")
    theta, covariance = _all(fit)
    peak, trough = (extreme(theta, covariance, fit.period, sign) for sign in (1.0, -1.0))
    for place, what in ((peak, "peak"), (trough, "trough")):
        if place.gradient is None:
            return _withheld_place(name, "1", fit, method, what)
    assert peak.gradient is not None
    assert trough.gradient is not None
    rise = (peak.hour - trough.hour) % fit.period
    skew = 1.0 - 2.0 * rise / fit.period
    gradient = (trough.gradient - peak.gradient) * (2.0 / fit.period)
    se = math.sqrt(max(float(gradient @ covariance @ gradient), 0.0))
    low, high = delta_limits(skew, se, _df(fit), least=-1.0)
    lead = "The share of the period by which the fall is longer than the rise is"
    return measured(name, "1", fit.n, skew, (low, min(high, 1.0)), method, lead)


def _no_fit(name: str, unit: str, fit: Cosinor, method: str = _COSINOR) -> Marker:
    reason = fit.reason or (
        "The zero-amplitude test of the whole curve does not reject, so it has no peak or trough."
    )
    return withheld(name, unit, fit.n, reason, method)


def _withheld_place(name: str, unit: str, fit: Cosinor, method: str, what: str = "") -> Marker:
    sentence = (
        f"The curve's {what or name} is too flat, or another is as extreme, so its time is not "
        "known."
    )
    return withheld(name, unit, fit.n, sentence, method)


def _by_construction(name: str, unit: str, fit: Cosinor, method: str, what: str) -> Marker:
    sentence = f"A single harmonic is {what} whatever the data; this takes two harmonics."
    return withheld(name, unit, fit.n, sentence, method)


def _hour_unit(fit: Cosinor) -> str:
    return CLOCK if fit.period == 24.0 else "h"


def _df(fit: Cosinor) -> int:
    assert fit.df_residual is not None
    return fit.df_residual


def _all(fit: Cosinor) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(fit.coefficients), np.asarray(fit.covariance)


def _first_harmonic(fit: Cosinor) -> tuple[np.ndarray, np.ndarray]:
    theta, covariance = _all(fit)
    return theta[1:3], covariance[1:3, 1:3]
