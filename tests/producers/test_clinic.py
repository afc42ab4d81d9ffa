"""A clinic's records: reproducible, whole, in order, and as troubled as planned."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.clinic import Clinic, demo_clinic
from producers.day_records import Delivery
from producers.devices import Delivery as Way
from producers.devices import Wear
from producers.physiology import Trouble, basis
from producers.wearer_clock import Journey
from schemas.catalogue import load_catalogue
from schemas.events import parse_event
from schemas.readings import Reading, ReadingBatch, parse_reading

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 5, tzinfo=BERLIN)
FLAWLESS = Way(late_share=0.0, duplicate_share=0.0)
WORN = Wear(charging_min=(0.0, 0.0), gaps_a_day=0.0)


def days(number: float) -> datetime:
    return START + timedelta(days=number)


def values_of(deliveries: Sequence[Delivery], slug: str) -> list[tuple[datetime, float]]:
    """(collected_at with its offset, value) of every uncensored reading of an analyte."""
    code = load_catalogue()[slug].codes[0].code
    found = []
    for delivery in deliveries:
        record = delivery.record
        if isinstance(record, ReadingBatch) and record.code == code:
            found += [
                (record.collected_at + timedelta(milliseconds=ms), value)
                for ms, value in zip(record.offsets_ms, record.values, strict=True)
            ]
        elif isinstance(record, Reading) and record.code == code and record.value is not None:
            found.append((record.collected_at, record.value))
    return found


@pytest.fixture(scope="module")
def fortnight() -> list[Delivery]:
    return list(Clinic(7, 4, START).records(START, days(14)))


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    first, again, other = (
        [d.value for d in Clinic(seed, 2, START).records(START, days(3))] for seed in (1, 1, 2)
    )
    assert first == again
    assert not set(first) & set(other)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(0, 4 * 24 * 60), max_size=6))
def test_cutting_the_period_changes_nothing(minutes: list[int]) -> None:
    whole = list(Clinic(3, 2, START).records(START, days(4)))
    clinic = Clinic(3, 2, START)
    cuts = [START, *(START + timedelta(minutes=m) for m in sorted(minutes)), days(4)]
    parts = [d for a, b in pairwise(cuts) for d in clinic.records(a, b)]
    assert [d.value for d in parts] == [d.value for d in whole]
    assert parts == whole


def test_without_an_end_people_live_on() -> None:
    whole = list(Clinic(3, 1, START).records(START, days(4)))
    endless = Clinic(3, 1, START).records(START)
    assert list(islice(endless, len(whole))) == whole
    assert next(endless).received_at >= days(4)


def test_a_late_beginning_and_a_second_look_give_the_same() -> None:
    clinic = Clinic(3, 2, START)
    whole = [d for d in clinic.records(START, days(6)) if d.received_at >= days(4)]
    assert list(Clinic(3, 2, START).records(days(4), days(6))) == whole
    assert list(clinic.records(days(4), days(6))) == whole


def test_records_are_valid_in_order_and_of_the_past(fortnight: list[Delivery]) -> None:
    catalogue = load_catalogue()
    assert all(a.received_at <= b.received_at for a, b in pairwise(fortnight))
    for delivery in fortnight:
        assert delivery.record.received_at == delivery.received_at
        if delivery.topic == "events":
            event = parse_event(delivery.value)
            assert event == delivery.record
            assert event.at <= delivery.received_at
            continue
        record = parse_reading(delivery.value)
        assert record == delivery.record
        analyte = catalogue.by_code(record.code)
        batch = isinstance(record, ReadingBatch)
        values = record.values if isinstance(record, ReadingBatch) else [record.value]
        last = record.offsets_ms[-1] if isinstance(record, ReadingBatch) else 0
        assert all(v is not None and v in analyte.limits for v in values)
        assert record.collected_at >= START
        assert record.collected_at + timedelta(milliseconds=last) <= delivery.received_at
        assert record.timing == ("device" if batch else "reported")
        assert record.zone == "Europe/Berlin"
        assert record.collected_at.utcoffset() == timedelta(hours=1)
    kinds = Counter(type(d.record).__name__ for d in fortnight)
    assert set(kinds) == {"ReadingBatch", "Reading", "Sleep", "Profile"}


def test_saliva_comes_five_times_a_day_and_melatonin_in_the_evening(
    fortnight: list[Delivery],
) -> None:
    cortisol = load_catalogue()["saliva-cortisol"].codes[0].code
    samples = {
        (d.subject, d.record.collected_at)
        for d in fortnight
        if isinstance(d.record, Reading) and d.record.code == cortisol
    }
    assert len(samples) == pytest.approx(4 * 14 * 5 * 0.92, rel=0.05)
    melatonin = [
        d.record for d in fortnight if isinstance(d.record, Reading) and d.record.code != cortisol
    ]
    assert {r.collected_at.hour for r in melatonin} == {19, 20, 21, 22, 23}
    limit = {r.value for r in melatonin if r.comparator == "<"}
    assert limit == {1.37}
    assert all(r.value >= 1.37 for r in melatonin if r.comparator is None and r.value is not None)


def test_evenings_are_below_the_kits_limit_as_often_as_the_truth_says() -> None:
    clinic = Clinic(5, 30, START, delivery=FLAWLESS)
    code = load_catalogue()["saliva-melatonin"].codes[0].code
    below: dict[int, list[float]] = {19: [], 23: []}
    expected: dict[int, list[float]] = {19: [], 23: []}
    for delivery in clinic.records(START, days(3)):
        record = delivery.record
        if not isinstance(record, Reading) or record.code != code:
            continue
        hour = record.collected_at.hour
        if hour not in below:
            continue
        body = clinic.body(delivery.subject)
        instant = record.collected_at.timestamp()
        day = body.clock.day_number(instant)
        curve = body.expected("saliva-melatonin", day, np.array([instant]))[0]
        margin = (math.log(1.37) - curve) / body.person.curve("saliva-melatonin").residual_sd
        below[hour].append(record.comparator == "<")
        expected[hour].append(0.5 * (1 + math.erf(margin / math.sqrt(2))))
    for hour in (19, 23):
        assert np.mean(below[hour]) == pytest.approx(np.mean(expected[hour]), abs=0.12)
    assert np.mean(below[23]) < np.mean(below[19]) - 0.15


def test_late_and_duplicate_shares_are_as_set() -> None:
    way = Way(late_share=0.1, duplicate_share=0.05)
    found = list(Clinic(2, 8, START, delivery=way).records(START, days(10)))
    batches = [(d, d.record) for d in found if isinstance(d.record, ReadingBatch)]
    identities = Counter((d.subject, batch.code, batch.collected_at) for d, batch in batches)
    assert set(identities.values()) == {1, 2}
    twice = sum(n - 1 for n in identities.values()) / len(identities)
    assert twice == pytest.approx(0.05, rel=0.2)
    first: dict[tuple[str, str, datetime], Delivery] = {}
    for d, batch in batches:
        first.setdefault((d.subject, batch.code, batch.collected_at), d)
    late = [
        d.received_at - collected_at > timedelta(hours=1, minutes=5)
        for (_, _, collected_at), d in first.items()
    ]
    # What waits less than an hour is not counted; spells last six hours on average.
    assert np.mean(late) == pytest.approx(0.1 * 5 / 6, rel=0.35)


def test_a_repeated_record_differs_in_its_arrival_alone() -> None:
    way = Way(late_share=0.0, duplicate_share=1.0)
    found = list(Clinic(2, 1, START, delivery=way).records(START, days(2)))
    seen: dict[str, list[Delivery]] = {}
    for d in found:
        same = d.record.model_copy(update={"received_at": None}).model_dump_json()
        seen.setdefault(same, []).append(d)
    # The last hour's second copies are still under way.
    pairs = [group for group in seen.values() if group[0].received_at < days(1.9)]
    assert pairs
    assert all(len(group) == 2 for group in pairs)
    assert all(a.received_at < b.received_at for a, b in pairs)


@pytest.mark.parametrize(
    ("date", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-05-01", 24)]
)
def test_a_day_of_clock_change_has_23_or_25_hours_of_readings(date: str, hours: int) -> None:
    midnight = datetime.fromisoformat(date).replace(tzinfo=BERLIN)
    start = midnight - timedelta(days=2)
    clinic = Clinic(1, 1, start, wear=WORN, delivery=FLAWLESS)
    found = list(clinic.records(start, midnight + timedelta(days=3)))
    of_day = [t for t, _ in values_of(found, "heart-rate") if t.date().isoformat() == date]
    assert len(of_day) == hours * 60
    assert len({t.utcoffset() for t in of_day}) == (1 if hours == 24 else 2)


def test_people_wake_by_the_local_clock_on_both_sides_of_a_clock_change() -> None:
    start = datetime(2026, 3, 19, tzinfo=BERLIN)
    clinic = Clinic(1, 5, start, delivery=FLAWLESS)
    wakings: dict[bool, list[float]] = {False: [], True: []}
    for d in clinic.records(start, start + timedelta(days=18)):
        if d.topic == "events" and b'"wake"' in d.value:
            at = parse_event(d.value).at
            assert at.utcoffset() == at.astimezone(BERLIN).utcoffset()
            wakings[at.date().isoformat() >= "2026-03-29"].append(at.hour + at.minute / 60)
    assert np.mean(wakings[True]) == pytest.approx(np.mean(wakings[False]), abs=0.25)


def test_a_journey_changes_the_offset_and_the_sampling_follows_it() -> None:
    at = datetime(2026, 1, 9, 15, 10, tzinfo=UTC)
    journeys = {"sim-01": [Journey(at, "America/New_York")]}
    clinic = Clinic(1, 2, START, journeys=journeys, wear=WORN, delivery=FLAWLESS)
    found = list(clinic.records(START, days(10)))
    mine = [d for d in found if d.subject == "sim-01"]
    pulse = values_of(mine, "heart-rate")
    assert {t.utcoffset() for t, _ in pulse if t < at} == {timedelta(hours=1)}
    assert {t.utcoffset() for t, _ in pulse if t >= at} == {timedelta(hours=-5)}
    instants = [t for t, _ in pulse]
    assert len(set(instants)) == len(instants)
    assert all(b - a == timedelta(minutes=1) for a, b in pairwise(sorted(instants)))
    melatonin = [
        d.record
        for d in mine
        if isinstance(d.record, Reading)
        and d.record.code == load_catalogue()["saliva-melatonin"].codes[0].code
    ]
    assert {r.collected_at.hour for r in melatonin} == {19, 20, 21, 22, 23}
    assert {r.zone for r in melatonin if r.collected_at >= at} == {"America/New_York"}
    others = [t for t, _ in values_of([d for d in found if d.subject == "sim-02"], "heart-rate")]
    assert {t.utcoffset() for t in others} == {timedelta(hours=1)}


def test_a_silent_band_is_silent_and_nothing_else_is() -> None:
    onset = days(2.4)
    trouble = Trouble("silent", onset.timestamp(), analytes=("heart-rate", "wrist-temperature"))
    clinic = Clinic(1, 1, START, troubles={"sim-01": [trouble]})
    found = list(clinic.records(START, days(5)))
    assert max(t for t, _ in values_of(found, "heart-rate")) < onset
    assert max(t for t, _ in values_of(found, "wrist-temperature")) < onset
    assert max(t for t, _ in values_of(found, "saliva-cortisol")) > days(4)


def test_an_outlier_is_one_reading() -> None:
    well = list(Clinic(1, 1, START).records(START, days(4)))
    plan = [
        Trouble("outlier", days(1.5).timestamp(), 8.0, ("saliva-cortisol",)),
        Trouble("outlier", days(2.0).timestamp(), 60.0, ("heart-rate",)),
    ]
    ill = list(Clinic(1, 1, START, troubles={"sim-01": plan}).records(START, days(4)))
    for slug in ("saliva-cortisol", "heart-rate"):
        before, after = dict(values_of(well, slug)), dict(values_of(ill, slug))
        changed = [t for t in before if before[t] != after[t]]
        assert len(changed) == 1
        size = 8.0 * before[changed[0]] if slug != "heart-rate" else 60.0 + before[changed[0]]
        assert after[changed[0]] == pytest.approx(size, rel=0.05)


def test_least_squares_of_what_the_band_sends_finds_the_truth() -> None:
    clinic = Clinic(6, 1, START)
    found = list(clinic.records(START, days(60)))
    for slug in ("heart-rate", "wrist-temperature"):
        readings = dict(values_of(found, slug))
        hours = np.array([t.hour + t.minute / 60 + t.second / 3600 for t in readings])
        fitted = np.linalg.lstsq(basis(hours), np.array(list(readings.values())), rcond=None)[0]
        curve = clinic.body("sim-01").person.curve(slug)
        assert fitted == pytest.approx(curve.coefficients, abs=0.2 * curve.residual_sd)


def test_the_demo_has_six_troubles_in_six_people_at_their_times() -> None:
    live = days(30)
    truth = demo_clinic(1, START, live).truth()
    assert len(truth["people"]) == 20
    troubles = {p["subject"]: p["troubles"] for p in truth["people"] if p["troubles"]}
    assert len(troubles) == 6
    onsets = sorted(
        (datetime.fromisoformat(t["onset"]) - live) / timedelta(days=1)
        for plan in troubles.values()
        for t in plan
    )
    assert onsets == pytest.approx([-6, -3, -3, -1 / 3, 1, 2])
    kinds = Counter(t["kind"] for plan in troubles.values() for t in plan)
    assert kinds == {"phase": 2, "amplitude": 1, "level": 2, "silent": 1}


def test_the_demo_refuses_too_few_people_and_the_clinic_strangers() -> None:
    with pytest.raises(ValueError, match="at least 6 people"):
        demo_clinic(1, START, days(30), people=5)
    with pytest.raises(KeyError, match="no person sim-09"):
        Clinic(1, 2, START, journeys={"sim-09": []})


def test_some_people_take_tablets_at_home() -> None:
    clinic = Clinic(1, 7, START, delivery=FLAWLESS)
    doses = [d for d in clinic.records(START, days(3)) if b'"dose"' in d.value]
    assert {d.subject for d in doses} == {"sim-07"}
    assert len(doses) == 3
