"""How things stand now, whenever they began: streams that several queries begin with."""

from __future__ import annotations

from dashboards.grafana.flux import UP_TO_NOW, piped, rows, wide_of_one_type
from schemas.measurements import ALERT, PROFILE, RHYTHM

_RANK = 'if r.severity == "major" then 1 else if r.severity == "moderate" then 2 else 3'


def open_alerts(where: str) -> str:
    """Open alerts, one row each: its newest row says where it stands."""
    return rows(
        ALERT,
        where,
        ("state", "severity", "reason"),
        "last()",
        *wide_of_one_type(ALERT),
        'filter(fn: (r) => exists r.state and r.state == "open")',
        f"map(fn: (r) => ({{r with rank: {_RANK}}}))",
        span=UP_TO_NOW,
    )


def newest_change(where: str) -> str:
    """The newest rhythms: change against the series' own baseline, last reading (ms)."""
    numbers = ("level_ratio", "phase_shift")
    changes = rows(RHYTHM, where, numbers, "last()", span=UP_TO_NOW)
    seen = rows(RHYTHM, where, ("last_reading",), "last()", "toFloat()", span=UP_TO_NOW)
    return piped(
        f"union(tables: [{changes}, {seen}])",
        *wide_of_one_type(RHYTHM),
        "filter(fn: (r) => exists r.level_ratio)",
    )


def newest_half_hour(where: str) -> str:
    """The newest half hour with readings of the last day, and its reference limits."""
    day = ("date.sub(d: 1d, from: v.timeRangeStop)", "v.timeRangeStop")
    return piped(
        rows(PROFILE, where, ("value", "ref_low", "ref_high"), span=day),
        *wide_of_one_type(PROFILE),
        "filter(fn: (r) => exists r.value)",
        'group(columns: ["site", "subject", "analyte"])',
        'sort(columns: ["_time"], desc: true)',
        # Not last(), which turns an absent limit into 0 (InfluxDB 2.9).
        "limit(n: 1)",
        "group()",
    )


def newest_measured(where: str, span: tuple[str, str]) -> str:
    """One row, ``_time``: the newest half hour in which anybody was measured; of closed ones."""
    return rows(PROFILE, where, ("value",), "group()", "last()", span=span)
