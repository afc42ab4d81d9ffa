"""``acrophase fit`` on files in which everything is wrong that can be: a status and a sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.errors import InputFileError
from tests.acrophase.fitting import CORTISOL, by_name, nights, run, saliva, table
from tests.acrophase.test_fit_events import dose, told

Rows = list[tuple[str, object]]

# Analyte, its level, and by how much it swings in a day.
ANALYTES = {
    "heart-rate": (65.0, 8.0),
    "saliva-cortisol": (0.2, 0.12),
    "plasma-melatonin": (20.0, 15.0),
    "steps": (400.0, 350.0),
    "serum-dheas": (120.0, 5.0),
}
WOMAN = ("--sex", "female", "--birth-year", "1980")


def day(analyte: str, hours: np.ndarray) -> Rows:
    level, swing = ANALYTES[analyte]
    values = level + swing * np.cos(2 * np.pi * (hours - 8) / 24) + 0.05 * swing * np.sin(9 * hours)
    return [
        (f"2024-03-{4 + int(h) // 24:02d} {int(h) % 24:02d}:{round(h % 1 * 60):02d}", round(v, 4))
        for h, v in zip(hours.tolist(), values.tolist(), strict=True)
    ]


def bad(analyte: str) -> dict[str, Rows]:
    good = day(analyte, np.arange(0.0, 48.0, 1.0))
    order = np.random.default_rng(2).permutation(len(good)).tolist()
    return {
        "one sample": good[:1],
        "three samples": good[:3],
        "13 hours": day(analyte, np.arange(7.0, 20.0, 0.5)),
        "all censored": [(at, f"<{value}") for at, value in good],
        "constant": [(at, good[0][1]) for at, _ in good],
        "one time": [(good[0][0], value) for _, value in good],
        "each time twice": [
            row for at, value in good for row in ((at, value), (at, 1.1 * float(str(value))))
        ],
        "unsorted": [good[k] for k in order],
    }


def answers(path: Path, analyte: str, *more: str) -> dict[str, Any]:
    result = run(path, "--analyte", analyte, "--zone", "Europe/Berlin", *more, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def numbers(node: object) -> Iterator[float]:
    if isinstance(node, dict):
        for value in node.values():
            yield from numbers(value)
    elif isinstance(node, list):
        for value in node:
            yield from numbers(value)
    elif isinstance(node, int | float):
        yield float(node)


def assert_sound(answer: dict[str, Any]) -> None:
    assert all(map(math.isfinite, numbers(answer)))
    for marker in answer["markers"]:
        given = [marker[name] for name in ("low", "value", "high")]
        assert marker["sentence"].endswith(".")
        if marker["status"] == "withheld":
            assert given == [None] * 3
        else:
            assert given == sorted(given)


STATUS = {
    "one sample": "too-few-samples",
    "three samples": "too-few-samples",
    "13 hours": "short-span",
    "all censored": "censored",
    "constant": "constant-values",
    "one time": "too-few-samples",
}


@pytest.mark.parametrize("row", STATUS)
@pytest.mark.parametrize("analyte", ["heart-rate", "saliva-cortisol", "plasma-melatonin", "steps"])
def test_a_bad_file_has_a_status_and_a_sentence(tmp_path: Path, analyte: str, row: str) -> None:
    answer = answers(table(tmp_path, bad(analyte)[row]), analyte)
    assert_sound(answer)
    fit = answer["least_squares"]
    assert fit["status"] == STATUS[row]
    assert fit["reason"].endswith(".")
    assert fit["mesor"] is fit["amplitude"] is fit["acrophase"] is fit["p"] is None
    assert answer["free_period"]["status"] == "withheld"
    # People see the reason, and no figure of a curve.
    shown = run(tmp_path / "person-1.csv", "--analyte", analyte, "--zone", "Europe/Berlin").stdout
    assert fit["reason"] in " ".join(shown.split())
    assert "mesor M" not in shown
    assert "Posterior" not in shown


@pytest.mark.parametrize("analyte", ["heart-rate", "saliva-cortisol"])
def test_order_and_repetition_change_nothing(tmp_path: Path, analyte: str) -> None:
    good = answers(table(tmp_path, day(analyte, np.arange(0.0, 48.0, 1.0))), analyte)
    for row in ("unsorted", "each time twice"):
        answer = answers(table(tmp_path, bad(analyte)[row]), analyte)
        assert_sound(answer)
        assert answer["least_squares"] == good["least_squares"]
        assert answer["markers"] == good["markers"]
        assert any("left out" in note for note in answer["notes"]) == (row == "each time twice")


@pytest.mark.parametrize("row", [*STATUS, "each time twice", "unsorted"])
def test_bad_files_of_a_slow_hormone(tmp_path: Path, row: str) -> None:
    """Hours are none for it: of each day one result counts."""
    answer = answers(table(tmp_path, bad("serum-dheas")[row]), "serum-dheas", *WOMAN)
    assert_sound(answer)
    found = by_name(answer["markers"])
    assert found["trend-beyond-age"]["status"] == "withheld"
    days = 2 if row in ("all censored", "constant", "each time twice", "unsorted") else 1
    censored = row == "all censored"
    assert found["level-for-age"]["status"] == ("withheld" if censored else "measured")
    assert found["level-for-age"]["n"] == days
    no_change = censored or days == 1
    assert found["change"]["status"] == ("withheld" if no_change else "measured")


def test_no_rows_are_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "person-1.csv"
    path.write_text("time,value\n")
    for analyte in ANALYTES:
        result = run(path, "--analyte", analyte, "--zone", "Europe/Berlin")
        assert isinstance(result.exception, InputFileError)


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_mixed_units_leave_the_few_out(tmp_path: Path, share: float) -> None:
    """Saliva cortisol in µg/dL, a share of it in nmol/L (27.6 times): what makes sense in the other
    unit only is told with its lines, and is in no figure."""
    rng = np.random.default_rng(4)
    hours = np.arange(0.0, 96.0, 1.0)
    rows = day("saliva-cortisol", hours)
    slipped = rng.random(len(rows)) < share
    mixed = [
        (at, round(float(str(value)) * (27.589 if off else 1.0), 4))
        for (at, value), off in zip(rows, slipped.tolist(), strict=True)
    ]
    answer = answers(table(tmp_path, mixed), "saliva-cortisol")
    assert_sound(answer)
    assert any("in another unit only" in note for note in answer["notes"])
    good = answers(table(tmp_path, rows), "saliva-cortisol")
    # Low levels in the other unit look like high ones in this: they stay, as in the stream.
    assert answer["least_squares"]["n"] < len(rows)
    assert answer["midline"] < 3 * good["midline"]


def test_most_of_a_file_in_another_unit_is_refused(tmp_path: Path) -> None:
    rows = [(at, float(str(v)) * 27.589) for at, v in day("saliva-cortisol", np.arange(48.0))]
    result = run(table(tmp_path, rows), *CORTISOL)
    assert isinstance(result.exception, InputFileError)
    assert "--unit" in str(result.exception)


def test_a_wake_time_after_the_sample(tmp_path: Path) -> None:
    options = (*CORTISOL, "--unit", "nmol/L", "--wake", "07:05", "--verified", "--json")
    result = run(saliva(tmp_path, 5), *options)
    answer = json.loads(result.stdout)
    assert_sound(answer)
    found = by_name(answer["markers"])
    for name in ("car-rise", "car-aucg", "car-auci", "car-responder"):
        assert found[name]["status"] == "withheld"
        assert "A sample was taken at 06:40, before the waking at 07:05" in found[name]["sentence"]


def test_two_menses_a_day_apart_are_one(tmp_path: Path) -> None:
    rows = [(f"2024-03-{k:02d} 07:00", 36.4 + 0.35 * (k > 16)) for k in range(5, 30)]
    path = table(tmp_path, rows)
    options = ("--analyte", "basal-temperature", "--zone", "UTC", "--json", "--menses")
    once, twice = (
        json.loads(run(path, *options, menses).stdout)
        for menses in ("2024-03-01,2024-03-30", "2024-03-01,2024-03-02,2024-03-30")
    )
    assert_sound(twice)
    assert twice["markers"] == once["markers"]
    assert any("is the same one" in note for note in twice["notes"])


def test_a_dose_in_the_window_withholds_the_night(tmp_path: Path) -> None:
    path = nights(tmp_path)
    events = told(tmp_path, dose("2024-03-05T21:30:00+01:00"))
    options = ("--analyte", "saliva-melatonin", "--zone", "Europe/Berlin", "--events", events)
    answer = json.loads(run(path, *options, "--json").stdout)
    assert_sound(answer)
    hidden = [marker for marker in answer["markers"] if marker["on"] == "2024-03-05"]
    assert {marker["status"] for marker in hidden} == {"withheld"}
    assert all("Melatonin was taken at 21:30" in marker["sentence"] for marker in hidden)
