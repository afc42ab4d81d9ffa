"""The last days one by one, as small pictures: each day's values over its own band. Pure.

Drawn here as SVG rather than by the chart library: fourteen charts would cost the browser more
than all the rest of the page, and these need neither axes nor pointer. All days share one scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dashboards.page.charts import has_band, shows_means
from dashboards.page.source import (
    DAY_MS,
    DAYS_SHOWN,
    HOUR_MS,
    Evidence,
    StoreRow,
    clock_offset_ms,
)
from dashboards.page.words import Face, day

_WIDTH, _HEIGHT = 96.0, 44.0
_GAP_H = 1.01  # a lone missing half hour is bridged, two are a gap
_Scale = Callable[[float], float]


@dataclass(frozen=True)
class Day:
    """One local day: its date in words, its half hours, and how many values lie outside 5-95 %."""

    date: str
    rows: tuple[StoreRow, ...]
    values: int
    outside: int


def days(evidence: Evidence, now_ms: int) -> list[Day]:
    """The newest fourteen local days, today last; a day without data has no rows."""
    offset = evidence.offset_ms
    banded = has_band(evidence)
    today = (now_ms + offset) // DAY_MS
    by_date: dict[int, list[StoreRow]] = {
        date: [] for date in range(today - DAYS_SHOWN + 1, today + 1)
    }
    for row in evidence.profile:
        middle = row["time"] + HOUR_MS // 4
        # By the clock that the wearer had then, which may be another one than now.
        date = (middle + clock_offset_ms(middle, row["clock_hour"])) // DAY_MS
        if date in by_date:
            by_date[date].append(row)
    return [_day(date * DAY_MS, rows, banded=banded) for date, rows in by_date.items()]


def _day(midnight_ms: int, rows: Sequence[StoreRow], *, banded: bool) -> Day:
    given = [row for row in rows if row["value"] is not None]
    outside = sum(
        banded and row["p05"] is not None and not row["p05"] <= row["value"] <= row["p95"]
        for row in given
    )
    return Day(day(midnight_ms), tuple(rows), len(given), outside)


def pictures(evidence: Evidence, face: Face, now_ms: int) -> list[str]:
    """Each day as HTML: date, picture, and how many values lie outside the band."""
    shown = days(evidence, now_ms)
    banded = has_band(evidence)
    names = ("value", "p05", "p95") if banded else ("value",)
    values = [row[name] for one in shown for row in one.rows for name in names]
    scale = _scale([value for value in values if value is not None], log=face.log)
    joined = shows_means(evidence)
    return [_picture(one, scale, banded=banded, joined=joined) for one in shown]


def _scale(values: Sequence[float], *, log: bool) -> _Scale:
    """From a value to y, with a margin of two pixels above and below."""
    turn: _Scale = (lambda value: math.log(max(value, 1e-12))) if log else (lambda value: value)
    low, high = (turn(min(values)), turn(max(values))) if values else (0.0, 1.0)
    span = (high - low) or 1.0
    return lambda value: 2.0 + (_HEIGHT - 4.0) * (high - turn(value)) / span


def _picture(one: Day, scale: _Scale, *, banded: bool, joined: bool) -> str:
    band = [row for row in one.rows if banded and row["p05"] is not None]
    given = [row for row in one.rows if row["value"] is not None]
    shapes = "".join(_band(run, scale) for run in _runs(band)) + "".join(
        _trace(run, scale) for run in (_runs(given) if joined else [[row] for row in given])
    )
    if not one.values:
        said = "no data"
    elif banded:
        said = f"{one.outside} of {one.values} out"
    else:
        said = f"{one.values} values"
    return (
        f"<b>{one.date}</b>"
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" aria-hidden="true">'
        f"{shapes}</svg><span>{said}</span>"
    )


def _runs(rows: Sequence[StoreRow]) -> list[list[StoreRow]]:
    runs: list[list[StoreRow]] = [[row] for row in rows[:1]]
    for before, row in pairwise(rows):
        if not 0 < row["clock_hour"] - before["clock_hour"] <= _GAP_H:
            runs.append([])
        runs[-1].append(row)
    return runs


def _x(row: StoreRow, shift_h: float = 0.0) -> str:
    return f"{(row['clock_hour'] + shift_h) * _WIDTH / 24:.1f}"


def _band(run: Sequence[StoreRow], scale: _Scale) -> str:
    first, last = run[0], run[-1]
    upper = [(_x(row), row["p95"]) for row in run]
    lower = [(_x(row), row["p05"]) for row in run]
    # A half hour's row stands at its middle; the band holds from its beginning to its end.
    upper = [(_x(first, -0.25), first["p95"]), *upper, (_x(last, 0.25), last["p95"])]
    lower = [(_x(first, -0.25), first["p05"]), *lower, (_x(last, 0.25), last["p05"])]
    points = " ".join(f"{x},{scale(value):.1f}" for x, value in (*upper, *reversed(lower)))
    return f'<polygon class="band" points="{points}"/>'


def _trace(run: Sequence[StoreRow], scale: _Scale) -> str:
    if len(run) == 1:
        # Round on any screen: a point is a line without length and with round ends.
        (row,) = run
        return f'<path class="dot" d="M{_x(row)} {scale(row["value"]):.1f}h0"/>'
    points = " ".join(f"{_x(row)},{scale(row['value']):.1f}" for row in run)
    return f'<polyline class="trace" points="{points}"/>'
