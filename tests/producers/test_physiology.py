"""Synthetic people scatter as the catalogue says, and their curves are what their truth says."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.clinic import Clinic
from producers.living import Body, ornstein_uhlenbeck, stream
from producers.physiology import (
    FloatArray,
    Trouble,
    asleep,
    awakening,
    basis,
    draw_person,
    nocturnal,
    project,
)
from producers.wearer_clock import Journey, WearerClock
from schemas.catalogue import load_catalogue

SLUGS = ("heart-rate", "wrist-temperature", "saliva-cortisol", "saliva-melatonin")
ANALYTES = tuple(load_catalogue()[slug] for slug in SLUGS)
START = datetime(2026, 1, 5, tzinfo=UTC)  # no daylight saving for twelve weeks


def make_body(
    seed: int = 3, troubles: tuple[Trouble, ...] = (), journeys: tuple[Journey, ...] = ()
) -> Body:
    person = draw_person(stream(seed, 0), "sim-01", 2026, ANALYTES)
    return Body(person, WearerClock(START, "Europe/Berlin", journeys), seed, 0, troubles)


def day_of(body: Body, day: int, step: float = 300.0) -> FloatArray:
    return np.arange(*body.clock.day_span(day), step)


def fit(body: Body, analyte: str, days: range) -> tuple[FloatArray, FloatArray]:
    """Ordinary least squares of all days' true values: coefficients and residuals."""
    hours, values = [], []
    for day in days:
        instants = day_of(body, day)
        hours.append((instants + 3600.0) / 3600.0)
        values.append(body.values(analyte, day, instants))
    y = np.concatenate(values)
    if body.person.curve(analyte).log:
        y = np.log(y)
    design = basis(np.concatenate(hours))
    found = np.asarray(np.linalg.lstsq(design, y, rcond=None)[0], dtype=np.float64)
    return found, y - design @ found


@pytest.fixture(scope="module")
def crowd() -> list[FloatArray]:
    """Coefficients (people, 5) of each analyte."""
    people = [draw_person(stream(11, n), "sim-01", 2026, ANALYTES) for n in range(400)]
    return [np.array([p.curves[i].coefficients for p in people]) for i in range(len(SLUGS))]


@pytest.mark.parametrize("slug", ["saliva-cortisol", "wrist-temperature"])
def test_people_scatter_as_the_prior(slug: str, crowd: list[FloatArray]) -> None:
    coefficients = crowd[SLUGS.index(slug)]
    prior = load_catalogue()[slug].prior
    mean, sd = np.array(prior.mean()), np.array(prior.sd())
    assert (np.abs(coefficients.mean(axis=0) - mean) < 0.25 * sd).all()
    assert coefficients.std(axis=0) / sd == pytest.approx(np.ones(5), abs=0.12)


def test_mesor_and_first_harmonic_of_melatonin_scatter_as_the_prior(
    crowd: list[FloatArray],
) -> None:
    # Its second harmonic follows from the shape of the pulse.
    prior = load_catalogue()["saliva-melatonin"].prior
    drawn = crowd[SLUGS.index("saliva-melatonin")][:, :3]
    assert drawn.mean(axis=0) == pytest.approx(prior.mean()[:3], abs=0.1)
    assert drawn.std(axis=0) / prior.sd()[:3] == pytest.approx(np.ones(3), abs=0.12)


def test_melatonin_by_day_is_flat_and_in_most_people_below_an_immunoassays_limit() -> None:
    melatonin = load_catalogue()["saliva-melatonin"]
    people = [draw_person(stream(11, n), "sim-01", 2026, [melatonin]) for n in range(200)]
    # Where the pulse is nought the curve is its constant.
    floors = [c.coefficients[0] - c.correction[0] for c in (p.curves[0] for p in people)]
    assert np.mean(np.exp(floors) < 1.37) == pytest.approx(0.63, abs=0.1)
    body = make_body()
    peak = body.person.curve("saliva-melatonin").peaks[0]
    noon = body.clock.day_span(3)[0] + 3600.0 * (peak + 12.0 + np.array([-3.0, 0.0, 3.0]))
    assert np.ptp(body.expected("saliva-melatonin", 3, noon)) == pytest.approx(0.0, abs=1e-3)


