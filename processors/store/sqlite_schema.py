"""Tables and statements of the SQLite store, made from ``schemas.measurements``."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.errors import StoreRefused
from schemas.measurements import ALERT, DEVIATION, EVENT, MEASUREMENTS, FieldType, Measurement

# Marks the file as ours ("ACRO" in ASCII) and its layout's version, in the file's header.
APPLICATION_ID = 0x4143524F
VERSION = 1

_AFFINITY: dict[FieldType, str] = {
    "float": "REAL",
    "int": "INTEGER",
    "bool": "INTEGER",
    "time": "INTEGER",
    "text": "TEXT",
}

# Sparse, and listed over all people in order of time.
_LISTED_BY_TIME = (DEVIATION, ALERT, EVENT)


class Table:
    """The statements of one measurement. All names come from our own declarations."""

    def __init__(self, measurement: Measurement) -> None:
        self._measurement = measurement
        self._rows, self._series = f"{measurement.name}_rows", f"{measurement.name}_series"
        fields = [column.name for column in measurement.fields]
        tags = ", ".join(measurement.tags)
        marks = ", ".join("?" * len(measurement.tags))
        self.add_series = (
            f"INSERT INTO {self._series} ({tags}) VALUES ({marks}) ON CONFLICT DO NOTHING"
        )
        self.find_series = f"SELECT series FROM {self._series} WHERE ({tags}) = ({marks})"
        self._fields = fields
        self._upserts: dict[tuple[int, ...], str] = {}
        self.truth_values = [c.name for c in measurement.fields if c.type == "bool"]
        self._columns = ", ".join(
            [f"s.{tag}" for tag in measurement.tags] + ["r.time"] + [f"r.{name}" for name in fields]
        )

    def upsert(self, given: tuple[int, ...]) -> str:
        """The statement that writes series number, time and the fields at these positions.

        A field that no row gives is left out: binding and storing nothing costs as much as a
        number (a five-minute mean in half the time, measured).
        """
        if given not in self._upserts:
            fields = [self._fields[i] for i in given]
            self._upserts[given] = (
                f"INSERT INTO {self._rows} (series, time, {', '.join(fields)}) "
                f"VALUES (?, ?, {', '.join('?' * len(fields))}) "
                f"ON CONFLICT (series, time) DO UPDATE SET "
                + ", ".join(f"{name} = coalesce(excluded.{name}, {name})" for name in fields)
            )
        return self._upserts[given]

    def selection(
        self,
        tags: Mapping[str, str],
        start_ms: int | None,
        end_ms: int | None,
        *,
        latest: bool,
        limit: int | None,
    ) -> tuple[str, list[Any]]:
        """The SELECT statement and its parameters."""
        conditions: list[str] = []
        parameters: list[Any] = []
        for name, value in tags.items():
            conditions.append(f"s.{name} = ?")
            parameters.append(value)
        within: list[tuple[str, int]] = [
            (text, bound)
            for text, bound in (("time >= ?", start_ms), ("time < ?", end_ms))
            if bound is not None
        ]
        if latest:
            inner = " AND ".join(["l.series = s.series", *(f"l.{text}" for text, _ in within)])
            conditions.append(f"r.time = (SELECT max(l.time) FROM {self._rows} l WHERE {inner})")
        else:
            conditions += [f"r.{text}" for text, _ in within]
        parameters.extend(bound for _, bound in within)

        # CROSS JOIN fixes the order of the loops in SQLite: without statistics it would rather
        # scan all rows than seek in each of the few series.
        join = f"{self._series} s CROSS JOIN {self._rows} r ON r.series = s.series"
        if self._measurement in _LISTED_BY_TIME and not tags and not latest:
            join = f"{self._rows} r CROSS JOIN {self._series} s ON r.series = s.series"
        order = ["r.time", *(f"s.{tag}" for tag in self._measurement.tags)]
        sql = f"SELECT {self._columns} FROM {join}"
        if conditions:
            sql += f" WHERE {' AND '.join(conditions)}"
        if limit is None:
            return f"{sql} ORDER BY {', '.join(order)}", parameters
        newest_first = ", ".join(f"{name} DESC" for name in order)
        return f"{sql} ORDER BY {newest_first} LIMIT ?", [*parameters, limit]

    def create(self, connection: sqlite3.Connection) -> None:
        """Make the tables, add columns that an older file lacks, and renew the view."""
        tags, rows, series = self._measurement.tags, self._rows, self._series
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {series} (series INTEGER PRIMARY KEY, "
            f"{', '.join(f'{tag} TEXT NOT NULL' for tag in tags)}, UNIQUE ({', '.join(tags)}))"
        )
        # The unique index begins with the site; a person is also asked for without one.
        if "subject" in tags:
            connection.execute(f"CREATE INDEX IF NOT EXISTS {series}_subject ON {series} (subject)")
        columns = {c.name: _AFFINITY[c.type] for c in self._measurement.fields}
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {rows} (series INTEGER NOT NULL, time INTEGER NOT NULL, "
            f"{', '.join(f'{name} {kind}' for name, kind in columns.items())}, "
            f"PRIMARY KEY (series, time))"
        )
        present = {row[1] for row in connection.execute(f"PRAGMA table_info({rows})")}
        for name in columns.keys() - present:
            connection.execute(f"ALTER TABLE {rows} ADD COLUMN {name} {columns[name]}")
        if self._measurement in _LISTED_BY_TIME:
            connection.execute(f"CREATE INDEX IF NOT EXISTS {rows}_time ON {rows} (time)")
        view = self._measurement.name
        connection.execute(f"DROP VIEW IF EXISTS {view}")
        connection.execute(
            f"CREATE VIEW {view} AS SELECT {self._columns} FROM {rows} r "
            f"JOIN {series} s ON r.series = s.series"
        )


TABLES = {measurement.name: Table(measurement) for measurement in MEASUREMENTS}


def is_current(connection: sqlite3.Connection) -> bool:
    """True if the file has exactly this version's layout, so that nothing must be written."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (application, version) != (APPLICATION_ID, VERSION):
        return False
    fresh = sqlite3.connect(":memory:")
    try:
        for table in TABLES.values():
            table.create(fresh)
        return _objects(connection) == _objects(fresh)
    finally:
        fresh.close()


def _objects(connection: sqlite3.Connection) -> set[tuple[Any, ...]]:
    """Views and indexes by their text, tables by their columns: one that was added later stands
    elsewhere in a table's text than in that of a new file."""
    columns = connection.execute(
        'SELECT t.name, c.name, c.type, c."notnull", c.pk '
        "FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'"
    )
    others = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type <> 'table'")
    return {*columns, *others}


def create(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file to this version's layout, within the caller's transaction.

    Raises ``StoreRefused`` if the file belongs to another program or a newer version.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or version or objects):
        raise StoreRefused(f"{path} is another program's SQLite file; choose another path")
    if version > VERSION:
        raise StoreRefused(
            f"{path} has layout {version} of a newer Acrophase, this one knows {VERSION}: "
            f"upgrade, or choose another path"
        )
    for table in TABLES.values():
        table.create(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
