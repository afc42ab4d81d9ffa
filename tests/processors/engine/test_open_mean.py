"""Dense readings are stored as five-minute means, and none is lost on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from processors.engine import Partition, Policy
from processors.engine_port import Record
from processors.store.memory import MemoryStore
from schemas.catalogue import load_catalogue
from schemas.measurements import READING
from schemas.readings import Reading
from schemas.topics import EVENTS, READINGS

START = datetime(2026, 1, 1, tzinfo=UTC)


def heart_rate(offset: int, subject: str, minute: int) -> Record:
    at = START + timedelta(minutes=minute)
    reading = Reading(
        subject=subject,
        device="band-1",
        code="8867-4",
        unit="/min",
        collected_at=at,
        received_at=at,
        value=60.0,
    )
    value = reading.model_dump_json(by_alias=True, exclude_none=True).encode()
    return Record(READINGS.name, 0, offset, round(at.timestamp() * 1000), subject.encode(), value)


def test_the_last_mean_before_a_silence_is_stored() -> None:
    """One person's band falls silent; the clock that closes the half hour is another's."""
    minutes = [("silent-1", m) for m in range(12)] + [("other-1", m) for m in range(12, 240)]
    records = [heart_rate(offset, *each) for offset, each in enumerate(minutes)]
    partition = Partition(0, load_catalogue(), Policy())
    partition.start({READINGS.name: 0, EVENTS.name: 0})
    store = MemoryStore()
    for outputs in (partition.process(records), partition.settle()):
        for measurement, rows in outputs.rows.items():
            store.write(measurement, rows)
    stored = [(row["subject"], row["n"]) for row in store.select(READING)]
    assert [n for subject, n in stored if subject == "silent-1"] == [5, 5, 2]
    assert sum(n for _, n in stored) == len(records)
