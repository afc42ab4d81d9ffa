"""A small clinic of stored rows for the page's tests: made by formula, the same every time.

The rows go through the result models, and where the engine leaves a field out (see
``processors/engine/results.py``) so do they: a half hour bears the time of its beginning and the
clock hour of its middle, and a mean of several readings has no device and is neither live nor late.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from dashboards.page.source import Evidence, Person, ReadableStore, Series, read_evidence
from schemas.measurements import ALERT, DEVIATION, PROFILE, READING, RHYTHM, Measurement, Row
from schemas.results import (
    Alert,
    Deviation,
    DeviationKind,
    Direction,
    ProfilePoint,
    Rhythm,
    Severity,
    Status,
    StoredReading,
)

NOW = datetime(2026, 11, 3, 14, 32, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
CLOCK_AHEAD_H = 1.0  # the wearers live at UTC+1


class WritableStore(Protocol):
    """What the clinic needs of a store."""

    def write(self, measurement: Measurement, rows: Sequence[Row]) -> None:
        """As ``processors.store.Store.write``."""


def wave(hour: float, peak: float) -> float:
    """A day's curve between -1 and 1 with a steep rise, as cortisol has."""
    angle = 2 * math.pi * (hour - peak) / 24
    return 0.85 * math.cos(angle) + 0.25 * math.cos(2 * angle)


@dataclass(frozen=True)
class Shape:
    """How a series looks: midline and swing (log units if ``log``), spread, and where it peaks.

    ``sparse`` series have five readings a day that are kept one by one, the others five-minute
    means. ``limits`` are reference limits by hour: from, to, low, high.
    """

    midline: float
    swing: float
    spread: float
    peak: float
    log: bool = False
    sparse: bool = False
    limits: tuple[tuple[float, float, float | None, float | None], ...] = ()

    def at(self, hour: float, z: float = 0.0, *, peak: float | None = None) -> float:
        """The value at a clock hour, ``z`` spreads above the middle."""
        offset = self.swing * wave(hour, self.peak if peak is None else peak) + self.spread * z
        return self.midline * math.exp(offset) if self.log else self.midline + offset

    def limit(self, hour: float) -> tuple[float | None, float | None]:
        """Reference limits at a clock hour."""
        for begin, end, low, high in self.limits:
            if begin <= hour < end:
                return low, high
        return None, None


SHAPES = {
    "saliva-cortisol": Shape(
        midline=0.17,
        swing=0.95,
        spread=0.34,
        peak=8.2,
        log=True,
        sparse=True,
        limits=((7, 9, 0.1, 0.75), (15, 17, None, 0.401), (23, 24, None, 0.1)),
    ),
    "heart-rate": Shape(
        midline=68,
        swing=9,
        spread=5.5,
        peak=15.5,
        limits=((0, 6, 46, 88), (6, 12, 51, 94), (12, 18, 55, 100), (18, 24, 50, 96)),
    ),
    "wrist-temperature": Shape(midline=33.6, swing=0.9, spread=0.45, peak=3.4),
    "saliva-melatonin": Shape(midline=4.2, swing=1.3, spread=0.4, peak=2.5, log=True, sparse=True),
}


def never(days_ago: float) -> float:
    """A shift that does not happen."""
    return 0.0


def always(days_ago: float) -> float:
    """A factor that changes nothing."""
    return 1.0


@dataclass(frozen=True)
class Plan:
    """One series. ``shift_h`` and ``factor`` are functions of how many days ago it is."""

    subject: str
    analyte: str
    days: int = 30
    status: Status = Status.ESTABLISHED
    shift_h: Callable[[float], float] = never
    factor: Callable[[float], float] = always
    silent_h: float = 0.0
    site: str = "default"

    @property
    def shape(self) -> Shape:
        """How the analyte looks."""
        return SHAPES[self.analyte]

    @property
    def tags(self) -> dict[str, Any]:
        """What every row of the series bears."""
        return {"site": self.site, "subject": self.subject, "analyte": self.analyte}

    @property
    def end(self) -> datetime:
        """The newest reading."""
        return NOW - timedelta(hours=self.silent_h)

    @property
    def wobble(self) -> float:
        """A number of its own, so that series do not look alike."""
        return float(sum(map(ord, self.subject + self.analyte)) % 97)


