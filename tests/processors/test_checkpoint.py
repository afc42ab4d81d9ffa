"""Confirming: the order, the store's absence, and dying at every single step."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Sequence

import pytest

from processors.checkpoint import Outbox, PatientStore, StoreSink
from processors.engine_port import OutMessage, Outputs, Record
from processors.faust_kafka import sendable
from processors.recovery import StateLog
from processors.session import Session
from processors.store.memory import MemoryStore
from schemas.errors import StoreRefused, StoreUnavailable
from schemas.measurements import READING, Measurement, Row
from schemas.topics import DEAD_LETTERS, READINGS
from tests.faults.counting import CountingEngine
from tests.processors.memory_kafka import LEASE_S, Crash, MemoryBroker, MemoryKafka

SUBJECTS = ("ann-1", "bob-2", "cat-3")
PARTITIONS = {("readings", 0), ("events", 0), ("readings", 1), ("events", 1)}
FOREVER = float("inf")


def fill(broker: MemoryBroker, numbers: Iterable[int]) -> None:
    """Readings with these numbers for every subject, on both topics, and a bad record."""
    for i in numbers:
        for partition in (0, 1):
            for subject in SUBJECTS:
                value = json.dumps({"i": i}).encode()
                broker.publish("readings", partition, f"{subject}.{partition}", value)
            broker.publish("events", partition, f"{SUBJECTS[0]}.{partition}", value)
    broker.publish("readings", 0, "broken-1", b"\xff\x00")


def session_of(kafka: MemoryKafka, store: StoreSink, checkpoint_s: float = FOREVER) -> Session:
    """A session of the broker's generation; with 0 there is a checkpoint after every frame."""
    return Session(
        kafka.broker.generation,
        PARTITIONS,
        CountingEngine,
        PatientStore(store),
        kafka,
        checkpoint_s,
        LEASE_S,
        clock=lambda: kafka.broker.now_s,
    )


