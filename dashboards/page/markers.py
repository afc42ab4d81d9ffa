"""The markers of one person as HTML: those of the analyte on show, and those of the person. Pure.

Every text that comes from the store goes through ``html.escape``.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import groupby

from dashboards.page.marker_words import (
    amount,
    day_number,
    interval,
    is_measured,
    subject_matter,
    title,
)
from dashboards.page.source import DAY_MS, StoreRow
from dashboards.page.spark import picture, points
from dashboards.page.words import day

_CYCLE = "cycle"
# Fewer are no trend.
_LEAST_POINTS = 2


@dataclass(frozen=True)
class Item:
    """What is shown of a marker (or of those withheld for one reason): what is seen at once, what
    is seen when it is opened, and what a pointer that rests on it is told (text, not HTML)."""

    head: str
    body: str
    hint: str
    withheld: bool


Items = dict[Hashable, Item]

PERSON_NOTE = "Of the whole person · open one for method and dates"


def analyte_note(name: str) -> str:
    """What the markers of an analyte are of."""
    return f"{escape(name)} · open one for method and dates"


def of_analyte(rows: Sequence[StoreRow], analyte: str, today_ms: int) -> Items:
    """The newest of each marker of one analyte, newest date first, then the withheld ones.

    ``rows``: all markers of the person, ascending time; ``today_ms``: the wearer's date as markers
    bear it.
    """
    return _items([row for row in rows if row["analyte"] == analyte], today_ms, named=False)


def of_person(rows: Sequence[StoreRow], charted: Collection[str], today_ms: int) -> Items:
    """The same of all that has no chart of its own to stand beside: sleep, the cycle, the clock."""
    return _items([row for row in rows if row["analyte"] not in charted], today_ms, named=True)


def cycle_line(rows: Sequence[StoreRow], today_ms: int) -> str:
    """Where in her cycle the person is, in one line; nothing if that is not known."""
    newest = {row["marker"]: row for row in rows if row["analyte"] == _CYCLE}
    on = newest.get("cycle-day")
    if on is None or not is_measured(on):
        return ""
    number = day_number(on["value"])
    line = f"Cycle day {number}"
    if on["time"] != today_ms:
        line += f" on {_date(on['time'], today_ms)}"
    ovulation = newest.get("ovulation-day")
    # Ovulation bears the date on which its cycle began: of an earlier cycle it is not said here.
    if ovulation is None or ovulation["time"] != on["time"] - (number - 1) * DAY_MS:
        return f"{line}."
    if not is_measured(ovulation):
        return f"{line}. {escape(ovulation['sentence'])}"
    found = day_number(ovulation["value"])
    expected = " expected" if found > number else ""
    line += f", ovulation{expected} on day {found}"
    if ovulation["low"] is not None and ovulation["high"] is not None:
        low, high = day_number(ovulation["low"]), day_number(ovulation["high"])
        line += f" ({low}–{high})" if low != high else ""
    return f"{line}."


def _items(rows: Sequence[StoreRow], today_ms: int, *, named: bool) -> Items:
    by_marker: dict[tuple[str, str], list[StoreRow]] = {}
    for row in rows:
        by_marker.setdefault((row["analyte"], row["marker"]), []).append(row)
    # Newest first; of one date in the order of their titles.
    newest = sorted(
        by_marker.values(),
        key=lambda history: (-history[-1]["time"], _about(history[-1]), title(_name(history[-1]))),
    )
    items: Items = {}
    for history in newest:
        row = history[-1]
        if is_measured(row):
            items[row["analyte"], row["marker"]] = _measured(history, today_ms, named=named)

    def reason(history: Sequence[StoreRow]) -> tuple[int, str, str]:
        return -history[-1]["time"], history[-1]["analyte"], history[-1]["sentence"]

    # Several markers of one night are often withheld for the same reason: it is said once.
    withheld = sorted((one for one in newest if not is_measured(one[-1])), key=reason)
    for why, together in groupby(withheld, reason):
        items[why] = _withheld(list(together), today_ms, named=named)
    return items


def _name(row: StoreRow) -> str:
    return str(row["marker"])


def _about(row: StoreRow) -> str:
    return str(row["analyte"])


def _measured(history: Sequence[StoreRow], today_ms: int, *, named: bool) -> Item:
    row = history[-1]
    limits = interval(row)
    notes = [_when(row, today_ms, named=named)]
    if limits:
        notes.append(f'<span class="part">90 %: {escape(limits)}</span>')
    notes.append(f'<span class="part">n = {row["n"]}</span>')
    trend = points(history, today_ms)
    spark = picture(trend, today_ms) if len(trend) >= _LEAST_POINTS else ""
    # A number without an interval is a place on a scale that its sentence explains.
    sentence = "" if limits else f'<span class="reason">{escape(row["sentence"])}</span>'
    head = (
        f'<span class="title">{escape(title(_name(row)))}</span>'
        f'<span class="value">{escape(amount(row))}</span>'
        f'<span class="times">{" · ".join(notes)}</span>{spark}{sentence}'
    )
    body = f"<p>{escape(row['sentence'])}</p>" if limits else ""
    body += _method(row) + (_dates(history, today_ms) if spark else "")
    return Item(head, body, f"Method: {row['method']}", withheld=False)


def _withheld(histories: Sequence[Sequence[StoreRow]], today_ms: int, *, named: bool) -> Item:
    rows = [history[-1] for history in histories]
    titles = "; ".join(title(_name(row)) for row in rows)
    head = (
        f'<span class="title">{escape(titles)}</span><span class="value">not given</span>'
        f'<span class="times">{_when(rows[0], today_ms, named=named)}</span>'
        f'<span class="reason">{escape(rows[0]["sentence"])}</span>'
    )
    several = len(rows) > 1
    body = "".join(
        (f"<h3>{escape(title(_name(history[-1])))}</h3>" if several else "")
        + _method(history[-1])
        + _dates(history, today_ms)
        for history in histories
    )
    methods = "; ".join(dict.fromkeys(row["method"] for row in rows))
    return Item(head, body, f"Method: {methods}", withheld=True)


def _when(row: StoreRow, today_ms: int, *, named: bool) -> str:
    date = _date(row["time"], today_ms)
    return f"{escape(subject_matter(_about(row)))} · {date}" if named else date


def _date(midnight_ms: int, today_ms: int) -> str:
    """A date as markers bear it, of no clock; with its year if that is not this one."""
    this_year, year = (
        datetime.fromtimestamp(ms / 1000, UTC).year for ms in (today_ms, midnight_ms)
    )
    return day(midnight_ms) if year == this_year else f"{day(midnight_ms)} {year}"


def _method(row: StoreRow) -> str:
    return f"<p class='method'>Method: {escape(row['method'])}</p>"


def _dates(history: Sequence[StoreRow], today_ms: int) -> str:
    """What the trend shows, in words: each date of the last 30 days that has a value."""
    shown = {point.date for point in points(history, today_ms)}
    listed = "".join(
        f"<li><span>{_date(row['time'], today_ms)}</span> <b>{escape(amount(row))}</b>"
        f"{_bounds(row)}</li>"
        for row in reversed(history)
        if row["time"] in shown
    )
    return f"<h3>The last 30 days</h3><ol>{listed}</ol>" if listed else ""


def _bounds(row: StoreRow) -> str:
    limits = interval(row)
    return f" <span>({escape(limits)})</span>" if limits else ""
