"""Sleep midpoint, sleep duration and social jet lag, from when a person fell asleep and woke up.

- MSW, MSF: mid-sleep on work days and on free days, clock hours; the day is that of waking;
- MSFsc: mid-sleep on free days without the sleep that is made up for then: MSF - (SDF - SDweek)/2
  where sleep on free days SDF is longer than the average SDweek (Roenneberg et al. 2004);
- social jet lag: MSF - MSW, hours, positive if later on free days (Wittmann, Dinich, Merrow &
  Roenneberg, Chronobiol Int 23 (2006) 497-509).

The main sleep of a day is the longest that ends on it; others are naps. Means are over nights, and
intervals come from the spread between nights; where there are free days and work days, from that
within each kind: how many of either there were is no chance.

Source of the definitions: Roenneberg, Kuehnle, Pramstaller, Ricken, Havel, Guth & Merrow, Curr Biol
14 (2004) R1038-R1039; Roenneberg, Pilz, Zerbini & Winnebeck, Biology 8 (2019) 54.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from processors.rhythm.marker import Marker, withheld
from processors.rhythm.marker_text import CLOCK, clock, measured
from processors.rhythm.samples import Bools, Floats

_METHODS = {
    "sleep-midpoint": "mean mid-sleep (Roenneberg et al. 2004)",
    "sleep-midpoint-corrected": "MSFsc: free days less sleep debt (Roenneberg et al. 2004)",
    "sleep-duration": "mean length of the main sleep",
    "social-jet-lag": "MSF - MSW (Wittmann et al. 2006)",
}

LEAST_NIGHTS = 3
LEAST_FREE, LEAST_WORK = 2, 3
_SHORTEST_H, _LONGEST_H = 2.0, 18.0
_MOST_HOURS = 1e8
# Length of the mean of unit vectors below which mid-sleeps have no middle: an even spread over 14
# hours of the clock.
_LEAST_CONCENTRATION = 0.55


class Nights(NamedTuple):
    """Main sleeps (n) in the order of waking, one a day at most."""

    mid_h: Floats
    """Clock hours [0, 24)."""
    length_h: Floats
    day: NDArray[np.int64]
    """Local day of waking, counted from the epoch's."""
    free: Bools


@dataclass(frozen=True, slots=True)
class Sleep:
    """Over all nights, and free days against work days."""

    midpoint: Marker
    midpoint_corrected: Marker
    duration: Marker
    social_jet_lag: Marker


def weekends(day: NDArray[np.int64]) -> Bools:
    """Which local days, counted from 1 January 1970, are a Saturday or a Sunday.

    >>> weekends(np.array([0, 1, 2, 3, 4])).tolist()  # from a Thursday on
    [False, False, True, True, False]
    """
    return np.asarray((day + 3) % 7 >= 5)


def told_sleeps(
    asleep: ArrayLike, awake: ArrayLike, *, offset_h: ArrayLike = 0.0
) -> tuple[Floats, Floats, Floats] | str:
    """Begin, end and offset of every sleep (n) in order, naps too, or why they cannot be used.

    Arguments and errors as `main_sleeps`.
    """
    begin = np.asarray(asleep, dtype=np.float64)
    end = np.asarray(awake, dtype=np.float64)
    if begin.ndim != 1 or begin.shape != end.shape:
        raise ValueError(
            f"asleep and awake must be columns of one length, not {begin.shape}, {end.shape}"
        )
    offset = np.broadcast_to(np.asarray(offset_h, dtype=np.float64), begin.shape)
    # Comparisons with NaN are false.
    usable = (np.abs(begin) <= _MOST_HOURS) & (np.abs(end) <= _MOST_HOURS) & (np.abs(offset) <= 24)
    if not usable.all():
        return f"{int((~usable).sum())} of {begin.size} sleeps have no usable time."
    # The same sleep told twice is one.
    told = np.unique(np.stack((begin, end, offset), axis=1), axis=0)
    begin, end, offset = told.T
    length = end - begin
    if (length <= 0.0).any():
        k = int(np.argmax(length <= 0.0))
        return (
            f"A sleep begins at {clock(begin[k] + offset[k])} and ends before it, at "
            f"{clock(end[k] + offset[k])}: one of the two times is wrong."
        )
    if (length > _LONGEST_H).any():
        k = int(np.argmax(length > _LONGEST_H))
        return (
            f"A sleep from {clock(begin[k] + offset[k])} on lasts {length[k]:.0f} hours: a waking "
            "is missing in between."
        )
    if (begin[1:] < end[:-1] - 1e-6).any():
        k = int(np.argmax(begin[1:] < end[:-1] - 1e-6))
        return f"Two sleeps overlap about {clock(begin[k + 1] + offset[k + 1])}."
    return begin, end, offset


def main_sleeps(
    asleep: ArrayLike,
    awake: ArrayLike,
    *,
    offset_h: ArrayLike = 0.0,
    is_free: Callable[[NDArray[np.int64]], Bools] = weekends,
) -> Nights | str:
    """The main sleep of each day, or in a sentence why these times cannot be used.

    `asleep`, `awake` (n): hours since the epoch (UTC), in any order; `offset_h`: what the wearer's
    clock adds to them at waking, one for all or one each; `is_free`: which local days are free, for
    people whose free days are no weekends. Raises ``ValueError`` for columns of two lengths.

    >>> nights = main_sleeps([23.0, 36.0], [31.0, 38.5])
    >>> nights.mid_h.tolist(), nights.length_h.tolist(), nights.day.tolist()
    ([3.0], [8.0], [1])
    >>> main_sleeps([31.0], [23.0])
    'A sleep begins at 07:00 and ends before it, at 23:00: one of the two times is wrong.'
    """
    told = told_sleeps(asleep, awake, offset_h=offset_h)
    if isinstance(told, str):
        return told
    begin, end, offset = told
    length = end - begin
    day = np.floor((end + offset) / 24.0).astype(np.int64)
    # The longest of each day comes last.
    order = np.lexsort((length, day))
    last = np.flatnonzero(np.r_[day[order][1:] != day[order][:-1], np.ones(min(day.size, 1), bool)])
    main = order[last]
    main = main[length[main] >= _SHORTEST_H]
    mid = ((begin + end) / 2.0 + offset)[main] % 24.0
    return Nights(mid, length[main], day[main], is_free(day[main]))


