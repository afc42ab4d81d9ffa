"""Censored results against scipy's truncated normal."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import truncnorm

from processors.rhythm.censoring import censored
from schemas.catalogue import Analyte, load_catalogue

CATALOGUE = load_catalogue()
MELATONIN, HEART_RATE = CATALOGUE["saliva-melatonin"], CATALOGUE["heart-rate"]


def population(analyte: Analyte, clock_hour: float) -> tuple[float, float]:
    """Mean and SD of one reading of anybody at that hour, model scale."""
    w = 2 * np.pi / 24 * clock_hour
    x = np.array([1, np.cos(w), np.sin(w), np.cos(2 * w), np.sin(2 * w)])
    variance = analyte.prior.residual_sd**2 + float(np.sum((x * analyte.prior.sd()) ** 2))
    return float(x @ analyte.prior.mean()), math.sqrt(variance)


@pytest.mark.parametrize("analyte", [MELATONIN, HEART_RATE], ids=lambda each: each.slug)
@pytest.mark.parametrize("comparator", ["<", ">"])
@given(clock_hour=st.floats(0, 24), spreads=st.floats(-5, 5))
def test_the_conditional_mean_and_variance(
    analyte: Analyte, comparator: str, clock_hour: float, spreads: float
) -> None:
    centre, spread = population(analyte, clock_hour)
    limit = centre + spreads * spread
    mean, variance = censored(analyte, clock_hour, analyte.from_model(limit), comparator)
    below = (-np.inf, spreads) if comparator == "<" else (spreads, np.inf)
    expected = truncnorm(*below, loc=centre, scale=spread)
    assert mean == pytest.approx(expected.mean(), rel=1e-7, abs=1e-7 * spread)
    assert variance == pytest.approx(expected.var(), rel=1e-6)
    assert mean <= limit if comparator == "<" else mean >= limit


@pytest.mark.parametrize("comparator", ["<", ">"])
@pytest.mark.parametrize("value", [1e-300, 1e-12, 1.0, 1e12, 1e300])
def test_limits_that_tell_nothing_or_everything_stay_finite(value: float, comparator: str) -> None:
    mean, variance = censored(MELATONIN, 4.0, value, comparator)
    centre, spread = population(MELATONIN, 4.0)
    assert math.isfinite(mean)
    assert 0.0 <= variance <= spread**2 * (1 + 1e-9)
    if (value > 1) == (comparator == "<") and value != 1.0:
        # the whole population is on that side: nothing was learnt
        assert (mean, variance) == pytest.approx((centre, spread**2))
