"""Each kind of panel on matplotlib axes, from its JSON and its queries' frames."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tools.render_dashboards.asking import Frame, Json
from tools.render_dashboards.fields import Field, Theme, fields, named_colour, number

Span = tuple[datetime, datetime]
FONT = 8.5
_ROW_PX = 19.0
_WRAPPED = "wrapText"


def draw(axes: Axes, panel: Json, frames: Sequence[Frame], span: Span, theme: Theme) -> None:
    """The panel's inside; says so where there are no data."""
    kinds: dict[str, Callable[[Axes, Json, Sequence[Frame], Span, Theme], None]] = {
        "stat": _stat,
        "table": _table,
        "timeseries": _time_series,
        "trend": _trend,
        "xychart": _xy_chart,
        "state-timeline": _timeline,
    }
    if not any(any(frame.values()) for frame in frames):
        words = panel["fieldConfig"]["defaults"].get("noValue", "No data")
        axes.set_axis_off()
        axes.text(0.5, 0.5, words, ha="center", va="center", color=theme.muted, fontsize=FONT + 2)
        return
    kinds[panel["type"]](axes, panel, frames, span, theme)


def _stat(axes: Axes, panel: Json, frames: Sequence[Frame], span: Span, theme: Theme) -> None:
    (frame,) = frames
    axes.set_axis_off()
    shown = [field for field in fields(panel, frame, span[1]) if field.named]
    for index, field in enumerate(shown):
        value = frame[field.name][-1]
        middle = (index + 0.5) / len(shown)
        colour = field.colour(value, theme)
        if len(shown) > 1:
            axes.text(middle, 0.84, field.label, ha="center", va="top", color=theme.muted,
                      fontsize=FONT)  # fmt: skip
        size = 22 if len(shown) < 6 else 14
        words = field.say(value) or "–"
        axes.text(middle, 0.32, words, ha="center", va="center", color=colour, fontsize=size)


def _table(axes: Axes, panel: Json, frames: Sequence[Frame], span: Span, theme: Theme) -> None:
    (frame,) = frames
    axes.set_axis_off()
    box = axes.get_window_extent()
    wide, high = box.width * 100 / axes.figure.dpi, box.height * 100 / axes.figure.dpi
    axes.set(xlim=(0, wide), ylim=(high, 0))
    shown = [field for field in fields(panel, frame, span[1]) if field.named]
    widths = _widths(shown, wide)
    left = [sum(widths[:index]) for index in range(len(shown))]
    for field, x, width in zip(shown, left, widths, strict=True):
        at = _place(x, width, frame[field.name])
        axes.text(at[0], 12, field.label, color=theme.muted, fontsize=FONT, va="center", ha=at[1])
    top = 24.0
    for row in range(len(next(iter(frame.values())))):
        cells = [
            _cell(field, frame[field.name][row], width)
            for field, width in zip(shown, widths, strict=True)
        ]
        height = _ROW_PX * max(len(lines) for lines in cells) * 0.72 + 8
        if top + height > high:
            below = "more below"
            axes.text(wide - 4, high - 6, below, color=theme.muted, ha="right", fontsize=FONT - 1)
            break
        axes.plot([0, wide], [top, top], color=theme.grid, linewidth=0.6)
        for field, x, width, lines in zip(shown, left, widths, cells, strict=True):
            value = frame[field.name][row]
            coloured = field.setting("custom.cellOptions", {}).get("type") == "color-text"
            colour = field.colour(value, theme) if coloured else theme.text
            if field.setting("links"):
                colour = theme.link
            at = _place(x, width, frame[field.name])
            axes.text(at[0], top + height / 2, "\n".join(lines), color=colour, fontsize=FONT,
                      va="center", ha=at[1], linespacing=1.15)  # fmt: skip
        top += height


def _place(x: float, width: float, values: Sequence[Any]) -> tuple[float, str]:
    """Where a column's texts stand: numbers at its right."""
    if any(isinstance(value, int | float) for value in values):
        return x + width - 10, "right"
    return x + 4, "left"


def _widths(shown: Sequence[Field], wide: float) -> list[float]:
    given = [field.setting("custom.width") for field in shown]
    rest = wide - sum(width for width in given if width)
    share = rest / max(1, sum(width is None for width in given))
    return [float(width) if width else share for width in given]


def _cell(field: Field, value: Any, width: float) -> list[str]:
    letters = max(4, int((width - 8) / 5.9))
    text = field.say(value)
    if field.setting("custom.cellOptions", {}).get(_WRAPPED):
        return textwrap.wrap(text, letters) or [""]
    return [text if len(text) <= letters else text[: letters - 1] + "…"]


def _time_series(
    axes: Axes, panel: Json, frames: Sequence[Frame], span: Span, theme: Theme
) -> None:
    for frame in frames:
        _lines(axes, panel, frame, "time", span, theme)
    _dated(axes, span)
    _framed(axes, panel, theme)


def _trend(axes: Axes, panel: Json, frames: Sequence[Frame], span: Span, theme: Theme) -> None:
    (frame,) = frames
    name = panel["options"]["xField"]
    _lines(axes, panel, frame, name, span, theme)
    x = Field(panel, name, span[1])
    axes.set(xlim=(x.setting("min"), x.setting("max")), xticks=range(0, 25, 3))
    axes.set_xlabel(x.label, color=theme.muted, fontsize=FONT)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f} h")
    _framed(axes, panel, theme)


