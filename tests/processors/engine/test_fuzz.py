"""Whatever arrives, a partition neither raises nor loses count.

Every record ends in exactly one of: counted, a duplicate, a dead letter (of a batch: each of its
elements does). What came before makes no difference to the verdict, and what comes after is taken.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from processors.engine.state import load_series
from processors.engine_port import Record
from processors.rhythm.layout import N_READINGS
from schemas.events import Dose, Profile, Sleep, parse_event
from schemas.measurements import EVENT, READING
from schemas.readings import Reading, ReadingBatch, parse_reading
from schemas.topics import EVENTS, READINGS
from tests.processors.engine.bad_input import (
    BATCH,
    DOSE,
    KEY,
    PROFILE,
    RECEIVED_MS,
    TABLE,
    changed,
)
from tests.processors.engine.bad_input import (
    READING as A_READING,
)
from tests.processors.engine.feeding import Run

# Names that mean something somewhere, so that a mutation moves a field as often as it makes one up.
NAMES = sorted({*A_READING, *BATCH, *DOSE, *PROFILE, "received_at", "comparator", "absent_reason"})
TIMES = (
    "2026-03-01T07:29:00+02:00",
    "2026-03-01T07:29:00.123456789Z",
    "2026-03-01t07:29:00z",
    "2026-03-01 07:29:00-11:30",
    "1999-01-01T00:00:00Z",
    "2030-01-01T00:00:00Z",
    "2026-03-01T07:29:00",
    "1772343000",
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.floats(0.01, 1.0)
    | st.sampled_from([*TIMES, "<", ">", "nmol/L", "8867-4", "/min", "78992-5", "dose", "wake"])
    | st.text(max_size=20)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
# What a field may well hold, right or nearly so.
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "collected_at": st.sampled_from(TIMES),
    "received_at": st.sampled_from(TIMES),
    "at": st.sampled_from(TIMES),
    "code": st.sampled_from(["2142-8", "58644-6", "8867-4", "78992-5", "39106-0", "55423-8"]),
    "unit": st.sampled_from(["ug/dL", "nmol/L", "ng/dL", "/min", "pg/mL", "Cel", "{steps}"]),
    "value": st.floats(0.004, 1.2) | st.integers(0, 60),
    "values": st.lists(st.floats(0.001, 2.0), min_size=3, max_size=3),
    "offsets_ms": st.lists(st.integers(-(10**7), 60_000), min_size=3, max_size=3),
    "comparator": st.sampled_from(["<", ">"]),
    "device": st.text(min_size=1, max_size=5),
    "interval_s": st.floats(0.001, 1e6),
    "amount": st.floats(0.1, 100),
    "kind": st.sampled_from(["dose", "sleep", "wake", "profile"]),
}


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, str, Any]:
    what = draw(st.sampled_from(["likely", "likely", "set", "drop", "element"]))
    if what == "likely":
        name = draw(st.sampled_from(sorted(LIKELY)))
        return "set", name, draw(LIKELY[name])
    if what == "element":
        name = draw(st.sampled_from(["values", "offsets_ms"]))
        return what, name, draw(scalars | st.floats(0.01, 1.0))
    return what, draw(st.sampled_from(NAMES)), draw(values)


def mutated(record: dict[str, Any], mutations: list[tuple[str, str, Any]]) -> bytes:
    fields = json.loads(json.dumps(record))
    for what, name, value in mutations:
        if what == "set":
            fields[name] = value
        elif what == "drop":
            fields.pop(name, None)
        elif isinstance(fields.get(name), list) and fields[name]:
            fields[name][0] = value
    return json.dumps(fields).encode("utf-8", "surrogatepass")


def damaged(value: bytes, damages: list[tuple[int, int, int]]) -> bytes:
    """Bytes replaced, inserted or taken out."""
    data = bytearray(value)
    for what, where, byte in damages:
        at = where % (len(data) + 1)
        if what == 0 and at < len(data):
            data[at] = byte
        elif what == 1:
            data.insert(at, byte)
        elif at < len(data):
            del data[at]
    return bytes(data)


on_readings = st.sampled_from([A_READING, A_READING, BATCH])
on_events = st.sampled_from([DOSE, PROFILE])
some_mutations = st.lists(mutations(), min_size=1, max_size=3)
damages = st.tuples(st.integers(0, 2), st.integers(0, 10**4), st.integers(0, 255))
anything = st.one_of(
    st.binary(max_size=60),
    st.builds(
        damaged, (on_readings | on_events).map(changed), st.lists(damages, min_size=1, max_size=3)
    ),
    st.sampled_from([each.value for each in TABLE if each.reason.value != "too-large"]),
)
contents = st.builds(mutated, on_readings, some_mutations) | anything
records = st.one_of(
    st.tuples(st.just(READINGS.name), st.builds(mutated, on_readings, some_mutations)),
    st.tuples(st.just(EVENTS.name), st.builds(mutated, on_events, some_mutations)),
    st.tuples(st.sampled_from([READINGS.name, EVENTS.name]), anything),
)
keys = st.sampled_from([KEY] * 8 + [None, b"", b"\xff\xfe"]) | st.binary(max_size=12)
timestamps = st.sampled_from([RECEIVED_MS] * 5) | st.integers(-(2**63), 2**63 - 1)


class Verdict(NamedTuple):
    """What became of one record."""

    refused: tuple[tuple[str, str, tuple[int, ...]], ...]  # reason, detail, elements
    counted: int
    absent: int


class Counting(Run):
    """A run that knows how many readings are in all its sums."""

    def __init__(self) -> None:
        super().__init__()
        self._saved: dict[bytes, bytes] = {}

    def counted(self) -> int:
        self._saved |= self.changes()
        rows = [load_series(v) for k, v in self._saved.items() if k.startswith(b"series|")]
        return sum(int(np.frombuffer(row.kernel[0])[N_READINGS]) for row in rows)


def verdict(topic: str, record: Record, warm: bool) -> Verdict:
    """Of a record in a frame of its own, in a partition that knows its like or nothing at all."""
    run = Counting()
    if warm:
        known, time = (
            ((A_READING, BATCH), "collected_at")
            if topic == READINGS.name
            else ((DOSE, PROFILE), "at")
        )
        run.feed(
            [
                Record(topic, 0, i, RECEIVED_MS, KEY, changed(each, **{time: TIMES_OF_LIKE[i]}))
                for i, each in enumerate(known)
            ]
        )
    n_before, events_before = run.counted(), len(run.store.select(EVENT))
    run.feed([record])
    n = run.counted() - n_before
    if topic == EVENTS.name:
        n = len(run.store.select(EVENT)) - events_before
    absent = sum(row["n"] == 0 for row in run.store.select(READING))
    letters = [letter for _, letter in run.letters()]
    # whatever it was, who comes next is taken
    after = (
        changed(A_READING, device="the next")
        if topic == READINGS.name
        else changed(DOSE, at=TIMES_OF_LIKE[2])
    )
    run.feed([Record(topic, 0, 9, RECEIVED_MS, KEY, after)])
    assert len(run.letters()) == len(letters)
    return Verdict(
        tuple((each.reason.value, each.detail, each.elements) for each in letters), n, absent
    )


TIMES_OF_LIKE = tuple(f"2026-03-01T05:{minute}0:00+02:00" for minute in range(3))


def accepted_readings(value: bytes) -> int:
    """How many readings a record holds that the contract accepts, each time once."""
    reading = parse_reading(value)
    if isinstance(reading, ReadingBatch):
        return len(set(reading.offsets_ms))
    assert isinstance(reading, Reading)
    return 1


@settings(max_examples=250, phases=[Phase.explicit, Phase.generate])
@given(records, keys, timestamps)
@example(
    # not UTF-8, in a name that nobody looks at
    (
        READINGS.name,
        b'{"sc\x9bhema": 1, "subject": "twin-0412", "device": "kit-7", "code": "2142-8", '
        b'"unit": "ug/dL", "collected_at": "2026-03-01T07:30:00+02:00", "value": 0.2}',
    ),
    b"twin-0412",
    1_772_344_800_000,
)
def test_every_record_ends_in_one_way(
    what: tuple[str, bytes | None], key: bytes | None, timestamp_ms: int
) -> None:
    topic, value = what
    record = Record(topic, 0, 7, timestamp_ms, key, value)
    cold, warm = verdict(topic, record, warm=False), verdict(topic, record, warm=True)
    assert cold == warm
    assert len(cold.refused) <= 1
    if not cold.refused:
        assert value is not None
        if topic == EVENTS.name:
            event = parse_event(value)
            assert isinstance(event, Dose | Sleep | Profile)
            assert event.subject.encode() == key
            assert cold.counted == 1
            return
        assert parse_reading(value).subject.encode() == key
        assert cold.counted + cold.absent == accepted_readings(value)
        return
    ((_, detail, elements),) = cold.refused
    assert 0 < len(detail) < 600
    if not elements:
        assert (cold.counted, cold.absent) == (0, 0)
    else:
        assert value is not None
        batch = parse_reading(value)
        assert isinstance(batch, ReadingBatch)
        kept = {o for i, o in enumerate(batch.offsets_ms) if i not in elements}
        assert cold.counted == len(kept) > 0


@settings(max_examples=100, phases=[Phase.generate])
@given(st.lists(st.tuples(contents, keys), min_size=1, max_size=12))
def test_nothing_of_a_frame_is_lost(frame: list[tuple[bytes | None, bytes | None]]) -> None:
    """Offsets of dead letters and counts, one frame or one record at a time."""
    records = [
        Record(READINGS.name, 0, i, RECEIVED_MS, key, value) for i, (value, key) in enumerate(frame)
    ]
    whole, apart = Counting(), Counting()
    whole.feed(records)
    for each in records:
        apart.feed([each])
    for run in (whole, apart):
        run.settle()
        assert run.partition.position(READINGS.name) == len(records)
    assert [letter for _, letter in whole.letters()] == [letter for _, letter in apart.letters()]
    for message, letter in whole.letters():
        assert (message.key, message.value) == (
            records[letter.offset].key,
            records[letter.offset].value,
        )
    assert whole.counted() == apart.counted()
    assert whole.contents() == apart.contents()
