"""How records arrive: one frame per partition and poll.

Faust costs some 65-110 microseconds for every event it hands to an agent. Its setting
``ConsumerScheduler`` takes a class that turns the records of one poll into events; this one makes
a single event of all records of a partition, so that the cost is paid once per frame.

    - (readings/3, 17) (readings/3, 18) (readings/5, 4) (readings/3, 19)
    + Frame(readings/3, 17..19) Frame(readings/5, 4)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from faust.types import TP
from faust.types.transports import SchedulingStrategyT

from processors.engine_port import Record
from schemas.dead_letters import REPLAYED_HEADER


class FetchedRecord(Protocol):
    """What a frame needs of a record as aiokafka fetched it."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def timestamp_type(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Frame:
    """Records of one partition in offset order, dressed as one record for Faust.

    Its offset is the last one's, its value the tuple of `Record`.
    """

    # What Faust reads off any fetched record besides the fields set below.
    key = None
    headers: tuple[tuple[str, bytes], ...] = ()
    checksum = None
    serialized_key_size = 0
    serialized_value_size = 0

    __slots__ = ("offset", "partition", "timestamp", "timestamp_type", "topic", "value")

    def __init__(self, topic: str, partition: int, fetched: Sequence[FetchedRecord]) -> None:
        last = fetched[-1]
        self.topic = topic
        self.partition = partition
        self.offset = last.offset
        self.timestamp = last.timestamp
        self.timestamp_type = last.timestamp_type
        # Not Record(...): its constructor is a Python function, and would be a tenth of the cost
        # of a record's whole way.
        make = Record._make
        self.value = tuple(
            [
                make(
                    (
                        topic,
                        partition,
                        r.offset,
                        r.timestamp,
                        r.key,
                        r.value,
                        bool(r.headers) and any(name == REPLAYED_HEADER for name, _ in r.headers),
                    )
                )
                for r in fetched
            ]
        )


class FrameScheduler(SchedulingStrategyT):
    """Faust's ``ConsumerScheduler``: yields one frame for each partition of a poll."""

    def __init__(self) -> None:
        """Nothing to prepare; Faust calls it without arguments."""

    def iterate(self, records: Mapping[Any, Sequence[FetchedRecord]]) -> Iterator[tuple[TP, Frame]]:
        """Frames of one poll; ``records`` maps topic partitions to fetched records."""
        for partition, fetched in records.items():
            if fetched:
                topic, number = partition
                yield TP(topic, number), Frame(topic, number, fetched)
