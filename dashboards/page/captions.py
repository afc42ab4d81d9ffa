"""What stands around the charts: the four key figures, headings, legends, summaries. Pure.

Every text that comes from the store goes through ``html.escape``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from dashboards.page.charts import DayPoint, day_points, day_rows, has_band, shows_means
from dashboards.page.limits import only_where_young_differ, young_sentence
from dashboards.page.markup import badge, mark
from dashboards.page.source import DAYS_SHOWN, Evidence, StoreRow, peak_hour
from dashboards.page.words import (
    NO_VALUE,
    SEVERITIES,
    STATUSES,
    Face,
    ago,
    clock,
    face,
    percent_change,
    signed,
    utc_label,
)

DRIFT_LEGEND = """
<span><i class="key median"></i> estimate</span>
<span><i class="key outer"></i> 90 % interval</span>
<span><i class="key baseline"></i> own 28-day baseline</span>
<span><i class="key shade"></i> deviation, in the colour of its severity</span>
"""


def figures(evidence: Evidence, alerts: Sequence[StoreRow], what: Face, now_ms: int) -> str:
    """Peak time, level, swing and how far to believe them, each against the person's baseline.

    A figure that an open alert of this series is about bears the alert's sign. Of an analyte
    without a 24-hour curve there are level and belief alone.
    """
    rhythm = evidence.rhythm
    if rhythm is None:
        return ""
    signs = {
        row["kind"]: mark(SEVERITIES[row["severity"]])
        for row in alerts
        if row["analyte"] == evidence.series.analyte
    }
    hour = peak_hour(rhythm)
    little = rhythm["status"] == "insufficient"
    bound = what.swing if what.log else what.amount
    unit = f" <small>{escape(what.unit)}</small>"
    none = "not enough data" if little else "no 24-hour rhythm"
    shift = rhythm["phase_shift"]

    def change(said: str) -> str:
        return "mostly the population's" if little else f"<b>{said}</b> vs baseline"

    peak = _figure(
        "Peak time",
        signs.get("phase") or signs.get("arrhythmic"),
        NO_VALUE if hour is None else clock(hour),
        none if hour is None else _between(rhythm, "acrophase", clock),
        "" if hour is None or shift is None else change(f"{signed(shift, 1)} h"),
    )
    level = _figure(
        "Level",
        signs.get("level"),
        what.amount(rhythm["mesor"]) + unit,
        _between(rhythm, "mesor", what.amount),
        change(percent_change(rhythm["level_ratio"])),
    )
    swing = _figure(
        "Daily swing",
        signs.get("amplitude"),
        what.swing(rhythm["amplitude"]) + ("" if what.log else unit),
        _between(rhythm, "amplitude", bound),
        change(percent_change(rhythm["amplitude_ratio"])),
    )
    hours = f", {rhythm['coverage'] * 24:.0f} of 24 h" if what.daily else ""
    belief = _figure(
        "Can I believe it?",
        signs.get("missing"),
        badge(STATUSES[rhythm["status"]]),
        _days(rhythm["n_days"]) + hours,
        f"newest {ago(rhythm['last_reading'], now_ms)}",
    )
    return "".join((peak, level, swing, belief) if what.daily else (level, belief))


def _figure(label: str, sign: str | None, value: str, *notes: str) -> str:
    said = "".join(f"<dd>{note}</dd>" for note in notes if note)
    return f"<div><dt>{label}{sign or ''}</dt><dd class='value'>{value}</dd>{said}</div>"


def _between(rhythm: StoreRow, name: str, say: Callable[[float], str]) -> str:
    low, high = rhythm[f"{name}_low"], rhythm[f"{name}_high"]
    return "" if low is None or high is None else f"90 %: {say(low)} to {say(high)}"


def _days(number: int) -> str:
    return f"{number} day" if number == 1 else f"{number} days"


def day_heading(evidence: Evidence, what: Face, now_ms: int) -> str:
    """Title of the 24-hour chart, and why there is no band or no point if there is none."""
    rows = day_rows(evidence.profile)
    days = _days(max((row["n_days"] or 0 for row in rows), default=0))
    zone = f"wearer's clock ({utc_label(evidence.offset_ms)})"
    if has_band(evidence):
        note = f"<p class='note'>Band from {days} of this person's own readings · {zone}</p>"
    else:
        note = (
            "<p class='note strong'>Not enough data for this person's own band yet "
            f"({days}); values are shown as they came · {zone}</p>"
        )
    if not day_points(evidence, what, now_ms):
        note += "<p class='note strong'>No reading in the last 24 hours</p>"
    if young := _beside_the_young(evidence, what, now_ms):
        note += f"<p class='note'>{escape(young)}</p>"
    return f"<h3>24 hours · {escape(what.name)}</h3>{note}"


def _beside_the_young(evidence: Evidence, what: Face, now_ms: int) -> str:
    """That the newest value of the chart is outside the young adults' limits; nothing else."""
    points = day_points(evidence, what, now_ms)
    if not points:
        return ""
    newest = points[-1]
    return young_sentence(day_rows(evidence.profile), newest.clock_hour, newest.value, what)


