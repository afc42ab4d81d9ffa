"""Which reference and which prior counts, for any set of them and any person."""

from __future__ import annotations

import itertools
import math
from typing import Any, get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.catalogue import Analyte, load_catalogue
from schemas.conditions import CYCLE_DAYS, CyclePhase, age_gaps, undecided
from schemas.priors import GroupPrior
from schemas.reference_intervals import YOUNG_ADULT_AGE, Reference, choose

CATALOGUE = load_catalogue()
PHASES = [*CYCLE_DAYS, "postmenopausal"]

ages = st.integers(0, 12).map(lambda decade: 10.0 * decade)
hours = st.integers(0, 23).map(float)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if draw(st.booleans()):
        given["sex"] = draw(st.sampled_from(["female", "male"]))
    if draw(st.booleans()):
        low, high = sorted(draw(st.lists(ages, min_size=2, max_size=2, unique=True)))
        if low:
            given["from_age"] = low
        if high < 120 or not low:
            given["to_age"] = high
    if draw(st.integers(0, 3)) == 0:
        given["cycle_phase"] = draw(st.sampled_from(PHASES))
    return given


@st.composite
def references(draw: st.DrawFn) -> Reference:
    given = draw(conditions())
    when = draw(st.integers(0, 3))
    if when == 1:
        low, high = draw(st.lists(hours, min_size=2, max_size=2, unique=True))
        given |= {"from_hour": low, "to_hour": high or 24.0}
    elif when == 2:
        low, high = sorted(draw(st.lists(hours, min_size=2, max_size=2, unique=True)))
        given |= {"from_wake_h": low, "to_wake_h": high}
    if draw(st.integers(0, 4)) == 0 and not {"from_age", "to_age"} & given.keys():
        given["group"] = "young-adult"
    return Reference(low=1.0, **given)


class Moment:
    """A person and a time, written apart from the code under test."""

    def __init__(self, hour: float, woken: float | None, who: dict[str, Any]) -> None:
        self.hour, self.woken, self.who = hour, woken, who

    def __repr__(self) -> str:
        return f"Moment({self.hour}, {self.woken}, {self.who})"

    def fits(self, r: Reference) -> bool:
        """By enumerating minutes, years and cycle days rather than by comparing bounds."""
        minute = round(self.hour * 60)
        start, end = round(r.from_hour * 60), round(r.to_hour * 60)
        length = (end - start) % 1440 or 1440
        if (minute - start) % 1440 >= length:
            return False
        if r.from_wake_h is not None and r.to_wake_h is not None:
            wake_minutes = range(round(r.from_wake_h * 60), round(r.to_wake_h * 60))
            if self.woken is None or round(self.woken * 60) not in wake_minutes:
                return False
        if r.sex and self.who["sex"] != r.sex:
            return False
        if r.from_age is not None or r.to_age is not None:
            years = range(int(r.from_age or 0), int(r.to_age or 200))
            if self.who["age"] is None or int(self.who["age"]) not in years:
                return False
        if r.cycle_phase:
            return self.days(self.who["cycle_phase"]) <= self.days(r.cycle_phase) and bool(
                self.who["cycle_phase"]
            )
        return True

    @staticmethod
    def days(phase: str | None) -> set[int]:
        if phase is None:
            return set()
        if phase == "postmenopausal":
            return {999}
        first, last = CYCLE_DAYS[phase]  # type: ignore[index]
        return set(range(first, last + 1))

    def choose(self, given: list[Reference], group: Any = None) -> Reference | None:
        return choose(given, self.hour, hours_since_waking=self.woken, group=group, **self.who)


moments = st.builds(
    Moment,
    st.integers(0, 24 * 60 - 1).map(lambda minute: minute / 60),
    st.none() | st.integers(0, 24 * 60 - 1).map(lambda minute: minute / 60),
    st.fixed_dictionaries(
        {
            "sex": st.sampled_from([None, "female", "male"]),
            "age": st.none() | st.integers(0, 119).map(float),
            "cycle_phase": st.sampled_from([None, *PHASES]),
        }
    ),
)


@given(reference=references(), moment=moments)
def test_an_interval_applies_to_what_its_conditions_say(
    reference: Reference, moment: Moment
) -> None:
    applies = reference.applies(moment.hour, hours_since_waking=moment.woken, **moment.who)
    assert applies == moment.fits(reference)


