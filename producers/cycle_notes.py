"""What a simulated woman notes of her cycles: menses, urine, temperature, tests, fever.

Every morning on waking the temperature, and about mid-cycle LH in urine; every other morning PdG.
Mornings are missed; menses are forgotten, or told twice; fever, of which an illness is told once it
is over, hides the temperature. Shares are assumed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from producers.living import Body
from producers.menstrual import Cycle, Menstruation
from producers.notes import Note, result
from schemas.catalogue import Analyte
from schemas.events import Illness, LhSurge, Menses

ANALYTES = ("urine-lh", "urine-pdg", "basal-temperature")

_MORNING, _FEVER = 62, 63  # purposes of random streams
_MISSED = 0.1
# LH is measured from so many days before the usual ovulation to so many after it.
_LH_DAYS = (-7.0, 7.0)
# A home test shows a line from about four times the level on.
_POSITIVE = math.log(4.0)
_LH_SD, _PDG_SD, _TEMPERATURE_SD = 0.25, 0.3, 0.07
_FEVERS_A_DAY, _FEVER_DAYS = 1.0 / 70.0, (2, 3, 4)


class CycleNotes:
    """A source of notes; see the module's docstring."""

    def __init__(
        self, body: Body, menstruation: Menstruation, analytes: Mapping[str, Analyte]
    ) -> None:
        self._body = body
        self._menstruation = menstruation
        self._analytes = analytes

    def __call__(self, date: int) -> Iterator[Note]:
        yield from self._menses(date, self._menstruation.cycle(max(date, 0)))
        yield from self._illness(date)
        sleep = self._body.sleep(date)
        if sleep is not None:
            yield from self._morning(date, sleep[1])

    def _menses(self, date: int, cycle: Cycle) -> Iterator[Note]:
        days = [cycle.start] * cycle.logged + [cycle.start + 1] * cycle.logged_again
        at = self._body.clock.instant(date, 8.0 + 0.01 * (cycle.start % 100))
        if date in days and at is not None:
            event = Menses(
                kind="menses", subject=self._body.person.subject, at=self._body.clock.local_time(at)
            )
            yield Note(at, at + 60.0, None, event)

    def _morning(self, date: int, waking: float) -> Iterator[Note]:
        rng = self._body.stream(_MORNING, date)
        missed, later_min = rng.random(3) < _MISSED, rng.uniform(2.0, 15.0)
        own = rng.standard_normal(3)
        woman, clock = self._menstruation, self._body.clock
        urine = waking + 60.0 * later_min
        # Days since the midnight before the cycle's first morning, by the wearer's clock.
        local = clock.local_time(waking)
        today = (local.date() - clock.date(0)).days
        cycle = woman.cycle(max(today, 0))
        day = today - cycle.start + (local.hour + local.minute / 60.0) / 24.0
        if not missed[0]:
            fever = self._fever(today)
            true = woman.temperature_at(cycle, day) + _TEMPERATURE_SD * own[0] + fever
            yield self._result("basal-temperature", "thermometer", waking, true, rng, 0.0, 2)
        first, last = (woman.usual_ovulation + edge for edge in _LH_DAYS)
        if not missed[1] and first <= day <= last:
            log_lh = woman.log_lh_at(cycle, day) + _LH_SD * own[1]
            yield self._result("urine-lh", "urine", urine, math.exp(log_lh), rng, 900.0, 1)
            if woman.reads_tests and log_lh > woman.log_lh + _POSITIVE:
                event = LhSurge(
                    kind="lh-surge",
                    subject=self._body.person.subject,
                    at=clock.local_time(urine + 300.0),
                )
                yield Note(urine + 300.0, urine + 360.0, None, event)
        if not missed[2] and (today - cycle.start) % 2:
            log_pdg = woman.log_pdg_at(cycle, day) + _PDG_SD * own[2]
            yield self._result("urine-pdg", "urine", urine, math.exp(log_pdg), rng, 900.0, 2)

    def _result(
        self,
        slug: str,
        device: str,
        taken: float,
        true: float,
        rng: np.random.Generator,
        ready_s: float,
        decimals: int,
    ) -> Note:
        analyte = self._analytes[slug]
        return result(
            self._body,
            analyte,
            device,
            taken,
            true,
            rng,
            ready_s=ready_s,
            decimals=decimals,
            timing="device",
        )

    def _fever_from(self, date: int) -> tuple[int, float]:
        """Days, and degrees, of a fever that begins on a date; none is (0, 0)."""
        rng = self._body.stream(_FEVER, date)
        begins, days, degrees = rng.random(), int(rng.choice(_FEVER_DAYS)), rng.uniform(0.7, 1.6)
        return (days, float(degrees)) if begins < _FEVERS_A_DAY else (0, 0.0)

    def _fever(self, date: int) -> float:
        """Degrees on the morning of a date."""
        fevers = [(*self._fever_from(date - ago), ago) for ago in range(max(_FEVER_DAYS))]
        return max((degrees for days, degrees, ago in fevers if ago < days), default=0.0)

    def _illness(self, date: int) -> Iterator[Note]:
        """That which ended with the day before a date."""
        clock = self._body.clock
        for days in _FEVER_DAYS:
            if self._fever_from(date - days)[0] != days:
                continue
            begin, end, told = (
                clock.instant(date - days, 0.0),
                clock.instant(date, 0.0),
                clock.instant(date, 9.0),
            )
            if begin is not None and end is not None and told is not None:
                event = Illness(
                    kind="illness",
                    subject=self._body.person.subject,
                    at=clock.local_time(begin),
                    until=clock.local_time(end),
                )
                yield Note(told, told + 60.0, None, event)
