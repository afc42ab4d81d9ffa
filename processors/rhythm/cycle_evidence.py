"""What LH, temperature and progesterone say about when ovulation was.

Each marker follows a known course about ovulation: a personal level, and from it a surge (LH) or a
step (temperature, progesterone and its urinary form) of a personal size. For every possible time of
ovulation the level and the size are integrated out (they are linear, so this is exact), and so is
the scatter of the readings, over a few values. A time at which the course fits the readings
badly with any plausible level and size is unlikely.

The course itself comes a little earlier or later in each cycle: the likelihood is smoothed over
that. Without an ovulation there is only the level.

Sources. LH in serum: medians 6-7 IU/L before, 41 IU/L on the day of the peak (Stricker et al., Clin
Chem Lab Med 44 (2006) 883-887); ovulation follows the peak by 16.5 hours in the median, 95 % limits
9.5 to 23.0 (World Health Organization, Am J Obstet Gynecol 138 (1980) 383-390, read as abstract).
Temperature: a step of about 0.3 °C, its first high day the one after ovulation, often some days off
(Morris, Underwood & Easterling, Fertil Steril 27 (1976) 780-783; Moghissi, Fertil Steril 27 (1976)
1415-1421). Progesterone: from 0.6 to 42 nmol/L (Stricker et al. 2006); in urine about six-fold, a
day or two later. Widths and spreads are assumed, wide.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from processors.rhythm.samples import Bools, Floats

EvidenceKind = Literal["serum-lh", "urine-lh", "temperature", "serum-progesterone", "urine-pdg"]


class _Course(NamedTuple):
    """How a marker goes about ovulation."""

    shape: Callable[[Floats], Floats]
    """Of days since ovulation: 0 at the level, 1 at the full surge or step."""
    log: bool
    """Whether level, size and scatter are of logarithms."""
    size: float
    size_sd: float
    scatters: tuple[float, ...]
    jitter_d: float
    """SD, days, of when the course comes."""


def _surge(centre_d: float, width_d: float) -> Callable[[Floats], Floats]:
    return lambda days: np.asarray(np.exp(-0.5 * ((days - centre_d) / width_d) ** 2))


def _ramp(days: Floats) -> Floats:
    """Temperature: up within a day and a half, which makes the next morning the first high one."""
    return np.clip(days / 1.5, 0.0, 1.0)


def _luteal(delay_d: float) -> Callable[[Floats], Floats]:
    """Progesterone: up within a few days, a plateau, and down before the next menses."""

    def shape(days: Floats) -> Floats:
        rise = 1.0 / (1.0 + np.exp(-np.clip((days - delay_d) / 0.7, -50.0, 50.0)))
        return np.asarray(rise * (1.0 - 0.6 * np.clip((days - 9.0 - delay_d) / 4.0, 0.0, 1.0)))

    return shape


COURSES: Mapping[EvidenceKind, _Course] = {
    "serum-lh": _Course(_surge(-0.7, 0.75), True, 1.85, 0.45, (0.2, 0.35, 0.55), 0.3),
    "urine-lh": _Course(_surge(-0.6, 0.9), True, 1.7, 0.6, (0.25, 0.45, 0.7), 0.45),
    "temperature": _Course(_ramp, False, 0.3, 0.12, (0.07, 0.11, 0.17, 0.26), 0.8),
    "serum-progesterone": _Course(_luteal(1.3), True, 4.0, 0.8, (0.25, 0.45, 0.7), 0.5),
    "urine-pdg": _Course(_luteal(2.3), True, 1.8, 0.5, (0.25, 0.45, 0.7), 0.7),
}
# SD of the personal level about the mean of the readings themselves: no knowledge.
_LEVEL_SD = {True: 2.0, False: 1.0}
# A result below the detection limit lies anywhere under it: its logarithm about so far below, with
# such an SD.
_BELOW, _BELOW_SD = 0.7, 0.6
# Share of cycles without ovulation in which the marker goes its course nevertheless: surges without
# ovulation are known, and so are warm weeks.
_FALSE_COURSE = 0.08

_MOST_DAYS = 400.0
# Progesterone of a cycle, the widest of them, goes from 0.1 to 100 nmol/L.
_MOST_APART = 5_000.0

# Home tests of urine, read once a day (assumed): ovulation comes a day after the first positive
# one; so many are positive without an ovulation near, anywhere in so many days, and so many in a
# cycle that has none.
_AFTER_TEST_D, _AFTER_TEST_SD_D = 1.0, 0.8
_FALSE_TEST, _FALSE_TEST_WITHOUT, _TEST_DAYS = 0.1, 0.3, 40.0
_ONE_SURGE_D = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Readings of one marker in one cycle; make them with `evidence`."""

    kind: EvidenceKind
    days: Floats
    """(n) since the first day of the menses began, 0.3 for that morning."""
    values: Floats
    below: Bools


