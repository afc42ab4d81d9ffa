"""Header, queue rows and headings as HTML. Pure.

Every text that comes from the store or the address bar goes through ``html.escape``; the page
sanitises what it renders once more in the browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlencode

from dashboards.page.charts import DayPoint, day_points, day_rows, has_band
from dashboards.page.feed import Failure
from dashboards.page.source import DAY_MS, MINUTE_MS, Evidence, Person, peak_hour, wearer_offset_ms
from dashboards.page.triage import Counters, QueueEntry
from dashboards.page.words import (
    QUIET,
    SEVERITIES,
    SILENT,
    Face,
    Sign,
    ago,
    clock,
    duration,
    face,
    moment,
    utc_label,
)

DEFAULT_SITE = "default"


def address(person: Person, analyte: str | None = None) -> str:
    """The page's address of a view; the site is named only where it is not the default one.

    >>> address(Person("default", "sim-03"), "saliva-cortisol")
    '/?subject=sim-03&analyte=saliva-cortisol'
    """
    query = {"subject": person.subject}
    if person.site != DEFAULT_SITE:
        query["site"] = person.site
    if analyte is not None:
        query["analyte"] = analyte
    return "/?" + urlencode(query)


def badge(sign: Sign, word: str | None = None) -> str:
    """Symbol and word in the sign's colour; the symbol is for the eye only."""
    return (
        f'<span class="badge {sign.tone}"><span aria-hidden="true">{sign.symbol}</span> '
        f"{escape(word or sign.word)}</span>"
    )


def queue_row(entry: QueueEntry, now_ms: int) -> str:
    """The inside of one person's row."""
    head = f'<span class="who">{escape(entry.person.subject)}</span>{badge(entry.sign)}'
    if entry.person.site != DEFAULT_SITE:
        head += f'<span class="site">{escape(entry.person.site)}</span>'
    lines = [f'<span class="line">{head}</span>']
    seen = f"last seen {ago(entry.last_ms, now_ms)}" if entry.last_ms is not None else "never seen"
    if entry.reason is not None and entry.analyte is not None and entry.since_ms is not None:
        lines.append(
            f'<span class="reason"><b>{escape(face(entry.analyte).name)}</b> '
            f"{escape(entry.reason)}</span>"
        )
        more = f" · {entry.others} more" if entry.others else ""
        silent = " · silent device" if entry.silent and entry.kind != "missing" else ""
        lines.append(
            f'<span class="times">since {ago(entry.since_ms, now_ms)} · {seen}{more}{silent}</span>'
        )
    else:
        lines.append(f'<span class="times">{seen}</span>')
    return "".join(lines)


NOBODY = "<p class='none'>The store holds nobody yet. Rows appear here by themselves.</p>"
DISCLAIMER = (
    "Research software, not a medical device. Shows evidence for clinicians; "
    "never recommends a dose."
)
# Up to here the data's clock counts as the wall clock.
_IN_STEP_MS = 5 * MINUTE_MS

DRIFT_LEGEND = """
<span><i class="key median"></i> estimate</span>
<span><i class="key outer"></i> 90 % interval</span>
<span><i class="key baseline"></i> own 28-day baseline</span>
<span>shaded: a deviation, by severity</span>
"""


def heading(title: str) -> str:
    """The product's name and what it is not."""
    return f'<h1>{escape(title)}</h1><p class="disclaimer">{DISCLAIMER}</p>'


def data_clock(now_ms: int | None, wall_ms: int, zone_ms: int) -> str:
    """Until when the data reach, and a note if that is not now.

    ``zone_ms`` is the offset from UTC of the clock to show the time on.
    """
    if now_ms is None:
        return "No data yet"
    text = f"Data until <b>{moment(now_ms, zone_ms, year=True)}</b> {utc_label(zone_ms)}"
    behind = wall_ms - now_ms
    if abs(behind) <= _IN_STEP_MS:
        return text
    way = "behind" if behind > 0 else "ahead of"
    return (
        f'{text} <span class="note">{duration(abs(behind))} {way} the wall clock; '
        "ages follow the data</span>"
    )


def counters(counted: Counters) -> str:
    """How many people, and the legend of the signs."""
    legend = "".join(badge(sign) for sign in (*SEVERITIES.values(), SILENT, QUIET))
    return (
        f"<span><b>{counted.people}</b> people</span>"
        f"<span><b>{counted.alerting}</b> with alerts</span>"
        f"<span><b>{counted.silent}</b> silent</span>"
        f'<span class="signs">{legend}</span>'
    )