class Clinic:
    """Writes people into a store, through the result models as the processors do."""

    def __init__(self, store: WritableStore) -> None:
        self.store = store

    def write(self, measurement: Measurement, *results: BaseModel) -> None:
        """Write results as rows."""
        self.store.write(measurement, [measurement.row(result) for result in results])

    def series(self, subject: str, analyte: str, **plan: Any) -> None:
        """One series (see `Plan`): its rhythms, half hours and readings."""
        planned = Plan(subject, analyte, **plan)
        self.write(RHYTHM, *(rhythm(planned, step) for step in range(planned.days * 8, -1, -1)))
        half_hours = min(planned.days, 16) * 48
        self.write(PROFILE, *(half_hour(planned, step) for step in range(half_hours)))
        self.store.write(READING, list(readings(planned)))

    def alert(
        self,
        subject: str,
        analyte: str,
        kind: DeviationKind,
        direction: Direction,
        severity: Severity,
        reason: str,
        *,
        hours_ago: float,
        state: Literal["open", "resolved"] = "open",
        site: str = "default",
    ) -> None:
        """An alert and the deviation behind it."""
        over = NOW if state == "resolved" else None
        common: dict[str, Any] = {
            "site": site,
            "subject": subject,
            "analyte": analyte,
            "kind": kind,
            "direction": direction,
            "severity": severity,
            "reason": reason,
            "time": NOW - timedelta(hours=hours_ago),
        }
        self.write(ALERT, Alert(**common, state=state, updated_at=NOW, resolved_at=over))
        deviation = Deviation(
            **common,
            ended_at=over,
            z=5.1,
            threshold=3.6,
            effect=None,
            n_effective=14.0,
            retrospective=False,
        )
        self.write(DEVIATION, deviation)


def rhythm(plan: Plan, step: int) -> Rhythm:
    """The rhythm as it was ``step`` times three hours before the newest reading."""
    shape = plan.shape
    time = plan.end - timedelta(hours=3 * step)
    ago = (NOW - time) / timedelta(days=1)
    age = plan.days - step / 8
    width = 0.35 + 2.0 / (0.4 + age)
    peak = shape.peak + plan.shift_h(ago) + 0.25 * math.sin(age * 1.3 + plan.wobble)
    lost = plan.status is Status.ARRHYTHMIC and ago < 4
    level = plan.factor(ago) * (1 + 0.04 * math.sin(age * 0.9 + plan.wobble))
    mesor = shape.midline * level
    swing = 0.08 + 0.3 / (0.5 + age)
    return Rhythm(
        **plan.tags,
        time=time,
        status=plan.status if ago < 2 or age > 14 else Status.EMERGING,
        mesor=mesor,
        mesor_low=mesor * (1 - swing),
        mesor_high=mesor * (1 + swing),
        amplitude=shape.swing,
        amplitude_low=shape.swing * 0.85,
        amplitude_high=shape.swing * 1.15,
        acrophase=None if lost else peak % 24,
        acrophase_low=None if lost else peak % 24 - width,
        acrophase_high=None if lost else peak % 24 + width,
        peak=peak % 24,
        peak_low=peak % 24 - width,
        peak_high=peak % 24 + width,
        peak_value=shape.at(shape.peak) * level,
        trough=(peak + 14.5) % 24,
        trough_low=(peak + 14.5) % 24 - 1.5,
        trough_high=(peak + 14.5) % 24 + 1.5,
        trough_value=shape.at(shape.peak + 14.5) * level,
        n_readings=150,
        n_effective=31.4,
        coverage=0.79,
        n_days=round(age),
        residual_cv=0.34 if shape.log else shape.spread / shape.midline,
        baseline_acrophase=shape.peak,
        level_ratio=level,
        level_ratio_low=level * 0.93,
        level_ratio_high=level * 1.08,
        amplitude_ratio=0.97,
        amplitude_ratio_low=0.83,
        amplitude_ratio_high=1.12,
        phase_shift=None if lost else peak - shape.peak,
        phase_shift_low=None if lost else peak - shape.peak - width,
        phase_shift_high=None if lost else peak - shape.peak + width,
        last_reading=time,
    )


