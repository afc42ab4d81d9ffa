"""The sums against a batch solve, under any order, split and repetition of work."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.rhythm.layout import (
    HALF_LIVES_D,
    N_MOMENTS,
    N_PAIRS,
    N_PARAMETERS,
    N_RATES,
    P_MEAN,
    P_PRECISION,
    P_SCALE,
    P_SHAPE,
    PAIRS,
    RATES,
    ROW_SIZE,
    SUMS,
    T_REF,
)
from processors.rhythm.moments import expand, harmonics, mirror
from processors.rhythm.parameters import estimator_parameters
from processors.rhythm.posterior import backward, predict, solve
from processors.rhythm.sums import empty_row, fold, move_reference, pair_rate
from schemas.catalogue import load_catalogue

ANALYTE = load_catalogue()["saliva-cortisol"]
P = estimator_parameters(ANALYTE)
START_H = 490_000.0

Data = list[tuple[float, float, float]]

reading = st.tuples(
    st.floats(0, 60 * 24.0, allow_nan=False),  # hours after the start
    st.floats(-4, 1, allow_nan=False),  # log value
    st.floats(0.01, 1.0),  # weight
)
readings = st.lists(reading, min_size=1, max_size=40)


def design(hours: NDArray[np.float64]) -> NDArray[np.float64]:
    w = 2 * np.pi / 24 * hours
    return np.column_stack([np.ones_like(w), np.cos(w), np.sin(w), np.cos(2 * w), np.sin(2 * w)])


def batch(data: Data, rate: float, at: float) -> tuple[float, ...]:
    """Posterior mean, residual variance and degrees of freedom by plain linear algebra."""
    t, y, w = (np.array(column) for column in zip(*data, strict=True))
    x = design(START_H + t)
    w = w * np.exp(-rate * (at - (START_H + t)))
    precision = np.diag(P[P_PRECISION : P_PRECISION + N_PARAMETERS])
    prior = P[P_MEAN : P_MEAN + N_PARAMETERS]
    a = x.T @ (x * w[:, None]) + precision
    m = np.linalg.solve(a, x.T @ (w * y) + precision @ prior)
    shape = P[P_SHAPE] + w.sum() / 2
    residual = float(np.sum(w * (y - x @ m) ** 2) + (m - prior) @ precision @ (m - prior))
    return (*m, (P[P_SCALE] + residual / 2) / shape, 2 * shape)


def folded(data: Data, reference: float = START_H) -> NDArray[np.float64]:
    row = empty_row(reference)
    e = np.empty(N_MOMENTS)
    for t, y, w in data:
        harmonics(START_H + t, e)
        fold(row, START_H + t, e, y, 0.0, w)
    return row


def posterior(row: NDArray[np.float64], rate: int, at: float) -> tuple[float, ...]:
    lower, g, m = np.empty((5, 5)), np.empty(5), np.empty(5)
    variance, df, _ = solve(row, P, rate, at, lower, g)
    backward(lower, g, m)
    return (*m, variance, df)


@given(readings, st.randoms(use_true_random=False))
def test_any_order_ends_in_the_posterior_of_a_batch_solve(data: Data, random: Random) -> None:
    at = START_H + max(t for t, _, _ in data)
    shuffled = list(data)
    random.shuffle(shuffled)
    row = folded(shuffled, reference=START_H + shuffled[0][0])
    for k in range(N_RATES):
        assert posterior(row, k, at) == pytest.approx(batch(data, RATES[k], at), rel=1e-9, abs=1e-9)


@given(readings, st.randoms(use_true_random=False))
def test_every_prefix_of_any_order_is_a_batch_solve(data: Data, random: Random) -> None:
    """Not only in the end: after each reading, looked at from the newest time so far."""
    shuffled = list(data)
    random.shuffle(shuffled)
    row = empty_row(START_H + shuffled[0][0])
    e = np.empty(N_MOMENTS)
    for n, (t, y, w) in enumerate(shuffled, start=1):
        harmonics(START_H + t, e)
        fold(row, START_H + t, e, y, 0.0, w)
        at = START_H + max(hours for hours, _, _ in shuffled[:n])
        for k in (0, N_RATES - 1):
            expected = batch(shuffled[:n], RATES[k], at)
            assert posterior(row, k, at) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(readings, st.integers(0, 40), st.floats(-800, 800))
def test_two_parts_folded_apart_add_up(data: Data, cut: int, reference: float) -> None:
    """The sums are sums: relative to one time, those of the parts are those of the whole."""
    at = START_H + max(t for t, _, _ in data)
    whole = folded(data)
    parts = [folded(part, START_H + reference) for part in (data[:cut], data[cut:])]
    for row in (whole, *parts):
        move_reference(row, at)
    np.testing.assert_allclose(
        parts[0][SUMS:ROW_SIZE] + parts[1][SUMS:ROW_SIZE],
        whole[SUMS:ROW_SIZE],
        rtol=1e-9,
        atol=1e-9,
    )


@given(readings)
def test_sums_of_products_of_weights(data: Data) -> None:
    """bb, and rr and rb of each recent rate, as the sustained test needs them."""
    t, _, share = (np.array(column) for column in zip(*data, strict=True))
    at = START_H + t.max()
    row = folded(data)
    x = design(START_H + t)
    decay = [np.exp(-rate * (at - START_H - t)) for rate in RATES]
    pairs = [(0, 0), *((r, r) for r in range(1, N_RATES)), *((0, r) for r in range(1, N_RATES))]
    assert len(pairs) == N_PAIRS
    for p, (a, b) in enumerate(pairs):
        assert pair_rate(p) == pytest.approx(RATES[a] + RATES[b])
        out = np.empty((N_PARAMETERS, N_PARAMETERS))
        first = PAIRS + p * N_MOMENTS
        expand(row[first : first + N_MOMENTS], math.exp(-pair_rate(p) * (at - row[T_REF])), out)
        mirror(out)
        expected = x.T @ (x * (share * decay[a] * decay[b])[:, None])
        np.testing.assert_allclose(out, expected, rtol=1e-9, atol=1e-9)


@given(readings, st.floats(-500, 500))
def test_moving_the_reference_time_changes_nothing(data: Data, hours: float) -> None:
    at = START_H + max(t for t, _, _ in data)
    row = folded(data)
    before = [posterior(row, k, at) for k in range(N_RATES)]
    move_reference(row, START_H + hours)
    for k in range(N_RATES):
        assert posterior(row, k, at) == pytest.approx(before[k], rel=1e-9, abs=1e-9)


@given(st.floats(-1e4, 1e6))
def test_nine_moments_stand_for_the_matrix(hour: float) -> None:
    e = np.empty(N_MOMENTS)
    harmonics(hour, e)
    x = design(np.array([hour]))[0]
    out = np.empty((5, 5))
    expand(e, 2.0, out)
    mirror(out)
    np.testing.assert_allclose(out, 2 * np.outer(x, x), atol=1e-8)


def test_with_no_data_a_person_looks_like_the_population() -> None:
    m = posterior(empty_row(START_H), 0, START_H)
    assert m[:5] == pytest.approx(ANALYTE.prior.mean())
    assert math.sqrt(m[5]) == pytest.approx(ANALYTE.prior.residual_sd)


@pytest.mark.parametrize("k", range(N_RATES))
def test_a_reading_counts_half_after_a_half_life(k: int) -> None:
    row = folded([(0.0, -2.0, 1.0)])
    lower, g = np.empty((5, 5)), np.empty(5)
    _, _, n = solve(row, P, k, START_H + 24 * HALF_LIVES_D[k], lower, g)
    assert n == pytest.approx(0.5)


def test_predictions_are_calibrated() -> None:
    """A 90 % interval covers 90 % of readings, each judged before it is folded in."""
    rng = np.random.default_rng(20260101)
    inside = total = 0
    for _ in range(60):
        true = rng.normal(ANALYTE.prior.mean(), ANALYTE.prior.sd())
        row = empty_row(START_H)
        e, x = np.empty(N_MOMENTS), np.empty(5)
        lower, g = np.empty((5, 5)), np.empty(5)
        for day in range(40):
            for hour in (7.0, 7.5, 12.0, 17.0, 22.0):
                t = START_H + 24 * day + hour - START_H % 24
                harmonics(t, e)
                y = float(e[:5] @ true) + rng.normal(0, ANALYTE.prior.residual_sd)
                variance, df, _ = solve(row, P, 0, t, lower, g)
                mean, scale = predict(lower, g, variance, e, x)
                inside += abs(y - mean) <= scale * _t95(df)
                total += 1
                fold(row, t, e, y, 0.0, 1.0)
    assert 0.88 <= inside / total <= 0.92


def _t95(df: float) -> float:
    from scipy.stats import t

    return float(t.ppf(0.95, df))
