"""Cohort: who needs looking at, worst first, for the wall and for the round."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana import palette, signs, variables
from dashboards.grafana.board import (
    alerts_link,
    annotation,
    board,
    laid_out,
    pipeline_link,
    subject_link,
)
from dashboards.grafana.datasource import store_variable
from dashboards.grafana.identity import COHORT_UID
from dashboards.grafana.panels import About, Column, Line, bars, grid, value
from dashboards.grafana.queries import alerts, cohort, pipeline
from dashboards.page.words import KINDS, QUIET, SEVERITIES, SILENT

_KIND_COLOURS = dict(
    zip(KINDS, (*palette.SERIES, palette.INK, palette.NO_DATA), strict=True),
)


def dashboard() -> Dashboard:
    """The dashboard."""
    made = (
        board(
            "Cohort",
            COHORT_UID,
            "Who needs looking at, in what order, and why.",
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
            (4, [(_people(), 16), (_freshness(), 8)]),
            (16, [(_triage(), 24)]),
            (8, [(_deviations(), 24)]),
        ],
    )


def _people() -> stat.Panel:
    return value(
        About(
            "People",
            "Everybody in the store stands under one sign: the worst of the person's open alerts, "
            "or quiet. Silent counts again whoever has an open alert of missing data.",
            "none",
        ),
        cohort.people_by_sign(),
        [
            *(
                Column(name, signs.said(sign), colour=colour, links=[alerts_link()])
                for (name, sign), colour in zip(SEVERITIES.items(), palette.ALARMS, strict=True)
            ),
            Column("silent", signs.said(SILENT), colour=palette.NO_DATA, links=[pipeline_link()]),
            Column("quiet", signs.said(QUIET), colour=palette.INK),
        ],
    )


def _freshness() -> stat.Panel:
    return value(
        About(
            "Newest reading of anybody",
            "How long the newest half hour in which anybody was measured has been over. Past an "
            "hour the fleet is as good as silent, and an absence of alerts means nothing.",
            "s",
            ((None, palette.INK), (3_600, palette.MODERATE), (21_600, palette.MAJOR)),
        ),
        pipeline.silence(),
        [Column("silent_s", "ago", decimals=0, links=[pipeline_link()])],
    )


def _triage() -> table.Panel:
    return grid(
        About(
            "Who needs looking at",
            "Open alerts, the worst first and of those the oldest; the reason tells of the moment "
            "when the alert was opened. Level and peak now are against the person's own baseline; "
            "the reference is that of people of the same sex and age at that clock hour, for the "
            "newest half hour with readings of the last day. Neither is the other.",
            "none",
        ),
        cohort.triage(),
        [
            Column("severity", "Severity", width=105, said=signs.severities(), coloured=True),
            Column("subject", "Person", width=90, links=[subject_link()]),
            Column("analyte", "Analyte", width=135, links=[subject_link()]),
            Column("kind", "What", width=95, said=signs.kinds()),
            Column("direction", "Way", width=80, said=signs.directions()),
            Column("reason", "Reason", wraps=True),
            Column("level_change", "Level now", "percentunit", 0, 80),
            Column("phase_shift", "Peak now", "suffix: h", 1, 80),
            Column("reference", "Reference", width=80, said=signs.references()),
            Column("since", "Since", "dateTimeFromNow", width=110),
            Column("last_reading", "Last reading", "dateTimeFromNow", width=110),
            Column("site", "Site", width=70),
        ],
        empty="Nobody: no alert is open",
    )


def _deviations() -> timeseries.Panel:
    return bars(
        About(
            "Deviations seen first, by day",
            "By kind, explained and retrospective ones included: not all of them made an alert.",
            "none",
        ),
        cohort.deviations_by_kind(),
        [Line(name, label, _KIND_COLOURS[name]) for name, label in KINDS.items()],
    )
