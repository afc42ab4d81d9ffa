"""SQLite: the embedded store. One file; several processes may write and read it.

Each measurement has two tables, ``<name>_series`` (one row a tag set) and ``<name>_rows`` (series
number, time, fields), and a view ``<name>`` that joins them for people with another SQL tool.
Rows stand in the order of arrival with a narrow index on (series, time) beside them: a checkpoint
of many series then touches few pages, which a table clustered by series does not (twice as fast
on 1,000 series, measured).

``synchronous=FULL``: offsets are committed to Kafka, perhaps on another machine, as soon as
``write`` has returned. With NORMAL a power cut could take back the last transactions after that,
and nothing would ever write them again. It costs one more fsync a transaction.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from processors.store.interface import NO_TAGS
from processors.store.rows import check_selection, checked
from processors.store.sqlite_schema import TABLES, create, is_current
from schemas.errors import StoreRefused, StoreUnavailable
from schemas.measurements import Measurement, Row

_BUSY_TIMEOUT_S = 10.0

# https://www.sqlite.org/rescode.html
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_FOR_NOW = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space",
    sqlite3.SQLITE_IOERR: "the disk fails: look at the system's log",
    sqlite3.SQLITE_NOMEM: "the machine is out of memory",
}
_FOR_GOOD = {
    sqlite3.SQLITE_CANTOPEN: "create the folder it lies in, or allow this user to write there",
    sqlite3.SQLITE_READONLY: "allow this user to write the file and the folder it lies in",
    sqlite3.SQLITE_PERM: "allow this user to read and write the file",
    sqlite3.SQLITE_NOTADB: "this is no SQLite file: choose another path",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: move it away and replay, or restore a copy",
}


class SqliteStore:
    """One SQLite file in WAL mode: one writer at a time, readers beside it."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises ``StoreRefused`` if it is not ours or from a newer version,
        ``StoreUnavailable`` if another process holds one that must be made or brought up to date.
        """
        self._path = path
        self._lock = threading.Lock()
        self._series: dict[str, dict[Row, int]] = {name: {} for name in TABLES}
        self._idle_readers: list[sqlite3.Connection] = []
        with self._translating():
            self._writer = self._connect()
            try:
                self._writer.execute("PRAGMA page_size = 8192")
                self._writer.execute("PRAGMA journal_mode = WAL")
                self._writer.execute("PRAGMA synchronous = FULL")
                # A worker that was paused within a transaction would otherwise keep every other
                # from starting; their writes wait for it, as they do for any absent store.
                if not is_current(self._writer):
                    with self._transaction():
                        create(self._writer, path)
            except BaseException:
                self._writer.close()
                raise

    def write(self, measurement: Measurement, rows: Sequence[Row]) -> None:
        """As ``Store.write``; all rows in one transaction, so all of them or none."""
        block = checked(measurement, rows)
        if not block.times:
            return
        table = TABLES[measurement.name]
        with self._lock, self._translating():
            known = self._series[measurement.name]
            with self._transaction():
                fresh = {
                    tags: self._series_number(table.add_series, table.find_series, tags)
                    for tags in set(block.tags).difference(known)
                }
                number = known | fresh if fresh else known
                self._writer.executemany(
                    table.upsert(tuple(block.fields)),
                    zip(
                        [number[tags] for tags in block.tags],
                        block.times,
                        *block.fields.values(),
                        strict=True,
                    ),
                )
            # Only now: a number from a transaction that was rolled back may be given again.
            known.update(fresh)

    def _series_number(self, add: str, find: str, tags: Row) -> int:
        self._writer.execute(add, tags)
        (number,) = self._writer.execute(find, tags).fetchone()
        return int(number)

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
        """As ``Store.select``."""
        check_selection(measurement, tags, limit)
        table = TABLES[measurement.name]
        sql, parameters = table.selection(tags, start_ms, end_ms, latest=latest, limit=limit)
        with self._translating():
            connection = self._reader()
            try:
                found = connection.execute(sql, parameters).fetchall()
            except BaseException:
                connection.close()
                raise
            self._idle_readers.append(connection)
        if limit is not None:
            found.reverse()  # the statement asks for the newest first
        rows = [dict(zip(measurement.columns, row, strict=True)) for row in found]
        for name in table.truth_values:
            for row in rows:
                if row[name] is not None:
                    row[name] = bool(row[name])
        return rows

    def _reader(self) -> sqlite3.Connection:
        """A connection that no other thread uses; as many are made as threads read at once."""
        try:
            return self._idle_readers.pop()
        except IndexError:
            return self._connect()

    def close(self) -> None:
        """Close all connections; the last one to close folds the WAL into the file."""
        with self._lock:
            while self._idle_readers:
                self._idle_readers.pop().close()
            self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        # IMMEDIATE waits for another process's transaction here, where waiting is possible.
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:  # SQLite rolls some failures back by itself
                self._writer.execute("ROLLBACK")
            raise

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # extended codes in the high bits
            if code in _BUSY:
                raise StoreUnavailable(
                    f"{self._path}: another process has held the store for {_BUSY_TIMEOUT_S:.0f} s"
                ) from error
            if code in _FOR_NOW:
                raise StoreUnavailable(f"{self._path}: {error}; {_FOR_NOW[code]}") from error
            advice = _FOR_GOOD.get(code, "trying again would not help")
            raise StoreRefused(f"{self._path}: {error}; {advice}") from error
