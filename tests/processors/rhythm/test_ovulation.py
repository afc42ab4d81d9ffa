"""The posterior over ovulation, the temperature rule and phases: exactness, coverage, bad input."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from processors.rhythm.cycle_evidence import (
    COURSES,
    Evidence,
    EvidenceKind,
    evidence,
    log_likelihood,
)
from processors.rhythm.ovulation import (
    PHASES,
    Habit,
    Ovulation,
    PastCycle,
    habit,
    ovulation,
    ovulation_day,
    phases,
)
from processors.rhythm.temperature_shift import temperature_shift

PEOPLE = 1000
GRID = np.arange(4.0, 40.0, 0.25)
MORNINGS = np.arange(28) + 0.3


def number(value: float | None) -> float:
    assert value is not None
    return value


def seen(kind: EvidenceKind, days: Any, values: Any, **more: Any) -> Evidence:
    found = evidence(kind, days, values, **more)
    assert isinstance(found, Evidence), found
    return found


def posterior(found: list[Evidence], **more: Any) -> Ovulation:
    result = ovulation(found, **more)
    assert isinstance(result, Ovulation), result
    return result


def temperatures(ovulates: float, rng: np.random.Generator, sd: float = 0.08) -> np.ndarray:
    return np.asarray(
        36.4 + 0.3 * (MORNINGS - ovulates > 0.75) + sd * rng.standard_normal(MORNINGS.size)
    )


# -- exactness ----------------------------------------------------------------------------------


@settings(max_examples=12)
@given(st.integers(0, 2**32), st.sampled_from(["urine-lh", "temperature"]))
def test_level_and_size_are_integrated_out(seed: int, kind: EvidenceKind) -> None:
    """Against the multivariate normal density of the readings, in which both are covariance."""
    rng = np.random.default_rng(seed)
    course = COURSES[kind]
    days = np.sort(rng.uniform(0, 28, 7))
    values = np.exp(rng.normal(1, 1, 7)) if course.log else rng.normal(36.5, 0.3, 7)
    found = seen(kind, days, values)
    y = np.log(values) if course.log else values
    y = y - np.median(y)
    expected = []
    for day in GRID:
        s = course.shape(days - day)
        level_sd = 2.0 if course.log else 1.0
        shared = level_sd**2 + course.size_sd**2 * np.outer(s, s)
        expected.append(
            np.logaddexp.reduce(
                [
                    stats.multivariate_normal.logpdf(y, course.size * s, shared + sd**2 * np.eye(7))
                    for sd in course.scatters
                ]
            )
        )
    exact = np.exp(np.array(expected) - max(expected))
    # The course's own coming and going smooths the likelihood over time.
    reach = math.ceil(3 * course.jitter_d / 0.25)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * 0.25 / course.jitter_d) ** 2)
    smooth = np.convolve(np.pad(exact, reach, mode="edge"), kernel / kernel.sum(), mode="valid")
    log_p, _ = log_likelihood(found, GRID)
    ratio = np.exp(log_p - log_p.max())
    np.testing.assert_allclose(ratio, smooth / smooth.max(), rtol=1e-6, atol=1e-9)


def test_the_posterior_sums_to_one_and_without_readings_is_the_population() -> None:
    found = posterior([], today=0.0)
    assert found.probability.sum() + found.anovulation == pytest.approx(1.0)
    assert found.quantile(0.5) == pytest.approx(math.exp(2.79), abs=0.1)
    # Bull 2019: 95 % of the times to ovulation are 10 to 30 days.
    assert found.quantile(0.025) == pytest.approx(10, abs=1.0)
    assert found.quantile(0.975) == pytest.approx(30, abs=2.5)


def test_each_reading_draws_the_posterior_together() -> None:
    """A textbook cycle of 28 days: LH peak on day 13.4, temperature up from day 15 on."""
    rng = np.random.default_rng(6)
    lh = seen("urine-lh", MORNINGS[8:16], np.where(MORNINGS[8:16] == 13.3, 45, 6.0))
    warm = seen("temperature", MORNINGS, temperatures(14.0, rng))
    widths = []
    for found in ([], [warm], [lh, warm]):
        marker = ovulation_day(posterior(found, today=28.0, length=28.0))
        widths.append(number(marker.high) - number(marker.low))
        assert number(marker.low) <= 15.0 <= number(marker.high)
    assert widths[0] > 2 * widths[1] > 2 * widths[2]
    assert widths[2] < 2.0


def test_habits_move_the_prior() -> None:
    """Three cycles of 35 days: ovulation about day 21 and not 16; known ovulations say more."""
    assert habit([]) == pytest.approx(Habit())
    by_length = habit([PastCycle(35.0)] * 3)
    known = habit([PastCycle(35.0, 24.0, 0.5)] * 3)
    assert 19 < math.exp(by_length.log_days) < 22.6
    assert math.exp(known.log_days) > 22
    assert known.luteal < by_length.luteal == pytest.approx(12.4)
    assert known.log_sd < by_length.log_sd < Habit().log_sd
    for wrong in (PastCycle(0.0), PastCycle(28.0, 29.0), PastCycle(math.nan), PastCycle(28, 0.0)):
        with pytest.raises(ValueError, match="no cycle is"):
            habit([wrong])


# -- promised coverage --------------------------------------------------------------------------


class Person(NamedTuple):
    ovulates: float
    """inf: not in this cycle."""
    length: float
    past: list[PastCycle]


def person(rng: np.random.Generator) -> Person:
    """Of the population, with three finished cycles of which only the length is known."""
    usual = 2.79 + 0.2 * rng.standard_normal()
    luteal = 12.4 + 1.7 * rng.standard_normal()
    cycles = []
    for _ in range(4):
        ovulates = math.exp(usual + 0.18 * rng.standard_normal())
        cycles.append((ovulates, ovulates + max(luteal + 1.8 * rng.standard_normal(), 5)))
    past = [PastCycle(float(round(length))) for _, length in cycles[:3]]
    ovulates, length = cycles[3]
    if rng.random() < 0.06:
        ovulates, length = math.inf, max(math.exp(3.466 + 0.35 * rng.standard_normal()), 15.0)
    return Person(ovulates, float(round(length)), past)


def course(rng: np.random.Generator, kind: EvidenceKind, days: np.ndarray, who: Person) -> Evidence:
    """Readings whose courses are the field's, coming a little early or late, of any size."""
    d = days - who.ovulates
    rings = math.isfinite(who.ovulates)
    if kind == "urine-lh":
        d = d + 0.45 * rng.standard_normal()
        height = 1.7 + 0.45 * rng.standard_normal() if rings else 0.0
        shape = np.exp(-0.5 * ((d + 0.6) / 0.9) ** 2) if rings else 0 * days
        values = np.exp(1.5 + height * shape + 0.4 * rng.standard_normal(days.size))
        return seen(kind, days, np.maximum(values, 2.5), below=values < 2.5)
    if kind == "temperature":
        d = d + 0.8 * rng.standard_normal()
        height = 0.3 + 0.1 * rng.standard_normal() if rings else 0.0
        values = 36.4 + height * np.clip(d / 1.5, 0, 1) if rings else 36.4 + 0 * days
        ill = rng.random(days.size) < 0.03
        noise = rng.uniform(0.08, 0.15) * rng.standard_normal(days.size)
        return seen(kind, days, values + noise + 1.0 * ill, ill=ill)
    d = d + 0.7 * rng.standard_normal()
    height = 1.8 + 0.4 * rng.standard_normal() if rings else 0.0
    shape = 1 / (1 + np.exp(-np.clip((d - 2.3) / 0.7, -50, 50))) if rings else 0 * days
    shape = shape * (1 - 0.6 * np.clip((d - 11.3) / 4, 0, 1))
    values = np.exp(0.5 + height * shape + 0.4 * rng.standard_normal(days.size))
    return seen(kind, days, np.maximum(values, 1.0), below=values < 1.0)


