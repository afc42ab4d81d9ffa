"""A simulated clinic that has gone through our own engine into a store."""

from __future__ import annotations

from datetime import datetime, timedelta
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
_FRAME = 500


def clinic() -> Clinic:
    """Seven people over the change to winter time, of whom five fall ill.

    sim-01 takes a tablet every morning and her cortisol rises; sim-02 falls out of phase; sim-03's
    band has been silent for half a day; sim-04's cortisol flattens; sim-05's pulse rose and came
    down again.
    """

    def after(**some: float) -> float:
        return (BEGIN + timedelta(**some)).timestamp()

    band = ("heart-rate", "wrist-temperature")
    troubles = {
        "sim-01": [Trouble("level", after(days=18), 3.0, ("saliva-cortisol",))],
        "sim-02": [Trouble("phase", after(days=17), 5.0)],
        "sim-03": [Trouble("silent", after(days=23, hours=12), analytes=band)],
        "sim-04": [Trouble("amplitude", after(days=15), 0.2, ("saliva-cortisol",))],
        "sim-05": [Trouble("level", after(days=14), 20.0, ("heart-rate",), end=after(days=17))],
    }
    return Clinic(11, 7, BEGIN, troubles=troubles)


def fill(store: Store) -> None:
    """All that the worker would have written of the clinic's records, in order of their receipt."""
    partition = Partition(0, load_catalogue(), Policy())
    partition.start({READINGS.name: 0, EVENTS.name: 0})
    offsets = {READINGS.name: 0, EVENTS.name: 0}
    frame: list[Record] = []
    for delivery in clinic().records(BEGIN, END):
        offset = offsets[delivery.topic]
        offsets[delivery.topic] += 1
        key = delivery.subject.encode()
        received = round(delivery.received_at.timestamp() * 1000)
        frame.append(Record(delivery.topic, 0, offset, received, key, delivery.value))
        if len(frame) == _FRAME:
            _write(store, partition.process(frame))
            frame = []
    _write(store, partition.process(frame))
    _write(store, partition.settle())


def _write(store: Store, outputs: Outputs) -> None:
    for measurement, rows in outputs.rows.items():
        store.write(measurement, rows)
