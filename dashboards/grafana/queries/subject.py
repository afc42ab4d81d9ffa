"""What the Subject dashboard asks: one person, and of it one analyte.

Is the shape normal, when is the peak, is it moving, can I believe it: in that order.
"""

from __future__ import annotations

import math

from dashboards.grafana.flux import (
    CLOCK,
    DATE,
    MS,
    PERSON,
    SERIES,
    TABLE_ROWS,
    UP_TO_NOW,
    keep,
    piped,
    rows,
    time_named,
    wide,
)
from schemas.measurements import ALERT, DEVIATION, EVENT, MARKER, PROFILE, READING, RHYTHM

# Rhythms with a phase to report: the status decides, as on the live page.
_HAS_PHASE = 'r.status != "arrhythmic" and r.status != "level-only"'
_HALF_HOURS = 48
_POINTS = 10_000  # more are no picture; the newest are kept
_ONSETS = ("dlmo-threshold", "dlmo-baseline", "dlmo-hockey-stick", "sleep-midpoint")
_ANNOTATED = ("dose", "illness", "travel", "menses", "lh-surge")
_BAND = ("p05", "p25", "p50", "p75", "p95", "ref_low", "ref_high", "young_low", "young_high")


def day() -> str:
    """The newest 24 hours: ``clock_hour``, the value, its percentiles and reference limits."""
    fields = ("clock_hour", "value", *_BAND)
    return piped(
        rows(PROFILE, SERIES, fields, f"tail(n: {_HALF_HOURS})", *wide(PROFILE)),
        "filter(fn: (r) => exists r.clock_hour)",
        'sort(columns: ["_time"], desc: true)',
        # Where the clock was put back there are two of an hour: the newer one is kept.
        'unique(column: "clock_hour")',
        'sort(columns: ["clock_hour"])',
        keep(*fields),
    )


def dial_rim() -> str:
    """The dial's rim, an hour a point: ``rim_x, rim_y``; midnight is up, 06:00 to the right."""
    points = ", ".join(
        f"{{rim_x: {math.sin(angle):.4f}, rim_y: {math.cos(angle):.4f}}}"
        for angle in (math.tau * hour / 24 for hour in range(25))
    )
    return f'import "array"\narray.from(rows: [{points}])'


def dial_baseline() -> str:
    """From the dial's middle to the baseline's peak: ``baseline_x, baseline_y``.

    The middle is always there, so that Grafana counts this frame.
    """
    newest = rows(RHYTHM, SERIES, ("baseline_acrophase",), "last()")
    angle = f"{math.tau / 24:.8f} * r._value"
    return f"""import "array"
import "math"
union(
  tables: [
    array.from(rows: [{{baseline_x: 0.0, baseline_y: 0.0}}]),
    {newest}
      |> group()
      |> map(
        fn: (r) => ({{
          baseline_x: math.sin(x: {angle}),
          baseline_y: math.cos(x: {angle}),
        }}),
      ),
  ],
)
  |> sort(columns: ["baseline_y", "baseline_x"])"""


def dial_peaks() -> str:
    """The peak of each day on the dial, the older the nearer to the middle.

    ``peak_x, peak_y, acrophase, time``.
    """
    stream = rows(
        RHYTHM,
        SERIES,
        ("acrophase", "status"),
        "aggregateWindow(every: 1d, fn: last, createEmpty: false)",
        *wide(RHYTHM),
        f"filter(fn: (r) => exists r.acrophase and exists r.status and {_HAS_PHASE})",
        'sort(columns: ["_time"])',
    )
    angle = f"{math.tau / 24:.8f} * r.acrophase"
    return f"""import "math"
begin = int(v: v.timeRangeStart)
span = float(v: int(v: v.timeRangeStop) - begin)
{stream}
  |> map(fn: (r) => ({{r with age: 0.3 + 0.7 * float(v: int(v: r._time) - begin) / span}}))
  |> map(
    fn: (r) => ({{
      peak_x: r.age * math.sin(x: {angle}),
      peak_y: r.age * math.cos(x: {angle}),
      acrophase: r.acrophase,
      time: r._time,
    }}),
  )"""


def drift() -> str:
    """The peak's shift from the baseline's, hours: ``time, phase_shift`` and its interval."""
    shift = ("phase_shift", "phase_shift_low", "phase_shift_high")
    return piped(
        _windowed((*shift, "status")),
        f"filter(fn: (r) => exists r.phase_shift and {_HAS_PHASE})",
        keep("_time", *shift),
        time_named(),
    )


def level() -> str:
    """The level over the baseline's as a share: ``time, level_change`` and its interval."""
    ratios = ("level_ratio", "level_ratio_low", "level_ratio_high")
    return piped(
        _windowed(ratios),
        "filter(fn: (r) => exists r.level_ratio)",
        "map(fn: (r) => ({time: r._time, level_change: r.level_ratio - 1.0, "
        "level_change_low: r.level_ratio_low - 1.0, level_change_high: r.level_ratio_high - 1.0}))",
    )


def believable() -> str:
    """Whether the rhythm can be believed, over time: ``time, status``."""
    return piped(_windowed(("status",)), keep("_time", "status"), time_named())


def standing() -> str:
    """The newest rhythm in a row: status, peak, level, and what stands behind them.

    ``status, peak`` (the clock time in text, a dash without one), ``mesor, n_effective, n_days,
    coverage, last_reading``.
    """
    fields = (
        "status",
        "acrophase",
        "mesor",
        "n_effective",
        "n_days",
        "coverage",
        "last_reading",
    )
    newest = rows(RHYTHM, SERIES, fields, "last()", *wide(RHYTHM))
    return f"""import "math"
{CLOCK}
{newest}
  |> filter(fn: (r) => exists r.status)
  |> map(
    fn: (r) => ({{
      status: r.status,
      peak: if exists r.acrophase and {_HAS_PHASE} then clock(v: r.acrophase) else "–",
      mesor: r.mesor,
      n_effective: r.n_effective,
      n_days: r.n_days,
      coverage: r.coverage,
      last_reading: time(v: r.last_reading * {MS}),
    }}),
  )"""


