"""docs/markers.md names every marker that there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from processors.markers.axes import AXES
from tests.processors.markers.lives import everything, markers_of, read


def test_every_marker_is_on_the_page(project_root: Path) -> None:
    page = (project_root / "docs" / "markers.md").read_text(encoding="utf-8")
    table = [line for line in page.splitlines() if line.startswith("| ")][2:]
    told = {name for line in table for name in re.findall(r"`([a-z0-9-]+)`", line)}
    # Of the axes that nobody in `everything` has results of, too.
    day = 20_700
    pairs = [read(slug, day, 8.0, 1.0) for of in AXES for slug in (of.controller, of.product)]
    made = {name for _, name, _ in markers_of([*everything(), *pairs])}
    made |= {name for _, name, _ in markers_of(pairs)}
    assert told - {"cycle"} == made
