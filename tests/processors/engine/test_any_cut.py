"""However the same records are cut, saved, lost and read again: the same results and state.

Two people are known for ten days. What follows is drawn: readings that come at once, late or
again, silences, changes of level, broken records, doses, illnesses and flights. It is taken once
as a single frame, and once in pieces, with checkpoints in between and crashes from which a new
partition begins with whatever rows had been saved, at the offsets that had been committed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from processors.engine.state import CLOCK_KEY, Person, load_clock, load_series
from processors.engine_port import OutMessage, Record
from processors.store.memory import MemoryStore
from schemas.measurements import READING, RHYTHM
from schemas.topics import ALERTS, DEVIATIONS, ESTIMATES, EVENTS, READINGS
from tests.processors.engine.feeding import (
    CATALOGUE,
    FIVE_A_DAY,
    HOUR_MS,
    START_MS,
    Run,
    batches,
    heading,
    moment,
    natural,
    numbered,
    population_curve,
    record,
    sampled,
    singles,
)

KNOWN_DAYS = 10
PEOPLE = ("syn-01", "syn-02")
CORTISOL, HEART_RATE = CATALOGUE["saliva-cortisol"], CATALOGUE["heart-rate"]


class Past(NamedTuple):
    """State and next offset after the known days, and the clock in hours after the start."""

    saved: Mapping[bytes, bytes]
    offset: int
    clock_h: float


@cache
def past() -> Past:
    """Both people's cortisol and the heart rate of one of them."""
    rng = np.random.default_rng(11)
    sent: list[Record] = []
    for person in PEOPLE:
        hours = sampled(FIVE_A_DAY, KNOWN_DAYS)
        y = population_curve(CORTISOL, hours) + 0.3 * rng.standard_normal(len(hours))
        sent += singles("saliva-cortisol", hours, natural(CORTISOL, y), subject=person)
    hours = np.arange(0.0, 24.0 * KNOWN_DAYS, 1 / 12)
    y = population_curve(HEART_RATE, hours) + 5.0 * rng.standard_normal(len(hours))
    sent += batches("heart-rate", hours, y, every=6, subject=PEOPLE[0], interval_s=300.0)
    records = numbered(sorted(sent, key=lambda each: each.timestamp_ms))
    run = Run()
    run.feed(records)
    run.settle()
    clock_h = (records[-1].timestamp_ms - START_MS) / HOUR_MS
    return Past(run.changes(), len(records), clock_h)


class Step(NamedTuple):
    """One delivery of the drawn days."""

    what: str
    person: int
    after_h: float  # since the delivery before
    late_h: float  # how long ago it was collected
    noise: float


step = st.builds(
    Step,
    st.sampled_from(
        ["cortisol"] * 6 + ["heart-rate"] * 3 + ["again", "broken", "dose", "ill", "fly"]
    ),
    st.integers(0, 1),
    st.sampled_from([0.0, 0.2, 2.0, 5.0, 11.0, 30.0]),
    st.sampled_from([0.1, 0.1, 0.1, 3.0, 7.0, 50.0]),
    st.floats(-1.5, 1.5),
)


