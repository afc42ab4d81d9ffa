"""``acrophase fit``: from a file to figures, sentences and a picture."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import stdtrit
from typer.testing import CliRunner, Result

from acrophase.cli import app
from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError

CARROLL = ("hpa_24h/Carroll-2007-controlGroupCortisol.txt", "serum-cortisol")
FROM_MIDNIGHT = ("--time-unit", "minutes", "--start", "00:00")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["fit", *map(str, arguments)])


def fitted(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    answer: dict[str, Any] = json.loads(line)
    return answer


def recording(
    folder: Path, peak: float = 8.0, noise: float = 0.5, days: int = 3, level: float = 10.0
) -> Path:
    """Hourly values level + 3 cos w(t - peak) + noise from a midnight in Berlin's summer."""
    hours = np.arange(0, 24 * days)
    values = level + 3 * np.cos(2 * np.pi / 24 * (hours - peak))
    values += np.random.default_rng(7).normal(0, noise, hours.size)
    rows = [
        f"2024-06-{1 + hour // 24:02d} {hour % 24:02d}:00,{value:.4f}"
        for hour, value in zip(hours, values, strict=True)
    ]
    path = folder / "recording-1.csv"
    path.write_text("time,value\n" + "\n".join(rows) + "\n")
    return path


def test_carroll_control_cortisol(shared_data: Path) -> None:
    name, analyte = CARROLL
    answer = fitted(
        shared_data / name,
        "--analyte",
        analyte,
        *FROM_MIDNIGHT,
        "--components",
        1,
        "--scale",
        "linear",
        "--subject",
        "carroll-control-1",
    )
    fit = answer["least_squares"]
    assert answer["subject"] == "carroll-control-1"
    assert (answer["unit"], answer["scale"], fit["n"]) == ("ug/dL", "linear", 145)
    assert fit["mesor"] == pytest.approx(5.5824, abs=5e-5)
    assert fit["amplitude"] == pytest.approx(4.1418, abs=5e-5)
    assert fit["amplitude_se"] == pytest.approx(0.1473, abs=5e-5)
    assert fit["acrophase"] == pytest.approx(9.4521, abs=5e-5)
    assert fit["acrophase_radians"] == pytest.approx(-9.4521 * math.pi / 12, abs=2e-5)
    assert fit["f"] == pytest.approx(395.43, abs=5e-3)
    assert fit["r_squared"] == pytest.approx(0.84778, abs=5e-6)


def test_scale_and_harmonics_are_the_catalogues_unless_told(shared_data: Path) -> None:
    name, analyte = CARROLL
    answer = fitted(shared_data / name, "--analyte", analyte, *FROM_MIDNIGHT)
    fit = answer["least_squares"]
    assert (answer["scale"], fit["components"]) == ("log", 2)
    # On the log scale the results in the analyte's unit are the exponentials of the curve's.
    assert answer["midline"] == pytest.approx(math.exp(fit["mesor"]))
    assert answer["peak_value"] == pytest.approx(math.exp(fit["peak_value"]))
    assert answer["trough_value"] < answer["midline"] < answer["peak_value"]


def test_the_posterior_stands_beside_least_squares(shared_data: Path) -> None:
    """145 samples outweigh the prior but for readings that share weight: nearly the same curve."""
    name, analyte = CARROLL
    answer = fitted(shared_data / name, "--analyte", analyte, *FROM_MIDNIGHT)
    fit, posterior = answer["least_squares"], answer["posterior"]
    assert posterior["mesor"] == pytest.approx(answer["midline"], rel=0.1)
    assert posterior["amplitude"] == pytest.approx(fit["amplitude"], rel=0.15)
    low, high = posterior["acrophase_interval"]
    assert low < posterior["acrophase"] < high
    assert low < fit["acrophase"] < high
    # Neighbouring samples share weight, so it is less sure than independent errors would be.
    assert high - low > 2 * 1.645 * fit["acrophase_se"]


