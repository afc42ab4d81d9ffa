"""The evidence of one person: deviations, belief, numbers and readings, as HTML. Pure.

Every text that comes from the store goes through ``html.escape``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from dashboards.page.events import events
from dashboards.page.markup import badge
from dashboards.page.source import READINGS_SHOWN, Evidence, StoreRow, peak_hour
from dashboards.page.words import (
    KINDS,
    NO_VALUE,
    SEVERITIES,
    STATUS_SENTENCES,
    STATUSES,
    Face,
    ago,
    clock,
    face,
    moment,
    percent_change,
    signed,
    utc_label,
)

_Say = Callable[[float], str]
TITLES = ("Deviations", "Events", "Can I believe it?", "Rhythm", "Readings")


def panels(evidence: Evidence, alerts: Sequence[StoreRow], now_ms: int) -> dict[str, str]:
    """The inside of each panel by its title; empty if there is nothing to say."""
    what = face(evidence.series.analyte)
    insides = (
        deviations(evidence, alerts, now_ms),
        events(evidence.events),
        belief(evidence.rhythm, what, now_ms),
        numbers(evidence.rhythm, what),
        readings(evidence, what),
    )
    return dict(zip(TITLES, insides, strict=True))


def deviations(evidence: Evidence, alerts: Sequence[StoreRow], now_ms: int) -> str:
    """Open alerts and the deviations of the last 30 days, of all the person's analytes."""
    offset = evidence.offset_ms
    open_keys = {(row["analyte"], row["kind"], row["direction"]) for row in alerts}
    rows = sorted(
        evidence.deviations,
        key=lambda row: (
            row["ended_at"] is not None,
            row["analyte"] != evidence.series.analyte,
            -row["time"],
        ),
    )
    listed = {(row["analyte"], row["kind"], row["direction"]) for row in rows}
    rows = [
        row for row in alerts if (row["analyte"], row["kind"], row["direction"]) not in listed
    ] + rows
    if not rows:
        return '<p class="none">No deviation in the last 30 days.</p>'
    return (
        '<ul class="deviations">'
        + "".join(_deviation(row, open_keys, offset, now_ms) for row in rows)
        + "</ul>"
    )


def _deviation(
    row: StoreRow, open_keys: set[tuple[str, str, str]], offset: int, now_ms: int
) -> str:
    ended = row.get("ended_at")
    key = (row["analyte"], row["kind"], row["direction"])
    marks = []
    if ended is None and key in open_keys:
        marks.append("alert open")
    if row.get("retrospective"):
        marks.append("found in late data")
    if row.get("explained_by"):
        marks.append(f"explained by {escape(row['explained_by'])}")
    span = moment(row["time"], offset)
    if row["kind"] != "outlier":
        span += f" – {moment(ended, offset)}" if ended is not None else " – now"
    over = ' class="over"' if ended is not None or row["kind"] == "outlier" else ""
    return (
        f"<li{over}><div>{badge(SEVERITIES[row['severity']])} <b>{KINDS[row['kind']]}</b> · "
        f"{escape(face(row['analyte']).name)}</div>"
        f"<p>{escape(row['reason'])}</p>"
        f'<div class="times">{" · ".join([span, ago(row["time"], now_ms), *marks])}</div></li>'
    )


def belief(rhythm: StoreRow | None, what: Face, now_ms: int) -> str:
    """Can I believe it: the status in words and what stands behind the estimate."""
    if rhythm is None:
        return '<p class="none">No estimate yet.</p>'
    status = rhythm["status"]
    rows = [
        ("Effective readings", f"{rhythm['n_effective']:.0f}", ""),
        ("Readings in all", f"{rhythm['n_readings']:,}", ""),
        ("Days with readings", str(rhythm["n_days"]), ""),
        ("Newest reading", ago(rhythm["last_reading"], now_ms), ""),
    ]
    if what.daily:
        rows.insert(2, ("Clock hours covered", f"{rhythm['coverage'] * 24:.0f} of 24", ""))
    return f"<p>{badge(STATUSES[status])}</p><p>{STATUS_SENTENCES[status]}</p>" + _table(rows)


