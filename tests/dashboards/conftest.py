"""A small clinic of stored rows for the page's tests: made by formula, the same every time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from processors.store.memory import MemoryStore
from schemas.measurements import ALERT, DEVIATION, PROFILE, READING, RHYTHM, Measurement
from schemas.results import (
    Alert,
    Deviation,
    DeviationKind,
    ProfilePoint,
    Rhythm,
    Status,
    StoredReading,
)

NOW = datetime(2026, 11, 3, 14, 32, tzinfo=UTC)
CLOCK_AHEAD_H = 1.0  # the wearers live at UTC+1


def wave(hour: float, peak: float) -> float:
    """A day's curve between -1 and 1 with a steep rise, as cortisol has."""
    angle = 2 * math.pi * (hour - peak) / 24
    return 0.85 * math.cos(angle) + 0.25 * math.cos(2 * angle)


class Shape(BaseModel):
    """How a series looks: midline and swing (log units if ``log``), spread, and where it peaks."""

    midline: float
    swing: float
    spread: float
    peak: float
    log: bool = False
    ref: tuple[float, float] | None = None

    def at(self, hour: float, z: float = 0.0, *, peak: float | None = None) -> float:
        """The value at a clock hour, ``z`` spreads above the middle."""
        offset = self.swing * wave(hour, self.peak if peak is None else peak) + self.spread * z
        return self.midline * math.exp(offset) if self.log else self.midline + offset


SHAPES = {
    "saliva-cortisol": Shape(
        midline=0.17, swing=0.95, spread=0.34, peak=8.2, log=True, ref=(0.55, 1.9)
    ),
    "heart-rate": Shape(midline=68, swing=9, spread=5.5, peak=15.5),
    "wrist-temperature": Shape(midline=33.6, swing=0.9, spread=0.45, peak=3.4),
    "saliva-melatonin": Shape(midline=4.2, swing=1.3, spread=0.4, peak=2.5, log=True),
}


class Clinic:
    """Writes people into a store, through the result models as the processors do."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store

    def write(self, measurement: Measurement, *results: BaseModel) -> None:
        """Write results as rows."""
        self.store.write(measurement, [measurement.row(result) for result in results])

    def series(
        self,
        subject: str,
        analyte: str,
        *,
        days: int = 30,
        status: Status = Status.ESTABLISHED,
        shift_h: Callable[[float], float] = lambda days_ago: 0.0,
        factor: Callable[[float], float] = lambda days_ago: 1.0,
        silent_h: float = 0.0,
        site: str = "default",
        n_readings: int = 150,
    ) -> None:
        """One series: 30 days of rhythms, a day's profile and readings."""
        shape = SHAPES[analyte]
        common: dict[str, Any] = {"site": site, "subject": subject, "analyte": analyte}
        end = NOW - timedelta(hours=silent_h)
        wobble = sum(map(ord, subject + analyte)) % 97
        rhythms = []
        for step in range(days * 8, -1, -1):
            time = end - timedelta(hours=3 * step)
            ago = (NOW - time) / timedelta(days=1)
            age = days - step / 8
            rhythms.append(
                self._rhythm(
                    common, shape, time, age, ago, status, shift_h, factor, wobble, end, n_readings
                )
            )
        self.write(RHYTHM, *rhythms)
        self.write(
            PROFILE,
            *(
                self._profile(common, shape, end, step, days, shift_h(0), factor(0), wobble)
                for step in range(48)
            ),
        )
        sparse = shape.log
        spacing = timedelta(hours=4.8) if sparse else timedelta(minutes=5)
        self.write(
            READING,
            *(
                self._reading(
                    common, shape, end - spacing * step, shift_h(0), factor(0), wobble, step
                )
                for step in range(60 if sparse else 288)
            ),
        )

    def _rhythm(
        self,
        common: Mapping[str, Any],
        shape: Shape,
        time: datetime,
        age: float,
        ago: float,
        status: Status,
        shift_h: Callable[[float], float],
        factor: Callable[[float], float],
        wobble: int,
        end: datetime,
        n_readings: int,
    ) -> Rhythm:
        width = 0.35 + 2.0 / (0.4 + age)
        peak = shape.peak + shift_h(ago) + 0.25 * math.sin(age * 1.3 + wobble)
        lost = status is Status.ARRHYTHMIC and ago < 4
        level = factor(ago) * (1 + 0.04 * math.sin(age * 0.9 + wobble))
        mesor = shape.midline * level
        swing = 0.08 + 0.3 / (0.5 + age)
        now_status = status if ago < 2 or age > 14 else Status.EMERGING
        return Rhythm(
            **common,
            time=time,
            status=now_status,
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
            n_readings=n_readings,
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
            phase_shift=peak - shape.peak,
            phase_shift_low=peak - shape.peak - width,
            phase_shift_high=peak - shape.peak + width,
            last_reading=min(time, end),
        )

    def _profile(
        self,
        common: Mapping[str, Any],
        shape: Shape,
        end: datetime,
        step: int,
        days: int,
        shift: float,
        factor: float,
        wobble: int,
    ) -> ProfilePoint:
        closed = end.replace(minute=0) - timedelta(minutes=30 * step)
        hour = ((closed.hour + closed.minute / 60) + CLOCK_AHEAD_H - 0.25) % 24
        noise = 0.8 * math.sin(hour * 2.1 + wobble)
        return ProfilePoint(
            **common,
            time=closed - timedelta(minutes=15),
            clock_hour=hour,
            value=None if shape.log else shape.at(hour, noise, peak=shape.peak + shift) * factor,
            n=None if shape.log else 30,
            p05=shape.at(hour, -1.645),
            p25=shape.at(hour, -0.674),
            p50=shape.at(hour),
            p75=shape.at(hour, 0.674),
            p95=shape.at(hour, 1.645),
            ref_low=shape.at(hour) * shape.ref[0] if shape.ref else None,
            ref_high=shape.at(hour) * shape.ref[1] if shape.ref else None,
            n_days=days,
        )

    def _reading(
        self,
        common: Mapping[str, Any],
        shape: Shape,
        time: datetime,
        shift: float,
        factor: float,
        wobble: int,
        step: int,
    ) -> StoredReading:
        hour = (time.hour + time.minute / 60 + CLOCK_AHEAD_H) % 24
        value = shape.at(hour, math.sin(step * 2.3 + wobble), peak=shape.peak + shift) * factor
        one = shape.log
        return StoredReading(
            **common,
            time=time,
            value=value,
            low=value * 0.98,
            high=value * 1.02,
            n=1 if one else 5,
            clock_hour=hour,
            censored="<" if one and step == 7 else None,
            original=f"{value * 27.59:.2f} nmol/L" if one else None,
            device="home-kit-7" if one else None,
            live=step != 9,
        )

    def alert(
        self,
        subject: str,
        analyte: str,
        kind: DeviationKind,
        direction: Any,
        severity: Any,
        reason: str,
        *,
        hours_ago: float,
        state: Any = "open",
        site: str = "default",
    ) -> None:
        """An alert and the deviation behind it."""
        time = NOW - timedelta(hours=hours_ago)
        over = NOW if state == "resolved" else None
        common: dict[str, Any] = {
            "site": site,
            "subject": subject,
            "analyte": analyte,
            "kind": kind,
            "direction": direction,
            "severity": severity,
            "reason": reason,
            "time": time,
        }
        self.write(ALERT, Alert(**common, state=state, updated_at=NOW, resolved_at=over))
        self.write(
            DEVIATION,
            Deviation(
                **common,
                ended_at=over,
                z=5.1,
                threshold=3.6,
                effect=None,
                n_effective=14.0,
                retrospective=False,
            ),
        )


