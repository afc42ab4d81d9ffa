"""What the Cohort dashboard asks: who needs looking at."""

from __future__ import annotations

from dashboards.grafana.flux import (
    COHORT,
    DATE,
    MS,
    TABLE_ROWS,
    UP_TO_NOW,
    piped,
    rows,
    time_named,
    wide_of_one_type,
)
from dashboards.grafana.queries.standing import newest_change, open_alerts
from schemas.measurements import DEVIATION, PROFILE, RHYTHM


def triage() -> str:
    """Who needs looking at: open alerts, the worst first and of those the oldest.

    ``subject, analyte, severity, kind, direction, reason, level_change`` (share of the person's own
    baseline), ``phase_shift`` (h), ``since, last_reading, site``.
    """
    return f"""import "array"
{DATE}import "join"
// A join refuses an empty side, and on a quiet day there is no alert: nobody is cut off again.
nobody = {{site: "", subject: "", analyte: ""}}
no_alert = array.from(
  rows: [
    {{nobody with
      _time: v.timeRangeStop,
      kind: "",
      direction: "",
      severity: "",
      reason: "",
      state: "",
      rank: 0,
    }},
  ],
)
no_rhythm = array.from(
  rows: [
    {{nobody with
      _time: v.timeRangeStop,
      level_ratio: 1.0,
      phase_shift: 0.0,
      last_reading: 0.0,
    }},
  ],
)
open = {open_alerts(COHORT)}
alerts = union(tables: [no_alert, open])
newest = {newest_change(COHORT)}
rhythms = union(tables: [no_rhythm, newest])
join.left(
  left: alerts,
  right: rhythms,
  on: (l, r) => l.site == r.site and l.subject == r.subject and l.analyte == r.analyte,
  as: (l, r) => ({{
    rank: l.rank,
    subject: l.subject,
    analyte: l.analyte,
    severity: l.severity,
    kind: l.kind,
    direction: l.direction,
    reason: l.reason,
    level_change: r.level_ratio - 1.0,
    phase_shift: r.phase_shift,
    since: l._time,
    last_reading: time(v: int(v: r.last_reading) * {MS}),
    site: l.site,
  }}),
)
  |> filter(fn: (r) => r.rank > 0)
  |> sort(columns: ["rank", "since", "site", "subject", "analyte", "kind"])
  |> limit(n: {TABLE_ROWS})
  |> drop(columns: ["rank"])"""


def people_by_sign() -> str:
    """One row: how many people stand under each sign; everybody once, but for ``silent``.

    ``major, moderate, minor, quiet``; and ``silent``, whoever has an open alert of missing data.
    """
    watched = rows(RHYTHM, COHORT, ("n_days",), "last()", "group()", span=UP_TO_NOW)
    return f"""import "array"
{DATE}alerts = {open_alerts(COHORT)}
alerting = alerts
  |> group(columns: ["site", "subject"])
  |> min(column: "rank")
  |> group()
watched = {watched}
  |> map(fn: (r) => ({{person: r.site + "/" + r.subject}}))
  |> unique(column: "person")
silent = alerts
  |> filter(fn: (r) => r.kind == "missing")
  |> map(fn: (r) => ({{person: r.site + "/" + r.subject}}))
  |> unique(column: "person")
union(
  tables: [
    array.from(
      rows: [
        {{person: "", sign: "major", people: 0}},
        {{person: "", sign: "moderate", people: 0}},
        {{person: "", sign: "minor", people: 0}},
        {{person: "", sign: "silent", people: 0}},
        {{person: "", sign: "quiet", people: 0}},
      ],
    ),
    alerting |> map(fn: (r) => ({{person: r.subject, sign: r.severity, people: 1}})),
    alerting |> map(fn: (r) => ({{person: r.subject, sign: "quiet", people: -1}})),
    watched |> map(fn: (r) => ({{person: r.person, sign: "quiet", people: 1}})),
    silent |> map(fn: (r) => ({{person: r.person, sign: "silent", people: 1}})),
  ],
)
  |> group(columns: ["sign"])
  |> sum(column: "people")
  |> group()
  |> map(fn: (r) => ({{r with row: "people"}}))
  |> pivot(rowKey: ["row"], columnKey: ["sign"], valueColumn: "people")
  |> drop(columns: ["row"])"""


