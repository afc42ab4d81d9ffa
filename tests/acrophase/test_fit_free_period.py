"""``acrophase fit`` on people whose clock does not run at 24 hours."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.acrophase.fitting import painted, printed, run, table, words

HEART = ("--analyte", "heart-rate", "--zone", "Europe/Berlin")


def lived(folder: Path, period: float, days: int, *, swing: float = 7.0) -> Path:
    """Hourly heart rates in UTC over the change to summer time of 2024."""
    rng = np.random.default_rng(5)
    hours = np.arange(24 * days)
    rates = (
        66 + swing * np.cos(2 * np.pi * (hours - 15) / period) + 3 * rng.standard_normal(hours.size)
    )
    begin = datetime(2024, 3, 24)
    rows = [
        (f"{begin + timedelta(hours=int(hour)):%Y-%m-%dT%H:%M}Z", round(float(rate), 1))
        for hour, rate in zip(hours, rates, strict=True)
    ]
    return table(folder, rows)


def period_of(path: Path, *more: object) -> dict[str, Any]:
    result = run(path, *HEART, *more, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)["free_period"]
    return found


def test_a_free_running_clock_has_its_period(tmp_path: Path) -> None:
    """By elapsed time, also over the change of the clock."""
    path = lived(tmp_path, 24.6, 14)
    found = period_of(path)
    assert found["status"] == "measured"
    assert found["low"] <= 24.6 <= found["high"]
    assert found["high"] - found["low"] < 0.3
    assert found["best"] == found["period"]
    assert not found["day_fits"]
    text = printed(path, *HEART)
    assert f"free period │ {found['period']:.2f}" in text
    assert "and 24 hours does not fit." in text


def test_a_day_of_24_hours_stands(tmp_path: Path) -> None:
    path = lived(tmp_path, 24.0, 14)
    found = period_of(path)
    assert found["status"] == "withheld"
    assert found["period"] is found["low"] is found["high"] is None
    assert found["day_fits"]
    assert found["best"] == pytest.approx(24.0, abs=0.2)
    assert "the daily rhythm stands" in found["sentence"]
    # Nobody who has a daily rhythm is told of other periods.
    assert "period" not in printed(path, *HEART)


def test_too_few_days_are_told_where_24_hours_fails(tmp_path: Path) -> None:
    """Four days of noise: no acrophase, and no period either."""
    path = lived(tmp_path, 24.0, 4, swing=0.0)
    assert "span 4.0 days" in period_of(path)["sentence"]
    assert "span 4.0 days, and a period needs at least 5" in printed(path, *HEART)


def test_many_samples_count_as_half_hour_means(shared_data: Path) -> None:
    """Nineteen days of 30-second actigraphy of somebody whose day has 24 hours."""
    actigraphy = shared_data / "wearable_heart_rate" / "sample_actiwatch.csv"
    columns = ("--time-column", "Date,Time", "--value-column", "Activity")
    result = run(actigraphy, "--analyte", "steps", *columns, "--zone", "UTC", "--json")
    found = json.loads(result.stdout)["free_period"]
    assert 800 < found["n"] < 48 * 20
    assert found["day_fits"]
    assert found["best"] == pytest.approx(24.0, abs=0.3)
    assert "the daily rhythm stands" in found["sentence"]


def test_the_picture_has_the_periodogram_of_those_alone(tmp_path: Path) -> None:
    free = lived(tmp_path, 24.6, 14)
    printed(free, *HEART, "--plot", tmp_path / "free.svg")
    text = words(tmp_path / "free.svg")
    found = period_of(free)
    for shown in (
        "period (hours)",
        "variance explained (%)",
        "24 hours does not fit",
        f"{found['period']:.2f} hours (90 % interval {found['low']:.2f} to {found['high']:.2f})",
    ):
        assert shown in text
    printed(free, *HEART, "--plot", tmp_path / "free.png")
    day = lived(tmp_path, 24.0, 14)  # the same file
    printed(day, *HEART, "--plot", tmp_path / "day.svg")
    assert "variance explained" not in words(tmp_path / "day.svg")
    printed(day, *HEART, "--plot", tmp_path / "day.png")
    assert painted(tmp_path / "free.png", "#009E73") > painted(tmp_path / "day.png", "#009E73")


def test_readings_beyond_the_assay_tell_no_period(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    rows = [
        (f"2024-03-{1 + hour // 24:02d} {hour % 24:02d}:00", value)
        for hour in range(0, 24 * 8, 3)
        for value in ["<0.05" if rng.random() < 0.7 else f"{0.1 + rng.random() / 5:.3f}"]
    ]
    options = ("--analyte", "saliva-cortisol", "--zone", "Europe/Berlin")
    result = run(table(tmp_path, rows), *options, "--json")
    answer = json.loads(result.stdout)
    assert answer["least_squares"]["status"] == "censored"
    assert answer["least_squares"]["mesor"] is None
    assert answer["free_period"]["status"] == "withheld"
    assert "are beyond the assay's range" in answer["free_period"]["sentence"]
    assert "beyond the assay's range, and a curve" in printed(tmp_path / "person-1.csv", *options)
