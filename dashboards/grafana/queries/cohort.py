"""What the Cohort dashboard asks: who needs looking at.

Ten thousand people must be answered for within a second, and touching every series takes longer
(measured): so the few with open alerts are found first, and the rest is asked of them alone.
"""

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
)
from dashboards.grafana.queries.standing import newest_change, newest_half_hour, open_alerts
from schemas.measurements import DEVIATION, RHYTHM

# Filled in by the store while it answers.
_CHOSEN = f"{COHORT} and r.subject =~ chosen"


def triage() -> str:
    """Who needs looking at: open alerts, the worst first and of those the oldest.

    ``subject, analyte, severity, kind, direction, reason, level_change`` (share of the person's own
    baseline), ``phase_shift`` (h), ``reference`` (above, below, within or empty), ``since,
    last_reading, site``.
    """
    return f"""import "array"
{DATE}import "join"
import "regexp"
import "strings"
open = {open_alerts(COHORT)}
  |> rename(columns: {{_time: "since"}})
  |> sort(columns: ["rank", "since", "site", "subject", "analyte", "kind"])
  |> limit(n: {TABLE_ROWS})
subjects = open |> findColumn(fn: (key) => true, column: "subject")
either = strings.joinStr(arr: array.concat(arr: subjects, v: ["-"]), v: "|")
chosen = regexp.compile(v: "^(" + either + ")$")
// A join refuses an empty side, and on a quiet day there is no alert: nobody is cut off again.
nobody = {{site: "", subject: "", analyte: ""}}
no_alert = array.from(
  rows: [
    {{nobody with
      since: v.timeRangeStop,
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
no_value = array.from(
  rows: [{{nobody with _time: v.timeRangeStop, value: 0.0, ref_low: 0.0, ref_high: 0.0}}],
)
rhythms = {newest_change(_CHOSEN)}
values = {newest_half_hour(_CHOSEN)}
changed = join.left(
  left: union(tables: [no_alert, open]),
  right: union(tables: [no_rhythm, rhythms]),
  on: (l, r) => l.site == r.site and l.subject == r.subject and l.analyte == r.analyte,
  as: (l, r) => ({{l with
    level_change: r.level_ratio - 1.0,
    phase_shift: r.phase_shift,
    last_reading: time(v: int(v: r.last_reading) * {MS}),
  }}),
)
join.left(
  left: changed,
  right: union(tables: [no_value, values]),
  on: (l, r) => l.site == r.site and l.subject == r.subject and l.analyte == r.analyte,
  as: (l, r) => ({{l with
    reference:
      if exists r.ref_high and r.value > r.ref_high then
        "above"
      else if exists r.ref_low and r.value < r.ref_low then
        "below"
      else if exists r.ref_low or exists r.ref_high then
        "within"
      else
        "",
  }}),
)
  |> filter(fn: (r) => r.rank > 0)
  |> sort(columns: ["rank", "since", "site", "subject", "analyte", "kind"])
  |> drop(columns: ["rank", "state"])"""


def people_by_sign() -> str:
    """One row: how many people stand under each sign; everybody once, but for ``silent``.

    ``major, moderate, minor, quiet``; and ``silent``, whoever has an open alert of missing data.
    """
    span = f"start: {UP_TO_NOW[0]}, stop: {UP_TO_NOW[1]}"
    return f"""import "array"
{DATE}import "influxdata/influxdb/schema"
sites = schema.tagValues(
  bucket: v.defaultBucket,
  tag: "site",
  predicate: (r) => r._measurement == "{RHYTHM.name}" and {COHORT},
  {span},
)
  |> findColumn(fn: (key) => true, column: "_value")
people = (site) => length(
  arr: schema.tagValues(
    bucket: v.defaultBucket,
    tag: "subject",
    predicate: (r) => r._measurement == "{RHYTHM.name}" and r.site == site,
    {span},
  )
    |> findColumn(fn: (key) => true, column: "_value"),
)
counted = (sign, n) => ({{person: "", sign: sign, people: n}})
none = array.map(
  arr: ["major", "moderate", "minor", "silent", "quiet"],
  fn: (x) => counted(sign: x, n: 0),
)
watched = array.map(arr: sites, fn: (x) => counted(sign: "quiet", n: people(site: x)))
alerts = {open_alerts(COHORT)}
alerting = alerts
  |> group(columns: ["site", "subject"])
  |> min(column: "rank")
  |> group()
silent = alerts
  |> filter(fn: (r) => r.kind == "missing")
  |> map(fn: (r) => ({{person: r.site + "/" + r.subject}}))
  |> unique(column: "person")
union(
  tables: [
    array.from(rows: array.concat(arr: none, v: watched)),
    // A row made of constants alone is lost by the store's engine, so each names the person.
    alerting |> map(fn: (r) => ({{person: r.subject, sign: r.severity, people: 1}})),
    alerting |> map(fn: (r) => ({{person: r.subject, sign: "quiet", people: -1}})),
    silent |> map(fn: (r) => ({{person: r.person, sign: "silent", people: 1}})),
  ],
)
  |> group(columns: ["sign"])
  |> sum(column: "people")
  |> group()
  |> map(fn: (r) => ({{r with row: "people"}}))
  |> pivot(rowKey: ["row"], columnKey: ["sign"], valueColumn: "people")
  |> drop(columns: ["row"])"""


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
