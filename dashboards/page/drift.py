"""The drift of the rhythm over 30 days: peak time over level, on one time axis. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from dashboards.page.palette import (
    BAND,
    CURVE,
    FONT,
    GRID,
    MUTED,
    Bounds,
    Options,
    band_series,
    line_series,
    value_axis,
)
from dashboards.page.source import (
    DAY_MS,
    DRIFT_MS,
    HOUR_MS,
    Evidence,
    StoreRow,
    peak_hour,
    wearer_offset_ms,
)
from dashboards.page.words import KINDS, SEVERITIES, Face

_STEP_MS = 3 * HOUR_MS  # 30 days in 240 points are as fine as the screen
_GAP_MS = 2 * DAY_MS
_ON_PEAK = ("phase", "arrhythmic")
_ON_LEVEL = ("level", "amplitude", "missing")


class Peak(NamedTuple):
    """A peak clock time in unwrapped hours with its interval; ``time`` in epoch ms."""

    time: int
    hour: float
    low: float
    high: float


def thin(history: Sequence[StoreRow]) -> list[StoreRow]:
    """The last row of every three hours, ascending time, always with the newest row."""
    newest = {row["time"] // _STEP_MS: row for row in history}
    return list(newest.values())


def unwrap(hour: float, anchor: float) -> float:
    """The clock time as the number of hours nearest to ``anchor``; may lie outside [0, 24).

    >>> unwrap(0.5, 23.0), unwrap(23.5, 1.0), unwrap(8.0, 9.0)
    (24.5, -0.5, 8.0)
    """
    return anchor + (hour - anchor + 12) % 24 - 12


def anchor_hour(rows: Sequence[StoreRow]) -> float | None:
    """What the peak times are unwrapped around: the newest baseline, or the newest peak time."""
    newest_first = rows[::-1]
    baselines = (row["baseline_acrophase"] for row in newest_first)
    peaks = (peak_hour(row) for row in newest_first)
    return next((hour for hour in (*baselines, *peaks) if hour is not None), None)


def peak_runs(rows: Sequence[StoreRow], anchor: float) -> list[list[Peak]]:
    """Peak times in unbroken runs, unwrapped; broken where no peak is given."""
    broken: list[list[Peak]] = []
    before: StoreRow | None = None
    for row in rows:
        if peak_hour(row) is None:
            before = None
            continue
        shift = unwrap(row["acrophase"], anchor) - row["acrophase"]
        if before is None or row["time"] - before["time"] > _GAP_MS:
            broken.append([])
        bounds = (row["acrophase"], row["acrophase_low"], row["acrophase_high"])
        broken[-1].append(Peak(row["time"], *(bound + shift for bound in bounds)))
        before = row
    return broken


def hour_ticks(values: Sequence[float]) -> list[int]:
    """Whole-hour ticks around the values, at least six hours of axis.

    >>> hour_ticks([8.2, 9.1])
    [5, 6, 7, 8, 9, 10, 11, 12]
    >>> hour_ticks([-1.0, 14.0])
    [-3, 0, 3, 6, 9, 12, 15]
    """
    low, high = min(values, default=9.0), max(values, default=15.0)
    spare = max(0.5, 3.0 - (high - low) / 2)
    low, high = low - spare, high + spare
    step = next(step for step in (1, 2, 3, 6, 12, 24) if (high - low) / step <= 6)
    return [index * step for index in range(math.floor(low / step), math.ceil(high / step) + 1)]


def drift_chart(evidence: Evidence, face: Face, now_ms: int) -> Options:
    """Peak clock time with its 90 % interval over the level with its own, last 30 days.

    The x values are the wearer's clock as if it were UTC (``useUTC``), so day ticks are local
    midnights.
    """
    offset = wearer_offset_ms(evidence.readings or evidence.profile)
    rows = thin(evidence.history)
    anchor = anchor_hour(rows)
    peaks = [] if anchor is None else peak_runs(rows, anchor)
    baseline = (
        []
        if anchor is None
        else [
            (row["time"] + offset, unwrap(row["baseline_acrophase"], anchor))
            for row in rows
            if row["baseline_acrophase"] is not None
        ]
    )
    level = [
        [(row["time"] + offset, row["mesor_low"], row["mesor_high"]) for row in run]
        for run in _unbroken(rows)
    ]
    hours = hour_ticks([bound for run in peaks for peak in run for bound in peak[1:]])
    levels = [bound for run in level for item in run for bound in item[1:]]
    level_axis = value_axis(levels, log=face.log, name=f"Level (mesor), {face.unit}")
    peak_line = [[(peak.time + offset, peak.hour) for peak in run] for run in peaks]
    level_line = [[(row["time"] + offset, row["mesor"]) for row in run] for run in _unbroken(rows)]
    usual_level = [(row["time"] + offset, row["mesor"] / row["level_ratio"]) for row in rows]
    return {
        "animation": False,
        "useUTC": True,
        "grid": [
            {"left": 44, "right": 14, "top": 30, "height": 120},
            {"left": 44, "right": 14, "top": 200, "height": 110},
        ],
        "xAxis": [_time_axis(now_ms + offset, 0), _time_axis(now_ms + offset, 1)],
        "yAxis": [_hour_axis(hours), {**level_axis, "gridIndex": 1}],
        "series": [
            {"id": "peak-interval", **band_series(_bounds(peaks, offset), BAND)},
            {
                "id": "peak",
                **line_series(_line(peak_line), CURVE, width=2),
                "markArea": _areas(evidence, _ON_PEAK, now_ms, offset),
            },
            {"id": "peak-baseline", **line_series(baseline, MUTED, width=1, dashed=True)},
            {"id": "level-interval", **band_series(level, BAND, axis=1)},
            {
                "id": "level",
                **line_series(_line(level_line), CURVE, width=2, axis=1),
                "markArea": _areas(evidence, _ON_LEVEL, now_ms, offset),
            },
            {
                "id": "level-baseline",
                **line_series(usual_level, MUTED, width=1, dashed=True, axis=1),
            },
        ],
    }


def _unbroken(rows: Sequence[StoreRow]) -> list[list[StoreRow]]:
    broken: list[list[StoreRow]] = []
    for row in rows:
        if not broken or row["time"] - broken[-1][-1]["time"] > _GAP_MS:
            broken.append([])
        broken[-1].append(row)
    return broken


def _bounds(peaks: Sequence[Sequence[Peak]], offset: int) -> list[list[Bounds]]:
    return [[(peak.time + offset, peak.low, peak.high) for peak in run] for run in peaks]


def _line(runs: Sequence[Sequence[tuple[int, float]]]) -> list[list[float | None]]:
    line: list[list[float | None]] = []
    for run in runs:
        if line:
            line.append([run[0][0], None])
        line += [[time, value] for time, value in run]
    return line


def _areas(evidence: Evidence, kinds: Sequence[str], now_ms: int, offset: int) -> Options:
    """Deviations of this series as shaded, labelled spans; one without an end reaches to now."""
    spans = []
    for row in evidence.deviations:
        if row["analyte"] != evidence.series.analyte or row["kind"] not in kinds:
            continue
        sign = SEVERITIES[row["severity"]]
        colour = f"var(--{sign.tone})"
        spans.append(
            [
                {
                    "xAxis": row["time"] + offset,
                    "name": f"{sign.symbol} {KINDS[row['kind']]} {row['direction']}",
                    "itemStyle": {"color": colour, "opacity": 0.12},
                    "label": {"color": colour, "position": "insideTopRight", "fontSize": 11},
                },
                {"xAxis": (row["ended_at"] or now_ms) + offset},
            ]
        )
    return {"silent": True, "animation": False, "data": spans}


def _time_axis(end_ms: int, grid: int) -> Options:
    return {
        "type": "time",
        "gridIndex": grid,
        "min": end_ms - DRIFT_MS,
        "max": end_ms,
        "axisLine": {"onZero": False, "lineStyle": {"color": GRID}},
        "axisTick": {"show": False},
        "splitNumber": 6,
        "axisLabel": {
            **FONT,
            "show": True,
            "hideOverlap": True,
            "formatter": {"year": "{d} {MMM}", "month": "{d} {MMM}", "day": "{d} {MMM}"},
        },
        "splitLine": {"show": True, "lineStyle": {"color": GRID}},
    }


def _hour_axis(ticks: Sequence[int]) -> Options:
    return {
        "type": "value",
        "gridIndex": 0,
        "name": "Peak time (acrophase), local clock",
        "nameLocation": "end",
        "nameGap": 10,
        "nameTextStyle": {**FONT, "align": "left", "padding": [0, 0, 0, -34]},
        "min": ticks[0],
        "max": ticks[-1],
        "interval": ticks[1] - ticks[0],
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "axisLabel": {
            **FONT,
            ":formatter": "v => String(((v % 24) + 24) % 24).padStart(2, '0') + ':00'",
        },
        "splitLine": {"lineStyle": {"color": GRID}},
    }
