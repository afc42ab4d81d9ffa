"""The pictures of single days."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from dashboards.page.days import days, pictures
from dashboards.page.source import DAYS_SHOWN, Evidence, Person, Series
from dashboards.page.words import face
from processors.store.memory import MemoryStore
from tests.dashboards.clinic import NOW_MS, evidence_of

_CORTISOL, _HEART_RATE = face("saliva-cortisol"), face("heart-rate")


def test_fourteen_days_end_with_today(clinic_store: MemoryStore) -> None:
    shown = days(evidence_of(clinic_store, "sim-01", "heart-rate"), NOW_MS)
    assert len(shown) == DAYS_SHOWN
    assert [shown[0].date, shown[-2].date, shown[-1].date] == [
        "Wed 21 Oct",
        "Mon 2 Nov",
        "Tue 3 Nov",
    ]
    assert [one.values for one in shown] == [48] * 13 + [31], "the wearer's clock is 15:32 now"


def test_values_outside_the_band_are_counted(clinic_store: MemoryStore) -> None:
    evidence = evidence_of(clinic_store, "sim-01", "heart-rate")
    assert {one.outside for one in days(evidence, NOW_MS)} == {0}
    high = tuple(
        row | {"value": row["p95"] + 1} if 8 < row["clock_hour"] < 10 else row
        for row in evidence.profile
    )
    risen = Evidence(evidence.series, high, evidence.history, evidence.readings, (), ())
    assert {one.outside for one in days(risen, NOW_MS)} == {4}
    assert "<span>4 of 48 out</span>" in pictures(risen, _HEART_RATE, NOW_MS)[0]


def test_a_day_without_data_says_so(clinic_store: MemoryStore) -> None:
    shown = pictures(evidence_of(clinic_store, "sim-05"), _CORTISOL, NOW_MS)
    assert [("no data" in one) for one in shown] == [False] * 11 + [True] * 3


def test_without_a_band_of_ones_own_nothing_is_outside(clinic_store: MemoryStore) -> None:
    shown = pictures(evidence_of(clinic_store, "sim-06"), _CORTISOL, NOW_MS)
    assert not any("polygon" in one or "out" in one for one in shown)
    assert "5 values" in shown[-2]


@pytest.mark.parametrize(
    ("subject", "analyte"), [("sim-01", "heart-rate"), ("sim-01", "saliva-cortisol")]
)
def test_pictures_are_well_formed_and_stay_in_their_frame(
    clinic_store: MemoryStore, subject: str, analyte: str
) -> None:
    for picture in pictures(evidence_of(clinic_store, subject, analyte), face(analyte), NOW_MS):
        svg = ElementTree.fromstring(re.search(r"<svg.*</svg>", picture)[0])  # type: ignore[index]
        width, height = (float(part) for part in svg.attrib["viewBox"].split()[2:])
        shapes = list(svg)
        assert shapes
        for shape in shapes:
            for pair in re.findall(
                r"-?[\d.]+[, ]-?[\d.]+", shape.get("points") or shape.get("d") or ""
            ):
                x, y = (float(part) for part in re.split("[, ]", pair))
                assert 0 <= x <= width
                assert 0 <= y <= height


def test_single_readings_are_dots_and_means_are_a_line(clinic_store: MemoryStore) -> None:
    sparse = pictures(evidence_of(clinic_store, "sim-01"), _CORTISOL, NOW_MS)
    dense = pictures(evidence_of(clinic_store, "sim-01", "heart-rate"), _HEART_RATE, NOW_MS)
    assert (sparse[3].count("<path"), sparse[3].count("<polyline")) == (5, 0)
    assert (dense[3].count("<path"), dense[3].count("<polyline")) == (0, 1)


def test_dates_are_the_wearers_even_on_the_day_of_a_journey() -> None:
    """Half hours in Tokyo, then in New York: each on the date that the wearer's calendar had."""
    rows: list[dict[str, Any]] = []
    start = datetime(2026, 11, 1, 3, tzinfo=UTC)  # noon in Tokyo
    flight = datetime(2026, 11, 2, 12, tzinfo=UTC)  # 21:00 there, 07:00 in New York
    for step in range(96):
        begin = start + timedelta(minutes=30 * step)
        zone = ZoneInfo("Asia/Tokyo" if begin < flight else "America/New_York")
        local = (begin + timedelta(minutes=15)).astimezone(zone)
        rows.append(
            {
                "time": round(begin.timestamp() * 1000),
                "clock_hour": local.hour + local.minute / 60,
                "value": 1.0,
                "p05": None,
                "date": f"{local:%a} {local.day} {local:%b}",
            }
        )
    evidence = Evidence(
        Series(Person("default", "sim-1"), "heart-rate"), tuple(rows), (), (), (), ()
    )
    now = round((start + timedelta(hours=48)).timestamp() * 1000)
    found = {one.date: one.rows for one in days(evidence, now) if one.rows}
    assert set(found) == {"Sun 1 Nov", "Mon 2 Nov"}
    for date, given in found.items():
        assert {row["date"] for row in given} == {date}
    assert sum(map(len, found.values())) == 96
