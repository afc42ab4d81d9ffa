"""Groups of people: the population-mean cosinor, and two conditions compared."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy import stats

from processors.rhythm.cosinor import Cosinor, fit_cosinor
from processors.rhythm.cosinor_difference import difference, population_difference
from processors.rhythm.cosinor_many import fit_many
from processors.rhythm.cosinor_population import population_cosinor
from processors.rhythm.marker import Marker

HOURS_PER_RADIAN = 12 / np.pi
FOUR: list[list[float]] = [[9.0, 3, 1], [10, 4, 2], [11, 5, 0], [10, 4, 1]]
GROUPS = 1000


def number(value: float | None) -> float:
    assert value is not None
    return value


def limits(marker: Marker) -> tuple[float, float]:
    assert marker.status == "measured", marker.sentence
    return number(marker.low), number(marker.high)


def covers(marker: Marker, truth: float) -> bool:
    low, high = limits(marker)
    if marker.unit == "clock_h":
        truth += 24 * round((number(marker.value) - truth) / 24)
    return low <= truth <= high


# -- the population-mean cosinor ----------------------------------------------------------------


def test_four_people_by_hand() -> None:
    """M 9 10 11 10, beta 3 4 5 4, gamma 1 2 0 1.

    Means 10, 4, 1; deviations of beta -1 0 1 0 and of gamma 0 1 -1 0, so s² = 2/3 for each (and
    for M), covariance -1/3, r = -1/2; A = √17, acrophase atan2(1, 4) 24/2π = 0.93575 h.

    F = 4·2/(2·3) · 1/(1-1/4) · (16·3/2 + 2·(1/2)·4·3/2 + 3/2) = 4/3 · 4/3 · 63/2 = 56 on (2, 2),
    and p = 1/(1 + F) = 1/57.
    t(3) at 95 % = 2.353363, t² = 5.538319. Mesor: 10 ± t √(2/3/4) = 10 ± 0.960757.
    c22 = (2/3·16 - 2/3·4 + 2/3·1)/(4·17) = 13/102, A ± t √c22 = 4.123106 ± 0.840157.
    c33 = (2/3·1 + 2/3·4 + 2/3·16)/68 = 7/34, c23 = (-1/3)(16-1)/68 = -5/68.
    Fieller: c22 c33 - c23² = 1/48; √(A² - t²/48/c33) = √(17 - 0.560425) = 4.054575;
    t √c33 = 1.067821; A² - c22 t² = 16.294136; tangents of the angles, phi counting backwards:
    (c23 t² ± 1.067821·4.054575)/16.294136 = (-0.407229 ± 4.329561)/16.294136 = 0.240720 and
    -0.290705, angles 0.236226 and -0.282908 rad = 0.902317 and -1.080628 h. So the acrophase lies
    between 0.93575 - 0.90232 and 0.93575 + 1.08063 h.
    """
    mean = population_cosinor(FOUR, "ug/dL")
    assert mean.k == 4
    assert mean.f == pytest.approx(56.0)
    assert mean.p == pytest.approx(1 / 57)
    assert mean.mesor.value == pytest.approx(10.0)
    assert limits(mean.mesor) == pytest.approx((9.039243, 10.960757), abs=1e-6)
    assert mean.amplitude.value == pytest.approx(math.sqrt(17))
    assert limits(mean.amplitude) == pytest.approx((3.282948, 4.963263), abs=1e-6)
    assert mean.acrophase.value == pytest.approx(0.935749, abs=1e-6)
    assert limits(mean.acrophase) == pytest.approx((0.033432, 2.016378), abs=1e-6)


coefficients = st.integers(0, 2**32).map(
    lambda seed: np.random.default_rng(seed).normal([10, 3, -2], [2, 1, 1.5], (9, 3))
)


@given(coefficients)
def test_f_is_bingham_s_formula(table: np.ndarray) -> None:
    k = len(table)
    _, beta, gamma = table.mean(axis=0)
    _, s_beta, s_gamma = table.std(axis=0, ddof=1)
    r = np.corrcoef(table[:, 1], table[:, 2])[0, 1]
    bracket = (
        beta**2 / s_beta**2 - 2 * r * beta * gamma / (s_beta * s_gamma) + gamma**2 / s_gamma**2
    )
    expected = k * (k - 2) / (2 * (k - 1)) / (1 - r**2) * bracket
    assert population_cosinor(table, "1").f == pytest.approx(expected, rel=1e-9)


def test_a_group_of_fits_covers_as_promised() -> None:
    """A thousand groups of ten people with a cosinor each of their own: of three days, a fifth of
    the samples missed, times a quarter of an hour off, half of them over the autumn night. Nothing
    here is censored: least squares has no place for it (`acrophase fit` says so)."""
    rng = np.random.default_rng(45)
    lower = np.linalg.cholesky([[4.0, 0.5, 0], [0.5, 1.0, 0.3], [0, 0.3, 0.6]])
    truth = np.array([10.0, 2.0, -3.0])
    people = 10 * GROUPS
    own = truth + rng.standard_normal((people, 3)) @ lower.T
    elapsed = np.arange(0, 72, 2.0)
    hours = elapsed - (elapsed >= 27.0) * (np.arange(people)[:, None] % 2)
    taken = 2 * np.pi / 24 * (hours + rng.uniform(-0.25, 0.25, hours.shape))
    values = own[:, :1] + own[:, 1:2] * np.cos(taken) + own[:, 2:] * np.sin(taken)
    values += rng.normal(0, 1, hours.shape)
    kept = rng.random(hours.shape) > 0.2
    fits = fit_many(hours[kept], values[kept], kept.sum(axis=1))
    assert fits.series.size == people
    hits = np.zeros(3)
    for group in fits.coefficients.reshape(GROUPS, 10, -1):
        mean = population_cosinor(group, "ug/dL")
        hits += [
            covers(mean.mesor, 10.0),
            covers(mean.amplitude, math.hypot(2, 3)),
            covers(mean.acrophase, math.atan2(-3.0, 2.0) * HOURS_PER_RADIAN),
        ]
    assert np.all(np.abs(hits / GROUPS - 0.9) < 0.03), hits


def test_a_group_covers_as_promised() -> None:
    """A thousand groups of twelve, whose members' own fits are as good as they are."""
    rng = np.random.default_rng(41)
    lower = np.linalg.cholesky([[4.0, 0.5, 0], [0.5, 1.0, 0.3], [0, 0.3, 0.6]])
    truth = np.array([10.0, 2.0, -3.0])
    peak = math.atan2(-3.0, 2.0) * HOURS_PER_RADIAN
    hits = np.zeros(3)
    for _ in range(GROUPS):
        # The error of one's own fit is small and adds to the spread between people.
        people = truth + rng.standard_normal((12, 3)) @ lower.T
        people += rng.normal(0, 0.2, people.shape) * rng.uniform(1, math.sqrt(2), (12, 1))
        mean = population_cosinor(people, "ug/dL")
        hits += [
            covers(mean.mesor, 10.0),
            covers(mean.amplitude, math.hypot(2, 3)),
            covers(mean.acrophase, peak),
        ]
    assert np.all(np.abs(hits / GROUPS - 0.9) < 0.03), hits


