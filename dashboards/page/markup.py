"""Header, queue rows and names as HTML. Pure.

Every text that comes from the store or the address bar goes through ``html.escape``; the page
sanitises what it renders once more in the browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlencode

from dashboards.page.feed import Failure
from dashboards.page.source import MINUTE_MS, Person
from dashboards.page.triage import QueueEntry
from dashboards.page.words import (
    Face,
    Sign,
    ago,
    duration,
    face,
    gist,
    moment,
    standing,
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


def mark(sign: Sign) -> str:
    """The symbol of an alert's severity where there is no room for the word, which is said."""
    return (
        f' <span class="mark {sign.tone}" aria-hidden="true">{sign.symbol}</span>'
        f'<span class="unseen">, {sign.word.lower()} alert</span>'
    )


def queue_row(entry: QueueEntry, now_ms: int) -> str:
    """The inside of one person's row."""
    head = f'<span class="who">{escape(entry.person.subject)}</span>'
    if entry.person.site != DEFAULT_SITE:
        head += f' <span class="site">{escape(entry.person.site)}</span>'
    alert = entry.alert
    seen = f"seen {ago(entry.last_ms, now_ms)}" if entry.last_ms is not None else "never seen"
    if alert is None:
        line = f'<span class="line">{head}{badge(entry.sign)}</span>'
        return f'{line}<span class="times">last {seen}</span>'
    more = f'<span class="more">+ {entry.others} more</span>' if entry.others else ""
    name = face(alert["analyte"]).name
    stands = standing(alert["kind"], entry.rhythm, now_ms)
    silent = "a device is silent" if entry.silent and alert["kind"] != "missing" else ""
    times = (f"<b>{stands}</b>" if stands else "", f"open for {duration(now_ms - alert['time'])}")
    return (
        f'<span class="line">{head}{more}{badge(entry.sign)}</span>'
        f'<span class="reason">{_named(gist(alert["reason"]), name)}</span>'
        f'<span class="times">{" · ".join(part for part in (*times, seen, silent) if part)}</span>'
    )


def _named(sentence: str, name: str) -> str:
    """The sentence with the analyte's name in bold, or put before it if it does not begin so."""
    if sentence.startswith(name):
        return f"<b>{escape(name)}</b>{escape(sentence.removeprefix(name))}"
    return f"<b>{escape(name)}.</b> {escape(sentence)}"


NOBODY = "<p class='none'>The store holds nobody yet. Rows appear here by themselves.</p>"
DISCLAIMER = (
    "Research software, not a medical device. Shows evidence for clinicians; "
    "never recommends a dose."
)
# Up to here the data's clock counts as the wall clock.
_IN_STEP_MS = 5 * MINUTE_MS


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
        f'{text} <span class="note">{duration(abs(behind))} {way} today\'s clock; '
        "ages are counted from the data's time</span>"
    )


def counters(counted: Mapping[Sign, int]) -> str:
    """How many people stand under each sign; the legend of the signs as well."""
    people = sum(counted.values())
    each = "".join(
        f'<span class="count{"" if n else " zero"}">{badge(sign)} <b>{n}</b></span>'
        for sign, n in counted.items()
    )
    return f"<span><b>{people}</b> {'person' if people == 1 else 'people'}</span>{each}"


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
    """An analyte to choose, with the mark of its worst open alert."""
    return escape(what.name) + (mark(sign) if sign else "")
