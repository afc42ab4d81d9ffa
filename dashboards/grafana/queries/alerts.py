"""What the Alerts dashboard asks: every alert of the range, and what did not become one."""

from __future__ import annotations

from dashboards.grafana.flux import (
    COHORT,
    DATE,
    MS,
    TABLE_ROWS,
    piped,
    rows,
    time_named,
    wide,
)
from dashboards.grafana.queries.standing import open_alerts
from schemas.measurements import ALERT, DEVIATION


def waiting() -> str:
    """Open alerts, the one that has waited longest first: ``severity, subject, analyte, kind,
    direction, reason, since, waiting_s`` (until the end of the range), ``site``."""
    return f"""{DATE}stop = int(v: v.timeRangeStop)
{open_alerts(COHORT)}
  |> map(
    fn: (r) => ({{
      severity: r.severity,
      subject: r.subject,
      analyte: r.analyte,
      kind: r.kind,
      direction: r.direction,
      reason: r.reason,
      since: r._time,
      waiting_s: float(v: stop - int(v: r._time)) / 1000000000.0,
      site: r.site,
    }}),
  )
  |> sort(columns: ["since", "site", "subject", "analyte", "kind"])
  |> limit(n: {TABLE_ROWS})"""


def standing() -> str:
    """One row: ``open`` alerts, and the hours that the ``longest`` has waited; zeros if none."""
    return f"""import "array"
{DATE}stop = int(v: v.timeRangeStop)
alerts = {open_alerts(COHORT)}
  |> map(fn: (r) => ({{n: 1, waiting_s: float(v: stop - int(v: r._time)) / 1000000000.0}}))
union(tables: [array.from(rows: [{{n: 0, waiting_s: 0.0}}]), alerts])
  |> reduce(
    identity: {{open: 0, longest: 0.0}},
    fn: (r, accumulator) => ({{
      open: accumulator.open + r.n,
      longest: if r.waiting_s > accumulator.longest then r.waiting_s else accumulator.longest,
    }}),
  )"""


def opened_by_severity() -> str:
    """Alerts opened on each day: ``time`` and a column a severity."""
    return piped(
        rows(ALERT, COHORT, ("severity",), "group()"),
        "map(fn: (r) => ({_time: r._time, severity: r._value, n: 1}))",
        'group(columns: ["severity"])',
        "window(every: 1d)",
        'count(column: "n")',
        'duplicate(column: "_start", as: "_time")',
        "group()",
        'pivot(rowKey: ["_time"], columnKey: ["severity"], valueColumn: "n")',
        'sort(columns: ["_time"])',
        time_named(),
    )


def history() -> str:
    """Alerts of the range, the newest first: ``time, resolved, state, severity, subject, analyte,
    kind, direction, reason, site``; of an open one ``resolved`` is empty."""
    fields = ("state", "severity", "reason", "resolved_at")
    return f"""{rows(ALERT, COHORT, fields, *wide(ALERT))}
  |> filter(fn: (r) => exists r.state)
  |> map(
    fn: (r) => ({{
      time: r._time,
      resolved: time(v: r.resolved_at * {MS}),
      state: r.state,
      severity: r.severity,
      subject: r.subject,
      analyte: r.analyte,
      kind: r.kind,
      direction: r.direction,
      reason: r.reason,
      site: r.site,
    }}),
  )
  |> sort(columns: ["time", "site", "subject", "analyte", "kind"], desc: true)
  |> limit(n: {TABLE_ROWS})"""


def not_paged() -> str:
    """Deviations that paged nobody: found in late data, or explained. ``time, why, severity,
    subject, analyte, kind, direction, reason, site``; ``why`` is in words."""
    fields = ("retrospective", "explained_by", "severity", "reason")
    return f"""{rows(DEVIATION, COHORT, fields, *wide(DEVIATION))}
  |> filter(fn: (r) => exists r.reason and (r.retrospective or exists r.explained_by))
  |> map(
    fn: (r) => ({{
      time: r._time,
      why: if exists r.explained_by then r.explained_by else "found in late data",
      severity: r.severity,
      subject: r.subject,
      analyte: r.analyte,
      kind: r.kind,
      direction: r.direction,
      reason: r.reason,
      site: r.site,
    }}),
  )
  |> sort(columns: ["time", "site", "subject", "analyte", "kind"], desc: true)
  |> limit(n: {TABLE_ROWS})"""


def changes() -> str:
    """Major alerts as annotations: ``time, text, tags``."""
    return piped(
        rows(ALERT, COHORT, ("severity", "reason"), *wide(ALERT)),
        'filter(fn: (r) => exists r.reason and r.severity == "major")',
        'map(fn: (r) => ({time: r._time, text: r.subject + ": " + r.reason, tags: r.kind}))',
        'sort(columns: ["time"])',
    )
