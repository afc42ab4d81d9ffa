"""Who else shares a partition makes no difference to a person's results.

A partition's clock is moved by everybody in it, but a record brings the time at which it was
received, and that is what its readings are judged at. So one partition for all, one for each and
`acrophase analyse` over everybody's records say the same.
"""

from __future__ import annotations

from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from processors.engine.state import CLOCK_KEY
from processors.engine_port import Record
from schemas.topics import EVENTS, READINGS
from tests.processors.engine.feeding import HOUR_MS, START_MS, Run, heading, numbered, record
from tests.processors.engine.test_any_cut import CORTISOL, PEOPLE, Step, delivered, past, step


def last_news(person: str, readings: list[Record]) -> Record:
    """A sample that was lost: it says nothing but how late it is, to everybody in the partition."""
    newest_ms = max((each.timestamp_ms for each in readings), default=0)
    clock_h = max(past().clock_h, (newest_ms - START_MS) / HOUR_MS) + 40.0
    body = heading(CORTISOL, person, clock_h) | {"absent_reason": "lost"}
    return record(body, clock_h)


def results(people: tuple[str, ...], steps: list[Step], level: float) -> dict[str, Any]:
    """What the store holds of these people after they had a partition of their own."""
    todo = delivered(steps, level)
    keys = tuple(person.encode() for person in people)
    saved = {
        key: value
        for key, value in past().saved.items()
        if key == CLOCK_KEY or key.split(b"|")[1] in keys
    }
    run = Run(saved, {READINGS.name: past().offset})
    run.feed([each for each in todo[EVENTS.name] if each.key in keys])
    theirs = [each for each in todo[READINGS.name] if each.key in keys]
    news = [last_news(person, todo[READINGS.name]) for person in people]
    run.feed([*theirs, *numbered(news, past().offset + len(todo[READINGS.name]))])
    run.settle()
    return {
        f"{name} of {person}": [row for row in rows if row["subject"] == person]
        for name, rows in run.contents().items()
        for person in people
    }


@settings(max_examples=100, phases=[Phase.generate])
@given(st.lists(step, min_size=1, max_size=60), st.sampled_from([0.0, -1.5, 1.0]))
def test_alone_and_together_the_results_are_the_same(steps: list[Step], level: float) -> None:
    together = results(PEOPLE, steps, level)
    alone: dict[str, Any] = {}
    for person in PEOPLE:
        alone |= results((person,), steps, level)
    assert together == alone
