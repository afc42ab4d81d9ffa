"""Reference limits in the 24-hour chart: of the same age, and of young adults beside them. Pure.

The two are told apart without colour: by the pattern of the line and by a word at its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from dashboards.page.palette import DASH_DOT, MUTED, PANEL, REFERENCE, Options, line_series
from dashboards.page.source import StoreRow
from dashboards.page.words import Face

HALF_ROW_H = 0.25  # from the middle of a half hour to its end
_SIDES = (("young_low", "ref_low"), ("young_high", "ref_high"))


def only_where_young_differ(rows: Sequence[StoreRow]) -> list[StoreRow]:
    """The rows with the young adults' limits alone that are not the same as those of the age."""
    return [
        row | {young: None if row[young] == row[own] else row[young] for young, own in _SIDES}
        for row in rows
    ]


def limit_steps(rows: Sequence[StoreRow], name: str) -> list[tuple[float, float, float]]:
    """A reference limit as (from hour, to hour, value), one for each stretch of the same value.

    A half hour's row stands at its middle; the limit holds from its beginning to its end. Low and
    high are looked at one by one: often there is a high one only.
    """
    steps: list[tuple[float, float, float]] = []
    for row in rows:
        value = row[name]
        if value is None:
            continue
        begin, end = row["clock_hour"] - HALF_ROW_H, row["clock_hour"] + HALF_ROW_H
        if steps and steps[-1][2] == value and begin - steps[-1][1] < HALF_ROW_H:
            begin = steps.pop()[0]
        steps.append((max(begin, 0.0), min(end, 24.0), value))
    return steps


def limit_series(
    steps: Sequence[tuple[float, float, float]],
    face: Face,
    side: Literal["bottom", "top"],
    *,
    young: bool = False,
) -> Options:
    """Broken lines where a reference limit holds, each with its value on the far side."""
    line: list[Any] = []
    for before, (begin, end, value) in zip([None, *steps], steps, strict=False):
        if before is not None and begin - before[1] > HALF_ROW_H:
            line.append([begin, None])
        label = {
            "show": True,
            "position": side,
            "distance": 4,
            "formatter": ("young " if young else "") + bound(value, face, side),
            "fontSize": 10,
            "color": MUTED,
            # A halo keeps it legible over the band and beside points.
            "textBorderColor": PANEL,
            "textBorderWidth": 2,
        }
        middle = {"value": [(begin + end) / 2, value], "label": label}
        line += [[begin, value], middle, [end, value]]
    return {
        **line_series([], REFERENCE, width=1.2, pattern=DASH_DOT if young else "dashed"),
        "data": line,
        # Symbols of no size: without them ECharts draws no labels.
        "showSymbol": True,
        "symbolSize": 0,
        "labelLayout": {"hideOverlap": True},
        "z": 4,
    }


def bound(value: float, face: Face, side: Literal["bottom", "top"], *, unit: bool = False) -> str:
    """A limit in words: the values that it lets through."""
    return f"{'≤' if side == 'top' else '≥'} {face.amount(value, unit=unit)}"


def young_sentence(rows: Sequence[StoreRow], clock_hour: float, value: float, face: Face) -> str:
    """What to say of a value outside the young adults' limits, where they are others; or nothing.

    `rows`: half hours by clock hour, as `charts.day_rows` gives them.
    """
    here = [row for row in rows if abs(row["clock_hour"] - clock_hour) <= HALF_ROW_H]
    for row in only_where_young_differ(here[-1:]):
        low, high = row["young_low"], row["young_high"]
        if low is not None and value < low:
            outside = f"below the limit of healthy young adults ({bound(low, face, 'bottom')})"
        elif high is not None and value > high:
            outside = f"above the limit of healthy young adults ({bound(high, face, 'top')})"
        else:
            continue
        own_low, own_high = row["ref_low"], row["ref_high"]
        if own_low is None and own_high is None:
            own = "there is no limit for this person's own age"
        elif (own_low is None or value >= own_low) and (own_high is None or value <= own_high):
            own = "usual at this person's age"
        else:
            own = "outside the limits of this person's age too"
        return f"The newest value, {face.amount(value, unit=True)}, is {outside}; {own}."
    return ""
