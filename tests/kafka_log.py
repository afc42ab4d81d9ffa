"""What lies in Kafka, for tests: records of a partition, offsets of a group."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition

_WITHIN_S = 30.0
_LARGEST_FETCH = 32 * 1_048_576


def records_of(address: str, topic: str, partition: int = 0) -> Iterator[Any]:
    """All records of a partition as kafka-python gives them.

    Up to the end that the first fetch tells: the embedded broker's ``latest`` offset is wrong.
    """
    consumer = KafkaConsumer(
        bootstrap_servers=address,
        enable_auto_commit=False,
        max_partition_fetch_bytes=_LARGEST_FETCH,
    )
    try:
        where = TopicPartition(topic, partition)
        consumer.assign([where])
        consumer.seek_to_beginning(where)
        limit, end = time.monotonic() + _WITHIN_S, None
        while end is None or consumer.position(where) < end:
            assert time.monotonic() < limit, f"{topic}/{partition} cannot be read"
            yield from consumer.poll(timeout_ms=500).get(where, [])
            end = consumer.highwater(where) if end is None else end
    finally:
        consumer.close()


class GroupOffsets:
    """Committed offsets of a consumer group, as somebody sees them who is no member."""

    def __init__(self, address: str, group: str) -> None:
        self._turn = threading.Lock()  # the consumer is for one thread at a time
        self._consumer = KafkaConsumer(
            bootstrap_servers=address, group_id=group, enable_auto_commit=False
        )

    def committed(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Next offset of each partition; 0 where nothing was committed."""
        with self._turn:
            return {
                each: self._consumer.committed(TopicPartition(*each)) or 0 for each in partitions
            }

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()