KINDS: list[tuple[EvidenceKind, ...]] = [
    (),
    ("temperature",),
    ("urine-lh",),
    ("urine-pdg",),
    ("urine-lh", "temperature", "urine-pdg"),
]


def test_the_day_of_ovulation_covers_as_promised() -> None:
    """A thousand people of regular and irregular cycles, with and without ovulation; a fifth of the
    days missed, results under the limit, days of fever, a change of the clock; half of the cycles
    are over and half are looked at on some day within."""
    rng = np.random.default_rng(101)
    hits = np.zeros(len(KINDS))
    given_ = np.zeros(len(KINDS))
    none = np.zeros((2, PEOPLE))
    for k in range(PEOPLE):
        who = person(rng)
        over = k % 2 == 0
        today = who.length if over else rng.uniform(3, min(who.length, 40))
        days = np.arange(math.ceil(today - 0.3)) + 0.3 + rng.uniform(-0.02, 0.02)
        days = days + (days > 9) * rng.integers(-1, 2) / 24
        days = days[rng.random(days.size) > 0.2]
        found = posterior(
            [course(rng, kind, days, who) for kind in KINDS[k // 2 % len(KINDS)]],
            today=today,
            length=who.length if over else None,
            usual=habit(who.past),
        )
        none[:, k] = found.anovulation, math.isinf(who.ovulates)
        marker = ovulation_day(found)
        if marker.status == "measured" and math.isfinite(who.ovulates):
            given_[k // 2 % len(KINDS)] += 1
            inside = number(marker.low) <= who.ovulates + 1 <= number(marker.high)
            hits[k // 2 % len(KINDS)] += inside
    assert abs(hits.sum() / given_.sum() - 0.9) < 0.03, hits
    assert np.all(np.abs(hits / given_ - 0.9) < 4 * np.sqrt(0.09 / given_)), hits / given_
    # And the probability of none is one.
    assert none[0].mean() == pytest.approx(none[1].mean(), abs=0.02)
    assert none[0, none[1] == 1].mean() > 5 * none[0, none[1] == 0].mean()


def test_phases_are_as_probable_as_they_are() -> None:
    """Of what is called a phase with probability p, a share p is in it."""
    rng = np.random.default_rng(102)
    said, true = np.zeros(len(PHASES)), np.zeros(len(PHASES))
    for _ in range(PEOPLE):
        who = person(rng)
        # Any day at which the cycle is not over: not one chosen by how long the cycle will be.
        day = rng.uniform(1, 40)
        if math.isinf(who.ovulates) or day > who.length:
            continue
        days = np.arange(math.ceil(day - 0.3)) + 0.3
        found = posterior([course(rng, "urine-lh", days, who)], today=day, usual=habit(who.past))
        probabilities = phases(found, day)
        assert sum(probabilities.values()) + found.anovulation == pytest.approx(1.0)
        said += [probabilities[phase] for phase in PHASES]
        from_peak = math.floor(day) - math.floor(who.ovulates - 0.7)
        edges = np.array([-6, -1, 0, 4, 9])
        true[int(np.searchsorted(edges, from_peak))] += 1
    np.testing.assert_allclose(said / said.sum(), true / true.sum(), atol=0.03)


# -- irregular, missing, without ----------------------------------------------------------------


def test_a_cycle_without_a_shift_has_probably_no_ovulation() -> None:
    rng = np.random.default_rng(7)
    cool = seen("temperature", MORNINGS, 36.4 + 0.08 * rng.standard_normal(28))
    flat = seen("urine-pdg", MORNINGS, np.exp(0.3 * rng.standard_normal(28)))
    marker = ovulation_day(posterior([cool, flat], today=28.0, length=28.0))
    assert marker.status == "withheld"
    assert "probably has no ovulation" in marker.sentence
    one = ovulation_day(posterior([cool], today=28.0, length=28.0))
    assert one.status == "withheld" or "there is none" in one.sentence


def test_fever_is_no_ovulation() -> None:
    rng = np.random.default_rng(8)
    values = temperatures(17.0, rng)
    ill = (MORNINGS > 6) & (MORNINGS < 11)
    fever = values + 0.9 * ill
    told = posterior([seen("temperature", MORNINGS, fever, ill=ill)], today=28.0, length=29.0)
    assert number(ovulation_day(told).value) - 1 == pytest.approx(17.0, abs=1.5)


def test_readings_of_one_day_only_leave_the_calendar() -> None:
    one = posterior([seen("urine-lh", [10.3], [5.0])], today=11.0)
    none = posterior([], today=11.0)
    assert one.quantile(0.5) == pytest.approx(none.quantile(0.5), abs=1.0)


REFUSED: list[tuple[str, list[Any], dict[str, Any], str]] = [
    ("NaN", [evidence("urine-lh", [1.0, 2], [math.nan, 3])], {"today": 5.0}, "1 of 2 readings"),
    ("zero", [evidence("urine-pdg", [1.0], [0.0])], {"today": 5.0}, "value above 0"),
    ("infinite day", [evidence("urine-pdg", [math.inf], [1.0])], {"today": 5.0}, "1 of 1"),
    ("Fahrenheit", [evidence("temperature", [1, 2], [36.5, 97.9])], {"today": 5.0}, "mixed"),
    ("two units", [evidence("urine-pdg", [1, 2], [1e-3, 5e3])], {"today": 5.0}, "mixed"),
    ("before the menses", [], {"today": -1.0}, "before the menses"),
    ("no day", [], {"today": math.nan}, "before the menses, or not known"),
    ("two menses a day apart", [], {"today": 1.0, "length": 1.0}, "is no cycle"),
    ("a year", [], {"today": 365.0, "length": 365.0}, "is no cycle"),
    ("no menses any more", [], {"today": 100.0}, "No menses was logged for 100 days"),
]


@pytest.mark.parametrize(
    ("found", "more", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_bad_cycles_are_told_why(found: list[Any], more: dict[str, Any], words: str) -> None:
    marker = ovulation_day(ovulation(found, **more))
    assert marker.status == "withheld"
    assert words in marker.sentence
    assert marker.value is marker.low is marker.high is None


def test_order_and_columns() -> None:
    rng = np.random.default_rng(9)
    values = temperatures(14.0, rng)
    order = rng.permutation(28)
    one = posterior([seen("temperature", MORNINGS[order], values[order])], today=28.0)
    two = posterior([seen("temperature", MORNINGS, values)], today=28.0)
    np.testing.assert_array_equal(one.probability, two.probability)
    with pytest.raises(ValueError, match="one length"):
        evidence("temperature", [1.0, 2.0], [36.5])


anything = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.lists(
        st.tuples(st.floats(-5, 60) | anything, st.floats(1e-300, 1e9) | anything, st.booleans()),
        max_size=8,
    ),
    st.sampled_from(sorted(COURSES)),
    st.floats(0, 90) | anything,
    st.none() | st.floats(0, 90),
)
def test_no_cycle_whatever_makes_nan_or_a_warning(
    rows: list[tuple[float, float, bool]],
    kind: EvidenceKind,
    today: float,
    length: float | None,
) -> None:
    days, values, below = (np.array([row[k] for row in rows]) for k in range(3))
    found = ovulation(
        [evidence(kind, days, values, below=below.astype(bool))], today=today, length=length
    )
    marker = ovulation_day(found)
    if isinstance(found, Ovulation):
        assert found.probability.sum() + found.anovulation == pytest.approx(1.0)
        assert 0.0 <= found.anovulation <= 1.0
        assert sum(phases(found, today).values()) == pytest.approx(1 - found.anovulation)
    if marker.status == "measured":
        assert number(marker.low) <= number(marker.value) <= number(marker.high)
    else:
        assert marker.value is marker.low is marker.high is None


# -- three over six -----------------------------------------------------------------------------

CHART = np.array([36.45, 36.4, 36.5, 36.35, 36.4, 36.45, 36.4, 36.5, 36.4, 36.7, 36.65, 36.75])
CHART_DAYS = np.arange(5, 17) + 0.3


def test_three_over_six_by_hand() -> None:
    """Days 6 to 17: the highest of the six before day 15 is 36.5; 36.7, 36.65 and 36.75 are above
    it and the third by 0.25. The first high day is day 15, ovulation day 14."""
    marker = temperature_shift(seen("temperature", CHART_DAYS, CHART))
    assert marker.value == 14.0
    assert number(marker.low) < 14.0 < number(marker.high)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((11, 36.68), "No three temperatures"),  # the third by 0.18 only
        ((10, 36.5), "No three temperatures"),  # the second not above
        ((6, 36.7), "No three temperatures"),  # one of the six as high
    ],
)
def test_the_rule_is_strict(change: tuple[int, float], words: str) -> None:
    chart = CHART.copy()
    chart[change[0]] = change[1]
    marker = temperature_shift(seen("temperature", CHART_DAYS, chart))
    assert marker.status == "withheld"
    assert words in marker.sentence


def test_a_day_of_illness_and_a_missing_day_are_passed_over() -> None:
    fever = np.insert(CHART, 4, 38.2)
    days = np.arange(4, 17) + 0.3
    ill = np.arange(13) == 4
    assert temperature_shift(seen("temperature", days, fever, ill=ill)).value == 14.0


def test_what_the_rule_cannot_tell() -> None:
    few = temperature_shift(seen("temperature", CHART_DAYS[:8], CHART[:8]))
    assert "needs 9 days" in few.sentence
    twice = temperature_shift(seen("temperature", np.r_[CHART_DAYS[:11], 15.4], CHART))
    assert "two temperatures on one day" in twice.sentence
    gap = temperature_shift(seen("temperature", CHART_DAYS + 4 * (CHART_DAYS > 13.5), CHART))
    assert "no temperature for 4 days" in gap.sentence
    assert temperature_shift("No.").sentence == "No."
    with pytest.raises(ValueError, match="not of urine-lh"):
        temperature_shift(seen("urine-lh", [1.0], [1.0]))


def test_the_rule_s_interval_holds_the_truth_as_promised() -> None:
    """Where the rule finds a shift, with a tenth of the mornings missed, times a quarter of an hour
    off and the clock changed on the ninth day. Nothing is censored: a thermometer has no limit."""
    rng = np.random.default_rng(103)
    hits = given_ = 0
    for _ in range(PEOPLE):
        ovulates = rng.uniform(11, 19)
        came = ovulates + 0.8 * rng.standard_normal()
        height = 0.35 + 0.08 * rng.standard_normal()
        taken = MORNINGS + rng.uniform(-0.25, 0.25, 28) / 24 - (MORNINGS > 9) / 24
        values = 36.4 + height * np.clip((taken - came) / 1.5, 0, 1)
        kept = rng.random(28) > 0.1
        noise = 0.09 * rng.standard_normal(28)
        marker = temperature_shift(seen("temperature", MORNINGS[kept], (values + noise)[kept]))
        if marker.status == "measured":
            given_ += 1
            hits += number(marker.low) <= ovulates + 1 <= number(marker.high)
    assert given_ > 0.6 * PEOPLE
    assert abs(hits / given_ - 0.9) < 0.03, hits / given_
