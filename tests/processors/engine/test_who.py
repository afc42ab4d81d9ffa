"""Who a person is chooses prior and references, and when the profile came changes no sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pytest

from processors.engine import Partition, Policy
from processors.engine.state import load_series
from processors.engine_port import Record
from processors.rhythm.layout import SUMS
from processors.store.memory import MemoryStore
from schemas.catalogue import Analyte, Catalogue
from schemas.conditions import Sex
from schemas.measurements import PROFILE, RHYTHM
from schemas.topics import EVENTS, READINGS
from tests.processors.engine.feeding import (
    CATALOGUE,
    HOUR_MS,
    START_MS,
    SUBJECT,
    Run,
    natural,
    numbered,
    population_curve,
    record,
    sampled,
    singles,
)

TESTOSTERONE = CATALOGUE["serum-testosterone"]
MORNINGS_AND_EVENINGS = (7.5, 12.0, 20.0)


def profile(at_h: float, **known: Any) -> Record:
    body = {"kind": "profile", "subject": SUBJECT, "at": _at(at_h)} | known
    return record(body, at_h, EVENTS.name)


def _at(hours: float) -> str:
    return str(np.datetime64(START_MS + round(hours * HOUR_MS), "ms")) + "Z"


def readings(analyte: Analyte, days: int, above: float = 0.3, late_h: float = 0.5) -> list[Record]:
    """Days of samples about the population's curve and a little above it."""
    hours = sampled(MORNINGS_AND_EVENINGS, days)
    noise = np.random.default_rng(2).standard_normal(len(hours))
    y = population_curve(analyte, hours) + above + 0.2 * noise
    return numbered(singles(analyte.slug, hours, natural(analyte, y), late_h=late_h))


def outcome(*frames: Sequence[Record]) -> dict[str, list[dict[str, Any]]]:
    run = Run()
    for frame in frames:
        run.feed(frame)
    run.settle()
    return run.contents((RHYTHM, PROFILE))


