"""``acrophase fit`` on DHEA-S, IGF-1 and HbA1c: level for the age, trend, change."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError
from tests.acrophase.fitting import by_name, painted, printed, run, table, words

DHEAS = ("--analyte", "serum-dheas", "--zone", "Europe/Berlin")
WOMAN = ("--sex", "female", "--birth-year", "1970")


def results(folder: Path, values: Sequence[object], first: int = 2018) -> Path:
    """One result each first of July."""
    return table(folder, [(f"{first + k}-07-01 08:00", value) for k, value in enumerate(values)])


def slow(*arguments: object) -> dict[str, dict[str, Any]]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return by_name(json.loads(result.stdout)["markers"])


def test_the_middle_of_the_age_is_level_0_and_its_course_no_trend(tmp_path: Path) -> None:
    """Women of 45 and 55: 27 to 199 and 22 to 166 µg/dL, whose middles are √(27·199) and √(22·166);
    a birth year is met in its middle, so in July of 2020 she of 1970 is 50."""
    middles = [math.sqrt(27 * 199), math.sqrt(22 * 166)]
    at = np.interp([48, 49, 50, 51, 52], [45, 55], np.log(middles))
    found = slow(results(tmp_path, np.exp(at).round(2).tolist()), *DHEAS, *WOMAN)
    assert set(found) == {"level-for-age", "trend-beyond-age", "change"}
    assert found["level-for-age"]["value"] == pytest.approx(0.0, abs=0.01)
    assert "percentile 50 of people of the same age" in found["level-for-age"]["sentence"]
    assert found["trend-beyond-age"]["value"] == pytest.approx(0.0, abs=0.1)
    # Sexes differ: the same results are low for a man.
    man = slow(tmp_path / "person-1.csv", *DHEAS, "--sex", "male", "--birth-year", "1970")
    assert man["level-for-age"]["value"] < -1.0


def test_the_change_is_the_last_two_results(tmp_path: Path) -> None:
    """CV 6 and 12 %: exp(1.96 √2 √(ln 1.0036 + ln 1.0144)) = 1.449."""
    found = slow(results(tmp_path, [100, 180, 90, 120]), *DHEAS)["change"]
    assert found["value"] == pytest.approx(100 * (120 / 90 - 1))
    assert found["on"] == "2021-07-01"
    assert "within the reference change value of -31 to +45 %" in found["sentence"]
    real = slow(results(tmp_path, [100, 180, 90, 135]), *DHEAS)["change"]
    assert "a change is real" in real["sentence"]


def test_without_sex_and_age_level_and_trend_say_what_they_need(tmp_path: Path) -> None:
    path = results(tmp_path, [100, 90, 80])
    for told, needed in (
        ((), "tell --sex and --birth-year."),
        (("--sex", "female"), "tell --birth-year."),
        (("--birth-year", "1970"), "tell --sex."),
    ):
        found = slow(path, *DHEAS, *told)
        for name in ("level-for-age", "trend-beyond-age"):
            assert found[name]["status"] == "withheld"
            assert found[name]["sentence"].endswith(needed)
        assert found["change"]["status"] == "measured"
        assert needed in printed(path, *DHEAS, *told)


def test_hba1c_is_one_for_everybody(tmp_path: Path) -> None:
    path = results(tmp_path, [5.3, 5.4, 6.2])
    found = slow(path, "--analyte", "hba1c", "--zone", "UTC")
    assert {marker["status"] for marker in found.values()} == {"measured"}
    assert found["trend-beyond-age"]["value"] > 0
    assert "a change is real" in found["change"]["sentence"]
    same = slow(path, "--analyte", "hba1c", "--zone", "UTC", *WOMAN)
    assert same["level-for-age"] == found["level-for-age"]
    assert same["trend-beyond-age"]["value"] == pytest.approx(found["trend-beyond-age"]["value"])


def test_results_out_of_range_and_single_ones(tmp_path: Path) -> None:
    low = slow(results(tmp_path, [100, 90, "<2"]), *DHEAS, *WOMAN)
    assert "1 of 3 results are below the assay's limit" in low["level-for-age"]["sentence"]
    assert "below the assay's detection limit" in low["change"]["sentence"]
    high = slow(results(tmp_path, [100, 90, ">1000"]), *DHEAS, *WOMAN)
    assert {marker["status"] for marker in high.values()} == {"withheld"}
    assert "above the assay's range" in high["change"]["sentence"]
    one = slow(results(tmp_path, [100]), *DHEAS, *WOMAN)
    assert one["level-for-age"]["status"] == "measured"
    assert "There is one result" in one["change"]["sentence"]
    young = slow(
        results(tmp_path, [100, 90, 80]), *DHEAS, "--sex", "female", "--birth-year", "2010"
    )
    assert "no reference for people younger than 20 years" in young["level-for-age"]["sentence"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--birth-year", "2020"), "before the person was born"),
        (("--birth-year", "1900"), "nobody is 124 years old"),
        (("--components", "1"), "leave --menses, --components and --scale out"),
        (("--menses", "2024-03-01"), "follows no cycle"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, options: tuple[str, ...], told: str) -> None:
    path = results(tmp_path, [100, 90, 80, 85, 90, 95, 90], first=2018)
    result = run(path, *DHEAS, *options)
    assert isinstance(result.exception, InputFileError)
    assert told in str(result.exception)


def test_years_that_are_none_are_refused_by_their_option(tmp_path: Path) -> None:
    path = results(tmp_path, [100])
    for option, value in (("--birth-year", "1870"), ("--sex", "unknown")):
        result = run(path, *DHEAS, option, value)
        assert result.exit_code == 2
        assert option in result.output


def test_several_people_have_no_sex_and_age_in_common(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text("id,time,value\n1,2020-01-01 08:00,100\n2,2020-01-01 08:00,90\n")
    columns = ("--subject-column", "id", "--subject", "p", *DHEAS)
    refused = run(path, *columns, *WOMAN)
    assert isinstance(refused.exception, InputFileError)
    assert "each has a sex and an age" in str(refused.exception)
    both = run(path, *columns, "--json")
    assert [json.loads(line)["subject"] for line in both.stdout.splitlines()] == ["p-1", "p-2"]


def test_the_picture_has_results_on_the_band_of_the_age(tmp_path: Path) -> None:
    path = results(tmp_path, [100, 90, "<2", 80])
    for kind in ("svg", "png"):
        printed(path, *DHEAS, *WOMAN, "--plot", tmp_path / f"slow.{kind}")
    text = words(tmp_path / "slow.svg")
    for shown in (
        "reference, 2.5 to 97.5 %",
        "middle of the age",
        "results",
        "below the detection limit",
        "age (years)",
        "DHEA-S (µg/dL)",
        "2019",
    ):
        assert shown in text, shown
    assert painted(tmp_path / "slow.png", "#0072B2") > 200
    printed(path, *DHEAS, "--plot", tmp_path / "unknown.svg")
    text = words(tmp_path / "unknown.svg")
    assert "tell --sex and --birth-year" in text
    assert "reference, 2.5 to 97.5 %" not in text


def test_each_of_the_group_is_served_and_no_other() -> None:
    served = [entry.slug for entry in load_catalogue() if entry.sampling == "slow-marker"]
    assert served == ["serum-dheas", "serum-igf-1", "hba1c"]


def test_two_results_of_one_day_are_one(tmp_path: Path) -> None:
    rows = [("2020-07-01 08:00", 100), ("2020-07-01 09:00", 300), ("2021-07-01 08:00", 110)]
    found = slow(table(tmp_path, rows), *DHEAS, *WOMAN)
    assert found["level-for-age"]["n"] == 2
    assert found["change"]["value"] == pytest.approx(10.0)
    assert "1 results on the day of another" in printed(tmp_path / "person-1.csv", *DHEAS, *WOMAN)


def test_results_that_mix_units_tell_nothing(tmp_path: Path) -> None:
    """IGF-1 of 150 ng/mL, and once 150 of what must have been something else."""
    igf = ("--analyte", "serum-igf-1", "--zone", "UTC", "--sex", "female", "--birth-year", "1980")
    found = slow(results(tmp_path, [150, 140, 4]), *igf)
    assert found["level-for-age"]["n"] == 3
    low = slow(results(tmp_path, [1500, 1400, 4]), *igf)
    assert "units may be mixed" in low["level-for-age"]["sentence"]
    assert "units may be mixed" in low["change"]["sentence"]
