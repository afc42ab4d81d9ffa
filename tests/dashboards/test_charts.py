"""The 24-hour chart: bands, gaps, limits, points and days that are not 24 hours long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.page.charts import (
    day_chart,
    day_points,
    day_rows,
    has_band,
    limit_steps,
    runs,
    shows_means,
)
from dashboards.page.palette import Options
from dashboards.page.source import HOUR_MS, Evidence, Person, Series
from dashboards.page.words import face
from processors.store.memory import MemoryStore
from schemas.results import Status
from tests.dashboards.clinic import NOW_MS, Clinic, evidence_of

_CORTISOL, _HEART_RATE = face("saliva-cortisol"), face("heart-rate")
_PERCENTILES = ("p05", "p25", "p50", "p75", "p95")


def _series(options: Options, name: str) -> Options:
    found: Options
    (found,) = [series for series in options["series"] if series["id"] == name]
    return found


def test_bands_lie_in_order_all_around_the_clock(clinic_store: MemoryStore) -> None:
    options = day_chart(evidence_of(clinic_store, "sim-03"), _CORTISOL, NOW_MS)
    outer, inner = _series(options, "band")["data"], _series(options, "inner")["data"]
    median = _series(options, "median")["data"]
    hours = [item[0] for item in outer]
    assert hours == sorted(hours)
    assert (hours[0], hours[-1], len(hours)) == (0.0, 24.0, 50)
    assert hours == [item[0] for item in inner] == [item[0] for item in median]
    for low, middle, high in zip(outer, inner, median, strict=True):
        assert low[1] < middle[1] < high[1] < middle[2] < low[2]
    # midnight is one place: the band ends where it begins
    assert outer[0][1:3] == outer[-1][1:3]
    assert {item[3] for item in outer} == {0}, "one unbroken run"


def test_the_axis_holds_everything_that_is_drawn(clinic_store: MemoryStore) -> None:
    for analyte, said in (("saliva-cortisol", _CORTISOL), ("heart-rate", _HEART_RATE)):
        options = day_chart(evidence_of(clinic_store, "sim-03", analyte), said, NOW_MS)
        low, high = options["yAxis"]["min"], options["yAxis"]["max"]
        drawn = [bound for item in _series(options, "band")["data"] for bound in item[1:3]]
        drawn += [point["value"][1] for point in _series(options, "points")["data"]]
        for limit in ("ref-low", "ref-high"):
            for item in _series(options, limit)["data"]:
                value = item["value"][1] if isinstance(item, dict) else item[1]
                if value is not None:
                    drawn.append(value)
        assert low <= min(drawn)
        assert max(drawn) <= high
        assert options["yAxis"]["type"] == ("log" if said.log else "value")
        assert options["yAxis"]["name"] == said.unit


def test_without_data_of_ones_own_there_is_no_band(clinic_store: MemoryStore) -> None:
    evidence = evidence_of(clinic_store, "sim-06")
    assert evidence.rhythm is not None
    assert evidence.rhythm["status"] == "insufficient"
    assert not has_band(evidence)
    options = day_chart(evidence, _CORTISOL, NOW_MS)
    for name in ("band", "inner", "median", "edge"):
        assert _series(options, name)["data"] == []
    assert _series(options, "points")["data"], "the values are shown as they came"


def test_nothing_at_all_is_an_empty_chart() -> None:
    empty = Evidence(Series(Person("default", "sim-1"), "heart-rate"), (), (), (), (), ())
    options = day_chart(empty, _HEART_RATE, NOW_MS)
    for series in options["series"]:
        assert series["data"] == []
    assert empty.offset_ms == 0


def test_an_hour_without_band_is_a_gap(clinic_store: MemoryStore) -> None:
    evidence = evidence_of(clinic_store, "sim-03")
    nothing = dict.fromkeys(_PERCENTILES)
    profile = tuple(
        row | nothing if 10 < row["clock_hour"] < 12 else row for row in evidence.profile
    )
    torn = Evidence(evidence.series, profile, evidence.history, evidence.readings, (), ())
    options = day_chart(torn, _CORTISOL, NOW_MS)
    band = _series(options, "band")["data"]
    assert [max(item[0] for item in band if item[3] == run) for run in (0, 1)] == [9.75, 24.0]
    assert not [item for item in band if 9.8 < item[0] < 12.2]
    (hole,) = [item for item in _series(options, "median")["data"] if item[1] is None]
    assert hole[0] == 12.25


@given(st.sets(st.integers(0, 47)))
def test_runs_cover_what_is_there_and_bridge_a_lone_half_hour_only(present: set[int]) -> None:
    rows = [{"clock_hour": 0.25 + half / 2, "low": 1.0, "high": 2.0} for half in sorted(present)]
    broken = runs(rows, "low", "high")
    inside = {item[0] for run in broken for item in run}
    assert {row["clock_hour"] for row in rows} <= inside
    assert inside - {row["clock_hour"] for row in rows} <= {0.0, 24.0}
    for run in broken:
        hours = [item[0] for item in run]
        assert hours == sorted(hours)
        assert all(after - before <= 1.01 for before, after in pairwise(hours))


def test_limits_hold_for_their_hours_and_may_have_one_side_only(clinic_store: MemoryStore) -> None:
    rows = day_rows(evidence_of(clinic_store, "sim-01").profile)
    assert limit_steps(rows, "ref_low") == [(7.0, 9.0, 0.1)]
    assert limit_steps(rows, "ref_high") == [
        (7.0, 9.0, 0.75),
        (15.0, 17.0, 0.401),
        (23.0, 24.0, 0.1),
    ]
    heart = day_rows(evidence_of(clinic_store, "sim-01", "heart-rate").profile)
    assert [step[:2] for step in limit_steps(heart, "ref_high")] == [
        (0.0, 6.0),
        (6.0, 12.0),
        (12.0, 18.0),
        (18.0, 24.0),
    ]
    options = day_chart(evidence_of(clinic_store, "sim-01"), _CORTISOL, NOW_MS)
    high = _series(options, "ref-high")["data"]
    labels = [item["label"]["formatter"] for item in high if isinstance(item, dict)]
    assert labels == ["≤ 0.750", "≤ 0.401", "≤ 0.100"]
    assert [item for item in high if not isinstance(item, dict) and item[1] is None] == [
        [15.0, None],
        [23.0, None],
    ], "no line leads from one limit to the next"


def test_points_are_of_the_last_24_hours_today_apart_from_yesterday(
    clinic_store: MemoryStore,
) -> None:
    points = day_points(evidence_of(clinic_store, "sim-01"), _CORTISOL, NOW_MS)
    # now is 15:32 on the wearer's clock; a reading every 4.8 h
    assert [point.earlier for point in points] == [True, False, False, False, False]
    assert points[-1].clock_hour == pytest.approx(15.53, abs=0.01)
    assert points[-1].text.startswith("Tue 3 Nov 15:32")
    assert points[-1].text.endswith("µg/dL")


def test_dense_readings_are_shown_as_half_hour_means(clinic_store: MemoryStore) -> None:
    heart = evidence_of(clinic_store, "sim-01", "heart-rate")
    assert shows_means(heart)
    assert len(day_points(heart, _HEART_RATE, NOW_MS)) == 47, "the open half hour has no row yet"
    assert not shows_means(evidence_of(clinic_store, "sim-01"))


def _single(clinic: Clinic, number: int, spacing: timedelta, **fields: Any) -> Evidence:
    clinic.series("sim-01", "saliva-cortisol", days=1)
    evidence = evidence_of(clinic.store, "sim-01")  # type: ignore[arg-type]
    row = evidence.readings[-1]
    step = spacing // timedelta(milliseconds=1)
    rows = tuple(row | {"time": NOW_MS - i * step} | fields for i in reversed(range(number)))
    return Evidence(evidence.series, evidence.profile, evidence.history, rows, (), ())


def test_many_single_readings_a_day_are_means_as_well(clinic: Clinic) -> None:
    assert shows_means(_single(clinic, 200, timedelta(minutes=1)))


def test_few_single_readings_a_day_are_not(clinic: Clinic) -> None:
    assert not shows_means(_single(clinic, 200, timedelta(hours=4)))


def test_a_reading_without_a_value_is_no_point(clinic: Clinic) -> None:
    evidence = _single(clinic, 3, timedelta(hours=1), value=None)
    assert day_points(evidence, _CORTISOL, NOW_MS) == []
    assert day_chart(evidence, _CORTISOL, NOW_MS)["yAxis"]["max"] > 0


def test_a_value_at_the_assays_limit_says_so(clinic: Clinic) -> None:
    (point,) = day_points(
        _single(clinic, 1, timedelta(hours=1), censored="<", value=0.012), _CORTISOL, NOW_MS
    )
    assert "<0.012 µg/dL" in point.text


def _local_day(zone: str, end: datetime, hours: int) -> list[dict[str, Any]]:
    """Half hours up to ``end`` in a zone, as the engine writes them."""
    rows = []
    for step in range(hours * 2, 0, -1):
        begin = end - timedelta(minutes=30 * step)
        middle = (begin + timedelta(minutes=15)).astimezone(ZoneInfo(zone))
        hour = middle.hour + middle.minute / 60
        band = {name: float(index) for index, name in enumerate(_PERCENTILES, 1)}
        rows.append(
            {
                "time": round(begin.timestamp() * 1000),
                "clock_hour": hour,
                "value": 3.0,
                "n_days": 30,
                "ref_low": None,
                "ref_high": None,
                **band,
            }
        )
    return rows


@pytest.mark.parametrize("hour", [4, 12, 20])
def test_the_day_of_25_hours_has_no_hole(hour: int) -> None:
    rows = _local_day("Europe/Berlin", datetime(2026, 10, 25, hour, tzinfo=UTC), 25)
    found = day_rows(rows)
    assert len({row["clock_hour"] for row in found}) == len(found) == 48
    (band,) = runs(found, "p05", "p95")
    assert (band[0][0], band[-1][0]) == (0.0, 24.0)


def test_the_day_of_23_hours_lacks_the_hour_that_did_not_happen() -> None:
    end = datetime(2026, 3, 29, 12, tzinfo=UTC)
    found = day_rows(_local_day("Europe/Berlin", end, 25))
    assert {h / 2 + 0.25 for h in range(48)} - {row["clock_hour"] for row in found} == {2.25, 2.75}
    band = runs(found, "p05", "p95")
    assert [round(run[-1][0], 2) for run in band] == [1.75, 24.0]


def test_on_an_ordinary_day_the_newest_of_two_rows_of_an_hour_counts() -> None:
    end = datetime(2026, 11, 3, 12, tzinfo=UTC)
    rows = _local_day("Europe/Berlin", end, 25)
    kept = {row["time"] for row in day_rows(rows)}
    assert min(kept) == round(end.timestamp() * 1000) - 24 * HOUR_MS
    assert len(kept) == 48


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Asia/Tokyo"])
def test_the_clock_is_read_off_readings_and_half_hours_alike(zone: str) -> None:
    end = datetime(2026, 11, 3, 12, tzinfo=UTC)
    local = end.astimezone(ZoneInfo(zone))
    hour = local.hour + local.minute / 60
    reading = {"time": round(end.timestamp() * 1000), "clock_hour": hour}
    profile = tuple(_local_day(zone, end, 1))
    series = Series(Person("default", "sim-1"), "heart-rate")
    offset = local.utcoffset()
    assert offset is not None
    expected = offset // timedelta(milliseconds=1)
    assert Evidence(series, (), (), (reading,), (), ()).offset_ms == expected
    assert Evidence(series, profile, (), (), (), ()).offset_ms == expected


def test_status_decides_even_if_percentiles_are_there(clinic: Clinic) -> None:
    clinic.series("sim-01", "saliva-cortisol", status=Status.INSUFFICIENT)
    assert not has_band(evidence_of(clinic.store, "sim-01"))  # type: ignore[arg-type]
