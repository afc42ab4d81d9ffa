"""How a panel is made: each kind by one function, none without title, description and unit.

Fields are named as the query names them; what people read stands beside. ``fillBelowTo`` goes by
the name that people read, as Grafana looks it up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from grafana_foundation_sdk.builders import (
    common,
    stat,
    statetimeline,
    table,
    timeseries,
    trend,
    xychart,
)
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.xychart import SeriesMapping, XYShowMode

from dashboards.grafana import palette
from dashboards.grafana.datasource import STORE, Flux
from dashboards.grafana.signs import Said

P = TypeVar(
    "P", stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel, trend.Panel, xychart.Panel
)
AnyPanel = (
    stat.Panel | statetimeline.Panel | table.Panel | timeseries.Panel | trend.Panel | xychart.Panel
)
Styles = Mapping[str, object]
# Value from which a colour holds; the first has no lower end.
Steps = Sequence[tuple[float | None, str]]

NO_DATA = "No data"
_PLAIN: Steps = ((None, palette.INK),)


@dataclass(frozen=True)
class About:
    """What every panel has: ``unit`` is Grafana's id, or ``suffix:`` and a word."""

    title: str
    description: str
    unit: str
    steps: Steps = _PLAIN


@dataclass(frozen=True)
class Column:
    """A column of a table or a value of a stat: the query's ``name`` and what people read."""

    name: str
    label: str
    unit: str | None = None
    decimals: int | None = None
    width: int | None = None
    said: Said | None = None
    coloured: bool = False
    wraps: bool = False
    links: Sequence[Mapping[str, str]] = ()
    colour: str | None = None

    def properties(self) -> dict[str, object]:
        """As overrides."""
        found: dict[str, object] = {"displayName": self.label}
        if self.unit is not None:
            found["unit"] = self.unit
        if self.decimals is not None:
            found["decimals"] = self.decimals
        if self.width is not None:
            found["custom.width"] = self.width
        if self.said is not None:
            found["mappings"] = [self.said]
        if self.coloured:
            found["custom.cellOptions"] = {"type": "color-text"}
        if self.wraps:
            found["custom.cellOptions"] = {"type": "auto", "wrapText": True}
        if self.links:
            found["links"] = list(self.links)
        if self.colour is not None:
            found["color"] = fixed(self.colour)
        return found


@dataclass(frozen=True)
class Line:
    """A series of a chart: ``name`` in the query, its label, and how it is drawn."""

    name: str
    label: str
    colour: str
    styles: Styles = field(default_factory=dict)

    def properties(self) -> dict[str, object]:
        """As overrides."""
        return {"displayName": self.label, "color": fixed(self.colour), **self.styles}


def fixed(colour: str) -> dict[str, object]:
    """One colour of the palette."""
    return {"mode": "fixed", "fixedColor": colour}


def curve(name: str, label: str, colour: str = palette.CURVE) -> Line:
    """A line."""
    return Line(name, label, colour, {"custom.lineWidth": 2})


def dashed(name: str, label: str, colour: str, pattern: tuple[int, ...] = (8, 6)) -> Line:
    """A limit."""
    style = {"fill": "dash", "dash": list(pattern)}
    return Line(name, label, colour, {"custom.lineStyle": style, "custom.lineWidth": 1})


def points(name: str, label: str, colour: str = palette.INK, size: int = 6) -> Line:
    """What was measured."""
    styles = {
        "custom.drawStyle": "points",
        "custom.showPoints": "always",
        "custom.pointSize": size,
    }
    return Line(name, label, colour, styles)


def band(low: Line, high: Line, opacity: int) -> tuple[Line, Line]:
    """Two lines of no width with a fill between them."""
    hidden = {"custom.lineWidth": 0, "custom.showPoints": "never"}
    filled = {**hidden, "custom.fillBelowTo": low.label, "custom.fillOpacity": opacity}
    return (
        Line(low.name, low.label, low.colour, hidden),
        Line(high.name, high.label, high.colour, filled),
    )


def edge(name: str, label: str, colour: str = palette.CURVE) -> Line:
    """A side of a ``band``."""
    return Line(name, label, colour)


def value(
    about: About, query: str, columns: Sequence[Column], *, sparse: str = NO_DATA
) -> stat.Panel:
    """Big values: one row of the query, the columns named and no others."""
    names = "|".join(column.name for column in columns)
    panel = (
        stat.Panel()
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME if len(columns) > 1 else BigValueTextMode.VALUE)
        .reduce_options(
            common.ReduceDataOptions().calcs(["lastNotNull"]).fields(f"/^({names})$/").values(False)
        )
        .no_value(sparse)
    )
    return _with_columns(_described(panel, about, query), columns)


def grid(about: About, query: str, columns: Sequence[Column], *, empty: str) -> table.Panel:
    """A table; ``empty`` is said when there are no rows."""
    panel = table.Panel().show_header(True).filterable(False).no_value(empty)
    return _with_columns(_described(panel, about, query), columns)


def over_time(about: About, queries: Sequence[str], lines: Sequence[Line]) -> timeseries.Panel:
    """A chart over time; the queries' frames have a column ``time``."""
    panel = _charted(timeseries.Panel().no_value(NO_DATA))
    return _with_lines(_described(panel, about, *queries), lines)


