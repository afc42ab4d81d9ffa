"""Flat and slow hormones (DHEA-S, IGF-1, HbA1c): level and trend against age, change between two.

All on the logarithm. With the middle m(age) and the SD s(age) of people, both read between the ages
for which references are given, and results y at ages a:

- level: the mean of (ln y - m(a))/s(a), in SDs of people of that age, and the percentile it is;
- trend: the slope of ln y - m(a) by age, as per cent a year beyond what age does;
- reference change value: two results differ by more than assay and person explain if their ratio is
  outside exp(±1.96 √2 σ), σ² = ln(1 + CV_A²) + ln(1 + CV_I²).

Sources: Harris & Yasaka, Clin Chem 29 (1983) 25-30 (reference change value); Fokkema, Herrmann,
Muskiet & Moecks, Clin Chem 52 (2006) 1602-1603 (its lognormal form).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from processors.rhythm.censored_line import slope
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.marker_text import measured
from processors.rhythm.samples import Bools, Floats, log_sd

LEVEL = "mean standardised departure from the age's reference"
TREND = "regression of the departure from the age curve on age"
CHANGE = "ratio of two results; reference change value (Harris & Yasaka 1983; Fokkema et al. 2006)"

_Z = 1.6448536269514722
_Z_95 = 1.959963984540054
_PERCENTILES = 2.0 * _Z_95
_LEAST_RESULTS = 3
_LEAST_YEARS = 0.5
_MOST_AGE = 130.0
# A hormone of weeks does not change so much between two results, whatever happens.
_MOST_APART = 300.0


class AgeReference(NamedTuple):
    """A reference interval (2.5 to 97.5 %) of an age group, in the values' unit."""

    from_age: float
    to_age: float
    low: float
    high: float


def reference_change(sd: float) -> tuple[float, float]:
    """Ratios of two results between which 95 % lie without any change; `sd` as `samples.log_sd`.

    >>> low, high = reference_change(log_sd(0.06, 0.12))
    >>> round(low, 3), round(high, 3)
    (0.69, 1.449)
    """
    factor = math.exp(_Z_95 * math.sqrt(2.0) * sd)
    return 1.0 / factor, factor


def slow_level(
    ages: ArrayLike,
    values: ArrayLike,
    references: Sequence[AgeReference],
    *,
    cv_analytical: float,
    cv_within: float,
    below: ArrayLike = False,
) -> Marker:
    """The level against people of the same age, in their SDs, from results (n) in any order.

    `ages` in years; `below`: the result was '<' the value. Raises ``ValueError`` for columns of two
    lengths, no references or such that are none, and CVs that are no numbers of 0 or more.

    >>> curve = [AgeReference(40, 50, 79, 440), AgeReference(60, 70, 35, 241)]
    >>> found = slow_level([45.0], [400.0], curve, cv_analytical=0.06, cv_within=0.12)
    >>> round(found.value, 2), found.sentence[-46:]
    (1.74, 'about percentile 96 of people of the same age.')
    """
    name, unit = "level-for-age", "1"
    sd = _sd(cv_analytical, cv_within)
    a, y, is_below = _columns(ages, values, below)
    flaw = _flaw(a, y, references)
    if flaw is not None:
        return withheld(name, unit, a.size, flaw, LEVEL)
    if is_below.any():
        sentence = f"{int(is_below.sum())} of {a.size} results are below the assay's limit."
        return withheld(name, unit, a.size, sentence, LEVEL)
    middle, spread = _at(a, references)
    # Each result is known to its error in SDs of people.
    weights = spread**2
    z = (np.log(y) - middle) / spread
    value = float((weights * z).sum() / weights.sum())
    half = _Z * sd / math.sqrt(float(weights.sum()))
    note = f"; about percentile {100 * float(ndtr(value)):.0f} of people of the same age"
    lead = "The level in standard deviations from the middle of the age is"
    return measured(name, unit, a.size, value, (value - half, value + half), LEVEL, lead, note)


def slow_trend(
    ages: ArrayLike,
    values: ArrayLike,
    references: Sequence[AgeReference],
    *,
    cv_analytical: float,
    cv_within: float,
    below: ArrayLike = False,
) -> Marker:
    """The change per cent a year beyond what age does; arguments and errors as `slow_level`.

    Results below the limit count as such.
    """
    name, unit = "trend-beyond-age", "%/a"
    sd = _sd(cv_analytical, cv_within)
    a, y, is_below = _columns(ages, values, below)
    flaw = _flaw(a, y, references)
    years = float(np.ptp(a)) if a.size and flaw is None else 0.0
    if flaw is None and (a.size < _LEAST_RESULTS or years < _LEAST_YEARS):
        flaw = (
            f"A trend needs at least {_LEAST_RESULTS} results over half a year; there are {a.size} "
            f"over {years:.2g} years."
        )
    if flaw is None and np.unique(a[~is_below]).size < 2:
        flaw = (
            f"{int(is_below.sum())} of {a.size} results are below the assay's limit, and the "
            "others have no two ages, so there is no trend to see."
        )
    if flaw is not None:
        return withheld(name, unit, a.size, flaw, TREND)
    rest = np.log(y) - _at(a, references)[0]
    found, (low, high), scattered = slope(a, rest, is_below, sd)
    if max(abs(low), abs(high)) > 50.0:
        sentence = "The results lie so near in time that no trend can be told."
        return withheld(name, unit, a.size, sentence, TREND)
    value, least, most = (100.0 * math.expm1(x) for x in (found, low, high))
    note = "; the results scatter more than assay and person explain" if scattered else ""
    lead = "The change beyond that of age is"
    return measured(name, unit, a.size, value, (least, most), TREND, lead, note)


