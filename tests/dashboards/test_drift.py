"""The drift chart: peak, level and swing on one time axis."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.page.drift import (
    anchor_hour,
    day_ticks,
    drift_chart,
    hour_ticks,
    peak_runs,
    thin,
    unwrap,
)
from dashboards.page.palette import Options
from dashboards.page.source import DAY_MS, DRIFT_MS, HOUR_MS, Evidence, Person, Series
from dashboards.page.words import face
from processors.store.memory import MemoryStore
from tests.dashboards.clinic import NOW_MS, evidence_of

_CORTISOL = face("saliva-cortisol")


def _series(options: Options, name: str) -> Options:
    found: Options
    (found,) = [series for series in options["series"] if series["id"] == name]
    return found


@given(st.floats(0, 23.99), st.floats(0, 23.99))
def test_unwrapping_keeps_the_clock_time_and_stays_within_half_a_day(
    hour: float, anchor: float
) -> None:
    unwrapped = unwrap(hour, anchor)
    assert abs(unwrapped - anchor) <= 12
    assert math.isclose(math.cos((unwrapped - hour) * math.pi / 12), 1, abs_tol=1e-9)


def test_every_estimate_lies_in_its_interval_and_inside_its_axis(
    clinic_store: MemoryStore,
) -> None:
    evidence = evidence_of(clinic_store, "sim-03")
    options = drift_chart(evidence, _CORTISOL, NOW_MS)
    for grid, name in enumerate(("peak", "level", "swing")):
        bounds = _series(options, f"{name}-interval")["data"]
        line = [point for point in _series(options, name)["data"] if point[1] is not None]
        assert len(bounds) == len(line) == len(thin(evidence.history))
        axis = options["yAxis"][grid]
        for (time, low, high, _), (at, value) in zip(bounds, line, strict=True):
            assert time == at
            assert axis["min"] <= low <= value <= high <= axis["max"]
        assert _series(options, name)["yAxisIndex"] == axis["gridIndex"] == grid
    # an amplitude in natural logarithms is shown as the factor that it means
    assert _series(options, "swing")["data"][-1][1] == pytest.approx(math.exp(0.95), rel=1e-4)


def test_a_peak_around_midnight_is_a_line_and_no_jump() -> None:
    rows = [
        {
            "time": day * DAY_MS,
            "status": "established",
            "acrophase": hour,
            "acrophase_low": hour - 1,
            "acrophase_high": hour + 1,
            "baseline_acrophase": 23.5,
        }
        for day, hour in enumerate((23.2, 23.8, 0.3, 0.9))
    ]
    anchor = anchor_hour(rows)
    assert anchor == 23.5
    (run,) = peak_runs(rows, anchor)
    assert [round(peak.value, 1) for peak in run] == [23.2, 23.8, 24.3, 24.9]
    assert [round(peak.low, 1) for peak in run] == [22.2, 22.8, 23.3, 23.9]


def test_where_no_peak_is_given_the_line_is_broken(clinic_store: MemoryStore) -> None:
    evidence = evidence_of(clinic_store, "sim-07")
    options = drift_chart(evidence, _CORTISOL, NOW_MS)
    newest_peak = max(item[0] for item in _series(options, "peak-interval")["data"])
    newest_level = max(item[0] for item in _series(options, "level-interval")["data"])
    assert newest_level == NOW_MS + HOUR_MS, "on the wearer's clock"
    assert newest_level - newest_peak > 3.9 * DAY_MS


def test_two_days_without_an_estimate_are_a_gap(clinic_store: MemoryStore) -> None:
    evidence = evidence_of(clinic_store, "sim-03")
    hole = range(NOW_MS - 10 * DAY_MS, NOW_MS - 7 * DAY_MS)
    history = tuple(row for row in evidence.history if row["time"] not in hole)
    torn = Evidence(evidence.series, evidence.profile, history, evidence.readings, (), ())
    options = drift_chart(torn, _CORTISOL, NOW_MS)
    for name in ("peak", "level", "swing"):
        assert {item[3] for item in _series(options, f"{name}-interval")["data"]} == {0, 1}
        assert len([point for point in _series(options, name)["data"] if point[1] is None]) == 1


def test_deviations_are_shaded_where_they_can_be_seen(clinic_store: MemoryStore) -> None:
    evidence = evidence_of(clinic_store, "sim-03")
    (timing,) = [row for row in evidence.deviations if row["kind"] == "phase"]
    flatter = timing | {"kind": "amplitude", "direction": "lower", "ended_at": NOW_MS - DAY_MS}
    other = timing | {"analyte": "heart-rate", "kind": "level"}
    shown = Evidence(
        evidence.series,
        evidence.profile,
        evidence.history,
        evidence.readings,
        (timing, flatter, other),
        (),
    )
    options = drift_chart(shown, _CORTISOL, NOW_MS)
    areas = {
        name: _series(options, name)["markArea"]["data"] for name in ("peak", "level", "swing")
    }
    assert areas["level"] == [], "another analyte's"
    ((begin, end),) = areas["peak"]
    assert begin["name"] == "▲ Timing later"
    assert end["xAxis"] == NOW_MS + HOUR_MS, "one that is not over reaches to now"
    ((begin, end),) = areas["swing"]
    assert begin["name"] == "▲ Daily swing lower"
    assert end["xAxis"] == NOW_MS - DAY_MS + HOUR_MS


def test_ticks_are_local_midnights_inside_the_month() -> None:
    for hour in range(24):
        end = NOW_MS + hour * HOUR_MS
        ticks = day_ticks(end)
        assert all(tick % DAY_MS == 0 and end - DRIFT_MS < tick <= end for tick in ticks)
        assert {after - before for before, after in pairwise(ticks)} == {5 * DAY_MS}
        assert end - ticks[-1] < DAY_MS


@given(st.lists(st.floats(-20, 40), max_size=5))
def test_hour_ticks_hold_the_values_and_are_few(values: list[float]) -> None:
    ticks = hour_ticks(values)
    assert len(ticks) <= 7
    assert all(ticks[0] <= value <= ticks[-1] for value in values)
    assert len({after - before for before, after in pairwise(ticks)}) == 1


def test_no_history_is_three_empty_grids() -> None:
    series = Series(Person("default", "sim-1"), "heart-rate")
    empty = Evidence(series, (), (), (), (), ())
    options = drift_chart(empty, face("heart-rate"), NOW_MS)
    assert len(options["grid"]) == 3
    for one in options["series"]:
        assert one["data"] == []
