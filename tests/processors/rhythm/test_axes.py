"""Feedback axes: departures by hand, as often as they say, and in the field's words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.rhythm.axes import (
    FEEDBACK,
    Axis,
    AxisName,
    Departure,
    _pair,
    _patterns,
    _set_point,
    axis,
    departure,
    paired,
)

PEOPLE = 1000
AXES: dict[AxisName, Axis] = {
    "LH-testosterone": axis(
        "LH-testosterone",
        controller=(1.5, 9.3),
        product=(264, 916),
        controller_cv=(0.26, 0.05),
        product_cv=(0.16, 0.06),
    ),
    "FSH-estradiol": axis(
        "FSH-estradiol",
        controller=(3.0, 10.0),
        product=(20, 200),
        controller_cv=(0.15, 0.05),
        product_cv=(0.25, 0.08),
    ),
    "TSH-free T4": axis(
        "TSH-free T4",
        controller=(0.4, 4.0),
        product=(0.9, 1.7),
        controller_cv=(0.216, 0.05),
        product_cv=(0.06, 0.05),
    ),
    "ACTH-cortisol": axis(
        "ACTH-cortisol",
        controller=(7.2, 63),
        product=(6, 23),
        controller_cv=(0.3, 0.06),
        product_cv=(0.2, 0.06),
    ),
    "insulin-glucose": axis(
        "insulin-glucose",
        controller=(2.6, 25),
        product=(70, 100),
        controller_cv=(0.25, 0.06),
        product_cv=(0.05, 0.03),
    ),
}
NAMES = sorted(AXES)


def number(value: float | None) -> float:
    assert value is not None
    return value


def levels(this: Axis, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Controller and product of pairs (n, 2)."""
    x = np.exp(pairs[:, 0]) if FEEDBACK[this.name].log else pairs[:, 0] * this.usual
    return np.exp(pairs[:, 1]), x


# -- by hand ------------------------------------------------------------------------------------


def test_the_middle_of_the_references_is_no_departure() -> None:
    for this in AXES.values():
        controller, product = levels(this, this.mean[None])
        found = departure(this, controller[0], product[0])
        assert (found.status, found.against, found.pattern) == ("usual", "population", "none")
        assert found.p == pytest.approx(1.0)


def test_the_distance_by_hand() -> None:
    """p = exp(-(u² + v²)/2): u the product's own standardised departure, v the controller's given
    it."""
    this = AXES["LH-testosterone"]
    pair = this.mean + np.array([-0.5, 0.9])
    controller, product = levels(this, pair[None])
    total = this.between + this.within
    u = -0.5 / math.sqrt(total[0, 0])
    rest = total[1, 1] - total[0, 1] ** 2 / total[0, 0]
    v = (0.9 - total[0, 1] / total[0, 0] * -0.5) / math.sqrt(rest)
    found = departure(this, controller[0], product[0])
    assert found.p == pytest.approx(math.exp(-(u * u + v * v) / 2))


@pytest.mark.parametrize("name", NAMES)
def test_pattern_probabilities_are_those_of_draws(name: AxisName) -> None:
    this = AXES[name]
    rng = np.random.default_rng(5)
    spread = this.between / 20 + this.error
    apart = np.array([-1.0, 1.5]) * np.sqrt(np.diag(spread))
    draws = rng.multivariate_normal(apart, spread, 200_000)
    b = FEEDBACK[name].slope
    most = 1.96 * math.sqrt(this.between[1, 1] + this.within[1, 1])
    half = np.clip(b * draws[:, 0] / 2, -most, most)
    answered = np.where(b * draws[:, 0] > 0, draws[:, 1] > half, draws[:, 1] < half)
    low = draws[:, 0] < 0
    expected = [(low & answered).mean(), (low & ~answered).mean()]
    expected += [(~low & answered).mean(), (~low & ~answered).mean()]
    found = _patterns(this, apart, spread)
    assert sum(found) == pytest.approx(1.0)
    assert list(found) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("name", "controller", "product", "pattern"),
    [
        ("LH-testosterone", 28.0, 110.0, "primary"),
        ("LH-testosterone", 1.0, 80.0, "secondary"),
        ("LH-testosterone", 0.1, 2500.0, "suppressed"),
        ("LH-testosterone", 12.0, 2500.0, "unsuppressed"),
        ("FSH-estradiol", 60.0, 8.0, "primary"),
        ("FSH-estradiol", 1.0, 6.0, "secondary"),
        ("TSH-free T4", 40.0, 0.5, "primary"),
        ("TSH-free T4", 1.0, 0.5, "secondary"),
        ("TSH-free T4", 0.01, 4.0, "suppressed"),
        ("TSH-free T4", 5.0, 4.0, "unsuppressed"),
        ("ACTH-cortisol", 400.0, 1.5, "primary"),
        ("ACTH-cortisol", 4.0, 1.2, "secondary"),
        ("ACTH-cortisol", 1.5, 45.0, "suppressed"),
        ("ACTH-cortisol", 100.0, 55.0, "unsuppressed"),
        ("insulin-glucose", 2.0, 250.0, "primary"),
        ("insulin-glucose", 120.0, 120.0, "resistant"),
        ("insulin-glucose", 25.0, 40.0, "unsuppressed"),
        ("insulin-glucose", 0.6, 45.0, "suppressed"),
    ],
)
def test_textbook_pairs_have_the_textbook_s_word(
    name: AxisName, controller: float, product: float, pattern: str
) -> None:
    found = departure(AXES[name], controller, product)
    assert (found.status, found.pattern) == ("departs", pattern)
    assert number(found.p) < 0.05
    assert number(found.pattern_probability) > 0.8
    assert pattern in found.sentence
    assert found.sentence[0].isupper()


