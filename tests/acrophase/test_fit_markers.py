"""``acrophase fit``: the markers beside the curve, in table, JSON and picture."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from typer.testing import CliRunner, Result

from acrophase.cli import app
from acrophase.wakings import parse_wakes, place_wakes
from processors.rhythm.cortisol import diurnal_slope, evening_morning_ratio, late_night_level
from processors.rhythm.melatonin import dlmo_baseline, dlmo_hockey_stick, dlmo_threshold
from processors.rhythm.samples import samples
from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError

PROFILE = "dlmo_melatonin/sample_melatonin_profile.csv"
MELATONIN = ("--analyte", "saliva-melatonin", "--zone", "UTC")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["fit", *map(str, arguments)])


def printed(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def markers(*arguments: object) -> list[dict[str, Any]]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    found: list[dict[str, Any]] = json.loads(line)["markers"]
    return found


def by_name(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    assert len({marker["name"] for marker in found}) == len(found)
    return {marker["name"]: marker for marker in found}


def table(folder: Path, rows: Sequence[tuple[str, object]], name: str = "person-1.csv") -> Path:
    path = folder / name
    path.write_text("time,value\n" + "".join(f"{at},{value}\n" for at, value in rows))
    return path


def words(picture: Path) -> str:
    """All text of an SVG."""
    return " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text()))


def painted(picture: Path, colour: str) -> int:
    """How many pixels of a PNG have nearly this colour (#RRGGBB)."""
    wanted = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    near = np.abs(imread(picture)[..., :3] - wanted).max(axis=-1) < 0.02
    return int(near.sum())


# -- melatonin ----------------------------------------------------------------------------------


def test_the_published_onset_with_the_pure_functions_intervals(shared_data: Path) -> None:
    """dlmoR's README, threshold 3 pg/mL: hockey stick 20:16:00; the line crosses at 20:38:30."""
    found = by_name(markers(shared_data / PROFILE, *MELATONIN))
    assert round(found["dlmo-hockey-stick"]["value"] * 3600) == 20 * 3600 + 16 * 60
    assert round(found["dlmo-threshold"]["value"] * 3600) == 20 * 3600 + 38 * 60 + 30
    with (shared_data / PROFILE).open() as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    times = [datetime.fromisoformat(row["datetime"]) for row in rows]
    hours = [(at - datetime(2024, 4, 17)).total_seconds() / 3600 for at in times]
    taken = samples(hours, [float(row["melatonin"]) for row in rows], "pg/mL")
    for method in (dlmo_threshold, dlmo_baseline, dlmo_hockey_stick):
        pure = method(taken, 3.0, cv_analytical=0.12)  # the catalogue's, of saliva
        marker = found[pure.name]
        assert marker["on"] == "2024-04-17"
        assert (marker["unit"], marker["sentence"]) == ("clock_h", pure.sentence)
        assert [marker[key] for key in ("value", "low", "high")] == pytest.approx(
            [pure.value, pure.low, pure.high]
        )
    for name in ("melatonin-offset", "melatonin-midpoint"):
        assert (found[name]["status"], found[name]["value"]) == ("withheld", None)
        assert "does not fall below" in found[name]["sentence"]


def test_the_table_has_onsets_and_why_there_is_no_offset(shared_data: Path) -> None:
    text = printed(shared_data / PROFILE, *MELATONIN)
    assert "dlmo-hockey-stick │ 20:16 │ 19:37 to 20:55" in text
    assert "no melatonin-offset, melatonin-midpoint: The level does not fall below" in text


def test_an_evening_has_an_onset_though_it_has_no_curve(tmp_path: Path) -> None:
    """Plasma has its own threshold, and the unit is converted: 20 to 21 h is 5 to 15 pg/mL."""
    rows = [("18:00", 4.0), ("19:00", 4.5), ("20:00", 5.0), ("21:00", 15.0), ("22:00", 40.0)]
    path = table(tmp_path, [(f"2024-03-05 {at}", value / 232.28) for at, value in rows])
    options = ("--analyte", "plasma-melatonin", "--zone", "UTC", "--unit", "nmol/L")
    found = by_name(markers(path, *options))
    assert found["dlmo-threshold"]["value"] == pytest.approx(20.5, abs=0.01)
    text = printed(path, *options)
    assert "mesor" not in text
    assert "dlmo-threshold │ 20:30" in text


def nights(folder: Path) -> Path:
    """Two nights, onsets at 21:00 and 23:00 (3 pg/mL), hourly from noon to noon; 1 below."""

    def level(hour: int) -> float:
        onset = 21 if hour < 36 else 47
        since = hour - onset
        return 3.0 + 2.0 * min(since, 9 - since) if 0 <= since <= 9 else 1.0 + 0.01 * (hour % 3)

    return table(
        folder,
        [
            (f"2024-03-{5 + hour // 24:02d} {hour % 24:02d}:00", level(hour))
            for hour in range(12, 60)
        ],
    )


def test_each_night_has_its_own_markers(tmp_path: Path) -> None:
    path = nights(tmp_path)
    found = markers(path, *MELATONIN)
    onsets = [marker for marker in found if marker["name"] == "dlmo-threshold"]
    assert [marker["on"] for marker in onsets] == ["2024-03-05", "2024-03-06"]
    assert [marker["value"] for marker in onsets] == pytest.approx([21.0, 23.0], abs=0.01)
    assert all(marker["status"] == "measured" for marker in found), found
    text = printed(path, *MELATONIN)
    assert "dlmo-threshold 2024-03-05 │ 21:00" in text
    assert "dlmo-threshold 2024-03-06 │ 23:00" in text


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([1.0, 1.2, 1.1, 1.3, 1.0], "never rises to the threshold"),
        (["<0.5"] * 5, "below the assay's detection limit"),
        (["<4", "<4", "<4", 9, 15], "detection limit of 4 pg/mL is above the threshold of 3"),
        ([1.0, 9.0], "needs at least 4 samples"),
    ],
)
def test_profiles_without_an_onset_say_why(tmp_path: Path, values: list[object], why: str) -> None:
    rows = [(f"2024-03-05 {19 + k}:00", value) for k, value in enumerate(values)]
    path = table(tmp_path, rows)
    found = markers(path, *MELATONIN)
    assert {marker["status"] for marker in found} == {"withheld"}
    assert all(why in marker["sentence"] for marker in found)
    picture = tmp_path / "profile.svg"
    assert why in printed(path, *MELATONIN, "--plot", picture)
    assert why in words(picture)