def half_hour(plan: Plan, step: int) -> ProfilePoint:
    """The half hour that ended ``step`` half hours before the open one began."""
    shape = plan.shape
    closed = plan.end.replace(minute=plan.end.minute // 30 * 30)
    begin = closed - timedelta(minutes=30 * (step + 1))
    hour = (begin.hour + begin.minute / 60 + CLOCK_AHEAD_H + 0.25) % 24
    ago = (NOW - begin) / timedelta(days=1)
    noise = 0.8 * math.sin(hour * 2.1 + plan.wobble + step)
    taken = not shape.sparse or hour in (8.25, 12.25, 16.25, 19.25, 22.25)
    value = shape.at(hour, noise, peak=shape.peak + plan.shift_h(ago)) * plan.factor(ago)
    low, high = shape.limit(hour)
    return ProfilePoint(
        **plan.tags,
        time=begin,
        clock_hour=hour,
        value=value if taken else None,
        n=(1 if shape.sparse else 30) if taken else 0,
        p05=shape.at(hour, -1.645),
        p25=shape.at(hour, -0.674),
        p50=shape.at(hour),
        p75=shape.at(hour, 0.674),
        p95=shape.at(hour, 1.645),
        ref_low=low,
        ref_high=high,
        n_days=max(1, plan.days - step // 48),
    )


def readings(plan: Plan) -> Iterator[Row]:
    """Rows of readings: twelve days of single ones, or a day of five-minute means."""
    shape = plan.shape
    spacing = timedelta(hours=4.8) if shape.sparse else timedelta(minutes=5)
    for step in range(60 if shape.sparse else 288):
        time = plan.end - spacing * step
        hour = (time.hour + time.minute / 60 + CLOCK_AHEAD_H) % 24
        ago = (NOW - time) / timedelta(days=1)
        z = math.sin(step * 2.3 + plan.wobble)
        value = shape.at(hour, z, peak=shape.peak + plan.shift_h(ago)) * plan.factor(ago)
        stored = StoredReading(
            **plan.tags,
            time=time,
            value=value,
            low=value * 0.98,
            high=value * 1.02,
            n=1 if shape.sparse else 5,
            clock_hour=hour,
            censored="<" if shape.sparse and step == 7 else None,
            original=f"{value * 27.59:.2f} nmol/L" if shape.sparse else None,
            device="home-kit-7" if shape.sparse else None,
            live=step != 9,
        )
        row = READING.row(stored)
        yield row if shape.sparse else (*row[:-1], None)


def fill(store: WritableStore) -> None:
    """Eight people: four with alerts, one silent, one new, one without a rhythm, the rest quiet."""
    clinic = Clinic(store)

    def later(days_ago: float) -> float:
        return max(0.0, min(3.4, (6 - days_ago) * 0.7))

    def higher(days_ago: float) -> float:
        return 1 + max(0.0, min(0.14, (4 - days_ago) * 0.05))

    cortisol: dict[str, dict[str, Any]] = {
        "sim-03": {"shift_h": later},
        "sim-05": {"silent_h": 60, "status": Status.STALE},
        "sim-06": {"days": 3, "status": Status.INSUFFICIENT},
        "sim-07": {"status": Status.ARRHYTHMIC},
    }
    for number in range(1, 9):
        subject = f"sim-{number:02d}"
        clinic.series(subject, "saliva-cortisol", **cortisol.get(subject, {}))
    clinic.series("sim-01", "heart-rate")
    clinic.series("sim-02", "heart-rate", factor=higher)
    for analyte in ("heart-rate", "wrist-temperature", "saliva-melatonin"):
        clinic.series("sim-03", analyte)
    clinic.alert(
        "sim-03",
        "saliva-cortisol",
        DeviationKind.PHASE,
        "later",
        "major",
        "Saliva cortisol peaks 3.4 h later than this person's baseline: at 11:36 instead of 08:12 "
        "(90 % interval +2.7 to +4.1 h; score 5.1; 14 effective readings of about the last 3 "
        "days).",
        hours_ago=52,
    )
    clinic.alert(
        "sim-03",
        "saliva-cortisol",
        DeviationKind.OUTLIER,
        "higher",
        "minor",
        "Saliva cortisol of 0.310 µg/dL is higher than predicted for that hour (90 % of readings "
        "fall between 0.040 and 0.130 µg/dL; score +3.9; from 31 effective readings).",
        hours_ago=16,
        state="resolved",
    )
    clinic.alert(
        "sim-02",
        "heart-rate",
        DeviationKind.LEVEL,
        "higher",
        "moderate",
        "Heart rate is 14 % higher than this person's baseline: 78 instead of 68 beats/min (90 % "
        "interval +9 to +19 %; score 5.0; 61 effective readings of about the last 24 h).",
        hours_ago=30,
    )
    clinic.alert(
        "sim-07",
        "saliva-cortisol",
        DeviationKind.ARRHYTHMIC,
        "lost",
        "moderate",
        "Saliva cortisol has lost its 24-hour rhythm: the daily swing is 8 % of this person's "
        "baseline and cannot be told from none (score 4.6; 19 effective readings of about the "
        "last 3 days).",
        hours_ago=9,
    )
    clinic.alert(
        "sim-05",
        "saliva-cortisol",
        DeviationKind.MISSING,
        "silent",
        "minor",
        "Saliva cortisol: no readings for 20 h; the longest usual pause is 11 h (from 150 readings "
        "so far).",
        hours_ago=40,
    )


def evidence_of(
    store: ReadableStore, subject: str, analyte: str = "saliva-cortisol", now_ms: int = NOW_MS
) -> Evidence:
    """What the page reads of one series."""
    return read_evidence(store, Series(Person("default", subject), analyte), now_ms)