def delivered(steps: Sequence[Step], level: float) -> dict[str, list[Record]]:
    """The records of each topic, as they follow on the past; `level` is added to log cortisol.

    Who flies has another clock from then on; what is collected late still shows the newest one, or
    the one of home.
    """
    offsets = dict.fromkeys(PEOPLE, 0.0)
    clock_h = past().clock_h
    readings: list[Record] = []
    events: list[Record] = []
    for each in steps:
        clock_h += each.after_h
        person = PEOPLE[each.person]
        hour = clock_h - each.late_h
        at = moment(hour, 0.0 if each.late_h > 10.0 else offsets[person])
        if each.what == "cortisol":
            y = CORTISOL.prior.value(hour % 24.0) + level + 0.4 * each.noise
            body = heading(CORTISOL, person, hour) | {"value": CORTISOL.from_model(y)}
            body["collected_at"] = at
            readings.append(record(body, clock_h))
        elif each.what == "heart-rate":
            value = HEART_RATE.prior.value(hour % 24.0) + 20.0 * level + 5.0 * each.noise
            body = heading(HEART_RATE, PEOPLE[0], hour) | {
                "offsets_ms": [0, 300_000, 600_000],
                "values": [value, value + 1.0, value - 1.0],
                "interval_s": 300.0,
                "collected_at": moment(hour, offsets[PEOPLE[0]]),
            }
            readings.append(record(body, clock_h + 0.2))
            clock_h += 0.2
        elif each.what == "again" and readings:
            received_ms = START_MS + round(clock_h * HOUR_MS)
            readings.append(readings[len(readings) // 2]._replace(timestamp_ms=received_ms))
        elif each.what == "broken":
            body = heading(CORTISOL, person, hour) | {"value": -1.0}
            readings.append(record(body, clock_h))
        elif each.what == "dose":
            dose = {"kind": "dose", "subject": person, "at": moment(hour), "amount": 10.0}
            dose |= {"substance": "hydrocortisone", "unit": "mg", "route": "oral"}
            events.append(record(dose, clock_h, EVENTS.name))
        elif each.what == "ill":
            ill = {"kind": "illness", "subject": person, "at": moment(hour)}
            if each.noise > 0.0:
                ill["until"] = moment(hour + 40.0 * each.noise)
            events.append(record(ill, clock_h, EVENTS.name))
        elif each.what == "fly":
            flown = 8.0 if each.noise > 0.0 else -9.0
            offsets[person] = (offsets[person] + flown + 12.0) % 24.0 - 12.0
    return {
        READINGS.name: numbered(readings, past().offset),
        EVENTS.name: [e._replace(topic=EVENTS.name) for e in numbered(events)],
    }


class Outcome(NamedTuple):
    """What must not depend on the cuts."""

    contents: dict[str, list[dict[str, Any]]]
    state: dict[str, Any]
    messages: dict[str, Any]


def in_one_piece(todo: Mapping[str, list[Record]]) -> Outcome:
    # Doses first: what they explain is looked up when a deviation opens.
    run = Run(past().saved, {READINGS.name: past().offset})
    run.feed(todo[EVENTS.name])
    run.feed(todo[READINGS.name])
    run.settle()
    return Outcome(run.contents(), plain_state({**past().saved, **run.changes()}), told([run]))


class Cut(NamedTuple):
    """After so many readings: go on, settle, checkpoint; or crash with so many of 4 parts saved."""

    at: int
    what: str
    parts: int


cut = st.builds(
    Cut,
    st.integers(0, 80),
    st.sampled_from(["go on", "settle", "checkpoint", "crash", "crash before commit"]),
    st.integers(0, 4),
)


def in_pieces(todo: Mapping[str, list[Record]], cuts: Sequence[Cut]) -> Outcome:
    store = MemoryStore()
    saved = dict(past().saved)
    committed = {READINGS.name: past().offset, EVENTS.name: 0}
    runs = [Run(saved, committed, store)]
    runs[0].feed(todo[EVENTS.name])
    last = Cut(len(todo[READINGS.name]), "checkpoint", 4)
    for each in (*sorted(cuts), last):
        run = runs[-1]
        topic = READINGS.name
        end = past().offset + each.at
        run.feed([r for r in todo[topic] if run.partition.position(topic) <= r.offset < end])
        if each.what == "go on":
            continue
        run.settle()
        if each.what == "settle":
            continue
        changed = list(run.changes().items())
        parts = 4 if each.what == "checkpoint" else each.parts
        saved.update(changed[: len(changed) * parts // 4])
        if each.what == "checkpoint":
            committed = {name: run.partition.position(name) for name in committed}
            continue
        runs.append(Run(saved, committed, store))
        # A crash before the first checkpoint loses the events' offsets, too.
        begin = committed[EVENTS.name]
        runs[-1].feed([r for r in todo[EVENTS.name] if r.offset >= begin])
    return Outcome(runs[-1].contents(), plain_state(saved), told(runs))


def plain_state(saved: Mapping[bytes, bytes]) -> dict[str, Any]:
    """What state rows mean; how far a row has read and how it packs times do not matter."""
    state: dict[str, Any] = {}
    for key, value in saved.items():
        if key == CLOCK_KEY:
            clocks = load_clock(value)
            state["clock"] = clocks[max(clocks)]
        elif key.startswith(b"subject|"):
            person = Person.load(value)
            state[key.decode()] = (
                person.sex,
                person.birth_year,
                person.doses,
                person.illnesses,
            )
        else:
            series = load_series(value)
            seen = {
                # where a day has no expiry, the hours of forgotten days stand instead of its runs
                device: {
                    day: (expiry, times_of(runs) if expiry else runs)
                    for day, expiry, runs in each.dump()
                }
                for device, each in series.seen.items()
            }
            state[key.decode()] = (series.site, series.kernel, series.open, seen)
    return state


def times_of(runs: Any) -> list[int]:
    """Times that runs of (start, step, count) stand for."""
    numbers = np.frombuffer(runs, dtype=np.int64).reshape(-1, 3).tolist()
    return sorted(start + step * i for start, step, count in numbers for i in range(count))


def told(runs: Sequence[Run]) -> dict[str, Any]:
    """What Kafka holds in the end: the last message of a key, or all of them once."""
    messages = [message for run in runs for message in run.messages]

    def of(topic: str) -> list[OutMessage]:
        return [message for message in messages if message.topic == topic]

    return {
        "estimates": {m.key: m.value for m in of(ESTIMATES.name)},
        "alerts": {m.key: m.value for m in of(ALERTS.name)},
        "deviations": {m.value for m in of(DEVIATIONS.name)},
        "dead letters": {
            (letter.offset, letter.reason, message.value)
            for run in runs
            for message, letter in run.letters()
        },
    }


@settings(max_examples=150, phases=[Phase.generate])
@given(
    st.lists(step, min_size=1, max_size=60),
    st.sampled_from([0.0, -1.5, 1.0]),
    st.lists(cut, max_size=12),
)
def test_the_same_records_end_in_the_same(steps: list[Step], level: float, cuts: list[Cut]) -> None:
    todo = delivered(steps, level)
    expected, got = in_one_piece(todo), in_pieces(todo, cuts)
    assert got.messages == expected.messages
    assert got.state == expected.state
    for name, rows in expected.contents.items():
        assert len(got.contents[name]) == len(rows), name
        for row, wanted in zip(got.contents[name], rows, strict=True):
            # A store merges fields and an absent one erases nothing: of a half hour whose rhythm
            # has no phase in the end, a provisional phase may still stand.
            absent = {k for k, v in wanted.items() if v is None} if name == RHYTHM.name else set()
            assert {k: v for k, v in row.items() if k not in absent} == {
                k: v for k, v in wanted.items() if k not in absent
            }


def test_what_came_live_stays_live_however_late_it_is_looked_at() -> None:
    """A half hour that nobody looked at for days: its readings had come within their hour."""
    hours = sampled(FIVE_A_DAY, 16)
    rng = np.random.default_rng(11)
    y = population_curve(CORTISOL, hours) + 0.3 * rng.standard_normal(len(hours))
    y += np.where(hours > 24.0 * 13, 1.2, 0.0)
    somebody = np.arange(0.0, 24.0 * 20, 6.0)
    other = singles(
        "saliva-cortisol",
        somebody,
        natural(CORTISOL, population_curve(CORTISOL, somebody)),
        subject=PEOPLE[1],
    )
    back = singles("saliva-cortisol", [24.0 * 19.5], [0.1])
    others = [*other, *back]
    found = set()
    for last in range(66, 80, 3):
        sent = [*singles("saliva-cortisol", hours[:last], natural(CORTISOL, y[:last])), *others]
        records = numbered(sorted(sent, key=lambda each: each.timestamp_ms))
        at_once, step_by_step = Run(), Run()
        at_once.feed(records)
        for each in records:
            step_by_step.feed([each])
            step_by_step.settle()
        at_once.settle()
        assert at_once.deviations() == step_by_step.deviations()
        found |= {(d["kind"], d["retrospective"]) for d in at_once.deviations()}
    assert ("level", False) in found
    assert ("level", True) not in found


def test_a_recording_from_long_ago_is_stale_in_its_last_row_only() -> None:
    """Each of its readings was stale on arrival; the rhythm of then was none the less."""
    hours = sampled(FIVE_A_DAY, 12)
    values = natural(CORTISOL, population_curve(CORTISOL, hours))
    run = Run()
    run.feed(numbered(singles("saliva-cortisol", hours, values, late_h=24.0 * 100)))
    run.settle()
    statuses = [row["status"] for row in run.store.select(RHYTHM)]
    assert len(statuses) == len({h // 0.5 for h in hours.tolist()})
    assert statuses[-1] == "stale"
    assert set(statuses[:-1]) == {"insufficient", "emerging", "established"}


def test_the_last_mean_of_a_dense_series_is_stored_even_if_its_half_hour_has_closed() -> None:
    hours = np.arange(0.0, 5.0, 1 / 60)
    run = Run()
    run.feed(numbered(batches("heart-rate", hours, np.full(len(hours), 60.0), every=30)))
    later = heading(CORTISOL, PEOPLE[1], 30.0) | {"value": 0.1}
    run.feed([record(later, 30.0)._replace(offset=1000)])
    run.settle()
    means = [row for row in run.store.select(READING) if row["analyte"] == "heart-rate"]
    assert sum(row["n"] for row in means) == len(hours)
