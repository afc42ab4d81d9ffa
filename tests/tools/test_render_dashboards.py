"""The renderer fills in, says and colours as Grafana does, and draws every kind of panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from matplotlib import image

from dashboards.grafana import palette
from tools.render_dashboards.asking import Asked, Frame, Json, Viewer, fill, said
from tools.render_dashboards.fields import DARK, LIGHT, Field, fields, number
from tools.render_dashboards.sheet import sheet

STOP = datetime(2026, 11, 5, tzinfo=UTC)
VIEWER = Viewer(STOP - timedelta(days=1), STOP, subject="p-01", analyte="heart-rate")


def test_variables_are_filled_in_as_grafana_does() -> None:
    query = "r.site =~ /^${site:regex}$/ and r.subject == ${subject:doublequote} in v.defaultBucket"
    assert fill(query, VIEWER, 'a "b"') == (
        'r.site =~ /^.*$/ and r.subject == "p-01" in "a \\"b\\""'
    )
    one = replace(VIEWER, site="a.b")
    assert fill("/^${site:regex}$/", one, "b") == "/^a\\.b$/"
    assert fill("v.timeRangeStart v.timeRangeStop v.windowPeriod", VIEWER, "b") == (
        "2026-11-04T00:00:00Z 2026-11-05T00:00:00Z 86s"
    )
    assert said("${subject}: ${analyte:text}", VIEWER) == "p-01: heart-rate"
    with pytest.raises(KeyError):
        fill("${surname}", VIEWER, "b")


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (0.25, "percentunit", None, "25%"),
        (-1.25, "suffix: h", 1, "−1.2 h"),
        (3.0, "none", None, "3"),
        (64.266, "none", 2, "64.27"),
        (7_200, "s", None, "2 hours"),
        (12, "s", None, "12 s"),
    ],
)
def test_a_number_in_its_unit(value: float, unit: str, decimals: int | None, text: str) -> None:
    assert number(value, unit, decimals) == text


def test_a_unit_that_no_dashboard_has_is_no_guess() -> None:
    with pytest.raises(KeyError):
        number(1.0, "furlongs", None)


def panel(kind: str, **more: Any) -> Json:
    made: Json = {
        "id": 1,
        "type": kind,
        "title": "A panel",
        "description": "What it shows.",
        "gridPos": {"x": 0, "y": 0, "w": 24, "h": 8},
        "options": {},
        "targets": [{"refId": "A", "query": "q"}],
        "fieldConfig": {
            "defaults": {
                "unit": "none",
                "thresholds": {
                    "steps": [
                        {"value": None, "color": "text"},
                        {"value": 10, "color": palette.MAJOR},
                    ]
                },
            },
            "overrides": [],
        },
    }
    return made | more


def override(made: Json, name: str, **settings: Any) -> None:
    properties = [{"id": key.replace("_", "."), "value": value} for key, value in settings.items()]
    matcher = {"id": "byName", "options": name}
    made["fieldConfig"]["overrides"].append({"matcher": matcher, "properties": properties})


def test_colours_come_from_mapping_then_field_then_threshold() -> None:
    made = panel("stat")
    mapping = {"type": "value", "options": {"major": {"text": "▲ Major", "color": palette.MAJOR}}}
    override(made, "severity", mappings=[mapping], color={"fixedColor": palette.CURVE})
    severity, plain = Field(made, "severity", STOP), Field(made, "n", STOP)
    assert (severity.say("major"), severity.colour("major", LIGHT)) == ("▲ Major", palette.MAJOR)
    assert (severity.say("else"), severity.colour("else", LIGHT)) == ("else", palette.CURVE)
    assert [plain.colour(value, DARK) for value in (9, 10)] == [DARK.text, palette.MAJOR]


def test_columns_stand_in_the_order_that_the_panel_gives() -> None:
    order = {"id": "organize", "options": {"indexByName": {"b": 0, "a": 1}}}
    made = panel("table", transformations=[order])
    assert [field.name for field in fields(made, {"a": [1], "b": [2]}, STOP)] == ["b", "a"]


def drawn(made: Json, frames: Sequence[Frame], path: Path) -> Any:
    board = {
        "title": "A board",
        "description": "Of one panel.",
        "panels": [made],
        "annotations": {},
        "templating": {"list": []},
    }

    def answer(_: Asked) -> Sequence[Frame]:
        return frames

    sheet(board, answer, VIEWER, LIGHT, path)
    return image.imread(path)


def inked(picture: Any, colour: str) -> int:
    """How many pixels have that colour, or all but: edges are smoothed."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int((abs(picture[..., :3] * 255 - wanted) < 16).all(axis=-1).sum())


TIMES = [STOP - timedelta(hours=hours) for hours in (9, 6, 3)]
SHOWN: dict[str, tuple[Json, Frame]] = {
    "stat": ({}, {"y": [3]}),
    "table": ({}, {"y": ["words"]}),
    "timeseries": ({}, {"time": TIMES, "y": [1.0, 2.0, None]}),
    "trend": ({"xField": "x"}, {"x": [1.0, 7.0, 20.0], "y": [1.0, 2.0, 1.0]}),
    "xychart": (
        {
            "series": [
                {
                    "frame": {"matcher": {"options": 0}},
                    "x": {"matcher": {"options": "x"}},
                    "y": {"matcher": {"options": "y"}},
                }
            ]
        },
        {"x": [0.1, 0.5], "y": [0.1, 0.6]},
    ),
    "state-timeline": ({}, {"time": TIMES, "y": ["one", "two", "one"]}),
}


@pytest.mark.parametrize("kind", SHOWN)
def test_a_panel_is_drawn_in_the_colour_of_its_field(kind: str, tmp_path: Path) -> None:
    options, frame = SHOWN[kind]
    made = panel(kind, options=options)
    more: dict[str, Any] = {"custom_cellOptions": {"type": "color-text"}, "min": -1, "max": 24}
    override(made, "y", displayName="Y", color={"fixedColor": palette.THIRD}, **more)
    override(made, "x", min=0, max=24)
    # Strips are translucent, as Grafana's are: their colour over the panel's.
    expected = "#dd9bb3" if kind == "state-timeline" else palette.THIRD
    with_data = inked(drawn(made, [frame], tmp_path / "with.png"), expected)
    without = inked(drawn(made, [{}], tmp_path / "without.png"), expected)
    assert (with_data > 3, without) == (True, 0)
