"""Each kind of deviation on a synthetic series with a planned trouble.

Found, in the right direction, in a sentence; ended when the trouble ends; not told below the
effect gate; retrospective and silent in a backfill; explained and silent after a dose.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from processors.engine_port import Record
from schemas.catalogue import Analyte
from schemas.measurements import ALERT
from schemas.topics import ALERTS, DEVIATIONS, EVENTS
from tests.processors.engine.feeding import (
    CATALOGUE,
    FIVE_A_DAY,
    HOUR_MS,
    START_MS,
    SUBJECT,
    Floats,
    Run,
    batches,
    heading,
    moment,
    natural,
    numbered,
    population_curve,
    record,
    sampled,
    singles,
)

ILL_FROM, DAYS = 21, 56  # days
DAY_MS = 24 * HOUR_MS
CORTISOL, HEART_RATE = CATALOGUE["saliva-cortisol"], CATALOGUE["heart-rate"]
# Round the clock: that a rhythm is lost cannot be seen in the morning alone.
EVERY_FOUR_HOURS = (0.0, 4.0, 8.0, 12.0, 16.0, 20.0)


class Trouble(NamedTuple):
    """What happens from day 21 on for so many days."""

    days: float
    shift_h: float = 0.0
    swing: float = 1.0
    level: float = 0.0  # model scale

    def curve(self, analyte: Analyte, hours: Floats) -> Floats:
        """The population's curve, and what becomes of it."""
        well = population_curve(analyte, hours)
        swung = population_curve(analyte, hours - self.shift_h) - analyte.prior.mesor
        ill = analyte.prior.mesor + self.level + self.swing * swung
        begin = 24.0 * ILL_FROM
        return np.where((hours >= begin) & (hours < begin + 24.0 * self.days), ill, well)


def recording(
    analyte: Analyte,
    trouble: Trouble,
    *,
    seed: int = 0,
    sd: float | None = None,
    days: int = DAYS,
    clock_hours: Sequence[float] = FIVE_A_DAY,
) -> tuple[Floats, Floats]:
    """Hours and values: samples at these hours of a day, or one in five minutes of a wearable."""
    rng = np.random.default_rng(seed)
    if analyte.keep == "all":
        hours = sampled(clock_hours, days)
    else:
        hours = np.arange(0.0, 24.0 * days, 1 / 12)
    noise = (analyte.prior.residual_sd if sd is None else sd) * rng.standard_normal(len(hours))
    values = natural(analyte, trouble.curve(analyte, hours) + noise)
    return hours, np.clip(values, analyte.limits.low, analyte.limits.high)


def sent(analyte: Analyte, hours: Floats, values: Floats, late_h: float = 0.5) -> Iterator[Record]:
    """As a home test or a wearable would."""
    if analyte.keep == "all":
        return singles(analyte.slug, hours, values, late_h=late_h)
    return batches(analyte.slug, hours, values, every=6, late_h=late_h, interval_s=300.0)


def taken(records: list[Record], events: list[Record] | None = None) -> Run:
    """A run over the records in order of arrival, its outputs checked for what must never be."""
    run = Run()
    run.feed(events or [])
    ordered = numbered(sorted(records, key=lambda each: each.timestamp_ms))
    for first in range(0, len(ordered), 500):
        run.feed(ordered[first : first + 500])
        run.settle()
    assert run.letters() == []
    for rows in run.contents().values():
        for row in rows:
            for name, value in row.items():
                assert not isinstance(value, float) or math.isfinite(value), (name, row)
    for message in run.messages:
        assert message.value is not None
        if message.topic in (DEVIATIONS.name, ALERTS.name):
            told = json.loads(message.value, parse_constant=lambda name: pytest.fail(name))
            assert not re.search(r"\bnan\b|\binf\b|None", told["reason"])
    return run


def planned(run: Run, kind: str) -> list[dict[str, Any]]:
    """Deviations of a kind that begin with the trouble or after it."""
    begin = START_MS + ILL_FROM * DAY_MS
    return [d for d in run.deviations() if d["kind"] == kind and d["time"] >= begin]


