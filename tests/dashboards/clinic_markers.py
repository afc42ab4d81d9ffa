"""Markers and events of the clinic's people (see ``clinic``): all of them are sim-03's.

She is at UTC+1, like everybody there. Her melatonin begins around midnight and later by the night,
her awakening response is withheld, she sleeps late, and it is day 17 of her cycle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.measurements import EVENT, MARKER
from schemas.results import Marker, StoredEvent
from tests.dashboards.clinic import CLOCK_AHEAD_H, NOW, WritableStore

WHO = "sim-03"
TODAY = datetime(NOW.year, NOW.month, NOW.day, tzinfo=UTC)
TODAY_MS = round(TODAY.timestamp() * 1000)
NO_WAKING = "It is not known when the person woke up."


def marker(analyte: str, name: str, days_ago: int, **given: Any) -> Marker:
    """A marker of a date; withheld if no ``value`` is given."""
    value = given.get("value")
    fields = {
        "site": "default",
        "subject": WHO,
        "status": "withheld" if value is None else "measured",
        "value": None,
        "unit": "1",
        "low": None,
        "high": None,
        "n": 7,
        "sentence": NO_WAKING if value is None else f"It is {value:.3g}.",
        "method": f"Method of {name} (Somebody et al. 1999)",
    }
    time = TODAY - timedelta(days=days_ago)
    return Marker(**{**fields, **given}, analyte=analyte, marker=name, time=time)


def nightly(analyte: str, name: str, first: float, step: float, **given: Any) -> list[Marker]:
    """A clock time of each of 24 nights up to yesterday, later by ``step`` hours a night."""
    found = []
    for night in range(24):
        hour = first + step * night + 0.12 * math.sin(night * 2.4)
        turn = hour // 24 * 24
        found.append(
            marker(
                analyte,
                name,
                24 - night,
                value=hour - turn,
                low=hour - turn - 0.4,
                high=hour - turn + 0.5,
                unit="clock_h",
                **given,
            )
        )
    return found


def event(kind: str, text: str, hours_ago: float) -> StoredEvent:
    """An event with the wearer's own hour."""
    time = NOW - timedelta(hours=hours_ago)
    hour = (time.hour + time.minute / 60 + CLOCK_AHEAD_H) % 24
    return StoredEvent(
        site="default", subject=WHO, kind=kind, time=time, text=text, clock_hour=hour
    )


def all_markers() -> list[Marker]:
    """Everything that is told of her."""
    pg = "ug/dL"
    return [
        *nightly("saliva-melatonin", "dlmo-threshold", 22.9, 0.06),
        *nightly("saliva-melatonin", "melatonin-midpoint", 26.8, 0.05),
        marker("saliva-melatonin", "dlmo-hockey-stick", 1, sentence="The profile has no knee."),
        *(
            marker(
                "saliva-cortisol",
                "diurnal-slope",
                ago,
                value=-0.12 + 0.01 * math.sin(ago),
                low=-0.15,
                high=-0.09,
                unit="1/h",
            )
            for ago in range(12)
        ),
        marker(
            "saliva-cortisol", "late-night-level", 0, value=0.04521, low=0.03, high=0.07, unit=pg
        ),
        marker("saliva-cortisol", "car-rise", 0, unit=pg),
        marker("saliva-cortisol", "car-aucg", 0, unit=f"{pg}.min"),
        marker("saliva-cortisol", "car-auci", 0, unit=f"{pg}.min"),
        marker("saliva-cortisol", "dose-echo-7", 2, value=12.5, low=11.0, high=14.25, unit="mg"),
        *nightly("sleep-midpoint", "sleep-midpoint", 4.5, 0.04),
        marker("sleep-midpoint", "social-jet-lag", 1, value=1.25, low=0.5, high=2.0, unit="h"),
        marker("sleep-duration", "sleep-duration", 1, value=7.2, low=6.9, high=7.5, unit="h"),
        marker("cycle", "cycle-day", 0, value=17.0, low=17.0, high=17.0, unit="d"),
        marker("cycle", "ovulation-day", 16, value=14.4, low=13.2, high=15.6, unit="d"),
    ]


def all_events() -> Sequence[StoredEvent]:
    """What happened to her."""
    return [
        *(event("dose", "melatonin 3 mg oral", 17.5 + 24 * day) for day in range(5)),
        *(event("sleep", "sleep (reported)", 15.0 + 24 * day) for day in range(5)),
        event("menses", "first day of menses", 16 * 24 + 6.0),
        event("lh-surge", "LH test positive", 4 * 24),
        event("travel", "clock set from UTC+00:00 to UTC+01:00", 9 * 24),
        event("illness", "ill until 2026-10-30 10:00", 6 * 24),
    ]


def fill_markers(store: WritableStore) -> None:
    """Write all of it."""
    store.write(MARKER, [MARKER.row(one) for one in all_markers()])
    store.write(EVENT, [EVENT.row(one) for one in all_events()])
