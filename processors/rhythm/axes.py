"""Feedback axes: a gland's product and what drives it, against the person's set point and people's.

A pair is (x, y): y the logarithm of the controller (LH, FSH, TSH, ACTH, insulin), x that of the
product (testosterone, estradiol, cortisol, glucose), or for free T4 the product itself over its
usual level, since the logarithm of TSH falls with the amount (log-linear). Healthy pairs scatter
about a person's own set point,

    x = x0 + δ,   y = y0 + b δ + ε,

the controller answering the product's own ups and downs with the feedback's slope b; set points
scatter about the population's. All is normal, so the set point of somebody with any number of
pairs has a posterior in closed form, and a new pair has a distance from it whose square is a
chi-squared of two degrees of freedom. The population is the same with no pair of one's own.

What a departure looks like has a word of the field for the pattern, and none for a disease:

- primary: low product although the controller rises; for insulin and glucose, high glucose
  without the insulin for it;
- secondary: low product, and the controller does not answer;
- suppressed: high product, and the controller falls; low glucose, and insulin falls;
- unsuppressed: high product, and the controller does not fall; low glucose, and insulin does not;
- resistant: high glucose although insulin rises.

It has answered if it did so by at least half of what the slope says, or left the range of healthy
people: far out, where controllers are at their floor or ceiling, no slope goes on.

Source of the slope of TSH, within healthy people: log10 TSH = 1.50 - 0.059 times free T4 in pmol/L
(Eur J Endocrinol 162 (2010) 323-329, abstract), which about the usual 15 pmol/L is eight-fold for a
doubling. (Patients, far from it, show up to a hundred-fold: Spencer et al., J Clin Endocrinol Metab
70 (1990) 453-460, from memory.) The other slopes and the lag are assumed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from processors.rhythm.samples import Floats, log_sd

AxisName = Literal[
    "LH-testosterone", "FSH-estradiol", "TSH-free T4", "ACTH-cortisol", "insulin-glucose"
]
Pattern = Literal[
    "primary", "secondary", "suppressed", "unsuppressed", "resistant", "none", "unsure"
]


_Words = tuple[Pattern, Pattern, Pattern, Pattern]
_DRIVEN: _Words = ("primary", "secondary", "suppressed", "unsuppressed")


class _Feedback(NamedTuple):
    slope: float
    """Of y on x within a person; x is ln product, or product over its usual level."""
    log: bool
    lag_h: float
    """How long before the product the controller counts."""
    words: _Words
    """Product low and controller answered, not answered; product high and answered, not."""


FEEDBACK: Mapping[AxisName, _Feedback] = {
    "LH-testosterone": _Feedback(-0.8, True, 0.0, _DRIVEN),
    "FSH-estradiol": _Feedback(-0.6, True, 0.0, _DRIVEN),
    "TSH-free T4": _Feedback(-0.059 * math.log(10.0) * 15.0, False, 0.0, _DRIVEN),
    "ACTH-cortisol": _Feedback(-0.5, True, 0.25, _DRIVEN),
    "insulin-glucose": _Feedback(
        3.0, True, 0.0, ("suppressed", "unsuppressed", "resistant", "primary")
    ),
}

_DEPARTS = 0.1
_PATTERN_SURE = 0.8
_ANSWERED, _RANGE_SD = 0.5, 1.96
_PERCENTILES = 3.919927969080108  # from the 2.5th to the 97.5th, in SDs


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """An axis with its population; make it with `axis`."""

    name: AxisName
    mean: Floats
    """(2) middle of the population's set points."""
    between: Floats
    """(2, 2) covariance of set points between people."""
    within: Floats
    """(2, 2) covariance of a person's pairs about the set point, assays included."""
    error: Floats
    """(2, 2) of the assays alone."""
    usual: float
    """Level of the product that x is relative to; 1 for logarithms."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A pair against the person's set point (or the population's). Numbers None: `withheld`."""

    status: Literal["usual", "departs", "withheld"]
    against: Literal["own", "population"]
    pattern: Pattern
    sentence: str
    n: int
    """Earlier pairs of the person's own."""
    p: float | None = None
    """Share of usual pairs that are as far out."""
    pattern_probability: float | None = None


