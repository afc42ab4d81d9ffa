"""The drift of the rhythm over 30 days: peak time, level and swing on one time axis. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dashboards.page.palette import (
    BAND,
    CURVE,
    FAMILY,
    FONT,
    GRID,
    MUTED,
    PANEL,
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
)
from dashboards.page.words import SEVERITIES, Face, occurrence

_STEP_MS = 3 * HOUR_MS  # 30 days in 240 points are as fine as the screen
_GAP_MS = 2 * DAY_MS
_TICK_DAYS = 5
_TOP, _HEIGHT, _PITCH = 26, 84, 120  # of the three grids, in pixels
# Which deviations are shaded in which grid; single readings are no spans of time.
_SHADED = {
    "peak": ("phase", "arrhythmic"),
    "level": ("level", "missing"),
    "swing": ("amplitude",),
}


class Estimate(NamedTuple):
    """A value (a peak time in unwrapped hours) with its interval; ``time`` in epoch ms."""

    time: int
    value: float
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


def peak_runs(rows: Sequence[StoreRow], anchor: float) -> list[list[Estimate]]:
    """Peak times in unbroken runs, unwrapped; broken where no peak is given."""
    broken: list[list[Estimate]] = []
    before: StoreRow | None = None
    for row in rows:
        if peak_hour(row) is None:
            before = None
            continue
        shift = unwrap(row["acrophase"], anchor) - row["acrophase"]
        if before is None or row["time"] - before["time"] > _GAP_MS:
            broken.append([])
        bounds = (row["acrophase"], row["acrophase_low"], row["acrophase_high"])
        broken[-1].append(Estimate(row["time"], *(bound + shift for bound in bounds)))
        before = row
    return broken


def hour_ticks(values: Sequence[float]) -> list[int]:
    """Whole-hour ticks around the values, at least six hours of axis.

    >>> hour_ticks([8.2, 9.1])
    [4, 6, 8, 10, 12]
    >>> hour_ticks([-1.0, 14.0])
    [-6, 0, 6, 12, 18]
    """
    low, high = min(values, default=9.0), max(values, default=15.0)
    spare = max(0.5, 3.0 - (high - low) / 2)
    low, high = low - spare, high + spare
    step = next(step for step in (1, 2, 3, 6, 12, 24) if (high - low) / step <= 4)
    return [index * step for index in range(math.floor(low / step), math.ceil(high / step) + 1)]


def drift_chart(evidence: Evidence, face: Face, now_ms: int) -> Options:
    """Peak clock time over level over daily swing, each with its 90 % interval, last 30 days.

    Where there is no 24-hour curve, the level has the chart for itself.
    The x values are the wearer's clock as if it were UTC (``useUTC``), so day ticks are local
    midnights.
    """
    offset = evidence.offset_ms
    rows = thin(evidence.history)
    anchor = anchor_hour(rows)
    peaks = [] if anchor is None else peak_runs(rows, anchor)
    usual_peak = [
        (row["time"], unwrap(row["baseline_acrophase"], anchor))
        for row in rows
        if anchor is not None and row["baseline_acrophase"] is not None
    ]
    hours = hour_ticks([bound for run in peaks for peak in run for bound in peak[1:]])
    level = _estimates(rows, "mesor", lambda value: value)
    usual_level = [(row["time"], row["mesor"] / row["level_ratio"]) for row in rows]
    # A natural-log amplitude is shown as the factor between midline and peak.
    said: Callable[[float], float] = math.exp if face.log else lambda value: value
    swings = [row for row in rows if row["amplitude"] is not None]
    swing = _estimates(swings, "amplitude", said)
    usual_swing = [
        (row["time"], said(row["amplitude"] / row["amplitude_ratio"]))
        for row in swings
        if row["amplitude_ratio"]
    ]
    level_name = f"Level{' (mesor)' if face.daily else ''}, {face.unit}"
    grids = [("level", _axis(level, level_name, log=face.log), level, usual_level)]
    if face.daily:
        grids.insert(0, ("peak", _hour_axis(hours), peaks, usual_peak))
        swing_axis = _axis(swing, _swing_name(face), log=face.log)
        grids.append(("swing", swing_axis, swing, usual_swing))
    height = _HEIGHT if face.daily else 2 * _PITCH + _HEIGHT
    series: list[Options] = []
    for grid, (name, _, estimates, usual) in enumerate(grids):
        areas = _areas(evidence, _SHADED[name], now_ms, offset)
        series += _grid_series(name, grid, estimates, usual, areas, offset)
    return {
        "animation": False,
        "useUTC": True,
        "textStyle": {"fontFamily": FAMILY},
        "grid": [
            {"left": 44, "right": 14, "top": _TOP + grid * _PITCH, "height": height}
            for grid in range(len(grids))
        ],
        "xAxis": [
            _time_axis(now_ms + offset, grid, labels=grid == len(grids) - 1)
            for grid in range(len(grids))
        ],
        "yAxis": [{**axis, "gridIndex": grid} for grid, (_, axis, _, _) in enumerate(grids)],
        "series": series,
    }


def _estimates(
    rows: Sequence[StoreRow], name: str, said: Callable[[float], float]
) -> list[list[Estimate]]:
    """A field with its bounds, in unbroken runs."""
    return [
        [
            Estimate(
                row["time"], said(row[name]), said(row[f"{name}_low"]), said(row[f"{name}_high"])
            )
            for row in run
        ]
        for run in _unbroken(rows)
    ]


def _swing_name(face: Face) -> str:
    return "Daily swing, peak ÷ midline" if face.log else f"Daily swing (amplitude), {face.unit}"


def _axis(estimates: Sequence[Sequence[Estimate]], name: str, *, log: bool) -> Options:
    bounds = [bound for run in estimates for item in run for bound in item[1:]]
    return value_axis(bounds, log=log, name=name.removesuffix(", "))


def _grid_series(
    name: str,
    grid: int,
    estimates: Sequence[Sequence[Estimate]],
    usual: Sequence[tuple[int, float]],
    areas: Options,
    offset: int,
) -> list[Options]:
    """Interval, estimate and the person's own baseline of one grid; times move by ``offset``."""
    bounds = [[(item.time + offset, item.low, item.high) for item in run] for run in estimates]
    line = [[(item.time + offset, item.value) for item in run] for run in estimates]
    baseline = [(time + offset, value) for time, value in usual]
    return [
        {"id": f"{name}-interval", **band_series(bounds, BAND, axis=grid)},
        {
            "id": name,
            **line_series(_line(line), CURVE, width=2, axis=grid),
            "markArea": areas,
        },
        {
            "id": f"{name}-baseline",
            **line_series(baseline, MUTED, width=1, pattern="dashed", axis=grid),
        },
    ]


