"""Eleven days of four simulated people as the records that travel, some of them bad.

Over the change to summer time: one person's cortisol rises, one's band falls silent and a dose
explains a result, one flies to New York, one falls out of phase. Bands send late, phones repeat.
Everybody counts steps, gives blood and keeps what else there is to keep, women a cycle.
The last record of everybody is received at the same time, so that the clock of every partition,
however many there are, has seen the same end.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from producers.clinic import Clinic
from producers.devices import Delivery
from producers.panels import Panel
from producers.physiology import Trouble
from producers.wearer_clock import Journey
from schemas.catalogue import load_catalogue
from schemas.errors import Reason
from schemas.topics import EVENTS

_BEGIN = datetime(2024, 3, 24, tzinfo=ZoneInfo("Europe/Berlin"))
_END = _BEGIN + timedelta(days=11)
_CORTISOL = load_catalogue()["saliva-cortisol"]
_BAND = ("heart-rate", "wrist-temperature")
_BAD_EVERY = 40


class Sent(NamedTuple):
    """One record to publish."""

    key: bytes
    value: bytes


class Recorded(NamedTuple):
    """All records of both topics in the order of their receipt, and how many are bad, and why."""

    events: list[Sent]
    readings: list[Sent]
    refused: Counter[Reason]


def recorded(seed: int) -> Recorded:
    """The same seed gives the same bytes."""
    spike = _BEGIN + timedelta(days=9, hours=12)
    found = Recorded([], [], Counter())
    for delivery in _clinic(seed, spike).records(_BEGIN, _END):
        sent = Sent(delivery.subject.encode(), delivery.value)
        if delivery.topic == EVENTS.name:
            found.events.append(sent)
            continue
        found.readings.append(sent)
        number, rest = divmod(len(found.readings), _BAD_EVERY)
        if rest == 0:
            reason, spoil = _SPOILERS[number % len(_SPOILERS)]
            found.readings.append(spoil(_of_device(sent, f"spoilt-{number}")))
            found.refused[reason] += 1
    found.events.append(_hydrocortisone("sim-02", spike))
    found.readings.extend(_lost_sample(f"sim-0{number}") for number in range(1, 5))
    return found


def _clinic(seed: int, spike: datetime) -> Clinic:
    def after(**some: float) -> float:
        return (_BEGIN + timedelta(**some)).timestamp()

    silent = (after(days=8, hours=3), after(days=8, hours=20))
    troubles = {
        "sim-01": [Trouble("level", after(days=7), 4.0, (_CORTISOL.slug,))],
        "sim-02": [
            Trouble("silent", silent[0], analytes=_BAND, end=silent[1]),
            Trouble("outlier", spike.timestamp(), 8.0, (_CORTISOL.slug,)),
        ],
        "sim-04": [Trouble("phase", after(days=7), 6.0)],
    }
    journey = Journey(_BEGIN + timedelta(days=5, hours=14), "America/New_York")
    return Clinic(
        seed,
        4,
        _BEGIN,
        troubles=troubles,
        journeys={"sim-03": [journey]},
        panel=tuple(Panel),
        delivery=Delivery(late_share=0.1, duplicate_share=0.05),
    )


def _hydrocortisone(subject: str, at: datetime) -> Sent:
    dose = {"kind": "dose", "subject": subject, "at": at.isoformat(), "unit": "mg", "amount": 10.0}
    dose |= {"substance": "hydrocortisone", "route": "oral", "received_at": at.isoformat()}
    return Sent(subject.encode(), json.dumps(dose).encode())


def _lost_sample(subject: str) -> Sent:
    """It says nothing, but it was received at the end."""
    reading = {
        "subject": subject,
        "device": "laboratory",
        "code": _CORTISOL.codes[0].code,
        "unit": _CORTISOL.unit,
        "collected_at": (_END - timedelta(hours=1)).isoformat(),
        "received_at": _END.astimezone(UTC).isoformat(),
        "absent_reason": "lost",
    }
    return Sent(subject.encode(), json.dumps(reading).encode())


def _of_device(sent: Sent, device: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(sent.value) | {"device": device}
    return record


def _sent(record: dict[str, Any]) -> Sent:
    return Sent(str(record["subject"]).encode(), json.dumps(record).encode())


def _with(**fields: Any) -> Callable[[dict[str, Any]], Sent]:
    return lambda record: _sent(record | fields)


def _with_value(value: float) -> Callable[[dict[str, Any]], Sent]:
    """The value, or the last one of a batch, whose others are good and a second device's."""

    def spoil(record: dict[str, Any]) -> Sent:
        if "values" in record:
            return _sent(record | {"values": [*record["values"][:-1], value]})
        return _sent(record | {"value": value})

    return spoil


def _cut_short(record: dict[str, Any]) -> Sent:
    whole = _sent(record)
    return Sent(whole.key, whole.value[:-7])


# Not the wrong key: a line of a file has none.
_SPOILERS: tuple[tuple[Reason, Callable[[dict[str, Any]], Sent]], ...] = (
    (Reason.UNDECODABLE, _cut_short),
    (Reason.MALFORMED, _with(timing="guessed")),
    (Reason.IDENTIFYING, _with(subject="jane.doe@example.org")),
    (Reason.UNKNOWN_CODE, _with(code="1-8")),
    (Reason.UNKNOWN_UNIT, _with(unit="mm[Hg]")),
    (Reason.OUT_OF_LIMITS, _with_value(1e9)),
    (Reason.NOT_FINITE, _with_value(math.nan)),
    (Reason.FUTURE, _with(collected_at="2024-05-01T07:30:00+02:00")),
    (Reason.TOO_OLD, _with(collected_at="1999-06-30T23:59:59Z")),
    (Reason.NO_OFFSET, _with(collected_at="2024-03-28T07:30:00")),
    (Reason.UNSUPPORTED_SCHEMA, _with(schema=2)),
)