def fill(store: MemoryStore) -> None:
    """Eight people: four with alerts, one silent, one new, one without a rhythm, the rest quiet."""
    clinic = Clinic(store)
    late = 3.4

    def shifting(days_ago: float) -> float:
        return max(0.0, min(late, (6 - days_ago) * 0.7))

    for number in range(1, 9):
        subject = f"sim-{number:02d}"
        ill = number == 3
        clinic.series(
            subject,
            "saliva-cortisol",
            shift_h=shifting if ill else lambda ago: 0.0,
            days=3 if number == 6 else 30,
            status={6: Status.INSUFFICIENT, 7: Status.ARRHYTHMIC, 5: Status.STALE}.get(
                number, Status.ESTABLISHED
            ),
            silent_h=60 if number == 5 else 0,
        )
        if number in (1, 2, 3):
            clinic.series(
                subject,
                "heart-rate",
                factor=(lambda ago: 1 + max(0.0, min(0.14, (4 - ago) * 0.05)))
                if number == 2
                else lambda ago: 1.0,
            )
        if number == 3:
            clinic.series(subject, "wrist-temperature")
            clinic.series(subject, "saliva-melatonin")
    clinic.alert(
        "sim-03",
        "saliva-cortisol",
        DeviationKind.PHASE,
        "later",
        "major",
        "Peak 3.4 h later than this person's own 28-day baseline (08:12), 90 % interval 2.7 to "
        "4.1 h, from 14 effective readings of the last 3 days.",
        hours_ago=52,
    )
    clinic.alert(
        "sim-03",
        "saliva-cortisol",
        DeviationKind.OUTLIER,
        "higher",
        "minor",
        "One reading 2.4 times its prediction for 22:10, score 3.9.",
        hours_ago=16,
        state="resolved",
    )
    clinic.alert(
        "sim-02",
        "heart-rate",
        DeviationKind.LEVEL,
        "higher",
        "moderate",
        "Mean 14 % above this person's own 28-day baseline, 90 % interval 9 to 19 %, from 61 "
        "effective readings of the last day.",
        hours_ago=30,
    )
    clinic.alert(
        "sim-07",
        "saliva-cortisol",
        DeviationKind.ARRHYTHMIC,
        "lost",
        "moderate",
        "No 24-hour rhythm for 4 days: amplitude 8 % of the baseline's, from 19 effective "
        "readings.",
        hours_ago=9,
    )
    clinic.alert(
        "sim-05",
        "saliva-cortisol",
        DeviationKind.MISSING,
        "silent",
        "minor",
        "No reading for 60 hours; this series usually has one every 4.8 hours.",
        hours_ago=40,
    )


@pytest.fixture(scope="session")
def now() -> datetime:
    """The data's own clock in the clinic."""
    return NOW


@pytest.fixture
def clinic_store() -> MemoryStore:
    """The filled clinic."""
    store = MemoryStore()
    fill(store)
    return store


@pytest.fixture
def clinic() -> Clinic:
    """An empty clinic, to be filled as a test needs it."""
    return Clinic(MemoryStore())
