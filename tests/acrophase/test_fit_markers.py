"""``acrophase fit``: the markers beside the curve, in table, JSON and picture."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from typer.testing import CliRunner, Result

from acrophase.cli import app
from acrophase.fit_markers import melatonin_nights
from acrophase.plots.actogram import draw_actogram
from acrophase.plots.clock_dial import draw_dial
from acrophase.plots.melatonin import draw_nights
from acrophase.wakings import parse_wakes, place_wakes
from processors.rhythm.clock_bins import clock_bins
from processors.rhythm.cortisol import diurnal_slope, evening_morning_ratio, late_night_level
from processors.rhythm.cosinor import fit_cosinor
from processors.rhythm.cosinor_limits import amplitude_support, joint_radius_squared
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


def test_nights_lie_under_each_other_on_one_clock() -> None:
    """A night that was sampled from 20 to 22 h only, below one from 18 to 24 h."""
    first, second = np.arange(18.0, 25.0), np.arange(44.0, 47.0)
    taken = samples(np.r_[first, second], np.r_[1, 1, 1, 4, 8, 9, 9, 1, 2, 3], "pg/mL")
    known = load_catalogue()["saliva-melatonin"]
    # Up to 36 hours would be one profile.
    moved = samples(np.r_[first, second + 24], taken.values, "pg/mL")
    for recording, days in ((taken, [0]), (moved, [0, 48])):
        figure = Figure()
        draw_nights(figure, "level", melatonin_nights(known, recording, date(2024, 3, 5), ()))
        limits = np.array([axes.get_xlim() for axes in figure.axes])
        assert len(limits) == len(days)
        np.testing.assert_allclose(limits - limits[0], np.repeat(days, 2).reshape(-1, 2))


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


# -- events -------------------------------------------------------------------------------------


def told(folder: Path, *events: dict[str, object]) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps({"schema": 1, **event}) + "\n" for event in events))
    return path


def dose(at: str, substance: str = "melatonin", subject: str = "person-1") -> dict[str, object]:
    return {
        "subject": subject,
        "at": at,
        "kind": "dose",
        "substance": substance,
        "amount": 3.0,
        "unit": "mg",
        "route": "oral",
    }


@pytest.mark.parametrize(
    ("event", "hidden"),
    [
        (dose("2024-03-05T22:00:00+01:00"), {"2024-03-05"}),
        (dose("2024-03-06T13:00:00+01:00"), {"2024-03-06"}),
        (dose("2024-03-05T22:00:00+01:00", "hydrocortisone"), set()),
        (dose("2024-03-05T22:00:00+01:00", subject="person-2"), set()),
    ],
)
def test_a_dose_hides_the_melatonin_of_its_night(
    tmp_path: Path, event: dict[str, object], hidden: set[str]
) -> None:
    path = nights(tmp_path)
    options = ("--analyte", "saliva-melatonin", "--zone", "Europe/Berlin")
    told(tmp_path, event)
    found = markers(path, *options, "--events", tmp_path / "events.jsonl")
    withheld = [marker for marker in found if marker["status"] == "withheld"]
    assert {marker["on"] for marker in withheld} == hidden
    assert len(withheld) == 5 * len(hidden)
    at = str(event["at"])[11:16]
    assert all(f"Melatonin was taken at {at}" in marker["sentence"] for marker in withheld)
    if hidden:
        arguments = (*options, "--events", tmp_path / "events.jsonl")
        picture = tmp_path / "night.svg"
        printed(path, *arguments, "--plot", picture)
        assert "Melatonin was taken" in words(picture)


def test_wake_events_serve_cortisol(tmp_path: Path) -> None:
    """The nap in the afternoon is no waking; --wake counts before events."""
    path = saliva(tmp_path, 5, 6)
    wakings = told(
        tmp_path,
        *(
            {"subject": "person-1", "at": at, "kind": kind, "verified": verified}
            for at, kind, verified in (
                ("2024-03-05T06:40:00+01:00", "wake", True),
                ("2024-03-05T15:00:00+01:00", "wake", True),
                ("2024-03-05T23:30:00+01:00", "sleep", True),
                ("2024-03-06T06:40:00+01:00", "wake", False),
            )
        ),
    )
    nmol = (*CORTISOL, "--unit", "nmol/L")
    found = markers(path, *nmol, "--events", wakings)
    slopes = [marker for marker in found if marker["name"] == "diurnal-slope"]
    assert [marker["on"] for marker in slopes] == ["2024-03-05", "2024-03-06"]
    # The waking is verified, and the times of the table's samples are not.
    rises = [marker["sentence"] for marker in found if marker["name"] == "car-rise"]
    assert rises[0].startswith("The sampling times of 5 of 5 samples")
    assert rises[1].startswith("The time of waking is reported or assumed")
    own = markers(path, *nmol, "--events", wakings, "--wake", "2024-03-06T06:40")
    assert [m["on"] for m in own if m["name"] == "diurnal-slope"] == ["2024-03-06"]


def test_events_without_use_are_refused(tmp_path: Path) -> None:
    events = told(tmp_path, dose("2024-03-05T22:00:00+01:00"))
    result = run(saliva(tmp_path, 5), "--analyte", "heart-rate", "--events", events)
    assert isinstance(result.exception, InputFileError)
    assert "--events serves cortisol (wakings) and melatonin (doses)" in str(result.exception)


# -- steps and heart rate -----------------------------------------------------------------------

REST_ACTIVITY = {
    "interdaily-stability",
    "intradaily-variability",
    "m10",
    "l5",
    "relative-amplitude",
}
ACTIGRAPHY = (
    "wearable_heart_rate/sample_actiwatch.csv",
    ("--analyte", "steps", "--time-column", "Date,Time", "--value-column", "Activity"),
)


def steps(folder: Path, days: int) -> Path:
    """Hourly steps of a Berlin March: 100 from 7 to 23 h, 0 by night."""
    return table(
        folder,
        [
            (f"2024-03-{1 + hour // 24:02d} {hour % 24:02d}:00", 100 if 7 <= hour % 24 < 23 else 0)
            for hour in range(24 * days)
        ],
    )


STEPS = ("--analyte", "steps", "--zone", "Europe/Berlin")


def test_the_markers_of_a_regular_week_are_known(tmp_path: Path) -> None:
    """Every day the same: IS 1; M10 100 and L5 0 by definition, so RA 1.

    IV: two steps of 100 a day. Variance of 0 and 100 in shares 8/24 and 16/24: 100² 2/9; so
    IV = (167 / 168) (n / (n - 1)) mean squared step / variance = (14 / 167) / (2 / 9).
    """
    found = by_name(markers(steps(tmp_path, 7), *STEPS))
    assert set(found) == REST_ACTIVITY
    values = {name: marker["value"] for name, marker in found.items()}
    assert values["interdaily-stability"] == pytest.approx(1.0)
    assert values["intradaily-variability"] == pytest.approx(14 / 167 / (2 / 9))
    assert (values["m10"], values["l5"], values["relative-amplitude"]) == (100.0, 0.0, 1.0)
    assert "from 07:00 on" in found["m10"]["sentence"]
    assert found["m10"]["unit"] == "{steps}"
    assert "│ m10 │ 100 │ 100 to 100 │ steps │" in printed(tmp_path / "person-1.csv", *STEPS)


def test_real_actigraphy_by_the_canonical_formulas(shared_data: Path) -> None:
    """IS and IV written out anew from the file (Witting et al. 1990, hourly means)."""
    name, options = ACTIGRAPHY
    found = by_name(markers(shared_data / name, *options, "--zone", "UTC"))
    assert {marker["status"] for marker in found.values()} == {"measured"}
    hourly: dict[datetime, list[float]] = {}
    with (shared_data / name).open() as file:
        for row in csv.DictReader(file):
            if row["Activity"] not in ("", "NaN"):
                at = datetime.strptime(f"{row['Date']} {row['Time']}", "%m/%d/%Y %I:%M:%S %p")
                hour = at.replace(minute=0, second=0)
                hourly.setdefault(hour, []).append(float(row["Activity"]))
    worn = {day: sum(h.date() == day for h in hourly) for day in {h.date() for h in hourly}}
    means = {
        hour: float(np.mean(values))
        for hour, values in sorted(hourly.items())
        if worn[hour.date()] >= 16
    }
    x = np.array(list(means.values()))
    clock_hours = np.array([hour.hour for hour in means])
    by_hour = np.array([x[clock_hours == hour].mean() for hour in range(24)])
    times = list(means)
    steps_squared = [
        (means[b] - means[a]) ** 2 for a, b in pairwise(times) if (b - a).total_seconds() == 3600
    ]
    stability = ((by_hour - x.mean()) ** 2).mean() / x.var()
    assert found["interdaily-stability"]["value"] == pytest.approx(stability)
    assert found["intradaily-variability"]["value"] == pytest.approx(
        np.mean(steps_squared) / x.var()
    )


def test_too_few_days_say_so(tmp_path: Path) -> None:
    path = steps(tmp_path, 3)
    found = markers(path, *STEPS)
    assert {marker["status"] for marker in found} == {"withheld"}
    assert "At least 5 days" in printed(path, *STEPS)


# -- the dial and the actogram ------------------------------------------------------------------


def test_the_picture_of_activity_has_dial_and_actogram(shared_data: Path, tmp_path: Path) -> None:
    name, options = ACTIGRAPHY
    for kind in ("svg", "png"):
        printed(
            shared_data / name, *options, "--zone", "UTC", "--plot", tmp_path / f"activity.{kind}"
        )
    text = words(tmp_path / "activity.svg")
    for shown in (
        "24-hour harmonic, amplitude in steps",
        "joint 95 % confidence ellipse",
        "local clock time, two days a row",
        "2019-02-20",
        "2019-03-11",
        "grey: no readings",
        "IS 0.205",
        "RA 0.463",
    ):
        assert shown in text, shown
    # The bars are most of the blue; half a row is grey before the first reading.
    assert painted(tmp_path / "activity.png", "#0072B2") > 50_000
    assert painted(tmp_path / "activity.png", "#E6E6E6") > 10_000


def test_each_day_is_drawn_twice() -> None:
    """Day k of five has bars of height k: a row's right half is the left half of the next."""
    hours = np.arange(24.0 * 5)
    bins = clock_bins(hours[hours // 24 != 2], (hours // 24)[hours // 24 != 2])
    figure = Figure()
    draw_actogram(figure, bins, date(2024, 3, 1), "steps", [])
    (axes,) = figure.axes
    grey, blue = axes.collections[::2], axes.collections[1::2]

    def height(row: int, half: int) -> float:
        """Of the bars, in rows; the edges between halves belong to both."""
        (path,) = blue[row].get_paths()
        x, y = np.asarray(path.vertices).T
        inside = (x > 24.0 * half + 0.5) & (x < 24.0 * half + 23.5)
        return float(row + 1 - y[inside].min()) / 0.9

    rows = [(height(row, 0), height(row, 1)) for row in range(5)]
    assert rows == [
        pytest.approx(row) for row in [(0, 0.25), (0.25, 0), (0, 0.75), (0.75, 1), (1, 0)]
    ]
    # The day that is missing is grey on its own row and to the right of the one before.
    absent = [[path.get_extents().intervalx.tolist() for path in bar.get_paths()] for bar in grey]
    assert absent == [[], [[24.0, 48.0]], [[0.0, 24.0]], [], [[24.0, 48.0]]]
    assert axes.get_yticklabels()[0].get_text() == "2024-03-01"


def test_a_long_recording_shows_its_last_days(tmp_path: Path) -> None:
    start = datetime(2023, 1, 1)
    times = [start + timedelta(hours=6 * k) for k in range(4 * 200)]
    rows = [(at.isoformat(), 60 + at.hour) for at in times]
    options = ("--analyte", "heart-rate", "--zone", "UTC")
    printed(table(tmp_path, rows), *options, "--plot", tmp_path / "long.svg")
    text = words(tmp_path / "long.svg")
    assert "the last 180 of 200 days" in text
    assert "2023-01-21" in text
    assert "2023-01-01" not in text


def test_the_dial_of_no_rhythm_says_so(tmp_path: Path) -> None:
    picture = tmp_path / "day.svg"
    path = saliva(tmp_path, 5)
    printed(path, *CORTISOL, "--unit", "nmol/L", "--components", 1, "--plot", picture)
    assert "the ellipse holds the centre" not in words(picture)
    rng = np.random.default_rng(5)
    noise = [(f"2024-03-05 {hour:02d}:00", rng.lognormal(0, 1)) for hour in range(24)]
    path = table(tmp_path, noise)
    printed(path, *CORTISOL, "--unit", "nmol/L", "--components", 1, "--plot", picture)
    assert "the ellipse holds the centre: no acrophase" in words(picture)


@pytest.mark.parametrize("hour", [3.0, 9.0, 15.0, 21.0])
def test_the_hand_points_to_the_acrophase(hour: float) -> None:
    """Clockwise from midnight at the top; the ellipse's ends are the exact limits."""
    hours = np.arange(48.0)
    noise = np.random.default_rng(2).normal(0, 1.5, hours.size)
    fit = fit_cosinor(hours, 10 + 3 * np.cos(2 * np.pi * (hours - hour) / 24) + noise)
    figure = Figure()
    draw_dial(figure, fit, "1")
    (axes,) = figure.axes
    lines = {str(line.get_label()): np.asarray(line.get_xydata()) for line in axes.lines}
    tip = lines["amplitude and acrophase"][0]
    assert fit.acrophase is not None
    assert tip[0] % (2 * np.pi) == pytest.approx(fit.acrophase / 24 * 2 * np.pi)
    assert tip[1] == pytest.approx(fit.amplitude)
    on_page = axes.transData.transform(tip) - axes.transData.transform((0.0, 0.0))
    east, north = np.sign(on_page)
    assert (east, north) == (1 if hour < 12 else -1, 1 if hour in (3.0, 21.0) else -1)
    assert fit.df_residual is not None
    limits = amplitude_support(
        np.asarray(fit.coefficients)[1:],
        np.asarray(fit.covariance)[1:, 1:],
        joint_radius_squared(fit.df_residual, 0.95),
    )
    edge = lines["joint 95 % confidence ellipse"][:, 1]
    assert (edge.min(), edge.max()) == pytest.approx(limits, rel=1e-3)
