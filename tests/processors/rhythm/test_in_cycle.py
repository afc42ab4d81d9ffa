"""Hormones judged in their cycle: against phases and the person's own cycles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.rhythm.in_cycle import InCycle, against_own_cycles, against_phases
from processors.rhythm.ovulation import Ovulation, ovulation
from schemas.conditions import CyclePhase

PEOPLE = 1000
REFERENCES: dict[CyclePhase, tuple[float | None, float | None]] = {
    "early follicular": (0.05, 0.35),
    "late follicular": (0.05, 0.35),
    "mid-cycle": (0.05, 4.2),
    "mid-luteal": (8.2, 17.0),
    "late luteal": (4.1, None),
}
GRID = np.arange(4.0, 80.1, 0.25)


def known(day: float, sd: float = 0.4, anovulation: float = 0.0) -> Ovulation:
    """A posterior about a day."""
    p = np.exp(-0.5 * ((GRID - day) / sd) ** 2)
    return Ovulation(GRID, (1 - anovulation) * p / p.sum(), anovulation, 20)


# -- against the phases -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "phases", "status", "words"),
    [
        (0.2, {"early follicular": 0.98, "mid-luteal": 0.02}, "inside", "within the reference"),
        (9.0, {"early follicular": 0.98, "mid-luteal": 0.02}, "high", "above the reference"),
        (0.2, {"mid-luteal": 0.95, "late luteal": 0.05}, "low", "below the reference"),
        (9.0, {"early follicular": 0.5, "mid-luteal": 0.5}, "unsure", "depends on the phase"),
        (99.0, {"late luteal": 1.0}, "inside", "within"),  # an open end
        # No reference for it, and no ovulation: nothing to judge by.
        (9.0, {"early luteal": 0.9, "mid-luteal": 0.1}, "withheld", "No reference interval"),
        (9.0, {"mid-luteal": 0.3}, "withheld", "No reference interval"),
        (math.nan, {"mid-luteal": 1.0}, "withheld", "no value above 0"),
        (0.0, {"mid-luteal": 1.0}, "withheld", "no value above 0"),
    ],
)
def test_a_value_and_the_phase_it_may_be_in(
    value: float, phases: dict[CyclePhase, float], status: str, words: str
) -> None:
    found = against_phases(value, phases, REFERENCES, "ng/mL")
    assert found.status == status
    assert words in found.sentence
    assert (found.low_probability is None) == (status == "withheld")


def test_the_probability_is_that_of_the_phases_it_does_not_fit() -> None:
    found = against_phases(
        2.0, {"late follicular": 0.6, "mid-cycle": 0.3, "mid-luteal": 0.1}, REFERENCES, "ng/mL"
    )
    assert (found.low_probability, found.high_probability) == (0.1, 0.6)


# -- against one's own cycles -------------------------------------------------------------------


def course(days: Any) -> np.ndarray:
    """Progesterone, natural log, by days from ovulation."""
    return np.asarray(-1.5 + 3.7 / (1 + np.exp(-(np.asarray(days) - 1.3) / 0.7)))


def own(rng: np.random.Generator, value_day: float, *, cycles: int = 3) -> InCycle:
    """One person's value, judged, in a cycle that is like the others. People's own scatter differs
    by about a third."""
    sd = 0.3 * math.sqrt(4 / rng.chisquare(4))
    ovulates = rng.uniform(12, 18)
    level = rng.normal(0, 1)
    days = np.concatenate([np.arange(-10, 12) + rng.uniform(-0.5, 0.5) for _ in range(cycles)])
    of = np.repeat(np.arange(cycles), 22)
    kept = rng.random(days.size) > 0.3
    values = np.exp(level + course(days) + sd * rng.standard_normal(days.size))
    value = math.exp(level + float(course(value_day)) + sd * rng.standard_normal())
    said = ovulates + 0.3 * rng.standard_normal()
    return against_own_cycles(
        value,
        ovulates + value_day,
        known(said, 0.3),
        days[kept],
        values[kept],
        of[kept],
        "ng/mL",
        cv=0.3,
    )


@pytest.mark.parametrize("value_day", [-6.0, 6.0])
def test_nine_of_ten_values_of_a_usual_cycle_are_usual(value_day: float) -> None:
    """A thousand people with three past cycles, a third of the days missed, ovulations known to
    seven hours: beside that a quarter of an hour or a change of the clock is nothing. Past results
    under the limit are to be left out: their logarithm is not known."""
    rng = np.random.default_rng(111)
    said = [own(rng, value_day).status for _ in range(PEOPLE)]
    assert set(said) == {"low", "inside", "high"}
    assert abs(said.count("inside") / PEOPLE - 0.9) < 0.03
    # Either side alike.
    assert abs(said.count("low") - said.count("high")) < 4 * math.sqrt(100)


def test_where_the_course_is_steep_an_unsure_ovulation_widens_what_is_usual() -> None:
    rng = np.random.default_rng(112)
    days = np.tile(np.arange(-8.0, 10), 3)
    of = np.repeat([0, 1, 2], 18)
    values = np.exp(course(days) + 0.2 * rng.standard_normal(days.size))
    value = math.exp(float(course(1.3)) + 1.2)
    sure, unsure = (
        against_own_cycles(value, 15.3, known(14.0, sd), days, values, of, "ng/mL", cv=0.2)
        for sd in (0.1, 1.5)
    )
    assert sure.status == "high"
    assert unsure.status == "inside"


def test_a_value_three_times_the_usual_is_told() -> None:
    rng = np.random.default_rng(113)
    days = np.tile(np.arange(-8.0, 10), 3)
    of = np.repeat([0, 1, 2], 18)
    values = np.exp(course(days) + 0.2 * rng.standard_normal(days.size))
    usual = math.exp(float(course(6)))
    args = (20.0, known(14.0), days, values, of, "ng/mL")
    high = against_own_cycles(3 * usual, *args, cv=0.2)
    assert high.status == "high"
    assert number(high.high_probability) > 0.99
    assert "above the person's own" in high.sentence
    low = against_own_cycles(usual / 3, *args, cv=0.2)
    assert low.status == "low"
    assert "below the person's own" in low.sentence
    assert against_own_cycles(usual, *args, cv=0.2).status == "inside"


def number(value: float | None) -> float:
    assert value is not None
    return value


DAYS = np.tile([4.0, 5, 6, 7], 2)
CYCLES = np.repeat([0, 1], 4)
VALUES = np.full(8, 10.0)

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no value", {"value": math.nan}, "no value above 0"),
    ("no day", {"day": math.inf}, "no value above 0 with a day"),
    ("NaN before", {"past_values": np.r_[math.nan, VALUES[1:]]}, "1 of 8 past values"),
    ("zero before", {"past_values": np.r_[0.0, VALUES[1:]]}, "1 of 8 past values"),
    ("no past", {"past_days": [], "past_values": [], "past_cycles": []}, "of no past cycle"),
    ("one cycle", {"past_cycles": 0 * CYCLES}, "of one past cycle"),
    ("other days", {"past_days": DAYS - 14}, "of no past cycle"),
    ("no ovulation", {"now": known(14.0, anovulation=0.8)}, "probably has no ovulation"),
]


@pytest.mark.parametrize(
    ("changed", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_cannot_be_compared_is_told_why(changed: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {
        "value": 10.0,
        "day": 20.0,
        "now": known(14.0),
        "past_days": DAYS,
        "past_values": VALUES,
        "past_cycles": CYCLES,
    }
    assert against_own_cycles(**arguments, unit="ng/mL", cv=0.3).status == "inside"
    found = against_own_cycles(**(arguments | changed), unit="ng/mL", cv=0.3)
    assert found.status == "withheld"
    assert words in found.sentence


def test_calls_that_are_wrong_in_themselves_raise() -> None:
    with pytest.raises(ValueError, match="one length"):
        against_own_cycles(1.0, 20.0, known(14), DAYS, VALUES[:3], CYCLES, "1", cv=0.3)
    with pytest.raises(ValueError, match="above 0"):
        against_own_cycles(1.0, 20.0, known(14), DAYS, VALUES, CYCLES, "1", cv=0.0)


anything = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.floats(1e-9, 1e9) | anything,
    st.floats(0, 60) | anything,
    st.lists(st.tuples(st.floats(-20, 20), st.floats(1e-300, 1e9), st.integers(0, 3)), max_size=9),
)
def test_no_values_whatever_make_nan_or_a_warning(
    value: float, day: float, rows: list[tuple[float, float, int]]
) -> None:
    past_days, past_values, past_cycles = (np.array([row[k] for row in rows]) for k in range(3))
    now = ovulation([], today=10.0)
    assert isinstance(now, Ovulation)
    found = against_own_cycles(value, day, now, past_days, past_values, past_cycles, "1", cv=0.3)
    for p in (found.low_probability, found.high_probability):
        assert (p is None) == (found.status == "withheld")
        assert p is None or 0.0 <= p <= 1.0
