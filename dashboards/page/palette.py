"""What both charts share: colours, band drawing, axis ticks. Pure.

Colours are names of the style sheet's variables, so that one set of options serves light and dark:
the SVG renderer hands them to the browser as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

Options = dict[str, Any]

INK = "var(--ink)"
MUTED = "var(--muted)"
GRID = "var(--grid)"
PANEL = "var(--panel)"
CURVE = "var(--curve)"
BAND = "var(--band)"
BAND_INNER = "var(--band-inner)"
REFERENCE = "var(--reference)"
POINT = "var(--point)"

# Patterns of lines: what ECharts has a word for, or pixels on and off.
Pattern = Literal["solid", "dashed"] | tuple[int, ...]
DASH_DOT: Pattern = (7, 3, 1, 3)

_LOG_MARGIN = 1.12

FAMILY = "Roboto, system-ui, sans-serif"  # as the style sheet; NiceGUI brings Roboto along
FONT = {"color": MUTED, "fontSize": 11}

# A band is drawn as one polygon for each unbroken run, at the run's first item; items are
# [x, low, high, run]. (Stacked areas, the usual way, are wrong on a logarithmic axis.)
_BAND_RENDERER = """(params, api) => {{
  const i = params.dataIndexInside, run = api.value(3, i);
  if (i > 0 && api.value(3, i - 1) === run) return;
  const upper = [], lower = [];
  for (let j = i; j < params.dataInsideLength && api.value(3, j) === run; j++) {{
    upper.push(api.coord([api.value(0, j), api.value(2, j)]));
    lower.unshift(api.coord([api.value(0, j), api.value(1, j)]));
  }}
  return {{type: 'polygon', silent: true, shape: {{points: upper.concat(lower)}},
    style: {{fill: '{fill}'}}}};
}}"""

Bounds = tuple[float, float, float]  # x, low, high


def band_series(runs: Sequence[Sequence[Bounds]], fill: str, *, axis: int = 0) -> Options:
    """A filled band between two lines, broken between runs; ``axis`` is the grid it is in."""
    return {
        "type": "custom",
        ":renderItem": _BAND_RENDERER.format(fill=fill),
        "data": [
            [x, _brief(low), _brief(high), index]
            for index, run in enumerate(runs)
            for x, low, high in run
        ],
        "encode": {"x": 0, "y": [1, 2]},
        "xAxisIndex": axis,
        "yAxisIndex": axis,
        "clip": True,
        "silent": True,
        "tooltip": {"show": False},
    }


def _brief(value: float) -> float:
    """As fine as any screen: curves are most of what travels to the browser."""
    return float(f"{value:.5g}")


def line_series(
    data: Sequence[Sequence[float | None]],
    colour: str,
    *,
    width: float,
    pattern: Pattern = "solid",
    axis: int = 0,
) -> Options:
    """A line through [x, y] points; y None breaks it."""
    return {
        "type": "line",
        "data": [[x, None if y is None else _brief(y)] for x, y in data],
        "showSymbol": False,
        "silent": True,
        "connectNulls": False,
        "lineStyle": {"color": colour, "width": width, "type": pattern},
        "itemStyle": {"color": colour},
        "xAxisIndex": axis,
        "yAxisIndex": axis,
        "tooltip": {"show": False},
    }


def value_axis(values: Sequence[float], *, log: bool, name: str) -> Options:
    """A y axis around ``values`` with round ticks; ``log`` ignores values that are not positive."""
    if log:
        positive = [value for value in values if value > 0] or [1.0, 10.0]
        bounds = (min(positive) / _LOG_MARGIN, max(positive) * _LOG_MARGIN)
        ticks = log_ticks(*bounds)
    else:
        ticks = linear_ticks(values)
        bounds = (ticks[0], ticks[-1])
    return {
        "type": "log" if log else "value",
        "name": name,
        "nameLocation": "end",
        "nameGap": 10,
        "nameTextStyle": {**FONT, "align": "left", "padding": [0, 0, 0, -34]},
        "min": bounds[0],
        "max": bounds[1],
        "axisLine": {"show": False},
        "axisTick": {"show": False, "customValues": ticks},
        "axisLabel": {
            **FONT,
            "customValues": ticks,
            ":formatter": "v => String(+v.toPrecision(3))",
        },
        "splitLine": {"lineStyle": {"color": GRID}},
    }


def linear_ticks(values: Sequence[float]) -> list[float]:
    """Four to seven round ticks that hold all values.

    >>> linear_ticks([53, 88])
    [50.0, 60.0, 70.0, 80.0, 90.0]
    >>> linear_ticks([])
    [0.0, 1.0]
    """
    if not values:
        return [0.0, 1.0]
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= 5)
    first, last = math.floor(low / step), math.ceil(high / step)
    if first == last:
        last += 1
    return [round(index * step, 10) for index in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Round ticks between two positive bounds: at 1, 2 and 5, or evenly where those are too few.

    >>> log_ticks(0.45, 21.0)
    [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
    >>> log_ticks(0.15, 0.24)
    [0.16, 0.18, 0.2, 0.22, 0.24]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = [round(factor * 10.0**power, 12) for power in powers for factor in (1, 2, 5)]
    inside = [step for step in steps if low <= step <= high]
    if len(inside) >= 3:
        return inside
    return [step for step in linear_ticks([low, high]) if low <= step <= high]