def test_one_s_own_set_point_tells_more_than_the_population() -> None:
    """TSH of 3.5 at a free T4 of 1.1 is usual in people, and not in one who always has 0.7 and
    1.45."""
    this = AXES["TSH-free T4"]
    assert departure(this, 3.5, 1.1).status == "usual"
    own = departure(this, 3.5, 1.1, past_controller=[0.7] * 5, past_product=[1.45] * 5)
    assert (own.status, own.against, own.n) == ("departs", "own", 5)
    assert own.pattern == "primary"
    assert "the person's own set point" in own.sentence


# -- as often as they say -----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_departures_and_set_points_are_as_promised(name: AxisName) -> None:
    """A thousand people with none to six earlier pairs, some measurements missed: usual pairs
    depart in a tenth of them, and the set point's 90 % limits hold it. Times and clocks are none
    here; a result under the limit counts as that limit, on the careful side."""
    this = AXES[name]
    rng = np.random.default_rng(121)
    points = rng.multivariate_normal(this.mean, this.between, PEOPLE)
    noise = rng.multivariate_normal([0, 0], this.within, (PEOPLE, 7))
    departs = 0
    holds = np.zeros(2)
    for k in range(PEOPLE):
        pairs = points[k] + noise[k, : 1 + k % 7]
        controller, product = levels(this, pairs)
        found = departure(
            this,
            controller[0],
            max(product[0], 1e-6),
            past_controller=controller[1:],
            past_product=np.maximum(product[1:], 1e-6),
        )
        departs += found.status == "departs"
        mean, spread = _set_point(this, pairs[1:])
        holds += np.abs(points[k] - mean) <= 1.6449 * np.sqrt(np.diag(spread))
    assert abs(departs / PEOPLE - 0.1) < 0.03
    assert np.all(np.abs(holds / PEOPLE - 0.9) < 0.03), holds


def test_the_set_point_is_the_posterior_of_a_batch_solve() -> None:
    """Against conditioning the joint normal of set point and pairs."""
    this = AXES["ACTH-cortisol"]
    pairs = this.mean + np.array([[0.3, -0.2], [0.1, 0.4], [-0.2, 0.1]])
    joint = np.kron(np.ones((3, 3)), this.between) + np.kron(np.eye(3), this.within)
    gain = np.kron(np.ones((1, 3)), this.between) @ np.linalg.inv(joint)
    mean, spread = _set_point(this, pairs)
    np.testing.assert_allclose(mean, this.mean + gain @ (pairs - this.mean).ravel())
    np.testing.assert_allclose(spread, this.between - gain @ np.kron(np.ones((3, 1)), this.between))


# -- pairs, and what is refused -----------------------------------------------------------------


def test_acth_counts_a_quarter_of_an_hour_before_cortisol() -> None:
    acth, cortisol = [8.0, 9.0, 10.0], [10.2, 8.3, 8.2, 13.0]
    assert paired("ACTH-cortisol", acth, cortisol, within_h=0.2) == [(2, 0), (0, 1)]
    assert paired("LH-testosterone", acth, cortisol, within_h=0.1) == []
    assert paired("LH-testosterone", [], [8.0], within_h=1.0) == []
    assert paired("LH-testosterone", [8.0], [], within_h=1.0) == []
    with pytest.raises(ValueError, match="finite"):
        paired("LH-testosterone", [math.nan], [8.0], within_h=1.0)


@pytest.mark.parametrize(
    ("controller", "product", "past"),
    [
        (math.nan, 400.0, ([], [])),
        (4.0, 0.0, ([], [])),
        (4.0, -3.0, ([], [])),
        (math.inf, 400.0, ([], [])),
        (4.0, 400.0, ([4.0, math.nan], [400.0, 400.0])),
    ],
)
def test_levels_that_are_none_are_told(controller: float, product: float, past: Any) -> None:
    found = departure(
        AXES["LH-testosterone"],
        controller,
        product,
        past_controller=past[0],
        past_product=past[1],
    )
    assert found.status == "withheld"
    assert "not a number above 0" in found.sentence
    assert found.p is found.pattern_probability is None


def test_calls_that_are_wrong_in_themselves_raise() -> None:
    good: dict[str, Any] = {
        "controller": (1.0, 2.0),
        "product": (1.0, 2.0),
        "controller_cv": (0.2, 0.1),
        "product_cv": (0.2, 0.1),
    }
    for change, words in (
        ({"controller": (2.0, 1.0)}, "two levels above 0"),
        ({"product": (0.0, 1.0)}, "two levels above 0"),
        ({"product_cv": (0.0, 0.0)}, "without any error"),
        ({"controller_cv": (-0.1, 0.0)}, "coefficient of variation"),
    ):
        with pytest.raises(ValueError, match=words):
            axis("LH-testosterone", **(good | change))
    with pytest.raises(ValueError, match="one length"):
        departure(AXES["LH-testosterone"], 4.0, 400.0, past_controller=[1.0])


anything = st.floats(allow_nan=True, allow_infinity=True)
amounts = st.floats(1e-300, 1e9) | anything


@given(st.sampled_from(NAMES), amounts, amounts, st.lists(st.tuples(amounts, amounts), max_size=4))
def test_no_levels_whatever_make_nan_or_a_warning(
    name: AxisName, controller: float, product: float, past: list[tuple[float, float]]
) -> None:
    found: Departure = departure(
        AXES[name],
        controller,
        product,
        past_controller=[pair[0] for pair in past],
        past_product=[pair[1] for pair in past],
    )
    assert _pair(AXES[name], np.array([1.0]), np.array([1.0])).shape == (1, 2)
    assert (found.p is None) == (found.status == "withheld")
    for p in (found.p, found.pattern_probability):
        assert p is None or 0.0 <= p <= 1.0 + 1e-12