def test_no_acrophase_where_the_amplitude_s_interval_includes_zero() -> None:
    people = np.random.default_rng(5).normal([10, 0.1, 0], 1.0, (8, 3))
    mean = population_cosinor(people, "ug/dL")
    assert mean.acrophase.status == "withheld"
    assert "includes zero" in mean.acrophase.sentence
    assert limits(mean.amplitude)[0] == 0.0
    assert "may be none" in mean.amplitude.sentence
    assert number(mean.p) > 0.05


BAD_PEOPLE: list[tuple[str, ArrayLike, str]] = [
    ("nobody", np.empty((0, 3)), "at least 3 people, not 0"),
    ("two people", FOUR[:2], "at least 3 people, not 2"),
    ("NaN", [*FOUR, [math.nan, 1, 1]], "1 of 5 people"),
    ("infinite", [*FOUR, [1, math.inf, 1]], "1 of 5 people"),
    ("identical people", [FOUR[0]] * 4, "do not vary"),
    ("on one line", [[9.0 + i, i, 2 * i] for i in range(5)], "do not vary in every direction"),
]


@pytest.mark.parametrize(
    ("people", "words"), [row[1:] for row in BAD_PEOPLE], ids=[row[0] for row in BAD_PEOPLE]
)
def test_bad_groups_are_told_why(people: ArrayLike, words: str) -> None:
    mean = population_cosinor(people, "ug/dL")
    for marker in (mean.mesor, mean.amplitude, mean.acrophase):
        assert marker.status == "withheld"
        assert words in marker.sentence
    assert mean.f is mean.p is None
    for paired in (True, False):
        both = population_difference(people, people, "ug/dL", paired=paired)
        assert words in both.mesor.sentence
        assert both.acrophase.status == "withheld"


