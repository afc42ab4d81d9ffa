"""Cycles from a log of menses: what counts once, what is missing, and the day of the cycle."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.rhythm.menses import LONGEST_DAYS, SAME_MENSES_DAYS, cycle_day, cycle_log


def test_regular_cycles() -> None:
    log = cycle_log([56, 0, 28])  # in any order
    assert [cycle.start for cycle in log.cycles] == [0, 28, 56]
    assert log.lengths == [28, 28]
    assert log.notes == ()
    assert cycle_day(log, 56).value == 1.0
    assert cycle_day(log, 30).value == 3.0


@pytest.mark.parametrize("apart", [1, 4, SAME_MENSES_DAYS])
def test_two_menses_so_near_are_one(apart: int) -> None:
    log = cycle_log([0, 28, 28 + apart, 56])
    assert log.lengths == [28, 28]
    assert len(log.notes) == 1
    assert "the same one" in log.notes[0]
    assert f"{apart} day" in log.notes[0]


def test_the_same_day_twice_is_said_once() -> None:
    assert cycle_log([0, 0, 28]) == cycle_log([0, 28])


@pytest.mark.parametrize(
    ("days", "lengths"),
    [
        ([0, 28, 57, 113, 142], [28, 29, 29]),  # one log missing
        ([0, 28, 57, 142], [28, 29]),  # two
        ([0, 56, 84, 140, 168], [28, 28]),  # two of four
        ([0, 28, 69, 97], [28, 41, 28]),  # long, and no multiple
        ([0, 24, 62, 90, 129], [24, 38, 28, 39]),  # irregular
        ([0, 56], [56]),  # nothing to compare with
        ([0, 120, 148], [28]),  # longer than any cycle
    ],
)
def test_a_missing_log_is_no_long_cycle(days: list[int], lengths: list[int]) -> None:
    log = cycle_log(days)
    assert log.lengths == lengths
    lost = [cycle for cycle in log.cycles if cycle.log_missing]
    assert len(lost) == len(days) - 1 - len(lengths)
    assert sum("has probably lost" in note for note in log.notes) == len(lost)
    for cycle in lost:
        assert cycle_day(log, cycle.start + 5).status == "withheld"


def test_the_day_of_a_cycle_that_will_not_end() -> None:
    log = cycle_log([0, 28, 56])
    assert cycle_day(log, 56 + 30).sentence == "Today is day 31 of the cycle."
    late = cycle_day(log, 56 + 36)
    assert late.value == 37.0
    assert "longer than any of the last 2" in late.sentence
    gone = cycle_day(log, 56 + LONGEST_DAYS)
    assert gone.status == "withheld"
    assert "No menses was logged for 90 days" in gone.sentence


def test_without_a_menses_there_is_no_day() -> None:
    assert "No menses was logged" in cycle_day(cycle_log([]), 3).sentence
    assert cycle_day(cycle_log([5]), 3).status == "withheld"
    assert cycle_day(cycle_log([5]), math.nan).status == "withheld"
    odd = cycle_log([math.nan, 3.7, math.inf])
    assert [cycle.start for cycle in odd.cycles] == [3]
    assert "2 of 3 logs" in odd.notes[0]


@given(st.integers(0, 2**32))
def test_a_regular_person_s_missing_logs_are_all_found(seed: int) -> None:
    """Cycles of 28 ± 2 days, a tenth of the logs missing but never the first four."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(26, 31, 12)
    starts = np.r_[0, np.cumsum(lengths)]
    kept = (rng.random(13) > 0.1) | (np.arange(13) < 4)
    log = cycle_log(starts[kept])
    true = [
        bool(after - before > 1)
        for before, after in zip(np.flatnonzero(kept)[:-1], np.flatnonzero(kept)[1:], strict=True)
    ]
    assert [cycle.log_missing for cycle in log.cycles[:-1]] == true


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=8), st.floats())
def test_no_log_whatever_makes_nan_or_a_warning(days: list[float], today: float) -> None:
    log = cycle_log(days)
    marker = cycle_day(log, today)
    assert (marker.value is None) == (marker.status == "withheld")
    assert marker.value is None or marker.value >= 1.0
    gaps = np.diff([cycle.start for cycle in log.cycles])
    assert (gaps > SAME_MENSES_DAYS).all()
