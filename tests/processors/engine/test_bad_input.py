"""Whatever senders get wrong becomes a dead letter with its reason, and nothing else is lost."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from processors.engine_port import Record
from schemas.dead_letters import DeadLetter
from schemas.errors import Reason
from schemas.measurements import EVENT, READING
from schemas.topics import DEAD_LETTERS, READINGS
from tests.processors.engine import bad_input
from tests.processors.engine.bad_input import DOSE, KEY, RECEIVED_MS, TABLE, Bad, changed
from tests.processors.engine.feeding import Run

OFFSET = 41


def good(topic: str, minute: int, offset: int) -> Record:
    """A record that is as it should be."""
    at = f"2026-03-01T06:{minute:02d}:00+02:00"
    if topic == READINGS.name:
        value = changed(bad_input.READING, collected_at=at, device="kit-8")
    else:
        value = changed(DOSE, at=at)
    return Record(topic, 3, offset, RECEIVED_MS, KEY, value)


def run_with(bad: Bad, before: int) -> Run:
    """A frame with the bad record behind `before` good ones and before another."""
    record = Record(bad.topic, 3, OFFSET, RECEIVED_MS, bad.key, bad.value)
    ahead = [good(bad.topic, i, OFFSET - before + i) for i in range(before)]
    run = Run()
    run.feed([*ahead, record, good(bad.topic, before, OFFSET + 1)])
    return run


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.name)
@pytest.mark.parametrize("before", [0, 2], ids=["first", "among others"])
def test_it_is_refused_with_its_reason_and_nothing_else_is_lost(bad: Bad, before: int) -> None:
    run = run_with(bad, before)
    ((message, letter),) = run.letters()
    # byte for byte, with all that is known of it
    assert (message.topic, message.key, message.value) == (DEAD_LETTERS.name, bad.key, bad.value)
    assert letter == DeadLetter(
        reason=bad.reason,
        detail=letter.detail,
        topic=bad.topic,
        partition=3,
        offset=OFFSET,
        time=datetime(2026, 3, 1, 6, 0, tzinfo=UTC),
        elements=bad.elements,
    )
    assert re.search(bad.words, letter.detail), letter.detail
    # one sentence that fits into a header and tells nothing of the person
    assert len(letter.detail) < 500
    assert "\n" not in letter.detail
    for private in ("jane", "0012345", "6789", "1980-02", "Ιωάννα"):
        assert private not in letter.detail.lower()
    # the others of the frame, and of the batch, are there
    kept = 3 - len(bad.elements) if bad.elements else 0
    stored = run.store.select(READING if bad.topic == READINGS.name else EVENT)
    assert len(stored) == before + 1 + kept
    assert run.partition.position(bad.topic) == OFFSET + 2


def test_the_table_has_every_reason() -> None:
    assert {bad.reason for bad in TABLE} == set(Reason)
    assert len({bad.name for bad in TABLE}) == len(TABLE)


def test_who_may_be_identified_is_told_first() -> None:
    """Whatever else is wrong with the record."""
    value = changed(
        bad_input.READING, subject="jane@example.org", value="x", collected_at=1, unit=7
    )
    run = run_with(Bad("all wrong", value, Reason.IDENTIFYING, ""), 1)
    ((_, letter),) = run.letters()
    assert letter.reason is Reason.IDENTIFYING


def test_the_detail_repeats_nothing_of_the_record() -> None:
    """A kind of event is a stranger's text: it may be long, or a name."""
    value = changed(DOSE, kind="jane.doe@example.org " * 1000)
    ((_, letter),) = run_with(Bad("", value, Reason.MALFORMED, "", topic="events"), 1).letters()
    assert letter.reason is Reason.MALFORMED
    assert len(letter.detail) < 500
    assert "jane" not in letter.detail


def test_of_a_field_given_twice_the_last_one_counts() -> None:
    """As for every JSON parser that we know; RFC 8259 leaves it open."""
    value = changed(bad_input.READING, value=-1.0)[:-1] + b', "value": 0.3}'
    run = Run()
    run.feed([Record(READINGS.name, 0, 0, RECEIVED_MS, KEY, value)])
    assert run.letters() == []
    assert [row["value"] for row in run.store.select(READING)] == [0.3]


@pytest.mark.parametrize("timestamp_ms", [-(2**63), -1, 2**63 - 1, 253_402_300_800_000])
@pytest.mark.parametrize("value", [b"{", changed(bad_input.READING)], ids=["bad", "good"])
def test_a_timestamp_out_of_the_calendar_ends_nobodys_work(timestamp_ms: int, value: bytes) -> None:
    """Kafka's timestamp is the producer's to set."""
    run = Run()
    run.feed(
        [
            Record(READINGS.name, 0, 0, timestamp_ms, KEY, value),
            good(READINGS.name, 5, 1),
        ]
    )
    assert len(run.store.select(READING)) + len(run.letters()) == 2


def test_a_limit_of_the_assay_is_not_refused_for_its_size() -> None:
    run = Run()
    value = changed(bad_input.READING, value=0.007, comparator="<")
    run.feed([Record(READINGS.name, 0, 0, RECEIVED_MS, KEY, value)])
    (row,) = run.store.select(READING)
    assert (row["censored"], row["original"]) == ("<", "<0.007 ug/dL")


def test_what_has_no_value_is_kept_as_such() -> None:
    run = Run()
    value = changed(bad_input.READING, value=None, absent_reason="haemolysed")
    run.feed([Record(READINGS.name, 0, 0, RECEIVED_MS, KEY, value)])
    run.settle()
    (row,) = run.store.select(READING)
    assert (row["value"], row["n"], row["original"]) == (None, 0, "absent: haemolysed")
    assert run.contents()["rhythm"] == []
