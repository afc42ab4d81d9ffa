"""What the rim asks of an engine, and what passes between them.

The rim (frames, session, checkpoint, recovery) moves records and keeps state alive; the engine
knows what they mean. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from schemas.errors import AcrophaseError
from schemas.measurements import Measurement, Row


class ForeignState(AcrophaseError):
    """The topic ``state`` holds what no worker of this version wrote."""


class Record(NamedTuple):
    """One Kafka record, still bytes; ``timestamp_ms`` is Kafka's, in epoch milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    # Sent again from the dead letters: positions in the batch that were refused, () all of it.
    replayed: tuple[int, ...] | None = None


class OutMessage(NamedTuple):
    """One Kafka message to send; the key chooses the partition."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


StateRow = tuple[bytes, bytes | None]  # key, value; None is a tombstone


@dataclass(slots=True)
class Outputs:
    """What follows from a frame: rows for the store and messages for Kafka.

    Both are functions of series and event time, so writing them again changes nothing.
    """

    rows: dict[Measurement, list[Row]] = field(default_factory=dict)
    messages: list[OutMessage] = field(default_factory=list)

    def add(self, measurement: Measurement, rows: list[Row]) -> None:
        """Add rows of one measurement; where two are the same row, the later one wins."""
        if rows:
            self.rows.setdefault(measurement, []).extend(rows)


class PartitionEngine(Protocol):
    """All state of one partition number, for every input topic."""

    def restore(self, key: bytes, value: bytes) -> None:
        """Take over one row of the state topic; called before `start`, once a key.

        Raises `ForeignState` if it is none that this version has written.
        """
        ...

    def start(self, committed: Mapping[str, int]) -> None:
        """Begin: ``committed`` maps each input topic to the next offset to read."""
        ...

    def process(self, records: Sequence[Record]) -> Outputs:
        """Work through one frame: records of one topic in offset order."""
        ...

    def settle(self) -> Outputs:
        """Provisional outputs of everything that changed since the last call."""
        ...

    def changes(self) -> Sequence[StateRow]:
        """State rows that changed since the last call, each as it is now.

        Keys beginning with a NUL byte belong to the rim.
        """
        ...

    def position(self, topic: str) -> int:
        """Next offset to read of an input topic."""
        ...


EngineFactory = Callable[[int], PartitionEngine]
