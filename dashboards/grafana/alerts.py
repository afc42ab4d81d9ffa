"""Alerts: what is open and for how long, what was, and what did not become one."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana import palette, signs, variables
from dashboards.grafana.board import annotation, board, laid_out, subject_link
from dashboards.grafana.datasource import store_variable
from dashboards.grafana.identity import ALERTS_UID
from dashboards.grafana.panels import About, Column, Line, bars, grid, value
from dashboards.grafana.queries import alerts
from dashboards.page.words import SEVERITIES


def dashboard() -> Dashboard:
    """The dashboard."""
    made = (
        board(
            "Alerts",
            ALERTS_UID,
            "What is open and since when, what was, and what did not become an alert.",
            since="now-30d",
            refresh="1m",
        )
        .with_variable(store_variable())
        .with_variable(variables.any_site())
        .annotation(annotation("Major alerts", alerts.changes(), palette.MAJOR))
    )
    return laid_out(
        made,
        [
            (7, [(_standing(), 7), (_opened(), 17)]),
            (10, [(_waiting(), 24)]),
            (10, [(_history(), 24)]),
            (8, [(_not_paged(), 24)]),
        ],
    )


def _standing() -> stat.Panel:
    return value(
        About(
            "Open alerts",
            "How many are open, whenever they began, and how long the longest has waited, until "
            "the end of the range.",
            "none",
        ),
        alerts.standing(),
        [
            Column("open", "open", decimals=0),
            Column("longest", "longest", "s", 0),
        ],
    )


def _opened() -> timeseries.Panel:
    return bars(
        About("Alerts opened, by day", "By the highest severity that they have had.", "none"),
        alerts.opened_by_severity(),
        [
            Line(name, signs.said(sign), colour)
            for (name, sign), colour in zip(SEVERITIES.items(), palette.ALARMS, strict=True)
        ],
    )


def _waiting() -> table.Panel:
    return grid(
        About(
            "Waiting longest",
            "Open alerts, the one that has waited longest first. They are acknowledged and snoozed "
            "on the live page; this is for looking.",
            "none",
        ),
        alerts.waiting(),
        [
            *_alert_columns(),
            Column("waiting_s", "Waiting", "s", 0, 110),
            Column("since", "Since", "dateTimeAsIso", width=160),
        ],
        empty="No alert is open",
    )


def _history() -> table.Panel:
    return grid(
        About("All of the range", "Alerts opened in the range, the newest first.", "none"),
        alerts.history(),
        [
            *_alert_columns(),
            Column("state", "State", width=110, said=signs.states(), coloured=True),
            Column("time", "Opened", "dateTimeAsIso", width=160),
            Column("resolved", "Resolved", "dateTimeAsIso", width=160),
        ],
        empty="No alert was opened",
    )


def _not_paged() -> table.Panel:
    return grid(
        About(
            "Deviations that paged nobody",
            "Found in data that came too late to be acted upon, or explained by a dose, illness or "
            "travel.",
            "none",
        ),
        alerts.not_paged(),
        [
            *_alert_columns(),
            Column("why", "Why not", wraps=True),
            Column("time", "Seen first", "dateTimeAsIso", width=160),
        ],
        empty="None",
    )


def _alert_columns() -> tuple[Column, ...]:
    return (
        Column("severity", "Severity", width=120, said=signs.severities(), coloured=True),
        Column("subject", "Person", width=110, links=[subject_link()]),
        Column("analyte", "Analyte", width=150, links=[subject_link()]),
        Column("kind", "What", width=110, said=signs.kinds()),
        Column("direction", "Way", width=95, said=signs.directions()),
        Column("reason", "Reason", wraps=True),
        Column("site", "Site", width=90),
    )
