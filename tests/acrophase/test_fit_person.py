"""``acrophase fit --sex --birth-year``: the prior and the reference are the person's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processors.rhythm.estimator import fit_posterior
from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError
from tests.acrophase.fitting import run, table, words

TESTOSTERONE = load_catalogue()["serum-testosterone"]
OPTIONS = ("--analyte", "serum-testosterone", "--zone", "UTC")


def draws(folder: Path) -> Path:
    """Six samples of one day."""
    values = (500, 560, 520, 450, 430, 460)
    return table(
        folder,
        [(f"2024-03-05 {4 * k + 2:02d}:00", value) for k, value in enumerate(values)],
    )


def answer(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_posterior_starts_from_people_like_this(tmp_path: Path) -> None:
    path = draws(tmp_path)
    everybody = answer(path, *OPTIONS)
    woman = answer(path, *OPTIONS, "--sex", "female")
    man = answer(path, *OPTIONS, "--sex", "male", "--birth-year", "1950")
    assert woman["posterior"] != everybody["posterior"] != man["posterior"]
    # A woman's prior is far below these levels and pulls.
    assert woman["posterior"]["mesor"] < man["posterior"]["mesor"]
    # Least squares knows nobody.
    assert woman["least_squares"] == man["least_squares"] == everybody["least_squares"]
    expected = fit_posterior(
        TESTOSTERONE,
        np.arange(2.0, 24.0, 4.0),
        np.array([500.0, 560, 520, 450, 430, 460]),
        np.full(6, min(4 * 3600.0, TESTOSTERONE.decorrelation_s)),
        comparators=np.zeros(6, dtype=np.int8),
        prior=TESTOSTERONE.prior_of("male", 74.0),
    )
    assert man["posterior"]["mesor"] == pytest.approx(expected.mesor, rel=0.02)


def test_the_picture_shows_the_reference_of_people_like_this(tmp_path: Path) -> None:
    path = draws(tmp_path)
    told = ("--sex", "male", "--birth-year", "1950")
    for more, legend in ((told, "reference limits, men of 74"), ((), "")):
        run(path, *OPTIONS, *more, "--plot", tmp_path / "fit.svg")
        assert (legend in words(tmp_path / "fit.svg")) if legend else True


@pytest.mark.parametrize(
    ("year", "words_"), [("2030", "before the person was born"), ("1900", "nobody is 124")]
)
def test_a_birth_year_that_the_dates_contradict_is_refused(
    tmp_path: Path, year: str, words_: str
) -> None:
    result = run(draws(tmp_path), *OPTIONS, "--birth-year", year)
    assert isinstance(result.exception, InputFileError)
    assert words_ in str(result.exception)


def test_results_below_the_limit_are_no_levels_of_that_limit(tmp_path: Path) -> None:
    """Melatonin by day: least squares is held up by the limit, the posterior is not."""
    rows = [
        (f"2024-03-05 {hour:02d}:00", value)
        for hour, value in enumerate(["40", "45", "30", "20", "9", "5"] + ["<3"] * 9 + ["4"] * 9)
    ]
    options = ("--analyte", "plasma-melatonin", "--zone", "UTC")
    limited = answer(table(tmp_path, rows), *options)
    shown = [(at, str(value).lstrip("<")) for at, value in rows]
    plain = answer(table(tmp_path, shown), *options)
    assert limited["posterior"]["trough_value"] < plain["posterior"]["trough_value"]
    assert limited["trough_value"] == pytest.approx(plain["trough_value"])
    assert any("the posterior takes them for anything beyond it" in n for n in limited["notes"])
