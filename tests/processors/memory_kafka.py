"""Kafka in memory, as far as the rim uses it: `processors.checkpoint.Kafka` on lists."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from processors.checkpoint import OwnershipLost, TopicPartition
from processors.engine_port import OutMessage, Record, StateRow
from processors.recovery import Headers, StateLog
from processors.session import Session

StateRecord = tuple[bytes, bytes | None, Headers]


SESSION_S, LEASE_S = 8.0, 4.0


class MemoryBroker:
    """Topics and committed offsets. ``generation`` is the group's, the only one that may commit."""

    def __init__(self) -> None:
        self.inputs: dict[TopicPartition, list[Record]] = {}
        self.state: dict[int, dict[int, StateRecord]] = {}
        self.state_ends: dict[int, int] = {}
        self.sent: list[OutMessage] = []
        self.offsets: dict[TopicPartition, int] = {}
        self.generation = 1
        self.now_s = 0.0

    def give_to_another(self) -> None:
        """A worker has been silent for a whole session: a new generation begins without it."""
        self.now_s += SESSION_S
        self.generation += 1

    def publish(self, topic: str, partition: int, key: str, value: bytes) -> None:
        """Append one input record."""
        records = self.inputs.setdefault((topic, partition), [])
        records.append(Record(topic, partition, len(records), 0, key.encode(), value))

    def append_state(self, partition: int, record: StateRecord) -> int:
        """Append one state record; returns its offset."""
        offset = self.state_ends.get(partition, 0)
        self.state.setdefault(partition, {})[offset] = record
        self.state_ends[partition] = offset + 1
        return offset

    def compact(self) -> None:
        """Keep the last record of each key, as a broker may do at any time; offsets stay."""
        for records in self.state.values():
            last = {key: offset for offset, (key, _, _) in records.items()}
            for offset in set(records) - set(last.values()):
                del records[offset]


class MemoryKafka:
    """One worker's client. Each operation passes `step` before and after it."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.broker = broker
        self.reads: dict[TopicPartition, int] = {}
        self.done: list[str] = []
        self.crash_at: int | None = None
        self.pause_at: int | None = None
        self.awake = asyncio.Event()
        self.awake.set()
        self.steps = 0

    async def step(self, name: str) -> None:
        """Where a worker may die (`crash_at`) or be paused (`pause_at`), counted from 1."""
        await asyncio.sleep(0)
        self.steps += 1
        if self.steps == self.pause_at:
            self.awake.clear()
        await self.awake.wait()
        if self.crash_at is not None and self.steps >= self.crash_at:
            raise Crash(name)
        self.done.append(name)

    async def send(self, messages: Sequence[OutMessage]) -> None:
        await self.step("send")
        self.broker.sent.extend(messages)

    async def write_state(self, partition: int, rows: Sequence[StateRow], headers: Headers) -> int:
        offset = -1
        for key, value in rows:
            await self.step("state")
            offset = self.broker.append_state(partition, (key, value, headers))
        return offset

    async def read_state(self, partition: int, start: int, end: int, into: StateLog) -> None:
        await self.step("read")
        for offset, record in sorted(self.broker.state[partition].items()):
            if start <= offset <= end:
                into.add(*record)

    async def commit(self, offsets: Mapping[TopicPartition, int], generation: int) -> None:
        await self.step("commit")
        if generation != self.broker.generation:
            raise OwnershipLost(f"generation {generation}, not {self.broker.generation}")
        self.broker.offsets.update(offsets)

    async def committed(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        await self.step("committed")
        return {each: self.broker.offsets.get(each, 0) for each in partitions}

    async def seek(self, partition: TopicPartition, offset: int) -> None:
        self.reads[partition] = offset

    async def feed(self, session: Session, frame: int, frames: int | None = None) -> None:
        """Hand the session what is there, in frames of so many records; at most ``frames``."""
        inputs = self.broker.inputs
        for where in inputs:
            self.reads.setdefault(where, self.broker.offsets.get(where, 0))
        busy = True
        while busy and not session.lost:
            busy = False
            for where in sorted(inputs):
                records = inputs[where][self.reads[where] :][:frame]
                if records and (frames is None or frames > 0):
                    busy = True
                    frames = None if frames is None else frames - 1
                    self.reads[where] += len(records)
                    await session.process(*where, records)


class Crash(Exception):
    """The worker died here."""