def readings() -> str:
    """Readings as stored: ``time, value, low, high`` (those of a mean of several)."""
    fields = ("value", "low", "high")
    return piped(
        rows(READING, SERIES, fields, f"tail(n: {_POINTS})", *wide(READING)),
        "filter(fn: (r) => exists r.value)",
        'sort(columns: ["_time"])',
        keep("_time", *fields),
        time_named(),
    )


def markers() -> str:
    """The newest of each marker of the person: what the status says is measured, with its number.

    ``date, analyte, marker, value, interval`` (text: a clock time, or a number with its unit),
    ``n, sentence, method``.
    """
    fields = ("status", "value", "low", "high", "unit", "n", "sentence", "method")
    newest = rows(MARKER, PERSON, fields, "last()", *wide(MARKER), span=UP_TO_NOW)
    return f"""{DATE}import "math"
import "strings"
{CLOCK}
number = (v) => string(v: math.round(x: v * 100.0) / 100.0)
say = (v, unit) => if unit == "clock_h" then clock(v: v) else number(v: v)
{newest}
  |> filter(fn: (r) => exists r.status)
  |> map(
    fn: (r) => ({{
      date: r._time,
      analyte: r.analyte,
      marker: r.marker,
      value:
        if r.status != "measured" or not exists r.value then
          "–"
        else if r.unit == "clock_h" then
          clock(v: r.value)
        else
          strings.trimSuffix(v: number(v: r.value) + " " + r.unit, suffix: " 1"),
      interval:
        if r.status != "measured" or not exists r.low or not exists r.high then
          ""
        else
          say(v: r.low, unit: r.unit) + " to " + say(v: r.high, unit: r.unit),
      n: r.n,
      sentence: r.sentence,
      method: r.method,
    }}),
  )
  |> sort(columns: ["date", "analyte", "marker"], desc: true)
  |> limit(n: {TABLE_ROWS})"""


def onsets() -> str:
    """Times of the night by date, in hours since that date's midnight: 25.5 is half past one.

    ``time`` and a column a marker.
    """
    wanted = " or ".join(f'r.marker == "{name}"' for name in _ONSETS)
    return piped(
        rows(MARKER, f"{PERSON} and ({wanted})", ("status", "value"), *wide(MARKER)),
        'filter(fn: (r) => exists r.value and r.status == "measured")',
        "map(fn: (r) => ({r with value: if r.value < 12.0 then r.value + 24.0 else r.value}))",
        'pivot(rowKey: ["_time"], columnKey: ["marker"], valueColumn: "value")',
        'drop(columns: ["site", "subject", "analyte"])',
        'sort(columns: ["_time"])',
        time_named(),
    )


def open_alerts() -> str:
    """The person's open alerts in words: ``severity, kind, direction, analyte, reason, since``."""
    return piped(
        DATE + rows(ALERT, PERSON, ("state", "severity", "reason"), "last()", span=UP_TO_NOW),
        *wide(ALERT)[1:],
        'filter(fn: (r) => exists r.state and r.state == "open")',
        keep("_time", "severity", "kind", "direction", "analyte", "reason"),
        time_named("since"),
        'sort(columns: ["since"])',
    )


def events() -> str:
    """Doses and what else explains a change, as annotations: ``time, text, tags``."""
    kinds = " or ".join(f'r.kind == "{kind}"' for kind in _ANNOTATED)
    return piped(
        rows(EVENT, f"{PERSON} and ({kinds})", ("text",), "group()"),
        "map(fn: (r) => ({time: r._time, text: r._value, tags: r.kind}))",
        'sort(columns: ["time"])',
    )


def deviations() -> str:
    """The series' deviations as annotations: ``time, timeEnd, text, tags``.

    One that has not ended ends with the range.
    """
    stream = rows(DEVIATION, SERIES, ("reason", "ended_at"), *wide(DEVIATION))
    return f"""stop = v.timeRangeStop
{stream}
  |> filter(fn: (r) => exists r.reason)
  |> map(
    fn: (r) => ({{
      time: r._time,
      timeEnd: if exists r.ended_at then time(v: r.ended_at * {MS}) else stop,
      text: r.reason,
      tags: r.kind + "," + r.direction,
    }}),
  )
  |> sort(columns: ["time"])"""


def alert_changes() -> str:
    """Alerts of the series, opened and resolved, as annotations: ``time, text, tags``."""
    stream = rows(ALERT, SERIES, ("severity", "reason", "resolved_at"), *wide(ALERT))
    return f"""alerts = {stream}
  |> filter(fn: (r) => exists r.reason and exists r.severity)
opened = alerts
  |> map(fn: (r) => ({{time: r._time, text: "Opened: " + r.reason, tags: r.severity}}))
resolved = alerts
  |> filter(fn: (r) => exists r.resolved_at)
  |> map(
    fn: (r) => ({{
      time: time(v: r.resolved_at * {MS}),
      text: "Resolved: " + r.reason,
      tags: "resolved",
    }}),
  )
union(tables: [opened, resolved])
  |> sort(columns: ["time"])"""


def _windowed(fields: tuple[str, ...]) -> str:
    """Rhythms of the series, the newest of each step of the panel's width."""
    return rows(
        RHYTHM,
        SERIES,
        fields,
        "aggregateWindow(every: v.windowPeriod, fn: last, createEmpty: false)",
        *wide(RHYTHM),
        'sort(columns: ["_time"])',
    )
