"""A dose explains what follows it, and in a recording it does so as long ago as that was."""

from __future__ import annotations

import numpy as np

from processors.engine.state import Person
from processors.engine_port import Record
from schemas.events import Dose, parse_event
from schemas.topics import EVENTS
from tests.processors.engine.feeding import (
    CATALOGUE,
    FIVE_A_DAY,
    SUBJECT,
    Run,
    moment,
    natural,
    numbered,
    population_curve,
    record,
    sampled,
    singles,
)

CORTISOL = CATALOGUE["saliva-cortisol"]


def dose(hour: float) -> Record:
    body = {"kind": "dose", "subject": SUBJECT, "at": moment(hour), "amount": 10.0}
    body |= {"substance": "hydrocortisone", "unit": "mg", "route": "oral"}
    return record(body, hour, EVENTS.name)


def test_events_first_or_as_they_came_the_same_doses_explain() -> None:
    """Two noons high, with a dose before each; weeks lie between them and behind."""
    hours = sampled(FIVE_A_DAY, 60)
    y = population_curve(CORTISOL, hours) + 0.2 * np.random.default_rng(1).standard_normal(300)
    days = (15, 40)
    y[[5 * day + 2 for day in days]] += 2.0
    readings = list(singles(CORTISOL.slug, hours, natural(CORTISOL, y)))
    doses = [dose(24.0 * day + 10.0) for day in (*days, 59)]
    first, in_turn = Run(), Run()
    first.feed(numbered(doses))
    first.feed(numbered(readings))
    offsets = {id(each): offset for sent in (doses, readings) for offset, each in enumerate(sent)}
    for each in sorted((*doses, *readings), key=lambda each: each.timestamp_ms):
        in_turn.feed([each._replace(offset=offsets[id(each)])])
    assert first.deviations() == in_turn.deviations()
    explained = [d["explained_by"] for d in first.deviations() if d["kind"] == "outlier"]
    assert explained == ["dose of hydrocortisone 2.0 h before"] * len(days)


def test_of_doses_the_ones_that_can_still_explain_are_kept() -> None:
    """With readings those of a week, without any the newest thousand."""
    with_readings, without = Person(), Person()
    for day in range(1_200):
        event = parse_event(dose(24.0 * day).value or b"")
        assert isinstance(event, Dose)
        at_ms = round(event.at.timestamp() * 1000)
        with_readings.take(event, clock_ms=at_ms)
        without.take(event, clock_ms=0)
    assert len(with_readings.doses) == 7
    assert len(without.doses) == 1_000
    assert with_readings.doses == without.doses[-7:]
