"""Readings: what devices, home tests and laboratories send.

Two shapes travel on the topic ``readings``, both as JSON with the subject as key: one
``Reading``, or a columnar ``ReadingBatch`` of one subject, device and analyte. Batches are the
fast path for wearables. A batch means exactly the same as its readings sent one by one.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

SUBJECT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$"

# A pseudonym mixes letters and digits. Letters alone are a name, digits (with separators) alone
# are a record, telephone or insurance number or a birthday, and these prefixes say so themselves.
_SUBJECT = re.compile(SUBJECT_PATTERN)
_LETTERS_ONLY = re.compile(r"^[A-Za-z_-]+$")
_DIGITS_ONLY = re.compile(r"^[0-9_-]+$")
_RECORD_NUMBER = re.compile(
    r"^(mrn|ssn|nhs|npi|dob|tel|phone|pat(ient)?[_-]*(id|no|nr))[_-]*\d", re.I
)


@lru_cache(maxsize=100_000)  # people send many readings
def check_subject(subject: str) -> str:
    """Return the subject unchanged, or refuse one that may identify a person.

    Raises ``PydanticCustomError`` of type ``identifying_subject``; its text does not repeat the
    subject.

    >>> check_subject("twin-0412")
    'twin-0412'
    """
    if (
        _SUBJECT.fullmatch(subject)
        and not _LETTERS_ONLY.match(subject)
        and not _DIGITS_ONLY.match(subject)
        and not _RECORD_NUMBER.match(subject)
    ):
        return subject
    raise PydanticCustomError(
        "identifying_subject",
        "the subject is no pseudonym: use 3-64 letters, digits, '_' or '-' with at least one "
        "letter and one digit, and nothing that names a person or a record",
    )


Subject = Annotated[
    str,
    AfterValidator(check_subject),
    Field(
        description="Pseudonymous id of the person; letters and digits mixed, never a name, "
        "an e-mail address or a record number.",
        json_schema_extra={"pattern": SUBJECT_PATTERN},
    ),
]

Timing = Literal["device", "verified", "reported", "assumed"]

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]")


def _written_out(value: object, info: ValidationInfo) -> object:
    """The time that JSON text stands for.

    Left to itself, pydantic takes digits in quotes for seconds since 1970 in UTC: a wearer's clock
    that nobody has named.
    """
    if info.mode != "json" or not isinstance(value, str):
        return value
    if _TIME.match(value):
        with suppress(ValueError):
            return datetime.fromisoformat(value.upper())
    raise PydanticCustomError(
        "datetime_parsing", "Input should be a valid datetime, like 2026-03-01T07:30:00+01:00"
    )


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]


class ReadingHeading(BaseModel):
    """What a reading and a batch of readings have in common."""

    # Strict: a number in quotes or a time as a number is a sender's mistake that must not pass.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    schema_: int = Field(default=1, alias="schema", description="Version of this record's shape.")
    subject: Subject
    device: str = Field(
        min_length=1, max_length=128, description="Stable id of the source of the readings."
    )
    site: str = Field(
        default="default",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        description="Tenant or study site.",
    )
    code: str = Field(
        max_length=64,
        description="LOINC code, or 'local:...' where LOINC has none; the catalogue maps it to "
        "an analyte.",
    )
    unit: str = Field(max_length=64, description="UCUM unit of the value as measured.")
    collected_at: Moment = Field(
        description="When the (first) reading was taken, RFC 3339 with the wearer's own offset "
        "from UTC: that offset is the local clock."
    )
    zone: str | None = Field(
        default=None, max_length=64, description="IANA time zone of the wearer, if known."
    )
    received_at: Moment | None = Field(
        default=None,
        description="When the reading reached us; set by the publisher. Kafka's record timestamp "
        "stands in.",
    )
    assayed_at: Moment | None = Field(
        default=None, description="When the laboratory ran the sample."
    )
    timing: Timing = Field(
        default="reported",
        description="How the collection time is known: device, by the source's own clock; "
        "verified, by something or somebody that watched; reported, by the person; assumed, from "
        "the plan.",
    )
    interval_s: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Seconds from one reading of the source to the next, around this record. "
        "Readings closer together than the analyte's decorrelation time share one unit of weight; "
        "without this field a batch's own mean spacing counts, and for a single reading the "
        "catalogue's cadence.",
    )


class Reading(ReadingHeading):
    """One reading."""

    value: float | None = Field(
        default=None, description="The value as measured, in `unit`; null if there is none."
    )
    comparator: Literal["<", ">"] | None = Field(
        default=None,
        description="'<' below, '>' above what the assay can measure; `value` is that limit.",
    )
    absent_reason: str | None = Field(
        default=None, max_length=64, description="Why there is no value. Never send 0 instead."
    )

    @model_validator(mode="after")
    def _value_or_reason(self) -> Reading:
        if (self.value is None) == (self.absent_reason is None):
            raise PydanticCustomError(
                "value_or_reason", "give either value or absent_reason, and not both"
            )
        return self


class ReadingBatch(ReadingHeading):
    """Readings of one subject, device and analyte in columns.

    Reading i was collected at ``collected_at + offsets_ms[i]`` on the same local clock.
    """

    offsets_ms: list[int] = Field(
        min_length=1,
        max_length=100_000,
        description="Milliseconds after `collected_at` of each reading.",
    )
    values: list[float] = Field(
        min_length=1, max_length=100_000, description="The values as measured, in `unit`."
    )
    comparator: None = Field(
        default=None,
        description="Always absent: a result below or above what the assay can measure travels "
        "alone, so that nobody takes its limit for a value.",
    )

    @model_validator(mode="after")
    def _columns_match(self) -> ReadingBatch:
        if len(self.offsets_ms) != len(self.values):
            raise PydanticCustomError(
                "columns_differ", "offsets_ms and values must have the same length"
            )
        return self


def parse_reading(value: bytes) -> Reading | ReadingBatch:
    """Validate the JSON bytes of one record of the topic ``readings``.

    Raises ``pydantic.ValidationError``.
    """
    # Only a batch has a column of values; a look at the bytes is cheaper than a union's two tries.
    if b'"values"' in value:
        return ReadingBatch.model_validate_json(value)
    return Reading.model_validate_json(value)


def oldest_time() -> datetime:
    """Readings before this are a device's dead clock, not data."""
    return datetime.fromisoformat("2000-01-01T00:00:00+00:00")