def test_the_picture_of_a_profile_has_threshold_and_knee(shared_data: Path, tmp_path: Path) -> None:
    for name in ("profile.svg", "profile.png"):
        printed(shared_data / PROFILE, *MELATONIN, "--plot", tmp_path / name)
    text = words(tmp_path / "profile.svg")
    for shown in (
        "Melatonin, saliva, sample_melatonin_profile-1",
        "2024-04-17: knee 20:16 (19:37 to 20:55), threshold crossing 20:39 (20:35 to 21:24)",
        "threshold 3 pg/mL",
        "hockey stick",
        "knee and its 90 % interval",
        "local clock time",
        "00:00",
    ):
        assert shown in text, shown
    # The stick, the threshold and the knee in their colours.
    for colour, least in (("#0072B2", 1500), ("#D55E00", 500), ("#009E73", 100)):
        assert painted(tmp_path / "profile.png", colour) > least, colour


def test_a_picture_has_a_row_a_night(tmp_path: Path) -> None:
    printed(nights(tmp_path), *MELATONIN, "--plot", tmp_path / "nights.svg")
    text = words(tmp_path / "nights.svg")
    assert "2024-03-05: knee" in text
    assert "2024-03-06: knee" in text
    assert text.count("hockey stick") == 1  # one legend for all


# -- cortisol -----------------------------------------------------------------------------------

CORTISOL = ("--analyte", "saliva-cortisol", "--zone", "Europe/Berlin")
DAY = (
    ("06:40", 3.5),
    ("06:50", 7.0),
    ("06:55", 14.0),
    ("07:10", 7.0),
    ("07:25", 10.0),
    ("09:30", 6.0),
    ("13:00", 4.0),
    ("18:00", 2.0),
    ("23:10", 1.0),
)
NMOL = 0.036245  # ug/dL of cortisol (362.46 g/mol) in a nmol/L
SLOPE = {"diurnal-slope"}
RESPONSE = {"car-rise", "car-aucg", "car-auci", "car-responder"}
LEVELS = {"evening-morning-ratio", "late-night-level"}


def saliva(folder: Path, *days: int) -> Path:
    """The morning of Pruessner et al. 2003 (0, 10, 15, 30, 45 minutes) and a day after it."""
    rows = [(f"2024-03-{day:02d} {at}", value) for day in days for at, value in DAY]
    return table(folder, rows)


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
        (("--wake", "06:40"), LEVELS | SLOPE, "reported or assumed, not verified"),
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
    placed = place_wakes(tmp_path, parse_wakes("06:40"), taken, date(2024, 3, 31))
    assert placed == pytest.approx((5 + 40 / 60,))


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
