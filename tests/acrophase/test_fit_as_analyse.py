"""``acrophase fit`` and ``acrophase analyse`` say the same markers of the same recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from acrophase.cli import app
from tests.acrophase.fitting import markers

Markers = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight days of one simulated person, with sleep; the eighth shows that the seventh is over."""
    folder = tmp_path_factory.mktemp("recording")
    files = ["--out", folder / "readings.jsonl", "--events", folder / "events.jsonl"]
    run("simulate", "--people", "1", "--days", "8", "--seed", "5", "--start", "2026-01-01", *files)
    return folder


def run(*arguments: object) -> None:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def analysed(recording: Path) -> dict[str, Markers]:
    """By analyte: markers by name and date."""
    out = recording / "results.jsonl"
    run(
        *("analyse", recording / "readings.jsonl"),
        *("--events", recording / "events.jsonl", "--out", out),
    )
    found: dict[str, Markers] = {}
    for line in out.read_text().splitlines():
        row = json.loads(line)
        if row["type"] == "marker":
            found.setdefault(row["analyte"], {})[row["marker"], row["time"][:10]] = row
    return found


SAME = ("status", "value", "low", "high", "n", "unit", "sentence", "method")


@pytest.mark.parametrize("analyte", ["saliva-cortisol", "saliva-melatonin"])
def test_nights_and_wakings_are_the_same(
    recording: Path, analysed: dict[str, Markers], analyte: str
) -> None:
    events = recording / "events.jsonl"
    fitted = markers(recording / "readings.jsonl", "--analyte", analyte, "--events", events)
    dated = {(each["name"], each["on"]): each for each in fitted if each["on"]}
    assert len(dated) >= 35
    assert sum(each["status"] == "measured" for each in dated.values()) >= 6
    for key, each in dated.items():
        row = analysed[analyte][key]
        for name in SAME:
            assert row[name] == (
                pytest.approx(each[name], rel=1e-9) if isinstance(each[name], float) else each[name]
            ), (key, name)


def test_levels_of_all_days_are_those_up_to_the_last(
    recording: Path, analysed: dict[str, Markers]
) -> None:
    fitted = markers(recording / "readings.jsonl", "--analyte", "saliva-cortisol")
    ratio = next(each for each in fitted if each["name"] == "evening-morning-ratio")
    row = analysed["saliva-cortisol"]["evening-morning-ratio", "2026-01-08"]
    assert ratio["status"] == "measured"
    assert row["value"] == pytest.approx(ratio["value"], rel=1e-9)
    assert row["sentence"] == ratio["sentence"]


def test_a_week_of_heart_rate_is_the_same(recording: Path, analysed: dict[str, Markers]) -> None:
    """The stream keeps the means of half hours as 32-bit numbers."""
    seven_days = recording / "seven.jsonl"
    lines = (recording / "readings.jsonl").read_text().splitlines(keepends=True)
    seven_days.write_text(
        "".join(line for line in lines if json.loads(line)["collected_at"] < "2026-01-08")
    )
    fitted = markers(seven_days, "--analyte", "heart-rate")
    assert [each["status"] for each in fitted] == ["measured"] * 5
    for each in fitted:
        row = analysed["heart-rate"][each["name"], "2026-01-07"]
        assert row["value"] == pytest.approx(each["value"], rel=1e-5), each["name"]
        assert row["low"] == pytest.approx(each["low"], rel=1e-4)
