"""What the topic ``state`` says, and who may say it: take-over, zombies, compaction."""

from __future__ import annotations

import asyncio
import random

import pytest

from processors.engine_port import ForeignState
from processors.recovery import StateLog, mark_key, state_headers
from processors.session import Session
from processors.store.memory import MemoryStore
from schemas.measurements import READING
from tests.processors.memory_kafka import Crash, MemoryBroker, MemoryKafka
from tests.processors.test_checkpoint import (
    assert_exactly_once,
    fill,
    session_of,
)


def at(generation: int, readings: int = 0) -> list[tuple[str, bytes]]:
    return state_headers(generation, {"readings": readings, "events": 5})


def test_the_last_value_of_each_key_counts() -> None:
    log = StateLog()
    for key, value in ((b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"b", None), (b"c", None)):
        log.add(key, value, at(1))
    assert log.rows == {b"a": b"2"}
    assert log.start({"readings": 9}) == {"readings": 9}
    assert log.repairs(own=1) == []


def test_a_late_record_of_an_older_generation_rewinds() -> None:
    log = StateLog()
    log.add(b"a", b"1", at(4, readings=100))
    log.add(mark_key(5), b"1", at(5, readings=100))
    log.add(b"a", b"2", at(4, readings=80))
    log.add(b"b", b"1", at(5, readings=120))
    log.add(mark_key(6), b"1", at(6, readings=120))
    assert log.rows == {b"a": b"2", b"b": b"1"}
    assert log.start({"readings": 120, "events": 7}) == {"readings": 80, "events": 5}
    assert log.start({"readings": 70}) == {"readings": 70}
    assert log.repairs(own=6) == [(b"a", b"2"), (mark_key(5), None)]


def test_an_owner_who_wrote_after_the_zombie_settles_it() -> None:
    log = StateLog()
    log.add(mark_key(5), b"1", at(5))
    log.add(b"a", b"2", at(4, readings=80))
    log.add(b"a", b"3", at(5, readings=120))
    assert log.start({"readings": 120}) == {"readings": 120}
    assert log.rows == {b"a": b"3"}


def test_a_late_tombstone_is_a_zombies_as_well() -> None:
    log = StateLog()
    log.add(b"a", b"1", at(5, readings=100))
    log.add(b"a", None, at(4, readings=80))
    assert log.start({"readings": 120}) == {"readings": 80}
    assert log.repairs(own=6) == [(b"a", None)]


@pytest.mark.parametrize(
    "headers", [[], [("generation", b"x"), ("positions", b"")], [("generation", b"1")]]
)
def test_a_record_of_somebody_else_is_refused(headers: list[tuple[str, bytes]]) -> None:
    with pytest.raises(ForeignState, match="of its own"):
        StateLog().add(b"a", b"1", headers)
    with pytest.raises(ForeignState, match="not ours"):
        StateLog().add(None, b"1", at(1))


@pytest.mark.parametrize("compacting", [False, True])
async def test_a_paused_worker_cannot_take_state_back(compacting: bool) -> None:
    """A paused before writing state; B takes over and finishes; A wakes and writes its old rows."""
    pause, zombie_wrote = 1, 0
    while True:
        broker, store = MemoryBroker(), MemoryStore()
        fill(broker, range(3))
        paused = MemoryKafka(broker)
        paused.pause_at = pause
        session = session_of(paused, store, checkpoint_s=0.0)
        feeding = asyncio.create_task(_feed_and_close(paused, session, 2))
        await _until_stuck(paused, feeding)
        if feeding.done():
            break

        broker.give_to_another()
        fill(broker, range(3, 5))
        heir = MemoryKafka(broker)
        heirs = session_of(heir, store, checkpoint_s=0.0)
        await heir.feed(heirs, 3)
        await heirs.close(5.0)

        ends = dict(broker.state_ends)
        paused.awake.set()
        await feeding
        zombie_wrote += broker.state_ends != ends
        if compacting:
            broker.compact()

        # The third owner may die at any step of its own; the fourth settles it.
        for step in (1, 3, 5, 8, None):
            broker.generation += 1
            later = MemoryKafka(broker)
            later.crash_at = step
            third = session_of(later, store, checkpoint_s=0.0)
            try:
                await later.feed(third, 4)
                await third.close(5.0)
            except Crash:
                await third.close(0.0)
            if compacting:
                broker.compact()
        fill(broker, range(5, 6))
        broker.generation += 1
        last = MemoryKafka(broker)
        fourth = session_of(last, store)
        await last.feed(fourth, 100)
        await fourth.close(5.0)
        assert_exactly_once(broker, store, 6)
        pause += 1
    assert zombie_wrote > 10


async def test_a_paused_worker_puts_nothing_old_over_newer_rows() -> None:
    """The newest owner is done and nothing more will come, so nothing would mend the store."""
    pause = 1
    while True:
        broker, store = MemoryBroker(), MemoryStore()
        fill(broker, range(3))
        paused = MemoryKafka(broker)
        paused.pause_at = pause
        session = session_of(paused, store, checkpoint_s=0.0)
        feeding = asyncio.create_task(_feed_and_close(paused, session, 2))
        await _until_stuck(paused, feeding)
        if feeding.done():
            break

        broker.give_to_another()
        fill(broker, range(3, 5))
        heir = MemoryKafka(broker)
        heirs = session_of(heir, store, checkpoint_s=0.0)
        await heir.feed(heirs, 3)
        await heirs.close(5.0)
        left = store.select(READING)
        paused.awake.set()
        await feeding
        assert store.select(READING) == left, f"paused at step {pause}"
        pause += 1
    assert pause > 20


