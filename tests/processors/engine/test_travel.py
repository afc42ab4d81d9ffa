"""Flights and summer time: no alarm, no smeared curve; a rhythm that moves is still found."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from processors.engine_port import Outputs, Record
from producers.clinic import Clinic
from producers.wearer_clock import Journey
from schemas.measurements import ALERT, DEVIATION, PROFILE, RHYTHM
from tests.processors.engine.feeding import HOUR_MS, START_MS, Run, numbered
from tests.processors.engine.travelling import Traveller

DAYS = 51
DEPARTURE_D = 21.5
DEPARTURE_H = 24.0 * DEPARTURE_D
WEEK_H = 168.0
EAST, WEST = [(DEPARTURE_H, 8.0)], [(DEPARTURE_H, -9.0)]
AND_BACK = {
    "east": [*EAST, (DEPARTURE_H + WEEK_H, -8.0)],
    "west": [*WEST, (DEPARTURE_H + WEEK_H, 9.0)],
}
FOUND = (ALERT, DEVIATION)


def taken(traveller: Traveller, days: int = DAYS, keep_all: bool = False) -> Run:
    """A run over the traveller's records; of its rows only findings are kept, unless told."""
    run = Run()
    records = numbered(traveller.records(days))
    for first in range(0, len(records), 500):
        outputs = run.partition.process(records[first : first + 500])
        if not keep_all:
            rows = {m: outputs.rows[m] for m in FOUND if m in outputs.rows}
            outputs = Outputs(rows, outputs.messages)
        run.keep(outputs)
    assert run.letters() == []
    return run


def days_after(time_ms: float) -> float:
    """Days since the departure."""
    return (time_ms - START_MS) / HOUR_MS / 24.0 - DEPARTURE_D


@pytest.mark.parametrize("way", ["east", "west"])
def test_a_flight_and_the_way_back_raise_no_alarm(way: str) -> None:
    """Twenty people each, a month from the departure on, for two of the four series of a budget.

    The budget, 0.1 false alerts a person-month shared by four series, allows one; three or more of
    a Poisson number with that mean have a chance of 8 %. Measured: 0 each. With sums in wall time
    and nothing that explains, as it was before: 74 alerts
    east, 100 west, about each of the people.
    """
    alerts: list[dict[str, Any]] = []
    explained = 0
    for seed in range(20):
        run = taken(Traveller.drawn(seed, AND_BACK[way]))
        alerts += run.store.select(ALERT)
        told = run.deviations()
        explained += sum(each["explained_by"] is not None for each in told)
        for each in told:
            if each["explained_by"] is not None:
                assert each["explained_by"].startswith("travel "), each
    assert len(alerts) <= 2, alerts
    assert explained > 5  # people differ, and it is seen


@cache
def shifted(way: str, shift_h: float, after_d: float, seed: int) -> tuple[dict[str, Any], ...]:
    """Alerts about a person who flies and whose rhythm then moves."""
    flights = {"east": EAST, "west": WEST, "home": []}[way]
    traveller = replace(
        Traveller.drawn(seed, flights),
        shift_h=shift_h,
        shift_from=DEPARTURE_H + 24.0 * after_d,
    )
    return tuple(taken(traveller).store.select(ALERT))


@pytest.mark.parametrize(
    ("way", "shift_h", "after_d", "within_d", "of_eight"),
    [("west", 5.0, 3.0, 10.0, 8), ("west", 5.0, 0.0, 14.0, 8), ("east", -5.0, 0.0, 4.0, 6)],
)
def test_a_flight_does_not_hide_a_rhythm_that_moves_the_other_way(
    way: str, shift_h: float, after_d: float, within_d: float, of_eight: int
) -> None:
    """After a flight eastward some clocks go that way: who does as they do is told of later."""
    told = 0
    for seed in range(8):
        alerts = shifted(way, shift_h, after_d, seed)
        at = [days_after(a["updated_at"] if a["state"] == "open" else a["time"]) for a in alerts]
        assert all(day > after_d for day in at)
        told += any(day < after_d + within_d for day in at)
    assert told >= of_eight


def test_without_a_flight_a_shift_is_found_as_soon_as_ever() -> None:
    """Four hours later; days until the alert as before there was a body clock (measured)."""
    delays = []
    for seed in range(12):
        alerts = [a for a in shifted("home", 4.0, 0.0, seed) if a["analyte"] == "saliva-cortisol"]
        delays.append(round(days_after(min(a["time"] for a in alerts)), 1))
    assert sorted(delays) == [0.8, 0.8, 0.8, 1.2, 1.2, 1.4, 1.8, 1.8, 1.8, 2.4, 3.0, 4.2]


# --- what is published ----------------------------------------------------------------------


def rhythms(traveller: Traveller, analyte: str) -> dict[float, dict[str, Any]]:
    """By days after the departure, rounded to half hours."""
    rows = taken(traveller, keep_all=True).store.select(RHYTHM)
    return {
        round(days_after(row["time"]) * 48) / 48: row for row in rows if row["analyte"] == analyte
    }


def apart(a: float, b: float) -> float:
    """Difference of clock times."""
    return (a - b + 12.0) % 24.0 - 12.0


