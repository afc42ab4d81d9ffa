"""The page of an analyte that is not ruled by the hour: a level, and nothing that it has not."""

from __future__ import annotations

import numpy as np
import pytest

from dashboards.page import captions, panels
from dashboards.page.charts import has_band
from dashboards.page.drift import drift_chart
from dashboards.page.source import Evidence, Overview, Person, Series, read_evidence, read_overview
from dashboards.page.triage import default_analyte
from dashboards.page.words import face
from processors.engine_port import Record
from tests.processors.engine.feeding import (
    CATALOGUE,
    SUBJECT,
    Run,
    natural,
    numbered,
    population_curve,
    sampled,
    singles,
)

SLUG = "serum-lh"
PERSON = Person("default", SUBJECT)


@pytest.fixture(scope="module")
def shown() -> tuple[Evidence, Overview]:
    """A month of LH, and a little cortisol, through the engine."""
    rng = np.random.default_rng(4)
    run = Run()
    records: list[Record] = []
    for slug, days in ((SLUG, 30), ("saliva-cortisol", 2)):
        hours = sampled((7.0, 12.0, 19.0), days)
        y = population_curve(CATALOGUE[slug], hours) + 0.2 * rng.standard_normal(len(hours))
        records += singles(slug, hours, natural(CATALOGUE[slug], y))
    run.feed(numbered(sorted(records, key=lambda each: each.timestamp_ms)))
    run.settle()
    overview = read_overview(run.store)
    assert overview.now_ms is not None
    return read_evidence(run.store, Series(PERSON, SLUG), overview.now_ms), overview


def test_figures_and_panels_name_a_level_alone(shown: tuple[Evidence, Overview]) -> None:
    evidence, overview = shown
    assert overview.now_ms is not None
    what = face(SLUG)
    figures = captions.figures(evidence, [], what, overview.now_ms)
    assert figures.count("<dt>") == 2
    assert "<dt>Level</dt>" in figures
    assert "Level only" in figures
    text = figures + "".join(panels.panels(evidence, [], overview.now_ms).values())
    text += captions.drift_heading(evidence, what) + captions.drift_summary(evidence, what)
    text += captions.day_summary(evidence, what, overview.now_ms)
    for claim in ("peak time (", "swing (", "No 24-hour rhythm", "acrophase", "of 24", "midline"):
        assert claim.lower() not in text.lower()
    assert "vs own baseline" in text
    assert "at any hour" in text


def test_the_band_is_drawn_and_the_level_has_the_drift_chart(
    shown: tuple[Evidence, Overview],
) -> None:
    evidence, overview = shown
    assert overview.now_ms is not None
    assert has_band(evidence)
    options = drift_chart(evidence, face(SLUG), overview.now_ms)
    assert [series["id"].split("-")[0] for series in options["series"]] == ["level"] * 3
    assert len(options["grid"]) == len(options["xAxis"]) == len(options["yAxis"]) == 1
    assert any(point is not None for point in options["series"][1]["data"])


def test_a_level_is_shown_before_a_rhythm_that_is_not_known(
    shown: tuple[Evidence, Overview],
) -> None:
    assert default_analyte(shown[1], PERSON) == SLUG
