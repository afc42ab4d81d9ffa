"""Every measurement of the time-series store, declared once.

A measurement is a table of event-timed rows. Rows with the same tags and time are the same row:
writing one again overwrites the fields that it gives and leaves the others (InfluxDB's rule, kept
by every store), so a retry or a replay changes nothing. A field that is ``None`` is not given.
Columns come from the result models, in their order, with the tags first.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from schemas.results import (
    Alert,
    Deviation,
    Marker,
    ProfilePoint,
    Rhythm,
    StoredEvent,
    StoredReading,
)

FieldType = Literal["float", "int", "bool", "text", "time"]


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a measurement; ``time`` columns hold epoch milliseconds (UTC)."""

    name: str
    type: FieldType
    description: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement. A row is the tuple ``(*tags, time_ms, *fields)``.

    ``time_ms`` is the event time in epoch milliseconds, UTC. Tags are low in cardinality and
    never personal; text in fields may say more.
    """

    name: str
    model: type[BaseModel]
    tags: tuple[str, ...]
    fields: tuple[Column, ...] = field(init=False)

    def __post_init__(self) -> None:
        columns = tuple(
            Column(name, _column_type(info.annotation), info.description or "")
            for name, info in self.model.model_fields.items()
            if name not in self.tags and name not in ("time", _SHAPE)
        )
        object.__setattr__(self, "fields", columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns in row order."""
        return (*self.tags, "time", *(column.name for column in self.fields))

    def row(self, result: BaseModel) -> Row:
        """The row of one result."""
        return (
            *(_plain(getattr(result, tag)) for tag in self.tags),
            _plain(getattr(result, "time")),  # noqa: B009 - every model here has it
            *(_plain(getattr(result, column.name)) for column in self.fields),
        )


# The version of a record's shape travels with it; a store has one shape for all of its rows.
_SHAPE = "schema_"

Value = float | int | bool | str | None
Row = tuple[Any, ...]


def _plain(value: object) -> Value:
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, StrEnum):
        return value.value
    assert value is None or isinstance(value, float | int | bool | str)
    return value


def _column_type(annotation: Any) -> FieldType:
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = (a for a in get_args(annotation) if a is not type(None))
    if get_origin(annotation) is Literal:
        return "text"
    table: dict[Any, FieldType] = {float: "float", int: "int", bool: "bool", datetime: "time"}
    return table.get(annotation, "text")


_SERIES = ("site", "subject", "analyte")

READING = Measurement("reading", StoredReading, _SERIES)
RHYTHM = Measurement("rhythm", Rhythm, _SERIES)
PROFILE = Measurement("profile", ProfilePoint, _SERIES)
MARKER = Measurement("marker", Marker, (*_SERIES, "marker"))
DEVIATION = Measurement("deviation", Deviation, (*_SERIES, "kind", "direction"))
ALERT = Measurement("alert", Alert, (*_SERIES, "kind", "direction"))
EVENT = Measurement("event", StoredEvent, ("site", "subject", "kind"))

MEASUREMENTS: tuple[Measurement, ...] = (
    READING,
    RHYTHM,
    PROFILE,
    MARKER,
    DEVIATION,
    ALERT,
    EVENT,
)
