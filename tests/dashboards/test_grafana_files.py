"""The generated files follow the code, byte for byte, and load back through the SDK whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana import generate
from dashboards.grafana.flux import checked
from dashboards.grafana.identity import (
    ALERTS_UID,
    COHORT_UID,
    PIPELINE_UID,
    SUBJECT_UID,
    TAG,
)
from schemas.measurements import ALERT, MEASUREMENTS

FOLDER = Path("dashboards/grafana")
BOARDS = generate.dashboards()


def test_files_are_those_that_the_code_makes(project_root: Path) -> None:
    made = generate.texts()
    folder = project_root / FOLDER
    there = {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for name in ("generated", "provisioning")
        for path in (folder / name).rglob("*.*")
        if path.suffix != ".py"
    }
    assert set(there) == set(made), "run python -m dashboards.grafana"
    for name, text in made.items():
        assert there[name] == text, f"{name}: run python -m dashboards.grafana"


def test_the_bytes_do_not_depend_on_the_process(project_root: Path) -> None:
    script = "from dashboards.grafana.generate import texts; print(sorted(texts().items()))"

    def made(seed: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(project_root)}
        command = [sys.executable, "-c", script]
        return subprocess.run(
            command, cwd=project_root, env=environment, check=True, capture_output=True
        ).stdout

    assert made("1") == made("2") != b""


@pytest.mark.parametrize("name", BOARDS)
def test_json_loads_back_without_loss(name: str) -> None:
    register_default_plugins()
    text = generate.as_json(BOARDS[name])
    loaded = Dashboard.from_json(json.loads(text))
    assert json.loads(generate.as_json(loaded)) == json.loads(text)


def test_uids_and_the_tag_are_what_links_hold_on_to() -> None:
    assert {name: board.uid for name, board in BOARDS.items()} == {
        "cohort": COHORT_UID,
        "subject": SUBJECT_UID,
        "alerts": ALERTS_UID,
        "pipeline": PIPELINE_UID,
    }
    assert (COHORT_UID, SUBJECT_UID) == ("acrophase-cohort", "acrophase-subject")
    assert (ALERTS_UID, PIPELINE_UID) == ("acrophase-alerts", "acrophase-pipeline")
    assert all(board.tags == [TAG] for board in BOARDS.values())


def test_no_dashboard_chooses_light_or_dark() -> None:
    for board in BOARDS.values():
        assert "style" not in json.loads(generate.as_json(board))


def test_a_query_names_only_columns_that_there_are() -> None:
    for measurement in MEASUREMENTS:
        names = [column.name for column in measurement.fields]
        assert checked(measurement, names) == names
    with pytest.raises(ValueError, match="alert has no field severty"):
        checked(ALERT, ["severity", "severty"])
