"""From a record's bytes to readings, or to the reason why not.

- {"subject": "sim-01", "code": "2142-8", "value": 5.2, "unit": "nmol/L", ...}
+ Columns(saliva-cortisol, [1764052200000], [0.188 ug/dL])
- {"subject": "jane@example.org", ...}
+ RejectedRecord(identifying-subject)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from processors.engine.policy import Policy
from processors.engine_port import Record
from schemas.catalogue import Analyte, Catalogue
from schemas.errors import Reason, RejectedRecord
from schemas.events import Dose, Profile, Sleep, parse_event
from schemas.readings import Reading, ReadingBatch, oldest_time, parse_reading

T = TypeVar("T")

SCHEMA_VERSION = 1
_OLDEST_MS = round(oldest_time().timestamp() * 1000)
# Keeps sums of times far from the end of 64 bits; no device keeps more than a year.
_LONGEST_BATCH_MS = 400 * 86_400_000
_MOST_ROUTES = 1_000


class Columns(NamedTuple):
    """The readings of one record, n of them, in canonical units."""

    heading: Reading | ReadingBatch
    analyte: Analyte
    times_ms: list[int]  # collected, epoch ms UTC
    offset_ms: int  # local clock minus UTC
    values: list[float]  # canonical unit; the limit if censored
    received_ms: int
    interval_s: float  # between readings of the source
    refused: list[tuple[int, RejectedRecord]]  # elements of a batch that cannot be used


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


class Route(NamedTuple):
    """What a code and unit lead to, looked up once."""

    analyte: Analyte
    scale: float
    shift: float
    low: float  # values from low to high (canonical unit) need no second look
    high: float


class Decoder:
    """Readings of records of the topic ``readings``."""

    def __init__(self, catalogue: Catalogue, policy: Policy) -> None:
        self._catalogue = catalogue
        self._policy = policy
        self._tolerance_ms = round(policy.future_tolerance_s * 1000)
        self._routes: dict[tuple[str, str], Route] = {}

    def decode(self, record: Record) -> Columns:
        """The readings of one record.

        Raises ``RejectedRecord`` if none of it can be used. Elements of a batch that cannot be
        used are named in `refused`, and the others are kept.
        """
        heading = _parse(record, self._policy, parse_reading)
        _check_key(record, heading.subject, heading.schema_)
        route = self._routes.get((heading.code, heading.unit)) or self._route(heading)
        first = heading.collected_at
        offset = first.utcoffset()
        assert offset is not None
        offset_ms = (offset.days * 86_400 + offset.seconds) * 1000
        first_ms = round(first.timestamp() * 1000)
        received_ms = record.timestamp_ms
        latest_ms = received_ms + self._tolerance_ms
        if heading.received_at is not None:
            received_ms = round(heading.received_at.timestamp() * 1000)
            if received_ms > latest_ms:
                raise RejectedRecord(
                    Reason.FUTURE, "received_at lies in the future: check the clock"
                )
            latest_ms = min(latest_ms, received_ms + self._tolerance_ms)
        if isinstance(heading, ReadingBatch):
            return _columns(heading, route, first_ms, offset_ms, received_ms, latest_ms)
        if not _OLDEST_MS <= first_ms <= latest_ms:
            _check_time(first_ms, latest_ms)
        values = []
        if heading.value is not None:
            value = heading.value * route.scale + route.shift
            if not route.low <= value <= route.high:  # false for NaN, too
                _check_value(route.analyte, value, heading.unit)
            values = [value]
        interval_s = heading.interval_s or route.analyte.cadence_s
        return Columns(
            heading, route.analyte, [first_ms], offset_ms, values, received_ms, interval_s, []
        )

    def _route(self, heading: Reading | ReadingBatch) -> Route:
        analyte = self._catalogue.by_code(heading.code)
        scale, shift = analyte.conversion(heading.unit)
        route = Route(analyte, scale, shift, analyte.screen.low, analyte.screen.high)
        # bounded by the catalogue's codes and the units that convert, of which people use few
        if len(self._routes) < _MOST_ROUTES:
            self._routes[heading.code, heading.unit] = route
        return route


def _columns(
    batch: ReadingBatch,
    route: Route,
    first_ms: int,
    offset_ms: int,
    received_ms: int,
    latest_ms: int,
) -> Columns:
    times = _batch_times(batch.offsets_ms) + first_ms
    values = np.array(batch.values) * route.scale + route.shift
    n = len(values)
    if batch.interval_s is not None:
        interval_s = batch.interval_s
    elif n > 1:
        interval_s = max(0.001, float(times.max() - times.min()) / 1000.0 / (n - 1))
    else:
        interval_s = route.analyte.cadence_s
    refused = _refused(route, times, values, latest_ms, batch.unit)
    if refused:
        if len(refused) == n:
            raise refused[0][1]
        keep = np.ones(n, dtype=bool)
        keep[[i for i, _ in refused]] = False
        times, values = times[keep], values[keep]
    return Columns(
        batch,
        route.analyte,
        times.tolist(),
        offset_ms,
        values.tolist(),
        received_ms,
        interval_s,
        refused,
    )


def decode_event(record: Record, policy: Policy) -> Dose | Sleep | Profile:
    """The event of one record of the topic ``events``; raises ``RejectedRecord``."""
    event = _parse(record, policy, parse_event)
    _check_key(record, event.subject, event.schema_)
    at_ms = round(event.at.timestamp() * 1000)
    _check_time(at_ms, record.timestamp_ms + round(policy.future_tolerance_s * 1000))
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


def _batch_times(offsets_ms: list[int]) -> NDArray[np.int64]:
    if max(offsets_ms) > _LONGEST_BATCH_MS or min(offsets_ms) < -_LONGEST_BATCH_MS:
        raise RejectedRecord(
            Reason.MALFORMED, "offsets_ms: a batch spans at most 400 days; are these milliseconds?"
        )
    return np.array(offsets_ms, dtype=np.int64)


def _check_key(record: Record, subject: str, schema: int) -> None:
    if schema != SCHEMA_VERSION:
        raise RejectedRecord(
            Reason.UNSUPPORTED_SCHEMA,
            f"schema {schema} is not known here; this version reads schema {SCHEMA_VERSION}",
        )
    if record.key != subject.encode():
        raise RejectedRecord(Reason.WRONG_KEY, "the record's key is not its subject")


def _check_time(time_ms: int, latest_ms: int) -> None:
    if time_ms > latest_ms:
        ahead = (time_ms - latest_ms) / 60_000
        raise RejectedRecord(
            Reason.FUTURE, f"collected {ahead:,.0f} minutes after it was received: check the clock"
        )
    if time_ms < _OLDEST_MS:
        raise RejectedRecord(Reason.TOO_OLD, "collected before the year 2000: check the clock")


def _check_value(analyte: Analyte, value: float, unit: str) -> None:
    if not np.isfinite(value):
        raise RejectedRecord(Reason.NOT_FINITE, "value is not a finite number")
    analyte.check(value, unit)


def _refused(
    route: Route,
    times: NDArray[np.int64],
    values: NDArray[np.float64],
    latest_ms: int,
    unit: str,
) -> list[tuple[int, RejectedRecord]]:
    """Elements of a batch that cannot be used, with their reasons."""
    if (
        route.low <= values.min()  # false for NaN, too
        and values.max() <= route.high
        and times.min() >= _OLDEST_MS
        and times.max() <= latest_ms
    ):
        return []
    refused = []
    for i, (time_ms, value) in enumerate(zip(times.tolist(), values.tolist(), strict=True)):
        try:
            _check_time(time_ms, latest_ms)
            _check_value(route.analyte, value, unit)
        except RejectedRecord as error:
            refused.append((i, error))
    return refused
