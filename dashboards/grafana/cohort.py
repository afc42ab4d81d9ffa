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
from dashboards.page.words import KINDS, QUIET, SEVERITIES, SILENT, STATUSES

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
            (13, [(_triage(), 24)]),
            (9, [(_beyond_reference(), 10), (_largest_changes(), 14)]),
            (8, [(_series_by_status(), 10), (_deviations(), 14)]),
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
            "How long before the end of the range shown the newest reading was collected. Past an "
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
            "Open alerts, the worst first and of those the oldest. The change is against the "
            "person's own baseline as it stands now; the reason tells of the moment when the alert "
            "was opened.",
            "none",
        ),
        cohort.triage(),
        [
            Column("severity", "Severity", width=120, said=signs.severities(), coloured=True),
            Column("subject", "Person", width=110, links=[subject_link()]),
            Column("analyte", "Analyte", width=150, links=[subject_link()]),
            Column("kind", "What", width=110, said=signs.kinds()),
            Column("direction", "Way", width=95, said=signs.directions()),
            Column("reason", "Reason", wraps=True),
            Column("level_change", "Level now", "percentunit", 0, 90),
            Column("phase_shift", "Peak now", "suffix: h", 1, 90),
            Column("since", "Since", "dateTimeFromNow", width=120),
            Column("last_reading", "Last reading", "dateTimeFromNow", width=120),
            Column("site", "Site", width=90),
        ],
        empty="Nobody: no alert is open",
    )


def _beyond_reference() -> table.Panel:
    return grid(
        About(
            "Outside the reference interval",
            "Half hours of the last day (before the end of the range) that lie outside the "
            "reference interval of their clock hour, for people of the same sex and age. A "
            "threshold, beside the change against the person's own baseline: neither is the other.",
            "none",
        ),
        cohort.beyond_reference(),
        [
            Column("subject", "Person", width=110, links=[subject_link()]),
            Column("analyte", "Analyte", links=[subject_link()]),
            Column("above", "▲ above", decimals=0, width=80),
            Column("below", "▼ below", decimals=0, width=80),
            Column("measured", "of half hours", decimals=0, width=105),
            Column("site", "Site", width=90),
        ],
        empty="Nobody: all within, or no reference",
    )


def _largest_changes() -> table.Panel:
    return grid(
        About(
            "Furthest from the own baseline",
            "Series by how far their level is from the person's 28-day baseline, with or without "
            "an alert; with the 90 % interval.",
            "percentunit",
        ),
        cohort.largest_changes(),
        [
            Column("subject", "Person", width=110, links=[subject_link()]),
            Column("analyte", "Analyte", width=150, links=[subject_link()]),
            Column("status", "Can I believe it", said=signs.statuses(), coloured=True),
            Column("level_change", "Level", decimals=0, width=75),
            Column("level_change_low", "from", decimals=0, width=75),
            Column("level_change_high", "to", decimals=0, width=75),
            Column("phase_shift", "Peak", "suffix: h", 1, 80),
            Column("last_reading", "Last reading", "dateTimeFromNow", width=120),
            Column("site", "Site", width=90),
        ],
        empty="No rhythms yet",
    )


def _series_by_status() -> stat.Panel:
    return value(
        About(
            "Series by how far they can be believed",
            "A series is one analyte of one person, counted where its newest rhythm stands.",
            "none",
        ),
        pipeline.series_by_status(),
        [Column(name, signs.said(sign), colour=palette.INK) for name, sign in STATUSES.items()],
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