@given(given_=st.lists(references(), max_size=6), moment=moments)
def test_the_chosen_interval_applies_and_nothing_narrower_does(
    given_: list[Reference], moment: Moment
) -> None:
    fitting = [r for r in given_ if r.group is None and moment.fits(r)]
    best = moment.choose(given_)
    assert (best is None) == (not fitting)
    if best is not None:
        assert best in fitting
        for other in fitting:
            # No other asks for more, and none that asks for as much lies strictly inside.
            assert other.specificity <= best.specificity
            if other.specificity == best.specificity:
                assert not (best.contains(other) and not other.contains(best))


@settings(max_examples=300)
@given(given_=st.lists(references(), min_size=2, max_size=4), moment=moments, data=st.data())
def test_where_nothing_is_undecided_the_order_of_the_file_does_not_matter(
    given_: list[Reference], moment: Moment, data: st.DataObject
) -> None:
    assume(not list(undecided(given_)))
    shuffled = data.draw(st.permutations(given_))
    for group in (None, "young-adult"):
        assert moment.choose(given_, group) == moment.choose(shuffled, group)


@settings(max_examples=300)
@given(given_=st.lists(references(), min_size=2, max_size=8), moment=moments)
def test_two_that_are_equally_specific_and_fit_one_moment_are_reported(
    given_: list[Reference], moment: Moment
) -> None:
    reported = set(undecided(given_))
    for (i, a), (j, b) in itertools.combinations(enumerate(given_), 2):
        alike = a.group == b.group and a.specificity == b.specificity
        nested = a.contains(b) != b.contains(a)
        if moment.fits(a) and moment.fits(b):
            assert ((i, j) in reported) == (alike and not nested)


@given(reference=references(), moment=moments, other=references())
def test_what_lies_inside_fits_less(reference: Reference, moment: Moment, other: Reference) -> None:
    if reference.contains(other) and moment.fits(other):
        assert moment.fits(reference)
    if reference.group == other.group and moment.fits(reference) and moment.fits(other):
        assert reference.overlaps(other)


@given(
    bounds=st.lists(ages.filter(bool), min_size=3, max_size=7, unique=True).map(sorted),
    missing=st.integers(0, 5),
    filler=st.booleans(),
)
def test_an_age_that_falls_between_two_bins_is_found(
    bounds: list[float], missing: int, filler: bool
) -> None:
    bins = [Reference(low=1, from_age=a, to_age=b) for a, b in itertools.pairwise(bounds)]
    gone = bins.pop(missing) if missing < len(bins) else None
    if filler:
        bins.append(Reference(low=1))
    inner = (
        gone is not None and bounds[0] < (gone.from_age or 0) and (gone.to_age or 0) < bounds[-1]
    )
    expected = [(gone.from_age, gone.to_age)] if gone and inner and not filler else []
    assert list(age_gaps(bins)) == expected


def test_bins_of_one_sex_do_not_fill_a_gap_of_the_other() -> None:
    women = [Reference(low=1, sex="female", from_age=20, to_age=80)]
    men = [Reference(low=1, sex="male", from_age=a, to_age=a + 20) for a in (20.0, 60.0)]
    assert list(age_gaps(women + men)) == [(40.0, 60.0)]


@given(start=hours, length=st.integers(1, 23), hour=st.integers(0, 24 * 4 - 1))
def test_hours_wrap_at_midnight(start: float, length: int, hour: int) -> None:
    reference = Reference(low=1, from_hour=start, to_hour=(start + length) % 24 or 24)
    clock_hour = hour / 4
    expected = (clock_hour - start) % 24 < length
    assert reference.applies(clock_hour, None, None) == expected
    assert reference.applies(reference.typical_hour(None), None, None)
    assert sum(b - a for a, b in reference.spans()[3]) == length


