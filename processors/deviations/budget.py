"""How rare a false alert has to be, and which score that asks for.

A programme sets how many false alerts it accepts a person and month. The budget is shared evenly
by the series that a person is expected to have, so that watching ten hormones does not page ten
times as often; most of it goes to sustained changes, the rest to single readings.
"""

from __future__ import annotations

from math import log1p, sqrt

from scipy.special import ndtr, ndtri

# Threshold 3.6 on the largest of all calibrated scores of one series gave 0.1 false alerts a
# person-month (design section 4, 300 simulated people, 5 samples a day); other budgets follow the
# normal tail from there.
_REFERENCE_Z = 3.6
_REFERENCE_RATE = 0.1
_SUSTAINED_SHARE = 0.8
_HOURS_PER_MONTH = 730.5
# However many false alerts are accepted and however seldom is tested: a score that noise reaches
# in one test of twenty is no finding.
_LARGEST_CHANCE = 0.05


def sustained_threshold(alerts_per_person_month: float, series_per_person: int) -> float:
    """Score that a sustained change of one series has to exceed.

    >>> round(sustained_threshold(0.125, 1), 6)
    3.6
    """
    share = alerts_per_person_month * _SUSTAINED_SHARE / series_per_person
    return float(-ndtri(min(_LARGEST_CHANCE, ndtr(-_REFERENCE_Z) * share / _REFERENCE_RATE)))


def outlier_threshold(
    alerts_per_person_month: float, series_per_person: int, hours_between_tests: float
) -> float:
    """Score that a single reading of one series has to exceed, two-sided."""
    share = alerts_per_person_month * (1.0 - _SUSTAINED_SHARE) / series_per_person
    chance = min(_LARGEST_CHANCE, share * hours_between_tests / _HOURS_PER_MONTH)
    return float(-ndtri(0.5 * chance))


def reference_change(cv_analytical: float, cv_within: float, z: float = 1.96) -> float:
    """Smallest difference of two results that is more than noise, as |ln ratio|.

    Reference change value for log-normal results (Fokkema et al. 2006, Clin. Chem. 52):
    z * sqrt(2) * sigma with sigma^2 = ln(1 + CV_A^2) + ln(1 + CV_I^2).
    """
    sigma = sqrt(log1p(cv_analytical**2) + log1p(cv_within**2))
    return z * sqrt(2.0) * sigma
