"""The 24-hour chart: rows to an ambulatory profile as ECharts options. Pure.

The design is that of the ambulatory glucose profile: reference limits dashed, median line, 25-75
dark, 5-95 light, percentile labels at the right edge, the last day's values as points. Young
adults' limits are dashed and dotted, where they differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dashboards.page.limits import limit_series, limit_steps, only_where_young_differ
from dashboards.page.palette import (
    BAND,
    BAND_INNER,
    CURVE,
    FAMILY,
    FONT,
    GRID,
    INK,
    MUTED,
    PANEL,
    POINT,
    Bounds,
    Options,
    band_series,
    line_series,
    value_axis,
)
from dashboards.page.source import DAY_MS, HOUR_MS, Evidence, StoreRow
from dashboards.page.words import Face, clock, moment

PERCENTILES = ("p05", "p25", "p50", "p75", "p95")
_POINTS_AT_MOST = 60  # more raw readings than this in a day hide the band: half-hour means instead
# Half hours are 0.5 apart; a lone missing one is bridged, two are a gap.
_GAP_H = 1.01


@dataclass(frozen=True)
class DayPoint:
    """One value of the last 24 hours; ``earlier`` if from before the wearer's last midnight."""

    clock_hour: float
    value: float
    text: str
    earlier: bool


def day_rows(profile: Sequence[StoreRow]) -> list[StoreRow]:
    """The newest profile row of every clock hour, by clock hour: the 24 hours up to the newest.

    Looks back 25 hours. On the day that is 25 hours long, 24 of them leave a clock hour out; on
    any other day the hour too much is overwritten by its successor.
    """
    if not profile:
        return []
    start = profile[-1]["time"] - DAY_MS - HOUR_MS
    newest = {row["clock_hour"]: row for row in profile if row["time"] > start}
    return [newest[hour] for hour in sorted(newest)]


def shows_means(evidence: Evidence) -> bool:
    """Whether the points are half-hour means: the readings themselves would hide the band."""
    return any(row["n"] > 1 for row in evidence.readings[-_POINTS_AT_MOST:]) or (
        len(evidence.readings) > _POINTS_AT_MOST
        and evidence.readings[-1]["time"] - evidence.readings[-_POINTS_AT_MOST]["time"] < DAY_MS
    )


def day_points(evidence: Evidence, face: Face, now_ms: int) -> list[DayPoint]:
    """Values of the last 24 hours: the readings, or half-hour means if those are too many."""
    offset = evidence.offset_ms
    midnight = (now_ms + offset) // DAY_MS * DAY_MS - offset
    rows = evidence.profile if shows_means(evidence) else evidence.readings
    return [
        DayPoint(
            clock_hour=row["clock_hour"],
            value=row["value"],
            text=f"{moment(row['time'], offset)}   {row.get('censored') or ''}"
            f"{face.amount(row['value'], unit=True)}",
            earlier=row["time"] < midnight,
        )
        for row in rows
        if row["time"] > now_ms - DAY_MS and row["value"] is not None
    ]


def has_band(evidence: Evidence) -> bool:
    """Whether the person's own percentiles may be drawn: never while they are the population's."""
    rhythm = evidence.rhythm
    if rhythm is None or rhythm["status"] == "insufficient":
        return False
    return any(row["p50"] is not None for row in day_rows(evidence.profile))


def runs(rows: Sequence[StoreRow], low: str, high: str) -> list[list[Bounds]]:
    """[clock hour, low, high] in unbroken runs; a band present all around reaches 0 and 24 h."""
    present = [
        (row["clock_hour"], row[low], row[high])
        for row in rows
        if row[low] is not None and row[high] is not None
    ]
    if not present:
        return []
    broken = [[present[0]]]
    for before, bounds in pairwise(present):
        if bounds[0] - before[0] > _GAP_H:
            broken.append([])
        broken[-1].append(bounds)
    first, last = present[0], present[-1]
    if first[0] + 24 - last[0] <= _GAP_H:
        share = (24 - last[0]) / (first[0] + 24 - last[0])
        edge = [last[i] + share * (first[i] - last[i]) for i in (1, 2)]
        broken[0].insert(0, (0.0, edge[0], edge[1]))
        broken[-1].append((24.0, edge[0], edge[1]))
    return broken


