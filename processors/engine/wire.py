"""A reading or a batch as it stands in the JSON of one record.

`schemas.readings` is the contract, and pydantic judges every sender's heading by it. That costs
more than all the rest of a single reading's way, so a heading that has been judged is remembered
(`processors.engine.intake`), and of later records msgspec reads the types and the numbers only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from schemas.readings import Reading, ReadingBatch

_Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class Wire(msgspec.Struct, gc=False, rename={"schema_": "schema"}):
    """The fields of `schemas.readings.Reading` and `ReadingBatch` together, types checked only.

    What is unset differs from null: only a batch has `values`, and null is none of it.
    """

    subject: str
    device: str
    code: str
    unit: str
    collected_at: _Aware
    schema_: int = 1
    site: str = "default"
    zone: str | None = None
    received_at: _Aware | None = None
    assayed_at: _Aware | None = None
    timing: str = "reported"
    interval_s: float | None = None
    value: float | None = None
    comparator: str | None = None
    absent_reason: str | None = None
    offsets_ms: list[int] | msgspec.UnsetType = msgspec.UNSET
    values: list[float] | msgspec.UnsetType = msgspec.UNSET

    @property
    def is_batch(self) -> bool:
        """Whether it has a column of values."""
        return self.values is not msgspec.UNSET


_decode = msgspec.json.Decoder(Wire).decode


def read_wire(value: bytes) -> Wire | None:
    """The record's fields, or None if it is not even JSON of the right types."""
    try:
        if not value.isascii():
            value.decode()  # msgspec does not look into names that it does not know
        return _decode(value)
    # RecursionError: JSON a thousand levels deep
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def as_wire(record: Reading | ReadingBatch) -> Wire:
    """A validated record; pydantic takes some spellings of a time that msgspec does not."""
    return Wire(**{name: getattr(record, name) for name in type(record).model_fields})
