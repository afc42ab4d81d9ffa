"""Numbers that the catalogue says were computed come out of the recordings again."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from schemas.catalogue import load_catalogue

CATALOGUE = load_catalogue()
DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recordings in ../shared/data are absent"
)

Array = npt.NDArray[np.float64]


def _fit(hours: Array, values: Array) -> tuple[Array, float]:
    """Coefficients (5,) of the 24+12 h least squares and the residual SD."""
    angle = 2 * math.pi * hours / 24
    design = np.column_stack(
        [np.ones_like(angle), np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)]
    )
    coefficients = np.linalg.lstsq(design, values, rcond=None)[0]
    residual = values - design @ coefficients
    return coefficients, float(np.sqrt(residual @ residual / (len(values) - 5)))


def _log_curve(hormone: str) -> tuple[Array, Array]:
    """24+12 h fits on the log of the control curves of Carroll and of Golier."""
    carroll = np.loadtxt(DATA / "hpa_24h" / f"Carroll-2007-controlGroup{hormone}.txt")
    name = hormone if hormone == "ACTH" else hormone.lower()
    golier = np.loadtxt(DATA / "hpa_24h" / f"Golier-2007-non-exposed-control-{name}.txt")
    return (
        _fit(carroll[:, 0] / 60, np.log(carroll[:, 1]))[0],
        _fit(golier[:, 0] + 6.25, np.log(golier[:, 1]))[0],
    )


@pytest.mark.parametrize(
    ("slug", "hormone"), [("serum-cortisol", "Cortisol"), ("plasma-acth", "ACTH")]
)
def test_blood_curves_are_the_mean_of_two_studies(slug: str, hormone: str) -> None:
    expected = np.mean(_log_curve(hormone), axis=0)
    assert np.allclose(CATALOGUE[slug].prior.mean(), expected, atol=0.01)


def test_saliva_cortisol_is_carrolls_curve_stretched_and_moved() -> None:
    stretched = 1.25 * _log_curve("Cortisol")[0]
    prior = CATALOGUE["saliva-cortisol"].prior
    assert np.allclose(prior.mean()[1:], stretched[1:], atol=0.01)
    morning = np.mean([prior.value(hour) for hour in (7, 7.5, 8, 8.5, 9)])
    assert math.exp(morning) == pytest.approx(math.sqrt(0.100 * 0.750), rel=0.01)


def test_saliva_cortisol_agrees_with_people_it_was_not_made_from() -> None:
    # Sample before a laboratory stressor, clock time unknown but by day, nmol/L.
    with (DATA / "saliva_cortisol_stress" / "cortisol_sample.csv").open() as file:
        values = [float(row["1"]) for row in csv.DictReader(file)]
    cortisol = CATALOGUE["saliva-cortisol"]
    scale, _ = cortisol.conversion("nmol/L")
    mean = np.mean([cortisol.to_model(value * scale) for value in values])
    by_day = [cortisol.prior.value(hour) for hour in range(9, 18)]
    assert min(by_day) < mean < max(by_day)
    for value in values:
        cortisol.check(value * scale, "nmol/L")


@pytest.fixture(scope="module")
def twins() -> list[Array]:
    """Hour and heart rate, shape (n, 2), of every person with at least 20 hours."""
    people: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with (DATA / "hourly_heart_rate" / "twins_hourly.csv").open() as file:
        for row in csv.DictReader(file):
            if row["HR"] not in ("", "NA"):
                people[row["patid"]].append((float(row["hour"]), float(row["HR"])))
    return [np.array(person) for person in people.values() if len(person) >= 20]


def test_the_heart_rates_spread_between_people(twins: list[Array]) -> None:
    fits = [_fit(person[:, 0], person[:, 1]) for person in twins]
    coefficients = np.array([fit[0] for fit in fits])
    residual = math.sqrt(np.mean([fit[1] ** 2 for fit in fits]))
    sampling = residual * np.sqrt(np.array([1, 2, 2, 2, 2]) / 24)
    spread = np.sqrt(coefficients.var(axis=0, ddof=1) - sampling**2)
    prior = CATALOGUE["heart-rate"].prior
    assert np.allclose(spread, prior.sd(), rtol=0.12)
    assert residual == pytest.approx(4.4, abs=0.1)
    # The mean of the half of the people at hand is near the published mean of all 657.
    assert np.allclose(coefficients.mean(axis=0), prior.mean(), atol=0.7)


def test_the_heart_rates_reference(twins: list[Array]) -> None:
    hours, rates = np.concatenate(twins).T
    for reference in CATALOGUE["heart-rate"].references:
        here = (hours % 24 >= reference.from_hour) & (hours % 24 < reference.to_hour)
        low, high = np.quantile(rates[here], [0.025, 0.975])
        assert (low, high) == pytest.approx((reference.low, reference.high), abs=0.5)


def test_real_heart_rates_pass_the_limits() -> None:
    heart_rate = CATALOGUE["heart-rate"]
    values = np.loadtxt(
        DATA / "wearable_heart_rate" / "hr_data.csv", delimiter=",", skiprows=1, usecols=0
    )
    assert heart_rate.screen.low < values.min() < values.max() < heart_rate.screen.high