def test_heart_rate_scatters_within_the_prior_and_always_falls_by_night(
    crowd: list[FloatArray],
) -> None:
    prior = load_catalogue()["heart-rate"].prior
    drawn = crowd[0]
    assert drawn[:, 0].mean() == pytest.approx(prior.mesor, abs=1.5)
    ratio = drawn.std(axis=0) / prior.sd()
    assert (ratio > 0.75).all()
    assert (ratio < 1.1).all()
    night = drawn @ basis(np.arange(1.0, 6.0, 0.5)).T
    day = drawn @ basis(np.arange(11.0, 20.0, 0.5)).T
    assert (night.mean(axis=1) < day.mean(axis=1)).mean() > 0.97


def test_late_people_are_late_in_everything() -> None:
    people = [draw_person(stream(5, n), "sim-01", 2026, ANALYTES) for n in range(150)]
    chronotype = [p.chronotype for p in people]
    for late in (
        [p.wake_hour for p in people],
        [(p.curve("saliva-cortisol").peaks[0]) for p in people],
        [(p.curve("saliva-melatonin").peaks[0] + 12) % 24 for p in people],
    ):
        assert np.corrcoef(chronotype, late)[0, 1] > 0.4


def test_three_of_four_people_have_an_awakening_rise_of_about_half() -> None:
    rises = np.array(
        [draw_person(stream(8, n), "sim-01", 2026, ANALYTES).awakening_rise for n in range(300)]
    )
    assert (rises > 0).mean() == pytest.approx(0.75, abs=0.06)
    assert np.expm1(rises[rises > 0]).mean() == pytest.approx(0.55, abs=0.06)


@given(st.lists(st.floats(-5, 5), min_size=5, max_size=5))
def test_projection_gives_the_coefficients_back(coefficients: list[float]) -> None:
    curve = basis(np.arange(0.0, 24.0, 0.25)) @ np.array(coefficients)
    assert project(curve) == pytest.approx(coefficients, abs=1e-9)


def test_shapes() -> None:
    hours = np.array([-1.0, 0.05, 0.5, 3.0])
    assert awakening(hours) == pytest.approx([0.0, 0.0, 1.0, 0.0], abs=0.01)
    assert nocturnal(np.array([3.0, 15.0, 20.0]), 3.0) == pytest.approx([1.0, 0.0, 0.0])
    assert asleep(np.array([0.0, 5.0, 12.0]), [(2.0, 8.0)], 0.3) == pytest.approx(
        [0.0, 1.0, 0.0], abs=1e-3
    )


def test_cortisol_rises_with_each_days_own_waking_and_no_cosine_says_so() -> None:
    body = make_body(seed=5)
    rise = body.person.awakening_rise
    assert rise > 0
    wakings = []
    for day in range(1, 15):
        sleep = body.sleep(day)
        assert sleep is not None
        waking = sleep[1]
        wakings.append((waking - body.clock.day_span(day)[0]) / 3600.0)
        minutes = np.arange(-60.0, 181.0, 1.0)
        curve = body.expected("saliva-cortisol", day, waking + 60.0 * minutes)
        # What two harmonics say of this stretch is smooth; the rise comes and goes within it.
        smooth = np.interp(minutes, (-60.0, 0.0, 150.0, 180.0), curve[[0, 60, 210, 240]])
        bump = curve - smooth
        assert minutes[bump.argmax()] == pytest.approx(35.0, abs=15.0)
        assert bump.max() == pytest.approx(rise, rel=0.35)
        assert np.abs(bump[minutes < 0]).max() < 0.25 * rise
    # Every day at another time, weekends later, and the bump has followed each.
    assert np.ptp(wakings) > 1.0


