"""Thresholds: how they follow from the number of false alerts that is accepted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from processors.deviations.budget import (
    outlier_threshold,
    reference_change,
    sustained_threshold,
)
from processors.engine import Policy
from processors.engine.parameters import ParameterTable
from processors.rhythm.layout import P_OUTLIER_GATE, P_Z_OUTLIER, P_Z_SUSTAINED
from schemas.catalogue import load_catalogue

HOURS_A_MONTH = 730.5
budgets = st.floats(1e-4, 30)  # the setting's range
series = st.integers(1, 200)
hours = st.floats(1 / 60, 24 * 90)


@given(budgets, series, hours)
def test_thresholds_are_numbers_that_noise_seldom_reaches(b: float, n: int, h: float) -> None:
    for threshold in (sustained_threshold(b, n), outlier_threshold(b, n, h)):
        assert math.isfinite(threshold)
        assert threshold > 1.6  # whatever the budget, one score in ten is no finding


@given(budgets, budgets, series, hours)
def test_who_accepts_fewer_false_alerts_gets_higher_thresholds(
    a: float, b: float, n: int, h: float
) -> None:
    low, high = sorted((a, b))
    assert sustained_threshold(low, n) >= sustained_threshold(high, n)
    assert outlier_threshold(low, n, h) >= outlier_threshold(high, n, h)


@given(budgets, series, hours)
def test_forty_series_share_one_budget(b: float, n: int, h: float) -> None:
    assert sustained_threshold(b, n) == pytest.approx(sustained_threshold(b / n, 1))
    assert outlier_threshold(b, n, h) == pytest.approx(outlier_threshold(b / n, 1, h))


def test_the_reference_point_is_the_prototypes() -> None:
    # 80 % of 0.125 a month is the rate that 3.6 gave on the largest of all scores
    assert sustained_threshold(0.125, 1) == pytest.approx(3.6)


@pytest.mark.parametrize("hours_between", [1 / 60, 4.8, 24.0])
def test_outliers_of_normal_readings_use_up_a_fifth_of_the_budget(hours_between: float) -> None:
    threshold = outlier_threshold(0.1, 4, hours_between)
    readings_a_month = HOURS_A_MONTH / hours_between
    expected = readings_a_month * 2 * ndtr(-threshold)
    assert expected == pytest.approx(0.2 * 0.1 / 4)


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_the_reference_change_value(cv_a: float, cv_i: float) -> None:
    sigma = math.sqrt(math.log(1 + cv_a**2) + math.log(1 + cv_i**2))
    assert reference_change(cv_a, cv_i) == pytest.approx(1.96 * math.sqrt(2) * sigma)
    assert reference_change(cv_a, cv_i) == pytest.approx(reference_change(cv_i, cv_a))


def test_two_results_of_an_unchanged_person_differ_by_less_in_95_of_100_cases() -> None:
    rng = np.random.default_rng(5)
    cv_a, cv_i = 0.1, 0.4
    sd = math.sqrt(math.log1p(cv_a**2) + math.log1p(cv_i**2))
    first, second = rng.normal(0, sd, (2, 40_000))
    share = float(np.mean(np.abs(first - second) < reference_change(cv_a, cv_i)))
    assert share == pytest.approx(0.95, abs=0.005)


def test_the_kernels_table_holds_these_numbers() -> None:
    policy = Policy(alerts_per_person_month=0.2, series_per_person=8)
    table = ParameterTable(load_catalogue(), policy)
    for analyte, row in zip(load_catalogue(), table.rows, strict=True):
        # of what a cycle rules nothing is found until the cycle itself judges it
        judged = np.inf if analyte.rhythm == "cycle" else 0.0
        assert row[P_Z_SUSTAINED] == max(judged, sustained_threshold(0.2, 8))
        chance = outlier_threshold(0.2, 8, analyte.cadence_s / 3600)
        assert row[P_Z_OUTLIER] == max(judged, chance)
        gate = reference_change(analyte.cv_analytical, analyte.cv_within)
        relative = gate if analyte.scale == "log" else row[P_OUTLIER_GATE] / analyte.prior.mesor
        assert relative == pytest.approx(gate)
        assert np.isfinite(np.delete(row, [P_Z_SUSTAINED, P_Z_OUTLIER])).all()