def test_a_mean_amplitude_of_exactly_zero() -> None:
    mean = population_cosinor([[9, 1, 0], [10, -1, 0], [11, 0, 1], [10, 0, -1]], "ug/dL")
    assert mean.amplitude.status == mean.acrophase.status == "withheld"
    assert mean.f == 0.0


def test_a_call_that_is_wrong_in_itself_raises() -> None:
    with pytest.raises(ValueError, match="3 or more"):
        population_cosinor([[1, 2]], "1")
    with pytest.raises(ValueError, match="3 or more"):
        population_difference(FOUR, [1, 2, 3], "1", paired=False)
    with pytest.raises(ValueError, match="pairs need both"):
        population_difference(FOUR, FOUR[:3], "1", paired=True)


# -- two conditions -----------------------------------------------------------------------------


def day(
    rng: np.random.Generator,
    mesor: float,
    amplitude: float,
    peak: float,
    *,
    missed: float = 0.0,
    timing_h: float = 0.0,
    autumn: bool = False,
) -> Cosinor:
    """Two days by local clock hours; in autumn one hour of the second night comes twice."""
    elapsed = np.arange(0, 48, 2.0 if missed == 0.0 else 1.5)
    hours = elapsed - (elapsed >= 27.0) * autumn
    hours = hours[rng.random(hours.size) >= missed]
    taken = hours + rng.uniform(-timing_h, timing_h, hours.size)
    curve = mesor + amplitude * np.cos(2 * np.pi / 24 * (taken - peak))
    return fit_cosinor(hours, curve + rng.normal(0, 1, hours.size))


def test_one_person_in_two_conditions_covers_as_promised() -> None:
    """A peak across midnight: 23:00 and then 01:30 is two and a half hours later. A fifth of the
    samples missed, times a quarter of an hour off, the second condition over the autumn night."""
    rng = np.random.default_rng(42)
    hits = np.zeros(3)
    for k in range(GROUPS):
        first = day(rng, 10, 3, 23, missed=0.2, timing_h=0.25)
        second = day(rng, 12, 4, 1.5, missed=0.2, timing_h=0.25, autumn=k % 2 == 0)
        found = difference(first, second, "ug/dL")
        hits += [
            covers(found.mesor, 2),
            covers(found.amplitude, 1),
            covers(found.acrophase, 2.5),
        ]
    assert np.all(np.abs(hits / GROUPS - 0.9) < 0.03), hits


