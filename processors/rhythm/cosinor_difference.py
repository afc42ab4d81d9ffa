"""How two conditions differ: mesor, amplitude and acrophase, second less first, with intervals.

One person in two conditions: two least-squares cosinors, whose errors are independent. Groups of
people: the means of their coefficients (Bingham et al. 1982, Chronobiologia 9, 397-439), from the
same people twice (paired: what a person brings along cancels) or from two groups (independent).

In either case the first-order error of each difference is that of the delta method on the six
coefficients together. Where two variances are added, Student's t has the degrees of freedom of
Welch & Satterthwaite (Satterthwaite, Biometrics Bulletin 2 (1946) 110-114). The difference of two
acrophases is the shorter way round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from processors.rhythm.cosinor import ALPHA, Cosinor
from processors.rhythm.cosinor_limits import delta_limits
from processors.rhythm.cosinor_population import people_trouble, population_cosinor
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.marker_text import measured
from processors.rhythm.waveform import Floats

_ONE = "difference of two least-squares cosinors, delta method, Welch-Satterthwaite"
_PAIRED = "paired difference of population-mean cosinors (Bingham et al. 1982), delta method"
_INDEPENDENT = (
    "difference of population-mean cosinors (Bingham et al. 1982), delta method, "
    "Welch-Satterthwaite"
)
# Variances of a difference below this share of its parts' are what rounding leaves of none.
_ROUNDING = 1e-20


@dataclass(frozen=True, slots=True)
class Difference:
    """Second condition less first. `acrophase` in hours, positive is later."""

    mesor: Marker
    amplitude: Marker
    acrophase: Marker


class _Side(NamedTuple):
    """M, beta, gamma of one condition (3), their covariance (3, 3), and its degrees of freedom."""

    mean: Floats
    covariance: Floats
    df: float
    has_phase: bool


def difference(first: Cosinor, second: Cosinor, unit: str) -> Difference:
    """One person, two conditions. `unit` is that of both fits' values ("1" for logarithms).

    The amplitude's difference needs a rhythm in both conditions, as the acrophase's does: an
    amplitude that may be zero is too long by its own noise. Raises ``ValueError`` for fits of two
    periods.

    >>> from processors.rhythm.cosinor import fit_cosinor
    >>> hours, noise = np.arange(24.0), np.random.default_rng(1).normal(0, 0.1, (2, 24))
    >>> wave = lambda peak: 10 + 5 * np.cos(2 * np.pi * (hours - peak) / 24)
    >>> later = difference(
    ...     fit_cosinor(hours, wave(23) + noise[0]), fit_cosinor(hours, wave(1) + noise[1]), "ug/dL"
    ... )
    >>> round(later.acrophase.value, 1)
    2.0
    """
    if first.period != second.period:
        raise ValueError(f"two periods, {first.period} and {second.period}, do not compare")
    n = first.n + second.n
    for fit, which in ((first, "first"), (second, "second")):
        if not fit.coefficients:
            return _withheld(n, unit, _ONE, f"The {which} condition has no fit: {fit.reason}")
    return _difference(_side(first), _side(second), n, unit, first.period, _ONE)


def population_difference(
    first: ArrayLike, second: ArrayLike, unit: str, *, paired: bool, period: float = 24.0
) -> Difference:
    """Groups of people, two conditions.

    `first` (k1, 3 or more) and `second` (k2, 3 or more): each person's M, beta, gamma, as in
    `population_cosinor`. If `paired`, row i of both is the same person and k1 = k2. Raises
    ``ValueError`` for other shapes. `n` of the markers counts people, those of both groups.
    """
    one, two = (np.asarray(table, dtype=np.float64) for table in (first, second))
    for table in (one, two):
        if table.ndim != 2 or table.shape[1] < 3:
            raise ValueError(f"coefficients must be (people, 3 or more), not {table.shape}")
    one, two = one[:, :3], two[:, :3]
    if paired and len(one) != len(two):
        raise ValueError(f"pairs need both conditions: {len(one)} and {len(two)} people")
    n = len(one) if paired else len(one) + len(two)
    method = _PAIRED if paired else _INDEPENDENT
    for table, which in ((one, "first"), (two, "second")):
        trouble = people_trouble(table)
        if trouble is not None:
            return _withheld(n, unit, method, f"The {which} condition: {trouble}")
    shared = None
    if paired:
        shared = (one - one.mean(axis=0)).T @ (two - two.mean(axis=0)) / (n - 1) / n
    return _difference(_group(one), _group(two), n, unit, period, method, shared)


def _side(fit: Cosinor) -> _Side:
    assert fit.df_residual is not None
    return _Side(
        np.asarray(fit.coefficients)[:3],
        np.asarray(fit.covariance)[:3, :3],
        float(fit.df_residual),
        fit.acrophase is not None,
    )


def _group(table: Floats) -> _Side:
    """The mean of a group's people."""
    k = len(table)
    p = population_cosinor(table, "1").p
    return _Side(
        table.mean(axis=0),
        np.cov(table, rowvar=False) / k,
        k - 1.0,
        p is not None and p < ALPHA,
    )