def test_hours_since_waking_go_before_clock_hours_and_phase_before_age() -> None:
    by_clock = Reference(low=1, from_hour=7, to_hour=9)
    by_waking = Reference(low=2, from_wake_h=0, to_wake_h=2)
    assert choose([by_clock, by_waking], 8, None, None) is by_clock
    assert choose([by_clock, by_waking], 8, None, None, hours_since_waking=1) is by_waking
    assert choose([by_clock, by_waking], 8, None, None, hours_since_waking=3) is by_clock
    of_age = Reference(low=3, sex="female", from_age=50)
    of_phase = Reference(low=4, sex="female", cycle_phase="luteal")
    both = [of_age, of_phase]
    assert choose(both, 8, "female", 52) is of_age
    assert choose(both, 8, "female", 52, cycle_phase="mid-luteal") is of_phase
    assert choose(both, 8, "female", 52, cycle_phase="follicular") is of_age


def test_the_young_adults_reference() -> None:
    bins = [
        Reference(low=20, from_age=20, to_age=40),
        Reference(low=40, from_age=40),
    ]
    assert choose(bins, 0, None, 70) is bins[1]
    assert choose(bins, 0, None, 70, group="young-adult") is bins[0]
    assert choose(bins, 0, None, None, group="young-adult") is bins[0]
    own = Reference(low=30, sex="male", group="young-adult")
    assert choose([*bins, own], 0, "male", 70, group="young-adult") is own
    assert choose([*bins, own], 0, "female", 70, group="young-adult") is bins[0]
    assert choose([*bins, own], 0, "male", 70) is bins[1]
    # After the menopause, the young have no phase to be compared in.
    ended = Reference(low=50, sex="female", cycle_phase="postmenopausal")
    assert choose([ended], 0, "female", 60, cycle_phase="postmenopausal") is ended
    at_60 = {"cycle_phase": "postmenopausal", "group": "young-adult"}
    assert choose([ended], 0, "female", 60, **at_60) is None  # type: ignore[arg-type]
    assert 20 <= YOUNG_ADULT_AGE < 30


@pytest.mark.parametrize("analyte", CATALOGUE, ids=lambda analyte: analyte.slug)
def test_no_entry_of_the_catalogue_depends_on_the_order_of_its_lines(analyte: Analyte) -> None:
    backwards = analyte.model_copy(
        update={
            "references": analyte.references[::-1],
            "group_priors": analyte.group_priors[::-1],
        }
    )
    people = itertools.product((None, "female", "male"), (None, 19, 25, 39, 40, 65, 80, 95))
    for (sex, age), phase in itertools.product(people, (None, *PHASES)):
        for hour, woken in ((0.5, None), (7.5, 0.5), (8.0, None), (23.5, 16.0)):
            for group in (None, "young-adult"):
                asked: Any = (hour, sex, age)
                more: Any = {
                    "hours_since_waking": woken,
                    "cycle_phase": phase,
                    "group": group,
                }
                assert analyte.reference(*asked, **more) == backwards.reference(*asked, **more)
        who: Any = (sex, age, phase)
        assert analyte.prior_of(*who) == backwards.prior_of(*who)


@pytest.mark.parametrize(
    ("slug", "hour", "who", "expected"),
    [
        ("serum-testosterone", 8, {"sex": "male", "age": 30}, (264, 916)),
        ("serum-testosterone", 8, {"sex": "male", "age": 70}, (190, 730)),
        ("serum-testosterone", 8, {"sex": "male", "age": 70, "group": "young-adult"}, (264, 916)),
        ("serum-testosterone", 8, {"sex": "female"}, (4.2, 83)),
        ("serum-testosterone", 8, {}, (None, None)),
        ("serum-lh", 8, {"sex": "female", "cycle_phase": "mid-cycle"}, (21, 74)),
        ("serum-lh", 8, {"sex": "female", "cycle_phase": "late luteal"}, (2.73, 13.1)),
        ("serum-lh", 8, {"sex": "female", "age": 65}, (5.0, 54.0)),
        ("serum-lh", 8, {"sex": "female", "age": 65, "cycle_phase": "luteal"}, (2.73, 13.1)),
        ("serum-lh", 8, {"sex": "female", "age": 30}, (None, None)),
        ("serum-tsh", 8, {"age": 25}, (0.4, 3.56)),
        ("serum-tsh", 8, {"age": 50}, (0.4, 4.0)),
        ("serum-tsh", 8, {"age": 85}, (0.4, 7.49)),
        ("serum-tsh", 8, {"age": 85, "group": "young-adult"}, (0.4, 3.56)),
        ("serum-tsh", 8, {}, (0.4, 4.0)),
        ("serum-igf-1", 8, {"sex": "male", "age": 72, "group": "young-adult"}, (119, 343)),
        ("serum-dheas", 8, {"sex": "female", "age": 45}, (27, 199)),
        ("saliva-cortisol", 11, {"hours_since_waking": 0.5}, (0.1, 1.43)),
        ("saliva-cortisol", 8, {"hours_since_waking": 3.0}, (0.1, 0.75)),
        ("saliva-cortisol", 11, {"hours_since_waking": 0.0}, (0.054, 1.27)),
        ("serum-progesterone", 8, {"sex": "female", "cycle_phase": "mid-luteal"}, (8.2, 17)),
        ("serum-progesterone", 8, {"sex": "female", "cycle_phase": "luteal"}, (4.1, 14.6)),
        ("serum-prolactin", 3, {"sex": "female"}, (None, None)),
    ],
)
def test_references_that_a_clinician_would_look_up(
    slug: str, hour: float, who: Any, expected: tuple[float | None, float | None]
) -> None:
    assert CATALOGUE[slug].reference(hour, **who) == expected