class Case(NamedTuple):
    """A trouble and how it must be found."""

    slug: str
    trouble: Trouble
    kind: str
    direction: str
    within_days: float
    effect: tuple[float, float]
    clock_hours: tuple[float, ...] = FIVE_A_DAY


CORTISOL_SLUG, HEART_SLUG = CORTISOL.slug, HEART_RATE.slug
LN2 = math.log(2)
CASES = [
    Case(CORTISOL_SLUG, Trouble(7, level=LN2), "level", "higher", 4, (1.4, 2.4)),
    Case(CORTISOL_SLUG, Trouble(7, level=-LN2), "level", "lower", 4, (0.4, 0.75)),
    Case(HEART_SLUG, Trouble(7, level=20.0), "level", "higher", 4, (1.08, 1.35)),
    Case(CORTISOL_SLUG, Trouble(10, swing=0.2), "amplitude", "lower", 4, (0.1, 0.7)),
    Case(CORTISOL_SLUG, Trouble(10, swing=2.5), "amplitude", "higher", 6, (1.5, 2.8)),
    Case(CORTISOL_SLUG, Trouble(10, shift_h=5.0), "phase", "later", 4, (2.0, 6.0)),
    Case(CORTISOL_SLUG, Trouble(10, shift_h=-5.0), "phase", "earlier", 4, (-6.0, -2.0)),
    Case(HEART_SLUG, Trouble(10, shift_h=5.0), "phase", "later", 6, (2.0, 6.0)),
    Case(
        CORTISOL_SLUG,
        Trouble(14, swing=0.0),
        "arrhythmic",
        "lost",
        12,
        (0.0, 0.4),
        EVERY_FOUR_HOURS,
    ),
]
WORDS = {
    "level": r"% {} than this person's baseline: \d+(\.\d+)? instead of \d",
    "amplitude": r"the daily swing is \d+ % {} than this person's baseline",
    "phase": r"peaks \d\.\d h {} than this person's baseline: at \d\d:\d\d instead of \d\d:\d\d",
    "arrhythmic": r"has {} its 24-hour rhythm: the daily swing is \d+ % of this person's baseline",
}


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.slug}-{c.kind}-{c.direction}")
def test_it_is_found_told_and_ended(case: Case) -> None:
    analyte = CATALOGUE[case.slug]
    hours, values = recording(analyte, case.trouble, seed=3, clock_hours=case.clock_hours)
    run = taken(list(sent(analyte, hours, values)))
    begin = START_MS + ILL_FROM * DAY_MS
    end = begin + round(case.trouble.days * DAY_MS)
    first, *_ = planned(run, case.kind)
    assert begin < first["time"] <= begin + case.within_days * DAY_MS
    assert first["direction"] == case.direction
    assert case.effect[0] <= first["effect"] <= case.effect[1]
    assert first["effect_low"] <= first["effect"] <= first["effect_high"]
    assert abs(first["z"]) > first["threshold"]
    assert first["z"] * {"higher": 1, "later": 1}.get(case.direction, -1) > 0
    assert not first["retrospective"]
    assert first["explained_by"] is None
    words = WORDS[case.kind].format(case.direction)
    assert re.search(words, first["reason"]), first["reason"]
    assert first["reason"].lower().startswith(analyte.short_name.lower())
    # as sure as the score says: it lies outside what would be no change at all
    unchanged = 0.0 if case.kind == "phase" else 1.0
    assert not first["effect_low"] <= unchanged <= first["effect_high"]
    # it lasts about as long as the trouble does, and is over within days of its end
    last = planned(run, case.kind)[-1]
    assert last["ended_at"] is not None
    assert end - 2 * DAY_MS < last["ended_at"] < end + 10 * DAY_MS
    # an alert goes with it, open and resolved at the same times
    alerts = [a for a in run.store.select(ALERT) if a["time"] == first["time"]]
    (alert,) = [a for a in alerts if a["kind"] == case.kind]
    assert (alert["state"], alert["resolved_at"]) == ("resolved", first["ended_at"])
    assert (alert["reason"], alert["severity"]) == (first["reason"], first["severity"])
    # nobody was called ill while well
    sustained = ("level", "amplitude", "phase", "arrhythmic")
    assert [d for d in run.deviations() if d["kind"] in sustained and d["time"] < begin] == []


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shift_h", [-11.0, -8.0, 8.0, 12.0])
def test_direction_size_and_sentence_never_contradict_each_other(seed: int, shift_h: float) -> None:
    """Half a day's shift is where later is earlier, flatter is steeper, and all of it at once."""
    hours, values = recording(CORTISOL, Trouble(10, shift_h=shift_h), seed=seed)
    run = taken(list(sent(CORTISOL, hours, values)))
    assert planned(run, "phase") or planned(run, "amplitude") or planned(run, "arrhythmic")
    for d in run.deviations():
        if d["kind"] in ("level", "amplitude", "outlier"):
            assert (d["effect"] > 1.0) == (d["direction"] == "higher"), d
        if d["kind"] == "phase":
            assert (d["effect"] > 0.0) == (d["direction"] == "later"), d
        # back in step for 25 days, nobody is out of order
        assert d["ended_at"] is not None, d
        assert d["ended_at"] >= d["time"]


