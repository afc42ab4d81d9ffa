"""An engine that counts: small enough to be surely right, so that what fails is the rim.

A reading is ``{"i": n}`` with the subject as key. A subject's row keeps how many readings it has
absorbed, their sum and the last offset. Every reading is a row of the store, and the count so far
is one more row of each subject.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from processors.engine_port import OutMessage, Outputs, Record
from schemas.dead_letters import DeadLetter
from schemas.errors import Reason
from schemas.measurements import READING, Row
from schemas.topics import DEAD_LETTERS


class CountingEngine:
    """`processors.engine_port.PartitionEngine` that counts readings by subject and topic."""

    def __init__(self, number: int) -> None:
        self.number = number
        # Row key "topic subject" -> [readings, sum of their numbers, last offset].
        self.counts: dict[bytes, list[int]] = {}
        self._changed: set[bytes] = set()
        self._unsettled: set[bytes] = set()
        self._positions: dict[str, int] = {}

    def restore(self, key: bytes, value: bytes) -> None:
        self.counts[key] = json.loads(value)

    def start(self, committed: Mapping[str, int]) -> None:
        self._positions = dict(committed)

    def process(self, records: Sequence[Record]) -> Outputs:
        outputs = Outputs()
        rows = outputs.rows.setdefault(READING, [])
        for record in records:
            assert record.offset >= self._positions[record.topic], "the rim went back"
            self._positions[record.topic] = record.offset + 1
            try:
                i = int(json.loads(record.value or b"")["i"])
            except (ValueError, KeyError, TypeError):
                outputs.messages.append(_dead_letter(record))
                continue
            assert record.key is not None
            key = record.topic.encode() + b" " + record.key
            count = self.counts.setdefault(key, [0, 0, -1])
            if record.offset <= count[2]:
                continue
            count[0] += 1
            count[1] += i
            count[2] = record.offset
            self._changed.add(key)
            self._unsettled.add(key)
            rows.append(_row(key, i + 1, i))
        return outputs

    def settle(self) -> Outputs:
        rows = [_row(key, 0, self.counts[key][0]) for key in sorted(self._unsettled)]
        self._unsettled.clear()
        return Outputs({READING: rows})

    def changes(self) -> list[tuple[bytes, bytes | None]]:
        rows = [(key, json.dumps(self.counts[key]).encode()) for key in sorted(self._changed)]
        self._changed.clear()
        return [*rows]

    def position(self, topic: str) -> int:
        return self._positions[topic]


def _row(key: bytes, time_ms: int, value: float) -> Row:
    topic, subject = key.decode().split(" ")
    tags = {"site": "default", "subject": subject, "analyte": topic, "time": time_ms}
    fields = {
        "value": float(value),
        "low": 0.0,
        "high": 0.0,
        "n": 1,
        "clock_hour": 0.0,
        "live": True,
    }
    return tuple((tags | fields).get(column) for column in READING.columns)


def _dead_letter(record: Record) -> OutMessage:
    letter = DeadLetter(
        reason=Reason.UNDECODABLE,
        detail="not a counted reading",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        time=datetime.fromtimestamp(record.timestamp_ms / 1000, UTC),
    )
    return OutMessage(DEAD_LETTERS.name, record.key, record.value, letter.headers())
