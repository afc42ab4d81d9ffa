"""A hormone in its cycle: against the references of the phase, and the person's own cycles.

The phase is not known but has probabilities (`ovulation.phases`), so a value is outside its
reference with a probability: that of the phases in whose interval it does not lie. A person's own
past values are compared at the same number of days from ovulation, and both ovulations have their
errors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr

from processors.rhythm.ovulation import Ovulation
from processors.rhythm.samples import Floats
from schemas.conditions import CyclePhase

# How far apart, in days from ovulation, values of two cycles still tell of each other.
_KERNEL_D, _REACH_D = 1.25, 2.5
# The SD of a person's own values about the course of the cycle, natural log units: known to about
# this many values' worth beforehand.
_SD_STRENGTH = 4.0
_LEAST_VALUES, _LEAST_CYCLES = 3, 2
_SURE = 0.9


@dataclass(frozen=True, slots=True)
class InCycle:
    """One value, judged. Numbers are None where it is `withheld`."""

    status: Literal["low", "inside", "high", "unsure", "withheld"]
    sentence: str
    low_probability: float | None = None
    """That it is below what is usual,"""
    high_probability: float | None = None
    """that it is above."""


def against_phases(
    value: float,
    phases: Mapping[CyclePhase, float],
    references: Mapping[CyclePhase, tuple[float | None, float | None]],
    unit: str,
) -> InCycle:
    """A value against the reference interval of each phase that it may lie in.

    `references`: (low, high) by phase, in the value's unit, None an open end. Phases without one,
    and the probability of a cycle without ovulation, leave it open.

    >>> found = against_phases(
    ...     9.0, {"early follicular": 0.97, "mid-luteal": 0.03},
    ...     {"early follicular": (0.05, 0.35), "mid-luteal": (8.2, 17)}, "ng/mL")
    >>> found.status, found.high_probability
    ('high', 0.97)
    """
    if not (math.isfinite(value) and value > 0.0):
        return InCycle("withheld", "There is no value above 0 to judge.")
    low = high = inside = 0.0
    for phase, probability in phases.items():
        if phase not in references:
            continue
        least, most = references[phase]
        if least is not None and value < least:
            low += probability
        elif most is not None and value > most:
            high += probability
        else:
            inside += probability
    if low + high + inside < 0.5:
        return InCycle(
            "withheld", "No reference interval is known for the phase that the cycle is likely in."
        )
    likely = max(phases, key=lambda phase: phases[phase])
    text = f"{value:.3g} {unit}"
    where = f"probably {likely}, {phases[likely]:.2f}"
    if max(low, high) >= _SURE:
        side: Literal["low", "high"] = "low" if low > high else "high"
        word = "below" if side == "low" else "above"
        sentence = (
            f"{text} is {word} the reference of the phase ({where}), with a probability of "
            f"{max(low, high):.2f}."
        )
        return InCycle(side, sentence, low, high)
    if inside >= _SURE:
        return InCycle(
            "inside", f"{text} is within the reference of the phase ({where}).", low, high
        )
    sentence = f"Whether {text} is unusual depends on the phase, which is not sure ({where})."
    return InCycle("unsure", sentence, low, high)


def against_own_cycles(
    value: float,
    day: float,
    now: Ovulation,
    past_days: ArrayLike,
    past_values: ArrayLike,
    past_cycles: ArrayLike,
    unit: str,
    *,
    cv: float,
) -> InCycle:
    """A value against the person's own of past cycles, at the same days from ovulation.

    `day`: of the value, days since the menses' first day began; `now`: this cycle's posterior;
    `past_days` (n): days from ovulation (before it negative) of earlier values; `past_values` (n);
    `past_cycles` (n): which cycle each is of; `cv`: coefficient of variation of a value about the
    course of the cycle, analytical and within the person, from the catalogue. Raises ``ValueError``
    for columns of two lengths and a CV that is not above 0.
    """
    if not (math.isfinite(cv) and cv > 0.0):
        raise ValueError(f"a coefficient of variation is above 0, not {cv}")
    d = np.asarray(past_days, dtype=np.float64)
    y = np.asarray(past_values, dtype=np.float64)
    cycle = np.asarray(past_cycles)
    if d.ndim != 1 or not d.shape == y.shape == cycle.shape:
        raise ValueError(
            f"past columns must be of one length, not {d.shape}, {y.shape}, {cycle.shape}"
        )
    if not (math.isfinite(value) and value > 0.0 and math.isfinite(day)):
        return InCycle("withheld", "There is no value above 0 with a day to judge.")
    usable = (np.abs(d) <= 400.0) & (y > 0.0) & (y <= 1e9)
    if not usable.all():
        return InCycle(
            "withheld",
            f"{int((~usable).sum())} of {d.size} past values have no usable day or value above 0.",
        )
    if now.anovulation > 0.5:
        return InCycle(
            "withheld",
            "This cycle probably has no ovulation, so no day of it compares with others.",
        )
    u = day - now.days
    near = np.abs(d - u[:, None]) <= _REACH_D
    weights = now.probability / now.probability.sum()
    # Of the time that it may be from ovulation, the share at which there is something to compare.
    told = (near.sum(axis=1) >= _LEAST_VALUES) if d.size else np.zeros(u.size, dtype=bool)
    known = float(weights[told].sum())
    cycles = len(set(cycle[near[int(weights.argmax())]].tolist())) if d.size else 0
    if cycles < _LEAST_CYCLES:
        told = "no past cycle" if not cycles else "one past cycle"
        return InCycle(
            "withheld",
            f"At this time of the cycle there are values of {told}; {_LEAST_CYCLES} are needed.",
        )
    if known < 0.5:
        return InCycle(
            "withheld",
            f"At this time of the cycle there are too few values of the {cycles} past cycles: "
            f"{_LEAST_VALUES} are needed.",
        )
    logs = np.log(y)
    low = _below(math.log(value), d, logs, u[told], math.sqrt(math.log1p(cv * cv)))
    share = weights[told] / known
    under = float(share @ low)
    # Of a value as low or as high as this one: small means unusual.
    side: Literal["low", "high"] = "low" if under < 0.5 else "high"
    tail = min(under, 1.0 - under)
    text = f"{value:.3g} {unit}"
    of_own = f"the person's own at this time of the cycle ({d.size} values)"
    if 2.0 * tail <= 1.0 - _SURE:
        word = "below" if side == "low" else "above"
        sentence = f"{text} is {word} {of_own}; one as far out comes {2.0 * tail:.2g} of the time."
        return InCycle(side, sentence, 1.0 - under, under)
    return InCycle("inside", f"{text} is like {of_own}.", 1.0 - under, under)


def _below(x: float, d: Floats, logs: Floats, u: Floats, sd: float) -> Floats:
    """Predictive probability of a value below x at each time u (g) from ovulation.

    A straight line through the past values, weighted by how near they are; the SD is the one given,
    moved by the values' own scatter.
    """
    apart = d - u[:, None]
    weights = np.exp(-0.5 * (apart / _KERNEL_D) ** 2) * (np.abs(apart) <= _REACH_D)
    s0 = weights.sum(axis=1)
    s1 = (weights * apart).sum(axis=1)
    # A little is added to the slope's own weight: it is steep only where values say so.
    s2 = (weights * apart**2).sum(axis=1) + _KERNEL_D**2
    t0, t1 = weights @ logs, (weights * apart) @ logs
    determinant = s0 * s2 - s1 * s1
    level = (s2 * t0 - s1 * t1) / determinant
    slope = (s0 * t1 - s1 * t0) / determinant
    rest = logs - level[:, None] - slope[:, None] * apart
    scatter = (weights * rest**2).sum(axis=1)
    df = _SD_STRENGTH + np.maximum(s0 - 1.0, 0.0)
    variance = (_SD_STRENGTH * sd * sd + scatter) / df
    # Error of the level from values that each carry their weight.
    of_level = ((s2[:, None] * weights - s1[:, None] * weights * apart) ** 2).sum(
        axis=1
    ) / determinant**2
    return np.asarray(stdtr(df, (x - level) / np.sqrt(variance * (1.0 + of_level))))
