"""SQLite's own promises: durability, several processes, refusals, plans of its queries."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from processors.store import sqlite as sqlite_module
from processors.store.sqlite import SqliteStore
from processors.store.sqlite_schema import TABLES, VERSION
from schemas.errors import StoreRefused, StoreUnavailable
from schemas.measurements import DEVIATION, MEASUREMENTS, PROFILE, READING, Measurement
from tests.processors.store.test_conformance import T0, profile, row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    store.close()


def test_rows_are_there_after_reopening(path: Path) -> None:
    for step in range(3):
        store = SqliteStore(path)
        store.write(PROFILE, [profile(time=T0 + step, value=float(step))])
        assert len(store.select(PROFILE)) == step + 1
        store.close()


_WRITER = """
import sys
from pathlib import Path
from processors.store.sqlite import SqliteStore
from tests.processors.store.test_conformance import PROFILE, T0, profile
store = SqliteStore(Path(sys.argv[1]))
for step in range(1_000_000):
    store.write(PROFILE, [profile(time=T0 + step, subject=f"p-{n:02}") for n in range(7)])
    print(step, flush=True)
"""


def test_a_killed_writer_loses_nothing_it_confirmed(path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    confirmed = [int(writer.stdout.readline()) for _ in range(25)]
    writer.send_signal(signal.SIGKILL)
    confirmed += [int(line) for line in writer.stdout if line.endswith("\n")]
    assert writer.wait(timeout=30) == -signal.SIGKILL
    writer.stdout.close()

    store = SqliteStore(path)
    found = [r["time"] - T0 for r in store.select(PROFILE)]
    store.close()
    assert set(confirmed) <= set(found)
    # All rows of a write or none: the last one may have been confirmed to nobody.
    assert {found.count(step) for step in set(found)} == {7}


def test_two_processes_share_series_and_rows(path: Path, store: SqliteStore) -> None:
    other = SqliteStore(path)
    for step in range(4):
        for writer in (store, other):
            name = f"p-{step}-{id(writer)}"
            writer.write(PROFILE, [profile(subject="shared", time=T0 + step, value=1.0)])
            writer.write(PROFILE, [profile(subject=name, time=T0 + step)])
    assert store.select(PROFILE) == other.select(PROFILE)
    assert len(store.select(PROFILE, tags={"subject": "shared"})) == 4
    assert len(store.select(PROFILE)) == 12
    other.close()


def test_many_may_open_a_new_file_at_once(path: Path) -> None:
    def use(number: int) -> None:
        store = SqliteStore(path)
        store.write(PROFILE, [profile(subject=f"p-{number}")])
        store.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(16)))
    store = SqliteStore(path)
    assert len(store.select(PROFILE)) == 16
    store.close()


def test_readers_beside_the_writer_see_whole_writes(store: SqliteStore) -> None:
    done = threading.Event()

    def read() -> set[int]:
        counts = set()
        while not done.is_set():
            counts.add(len(store.select(PROFILE)) % 10)
        return counts

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for step in range(60):
            store.write(PROFILE, [profile(time=T0 + step * 10 + n) for n in range(10)])
        done.set()
        assert [reader.result(timeout=30) for reader in readers] == [{0}] * 3


def test_a_series_of_a_failed_write_is_not_remembered(path: Path, store: SqliteStore) -> None:
    with sqlite3.connect(path) as outside:
        outside.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON profile_rows WHEN NEW.value = 13 "
            "BEGIN SELECT raise(ABORT, 'not thirteen'); END"
        )
    with pytest.raises(StoreRefused, match="not thirteen"):
        store.write(PROFILE, [profile(subject="p-13"), profile(subject="p-14", value=13.0)])
    assert store.select(PROFILE) == []
    store.write(PROFILE, [profile(subject="p-15")])
    store.write(PROFILE, [profile(subject="p-13")])
    assert [r["subject"] for r in store.select(PROFILE)] == ["p-13", "p-15"]
    outside.close()


def test_an_older_file_gains_the_new_columns(path: Path) -> None:
    store = SqliteStore(path)
    store.write(PROFILE, [profile(value=1.0)])
    store.close()
    older = sqlite3.connect(path)
    older.execute("DROP VIEW profile")
    older.execute("ALTER TABLE profile_rows DROP COLUMN n_days")
    older.commit()
    older.close()

    store = SqliteStore(path)
    store.write(PROFILE, [profile(n_days=7)])
    (found,) = store.select(PROFILE)
    assert (found["value"], found["n_days"]) == (1.0, 7)
    store.close()


def test_a_file_brought_up_to_date_is_opened_beside_a_writer(path: Path) -> None:
    """As one made by this version: nothing is left to be looked after."""
    store = SqliteStore(path)
    store.write(PROFILE, [profile(value=1.0, ref_high=2.0)])
    store.close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("DROP VIEW profile")
    for name in ("young_low", "young_high"):  # the file of a version that did not know them
        holder.execute(f"ALTER TABLE profile_rows DROP COLUMN {name}")
    SqliteStore(path).close()
    holder.execute("BEGIN IMMEDIATE")
    other = SqliteStore(path)
    assert [(row["ref_high"], row["young_high"]) for row in other.select(PROFILE)] == [(2.0, None)]
    holder.execute("ROLLBACK")
    holder.close()
    other.write(PROFILE, [profile(young_low=0.5, young_high=1.5)])
    (found,) = other.select(PROFILE)
    assert (found["ref_high"], found["young_low"], found["young_high"]) == (2.0, 0.5, 1.5)
    other.close()


def test_the_view_shows_the_rows_to_other_tools(path: Path, store: SqliteStore) -> None:
    written = profile(value=1.5)
    store.write(PROFILE, [written])
    outside = sqlite3.connect(path)
    assert outside.execute("SELECT * FROM profile").fetchall() == [written]
    outside.close()


def test_another_process_that_holds_the_file(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(sqlite_module, "_BUSY_TIMEOUT_S", 0.05)
    other = SqliteStore(path)  # opening takes no part in it
    with pytest.raises(StoreUnavailable, match="another process") as caught:
        other.write(PROFILE, [profile()])
    assert caught.value.retryable
    assert store.select(PROFILE) == []  # reading goes on beside it
    holder.execute("ROLLBACK")
    other.write(PROFILE, [profile()])
    other.close()

    holder.execute("BEGIN IMMEDIATE")
    holder.execute("ALTER TABLE profile_rows ADD COLUMN of_a_later_version")
    holder.execute("COMMIT")
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another process"):
        SqliteStore(path)  # whose layout must be looked after
    holder.execute("ROLLBACK")
    holder.close()


def test_a_full_disk_is_for_now(store: SqliteStore) -> None:
    # SQLite itself gives the error of a full disk when the file reaches its page limit.
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages}")
    rows = [profile(time=T0 + step) for step in range(5_000)]
    with pytest.raises(StoreUnavailable, match="free some space"):
        store.write(PROFILE, rows)
    assert store.select(PROFILE) == []
    store._writer.execute("PRAGMA max_page_count = 1000000")
    store.write(PROFILE, rows)
    assert len(store.select(PROFILE)) == 5_000


def test_files_that_are_not_ours(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"time,value\n" * 1000)
    with pytest.raises(StoreRefused, match="no SQLite file"):
        SqliteStore(path)
    assert path.read_bytes() == b"time,value\n" * 1000

    foreign = tmp_path / "foreign.db"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE profile (a)")
    connection.commit()
    with pytest.raises(StoreRefused, match="another program's"):
        SqliteStore(foreign)
    assert [r[0] for r in connection.execute("SELECT name FROM sqlite_schema")] == ["profile"]
    connection.close()


def test_a_file_of_a_newer_version(path: Path) -> None:
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StoreRefused, match="newer Acrophase"):
        SqliteStore(path)


def test_a_damaged_file(path: Path) -> None:
    store = SqliteStore(path)
    store.write(PROFILE, [profile(time=T0 + step) for step in range(2_000)])
    store.close()
    content = bytearray(path.read_bytes())
    content[8192 * 3 :] = b"\xff" * (len(content) - 8192 * 3)
    path.write_bytes(content)
    with pytest.raises(StoreRefused, match="damaged"):
        SqliteStore(path).select(PROFILE)


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="create the folder"):
        SqliteStore(tmp_path / "absent" / "store.db")


def test_a_file_that_may_only_be_read(path: Path, store: SqliteStore) -> None:
    # Permission bits do not bind root, so the connection itself is told to refuse.
    path.chmod(stat.S_IRUSR)
    store._writer.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreRefused, match="allow this user to write"):
        store.write(PROFILE, [profile()])


@pytest.mark.parametrize("measurement", MEASUREMENTS, ids=lambda m: m.name)
def test_a_person_is_found_without_reading_all_rows(
    store: SqliteStore, measurement: Measurement
) -> None:
    for latest in (False, True):
        plan = plan_of(store, measurement, {"subject": "p-01"}, T0, latest=latest)
        assert "(subject=?)" in plan[0]
        assert not any(step.startswith("SCAN") for step in plan)


def test_the_latest_of_all_seeks_once_a_series(store: SqliteStore) -> None:
    plan = plan_of(store, READING, {}, None, latest=True)
    assert plan[0].startswith("SCAN s")
    assert not any(step.startswith("SCAN r") for step in plan)


def test_deviations_of_all_people_are_read_by_time(store: SqliteStore) -> None:
    store.write(DEVIATION, [row(DEVIATION, kind="level", direction="higher", z=4.0)])
    plan = plan_of(store, DEVIATION, {}, T0, latest=False, limit=100)
    assert "deviation_rows_time (time>?)" in plan[0]


def plan_of(
    store: SqliteStore,
    measurement: Measurement,
    tags: dict[str, str],
    start_ms: int | None,
    *,
    latest: bool,
    limit: int | None = None,
) -> list[str]:
    sql, parameters = TABLES[measurement.name].selection(
        tags, start_ms, None, latest=latest, limit=limit
    )
    return [r[3] for r in store._writer.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
