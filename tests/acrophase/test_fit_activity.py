"""``acrophase fit`` on steps and heart rate, the actogram and the clock dial."""

from __future__ import annotations

import csv
import re
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from acrophase.plots.actogram import draw_actogram
from acrophase.plots.clock_dial import draw_dial
from processors.rhythm.clock_bins import clock_bins
from processors.rhythm.cosinor import fit_cosinor
from processors.rhythm.cosinor_limits import amplitude_support, joint_radius_squared
from tests.acrophase.fitting import (
    CORTISOL,
    by_name,
    markers,
    painted,
    printed,
    saliva,
    table,
    words,
)

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


def limits_of(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """The curve panel's axis of each picture that is drawn from here on."""
    seen: list[tuple[float, float]] = []
    real = Figure.savefig

    def saved(self: Figure, *args: object, **more: object) -> None:
        axes = next(a for a in self.get_axes() if "(" in a.get_ylabel())
        seen.append(axes.get_ylim())
        real(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Figure, "savefig", saved)
    return seen


def test_one_sprint_does_not_flatten_a_month(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The actigraphy reaches thousands of counts, and 99 of 100 of its samples lie below 400."""
    name, options = ACTIGRAPHY
    seen = limits_of(monkeypatch)
    printed(shared_data / name, *options, "--zone", "UTC", "--plot", tmp_path / "activity.svg")
    ((low, high),) = seen
    with (shared_data / name).open() as file:
        rows = [row["Activity"] for row in csv.DictReader(file)]
    values = np.array([float(row) for row in rows if row not in ("", "NaN")])
    assert -20 < low <= 0
    assert np.quantile(values, 0.99) <= high < 1.2 * np.quantile(values, 0.99)
    outside = int((values > high).sum())
    told = re.search(
        r"([\d,]+) of 53,969 samples lie outside, up to ([\d,]+)", words(tmp_path / "activity.svg")
    )
    assert told is not None
    # The text counts from the samples' side of the edge, the axis has a little room beyond it.
    assert 0 <= int(told[1].replace(",", "")) - outside < 30
    assert int(told[2].replace(",", "")) == values.max()


def test_few_samples_and_even_clouds_are_shown_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = limits_of(monkeypatch)
    hours = np.arange(0, 24 * 110)
    rng = np.random.default_rng(3)
    even = 60 + 5 * np.cos(2 * np.pi * hours / 24) + rng.normal(0, 5, hours.size)
    for n, values in ((hours.size, even), (72, np.r_[even[:71], 180.0])):
        rows = [
            (f"{date(2024, 1, 1) + timedelta(days=int(h) // 24)} {h % 24:02d}:00", round(v, 2))
            for h, v in zip(hours[:n], values, strict=True)
        ]
        options = ("--analyte", "heart-rate", "--zone", "UTC")
        printed(table(tmp_path, rows), *options, "--plot", tmp_path / "whole.svg")
        assert seen[-1][0] < values.min() < values.max() < seen[-1][1]
        assert "lie outside" not in words(tmp_path / "whole.svg")