def axis(
    name: AxisName,
    *,
    controller: tuple[float, float],
    product: tuple[float, float],
    controller_cv: tuple[float, float],
    product_cv: tuple[float, float],
) -> Axis:
    """An axis from the catalogue's numbers.

    `controller`, `product`: reference interval (low, high) for this person's sex, age and phase, in
    the units that pairs will have; `controller_cv`, `product_cv`: coefficients of variation,
    (within the person, analytical). Raises ``ValueError`` for an interval that is none, or two CVs
    of 0.
    """
    feedback = FEEDBACK[name]
    for low, high in (controller, product):
        if not 0.0 < low < high < math.inf:
            raise ValueError(f"a reference interval is two levels above 0, not {low} to {high}")
    usual = 1.0 if feedback.log else math.sqrt(product[0] * product[1])
    spread = [math.log(high / low) / _PERCENTILES for low, high in (product, controller)]
    x_mean = math.log(math.sqrt(product[0] * product[1])) if feedback.log else 1.0
    y_mean = math.log(math.sqrt(controller[0] * controller[1]))
    own = [log_sd(0.0, cv[0]) for cv in (product_cv, controller_cv)]
    assay = [log_sd(cv[1]) for cv in (product_cv, controller_cv)]
    if min(own[0] + assay[0], own[1] + assay[1]) == 0.0:
        raise ValueError("results without any error cannot depart by chance")
    b = feedback.slope
    # The controller answers the person's own ups and downs, and adds its own.
    within = np.array([[own[0] ** 2, b * own[0] ** 2], [0.0, (b * own[0]) ** 2 + own[1] ** 2]])
    within[1, 0] = within[0, 1]
    error = np.diag([assay[0] ** 2, assay[1] ** 2])
    # References spread people and their days together; at least half of it is people.
    between = np.diag(
        [max(spread[k] ** 2 - own[k] ** 2 - assay[k] ** 2, 0.5 * spread[k] ** 2) for k in range(2)]
    )
    return Axis(name, np.array([x_mean, y_mean]), between, within + error, error, usual)


def paired(
    name: AxisName,
    controller_hours: ArrayLike,
    product_hours: ArrayLike,
    *,
    within_h: float,
) -> list[tuple[int, int]]:
    """Which controller sample belongs to which product sample, as pairs of indices.

    The controller counts the axis's lag earlier (ACTH a quarter of an hour before cortisol); the
    nearest sample counts if it is within `within_h` of that time, and only once. Raises
    ``ValueError`` for times that are not finite.

    >>> paired("ACTH-cortisol", [8.0, 9.0], [8.3, 12.0], within_h=0.25)
    [(0, 0)]
    """
    c = np.asarray(controller_hours, dtype=np.float64) + FEEDBACK[name].lag_h
    p = np.asarray(product_hours, dtype=np.float64)
    if not (np.isfinite(c).all() and np.isfinite(p).all()):
        raise ValueError("a time is not a finite number")
    if not c.size:
        return []
    apart = np.abs(c - p[:, None])
    nearest = apart.argmin(axis=1)
    pairs = []
    taken: set[int] = set()
    for k in np.argsort(apart.min(axis=1), kind="stable").tolist():
        at = int(nearest[k])
        if apart[k, at] <= within_h and at not in taken:
            taken.add(at)
            pairs.append((at, k))
    return sorted(pairs, key=lambda pair: pair[1])


