"""Scores and percentiles learnt from the person."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.deviations.calibration import (
    learn_outlier,
    learn_percentiles,
    learn_sustained,
    outlier_sd,
    percentile_scores,
    sustained_sd,
)
from processors.rhythm.layout import N_DIRECTIONS, N_QUANTILES, N_RECENT
from processors.rhythm.student import Z75, Z95
from processors.rhythm.sums import empty_row

Floats = NDArray[np.float64]
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def all_sd(row: Floats, prior_sd: float) -> Floats:
    return np.array(
        [
            [sustained_sd(row, r + 1, d, prior_sd) for d in range(N_DIRECTIONS)]
            for r in range(N_RECENT)
        ]
    )


def live(row: Floats, scores: Floats, prior_sd: float, days_each: float = 1.0) -> None:
    """Score after score (n x 3 x 6), each holding for `days_each`."""
    for z in scores:
        learn_sustained(row, z, all_sd(row, prior_sd), days_each)


def test_a_new_person_is_as_the_catalogue_says() -> None:
    assert all_sd(empty_row(0.0), 1.2) == pytest.approx(1.2)
    assert all_sd(empty_row(0.0), 0.3) == pytest.approx(0.8)  # never hypersensitive


@pytest.mark.parametrize("true_sd", [1.0, 1.6, 2.5])
@pytest.mark.parametrize("prior_sd", [1.0, 2.5])
def test_a_year_of_scores_outweighs_the_prior(true_sd: float, prior_sd: float) -> None:
    rng = np.random.default_rng(4)
    row = empty_row(0.0)
    live(row, true_sd * rng.standard_normal((700, N_RECENT, N_DIRECTIONS)), prior_sd)
    # A half-life of 75 days holds 108; the prior keeps its 15. Some 200 scores count, so that an
    # SD is known to 5 % and the mean of 18 to 1 %; what is clipped costs a little more.
    expected = np.sqrt((15.0 * prior_sd**2 + 108.2 * true_sd**2) / 123.2)
    assert all_sd(row, prior_sd) == pytest.approx(expected, rel=0.15)
    assert all_sd(row, prior_sd).mean() == pytest.approx(expected, rel=0.04)


def test_how_often_the_scores_are_taken_makes_no_difference() -> None:
    z = np.full((1, N_RECENT, N_DIRECTIONS), 1.3)
    hourly, daily = empty_row(0.0), empty_row(0.0)
    live(hourly, np.repeat(z, 24 * 30, axis=0), 1.0, 1 / 24)
    live(daily, np.repeat(z, 30, axis=0), 1.0)
    assert all_sd(hourly, 1.0) == pytest.approx(all_sd(daily, 1.0), rel=0.01)


def test_a_change_cannot_hide_in_its_own_sd() -> None:
    """A week of scores of eight: seen against the SD that they leave, they are still far out."""
    rng = np.random.default_rng(4)
    row = empty_row(0.0)
    live(row, rng.standard_normal((60, N_RECENT, N_DIRECTIONS)), 1.0)
    before = all_sd(row, 1.0)
    live(row, np.full((7, N_RECENT, N_DIRECTIONS), 8.0), 1.0)
    assert (all_sd(row, 1.0) < 1.35 * before).all()
    assert (8.0 / all_sd(row, 1.0) > 5.0).all()


def test_a_person_calms_down_again() -> None:
    row = empty_row(0.0)
    live(row, np.full((30, N_RECENT, N_DIRECTIONS), 5.0), 1.0)
    wild = all_sd(row, 1.0)
    rng = np.random.default_rng(4)
    live(row, rng.standard_normal((300, N_RECENT, N_DIRECTIONS)), 1.0)
    assert (all_sd(row, 1.0) < 0.6 * wild).all()


def test_single_readings_with_heavy_tails_widen_their_own_score() -> None:
    rng = np.random.default_rng(4)
    row = empty_row(0.0)
    assert outlier_sd(row) == 1.0
    for z in 1.8 * rng.standard_normal(3000):
        learn_outlier(row, float(z))
    assert outlier_sd(row) == pytest.approx(1.75, abs=0.15)
    learn_outlier(row, 1e6)
    assert outlier_sd(row) < 2.0  # one absurd reading changes little
    for _ in range(3000):
        learn_outlier(row, 0.0)
    assert outlier_sd(row) == 1.0


def percentiles(row: Floats) -> Floats:
    out = np.empty(N_QUANTILES)
    percentile_scores(row, out)
    return out


def test_nothing_is_known_of_a_new_persons_percentiles() -> None:
    assert percentiles(empty_row(0.0)) == pytest.approx([-Z95, -Z75, 0.0, Z75, Z95])


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_percentiles_of_a_skewed_person_are_found(share: float) -> None:
    """Between them lie the shares that they promise, of readings that are yet to come."""
    rng = np.random.default_rng(9)
    row = empty_row(0.0)
    z = (rng.lognormal(0.0, 0.8, round(6000 / share)) - 1.38) / 1.3  # a mean of 0, an SD of 1
    below = np.empty((len(z), N_QUANTILES))
    for i, each in enumerate(z.tolist()):
        below[i] = each < percentiles(row)
        learn_percentiles(row, each, share)
    late = below[len(z) // 4 :]
    np.testing.assert_allclose(late.mean(axis=0), SHARES, atol=0.01)
    exact = np.quantile(z, SHARES)
    # about 500 readings count: a percentile of so many is known to 0.05 to 0.15 here
    np.testing.assert_allclose(percentiles(row), exact, atol=0.35)
    assert percentiles(row)[0] > -1.2  # where a normal person has -1.64


@given(
    st.lists(
        st.tuples(st.floats(-40, 40), st.floats(0.001, 1.0))
        | st.tuples(st.just(0.3), st.just(1.0)),
        max_size=300,
    )
)
def test_percentiles_ascend_and_stay_within_what_was_seen(seen: list[tuple[float, float]]) -> None:
    row = empty_row(0.0)
    for z, share in seen:
        learn_percentiles(row, z, share)
    found = percentiles(row)
    assert (np.diff(found) >= 0.0).all()
    assert np.isfinite(found).all()
    # a step is at most a fifth of an SD
    assert min([-Z95, *(z for z, _ in seen)]) - 0.2 <= found[0]
    assert found[-1] <= max([Z95, *(z for z, _ in seen)]) + 0.2


def test_percentiles_forget() -> None:
    row = empty_row(0.0)
    rng = np.random.default_rng(2)
    for z in 3.0 * rng.standard_normal(2000):
        learn_percentiles(row, float(z), 1.0)
    assert percentiles(row)[-1] > 3.5
    for z in rng.standard_normal(4000):
        learn_percentiles(row, float(z), 1.0)
    assert percentiles(row) == pytest.approx([-Z95, -Z75, 0.0, Z75, Z95], abs=0.3)