def test_days_differ_as_much_as_the_truth_says() -> None:
    """Level, waking, length of sleep and phase are drawn anew every day, and independently."""
    body = make_body()
    draws = [body.day_draw(day) for day in range(600)]
    for found, sd in (
        (np.array([d.wake_late_h for d in draws]), 0.4),
        (np.array([d.sleep_longer_h for d in draws]), 0.4),
        (np.array([d.phase_late_h for d in draws]), 0.25),
        (np.array([d.level for d in draws]), 1.0),
    ):
        assert found.std(axis=0) == pytest.approx(sd, rel=0.1)
        assert np.abs(found.mean(axis=0)).max() < 0.15 * sd
        columns = found.reshape(600, -1).T
        for column in columns:
            assert abs(np.corrcoef(column[1:], column[:-1])[0, 1]) < 0.12


@pytest.mark.parametrize("slug", ["heart-rate", "saliva-cortisol"])
def test_a_days_readings_share_an_error(slug: str) -> None:
    body = make_body()
    curve = body.person.curve(slug)
    means = []
    for day in range(1, 120):
        instants = day_of(body, day, 900.0)
        values = body.values(slug, day, instants)
        y = np.log(values) if curve.log else values
        means.append((y - body.expected(slug, day, instants)).mean())
    # The wander of a whole day averages out to nearly nothing: 2 tau over a day.
    wander = curve.wander_sd * math.sqrt(2 * curve.wander_tau_s / 86_400.0)
    assert np.std(means) == pytest.approx(math.hypot(curve.day_sd, wander), rel=0.2)
    assert curve.day_sd > wander


@pytest.mark.parametrize("slug", SLUGS)
def test_least_squares_over_many_days_finds_the_truth(slug: str) -> None:
    body = make_body()
    curve = body.person.curve(slug)
    found, residual = fit(body, slug, range(1, 71))
    # The day's error (a share of 0.15) and the wander leave this much after 70 days.
    tolerance = 4.0 * curve.residual_sd * math.sqrt((0.15 + 2.0 / 24.0) / 70.0)
    assert found == pytest.approx(curve.coefficients, abs=tolerance)
    # The truth's residual counts the assay as well, and the fit's what two harmonics cannot say.
    assert residual.std() == pytest.approx(curve.residual_sd, rel=0.2)


def test_residuals_are_correlated_as_the_decorrelation_time_says() -> None:
    body = make_body()
    curve = body.person.curve("wrist-temperature")
    instants = [day_of(body, day) for day in range(1, 71)]
    paths = np.array(
        [
            body.values("wrist-temperature", d, t) - body.expected("wrist-temperature", d, t)
            for d, t in zip(range(1, 71), instants, strict=True)
        ]
    )
    wander = (
        paths - curve.day_sd * np.array([body.day_draw(d).level[1] for d in range(1, 71)])[:, None]
    )
    lag = 12  # five-minute steps: one hour, half the decorrelation time
    correlation = (wander[:, :-lag] * wander[:, lag:]).mean() / wander.var()
    assert correlation == pytest.approx(math.exp(-3600.0 / curve.wander_tau_s), abs=0.06)


@settings(max_examples=20, deadline=None)
@given(st.floats(600, 7200), st.integers(0, 2**32))
def test_residual_paths_meet_both_their_ends(tau_s: float, seed: int) -> None:
    instants = np.array([1e-6, 86_400.0 - 1e-6])
    path = ornstein_uhlenbeck(stream(seed), instants, (0.0, 86_400.0), (1.5, -0.5), tau_s)
    assert path == pytest.approx([1.5, -0.5], abs=1e-3)


