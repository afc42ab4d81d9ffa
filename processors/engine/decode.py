"""From a record's bytes to a checked reading, or to the reason why not.

- {"subject": "sim-01", "code": "2142-8", "value": 5.2, "unit": "nmol/L", ...}
+ 0.188 ug/dL of saliva-cortisol
- {"subject": "jane@example.org", ...}
+ RejectedRecord(identifying-subject)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import ValidationError

from processors.engine.policy import Policy
from processors.engine.wire import Wire, as_wire
from processors.engine_port import Record
from schemas.catalogue import Analyte
from schemas.errors import Reason, RejectedRecord
from schemas.events import Event, parse_event
from schemas.readings import Reading, ReadingBatch, oldest_time, parse_reading

T = TypeVar("T")

SCHEMA_VERSION = 1
OLDEST_MS = round(oldest_time().timestamp() * 1000)
# Keeps sums of times far from the end of 64 bits; no device keeps more than a year.
_LONGEST_BATCH_MS = 400 * 86_400_000


def translate(error: ValidationError) -> RejectedRecord:
    """Our refusal for pydantic's first complaint; repeats no value of the record.

    Identifying subjects come first: whatever else is wrong, that is what must be told.
    """
    details = error.errors(include_url=False, include_input=False, include_context=False)
    for detail in details:
        if detail["type"] == "identifying_subject":
            return RejectedRecord(Reason.IDENTIFYING, detail["msg"])
    first = details[0]
    where = ".".join(str(part) for part in first["loc"]) or "record"
    match first["type"]:
        case "json_invalid":
            return RejectedRecord(Reason.UNDECODABLE, f"not JSON: {first['msg']}")
        case "timezone_aware":
            return RejectedRecord(
                Reason.NO_OFFSET,
                f"{where} has no offset from UTC: write it like 2026-03-01T07:30:00+01:00",
            )
        case "finite_number":
            return RejectedRecord(Reason.NOT_FINITE, f"{where} is not a finite number")
        case "union_tag_invalid":
            # pydantic's own words repeat what was sent
            return RejectedRecord(
                Reason.MALFORMED, "kind: Input should be 'dose', 'sleep', 'wake' or 'profile'"
            )
    return RejectedRecord(Reason.MALFORMED, f"{where}: {first['msg']}")


def validate(record: Record, wire: Wire | None, policy: Policy) -> Wire:
    """The fields of a record of the topic ``readings``, judged by the contract.

    wire: what `wire.read_wire` made of it, if anything. Raises ``RejectedRecord``.
    """
    if wire is None:
        parser: Callable[[bytes], Reading | ReadingBatch] = parse_reading
    elif wire.is_batch:
        parser = ReadingBatch.model_validate_json
    else:
        parser = Reading.model_validate_json
    reading = _parse(record, policy, parser)
    _check_key(record, reading.subject, reading.schema_)
    return wire or as_wire(reading)


def decode_event(record: Record, policy: Policy) -> Event:
    """The event of one record of the topic ``events``; raises ``RejectedRecord``."""
    event = _parse(record, policy, parse_event)
    _check_key(record, event.subject, event.schema_)
    at_ms = round(event.at.timestamp() * 1000)
    tolerance_ms = round(policy.future_tolerance_s * 1000)
    check_time(at_ms, record.timestamp_ms + tolerance_ms, tolerance_ms)
    return event


def _parse(record: Record, policy: Policy, parser: Callable[[bytes], T]) -> T:
    value = record.value
    if value is None:
        raise RejectedRecord(Reason.MALFORMED, "the record has no value")
    if len(value) > policy.max_record_bytes:
        raise RejectedRecord(
            Reason.TOO_LARGE,
            f"{len(value):,} bytes; at most {policy.max_record_bytes:,} are taken: send smaller "
            "batches",
        )
    try:
        return parser(value)
    except ValidationError as error:
        raise translate(error) from None


def _check_key(record: Record, subject: str, schema: int) -> None:
    if schema != SCHEMA_VERSION:
        raise RejectedRecord(
            Reason.UNSUPPORTED_SCHEMA,
            f"schema {schema} is not known here; this version reads schema {SCHEMA_VERSION}",
        )
    if record.key != subject.encode():
        raise RejectedRecord(Reason.WRONG_KEY, "the record's key is not its subject")


def check_batch_times(first_ms: int, last_ms: int) -> None:
    """Refuse a batch whose times (ms after its heading's) cannot be one recording's."""
    if last_ms > _LONGEST_BATCH_MS or first_ms < -_LONGEST_BATCH_MS:
        raise RejectedRecord(
            Reason.MALFORMED, "offsets_ms: a batch spans at most 400 days; are these milliseconds?"
        )


def check_time(time_ms: int, latest_ms: int, tolerance_ms: int) -> None:
    """Refuse a time (epoch ms) after the latest possible, or of a dead clock.

    The latest possible is `tolerance_ms` after the record was received.
    """
    if time_ms > latest_ms:
        ahead_s = (time_ms - latest_ms + tolerance_ms) / 1000
        ahead = f"{ahead_s / 60:,.0f} min" if ahead_s >= 60 else f"{ahead_s:.0f} s"
        raise RejectedRecord(
            Reason.FUTURE, f"collected {ahead} after it was received: check the clock"
        )
    if time_ms < OLDEST_MS:
        raise RejectedRecord(Reason.TOO_OLD, "collected before the year 2000: check the clock")


def check_value(analyte: Analyte, value: float, unit: str) -> None:
    """Refuse a value (analyte's unit, sent in `unit`) that cannot be or is a slip of unit."""
    if not math.isfinite(value):
        raise RejectedRecord(Reason.NOT_FINITE, "value is not a finite number")
    analyte.check(value, unit)


def refused_elements(
    analyte: Analyte,
    times_ms: Sequence[int],
    values: Sequence[float],
    latest_ms: int,
    tolerance_ms: int,
    unit: str,
) -> list[tuple[int, RejectedRecord]]:
    """Positions in a batch that cannot be used, each with its reason."""
    refused = []
    for i, (time_ms, value) in enumerate(zip(times_ms, values, strict=True)):
        try:
            check_time(time_ms, latest_ms, tolerance_ms)
            check_value(analyte, value, unit)
        except RejectedRecord as error:
            refused.append((i, error))
    return refused
