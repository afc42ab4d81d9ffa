"""The kernel's numbers: a row for each analyte, and for each group of people it is judged by."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

from processors.deviations.budget import (
    outlier_threshold,
    reference_change,
    sustained_threshold,
)
from processors.engine.policy import Policy
from processors.rhythm.layout import P_OUTLIER_GATE, P_Z_OUTLIER, P_Z_SUSTAINED
from processors.rhythm.parameters import estimator_parameters
from schemas.catalogue import Analyte, Catalogue
from schemas.priors import Prior


class ParameterTable:
    """Rows of `estimator_parameters` with the programme's thresholds, found by analyte and prior.

    The first rows are everybody's, in the catalogue's order; those of a sex or an age follow as
    such people come up. Which row is whose is no part of any state.
    """

    def __init__(self, catalogue: Catalogue, policy: Policy) -> None:
        self._policy = policy
        self._places: dict[tuple[str, Prior], int] = {}
        rows: list[NDArray[np.float64]] = []
        for analyte in catalogue:
            self._places[analyte.slug, analyte.prior] = len(rows)
            rows.append(self._row(analyte, analyte.prior))
        self.rows: NDArray[np.float64] = np.array(rows)
        """The numbers (rows x N_PARAMS); another array once a group has come up."""

    def place(self, analyte: Analyte, prior: Prior) -> int:
        """Position of the row of an analyte in people of this prior."""
        key = analyte.slug, prior
        if key not in self._places:
            self._places[key] = len(self.rows)
            self.rows = np.vstack([self.rows, self._row(analyte, prior)])
        return self._places[key]

    def _row(self, analyte: Analyte, prior: Prior) -> NDArray[np.float64]:
        policy = self._policy
        p = estimator_parameters(analyte, prior)
        p[P_Z_SUSTAINED] = sustained_threshold(
            policy.alerts_per_person_month, policy.series_per_person
        )
        p[P_Z_OUTLIER] = outlier_threshold(
            policy.alerts_per_person_month, policy.series_per_person, analyte.cadence_s / 3600.0
        )
        if analyte.rhythm == "cycle":
            # What a cycle does to them is no finding; markers of the cycle judge it.
            p[P_Z_SUSTAINED] = p[P_Z_OUTLIER] = inf
        gate = reference_change(analyte.cv_analytical, analyte.cv_within)
        # on the linear scale the same relative change, at the population's midline
        p[P_OUTLIER_GATE] = gate if analyte.scale == "log" else gate * abs(prior.mesor)
        return p