def _unbroken(rows: Sequence[StoreRow]) -> list[list[StoreRow]]:
    broken: list[list[StoreRow]] = []
    for row in rows:
        if not broken or row["time"] - broken[-1][-1]["time"] > _GAP_MS:
            broken.append([])
        broken[-1].append(row)
    return broken


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
                    "name": f"{sign.symbol} {occurrence(row['kind'], row['direction'])}",
                    "itemStyle": {"color": colour, "opacity": 0.12},
                    "label": {
                        "color": colour,
                        # Silence often stands beside a level: their labels must not.
                        "position": f"inside{'Bottom' if row['kind'] == 'missing' else 'Top'}Right",
                        "fontSize": 11,
                        "textBorderColor": PANEL,
                        "textBorderWidth": 2,
                    },
                },
                {"xAxis": (row["ended_at"] or now_ms) + offset},
            ]
        )
    return {"silent": True, "animation": False, "data": spans}


def day_ticks(end_ms: int) -> list[int]:
    """Midnights five days apart, the last one the newest; ``end_ms`` on the wearer's clock.

    >>> day_ticks(1_793_750_000_000)[-1] % DAY_MS, len(day_ticks(1_793_750_000_000))
    (0, 6)
    """
    last = end_ms // DAY_MS * DAY_MS
    ticks = [last - back * _TICK_DAYS * DAY_MS for back in range(DRIFT_MS // DAY_MS)]
    return [tick for tick in reversed(ticks) if tick > end_ms - DRIFT_MS]


def _time_axis(end_ms: int, grid: int, *, labels: bool) -> Options:
    ticks = day_ticks(end_ms)
    return {
        "type": "time",
        "gridIndex": grid,
        "min": end_ms - DRIFT_MS,
        "max": end_ms,
        "axisLine": {"onZero": False, "lineStyle": {"color": GRID}},
        "axisTick": {"show": False, "customValues": ticks},
        "axisLabel": {
            **FONT,
            "show": labels,
            "hideOverlap": True,
            "customValues": ticks,
            "formatter": "{d} {MMM}",
        },
        "splitLine": {"show": True, "lineStyle": {"color": GRID}},
    }


def _hour_axis(ticks: Sequence[int]) -> Options:
    return {
        "type": "value",
        "name": "Peak time (acrophase), wearer's clock",
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
