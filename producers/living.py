"""A synthetic person's days: the true value of every analyte at any instant.

What changes from day to day (waking, sleep length, level, phase, exercise) is drawn per home civil
day from the seed alone, so any stretch of time can be had without what went before it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from producers.physiology import (
    ACTIVITIES,
    ACTIVITY_FALL_S,
    ACTIVITY_RISE_S,
    PHASE_DAY_SD_H,
    SLEEP_EDGE_S,
    WAKE_DAY_SD_H,
    WEEKEND_H,
    Curve,
    FloatArray,
    Person,
    Trouble,
    activity_moments,
    asleep,
    awakening,
    basis,
    nocturnal,
)
from producers.wearer_clock import WearerClock

# A day's residuals are drawn between two independent values at its midnights; that is exact for
# residuals that forget themselves within a day. Above this many time constants they are white.
_WHITE = 500.0
_SLEEP_DAY_SD_H = 0.4  # assumed


def stream(seed: int, *key: int) -> np.random.Generator:
    """A random stream of its own for every key."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


@dataclass(frozen=True, slots=True)
class DayDraw:
    """What one home civil day draws; the arrays have one value a curve of the person."""

    wake_late_h: float
    sleep_longer_h: float
    phase_late_h: FloatArray  # as the day begins
    level: FloatArray  # standard normal
    midnight: FloatArray  # standard normal residual as the day begins