def departure(
    this: Axis,
    controller: float,
    product: float,
    *,
    past_controller: ArrayLike = (),
    past_product: ArrayLike = (),
) -> Departure:
    """A pair against the person's own set point, from earlier pairs (n each), or the population's.

    Levels are in the axis's units. A result below the detection limit counts as that limit, which
    is on the careful side. Levels that follow the clock are to be taken at like hours, or divided
    by the reference course at theirs. Raises ``ValueError`` for columns of two lengths.

    >>> thyroid = axis(
    ...     "TSH-free T4", controller=(0.4, 4.0), product=(0.9, 1.7),
    ...     controller_cv=(0.22, 0.05), product_cv=(0.06, 0.05))
    >>> found = departure(thyroid, 22.0, 0.6)
    >>> found.status, found.pattern
    ('departs', 'primary')
    """
    past_c = np.asarray(past_controller, dtype=np.float64)
    past_p = np.asarray(past_product, dtype=np.float64)
    if past_c.ndim != 1 or past_c.shape != past_p.shape:
        raise ValueError(
            f"past pairs must be columns of one length, not {past_c.shape}, {past_p.shape}"
        )
    n = past_c.size
    against: Literal["own", "population"] = "own" if n else "population"
    levels = np.r_[past_c, past_p, controller, product]
    unusable = levels.size - int(((levels > 0.0) & (levels <= 1e9)).sum())
    if unusable:
        sentence = f"{unusable} of {levels.size} levels are not a number above 0."
        return Departure("withheld", against, "unsure", sentence, n)
    pair = _pair(this, np.array([controller]), np.array([product]))[0]
    mean, spread = _set_point(this, _pair(this, past_c, past_p))
    apart = pair - mean
    distance = float(apart @ np.linalg.solve(spread + this.within, apart))
    p = math.exp(-0.5 * distance)
    subject = "the person's own set point" if n else "what is usual in people like this"
    control, made = this.name.split("-")
    control = control[0].upper() + control[1:]
    if p >= _DEPARTS:
        sentence = (
            f"{control} and {made} are in step with {subject}; a usual pair is as far out with a "
            f"probability of {p:.2g}."
        )
        return Departure("usual", against, "none", sentence, n, p)
    probabilities = _patterns(this, apart, spread + this.error)
    words = FEEDBACK[this.name].words
    best = max(range(4), key=lambda k: probabilities[k])
    pattern: Pattern = words[best] if probabilities[best] >= _PATTERN_SURE else "unsure"
    told = (
        f"the pattern is {pattern} ({probabilities[best]:.2f})"
        if pattern != "unsure"
        else f"the pattern is not sure ({words[best]}, {probabilities[best]:.2f})"
    )
    sentence = (
        f"{control} and {made} depart from {subject} (probability of a usual pair as far out "
        f"{p:.2g}); {told}."
    )
    return Departure("departs", against, pattern, sentence, n, p, probabilities[best])


def _pair(this: Axis, controller: Floats, product: Floats) -> Floats:
    """(n, 2) of levels."""
    x = np.log(product) if FEEDBACK[this.name].log else product / this.usual
    return np.stack((x, np.log(controller)), axis=1)


def _set_point(this: Axis, pairs: Floats) -> tuple[Floats, Floats]:
    """Posterior mean (2) and covariance (2, 2) of a person's set point from pairs (n, 2)."""
    if not len(pairs):
        return this.mean, this.between
    precision = np.linalg.inv(this.between) + len(pairs) * np.linalg.inv(this.within)
    spread = np.linalg.inv(precision)
    pulled = np.linalg.solve(this.between, this.mean) + np.linalg.solve(
        this.within, pairs.sum(axis=0)
    )
    return spread @ pulled, spread


def _patterns(this: Axis, apart: Floats, spread: Floats) -> tuple[float, float, float, float]:
    """Probability of product low and answered, low and not, high and answered, high and not.

    Of the true departure, normal about the measured one: by the product's own, and the controller's
    given that.
    """
    b = FEEDBACK[this.name].slope
    sd = math.sqrt(float(spread[0, 0]))
    slope = float(spread[0, 1] / spread[0, 0])
    rest = math.sqrt(float(spread[1, 1] - spread[0, 1] ** 2 / spread[0, 0]))
    # 400 slices, of equal width; at 8 SDs nothing is left.
    x = apart[0] + sd * (np.arange(400) + 0.5 - 200.0) / 25.0
    weight = np.exp(-0.5 * ((x - apart[0]) / sd) ** 2)
    weight /= weight.sum()
    y = apart[1] + slope * (x - apart[0])
    # Answered: beyond half of b x on its side, or beyond the range of people.
    most = _RANGE_SD * math.sqrt(float(this.between[1, 1] + this.within[1, 1]))
    above = ndtr((y - np.clip(_ANSWERED * b * x, -most, most)) / rest)
    answered = np.where(b * x > 0.0, above, 1.0 - above)
    low = x < 0.0
    return (
        float((weight * answered)[low].sum()),
        float((weight * (1.0 - answered))[low].sum()),
        float((weight * answered)[~low].sum()),
        float((weight * (1.0 - answered))[~low].sum()),
    )