def day_chart(evidence: Evidence, face: Face, now_ms: int) -> Options:
    """The 24-hour chart: x = local clock hour 0-24, y = canonical unit (log where fitted so)."""
    rows = day_rows(evidence.profile)
    banded = rows if has_band(evidence) else []
    outer, inner = runs(banded, "p05", "p95"), runs(banded, "p25", "p75")
    median = runs(banded, "p50", "p50")
    limits = {name: limit_steps(rows, name) for name in ("ref_low", "ref_high")}
    differing = only_where_young_differ(rows)
    limits |= {name: limit_steps(differing, name) for name in ("young_low", "young_high")}
    points = day_points(evidence, face, now_ms)
    values = [bound for run in outer for item in run for bound in item[1:]]
    values += [value for steps in limits.values() for _, _, value in steps]
    values += [point.value for point in points]
    offset = evidence.offset_ms
    return {
        "animation": False,
        "textStyle": {"fontFamily": FAMILY},
        "grid": {"left": 44, "right": 40, "top": 40, "bottom": 24},
        "tooltip": {
            "trigger": "item",
            "formatter": "{b}",
            "backgroundColor": PANEL,
            "borderColor": GRID,
            "textStyle": {"color": INK, "fontSize": 12},
        },
        "xAxis": {
            "type": "value",
            "min": 0,
            "max": 24,
            "interval": 3,
            "axisLine": {"lineStyle": {"color": GRID}},
            "axisTick": {"lineStyle": {"color": GRID}},
            "axisLabel": {
                **FONT,
                "hideOverlap": True,
                ":formatter": "v => String(v).padStart(2, '0') + ':00'",
            },
            "splitLine": {"lineStyle": {"color": GRID}},
        },
        "yAxis": value_axis(values, log=face.log, name=face.unit),
        "series": [
            {"id": "band", **band_series(outer, BAND)},
            {"id": "inner", **band_series(inner, BAND_INNER)},
            {"id": "median", **line_series(_broken(median), CURVE, width=2.5)},
            {"id": "edge", **_edge_labels(banded)},
            {"id": "ref-low", **limit_series(limits["ref_low"], face, "bottom")},
            {"id": "ref-high", **limit_series(limits["ref_high"], face, "top")},
            {"id": "young-low", **limit_series(limits["young_low"], face, "bottom", young=True)},
            {"id": "young-high", **limit_series(limits["young_high"], face, "top", young=True)},
            {"id": "points", **_points(points), "markLine": _now_line(now_ms + offset)},
        ],
    }


def _broken(median: Sequence[Sequence[Bounds]]) -> list[list[float | None]]:
    line: list[list[float | None]] = []
    for run in median:
        if line:
            line.append([run[0][0], None])
        line += [[item[0], item[1]] for item in run]
    return line


def _edge_labels(rows: Sequence[StoreRow]) -> Options:
    """Percentile names at the right edge, at the height of the last half hour."""
    last = rows[-1] if rows and rows[-1]["clock_hour"] > 23 else None
    labels = [
        {"value": [24, last[name]], "label": {"formatter": f"{int(name[1:])} %"}}
        for name in PERCENTILES
        if last is not None and last[name] is not None
    ]
    return {
        "type": "scatter",
        "data": labels,
        "symbolSize": 1,
        "silent": True,
        "itemStyle": {"color": "transparent"},
        "label": {"show": True, "position": "right", "fontSize": 10, "color": MUTED},
        "labelLayout": {"moveOverlap": "shiftY"},
        "tooltip": {"show": False},
        "z": 4,
    }


def _points(points: Sequence[DayPoint]) -> Options:
    return {
        "type": "scatter",
        "symbolSize": 8,
        "z": 5,
        "data": [
            {
                "value": [point.clock_hour, point.value],
                "name": point.text,
                "itemStyle": {
                    "color": PANEL if point.earlier else POINT,
                    "borderColor": POINT if point.earlier else PANEL,
                    "borderWidth": 1.5,
                },
            }
            for point in points
        ],
        "emphasis": {"disabled": True},
    }


def _now_line(local_ms: int) -> Options:
    hour = local_ms % DAY_MS / HOUR_MS
    return {
        "silent": True,
        "symbol": "none",
        "animation": False,
        "lineStyle": {"color": MUTED, "type": "dotted", "width": 1},
        "label": {
            "formatter": f"now {clock(hour)}",
            "color": MUTED,
            "fontSize": 10,
            # Above the unit's name and the values of limits that lie at the upper edge.
            "distance": 22,
        },
        "data": [{"xAxis": hour}],
    }