def sleep_markers(nights: Nights | str) -> Sleep:
    """The markers of some nights, as `main_sleeps` gives them.

    >>> night = np.arange(14.0)
    >>> late = np.where(weekends(night.astype(int) + 1), 1.5, 0.0) + 0.1 * np.cos(night)
    >>> found = sleep_markers(main_sleeps(24 * night + 23 + late, 24 * night + 31 + late))
    >>> round(found.social_jet_lag.value, 1)
    1.5
    """
    if isinstance(nights, str):
        return _all_withheld(0, nights)
    n = nights.mid_h.size
    if n < LEAST_NIGHTS:
        sentence = f"At least {LEAST_NIGHTS} nights are needed, and there are {n}."
        return _all_withheld(n, sentence)
    kinds = _kinds(nights.free)
    lead = "The main sleep lasts on average"
    duration = _mean("sleep-duration", "h", nights.length_h, kinds, lead)
    mid = _unwrapped(nights.mid_h)
    if mid is None:
        sentence = (
            "Sleep lies all around the clock in these nights, so it has no middle; each stretch of "
            "the same shifts may have one of its own."
        )
        return Sleep(
            _withheld("sleep-midpoint", n, sentence),
            _withheld("sleep-midpoint-corrected", n, sentence),
            duration,
            _withheld("social-jet-lag", n, sentence),
        )
    midpoint = _mean("sleep-midpoint", CLOCK, mid, kinds, "The middle of sleep is")
    free = nights.free
    n_free, n_work = int(free.sum()), int((~free).sum())
    if len(kinds) < 2:
        sentence = (
            f"Free days and work days compare from {LEAST_FREE} and {LEAST_WORK} nights on; there "
            f"are {n_free} and {n_work}."
        )
        corrected = _withheld("sleep-midpoint-corrected", n, sentence)
        return Sleep(midpoint, corrected, duration, _withheld("social-jet-lag", n, sentence))
    # SDweek weighs both by their share: SDF - SDweek is the work days' share of the difference.
    length = nights.length_h
    debt = float(length[free].mean() - length[~free].mean())
    share = 0.5 * n_work / n if debt > 0.0 else 0.0
    return Sleep(
        midpoint,
        _compared(
            "sleep-midpoint-corrected",
            CLOCK,
            mid[free] - share * length[free],
            -share * length[~free],
            "The middle of sleep on free days, without the sleep made up for, is",
        ),
        duration,
        _compared(
            "social-jet-lag",
            "h",
            mid[free],
            mid[~free],
            "The middle of sleep on free days less that on work days is",
        ),
    )


def _unwrapped(mid_h: Floats) -> Floats | None:
    """Clock hours on one stretch about their mean direction; None if there is no such."""
    direction = np.exp(2j * np.pi * mid_h / 24.0).mean()
    if abs(direction) < _LEAST_CONCENTRATION:
        return None
    centre = float(np.angle(direction)) * 12.0 / math.pi
    return np.asarray((mid_h - centre + 12.0) % 24.0 - 12.0 + centre)


def _kinds(free: Bools) -> tuple[Bools, ...]:
    """Free days and work days, or all together where there are too few of either."""
    if int(free.sum()) < LEAST_FREE or int((~free).sum()) < LEAST_WORK:
        return (np.ones(free.size, dtype=np.bool_),)
    return free, ~free


def _mean(name: str, unit: str, x: Floats, kinds: Sequence[Bools], lead: str) -> Marker:
    """Mean of all nights, with the errors of each kind."""
    half = _half([(float(kind.mean()), x[kind]) for kind in kinds])
    value = float(x.mean())
    return measured(name, unit, x.size, value, (value - half, value + half), _METHODS[name], lead)


def _compared(name: str, unit: str, free: Floats, work: Floats, lead: str) -> Marker:
    """Mean of one group less that of the other."""
    half = _half([(1.0, free), (1.0, work)])
    value = float(free.mean() - work.mean())
    n = free.size + work.size
    return measured(name, unit, n, value, (value - half, value + half), _METHODS[name], lead)


def _half(groups: Sequence[tuple[float, Floats]]) -> float:
    """Half-width of 90 % limits of a sum of weighted means, by Welch and Satterthwaite."""
    parts = [weight**2 * float(x.var(ddof=1)) / x.size for weight, x in groups]
    total = sum(parts)
    if total == 0.0:
        return 0.0
    squares = sum(part**2 / (x.size - 1) for part, (_, x) in zip(parts, groups, strict=True))
    # Parts whose squares are no numbers any more have one degree of freedom at least.
    df = total**2 / squares if squares > 0.0 else 1.0
    return float(stdtrit(df, 0.95)) * math.sqrt(total)


def _all_withheld(n: int, sentence: str) -> Sleep:
    return Sleep(*(_withheld(name, n, sentence) for name in _METHODS))


def _withheld(name: str, n: int, sentence: str) -> Marker:
    unit = CLOCK if name.startswith("sleep-midpoint") else "h"
    return withheld(name, unit, n, sentence, _METHODS[name])