def test_the_table_shows_each_figure_with_its_error_and_the_convention(shared_data: Path) -> None:
    name, analyte = CARROLL
    result = run(
        shared_data / name,
        "--analyte",
        analyte,
        *FROM_MIDNIGHT,
        "--components",
        1,
        "--scale",
        "linear",
    )
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    for shown in (
        "mesor M │ 5.5824 │ 0.10423 │ µg/dL",
        "amplitude A │ 4.1418 │ 0.14728 │ µg/dL",
        "acrophase │ 09:27 9.4521 │ 0.13605 │ h",
        "acrophase phi │ -2.4746",
        "F(2, 142) │ 395.43",
        "R² │ 0.84778",
        "samples n │ 145",
        "y = M + A cos(w t + phi)",
        # the posterior, on the catalogue's scale
        "Posterior, log scale ┃ Estimate ┃ 90 % interval ┃ Unit",
        "midline │ 4.6596 │ 4.3268 to 5.0181 │ µg/dL",
        "acrophase │ 09:53 9.8881 │ 09:26 to 10:21 │ h",
        "independent n │ 24.167",
        # and what to mind
        "Readings closer than 60 minutes are not independent: these 145 tell as much as 24.",
    ):
        assert shown in text


def test_the_local_clock_counts_and_not_utc(tmp_path: Path) -> None:
    path = recording(tmp_path)
    for zone in ("Europe/Berlin", "+00:00", "Pacific/Auckland"):
        fit = fitted(path, "--analyte", "heart-rate", "--zone", zone)["least_squares"]
        assert fit["acrophase"] == pytest.approx(8.0, abs=0.3)


def test_other_units_are_converted(tmp_path: Path) -> None:
    """1 µg/dL of cortisol is 27.589 nmol/L."""
    path = recording(tmp_path)
    as_mass = fitted(path, "--analyte", "serum-cortisol", "--zone", "UTC", "--unit", "ug/dL")
    as_molar = fitted(path, "--analyte", "serum-cortisol", "--zone", "UTC", "--unit", "nmol/L")
    assert as_mass["unit"] == as_molar["unit"]
    assert as_mass["midline"] / as_molar["midline"] == pytest.approx(27.589, rel=1e-4)
    assert as_mass["least_squares"]["amplitude"] == pytest.approx(
        as_molar["least_squares"]["amplitude"]
    )


PEOPLE = (
    "--analyte",
    "heart-rate",
    "--time-column",
    "hour",
    "--value-column",
    "HR",
    "--subject-column",
    "patid",
    "--subject",
    "twin",
    "--start",
    "2024-01-01",
    "--time-unit",
    "clock-hour",
    "--components",
    "1",
)


def test_several_people_are_one_line_each(shared_data: Path) -> None:
    """Mean mesor and peak of people with at least 20 hours, as in test_cosinor."""
    path = shared_data / "hourly_heart_rate" / "twins_hourly.csv"
    result = run(path, *PEOPLE, "--json")
    fits = [json.loads(line)["least_squares"] for line in result.stdout.splitlines()]
    assert len(fits) > 370
    long = [fit for fit in fits if fit["n"] >= 20]
    assert np.mean([fit["mesor"] for fit in long]) == pytest.approx(69.72, abs=0.05)
    _, beta, gamma = np.mean([fit["coefficients"] for fit in long], axis=0)
    assert math.atan2(gamma, beta) * 12 / math.pi % 24 == pytest.approx(14.54, abs=0.05)
    assert {fit["status"] for fit in fits} >= {"fitted", "no-rhythm", "short-span"}

    table = run(path, *PEOPLE)
    assert table.exit_code == 0
    assert len([row for row in table.stdout.splitlines() if row.startswith(" twin-")]) == len(fits)
    assert "short-span, for example" in table.stdout


def test_one_person_of_several(shared_data: Path) -> None:
    path = shared_data / "hourly_heart_rate" / "twins_hourly.csv"
    assert fitted(path, *PEOPLE, "--only", "twin-1")["subject"] == "twin-1"
    nobody = run(path, *PEOPLE, "--only", "twin-99999")
    assert nobody.exit_code != 0
    assert "no readings of 'twin-99999'" in str(nobody.exception)