@pytest.mark.parametrize(
    ("trouble", "sd"),
    [
        (Trouble(21, level=math.log(1.15)), 0.05),
        (Trouble(21, shift_h=0.5), 0.05),
        (Trouble(21, swing=0.85), 0.02),
    ],
    ids=["level", "phase", "amplitude"],
)
def test_a_sure_change_too_small_to_matter_is_not_told(trouble: Trouble, sd: float) -> None:
    hours, values = recording(CORTISOL, trouble, sd=sd)
    run = taken(list(sent(CORTISOL, hours, values)))
    assert run.deviations() == []
    # the same change, larger, is told: it was the gate and not the score that kept it back
    larger = Trouble(21, 4 * trouble.shift_h, trouble.swing**3, 3 * trouble.level)
    hours, values = recording(CORTISOL, larger, sd=sd)
    assert taken(list(sent(CORTISOL, hours, values))).deviations() != []


def test_nobody_is_compared_with_a_baseline_of_less_than_a_week() -> None:
    hours = sampled(FIVE_A_DAY, 6)
    y = population_curve(CORTISOL, hours) + np.where(hours > 72, 1.5, 0.0)
    run = taken(list(sent(CORTISOL, hours, natural(CORTISOL, y))))
    assert [d["kind"] for d in run.deviations() if d["kind"] != "outlier"] == []


# --- single readings ------------------------------------------------------------------------


OUTLIER_H = 24.0 * ILL_FROM + 17.0


def with_one_reading_times(factor: float, sd: float = 0.4) -> list[Record]:
    hours, values = recording(CORTISOL, Trouble(0), seed=1, sd=sd, days=ILL_FROM + 5)
    at = int(np.searchsorted(hours, OUTLIER_H))
    values[at] *= factor
    return list(sent(CORTISOL, hours, values))


@pytest.mark.parametrize(("factor", "direction"), [(12.0, "higher"), (1 / 12.0, "lower")])
def test_an_outlier_is_one_reading_against_its_prediction(factor: float, direction: str) -> None:
    run = taken(with_one_reading_times(factor))
    (found,) = run.deviations()
    hour_of_it = START_MS + round(OUTLIER_H * HOUR_MS)
    assert (found["kind"], found["direction"]) == ("outlier", direction)
    assert found["time"] == hour_of_it
    assert found["ended_at"] == hour_of_it + 5 * HOUR_MS  # the next reading was as predicted
    assert re.search(r"of \d\.\d{3} µg/dL is .* predicted for that hour", found["reason"])
    low, high = found["effect_low"], found["effect_high"]
    assert low < high  # what 90 % of readings are, in the analyte's unit
    assert factor / 4 < found["effect"] < factor * 4  # the reading had an error of its own, too
    (alert,) = run.store.select(ALERT)
    assert alert["state"] == "resolved"


