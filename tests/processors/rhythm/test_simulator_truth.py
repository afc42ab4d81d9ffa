"""The simulator's people, whose curves are known, found again by the estimators of a recording.

`producers.physiology` draws them from the catalogue's priors. Their readings are then spoilt as
readings are: a fifth missed, times up to a quarter of an hour off, the clock put back within, and
results under the assay's limit. 90 % intervals must hold the truth in 90 % ± 3 of a thousand
people.

The estimators that have markers of their own (onset, awakening response, sleep …) have tests like
this one beside their own; what applies to which is said there.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from processors.rhythm.cosinor import fit_cosinor
from processors.rhythm.cosinor_markers import cosinor_markers
from processors.rhythm.estimator import Interval, fit_posterior
from producers.physiology import Curve, basis, draw_person
from schemas.catalogue import Analyte, load_catalogue

PEOPLE = 1000
# Of the simulator only those whose curve is all harmonics: what else it knows (pulses, sleep as a
# step, exercise) has its own estimators.
URINE = load_catalogue()["urine-sulfatoxymelatonin"]
CORTISOL = load_catalogue()["serum-cortisol"]
CORE = load_catalogue()["core-temperature"]

Readings = tuple[np.ndarray, np.ndarray, np.ndarray]


def people(analyte: Analyte, seed: int) -> list[Curve]:
    rng = np.random.default_rng(seed)
    return [
        draw_person(rng, f"sim-{k}", 2026, [analyte]).curve(analyte.slug) for k in range(PEOPLE)
    ]


def readings(rng: np.random.Generator, curve: Curve, k: int, limit: float) -> Readings:
    """Clock hours, values on the catalogue's scale, and which are under the limit, of four days."""
    elapsed = np.arange(0.0, 96.0, 3.0) + rng.uniform(0, 3)
    hours = elapsed - (elapsed >= 27.0) * (k % 2)
    hours = hours[rng.random(hours.size) > 0.2]
    taken = hours + rng.uniform(-0.25, 0.25, hours.size)
    y = basis(taken) @ curve.coefficients + curve.residual_sd * rng.standard_normal(hours.size)
    return hours, np.maximum(y, limit), y < limit


def holds(interval: Interval | None, truth: float, period: float = math.inf) -> bool:
    assert interval is not None
    middle = sum(interval) / 2.0
    if math.isfinite(period):
        truth += period * round((middle - truth) / period)
    return interval[0] <= truth <= interval[1]


@pytest.mark.parametrize(
    ("analyte", "censored"), [(URINE, 0.2), (CORTISOL, 0.15), (CORE, 0.0)], ids=lambda x: str(x)[:9]
)
def test_the_posterior_holds_the_curve(analyte: Analyte, censored: float) -> None:
    """Level, amplitude and acrophase. Under an assay's limit lies that share of all readings."""
    rng = np.random.default_rng(201)
    curves = people(analyte, 202)
    levels = [basis(rng.uniform(0, 24, 20)) @ curve.coefficients for curve in curves]
    limit = float(np.quantile(np.concatenate(levels), censored)) if censored else -math.inf
    hits, below, phases = np.zeros(3), 0.0, 0
    for k, curve in enumerate(curves):
        hours, y, under = readings(rng, curve, k, limit)
        below += float(under.mean())
        found = fit_posterior(
            analyte,
            hours % 24,
            np.exp(y) if curve.log else y,
            np.full(hours.size, analyte.decorrelation_s),
            comparators=-under.astype(np.int8),
        )
        level = float(curve.coefficients[0])
        hits[:2] += [
            holds(found.mesor_interval, math.exp(level) if curve.log else level),
            holds(found.amplitude_interval, curve.amplitudes[0]),
        ]
        if found.acrophase is not None:
            phases += 1
            hits[2] += holds(found.acrophase_interval, curve.peaks[0], 24.0)
    assert below / PEOPLE == pytest.approx(censored, abs=0.12)
    assert phases > 0.8 * PEOPLE
    assert np.all(np.abs(hits / [PEOPLE, PEOPLE, phases] - 0.9) < 0.03), hits


@pytest.mark.parametrize("analyte", [URINE, CORTISOL, CORE], ids=lambda x: str(x)[:9])
def test_least_squares_holds_the_curve(analyte: Analyte) -> None:
    """Nothing under a limit: least squares has no place for that."""
    rng = np.random.default_rng(203)
    truths = {"mesor": 0, "amplitude": 0, "acrophase": 0}
    given = dict(truths)
    for k, curve in enumerate(people(analyte, 204)):
        hours, y, _ = readings(rng, curve, k, -math.inf)
        fit = fit_cosinor(hours, y, components=2)
        truth = {
            "mesor": float(curve.coefficients[0]),
            "amplitude": curve.amplitudes[0],
            "acrophase": curve.peaks[0],
        }
        for marker in cosinor_markers(fit, "1"):
            if marker.name in truths and marker.status == "measured":
                assert marker.low is not None
                assert marker.high is not None
                given[marker.name] += 1
                period = 24.0 if marker.name == "acrophase" else math.inf
                limits = (marker.low, marker.high)
                truths[marker.name] += holds(limits, truth[marker.name], period)
    for name, hits in truths.items():
        assert given[name] > 0.8 * PEOPLE
        assert abs(hits / given[name] - 0.9) < 0.03, (name, hits, given[name])


def test_the_simulator_s_people_are_like_debono_s() -> None:
    """Serum cortisol of 33 healthy adults: peak 15.5 ug/dL at 08:32, nadir below 2.0 at 00:18
    (Debono et al. 2009). Nine of ten of the simulator's people lie about each; a mean of people's
    peaks is higher than the peak of a mean curve, which the catalogue has."""
    hours = np.arange(0, 24, 1 / 60)
    rows = basis(hours)
    curves = np.array([rows @ curve.coefficients for curve in people(CORTISOL, 205)])
    peaks, troughs = hours[curves.argmax(axis=1)], hours[curves.argmin(axis=1)]
    for seen, published in ((peaks, 8 + 32 / 60), (troughs, 24 + 18 / 60)):
        away = np.sort((seen - published + 12) % 24 - 12)
        assert away[PEOPLE // 20] < 0 < away[-PEOPLE // 20]
    low, high = np.exp(np.quantile(curves.max(axis=1), [0.05, 0.95]))
    assert low < 15.5 < high
    assert np.exp(np.quantile(curves.min(axis=1), 0.05)) < 2.0