@pytest.mark.parametrize(("change", "per_day"), [(8.0, 57 / 60), (-9.0, -92 / 60)])
def test_peaks_are_told_in_local_time_and_the_baseline_in_body_time(
    change: float, per_day: float
) -> None:
    quiet = Traveller("fly-001", 1, noise=0.1)
    at_home = rhythms(quiet, "heart-rate")
    abroad = rhythms(replace(quiet, flights=[(DEPARTURE_H, change)]), "heart-rate")
    for about in (0.5, 2.0, 5.0, 12.0):
        day = min(abroad.keys() & at_home.keys(), key=lambda day: abs(day - about))
        here, home = abroad[day], at_home[day]
        lag = change - per_day * day
        lag = max(lag, 0.0) if change > 0 else min(lag, 0.0)
        assert here["body_clock_lag"] == pytest.approx(lag, abs=0.05)
        assert here["body_clock_lag_low"] <= here["body_clock_lag"] <= here["body_clock_lag_high"]
        for phase in ("acrophase", "peak", "trough"):
            assert apart(here[phase], home[phase]) == pytest.approx(lag, abs=0.35), (day, phase)
            assert 0.0 <= here[phase] < 24.0
            assert here[f"{phase}_low"] < here[phase] < here[f"{phase}_high"]
        assert abs(here["phase_shift"] - home["phase_shift"]) < 0.35
        assert apart(here["baseline_acrophase"], home["baseline_acrophase"]) < 0.2
        assert here["residual_cv"] == pytest.approx(home["residual_cv"], rel=0.02)
    for settled in (abroad[max(abroad)], *at_home.values()):
        assert [settled[f"body_clock_lag{bound}"] for bound in ("", "_low", "_high")] == [0.0] * 3


def test_days_and_half_hours_stay_on_the_wall_clock() -> None:
    traveller = Traveller("fly-001", 1, EAST)
    run = taken(traveller, days=25, keep_all=True)
    points = [row for row in run.store.select(PROFILE) if row["analyte"] == "heart-rate"]
    assert len({row["time"] for row in points}) == len(points) >= 25 * 48 - 2
    for row in points:
        hour = (row["time"] - START_MS) / HOUR_MS
        wall = hour + 0.25 + float(traveller.offset(np.array([hour + 0.25]))[0])
        assert row["clock_hour"] == pytest.approx(wall % 24.0)
    # and the band moves with the body: its highest hour in the day after the flight
    day = [row for row in points if 0.2 < days_after(row["time"]) <= 1.2]
    before = [row for row in points if -1.2 < days_after(row["time"]) <= -0.2]
    highest, usual = (max(each, key=lambda row: row["p50"])["clock_hour"] for each in (day, before))
    assert apart(highest, usual) == pytest.approx(7.4, abs=1.0)


@pytest.mark.parametrize("change", [1.0, -1.0])
def test_summer_time_moves_no_local_hour_and_blurs_nothing(change: float) -> None:
    """A day of 23 or of 25 hours for a person who lives by the wall clock."""
    at_night = 24.0 * 22 + 1.0
    steady = rhythms(Traveller("fly-002", 2), "saliva-cortisol")
    turned = rhythms(Traveller("fly-002", 2, [(at_night, change)], speed=1e6), "saliva-cortisol")
    # samples lie at the same local hours, so the same noise falls on them
    by_count = {row["n_readings"]: row for row in steady.values()}
    after = {day: row for day, row in turned.items() if day > 0.5}
    assert len(after) > 100
    for row in after.values():
        twin = by_count[row["n_readings"]]
        assert row["body_clock_lag"] == 0.0
        assert apart(row["acrophase"], twin["acrophase"]) == pytest.approx(0.0, abs=0.02)
        assert apart(row["peak"], twin["peak"]) == pytest.approx(0.0, abs=0.05)
        assert row["residual_cv"] == pytest.approx(twin["residual_cv"], rel=0.005)


@pytest.mark.parametrize("place", ["Asia/Tokyo", "America/Los_Angeles"])
def test_nor_does_a_week_far_away_of_the_simulated_clinic(place: str) -> None:
    """Four people with wearables and home tests whose bodies follow by an hour a day; summer time
    comes on the way.

    Without the body clock 20 alerts after Tokyo and 25 after Los Angeles (measured); now 0 and 1.
    """
    begin = datetime(2026, 3, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    away = [
        Journey(begin + timedelta(days=18, hours=14), place),
        Journey(begin + timedelta(days=25, hours=14), "Europe/Berlin"),
    ]
    clinic = Clinic(7, 4, begin, journeys={f"sim-{i:02d}": away for i in range(1, 5)})
    run = Run()
    sent = list(clinic.records(begin, begin + timedelta(days=40)))
    offsets = Counter[str]()
    for topic, deliveries in groupby(sent, key=lambda each: each.topic):
        frame = []
        for each in deliveries:
            received_ms = round(each.received_at.timestamp() * 1000)
            key = each.subject.encode()
            frame.append(Record(topic, 0, offsets[topic], received_ms, key, each.value))
            offsets[topic] += 1
        outputs = run.partition.process(frame)
        rows = {m: outputs.rows[m] for m in FOUND if m in outputs.rows}
        run.keep(Outputs(rows, outputs.messages))
    assert run.letters() == []
    alerts = [a for a in run.store.select(ALERT) if a["kind"] != "missing"]
    assert len(alerts) <= 1, alerts
    assert any((d["explained_by"] or "").startswith("travel ") for d in run.deviations())
