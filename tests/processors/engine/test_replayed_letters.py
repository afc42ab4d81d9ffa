"""Letters that are sent again after a fix count once, however late, however often.

The replay carries the positions that had been refused of a batch (empty: all of it), since the
others have been counted, perhaps so long ago that nobody remembers their minutes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from processors.engine import Policy
from processors.engine.seen import DAY_MS, MEMORY_MS, Seen
from processors.engine_port import Record
from schemas.errors import Reason
from schemas.measurements import RHYTHM
from schemas.topics import READINGS
from tests.processors.engine.feeding import (
    CATALOGUE,
    HOUR_MS,
    START_MS,
    Run,
    batches,
    heading,
    natural,
    numbered,
    population_curve,
    record,
)

HEART_RATE = CATALOGUE["heart-rate"]
STRICT, LENIENT = Policy(future_tolerance_s=300.0), Policy(future_tolerance_s=7_200.0)
ILL_SET_DAYS = (2, 3)  # for an hour of each the band's clock was fast
NOW_MS = START_MS + 60 * DAY_MS


def worn(days: int) -> list[Record]:
    """A band that sends every hour; half of two batches is of the future for a strict policy."""
    hours = np.arange(0.0, 24.0 * days, 0.25)
    values = natural(HEART_RATE, population_curve(HEART_RATE, hours))
    sent = list(batches("heart-rate", hours, values, every=4, interval_s=900.0))
    for day in ILL_SET_DAYS:
        at = 24 * day + 12
        body = heading(HEART_RATE, "syn-01", at) | {
            "offsets_ms": [i * 900_000 for i in range(4)],
            "values": [60.0, 61.0, 62.0, 63.0],
            "interval_s": 900.0,
        }
        sent[at] = record(body, at + 0.3)  # the last two are 12 and 27 minutes ahead
    return numbered(sent)


def counted(run: Run) -> int:
    """Readings that the only series has taken in."""
    run.settle()
    return int(run.store.select(RHYTHM)[-1]["n_readings"])


def goes_on(run: Run, saved: dict[bytes, bytes], policy: Policy) -> Run:
    """Another worker, with other settings, from what the first one saved."""
    saved.update(run.changes())
    return Run(saved, {READINGS.name: run.partition.position(READINGS.name)}, run.store, policy)


def replayed(run: Run) -> list[Record]:
    """What `acrophase dead-letters replay` makes of the letters so far."""
    return [
        Record(letter.topic, 0, -1, NOW_MS, message.key, message.value, letter.elements)
        for message, letter in run.letters()
    ]


def feed(run: Run, records: Sequence[Record]) -> None:
    run.feed(numbered(records, run.partition.position(READINGS.name)))


@pytest.mark.parametrize("days", [4, 30], ids=["remembered", "forgotten"])
def test_of_a_batch_that_was_refused_in_part_the_rest_counts_once(days: int) -> None:
    run = Run(policy=STRICT)
    run.feed(worn(days))
    letters = run.letters()
    assert [(each.reason, each.elements) for _, each in letters] == [(Reason.FUTURE, (2, 3))] * 2
    again = replayed(run)
    assert counted(run) == 96 * days - 4
    saved: dict[bytes, bytes] = {}
    run = goes_on(run, saved, LENIENT)
    feed(run, again[:1])
    assert counted(run) == 96 * days - 2
    # the command was killed before it had said so, and is run again, by way of another worker
    run = goes_on(run, saved, LENIENT)
    feed(run, again)
    feed(run, again)
    assert counted(run) == 96 * days
    assert run.letters() == []


def test_what_is_refused_again_is_told_with_its_places_in_the_batch() -> None:
    run = Run(policy=STRICT)
    run.feed(worn(4))
    again = replayed(run)
    feed(run, again)
    assert [each.elements for _, each in run.letters()] == [(2, 3)] * 4
    assert counted(run) == 96 * 4 - 4


def test_a_replay_of_weeks_that_is_begun_again_counts_once() -> None:
    """Of a code that was unknown: the series is new, and live readings come in between."""
    hours = np.arange(0.0, 24.0 * 32, 0.25)
    values = natural(HEART_RATE, population_curve(HEART_RATE, hours))
    sent = list(batches("heart-rate", hours, values, every=4, interval_s=900.0))
    letters = [each._replace(replayed=(), timestamp_ms=NOW_MS) for each in sent[: 24 * 30]]
    run = Run()
    feed(run, sent[24 * 30 : 24 * 31])
    feed(run, letters[: len(letters) // 2])
    feed(run, sent[24 * 31 :])
    feed(run, letters)
    assert counted(run) == len(hours)


@pytest.mark.parametrize("elements", [(7, 9), (0, 7)])
def test_places_that_a_batch_has_not_end_nobodys_work(elements: tuple[int, ...]) -> None:
    """A header is a stranger's to set."""
    run = Run()
    first, second, *_ = worn(4)
    feed(run, [first._replace(replayed=elements), second])
    assert counted(run) in (5, 8)
    assert run.letters() == []


def test_a_replayed_time_is_remembered_from_the_replay_on() -> None:
    seen = Seen()
    assert seen.add(0, 0)
    now_ms = 100 * DAY_MS
    assert seen.add(now_ms, now_ms)  # the first day is forgotten
    assert seen.add_replayed(HOUR_MS, now_ms)
    later_ms = now_ms + MEMORY_MS
    assert seen.add(later_ms, later_ms)
    assert not seen.add_replayed(HOUR_MS, later_ms)
    assert seen.add(later_ms + 1, later_ms + 1)


def test_a_recording_that_is_replayed_takes_little_room() -> None:
    seen = Seen()
    now_ms = 100 * DAY_MS
    assert seen.add(now_ms, now_ms)
    assert all(seen.add_replayed(60_000 * minute, now_ms) for minute in range(1440))
    (old,) = (data for day, _, data in seen.dump() if day == 0)
    assert isinstance(old, bytes)
    assert len(old) == 3 * 8
    assert not any(seen.add_replayed(60_000 * minute, now_ms) for minute in range(1440))
