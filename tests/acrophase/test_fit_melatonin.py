"""``acrophase fit`` on melatonin: onset, offset and midpoint of each night, and their picture."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from acrophase.fit_markers import melatonin_nights
from acrophase.plots.melatonin import draw_nights
from processors.rhythm.melatonin import dlmo_baseline, dlmo_hockey_stick, dlmo_threshold
from processors.rhythm.samples import samples
from schemas.catalogue import load_catalogue
from tests.acrophase.fitting import (
    by_name,
    markers,
    nights,
    painted,
    printed,
    table,
    words,
)

PROFILE = "dlmo_melatonin/sample_melatonin_profile.csv"
MELATONIN = ("--analyte", "saliva-melatonin", "--zone", "UTC")


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