def slow_change(
    first: float, second: float, *, cv_analytical: float, cv_within: float, below: bool = False
) -> Marker:
    """The change from one result to the next, per cent, with the reference change value.

    `below`: either was '<' the value. Raises ``ValueError`` for CVs that are no numbers of 0 or
    more, or both 0.

    >>> slow_change(200.0, 320.0, cv_analytical=0.06, cv_within=0.12).sentence[-68:]
    'beyond the reference change value of -31 to +45 %: a change is real.'
    """
    name, unit = "change", "%"
    sd = _sd(cv_analytical, cv_within)
    for value in (first, second):
        if not (math.isfinite(value) and 0.0 < value <= 1e9):
            return withheld(name, unit, 2, "There are no two results above 0 to compare.", CHANGE)
    if not 1.0 / _MOST_APART <= second / first <= _MOST_APART:
        apart = f"The results are more than {_MOST_APART:.0f} times apart: units may be mixed."
        return withheld(name, unit, 2, apart, CHANGE)
    if below:
        return withheld(name, unit, 2, "A result is below the assay's detection limit.", CHANGE)
    ratio = second / first
    factor = math.exp(_Z * math.sqrt(2.0) * sd)
    least, most = reference_change(sd)
    value, low, high, down, up = (
        100.0 * (x - 1.0) for x in (ratio, ratio / factor, ratio * factor, least, most)
    )
    real = not least <= ratio <= most
    note = (
        f"; {'beyond' if real else 'within'} the reference change value of {down:.0f} to "
        f"{up:+.0f} %: {'a change is real' if real else 'assay and person explain it'}"
    )
    return measured(name, unit, 2, value, (low, high), CHANGE, "The change is", note)


def _sd(cv_analytical: float, cv_within: float) -> float:
    sd = log_sd(cv_analytical, cv_within)
    if sd == 0.0:
        raise ValueError("results without any error have no interval")
    return sd


def _columns(ages: ArrayLike, values: ArrayLike, below: ArrayLike) -> tuple[Floats, Floats, Bools]:
    a = np.asarray(ages, dtype=np.float64)
    y = np.asarray(values, dtype=np.float64)
    if a.ndim != 1 or a.shape != y.shape:
        raise ValueError(f"ages and values must be columns of one length, not {a.shape}, {y.shape}")
    return a, y, np.broadcast_to(np.asarray(below, dtype=np.bool_), a.shape)


def _flaw(a: Floats, y: Floats, references: Sequence[AgeReference]) -> str | None:
    """What makes results unusable. Raises for references that are none."""
    _check(references)
    if not a.size:
        return "There are no results."
    usable = (a >= 0.0) & (a <= _MOST_AGE) & (y > 0.0) & (y <= 1e9)
    if not usable.all():
        return f"{int((~usable).sum())} of {a.size} results have no usable age or value above 0."
    if float(y.max()) > _MOST_APART * float(y.min()):
        return f"Two results are more than {_MOST_APART:.0f} times apart: units may be mixed."
    first = min(one.from_age for one in references)
    if float(a.min()) < first:
        return f"There is no reference for people younger than {first:g} years."
    return None


def age_curve(ages: ArrayLike, references: Sequence[AgeReference]) -> tuple[Floats, Floats, Floats]:
    """Lower limit, middle and upper limit of people at ages (n), as level and trend read them.

    Raises ``ValueError`` for no references or such that are none.

    >>> curve = [AgeReference(40, 50, 79, 440), AgeReference(60, 70, 35, 241)]
    >>> [round(float(limit[0])) for limit in age_curve([45.0], curve)]
    [79, 186, 440]
    """
    _check(references)
    middle, spread = _at(np.asarray(ages, dtype=np.float64), references)
    half = _Z_95 * spread
    return np.exp(middle - half), np.exp(middle), np.exp(middle + half)


def _check(references: Sequence[AgeReference]) -> None:
    if not references:
        raise ValueError("an age curve needs a reference interval")
    for one in references:
        if not (0.0 < one.low < one.high < math.inf and one.from_age < one.to_age):
            raise ValueError(f"no reference interval: {one}")


def _at(ages: Floats, references: Sequence[AgeReference]) -> tuple[Floats, Floats]:
    """Middle and SD of the logarithm at ages, straight between the middles of the age groups."""
    ordered = sorted(references)
    middle_ages = [(min(one.to_age, 100.0) + one.from_age) / 2.0 for one in ordered]
    middles = [math.log(one.low * one.high) / 2.0 for one in ordered]
    spreads = [math.log(one.high / one.low) / _PERCENTILES for one in ordered]
    return np.interp(ages, middle_ages, middles), np.interp(ages, middle_ages, spreads)