def test_the_difference_by_hand() -> None:
    """Errors add in squares; t has Welch-Satterthwaite's degrees of freedom."""
    rng = np.random.default_rng(43)
    a, b = day(rng, 10, 3, 8), day(rng, 11, 5, 9)
    found = difference(a, b, "ug/dL")
    for marker, name in ((found.mesor, "mesor"), (found.amplitude, "amplitude")):
        one, two = (number(getattr(fit, f"{name}_se")) ** 2 for fit in (a, b))
        df = (one + two) ** 2 / (one**2 / 21 + two**2 / 21)
        low, high = limits(marker)
        assert marker.value == pytest.approx(number(getattr(b, name)) - number(getattr(a, name)))
        half = stats.t.ppf(0.95, df) * math.sqrt(one + two)
        assert (high - low) / 2 == pytest.approx(half, rel=1e-9)
    width = np.ptp(limits(found.acrophase)) / 2
    se = math.hypot(number(a.acrophase_se), number(b.acrophase_se))
    assert 1.68 * se < width < 1.73 * se
    back = difference(b, a, "ug/dL")
    assert back.acrophase.value == pytest.approx(-number(found.acrophase.value))


def people_twice(
    rng: np.random.Generator, k: int, shift: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Each person's own level and swing, kept in both conditions, and a little change."""
    own = rng.normal([10, 3, -2], [3, 0.7, 0.7], (k, 3))
    change = rng.normal(shift, [0.4, 0.3, 0.3], (k, 3))
    return own, own + change


@pytest.mark.parametrize("paired", [True, False])
def test_groups_in_two_conditions_cover_as_promised(paired: bool) -> None:
    rng = np.random.default_rng(44)
    one, two = np.array([3.0, -2]), np.array([3.5, -1])
    truths = (
        1.0,
        math.hypot(*two) - math.hypot(*one),
        (math.atan2(two[1], two[0]) - math.atan2(one[1], one[0])) * HOURS_PER_RADIAN,
    )
    hits = np.zeros(3)
    widths = np.zeros(3)
    for _ in range(GROUPS):
        first, second = people_twice(rng, 14, (1.0, 0.5, 1.0))
        if not paired:
            second = people_twice(rng, 10, (1.0, 0.5, 1.0))[1]
        found = population_difference(first, second, "ug/dL", paired=paired)
        markers = (found.mesor, found.amplitude, found.acrophase)
        hits += [covers(m, truth) for m, truth in zip(markers, truths, strict=True)]
        widths += [np.ptp(limits(m)) for m in markers]
    assert np.all(np.abs(hits / GROUPS - 0.9) < 0.03), hits
    if paired:
        # What a person brings along cancels: 2 t(13) 0.4/√14 and not 2 t 3 √(2/14).
        assert widths[0] / GROUPS == pytest.approx(2 * 1.771 * 0.4 / math.sqrt(14), rel=0.05)


def test_without_rhythm_in_one_condition_only_the_mesors_compare() -> None:
    rng = np.random.default_rng(45)
    found = difference(day(rng, 10, 3, 8), day(rng, 12, 0, 0), "ug/dL")
    assert covers(found.mesor, 2)
    assert found.amplitude.status == found.acrophase.status == "withheld"
    assert "second condition" in found.acrophase.sentence
    flat = rng.normal([10, 0, 0], 1.0, (9, 3))
    groups = population_difference(flat, rng.normal([10, 5, 0], 1.0, (9, 3)), "1", paired=False)
    assert groups.mesor.status == "measured"
    assert "first condition" in groups.amplitude.sentence


def test_a_condition_without_a_fit_compares_nothing() -> None:
    good = day(np.random.default_rng(46), 10, 3, 8)
    none = fit_cosinor(np.arange(24.0), np.full(24, 3.0))
    found = difference(none, good, "ug/dL")
    assert "first condition has no fit: All values are the same" in found.mesor.sentence
    assert found.mesor.status == found.acrophase.status == "withheld"


def test_pairs_that_all_differ_by_the_same_have_no_error() -> None:
    people = np.array(FOUR)
    found = population_difference(people, people + np.array([1.0, 0, 0]), "1", paired=True)
    assert found.mesor.status == "withheld"
    assert "no error is known" in found.mesor.sentence


def test_two_periods_do_not_compare() -> None:
    hours = np.arange(0, 72, 2.0)
    values = np.cos(hours)
    with pytest.raises(ValueError, match="two periods"):
        difference(fit_cosinor(hours, values), fit_cosinor(hours, values, period=25.0), "1")
