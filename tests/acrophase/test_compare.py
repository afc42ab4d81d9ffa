"""``acrophase compare``: groups and conditions, from what ``acrophase fit --json`` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from acrophase.cli import app
from processors.rhythm.cosinor import fit_cosinor
from processors.rhythm.cosinor_difference import difference
from processors.rhythm.cosinor_population import population_cosinor

HOURS = np.arange(0.0, 72.0, 2.0)
# Mesor, amplitude and peak of six people.
PEOPLE = {f"p-{k}0{k}": (60.0 + k, 6.0 + 0.3 * k, 15.0 + 0.2 * k * (-1) ** k) for k in range(1, 7)}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def rates(curve: tuple[float, float, float], seed: int) -> np.ndarray[Any, Any]:
    mesor, amplitude, peak = curve
    found: np.ndarray[Any, Any] = mesor + amplitude * np.cos(2 * np.pi * (HOURS - peak) / 24)
    return found + np.random.default_rng(seed).normal(0.0, 0.3, HOURS.size)


def fits(
    folder: Path, name: str, people: Mapping[str, tuple[float, float, float]], seed: int = 0
) -> Path:
    """What ``acrophase fit`` says of people measured every two hours for three days."""
    rows = [
        f"{who},{hour},{value}"
        for k, (who, curve) in enumerate(people.items())
        for hour, value in zip(HOURS, rates(curve, seed + k), strict=True)
    ]
    table = folder / f"{name}.csv"
    table.write_text("id,hour,rate\n" + "\n".join(rows) + "\n")
    options = ("--analyte", "heart-rate", "--components", "1", "--time-unit", "hours")
    columns = ("--time-column", "hour", "--value-column", "rate", "--subject-column", "id")
    result = run("fit", table, *options, *columns, "--start", "2026-01-01T00:00", "--json")
    assert result.exit_code == 0, result.output
    out = folder / f"{name}.jsonl"
    out.write_text(result.stdout)
    return out


def compared(*arguments: object) -> dict[str, Any]:
    result = run("compare", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def later(by: float, higher: float = 0.0) -> dict[str, tuple[float, float, float]]:
    return {who: (m + higher, a, p + by) for who, (m, a, p) in PEOPLE.items()}


def test_a_group_has_its_mean_rhythm(tmp_path: Path) -> None:
    found = compared(fits(tmp_path, "group", PEOPLE))
    table = [
        fit_cosinor(HOURS, rates(curve, k), components=1).coefficients[:3]
        for k, curve in enumerate(PEOPLE.values())
    ]
    wanted = population_cosinor(np.array(table), "/min")
    assert found["design"] == "group"
    assert found["people"] == [6]
    assert found["f"] == pytest.approx(wanted.f)
    for marker, by_hand in zip(
        found["markers"], (wanted.mesor, wanted.amplitude, wanted.acrophase), strict=True
    ):
        assert marker["name"] == by_hand.name
        assert marker["value"] == pytest.approx(by_hand.value, abs=1e-6)
        assert marker["low"] == pytest.approx(by_hand.low, abs=1e-6)


def test_the_same_people_are_paired(tmp_path: Path) -> None:
    before, after = (
        fits(tmp_path, "before", PEOPLE),
        fits(tmp_path, "after", later(2.0, 3.0), seed=50),
    )
    found = compared(before, after)
    assert (found["design"], found["people"]) == ("paired", [6, 6])
    values = {marker["name"]: marker for marker in found["markers"]}
    (shift,) = (marker for name, marker in values.items() if "acrophase" in name)
    assert shift["value"] == pytest.approx(2.0, abs=0.15)
    (level,) = (marker for name, marker in values.items() if "mesor" in name)
    assert level["low"] < 3.0 < level["high"]
    apart = compared(before, after, "--independent")
    assert apart["design"] == "independent"
    wider = next(marker for marker in apart["markers"] if "mesor" in marker["name"])
    assert wider["high"] - wider["low"] > 2 * (level["high"] - level["low"])


def test_one_person_in_two_conditions(tmp_path: Path) -> None:
    one = {"p-101": PEOPLE["p-101"]}
    two = {"p-101": later(1.5)["p-101"]}
    found = compared(fits(tmp_path, "one", one), fits(tmp_path, "two", two))
    first, second = (
        fit_cosinor(HOURS, rates(each["p-101"], 0), components=1) for each in (one, two)
    )
    wanted = difference(first, second, "/min").acrophase
    assert found["design"] == "one person"
    assert found["markers"][2]["value"] == pytest.approx(wanted.value, abs=1e-6)
    assert found["markers"][2]["sentence"] == wanted.sentence


def test_people_of_one_file_only_are_left_out_and_named(tmp_path: Path) -> None:
    some = {who: curve for who, curve in later(1.0).items() if who != "p-303"}
    found = compared(fits(tmp_path, "all", PEOPLE), fits(tmp_path, "some", some))
    assert found["people"] == [5, 5]
    assert found["left_out"] == ["p-303"]


def test_the_table_says_what_people_want_to_read(tmp_path: Path) -> None:
    result = run("compare", fits(tmp_path, "group", PEOPLE))
    assert result.exit_code == 0, result.output
    told = " ".join(result.stdout.split())
    assert "heart-rate: mean rhythm, n = 6" in told
    assert "zero amplitude: F =" in told
    assert "local clock" in told


def test_too_few_people_have_no_mean(tmp_path: Path) -> None:
    two = {who: PEOPLE[who] for who in ("p-101", "p-202")}
    result = run("compare", fits(tmp_path, "two", two))
    assert result.exit_code == 0
    assert "not given" in result.stdout
    assert "at least" in result.stdout
    assert "nan" not in result.stdout.lower()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no fits"),
        ("not json\n", "line 1: no fit of a curve"),
        ('{"subject": "p-101"}\n', "line 1: no fit of a curve"),
    ],
)
def test_what_is_no_fit_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "fits.jsonl"
    path.write_text(text)
    result = run("compare", path)
    assert result.exit_code != 0
    assert words in str(result.exception)


def test_a_person_twice_and_a_stray_option_are_refused(tmp_path: Path) -> None:
    path = fits(tmp_path, "one", {"p-101": PEOPLE["p-101"]})
    path.write_text(path.read_text() * 2)
    assert "more than one fit of p-101" in str(run("compare", path).exception)
    group = fits(tmp_path, "group", PEOPLE)
    assert "two files" in str(run("compare", group, "--independent").exception)
