"""What must be in store, state and dead letters: the records in Kafka, worked through in peace.

The same engine takes every record of a partition in offset order, events first, with no restart
and no checkpoint on the way. What comes out of it must be what the harmed workers left behind, to
the last bit: every result is a function of the records alone.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Any

from processors.engine import Partition, Policy
from processors.engine.state import CLOCK_KEY, Person, load_series
from processors.engine_port import OutMessage, Outputs, Record
from processors.recovery import StateLog
from processors.store import Store
from processors.store.memory import MemoryStore
from schemas.catalogue import load_catalogue
from schemas.dead_letters import DeadLetter
from schemas.measurements import MARKER, MEASUREMENTS, RHYTHM, Measurement
from schemas.topics import DEAD_LETTERS, EVENTS, READINGS, STATE
from tests.kafka_log import records_of

_FRAME = 1_000
Rows = dict[tuple[Any, ...], dict[str, Any]]
Letter = tuple[str, int, int, str, tuple[int, ...], bytes | None, bytes | None]


class Undisturbed:
    """The outcome of all input records that Kafka holds."""

    def __init__(self, address: str, partitions: int) -> None:
        self._address = address
        self._partitions = partitions
        self._store = MemoryStore()
        self._letters: set[Letter] = set()
        self._state: list[dict[bytes, bytes]] = []
        self.ends: dict[tuple[str, int], int] = {}  # next offset of each input partition
        for number in range(partitions):
            engine = Partition(number, load_catalogue(), Policy())
            engine.start({READINGS.name: 0, EVENTS.name: 0})
            for topic in (EVENTS, READINGS):
                records = (
                    Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value)
                    for r in records_of(address, topic.name, number)
                )
                while frame := list(islice(records, _FRAME)):
                    self._keep(engine.process(frame))
                self.ends[topic.name, number] = engine.position(topic.name)
            self._keep(engine.settle())
            self._state.append({key: value for key, value in engine.changes() if value})

    def _keep(self, outputs: Outputs) -> None:
        for measurement, rows in outputs.rows.items():
            self._store.write(measurement, rows)
        self._letters |= {_letter(m) for m in outputs.messages if m.topic == DEAD_LETTERS.name}

    def assert_same_store(self, store: Store) -> None:
        """The same rows of every measurement, all fields equal."""
        for measurement in MEASUREMENTS:
            wanted, found = _rows(self._store, measurement), _rows(store, measurement)
            name = measurement.name
            _assert_none(f"{name} rows are missing", wanted.keys() - found.keys())
            _assert_none(f"{name} rows should not be there", found.keys() - wanted.keys())
            differ = [
                (key, {c: (found[key][c], v) for c, v in row.items() if found[key][c] != v})
                for key, row in wanted.items()
                if _settled(measurement, found[key], row) != row
            ]
            _assert_none(f"{name} rows differ (found, wanted)", differ)

    def assert_same_state(self) -> None:
        """Every row of ``state`` has absorbed the same readings and events, and no other is there.

        How far a row has come may differ: a row that nothing has touched since keeps its offset.
        """
        for number, wanted in enumerate(self._state):
            log = StateLog()
            for record in records_of(self._address, STATE.name, number):
                log.add(record.key, record.value, list(record.headers))
            assert log.rows.keys() == wanted.keys(), f"partition {number}"
            for key, value in wanted.items():
                assert _content(key, log.rows[key]) == _content(key, value), (number, key)

    def assert_same_dead_letters(self) -> int:
        """Each refused record at least once, byte for byte; returns how many there are."""
        found = {
            _letter(OutMessage(r.topic, r.key, r.value, list(r.headers)))
            for r in records_of(self._address, DEAD_LETTERS.name, 0)
        }
        assert found == self._letters
        return len(found)


def _assert_none(what: str, found: Collection[object]) -> None:
    assert not found, f"{len(found)} {what}, for example {list(islice(found, 3))}"


def _rows(store: Store, measurement: Measurement) -> Rows:
    key = (*measurement.tags, "time")
    return {tuple(row[name] for name in key): row for row in store.select(measurement)}


def _settled(
    measurement: Measurement, found: dict[str, Any], wanted: dict[str, Any]
) -> dict[str, Any]:
    """The row without what a provisional one has left where the final one says nothing.

    Stores merge fields, so an absent value erases no earlier one: where the last reading of a
    half hour takes away the rhythm, the phase before it still stands; so does the number of a
    marker that is withheld in the end.
    """
    if measurement not in (RHYTHM, MARKER):
        return found
    return {name: None if wanted[name] is None else value for name, value in found.items()}


def _content(key: bytes, value: bytes) -> Any:
    if key == CLOCK_KEY:
        return None
    if key.startswith(b"subject|"):
        person = Person.load(value)
        return person.sex, person.birth_year, person.profile_ms, person.doses, person.life.dump()
    series = load_series(value)
    seen = {device: sorted(times.dump()) for device, times in series.seen.items()}
    return series.site, series.kernel, seen, series.open, series.diary


def _letter(message: OutMessage) -> Letter:
    told = DeadLetter.from_headers(list(message.headers))
    where = (told.topic, told.partition, told.offset)
    return (*where, told.reason.value, told.elements, message.key, message.value)
