"""Which reference limits stand in a profile row: whose, of which hours, and where none."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from processors.engine.series import Known, Limits, Series
from schemas.catalogue import Analyte
from schemas.conditions import CyclePhase, Sex
from schemas.measurements import PROFILE
from tests.processors.engine.feeding import (
    CATALOGUE,
    START_MS,
    SUBJECT,
    Run,
    moment,
    natural,
    numbered,
    population_curve,
    record,
    singles,
)

YEAR = 2026
CYCLE = [analyte for analyte in CATALOGUE if analyte.rhythm == "cycle"]


def limits(slug: str, known: Known) -> list[Limits]:
    """Of each half hour, for a person of whom so much is known."""
    series = Series(0, "default", SUBJECT, CATALOGUE[slug], START_MS)
    series.know(known)
    return series.limits(YEAR)


def at(found: list[Limits], clock_hour: float) -> Limits:
    return found[int(2 * clock_hour)]


def rows(
    slug: str, *frames: Any, settled: bool = False, late: bool = False
) -> list[dict[str, Any]]:
    """The profile of three days of readings with these profile events after them."""
    analyte = CATALOGUE[slug]
    hours = np.arange(8.0, 72.0, 4.0)
    sent = list(
        singles(slug, hours, natural(analyte, population_curve(analyte, hours)), late_h=0.1)
    )
    run = Run()
    run.feed(numbered(sent))
    for known in frames:
        if settled:
            run.settle()
        body = {"kind": "profile", "subject": SUBJECT, "at": moment(0.0)} | known
        run.feed(numbered([record(body, 68.2, "events")]))
    run.settle()
    if late:
        run.feed(numbered(singles(slug, [66.1], [400.0], late_h=2.2), first=len(sent)))
        run.settle()
    return run.store.select(PROFILE)


def test_an_old_man_beside_young_men() -> None:
    found = limits("serum-testosterone", Known("male", 1950))
    assert set(found) == {Limits(190, 730, 264, 916)}


def test_a_young_man_is_given_both_though_they_are_the_same() -> None:
    assert set(limits("serum-testosterone", Known("male", 2000))) == {Limits(264, 916, 264, 916)}


def test_young_adults_need_no_age_and_their_sex_only_where_it_matters() -> None:
    assert set(limits("serum-testosterone", Known("male"))) == {Limits(None, None, 264, 916)}
    assert set(limits("serum-testosterone", Known())) == {Limits(None, None, None, None)}
    assert set(limits("serum-tsh", Known())) == {Limits(0.4, 4.0, 0.4, 3.56)}


def test_who_asks_for_the_young_adults_has_them_in_both_places() -> None:
    found = limits("serum-dheas", Known("female", 1950, "young-adult"))
    assert set(found) == {Limits(54, 315, 54, 315)}


@pytest.mark.parametrize("slug", ["heart-rate", "saliva-cortisol", "hba1c"])
def test_what_does_not_change_with_age_has_no_young_adults(slug: str) -> None:
    for known in (Known(), Known("male", 1950), Known("female", 1990, "young-adult")):
        assert {each[2:] for each in limits(slug, known)} == {(None, None)}
    assert any(each[:2] != (None, None) for each in limits(slug, Known()))


def test_both_references_are_in_the_stored_half_hours() -> None:
    stored = rows("serum-testosterone", {"sex": "male", "birth_year": 1950})
    names = ("ref_low", "ref_high", "young_low", "young_high")
    assert [tuple(row[name] for name in names) for row in stored][-1] == (190, 730, 264, 916)
    # What the clock had closed before stays as it was.
    assert tuple(stored[0][name] for name in names) == (None,) * 4


def test_a_late_reading_leaves_the_limits() -> None:
    known = {"sex": "male", "birth_year": 1950}
    before, after = (rows("serum-dheas", known, known, late=late) for late in (False, True))
    assert before != after
    for name in ("young_low", "young_high", "ref_low", "ref_high"):
        assert [row[name] for row in before] == [row[name] for row in after]


def test_a_row_written_again_has_nothing_left_of_before() -> None:
    """A young adult, of whom that is known only after the open half hour was written."""
    known = {"birth_year": 2001}
    settled = rows("serum-tsh", known, settled=True)
    assert settled == rows("serum-tsh", known)
    assert {row["young_high"] for row in settled} == {3.56}


def test_hours_since_waking_by_the_catalogues_hour() -> None:
    """07:00 is assumed: half past seven is in the awakening response."""
    cortisol = CATALOGUE["saliva-cortisol"]
    found = limits("saliva-cortisol", Known())
    for clock, since in ((6.75, 23.75), (7.25, 0.25), (7.75, 0.75), (8.25, 1.25), (23.25, 16.25)):
        expected = cortisol.reference(clock, hours_since_waking=since)
        assert at(found, clock)[:2] == expected, clock
    assert at(found, 7.25)[:2] != cortisol.reference(7.25)


def test_hours_since_waking_by_the_persons_own_hour() -> None:
    usual, late = (limits("saliva-cortisol", Known(wake_hour=hour)) for hour in (7.0, 22.0))
    assert usual == limits("saliva-cortisol", Known())
    response = at(usual, 7.25)[:2]
    assert at(late, 22.25)[:2] == response  # a night worker's awakening response
    assert at(late, 7.25)[:2] != response
    # Across midnight: 22:00 and eight and a half hours.
    assert at(late, 6.75)[:2] == at(usual, 15.75)[:2] != (None, None)
    # The morning's interval by the clock is no more for somebody who goes to bed then.
    assert at(late, 8.25)[:2] == at(usual, 17.25)[:2] == (None, None)


def test_a_waking_hour_changes_nothing_where_waking_does_not_count() -> None:
    for slug in ("heart-rate", "serum-cortisol", "serum-tsh"):
        assert limits(slug, Known(wake_hour=3.0)) == limits(slug, Known())


@pytest.mark.parametrize("analyte", CYCLE, ids=lambda analyte: analyte.slug)
def test_no_interval_of_a_phase_for_a_woman_whose_phase_is_not_known(analyte: Analyte) -> None:
    sexes: tuple[Sex | None, ...] = ("female", None)
    for sex in sexes:
        for age in (None, 15, 30, 45, 55, 59):
            known = Known(sex, None if age is None else YEAR - age)
            found = limits(analyte.slug, known)
            assert {each[:2] for each in found} == {(None, None)}, (sex, age)
    # And they would have one if it were known.
    phases = [
        phase
        for phase in get_args(CyclePhase)
        if analyte.reference(8.0, "female", 30.0, cycle_phase=phase) != (None, None)
    ]
    assert phases


@pytest.mark.parametrize("slug", ["serum-lh", "serum-fsh"])
def test_after_the_menopause_the_young_are_no_comparison(slug: str) -> None:
    after = CATALOGUE[slug].reference(8.0, "female", cycle_phase="postmenopausal")
    assert set(limits(slug, Known("female", 1950))) == {Limits(*after, None, None)}
