"""Flux: the text of a selection, and the rows in the annotated CSV of its answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from processors.store.rows import MAX_TIME_MS, MIN_TIME_MS
from schemas.measurements import FieldType, Measurement

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\x24"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


class FluxError(Exception):
    """The server reported an error within an answer that had begun well."""


def text_literal(text: str) -> str:
    """A Flux string literal; nothing in the text can end it or be interpolated.

    >>> text_literal('a"b ${1}')
    '"a\\\\"b \\\\x24{1}"'
    """
    return f'"{text.translate(_ESCAPES)}"'


def select_query(
    bucket: str,
    measurement: Measurement,
    *,
    tags: Mapping[str, str],
    start_ms: int | None,
    end_ms: int | None,
    latest: bool,
    limit: int | None,
) -> str:
    """A query whose answer holds at least the rows asked for, one table a tag set.

    What is left to do is ``rows.in_order``. ``latest`` reads each field's last value only: the
    newest row's fields are among them. ``limit`` keeps each field's newest values: a value with
    ``limit`` newer ones of its own field cannot belong to one of the newest ``limit`` rows.
    """
    start = MIN_TIME_MS if start_ms is None else max(start_ms, MIN_TIME_MS)
    stop = MAX_TIME_MS + 1 if end_ms is None else min(end_ms, MAX_TIME_MS + 1)
    conditions = [f"r._measurement == {text_literal(measurement.name)}"]
    conditions += [f"r.{name} == {text_literal(value)}" for name, value in tags.items()]
    steps = [
        f"from(bucket: {text_literal(bucket)})",
        f"range(start: {_time(start)}, stop: {_time(stop)})",
        f"filter(fn: (r) => {' and '.join(conditions)})",
    ]
    if latest:
        steps.append("last()")
    elif limit is not None:
        steps.append(f"tail(n: {limit})")
    steps += [
        'drop(columns: ["_start", "_stop", "_measurement"])',
        'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
    ]
    return "\n  |> ".join(steps)


def _time(ms: int) -> str:
    # The last nanosecond that Flux can name lies just before the end of the last millisecond.
    return f"time(v: {min(ms * 1_000_000, 2**63 - 2)})"


def parse(measurement: Measurement, answer: str) -> Iterator[dict[str, Any]]:
    """Rows in the annotated CSV (annotation ``datatype``) of a ``select_query``.

    Raises ``FluxError`` with the server's message. An empty cell is an absent field: empty text
    is never stored.
    """
    converters: dict[str, Callable[[str], Any]] = {
        **dict.fromkeys(measurement.tags, str),
        **{column.name: _CONVERTERS[column.type] for column in measurement.fields},
    }
    absent = dict.fromkeys(measurement.columns)
    time_index = 0
    plan: list[tuple[int, str, Callable[[str], Any]]] = []
    header_follows = True
    for cells in csv.reader(io.StringIO(answer, newline="")):
        if not cells or cells[0] == "#datatype":
            header_follows = True
        elif header_follows:
            header_follows = False
            if "error" in cells[:2]:
                plan = []
                continue
            time_index = cells.index("_time")
            plan = [
                (index, name, converters[name])
                for index, name in enumerate(cells)
                if name in converters
            ]
        elif not plan:
            raise FluxError(cells[1] if cells[0] == "" else cells[0])
        else:
            row = absent.copy()
            row["time"] = _epoch_ms(cells[time_index])
            for index, name, convert in plan:
                if cells[index]:
                    row[name] = convert(cells[index])
            yield row


def _epoch_ms(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // _MS


_CONVERTERS: dict[FieldType, Callable[[str], Any]] = {
    "float": float,
    "int": int,
    "time": int,
    "bool": "true".__eq__,
    "text": str,
}
