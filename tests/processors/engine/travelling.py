"""Simulated people who fly, as records of the wire: heart rate and five samples of cortisol a day.

The wearer's clock jumps with a flight, the body follows: by 57 minutes a day eastward and 92
westward on average (Aschoff et al. 1975), each person by a share of that which is drawn with a
spread of a third; after long flights eastward some go the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign

import numpy as np

from processors.engine_port import Record
from schemas.analytes import Analyte
from tests.processors.engine.feeding import (
    CATALOGUE,
    FIVE_A_DAY,
    HOUR_MS,
    Floats,
    heading,
    moment,
    natural,
    population_curve,
    record,
)

CORTISOL, HEART_RATE = CATALOGUE["saliva-cortisol"], CATALOGUE["heart-rate"]
ADVANCE, DELAY = 57.0 / 60.0, 92.0 / 60.0  # hours a day
_SPREAD = 0.35


@dataclass(frozen=True)
class Traveller:
    """A person with a clock on the wrist and one in the body; hours are those after the start."""

    subject: str
    seed: int
    flights: Sequence[tuple[float, float]] = ()
    """Hour, and change of the wall clock in hours."""
    speed: float = 1.0
    """Over the mean one."""
    contrary: bool = False
    """Whether the body goes the other way round after a flight eastward of more than 6 h."""
    shift_h: float = 0.0
    """Hours by which the rhythm itself moves later, from `shift_from` on."""
    shift_from: float = np.inf
    home_h: float = 1.0
    noise: float = 1.0
    """Residuals over those of the population."""

    @classmethod
    def drawn(cls, seed: int, flights: Sequence[tuple[float, float]]) -> Traveller:
        """Of people as they differ."""
        rng = np.random.default_rng((seed, 99))
        speed = float(np.exp(_SPREAD * rng.standard_normal() - _SPREAD**2 / 2))
        longest = max((change for _, change in flights), default=0.0)
        contrary = bool(rng.random() < (longest - 6.0) / 12.0)
        return cls(f"fly-{seed:03d}", seed, flights, speed, contrary)

    def offset(self, hours: Floats) -> Floats:
        """Wall clock minus UTC."""
        offsets = np.full(len(hours), self.home_h)
        for at, change in self.flights:
            offsets += np.where(hours >= at, change, 0.0)
        return offsets

    def lag(self, hours: Floats) -> Floats:
        """Hours that the body is behind the wall clock; some come from the other side."""
        lag, since = 0.0, 0.0
        lags = np.zeros(len(hours))
        for at, change in (*self.flights, (np.inf, 0.0)):
            here = (hours >= since) & (hours < at)
            lags[here] = [self._left(lag, hour - since) for hour in hours[here]]
            if np.isfinite(at):
                lag = (self._left(lag, at - since) + change + 12.0) % 24.0 - 12.0
                if self.contrary and lag > 6.0:
                    lag -= 24.0
            since = at
        return lags

    def _left(self, lag: float, hours: float) -> float:
        speed = self.speed * (ADVANCE if lag > 0 else DELAY)
        return copysign(max(0.0, abs(lag) - speed * hours / 24.0), lag)

    def curve(self, analyte: Analyte, hours: Floats) -> Floats:
        """What is expected at these hours, model scale."""
        moved = np.where(hours >= self.shift_from, self.shift_h, 0.0)
        body = hours + self.offset(hours) - self.lag(hours) - moved
        return population_curve(analyte, body)

    def records(self, days: int, step_h: float = 0.5) -> list[Record]:
        """What a wearable and a home test send, in order of receipt."""
        rng = np.random.default_rng(self.seed)
        hours = np.arange(0.0, 24.0 * days, step_h)
        noise = self.noise * HEART_RATE.prior.residual_sd * rng.standard_normal(len(hours))
        values = self.curve(HEART_RATE, hours) + noise
        offsets = self.offset(hours)
        sent: list[Record] = []
        begin = 0
        for end in range(1, len(hours) + 1):
            if end < len(hours) and end - begin < 6 and offsets[end] == offsets[begin]:
                continue
            body = heading(HEART_RATE, self.subject, 0.0, 3600.0 * step_h)
            body |= {
                "collected_at": moment(float(hours[begin]), float(offsets[begin])),
                "offsets_ms": np.rint((hours[begin:end] - hours[begin]) * HOUR_MS)
                .astype(int)
                .tolist(),
                "values": np.clip(values[begin:end], 30.0, 200.0).tolist(),
            }
            sent.append(record(body, float(hours[end - 1]) + 0.01))
            begin = end
        sent += self._cortisol(days, rng)
        return sorted(sent, key=lambda each: each.timestamp_ms)

    def _cortisol(self, days: int, rng: np.random.Generator) -> list[Record]:
        minutes = np.arange(0.0, 24.0 * days, 1 / 12)
        clock = (minutes + self.offset(minutes)) % 24.0
        at = np.isclose(clock[:, None], np.array(FIVE_A_DAY)[None, :], atol=0.01).any(axis=1)
        hours = minutes[at]
        offsets = self.offset(hours)
        y = self.curve(CORTISOL, hours)
        y += self.noise * CORTISOL.prior.residual_sd * rng.standard_normal(len(hours))
        values = np.clip(natural(CORTISOL, y), CORTISOL.limits.low, CORTISOL.limits.high)
        return [
            record(
                heading(CORTISOL, self.subject, 0.0)
                | {"collected_at": moment(float(hour), float(offset)), "value": float(value)},
                float(hour) + 0.5,
            )
            for hour, offset, value in zip(hours, offsets, values, strict=True)
        ]
