"""The menstrual cycle: its day and phase, ovulation, and hormones judged in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from processors.markers.dated import Dated
from processors.markers.diary import DAY_MS, Kept
from processors.rhythm.cycle_evidence import Evidence, EvidenceKind, evidence
from processors.rhythm.in_cycle import InCycle, against_own_cycles, against_phases
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.menses import Cycle, CycleLog, cycle_day, cycle_log
from processors.rhythm.ovulation import (
    PHASES,
    Ovulation,
    PastCycle,
    habit,
    ovulation,
    ovulation_day,
    phases,
)
from processors.rhythm.temperature_shift import temperature_shift
from schemas.analytes import Analyte
from schemas.conditions import CyclePhase, Sex

CYCLE = "cycle"
# What the course of each is about ovulation is known.
KINDS: Mapping[str, EvidenceKind] = {
    "serum-lh": "serum-lh",
    "urine-lh": "urine-lh",
    "serum-progesterone": "serum-progesterone",
    "urine-pdg": "urine-pdg",
    "basal-temperature": "temperature",
}
JUDGED = (
    "serum-estradiol",
    "serum-progesterone",
    "serum-lh",
    "serum-fsh",
    "urine-lh",
    "urine-e3g",
    "urine-pdg",
)
# The person's habit is that of so many days before a cycle; hormones compare with so many.
HABIT_DAYS, OWN_DAYS = 400, 200
_LOG = "cycles from the log of menses"
_BOTH = "probability that it lies outside the interval, over the phases that the day may be in"
_OWN = "percentile among the person's own at the same days from ovulation"


class Found(NamedTuple):
    """One cycle: what is known of its ovulation."""

    cycle: Cycle
    seen: Mapping[str, Evidence | str]
    """By analyte."""
    ovulation: Ovulation | str
    """The posterior, or why there is none."""


def starts_of(menses: Sequence[int]) -> list[int]:
    """First days of cycles, of menses told in any order; days near each other are one menses."""
    return [cycle.start for cycle in cycle_log(menses).cycles]


def log_at(starts: Sequence[int], day: int) -> CycleLog:
    """The log as it counts on a local date: the cycles of a good year, up to the end of that which
    the date lies in. What comes later changes nothing about it.

    >>> [cycle.start for cycle in log_at([0, 28, 57, 85], 30).cycles]
    [0, 28, 57]
    """
    begun = max((start for start in starts if start <= day), default=None)
    if begun is None:
        return cycle_log([])
    later = [start for start in starts if start > begun]
    return cycle_log([*(one for one in starts if begun - HABIT_DAYS <= one <= begun), *later[:1]])


def cycle_at(log: CycleLog, day: int) -> Cycle | None:
    """The cycle that a local date lies in."""
    before = [cycle for cycle in log.cycles if cycle.start <= day]
    return before[-1] if before else None


def found_in(
    cycle: Cycle,
    log: CycleLog,
    readings: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[bool]]],
    *,
    today: float,
    surges: Sequence[float] = (),
    ill: Sequence[tuple[float, float]] = (),
) -> Found:
    """Ovulation in one cycle, from everything that tells of it.

    `readings`: by analyte of `KINDS`, days since the midnight of the menses' first day, values in
    the analyte's unit, and whether each is '<' its value; `today`: the newest day seen, on the
    same scale; `surges`: when LH tests were positive; `ill`: begin and end of illnesses, which
    take temperatures out.
    """
    seen: dict[str, Evidence | str] = {}
    for slug, (days, values, below) in readings.items():
        at = np.asarray(days, dtype=np.float64)
        was_ill = np.zeros(at.shape, dtype=bool)
        if slug == "basal-temperature":
            for begin, end in ill:
                was_ill |= (at >= begin) & (at <= end)
        seen[slug] = evidence(KINDS[slug], at, values, below=below, ill=was_ill)
    if cycle.log_missing:
        reason = f"The cycle of {cycle.length} days has probably lost a menses in between."
        return Found(cycle, seen, reason)
    past = [
        PastCycle(float(one.length))
        for one in log.cycles
        if one.start < cycle.start and one.length is not None and not one.log_missing
    ]
    length = None if cycle.length is None else float(cycle.length)
    # One analyte that cannot be used takes none of the others with it.
    usable = [one for one in seen.values() if isinstance(one, Evidence)]
    if seen and not usable and not surges:
        return Found(cycle, seen, next(one for one in seen.values() if isinstance(one, str)))
    found = ovulation(usable, today=today, length=length, usual=habit(past), surges=surges)
    return Found(cycle, seen, found)


def cycle_markers(found: Found, day: int) -> list[Dated]:
    """Ovulation and thermal shift of one cycle; `day`: the local date of its first day."""
    markers = [Dated(CYCLE, day, ovulation_day(found.ovulation))]
    temperatures = found.seen.get("basal-temperature")
    if temperatures is not None:
        why_not = found.ovulation if isinstance(found.ovulation, str) else None
        markers.append(Dated("basal-temperature", day, temperature_shift(why_not or temperatures)))
    return markers


def same_menses(day: int) -> list[Dated]:
    """Of a menses that was another's, and may have been taken for a cycle's own before."""
    sentence = "The menses told to begin on this date is that of the days before."
    return [
        Dated(CYCLE, day, withheld("ovulation-day", "d", 0, sentence, _LOG)),
        Dated("basal-temperature", day, withheld("temperature-shift", "d", 0, sentence, _LOG)),
    ]


def day_marker(found: Found | None, log: CycleLog, day: int) -> Dated:
    """Day of the cycle of a local date, with the phase that it is probably in."""
    marker = cycle_day(log, float(day))
    if marker.value is None or found is None or isinstance(found.ovulation, str):
        return Dated(CYCLE, day, marker)
    likely = phases(found.ovulation, day - found.cycle.start + 0.5)
    phase = max(PHASES, key=lambda one: likely[one])
    sentence = f"{marker.sentence[:-1]}, probably {phase} ({likely[phase]:.2f})."
    return Dated(CYCLE, day, replace(marker, sentence=sentence))


def phase_on(found: Found | None, day: int) -> CyclePhase | None:
    """The phase that a local date is in, if one is likely enough to choose a reference by."""
    if found is None or isinstance(found.ovulation, str):
        return None
    likely = phases(found.ovulation, day - found.cycle.start + 0.5)
    phase = max(PHASES, key=lambda one: likely[one])
    return phase if likely[phase] >= 0.5 else None


def hormone_markers(
    analyte: Analyte,
    reading: Kept,
    found: Found | None,
    past: Sequence[tuple[Found, Sequence[Kept]]],
    sex: Sex | None,
    age: float | None,
) -> list[Dated]:
    """One result against the references of the phase, and against the person's own cycles.

    `past`: earlier cycles with a known ovulation, with the analyte's results in each.
    """
    names = ("outside-phase-reference", "own-cycle-percentile")
    units = ("1", "%")
    if found is None or isinstance(found.ovulation, str):
        why = "No menses was logged before it." if found is None else str(found.ovulation)
        return [
            Dated(analyte.slug, reading.day, withheld(name, unit, 0, why, method))
            for name, unit, method in zip(names, units, (_BOTH, _OWN), strict=True)
        ]
    at = days_since(reading, found.cycle.start)
    local_hour = (reading.time_ms + reading.offset_ms) % DAY_MS / 3_600_000
    references = {
        phase: (low, high)
        for phase in PHASES
        for low, high in [analyte.reference(local_hour, sex, age, cycle_phase=phase)]
        if low is not None or high is not None
    }
    of_phase = against_phases(reading.value, phases(found.ovulation, at), references, analyte.unit)
    days: list[float] = []
    values: list[float] = []
    which: list[int] = []
    for number, (cycle, results) in enumerate(past):
        if isinstance(cycle.ovulation, str) or cycle.ovulation.anovulation > 0.5:
            continue
        centre = cycle.ovulation.quantile(0.5)
        for result in results:
            if not result.sign:
                days.append(days_since(result, cycle.cycle.start) - centre)
                values.append(result.value)
                which.append(number)
    own = against_own_cycles(
        reading.value,
        at,
        found.ovulation,
        days,
        values,
        which,
        analyte.unit,
        cv=float(np.hypot(analyte.cv_analytical, analyte.cv_within)),
    )
    return [
        Dated(analyte.slug, reading.day, _outside(of_phase, found.ovulation.n)),
        Dated(analyte.slug, reading.day, _percentile(own, len(values))),
    ]


def days_since(reading: Kept, start: int) -> float:
    """Days since the midnight of the menses' first day, by the wearer's clock."""
    return (reading.time_ms + reading.offset_ms) / DAY_MS - start


def _outside(found: InCycle, n: int) -> Marker:
    name = "outside-phase-reference"
    if found.low_probability is None or found.high_probability is None:
        return withheld(name, "1", n, found.sentence, _BOTH)
    value = max(found.low_probability, found.high_probability)
    return Marker(name, "measured", "1", n, found.sentence, _BOTH, value)


def _percentile(found: InCycle, n: int) -> Marker:
    name = "own-cycle-percentile"
    if found.high_probability is None:
        return withheld(name, "%", n, found.sentence, _OWN)
    return Marker(name, "measured", "%", n, found.sentence, _OWN, 100.0 * found.high_probability)
