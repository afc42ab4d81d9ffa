"""What the stream's markers say of simulated people is what the simulator's truth says.

Two clinics: one whose people wear bands that count steps and spit into kits, and one without
either, of whom only cycles and blood are known, for long enough to see some of them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy import stats

from acrophase.offline import Offline
from processors.engine import Policy
from producers.clinic import Clinic
from producers.laboratory import THYROID
from producers.panels import Panel
from producers.physiology import Trouble
from schemas.catalogue import load_catalogue
from schemas.measurements import MARKER
from schemas.topics import EVENTS, READINGS

START = datetime(2026, 1, 5, tzinfo=ZoneInfo("Europe/Berlin"))
WORN_DAYS, LONG_DAYS = 28, 112
FAILS = "sim-02"
BAND_AND_SALIVA = ("heart-rate", "wrist-temperature", "saliva-cortisol", "saliva-melatonin")

Markers = dict[tuple[str, str, str], list[dict[str, Any]]]


class Judged(NamedTuple):
    """Truth by subject, and markers by subject, analyte and name, in order of time."""

    truth: dict[str, dict[str, Any]]
    markers: Markers


def judged(clinic: Clinic, days: int) -> Judged:
    until = START + timedelta(days=days)
    records = list(clinic.records(START, until))
    offline = Offline(load_catalogue(), Policy())
    for topic in (EVENTS.name, READINGS.name):
        offline.take(topic, [each.value for each in records if each.topic == topic])
    markers: Markers = defaultdict(list)
    for row in offline.results():
        assert row["type"] != "dead-letter", row
        if row["type"] == MARKER.name:
            markers[row["subject"], row["analyte"], row["marker"]].append(row)
    return Judged({p["subject"]: p for p in clinic.truth(until)["people"]}, markers)


@pytest.fixture(scope="module")
def worn() -> Judged:
    return judged(Clinic(5, 8, START, panel=[Panel.STEPS, Panel.AWAKENING]), WORN_DAYS)


@pytest.fixture(scope="module")
def long() -> Judged:
    seed, people = 1, 36
    silent = Trouble("silent", START.timestamp(), analytes=BAND_AND_SALIVA)
    fails = Trouble("axis", (START + timedelta(days=LONG_DAYS / 3)).timestamp(), 0.5, THYROID)
    plan = {subject: [silent] for subject in Clinic(seed, people, START).subjects}
    plan[FAILS].append(fails)
    clinic = Clinic(seed, people, START, panel=[Panel.CYCLE, Panel.LABS], troubles=plan)
    return judged(clinic, LONG_DAYS)


def holds(row: dict[str, Any], truth: float, period: float = math.inf) -> bool:
    """Whether a marker's interval holds the truth, once round the clock for a clock time."""
    if math.isinf(period):
        return bool(row["low"] <= truth <= row["high"])
    return bool((truth - row["low"]) % period <= (row["high"] - row["low"]) % period)


def as_often_as_promised(inside: Sequence[bool]) -> bool:
    """Whether so few misses of a 90 % interval come about by chance in one of a hundred tests."""
    return bool(stats.binomtest(sum(inside), len(inside), 0.9, alternative="less").pvalue > 0.01)


