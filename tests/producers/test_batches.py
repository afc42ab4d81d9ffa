"""Series as records: nothing lost, short enough to be live, and wire format left alone."""

from __future__ import annotations

import csv
import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.batches import merge_batches, to_batches
from producers.clocks import parse_zone
from producers.files import Series, read_series
from producers.rows import FileMapping, pseudonym
from schemas.readings import ReadingBatch

ZONED = "2024-01-01T08:00:00+01:00"


def write(folder: Path, text: str) -> Path:
    path = folder / "curve-1.csv"
    path.write_text(text)
    return path


def read_one(path: Path, zone: str) -> Series:
    (series,) = read_series(path, FileMapping("heart-rate", zone=zone))
    return series


def test_people_of_the_same_days_travel_side_by_side(tmp_path: Path) -> None:
    rows = "".join(f"{who},2024-01-0{day}T08:00Z,60\n" for who in (1, 2) for day in (1, 2, 3))
    mapping = FileMapping("heart-rate", subject_column="who", subject="p", value_column="value")
    people = read_series(write(tmp_path, "who,time,value\n" + rows), mapping)
    merged = list(merge_batches([to_batches(series) for series in people]))
    assert [r.subject for r in merged] == ["p-1", "p-2"] * 3
    assert all(r.received_at == r.collected_at for r in merged)


def test_replayed_batches_are_short_and_received_with_their_last_reading(tmp_path: Path) -> None:
    rows = "".join(f"{1704092400 + 60 * i},60\n" for i in range(200))
    series = read_one(write(tmp_path, rows), zone="+00:00")
    for batch in to_batches(series):
        assert isinstance(batch, ReadingBatch)
        assert batch.offsets_ms[-1] <= 15 * 60_000
        assert batch.received_at == batch.collected_at + timedelta(
            milliseconds=batch.offsets_ms[-1]
        )
    backfill = list(to_batches(series, received="now"))
    assert [len(b.values) for b in backfill if isinstance(b, ReadingBatch)] == [100, 100]
    assert all(b.received_at is None for b in backfill)


def test_each_record_states_the_spacing_of_its_own_readings(tmp_path: Path) -> None:
    """Every five minutes by day, every five seconds in exercise, one reading the next morning."""
    times = [300 * i for i in range(10)] + [3_000 + 5 * i for i in range(60)] + [60_000]
    rows = "".join(f"{1704092400 + t},60\n" for t in times)
    records = list(to_batches(read_one(write(tmp_path, rows), zone="+00:00")))
    stated = [record.interval_s for record in records]
    assert stated[0] == 300.0
    # A burst's record: five seconds each, and before and after it what its ends stand for.
    assert min(each or 0 for each in stated) < 100.0
    assert stated[-1] == 7200.0  # no reading is worth more than the decorrelation time
    # Whatever the records are, together they stand for the time that was covered.
    weights = [
        (r.interval_s or 0) * (len(r.values) if isinstance(r, ReadingBatch) else 1) for r in records
    ]
    assert sum(weights) == pytest.approx(3_000 + 295 + 2 * 7_200 - 7_200 / 2 + 150, rel=0.05)
    alone = list(to_batches(read_one(write(tmp_path, "1704092400,60\n"), zone="+00:00")))
    assert [record.interval_s for record in alone] == [None]


readings_of_people = st.lists(
    st.tuples(
        st.sampled_from(["1", "2.0", "p-77"]),
        st.datetimes(min_value=datetime(2000, 1, 3), max_value=datetime(2037, 1, 1)),
        st.sampled_from([-300, 0, 60, 345]),
        st.floats(min_value=-1e6, max_value=1e6),
    ),
    min_size=1,
    max_size=40,
)


@given(
    rows=readings_of_people,
    delimiter=st.sampled_from([",", ";", "\t", "json"]),
    batch_size=st.integers(min_value=1, max_value=7),
)
def test_no_reading_is_lost_between_file_and_batches(
    rows: list[tuple[str, datetime, int, float]], delimiter: str, batch_size: int
) -> None:
    expected = []
    cells = []
    for who, naive, offset_minutes, value in rows:
        zone = parse_zone(
            f"{'-' if offset_minutes < 0 else '+'}{abs(offset_minutes) // 60:02d}:"
            f"{abs(offset_minutes) % 60:02d}"
        )
        at = naive.replace(microsecond=naive.microsecond // 1000 * 1000, tzinfo=zone)
        expected.append((pseudonym(who, "s"), at, at.utcoffset(), value))
        cells.append((who, at.isoformat(), repr(value)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file-1.txt"
        with path.open("w", newline="") as stream:
            if delimiter == "json":
                for who, at_text, value_text in cells:
                    record = {"who": who, "time": at_text, "value": float(value_text)}
                    stream.write(json.dumps(record) + "\n")
            else:
                table = csv.writer(stream, delimiter=delimiter)
                table.writerow(["who", "time", "value"])
                table.writerows(cells)
        mapping = FileMapping("heart-rate", subject_column="who", value_column="value", subject="s")
        people = list(read_series(path, mapping))
    found: list[tuple[str, datetime, timedelta | None, float]] = []
    for batch in merge_batches([to_batches(s, batch_size=batch_size) for s in people]):
        assert isinstance(batch, ReadingBatch)
        assert len(batch.values) <= batch_size
        for offset_ms, value in zip(batch.offsets_ms, batch.values, strict=True):
            at = batch.collected_at + timedelta(milliseconds=offset_ms)
            found.append((batch.subject, at, at.utcoffset(), value))
    assert sorted(found) == sorted(expected)
