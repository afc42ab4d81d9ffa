"""Young adults' limits beside those of the age: drawn and said only where they are others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dashboards.page.captions import day_heading, day_legend, day_summary
from dashboards.page.charts import day_chart, day_points, day_rows
from dashboards.page.limits import only_where_young_differ
from dashboards.page.palette import Options
from dashboards.page.source import Evidence
from dashboards.page.words import face
from processors.store.memory import MemoryStore
from tests.dashboards.clinic import NOW_MS, evidence_of

_HEART_RATE = face("heart-rate")
_WORDS = "young adults' limit"
Limits = dict[str, float | None]


@pytest.fixture
def evidence(clinic_store: MemoryStore) -> Evidence:
    """A heart rate with limits of its own all day."""
    return evidence_of(clinic_store, "sim-01", "heart-rate")


def with_limits(evidence: Evidence, **limits: float | None) -> Evidence:
    return replace(evidence, profile=tuple(row | limits for row in evidence.profile))


def drawn(options: Options, name: str) -> list[Any]:
    (series,) = [each for each in options["series"] if each["id"] == name]
    return list(series["data"])


def said(evidence: Evidence) -> tuple[str, str, str]:
    return (
        day_heading(evidence, _HEART_RATE, NOW_MS),
        day_summary(evidence, _HEART_RATE, NOW_MS),
        day_legend(evidence, day_points(evidence, _HEART_RATE, NOW_MS)),
    )


@pytest.mark.parametrize(
    "limits",
    [
        {"young_low": None, "young_high": None},
        {"ref_low": 50.0, "ref_high": 90.0, "young_low": 50.0, "young_high": 90.0},
    ],
)
def test_nothing_of_the_young_where_there_is_no_difference(
    evidence: Evidence, limits: Limits
) -> None:
    evidence = with_limits(evidence, **limits)
    options = day_chart(evidence, _HEART_RATE, NOW_MS)
    assert drawn(options, "young-low") == drawn(options, "young-high") == []
    assert drawn(options, "ref-high") != []
    assert all("young" not in text for text in said(evidence))


def test_one_side_that_differs_is_drawn_and_the_other_is_not(evidence: Evidence) -> None:
    evidence = with_limits(evidence, ref_low=50.0, ref_high=90.0, young_low=50.0, young_high=140.0)
    options = day_chart(evidence, _HEART_RATE, NOW_MS)
    assert drawn(options, "young-low") == []
    begin, middle, end = drawn(options, "young-high")
    assert (begin, end) == ([0.0, 140.0], [24.0, 140.0])
    assert middle["label"]["formatter"] == "young ≤ 140"
    assert options["yAxis"]["max"] >= 140
    assert _WORDS in said(evidence)[2]


def test_the_lines_are_told_apart_without_colour(evidence: Evidence) -> None:
    evidence = with_limits(evidence, young_low=40.0, young_high=140.0)
    series = {each["id"]: each for each in day_chart(evidence, _HEART_RATE, NOW_MS)["series"]}
    own, young = (series[name]["lineStyle"]["type"] for name in ("ref-high", "young-high"))
    assert own == "dashed"
    assert young == (7, 3, 1, 3)
    for name, young_word in (("ref-high", False), ("young-high", True)):
        labels = [item["label"] for item in series[name]["data"] if isinstance(item, dict)]
        assert labels
        assert {label["formatter"].startswith("young ") for label in labels} == {young_word}
    legend = said(evidence)[2]
    assert 'class="key reference"' in legend
    assert 'class="key young"' in legend


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (
            {"ref_low": 20, "ref_high": 200, "young_low": 150, "young_high": 200},
            "below the limit of healthy young adults (≥ 150); usual at this person's age.",
        ),
        (
            {"ref_low": 20, "ref_high": 200, "young_low": 20, "young_high": 30},
            "above the limit of healthy young adults (≤ 30); usual at this person's age.",
        ),
        (
            {"ref_low": 140, "ref_high": None, "young_low": 150, "young_high": None},
            "below the limit of healthy young adults (≥ 150); outside the limits of this person's "
            "age too.",
        ),
        (
            {"ref_low": None, "ref_high": None, "young_low": None, "young_high": 30},
            "above the limit of healthy young adults (≤ 30); there is no limit for this person's "
            "own age.",
        ),
    ],
)
def test_a_value_outside_is_said(evidence: Evidence, limits: Limits, expected: str) -> None:
    newest = day_points(evidence, _HEART_RATE, NOW_MS)[-1]
    heading, summary, _ = said(with_limits(evidence, **limits))
    sentence = f"The newest value, {_HEART_RATE.amount(newest.value, unit=True)}, is {expected}"
    assert sentence in summary
    assert "healthy young adults" in heading


def test_a_value_inside_or_outside_both_alike_is_not_said(evidence: Evidence) -> None:
    inside = with_limits(evidence, ref_low=20.0, ref_high=200.0, young_low=30.0, young_high=190.0)
    alike = with_limits(evidence, ref_low=150.0, ref_high=200.0, young_low=150.0, young_high=200.0)
    for each in (inside, alike):
        assert "young adults (" not in " ".join(said(each)[:2])


def test_the_limits_are_those_of_the_values_hour(evidence: Evidence) -> None:
    hour = day_points(evidence, _HEART_RATE, NOW_MS)[-1].clock_hour
    rows = tuple(
        row
        | {"ref_low": None, "ref_high": None, "young_low": None}
        | {"young_high": None if abs(row["clock_hour"] - hour) <= 0.25 else 30.0}
        for row in evidence.profile
    )
    elsewhere = replace(evidence, profile=rows)
    assert day_rows(only_where_young_differ(rows))[0]["young_high"] == 30.0
    assert "young adults (" not in " ".join(said(elsewhere)[:2])


def test_limits_that_waking_moves_say_so(clinic_store: MemoryStore) -> None:
    for analyte, moved in (("saliva-cortisol", True), ("heart-rate", False)):
        evidence = evidence_of(clinic_store, "sim-01", analyte)
        legend = day_legend(evidence, [])
        assert "reference limit" in legend
        assert ("assumed hour of waking" in legend) == moved
