"""A result below (or above) what the assay can measure, as its conditional mean and variance.

The condition is the population's prediction for that clock hour, not the person's own: then what
a censored reading adds to the sums is a function of the reading alone, and the sums stay
independent of the order of arrival.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
from scipy.special import erfcx

from processors.rhythm.layout import N_MOMENTS, N_PARAMETERS
from processors.rhythm.moments import harmonics
from schemas.catalogue import Analyte


def censored(
    analyte: Analyte, clock_hour: float, limit: float, comparator: str
) -> tuple[float, float]:
    """(mean, variance) on the model scale of a reading `comparator` limit (analyte's unit).

    Moments of the truncated normal distribution (Johnson, Kotz & Balakrishnan 1994, 13.10).
    """
    e = np.empty(N_MOMENTS)
    harmonics(clock_hour, e)
    x = e[:N_PARAMETERS]
    centre = float(x @ np.array(analyte.prior.mean()))
    between = x * np.array(analyte.prior.sd())
    spread = sqrt(analyte.prior.residual_sd**2 + float(between @ between))
    sign = 1.0 if comparator == "<" else -1.0
    a = sign * (analyte.to_model(limit) - centre) / spread
    hazard = sqrt(2.0 / pi) / float(erfcx(-a / sqrt(2.0)))
    variance = max(0.0, 1.0 - a * hazard - hazard * hazard)
    return centre - sign * spread * hazard, spread * spread * variance
