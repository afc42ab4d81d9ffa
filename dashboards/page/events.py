"""What happened to the person in the last 30 days, in words. Pure.

Every text that comes from the store goes through ``html.escape``.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from dashboards.page.source import StoreRow, clock_offset_ms
from dashboards.page.words import day, moment

_SIGNS = {
    "dose": ("✚", "Dose"),
    "menses": ("①", "Menses"),
    "lh-surge": ("⊕", "LH test"),
    "travel": ("⇄", "Travel"),
    "illness": ("✱", "Illness"),
}
# Twice a day and told by the markers of sleep, or of no date.
_UNTOLD = ("sleep", "wake", "profile")
_TIMES_SHOWN = 3  # of one thing, the newest


def events(rows: Sequence[StoreRow]) -> str:
    """Each thing that happened with when, newest first; a medicine taken daily is one of them.

    ``rows``: the person's events, ascending time. Empty if nothing is worth telling.
    """
    happened: dict[tuple[str, str], list[StoreRow]] = {}
    for row in reversed(rows):
        if row["kind"] not in _UNTOLD:
            happened.setdefault((row["kind"], row["text"]), []).append(row)
    if not happened:
        return ""
    listed = "".join(_event(kind, text, times) for (kind, text), times in happened.items())
    return f"<ul class='events'>{listed}</ul>"


def _event(kind: str, text: str, times: Sequence[StoreRow]) -> str:
    symbol, word = _SIGNS.get(kind, ("•", kind.replace("-", " ").capitalize()))
    when = "; ".join(_when(row) for row in times[:_TIMES_SHOWN])
    more = len(times) - _TIMES_SHOWN
    if more > 0:
        when += f"; {more} more in the last 30 days"
    return (
        f'<li><div><span class="symbol" aria-hidden="true">{symbol}</span> '
        f'<b>{escape(word)}</b> · {escape(text)}</div><div class="times">{when}</div></li>'
    )


def _when(row: StoreRow) -> str:
    # By the clock that the wearer had then. Of menses the date alone counts.
    offset = clock_offset_ms(row["time"], row["clock_hour"])
    said = day if row["kind"] == "menses" else moment
    return said(row["time"], offset)
