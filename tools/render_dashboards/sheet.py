"""A whole dashboard as one picture, on Grafana's grid of 24 columns and rows of 30 pixels."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from tools.render_dashboards.asking import Asked, Frame, Json, Viewer, asked, said
from tools.render_dashboards.drawing import FONT, draw, mark
from tools.render_dashboards.fields import Theme

WIDTH_PX = 1_480
_COLUMNS, _ROW_PX, _GAP_PX = 24, 38, 8
_HEAD_PX, _FOOT_PX, _TITLE_PX, _LEGEND_PX = 58, 24, 30, 34
_DPI = 110
NOTE = (
    "Drawn by tools/render_dashboards from the dashboard's own JSON and its queries' answers from "
    "InfluxDB, simulated people; Grafana itself sets it a little differently."
)

Marks = tuple[Sequence[datetime], str]
Answer = Callable[[Asked], Sequence[Frame]]


def sheet(board: Json, answer: Answer, viewer: Viewer, theme: Theme, path: Path) -> None:
    """Draw the dashboard; of its panels those that ask the store."""
    queries: dict[str, list[Asked]] = {}
    for one in asked(board):
        if one.kind == "panel":
            queries.setdefault(one.what.rsplit(" ", 1)[0], []).append(one)
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    height = _HEAD_PX + bottom * _ROW_PX + _FOOT_PX
    with rc_context({"font.family": "DejaVu Sans", "font.size": FONT}):
        figure = Figure((WIDTH_PX / 100, height / 100), dpi=_DPI, facecolor=theme.ground)
        _words(figure, height, 20, 22, board["title"], theme.text, FONT + 6)
        _words(figure, height, 20, 44, board["description"], theme.muted, FONT)
        marks = _marks(board, answer)
        for each in board["panels"]:
            panel = _in_words(each, viewer)
            frames = [frame for one in queries.get(each["title"], []) for frame in answer(one)]
            _panel(figure, height, panel, frames, viewer, theme, marks, each["title"] in queries)
        _words(figure, height, 20, height - 11, NOTE, theme.muted, FONT - 1)
        figure.savefig(path, facecolor=theme.ground, metadata={"Software": None})


def _marks(board: Json, answer: Answer) -> list[Marks]:
    """Times and colour of each kind of annotation."""
    colours = {each["name"]: each["iconColor"] for each in board["annotations"].get("list", [])}
    return [
        (frame.get("time", []), colours[one.what])
        for one in asked(board)
        if one.kind == "annotation"
        for frame in answer(one)
    ]


def _in_words(panel: Json, viewer: Viewer) -> Json:
    """The panel with variables filled in where Grafana does: title and names of fields."""
    made: Json = json.loads(json.dumps(panel))
    made["title"] = said(made["title"], viewer)
    for override in made["fieldConfig"]["overrides"]:
        for setting in override["properties"]:
            if setting["id"] in ("displayName", "custom.fillBelowTo"):
                setting["value"] = said(setting["value"], viewer)
    return made


def _panel(
    figure: Figure,
    height: int,
    panel: Json,
    frames: Sequence[Frame],
    viewer: Viewer,
    theme: Theme,
    marks: Sequence[Marks],
    asks_store: bool,
) -> None:
    at = panel["gridPos"]
    column = (WIDTH_PX - 2 * _GAP_PX) / _COLUMNS
    x, y = _GAP_PX + at["x"] * column, _HEAD_PX + at["y"] * _ROW_PX
    w, h = at["w"] * column - _GAP_PX, at["h"] * _ROW_PX - _GAP_PX
    figure.patches.append(
        FancyBboxPatch(
            (x / WIDTH_PX, 1 - (y + h) / height),
            w / WIDTH_PX,
            h / height,
            boxstyle="square,pad=0",
            transform=figure.transFigure,
            facecolor=theme.panel,
            edgecolor=theme.grid,
            linewidth=0.8,
            figure=figure,
        )
    )
    _words(figure, height, x + 10, y + 15, panel["title"], theme.text, FONT + 1)
    charted = panel["type"] in ("timeseries", "trend", "xychart", "state-timeline")
    left, legend = (62, _LEGEND_PX + 26) if charted and asks_store else (8, 6)
    inside = figure.add_axes(
        (
            (x + left) / WIDTH_PX,
            1 - (y + h - legend) / height,
            (w - left - 14) / WIDTH_PX,
            (h - _TITLE_PX - legend) / height,
        ),
        facecolor="none",
        zorder=2,
    )
    if not asks_store:
        inside.set_axis_off()
        words = "Asks Prometheus, which this picture has not"
        inside.text(0.5, 0.5, words, ha="center", va="center", color=theme.muted, fontsize=FONT)
        return
    draw(inside, panel, frames, (viewer.start, viewer.stop), theme)
    if panel["type"] == "timeseries" and any(any(frame.values()) for frame in frames):
        for times, colour in marks:
            mark(inside, [time for time in times if viewer.start <= time < viewer.stop], colour)


def _words(
    figure: Figure, height: int, x: float, y: float, text: str, colour: str, size: float
) -> None:
    figure.text(x / WIDTH_PX, 1 - y / height, text, color=colour, fontsize=size, va="center")
