"""Steps of a person's waking days, and what they do to the heart.

Counts a minute are mostly zero: some shuffling about, walks, and a training bout in some evenings.
Each step raises the heart rate above its rhythm at rest, which lags the steps by a minute or two;
so the truth for a rhythm adjusted for steps is the person's own curve and `per_step`. All sizes
are assumed.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from producers.living import Body
from producers.physiology import FloatArray

_BOUTS, _WHO = 50, 51  # purposes of random streams

# Share of waking minutes with a few steps in them, and how many.
_SHUFFLE, _SHUFFLE_STEPS = 0.2, (4.0, 30.0)
_WALKS, _WALK_MIN, _WALK_CADENCE = 9.0, (3.0, 18.0), (70.0, 115.0)
_TRAINING, _TRAINING_MIN, _TRAINING_CADENCE = 3.0 / 7.0, (30.0, 50.0), (140.0, 170.0)
_TRAINING_CLOCK = (17.0, 20.0)
# Beats a minute for each step a minute.
_PER_STEP, _PER_STEP_SD = 0.3, 0.06
_LAG_S = 90.0
_KERNEL = np.exp(-60.0 / _LAG_S * np.arange(15.0))
_KERNEL /= _KERNEL.sum()


class Walker:
    """One person's steps."""

    def __init__(self, body: Body) -> None:
        z = float(body.stream(_WHO, 0).standard_normal())
        self.per_step = _PER_STEP + _PER_STEP_SD * max(-2.0, min(2.0, z))
        """Beats a minute for each step a minute."""
        self._body = body
        self._of_day = lru_cache(maxsize=8)(self._waking_day)

    def counts(self, day: int, instants: FloatArray) -> FloatArray:
        """Steps in the minute that ends at each instant (n, epoch seconds) of home civil `day`."""
        return self._read(day, instants, 0)

    def beats(self, day: int, instants: FloatArray) -> FloatArray:
        """How far the steps raise the heart rate, /min; arguments as `counts`."""
        return self.per_step * self._read(day, instants, 1)

    def _read(self, day: int, instants: FloatArray, row: int) -> FloatArray:
        found = np.zeros_like(instants)
        for date in (day - 1, day, day + 1):
            waking, minutes = self._of_day(date)
            at = np.floor((instants - waking) / 60.0).astype(np.int64)
            inside = (at >= 0) & (at < minutes.shape[1])
            found[inside] += minutes[row, at[inside]]
        return found

    def _waking_day(self, date: int) -> tuple[float, FloatArray]:
        """Waking of a date and, by minute since then, steps and their lagged mean (2, n)."""
        today, tomorrow = self._body.sleep(date), self._body.sleep(date + 1)
        if today is None or tomorrow is None or tomorrow[0] <= today[1]:
            return 0.0, np.zeros((2, 0))
        waking = today[1]
        length = int((tomorrow[0] - waking) // 60.0)
        rng = self._body.stream(_BOUTS, date)
        steps = np.where(rng.random(length) < _SHUFFLE, rng.uniform(*_SHUFFLE_STEPS, length), 0.0)
        for _ in range(rng.poisson(_WALKS)):
            begin = int(rng.integers(0, length))
            _bout(rng, steps, begin, _WALK_MIN, _WALK_CADENCE)
        trains, hour = rng.random() < _TRAINING, float(rng.uniform(*_TRAINING_CLOCK))
        at = self._body.clock.instant(date, hour)
        if trains and at is not None and waking <= at < tomorrow[0]:
            begin = int((at - waking) // 60.0)
            _bout(rng, steps, begin, _TRAINING_MIN, _TRAINING_CADENCE)
        # The heart comes down after the last step, too.
        counts = np.concatenate((np.rint(steps), np.zeros(_KERNEL.size - 1)))
        return waking, np.stack((counts, np.convolve(np.rint(steps), _KERNEL)))


def _bout(
    rng: np.random.Generator,
    steps: FloatArray,
    begin: int,
    minutes: tuple[float, float],
    cadence: tuple[float, float],
) -> None:
    end = begin + math.ceil(rng.uniform(*minutes))
    pace = rng.uniform(*cadence)
    part = steps[begin:end]
    part[:] = pace * (1.0 + 0.05 * rng.standard_normal(part.size))
