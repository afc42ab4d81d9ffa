"""Devices see the true curve at their cadence, through noise, gaps and assay limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.devices import (
    CORTISOL,
    HEART_RATE,
    Delivery,
    HomeTest,
    Wear,
    appointments,
    arrival,
    assayed,
    batches,
    offline_spell,
    sampling,
    shown,
    worn,
)
from producers.living import stream
from schemas.catalogue import load_catalogue

DAY = (1_767_225_600.0, 1_767_312_000.0)


@given(st.integers(0, 59), st.integers(0, 86_400))
def test_the_grid_does_not_depend_on_where_a_day_is_cut(phase: int, cut: int) -> None:
    middle = DAY[0] + cut
    whole = sampling(HEART_RATE, DAY, phase)
    parts = [sampling(HEART_RATE, span, phase) for span in ((DAY[0], middle), (middle, DAY[1]))]
    assert np.array_equal(np.concatenate(parts), whole)
    assert whole.size == 1440
    assert (whole % 60 == phase).all()


def test_assay_noise_has_the_catalogues_cv() -> None:
    for slug, true in (("saliva-cortisol", 0.3), ("heart-rate", 69.0)):
        analyte = load_catalogue()[slug]
        seen = assayed(stream(1), analyte, np.full(20_000, true))
        assert seen.std() / seen.mean() == pytest.approx(analyte.cv_analytical, rel=0.05)
        assert np.median(seen) == pytest.approx(true, rel=0.01)


def test_displays_round_and_stay_within_what_is_possible() -> None:
    pulse = load_catalogue()["heart-rate"]
    assert shown(pulse, np.array([71.4, 500.0, -3.0]), 1.0).tolist() == [71.0, 230.0, 25.0]
    wrist = load_catalogue()["wrist-temperature"]
    assert shown(wrist, np.array([33.33333]), 0.01).tolist() == [33.33]


def test_a_band_is_off_for_charging_and_now_and_then() -> None:
    instants = sampling(HEART_RATE, DAY, 0)
    masks = [worn(stream(n), Wear(), instants, DAY) for n in range(300)]
    # Charging 47.5 min, at times cut off by midnight, and three gaps of 11 min.
    missing = 1440 * (1 - np.mean(masks))
    assert missing == pytest.approx(47.5 + 33.0, rel=0.1)
    unworn = worn(stream(1), Wear((1440.0, 1440.0), 0.0), instants, DAY)
    assert unworn[:720].all()
    assert not unworn[-1]


def test_batches_end_at_syncs_and_where_the_clock_jumps() -> None:
    instants = sampling(HEART_RATE, (DAY[0], DAY[0] + 3600.0), 10)
    assert batches(instants, HEART_RATE, []) == [(0, 30), (30, 60)]
    assert batches(instants, HEART_RATE, [DAY[0] + 600.0]) == [(0, 10), (10, 30), (30, 60)]
    assert batches(instants[:0], HEART_RATE, []) == []


def test_samples_are_missed_and_taken_off_their_time() -> None:
    test = HomeTest("saliva-cortisol", (12.0,), (0.0,), missed_share=0.2, timing_sd_min=4.0)
    taken = [a for n in range(2000) for a in appointments(stream(n), test, [500_000.0], 400_000.0)]
    assert len(taken) == pytest.approx(4000 * 0.8, rel=0.03)
    waking = np.array([late for noted, late, _ in taken if noted == 400_000.0])
    noon = np.array([late for noted, late, _ in taken if noted == 500_000.0])
    assert waking.min() >= 0.0
    assert noon.std() / 60.0 == pytest.approx(4.0, rel=0.1)
    assert np.abs(noon).max() <= 600.0


def test_a_sample_whose_time_does_not_come_is_not_taken() -> None:
    test = HomeTest("saliva-cortisol", (12.0,), (0.0,), missed_share=0.0)
    assert appointments(stream(1), test, [None], None) == []
    assert len(appointments(stream(1), CORTISOL, [1.0, 2.0, 3.0], None)) <= 3


def test_the_phone_is_offline_for_the_share_that_is_set() -> None:
    delivery = Delivery(late_share=0.1, late_h=(2.0, 10.0))
    spells = [offline_spell(stream(n), delivery, DAY) for n in range(4000)]
    offline = sum(spell[1] - spell[0] for spell in spells if spell is not None)
    assert offline / (4000 * 86_400.0) == pytest.approx(0.1, rel=0.1)
    assert all(DAY[0] <= s[0] < s[1] <= DAY[1] for s in spells if s is not None)


def test_what_waited_comes_at_the_end_of_the_spell_in_order() -> None:
    spell = (1000.0, 2000.0)
    assert arrival(900.0, 5.0, spell) == 905.0
    first, second = arrival(1000.0, 5.0, spell), arrival(1500.0, 5.0, spell)
    assert 2000.0 <= first < second <= 2030.0
    assert arrival(1500.0, 5.0, None) == 1505.0
