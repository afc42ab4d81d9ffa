"""A simulated clinic as traffic for the real engine, with everything that goes wrong on the way.

Profiles, doses and nights first, then twelve days of eight people in order of arrival: batches and
single readings, late and repeated ones, troubles, a journey, a change to summer time, and
records that cannot be used. The same seed gives the same records in the same order.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from processors.store import Store
from producers.clinic import demo_clinic
from producers.wearer_clock import Journey
from schemas.catalogue import load_catalogue
from schemas.measurements import RHYTHM
from schemas.readings import Reading, ReadingBatch
from schemas.topics import EVENTS, READINGS
from tests.faults.feeds import PARTITIONS, Feed, Message
from tests.faults.oracle import Undisturbed

_HOME = ZoneInfo("Europe/Berlin")
_BEGIN = datetime(2024, 3, 24, tzinfo=_HOME)  # a week before summer time
_DAYS, _LIVE_DAYS = 12, 9
_PEOPLE = 8
_TRAVELLER = "sim-03"
_LIVE, _LIVE_AFTER = "sim-08", timedelta(seconds=2)
_MESSAGES_A_ROUND = 25
_BAD_EVERY = 40
_SPOILT_EVERY, _SPOILT = 50, 1e99


class Simulated:
    """Twelve days of a clinic; ``seed`` makes its people and their noise.

    Of seeds whose people have no value so high that the engine suspects another unit, since what
    must be refused is told here by another way than the engine's.
    """

    engine = "real"

    def __init__(self, seed: int) -> None:
        journey = Journey(_BEGIN + timedelta(days=5, hours=14), "America/New_York")
        live_from = _BEGIN + timedelta(days=_LIVE_DAYS)
        clinic = demo_clinic(seed, _BEGIN, live_from, _PEOPLE, journeys={_TRAVELLER: [journey]})
        deliveries = list(clinic.records(_BEGIN, _BEGIN + timedelta(days=_DAYS)))
        self._deliveries = [d for d in deliveries if d.topic == READINGS.name]
        self.events = [
            Message(d.topic, d.subject.encode(), d.value)
            for d in deliveries
            if d.topic == EVENTS.name
        ]

    @cached_property
    def readings(self) -> list[Message]:
        """All records of the topic ``readings``, in order."""
        sent = [record for delivery in self._deliveries for record in _as_sent(delivery.record)]
        sent.sort(key=lambda record: record.received_at)
        messages: list[Message] = []
        for number, record in enumerate(sent, 1):
            if number % _SPOILT_EVERY == 0 and isinstance(record, ReadingBatch):
                record = record.model_copy(update={"values": [*record.values[:-1], _SPOILT]})
            messages.append(Message(READINGS.name, record.subject.encode(), _json(record)))
            if number % _BAD_EVERY == 0:
                messages.append(_bad(record, number // _BAD_EVERY))
        return messages

    @cached_property
    def expected(self) -> Counter[tuple[str, str]]:
        """Readings that count, by subject and analyte, told from the identities alone."""
        catalogue = load_catalogue()
        identities = set()
        for message in self.readings:
            if not _is_good(message):
                continue
            record = json.loads(message.value)
            analyte = catalogue.by_code(record["code"])
            first = datetime.fromisoformat(record["collected_at"])
            offsets = record.get("offsets_ms", [0])
            for offset, value in zip(
                offsets, record.get("values", [record.get("value")]), strict=False
            ):
                if analyte.limits.low <= value <= analyte.limits.high:
                    when = first + timedelta(milliseconds=offset)
                    identities.add((record["subject"], analyte.slug, record["device"], when))
        return Counter((subject, slug) for subject, slug, _, _ in identities)

    @cached_property
    def n_refused(self) -> int:
        """Records of which all or a part belongs to the dead letters."""
        return sum(not _is_good(m) or b"e+99" in m.value for m in self.readings)

    def rounds(self, feed: Feed) -> Iterator[list[Message]]:
        """Events, and when they are known to all, the readings."""
        yield self.events
        feed.wait_until_worked_through()
        for first in range(0, len(self.readings), _MESSAGES_A_ROUND):
            yield self.readings[first : first + _MESSAGES_A_ROUND]

    def check(self, address: str, store: Store) -> None:
        """The same store, state and dead letters as after a run without any harm."""
        undisturbed = Undisturbed(address, PARTITIONS)
        undisturbed.assert_same_store(store)
        undisturbed.assert_same_state()
        refused = undisturbed.assert_same_dead_letters()
        assert refused == self.n_refused > 100, f"{refused} dead letters, not {self.n_refused}"
        # And by another way than the engine's own: the newest count of each series.
        newest = {}
        for row in store.select(RHYTHM):
            newest[row["subject"], row["analyte"]] = row["n_readings"]
        assert newest == self.expected


def _as_sent(record: Any) -> Iterator[Any]:
    """One person's band sends every minute what it has measured, unless it is late or repeated."""
    live = isinstance(record, ReadingBatch) and record.subject == _LIVE and record.interval_s == 60
    if not live or record.received_at - record.collected_at > timedelta(hours=1):
        yield record
        return
    for offset_ms, value in zip(record.offsets_ms, record.values, strict=True):
        at = record.collected_at + timedelta(milliseconds=offset_ms)
        yield Reading(
            subject=record.subject,
            device=record.device,
            code=record.code,
            unit=record.unit,
            collected_at=at,
            received_at=(at + _LIVE_AFTER).astimezone(UTC),
            timing="device",
            value=value,
        )


def _json(record: Any) -> bytes:
    return bytes(record.model_dump_json(by_alias=True, exclude_none=True).encode())


_MARK = b"no-good"


def _bad(like: Any, number: int) -> Message:
    """A record that cannot be used, of one kind after the other."""
    record = json.loads(_json(like)) | {"device": f"{_MARK.decode()}-{number}"}
    changes: list[dict[str, Any]] = [
        {"code": "local:unheard-of"},
        {"unit": "mg/dL"},
        {"collected_at": "2101-01-01T00:00:00+00:00"},
        {"collected_at": "1999-12-31T00:00:00+00:00"},
        {"collected_at": "2024-03-26T12:00:00"},
        {"subject": "somebody@example.org"},
        {"subject": "sim-99"},  # not the key
        {"schema": 99},
    ]
    kind = number % (len(changes) + 2)
    key = like.subject.encode()
    if kind < len(changes):
        return Message(READINGS.name, key, json.dumps(record | changes[kind]).encode())
    if kind == len(changes):
        return Message(READINGS.name, key, b'\xff{"device":"%s-%d"}' % (_MARK, number))
    return Message(READINGS.name, None, json.dumps(record).encode())


def _is_good(message: Message) -> bool:
    return _MARK not in message.value
