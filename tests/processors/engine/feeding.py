"""Synthetic series as records of the wire, and a partition with a store to take them.

Times are hours after `START`; the wearer's clock is UTC unless said otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.engine import Partition, Policy
from processors.engine_port import OutMessage, Outputs, Record
from processors.store.memory import MemoryStore
from schemas.catalogue import Analyte, load_catalogue
from schemas.dead_letters import DeadLetter
from schemas.measurements import DEVIATION, MEASUREMENTS, Measurement
from schemas.topics import DEAD_LETTERS, EVENTS, READINGS

CATALOGUE = load_catalogue()
START = datetime(2026, 1, 1, tzinfo=UTC)
START_MS = round(START.timestamp() * 1000)
HOUR_MS = 3_600_000
SUBJECT = "syn-01"
# Two samples after waking and three over the day, as in studies of the diurnal cortisol curve.
FIVE_A_DAY = (7.0, 7.5, 12.0, 17.0, 22.0)

Floats = NDArray[np.float64]


class Run:
    """A partition, what it wrote to the store and what it sent.

    saved: rows of the topic `state`; begin: next offset of each input topic.
    """

    def __init__(
        self,
        saved: Mapping[bytes, bytes] | None = None,
        begin: Mapping[str, int] | None = None,
        store: MemoryStore | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.partition = Partition(0, CATALOGUE, policy or Policy())
        for key, value in (saved or {}).items():
            self.partition.restore(key, value)
        self.partition.start({READINGS.name: 0, EVENTS.name: 0} | dict(begin or {}))
        self.store = store or MemoryStore()
        self.messages: list[OutMessage] = []

    def keep(self, outputs: Outputs) -> None:
        """What the worker does with outputs."""
        for measurement, rows in outputs.rows.items():
            self.store.write(measurement, rows)
        self.messages.extend(outputs.messages)

    def feed(self, records: Sequence[Record]) -> None:
        """One frame."""
        self.keep(self.partition.process(records))

    def settle(self) -> None:
        """What a checkpoint does before it saves."""
        self.keep(self.partition.settle())

    def changes(self) -> dict[bytes, bytes]:
        """State rows changed since the last call; the engine makes no tombstones."""
        changed = dict(self.partition.changes())
        assert None not in changed.values()
        return {key: value for key, value in changed.items() if value is not None}

    def deviations(self) -> list[dict[str, Any]]:
        """All deviations so far, oldest first."""
        return self.store.select(DEVIATION)

    def letters(self) -> list[tuple[OutMessage, DeadLetter]]:
        """All dead letters so far."""
        return [
            (message, DeadLetter.from_headers(list(message.headers)))
            for message in self.messages
            if message.topic == DEAD_LETTERS.name
        ]

    def contents(
        self, measurements: Iterable[Measurement] = MEASUREMENTS
    ) -> dict[str, list[dict[str, Any]]]:
        """Everything in the store."""
        return {each.name: self.store.select(each) for each in measurements}


def moment(hours: float, offset_h: float = 0.0) -> str:
    """The wearer's time so many hours after the start, RFC 3339."""
    zone = timezone(timedelta(hours=offset_h))
    return (START + timedelta(hours=hours)).astimezone(zone).isoformat()


def record(body: Mapping[str, Any], received_h: float, topic: str = READINGS.name) -> Record:
    """One record, received so many hours after the start; `numbered` gives it its offset."""
    value = json.dumps({"schema": 1, "received_at": moment(received_h), **body}).encode()
    received_ms = START_MS + round(received_h * HOUR_MS)
    return Record(topic, 0, -1, received_ms, str(body["subject"]).encode(), value)


def numbered(records: Iterable[Record], first: int = 0) -> list[Record]:
    """The records with their offsets in Kafka."""
    return [each._replace(offset=first + i) for i, each in enumerate(records)]


def singles(
    slug: str,
    hours: Sequence[float] | Floats,
    values: Sequence[float] | Floats,
    *,
    subject: str = SUBJECT,
    late_h: float = 0.5,
    interval_s: float | None = None,
) -> Iterator[Record]:
    """Each reading a record of its own, received `late_h` after it was collected."""
    analyte = CATALOGUE[slug]
    for hour, value in zip(list(hours), list(values), strict=True):
        body = heading(analyte, subject, float(hour), interval_s) | {"value": float(value)}
        yield record(body, float(hour) + late_h)


def batches(
    slug: str,
    hours: Sequence[float] | Floats,
    values: Sequence[float] | Floats,
    *,
    every: int,
    subject: str = SUBJECT,
    late_h: float = 0.01,
    interval_s: float | None = None,
) -> Iterator[Record]:
    """`every` readings a record, received `late_h` after the last of them was collected."""
    analyte = CATALOGUE[slug]
    ms = np.rint(np.asarray(hours, dtype=np.float64) * HOUR_MS).astype(np.int64)
    for first in range(0, len(ms), every):
        part = ms[first : first + every]
        body = heading(analyte, subject, float(part[0]) / HOUR_MS, interval_s) | {
            "offsets_ms": (part - part[0]).tolist(),
            "values": [float(v) for v in values[first : first + every]],
        }
        yield record(body, float(part[-1]) / HOUR_MS + late_h)


def heading(
    analyte: Analyte, subject: str, hour: float, interval_s: float | None = None
) -> dict[str, Any]:
    """What a reading and a batch of it have in common."""
    known = {} if interval_s is None else {"interval_s": interval_s}
    return known | {
        "subject": subject,
        "device": f"{analyte.slug}-of-{subject}",
        "code": analyte.codes[0].code,
        "unit": analyte.unit,
        "collected_at": moment(hour),
    }


def sampled(clock_hours: Sequence[float], days: int) -> Floats:
    """The same clock hours on each of so many days."""
    return np.asarray(np.add.outer(24.0 * np.arange(days), clock_hours), dtype=np.float64).ravel()


def population_curve(analyte: Analyte, hours: Floats) -> Floats:
    """The catalogue's curve, model scale."""
    return np.array([analyte.prior.value(hour % 24.0) for hour in hours])


def natural(analyte: Analyte, y: Floats) -> Floats:
    """From the model scale to the analyte's unit."""
    return np.exp(y) if analyte.scale == "log" else y
