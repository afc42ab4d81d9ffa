"""What the Pipeline dashboard asks the store; lag, latency and errors are metrics, not rows."""

from __future__ import annotations

from dashboards.grafana.flux import COHORT, DATE, UP_TO_NOW, piped, rows
from dashboards.grafana.queries.standing import newest_measured
from schemas.measurements import READING, RHYTHM

_HALF_HOUR_S = 1_800
_EVERY_SITE = "r.site =~ /.*/"


def silence() -> str:
    """One row: ``silent_s`` since the newest half hour in which anybody was measured was over.

    Until the end of the range, so that a look back is true of then; 0 in the half hour after.
    """
    return f"""{DATE}import "math"
stop = int(v: v.timeRangeStop) / 1000000000
since = (time) => float(v: stop - int(v: time) / 1000000000 - {_HALF_HOUR_S})
{newest_measured(COHORT, UP_TO_NOW)}
  |> map(fn: (r) => ({{silent_s: math.mMax(x: since(time: r._time), y: 0.0)}}))"""


def readings_stored() -> str:
    """Readings stored by their time of collection: ``time, readings`` a step."""
    return piped(
        rows(READING, COHORT, ("n",), "group()"),
        "aggregateWindow(every: v.windowPeriod, fn: sum, createEmpty: true)",
        "map(fn: (r) => ({time: r._time, readings: r._value}))",
    )


def late_share() -> str:
    """Stored rows that came too late to be acted upon, of those that say so: ``time, late``, 0-1.

    Means of several readings do not say.
    """
    return piped(
        rows(READING, COHORT, ("live",), "group()"),
        "map(fn: (r) => ({_time: r._time, _start: r._start, _stop: r._stop, "
        "_value: if r._value then 0.0 else 1.0}))",
        "aggregateWindow(every: 1d, fn: mean, createEmpty: false)",
        "map(fn: (r) => ({time: r._time, late: r._value}))",
    )


def series_by_status() -> str:
    """How many series stand where now: one row, a column a status."""
    return piped(
        DATE + rows(RHYTHM, COHORT, ("status",), "last()", "group()", span=UP_TO_NOW),
        "map(fn: (r) => ({status: r._value, site: r.site, n: 1}))",
        'group(columns: ["status"])',
        'sum(column: "n")',
        "group()",
        'map(fn: (r) => ({r with row: "series"}))',
        'pivot(rowKey: ["row"], columnKey: ["status"], valueColumn: "n")',
        'drop(columns: ["row"])',
    )


def fleet_silence() -> str:
    """For the alert rule: ``silent_min``, the same for all sites and by the wall clock."""
    newest = newest_measured(_EVERY_SITE, ("-30d", "now()"))
    return f"""stop = int(v: now()) / 1000000000
{newest}
  |> map(
    fn: (r) => ({{
      silent_min: float(v: stop - int(v: r._time) / 1000000000 - {_HALF_HOUR_S}) / 60.0,
    }}),
  )"""