def bars(about: About, query: str, lines: Sequence[Line]) -> timeseries.Panel:
    """Counts over time, stacked."""
    panel = over_time(about, [query], lines)
    return (
        panel.draw_style(GraphDrawStyle.BARS)
        .fill_opacity(80)
        .line_width(0)
        .stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
        .decimals(0)
        .min(0)
    )


def by_clock(about: About, query: str, lines: Sequence[Line]) -> trend.Panel:
    """A chart over the hours of the local day: ``clock_hour`` is x and time is not."""
    panel = trend.Panel().x_field("clock_hour").no_value(NO_DATA)
    panel = panel.legend(_legend()).tooltip(_tooltip()).span_nulls(False)
    panel = _with_lines(_described(panel, about, query), lines)
    hours = {"unit": "suffix: h", "decimals": 2, "min": 0, "max": 24, "displayName": "Local clock"}
    return panel.override_by_name("clock_hour", _values(hours))


def dial(
    about: About, queries: Sequence[str], lines: Sequence[tuple[str, str, Line]]
) -> xychart.Panel:
    """A round chart: of each query's frame, by its place, the x, the y, and how it is drawn."""
    panel = (
        xychart.Panel()
        .mapping(SeriesMapping.MANUAL)
        .series([_xy_series(index, x, y, line) for index, (x, y, line) in enumerate(lines)])
        .show(XYShowMode.POINTS)
        .legend(_legend())
        .tooltip(_tooltip())
        .no_value(NO_DATA)
    )
    panel = _described(panel, about, *queries)
    for x, y, line in lines:
        panel = panel.override_by_name(x, _values({"min": -1.15, "max": 1.15}))
        properties = {"min": -1.15, "max": 1.15, **line.properties()}
        panel = panel.override_by_name(y, _values(properties))
    return panel


def timeline(about: About, query: str, name: str, label: str, said: Said) -> statetimeline.Panel:
    """States over time, one strip; each state lasts until the next."""
    panel = (
        statetimeline.Panel()
        .show_value(VisibilityMode.AUTO)
        .merge_values(True)
        .row_height(0.8)
        .fill_opacity(70)
        .line_width(0)
        .legend(_legend())
        .tooltip(_tooltip())
        .no_value(NO_DATA)
    )
    panel = _described(panel, about, query)
    return panel.override_by_name(name, _values({"displayName": label, "mappings": [said]}))


def metrics(
    about: About, targets: Sequence[Any], lines: Sequence[Line] = (), *, colour: str | None = None
) -> timeseries.Panel:
    """A chart of our own metrics, of targets made by ``datasource.metric_query``."""
    panel = _charted(timeseries.Panel().no_value(NO_DATA))
    panel = _told(panel, about).datasource(targets[0].build().datasource).targets(list(targets))
    if colour is not None:
        mode = FieldColorModeId.SHADES
        panel = panel.color_scheme(builders.FieldColor().mode(mode).fixed_color(colour))
    return _with_lines(panel, lines)


def _described(panel: P, about: About, *queries: str) -> P:
    panel = _told(panel, about).datasource(STORE)
    for index, query in enumerate(queries):
        panel = panel.with_target(Flux(query, chr(ord("A") + index)))
    return panel


def _told(panel: P, about: About) -> P:
    steps = [Threshold(value=at, color=colour) for at, colour in about.steps]
    return (
        panel.title(about.title)
        .description(about.description)
        .unit(about.unit)
        .thresholds(builders.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .color_scheme(builders.FieldColor().mode(FieldColorModeId.THRESHOLDS))
    )


def _charted(panel: timeseries.Panel) -> timeseries.Panel:
    return (
        panel.legend(_legend())
        .tooltip(_tooltip())
        .show_points(VisibilityMode.NEVER)
        .span_nulls(False)
        .line_width(1)
    )


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .calcs([])
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.NONE)


def _xy_series(index: int, x: str, y: str, line: Line) -> xychart.XYSeriesConfig:
    by_index = xychart.MatcherConfig().id("byIndex").options(index)
    by_x, by_y = (xychart.MatcherConfig().id("byName").options(name) for name in (x, y))
    return (
        xychart.XYSeriesConfig()
        .name(xychart.XychartXYSeriesConfigName().fixed(line.label))
        .frame(xychart.XychartXYSeriesConfigFrame().matcher(by_index))
        .x(xychart.XychartXYSeriesConfigX().matcher(by_x))
        .y(xychart.XychartXYSeriesConfigY().matcher(by_y))
    )


def _with_columns(panel: P, columns: Sequence[Column]) -> P:
    # A Flux answer has its columns in any order.
    order = {column.name: index for index, column in enumerate(columns)}
    options = {"excludeByName": {}, "indexByName": order, "renameByName": {}}
    organized = DataTransformerConfig(id_val="organize", options=options)
    panel = panel.with_transformation(organized)
    for column in columns:
        panel = panel.override_by_name(column.name, _values(column.properties()))
    return panel


def _with_lines(panel: P, lines: Sequence[Line]) -> P:
    for line in lines:
        panel = panel.override_by_name(line.name, _values(line.properties()))
    return panel


def _values(properties: Mapping[str, object]) -> list[DynamicConfigValue]:
    return [DynamicConfigValue(id_val=key, value=setting) for key, setting in properties.items()]