def largest_changes() -> str:
    """Series by how far their level is from their own baseline, with or without an alert.

    ``subject, analyte, status, level_change, level_change_low, level_change_high, phase_shift,
    last_reading, site``.
    """
    numbers = ("level_ratio", "level_ratio_low", "level_ratio_high", "phase_shift", "last_reading")
    floats = rows(RHYTHM, COHORT, numbers[:-1], "last()", span=UP_TO_NOW)
    seen = rows(RHYTHM, COHORT, numbers[-1:], "last()", "toFloat()", span=UP_TO_NOW)
    statuses = rows(RHYTHM, COHORT, ("status",), "last()", "group()", span=UP_TO_NOW)
    return f"""{DATE}import "join"
import "math"
statuses = {statuses}
changes = union(tables: [{floats}, {seen}])
  |> {piped(*wide_of_one_type(RHYTHM))}
  |> filter(fn: (r) => exists r.level_ratio and r.level_ratio > 0.0)
  |> map(fn: (r) => ({{r with size: math.abs(x: math.log(x: r.level_ratio))}}))
  |> sort(columns: ["size"], desc: true)
  |> limit(n: {TABLE_ROWS})
join.inner(
  left: changes,
  right: statuses,
  on: (l, r) => l.site == r.site and l.subject == r.subject and l.analyte == r.analyte,
  as: (l, r) => ({{
    subject: l.subject,
    analyte: l.analyte,
    status: r._value,
    level_change: l.level_ratio - 1.0,
    level_change_low: l.level_ratio_low - 1.0,
    level_change_high: l.level_ratio_high - 1.0,
    phase_shift: l.phase_shift,
    last_reading: time(v: int(v: l.last_reading) * {MS}),
    site: l.site,
    size: l.size,
  }}),
)
  |> sort(columns: ["size"], desc: true)
  |> drop(columns: ["size"])"""


def deviations_by_kind() -> str:
    """Deviations seen first on each day: ``time`` and a column a kind."""
    return piped(
        rows(DEVIATION, COHORT, ("z",), 'group(columns: ["kind"])'),
        "aggregateWindow(every: 1d, fn: count, createEmpty: true)",
        "group()",
        'pivot(rowKey: ["_time"], columnKey: ["kind"], valueColumn: "_value")',
        'drop(columns: ["_start", "_stop"])',
        time_named(),
    )


def beyond_reference() -> str:
    """Series with half hours of the last day outside their reference, the most first.

    ``subject, analyte, above, below, measured`` (numbers of half hours), ``site``.
    """
    day = ("date.sub(d: 1d, from: v.timeRangeStop)", "v.timeRangeStop")
    fields = ("value", "ref_low", "ref_high")
    return f"""{DATE}{rows(PROFILE, COHORT, fields, *wide_of_one_type(PROFILE), span=day)}
  |> filter(fn: (r) => exists r.value and (exists r.ref_low or exists r.ref_high))
  |> map(
    fn: (r) => ({{
      site: r.site,
      subject: r.subject,
      analyte: r.analyte,
      above: if exists r.ref_high and r.value > r.ref_high then 1 else 0,
      below: if exists r.ref_low and r.value < r.ref_low then 1 else 0,
    }}),
  )
  |> group(columns: ["site", "subject", "analyte"])
  |> reduce(
    identity: {{above: 0, below: 0, measured: 0}},
    fn: (r, accumulator) => ({{
      above: accumulator.above + r.above,
      below: accumulator.below + r.below,
      measured: accumulator.measured + 1,
    }}),
  )
  |> group()
  |> filter(fn: (r) => r.above + r.below > 0)
  |> map(fn: (r) => ({{r with outside: r.above + r.below}}))
  |> sort(columns: ["outside"], desc: true)
  |> limit(n: {TABLE_ROWS})
  |> drop(columns: ["outside"])"""