def failure(failed: Failure | None) -> str:
    """The banner over a page whose store cannot be read."""
    if failed is None:
        return ""
    since = datetime.fromtimestamp(failed.since, UTC).astimezone()
    return (
        f"<b>The store cannot be read since {since:%H:%M:%S}.</b> What is shown is from before; "
        f"the page goes on trying. <small>{escape(failed.message)}</small>"
    )


def person(who: Person) -> str:
    """The heading over a person's charts."""
    site = "" if who.site == DEFAULT_SITE else f' <span class="site">{escape(who.site)}</span>'
    return f"<h2>{escape(who.subject)}{site}</h2>"


def unknown_person(who: Person | None) -> str:
    """Instead of charts, if there is nobody to show."""
    if who is None:
        return '<p class="none">Nobody to show yet.</p>'
    site = "" if who.site == DEFAULT_SITE else f" at site {escape(who.site)}"
    return (
        f"<h2>{escape(who.subject)}</h2><p class='none'>The store holds nobody of this name{site}."
        ' <a href="/">Show all people</a></p>'
    )


def chip(what: Face, sign: Sign | None) -> str:
    """An analyte to choose, with the sign of its worst open alert."""
    return escape(what.name) + (f" {badge(sign)}" if sign else "")


def day_heading(evidence: Evidence, what: Face) -> str:
    """Title of the 24-hour chart, and why there is no band if there is none."""
    text = f"<h3>24 hours · {escape(what.name)}</h3>"
    rows = day_rows(evidence.profile)
    days = max((row["n_days"] or 0 for row in rows), default=0)
    zone = utc_label(wearer_offset_ms(evidence.readings or evidence.profile))
    if has_band(evidence):
        return (
            f"{text}<p class='note'>Band from {days} days of this person's own readings · "
            f"wearer's clock ({zone})</p>"
        )
    return (
        f"{text}<p class='note strong'>Not enough data for this person's own band yet"
        f" ({days} {'day' if days == 1 else 'days'}); values are shown as they came · "
        f"wearer's clock ({zone})</p>"
    )


def day_legend(evidence: Evidence, points: Sequence[DayPoint]) -> str:
    """The key of what the 24-hour chart does show."""
    keys = []
    if has_band(evidence):
        keys += [
            ("median", "median"),
            ("inner", "25–75 %"),
            ("outer", "5–95 % of this person's readings"),
        ]
    if any(row["ref_high"] is not None for row in day_rows(evidence.profile)):
        keys.append(("reference", "reference"))
    if any(not point.earlier for point in points):
        keys.append(("today", "today"))
    if any(point.earlier for point in points):
        keys.append(("earlier", "yesterday"))
    return "".join(f'<span><i class="key {key}"></i> {text}</span>' for key, text in keys)


def day_summary(evidence: Evidence, what: Face, now_ms: int) -> str:
    """The 24-hour chart in one sentence, for those who do not see it."""
    points = day_points(evidence, what, now_ms)
    text = f"24-hour chart of {what.name}: {len(points)} values in the last 24 hours."
    if not has_band(evidence):
        return text + " Not enough data for a band."
    rows = [row for row in day_rows(evidence.profile) if row["p50"] is not None]
    high = max(rows, key=lambda row: float(row["p50"]))
    low = min(rows, key=lambda row: float(row["p50"]))
    return (
        f"{text} The median is highest at {clock(high['clock_hour'])} "
        f"({what.amount(high['p50'], unit=True)}) and lowest at {clock(low['clock_hour'])} "
        f"({what.amount(low['p50'], unit=True)})."
    )


def drift_heading(evidence: Evidence) -> str:
    """Title of the drift chart, and why there is no peak if there is none."""
    rhythm = evidence.rhythm
    text = "<h3>Drift over 30 days</h3>"
    if rhythm is None:
        return text + "<p class='note strong'>No rhythm has been estimated in this time</p>"
    if peak_hour(rhythm) is None:
        return text + "<p class='note strong'>No 24-hour rhythm now: no peak time is given</p>"
    days = (rhythm["time"] - evidence.history[0]["time"]) / DAY_MS
    return text + f"<p class='note'>Estimates of {days:.0f} days</p>"


def drift_summary(evidence: Evidence) -> str:
    """The drift chart in one sentence."""
    rhythm = evidence.rhythm
    if rhythm is None or peak_hour(rhythm) is None:
        return "Drift over 30 days: no peak time now."
    return (
        f"Drift over 30 days: peak time now {clock(peak_hour(rhythm))}, "
        f"own baseline {clock(rhythm['baseline_acrophase'])}."
    )
