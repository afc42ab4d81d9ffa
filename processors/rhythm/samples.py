"""Samples of one analyte and person, as the markers of cortisol and melatonin take them.

One set has one unit, and values too far apart to be in one are told. Concentrations multiply, so
their errors are those of logarithms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_MOST_HOURS = 1e8  # more is another unit, milliseconds say
_MOST_VALUE = 1e9
# Of cortisol and melatonin: a night's highest over a day's lowest is a few hundred.
_MOST_APART = 5_000.0


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """n samples in the order of their times; make them with `samples`."""

    hours: Floats
    """(n) on a scale that never jumps: hours since the epoch (UTC), say."""
    offset_h: Floats
    """(n) what the wearer's clock adds to them: the offset in each reading's time."""
    values: Floats
    """(n) in `unit`; the limit itself where `below`."""
    unit: str
    """UCUM, one for all."""
    below: Bools
    """(n) the result was '<' the value."""
    verified: Bools
    """(n) the collection time was measured or verified, not reported or assumed."""

    @property
    def n(self) -> int:
        """How many."""
        return self.hours.size

    @property
    def clock_h(self) -> Floats:
        """(n) local clock hours [0, 24)."""
        return np.asarray((self.hours + self.offset_h) % 24.0)

    def flaw(self) -> str | None:
        """What makes these samples unusable for any marker, in a sentence."""
        if not self.n:
            return "There are no samples."
        # Comparisons with NaN are false.
        usable = (
            (np.abs(self.hours) <= _MOST_HOURS)
            & (np.abs(self.offset_h) <= 24.0)
            & (self.values > 0.0)
            & (self.values <= _MOST_VALUE)
        )
        bad = self.n - int(usable.sum())
        if bad:
            return (
                f"{bad} of {self.n} samples have no usable time or no value above 0; a result "
                "below the detection limit is '<' that limit, and an absent one is left out."
            )
        if float(self.values.max()) > _MOST_APART * float(self.values.min()):
            return (
                f"Two results are more than {_MOST_APART:,.0f} times apart: units may be mixed, or "
                "something other than the person's own was measured."
            )
        if (np.diff(self.hours) <= 0.0).any():
            return "Two samples have the same time, so it is not known which of them counts."
        return None

    def wall_clock(self, hour: float) -> float:
        """An hour of `hours` by the wearer's clock: that of the last sample before it."""
        at = int(np.searchsorted(self.hours, hour, side="right")) - 1
        return hour + float(self.offset_h[max(at, 0)])

    def part(self, chosen: Bools) -> Samples:
        """Those samples only."""
        return Samples(
            self.hours[chosen],
            self.offset_h[chosen],
            self.values[chosen],
            self.unit,
            self.below[chosen],
            self.verified[chosen],
        )


def samples(
    hours: ArrayLike,
    values: ArrayLike,
    unit: str,
    *,
    offset_h: ArrayLike = 0.0,
    below: ArrayLike = False,
    verified: ArrayLike = False,
) -> Samples:
    """Samples from columns in any order; the last three may be one value for all.

    Raises ``ValueError`` for columns that are not of one length.

    >>> evening = samples([20.5, 19.5], [3.0, 1.5], "pg/mL", offset_h=1.0)
    >>> evening.clock_h.tolist(), evening.values.tolist()
    ([20.5, 21.5], [1.5, 3.0])
    """
    t = np.asarray(hours, dtype=np.float64)
    y = np.asarray(values, dtype=np.float64)
    if t.ndim != 1 or t.shape != y.shape:
        raise ValueError(
            f"hours and values must be columns of one length, not {t.shape}, {y.shape}"
        )
    order = np.argsort(t, kind="stable")
    offset = np.broadcast_to(np.asarray(offset_h, dtype=np.float64), t.shape)
    is_below = np.broadcast_to(np.asarray(below, dtype=np.bool_), t.shape)
    is_verified = np.broadcast_to(np.asarray(verified, dtype=np.bool_), t.shape)
    return Samples(t[order], offset[order], y[order], unit, is_below[order], is_verified[order])


def log_sd(cv_analytical: float, cv_within: float = 0.0) -> float:
    """SD of a single result's logarithm from the two coefficients of variation.

    sqrt(ln(1 + CV_A²) + ln(1 + CV_I²)), exact for lognormal errors. Raises ``ValueError`` for a
    CV that is not a finite number of 0 or more.

    >>> round(log_sd(0.1, 0.2), 4)
    0.2217
    """
    for cv in (cv_analytical, cv_within):
        if not (math.isfinite(cv) and cv >= 0.0):
            raise ValueError(f"a coefficient of variation is 0 or more, not {cv}")
    return math.sqrt(math.log1p(cv_analytical**2) + math.log1p(cv_within**2))
