"""Panels: what is measured on top leaves the rest as it is, and its records are its truth's."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from producers.clinic import Clinic
from producers.day_records import Delivery
from producers.devices import Delivery as Way
from producers.devices import Wear
from producers.laboratory import EVERY_DAYS, THYROID
from producers.panels import Panel
from producers.physiology import ONSET_PG_ML, FloatArray, Trouble, basis
from producers.wearer_clock import Journey
from schemas.catalogue import load_catalogue
from schemas.events import Illness, LhSurge, Menses, Sleep, Travel
from schemas.readings import Reading, ReadingBatch

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 5, tzinfo=BERLIN)
FLAWLESS = Way(late_share=0.0, duplicate_share=0.0)
WORN = Wear(charging_min=(0.0, 0.0), gaps_a_day=0.0)
BANDS = ("heart-rate", "wrist-temperature")
SALIVA = ("saliva-cortisol", "saliva-melatonin")


def days(number: float) -> datetime:
    return START + timedelta(days=number)


def slug_of(delivery: Delivery) -> str | None:
    record = delivery.record
    if isinstance(record, Reading | ReadingBatch):
        return load_catalogue().by_code(record.code).slug
    return None


def results(deliveries: Sequence[Delivery], subject: str, slug: str) -> list[Reading]:
    """Single readings, in order of collection, each once."""
    found = {
        d.record.collected_at: d.record
        for d in deliveries
        if d.subject == subject and isinstance(d.record, Reading) and slug_of(d) == slug
    }
    return [found[at] for at in sorted(found)]


def minutes(deliveries: Sequence[Delivery], subject: str, slug: str) -> dict[float, float]:
    """Values by instant, of batches."""
    return {
        d.record.collected_at.timestamp() + ms / 1000.0: value
        for d in deliveries
        if d.subject == subject and isinstance(d.record, ReadingBatch) and slug_of(d) == slug
        for ms, value in zip(d.record.offsets_ms, d.record.values, strict=True)
    }


def bandless(clinic: Clinic) -> dict[str, list[Trouble]]:
    """Nobody wears a band or spits: what is left is quick to make."""
    silent = Trouble("silent", START.timestamp(), analytes=(*BANDS, *SALIVA))
    return {subject: [silent] for subject in clinic.subjects}


def truths(clinic: Clinic, until: datetime) -> dict[str, dict[str, Any]]:
    return {p["subject"]: p for p in clinic.truth(until)["people"]}


@pytest.mark.parametrize("panel", [Panel.STEPS, Panel.CYCLE, Panel.LABS, Panel.TRAVEL])
def test_a_panel_leaves_everything_else_byte_for_byte_as_it_is(panel: Panel) -> None:
    plain = Clinic(2, 8, START)
    more = Clinic(2, 8, START, panel=[panel])
    end = days(4)
    others = [
        [d.value for d in clinic.records(START, end) if slug_of(d) in (*BANDS[1:], *SALIVA, None)]
        for clinic in (plain, more)
    ]
    told = {b'"menses"', b'"lh-surge"', b'"illness"', b'"travel"'}
    others[1] = [value for value in others[1] if not any(kind in value for kind in told)]
    assert others[0] == others[1]
    assert "markers" not in plain.truth()["people"][0]
    if panel is not Panel.TRAVEL:  # nobody travels
        assert len(list(more.records(START, days(9)))) > len(list(plain.records(START, days(9))))


def test_the_same_whatever_panels_are_beside_it_and_however_time_is_cut() -> None:
    whole = list(Clinic(2, 3, START, panel=list(Panel)).records(START, days(40)))
    clinic = Clinic(2, 3, START, panel=list(Panel))
    parts = [d for k in range(8) for d in clinic.records(days(5 * k), days(5 * k + 5))]
    assert parts == whole
    alone = [
        d.value
        for d in Clinic(2, 3, START, panel=[Panel.LABS]).records(START, days(40))
        if (slug_of(d) or "").startswith("serum")
    ]
    # Sending has one stream for all notes of a day: what was measured is the same.
    assert len(alone) == len([d for d in whole if (slug_of(d) or "").startswith("serum")])


def test_a_panel_may_be_one_persons() -> None:
    clinic = Clinic(2, 3, START, panel={"sim-02": [Panel.STEPS]})
    found = list(clinic.records(START, days(1)))
    assert {d.subject for d in found if slug_of(d) == "steps"} == {"sim-02"}
    assert {s for s, p in truths(clinic, days(1)).items() if "markers" in p} == {"sim-02"}
    with pytest.raises(KeyError, match="no person sim-09"):
        Clinic(2, 3, START, panel={"sim-09": [Panel.STEPS]})


# -- steps --------------------------------------------------------------------------------------


def test_steps_are_of_the_day_mostly_zero_and_move_the_heart_by_the_truth() -> None:
    clinic = Clinic(6, 2, START, panel=[Panel.STEPS], wear=WORN, delivery=FLAWLESS)
    found = list(clinic.records(START, days(30)))
    for subject, truth in truths(clinic, days(30)).items():
        steps, pulse = (minutes(found, subject, slug) for slug in ("steps", "heart-rate"))
        at = np.array(sorted(steps.keys() & pulse.keys()))
        counts = np.array([steps[t] for t in at])
        rate = np.array([pulse[t] for t in at])
        assert at.size == pytest.approx(30 * 1440, rel=0.02)
        body = clinic.body(subject)
        asleep = np.zeros(at.shape, dtype=bool)
        for day in range(31):
            night = body.sleep(day)
            assert night is not None
            asleep |= (at >= night[0] + 60.0) & (at < night[1])
        assert not counts[asleep].any()
        assert 0.6 < (counts == 0).mean() < 0.95
        assert 3_000 < counts.sum() / 30 < 25_000
        trained = {int((t + 3600) // 86_400) for t, n in zip(at, counts, strict=True) if n > 125}
        assert 6 <= len(trained) <= 20
        # The heart follows within minutes, so ten-minute means have the whole effect.
        ten = at.size // 10 * 10
        y, x, hours = (
            column[:ten].reshape(-1, 10).mean(axis=1)
            for column in (rate, counts, (at + 3600.0) / 3600.0)
        )
        fitted = np.linalg.lstsq(np.column_stack((basis(hours), x)), y, rcond=None)[0]
        assert fitted[5] == pytest.approx(truth["markers"]["per_step"], abs=0.03)
        rest = truth["analytes"]["heart-rate"]
        assert fitted[0] == pytest.approx(rest["mesor"], abs=0.25 * rest["residual_sd"])
        peak = math.atan2(fitted[2], fitted[1]) * 24.0 / (2 * math.pi)
        apart = (peak - rest["acrophase"] + 12.0) % 24.0 - 12.0
        assert abs(apart) * rest["amplitude"] / 3.8 < 0.3 * rest["residual_sd"]


def test_a_silent_band_counts_no_steps() -> None:
    trouble = Trouble("silent", days(1.5).timestamp(), analytes=BANDS)
    clinic = Clinic(1, 1, START, panel=[Panel.STEPS], troubles={"sim-01": [trouble]})
    steps = minutes(list(clinic.records(START, days(3))), "sim-01", "steps")
    assert days(1.4).timestamp() < max(steps) < days(1.5).timestamp()


# -- cycles -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def women() -> tuple[Clinic, list[Delivery]]:
    seed, people = 1, 60
    clinic = Clinic(
        *(seed, people, START),
        panel=[Panel.CYCLE],
        troubles=bandless(Clinic(seed, people, START)),
        delivery=FLAWLESS,
    )
    return clinic, list(clinic.records(START, days(120)))


def cycles_of(clinic: Clinic) -> dict[str, list[dict[str, Any]]]:
    return {
        subject: truth["markers"]["cycles"]
        for subject, truth in truths(clinic, days(120)).items()
        if "cycles" in truth["markers"]
    }


def test_women_of_18_to_45_have_cycles_and_nobody_else(
    women: tuple[Clinic, list[Delivery]],
) -> None:
    clinic, found = women
    of_age = {
        subject
        for subject, person in truths(clinic, days(120)).items()
        if person["sex"] == "female" and 18 <= 2026 - person["birth_year"] <= 45
    }
    assert of_age == cycles_of(clinic).keys()
    assert len(of_age) >= 10
    measured = {d.subject for d in found if slug_of(d) in ("urine-lh", "basal-temperature")}
    assert measured == of_age


def test_cycles_are_as_long_as_theirs_are() -> None:
    clinic = Clinic(4, 200, START, panel=[Panel.CYCLE])
    of_women = [
        [cycle["length"] for cycle in person["markers"]["cycles"]]
        for person in clinic.truth(days(600))["people"]
        if "cycles" in person["markers"]
    ]
    lengths = [length for one in of_women for length in one]
    assert np.mean(lengths) == pytest.approx(29.2, abs=0.7)
    within = math.sqrt(float(np.mean([np.var(one, ddof=1) for one in of_women])))
    assert within == pytest.approx(2.7, abs=0.25)
    cycles = [
        cycle
        for person in clinic.truth(days(600))["people"]
        for cycle in person["markers"].get("cycles", [])
    ]
    without = np.mean([cycle["ovulation_day"] is None for cycle in cycles])
    assert without == pytest.approx(0.06, abs=0.025)
    follicular = [cycle["ovulation_day"] - 1.0 for cycle in cycles if cycle["ovulation_day"]]
    assert np.mean(follicular) == pytest.approx(16.7, abs=0.8)  # Bull et al. 2019: 16.9


def test_menses_are_told_on_the_first_day_but_for_the_forgotten(
    women: tuple[Clinic, list[Delivery]],
) -> None:
    clinic, found = women
    kinds: Counter[tuple[bool, bool]] = Counter()
    for subject, cycles in cycles_of(clinic).items():
        told = {
            d.record.at.date().isoformat()
            for d in found
            if d.subject == subject and isinstance(d.record, Menses)
        }
        expected = set()
        for cycle in cycles:
            first = datetime.fromisoformat(cycle["menses"])
            kinds[cycle["logged"], cycle["logged_again"]] += 1
            for logged, at in (("logged", 0), ("logged_again", 1)):
                date = (first + timedelta(days=at)).date()
                if cycle[logged] and START.date() <= date < days(120).date():
                    expected.add(date.isoformat())
        assert told == expected
    assert kinds[True, True] > 0
    assert kinds[False, False] > 0
    assert kinds[False, True] == 0


def test_lh_pdg_and_temperature_turn_about_the_true_ovulation(
    women: tuple[Clinic, list[Delivery]],
) -> None:
    """Means over all cycles, by days from ovulation: 41 against 5 mIU/mL, six-fold, and 0.3 °C."""
    clinic, found = women
    by_day: dict[str, dict[int, list[float]]] = {
        slug: {} for slug in ("urine-lh", "urine-pdg", "basal-temperature")
    }
    fevers = {
        (d.subject, (d.record.at + timedelta(days=k)).date())
        for d in found
        if isinstance(d.record, Illness) and d.record.until is not None
        for k in range((d.record.until - d.record.at).days)
    }
    assert fevers
    for subject, cycles in cycles_of(clinic).items():
        for slug, values in by_day.items():
            for reading in results(found, subject, slug):
                if (subject, reading.collected_at.date()) in fevers or reading.value is None:
                    continue
                date = reading.collected_at.date()
                cycle = [c for c in cycles if c["menses"] <= date.isoformat()][-1]
                if cycle["ovulation_day"] is None:
                    continue
                midnight = datetime.fromisoformat(cycle["menses"]).replace(tzinfo=BERLIN)
                since = (reading.collected_at - midnight) / timedelta(days=1)
                values.setdefault(round(since + 1.0 - cycle["ovulation_day"]), []).append(
                    math.log(reading.value) if slug != "basal-temperature" else reading.value
                )

    def mean(slug: str, *at: int) -> float:
        return float(np.mean([value for day in at for value in by_day[slug][day]]))

    lh = {day: mean("urine-lh", day) for day in range(-5, 5)}
    assert max(lh, key=lambda day: lh[day]) in (-1, 0)
    assert max(lh.values()) - lh[-5] == pytest.approx(1.9, abs=0.4)
    assert mean("urine-pdg", 5, 6, 7) - mean("urine-pdg", -5, -4, -3) == pytest.approx(1.8, abs=0.3)
    # Progesterone's metabolite comes two days later.
    late = [mean("urine-pdg", day) - mean("urine-pdg", -5, -4, -3) for day in (0, 4)]
    assert late[0] < 0.4 < 1.4 < late[1]
    warm = mean("basal-temperature", 3, 4, 5) - mean("basal-temperature", -4, -3, -2)
    assert warm == pytest.approx(0.3, abs=0.06)
    early = mean("basal-temperature", 0) - mean("basal-temperature", -4, -3, -2)
    assert early < 0.15


def test_home_tests_are_positive_near_ovulation(women: tuple[Clinic, list[Delivery]]) -> None:
    clinic, found = women
    apart = []
    for subject, cycles in cycles_of(clinic).items():
        for d in found:
            if d.subject == subject and isinstance(d.record, LhSurge):
                date = d.record.at.date().isoformat()
                cycle = [c for c in cycles if c["menses"] <= date][-1]
                assert cycle["ovulation_day"] is not None
                begin = datetime.fromisoformat(cycle["menses"]).replace(tzinfo=BERLIN)
                ovulation = begin + timedelta(days=cycle["ovulation_day"] - 1.0)
                apart.append((d.record.at - ovulation) / timedelta(days=1))
    assert len(apart) > 20
    assert -2.5 < min(apart) <= max(apart) < 1.5
    readers = {d.subject for d in found if isinstance(d.record, LhSurge)}
    assert readers < cycles_of(clinic).keys()


def test_fever_is_warm_and_told_of(women: tuple[Clinic, list[Delivery]]) -> None:
    _, found = women
    ill = [d for d in found if isinstance(d.record, Illness)]
    warmer = []
    for d in ill:
        assert isinstance(d.record, Illness)
        assert d.record.until is not None
        assert d.record.until <= d.received_at
        temperatures = results(found, d.subject, "basal-temperature")
        usual = np.median([r.value for r in temperatures if r.value is not None])
        warmer += [
            r.value - float(usual)
            for r in temperatures
            if r.value is not None and d.record.at <= r.collected_at < d.record.until
        ]
    assert len(warmer) > 10
    assert min(warmer) > 0.3
    assert np.mean(warmer) == pytest.approx(1.15, abs=0.3)


# -- blood --------------------------------------------------------------------------------------


def test_blood_is_drawn_every_four_weeks_and_scatters_about_the_set_point() -> None:
    people, length = 24, 280
    clinic = Clinic(
        *(3, people, START),
        panel=[Panel.LABS],
        troubles=bandless(Clinic(3, people, START)),
        delivery=FLAWLESS,
    )
    found = list(clinic.records(START, days(length)))
    z: dict[str, list[float]] = {}
    slopes = []
    for subject, person in truths(clinic, days(length)).items():
        points = person["markers"]["set_points"]
        assert len(points) == (2 if person["sex"] == "male" else 1)
        for point in points:
            made = {r.collected_at: r for r in results(found, subject, point["product"])}
            drives = {r.collected_at: r for r in results(found, subject, point["controller"])}
            assert made.keys() == drives.keys()
            dates = sorted(made)
            assert len(dates) == 10
            assert {(b.date() - a.date()).days for a, b in pairwise(dates)} == {EVERY_DAYS}
            assert {at.hour for at in dates} == {8}
            for reading in made.values():
                assert reading.received_at is not None
                late = reading.received_at - reading.collected_at
                assert timedelta(days=1) <= late < timedelta(days=4, hours=1)
                assert reading.timing == "verified"
            level = np.array([made[at].value for at in dates], dtype=float)
            drive = np.array([drives[at].value for at in dates], dtype=float)
            z.setdefault(point["product"], []).extend(np.log(level / point["product_level"]))
            z.setdefault(point["controller"], []).extend(np.log(drive / point["controller_level"]))
            moved = np.log(level / point["product_level"])
            if point["usual"]:
                moved = (level - point["product_level"]) / point["usual"]
                slopes += list(zip(moved, np.log(drive / point["controller_level"]), strict=True))
        for slug, truth in person["markers"]["slow_hormones"].items():
            values = [r.value for r in results(found, subject, slug)]
            z.setdefault(slug, []).extend(np.log(np.array(values, dtype=float) / truth))
    catalogue = load_catalogue()
    for slug, apart in z.items():
        analyte = catalogue[slug]
        assert np.mean(apart) == pytest.approx(0.0, abs=0.06)
        if slug not in ("serum-tsh", "serum-lh"):  # which answer the product as well
            expected = math.hypot(analyte.cv_analytical, analyte.cv_within)
            assert np.std(apart) == pytest.approx(expected, rel=0.12)
    x, y = np.array(slopes).T
    # The assay's error of x flattens it: by the share of its variance that is the person's own.
    flat = 0.06**2 / (0.06**2 + 0.05**2)
    assert float(x @ y / (x @ x)) == pytest.approx(-0.059 * math.log(10.0) * 15.0 * flat, rel=0.15)


def test_a_failing_thyroid_makes_less_although_it_is_driven_more() -> None:
    onset = days(40)
    plan = {
        "sim-01": [Trouble("axis", onset.timestamp(), 0.5, THYROID)],
        "sim-02": [Trouble("axis", onset.timestamp(), 0.5, ("serum-lh", "serum-testosterone"))],
    }
    silent = bandless(Clinic(3, 3, START))
    ill = {subject: [*silent[subject], *plan.get(subject, [])] for subject in silent}
    sick, well = (
        list(Clinic(3, 3, START, panel=[Panel.LABS], troubles=each).records(START, days(100)))
        for each in (ill, silent)
    )
    for subject, fails in (("sim-01", True), ("sim-02", False), ("sim-03", False)):
        ratios = {}
        for slug in THYROID:
            ratios[slug] = [
                (a.collected_at, (a.value or 0.0) / (b.value or 1.0))
                for a, b in zip(
                    results(sick, subject, slug), results(well, subject, slug), strict=True
                )
            ]
        for slug, expected in (("serum-free-t4", 0.5), ("serum-tsh", 5.0)):
            for at, ratio in ratios[slug]:
                if at < onset or not fails:
                    assert ratio == 1.0
                elif at > onset + timedelta(days=EVERY_DAYS):
                    assert ratio == pytest.approx(expected, rel=0.1 if expected < 1 else 0.8)


# -- the kit ------------------------------------------------------------------------------------


def test_every_second_person_has_a_kit_that_notes_the_true_times() -> None:
    clinic = Clinic(5, 4, START, panel=[Panel.AWAKENING], delivery=FLAWLESS)
    found = list(clinic.records(START, days(14)))
    for subject, person in truths(clinic, days(14)).items():
        kit = person["markers"]["verified_kit"]
        assert kit == (subject in ("sim-01", "sim-03"))
        samples = results(found, subject, "saliva-cortisol")
        assert {r.timing for r in samples} == {"verified" if kit else "reported"}
        melatonin = results(found, subject, "saliva-melatonin")
        assert {r.timing for r in melatonin} == {"reported"}
        if not kit:
            continue
        since: dict[int, list[float]] = {0: [], 30: [], 45: []}
        body = clinic.body(subject)
        for day in range(14):
            night = body.sleep(day)
            assert night is not None
            for r in samples:
                minute = (r.collected_at.timestamp() - night[1]) / 60.0
                for planned, taken in since.items():
                    if -1.0 < minute - planned < 7.5:
                        taken.append(minute - planned)
        assert all(len(taken) >= 10 for taken in since.values())
        assert all(0.0 <= late < 5.0 for late in since[0])
        late_night = [r for r in samples if r.collected_at.hour == 23]
        assert len(late_night) >= 10


def test_the_onset_in_the_truth_is_where_the_curve_rises_above_the_threshold() -> None:
    clinic = Clinic(5, 12, START, panel=[Panel.AWAKENING])
    known = 0
    for subject, person in truths(clinic, days(1)).items():
        onset = person["markers"]["melatonin_onset"]
        if onset is None:
            continue
        known += 1
        body = clinic.body(subject)
        # The mean over days takes the days' own phases out.
        at = np.array([-10.0, 10.0])
        curves: list[FloatArray] = []
        for day in range(60):
            midnight = body.clock.day_span(day)[0]
            hour = onset if onset > 12 else onset + 24.0
            instants = midnight + 3600.0 * hour + 60.0 * at
            owner = body.clock.day_number(float(instants[0]))
            if owner == body.clock.day_number(float(instants[1])):
                curves.append(body.expected("saliva-melatonin", owner, instants))
        before, after = np.mean(curves, axis=0)
        assert before < math.log(ONSET_PG_ML) < after + 0.1
    assert known >= 8


# -- travel -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "hours", "minutes_a_day"),
    [("Asia/Tokyo", 8.0, 57.0), ("America/New_York", -6.0, 92.0)],
)
def test_bodies_follow_a_journey_at_their_own_pace(
    zone: str, hours: float, minutes_a_day: float
) -> None:
    at = datetime(2026, 1, 12, 11, 0, tzinfo=UTC)
    people = 40
    subjects = Clinic(1, people, START).subjects
    clinic = Clinic(
        *(1, people, START),
        panel=[Panel.TRAVEL],
        journeys={subject: [Journey(at, zone)] for subject in subjects},
    )
    paces = []
    for person in truths(clinic, days(60)).values():
        lags = person["markers"]["body_clock"]
        assert lags[0]["lag_h"] == hours
        assert lags[-1]["lag_h"] == 0.0
        whole = [abs(each["lag_h"]) for each in lags[:-1]]
        steps = -np.diff(whole)
        assert steps == pytest.approx(np.full(steps.shape, steps[0]), abs=0.002)
        paces.append(steps[0] * 60.0)
    assert np.median(paces) == pytest.approx(minutes_a_day, rel=0.15)
    assert np.std(np.log(paces)) == pytest.approx(0.33, abs=0.1)


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Pacific/Honolulu", "Pacific/Kiritimati"])
@pytest.mark.parametrize("hour", [1, 7, 19])
def test_no_night_is_lost_half_way_round_the_world(zone: str, hour: int) -> None:
    start = datetime(2026, 3, 10, tzinfo=BERLIN)  # summer time begins on the way
    there = Journey(start + timedelta(days=5, hours=hour), zone)
    back = Journey(start + timedelta(days=12, hours=hour), "Europe/Berlin")
    clinic = Clinic(
        hour, 1, start, panel=[Panel.TRAVEL], journeys={"sim-01": [there, back]}, delivery=FLAWLESS
    )
    body = clinic.body("sim-01")
    nights = [body.sleep(day) for day in range(40)]
    for before, after in pairwise(nights):
        assert before is not None
        assert after is not None
        assert 11.0 < (after[0] - before[1]) / 3600.0 < 21.0
    until = start + timedelta(days=30)
    records = [d.record for d in clinic.records(start, until)]
    wakes = [r for r in records if isinstance(r, Sleep) and r.kind == "wake"]
    woken = [night[1] for night in nights if night is not None]
    expected = [at for at in woken if start.timestamp() <= at < until.timestamp() - 3600.0]
    assert len({r.at for r in wakes}) == len(wakes)
    assert len(wakes) - len(expected) in (0, 1)


def test_peaks_and_sleep_lag_as_the_truth_says() -> None:
    at = datetime(2026, 1, 12, 11, 0, tzinfo=UTC)
    clinic = Clinic(
        *(1, 1, START),
        panel=[Panel.TRAVEL],
        journeys={"sim-01": [Journey(at, "Asia/Tokyo")]},
        delivery=FLAWLESS,
    )
    body = clinic.body("sim-01")
    lags = truths(clinic, days(40))["sim-01"]["markers"]["body_clock"]

    def cooled_h(day: int) -> float:
        """Local hour of the wrist's warmest time, about sleep."""
        instants = np.arange(*body.clock.day_span(day), 600.0)
        curve = body.expected("wrist-temperature", day, instants)
        hours = (instants + body.clock.offset(float(instants[0]))) / 3600.0
        angle = np.exp(2j * np.pi * hours / 24.0)
        return float(np.angle((curve - curve.mean()) @ angle) * 24.0 / (2 * np.pi) % 24.0)

    def waking_h(day: int) -> float:
        night = body.sleep(day)
        assert night is not None
        local = body.clock.local_time(night[1])
        return local.hour + local.minute / 60.0

    usual = {f: float(np.mean([f(day) for day in range(6)])) for f in (cooled_h, waking_h)}
    for f, tolerance in ((cooled_h, 1.5), (waking_h, 1.6)):
        for ago in (2, 4, 6):
            lag = lags[ago]["lag_h"]
            assert lag > 1.0
            apart = (f(7 + ago) - usual[f] - lag + 12.0) % 24.0 - 12.0
            assert abs(apart) < tolerance, (f.__name__, ago, lag, apart)
        settled = (f(30) - usual[f] + 12.0) % 24.0 - 12.0
        assert abs(settled) < tolerance
    (told,) = {
        d.record.model_dump_json()
        for d in clinic.records(START, days(10))
        if isinstance(d.record, Travel)
    }
    event = Travel.model_validate_json(told)
    assert event.at == at
    assert event.from_offset_min == 60
    assert event.at.utcoffset() == timedelta(hours=9)
