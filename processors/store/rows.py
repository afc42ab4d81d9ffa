"""What all stores share: rows are checked on the way in and put in order on the way out."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from schemas.measurements import FieldType, Measurement, Row

# InfluxDB keeps nanoseconds in 64 bits (years 1677 to 2262); no store takes what another refuses.
MAX_TIME_MS = (2**63 - 1) // 1_000_000
MIN_TIME_MS = -MAX_TIME_MS
_MAX_INT = 2**63 - 1

_NONE = type(None)
_EXACT: dict[FieldType, type] = {"float": float, "int": int, "time": int, "bool": bool, "text": str}

_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
# Line protocol has no way to write a tag value that ends in a backslash.
_TAG = re.compile("[^\x00-\x1f\x7f\ud800-\udfff]*[^\x00-\x1f\x7f\ud800-\udfff\\\\]")


@dataclass(frozen=True, slots=True)
class Block:
    """Checked rows of one measurement, in columns of one length.

    `fields` has the position of a field among the measurement's and its values; a field that no
    row gives is not in it.
    """

    tags: list[Row]
    times: Sequence[int]
    fields: dict[int, Sequence[Any]]

    def rows(self, measurement: Measurement) -> list[Row]:
        """The rows again."""
        nothing: list[None] = [None] * len(self.times)
        columns = [self.fields.get(i, nothing) for i in range(len(measurement.fields))]
        parts = zip(self.tags, self.times, zip(*columns, strict=True), strict=True)
        return [(*tags, time_ms, *fields) for tags, time_ms, fields in parts]


def checked(measurement: Measurement, rows: Sequence[Row]) -> Block:
    """The rows with every value of its column's exact type; rows without any field left out.

    Works by columns: the common case costs two passes in C over each column and copies nothing.
    Raises ``ValueError`` naming measurement and column.
    """
    names = measurement.columns
    try:
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(names)
    except ValueError:
        columns = []
    if len(columns) != len(names):
        widths = sorted({len(row) for row in rows})
        raise ValueError(f"{measurement.name}: rows of {widths} values for {len(names)} columns")
    if not rows:
        return Block([], (), {})

    n_tags = len(measurement.tags)
    tags = [
        _tag_column(f"{measurement.name}.{name}", columns[i])
        for i, name in enumerate(measurement.tags)
    ]
    times = _time_column(f"{measurement.name}.time", columns[n_tags])
    fields: dict[int, Sequence[Any]] = {}
    some_field_always_given = False
    for i, column in enumerate(measurement.fields):
        where = f"{measurement.name}.{column.name}"
        values = _field_column(where, column.type, columns[n_tags + 1 + i])
        if values is not None:
            fields[i] = values
            some_field_always_given = some_field_always_given or None not in values
    block = Block(list(zip(*tags, strict=True)), times, fields)
    return block if some_field_always_given else _with_fields(block)


def _with_fields(block: Block) -> Block:
    """Without the rows that give no field."""
    given = zip(*block.fields.values(), strict=True)
    keep = [any(value is not None for value in values) for values in given]
    keep = keep or [False] * len(block.times)
    return Block(
        list(compress(block.tags, keep)),
        list(compress(block.times, keep)),
        {i: list(compress(values, keep)) for i, values in block.fields.items()},
    )


def _tag_column(where: str, column: Sequence[Any]) -> Sequence[str]:
    if set(map(type, column)) != {str}:
        column = [_text(where, value) for value in column]
    for value in set(column):
        if not _TAG.fullmatch(value):
            raise ValueError(
                f"{where}: a tag must not be empty, hold control characters or end in a backslash, "
                f"got {value!r}"
            )
    return column


def _time_column(where: str, column: Sequence[Any]) -> Sequence[int]:
    if set(map(type, column)) != {int}:
        column = [_integer(where, value) for value in column]
    if min(column) < MIN_TIME_MS or max(column) > MAX_TIME_MS:
        raise ValueError(f"{where}: a time lies outside the years 1677 to 2262")
    return column


def _field_column(where: str, kind: FieldType, column: Sequence[Any]) -> Sequence[Any] | None:
    """The column, or None if no row gives the field."""
    types = set(map(type, column))
    if types == {_NONE}:
        return None
    if not types <= {_EXACT[kind], _NONE}:
        convert = _CONVERT[kind]
        column = [None if value is None else convert(where, value) for value in column]
    given = filter(None, column)
    if kind == "float":
        # One infinity or NaN makes the sum not finite; a sum that merely overflows is cleared
        # by the look at each value.
        if not math.isfinite(sum(given)):
            for value in column:
                if value is not None and not math.isfinite(value):
                    raise ValueError(f"{where}: {value!r} is not finite; give None for no value")
    elif kind in ("int", "time"):
        for value in (min(given, default=0), max(filter(None, column), default=0)):
            if not -_MAX_INT - 1 <= value <= _MAX_INT:
                raise ValueError(f"{where}: {value} does not fit 64 bits")
    elif kind == "text" and ("" in column or not "".join(given).isprintable()):
        column = [_UNSTORABLE.sub(" ", value) or None if value else None for value in column]
    return column


def _float(where: str, value: Any) -> float:
    if isinstance(value, float | int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"{where}: {value} is too large for a float") from None
    raise ValueError(f"{where}: expected a float, got {value!r}")


def _integer(where: str, value: Any) -> int:
    if not isinstance(value, bool):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise ValueError(f"{where}: expected an integer, got {value!r}")


def _bool(where: str, value: Any) -> bool:
    raise ValueError(f"{where}: expected True or False, got {value!r}")


def _text(where: str, value: Any) -> str:
    if isinstance(value, str):  # a StrEnum's member, say
        return str.__str__(value)
    raise ValueError(f"{where}: expected text, got {value!r}")


_CONVERT: dict[FieldType, Callable[[str, Any], Any]] = {
    "float": _float,
    "int": _integer,
    "time": _integer,
    "bool": _bool,
    "text": _text,
}


def check_selection(measurement: Measurement, tags: Mapping[str, str], limit: int | None) -> None:
    """Raise ``ValueError`` for a tag that the measurement does not have, or a limit below 1."""
    for name in tags:
        if name not in measurement.tags:
            raise ValueError(
                f"{measurement.name} has no tag {name!r}; it has {', '.join(measurement.tags)}"
            )
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")


def in_order(
    measurement: Measurement,
    found: Iterable[dict[str, Any]],
    *,
    latest: bool,
    limit: int | None,
) -> list[dict[str, Any]]:
    """Rows found in any order, as ``Store.select`` promises them."""
    tags_of = operator.itemgetter(*measurement.tags)
    ordered = sorted(found, key=lambda row: (row["time"], tags_of(row)))
    if latest:
        newest = {tags_of(row): row for row in ordered}
        ordered = sorted(newest.values(), key=lambda row: (row["time"], tags_of(row)))
    return ordered if limit is None else ordered[-limit:]
