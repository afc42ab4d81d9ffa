"""``acrophase analyse`` as a command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from acrophase.cli import app
from acrophase.commands.analyse import analyse
from schemas.errors import OutputFileError


def test_a_file_that_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputFileError, match="nowhere"):
        analyse(tmp_path / "not-even-read.jsonl", out=tmp_path / "nowhere" / "results.jsonl")


READING = {
    "subject": "twin-0412",
    "device": "kit-7",
    "code": "2142-8",
    "unit": "ug/dL",
    "collected_at": "2026-03-01T07:30:00+02:00",
}


def analysed(folder: Path, *lines: bytes) -> list[dict[str, Any]]:
    """Results of a file."""
    file = folder / "readings.jsonl"
    file.write_bytes(b"\n".join(lines))
    result = CliRunner().invoke(app, ["analyse", str(file), "--out", str(folder / "results.jsonl")])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    "received_at",
    [None, "2026-03-01T05:35:00z", "2026-03-01t07:35:00+02:00", "2026-03-01 05:35Z"],
)
def test_times_are_read_as_the_contract_reads_them(tmp_path: Path, received_at: str | None) -> None:
    told = READING | {"value": 0.2, "received_at": received_at}
    kinds = {row["type"] for row in analysed(tmp_path, json.dumps(told).encode())}
    assert kinds == {"rhythm", "profile", "marker"}


def test_a_batch_that_says_nothing_of_its_receipt_came_when_it_was_full(tmp_path: Path) -> None:
    hour = {"offsets_ms": [60_000 * minute for minute in range(60)], "values": [0.2] * 60}
    rows = analysed(tmp_path, json.dumps(READING | hour).encode())
    assert [row for row in rows if row["type"] == "dead-letter"] == []
    assert max(row["n_readings"] for row in rows if row["type"] == "rhythm") == 60


def test_a_bad_line_is_told_with_its_number_and_ends_nothing(tmp_path: Path) -> None:
    good = json.dumps(READING | {"value": 0.2}).encode()
    bad = [b"{", b"[" * 1000, b'{"subject": "\\ud800"}', b'{"subject": "twin-0412", "at": 1e999}']
    rows = analysed(tmp_path, *bad, b"", good)
    letters = [row for row in rows if row["type"] == "dead-letter"]
    assert [row["line"] for row in letters] == [1, 2, 3, 4]
    assert [row["n_readings"] for row in rows if row["type"] == "rhythm"] == [1]
