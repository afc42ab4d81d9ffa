"""Clock bins, and the rest-activity markers: by hand, promised coverage, and what is withheld."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.rhythm.clock_bins import Bins, ClockBins, clock_bins
from processors.rhythm.marker import Marker
from processors.rhythm.rest_activity import RestActivity, rest_activity

PEOPLE = 1000
WEEK = np.arange(24.0 * 7) + 0.5


def number(value: float | None) -> float:
    assert value is not None
    return value


def markers(found: RestActivity) -> tuple[Marker, ...]:
    return (
        found.interdaily_stability,
        found.intradaily_variability,
        found.m10,
        found.l5,
        found.relative_amplitude,
    )


# -- bins ---------------------------------------------------------------------------------------


def assert_same(one: Bins, two: Bins) -> None:
    for name in ("start_ms", "clock_bin", "day"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    np.testing.assert_allclose(one.means, two.means, rtol=1e-12, atol=1e-9)
    np.testing.assert_array_equal(one.clock_h, two.clock_h)
    assert one.unusable == two.unusable


readings = st.lists(
    st.tuples(
        st.floats(0, 24 * 9),
        st.floats(-1000, 1000),
        st.sampled_from([-3.5, 1.0, 2.0]),
    ),
    max_size=60,
)


@given(readings, st.sampled_from([0.25, 0.5, 1.0]), st.randoms(use_true_random=False))
def test_a_stream_in_any_order_is_the_batch_of_its_last_days(
    rows: list[tuple[float, float, float]], width_h: float, random: Random
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    stream = ClockBins(days=4, width_h=width_h)
    for hour, value, offset in shuffled:
        stream.add(hour, value, offset_h=offset)
    hours, values, offsets = (np.array([row[k] for row in rows]) for k in range(3))
    batch = clock_bins(hours, values, offset_h=offsets, width_h=width_h)
    if batch.day.size:
        batch = batch.part(batch.day > batch.day.max() - 4)
    assert_same(stream.bins(), batch)


def test_bins_lie_on_the_clock_and_not_on_the_first_sample() -> None:
    bins = clock_bins([0.7, 0.9, 1.1], [1.0, 3.0, 10.0])
    assert bins.means.tolist() == [2.0, 10.0]
    # With half an hour of offset the clock's hours begin at half past.
    assert clock_bins([0.7, 0.9, 1.1], [1, 3, 10], offset_h=5.5).clock_bin.tolist() == [6]


def test_the_hour_that_comes_twice_in_autumn_is_two_stretches() -> None:
    hours = np.arange(0.5, 25)  # a local day of 25 hours from 22:00 UTC on
    offset = np.where(hours < 3, 2.0, 1.0)
    bins = clock_bins(hours - 2, hours, offset_h=offset)
    assert np.bincount(bins.clock_bin).tolist() == [1, 1, 2, *[1] * 21]
    assert set(bins.day.tolist()) == {0}
    assert (np.diff(bins.start_ms) == 3_600_000).all()


def test_what_has_no_time_or_value_is_counted_and_left_out() -> None:
    bins = clock_bins([1.0, math.nan, 2.0, 3.0], [1.0, 1.0, math.inf, 3.0])
    stream = ClockBins(days=1)
    for hour, value in ((1.0, 1.0), (math.nan, 1.0), (2.0, math.inf), (3.0, 3.0)):
        stream.add(hour, value)
    assert bins.unusable == 2
    assert_same(bins, stream.bins())


def test_calls_that_are_wrong_in_themselves_raise() -> None:
    with pytest.raises(ValueError, match="divide the day"):
        clock_bins([1.0], [1.0], width_h=0.7)
    with pytest.raises(ValueError, match="divide the day"):
        ClockBins(days=1, width_h=0.0).add(1.0, 1.0)
    with pytest.raises(ValueError, match="one length"):
        clock_bins([1.0, 2.0], [1.0])


# -- by hand ------------------------------------------------------------------------------------


def test_the_canonical_forms() -> None:
    """The formulae as they are written, loops and all, on a week without gaps."""
    x = np.random.default_rng(7).gamma(1.5, 40, WEEK.size) * (WEEK % 24 > 7)
    n, p, m = x.size, 24, x.mean()
    hourly = [x[h::24].mean() for h in range(24)]
    total = sum((v - m) ** 2 for v in x)
    found = rest_activity(clock_bins(WEEK, x), "1")
    assert found.interdaily_stability.value == pytest.approx(
        n * sum((v - m) ** 2 for v in hourly) / (p * total)
    )
    assert found.intradaily_variability.value == pytest.approx(
        n * sum((b - a) ** 2 for a, b in pairwise(x)) / ((n - 1) * total)
    )
    around = hourly * 2
    most = max(np.mean(around[h : h + 10]) for h in range(24))
    least = min(np.mean(around[h : h + 5]) for h in range(24))
    assert found.m10.value == pytest.approx(most)
    assert found.l5.value == pytest.approx(least)
    assert found.relative_amplitude.value == pytest.approx((most - least) / (most + least))


def test_a_week_by_hand() -> None:
    """Sixteen hours at 30 and eight at 0, every day the same: m = 20, variance 200, two steps of 30
    a day but the first midnight's: IS 1; IV = (13 · 900 / 167) / 200 with 167 differences."""
    awake = (WEEK % 24 >= 8) & (WEEK % 24 < 24)
    found = rest_activity(clock_bins(WEEK, np.where(awake, 30.0, 0.0)), "1")
    assert found.interdaily_stability.value == 1.0
    assert found.intradaily_variability.value == pytest.approx(13 * 900 / 167 / 200)
    assert (found.m10.value, found.l5.value, found.relative_amplitude.value) == (30.0, 0.0, 1.0)
    assert "from 00:00 on" in found.l5.sentence
    assert "from 08:00 on" in found.m10.sentence