def numbers(rhythm: StoreRow | None, what: Face) -> str:
    """The rhythm in numbers, each with its 90 % interval and unit; of some the level alone."""
    if rhythm is None:
        return '<p class="none">No rhythm yet.</p>'

    # A store that merges fields may still hold the phase of an earlier estimate of the same time.
    hidden = ("acrophase", "phase_shift") if peak_hour(rhythm) is None else ()

    def interval(name: str, say: _Say) -> str:
        low, high = rhythm[f"{name}_low"], rhythm[f"{name}_high"]
        return "" if low is None or high is None else f"{say(low)} to {say(high)}"

    def line(label: str, name: str, say: _Say, unit: str = "") -> tuple[str, str, str]:
        value = None if name in hidden else rhythm[name]
        shown = NO_VALUE if value is None else f"{say(value)} {unit}".rstrip()
        return label, shown, interval(name, say) if value is not None else ""

    level = line("Level (mesor)" if what.daily else "Level", "mesor", what.amount, what.unit)
    scatter = ("Scatter of readings", f"{rhythm['residual_cv'] * 100:.0f} %", "")
    level_change = line("Level", "level_ratio", percent_change)
    if not what.daily:
        return _compared([level, scatter], [level_change])
    swing = line("Daily swing (amplitude)", "amplitude", what.amount, what.unit)
    if what.log:
        swing = line("Peak ÷ midline", "amplitude", what.swing)
    rows = [
        level,
        swing,
        line("Peak time (acrophase)", "acrophase", clock),
        line("Highest point", "peak", clock),
        ("– value there", what.amount(rhythm["peak_value"], unit=True), ""),
        line("Lowest point", "trough", clock),
        ("– value there", what.amount(rhythm["trough_value"], unit=True), ""),
        scatter,
    ]
    change = [
        level_change,
        line("Daily swing", "amplitude_ratio", percent_change),
        line("Timing", "phase_shift", lambda v: signed(v, 1), "h"),
    ]
    return _compared(rows, change)


def _compared(rows: Sequence[tuple[str, str, str]], change: Sequence[tuple[str, str, str]]) -> str:
    return (
        _table(rows, "90 % interval")
        + "<h3>Against the person's own baseline</h3>"
        + _table(change, "90 % interval")
    )


def readings(evidence: Evidence, what: Face) -> str:
    """The newest readings as they are stored, newest first."""
    if not evidence.readings:
        return '<p class="none">No readings are kept for this series.</p>'
    offset = evidence.offset_ms
    body = "".join(
        f'<tr><td class="when">{moment(row["time"], offset)}</td>'
        f'<td class="number">{escape(row["censored"] or "")}{what.amount(row["value"])}</td>'
        f'<td class="remarks">{_remarks(row, what)}</td></tr>'
        for row in reversed(evidence.readings[-READINGS_SHOWN:])
    )
    return (
        f'<table class="readings"><thead><tr><th scope="col">Time, {utc_label(offset)}</th>'
        f'<th scope="col" class="number">{escape(what.unit) or "Value"}</th>'
        f'<th scope="col">Remarks</th></tr></thead><tbody>{body}</tbody></table>'
    )


def _remarks(row: StoreRow, what: Face) -> str:
    remarks = []
    if row["n"] > 1:
        remarks.append(f"mean of {row['n']}")
    if row["censored"] is not None:
        remarks.append("assay limit")
    if row["live"] is False:  # unknown for means
        remarks.append("came late")
    if row["value"] is None:
        remarks.append(escape(row["original"] or "no value"))
    elif row["original"] and not row["original"].endswith(f" {what.code}"):
        remarks.append(f"sent as {escape(row['original'])}")
    if row["device"]:
        remarks.append(escape(row["device"]))
    return " · ".join(remarks)


def _table(rows: Sequence[tuple[str, str, str]], third: str = "") -> str:
    head = ""
    if third:
        label = f'<th scope="col" class="interval">{third}</th>'
        head = f"<thead><tr><td></td><td></td>{label}</tr></thead>"
    return (
        f"<table>{head}<tbody>"
        + "".join(
            f'<tr><th scope="row">{escape(label)}</th><td class="number">{escape(value)}</td>'
            + (f'<td class="interval">{escape(extra)}</td>' if third else "")
            + "</tr>"
            for label, value, extra in rows
        )
        + "</tbody></table>"
    )
