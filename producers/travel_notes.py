"""Journeys as their travellers tell of them, and how far their bodies lag behind."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from producers.living import Body
from producers.notes import Note
from producers.wearer_clock import DAY_S
from schemas.events import Travel

_MOST_DAYS = 40


class TravelNotes:
    """A source of notes: the clock is set anew, and told of at once."""

    def __init__(self, body: Body) -> None:
        self._body = body

    def __call__(self, date: int) -> Iterator[Note]:
        clock = self._body.clock
        for journey in clock.journeys:
            at = journey.at.timestamp()
            if clock.day_number(at) == date:
                event = Travel(
                    kind="travel",
                    subject=self._body.person.subject,
                    at=clock.local_time(at),
                    from_offset_min=clock.offset(at - 1.0) // 60,
                )
                yield Note(at, at + 60.0, None, event)


def lags(body: Body) -> list[dict[str, Any]]:
    """How far the body is behind the wall clock, hours, day by day from each journey on.

    Below 0: ahead, as after a flight westward. Ends with the first day in step, or the next
    journey.
    """
    found: list[dict[str, Any]] = []
    journeys = [journey.at.timestamp() for journey in body.clock.journeys]
    for begin, end in pairwise([*journeys, float("inf")]):
        for day in range(_MOST_DAYS):
            at = begin + day * DAY_S
            if at >= end:
                break
            lag = body.clock.lag(at) / 3600.0
            found.append({"at": body.clock.local_time(at).isoformat(), "lag_h": round(lag, 3)})
            if lag == 0.0:
                break
    return found