@pytest.mark.parametrize("seed", range(60))
async def test_any_history_of_owners_counts_once(seed: int) -> None:
    """Owners come, die, are paused past their time and wake; the broker compacts when it likes."""
    chance = random.Random(seed)
    broker, store = MemoryBroker(), MemoryStore()
    n, sleepers = 0, []
    for _ in range(chance.randrange(3, 9)):
        fill(broker, range(n, n + 2))
        n += 2
        kafka = MemoryKafka(broker)
        session = session_of(kafka, store, chance.choice([0.0, 1e9]))
        if chance.random() < 0.4:
            kafka.crash_at = chance.randrange(1, 40)
        elif chance.random() < 0.6:
            kafka.pause_at = chance.randrange(1, 40)
        task = asyncio.create_task(_feed_and_close(kafka, session, chance.randrange(1, 9)))
        await _until_stuck(kafka, task)
        if not task.done():
            sleepers.append((kafka, task))
        broker.give_to_another()
        if chance.random() < 0.5:
            broker.compact()
        if sleepers and chance.random() < 0.5:
            woken, sleeping = sleepers.pop(chance.randrange(len(sleepers)))
            woken.awake.set()
            await sleeping
        if chance.random() < 0.3:
            broker.compact()
    for woken, sleeping in sleepers:
        woken.awake.set()
        await sleeping
    last = MemoryKafka(broker)
    fill(broker, range(n, n + 1))
    session = session_of(last, store)
    await last.feed(session, 3)
    await session.close(5.0)
    assert_exactly_once(broker, store, n + 1)


async def test_a_group_that_was_made_anew_counts_on() -> None:
    """The group's generation starts at 1 again, while ``state`` remembers a higher one."""
    broker, store = MemoryBroker(), MemoryStore()
    for generation, numbers in ((50, range(2)), (1, range(2, 4)), (2, range(4, 6))):
        broker.generation = generation
        fill(broker, numbers)
        kafka = MemoryKafka(broker)
        session = session_of(kafka, store)
        await kafka.feed(session, 5)
        await session.close(5.0)
        broker.compact()
    assert_exactly_once(broker, store, 6)
    rewound = [value for key, value, _ in broker.state[0].values() if key == mark_key(52)]
    assert rewound == [b"1"]


async def test_a_frame_behind_a_hole_is_asked_for_again() -> None:
    broker, store = MemoryBroker(), MemoryStore()
    fill(broker, range(3))
    records = broker.inputs["readings", 0]
    kafka = MemoryKafka(broker)
    session = session_of(kafka, store)
    await session.process("readings", 0, records[4:6])
    assert kafka.reads == {("readings", 0): 0}
    await session.process("readings", 0, records[:3])
    await session.process("readings", 0, records[2:])  # overlaps: the rest is taken
    await kafka.feed(session, 100)
    await session.close(5.0)
    assert_exactly_once(broker, store, 3)


async def test_offsets_that_are_gone_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    broker = MemoryBroker()
    fill(broker, range(3))
    records = broker.inputs["readings", 0]
    kafka = MemoryKafka(broker)
    session = session_of(kafka, MemoryStore())
    await session.process("readings", 0, records[4:])
    await session.process("readings", 0, records[4:])
    await session.close(5.0)
    assert "readings/0: offsets 0 to 3 are gone" in caplog.text
    assert broker.offsets["readings", 0] == len(records)


async def test_a_worker_that_lost_its_place_stops_quietly() -> None:
    broker, store = MemoryBroker(), MemoryStore()
    fill(broker, range(2))
    kafka = MemoryKafka(broker)
    session = session_of(kafka, store, checkpoint_s=0.0)
    broker.generation += 1
    await kafka.feed(session, 2)
    assert session.lost
    assert broker.state == {}
    await session.process("readings", 0, broker.inputs["readings", 0])
    await session.checkpoint()
    await session.close(5.0)
    assert broker.offsets == {}


async def test_partitions_of_others_are_left_alone() -> None:
    broker = MemoryBroker()
    fill(broker, range(2))
    kafka = MemoryKafka(broker)
    session = Session(1, {("readings", 1)}, _NoEngine, None, kafka, 0.0, 0.0, lambda: 0.0)  # type: ignore[arg-type]
    await session.process("readings", 0, broker.inputs["readings", 0])
    assert kafka.done == []


class _NoEngine:
    def __init__(self, number: int) -> None:
        raise AssertionError(f"partition {number} is not ours")


async def _feed_and_close(kafka: MemoryKafka, session: Session, frame: int) -> None:
    try:
        await kafka.feed(session, frame)
        await session.close(5.0)
    except Crash:
        await session.close(0.0)


async def _until_stuck(kafka: MemoryKafka, task: asyncio.Task[None]) -> None:
    """Until the worker is done, or paused with nothing left to do but wait."""
    while not task.done() and kafka.awake.is_set():
        await asyncio.sleep(0)
