"""What explains a deviation: a dose, a journey, an illness; and for how long.

A deviation that something explains is recorded with that explanation and alerts nobody. It does
once it has outlasted it: when windows of the recent data that have mostly forgotten the explained
time say the same, or, of single readings, when another one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

from processors.deviations.wording import duration
from processors.rhythm.body_clock import Flight, beyond_travel, body_clock
from processors.rhythm.layout import HALF_LIVES_D
from processors.rhythm.reentrainment import expected_lag
from processors.rhythm.student import Z95
from schemas.results import DeviationKind, Direction

HOUR_MS = 3_600_000


class TakenDose(NamedTuple):
    """A dose that was taken; `at_ms` in epoch ms UTC."""

    at_ms: int
    substance: str


class Ill(NamedTuple):
    """A time of illness, epoch ms UTC."""

    at_ms: int
    until_ms: int


class Explanation(NamedTuple):
    """What explains a deviation, in words, and until when (hours since 1970 UTC)."""

    words: str
    until_h: float


class Departure(NamedTuple):
    """A deviation as the kernel sees it at one time.

    hour: since 1970 UTC; effect, low, high: hours by which a phase has moved, in body time, as
    seen in a window of this half-life (window_d, days); rest: the score that is left wherever
    travel may have left the body clock; settled_h: when all but the slowest body clocks are in
    step; flights: journeys as seen in the readings.
    """

    kind: DeviationKind
    direction: Direction
    hour: float
    threshold: float
    effect: float
    low: float
    high: float
    window_d: float
    rest: float
    settled_h: float
    flights: Sequence[Flight]


# Hours for which a substance moves an analyte: five half-lives of the slowest people reported.
# Assumed from reported half-lives: hydrocortisone (it is cortisol) up to 225 min, oral melatonin
# about 45 min after a peak at 50 min.
_EXPLAINS_H: dict[str, dict[str, float]] = {
    "hydrocortisone": {"saliva-cortisol": 19.0, "serum-cortisol": 19.0, "plasma-acth": 19.0},
    "melatonin": {"saliva-melatonin": 5.0},
}
LONGEST_H = max(hours for analytes in _EXPLAINS_H.values() for hours in analytes.values())
# Body clocks have hardly moved by then: what is odd comes from elsewhere.
_MOVED_AFTER_H = 3.0
# A shift that fewer than this share of journeys would show is not the journey's.
_LEAST_CHANCE = 0.01
# A shift is seen in the mean of some days: of any of these before, in half-lives of the window.
_SEEN_BEFORE = (0.0, 0.5, 1.0, 1.5)
# A window has mostly forgotten what is this many of its half-lives ago.
_FORGOTTEN_AFTER = 2.0


def explained(
    analyte: str, departure: Departure, doses: Sequence[TakenDose], illnesses: Sequence[Ill]
) -> Explanation | None:
    """What explains a departure of `analyte`; a silent device nothing does."""
    if departure.kind is DeviationKind.MISSING:
        return None
    return (
        by_dose(analyte, departure.hour, doses)
        or by_travel(departure)
        or by_illness(departure.hour, illnesses)
    )


def by_dose(analyte: str, hour: float, doses: Sequence[TakenDose]) -> Explanation | None:
    """The newest dose that explains a deviation of `analyte` at an hour.

    >>> by_dose("saliva-melatonin", 2.0, [TakenDose(0, "melatonin")])
    Explanation(words='dose of melatonin 2.0 h before', until_h=5.0)
    """
    for dose in sorted(doses, reverse=True):
        taken_h = dose.at_ms / HOUR_MS
        lasts = _EXPLAINS_H.get(dose.substance.lower(), {}).get(analyte, -1.0)
        if 0 <= hour - taken_h <= lasts:
            words = f"dose of {dose.substance} {hour - taken_h:.1f} h before"
            return Explanation(words, taken_h + lasts)
    return None


def by_illness(hour: float, illnesses: Sequence[Ill]) -> Explanation | None:
    """The illness that lasts longest of those that an hour lies in.

    >>> by_illness(36.0, [Ill(0, 48 * HOUR_MS)])
    Explanation(words='illness since 36 h before', until_h=48.0)
    """
    during = [ill for ill in illnesses if ill.at_ms <= hour * HOUR_MS <= ill.until_ms]
    if not during:
        return None
    ill = max(during, key=lambda each: (each.until_ms, -each.at_ms))
    since = duration(hour - ill.at_ms / HOUR_MS)
    return Explanation(f"illness since {since} before", ill.until_ms / HOUR_MS)


def by_travel(departure: Departure) -> Explanation | None:
    """The newest journey, if a departure is what people show who are not in step yet."""
    d = departure
    if not d.flights or d.hour >= d.settled_h:
        return None
    newest = d.flights[-1]
    if d.hour - newest.hour < _MOVED_AFTER_H:
        return None
    if d.kind is DeviationKind.PHASE:
        possible = _as_travel_shifts(d)
    elif d.kind is DeviationKind.ARRHYTHMIC or (
        d.kind is DeviationKind.AMPLITUDE and d.direction == "lower"
    ):
        possible = True  # days at different phases, and clocks out of step with each other
    else:
        possible = d.rest <= d.threshold
    if not possible:
        return None
    change = newest.to_offset_h - newest.from_offset_h
    way = "east" if change > 0.0 else "west"
    days = (d.hour - newest.hour) / 24.0
    return Explanation(f"travel {abs(change):g} h {way} {days:.1f} d before", d.settled_h)


def _as_travel_shifts(departure: Departure) -> bool:
    """Whether somebody's body clock may be where a phase has gone."""
    d = departure
    if isnan(d.effect + d.low + d.high):
        return True  # a curve that shows no phase just now contradicts nothing
    sd_h = (d.high - d.low) / (2.0 * Z95)
    for half_lives in _SEEN_BEFORE:
        at = d.hour - 24.0 * half_lives * d.window_d
        found = body_clock(d.flights, at)
        if at < d.flights[0].hour or isinstance(found, str):
            break
        shift_h = d.effect + expected_lag(d.flights, at)
        if beyond_travel(found, shift_h, sd_h) > _LEAST_CHANCE:
            return True
    return False


def outlasts(
    kind: DeviationKind, hour: float, until_h: float, scores: Sequence[float], threshold: float
) -> bool:
    """Whether a deviation that still stands at an hour owes it to the time after `until_h`.

    scores: its absolute scores in the recent windows (`HALF_LIVES_D` without the baseline); of a
    single reading the reading itself says so.
    """
    if hour <= until_h:
        return False
    if kind is DeviationKind.OUTLIER:
        return True
    return any(
        score > threshold and hour - until_h >= _FORGOTTEN_AFTER * 24.0 * half_life
        for score, half_life in zip(scores, HALF_LIVES_D[1:], strict=True)
    )
