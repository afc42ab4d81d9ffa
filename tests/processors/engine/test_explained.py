"""A dose or an illness explains what follows it, for its time and no longer.

In a recording it does so as long ago as that was.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from processors.engine.state import Person
from processors.engine_port import Record
from schemas.events import Dose, parse_event
from schemas.measurements import ALERT
from schemas.topics import EVENTS
from tests.processors.engine.feeding import (
    CATALOGUE,
    FIVE_A_DAY,
    HOUR_MS,
    START_MS,
    SUBJECT,
    Floats,
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


# --- for its time and no longer -------------------------------------------------------------

ILL_FROM_D, ILL_UNTIL_D = 20.0, 24.0


def ill(from_d: float, until_d: float | None) -> Record:
    body: dict[str, Any] = {"kind": "illness", "subject": SUBJECT, "at": moment(24.0 * from_d)}
    if until_d is not None:
        body["until"] = moment(24.0 * until_d)
    return record(body, 24.0 * from_d, EVENTS.name)


def high_between(begin_d: float, end_d: float, seed: int = 5, late_h: float = 0.5) -> list[Record]:
    """Cortisol of forty days, three times as much from one day to another."""
    hours = sampled(FIVE_A_DAY, 40)
    rng = np.random.default_rng(seed)
    y: Floats = population_curve(CORTISOL, hours) + 0.3 * rng.standard_normal(len(hours))
    y += np.where((hours >= 24.0 * begin_d) & (hours < 24.0 * end_d), np.log(3.0), 0.0)
    return list(singles(CORTISOL.slug, hours, natural(CORTISOL, y), late_h=late_h))


def level(run: Run) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Deviations of the level, and the alerts about them."""
    deviations = [d for d in run.deviations() if d["kind"] == "level"]
    return deviations, [a for a in run.store.select(ALERT) if a["kind"] == "level"]


def day(time_ms: float) -> float:
    return (time_ms - START_MS) / HOUR_MS / 24.0


def taken(readings: Sequence[Record], events: Sequence[Record], every: int = 1_000) -> Run:
    run = Run()
    run.feed(numbered(events))
    records = numbered(readings)
    for first in range(0, len(records), every):
        run.feed(records[first : first + every])
        run.settle()
    return run


def test_an_illness_explains_what_begins_and_ends_with_it() -> None:
    readings = high_between(ILL_FROM_D, ILL_UNTIL_D)
    (found,), alerts = level(taken(readings, [ill(ILL_FROM_D, ILL_UNTIL_D)]))
    assert found["explained_by"].startswith("illness since ")
    assert found["ended_at"] is not None
    assert alerts == []
    # without it
    (found,), alerts = level(taken(readings, []))
    assert (found["explained_by"], len(alerts)) == (None, 1)
    # nor does one that was over explain it, nor one without an end after its two days
    for before in (ill(10.0, 19.9), ill(17.9, None)):
        (found,), alerts = level(taken(readings, [before]))
        assert (found["explained_by"], len(alerts)) == (None, 1)
    (found,), alerts = level(taken(readings, [ill(19.5, None)]))
    assert found["explained_by"].startswith("illness since ")


@pytest.mark.parametrize("every", [1, 7])
def test_what_outlasts_an_illness_alerts_then(every: int) -> None:
    """When windows that have mostly forgotten the illness say the same: two days after its end."""
    readings = high_between(ILL_FROM_D, 40.0)
    events = [ill(ILL_FROM_D, ILL_UNTIL_D)]
    run = taken(readings, events)
    (found,), (alert,) = level(run)
    assert found["explained_by"].endswith("before, and has lasted longer than that explains")
    assert alert["time"] == found["time"]
    assert ILL_UNTIL_D + 2.0 <= day(alert["updated_at"]) < ILL_UNTIL_D + 3.0
    assert alert["reason"] == found["reason"]
    in_pieces = taken(readings, events, every)
    assert (in_pieces.deviations(), level(in_pieces)) == (run.deviations(), level(run))
    # and it ends with the deviation
    (found,), (alert,) = level(taken(high_between(ILL_FROM_D, 30.0), events))
    assert (alert["state"], alert["resolved_at"]) == ("resolved", found["ended_at"])


def test_a_second_illness_explains_on() -> None:
    readings = high_between(ILL_FROM_D, 30.0)
    both = [ill(ILL_FROM_D, ILL_UNTIL_D), ill(ILL_UNTIL_D, 30.0)]
    outcomes = [level(taken(readings, list(order))) for order in permutations(both)]
    assert outcomes[0] == outcomes[1]
    (found,), alerts = outcomes[0]
    assert found["explained_by"].startswith("illness since ")
    assert alerts == []


def test_what_a_backfill_shows_alerts_nobody_however_long_it_lasts() -> None:
    readings = high_between(ILL_FROM_D, 40.0, late_h=24.0 * 60)
    (found,), alerts = level(taken(readings, [ill(ILL_FROM_D, ILL_UNTIL_D)]))
    assert (found["retrospective"], alerts) == (True, [])


def test_a_level_that_a_dose_explained_alerts_when_it_stays() -> None:
    """One dose, and the level is high for weeks."""
    given = dose(24.0 * ILL_FROM_D + 7.0)
    readings = high_between(ILL_FROM_D, 40.0)
    (found,), (alert,) = level(taken(readings, [given]))
    assert found["explained_by"].startswith("dose of hydrocortisone ")
    over = ILL_FROM_D + (7.0 + 19.0) / 24.0
    assert over + 2.0 <= day(alert["updated_at"]) < over + 4.0
    # three doses a day explain it for as long as they are taken
    doses = [dose(24.0 * each + hour) for each in range(20, 40) for hour in (7.0, 12.0, 17.0)]
    (found,), alerts = level(taken(readings, doses))
    assert found["explained_by"].startswith("dose of hydrocortisone ")
    assert alerts == []


def test_illnesses_are_kept_with_a_bound_and_in_no_order() -> None:
    events = [parse_event(ill(2.0 * i, None).value or b"") for i in range(300)]
    forth, back, living = Person(), Person(), Person()
    for event in events:
        forth.take(event, clock_ms=0)
        living.take(event, clock_ms=round(event.at.timestamp() * 1000))
    for event in reversed(events):
        back.take(event, clock_ms=0)
    assert forth.illnesses == back.illnesses == sorted(forth.illnesses)
    assert len(forth.illnesses) == 100
    assert 0 < len(living.illnesses) < 10
    assert Person.load(forth.dump()) == forth
