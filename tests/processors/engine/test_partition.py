"""One partition: frames, replays and repetitions make no difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from processors.engine import Partition, Policy
from processors.engine_port import OutMessage, Outputs, Record
from processors.store.memory import MemoryStore
from producers.clinic import demo_clinic
from schemas.catalogue import load_catalogue
from schemas.measurements import ALERT, DEVIATION, MEASUREMENTS, READING, RHYTHM
from schemas.topics import DEAD_LETTERS, EVENTS, READINGS

START = datetime(2026, 1, 1, tzinfo=UTC)
CATALOGUE = load_catalogue()


@cache
def recorded() -> tuple[Record, ...]:
    """Readings of six people over 11 days, with late, repeated and missing ones."""
    clinic = demo_clinic(7, START, START + timedelta(days=9), people=6)
    return tuple(
        Record(
            READINGS.name,
            0,
            offset,
            round(delivery.received_at.timestamp() * 1000),
            delivery.subject.encode(),
            delivery.value,
        )
        for offset, delivery in enumerate(
            d for d in clinic.records(START, START + timedelta(days=11)) if d.topic == READINGS.name
        )
    )


class Run:
    """A partition with a store, and what it would have saved."""

    def __init__(self, saved: dict[bytes, bytes] | None = None, begin: int = 0) -> None:
        self.partition = Partition(0, CATALOGUE, Policy())
        for key, value in (saved or {}).items():
            self.partition.restore(key, value)
        self.partition.start({READINGS.name: begin, EVENTS.name: 0})
        self.store = MemoryStore()
        self.messages: list[OutMessage] = []

    def keep(self, outputs: Outputs) -> None:
        for measurement, rows in outputs.rows.items():
            self.store.write(measurement, rows)
        self.messages.extend(outputs.messages)

    def feed(self, records: Sequence[Record]) -> None:
        self.keep(self.partition.process(records))


def contents(store: MemoryStore) -> dict[str, list[dict[str, Any]]]:
    return {measurement.name: store.select(measurement) for measurement in MEASUREMENTS}


def assert_same(store: MemoryStore, expected: dict[str, list[dict[str, Any]]]) -> None:
    """The same rows; where a rhythm has no phase in the end, or a marker is withheld, a provisional
    one may still stand.

    (A store merges fields, and an absent one erases nothing.)
    """
    for name, rows in contents(store).items():
        assert len(rows) == len(expected[name]), name
        for row, wanted in zip(rows, expected[name], strict=True):
            absent = (
                {k for k, v in wanted.items() if v is None}
                if name in ("rhythm", "marker")
                else set()
            )
            assert {k: v for k, v in row.items() if k not in absent} == {
                k: v for k, v in wanted.items() if k not in absent
            }


@cache
def in_one_frame() -> dict[str, list[dict[str, Any]]]:
    run = Run()
    run.feed(recorded())
    run.keep(run.partition.settle())
    return contents(run.store)


def frames(cuts: list[int], n: int) -> Iterator[tuple[int, int]]:
    at = 0
    for cut in [*sorted({c for c in cuts if 0 < c < n}), n]:
        yield at, cut
        at = cut


@settings(max_examples=3, phases=[Phase.generate])
@given(st.lists(st.integers(1, 6_000), max_size=60))
def test_results_do_not_depend_on_how_frames_are_cut(cuts: list[int]) -> None:
    records = recorded()
    run = Run()
    for begin, end in frames(cuts, len(records)):
        run.feed(records[begin:end])
        run.keep(run.partition.settle())
    assert_same(run.store, in_one_frame())


@settings(max_examples=3, phases=[Phase.generate])
@given(st.lists(st.tuples(st.integers(1, 6_000), st.integers(0, 3)), min_size=1, max_size=12))
def test_a_replay_after_a_crash_ends_in_the_same(stops: list[tuple[int, int]]) -> None:
    """Killed between any two steps of a checkpoint: rows partly saved, offsets not committed."""
    records = recorded()
    saved: dict[bytes, bytes] = {}
    committed = 0
    store = MemoryStore()
    for stop, step in [*stops, (len(records), 3)]:
        run = Run(saved, committed)
        run.store = store
        end = max(min(stop, len(records)), committed)
        run.feed(records[committed:end])
        if step == 0:
            continue  # nothing of it survives
        run.keep(run.partition.settle())
        changed = run.partition.changes()
        if step == 1:
            changed = changed[: len(changed) // 2]
        for key, value in changed:
            assert value is not None
            saved[key] = value
        if step == 3:
            committed = end
    assert_same(store, in_one_frame())
    counted = sum(row["n"] for row in store.select(READING))
    assert counted == sum(row["n"] for row in in_one_frame()["reading"])


def test_everything_twice_counts_once() -> None:
    records = recorded()
    again = [r._replace(offset=r.offset + len(records)) for r in records]
    run = Run()
    run.feed(records)
    run.keep(run.partition.settle())
    before = run.store.select(RHYTHM, latest=True)
    recent = [r for r in again if r.timestamp_ms > again[-1].timestamp_ms - 6 * 86_400_000]
    run.feed(recent)
    run.keep(run.partition.settle())
    after = run.store.select(RHYTHM, latest=True)
    assert [r["n_readings"] for r in before] == [r["n_readings"] for r in after]


def test_the_planned_troubles_are_found_and_nobody_else_is_ill() -> None:
    live_from = START + timedelta(days=30)
    clinic = demo_clinic(1, START, live_from, people=6)
    run = Run()
    offset = 0
    batch: list[Record] = []
    for delivery in clinic.records(START, live_from + timedelta(days=6)):
        if delivery.topic != READINGS.name:
            continue
        received = round(delivery.received_at.timestamp() * 1000)
        key = delivery.subject.encode()
        batch.append(Record(READINGS.name, 0, offset, received, key, delivery.value))
        offset += 1
        if len(batch) == 500:
            run.feed(batch)
            batch = []
    run.feed(batch)
    run.keep(run.partition.settle())
    alerts = {(a["subject"], a["kind"], a["direction"]) for a in run.store.select(ALERT)}
    sustained = {a for a in alerts if a[1] not in ("missing", "outlier")}
    ill = {
        (person["subject"], trouble["kind"])
        for person in clinic.truth()["people"]
        for trouble in person["troubles"]
    }
    for subject, kind in ill:
        word = "missing" if kind == "silent" else kind
        kinds = {k for s, k, _ in alerts if s == subject}
        assert word in kinds, f"{subject}: planned {kind}, found {kinds}"
    assert {s for s, _, _ in sustained} <= {s for s, _ in ill}
    assert all(d["reason"].endswith(".") for d in run.store.select(DEVIATION))


@pytest.mark.parametrize("dead", [b"\xff\xfe", b"{", b"[]"])
def test_a_bad_record_does_not_take_its_neighbours_with_it(dead: bytes) -> None:
    records = list(recorded()[:50])
    bad = records[25]._replace(value=dead)
    run = Run()
    run.feed([*records[:25], bad, *records[26:]])
    letters = [m for m in run.messages if m.topic == DEAD_LETTERS.name]
    assert [(m.key, m.value) for m in letters] == [(bad.key, dead)]
    clean = Run()
    clean.feed([*records[:25], *records[26:]])
    assert contents(run.store) == contents(clean.store)