def assert_exactly_once(broker: MemoryBroker, store: MemoryStore, n: int) -> None:
    """``n`` readings of every subject counted once in state, each a point of the store."""
    rows: dict[bytes, bytes] = {}
    for partition in broker.state:
        log = StateLog()
        for _, record in sorted(broker.state[partition].items()):
            log.add(*record)
        rows |= log.rows
    points = store.select(READING)
    assert len(rows) == 2 * (len(SUBJECTS) + 1)
    for key, value in rows.items():
        count, total, _ = json.loads(value)
        assert (count, total) == (n, n * (n - 1) // 2), key
        topic, subject = key.decode().split(" ")
        own = [p for p in points if p["subject"] == subject and p["analyte"] == topic]
        assert [p["time"] for p in own] == list(range(n + 1))
        assert own[0]["value"] == n
    for where, records in broker.inputs.items():
        assert broker.offsets[where] == len(records)
    assert {m.value for m in broker.sent} == {b"\xff\x00"}


async def test_outputs_then_state_then_offsets() -> None:
    broker, store = MemoryBroker(), MemoryStore()
    fill(broker, range(2))
    kafka = MemoryKafka(broker)

    class Watched:
        def write(self, measurement: Measurement, rows: Sequence[Row]) -> None:
            kafka.done.append("store")
            store.write(measurement, rows)

    session = session_of(kafka, Watched())
    await kafka.feed(session, frame=100)
    taken_over = len(kafka.done)
    await session.close(5.0)
    written = kafka.done[taken_over:]
    assert written[:2] == ["send", "store"]
    assert written[-1] == "commit"
    assert set(written[2:-1]) == {"state"}
    assert_exactly_once(broker, store, 2)


@pytest.mark.parametrize("frame", [1, 3, 100])
async def test_dying_at_every_step_counts_everything_once(frame: int) -> None:
    step, ended = 1, False
    while not ended:
        broker, store = MemoryBroker(), MemoryStore()
        fill(broker, range(3))
        kafka = MemoryKafka(broker)
        kafka.crash_at = step
        session = session_of(kafka, store, checkpoint_s=0.0)
        try:
            await kafka.feed(session, frame)
            await session.close(5.0)
            ended = True
        except Crash:
            await session.close(0.0)
        broker.generation += 1
        fill(broker, range(3, 4))
        survivor = MemoryKafka(broker)
        session = session_of(survivor, store, checkpoint_s=0.0)
        await survivor.feed(session, frame)
        await session.close(5.0)
        assert_exactly_once(broker, store, 4)
        step += 1
    assert step > 20


async def test_a_failed_session_confirms_nothing_more() -> None:
    """The engine fails in the middle of a frame: half of it must never be committed."""

    class Failing(CountingEngine):
        def process(self, records: Sequence[Record]) -> Outputs:
            if not self.counts:
                return super().process(records)
            super().process(records[:2])
            raise ZeroDivisionError

    broker, store = MemoryBroker(), MemoryStore()
    fill(broker, range(2))
    kafka = MemoryKafka(broker)
    now = [0.0]
    session = Session(
        1, PARTITIONS, Failing, PatientStore(store), kafka, 1.0, LEASE_S, lambda: now[0]
    )
    with pytest.raises(ZeroDivisionError):
        await kafka.feed(session, frame=3)
    now[0] = 2.0
    await session.checkpoint()
    await session.close(5.0)
    assert set(broker.offsets.values()) == {0}
    assert all(key.startswith(b"\x00") for key, _, _ in broker.state[0].values())


async def permitted() -> None:
    """Nobody else owns the partitions."""


class Flaky:
    """A store that fails the first ``failures`` writes."""

    def __init__(self, store: MemoryStore, failures: int, error: Exception) -> None:
        self.store, self.failures, self.error = store, failures, error

    def write(self, measurement: Measurement, rows: Sequence[Row]) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise self.error
        self.store.write(measurement, rows)


async def test_an_absent_store_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    store = MemoryStore()
    flaky = Flaky(store, 12, StoreUnavailable("away"))
    patient = PatientStore(flaky, pause, jitter=lambda: 1.0)
    outputs = CountingEngine(0)
    outputs.start({"readings": 0})
    rows = outputs.process([Record("readings", 0, 0, 0, b"ann-1", b'{"i": 0}')]).rows
    with caplog.at_level(logging.WARNING):
        await patient.write(rows, permitted)
    assert len(store.select(READING)) == 1
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == 15.0
    assert [record.message.split(",")[0] for record in caplog.records] == [
        "store unavailable",
        "store available again",
    ]


async def test_the_store_says_when_to_come_back() -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    flaky = Flaky(MemoryStore(), 1, StoreUnavailable("later", retry_after_s=42.0))
    await PatientStore(flaky, pause).write({READING: []}, permitted)
    assert pauses == []  # no rows, no request
    row = CountingEngine(0)
    row.start({"readings": 0})
    rows = row.process([Record("readings", 0, 0, 0, b"ann-1", b'{"i": 0}')]).rows
    await PatientStore(flaky, pause).write(rows, permitted)
    assert pauses == [42.0]


async def test_a_refusal_ends_the_session_uncommitted() -> None:
    broker = MemoryBroker()
    fill(broker, range(2))
    kafka = MemoryKafka(broker)
    session = session_of(kafka, Flaky(MemoryStore(), 99, StoreRefused("no such bucket")))
    await kafka.feed(session, frame=100)
    with pytest.raises(StoreRefused, match="no such bucket"):
        await session.close(5.0)
    assert set(broker.offsets.values()) == {0}


async def test_closing_without_a_store_leaves_all_to_the_next_owner() -> None:
    broker, store = MemoryBroker(), MemoryStore()
    fill(broker, range(2))
    kafka = MemoryKafka(broker)
    session = session_of(kafka, Flaky(store, 10**9, StoreUnavailable("away")))
    await kafka.feed(session, frame=100)
    await session.close(0.05)
    assert set(broker.offsets.values()) == {0}
    broker.generation += 1
    heir = MemoryKafka(broker)
    session = session_of(heir, store)
    await heir.feed(session, frame=100)
    await session.close(5.0)
    assert_exactly_once(broker, store, 2)


async def test_reading_pauses_while_the_store_is_away() -> None:
    """No more than the frames of one checkpoint are taken in, and a later one waits."""
    broker, store = MemoryBroker(), MemoryStore()
    fill(broker, range(20))
    kafka = MemoryKafka(broker)
    away = Flaky(store, 10**9, StoreUnavailable("away"))
    session = session_of(kafka, away, checkpoint_s=0.0)
    feeding = asyncio.create_task(kafka.feed(session, frame=1))
    for _ in range(2000):
        await asyncio.sleep(0)
    assert sum(kafka.reads.values()) <= 3
    away.failures = 0
    await asyncio.wait_for(feeding, 30)
    await session.close(5.0)
    assert_exactly_once(broker, store, 20)


def test_the_outbox_keeps_the_order() -> None:
    outbox = Outbox()
    outbox.add(Outputs({READING: [(1,), (2,)]}, [OutMessage("a", None, b"1", [])]))
    outbox.add(Outputs({READING: [(3,)]}, [OutMessage("a", None, b"2", [])]))
    taken = outbox.take()
    assert taken.rows == {READING: [(1,), (2,), (3,)]}
    assert [message.value for message in taken.messages] == [b"1", b"2"]
    assert outbox.take() == Outputs()


def test_a_dead_letter_that_kafka_would_not_take_is_cut_and_says_so() -> None:
    headers = [("reason", b"too-large"), ("detail", b"over a mebibyte")]
    small = OutMessage(DEAD_LETTERS.name, b"ann-1", b"x" * READINGS.max_message_bytes, headers)
    assert sendable(small) is small
    large = OutMessage(DEAD_LETTERS.name, b"ann-1", b"x" * 20_000_000, headers)
    cut = sendable(large)
    assert cut.value == b"x" * 65_536
    assert cut.headers[0] == headers[0]
    assert cut.headers[1][1].startswith(b"over a mebibyte (the record had 20000000 bytes")
    other = OutMessage("estimates", b"ann-1", b"x" * 20_000_000, [])
    assert sendable(other) is other
