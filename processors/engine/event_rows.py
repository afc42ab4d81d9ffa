"""An event as it is stored, for annotations."""

from __future__ import annotations

from schemas.event_words import event_words
from schemas.events import Event
from schemas.results import StoredEvent


def stored_event(event: Event) -> StoredEvent:
    """The row of the measurement `event`."""
    local = event.at
    return StoredEvent(
        site=event.site,
        subject=event.subject,
        kind=event.kind,
        time=event.at,
        text=event_words(event),
        clock_hour=local.hour + local.minute / 60.0 + local.second / 3600.0,
    )