def _difference(
    first: _Side,
    second: _Side,
    n: int,
    unit: str,
    period: float,
    method: str,
    shared: Floats | None = None,
) -> Difference:
    """`shared` (3, 3): covariance of the first condition's means with the second's, if paired."""

    def marker(
        name: str, unit: str, value: float, gradients: tuple[Floats, Floats], what: str
    ) -> Marker:
        g, h = gradients
        parts = float(g @ first.covariance @ g), float(h @ second.covariance @ h)
        # value = u(second) - u(first), so the covariance of the two is taken off twice
        together = 0.0 if shared is None else 2.0 * float(g @ shared @ h)
        variance = sum(parts) - together
        if variance <= _ROUNDING * sum(parts):
            sentence = f"Every person's difference of the {what} is the same, so no error is known."
            return withheld(name, unit, n, sentence, method)
        df = _welch(parts, (first.df, second.df)) if shared is None else first.df
        limits = delta_limits(value, math.sqrt(variance), df)
        return measured(name, unit, n, value, limits, method, f"The difference of the {what} is")

    level = np.array([1.0, 0.0, 0.0])
    mesor = marker(
        "mesor-difference",
        unit,
        float(second.mean[0] - first.mean[0]),
        (level, level),
        "mesors",
    )
    for side, which in ((first, "first"), (second, "second")):
        if not side.has_phase:
            sentence = (
                f"The {which} condition's joint 95 % region contains zero, so there is no rhythm "
                "to compare."
            )
            return Difference(
                mesor,
                withheld("amplitude-difference", unit, n, sentence, method),
                withheld("acrophase-difference", "h", n, sentence, method),
            )
    one, two = _polar(first), _polar(second)
    hours = period / (2 * math.pi)
    later = period / 2 - (period / 2 - (two.angle - one.angle) * hours) % period
    return Difference(
        mesor,
        marker(
            "amplitude-difference",
            unit,
            two.size - one.size,
            (one.along, two.along),
            "amplitudes",
        ),
        marker(
            "acrophase-difference",
            "h",
            later,
            (one.across * hours / one.size, two.across * hours / two.size),
            "acrophases",
        ),
    )


class _Polar(NamedTuple):
    """Amplitude, the unit vectors along and across its direction, and its angle."""

    size: float
    along: Floats
    across: Floats
    angle: float


def _polar(side: _Side) -> _Polar:
    _, beta, gamma = side.mean.tolist()
    size = math.hypot(beta, gamma)
    along = np.array([0.0, beta, gamma]) / size
    across = np.array([0.0, -gamma, beta]) / size
    return _Polar(size, along, across, math.atan2(gamma, beta))


def _welch(variances: tuple[float, float], dfs: tuple[float, float]) -> float:
    """Degrees of freedom of a sum of two estimated variances."""
    total = sum(variances)
    # As shares, so that nothing overflows.
    return 1.0 / sum((v / total) ** 2 / df for v, df in zip(variances, dfs, strict=True))


def _withheld(n: int, unit: str, method: str, sentence: str) -> Difference:
    return Difference(
        withheld("mesor-difference", unit, n, sentence, method),
        withheld("amplitude-difference", unit, n, sentence, method),
        withheld("acrophase-difference", "h", n, sentence, method),
    )
