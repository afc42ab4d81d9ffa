"""The score test against its formula written out, and against simulated people."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.deviations.sustained import (
    PHASE_STEPS_H,
    conditional_score,
    contrast,
    directions,
    score,
)
from processors.rhythm.layout import (
    N_DIRECTIONS,
    N_MOMENTS,
    N_RATES,
    N_RECENT,
    P_MEAN,
    P_PRECISION,
    RATES,
)
from processors.rhythm.moments import harmonics
from processors.rhythm.parameters import estimator_parameters
from processors.rhythm.posterior import backward, solve
from processors.rhythm.sums import empty_row, fold
from schemas.catalogue import load_catalogue

Floats = NDArray[np.float64]
ANALYTE = load_catalogue()["saliva-cortisol"]
P = estimator_parameters(ANALYTE)
START_H = 490_008.0
FIVE_A_DAY = (7.0, 7.5, 12.0, 17.0, 22.0)


def design(hours: Floats) -> Floats:
    w = 2 * np.pi / 24 * hours
    return np.column_stack([np.ones_like(w), np.cos(w), np.sin(w), np.cos(2 * w), np.sin(2 * w)])


class Scored(NamedTuple):
    """Per recent rate: v'u (3 x 6), v'Var(u)v (3 x 6 x 6), effective readings (3)."""

    projected: Floats
    covariance: Floats
    weight: Floats
    m: Floats
    variance: float


def scored(row: Floats, at: float) -> Scored:
    lower, g, m = np.empty((5, 5)), np.empty(5), np.empty(5)
    variance, _, _ = solve(row, P, 0, at, lower, g)
    backward(lower, g, m)
    filters = np.empty((N_DIRECTIONS, 5))
    directions(m, filters)
    projected = np.empty((N_RECENT, N_DIRECTIONS))
    covariance = np.empty((N_RECENT, N_DIRECTIONS, N_DIRECTIONS))
    weight = np.array(
        [
            contrast(row, P, r + 1, at, lower, m, variance, filters, projected[r], covariance[r])
            for r in range(N_RECENT)
        ]
    )
    return Scored(projected, covariance, weight, m, variance)


def folded(hours: Floats, y: Floats, shares: Floats) -> Floats:
    row = empty_row(float(hours[0]))
    e = np.empty(N_MOMENTS)
    for t, value, share in zip(hours.tolist(), y.tolist(), shares.tolist(), strict=True):
        harmonics(t, e)
        fold(row, t, e, value, 0.0, share)
    return row


def moved(m: Floats, hours: float) -> Floats:
    """Coefficients of the curve m that many hours later, found by fitting the moved curve."""
    grid = np.arange(0.0, 24.0, 0.5)
    return np.asarray(
        np.linalg.solve(design(grid).T @ design(grid), design(grid).T @ design(grid - hours) @ m)
    )


reading = st.tuples(st.floats(0, 50 * 24.0), st.floats(-4, 1), st.floats(0.05, 1.0))


@given(st.lists(reading, min_size=2, max_size=60))
def test_the_formula_of_design_section_4(data: list[tuple[float, float, float]]) -> None:
    """u = s_r - S_r b;  Var(u) = s2 (S2_rr - S2_rb M' - M S2_rb + M (S2_bb + L0) M')."""
    t, y, share = (np.array(column) for column in zip(*sorted(data), strict=True))
    hours = START_H + t
    at = float(hours[-1])
    got = scored(folded(hours, y, share), at)

    x = design(hours)
    prior = np.diag(P[P_PRECISION : P_PRECISION + 5])
    w = [share * np.exp(-rate * (at - hours)) for rate in RATES]

    def products(a: int, b: int) -> Floats:
        # readings that share a unit of weight share their error: the share enters once
        weights = w[a] * np.exp(-RATES[b] * (at - hours))
        return np.asarray(x.T @ (x * weights[:, None]))

    a_b = x.T @ (x * w[0][:, None]) + prior
    beta = np.linalg.solve(a_b, x.T @ (w[0] * y) + prior @ P[P_MEAN : P_MEAN + 5])
    np.testing.assert_allclose(got.m, beta, rtol=1e-8, atol=1e-8)
    v = [np.array([1.0, 0, 0, 0, 0]), np.array([0.0, *beta[1:]])]
    v += [moved(beta, h) - beta for h in PHASE_STEPS_H[2:]]
    filters = np.array(v)
    for r in range(1, N_RATES):
        s_r = x.T @ (x * w[r][:, None])
        u = x.T @ (w[r] * y) - s_r @ beta
        m = s_r @ np.linalg.inv(a_b)
        rb = products(r, 0)
        var = products(r, r) - rb @ m.T - m @ rb + m @ (products(0, 0) + prior) @ m.T
        var *= got.variance
        scale = got.variance * max(1.0, float(np.abs(filters).max())) ** 2 * len(t)
        np.testing.assert_allclose(got.projected[r - 1], filters @ u, rtol=1e-8, atol=1e-8 * scale)
        expected = filters @ var @ filters.T
        np.testing.assert_allclose(got.covariance[r - 1], expected, rtol=1e-8, atol=1e-8 * scale)
        assert got.weight[r - 1] == pytest.approx(w[r].sum())


def test_scores_of_people_without_trouble_have_an_sd_of_one() -> None:
    """For every direction and half-life, under independent noise.

    3000 people after 60 days of five samples: the SD of 3000 standard normal scores is known to
    0.013, so 0.04 is three of its standard errors. Measured: 0.99 to 1.02.
    """
    rng = np.random.default_rng(20260201)
    people = 3000
    hours = START_H + np.add.outer(24.0 * np.arange(60), FIVE_A_DAY).ravel()
    x = design(hours)
    e = np.empty((len(hours), N_MOMENTS))
    for i, hour in enumerate(hours.tolist()):
        harmonics(hour, e[i])
    z = np.empty((people, N_RECENT, N_DIRECTIONS))
    for n in range(people):
        true = rng.normal(ANALYTE.prior.mean(), ANALYTE.prior.sd())
        y = x @ true + ANALYTE.prior.residual_sd * rng.standard_normal(len(hours))
        row = empty_row(hours[0])
        for i, (t, value) in enumerate(zip(hours.tolist(), y.tolist(), strict=True)):
            fold(row, t, e[i], value, 0.0, 1.0)
        got = scored(row, float(hours[-1]))
        for r in range(N_RECENT):
            for d in range(N_DIRECTIONS):
                z[n, r, d] = score(got.projected[r], got.covariance[r], d)
    np.testing.assert_allclose(z.std(axis=0), 1.0, atol=0.04)


def test_a_change_is_seen_in_its_own_direction() -> None:
    """Noiseless: the largest score is that of what happened, of the right sign."""
    hours = START_H + np.add.outer(24.0 * np.arange(45), FIVE_A_DAY).ravel()
    mean = np.array(ANALYTE.prior.mean())
    after = hours > hours[-1] - 72.0
    flat = np.array([mean[0], 0, 0, 0, 0])
    step = np.array([0.5, 0, 0, 0, 0])
    changes = {
        (0, 1): mean + step,
        (0, -1): mean - step,
        (1, 1): 1.5 * (mean - flat) + flat,
        (1, -1): 0.5 * (mean - flat) + flat,
        (2, 1): moved(mean, -4.0),
        (3, 1): moved(mean, -2.0),
        (4, 1): moved(mean, 2.0),
        (5, 1): moved(mean, 4.0),
    }
    for (direction, sign), curve in changes.items():
        y = np.where(after, design(hours) @ curve, design(hours) @ mean)
        got = scored(folded(hours, y, np.ones(len(hours))), float(hours[-1]))
        for r in range(N_RECENT):
            z = [score(got.projected[r], got.covariance[r], d) for d in range(N_DIRECTIONS)]
            # a moved curve may resemble its neighbour of two hours more than itself
            near = {2: (2, 3), 3: (2, 3), 4: (4, 5), 5: (4, 5)}.get(direction, (direction,))
            best = int(np.argmax(z)) if direction >= 2 else int(np.argmax(np.abs(z)))
            assert best in near, (direction, r, z)
            assert math.copysign(1, z[best]) == sign


def test_what_one_direction_explains_is_taken_from_another() -> None:
    hours = START_H + np.add.outer(24.0 * np.arange(45), FIVE_A_DAY).ravel()
    mean = np.array(ANALYTE.prior.mean())
    after = hours > hours[-1] - 72.0
    y = np.where(after, design(hours) @ moved(mean, 4.0), design(hours) @ mean)
    got = scored(folded(hours, y, np.ones(len(hours))), float(hours[-1]))
    for r in range(N_RECENT):
        later_4 = N_DIRECTIONS - 1
        alone = abs(score(got.projected[r], got.covariance[r], 1))
        rest = abs(conditional_score(got.projected[r], got.covariance[r], 1, later_4))
        assert rest < 0.5 * alone  # a curve that moved also looks flatter
        assert conditional_score(got.projected[r], got.covariance[r], 1, 1) == 0.0


def test_a_direction_that_carries_nothing_scores_nothing() -> None:
    nothing = np.zeros(N_DIRECTIONS), np.zeros((N_DIRECTIONS, N_DIRECTIONS))
    assert score(*nothing, 1) == 0.0
    assert conditional_score(*nothing, 1, 0) == 0.0
