"""What a simulated clinic can measure on top of heart rate, temperature, cortisol and melatonin.

Each panel has random streams of its own: what is measured without it stays as it is, but for the
heart rate, which steps move, and for the samples that a kit replaces.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from producers import cycle_notes, devices, laboratory
from producers.cycle_notes import CycleNotes
from producers.laboratory import Laboratory
from producers.living import Body, stream
from producers.menstrual import FERTILE_AGES, Menstruation
from producers.notes import Source
from producers.physiology import Person, Trouble, activity_moments, melatonin_onset
from producers.travel_notes import TravelNotes, lags
from producers.walking import Walker
from producers.wearer_clock import Pace
from schemas.catalogue import Analyte


class Panel(StrEnum):
    """Something more that people measure."""

    STEPS = "steps"
    CYCLE = "cycle"
    LABS = "labs"
    AWAKENING = "awakening"
    TRAVEL = "travel"


ANALYTES: Mapping[Panel, Sequence[str]] = {
    Panel.STEPS: ("steps",),
    Panel.CYCLE: cycle_notes.ANALYTES,
    Panel.LABS: laboratory.ANALYTES,
}

_PACE = 80  # purpose of a random stream of the clinic's, beside the person's number
# Aschoff et al. 1975; how people differ is assumed: by about a third.
_ADVANCE_S, _DELAY_S, _PACE_SD = 57.0 * 60.0, 92.0 * 60.0, 0.33
# Every second person has the kit that notes its times.
_KIT_EVERY = 2


@dataclass(frozen=True, slots=True)
class Extras:
    """What the panels of a clinic mean for one person."""

    kit: bool
    walker: Walker | None
    menstruation: Menstruation | None
    laboratory: Laboratory | None
    sources: tuple[Source, ...]


def pace_of(seed: int, number: int, panels: Collection[Panel]) -> Pace:
    """How fast a person's body follows a journey."""
    if Panel.TRAVEL not in panels:
        return Pace()
    z = float(stream(seed, number, _PACE).standard_normal())
    speed = math.exp(_PACE_SD * max(-2.0, min(2.0, z)))
    return Pace(_ADVANCE_S * speed, _DELAY_S * speed)


def at_rest(person: Person, panels: Collection[Panel]) -> Person:
    """The person whose heart follows the steps that are counted, and no others."""
    if Panel.STEPS not in panels:
        return person
    curves = []
    for curve in person.curves:
        active = activity_moments(24.0 - person.sleep_h)[1] * curve.activity**2
        sd = math.sqrt(curve.residual_sd**2 - active)
        curves.append(replace(curve, activity=0.0, residual_sd=sd))
    return replace(person, curves=tuple(curves))


def enrol(
    body: Body,
    number: int,
    age: int,
    panels: Collection[Panel],
    analytes: Mapping[str, Analyte],
    troubles: Sequence[Trouble],
) -> Extras:
    """What a person gets of the panels; `age`: in years, as the clinic begins."""
    sources: list[Source] = []
    cycling = body.person.sex == "female" and FERTILE_AGES[0] <= age <= FERTILE_AGES[1]
    menstruation = Menstruation(body) if Panel.CYCLE in panels and cycling else None
    if menstruation is not None:
        sources.append(CycleNotes(body, menstruation, analytes))
    blood = Laboratory(body, age, analytes, troubles) if Panel.LABS in panels else None
    if blood is not None:
        sources.append(blood)
    if Panel.TRAVEL in panels:
        sources.append(TravelNotes(body))
    return Extras(
        kit=Panel.AWAKENING in panels and number % _KIT_EVERY == 0,
        walker=Walker(body) if Panel.STEPS in panels else None,
        menstruation=menstruation,
        laboratory=blood,
        sources=tuple(sources),
    )


def home_tests(extras: Extras, usual: Sequence[devices.HomeTest]) -> tuple[devices.HomeTest, ...]:
    """The home tests of a person, the kit in place of the one it stands for."""
    if not extras.kit:
        return tuple(usual)
    kit = devices.VERIFIED_CORTISOL
    return tuple(kit if test.analyte == kit.analyte else test for test in usual)


def truth(body: Body, extras: Extras, panels: Collection[Panel], until: int) -> dict[str, Any]:
    """What markers should find, as JSON values; cycles that begin up to the clinic's day `until`.

    Peaks and onsets are local clock hours, `ovulation_day` counts from 1: 14.5 is the noon of the
    cycle's 14th day.
    """
    found: dict[str, Any] = {"melatonin_onset": melatonin_onset(body.person)}
    if Panel.AWAKENING in panels:
        found["verified_kit"] = extras.kit
    if extras.walker is not None:
        found["per_step"] = extras.walker.per_step
    if extras.menstruation is not None:
        found["cycles"] = [
            {
                "menses": body.clock.date(cycle.start).isoformat(),
                "length": cycle.length,
                "ovulation_day": None if cycle.ovulation is None else 1.0 + cycle.ovulation,
                "logged": cycle.logged,
                "logged_again": cycle.logged_again,
            }
            for cycle in extras.menstruation.cycles(until)
        ]
    if extras.laboratory is not None:
        found["set_points"] = [asdict(point) for point in extras.laboratory.set_points]
        found["slow_hormones"] = extras.laboratory.slow
    if Panel.TRAVEL in panels:
        found["body_clock"] = lags(body)
    return found
