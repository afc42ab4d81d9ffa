"""Cycles from the days on which a menses began: what was logged twice, too soon or not at all.

Days are local days counted from any one day. A cycle begins on the first day of a menses and ends
on the day before the next. Bleeding that is told to begin again within ten days belongs to the
menses before; a cycle about twice or three times as long as the person's others has probably lost
a log in between, and says nothing about their length.

Sources: cycles of 24 to 38 days and bleeding of up to 8 days are usual (Munro, Critchley & Fraser,
Int J Gynaecol Obstet 143 (2018) 393-408, the FIGO systems); the bounds between are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from processors.rhythm.marker import Marker, withheld

_METHOD = "days since the last menses began, that day being 1"

SAME_MENSES_DAYS = 10
LONGEST_DAYS = 90
# So near to a whole multiple of the person's usual length, as a share of the multiple: cycles of 26
# days, twice, are one lost log of somebody whose usual is 30, and so are two of 30 if it is 26.
_MULTIPLE_WITHIN = 0.155
_LEAST_CYCLES = 2


@dataclass(frozen=True, slots=True)
class Cycle:
    """From `start`, a local day, to before `start + length`; `length` None: not over yet."""

    start: int
    length: int | None
    log_missing: bool = False
    """A menses in between was probably not logged."""


@dataclass(frozen=True, slots=True)
class CycleLog:
    """The cycles in order, and in sentences what was made of the log."""

    cycles: tuple[Cycle, ...]
    notes: tuple[str, ...] = ()

    @property
    def lengths(self) -> list[int]:
        """Lengths of the finished cycles without a missing log."""
        return [c.length for c in self.cycles if c.length is not None and not c.log_missing]


def cycle_log(menses_days: ArrayLike) -> CycleLog:
    """Cycles from the days of menses, in any order.

    >>> log = cycle_log([0, 1, 28, 57, 57, 115])
    >>> [(cycle.start, cycle.length, cycle.log_missing) for cycle in log.cycles]
    [(0, 28, False), (28, 29, False), (57, 58, True), (115, None, False)]
    >>> log.notes[0]
    'A menses told to begin 1 day after another is the same one.'
    """
    days = np.asarray(menses_days, dtype=np.float64).ravel()
    usable = np.abs(days) < 1e7  # false for NaN
    notes = []
    if not usable.all():
        notes.append(f"{int((~usable).sum())} of {days.size} logs of menses have no usable day.")
    starts: list[int] = []
    for day in np.unique(np.floor(days[usable])).astype(int).tolist():
        if starts and day - starts[-1] <= SAME_MENSES_DAYS:
            apart = day - starts[-1]
            plural = "" if apart == 1 else "s"
            notes.append(
                f"A menses told to begin {apart} day{plural} after another is the same one."
            )
        else:
            starts.append(day)
    lengths = np.diff(starts)
    missing = np.zeros(lengths.size, dtype=bool)
    if lengths.size > _LEAST_CYCLES:
        # The lower middle: a missing log only ever lengthens.
        usual = float(np.quantile(lengths, 0.4, method="lower"))
        times = lengths / usual
        missing = (np.rint(times) >= 2.0) & (
            np.abs(times - np.rint(times)) < _MULTIPLE_WITHIN * np.rint(times)
        )
    missing |= lengths > LONGEST_DAYS
    cycles = [
        Cycle(start, int(length), bool(lost))
        for start, length, lost in zip(starts[:-1], lengths, missing, strict=True)
    ]
    for cycle in cycles:
        if cycle.log_missing:
            notes.append(f"A cycle of {cycle.length} days has probably lost a menses in between.")
    if starts:
        cycles.append(Cycle(starts[-1], None))
    return CycleLog(tuple(cycles), tuple(notes))


def cycle_day(log: CycleLog, today: float) -> Marker:
    """The day of the cycle that `today` is, 1 on the day on which a menses began.

    Exact as far as the log is, so its interval is the day itself; what the log leaves open is in
    the sentence.

    >>> cycle_day(cycle_log([0, 28]), 33).sentence
    'Today is day 6 of the cycle.'
    """
    name, unit = "cycle-day", "d"
    if not abs(today) < 1e7:
        return withheld(name, unit, 0, "The day is not known.", _METHOD)
    before = [cycle for cycle in log.cycles if cycle.start <= today]
    n = len(before)
    if not before:
        return withheld(name, unit, 0, "No menses was logged up to this day.", _METHOD)
    current = before[-1]
    since = int(today - current.start)
    if current.length is None and since >= LONGEST_DAYS:
        sentence = (
            f"No menses was logged for {since} days: one was not logged, or there is no cycle now."
        )
        return withheld(name, unit, n, sentence, _METHOD)
    if current.log_missing:
        sentence = f"The cycle of {current.length} days has probably lost a menses in between."
        return withheld(name, unit, n, sentence, _METHOD)
    sentence = f"Today is day {since + 1} of the cycle"
    lengths = log.lengths
    if current.length is None and lengths and since >= max(lengths) + 7:
        sentence += (
            f", longer than any of the last {len(lengths)} by a week or more: the cycle is long or "
            "its menses was not logged"
        )
    day = float(since + 1)
    return Marker(name, "measured", unit, n, f"{sentence}.", _METHOD, day, day, day)
