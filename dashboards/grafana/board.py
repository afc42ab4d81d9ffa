"""What all dashboards have in common: the heading, the links between them, and the grid.

Links keep the time range, and with it the site, the person and the analyte. Light or dark is the
viewer's choice: no dashboard sets a theme.
"""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    AnnotationEventFieldMapping,
    AnnotationEventFieldSource,
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    GridPos,
)

from dashboards.grafana.datasource import STORE, Flux
from dashboards.grafana.identity import ALERTS_UID, DISCLAIMER, PIPELINE_UID, SUBJECT_UID, TAG
from dashboards.grafana.panels import AnyPanel

WIDTH = 24
# Height of a row of the grid, and its panels with their widths from the left.
GridRow = tuple[int, Sequence[tuple[AnyPanel, int]]]

_KEPT = "${__url_time_range}&${datasource:queryparam}"


def board(title: str, uid: str, question: str, *, since: str, refresh: str) -> builders.Dashboard:
    """An empty dashboard with its heading and the links to the others."""
    return (
        builders.Dashboard(title)
        .uid(uid)
        .description(f"{question} {DISCLAIMER}")
        .tags([TAG])
        .time(since, "now")
        .refresh(refresh)
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(
            builders.DashboardLink("Acrophase")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .keep_time(True)
            .include_vars(True)
            .as_dropdown(False)
            .target_blank(False)
        )
    )


def laid_out(made: builders.Dashboard, grid: Sequence[GridRow]) -> Dashboard:
    """The dashboard with its panels, numbered in reading order; raises ``ValueError`` for a row
    that is wider than the grid."""
    top, number = 0, 0
    for height, row in grid:
        left = 0
        for panel, width in row:
            number += 1
            place = GridPos(x=left, y=top, w=width, h=height)
            made = made.with_panel(panel.id(number).grid_pos(place))
            left += width
        if left > WIDTH:
            raise ValueError(f"a row at {top} is {left} wide")
        top += height
    return made.build()


def subject_link(title: str = "Show this person") -> dict[str, str]:
    """From a row with ``site``, ``subject`` and ``analyte`` to the person's dashboard."""
    row = "&".join(
        f"var-{name}=${{__data.fields.{name}}}" for name in ("site", "subject", "analyte")
    )
    return {"title": title, "url": f"/d/{SUBJECT_UID}?{row}&{_KEPT}"}


def alerts_link(title: str = "Show all alerts") -> dict[str, str]:
    """To the alerts of the chosen site."""
    return {"title": title, "url": f"/d/{ALERTS_UID}?${{site:queryparam}}&{_KEPT}"}


def pipeline_link(title: str = "Show the pipeline") -> dict[str, str]:
    """To the pipeline, as to whether what is seen can be believed."""
    return {"title": title, "url": f"/d/{PIPELINE_UID}?${{site:queryparam}}&{_KEPT}"}


def annotation(name: str, query: str, colour: str) -> builders.AnnotationQuery:
    """Marks on all charts over time; the query gives ``time``, ``text``, ``tags``, ``timeEnd``."""
    named: dict[str, Builder[AnnotationEventFieldMapping]] = {
        key: builders.AnnotationEventFieldMapping()
        .source(AnnotationEventFieldSource.FIELD)
        .value(key)
        for key in ("time", "timeEnd", "text", "tags")
    }
    return (
        builders.AnnotationQuery()
        .name(name)
        .datasource(STORE)
        .enable(True)
        .hide(False)
        .icon_color(colour)
        .target(Flux(query, "Anno"))
        .mappings(named)
    )
