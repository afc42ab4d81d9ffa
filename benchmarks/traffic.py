"""The readings that the contestants work through.

Wrist heart rate of 400 people in the past, one reading a minute, or one a second in batches. The
same wire format for all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from kafka import KafkaProducer

PEOPLE = 400
PARTITIONS = 8
BATCH = 100
# Long enough ago that all of it is past on any machine's clock; the feed moves on its own clock.
FIRST = datetime(2025, 3, 1, tzinfo=UTC)


def subject(person: int) -> str:
    """Pseudonym of a simulated person."""
    return f"bench-{person:04d}"


def heading(
    person: int, collected_at: datetime, received_at: datetime, interval_s: int
) -> dict[str, object]:
    """The fields that single readings and batches share."""
    return {
        "schema": 1,
        "subject": subject(person),
        "device": f"wrist-{person:04d}",
        "code": "8867-4",
        "unit": "/min",
        "collected_at": collected_at.isoformat(timespec="milliseconds"),
        "received_at": received_at.isoformat(timespec="milliseconds"),
        "timing": "device",
        "interval_s": float(interval_s),
    }


def heart_rates(
    person: int, begin_s: int, interval_s: int, n: int, rng: np.random.Generator
) -> list[float]:
    """n beats a minute from begin_s seconds after FIRST: 68 + 6 cos w(t - 15 h) + noise."""
    clock = (begin_s + interval_s * np.arange(n)) / 3600
    curve = 68 + person % 12 + 6 * np.cos(2 * math.pi / 24 * (clock - 15))
    return list(np.round(curve + rng.normal(0, 3, n)).tolist())


def singles(minutes: int) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) of one message a reading, minute by minute, all people in each."""
    rng = np.random.default_rng(1)
    series = [heart_rates(person, 0, 60, minutes, rng) for person in range(PEOPLE)]
    for minute in range(minutes):
        at = FIRST + timedelta(minutes=minute)
        for person in range(PEOPLE):
            record = heading(person, at, at + timedelta(seconds=2), 60)
            record["value"] = series[person][minute]
            yield subject(person).encode(), json.dumps(record).encode()


def batches(rounds: int, interval_s: int) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) of columnar batches of 100 readings, all people in each round."""
    rng = np.random.default_rng(2)
    offsets = [1000 * interval_s * i for i in range(BATCH)]
    for turn in range(rounds):
        begin_s = BATCH * interval_s * turn
        at = FIRST + timedelta(seconds=begin_s)
        received = at + timedelta(seconds=BATCH * interval_s)
        for person in range(PEOPLE):
            record = heading(person, at, received, interval_s)
            record["offsets_ms"] = offsets
            record["values"] = heart_rates(person, begin_s, interval_s, BATCH, rng)
            yield subject(person).encode(), json.dumps(record).encode()


def fill(bootstrap: str, topic: str, messages: Iterator[tuple[bytes, bytes]]) -> int:
    """Write messages to a topic; returns how many, once Kafka has confirmed all of them."""
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", linger_ms=20, batch_size=262_144
    )
    count = 0
    last = None
    for key, value in messages:
        last = producer.send(topic, key=key, value=value)
        count += 1
    producer.flush()
    if last is None or last.failed():
        raise RuntimeError("Kafka did not take the benchmark's messages")
    producer.close()
    return count