class Body:
    """One person living by a clock, with what goes wrong with the person.

    After a journey people sleep by the new wall clock at once, or (`sleeps_by_body`) with the body.
    """

    def __init__(
        self,
        person: Person,
        clock: WearerClock,
        seed: int,
        number: int,
        troubles: Sequence[Trouble] = (),
        *,
        sleeps_by_body: bool = False,
    ) -> None:
        self.person = person
        self.clock = clock
        self._seed = seed
        self._number = number
        self._troubles = tuple(troubles)
        self._instant = clock.body_instant if sleeps_by_body else clock.instant
        self._index = {curve.analyte: i for i, curve in enumerate(person.curves)}
        self.day_draw = lru_cache(maxsize=16)(self._day_draw)
        self._habitual_sleep = lru_cache(maxsize=16)(self._sleep_of)

    def stream(self, purpose: int, day: int) -> np.random.Generator:
        """The random stream of this person for one purpose (a small number) and day."""
        # Keys are unsigned; a few days before the start exist as well.
        return stream(self._seed, self._number, purpose, day + 1000)

    def sleep(self, day: int) -> tuple[float, float] | None:
        """Sleep onset and waking that end the night to the wearer's date `day`, as lived.

        ``None`` if a journey jumped over the morning.
        """
        habitual = self._habitual_sleep(day)
        if habitual is None:
            return None
        shift = sum(
            trouble.size * 3600.0
            for trouble in self._troubles
            if trouble.kind == "phase"
            and not trouble.analytes
            and trouble.onset <= habitual[1] < trouble.end
        )
        return habitual[0] + shift, habitual[1] + shift

    def expected(self, analyte: str, day: int, instants: FloatArray) -> FloatArray:
        """The curve of the day without its residual, on the catalogue's scale.

        `instants` (n, epoch seconds) must lie within home civil day `day`.
        """
        curve = self.person.curve(analyte)
        shift_h = np.zeros_like(instants)
        swing = np.ones_like(instants)
        level = np.zeros_like(instants)
        for trouble in self._troubles:
            if not trouble.concerns(analyte):
                continue
            active = trouble.active(instants)
            if trouble.kind == "phase":
                shift_h[active] += trouble.size
            elif trouble.kind == "amplitude":
                swing[active] *= trouble.size
            elif trouble.kind == "level":
                level[active] += math.log(trouble.size) if curve.log else trouble.size
        # The phase glides from midnight to midnight: a night's pulse must not break in two.
        index = self._index[analyte]
        begin, end = self.clock.day_span(day)
        late_h = np.interp(
            instants,
            (begin, end),
            [self.day_draw(d).phase_late_h[index] for d in (day, day + 1)],
        )
        # A shifted person lives the same curve that many hours later.
        lived = instants - 3600.0 * shift_h
        clock_hours = (lived + self.clock.body_offsets(instants)) / 3600.0 - late_h
        mesor = curve.coefficients[0]
        shape = self._shape(curve, day, clock_hours, lived)
        return np.asarray(mesor + level + swing * (shape - mesor), dtype=np.float64)

    def values(self, analyte: str, day: int, instants: FloatArray) -> FloatArray:
        """True values in the analyte's canonical unit; `instants` ascend within day `day`.

        One call per analyte and day: the residual is one path over the instants of the call.
        """
        curve = self.person.curve(analyte)
        index = self._index[analyte]
        today, tomorrow = self.day_draw(day), self.day_draw(day + 1)
        begin, end = self.clock.day_span(day)
        wander = ornstein_uhlenbeck(
            self.stream(10 + index, day),
            instants,
            (begin, end),
            (today.midnight[index], tomorrow.midnight[index]),
            curve.wander_tau_s,
        )
        true = self.expected(analyte, day, instants)
        true += curve.day_sd * today.level[index] + curve.wander_sd * wander
        return np.exp(true) if curve.log else true

    def _shape(
        self, curve: Curve, day: int, clock_hours: FloatArray, lived: FloatArray
    ) -> FloatArray:
        # One product for what is harmonic and what the shape must not add to it.
        shape = basis(clock_hours) @ (curve.coefficients - curve.correction)
        if curve.pulse_height:
            shape += curve.pulse_height * nocturnal(clock_hours, curve.peaks[0])
        if curve.awakening_rise or curve.sleep_step:
            nights = [self._habitual_sleep(d) for d in range(day - 2, day + 3)]
            sleeps = [night for night in nights if night is not None]
            if curve.awakening_rise:
                for _, waking in sleeps:
                    shape += curve.awakening_rise * awakening((lived - waking) / 3600.0)
            if curve.sleep_step:
                depth = asleep(lived, sleeps, SLEEP_EDGE_S)
                shape += curve.sleep_step * depth
                if curve.activity:
                    mean = activity_moments(24.0 - self.person.sleep_h)[0]
                    active = sum(self._activity(d, lived) for d in (day - 1, day, day + 1))
                    shape += curve.activity * (active - mean * (1.0 - depth))
        return shape

    def _activity(self, day: int, lived: FloatArray) -> FloatArray:
        """Heart rate above rest, bpm, from the activities of one waking day."""
        bpm = np.zeros_like(lived)
        if not lived.size:
            return bpm
        today, tomorrow = self._habitual_sleep(day), self._habitual_sleep(day + 1)
        if today is None or tomorrow is None or tomorrow[0] <= today[1]:
            return bpm
        if lived[-1] < today[1] or lived[0] > tomorrow[0] + 10 * ACTIVITY_FALL_S:
            return bpm
        rng = self.stream(1, day)
        for per_day, minutes, height in ACTIVITIES:
            for _ in range(rng.poisson(per_day)):
                length = 60.0 * rng.uniform(*minutes)
                begin = rng.uniform(today[1], max(tomorrow[0] - length, today[1]))
                peak = rng.uniform(*height)
                since = lived - begin
                during = (since > 0.0) & (since < length + 10 * ACTIVITY_FALL_S)
                since = since[during]
                rising = 1.0 - np.exp(-np.minimum(since, length) / ACTIVITY_RISE_S)
                falling = np.exp(-np.maximum(since - length, 0.0) / ACTIVITY_FALL_S)
                bpm[during] += peak * rising * falling
        return bpm

    def _sleep_of(self, day: int) -> tuple[float, float] | None:
        """Sleep onset and waking of a date as they would be without troubles."""
        draw = self.day_draw(day)
        wake_hour = self.person.wake_hour + draw.wake_late_h
        if self.clock.weekend(day):
            wake_hour += WEEKEND_H
        waking = self._instant(day, wake_hour)
        if waking is None:
            return None
        length = self.person.sleep_h + draw.sleep_longer_h
        onset = self._instant(day, wake_hour - length)
        # On a journey the evening before had another clock: then the night is as long as ever.
        if onset is None or not 0.5 < (waking - onset) / (3600.0 * length) < 1.5:
            onset = waking - 3600.0 * length
        return onset, waking

    def _day_draw(self, day: int) -> DayDraw:
        rng = self.stream(0, day)
        n = len(self.person.curves)
        wake, longer = rng.standard_normal(2)
        return DayDraw(
            wake_late_h=WAKE_DAY_SD_H * max(-3.0, min(3.0, float(wake))),
            sleep_longer_h=_SLEEP_DAY_SD_H * max(-3.0, min(3.0, float(longer))),
            phase_late_h=PHASE_DAY_SD_H * rng.standard_normal(n),
            level=rng.standard_normal(n),
            midnight=rng.standard_normal(n),
        )


def ornstein_uhlenbeck(
    rng: np.random.Generator,
    instants: FloatArray,
    span: tuple[float, float],
    ends: tuple[float, float],
    tau_s: float,
) -> FloatArray:
    """A stationary path of unit variance with correlation exp(-lag/tau_s), given both its ends.

    `instants` (n) ascend within `span`. The free path from the first end is drawn exactly at the
    instants; then the conditional mean, sinh(t/tau)/sinh(T/tau), carries it to the second end.
    """
    begin, end = span
    total = (end - begin) / tau_s
    noise = rng.standard_normal(instants.size + 1)
    if total > _WHITE:
        return noise[:-1]
    u = np.append((instants - begin) / tau_s, total)
    steps = np.sqrt(-np.expm1(-2.0 * np.diff(u, prepend=0.0)))
    grown = np.exp(u)
    free = (ends[0] + np.cumsum(steps * noise * grown)) / grown
    pull = np.exp(u - total) * np.expm1(-2.0 * u) / math.expm1(-2.0 * total)
    return np.asarray(free + pull * (ends[1] - free[-1]))[:-1]
