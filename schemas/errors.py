"""The error tree: every error that Acrophase raises on purpose.

    AcrophaseError
    ├── SettingsError            a setting is unknown or malformed; names the setting
    ├── CatalogueError           the analyte catalogue is inconsistent
    ├── InputFileError           a file cannot be read as readings; names line and column
    ├── OutputFileError          a file cannot be written; names it
    ├── RejectedRecord           one record cannot be used; carries its reason code
    ├── DeliveryError            Kafka did not confirm a record; carries what was not delivered
    ├── BrokerUnavailable        no Kafka broker answers at the address
    └── StoreError               the time-series store failed
        ├── StoreUnavailable     try again later: nothing of the write may be assumed
        └── StoreRefused         will never succeed as it is: trying again is useless

Foreign errors (Kafka, SQLite, InfluxDB, pydantic) are translated where they enter and never
travel further. An error says what to do, and carries the decision whether to try again.
"""

from __future__ import annotations

from enum import StrEnum


class AcrophaseError(Exception):
    """Base of all errors raised on purpose; its text is fit to be shown to a person."""

    retryable: bool = False


class SettingsError(AcrophaseError):
    """A setting is unknown or malformed."""


class CatalogueError(AcrophaseError):
    """The analyte catalogue is incomplete or contradicts itself."""


class InputFileError(AcrophaseError):
    """A file cannot be read as readings."""


class OutputFileError(AcrophaseError):
    """A file that was asked for cannot be written."""


class Reason(StrEnum):
    """Why a record became a dead letter (header ``reason``)."""

    UNDECODABLE = "undecodable"  # not UTF-8 JSON, or nested too deep
    TOO_LARGE = "too-large"
    MALFORMED = "malformed"  # JSON, but a field is missing or of the wrong type
    IDENTIFYING = "identifying-subject"  # the subject looks like a name, e-mail or record number
    WRONG_KEY = "wrong-key"  # the record's key is not its subject
    UNKNOWN_CODE = "unknown-code"
    UNKNOWN_UNIT = "unknown-unit"  # not UCUM, or not convertible to the analyte's unit
    UNIT_SUSPECT = "unit-suspect"  # plausible only in a neighbouring unit
    OUT_OF_LIMITS = "out-of-limits"  # outside what is physiologically possible
    NOT_FINITE = "not-finite"
    FUTURE = "future"
    TOO_OLD = "too-old"  # before 2000
    NO_OFFSET = "no-offset"  # collected_at without the wearer's offset from UTC
    UNSUPPORTED_SCHEMA = "unsupported-schema"


class RejectedRecord(AcrophaseError):
    """One record, or part of one, cannot be used.

    ``detail`` is one plain sentence that says what is wrong and, where known, what would be
    right. It never repeats a subject that looks like personal data.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class DeliveryError(AcrophaseError):
    """Kafka did not confirm one or more records."""

    def __init__(self, message: str, undelivered: int) -> None:
        super().__init__(message)
        self.undelivered = undelivered


class BrokerUnavailable(AcrophaseError):
    """No Kafka broker answers."""

    retryable = True


class StoreError(AcrophaseError):
    """The time-series store failed."""


class StoreUnavailable(StoreError):
    """The store does not answer, or asks to come back later."""

    retryable = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreRefused(StoreError):
    """The store will never take this write or query as it is (authorisation, schema, syntax)."""