def test_a_gap_takes_out_its_differences_and_nothing_else() -> None:
    rng = np.random.default_rng(8)
    x = 50 + 30 * np.cos(2 * np.pi * (WEEK - 15) / 24) + rng.normal(0, 5, WEEK.size)
    kept = np.ones(WEEK.size, dtype=bool)
    kept[60:64] = False
    found = rest_activity(clock_bins(WEEK[kept], x[kept]), "1")
    steps = np.diff(x)[kept[1:] & kept[:-1]]
    assert found.intradaily_variability.value == pytest.approx((steps**2).mean() / x[kept].var())


def test_in_spring_and_autumn_the_profile_does_not_smear() -> None:
    """By the wearer's clock a life of fixed hours is perfectly stable; in UTC it is not."""
    hours = np.arange(0.5, 24 * 10)
    offset = np.where(hours < 24 * 5 + 1, 1.0, 2.0)
    clock = (hours + offset) % 24
    x = np.where((clock >= 7) & (clock < 23), 100.0, 5.0)
    assert rest_activity(
        clock_bins(hours, x, offset_h=offset), "1"
    ).interdaily_stability.value == pytest.approx(1.0)
    assert number(rest_activity(clock_bins(hours, x), "1").interdaily_stability.value) < 0.95


# -- promised coverage --------------------------------------------------------------------------


def lives(rng: np.random.Generator, profile: np.ndarray, days: int, sd: float) -> np.ndarray:
    """Hourly values (..., days, 24) about profiles (..., 1, 24): good and bad days, errors that
    follow each other, nothing below 0."""
    shape = (*profile.shape[:-2], days * 24)
    noise = rng.normal(0, sd, shape)
    for hour in range(1, days * 24):
        noise[..., hour] = 0.5 * noise[..., hour - 1] + math.sqrt(0.75) * noise[..., hour]
    day = rng.normal(0, 12, (*shape[:-1], days, 1))
    return np.asarray(np.maximum(profile + day + noise.reshape(*shape[:-1], days, 24), 0))


def truths(x: np.ndarray) -> np.ndarray:
    """(..., 5) of lives (..., days, 24) without gaps."""
    mean = x.mean(axis=(-2, -1), keepdims=True)
    hourly = x.mean(axis=-2)
    spread = ((x - mean) ** 2).mean(axis=(-2, -1))
    flat = x.reshape(*x.shape[:-2], -1)
    windows = [
        np.stack([np.roll(hourly, -h, axis=-1)[..., :k].mean(axis=-1) for h in range(24)])
        for k in (10, 5)
    ]
    most, least = windows[0].max(axis=0), windows[1].min(axis=0)
    return np.stack(
        (
            ((hourly - mean[..., 0]) ** 2).mean(axis=-1) / spread,
            (np.diff(flat, axis=-1) ** 2).mean(axis=-1) / spread,
            most,
            least,
            (most - least) / (most + least),
        ),
        axis=-1,
    )


