"""A simulated woman's cycles: when they begin, when she ovulates, and how her hormones go.

Days to ovulation and from there to the next menses are drawn so that cycles last 29 days on average
with a within-person SD of 2.7 days; their split, 16.9 and 12.4 days, is that of Bull et al., npj
Digit Med 2 (2019) 83. How they scatter between people and within them, how many cycles have no
ovulation, and the courses of the hormones about it are assumed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from producers.living import Body

_HABIT, _CYCLE = 60, 61  # purposes of random streams

FERTILE_AGES = (18, 45)
# Of the logarithm of days to ovulation, between women and within one; of days after it.
_TO_OVULATION, _BETWEEN, _WITHIN = 2.79, 0.15, 0.13
_LUTEAL, _LUTEAL_BETWEEN, _LUTEAL_WITHIN = 12.4, 1.0, 1.6
_ANOVULATORY = 0.06
_FORGOTTEN, _LOGGED_AGAIN = 0.06, 0.1
# Of one cycle: SD, days, of when LH, PdG and temperature move about the ovulation.
_LH_SD_D, _PDG_SD_D, _WARM_SD_D = 0.3, 0.5, 0.5


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle. Days of the clinic, or days since the local midnight before `start`'s morning."""

    start: int
    length: int
    ovulation: float | None
    """13.5 is the noon of the cycle's day 14; ``None``: there is none."""
    logged: bool
    """Whether she told of the menses."""
    logged_again: bool
    """Whether she told of it on the next day as well."""
    surge: float  # of the logarithm of LH
    surge_at: float  # days after ovulation, below 0
    luteal: float  # of the logarithm of PdG
    luteal_at: float
    warmer: float  # degrees
    warmer_at: float


class Menstruation:
    """The cycles of one woman, in order, from the one in which the simulation begins."""

    def __init__(self, body: Body) -> None:
        rng = body.stream(_HABIT, 0)
        clipped = [max(-2.0, min(2.0, float(z))) for z in rng.standard_normal(5)]
        self._to_ovulation = _TO_OVULATION + _BETWEEN * clipped[0]
        self._luteal = _LUTEAL + _LUTEAL_BETWEEN * clipped[1]
        self.log_lh = 1.6 + 0.3 * clipped[2]
        self.log_pdg = 0.3 + 0.3 * clipped[3]
        self.temperature = 36.4 + 0.12 * clipped[4]
        self.reads_tests = bool(rng.random() < 0.7)
        """Whether she reads home tests for the LH surge."""
        self._body = body
        first = -int(rng.integers(0, 28))
        self._cycles = [self._draw(0, first)]

    @property
    def usual_ovulation(self) -> float:
        """Days to it, as she knows from her own cycles."""
        return math.exp(self._to_ovulation)

    def cycle(self, date: int) -> Cycle:
        """The cycle that a date of the clinic (from the start on) lies in."""
        while (last := self._cycles[-1]).start + last.length <= date:
            self._cycles.append(self._draw(len(self._cycles), last.start + last.length))
        return next(one for one in reversed(self._cycles) if one.start <= date)

    def cycles(self, until: int) -> list[Cycle]:
        """Those that begin up to a date."""
        self.cycle(until)
        return [one for one in self._cycles if one.start <= until]

    def log_lh_at(self, cycle: Cycle, day: float) -> float:
        """Natural logarithm of LH in urine, mIU/mL; `day`: since the cycle's first midnight."""
        if cycle.ovulation is None:
            return self.log_lh
        since = day - cycle.ovulation - cycle.surge_at
        return self.log_lh + cycle.surge * math.exp(-0.5 * (since / 0.8) ** 2)

    def log_pdg_at(self, cycle: Cycle, day: float) -> float:
        """Natural logarithm of PdG in urine, µg/mL: up within days, a plateau, and down before the
        next menses; `day` as above."""
        if cycle.ovulation is None:
            return self.log_pdg
        rise = 1.0 / (1.0 + math.exp(-(day - cycle.ovulation - cycle.luteal_at) / 0.6))
        fall = max(0.0, min(1.0, (day - (cycle.length - 4.0)) / 4.0))
        return self.log_pdg + cycle.luteal * rise * (1.0 - 0.6 * fall)

    def temperature_at(self, cycle: Cycle, day: float) -> float:
        """Basal temperature, °C, without fever; `day` as above."""
        if cycle.ovulation is None:
            return self.temperature
        risen = (day - cycle.ovulation - cycle.warmer_at) / 1.5
        return self.temperature + cycle.warmer * max(0.0, min(1.0, risen))

    def _draw(self, number: int, start: int) -> Cycle:
        rng = self._body.stream(_CYCLE, number)
        z = [max(-2.5, min(2.5, float(one))) for one in rng.standard_normal(8)]
        ovulation = math.exp(self._to_ovulation + _WITHIN * z[0])
        luteal = max(self._luteal + _LUTEAL_WITHIN * z[1], 7.0)
        without, forgotten, again = rng.random(3)
        return Cycle(
            start=start,
            length=round(ovulation + luteal),
            ovulation=None if without < _ANOVULATORY else ovulation,
            logged=bool(forgotten >= _FORGOTTEN),
            logged_again=bool(forgotten >= _FORGOTTEN and again < _LOGGED_AGAIN),
            surge=2.0 + 0.4 * z[2],
            surge_at=-0.6 + _LH_SD_D * z[3],
            luteal=1.8 + 0.35 * z[4],
            luteal_at=2.3 + _PDG_SD_D * z[5],
            warmer=0.3 + 0.06 * z[6],
            warmer_at=_WARM_SD_D * z[7],
        )