def test_residual_paths_have_unit_variance() -> None:
    instants = np.linspace(0.0, 86_400.0, 49)
    rng = stream(1)
    paths = np.array(
        [
            ornstein_uhlenbeck(
                stream(2, n), instants, (0.0, 86_400.0), tuple(rng.standard_normal(2)), 3600.0
            )
            for n in range(3000)
        ]
    )
    assert paths.std(axis=0) == pytest.approx(np.ones(49), abs=0.07)


def test_troubles_change_what_they_say_and_nothing_before_their_onset() -> None:
    well = make_body()
    onset = well.clock.day_span(5)[0]
    before, after = day_of(well, 4), day_of(well, 6)
    cortisol, pulse = "saliva-cortisol", "heart-rate"

    ill = make_body(troubles=(Trouble("level", onset, 1.6, (cortisol,)),))
    assert ill.values(cortisol, 4, before) == pytest.approx(well.values(cortisol, 4, before))
    ratio = ill.values(cortisol, 6, after) / well.values(cortisol, 6, after)
    assert ratio == pytest.approx(np.full(after.size, 1.6))
    assert ill.values(pulse, 6, after) == pytest.approx(well.values(pulse, 6, after))

    flat = make_body(troubles=(Trouble("amplitude", onset, 0.2, (cortisol,)),))
    swing = np.ptp(flat.expected(cortisol, 6, after)) / np.ptp(well.expected(cortisol, 6, after))
    assert swing == pytest.approx(0.2)

    racing = make_body(troubles=(Trouble("level", onset, 15.0, (pulse,)),))
    gain = racing.values(pulse, 6, after) - well.values(pulse, 6, after)
    assert gain == pytest.approx(np.full(after.size, 15.0))


def test_a_phase_shift_moves_curve_and_sleep_together() -> None:
    well = make_body()
    onset = well.clock.day_span(5)[0]
    late = make_body(troubles=(Trouble("phase", onset, 4.0),))
    noon = well.clock.day_span(8)[0] + 12 * 3600.0
    hours = np.arange(noon, noon + 6 * 3600.0, 600.0)
    for slug in SLUGS:
        # Lived four hours later, but for the small glide of the day's own phase.
        difference = late.expected(slug, 8, hours) - well.expected(slug, 8, hours - 4 * 3600.0)
        assert np.abs(difference).max() < 0.25 * well.person.curve(slug).amplitudes[0]
    sleep, shifted = well.sleep(8), late.sleep(8)
    assert sleep is not None
    assert shifted is not None
    assert shifted[1] - sleep[1] == pytest.approx(4 * 3600.0)
    assert late.sleep(4) == well.sleep(4)


def test_the_body_follows_a_journey_by_an_hour_a_day() -> None:
    at = datetime(2026, 1, 15, 12, tzinfo=UTC)
    clock = WearerClock(START, "Europe/Berlin", [Journey(at, "Asia/Tokyo")])
    days = at.timestamp() + 86_400.0 * np.array([-1.0, 0.0, 2.0, 8.0, 20.0])
    assert clock.body_offsets(days) / 3600.0 == pytest.approx([1.0, 1.0, 3.0, 9.0, 9.0])
    assert clock.offset(at.timestamp() - 1) == 3600
    assert clock.offset(at.timestamp()) == 9 * 3600
    assert clock.zone_at(at.timestamp()) == "Asia/Tokyo"


def test_a_clock_time_that_the_journey_jumps_over_does_not_exist() -> None:
    at = datetime(2026, 1, 15, 11, tzinfo=UTC)  # 12:00 becomes 20:00
    clock = WearerClock(START, "Europe/Berlin", [Journey(at, "Asia/Tokyo")])
    assert clock.instant(10, 17.0) is None
    evening = clock.instant(10, 21.0)
    assert evening is not None
    assert clock.local_time(evening).isoformat() == "2026-01-15T21:00:00+09:00"


def test_people_are_the_same_whoever_else_is_there() -> None:
    few, many = Clinic(4, 2, START), Clinic(4, 9, START)
    assert few.truth()["people"] == many.truth()["people"][:2]