HORMONES_OF_THE_CYCLE = (
    "serum-estradiol",
    "serum-progesterone",
    "serum-lh",
    "urine-lh",
    "serum-fsh",
    "urine-e3g",
    "urine-pdg",
)


@pytest.mark.parametrize("phase", get_args(CyclePhase))
@pytest.mark.parametrize("slug", HORMONES_OF_THE_CYCLE)
def test_every_phase_of_the_cycle_has_its_interval_and_its_prior_inside(
    slug: str, phase: CyclePhase
) -> None:
    analyte = CATALOGUE[slug]
    low, high = analyte.reference(8.0, "female", 30.0, cycle_phase=phase)
    assert (low, high) != (None, None)
    usual = analyte.from_model(analyte.prior_of("female", 30.0, phase).mesor)
    assert (low or 0.0) < usual < (high or math.inf)


@pytest.mark.parametrize("slug", HORMONES_OF_THE_CYCLE)
def test_a_whole_phase_reaches_no_further_than_its_parts(slug: str) -> None:
    """What is usual of the whole is usual in one of its parts."""
    phases: tuple[tuple[CyclePhase, tuple[CyclePhase, ...]], ...] = (
        ("follicular", ("early follicular", "late follicular")),
        ("luteal", ("early luteal", "mid-luteal", "late luteal")),
    )
    for whole, parts in phases:
        low, high = CATALOGUE[slug].reference(8.0, "female", cycle_phase=whole)
        of_parts = [CATALOGUE[slug].reference(8.0, "female", cycle_phase=part) for part in parts]
        assert (low or 0.0) >= min(part[0] or 0.0 for part in of_parts)
        assert (high or math.inf) <= max(part[1] or math.inf for part in of_parts)


def test_priors_add_up_from_the_general_to_the_particular() -> None:
    testosterone = CATALOGUE["serum-testosterone"]
    of_man, of_old = testosterone.prior_of("male"), testosterone.prior_of("male", 70)
    assert testosterone.prior_of() == testosterone.prior
    assert (of_man.mesor, of_man.amplitude) == (6.12, 0.15)
    # From 40 the level, from 60 the swing; the spread is that from 40, the rest everybody's.
    assert (of_old.mesor, of_old.mesor_sd, of_old.amplitude) == (5.86, 0.30, 0.063)
    assert of_old.acrophase_h == testosterone.prior.acrophase_h
    assert testosterone.prior_of("female", 70).mesor == 2.93
    assert testosterone.prior_of(None, 70) == testosterone.prior
    luteal = CATALOGUE["serum-progesterone"].prior_of("female", None, "mid-luteal")
    assert luteal.mesor == 2.59
    assert luteal.residual_sd == 0.40


@given(group=conditions(), who=moments)
def test_a_group_that_does_not_fit_changes_nothing(group: dict[str, Any], who: Moment) -> None:
    assume(group)
    entry = GroupPrior(mesor=4.0, **group)
    analyte = CATALOGUE["heart-rate"].model_copy(update={"group_priors": (entry,)})
    prior = analyte.prior_of(**who.who)
    assert prior.mesor == (4.0 if entry.fits(**who.who) else analyte.prior.mesor)
    assert prior.model_copy(update={"mesor": 0}) == analyte.prior.model_copy(update={"mesor": 0})
