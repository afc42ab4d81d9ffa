"""Student's t without tables, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from processors.rhythm.student import Z75, Z95, t_quantile, two_sided_p, z_score

DEGREES = (4.0, 5.5, 8.0, 13.0, 40.0, 1e3, 1e7)


@pytest.mark.parametrize("df", DEGREES)
@pytest.mark.parametrize(("up_to", "within"), [(1.645, 2e-4), (3.0, 1e-2)])
def test_quantiles(df: float, up_to: float, within: float) -> None:
    for z in np.linspace(-up_to, up_to, 41):
        exact = float(t.ppf(norm.cdf(z), df))
        assert t_quantile(float(z), df) == pytest.approx(exact, rel=within, abs=1e-12)


@pytest.mark.parametrize("df", DEGREES)
def test_scores(df: float) -> None:
    within = 1e-2 if df >= 8.0 else 2e-2
    for x in np.concatenate([np.linspace(0.01, 4.0, 40), np.linspace(4.0, 20.0, 20)]):
        exact = float(norm.isf(t.sf(x, df)))
        if np.isfinite(exact):  # scipy's own tail ends at a score of 38
            assert z_score(float(x), df) == pytest.approx(exact, rel=within)
            assert z_score(-float(x), df) == -z_score(float(x), df)


def test_scores_and_quantiles_are_each_others_inverse() -> None:
    for z in np.linspace(-3.0, 3.0, 25):
        assert z_score(t_quantile(float(z), 12.0), 12.0) == pytest.approx(z, rel=5e-3, abs=1e-12)


def test_named_scores_and_probabilities() -> None:
    assert pytest.approx(norm.ppf(0.75)) == Z75
    assert pytest.approx(norm.ppf(0.95)) == Z95
    for z in (-6.0, -1.96, 0.0, 0.3, 4.0):
        assert two_sided_p(z) == pytest.approx(2.0 * norm.sf(abs(z)))
