"""The period of a clock that runs free: exactness, promised coverage, and what is withheld."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.rhythm.cosinor import fit_cosinor
from processors.rhythm.free_period import _squares, free_period

PEOPLE = 1000
HOURS = np.arange(0.0, 24 * 14, 3.0)


def number(value: float | None) -> float:
    assert value is not None
    return value


def wave(t: Any, period: float, phase: float = 1.0) -> np.ndarray:
    return np.asarray(np.cos(2 * np.pi * np.asarray(t) / period + phase))


# -- exactness ----------------------------------------------------------------------------------


@pytest.mark.parametrize("components", [1, 2])
def test_the_periodogram_is_a_cosinor_at_every_period(components: Literal[1, 2]) -> None:
    rng = np.random.default_rng(1)
    t = np.sort(rng.uniform(0, 240, 60))
    y = wave(t, 25) + rng.normal(0, 0.5, 60)
    periods = np.array([20.0, 24.0, 25.0, 28.0])
    found, _ = _squares(t, y, 1 / periods, components)
    for squares, period in zip(found, periods, strict=True):
        fit = fit_cosinor(t, y, period=period, components=components)
        df = number(fit.df_residual)
        assert squares == pytest.approx(number(fit.residual_sd) ** 2 * df, rel=1e-6)


@pytest.mark.parametrize("period", [20.5, 23.4, 24.7, 26.3, 28.0])
def test_without_noise_the_period_is_found(period: float) -> None:
    t = HOURS[np.random.default_rng(2).random(HOURS.size) > 0.2]
    found = free_period(t, 10 + 3 * wave(t, period) + 1e-3 * np.sin(t * 7))
    assert found.period.value == pytest.approx(period, abs=0.02)
    assert not found.day_fits


def test_a_second_harmonic_sharpens_what_one_only_guesses() -> None:
    rng = np.random.default_rng(3)
    y = wave(HOURS, 24.8) + 0.8 * wave(HOURS, 12.4) + rng.normal(0, 0.5, HOURS.size)
    one, two = (free_period(HOURS, y, components=k).period for k in (1, 2))
    widths = [number(m.high) - number(m.low) for m in (one, two)]
    assert widths[1] < 0.6 * widths[0]


# -- promised coverage --------------------------------------------------------------------------


def test_the_period_covers_as_promised() -> None:
    """A thousand people for ten to fourteen days, a sixth of the samples missed, times a quarter of
    an hour off, errors that follow each other in half of them. A change of the clock is none
    here: the hours are of UTC."""
    rng = np.random.default_rng(131)
    hits = given_ = 0
    for k in range(PEOPLE):
        period = rng.uniform(24.6, 26.5) if k % 3 else rng.uniform(21.5, 23.4)
        t = np.arange(0, 24 * rng.integers(10, 15), 3.0)
        noise = rng.normal(0, 1, t.size)
        rho = 0.5 * (k % 2)
        for i in range(1, t.size):
            noise[i] = rho * noise[i - 1] + math.sqrt(1 - rho**2) * noise[i]
        taken = t + rng.uniform(-0.25, 0.25, t.size)
        y = 2.5 * wave(taken, period, rng.uniform(0, 6.3)) + noise
        kept = rng.random(t.size) > 1 / 6
        marker = free_period(t[kept], y[kept]).period
        if marker.status == "measured":
            given_ += 1
            hits += number(marker.low) <= period <= number(marker.high)
    assert given_ > 0.97 * PEOPLE
    assert abs(hits / given_ - 0.9) < 0.03, hits / given_


def test_people_of_24_hours_are_left_alone() -> None:
    rng = np.random.default_rng(132)
    told = 0
    for _ in range(300):
        found = free_period(HOURS, 2 * wave(HOURS, 24) + rng.normal(0, 1, HOURS.size))
        told += found.period.status == "measured"
        if found.period.status == "withheld":
            assert "the daily rhythm stands" in found.period.sentence
            assert found.day_fits
            assert number(found.best_h) == pytest.approx(24, abs=0.7)
    assert told <= 9


def test_noise_has_no_period() -> None:
    rng = np.random.default_rng(133)
    told = sum(
        free_period(HOURS, rng.normal(0, 1, HOURS.size)).best_h is not None for _ in range(300)
    )
    assert told <= 24


# -- what the data do not carry -----------------------------------------------------------------

GOOD = 10 + 3 * wave(HOURS, 24.8) + np.sin(HOURS * 7)

REFUSED: list[tuple[str, Any, Any, str]] = [
    ("none", [], [], "at least 20 samples, and there are 0"),
    ("few", HOURS[:19] * 9, GOOD[:19], "there are 19"),
    ("four days", HOURS[:32], GOOD[:32], "span 3.9 days"),
    ("every noon", np.arange(30) * 24.0 + 12, GOOD[:30], "too few hours of the day"),
    ("mornings", np.sort(np.r_[[24.0 * np.arange(9) + h for h in (6, 7, 8, 9)]].ravel()),
     GOOD[:36], "too few hours of the day"),
    ("constant", HOURS, np.full(HOURS.size, 0.1) * 3, "All values are the same"),
    ("tiny", HOURS, 1e-200 * GOOD, "nearly the same"),
    ("NaN", HOURS, np.r_[math.nan, GOOD[1:]], "1 of 112 samples"),
    ("milliseconds", HOURS * 3.6e6 + 1.7e12, GOOD, "112 of 112"),
    ("infinite", HOURS, np.r_[math.inf, GOOD[1:]], "1 of 112"),
    ("a period out of range", HOURS, wave(HOURS, 18.8) + 0.01 * GOOD, "more days are needed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "values", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_bad_samples_are_told_why(hours: Any, values: Any, words: str) -> None:
    marker = free_period(hours, values).period
    assert marker.status == "withheld"
    assert words in marker.sentence
    assert marker.value is marker.low is marker.high is None


def test_order_and_duplicates_change_nothing_much() -> None:
    order = np.random.default_rng(4).permutation(HOURS.size)
    assert free_period(HOURS[order], GOOD[order]) == free_period(HOURS, GOOD)
    twice = free_period(np.r_[HOURS, HOURS], np.r_[GOOD, GOOD]).period
    assert twice.value == pytest.approx(number(free_period(HOURS, GOOD).period.value), abs=0.02)


def test_columns_of_two_lengths_raise() -> None:
    with pytest.raises(ValueError, match="one length"):
        free_period([1.0, 2.0], [1.0])


@settings(max_examples=50)
@given(
    st.integers(0, 2**32),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=2),
    st.sampled_from([0.0, 1e-300, 1e-9, 1.0, 1e90]),
    st.sampled_from([1, 2]),
)
def test_no_samples_whatever_make_nan_or_a_warning(
    seed: int, odd: list[float], size: float, components: Literal[1, 2]
) -> None:
    rng = np.random.default_rng(seed)
    t = np.round(rng.uniform(0, 300, 40), int(rng.integers(0, 3)))
    values = np.r_[size * np.round(rng.random(40), int(rng.integers(0, 3))), odd]
    marker = free_period(np.r_[t, t[: len(odd)]], values, components=components).period
    if marker.status == "withheld":
        assert marker.value is marker.low is marker.high is None
    else:
        assert 0 < number(marker.low) <= number(marker.value) <= number(marker.high) < math.inf
