"""The error tree: every error that Acrophase raises on purpose.

    AcrophaseError
    ├── SettingsError            a setting is unknown or malformed; names the setting
    ├── CatalogueError           the analyte catalogue is inconsistent
    ├── InputFileError           a file cannot be read as readings; names line and column
    ├── OutputFileError          a file cannot be written; names it
    ├── RejectedRecord           one record cannot be used; carries its reason code
    ├── DeliveryError            Kafka did not confirm a record; carries what was not delivered
    ├── BrokerUnavailable        no Kafka broker answers at the address
    ├── StoreError               the time-series store failed
    │   ├── StoreUnavailable     try again later: nothing of the write may be assumed
    │   └── StoreRefused         will never succeed as it is: trying again is useless
    └── GrafanaError             Grafana did not do what it was asked
        ├── GrafanaUnavailable   try again later: the request may have been carried out or not
        └── GrafanaRefused       trying again is useless; carries the HTTP status

Foreign errors (Kafka, SQLite, InfluxDB, Grafana, pydantic) are translated where they enter and
never travel further. An error says what to do, and carries the decision whether to try again.
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

    UNDECODABLE = "undecodable"
    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    IDENTIFYING = "identifying-subject"
    WRONG_KEY = "wrong-key"
    UNKNOWN_CODE = "unknown-code"
    UNKNOWN_UNIT = "unknown-unit"
    UNIT_SUSPECT = "unit-suspect"
    OUT_OF_LIMITS = "out-of-limits"
    NOT_FINITE = "not-finite"
    FUTURE = "future"
    TOO_OLD = "too-old"
    NO_OFFSET = "no-offset"
    UNSUPPORTED_SCHEMA = "unsupported-schema"

    @property
    def meaning(self) -> str:
        """What it means, in words."""
        return _MEANINGS[self]


_MEANINGS = {
    Reason.UNDECODABLE: "It is not UTF-8 JSON, or nested too deep.",
    Reason.TOO_LARGE: "It has more bytes than a record may have.",
    Reason.MALFORMED: "It is JSON, but a field is missing or of the wrong type.",
    Reason.IDENTIFYING: "The subject looks like a name, an e-mail address or a record number.",
    Reason.WRONG_KEY: "The record's key is not its subject.",
    Reason.UNKNOWN_CODE: "The code belongs to no analyte of the catalogue.",
    Reason.UNKNOWN_UNIT: "The unit is not UCUM, or does not convert to the analyte's.",
    Reason.UNIT_SUSPECT: "The value is plausible in another unit only.",
    Reason.OUT_OF_LIMITS: "The value is outside what is physiologically possible.",
    Reason.NOT_FINITE: "The value is infinite or not a number.",
    Reason.FUTURE: "It was collected, or received, after now.",
    Reason.TOO_OLD: "It was collected before 2000: a device's dead clock.",
    Reason.NO_OFFSET: "The collection time lacks the wearer's offset from UTC.",
    Reason.UNSUPPORTED_SCHEMA: "Its version (`schema`) is none that this Acrophase knows.",
}


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


class GrafanaError(AcrophaseError):
    """Grafana did not do what it was asked."""


class GrafanaUnavailable(GrafanaError):
    """Grafana does not answer, is not well, or asks to come back later."""

    retryable = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class GrafanaRefused(GrafanaError):
    """Grafana will never do this as it is: token, permission, a conflict, or a wrong request.

    ``status`` is that of HTTP, or 0 if what answers is not Grafana.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