def weekly(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every seventh, of weeks that have no day in common."""
    return [row for row in rows[6::7] if row["status"] == "measured"]


# -- bands, kits --------------------------------------------------------------------------------


def test_the_heart_rhythm_at_rest_is_found_beside_what_each_step_adds(worn: Judged) -> None:
    inside: dict[str, list[bool]] = defaultdict(list)
    for subject, truth in worn.truth.items():
        rest = truth["analytes"]["heart-rate"]
        expected = {
            "acrophase": (rest["acrophase"], 24.0),
            "per-step": (truth["markers"]["per_step"], math.inf),
            "amplitude": (rest["amplitude"], math.inf),
        }
        # The mesor is that of the week, and days share an error: the person's own is elsewhere.
        for name, (value, period) in expected.items():
            rows = weekly(worn.markers[subject, "heart-rate", name])
            inside[name] += [holds(row, value, period) for row in rows]
    for name, found in inside.items():
        assert len(found) >= 15, name
        assert as_often_as_promised(found), (name, sum(found), len(found))
    # The truth of one person is not that of all: the intervals are narrow enough to tell.
    peaks = [truth["analytes"]["heart-rate"]["acrophase"] for truth in worn.truth.values()]
    of_others = [
        holds(row, peaks[(k + 1) % len(peaks)], 24.0)
        for k, subject in enumerate(worn.truth)
        for row in weekly(worn.markers[subject, "heart-rate", "acrophase"])
    ]
    assert not as_often_as_promised(of_others)


def test_the_onset_of_melatonin_is_found_where_samples_lie_about_it(worn: Judged) -> None:
    known = 0
    for subject, truth in worn.truth.items():
        onset = truth["markers"]["melatonin_onset"]
        if onset is None or not 20.0 <= onset <= 22.5:
            continue
        known += 1
        rows = worn.markers[subject, "saliva-melatonin", "dlmo-threshold"]
        found = [row["value"] for row in rows if row["status"] == "measured"]
        assert len(found) >= 4
        assert np.median(found) == pytest.approx(onset, abs=0.75)
    assert known >= 3


def test_the_awakening_response_is_that_of_verified_kits_alone(worn: Judged) -> None:
    rises: list[tuple[bool, float]] = []
    for subject, truth in worn.truth.items():
        rows = worn.markers[subject, "saliva-cortisol", "car-rise"]
        found = [row["value"] for row in rows if row["status"] == "measured"]
        late = worn.markers[subject, "saliva-cortisol", "late-night-level"]
        if not truth["markers"]["verified_kit"]:
            assert len(rows) >= 15
            assert found == []
            assert any("not verified" in row["sentence"] for row in rows)
            continue
        assert len(found) >= 10
        assert any(row["status"] == "measured" for row in late)
        rises.append((truth["awakening_rise"] > 0.0, float(np.mean(found))))
    assert len(rises) == 4
    responders, others = ([rise for true, rise in rises if true is one] for one in (True, False))
    assert min(responders) > max(others) + 0.05
    assert min(responders) > 0.1
    assert np.mean(others) == pytest.approx(0.0, abs=0.05)


# -- cycles -------------------------------------------------------------------------------------


class Told(NamedTuple):
    """A cycle whose first day was told, and so was the next one's, or that is not over."""

    subject: str
    truth: dict[str, Any]
    row: dict[str, Any]


def told(long: Judged) -> list[Told]:
    found = []
    last = (START + timedelta(days=LONG_DAYS)).date()
    for subject, truth in long.truth.items():
        cycles = truth["markers"].get("cycles", [])
        rows = {row["time"][:10]: row for row in long.markers[subject, "cycle", "ovulation-day"]}
        for cycle, following in pairwise(cycles):
            begin = date.fromisoformat(cycle["menses"])
            over = begin + timedelta(days=cycle["length"]) < last
            if cycle["logged"] and following["logged"] and over and begin >= START.date():
                found.append(Told(subject, cycle, rows[cycle["menses"]]))
    return found


def test_ovulation_is_on_its_day(long: Judged) -> None:
    cycles = [each for each in told(long) if each.truth["ovulation_day"] is not None]
    measured = [each for each in cycles if each.row["status"] == "measured"]
    assert len(measured) >= 9
    assert len(measured) >= 0.9 * len(cycles)
    inside = [holds(each.row, each.truth["ovulation_day"]) for each in measured]
    assert as_often_as_promised(inside), (sum(inside), len(inside))
    apart = [each.row["value"] - each.truth["ovulation_day"] for each in measured]
    assert np.mean(np.abs(apart)) < 0.8
    assert np.median([each.row["high"] - each.row["low"] for each in measured]) < 2.5


def test_a_cycle_without_ovulation_has_no_day(long: Judged) -> None:
    without = [each.row for each in told(long) if each.truth["ovulation_day"] is None]
    assert len(without) >= 2
    for row in without:
        assert row["status"] == "withheld"
        assert "probably has no ovulation" in row["sentence"]


def test_days_of_the_cycle_are_counted_from_the_menses_that_was_told(long: Judged) -> None:
    counted = 0
    for subject, cycle, _ in told(long):
        begin = date.fromisoformat(cycle["menses"])
        for row in long.markers[subject, "cycle", "cycle-day"]:
            since = (date.fromisoformat(row["time"][:10]) - begin).days
            if 0 <= since < cycle["length"]:
                assert row["value"] == since + 1
                counted += 1
    assert counted > 200


# -- blood --------------------------------------------------------------------------------------


def test_the_failing_thyroid_is_found_and_no_other(long: Judged) -> None:
    onset = (START + timedelta(days=LONG_DAYS / 3)).isoformat()
    surely = {}
    for subject in long.truth:
        rows = long.markers[subject, "serum-free-t4", "tsh-free-t4-axis"]
        assert len(rows) == 4
        assert all(row["status"] == "measured" for row in rows)
        surely[subject] = [row for row in rows if row["value"] < 1e-4]
    assert {subject for subject, rows in surely.items() if rows} == {FAILS}
    assert all(row["time"] > onset[:10] for row in surely[FAILS])
    assert "the pattern is primary" in surely[FAILS][0]["sentence"]
    # A usual pair is as far out as its probability says.
    usual = [
        row["value"]
        for subject in long.truth
        for slug, name in (
            ("serum-free-t4", "tsh-free-t4-axis"),
            ("serum-testosterone", "lh-testosterone-axis"),
        )
        for row in long.markers[subject, slug, name][1:]
        if subject != FAILS
    ]
    assert len(usual) > 90
    assert stats.kstest(usual, "uniform").pvalue > 0.01


def test_slow_hormones_stand_where_the_persons_level_is(long: Judged) -> None:
    catalogue = load_catalogue()
    found, true = [], []
    for subject, truth in long.truth.items():
        for slug, level in truth["markers"]["slow_hormones"].items():
            rows = long.markers[subject, slug, "level-for-age"]
            age = 2026.3 - truth["birth_year"] - 0.5
            low, high = catalogue[slug].reference(8.5, truth["sex"], age)
            assert low is not None
            assert high is not None
            middle, sd = math.log(low * high) / 2, math.log(high / low) / 3.92
            true.append((math.log(level) - middle) / sd)
            found.append(float(np.mean([row["value"] for row in rows])))
    assert len(found) >= 40
    # Four results with an error of a third of an SD each.
    assert np.mean(np.subtract(found, true)) == pytest.approx(0.0, abs=0.15)
    assert np.std(np.subtract(found, true)) < 0.4
    assert np.corrcoef(found, true)[0, 1] > 0.85
