"""A store in memory: for tests, and the plain meaning of the others."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from processors.store.interface import NO_TAGS
from processors.store.rows import check_selection, checked, in_order
from schemas.measurements import Measurement, Row


class MemoryStore:
    """Rows in dicts, gone when the process ends. ``Store`` otherwise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fields: dict[str, dict[Row, list[Any]]] = {}

    def write(self, measurement: Measurement, rows: Sequence[Row]) -> None:
        """As ``Store.write``; never raises a store error."""
        rows = checked(measurement, rows).rows(measurement)
        n_key = len(measurement.tags) + 1
        with self._lock:
            table = self._fields.setdefault(measurement.name, {})
            for row in rows:
                fields = table.setdefault(row[:n_key], [None] * len(measurement.fields))
                for index, value in enumerate(row[n_key:]):
                    if value is not None:
                        fields[index] = value

    def select(
        self,
        measurement: Measurement,
        *,
        tags: Mapping[str, str] = NO_TAGS,
        start_ms: int | None = None,
        end_ms: int | None = None,
        latest: bool = False,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """As ``Store.select``; looks at every row of the measurement."""
        check_selection(measurement, tags, limit)
        with self._lock:
            everything = [
                dict(zip(measurement.columns, (*key, *fields), strict=True))
                for key, fields in self._fields.get(measurement.name, {}).items()
            ]
        found = (
            row
            for row in everything
            if (start_ms is None or row["time"] >= start_ms)
            and (end_ms is None or row["time"] < end_ms)
            and all(row[name] == value for name, value in tags.items())
        )
        return in_order(measurement, found, latest=latest, limit=limit)

    def close(self) -> None:
        """Nothing to release."""