def test_no_rhythm_is_said_and_not_dressed_up(tmp_path: Path) -> None:
    path = tmp_path / "flat-1.csv"
    noise = np.random.default_rng(1).normal(70, 5, 48)
    path.write_text("".join(f"{hour},{value:.3f}\n" for hour, value in enumerate(noise)))
    options = ("--analyte", "heart-rate", "--time-unit", "hours", "--start", "00:00")
    fit = fitted(path, *options)["least_squares"]
    assert fit["status"] == "no-rhythm"
    assert fit["acrophase"] is None
    shown = run(path, *options).stdout
    assert "contains zero" in " ".join(shown.split())
    assert "acrophase phi" not in shown


def test_censored_and_repeated_readings(tmp_path: Path) -> None:
    path = recording(tmp_path)
    lines = path.read_text().splitlines()
    lines[1] = lines[1].split(",")[0] + ",<6.5"
    path.write_text("\n".join([*lines, lines[5].split(",")[0] + ",99"]) + "\n")
    answer = fitted(path, "--analyte", "serum-cortisol", "--zone", "UTC")
    assert answer["least_squares"]["n"] == 72
    assert answer["peak_value"] < 20
    assert any("beyond the assay's range" in note for note in answer["notes"])
    assert any("left out" in note for note in answer["notes"])


@pytest.mark.parametrize("value", ["0", "-1.5"])
def test_values_without_a_logarithm_are_refused_with_their_row(tmp_path: Path, value: str) -> None:
    path = recording(tmp_path)
    lines = path.read_text().splitlines()
    lines[9] = lines[9].split(",")[0] + "," + value
    path.write_text("\n".join(lines) + "\n")
    options = (path, "--analyte", "serum-cortisol", "--zone", "UTC")
    refused = run(*options, "--scale", "log")
    assert refused.exit_code != 0
    assert "line 10" in str(refused.exception)
    assert "--scale linear" in str(refused.exception)
    linear = fitted(*options, "--scale", "linear")
    assert linear["least_squares"]["n"] == 72
    assert linear["posterior"] is None


def test_a_file_in_another_unit_is_refused_with_that_unit(tmp_path: Path) -> None:
    path = recording(tmp_path)  # 7 to 13, as nmol/L an ordinary saliva cortisol
    refused = run(path, "--analyte", "saliva-cortisol", "--zone", "UTC")
    assert isinstance(refused.exception, InputFileError)
    assert "the same number in nmol/L" in str(refused.exception)
    assert "--unit" in str(refused.exception)
    answer = fitted(path, "--analyte", "saliva-cortisol", "--zone", "UTC", "--unit", "nmol/L")
    assert answer["midline"] == pytest.approx(9.6 * 0.036246, rel=0.05)


def test_without_an_analyte_those_that_there_are_are_listed(tmp_path: Path) -> None:
    refused = run(recording(tmp_path), "--zone", "UTC")
    assert isinstance(refused.exception, InputFileError)
    assert "add --analyte, one of saliva-cortisol" in str(refused.exception)


def test_records_of_the_simulator_are_fitted_and_the_truth_is_found(tmp_path: Path) -> None:
    paths = {name: tmp_path / name for name in ("readings.jsonl", "truth.json")}
    options = ("--people", "2", "--days", "14", "--start", "2026-01-05", "--seed", "3")
    files = ("--out", str(paths["readings.jsonl"]), "--truth", str(paths["truth.json"]))
    assert CliRunner().invoke(app, ["simulate", *options, *files]).exit_code == 0
    result = run(paths["readings.jsonl"], "--analyte", "wrist-temperature", "--json")
    assert result.exit_code == 0, result.output
    truth = {p["subject"]: p for p in json.loads(paths["truth.json"].read_text())["people"]}
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert {answer["subject"] for answer in answers} == {"sim-01", "sim-02"}
    for answer in answers:
        known = truth[answer["subject"]]["analytes"]["wrist-temperature"]
        low, high = answer["posterior"]["mesor_interval"]
        assert answer["midline"] == pytest.approx(known["mesor"], abs=2 * (high - low))
        shift = answer["least_squares"]["acrophase"] - known["acrophase"]
        assert abs((shift + 12) % 24 - 12) < 1.0
    refused = run(paths["readings.jsonl"], "--analyte", "heart-rate", "--zone", "UTC")
    assert "leave that out" in str(refused.exception)


