"""Flat and slow hormones: level and trend for age, reference change value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from processors.rhythm.marker import Marker
from processors.rhythm.samples import log_sd
from processors.rhythm.slow_hormones import (
    AgeReference,
    reference_change,
    slow_change,
    slow_level,
    slow_trend,
)

PEOPLE = 1000
# DHEA-S of men, µg/dL, as the catalogue has it.
CURVE = [
    AgeReference(20, 30, 232, 531),
    AgeReference(40, 50, 79, 440),
    AgeReference(60, 70, 35, 241),
]
CV: dict[str, Any] = {"cv_analytical": 0.06, "cv_within": 0.12}
SD = log_sd(0.06, 0.12)


def number(value: float | None) -> float:
    assert value is not None
    return value


def middle(ages: Any) -> np.ndarray:
    middles = [math.log(one.low * one.high) / 2 for one in CURVE]
    return np.asarray(np.interp(ages, [25, 45, 65], middles))


def spread(ages: Any) -> np.ndarray:
    spreads = [math.log(one.high / one.low) / 3.919928 for one in CURVE]
    return np.asarray(np.interp(ages, [25, 45, 65], spreads))


# -- by hand ------------------------------------------------------------------------------------


def test_the_middle_of_the_age_is_level_0_and_the_limits_are_two_sds() -> None:
    at = math.sqrt(79 * 440)
    assert slow_level([45.0], [at], CURVE, **CV).value == pytest.approx(0)
    upper = slow_level([45.0], [440.0], CURVE, **CV)
    assert upper.value == pytest.approx(1.959964)
    assert "percentile 98" in upper.sentence
    # 1.645 times the error of a result, in SDs of people.
    assert number(upper.high) - number(upper.value) == pytest.approx(
        1.6448536 * SD / float(spread(45))
    )


def test_between_the_ages_and_beyond_them() -> None:
    between = math.exp(float(middle(35)))
    assert slow_level([35.0], [between], CURVE, **CV).value == pytest.approx(0)
    # Beyond the last age group its reference goes on.
    assert slow_level([80.0], [241.0], CURVE, **CV).value == pytest.approx(1.959964)


def test_who_follows_the_age_curve_has_no_trend() -> None:
    ages = np.array([41.0, 42, 44, 46])
    flat = slow_trend(ages, np.exp(middle(ages)), CURVE, **CV)
    assert flat.value == pytest.approx(0, abs=1e-9)
    falling = slow_trend(ages, np.exp(middle(ages) - 0.1 * (ages - 41)), CURVE, **CV)
    assert falling.value == pytest.approx(100 * (math.exp(-0.1) - 1))
    x = ages - ages.mean()
    half = 1.6448536 * SD / math.sqrt((x**2).sum())
    assert falling.high == pytest.approx(100 * (math.exp(-0.1 + half) - 1))


def test_the_reference_change_value_by_hand() -> None:
    """CV_A 5 %, CV_I 10 %: σ² = ln 1.0025 + ln 1.01 = 0.012447; exp(1.96 √2 σ) = 1.3624."""
    low, high = reference_change(log_sd(0.05, 0.10))
    assert high == pytest.approx(1.3624, abs=1e-4)
    assert low == pytest.approx(1 / high)
    within = slow_change(100.0, 136.0, cv_analytical=0.05, cv_within=0.10)
    assert "assay and person explain it" in within.sentence
    beyond = slow_change(100.0, 137.0, cv_analytical=0.05, cv_within=0.10)
    assert "a change is real" in beyond.sentence
    assert "-27 to +36 %" in beyond.sentence
    assert beyond.value == pytest.approx(37)


# -- promised coverage --------------------------------------------------------------------------


def test_level_and_trend_cover_as_promised() -> None:
    """A thousand people with three to eight results over some years, of other ages, some below the
    limit of the assay (for the trend). Quarter hours and changes of the clock are no part of a
    year, and results that are missed only leave fewer."""
    rng = np.random.default_rng(141)
    hits = np.zeros(2)
    given_ = np.zeros(2)
    censored = 0
    for _ in range(PEOPLE):
        ages = rng.uniform(22, 70) + np.sort(rng.uniform(0, 5, int(rng.integers(3, 9))))
        z, trend = rng.standard_normal(), rng.normal(0, 0.05)
        noise = SD * rng.standard_normal(ages.size)
        level = np.exp(middle(ages) + z * spread(ages) + noise)
        found = slow_level(ages, level, CURVE, **CV)
        hits[0] += number(found.low) <= z <= number(found.high)
        given_[0] += 1
        moving = np.exp(middle(ages) + z * spread(ages) + trend * (ages - ages[0]) + noise)
        limit = 60.0
        slope = slow_trend(ages, np.maximum(moving, limit), CURVE, below=moving < limit, **CV)
        if slope.status == "measured":
            given_[1] += 1
            hits[1] += number(slope.low) <= 100 * math.expm1(trend) <= number(slope.high)
            censored += bool((moving < limit).any())
    assert censored > 50
    assert given_[1] > 0.9 * PEOPLE
    assert np.all(np.abs(hits / given_ - 0.9) < 0.03), hits / given_


def test_changes_are_covered_and_told_as_often_as_they_say() -> None:
    rng = np.random.default_rng(142)
    hits = real = 0
    for _ in range(PEOPLE):
        change = rng.normal(0, 0.3)
        pair = np.exp(np.array([5.0, 5.0 + change]) + SD * rng.standard_normal(2))
        found = slow_change(pair[0], pair[1], **CV)
        hits += number(found.low) <= 100 * math.expm1(change) <= number(found.high)
        same = np.exp(5.0 + SD * rng.standard_normal(2))
        real += "a change is real" in slow_change(same[0], same[1], **CV).sentence
    assert abs(hits / PEOPLE - 0.9) < 0.03
    assert stats.binomtest(real, PEOPLE, 0.05).pvalue > 1e-3


# -- what the data do not carry -----------------------------------------------------------------

AGES = np.array([41.0, 42, 44])
VALUES = np.array([200.0, 190, 180])

REFUSED: list[tuple[str, Any, Any, Any, str]] = [
    ("none", [], [], False, "no results"),
    ("NaN", AGES, [200, math.nan, 180], False, "1 of 3 results"),
    ("zero", AGES, [200, 0, 180], False, "1 of 3 results"),
    ("infinite age", [41, 42, math.inf], VALUES, False, "1 of 3 results"),
    ("no person's age", [41, 42, 410], VALUES, False, "1 of 3 results"),
    ("a child", [12, 42, 44], VALUES, False, "younger than 20 years"),
    ("all below", AGES, VALUES, True, "3 of 3 results are below"),
]


@pytest.mark.parametrize(
    ("ages", "values", "below", "words"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_bad_results_are_told_why(ages: Any, values: Any, below: Any, words: str) -> None:
    for marker in (
        slow_level(ages, values, CURVE, below=below, **CV),
        slow_trend(ages, values, CURVE, below=below, **CV),
    ):
        assert marker.status == "withheld"
        assert words in marker.sentence
        assert marker.value is marker.low is marker.high is None


@pytest.mark.parametrize(
    ("ages", "below", "words"),
    [
        ([41.0, 42.0], [False] * 2, "there are 2 over 1 years"),
        ([41.0, 41.1, 41.2], [False] * 3, "over 0.2 years"),
        ([41.0, 42, 44], [False, True, True], "2 of 3 results are below"),
        ([41.0, 41.0, 41.0], [False] * 3, "over 0 years"),
        ([41.0, 41.0, 44.0], [False, False, True], "no two ages"),
        ([41.0, 41.0001, 44.0], [False, False, True], "lie so near in time"),
    ],
)
def test_a_trend_that_is_not_given(ages: Any, below: Any, words: str) -> None:
    marker = slow_trend(ages, np.full(len(ages), 100.0), CURVE, below=below, **CV)
    assert marker.status == "withheld"
    assert words in marker.sentence


def test_a_change_that_is_none() -> None:
    assert "no two results" in slow_change(math.nan, 1.0, **CV).sentence
    assert "no two results" in slow_change(1.0, 0.0, **CV).sentence
    assert "below the assay" in slow_change(1.0, 1.0, below=True, **CV).sentence


def test_order_does_not_matter_and_constant_results_have_their_errors() -> None:
    order = [2, 0, 1]
    shuffled = slow_trend(AGES[order], VALUES[order], CURVE, **CV)
    straight = slow_trend(AGES, VALUES, CURVE, **CV)
    assert shuffled.value == pytest.approx(number(straight.value))
    same = slow_trend(AGES, np.full(3, 200.0), CURVE, **CV)
    assert number(same.high) - number(same.low) > 5


def test_calls_that_are_wrong_in_themselves_raise() -> None:
    with pytest.raises(ValueError, match="one length"):
        slow_level([40.0], [1.0, 2.0], CURVE, **CV)
    with pytest.raises(ValueError, match="needs a reference"):
        slow_level(AGES, VALUES, [], **CV)
    with pytest.raises(ValueError, match="no reference interval"):
        slow_level(AGES, VALUES, [AgeReference(20, 30, 5, 2)], **CV)
    with pytest.raises(ValueError, match="without any error"):
        slow_level(AGES, VALUES, CURVE, cv_analytical=0.0, cv_within=0.0)


anything = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.lists(
        st.tuples(st.floats(20, 90) | anything, st.floats(1e-300, 1e9) | anything, st.booleans()),
        max_size=6,
    )
)
def test_no_results_whatever_make_nan_or_a_warning(rows: list[tuple[float, float, bool]]) -> None:
    ages, values, below = (np.array([row[k] for row in rows]) for k in range(3))
    found: list[Marker] = [
        slow_level(ages, values, CURVE, below=below.astype(bool), **CV),
        slow_trend(ages, values, CURVE, below=below.astype(bool), **CV),
    ]
    if len(rows) > 1:
        found.append(slow_change(values[0], values[1], **CV))
    for marker in found:
        numbers = (marker.low, marker.value, marker.high)
        if marker.status == "withheld":
            assert numbers == (None, None, None)
        else:
            low, value, high = map(number, numbers)
            assert -math.inf < low <= value <= high < math.inf
