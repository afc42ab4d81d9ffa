"""A simulated clinic that has gone through our own engine into a store."""

from __future__ import annotations

import heapq
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
_SPIKES = tuple(BEGIN + timedelta(days=day, hours=12) for day in (19, 20, 21))
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


def _clinic_records() -> Iterable[_Sent]:
    """The clinic's, with sim-06's tablets just before a high cortisol, and sim-07's laboratory."""
    clinic = (
        _Sent(delivery.received_at, delivery.topic, json.loads(delivery.value))
        for delivery in _clinic().records(BEGIN, END)
    )
    return heapq.merge(clinic, _tablets(), _laboratory(), key=lambda sent: sent.at)


def _tablets() -> Iterator[_Sent]:
    for at in _SPIKES:
        dose = {"kind": "dose", "subject": "sim-06", "at": at.isoformat(), "unit": "mg"}
        dose |= {"substance": "hydrocortisone", "route": "oral", "received_at": at.isoformat()}
        yield _Sent(at, EVENTS.name, {**dose, "amount": 10.0})


def _laboratory() -> Iterator[_Sent]:
    """IGF-1 twice a week: its reference falls with age, and young adults' stands beside it."""
    analyte = load_catalogue()["serum-igf-1"]
    for day in range(1, DAYS, 3):
        drawn = BEGIN + timedelta(days=day, hours=8)
        told = drawn + timedelta(hours=3)
        reading = {
            "subject": "sim-07",
            "device": "laboratory",
            "code": analyte.codes[0].code,
            "unit": analyte.unit,
            "value": 140.0 + day % 5,
            "collected_at": drawn.isoformat(),
            "received_at": told.isoformat(),
        }
        yield _Sent(told, READINGS.name, reading)


def _elsewhere() -> Iterator[_Sent]:
    """The cortisol of somebody at another site who bears the pseudonym sim-01 too."""
    code = load_catalogue()[_CORTISOL].codes[0].code
    for delivery in _clinic().records(BEGIN, END):
        record = json.loads(delivery.value)
        if delivery.subject == "sim-07" and record.get("code") == code:
            there = {**record, "subject": "sim-01", "site": OTHER_SITE}
            yield _Sent(delivery.received_at, delivery.topic, there)


def _clinic() -> Clinic:
    """Seven people over the change to winter time, of whom six fall ill.

    sim-01's cortisol rises; sim-02 falls out of phase; sim-03's band has been silent for half a
    day; sim-04's cortisol flattens, sim-05's rises twentyfold; sim-06 has single high cortisols;
    sim-07 is well and takes a tablet.
    """

    def after(**some: float) -> float:
        return (BEGIN + timedelta(**some)).timestamp()

    band = ("heart-rate", "wrist-temperature")
    troubles = {
        "sim-01": [Trouble("level", after(days=18), 3.0, (_CORTISOL,))],
        "sim-02": [Trouble("phase", after(days=17), 5.0)],
        "sim-03": [Trouble("silent", after(days=23, hours=12), analytes=band)],
        "sim-04": [Trouble("amplitude", after(days=10), 0.0, (_CORTISOL,))],
        "sim-05": [Trouble("level", after(days=18), 20.0, (_CORTISOL,))],
        "sim-06": [Trouble("outlier", at.timestamp(), 20.0, (_CORTISOL,)) for at in _SPIKES],
    }
    return Clinic(11, 7, BEGIN, troubles=troubles)


def _write(store: Store, outputs: Outputs) -> None:
    for measurement, rows in outputs.rows.items():
        store.write(measurement, rows)