def test_a_wide_table_is_fitted(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("id,a,b,c,d,e,f\n1,60,65,70,75,70,65\n2,70,65,60,55,60,65\n")
    people = ("--analyte", "heart-rate", "--subject-column", "id", "--subject", "p")
    wide = ("--value-column", "a,b,c,d,e,f", "--times=2,6,10,14,18,22", "--components", "1")
    result = run(path, *people, *wide, "--time-unit", "clock-hour", "--start", "00:00", "--json")
    assert result.exit_code == 0, result.output
    first, second = (json.loads(line)["least_squares"] for line in result.stdout.splitlines())
    assert (round(first["acrophase"], 6), round(second["acrophase"], 6)) == (14.0, 2.0)


def test_rows_that_cannot_be_read_are_told_and_the_rest_is_fitted(tmp_path: Path) -> None:
    path = recording(tmp_path)
    path.write_text(path.read_text() + "2024-06-09 00:00,high\n")
    result = run(path, "--analyte", "heart-rate", "--zone", "UTC", "--json")
    assert result.exit_code == 0
    assert "line 74" in result.stderr
    assert json.loads(result.stdout)["least_squares"]["n"] == 72


def texts(picture: Path) -> list[str]:
    """All text of an SVG, in the order in which it was drawn."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text())


def test_the_picture_shows_data_curve_and_peak(tmp_path: Path) -> None:
    path = recording(tmp_path)
    picture = tmp_path / "fit.png"
    result = run(path, "--analyte", "heart-rate", "--zone", "UTC", "--plot", picture)
    assert result.exit_code == 0, result.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    from matplotlib.image import imread

    pixels = imread(picture)
    # Curve and dial, below them the actogram of three days.
    assert pixels.shape[:2] == (900 + 450, 1200 + 540)
    # Curve and peak in their colours; what is not drawn has none.
    for colour in ((0x00, 0x72, 0xB2), (0x00, 0x9E, 0x73)):
        near = np.abs(pixels[..., :3] - np.array(colour) / 255).max(axis=-1) < 0.02
        assert near.sum() > 200


def test_the_picture_says_what_a_paper_must(tmp_path: Path) -> None:
    """Title, figures with their intervals, unit, clock, band, residuals."""
    picture = tmp_path / "fit.svg"
    path = recording(tmp_path, level=60.0)
    options = ("--analyte", "heart-rate", "--zone", "UTC", "--components", "1")
    assert run(path, *options, "--plot", picture).exit_code == 0
    found = texts(picture)
    for shown in (
        "Heart rate, recording-1",
        "Heart rate (beats/min)",
        "local clock time",
        "(beats/min)",  # of the residuals
        "72 samples",
        "90 % confidence band of the curve",
        "cosinor, one harmonic",
        "mesor",
        "peak and its 90 % interval",
        "00:00",
        "12:00",
    ):
        assert shown in found, shown
    fit = fitted(path, *options)["least_squares"]
    half = float(stdtrit(69, 0.95)) * fit["amplitude_se"]
    low, high = (f"{fit['amplitude'] + sign * half:#.3g}" for sign in (-1, 1))
    figures = " ".join(found)
    assert f"amplitude {fit['amplitude']:#.3g} ({low} to {high}) beats/min" in figures
    assert f"R² = {fit['r_squared']:.3f}, n = 72" in figures


@pytest.mark.parametrize(
    ("amplitude", "labels"),
    [(0.2, {"8", "10"}), (1.0, {"5", "10", "20"}), (3.5, {"1", "10", "100"})],
)
def test_the_log_axis_has_numbers_that_can_be_read(
    tmp_path: Path, amplitude: float, labels: set[str]
) -> None:
    hours = np.arange(48)
    values = 10 * np.exp(amplitude * np.cos(2 * np.pi / 24 * (hours - 8)))
    values *= np.exp(np.random.default_rng(3).normal(0, 0.02, hours.size))
    path = tmp_path / "curve-1.csv"
    path.write_text("".join(f"{h},{v:.6g}\n" for h, v in zip(hours, values, strict=True)))
    picture = tmp_path / "curve.svg"
    options = ("--analyte", "urine-sulfatoxymelatonin", "--time-unit", "hours", "--start", "00:00")
    result = run(path, *options, "--plot", picture)
    assert result.exit_code == 0, result.output
    before_title = texts(picture)
    numbers = [text for text in before_title if re.fullmatch(r"[\d.]+", text)]
    assert labels <= set(numbers)
    assert len(numbers) < 16
    assert "observed /" in before_title


def test_a_cloud_of_samples_is_drawn_with_its_medians(tmp_path: Path) -> None:
    path = recording(tmp_path, days=100, noise=5.0, level=60.0)
    picture = tmp_path / "cloud.svg"
    # 100 days of one June: any dates do.
    rows = path.read_text().splitlines()[1:]
    start = datetime(2024, 1, 1, tzinfo=UTC)
    moved = [
        f"{(start + timedelta(hours=n)).isoformat()},{row.split(',')[1]}"
        for n, row in enumerate(rows)
    ]
    path.write_text("time,value\n" + "\n".join(moved) + "\n")
    result = run(path, "--analyte", "heart-rate", "--plot", picture)
    assert result.exit_code == 0, result.output
    assert "2,400 samples" in texts(picture)
    assert "half-hour median and quartiles" in texts(picture)


def test_a_picture_without_a_fit_has_the_data_and_the_reason(tmp_path: Path) -> None:
    path = recording(tmp_path)
    path.write_text("\n".join(path.read_text().splitlines()[:11]) + "\n")
    picture = tmp_path / "short.svg"
    result = run(path, "--analyte", "heart-rate", "--zone", "UTC", "--plot", picture)
    assert result.exit_code == 0, result.output
    assert "<svg" in picture.read_text()
    assert "span 9.0 hours" in " ".join(result.stdout.split())


@pytest.mark.parametrize("name", ["missing/fit.png", "fit.unknown"])
def test_a_picture_that_cannot_be_written_is_an_error(tmp_path: Path, name: str) -> None:
    path = recording(tmp_path)
    result = run(path, "--analyte", "heart-rate", "--zone", "UTC", "--plot", tmp_path / name)
    assert result.exit_code != 0
    assert "cannot be written" in str(result.exception)


def test_a_picture_of_several_people_is_refused(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "hourly_heart_rate" / "twins_hourly.csv"
    result = run(path, *PEOPLE, "--plot", tmp_path / "fit.png")
    assert result.exit_code != 0
    assert "--only" in str(result.exception)
    assert not (tmp_path / "fit.png").exists()


def test_least_squares_load_no_kafka_no_compiler_and_no_plotting() -> None:
    code = (
        "import sys, acrophase.commands.fit; "
        "print(sorted({'kafka', 'aiokafka', 'faust', 'numba', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("analyte", "instead"),
    [
        ("serum-gh", "comes in pulses"),
        ("serum-lh", "the same phase of the cycle"),
        ("serum-free-t4", "its level"),
    ],
)
def test_what_is_not_ruled_by_the_hour_gets_no_cosine(
    tmp_path: Path, analyte: str, instead: str
) -> None:
    """Not even the file is read: no reading makes a 24-hour curve of it."""
    result = run(tmp_path / "never-read.csv", "--analyte", analyte)
    assert isinstance(result.exception, InputFileError)
    assert instead in str(result.exception)
    assert load_catalogue()[analyte].short_name in str(result.exception)
