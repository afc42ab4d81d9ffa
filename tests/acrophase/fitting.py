"""Recordings for ``acrophase fit``, and what it prints and draws of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.image import imread
from typer.testing import CliRunner, Result

from acrophase.cli import app

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


def saliva(folder: Path, *days: int) -> Path:
    """The morning of Pruessner et al. 2003 (0, 10, 15, 30, 45 minutes) and a day after it."""
    rows = [(f"2024-03-{day:02d} {at}", value) for day in days for at, value in DAY]
    return table(folder, rows)


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
