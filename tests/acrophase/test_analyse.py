"""``acrophase analyse`` as a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from acrophase.commands.analyse import analyse
from schemas.errors import OutputFileError


def test_a_file_that_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputFileError, match="nowhere"):
        analyse(tmp_path / "not-even-read.jsonl", out=tmp_path / "nowhere" / "results.jsonl")
