"""A recording published a second time counts once, however long ago its days are."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from processors.engine import Partition, Policy
from processors.engine.seen import DAY_MS, MOST_DAYS, Seen
from processors.engine_port import Record
from producers.batches import to_batches
from producers.files import read_series
from producers.rows import FileMapping, FileReport
from schemas.catalogue import load_catalogue
from schemas.measurements import RHYTHM
from schemas.readings import Reading, ReadingBatch

START = datetime(2026, 1, 5, tzinfo=UTC)
SENT_MS = round(datetime(2027, 1, 1, tzinfo=UTC).timestamp() * 1000)


class Worker:
    """One partition, and how many readings its only series has counted."""

    def __init__(self) -> None:
        self._partition = self._new()
        self._offset = 0
        self._state: dict[bytes, bytes | None] = {}

    def take(self, records: Iterable[Reading | ReadingBatch]) -> int:
        frame = []
        for record in records:
            value = record.model_dump_json(by_alias=True, exclude_none=True).encode()
            key = record.subject.encode()
            frame.append(Record("readings", 0, self._offset, SENT_MS, key, value))
            self._offset += 1
        for first in range(0, len(frame), 500):
            self._partition.process(frame[first : first + 500])
        rows = self._partition.settle().rows.get(RHYTHM, [])
        self._state.update(self._partition.changes())
        if rows:
            self.rhythm = dict(zip(RHYTHM.columns, rows[-1], strict=True))
        return int(self.rhythm["n_readings"])

    def restart(self) -> None:
        """Another worker goes on from the state rows alone."""
        self._partition = self._new()
        for key, value in self._state.items():
            if value is not None:
                self._partition.restore(key, value)
        self._partition.start({"readings": self._offset, "events": 0})

    @staticmethod
    def _new() -> Partition:
        partition = Partition(0, load_catalogue(), Policy())
        partition.start({"readings": 0, "events": 0})
        return partition


def table(folder: Path, name: str, hours: Sequence[float]) -> Path:
    path = folder / name
    rows = [f"{(START + timedelta(hours=hour)).isoformat()},{60 + hour % 24:.3f}" for hour in hours]
    path.write_text("time,value\n" + "\n".join(rows) + "\n")
    return path


def records(path: Path, received: str = "replay") -> list[Reading | ReadingBatch]:
    (series,) = read_series(path, FileMapping("heart-rate", subject="p-1"))
    return list(to_batches(series, received="now" if received == "now" else "replay"))


@pytest.fixture
def irregular(tmp_path: Path) -> Path:
    rng = random.Random(1)
    return table(tmp_path, "a.csv", sorted(rng.uniform(0, 40 * 24) for _ in range(3_000)))


@pytest.mark.parametrize("restart", [False, True])
def test_the_second_time_counts_nothing(irregular: Path, restart: bool) -> None:
    worker = Worker()
    assert worker.take(records(irregular)) == 3_000
    if restart:
        worker.restart()
    assert worker.take(records(irregular)) == 3_000


def test_the_wearable_recording_is_established_and_counts_once(shared_data: Path) -> None:
    """100,000 readings, in bursts and now and then: a rhythm, and as many as there are times."""
    path = shared_data / "wearable_heart_rate/hr_data.csv"
    mapping = FileMapping("heart-rate", subject="p-1", start="2026-01-01T00:00")
    (series,) = read_series(path, mapping, FileReport())
    worker = Worker()
    sent = list(to_batches(series))
    assert worker.take(sent) == 99_963
    rhythm = dict(worker.rhythm)
    assert rhythm["status"] == "established"
    # As least squares and the posterior of `acrophase fit` have it, but for what is forgotten.
    assert rhythm["acrophase"] == pytest.approx(5.1, abs=0.5)
    assert worker.take(sent) == 99_963
    assert worker.rhythm == rhythm


def test_what_was_not_there_the_first_time_counts(tmp_path: Path) -> None:
    days = range(30)
    mornings = table(tmp_path, "a.csv", [24 * day + hour for day in days for hour in (7, 8, 9)])
    evenings = table(tmp_path, "b.csv", [24 * day + hour for day in days for hour in (20, 21)])
    earlier = table(tmp_path, "c.csv", [24 * day + 8 for day in range(-20, 0)])
    worker = Worker()
    assert worker.take(records(mornings)) == 90
    assert worker.take(records(evenings)) == 150
    assert worker.take(records(earlier)) == 170
    for again in (earlier, mornings, evenings):
        assert worker.take(records(again)) == 170


def test_late_readings_of_a_forgotten_hour_count(tmp_path: Path) -> None:
    worker = Worker()
    hours = [hour / 4 for hour in range(0, 20 * 24 * 4, 2)]
    assert worker.take(records(table(tmp_path, "a.csv", hours))) == len(hours)
    late = records(table(tmp_path, "b.csv", [hour + 0.25 for hour in hours[:48]]), "now")
    # What the publisher does: they are received today, weeks after they were taken.
    today = START + timedelta(days=20)
    late = [record.model_copy(update={"received_at": today}) for record in late]
    assert worker.take(late) == len(hours) + 48


def test_a_dead_letter_of_a_forgotten_hour_counts() -> None:
    seen = Seen()
    for minute in range(40 * 1440):
        if minute != 600:
            assert seen.add(minute * 60_000, minute * 60_000)
    assert not seen.add(601 * 60_000, 601 * 60_000)
    assert not seen.add(600 * 60_000, 600 * 60_000)  # cannot be told from the others of its hour
    assert seen.add(600 * 60_000, 600 * 60_000, replayed=True)


def test_the_hours_of_forgotten_days_are_bounded() -> None:
    seen = Seen()
    for day in (20_000, 3, 20_500, 19_990, 20_000 + 2 * MOST_DAYS, 20_000 + 2 * MOST_DAYS + 9):
        assert seen.add(day * DAY_MS, day * DAY_MS)
    (kept,) = (data for _, expiry, data in seen.dump() if expiry == 0)
    assert isinstance(kept, bytes)
    assert len(kept) <= 4 * MOST_DAYS
