"""``acrophase fit`` on cortisol: slope, awakening response, ratio and late-night level."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from acrophase.wakings import parse_wakes, place_wakes
from processors.rhythm.cortisol import diurnal_slope, evening_morning_ratio, late_night_level
from processors.rhythm.samples import samples
from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError
from tests.acrophase.fitting import (
    CORTISOL,
    DAY,
    by_name,
    markers,
    printed,
    run,
    saliva,
    table,
)

NMOL = 0.036245  # ug/dL of cortisol (362.46 g/mol) in a nmol/L
SLOPE = {"diurnal-slope"}
RESPONSE = {"car-rise", "car-aucg", "car-auci", "car-responder"}
LEVELS = {"evening-morning-ratio", "late-night-level"}


def measured(found: list[dict[str, Any]]) -> set[str]:
    return {marker["name"] for marker in found if marker["status"] == "measured"}


def test_pruessner_s_areas_of_a_verified_morning(tmp_path: Path) -> None:
    options = (*CORTISOL, "--unit", "nmol/L", "--wake", "06:40", "--verified")
    found = by_name(markers(saliva(tmp_path, 5), *options))
    assert set(found) == SLOPE | RESPONSE | LEVELS
    for name, figure in (("car-aucg", 390.0), ("car-auci", 232.5), ("car-rise", 3.5)):
        assert found[name]["value"] == pytest.approx(figure * NMOL, rel=1e-4)
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]
    # 3.5 nmol/L is above the criterion of 2.5 nmol/L, and 0.0906 ug/dL in the analyte's unit.
    assert found["car-responder"]["value"] == 1
    assert "at least 0.0906" in found["car-responder"]["sentence"]


def test_slope_ratio_and_level_are_the_pure_functions(tmp_path: Path) -> None:
    path = saliva(tmp_path, 5)
    found = by_name(markers(path, *CORTISOL, "--unit", "nmol/L", "--wake", "06:40"))
    hours = [int(at[:2]) + int(at[3:]) / 60 for at, _ in DAY]
    taken = samples(hours, [value * NMOL for _, value in DAY], "ug/dL")
    known = load_catalogue()["saliva-cortisol"]
    assay, days = known.cv_analytical, known.cv_within
    for pure in (
        diurnal_slope(taken, 6 + 40 / 60, cv_analytical=assay, cv_within=days),
        evening_morning_ratio(taken, cv_analytical=assay, cv_within=days),
        late_night_level(taken, cv_analytical=assay, cv_within=days),
    ):
        assert pure.status == "measured"
        assert [found[pure.name][key] for key in ("value", "low", "high")] == pytest.approx(
            [pure.value, pure.low, pure.high], rel=1e-4
        )
    # The awakening response, which would make the slope less steep, is left out.
    assert found["diurnal-slope"]["n"] == 4
    assert found["diurnal-slope"]["on"] == "2024-03-05"
    assert found["late-night-level"]["on"] is None


@pytest.mark.parametrize(
    ("options", "given", "why"),
    [
        ((), LEVELS, "The time of waking is not known"),
        (("--wake", "06:40"), LEVELS | SLOPE, "The time of waking is reported or assumed"),
        (("--wake", "06:30", "--verified"), LEVELS | SLOPE, "10 minutes after waking"),
        (("--wake", "07:00", "--verified"), LEVELS | SLOPE, "before the waking at 07:00"),
    ],
)
def test_what_the_wake_time_does_not_carry_is_withheld(
    tmp_path: Path, options: tuple[str, ...], given: set[str], why: str
) -> None:
    path = saliva(tmp_path, 5)
    found = markers(path, *CORTISOL, "--unit", "nmol/L", *options)
    assert measured(found) == given
    response = by_name(found)
    assert all(why in response[name]["sentence"] for name in RESPONSE)
    text = printed(path, *CORTISOL, "--unit", "nmol/L", *options)
    assert "no car-rise, car-aucg, car-auci, car-responder: " in text


def test_each_waking_has_its_slope(tmp_path: Path) -> None:
    path = saliva(tmp_path, 5, 6, 7)
    nmol = (*CORTISOL, "--unit", "nmol/L")
    every = markers(path, *nmol, "--wake", "06:40")
    assert [marker["on"] for marker in every if marker["name"] == "diurnal-slope"] == [
        "2024-03-05",
        "2024-03-06",
        "2024-03-07",
    ]
    some = markers(path, *nmol, "--wake", "2024-03-07T06:40,2024-03-05T06:40")
    slopes = [marker for marker in some if marker["name"] == "diurnal-slope"]
    assert [marker["on"] for marker in slopes] == ["2024-03-05", "2024-03-07"]
    assert slopes[0]["value"] == pytest.approx(slopes[1]["value"])
    # The levels of three days are known better than those of one.
    (one,) = (m for m in markers(saliva(tmp_path, 5), *nmol) if m["name"] == "late-night-level")
    (three,) = (m for m in every if m["name"] == "late-night-level")
    assert three["high"] / three["low"] < one["high"] / one["low"]


def test_serum_has_no_awakening_response(tmp_path: Path) -> None:
    rows = [(f"2024-03-05 {at}", 20 * value) for at, value in DAY]
    options = ("--analyte", "serum-cortisol", "--zone", "UTC", "--unit", "nmol/L")
    found = markers(table(tmp_path, rows), *options, "--wake", "06:40", "--verified")
    assert {marker["name"] for marker in found} == SLOPE | LEVELS


def test_waking_goes_by_the_clock_of_its_day(tmp_path: Path) -> None:
    """Clocks go forward at 02:00 on 31 March 2024 in Berlin: 06:40 is 5.67 h after midnight."""
    taken = samples([0.0, 5.7, 20.0], [1, 2, 3], "ug/dL", offset_h=[0.0, 1.0, 1.0])
    (placed,) = place_wakes(tmp_path, parse_wakes("06:40"), taken, date(2024, 3, 31), verified=True)
    assert placed.hour == pytest.approx(5 + 40 / 60)
    assert placed.verified


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--wake", "25:00"), "'25:00' is no wake time"),
        (("--wake", "06:40,"), "'' is no wake time"),
        (("--wake", "2024-03-05"), "'2024-03-05' is no wake time"),
        (("--wake", "2024-03-05T06:40+01:00"), "a time of the wearer's clock"),
        (("--wake", "2024-03-09T06:40"), "within 20 hours after the waking at 2024-03-09T06:40"),
    ],
)
def test_wake_times_that_cannot_be_used_are_refused(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    result = run(saliva(tmp_path, 5), *CORTISOL, "--unit", "nmol/L", *options)
    assert isinstance(result.exception, InputFileError)
    assert sentence in str(result.exception)


@pytest.mark.parametrize("option", [("--wake", "06:40"), ("--verified",)])
def test_a_waking_without_use_is_refused(tmp_path: Path, option: tuple[str, ...]) -> None:
    path = saliva(tmp_path, 5)
    result = run(path, "--analyte", "saliva-cortisone", "--zone", "UTC", *option)
    assert isinstance(result.exception, InputFileError)
    assert "serve the markers of saliva-cortisol and serum-cortisol" in str(result.exception)


def test_one_waking_is_not_that_of_many_people(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    rows = [f"person-{who},2024-03-05 {at},{value}" for who in (1, 2) for at, value in DAY]
    path.write_text("\n".join(("who,time,value", *rows)) + "\n")
    options = (*CORTISOL, "--unit", "nmol/L", "--subject-column", "who", "--wake", "06:40")
    result = run(path, *options)
    assert isinstance(result.exception, InputFileError)
    assert "each woke up at another time" in str(result.exception)
    assert measured(markers(path, *options, "--only", "person-2")) == SLOPE | LEVELS


@pytest.mark.parametrize(("least", "given"), [("verified", RESPONSE), ("reported", set())])
def test_records_say_themselves_how_their_times_are_known(
    tmp_path: Path, least: str, given: set[str]
) -> None:
    """And the least sure of them counts, whatever --verified says of the waking."""
    path = tmp_path / "records.jsonl"
    code = load_catalogue()["saliva-cortisol"].codes[0].code
    path.write_text(
        "".join(
            json.dumps(
                {
                    "schema_version": 1,
                    "subject": "person-1",
                    "device": "tubes-1",
                    "site": "home",
                    "code": code,
                    "value": value,
                    "unit": "nmol/L",
                    "collected_at": f"2024-03-05T{at}:00+01:00",
                    "timing": least if k == 2 else "device",
                }
            )
            + "\n"
            for k, (at, value) in enumerate(DAY)
        )
    )
    options = ("--analyte", "saliva-cortisol", "--wake", "06:40", "--verified")
    assert measured(markers(path, *options)) == SLOPE | LEVELS | given
    # A waking in the file itself needs no option.
    wakings = {"subject": "person-1", "at": "2024-03-05T06:40:00+01:00", "verified": True}
    with path.open("a") as file:
        file.write(json.dumps({**wakings, "kind": "wake"}) + "\n")
    assert measured(markers(path, *options[:2])) == SLOPE | LEVELS | given
