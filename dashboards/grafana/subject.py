"""Subject: one person and one analyte. Is the shape normal, when is the peak, is it moving, can I
believe it: in that order, and then what it is made of."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries, trend, xychart
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana import palette, signs, variables
from dashboards.grafana.board import annotation, board, laid_out, subject_link
from dashboards.grafana.datasource import store_variable
from dashboards.grafana.identity import SUBJECT_UID
from dashboards.grafana.panels import (
    About,
    Column,
    Line,
    band,
    by_clock,
    curve,
    dashed,
    dial,
    edge,
    grid,
    over_time,
    points,
    timeline,
    value,
)
from dashboards.grafana.queries import subject

_ANALYTE = "${analyte:text}"
_HOURS = "suffix: h"


def dashboard() -> Dashboard:
    """The dashboard."""
    made = (
        board(
            "Subject",
            SUBJECT_UID,
            "Is the shape normal, when is the peak, is it moving, can I believe it.",
            since="now-30d",
            refresh="1m",
        )
        .with_variable(store_variable())
        .with_variable(variables.one_site())
        .with_variable(variables.subject())
        .with_variable(variables.analyte())
        .with_variable(variables.unit())
        .annotation(annotation("Doses and events", subject.events(), palette.THIRD))
        .annotation(annotation("Deviations", subject.deviations(), palette.SECOND))
        .annotation(annotation("Alert changes", subject.alert_changes(), palette.MAJOR))
    )
    return laid_out(
        made,
        [
            (4, [(_standing(), 24)]),
            (11, [(_day(), 15), (_dial(), 9)]),
            (8, [(_drift(), 12), (_level(), 12)]),
            (4, [(_believable(), 24)]),
            (8, [(_readings(), 14), (_onsets(), 10)]),
            (6, [(_open_alerts(), 24)]),
            (12, [(_markers(), 24)]),
        ],
    )


def _standing() -> stat.Panel:
    return value(
        About(
            f"${{subject}}: {_ANALYTE} now",
            "The newest rhythm in the range: how far it can be believed, its peak by the local "
            "clock, its midline in ${unit}, and what stands behind it.",
            "none",
        ),
        subject.standing(),
        [
            Column("status", "Can I believe it", said=signs.statuses()),
            Column("peak", "Peak (local clock)"),
            Column("mesor", "Midline, ${unit}", decimals=2),
            Column("n_effective", "Effective readings", decimals=0),
            Column("n_days", "Days with readings", decimals=0),
            Column("coverage", "Hours covered", "percentunit", 0),
            Column("last_reading", "Last reading", "dateTimeFromNow"),
        ],
    )


def _day() -> trend.Panel:
    low, high = edge("p05", "5 %"), edge("p95", "95 %")
    quarter, three_quarters = edge("p25", "25 %"), edge("p75", "75 %")
    return by_clock(
        About(
            f"24 hours: {_ANALYTE} in ${{unit}}",
            "The newest 24 hours by the wearer's own clock. Points are half-hour means; the median "
            "line and the bands (25-75 % dark, 5-95 % light) are what this person's own baseline "
            "expected before each half hour closed. Dashed: reference interval of people of the "
            "same sex and age at that hour; dotted: of young adults.",
            "none",
        ),
        subject.day(),
        [
            *band(low, high, 14),
            *band(quarter, three_quarters, 30),
            curve("p50", "Median"),
            dashed("ref_low", "Reference, lower", palette.REFERENCE),
            dashed("ref_high", "Reference, upper", palette.REFERENCE),
            dashed("young_low", "Young adults, lower", palette.REFERENCE, (2, 6)),
            dashed("young_high", "Young adults, upper", palette.REFERENCE, (2, 6)),
            points("value", "Measured", size=7),
        ],
    )


def _dial() -> xychart.Panel:
    lined = {"custom.show": "lines", "custom.lineWidth": 1}
    dotted = {"custom.show": "points", "custom.pointSize": {"fixed": 7}}
    return dial(
        About(
            f"Peak on the clock: {_ANALYTE}",
            "Midnight is up, 06:00 right, noon down, 18:00 left. Each point is one day's peak "
            "(acrophase), the older the nearer to the middle; the line points to the baseline's. "
            "Without a 24-hour rhythm there is no point.",
            "none",
        ),
        [subject.dial_rim(), subject.dial_baseline(), subject.dial_peaks()],
        [
            ("rim_x", "rim_y", Line("rim_y", "24 hours", palette.NO_DATA, lined)),
            (
                "baseline_x",
                "baseline_y",
                Line("baseline_y", "Baseline's peak", palette.REFERENCE, lined),
            ),
            ("peak_x", "peak_y", Line("peak_y", "Peak by day", palette.CURVE, dotted)),
        ],
    )


def _drift() -> timeseries.Panel:
    low, high = edge("phase_shift_low", "from"), edge("phase_shift_high", "to")
    return over_time(
        About(
            f"Is it moving: peak of {_ANALYTE} against baseline",
            "Hours by which the peak is later (above 0) or earlier (below) than the person's own "
            "28-day baseline, with the 90 % interval. A shift is sure where the band leaves 0.",
            _HOURS,
        ),
        [subject.drift()],
        [*band(low, high, 20), curve("phase_shift", "Shift")],
    ).axis_centered_zero(True)


def _level() -> timeseries.Panel:
    low, high = edge("level_change_low", "from"), edge("level_change_high", "to")
    return over_time(
        About(
            f"Is it moving: level of {_ANALYTE} against baseline",
            "Level (mesor) against the person's own 28-day baseline, with the 90 % interval: "
            "+50 % is half as much again.",
            "percentunit",
        ),
        [subject.level()],
        [*band(low, high, 20), curve("level_change", "Change")],
    )


def _believable() -> statetimeline.Panel:
    return timeline(
        About(
            f"Can I believe it: {_ANALYTE}",
            "How far the rhythm could be believed at each time. Grey is not enough data, or none "
            "lately.",
            "none",
        ),
        subject.believable(),
        "status",
        "Rhythm",
        signs.statuses(),
    )


def _readings() -> timeseries.Panel:
    low, high = edge("low", "lowest"), edge("high", "highest")
    return over_time(
        About(
            f"Readings: {_ANALYTE} in ${{unit}}",
            "As they are stored: each one of a sparse analyte, means of a dense one with the "
            "lowest and the highest of each. The newest 10,000 of the range.",
            "none",
        ),
        [subject.readings()],
        [*band(low, high, 15), points("value", "Reading", size=4)],
    )


def _onsets() -> timeseries.Panel:
    names = {
        "dlmo-threshold": ("Melatonin onset, fixed threshold", palette.CURVE),
        "dlmo-baseline": ("Melatonin onset, own baseline", palette.SECOND),
        "dlmo-hockey-stick": ("Melatonin onset, hockey stick", palette.THIRD),
        "sleep-midpoint": ("Middle of sleep", palette.REFERENCE),
    }
    return over_time(
        About(
            "Onset over the nights",
            "When melatonin rose and when sleep was half over, in hours since the midnight with "
            "which the date began: 22 is ten in the evening, 25.5 half past one at night. Nights "
            "whose data do not carry a marker have no point.",
            _HOURS,
        ),
        [subject.onsets()],
        [points(name, label, colour, 8) for name, (label, colour) in names.items()],
    )


def _open_alerts() -> table.Panel:
    return grid(
        About(
            "Open alerts of ${subject}",
            "All analytes of this person, the oldest first.",
            "none",
        ),
        subject.open_alerts(),
        [
            Column("severity", "Severity", width=120, said=signs.severities(), coloured=True),
            Column("analyte", "Analyte", width=160, links=[subject_link("Show this analyte")]),
            Column("kind", "What", width=110, said=signs.kinds()),
            Column("direction", "Way", width=95, said=signs.directions()),
            Column("reason", "Reason", wraps=True),
            Column("since", "Since", "dateTimeFromNow", width=130),
        ],
        empty="No alert is open",
    )


def _markers() -> table.Panel:
    return grid(
        About(
            "Markers of ${subject}",
            "The newest of each marker with its 90 % interval. A dash: the data do not carry it, "
            "and the sentence says why. Dates are the wearer's own.",
            "none",
        ),
        subject.markers(),
        [
            Column("date", "Date", "time:YYYY-MM-DD", width=110),
            Column("analyte", "Of", width=150),
            Column("marker", "Marker", width=190),
            Column("value", "Value", width=120),
            Column("interval", "90 % interval", width=140),
            Column("n", "n", decimals=0, width=60),
            Column("sentence", "In words", wraps=True),
            Column("method", "Method", wraps=True),
        ],
        empty="No markers yet",
    )
