"""A simulated clinic that has gone through our own engine into a store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from processors.engine import Partition, Policy
from processors.engine_port import Outputs, Record
from processors.store import Store
from producers.clinic import Clinic
from producers.physiology import Trouble
from schemas.catalogue import load_catalogue
from schemas.topics import EVENTS, READINGS

DAYS = 24
BEGIN = datetime(2026, 10, 12, tzinfo=ZoneInfo("Europe/Berlin"))
END = BEGIN + timedelta(days=DAYS)
OTHER_SITE = "elsewhere"
_SPIKE = BEGIN + timedelta(days=20, hours=12)
_FRAME = 500
_CORTISOL = "saliva-cortisol"


class _Sent(NamedTuple):
    at: datetime
    topic: str
    record: dict[str, object]


def fill(store: Store) -> None:
    """All that the workers would have written of the records, in order of their receipt."""
    _feed(store, _clinic_records())
    _feed(store, _elsewhere())


def _feed(store: Store, records: Iterable[_Sent]) -> None:
    """A frame is of one topic, as Kafka fetches it."""
    partition = Partition(0, load_catalogue(), Policy())
    offsets = {READINGS.name: 0, EVENTS.name: 0}
    partition.start(dict(offsets))
    frame: list[Record] = []
    for sent in records:
        if frame and (len(frame) == _FRAME or frame[0].topic != sent.topic):
            _write(store, partition.process(frame))
            frame = []
        offset = offsets[sent.topic]
        offsets[sent.topic] += 1
        received_ms = round(sent.at.timestamp() * 1000)
        key, value = str(sent.record["subject"]).encode(), json.dumps(sent.record).encode()
        frame.append(Record(sent.topic, 0, offset, received_ms, key, value))
    _write(store, partition.process(frame))
    _write(store, partition.settle())


def _clinic_records() -> Iterator[_Sent]:
    """The clinic's, with a dose of hydrocortisone just before sim-06's cortisol is found high."""
    dose = {"kind": "dose", "subject": "sim-06", "at": _SPIKE.isoformat(), "unit": "mg"}
    dose |= {"substance": "hydrocortisone", "route": "oral", "received_at": _SPIKE.isoformat()}
    given = False
    for delivery in _clinic().records(BEGIN, END):
        if delivery.received_at >= _SPIKE and not given:
            given = True
            yield _Sent(_SPIKE, EVENTS.name, {**dose, "amount": 10.0})
        yield _Sent(delivery.received_at, delivery.topic, json.loads(delivery.value))


def _elsewhere() -> Iterator[_Sent]:
    """The cortisol of somebody at another site who bears the pseudonym sim-01 too."""
    code = load_catalogue()[_CORTISOL].codes[0].code
    for delivery in _clinic().records(BEGIN, END):
        record = json.loads(delivery.value)
        if delivery.subject == "sim-07" and record.get("code") == code:
            there = {**record, "subject": "sim-01", "site": OTHER_SITE}
            yield _Sent(delivery.received_at, delivery.topic, there)


def _clinic() -> Clinic:
    """Seven people over the change to winter time, of whom five fall ill.

    sim-01's cortisol rises; sim-02 falls out of phase; sim-03's band has been silent for half a
    day; sim-04's cortisol flattens; sim-05's pulse rose and came down again; sim-06 has a single
    high cortisol; sim-07 is well and takes a tablet.
    """

    def after(**some: float) -> float:
        return (BEGIN + timedelta(**some)).timestamp()

    band = ("heart-rate", "wrist-temperature")
    troubles = {
        "sim-01": [Trouble("level", after(days=18), 8.0, (_CORTISOL,))],
        "sim-02": [Trouble("phase", after(days=17), 5.0)],
        "sim-03": [Trouble("silent", after(days=23, hours=12), analytes=band)],
        "sim-04": [Trouble("amplitude", after(days=15), 0.2, (_CORTISOL,))],
        "sim-05": [Trouble("level", after(days=14), 20.0, ("heart-rate",), end=after(days=17))],
        "sim-06": [Trouble("outlier", _SPIKE.timestamp(), 8.0, (_CORTISOL,))],
    }
    return Clinic(11, 7, BEGIN, troubles=troubles)


def _write(store: Store, outputs: Outputs) -> None:
    for measurement, rows in outputs.rows.items():
        store.write(measurement, rows)