def without(rows: Sequence[Mapping[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k not in names} for row in rows]


@pytest.mark.parametrize(
    ("slug", "sex", "birth_year"),
    [
        ("serum-testosterone", "female", None),
        ("serum-testosterone", "male", 1995),
        ("serum-testosterone", "male", 1950),
        ("interstitial-glucose", None, 1950),
        ("serum-progesterone", "male", None),
    ],
)
def test_the_prior_is_that_of_the_group(slug: str, sex: Sex | None, birth_year: int | None) -> None:
    """As if the catalogue knew these people only."""
    analyte = CATALOGUE[slug]
    prior = analyte.prior_of(sex, None if birth_year is None else 2026.0 - birth_year)
    assert prior != analyte.prior
    theirs = analyte.model_copy(update={"prior": prior, "group_priors": ()})
    sent = readings(analyte, 12)
    known = numbered([profile(0.0, sex=sex, birth_year=birth_year)])

    partition = Partition(0, Catalogue((theirs,)), Policy())
    partition.start({READINGS.name: 0, EVENTS.name: 0})
    store = MemoryStore()
    for outputs in (partition.process(sent), partition.settle()):
        for measurement, rows in outputs.rows.items():
            store.write(measurement, rows)

    found = outcome(known, sent)
    limits = ("ref_low", "ref_high", "young_low", "young_high")
    assert found["rhythm"] == store.select(RHYTHM)
    assert without(found["profile"], *limits) == without(store.select(PROFILE), *limits)
    assert found["rhythm"] != outcome(sent)["rhythm"]


def test_a_profile_that_comes_later_counts_from_then_as_if_always_known() -> None:
    sent = readings(TESTOSTERONE, 20)
    half = len(sent) // 2
    known = numbered([profile(0.0, sex="female", birth_year=1990)])
    never, always = outcome(sent), outcome(known, sent)
    later = outcome(sent[:half], known, sent[half:])
    # What the clock has closed when the profile comes stays as it was judged.
    arrival_ms = sent[half - 1].timestamp_ms
    for name, seen, first, second in zip(
        ("before", "after"), (never, always), (0, arrival_ms), (arrival_ms, np.inf), strict=True
    ):
        rows = [row for row in seen["rhythm"] if first <= row["time"] < second]
        got = [row for row in later["rhythm"] if first <= row["time"] < second]
        assert got == rows, name
        assert len(rows) > 20
    earlier = {row["ref_high"] for row in later["profile"] if row["time"] < arrival_ms - HOUR_MS}
    assert earlier == {TESTOSTERONE.reference(8.0)[1]}
    assert later["profile"][-1]["ref_high"] == TESTOSTERONE.reference(8.0, "female", 36.0)[1]


def test_the_sums_are_the_same_whenever_the_profile_came() -> None:
    """What is learnt of scores is not: they were had against another prediction."""
    sent = readings(TESTOSTERONE, 20)
    known = numbered([profile(0.0, sex="female")])
    rows = []
    for frames in ((sent,), (known, sent), (sent[:30], known, sent[30:]), (sent, known)):
        run = Run()
        for frame in frames:
            run.feed(frame)
        run.settle()
        (saved,) = [v for k, v in run.changes().items() if k.startswith(b"series|")]
        row = np.frombuffer(load_series(saved).kernel[0])
        rows.append(row[SUMS:])
    for row in rows[1:]:
        assert np.array_equal(row, rows[0])


Cut = Literal["settle", "restart"]


@pytest.mark.parametrize("cut", ["settle", "restart"])
@pytest.mark.parametrize("after_h", [0.0, 9.0])
def test_a_profile_on_the_way_and_however_the_rest_is_cut(cut: Cut, after_h: float) -> None:
    """Settled before, after, or both; or begun again from the saved rows in between."""
    sent = readings(TESTOSTERONE, 12)
    # somebody else's reading moves the clock, past the end of open half hours
    other = next(singles("serum-tsh", [24.0 * 6 + after_h], [1.5], subject="syn-02", late_h=0.0))
    sent = numbered(sorted([*sent, other], key=lambda each: each.timestamp_ms))
    place = 1 + next(i for i, each in enumerate(sent) if each.key == b"syn-02")
    known = numbered([profile(0.0, sex="male", birth_year=1990)])
    whole = outcome(sent[:place], known, sent[place:])
    for settled in ((1,), (2,), (1, 2), tuple(range(1, 5))):
        store, saved = MemoryStore(), dict[bytes, bytes]()
        begin = {READINGS.name: 0, EVENTS.name: 0}
        run = Run(saved, begin, store)
        frames = (sent[: place - 3], sent[place - 3 : place], known, sent[place:])
        for number, frame in enumerate(frames):
            if number in settled:
                run.settle()
                if cut == "restart":
                    saved |= run.changes()
                    begin = {topic: run.partition.position(topic) for topic in begin}
                    run = Run(saved, begin, store)
            run.feed(frame)
        run.settle()
        for measurement in (RHYTHM, PROFILE):
            assert store.select(measurement) == whole[measurement.name], (measurement, settled)


def test_what_was_settled_is_settled_again_when_the_profile_comes() -> None:
    """The half hour is still open, and no reading follows that would settle it."""
    sent = readings(TESTOSTERONE, 4, late_h=0.1)
    known = numbered([profile(0.0, sex="male", birth_year=1990)])
    run = Run()
    run.feed(sent)
    run.settle()
    before = run.contents((RHYTHM, PROFILE))
    run.feed(known)
    run.settle()
    assert run.contents((RHYTHM, PROFILE)) == outcome(sent, known) != before


def across_new_year(slug: str, days: int = 8) -> list[Record]:
    """Samples of the last days of a year and the first of the next."""
    analyte = CATALOGUE[slug]
    hours = sampled((8.0,), days) - 24.0 * days // 2
    y = population_curve(analyte, hours)
    return numbered(singles(slug, hours, natural(analyte, y)))


def test_references_are_of_the_age_at_the_time_of_the_half_hour() -> None:
    """Sixty in the new year; a worker that begins again in between makes no difference."""
    analyte = CATALOGUE["serum-igf-1"]
    known = numbered([profile(-24.0 * 5, birth_year=1966, sex="male")])
    sent = across_new_year(analyte.slug)
    before, since = (analyte.reference(8.0, "male", age) for age in (59.0, 60.0))
    assert before != since
    whole = outcome(known, sent)
    for row in whole["profile"]:
        expected = since if row["time"] >= START_MS else before
        assert (row["ref_low"], row["ref_high"]) == expected
    assert {row["time"] >= START_MS for row in whole["profile"]} == {True, False}
    for at in range(1, len(sent)):
        store = MemoryStore()
        first = Run(store=store)
        first.feed(known)
        first.feed(sent[:at])
        first.settle()
        second = Run(first.changes(), {READINGS.name: at, EVENTS.name: 1}, store)
        second.feed(sent[at:])
        second.settle()
        for measurement in (RHYTHM, PROFILE):
            assert store.select(measurement) == whole[measurement.name]


def test_the_prior_stays_that_of_the_age_at_the_beginning() -> None:
    """It keeps its strength, and people do not change overnight."""
    analyte = CATALOGUE["serum-igf-1"]
    sent = across_new_year(analyte.slug)
    turning, younger, older = (
        outcome(numbered([profile(-24.0 * 5, birth_year=year)]), sent)["rhythm"]
        for year in (1966, 1970, 1960)
    )
    assert turning == younger != older


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (None, TESTOSTERONE.reference(8.0, "male", 76.0)),
        ("young-adult", (264, 916)),
        ("patients of ward 3", TESTOSTERONE.reference(8.0, "male", 76.0)),
    ],
)
def test_the_reference_group_is_asked_for(group: str | None, expected: tuple[float, float]) -> None:
    known = profile(0.0, sex="male", birth_year=1950, reference_group=group)
    rows = outcome(numbered([known]), readings(TESTOSTERONE, 3, above=0.0))["profile"]
    at_eight = {(row["ref_low"], row["ref_high"]) for row in rows if row["clock_hour"] == 8.25}
    assert at_eight == {expected}


def test_a_profile_corrected_is_taken_by_its_time_not_by_its_arrival() -> None:
    sent = readings(TESTOSTERONE, 3)
    wrong, right = profile(1.0, sex="male"), profile(2.0, sex="female")
    expected = outcome(numbered([right]), sent)
    for order in ((wrong, right), (right, wrong)):
        assert outcome(numbered(order), sent) == expected
    everybody = outcome(numbered([right, profile(3.0)]), sent)
    assert everybody == outcome(sent)


def test_nothing_is_known_of_people_before_they_are_born() -> None:
    sent = readings(TESTOSTERONE, 3)
    assert outcome(numbered([profile(0.0, birth_year=2030)]), sent) == outcome(sent)
