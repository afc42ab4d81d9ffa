"""The worker's judging over files: the same engine, one partition, no broker.

Events are taken in before readings, so that profiles and doses are known to all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, TypeAdapter

from processors.engine import Partition, Policy
from processors.engine_port import OutMessage, Outputs, Record
from processors.store.memory import MemoryStore
from schemas.catalogue import Catalogue
from schemas.dead_letters import DeadLetter
from schemas.errors import InputFileError
from schemas.measurements import ALERT, DEVIATION, MARKER, PROFILE, RHYTHM, Measurement
from schemas.topics import DEAD_LETTERS, EVENTS, READINGS

_FRAME = 1_000
# The contract's own reader of times: Python's knows other spellings, and not "z".
_TIME = TypeAdapter(AwareDatetime)
RESULTS: tuple[Measurement, ...] = (RHYTHM, PROFILE, MARKER, DEVIATION, ALERT)


class Offline:
    """One run over files of wire-format records, one JSON record a line."""

    def __init__(self, catalogue: Catalogue, policy: Policy) -> None:
        self._partition = Partition(0, catalogue, policy)
        self._partition.start({READINGS.name: 0, EVENTS.name: 0})
        self._store = MemoryStore()
        self._dead_letters: list[dict[str, Any]] = []

    def take(self, topic: str, lines: Iterable[bytes]) -> None:
        """Work through the lines of one file as records of `topic`."""
        frame: list[Record] = []
        last_ms = 0
        for number, line in enumerate(lines):
            value = line.rstrip(b"\r\n")
            if not value.strip():
                continue
            subject, last_ms = _heading(value, last_ms)
            frame.append(Record(topic, 0, number, last_ms, subject, value))
            if len(frame) == _FRAME:
                self._keep(self._partition.process(frame))
                frame = []
        self._keep(self._partition.process(frame))

    def results(self) -> Iterator[dict[str, Any]]:
        """Everything found, in order of time; each has a `type`. Times are RFC 3339, UTC."""
        self._keep(self._partition.settle())
        found: list[tuple[str, dict[str, Any]]] = []
        for measurement in RESULTS:
            times = {"time", *(c.name for c in measurement.fields if c.type == "time")}
            for row in self._store.select(measurement):
                for name in times:
                    row[name] = row[name] if row[name] is None else _rfc3339(row[name])
                found.append((measurement.name, row))
        found.sort(key=lambda item: item[1]["time"])
        for kind, row in found:
            yield {"type": kind, **row}
        yield from self._dead_letters

    def _keep(self, outputs: Outputs) -> None:
        for measurement, rows in outputs.rows.items():
            self._store.write(measurement, rows)
        for message in outputs.messages:
            if message.topic == DEAD_LETTERS.name:
                self._dead_letters.append(_dead_letter(message))


def read_lines(path: Path) -> Iterator[bytes]:
    """Lines of a file; raises ``InputFileError`` that says what to do."""
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise InputFileError(
            f"{path}: {error.strerror}; give a file of wire-format records, one JSON record a "
            "line (acrophase simulate --out makes one)"
        ) from error


def _heading(value: bytes, last_ms: int) -> tuple[bytes | None, int]:
    """Key and time that Kafka would have given the record: its subject, when it was received.

    Of what cannot be read there is neither; the engine will say what is wrong with it.
    """
    key: bytes | None = None
    try:
        record = json.loads(value)
        key = record["subject"].encode()
        return key, _received_ms(record)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return key, last_ms


def _received_ms(record: dict[str, Any]) -> int:
    """Epoch ms; a record that does not say so was received with its last reading, or as it is."""
    received = record.get("received_at")
    if received is not None:
        return _epoch_ms(received)
    last_ms: float = max(record.get("offsets_ms", [0]))
    return _epoch_ms(record["at"] if "at" in record else record["collected_at"]) + round(last_ms)


def _epoch_ms(time: Any) -> int:
    moment: datetime = _TIME.validate_python(time)
    return round(moment.timestamp() * 1000)


def _rfc3339(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _dead_letter(message: OutMessage) -> dict[str, Any]:
    letter = DeadLetter.from_headers(list(message.headers))
    return {
        "type": "dead-letter",
        "reason": letter.reason.value,
        "detail": letter.detail,
        "topic": letter.topic,
        "line": letter.offset + 1,
        "elements": list(letter.elements),
    }