def test_an_outlier_within_what_assay_and_person_always_vary_by_is_not_told() -> None:
    # of a very steady person, 2.5 times as much is unlikely and yet less than the reference
    # change value of saliva cortisol, a factor of 3
    assert taken(with_one_reading_times(2.5, sd=0.05)).deviations() == []
    told = taken(with_one_reading_times(4.0, sd=0.05)).deviations()
    assert [d["kind"] for d in told if d["kind"] == "outlier"] == ["outlier"]


def test_a_late_reading_from_before_does_not_end_an_outlier() -> None:
    records = with_one_reading_times(12.0)
    before = heading(CORTISOL, SUBJECT, OUTLIER_H - 1.0) | {
        "value": CORTISOL.from_model(CORTISOL.prior.value(16.0))
    }
    kept = [r for r in records if r.timestamp_ms <= START_MS + (OUTLIER_H + 0.5) * HOUR_MS]
    run = taken([*kept, record(before, OUTLIER_H + 2.0)])
    (found,) = run.deviations()
    assert (found["kind"], found["ended_at"]) == ("outlier", None)


def test_a_dense_series_has_no_outliers_of_single_readings() -> None:
    hours, values = recording(HEART_RATE, Trouble(0), days=10)
    values[-100] = 210.0
    assert taken(list(sent(HEART_RATE, hours, values))).deviations() == []


# --- silence --------------------------------------------------------------------------------


def somebody_else(hours: float) -> Iterator[Record]:
    """Another person's readings, which move the partition's clock."""
    at = np.arange(0.0, hours, 1.0)
    values = natural(CORTISOL, population_curve(CORTISOL, at))
    return singles("saliva-cortisol", at, values, subject="syn-02", late_h=0.1)


def test_a_silent_device_is_missed_and_comes_back() -> None:
    hours, values = recording(HEART_RATE, Trouble(0), days=12)
    silent_h = (200.0, 230.0)
    worn = (hours < silent_h[0]) | (hours >= silent_h[1])
    records = [*sent(HEART_RATE, hours[worn], values[worn]), *somebody_else(24.0 * 12)]
    run = taken(records)
    (found,) = [d for d in run.deviations() if d["subject"] == SUBJECT]
    last_h = float(hours[worn & (hours < silent_h[0])][-1])
    since_h = (found["time"] - START_MS) / HOUR_MS
    assert (found["kind"], found["direction"]) == ("missing", "silent")
    assert since_h == pytest.approx(last_h + HEART_RATE.missing_after_h)
    assert found["effect"] == pytest.approx(HEART_RATE.missing_after_h)
    assert "Heart rate: no readings for 8 h; the longest usual pause is" in found["reason"]
    # over when the next readings have arrived: half an hour of them at a time
    back_h = (found["ended_at"] - START_MS) / HOUR_MS
    assert back_h == pytest.approx(silent_h[1] + 25 / 60 + 0.5, abs=1e-6)
    (alert,) = [a for a in run.store.select(ALERT) if a["subject"] == SUBJECT]
    assert (alert["state"], alert["resolved_at"]) == ("resolved", found["ended_at"])


def test_a_silence_lasts_while_nothing_comes() -> None:
    hours, values = recording(HEART_RATE, Trouble(0), days=8)
    run = taken([*sent(HEART_RATE, hours, values), *somebody_else(24.0 * 12)])
    (found,) = [d for d in run.deviations() if d["subject"] == SUBJECT]
    assert (found["kind"], found["ended_at"]) == ("missing", None)
    assert [a["state"] for a in run.store.select(ALERT) if a["subject"] == SUBJECT] == ["open"]


def test_who_always_pauses_for_half_a_day_is_not_missed_then() -> None:
    hours, values = recording(HEART_RATE, Trouble(0), days=14)
    worn = hours % 24.0 < 13.0  # eleven hours off, every night
    run = taken([*sent(HEART_RATE, hours[worn], values[worn]), *somebody_else(24.0 * 14)])
    told = [d for d in run.deviations() if d["subject"] == SUBJECT]
    assert [d["time"] for d in told if d["time"] > START_MS + 4 * DAY_MS] == []