def test_the_markers_cover_as_promised() -> None:
    """What so many days of this life show on average (mean of 30 others of the same person), from
    days with a tenth of the hours missed, readings a quarter of an hour off their time, and for
    half of the people a change of the clock that they live by. Nothing is censored: counts and
    rates have no limit."""
    rng = np.random.default_rng(71)
    hits = np.zeros(5)
    for days, people in ((7, PEOPLE // 2), (14, PEOPLE // 2)):
        clock = np.arange(24)
        peak = rng.uniform(0, 24, (people, 1, 1, 1))
        profile = (
            100
            + 60 * np.cos(2 * np.pi * (clock - peak) / 24)
            + 20 * np.cos(4 * np.pi * (clock - peak - 2) / 24)
        )
        others = truths(lives(rng, np.repeat(profile, 30, axis=1), days, 28.0)).mean(axis=1)
        seen = lives(rng, profile[:, 0], days, 28.0).reshape(people, -1)
        clocks = np.arange(24.0 * days) + 0.5
        for k in range(people):
            kept = rng.random(clocks.size) > 0.1
            # Put forward on the third day: the hour from 02:00 is not lived, the rest goes on.
            summer = np.where(clocks >= 50.0, k % 2, 0.0)
            kept &= (k % 2 == 0) | (np.floor(clocks) != 50.0)
            found = rest_activity(
                clock_bins(
                    (clocks - summer)[kept] + rng.uniform(-0.25, 0.25),
                    seen[k, kept],
                    offset_h=summer[kept],
                ),
                "1",
            )
            hits += [
                number(m.low) <= truth <= number(m.high)
                for m, truth in zip(markers(found), others[k], strict=True)
            ]
    assert np.all(np.abs(hits / PEOPLE - 0.9) < 0.03), hits


# -- what the data do not carry -----------------------------------------------------------------

GOOD = 50 + 30 * np.cos(2 * np.pi * (WEEK - 15) / 24) + np.sin(WEEK * 7)

REFUSED: list[tuple[str, Any, Any, str]] = [
    ("none", [], [], "no readings"),
    ("four days", WEEK[:96], GOOD[:96], "there are 4"),
    ("mornings only", WEEK[WEEK % 24 < 12], GOOD[WEEK % 24 < 12], "there are 0"),
    ("never at noon", WEEK[WEEK % 24 != 12.5], GOOD[WEEK % 24 != 12.5], "fewer than two days"),
    ("constant", WEEK, np.full(WEEK.size, 0.3), "All values are the same"),
    ("NaN", WEEK, np.r_[math.nan, GOOD[1:]], "1 readings have no"),
    ("infinite time", np.r_[WEEK[1:], math.inf], GOOD, "1 readings have no"),
    ("milliseconds", WEEK * 3.6e6 + 1.7e12, GOOD, "168 readings have no"),
]


@pytest.mark.parametrize(
    ("hours", "values", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_bad_recordings_are_told_why(hours: Any, values: Any, words: str) -> None:
    for marker in markers(rest_activity(clock_bins(hours, values), "1")):
        assert marker.status == "withheld"
        assert words in marker.sentence
        assert marker.value is marker.low is marker.high is None


def test_order_and_duplicates_do_not_matter() -> None:
    """A stretch is a mean: the same reading twice is the same mean."""
    order = np.random.default_rng(3).permutation(WEEK.size)
    shuffled = clock_bins(np.tile(WEEK[order], 2), np.tile(GOOD[order], 2))
    for one, two in zip(
        markers(rest_activity(shuffled, "1")),
        markers(rest_activity(clock_bins(WEEK, GOOD), "1")),
        strict=True,
    ):
        assert one.value == pytest.approx(number(two.value))


def test_a_day_that_was_hardly_worn_does_not_count() -> None:
    kept = ~((WEEK >= 48) & (WEEK < 48 + 14))
    found = rest_activity(clock_bins(WEEK[kept], GOOD[kept]), "1")
    assert "over 6 days" in found.m10.sentence


def test_values_below_zero_have_no_relative_amplitude() -> None:
    found = rest_activity(clock_bins(WEEK, GOOD - 60), "Cel")
    assert found.relative_amplitude.status == "withheld"
    assert "below 0" in found.relative_amplitude.sentence
    assert found.m10.status == "measured"


@given(
    st.integers(0, 2**32),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=3),
    st.sampled_from([0.0, 1e-300, 1e-9, 1.0, 1e8]),
    st.sampled_from([0.3, 0.8, 1.0]),
)
def test_no_recording_whatever_makes_nan_or_a_warning(
    seed: int, odd: list[float], size: float, share: float
) -> None:
    rng = np.random.default_rng(seed)
    kept = rng.random(WEEK.size) < share
    values = np.r_[size * np.round(rng.random(kept.sum()), int(rng.integers(0, 3))), odd]
    hours = np.r_[WEEK[kept], WEEK[: len(odd)]]
    for marker in markers(rest_activity(clock_bins(hours, values), "1")):
        numbers = (marker.low, marker.value, marker.high)
        if marker.status == "withheld":
            assert numbers == (None, None, None)
        else:
            low, value, high = map(number, numbers)
            assert -math.inf < low <= value <= high < math.inf
