"""``acrophase fit --sex --birth-year``: the prior and the reference are the person's."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from acrophase.person import Person, hourly_reference
from acrophase.plots.cosinor import draw_curve
from processors.rhythm.cosinor import fit_cosinor
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
    run(path, *OPTIONS, *told, "--plot", tmp_path / "fit.svg")
    assert "reference of men of 74" in words(tmp_path / "fit.svg")
    # Of everybody there is none for testosterone.
    run(path, *OPTIONS, "--plot", tmp_path / "fit.svg")
    assert "reference of" not in words(tmp_path / "fit.svg")


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


def test_the_band_of_the_reference_has_the_hours_and_the_limits_of_the_catalogue() -> None:
    """Saliva cortisol: 07 to 09 h, 15 to 17 h and 23 to 24 h."""
    cortisol = load_catalogue()["saliva-cortisol"]
    found = hourly_reference(cortisol, Person(), date(2024, 3, 5))
    assert found is not None
    figure = Figure()
    hours, values = np.arange(24.0), np.geomspace(0.02, 2.0, 24)
    fit = fit_cosinor(hours, np.log(values))
    draw_curve(
        figure,
        axis="cortisol",
        unit="ug/dL",
        hours=hours,
        values=values,
        fit=fit,
        is_log=True,
        reference=found,
    )
    top = figure.get_axes()[0]
    (band,) = (c for c in top.collections if c.get_label() == "reference of everybody")
    spans = [path.get_extents() for path in band.get_paths()]
    assert [tuple(span.intervalx) for span in spans] == [(7.0, 9.0), (15.0, 17.0), (23.0, 24.0)]
    for span, hour in zip(spans, (8, 16, 23.5), strict=True):
        low, high = cortisol.reference(hour)
        bottom, end = top.get_ylim()
        assert span.intervaly.tolist() == pytest.approx([low or bottom, high or end])


def test_a_few_readings_in_another_unit_are_left_out_and_told(tmp_path: Path) -> None:
    """Saliva cortisol in µg/dL, two results of it in nmol/L: 9 is a morning's there."""
    options = ("--analyte", "saliva-cortisol", "--zone", "UTC", "--components", "1")
    rows = [(f"2024-03-05 {2 * k:02d}:00", 0.2 + 0.1 * np.cos(k / 2 - 2)) for k in range(12)]
    whole = answer(table(tmp_path, rows), *options)
    rows[3], rows[7] = (rows[3][0], 9.0), (rows[7][0], 11.0)
    mixed = answer(table(tmp_path, rows), *options)
    assert mixed["least_squares"]["n"] == 10
    (note,) = (note for note in mixed["notes"] if "another unit" in note)
    assert "2 readings make sense in another unit only" in note
    assert note.endswith("line 5, 9.")
    assert mixed["midline"] == pytest.approx(whole["midline"], rel=0.1)
