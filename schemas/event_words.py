"""An event in words: as the store keeps it, and as Grafana's annotations tell it."""

from __future__ import annotations

from datetime import datetime

from schemas.events import Dose, Event, Illness, Profile, Sleep, Travel


def event_words(event: Event) -> str:
    """What happened, in a few words, without when and to whom."""
    if isinstance(event, Dose):
        return f"{event.substance} {event.amount:g} {event.unit} {event.route}"
    if isinstance(event, Profile):
        return "profile given"
    if isinstance(event, Sleep):
        return f"{event.kind} ({'measured' if event.verified else 'reported'})"
    if isinstance(event, Travel):
        return f"clock set from {utc(event.from_offset_min)} to {utc(offset_min(event.at))}"
    if isinstance(event, Illness):
        return "ill" if event.until is None else f"ill until {event.until:%Y-%m-%d %H:%M}"
    return {"menses": "first day of menses", "lh-surge": "LH test positive"}[event.kind]


def offset_min(local: datetime) -> int:
    """Minutes that a local time is ahead of UTC."""
    offset = local.utcoffset()
    assert offset is not None  # the contract takes no other times
    return round(offset.total_seconds() / 60.0)


def utc(minutes: int) -> str:
    """An offset as people write it.

    >>> utc(-210)
    'UTC-03:30'
    """
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"
