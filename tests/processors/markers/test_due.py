"""Each marker is made of the readings and events of its own night, day, week, cycle or pair."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from processors.markers.dated import Dated
from processors.markers.shelf import Who
from processors.rhythm.marker import Marker
from schemas.events import Menses, Sleep
from tests.processors.markers.lives import (
    START,
    WHO,
    HalfHour,
    Happening,
    event,
    everything,
    markers_of,
    new_book,
    read,
    tell,
    utc_ms,
)

DAY = START + 20


def said(happenings: Sequence[Happening], who: Who = WHO) -> dict[tuple[str, str, int], Marker]:
    return {key: dated.marker for key, dated in markers_of(happenings, who).items()}


def evening(day: int, onset: float) -> list[Happening]:
    """Melatonin each half hour from 18:00 to 01:00, that rises through 3 pg/mL at `onset`."""
    hours = np.arange(18.0, 25.1, 0.5)
    levels = np.where(
        hours < onset, 1.0 + (hours - 18.0) / (onset - 18.0), 3.0 + 8.0 * (hours - onset)
    )
    return [read("saliva-melatonin", day, h, float(y)) for h, y in zip(hours, levels, strict=True)]


def day_of_cortisol(day: int, wake: float, *, verified: bool = True) -> list[Happening]:
    """At waking, half an hour, three quarters and 4, 9 and 15.5 hours after it."""
    since = (0.02, 0.5, 0.75, 4.0, 9.0, 15.5)
    values = (0.3, 0.45, 0.4, 0.15, 0.08, 0.04)
    return [
        read("saliva-cortisol", day, wake + s, v, verified=verified)
        for s, v in zip(since, values, strict=True)
    ]


def week_of(slug: str, days: range, mean: float, swing: float, peak: float) -> list[Happening]:
    found: list[Happening] = []
    for day in days:
        for half in range(48):
            angle = 2 * math.pi * (half / 2 + 0.25 - peak) / 24
            value = mean + swing * math.cos(angle) + 0.2 * math.sin(37.0 * half + day)
            found.append(HalfHour(slug, utc_ms(day, half / 2), value))
    return found


class TestNights:
    def test_an_onset_belongs_to_the_evening_and_the_morning_after(self) -> None:
        found = said([*evening(DAY, 21.0), *evening(DAY + 1, 22.0)])
        assert found["saliva-melatonin", "dlmo-threshold", DAY].value == pytest.approx(
            21.0, abs=0.1
        )
        assert found["saliva-melatonin", "dlmo-threshold", DAY + 1].value == pytest.approx(
            22.0, abs=0.1
        )
        assert {day for _, _, day in found} == {DAY, DAY + 1}

    def test_a_dose_hides_the_night_that_it_was_taken_in_and_no_other(self) -> None:
        dose = event("dose", DAY, 20.0, substance="Melatonin", amount=3.0, unit="mg", route="oral")
        found = said([*evening(DAY, 21.0), *evening(DAY + 1, 21.0), dose])
        assert found["saliva-melatonin", "dlmo-threshold", DAY].status == "withheld"
        assert "taken at 20:00" in found["saliva-melatonin", "dlmo-threshold", DAY].sentence
        assert found["saliva-melatonin", "dlmo-threshold", DAY + 1].status == "measured"

    def test_a_dose_that_is_told_of_later_takes_the_onset_back(self) -> None:
        book = new_book()
        for happening in evening(DAY, 21.0):
            tell(book, happening)
        before = {d.marker.name: d.marker.status for d in book.markers(WHO)}
        assert before["dlmo-threshold"] == "measured"
        tell(
            book, event("dose", DAY, 20.0, substance="melatonin", amount=3, unit="mg", route="oral")
        )
        after = {d.marker.name: d.marker.status for d in book.markers(WHO)}
        assert set(after.values()) == {"withheld"}


class TestWakings:
    def test_a_verified_waking_gives_slope_and_response(self) -> None:
        found = said([event("wake", DAY, 7.0, verified=True), *day_of_cortisol(DAY, 7.0)])
        rise = found["saliva-cortisol", "car-rise", DAY]
        assert rise.value == pytest.approx(0.15)
        slope = found["saliva-cortisol", "diurnal-slope", DAY]
        assert slope.n == 3
        assert slope.value == pytest.approx(math.log(0.04 / 0.15) / 11.5, abs=0.02)

    @pytest.mark.parametrize(
        ("wake", "sampled", "word"), [(False, True, "waking"), (True, False, "sampling")]
    )
    def test_no_response_from_times_that_nobody_verified(
        self, wake: bool, sampled: bool, word: str
    ) -> None:
        told = event("wake", DAY, 7.0, verified=wake)
        found = said([told, *day_of_cortisol(DAY, 7.0, verified=sampled)])
        response = found["saliva-cortisol", "car-rise", DAY]
        assert response.status == "withheld"
        assert word in response.sentence
        assert found["saliva-cortisol", "diurnal-slope", DAY].status == "measured"

    def test_without_a_waking_the_usual_one_is_assumed_and_said(self) -> None:
        nights: list[Happening] = []
        for day in range(DAY - 10, DAY):
            nights += [event("sleep", day - 1, 23.0), event("wake", day, 6.5 + 0.1 * (day % 3))]
        found = said([*nights, *day_of_cortisol(DAY, 6.6)])
        slope = found["saliva-cortisol", "diurnal-slope", DAY]
        assert slope.status == "measured"
        assert "Waking is assumed at the usual 06:3" in slope.sentence
        assert found["saliva-cortisol", "car-rise", DAY].status == "withheld"

    def test_without_any_waking_the_slope_is_withheld(self) -> None:
        found = said(day_of_cortisol(DAY, 7.0))
        slope = found["saliva-cortisol", "diurnal-slope", DAY]
        assert slope.status == "withheld"
        assert "waking is not known" in slope.sentence
        assert found["saliva-cortisol", "evening-morning-ratio", DAY].status == "measured"

    def test_a_nights_worker_has_the_day_of_the_waking(self) -> None:
        """Up at 16:00, to bed at 08:00: samples after midnight belong to the waking before."""
        found = said([event("wake", DAY, 16.0, verified=True), *day_of_cortisol(DAY, 16.0)])
        assert found["saliva-cortisol", "diurnal-slope", DAY].n == 3
        assert found["saliva-cortisol", "car-rise", DAY].status == "measured"
        after = found["saliva-cortisol", "diurnal-slope", DAY + 1]
        assert after.sentence == "The samples of this date belong to the waking of the day before."

    def test_evening_and_morning_of_a_nights_worker_are_his_own(self) -> None:
        """Waking at 16:00: what he calls morning is from 16:00 to 18:00, evening from 5:00."""
        happenings: list[Happening] = []
        for day in range(DAY - 10, DAY + 1):
            happenings += [event("sleep", day, 8.0), event("wake", day, 16.0, verified=True)]
        happenings += day_of_cortisol(DAY, 16.0)
        found = said(happenings)["saliva-cortisol", "evening-morning-ratio", DAY + 1]
        assert found.value == pytest.approx(0.04 / (0.3 * 0.45 * 0.4) ** (1 / 3), rel=0.01)
        assert "moved by +9.0 h, to waking at 16:00" in found.sentence
        told = [h for h in happenings if not isinstance(h, Sleep)]
        untold = said(told)["saliva-cortisol", "evening-morning-ratio", DAY + 1]
        assert untold.value is not None
        assert untold.value > 1.0, "by everybody's clock his day is upside down"

    def test_hydrocortisone_is_cortisol(self) -> None:
        dose = event(
            "dose", DAY, 6.9, substance="Hydrocortisone", amount=10, unit="mg", route="oral"
        )
        wakes = [event("wake", day, 7.0, verified=True) for day in (DAY, DAY + 2)]
        found = said([*wakes, *day_of_cortisol(DAY, 7.0), *day_of_cortisol(DAY + 2, 7.0), dose])
        for name in ("diurnal-slope", "car-rise", "car-aucg", "car-auci", "car-responder"):
            assert found["saliva-cortisol", name, DAY].status == "withheld"
            assert "they measure the dose" in found["saliva-cortisol", name, DAY].sentence
            assert found["saliva-cortisol", name, DAY + 2].status == "measured"
        assert found["saliva-cortisol", "evening-morning-ratio", DAY + 2].n == 4


class TestWeeks:
    def test_a_day_is_described_once_it_is_over(self) -> None:
        days = range(START, START + 8)
        found = said(week_of("wrist-temperature", days, 33.5, 0.8, 3.0))
        described = {day for slug, name, day in found if name == "acrophase"}
        assert described == set(days) - {START + 7}

    def test_phase_level_and_swing_are_found_again(self) -> None:
        found = said(week_of("core-temperature", range(START, START + 9), 36.9, 0.4, 17.0))
        last = START + 7
        for name, truth, within in (
            ("acrophase", 17.0, 0.2),
            ("day-acrophase", 17.0, 0.4),
            ("mesor", 36.9, 0.03),
            ("amplitude", 0.4, 0.03),
        ):
            marker = found["core-temperature", name, last]
            assert marker.value == pytest.approx(truth, abs=within)
            assert marker.low is not None
            assert marker.high is not None
            assert marker.low < truth < marker.high

    def test_a_heart_rate_without_steps_has_no_phase(self) -> None:
        """It would be that of training."""
        rates = week_of("heart-rate", range(START, START + 9), 62.0, 6.0, 16.0)
        found = said(rates)["heart-rate", "acrophase", START + 7]
        assert found.status == "withheld"
        assert "Without step counts" in found.sentence

    def test_training_late_in_the_evening_does_not_move_the_body_clock(self) -> None:
        rng = np.random.default_rng(3)
        happenings: list[Happening] = []
        for happening in week_of("heart-rate", range(START, START + 9), 62.0, 6.0, 16.0):
            assert isinstance(happening, HalfHour)
            local = (happening.start_ms / 3_600_000 + 1.0) % 24.0
            moves = float(rng.gamma(2.0, 10.0) if 7 <= local < 23 else 1.0)
            moves += 150.0 if 21 <= local < 22.5 else 0.0
            happenings.append(happening._replace(mean=happening.mean + 0.3 * moves))
            happenings.append(HalfHour("steps", happening.start_ms, moves))
        found = said(happenings)["heart-rate", "acrophase", START + 7]
        assert found.value == pytest.approx(16.0, abs=0.5)

    def test_a_clock_that_runs_free_gets_its_period(self) -> None:
        happenings: list[Happening] = []
        rng = np.random.default_rng(5)
        for day in range(START, START + 16):
            for half in range(48):
                hours = (day - START) * 24 + half / 2
                value = 36.9 + 0.4 * math.cos(2 * math.pi * hours / 24.8)
                happenings.append(
                    HalfHour("core-temperature", utc_ms(day, half / 2), value + 0.1 * rng.normal())
                )
        found = said(happenings)["core-temperature", "free-period", START + 14]
        assert found.value == pytest.approx(24.8, abs=0.1)
        assert found.low is not None
        assert found.high is not None
        assert found.low < 24.8 < found.high

    def test_somebody_in_step_has_none(self) -> None:
        found = said(week_of("core-temperature", range(START, START + 16), 36.9, 0.4, 17.0))
        period = found["core-temperature", "free-period", START + 14]
        assert period.status == "withheld"
        assert "24 hours describes these days" in period.sentence


class TestSleep:
    def test_weeks_of_nights_give_midpoint_and_social_jet_lag(self) -> None:
        happenings: list[Happening] = []
        for day in range(START, START + 28):
            later = 1.5 if (day + 3) % 7 >= 5 else 0.0
            happenings += [
                event("sleep", day - 1, 23.0 + later),
                event("wake", day, 7.0 + later),
            ]
        found = said(happenings)
        last = START + 27
        assert found["sleep-midpoint", "social-jet-lag", last].value == pytest.approx(1.5)
        assert found["sleep-duration", "sleep-duration", last].value == pytest.approx(8.0)

    def test_a_lost_event_costs_one_night(self) -> None:
        happenings: list[Happening] = []
        for day in range(START, START + 10):
            if day != START + 4:
                happenings.append(event("sleep", day - 1, 23.0))
            happenings.append(event("wake", day, 7.0))
        found = said(happenings)["sleep-midpoint", "sleep-midpoint", START + 9]
        assert found.n == 9
        assert found.value == pytest.approx(3.0)


class TestCycles:
    def test_everything_together_finds_ovulation(self) -> None:
        """`lives.everything`: peaks of LH on cycle day 14, 15 and 14; ovulation follows."""
        found = said(list(everything()))
        days = [found["cycle", "ovulation-day", START + k] for k in (3, 31, 60)]
        for marker, truth in zip(days, (14.7, 15.7, 14.7), strict=True):
            assert marker.value == pytest.approx(truth, abs=1.0)
            assert marker.low is not None
            assert marker.high is not None
            assert marker.high - marker.low < 4.0

    def test_the_day_says_its_phase(self) -> None:
        found = said(list(everything()))
        assert found["cycle", "cycle-day", START + 31].value == 1.0
        luteal = found["cycle", "cycle-day", START + 31 + 21]
        assert luteal.value == 22.0
        assert "mid-luteal" in luteal.sentence

    def test_a_hormone_is_judged_in_its_phase(self) -> None:
        found = said(list(everything()))
        inside = found["serum-progesterone", "outside-phase-reference", START + 31 + 21]
        assert "within the reference of the phase (probably mid-luteal" in inside.sentence
        high = [*everything(), read("serum-progesterone", START + 31 + 5, 9.0, 9.0)]
        outside = said(high)["serum-progesterone", "outside-phase-reference", START + 31 + 5]
        assert outside.value is not None
        assert outside.value > 0.9
        assert "above the reference" in outside.sentence

    def test_and_against_the_persons_own_cycles(self) -> None:
        usual = said(list(everything()))["urine-lh", "own-cycle-percentile", START + 60 + 8]
        assert usual.value is not None
        assert 2.0 < usual.value < 98.0
        tenfold = [h for h in everything() if not _is(h, "urine-lh", START + 60 + 8)]
        tenfold.append(read("urine-lh", START + 60 + 8, 7.0, 50.0))
        unusual = said(tenfold)["urine-lh", "own-cycle-percentile", START + 60 + 8]
        assert unusual.value is not None
        assert unusual.value > 97.0

    def test_who_has_no_menses_gets_no_cycle(self) -> None:
        readings = [h for h in everything() if not isinstance(h, Menses)]
        assert not [key for key in said(readings) if key[0] == "cycle"]

    def test_two_menses_a_day_apart_are_one(self) -> None:
        found = said(list(everything()))
        again = found["cycle", "ovulation-day", START + 4]
        assert again.status == "withheld"
        assert "that of the days before" in again.sentence

    def test_fever_is_no_ovulation(self) -> None:
        begin = START + 3
        happenings: list[Happening] = [event("menses", begin, 8.0)]
        for k in range(20):
            fever = 1.5 if k in (8, 9, 10) else 0.0
            happenings.append(
                read("basal-temperature", begin + k, 6.5, 36.4 + fever + 0.04 * math.sin(9.0 * k))
            )
        happenings.append(event("illness", begin + 8, 0.0, until=_at(begin + 11)))
        found = said(happenings)["basal-temperature", "temperature-shift", begin]
        assert found.status == "withheld"
        happenings.pop()
        untold = said(happenings)["basal-temperature", "temperature-shift", begin]
        assert untold.value == 8.0, "this is what the illness takes out"


def _at(day: int) -> str:
    return datetime.fromtimestamp(utc_ms(day, 0.0) / 1000, UTC).isoformat()


def _is(happening: Happening, slug: str, day: int) -> bool:
    return getattr(happening, "slug", None) == slug and getattr(happening, "kept").day == day  # noqa: B009


class TestAxesAndSlowHormones:
    def thyroid(self, day: int, tsh: float, t4: float) -> list[Happening]:
        return [read("serum-tsh", day, 8.0, tsh), read("serum-free-t4", day, 8.0, t4)]

    def test_a_pair_out_of_step_is_told_with_its_pattern(self) -> None:
        own = [h for k in range(4) for h in self.thyroid(START + 30 * k, 1.5, 1.2)]
        usual = said([*own, *self.thyroid(START + 150, 1.6, 1.2)])
        marker = usual["serum-free-t4", "tsh-free-t4-axis", START + 150]
        assert marker.value is not None
        assert marker.value > 0.1
        assert marker.n == 5
        failing = said([*own, *self.thyroid(START + 150, 20.0, 0.6)])
        marker = failing["serum-free-t4", "tsh-free-t4-axis", START + 150]
        assert marker.value is not None
        assert marker.value < 0.01
        assert "primary" in marker.sentence

    def test_results_hours_apart_are_no_pair(self) -> None:
        apart = [read("serum-tsh", DAY, 8.0, 1.5), read("serum-free-t4", DAY, 12.0, 1.2)]
        assert not [key for key in said(apart) if key[1].endswith("axis")]

    def test_insulin_is_paired_with_the_glucose_of_its_half_hour(self) -> None:
        found = said(
            [
                HalfHour("interstitial-glucose", utc_ms(DAY, 8.5), 90.0),
                HalfHour("interstitial-glucose", utc_ms(DAY, 9.0), 200.0),
                read("serum-insulin", DAY, 8.7, 6.0),
            ]
        )
        marker = found["interstitial-glucose", "insulin-glucose-axis", DAY]
        assert marker.value is not None
        assert marker.value > 0.1

    def test_a_slow_hormone_has_level_trend_and_change(self) -> None:
        results = [read("serum-igf-1", START + 120 * k, 8.0, 200.0 * 1.1**k) for k in range(6)]
        found = said(list(results))
        last = START + 600
        assert found["serum-igf-1", "level-for-age", last].status == "measured"
        trend = found["serum-igf-1", "trend-beyond-age", last]
        assert trend.value is not None
        assert 25.0 < trend.value < 45.0
        change = found["serum-igf-1", "change", last]
        assert change.value == pytest.approx(10.0)
        assert "assay and person explain it" in change.sentence

    def test_age_and_sex_that_nobody_told_are_asked_for(self) -> None:
        found = said([read("serum-igf-1", DAY, 8.0, 200.0)], Who())
        level = found["serum-igf-1", "level-for-age", DAY]
        assert level.status == "withheld"
        assert "birth year is not known" in level.sentence

    def test_a_profile_that_comes_later_brings_them(self) -> None:
        book = new_book()
        tell(book, read("serum-igf-1", DAY, 8.0, 200.0))
        assert {d.marker.status for d in book.markers(Who())} == {"withheld"}
        book.known_anew()
        found: list[Dated] = book.markers(WHO)
        level = next(d.marker for d in found if d.marker.name == "level-for-age")
        assert level.status == "measured"
