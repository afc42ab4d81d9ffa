"""The population-mean cosinor: the mean rhythm of a group from its members' own cosinors.

Coefficients are averaged, not amplitudes and phases: noise lengthens every amplitude, and phases
are angles. With k people, the means of M, beta and gamma, the standard deviations s_beta and
s_gamma and their correlation r:

- rhythm: F = k (k-2) / (2 (k-1)) / (1-r²) (beta²/s_beta² - 2 r beta gamma/(s_beta s_gamma)
  + gamma²/s_gamma²) on (2, k-2) degrees of freedom;
- limits by Student's t on k-1; of the amplitude by the variance c22 along its direction; of the
  acrophase in Fieller's form (`cosinor_limits`), undefined where the amplitude's interval holds 0.

Source: Bingham, Arbogast, Cornelissen Guillaume, Lee & Halberg, Inferential statistical methods for
estimating and comparing cosinor parameters, Chronobiologia 9 (1982) 397-439.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtrc, stdtrit

from processors.rhythm.cosinor_limits import LEVEL, acrophase_support, along_across, delta_limits
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.marker_text import CLOCK, measured
from processors.rhythm.waveform import Floats, wrapped

_METHOD = "population-mean cosinor (Bingham et al. 1982)"
# With two people the covariance of two coefficients has no inverse.
LEAST_PEOPLE = 3
# People whose coefficients agree to this share of their size do not vary: there is no error to
# judge by, only rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class PopulationCosinor:
    """A group's mean rhythm. `f` and `p` are of the zero-amplitude test, None where withheld."""

    mesor: Marker
    amplitude: Marker
    acrophase: Marker
    k: int
    f: float | None = None
    p: float | None = None


def population_cosinor(
    coefficients: ArrayLike, unit: str, *, period: float = 24.0
) -> PopulationCosinor:
    """The mean cosinor of k people.

    `coefficients`, shape (k, 3 or more): each person's M, beta, gamma (further harmonics are not
    looked at), in `unit` ("1" for logarithms), all over the same `period`, hours. `n` of the
    markers counts people. Raises ``ValueError`` for another shape.

    >>> mean = population_cosinor([[9, 3, 1], [10, 4, 2], [11, 5, 0], [10, 4, 1]], "ug/dL")
    >>> round(mean.amplitude.value, 4), round(mean.f, 1)
    (4.1231, 56.0)
    """
    table = np.asarray(coefficients, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 3:
        raise ValueError(f"coefficients must be (people, 3 or more), not {table.shape}")
    table = table[:, :3]
    k = len(table)
    trouble = people_trouble(table)
    if trouble is not None:
        return PopulationCosinor(
            withheld("mesor", unit, k, trouble, _METHOD),
            withheld("amplitude", unit, k, trouble, _METHOD),
            withheld("acrophase", _hour_unit(period), k, trouble, _METHOD),
            k,
        )
    mean = table.mean(axis=0)
    covariance = np.cov(table, rowvar=False) / k
    harmonic, spread = mean[1:], covariance[1:, 1:]
    statistic = float(harmonic @ np.linalg.solve(spread, harmonic))
    f = statistic * (k - 2) / (2 * (k - 1))
    p = float(fdtrc(2, k - 2, f))
    t = float(stdtrit(k - 1, 0.5 + LEVEL / 2))
    mesor = float(mean[0])
    return PopulationCosinor(
        mesor=measured(
            "mesor",
            unit,
            k,
            mesor,
            delta_limits(mesor, math.sqrt(covariance[0, 0]), k - 1),
            _METHOD,
            "The group's mesor is",
        ),
        amplitude=_amplitude(harmonic, spread, t, unit, k, period),
        acrophase=_acrophase(harmonic, spread, t, k, period),
        k=k,
        f=f,
        p=p,
    )


def people_trouble(table: Floats) -> str | None:
    """What forbids a mean over people: coefficients (k, 3)."""
    k = len(table)
    if k < LEAST_PEOPLE:
        return f"A mean rhythm with its error needs at least {LEAST_PEOPLE} people, not {k}."
    unusable = k - int((np.abs(table) <= 1e100).all(axis=1).sum())
    if unusable:
        return f"{unusable} of {k} people have no fit with finite coefficients; leave them out."
    centred = table - table.mean(axis=0)
    # Of the two coefficients alone: people may share a mesor.
    singular = np.linalg.svd(centred[:, 1:], compute_uv=False)
    if singular[-1] <= _ROUNDING * float(np.abs(table).max()) * k:
        return "These people's coefficients do not vary in every direction, so no error is known."
    return None


def _amplitude(
    harmonic: Floats, spread: Floats, t: float, unit: str, k: int, period: float
) -> Marker:
    amplitude = math.hypot(*harmonic)
    if amplitude == 0.0:
        sentence = "The mean amplitude is exactly zero, where its error has no direction."
        return withheld("amplitude", unit, k, sentence, _METHOD)
    c22 = along_across(harmonic, spread)[0]
    half = t * math.sqrt(c22)
    note = ", and may be none at all" if half >= amplitude else ""
    lead = f"The group's amplitude of the {period:g}-hour harmonic is"
    limits = max(amplitude - half, 0.0), amplitude + half
    return measured("amplitude", unit, k, amplitude, limits, _METHOD, lead, note)


def _acrophase(harmonic: Floats, spread: Floats, t: float, k: int, period: float) -> Marker:
    unit = _hour_unit(period)
    angles = None
    if math.hypot(*harmonic) > 0 and t * t * along_across(harmonic, spread)[0] < float(
        harmonic @ harmonic
    ):
        angles = acrophase_support(harmonic, spread, t * t)
    if angles is None:
        sentence = "The interval of the group's amplitude includes zero, so it has no acrophase."
        return withheld("acrophase", unit, k, sentence, _METHOD)
    hours = period / (2 * math.pi)
    acrophase = wrapped(math.atan2(harmonic[1], harmonic[0]) * hours, period)
    limits = acrophase + angles.low * hours, acrophase + angles.high * hours
    lead = f"The group's {period:g}-hour acrophase is"
    return measured("acrophase", unit, k, acrophase, limits, _METHOD, lead)


def _hour_unit(period: float) -> str:
    return CLOCK if period == 24.0 else "h"