def day_legend(evidence: Evidence, points: Sequence[DayPoint]) -> str:
    """The key of what the 24-hour chart does show."""
    keys = []
    if has_band(evidence):
        keys += [
            ("median", "median"),
            ("inner", "25–75 %"),
            ("outer", "5–95 % of this person's readings"),
        ]
    rows = day_rows(evidence.profile)
    if _any_of(rows, "ref_low", "ref_high"):
        waking = face(evidence.series.analyte).waking
        by = ", by an assumed hour of waking" if waking else ""
        keys.append(("reference", f"reference limit{by}"))
    if _any_of(only_where_young_differ(rows), "young_low", "young_high"):
        keys.append(("young", "young adults' limit, where it is another"))
    means = ", half-hour means" if shows_means(evidence) else ""
    if any(not point.earlier for point in points):
        keys.append(("today", f"today{means}"))
        means = ""
    if any(point.earlier for point in points):
        keys.append(("earlier", f"yesterday{means}"))
    return "".join(f'<span><i class="key {key}"></i> {text}</span>' for key, text in keys)


def _any_of(rows: Sequence[StoreRow], *names: str) -> bool:
    return any(row[name] is not None for row in rows for name in names)


def day_summary(evidence: Evidence, what: Face, now_ms: int) -> str:
    """The 24-hour chart in one sentence, for those who do not see it."""
    points = day_points(evidence, what, now_ms)
    text = f"24-hour chart of {what.name}: {len(points)} values in the last 24 hours."
    if young := _beside_the_young(evidence, what, now_ms):
        text += f" {young}"
    if not has_band(evidence):
        return text + " Not enough data for a band."
    rows = [row for row in day_rows(evidence.profile) if row["p50"] is not None]
    if not what.daily:
        median = what.amount(rows[-1]["p50"], unit=True)
        return f"{text} The median is {median} at any hour."
    high = max(rows, key=lambda row: float(row["p50"]))
    low = min(rows, key=lambda row: float(row["p50"]))
    return (
        f"{text} The median is highest at {clock(high['clock_hour'])} "
        f"({what.amount(high['p50'], unit=True)}) and lowest at {clock(low['clock_hour'])} "
        f"({what.amount(low['p50'], unit=True)})."
    )


def drift_heading(evidence: Evidence, what: Face) -> str:
    """Title of the drift chart, and why there is no peak if there is none."""
    rhythm = evidence.rhythm
    note = ""
    if rhythm is None:
        note = "<p class='note strong'>No rhythm has been estimated in this time</p>"
    elif what.daily and peak_hour(rhythm) is None:
        why = "Not enough data" if rhythm["status"] == "insufficient" else "No 24-hour rhythm now"
        note = f"<p class='note strong'>{why}: no peak time is given</p>"
    return f"<h3>Drift over 30 days</h3>{note}"


def drift_summary(evidence: Evidence, what: Face) -> str:
    """The drift chart in one sentence."""
    rhythm = evidence.rhythm
    if rhythm is not None and not what.daily:
        level, change = what.amount(rhythm["mesor"], unit=True), rhythm["level_ratio"]
        return f"Drift over 30 days: level now {level}, {percent_change(change)} vs own baseline."
    if rhythm is None or peak_hour(rhythm) is None:
        return "Drift over 30 days: no peak time now."
    return (
        f"Drift over 30 days: peak time now {clock(peak_hour(rhythm))}, "
        f"own baseline {clock(rhythm['baseline_acrophase'])}."
    )


def days_heading() -> str:
    """Title of the pictures of single days."""
    return (
        f"<h3>The last {DAYS_SHOWN} days</h3><p class='note'>Half-hour values over the 5–95 % band "
        "predicted for that day; how many lie outside it</p>"
    )
