"""Everything that senders get wrong, between readings that are as they should be."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from kafka import KafkaProducer

from schemas.topics import EVENTS, READINGS
from tests.processors.engine.bad_input import (
    BATCH,
    DOSE,
    KEY,
    READING,
    RECEIVED_MS,
    TABLE,
    Bad,
    changed,
)

FAST_CLOCK = "twin-0500"  # a person whose band's clock was an hour fast for some time
FAST_BATCHES = 120
STRICT_S, LENIENT_S = 300, 7_200  # tolerance of a worker that refuses half of each, and of one not
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_GOOD_SINCE = datetime.fromisoformat("2026-02-20T00:00:00+02:00")
_FAST_SINCE = datetime.fromisoformat("2026-02-01T00:00:00+02:00")


def good(number: int, topic: str) -> bytes:
    """One reading or dose every ten minutes."""
    at = (_GOOD_SINCE + timedelta(minutes=10 * number)).isoformat()
    if topic == EVENTS.name:
        return changed(DOSE, at=at)
    return changed(READING, collected_at=at, device="kit-8")


def fast(number: int) -> bytes:
    """A batch of four, an hour of which the last two are of the future for a strict worker."""
    first = _FAST_SINCE + timedelta(hours=number)
    received_at = (first + timedelta(minutes=20)).isoformat()
    return changed(
        BATCH,
        subject=FAST_CLOCK,
        device="band-1",
        code="8867-4",
        unit="/min",
        collected_at=first.isoformat(),
        received_at=received_at,
        offsets_ms=[0, 900_000, 1_800_000, 2_700_000],
        values=[60.0, 61.0, 62.0, 63.0],
        interval_s=900.0,
    )


def publish(address: str) -> int:
    """The whole table and as many good records, one after the other; returns how many.

    With the client of Kafka's own: it takes what our `Publisher` refuses, and the time at which
    the table is received.
    """
    producer = KafkaProducer(
        bootstrap_servers=address, linger_ms=50, batch_size=1_048_576, max_request_size=12_000_000
    )
    sent = 0
    for number, bad in enumerate(TABLE):
        for key, value in ((bad.key, bad.value), (KEY, good(number, bad.topic))):
            producer.send(bad.topic, value, key=key, timestamp_ms=RECEIVED_MS)
            sent += 1
    for number in range(FAST_BATCHES):
        producer.send(
            READINGS.name, fast(number), key=FAST_CLOCK.encode(), timestamp_ms=RECEIVED_MS
        )
        sent += 1
    producer.close()
    return sent


def offset_of(bad: Bad) -> int:
    """Where it lies: every second record of its topic is bad."""
    return 2 * [each for each in TABLE if each.topic == bad.topic].index(bad)


def stored_times() -> set[int]:
    """When the readings of the table's person were taken that must be in the store, epoch ms."""
    times = set()
    for number, bad in enumerate(TABLE):
        if bad.topic == EVENTS.name:
            continue
        times.add(_epoch_ms(json.loads(good(number, bad.topic))["collected_at"]))
        if bad.elements:
            batch = json.loads(bad.value or b"")
            first_ms = _epoch_ms(batch["collected_at"])
            offsets = enumerate(batch["offsets_ms"])
            times |= {first_ms + offset for i, offset in offsets if i not in bad.elements}
    return times


def _epoch_ms(time: str) -> int:
    return (datetime.fromisoformat(time) - _EPOCH) // timedelta(milliseconds=1)
