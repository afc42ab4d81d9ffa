"""Blood drawn every four weeks in the morning, and the set points behind its results.

Of an axis a person has a set point, about which the product goes up and down and its controller
answers with the feedback's slope: -2.04 for the logarithm of TSH over free T4 relative to its usual
level, -0.8 (assumed) for that of LH over that of testosterone. Set points lie in the catalogue's
reference of the person's sex and age, spread less than it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from producers.living import Body
from producers.notes import Note, result
from producers.physiology import Trouble
from producers.wearer_clock import DAY_S
from schemas.catalogue import Analyte

_WHO, _VISIT = 70, 71  # purposes of random streams

EVERY_DAYS = 28
_CLOCK_HOUR = 8.5
_RESULT_DAYS = (1.0, 4.0)
# Of the spread of the reference, in logarithms: the rest are a person's own ups and downs.
_BETWEEN = 0.75
# From onset to full size, days.
_FAILING_DAYS = 28.0
_PERCENTILES = 3.919927969080108  # from the 2.5th to the 97.5th, in SDs

THYROID = ("serum-tsh", "serum-free-t4")
TESTIS = ("serum-lh", "serum-testosterone")
SLOW = ("serum-igf-1", "serum-dheas")
ANALYTES = (*THYROID, *TESTIS, *SLOW)
_DECIMALS = {
    "serum-tsh": 2,
    "serum-free-t4": 2,
    "serum-lh": 1,
    "serum-testosterone": 0,
    "serum-igf-1": 0,
    "serum-dheas": 0,
}

# Of ln TSH over free T4 relative to 15 pmol/L: log10 TSH = 1.50 - 0.059 free T4 in healthy people
# (Eur J Endocrinol 162 (2010) 323-329, abstract).
_TSH_SLOPE = -0.059 * math.log(10.0) * 15.0


@dataclass(frozen=True, slots=True)
class SetPoint:
    """An axis of one person: levels in the analytes' units, and the controller's answer."""

    controller: str
    product: str
    controller_level: float
    product_level: float
    slope: float
    """Of the controller's logarithm, over that of the product, or over the product relative to
    `usual`."""
    usual: float | None
    """Of the product; ``None`` where the slope is over its logarithm."""


class Laboratory:
    """A source of notes: one person's blood; see the module's docstring."""

    def __init__(
        self,
        body: Body,
        age: float,
        analytes: Mapping[str, Analyte],
        troubles: Sequence[Trouble] = (),
    ) -> None:
        self._body = body
        self._analytes = analytes
        self._troubles = [trouble for trouble in troubles if trouble.kind == "axis"]
        rng = body.stream(_WHO, 0)
        self._first = int(rng.integers(1, 8))
        levels: dict[str, float] = {}
        usual: dict[str, float] = {}
        for slug in ANALYTES:
            z = max(-1.6, min(1.6, float(rng.standard_normal())))
            low, high = analytes[slug].reference(_CLOCK_HOUR, body.person.sex, age)
            if low is not None and high is not None:
                spread = math.log(high / low) / _PERCENTILES
                levels[slug] = math.sqrt(low * high) * math.exp(_BETWEEN * spread * z)
                usual[slug] = math.sqrt(low * high)
        tsh, t4 = THYROID
        self.set_points = [SetPoint(tsh, t4, levels[tsh], levels[t4], _TSH_SLOPE, usual[t4])]
        if body.person.sex == "male":
            lh, testosterone = TESTIS
            levels_of = levels[lh], levels[testosterone]
            self.set_points.append(SetPoint(lh, testosterone, *levels_of, -0.8, None))
        self.slow = {slug: levels[slug] for slug in SLOW if slug in levels}
        """Levels, in the analytes' units."""

    def __call__(self, date: int) -> Iterator[Note]:
        if date < 0 or (date - self._first) % EVERY_DAYS:
            return
        planned = self._body.clock.instant(date, _CLOCK_HOUR)
        if planned is None:
            return
        rng = self._body.stream(_VISIT, date)
        taken = round(planned + 60.0 * rng.uniform(-20.0, 20.0))
        ready_s = DAY_S * float(rng.uniform(*_RESULT_DAYS))
        levels: dict[str, float] = {}
        for axis in self.set_points:
            levels[axis.product], levels[axis.controller] = self._pair(axis, taken, rng)
        for slug, level in self.slow.items():
            own = _sd(self._analytes[slug].cv_within) * float(rng.standard_normal())
            levels[slug] = level * math.exp(own)
        for slug, level in levels.items():
            yield result(
                self._body,
                self._analytes[slug],
                "lab",
                taken,
                level,
                rng,
                ready_s=ready_s,
                decimals=_DECIMALS[slug],
                timing="verified",
            )

    def _pair(self, axis: SetPoint, taken: float, rng: np.random.Generator) -> tuple[float, float]:
        """Product and controller at an instant."""
        z = rng.standard_normal(2)
        own, free = (_sd(self._analytes[s].cv_within) for s in (axis.product, axis.controller))
        level = axis.product_level * math.exp(own * float(z[0]))
        for trouble in self._troubles:
            if trouble.concerns(axis.product) and trouble.onset <= taken < trouble.end:
                share = min((taken - trouble.onset) / DAY_S / _FAILING_DAYS, 1.0)
                level *= 1.0 - (1.0 - trouble.size) * share
        if axis.usual is None:
            moved = math.log(level / axis.product_level)
        else:
            moved = (level - axis.product_level) / axis.usual
        answer = axis.slope * moved + free * float(z[1])
        return level, axis.controller_level * math.exp(answer)


def _sd(cv: float) -> float:
    """Of the logarithm."""
    return math.sqrt(math.log1p(cv * cv))