def evidence(
    kind: EvidenceKind,
    days: ArrayLike,
    values: ArrayLike,
    *,
    below: ArrayLike = False,
    ill: ArrayLike = False,
) -> Evidence | str:
    """Readings in any order, or in a sentence why they cannot be used.

    `values`: concentrations in any one unit, or degrees Celsius; `below`: the result was '<' the
    value; `ill`: the person was ill then, which takes the reading out (fever is no ovulation).
    Raises ``ValueError`` for columns of two lengths.
    """
    d = np.asarray(days, dtype=np.float64)
    y = np.asarray(values, dtype=np.float64)
    if d.ndim != 1 or d.shape != y.shape:
        raise ValueError(f"days and values must be columns of one length, not {d.shape}, {y.shape}")
    is_below = np.broadcast_to(np.asarray(below, dtype=np.bool_), d.shape)
    well = ~np.broadcast_to(np.asarray(ill, dtype=np.bool_), d.shape)
    d, y, is_below = d[well], y[well], is_below[well]
    course = COURSES[kind]
    usable = (np.abs(d) <= _MOST_DAYS) & (y > 0.0) & (y <= 1e9)
    if not usable.all():
        return f"{int((~usable).sum())} of {d.size} readings have no usable day or value above 0."
    if not course.log and d.size and not ((y > 30.0) & (y < 43.0)).all():
        return "A temperature is not in degrees Celsius of a body: units may be mixed."
    if course.log and d.size and float(y.max()) > _MOST_APART * float(y.min()):
        return f"Two results are more than {_MOST_APART:,.0f} times apart: units may be mixed."
    order = np.argsort(d, kind="stable")
    return Evidence(kind, d[order], y[order], is_below[order])


def log_likelihood(found: Evidence, ovulation: Floats) -> tuple[Floats, float]:
    """Of the readings, for ovulation at each day of a grid (g, even steps), and for none.

    Only their differences mean something.
    """
    if not found.days.size:
        return np.zeros(ovulation.size), 0.0
    course = COURSES[found.kind]
    y = np.log(found.values) - _BELOW * found.below if course.log else found.values
    extra = (_BELOW_SD * found.below) ** 2
    y = y - float(np.median(y))
    shape = course.shape(found.days - ovulation[:, None])
    variances = [np.asarray(sd * sd + extra, dtype=np.float64) for sd in course.scatters]
    # Equal weights for every scatter.
    with_course = np.logaddexp.reduce(
        [_marginal(y, shape, variance, course) for variance in variances]
    )
    flat = np.zeros((1, y.size))
    without = float(
        np.logaddexp.reduce([_marginal(y, flat, variance, course)[0] for variance in variances])
    )
    smooth = _smoothed(with_course, float(ovulation[1] - ovulation[0]), course.jitter_d)
    # Without ovulation: mostly no course, sometimes one at any time.
    any_time = float(np.logaddexp.reduce(smooth)) - math.log(smooth.size)
    none = float(
        np.logaddexp(math.log1p(-_FALSE_COURSE) + without, math.log(_FALSE_COURSE) + any_time)
    )
    return smooth, none


def surge_log_likelihood(day: float, ovulation: Floats) -> tuple[Floats, float]:
    """Of a first positive LH test on a day, for ovulation at each day of a grid (g), and for none.

    Ovulation follows the first positive test by a day; tests are also positive without one.
    """
    near = np.exp(-0.5 * ((ovulation - day - _AFTER_TEST_D) / _AFTER_TEST_SD_D) ** 2)
    near /= _AFTER_TEST_SD_D * math.sqrt(2.0 * math.pi)
    anywhere = 1.0 / _TEST_DAYS
    found = np.log((1.0 - _FALSE_TEST) * near + _FALSE_TEST * anywhere)
    return found, math.log(_FALSE_TEST_WITHOUT * anywhere)


def first_of_surges(days: ArrayLike) -> list[float]:
    """The first positive test of each surge: those within three days of one are its own.

    >>> first_of_surges([14.3, 13.3, 25.0, float("nan")])
    [13.3, 25.0]
    """
    found: list[float] = []
    told = np.asarray(days, dtype=np.float64).ravel()
    for day in np.sort(told[np.abs(told) <= _MOST_DAYS]).tolist():
        if not found or day - found[-1] > _ONE_SURGE_D:
            found.append(day)
    return found


def _marginal(y: Floats, shape: Floats, variance: Floats, course: _Course) -> Floats:
    """log p(y | course), level and size integrated out: y (n), shape (g, n), variance (n).

    With X = [1, shape], b ~ N((0, size), P^-1): r = y - size shape, A = X'X/v + P, c = X'r/v, the
    log density is -1/2 (Σ log v + log|A| - log|P| + r'r/v - c'A^-1 c), but for a constant.
    """
    r = y - course.size * shape
    w = 1.0 / variance
    p_level, p_size = 1.0 / _LEVEL_SD[course.log] ** 2, 1.0 / course.size_sd**2
    a11 = float(w.sum()) + p_level
    a12 = shape @ w
    a22 = (shape * shape) @ w + p_size
    c1 = r @ w
    c2 = (shape * r) @ w
    determinant = a11 * a22 - a12 * a12
    explained = (a22 * c1 * c1 - 2.0 * a12 * c1 * c2 + a11 * c2 * c2) / determinant
    squares = (r * r) @ w - explained
    return np.asarray(
        -0.5 * (np.log(variance).sum() + np.log(determinant) - math.log(p_level * p_size) + squares)
    )


def _smoothed(log_values: Floats, step: float, sd: float) -> Floats:
    """The likelihood averaged over a normal spread of times."""
    reach = math.ceil(3.0 * sd / step)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / sd) ** 2)
    most = float(log_values.max())
    padded = np.pad(np.exp(log_values - most), reach, mode="edge")
    average = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return np.asarray(np.log(np.maximum(average, 1e-300)) + most)
