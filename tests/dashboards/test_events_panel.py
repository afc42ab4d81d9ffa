"""Events in words."""

from __future__ import annotations

import re
from html import unescape

from dashboards.page.events import events
from dashboards.page.source import StoreRow
from processors.store.memory import MemoryStore
from schemas.measurements import EVENT
from schemas.results import StoredEvent
from tests.dashboards.clinic_markers import all_events, event


def _rows(*told: StoredEvent) -> list[StoreRow]:
    store = MemoryStore()
    store.write(EVENT, [EVENT.row(one) for one in told])
    return store.select(EVENT)


def _lines(html: str) -> list[str]:
    items = re.findall(r"<li>(.*?)</li>", html)
    return [" ".join(unescape(re.sub("<[^>]*>", " ", item)).split()) for item in items]


def test_what_happened_is_told_newest_first_and_a_daily_dose_once() -> None:
    assert _lines(events(_rows(*all_events()))) == [
        "✚ Dose · melatonin 3 mg oral Mon 2 Nov 22:02; Sun 1 Nov 22:02; Sat 31 Oct 22:02; 2 more "
        "in the last 30 days",
        "⊕ LH test · LH test positive Fri 30 Oct 15:32",
        "✱ Illness · ill until 2026-10-30 10:00 Wed 28 Oct 15:32",
        "⇄ Travel · clock set from UTC+00:00 to UTC+01:00 Sun 25 Oct 15:32",
        "① Menses · first day of menses Sun 18 Oct",
    ]


def test_nights_alone_are_nothing_to_tell() -> None:
    assert events(_rows(event("sleep", "sleep", 5), event("wake", "wake", 1))) == ""
    assert events([]) == ""


def test_an_event_of_a_kind_that_nobody_knows_is_told_as_it_is() -> None:
    lines = _lines(events(_rows(event("blood-donation", "<b>500 mL</b> & a biscuit", 1))))
    assert lines == ["• Blood donation · <b>500 mL</b> & a biscuit Tue 3 Nov 14:32"]
