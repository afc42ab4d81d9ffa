"""``acrophase fit --menses``: ovulation in each cycle, in table, JSON and chart."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from typer.testing import CliRunner, Result

from acrophase.cli import app
from processors.rhythm.cycle_evidence import evidence
from processors.rhythm.ovulation import PastCycle, habit, ovulation, ovulation_day
from processors.rhythm.temperature_shift import temperature_shift
from schemas.errors import InputFileError

FIRST = date(2024, 3, 1)
LENGTHS = (28, 29)
OVULATIONS = (14.5, 15.5, 16.2)
MENSES = ("--menses", "2024-03-01,2024-03-29,2024-04-27", "--zone", "Europe/Berlin")
TEMPERATURE = ("--analyte", "basal-temperature", *MENSES)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["fit", *map(str, arguments)])


def printed(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def answer(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def mornings() -> list[tuple[int, int, float]]:
    """(cycle, day in it, temperature) at 07:12 of 79 days; the third cycle is not over."""
    rng = np.random.default_rng(4)
    return [
        (
            cycle,
            day,
            round(36.4 + 0.3 * (day + 0.3 - OVULATIONS[cycle] > 0.75) + rng.normal(0, 0.06), 2),
        )
        for cycle, days in enumerate((*LENGTHS, 22))
        for day in range(days)
    ]


def recording(folder: Path, rows: Sequence[tuple[int, int, float]] | None = None) -> Path:
    path = folder / "person-1.csv"
    lines = [
        f"{FIRST + timedelta(days=sum(LENGTHS[:cycle]) + day)} 07:12,{value}"
        for cycle, day, value in rows or mornings()
    ]
    path.write_text("time,value\n" + "\n".join(lines) + "\n")
    return path


def test_each_cycle_is_that_of_the_pure_functions(tmp_path: Path) -> None:
    found = answer(recording(tmp_path), *TEMPERATURE)
    assert (found["subject"], found["unit"], found["notes"]) == ("person-1", "Cel", [])
    markers = found["markers"]
    assert [marker["on"] for marker in markers[::2]] == ["2024-03-01", "2024-03-29", "2024-04-27"]
    for cycle, truth in enumerate(OVULATIONS):
        rows = [(day, value) for number, day, value in mornings() if number == cycle]
        seen = evidence("temperature", [day + 0.3 for day, _ in rows], [v for _, v in rows])
        known = habit([PastCycle(float(length)) for length in LENGTHS[:cycle]])
        length = float(LENGTHS[cycle]) if cycle < 2 else None
        posterior = ovulation([seen], today=rows[-1][0] + 0.3, length=length, usual=known)
        for pure, marker in zip(
            (ovulation_day(posterior), temperature_shift(seen)),
            markers[2 * cycle : 2 * cycle + 2],
            strict=True,
        ):
            assert (marker["name"], marker["sentence"]) == (pure.name, pure.sentence)
            assert marker["status"] == pure.status
            figures = [marker[key] for key in ("value", "low", "high")]
            if pure.status == "measured":
                assert figures == pytest.approx([pure.value, pure.low, pure.high], rel=1e-6)
        day = markers[2 * cycle]
        # Cycle day 1 begins at day 0.
        assert day["low"] < truth + 1 < day["high"]


def test_the_table_has_a_line_a_cycle(tmp_path: Path) -> None:
    text = printed(recording(tmp_path), *TEMPERATURE)
    assert "ovulation-day 2024-03-29" in text
    assert "temperature-shift 2024-04-27" in text
    assert "mesor" not in text


def test_a_surge_of_lh_is_found(tmp_path: Path) -> None:
    surge = [(0, day, 5.0 + 40.0 * (day == 13)) for day in range(8, 20)]
    path = recording(tmp_path, surge)
    found = answer(path, "--analyte", "urine-lh", *MENSES)
    (marker,) = found["markers"]
    # The peak on the morning of cycle day 14, ovulation most of a day later.
    assert 14.0 < marker["value"] < 16.0
    assert marker["high"] - marker["low"] < 3.0


def test_what_the_menses_leave_open_is_said(tmp_path: Path) -> None:
    path = recording(tmp_path)
    zone = ("--zone", "Europe/Berlin", "--analyte", "basal-temperature")
    late = answer(path, *zone, "--menses", "2024-03-29,2024-04-27,2024-04-29")
    assert late["notes"] == [
        "A menses told to begin 2 days after another is the same one.",
        "28 readings before the first menses are in no cycle.",
    ]
    assert {marker["on"] for marker in late["markers"]} == {"2024-03-29", "2024-04-27"}
    # Of three usual cycles and one of twice the length, that one lost a log.
    lost = "2023-12-07,2024-01-04,2024-02-02,2024-03-01,2024-04-27"
    found = answer(path, *zone, "--menses", lost)
    on_lost = [marker for marker in found["markers"] if marker["on"] == "2024-03-01"]
    assert [marker["status"] for marker in on_lost] == ["withheld", "withheld"]
    assert all("lost a menses in between" in marker["sentence"] for marker in on_lost)
    assert found["markers"][2]["status"] == "measured"  # ovulation in the cycle after it
    assert "lost a menses in between" in printed(path, *zone, "--menses", lost)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--analyte", "basal-temperature", "--menses", "March"), "'March' is no date"),
        (("--analyte", "basal-temperature", "--menses", "2024-03-01,"), "'' is no date"),
        (("--analyte", "basal-temperature", "--menses", "2024-07-01"), "before 2024-07-01"),
        (("--analyte", "core-temperature", "--menses", "2024-03-01"), "not core-temperature"),
        (("--analyte", "basal-temperature"), "With --menses"),
        (
            ("--analyte", "basal-temperature", *MENSES[:2], "--scale", "log"),
            "of a 24-hour curve",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    result = run(recording(tmp_path), "--zone", "UTC", *options)
    assert isinstance(result.exception, InputFileError)
    assert sentence in str(result.exception)


def test_cycles_are_one_persons(tmp_path: Path) -> None:
    path = recording(tmp_path)
    rows = path.read_text().splitlines()[1:]
    path.write_text(
        "\n".join(["who,time,value", *(f"person-{k},{row}" for k in (1, 2) for row in rows)]) + "\n"
    )
    result = run(path, *TEMPERATURE, "--subject-column", "who")
    assert isinstance(result.exception, InputFileError)
    assert "choose one with --only" in str(result.exception)
    one = answer(path, *TEMPERATURE, "--subject-column", "who", "--only", "person-2")
    assert one["subject"] == "person-2"


def test_the_chart_has_readings_posterior_and_interval(tmp_path: Path) -> None:
    path = recording(tmp_path)
    for kind in ("svg", "png"):
        printed(path, *TEMPERATURE, "--plot", tmp_path / f"cycles.{kind}")
    text = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", (tmp_path / "cycles.svg").read_text()))
    for shown in (
        "Basal body temperature, person-1",
        "2024-03-01, 28 days. Ovulation is on cycle day 15",
        "2024-04-27, not over yet. Ovulation is on cycle day",
        "cycle day, 1 is the first of the menses",
        "probability of ovulation, by day",
        "temperature shift, 90 % interval",
    ):
        assert shown in text, shown
    pixels = imread(tmp_path / "cycles.png")[..., :3]
    # The area of the posterior, a quarter of the curve's blue on white, and its interval.
    for colour in ((0xBF, 0xDB, 0xEC), (0x00, 0x9E, 0x73)):
        near = np.abs(pixels - np.array(colour) / 255).max(axis=-1) < 0.02
        assert near.sum() > 300


def test_a_long_log_shows_its_last_cycles(tmp_path: Path) -> None:
    path = recording(tmp_path)
    starts = [FIRST + timedelta(days=11 * k) for k in range(8)]
    told = ",".join(map(str, starts))
    printed(
        path,
        "--analyte",
        "basal-temperature",
        "--zone",
        "UTC",
        "--menses",
        told,
        "--plot",
        tmp_path / "many.svg",
    )
    assert ": the last 6 of 8 cycles" in (tmp_path / "many.svg").read_text()


def test_a_menses_of_years_ago_makes_no_endless_chart(tmp_path: Path) -> None:
    options = ("--analyte", "basal-temperature", "--zone", "UTC", "--menses", "2021-03-01")
    picture = tmp_path / "years.svg"
    text = printed(recording(tmp_path), *options, "--plot", picture)
    assert "No menses was logged" in text or "no usable day" in text
    # A label a week, up to day 90.
    days = re.findall(r"<text[^>]*>(\d+)</text>", picture.read_text())
    assert days[:2] == ["1", "8"]
    assert max(map(int, days)) <= 90