def _lines(axes: Axes, panel: Json, frame: Frame, x_name: str, span: Span, theme: Theme) -> None:
    made = {field.label: field for field in fields(panel, frame, span[1]) if field.named}
    stacked = [0.0] * len(frame[x_name])
    for order, field in enumerate(made.values()):
        if field.name == x_name:
            continue
        x = frame[x_name]
        y = [math.nan if value is None else float(value) for value in frame[field.name]]
        colour = named_colour(field.setting("color")["fixedColor"], theme)
        style = field.setting("custom.drawStyle", "line")
        below = field.setting("custom.fillBelowTo")
        if below in made:
            low = [math.nan if v is None else float(v) for v in frame[made[below].name]]
            opacity = field.setting("custom.fillOpacity") / 100
            axes.fill_between(x, low, y, color=colour, alpha=opacity, linewidth=0, zorder=1)
        if style == "bars":
            heights = [0.0 if math.isnan(value) else value for value in y]
            gaps = [there - here for here, there in pairwise(_days(x))]
            width = 0.8 * min(gaps, default=1.0)
            axes.bar(x, heights, bottom=stacked, width=width, color=colour, label=field.label)
            stacked = [base + height for base, height in zip(stacked, heights, strict=True)]
        elif style == "points":
            size = field.setting("custom.pointSize", 5) * 0.6
            axes.plot(x, y, "o", color=colour, markersize=size, label=field.label, zorder=4)
        elif field.setting("custom.lineWidth", 1):
            dash = field.setting("custom.lineStyle") or {}
            pattern = (0, [part * 0.6 for part in dash["dash"]]) if "dash" in dash else "-"
            width = field.setting("custom.lineWidth", 1) * 0.8
            axes.plot(x, y, linestyle=pattern, color=colour, linewidth=width, label=field.label,
                      zorder=2 + order / 100)  # fmt: skip
        else:
            axes.plot([], [], color=colour, alpha=0.4, linewidth=5, label=field.label)


def _xy_chart(axes: Axes, panel: Json, frames: Sequence[Frame], span: Span, theme: Theme) -> None:
    for series in panel["options"]["series"]:
        frame = frames[series["frame"]["matcher"]["options"]]
        x, y = (series[axis]["matcher"]["options"] for axis in ("x", "y"))
        if x not in frame:
            continue
        field = Field(panel, y, span[1])
        colour = named_colour(field.setting("color")["fixedColor"], theme)
        lined = field.setting("custom.show") == "lines"
        size = field.setting("custom.pointSize", {}).get("fixed", 5) * 0.7
        axes.plot(frame[x], frame[y], "-" if lined else "o", color=colour, markersize=size,
                  linewidth=1.2, label=field.label)  # fmt: skip
        axes.set(xlim=(field.setting("min"), field.setting("max")))
        axes.set(ylim=(field.setting("min"), field.setting("max")))
    axes.set_aspect("equal")
    _framed(axes, panel, theme)


def _timeline(axes: Axes, panel: Json, frames: Sequence[Frame], span: Span, theme: Theme) -> None:
    (frame,) = frames
    (field,) = (field for field in fields(panel, frame, span[1]) if field.named)
    seen: dict[str, str] = {}
    changes = _days([*frame["time"], span[1]])
    for (begin, end), value in zip(pairwise(changes), frame[field.name], strict=True):
        colour = field.colour(value, theme)
        seen[field.say(value)] = colour
        axes.axvspan(begin, end, color=colour, alpha=0.7, linewidth=0)
    axes.set_yticks([0.5], [field.label])
    _dated(axes, span)
    handles = [Patch(color=colour, label=words, alpha=0.7) for words, colour in seen.items()]
    _framed(axes, panel, theme, handles)


def mark(axes: Axes, times: Sequence[datetime], colour: str) -> None:
    """Annotations, as Grafana has them: a dashed line across, and a foot below."""
    for day in _days(times):
        axes.axvline(day, color=colour, linewidth=0.8, linestyle=(0, (3, 3)), zorder=1.5)
        axes.plot([day], [0], "^", color=colour, markersize=4, clip_on=False,
                  transform=axes.get_xaxis_transform())  # fmt: skip


def _dated(axes: Axes, span: Span) -> None:
    axes.set_xlim(*_days(span))
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)


def _days(times: Sequence[Any]) -> list[float]:
    """As matplotlib counts times."""
    return [float(day) for day in date2num(times)]  # type: ignore[no-untyped-call]


def _framed(
    axes: Axes, panel: Json, theme: Theme, handles: Sequence[Patch | Line2D] | None = None
) -> None:
    """Grid, ticks in the panel's unit, and the legend below."""
    defaults = panel["fieldConfig"]["defaults"]
    for side in axes.spines.values():
        side.set_visible(False)
    axes.grid(color=theme.grid, linewidth=0.6)
    axes.tick_params(colors=theme.muted, labelsize=FONT, length=0)
    axes.xaxis.get_offset_text().set(color=theme.muted, fontsize=FONT)
    if panel["type"] in ("timeseries", "trend"):
        unit = defaults["unit"]
        axes.yaxis.set_major_formatter(lambda value, _: number(value, unit, None))
    found, words = axes.get_legend_handles_labels()
    shown = list(handles) if handles is not None else found
    labels = [str(handle.get_label()) for handle in shown] if handles is not None else words
    axes.legend(
        shown,
        labels,
        loc="upper left",
        bbox_to_anchor=(0.0, -0.13 if panel["type"] != "state-timeline" else -0.4),
        ncols=max(1, min(len(labels), int(axes.get_window_extent().width / 112))),
        frameon=False,
        fontsize=FONT,
        labelcolor=theme.text,
        borderpad=0,
        handlelength=1.4,
    )
