"""The trend of one marker over the last 30 days as a picture beside its value. Pure.

Drawn as the days are (see ``days``): SVG in the page, without axes and pointer. It says nothing to
those who do not see it; the list of its points with their dates stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from dashboards.page.drift import unwrap
from dashboards.page.marker_words import is_clock, is_measured
from dashboards.page.source import DAY_MS, DRIFT_MS, StoreRow

_WIDTH, _HEIGHT, _MARGIN = 96.0, 30.0, 3.0
_DAYS = DRIFT_MS // DAY_MS
_JOINED_MS = 2 * DAY_MS  # a lone missing date is bridged, two are a gap


class Point(NamedTuple):
    """A value with its 90 % interval (the value itself if it has none); ``date`` in epoch ms.

    Clock times are the hours nearest to the newest one's, so that a trend over midnight is one.
    """

    date: int
    value: float
    low: float
    high: float


def points(rows: Sequence[StoreRow], today_ms: int) -> list[Point]:
    """The measured ones of one marker's rows, ascending time, in the 30 days up to a date."""
    shown = [row for row in rows if is_measured(row) and row["time"] > today_ms - _DAYS * DAY_MS]
    found: list[Point] = []
    for row in shown:
        bounds = [row["value"], row["low"], row["high"]]
        shift = unwrap(row["value"], shown[-1]["value"]) - row["value"] if is_clock(row) else 0.0
        value, low, high = (row["value"] if each is None else each for each in bounds)
        found.append(Point(row["time"], value + shift, low + shift, high + shift))
    return found


def picture(shown: Sequence[Point], today_ms: int) -> str:
    """Each date's value over its interval, today at the right edge; neighbours are joined."""
    lowest = min(point.low for point in shown)
    span = max(point.high for point in shown) - lowest

    def x(point: Point) -> str:
        ago = (today_ms - point.date) / DAY_MS
        return f"{_WIDTH - _MARGIN - ago * (_WIDTH - 2 * _MARGIN) / (_DAYS - 1):.1f}"

    def y(value: float) -> str:
        share = (value - lowest) / span if span else 0.5
        return f"{_HEIGHT - _MARGIN - share * (_HEIGHT - 2 * _MARGIN):.1f}"

    whiskers = "".join(
        f'<path class="band" d="M{x(point)} {y(point.low)}V{y(point.high)}"/>' for point in shown
    )
    trace = "".join(
        f'<path class="trace" d="M{x(before)} {y(before.value)}L{x(point)} {y(point.value)}"/>'
        for before, point in pairwise(shown)
        if _joined(before, point)
    )
    # Those that no line shows, and the newest. Round on any screen: a point is a line without
    # length and with round ends.
    dots = "".join(
        f'<path class="dot" d="M{x(point)} {y(point.value)}h0"/>'
        for number, point in enumerate(shown)
        if number == len(shown) - 1
        or (
            not _joined(point, shown[number + 1])
            and (number == 0 or not _joined(shown[number - 1], point))
        )
    )
    return (
        f'<svg class="spark" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" aria-hidden="true">'
        f"{whiskers}{trace}{dots}</svg>"
    )


def _joined(before: Point, point: Point) -> bool:
    return point.date - before.date <= _JOINED_MS
