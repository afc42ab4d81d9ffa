"""Kafka as the rim uses it, through the clients that Faust and aiokafka bring.

Faust keeps its consumer on a thread with a loop of its own; what touches that consumer runs
there. This is the one place that reaches below Faust's surface (``_thread``, ``_consumer``,
``_producer``), which is why the versions of Faust and aiokafka are pinned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    CommitFailedError,
    ConsumerStoppedError,
    IllegalGenerationError,
    IllegalOperation,
    IllegalStateError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as AioTopicPartition
from faust.exceptions import FaustError
from faust.types import TP

from processors.checkpoint import OwnershipLost, TopicPartition
from processors.engine_port import OutMessage, StateRow
from processors.recovery import Headers, StateLog
from schemas.errors import BrokerUnavailable, DeliveryError
from schemas.topics import DEAD_LETTERS, READINGS, Topic

_T = TypeVar("_T")

# Two of aiokafka's errors are not of its own tree.
_FAILED = (KafkaError, ConsumerStoppedError, IllegalOperation)
_NOT_OURS = (
    CommitFailedError,
    ConsumerStoppedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
_SILENT_S = 30.0
_FETCH_WAIT_MS = 50
_KEPT_BYTES = 65_536
_STATE_FETCH_BYTES = 16 * 1_048_576


class FaustKafka:
    """`processors.checkpoint.Kafka` over a running Faust app."""

    def __init__(self, app: faust.App, bootstrap: str, state: Topic) -> None:
        self._app: Any = app  # what is needed of it is not part of its types
        self._bootstrap = bootstrap
        self._state = state
        self._reader: AIOKafkaConsumer | None = None
        self._choose_partition = DefaultPartitioner()

    async def send(self, messages: Sequence[OutMessage]) -> None:
        """Send and wait until all are delivered; raises ``DeliveryError``."""
        if not messages:
            return
        producer = self._app.producer._producer
        places: dict[TopicPartition, list[OutMessage]] = {}
        try:
            numbers = {
                topic: sorted(await producer.partitions_for(topic))
                for topic in {message.topic for message in messages}
            }
            for message in map(sendable, messages):
                # as every client chooses by key, so that readers of the topic may rely on it
                all_numbers = numbers[message.topic]
                number = self._choose_partition(message.key, all_numbers, all_numbers)
                places.setdefault((message.topic, number), []).append(message)
            await self._send_batches(
                [
                    (place, [(each.key, each.value, list(each.headers)) for each in group])
                    for place, group in places.items()
                ]
            )
        except (*_FAILED, FaustError) as error:
            topics = sorted({message.topic for message in messages})
            raise _undelivered(", ".join(topics), len(messages), error) from error

    async def write_state(self, partition: int, rows: Sequence[StateRow], headers: Headers) -> int:
        """Write rows to one partition of ``state``; returns the last one's offset."""
        where = (self._state.name, partition)
        try:
            return await self._send_batches(
                [(where, [(key, value, headers) for key, value in rows])]
            )
        except _FAILED as error:
            raise _undelivered(self._state.name, len(rows), error) from error

    async def _send_batches(
        self,
        records: Sequence[
            tuple[TopicPartition, Sequence[tuple[bytes | None, bytes | None, Headers]]]
        ],
    ) -> int:
        """Send records, grouped by partition, and wait; returns the last one's offset.

        Batches are built here, at a tenth of the cost of handing over each record (measured).
        """
        producer = self._app.producer._producer
        pending = []
        n = 0
        for (topic, partition), group in records:
            batch = producer.create_batch()
            for key, value, headers in group:
                record: dict[str, Any] = {"timestamp": None, "key": key, "value": value}
                if batch.append(**record, headers=headers) is None:
                    batch.close()
                    pending.append(await producer.send_batch(batch, topic, partition=partition))
                    batch = producer.create_batch()
                    batch.append(**record, headers=headers)
            n = batch.record_count()
            batch.close()
            pending.append(await producer.send_batch(batch, topic, partition=partition))
        delivered = await asyncio.gather(*pending)
        return int(delivered[-1].offset + n - 1)

    async def read_state(self, partition: int, start: int, end: int, into: StateLog) -> None:
        """Add the records of offsets start..end (inclusive) to ``into``."""
        where = AioTopicPartition(self._state.name, partition)
        try:
            reader = await self._state_reader()
            reader.assign([where])
            if start:
                reader.seek(where, start)
            else:
                await reader.seek_to_beginning(where)
            while await reader.position(where) <= end:
                fetched = await asyncio.wait_for(
                    reader.getmany(where, timeout_ms=int(_SILENT_S * 1000), max_records=10_000),
                    2 * _SILENT_S,
                )
                if not fetched:
                    raise DeliveryError(
                        f"Kafka sent nothing of {self._state.name}/{partition} for "
                        f"{_SILENT_S:.0f} s",
                        0,
                    )
                for record in fetched[where]:
                    if record.offset <= end:
                        into.add(record.key, record.value, record.headers)
            reader.unsubscribe()  # or it would go on fetching
        except (*_FAILED, TimeoutError) as error:
            raise DeliveryError(f"state cannot be read from Kafka: {error!r}", 0) from error

    async def commit(self, offsets: Mapping[TopicPartition, int], generation: int) -> None:
        """Commit next offsets as a member of ``generation``; raises `OwnershipLost`."""
        await self._on_consumer_thread(self._commit(offsets, generation))

    async def committed(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Committed next offsets; the earliest one available where nothing was committed."""
        found = await self._on_consumer_thread(self._committed(partitions))
        offsets = {where: offset for where, offset in found.items() if offset is not None}
        if unknown := [AioTopicPartition(*where) for where in found if found[where] is None]:
            # Not over the group's consumer: the broker would answer after its pending fetch.
            try:
                reader = await self._state_reader()
                for where, offset in (await reader.beginning_offsets(unknown)).items():
                    offsets[tuple(where)] = offset
            except _FAILED as error:
                raise DeliveryError(f"Kafka does not tell the offsets: {error!r}", 0) from error
        return offsets

    async def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on reading an assigned input partition at ``offset``."""
        try:
            await self._app.consumer.seek_wait({TP(*partition): offset})
        except _NOT_OURS as error:
            raise OwnershipLost(str(error)) from error
        except _FAILED as error:
            raise DeliveryError(f"Kafka cannot be read from there: {error!r}", 0) from error

    def fetch_promptly(self) -> None:
        """Do not let a partition without news hold up those that have some; once assigned.

        One fetch at a time waits at each broker, only for the partitions whose records are used
        up: often those without traffic. Faust fixes that wait at 1.5 s, and so it was what a
        reading had to wait at worst (measured).
        """
        self._app.consumer._thread._consumer._fetcher._fetch_max_wait_ms = _FETCH_WAIT_MS

    async def close(self) -> None:
        """Let go of the connection that reads state."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.stop()

    async def _state_reader(self) -> AIOKafkaConsumer:
        if self._reader is None:
            reader = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                enable_auto_commit=False,
                max_partition_fetch_bytes=_STATE_FETCH_BYTES,
            )
            await reader.start()
            self._reader = reader
        return self._reader

    async def _on_consumer_thread(self, work: Coroutine[Any, Any, _T]) -> _T:
        loop = self._app.consumer._thread.thread_loop
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))

    async def _commit(self, offsets: Mapping[TopicPartition, int], generation: int) -> None:
        consumer = self._app.consumer._thread._consumer
        # aiokafka commits under whatever generation it has by now. Nothing else runs on its loop
        # between this question and the request's header.
        current = consumer._coordinator.generation
        if current != generation:
            raise OwnershipLost(f"the group is at generation {current}, this was {generation}")
        try:
            await consumer.commit(
                {
                    AioTopicPartition(*partition): OffsetAndMetadata(offset, "")
                    for partition, offset in offsets.items()
                }
            )
        except _NOT_OURS as error:
            raise OwnershipLost(str(error)) from error
        except _FAILED as error:
            raise DeliveryError(f"Kafka did not take the offsets: {error!r}", 0) from error

    async def _committed(
        self, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int | None]:
        consumer = self._app.consumer._thread._consumer
        try:
            return {
                where: await consumer.committed(AioTopicPartition(*where)) for where in partitions
            }
        except _NOT_OURS as error:
            raise OwnershipLost(str(error)) from error
        except _FAILED as error:
            raise DeliveryError(f"Kafka does not tell the offsets: {error!r}", 0) from error


async def require_topics(bootstrap: str, topics: Sequence[Topic], within_s: float = 10.0) -> int:
    """Number of partitions that all the topics share.

    Raises ``BrokerUnavailable`` if no broker answers in time, or if a topic is missing or the
    numbers differ: a person's readings, events and state must meet in one worker.
    """
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=int(within_s * 1000))
    try:
        async with asyncio.timeout(within_s):
            await client.bootstrap()
            cluster = await client.fetch_all_metadata()
    except (*_FAILED, TimeoutError, OSError) as error:
        raise BrokerUnavailable(
            f"no Kafka broker answers at {bootstrap} within {within_s:.0f} s: start one, or give "
            f"the right address ({type(error).__name__})"
        ) from error
    finally:
        await client.close()
    found = {topic.name: len(cluster.partitions_for_topic(topic.name) or ()) for topic in topics}
    if missing := [name for name, partitions in found.items() if not partitions]:
        raise BrokerUnavailable(
            f"Kafka at {bootstrap} has no topic {', '.join(missing)}: run `acrophase topics create`"
        )
    if len(set(found.values())) > 1:
        told = ", ".join(f"{name} {partitions}" for name, partitions in found.items())
        raise BrokerUnavailable(
            f"these topics must have the same number of partitions, but they have: {told}"
        )
    return next(iter(found.values()))


def sendable(message: OutMessage) -> OutMessage:
    """The message itself, or as much of a dead letter as Kafka takes.

    The limit holds for compressed bytes on the way in and for plain ones on the way out, so a few
    kilobytes of compressed nothing could otherwise never be worked off.
    """
    value = message.value or b""
    if message.topic != DEAD_LETTERS.name or len(value) <= READINGS.max_message_bytes:
        return message
    note = f" (the record had {len(value)} bytes, the first {_KEPT_BYTES} are kept)".encode()
    headers = [
        (name, content + note if name == "detail" else content) for name, content in message.headers
    ]
    return OutMessage(message.topic, message.key, value[:_KEPT_BYTES], headers)


def _undelivered(topic: str, n: int, error: Exception) -> DeliveryError:
    return DeliveryError(f"Kafka did not confirm records for {topic}: {error!r}", n)