def test_a_recording_sent_in_afterwards_is_not_missed() -> None:
    hours, values = recording(HEART_RATE, Trouble(0), days=8)
    late = list(sent(HEART_RATE, hours, values, late_h=500.0))
    assert taken([*late, *somebody_else(1000.0)]).deviations() == []


# --- backfill and doses -----------------------------------------------------------------------


def all_at_once(records: list[Record], received_h: float) -> list[Record]:
    """The same records, all of them received at one later time."""
    at_ms = START_MS + round(received_h * HOUR_MS)
    old = re.compile(rb'"received_at": "[^"]*"')
    new = f'"received_at": "{moment(received_h)}"'.encode()
    return [
        each._replace(timestamp_ms=at_ms, value=old.sub(new, each.value or b"")) for each in records
    ]


@pytest.mark.parametrize("kind", ["level", "outlier"])
def test_what_a_backfill_shows_is_listed_and_alerts_nobody(kind: str) -> None:
    if kind == "level":
        records = list(sent(CORTISOL, *recording(CORTISOL, Trouble(7, level=1.0), seed=3)))
    else:
        records = with_one_reading_times(12.0)
    live = {(d["kind"], d["time"]) for d in taken(records).deviations()}
    run = taken(all_at_once(records, 24.0 * DAYS + 100.0))
    found = [d for d in run.deviations() if d["kind"] == kind]
    assert found
    assert all(d["retrospective"] for d in run.deviations())
    assert run.store.select(ALERT) == []
    assert {(d["kind"], d["time"]) for d in found} <= live  # the same, found too late
    assert [m for m in run.messages if m.topic == ALERTS.name] == []


def dose(substance: str, hour: float) -> list[Record]:
    body: dict[str, Any] = {"kind": "dose", "subject": SUBJECT, "at": moment(hour)}
    body |= {"substance": substance, "amount": 20.0, "unit": "mg", "route": "oral"}
    return numbered([record(body, hour, EVENTS.name)])


@cache
def cortisol_outlier() -> tuple[Record, ...]:
    return tuple(with_one_reading_times(12.0))


def test_a_dose_explains_and_alerts_nobody() -> None:
    taken_h = OUTLIER_H - 1.0
    run = taken(list(cortisol_outlier()), dose("hydrocortisone", taken_h))
    (found,) = run.deviations()
    assert found["explained_by"] == "dose of hydrocortisone 1.0 h before"
    assert not found["retrospective"]
    assert found["ended_at"] is not None
    assert run.store.select(ALERT) == []


@pytest.mark.parametrize(
    ("substance", "hour"),
    [
        ("levothyroxine", OUTLIER_H - 1.0),  # does not touch cortisol
        ("hydrocortisone", OUTLIER_H + 1.0),  # was taken afterwards
        ("hydrocortisone", OUTLIER_H - 20.0),  # was over
    ],
)
def test_other_doses_explain_nothing(substance: str, hour: float) -> None:
    run = taken(list(cortisol_outlier()), dose(substance, hour))
    (found,) = run.deviations()
    assert found["explained_by"] is None
    assert len(run.store.select(ALERT)) == 1


def test_a_dose_does_not_explain_a_silent_device() -> None:
    hours, values = recording(CORTISOL, Trouble(0), days=8)
    records = [*sent(CORTISOL, hours, values), *somebody_else(24.0 * 12)]
    first = [d for d in taken(records).deviations() if d["subject"] == SUBJECT]
    since_h = (first[0]["time"] - START_MS) / HOUR_MS
    run = taken(records, dose("hydrocortisone", since_h - 1.0))
    (found,) = [d for d in run.deviations() if d["subject"] == SUBJECT]
    assert (found["kind"], found["explained_by"]) == ("missing", None)
    assert [a["kind"] for a in run.store.select(ALERT) if a["subject"] == SUBJECT] == ["missing"]
