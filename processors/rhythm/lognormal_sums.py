"""The interval of a weighted sum of concentrations, each known up to a factor.

A result y has the logarithm of the true value plus a normal error of SD s. Turned round, the true
value is lognormal about y, and a weighted sum of independent ones has the sum of their cumulants,
which are exact; its quantiles follow by the expansion of Cornish & Fisher (Rev Inst Int Stat 5
(1938) 307-320; Abramowitz & Stegun 26.2.49). It is a generalised confidence interval (Weerahandi,
J Am Stat Assoc 88 (1993) 899-905): a normal one of the same errors is too short where the result
happens to be low.
"""

from __future__ import annotations

import numpy as np

from processors.rhythm.samples import Floats

_Z = 1.6448536269514722  # of 90 %


def sum_interval(weights: Floats, values: Floats, sd: float) -> tuple[float, float]:
    """90 % limits of the weighted sum of the true values.

    weights (n), of either sign; values (n), above 0; sd: of a result's natural logarithm. The
    expansion serves up to an sd of 0.4: of one value, where 10 exp(-+ 1.645 0.2) is 7.20, 13.90,

    >>> low, high = sum_interval(np.array([1.0]), np.array([10.0]), 0.2)
    >>> round(low, 2), round(high, 2)
    (7.21, 13.91)
    """
    size = float(np.abs(weights * values).sum())
    if sd == 0.0 or size == 0.0:
        total = float(weights @ values)
        return total, total
    terms = weights * values / size
    growth = float(np.expm1(sd * sd))  # exp(s²) - 1
    factor = growth + 1.0
    mean = float(terms.sum()) * factor**0.5
    variance = float((terms**2).sum()) * factor * growth
    third = float((terms**3).sum()) * factor**1.5 * growth**2 * (factor + 2.0)
    excess = factor**4 + 2.0 * factor**3 + 3.0 * factor**2 - 6.0
    fourth = float((terms**4).sum()) * (factor * growth) ** 2 * excess
    skewness, kurtosis = third / variance**1.5, fourth / variance**2

    def quantile(z: float) -> float:
        turned = z + (z * z - 1.0) * skewness / 6.0
        turned += (z**3 - 3.0 * z) * kurtosis / 24.0
        turned -= (2.0 * z**3 - 5.0 * z) * skewness**2 / 36.0
        return float(size * (mean + variance**0.5 * turned))

    return quantile(-_Z), quantile(_Z)
