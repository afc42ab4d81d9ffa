"""Records as annotations: what is written where on Grafana's time axis. Pure.

    - in   events      {"kind": "dose", "subject": "p-0412", "at": "2026-03-01T07:30:00+01:00", …}
    + out  annotation  07:30, tags acrophase, type:event, site:…, subject:p-0412, kind:dose
    - in   deviations  {"kind": "level", "direction": "higher", "time": …, "ended_at": null, …}
    + out  annotation  at its time; a region once it has ended

An annotation is known again by its tags and its time. Two doses may be taken in one moment, so of
events the text counts as well; that of a deviation or an alert may be revised.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from html import escape

from pydantic import ValidationError

from dashboards.deploy.wanted import TAG
from schemas.errors import Reason, RejectedRecord
from schemas.event_words import event_words
from schemas.events import Illness, parse_event
from schemas.results import Alert, Deviation
from schemas.topics import ALERTS, DEVIATIONS, EVENTS, Topic

FOLLOWED: tuple[Topic, ...] = (EVENTS, DEVIATIONS, ALERTS)

# Sleep and waking come twice a day and are told by markers; a profile is of no date.
_TOLD = ("dose", "illness", "travel", "menses", "lh-surge")


@dataclass(frozen=True)
class Note:
    """One annotation as it should be. Times in ms since 1970; ``end_ms`` None: it lasts, or is a
    moment. ``fixed``: the text is part of what it is.
    """

    tags: tuple[str, ...]
    time_ms: int
    end_ms: int | None
    text: str
    fixed: bool


def note_of(topic: str, key: bytes | None, value: bytes) -> Note | None:
    """The annotation that a record asks for; None if it asks for none.

    Raises ``RejectedRecord`` for what no version of Acrophase would have taken.
    """
    try:
        if topic == EVENTS.name:
            return _event(key, value)
        if topic == DEVIATIONS.name:
            return _deviation(Deviation.model_validate_json(value))
        return _alert(Alert.model_validate_json(value))
    except ValidationError as error:
        # Not its text, which quotes what it was given.
        detail = f"a record of {topic} has {error.error_count()} fields that are wrong"
        raise RejectedRecord(Reason.MALFORMED, detail) from None


def _event(key: bytes | None, value: bytes) -> Note | None:
    event = parse_event(value)
    if key != event.subject.encode():
        # The worker makes a dead letter of it, and it is in no chart.
        raise RejectedRecord(Reason.WRONG_KEY, "an event's key is not its subject")
    if event.kind not in _TOLD:
        return None
    tags = _tags("event", event.site, event.subject, event.kind)
    until = event.until if isinstance(event, Illness) else None
    # Annotations are shown as HTML, and substance and route are free text from outside.
    text = escape(event_words(event))
    return Note(tags, _ms(event.at), _end(until), text, fixed=True)


def _deviation(found: Deviation) -> Note:
    tags = _tags("deviation", found.site, found.subject, found.kind.value, found)
    why = f" ({found.explained_by})" if found.explained_by else ""
    text = escape(f"{found.severity}: {found.reason}{why}")
    return Note(tags, _ms(found.time), _end(found.ended_at), text, fixed=False)


def _alert(alert: Alert) -> Note:
    tags = _tags("alert", alert.site, alert.subject, alert.kind.value, alert)
    text = escape(f"{alert.severity} alert, {alert.state}: {alert.reason}")
    return Note(tags, _ms(alert.time), _end(alert.resolved_at), text, fixed=False)


def _tags(
    kind_of_record: str, site: str, subject: str, kind: str, result: Deviation | Alert | None = None
) -> tuple[str, ...]:
    tags = [TAG, f"type:{kind_of_record}", f"site:{site}", f"subject:{subject}", f"kind:{kind}"]
    if result is not None:
        tags += [f"analyte:{result.analyte}", f"direction:{result.direction}"]
    return tuple(tags)


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _end(time: datetime | None) -> int | None:
    return None if time is None else _ms(time)
