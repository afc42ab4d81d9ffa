"""Every estimator against everything that can be wrong with its input.

A table: each row spoils a good recording in one way, each column is an estimator with a recording
that it likes. A cell is the words with which all of the estimator's markers are withheld; or
``SAME``, the answer for the good recording; or ``KNOWN``, a number that such input does carry, and
why so stands beside it. What is wrong with a call itself (columns of two lengths, a threshold of 0)
raises, and is tested with each estimator.

Beside it arbitrary numbers into every estimator: whatever comes, the answer is sound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.rhythm.adjusted_rhythm import adjusted_rhythm, daily_phases
from processors.rhythm.awakening_response import awakening_response
from processors.rhythm.axes import axis, departure
from processors.rhythm.body_clock import Flight, PhaseSeen, body_clock, body_clock_lag
from processors.rhythm.clock_bins import clock_bins
from processors.rhythm.cortisol import diurnal_slope, evening_morning_ratio, late_night_level
from processors.rhythm.cosinor import fit_cosinor
from processors.rhythm.cosinor_difference import difference
from processors.rhythm.cosinor_markers import cosinor_markers
from processors.rhythm.cosinor_population import population_cosinor
from processors.rhythm.cycle_evidence import evidence
from processors.rhythm.free_period import free_period
from processors.rhythm.in_cycle import against_own_cycles
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.melatonin import (
    dlmo_baseline,
    dlmo_hockey_stick,
    dlmo_threshold,
    melatonin_midpoint,
    melatonin_offset,
)
from processors.rhythm.menses import cycle_day, cycle_log
from processors.rhythm.ovulation import Ovulation, ovulation, ovulation_day
from processors.rhythm.own_day import Wake, own_days, since_waking, usual_wake
from processors.rhythm.rest_activity import rest_activity
from processors.rhythm.samples import Samples, samples
from processors.rhythm.sleep import main_sleeps, sleep_markers
from processors.rhythm.slow_hormones import AgeReference, slow_change, slow_level, slow_trend
from processors.rhythm.temperature_shift import temperature_shift

CV = {"cv_analytical": 0.06, "cv_within": 0.2}
SAME = "as if it were good"
KNOWN = "a number that these data carry"


class Recording(NamedTuple):
    """Times, values and which of them are below a limit (n)."""

    t: np.ndarray
    y: np.ndarray
    below: np.ndarray


Answer = Sequence[Marker]


class Estimator(NamedTuple):
    """An estimator, a recording that it likes, and its cells of the table."""

    good: Recording
    of: Callable[[Recording], Answer]
    cells: dict[str, str]


def recording(t: Any, y: Any) -> Recording:
    hours = np.asarray(t, dtype=np.float64)
    return Recording(hours, np.asarray(y, dtype=np.float64), np.zeros(hours.size, dtype=bool))


# -- the rows -----------------------------------------------------------------------------------


def spoilt(good: Recording) -> Iterator[tuple[str, Recording]]:
    t, y, below = good
    n = t.size
    everything = np.ones(n, dtype=bool)
    half = np.arange(n) % 2 == 0
    order = np.random.default_rng(3).permutation(n)
    near = t < t[0] + 0.55 * 24.0
    yield "none", Recording(t[:0], y[:0], below[:0])
    yield "two samples", Recording(t[:2], y[:2], below[:2])
    yield "13 hours", Recording(t[near], y[near], below[near])
    yield "all censored", Recording(t, 0.5 + 0.01 * y, everything)
    yield "constant", Recording(t, np.full(n, float(y[0])), below)
    yield "each time twice", Recording(np.r_[t, t], np.r_[y, 1.05 * y[::-1]], np.r_[below, below])
    yield "one time", Recording(np.full(n, float(t[0])), y, below)
    yield "unsorted", Recording(t[order], y[order], below[order])
    yield "mixed units", Recording(t, np.where(half, 30_000.0, 1.0) * y, below)
    yield "NaN", Recording(t, np.r_[math.nan, y[1:]], below)
    yield "infinite", Recording(np.r_[t[:-1], math.inf], np.r_[y[:-2], -math.inf, y[-1]], below)
    yield "nothing above 0", Recording(t, np.r_[0.0, -1.0, y[2:]], below)
    yield "milliseconds", Recording(t * 3.6e6 + 1.7e12, y, below)


ROWS = [name for name, _ in spoilt(recording(np.arange(9.0), np.arange(9.0)))]


# -- the columns --------------------------------------------------------------------------------


def taken(r: Recording) -> Samples:
    return samples(r.t, r.y, "nmol/L", below=r.below, verified=True)


def of_samples(method: Callable[..., Marker], *more: Any, **named: Any) -> Callable[..., Answer]:
    return lambda r: (method(taken(r), *more, **named),)


def cosinor_of(components: Any) -> Callable[[Recording], Answer]:
    return lambda r: cosinor_markers(fit_cosinor(r.t, r.y, components=components), "1")


def two_conditions(r: Recording) -> Answer:
    found = difference(fit_cosinor(DAYS.t, DAYS.y), fit_cosinor(r.t, r.y), "1")
    return found.mesor, found.amplitude, found.acrophase


def response(r: Recording) -> Answer:
    found = awakening_response(
        taken(r), 7.0, wake_verified=True, responder_rise=2.5, cv_analytical=0.06
    )
    return found.rise, found.aucg, found.auci, found.responder


def activity(r: Recording) -> Answer:
    found = rest_activity(clock_bins(r.t, r.y), "1")
    return (
        found.interdaily_stability,
        found.intradaily_variability,
        found.m10,
        found.l5,
        found.relative_amplitude,
    )


def at_rest(r: Recording) -> Answer:
    found = adjusted_rhythm(clock_bins(r.t, r.y), None, "1")
    return found.mesor, found.amplitude, found.acrophase


def by_day(r: Recording) -> Answer:
    return [one.acrophase for one in daily_phases(clock_bins(r.t, r.y), None, "1")] or [
        withheld("acrophase", "clock_h", 0, "There are no days.", "")
    ]


def sleeping(r: Recording) -> Answer:
    found = sleep_markers(main_sleeps(r.t, r.t + r.y))
    return found.midpoint, found.midpoint_corrected, found.duration, found.social_jet_lag


def usually(r: Recording) -> Answer:
    found = usual_wake(main_sleeps(r.t, r.t + r.y))
    if isinstance(found, str):
        return (withheld("usual-wake", "clock_h", 0, found, ""),)
    low, high = found.clock_h - found.sd_h, found.clock_h + found.sd_h
    return (
        Marker("usual-wake", "measured", "clock_h", found.n, "It.", "", found.clock_h, low, high),
    )


def of_own(r: Recording) -> Answer:
    found = own_days(r.t, r.t + r.y)
    if isinstance(found, str):
        return (withheld("own-days", "1", 0, found, ""),)
    n = float(found.middles.size - 1)
    return (Marker("own-days", "measured", "1", int(n), "They.", "", n, n, n),)


def period(r: Recording) -> Answer:
    return (free_period(r.t, r.y).period,)


def surge(r: Recording) -> Answer:
    seen = evidence("urine-lh", r.t / 24.0, r.y, below=r.below)
    return (ovulation_day(ovulation([seen], today=28.0, length=28.0)),)


def warm(r: Recording) -> Answer:
    return (temperature_shift(evidence("temperature", r.t / 24.0, r.y)),)


CURVE = [AgeReference(20, 60, 60.0, 300.0)]


def for_age(r: Recording) -> Answer:
    return (slow_level(r.t / 24.0, r.y, CURVE, below=r.below, **CV),)


def beyond_age(r: Recording) -> Answer:
    return (slow_trend(r.t / 24.0, r.y, CURVE, below=r.below, **CV),)


def last_change(r: Recording) -> Answer:
    if r.t.size < 2:
        return (withheld("change", "%", 0, "There are not two results.", ""),)
    ordered = np.argsort(r.t, kind="stable")[-2:]
    first, second = r.y[ordered].tolist()
    return (slow_change(first, second, below=bool(r.below[ordered].any()), **CV),)


HOURS = np.arange(0.0, 24 * 14, 1.0)
DAYS = recording(HOURS, 10 + 8 * np.cos(2 * np.pi * (HOURS - 8) / 24) + 0.5 * np.sin(HOURS * 7))
SALIVA = recording([7.0, 7.5, 8.75, 9.5, 12, 15, 18, 20.5, 23.5], [12, 18, 9, 8, 5, 4, 3, 2, 1.5])
MORNING = recording(7 + np.array([0, 15, 30, 45, 60]) / 60, [6, 9, 12, 11, 9])
NIGHT = recording(
    np.arange(17.0, 34.0, 1.0), [0.8, 1, 0.7, 0.9, 1.1, 4, 8, 11, 13, 14, 13, 12, 9, 6, 2, 1, 0.9]
)
NIGHTS = recording(
    24.0 * np.arange(14) - 1 + 0.3 * np.sin(np.arange(14)), 8 + 0.4 * np.cos(np.arange(14) * 5)
)
CYCLE = recording(
    24.0 * (np.arange(5, 25) + 0.3),
    6 * np.exp(1.7 * np.exp(-0.5 * (np.arange(-9, 11) / 0.9) ** 2)) + 0.3 * np.sin(np.arange(20)),
)
WARM = recording(
    24.0 * (np.arange(5, 25) + 0.3),
    36.4 + 0.35 * (np.arange(20) > 9) + 0.05 * np.sin(np.arange(20) * 3),
)
YEARS = recording(24.0 * (40 + np.arange(8) / 2), 140 + 5 * np.sin(np.arange(8.0)))
FREE = recording(HOURS, 10 + 8 * np.cos(2 * np.pi * (HOURS - 8) / 24.7) + np.sin(HOURS * 7))

FEW_1, FEW_2 = "need at least 4 samples", "need at least 6 samples"
UNUSABLE = "not a finite number of a usable size"
NO_TIME = "no usable time"
ONCE = "not known which of them counts"
MIXED = "units may be mixed"

# Logarithms are the caller's; replicates are data (test_cosinor_markers), and what units were
# mixed only widens (test_mixed_units_widen_a_curve).
_COSINOR = {
    "13 hours": "needs at least 16.0",
    "all censored": KNOWN,  # it sees numbers: `acrophase fit` refuses them (test_fit_free_period)
    "constant": "All values are the same",
    "each time twice": KNOWN,
    "one time": "at 1 different clock time",
    "unsorted": SAME,
    "mixed units": KNOWN,
    "NaN": f"1 of {HOURS.size} samples have a time or value that is {UNUSABLE}",
    "infinite": f"2 of {HOURS.size} samples",
    "nothing above 0": KNOWN,
    "milliseconds": f"{HOURS.size} of {HOURS.size} samples",
}
_SALIVA = {
    "none": "There are no samples",
    "each time twice": ONCE,
    "one time": ONCE,
    "unsorted": SAME,
    "mixed units": MIXED,
    "NaN": NO_TIME,
    "infinite": NO_TIME,
    "nothing above 0": "no value above 0",
    "milliseconds": NO_TIME,
}
_NIGHT = {
    **_SALIVA,
    "two samples": "at least 4 samples",
    "all censored": "All samples are below the assay's detection limit",
    "constant": "The level never rises to the threshold",
}
_ACTIVITY = {
    "none": "There are no readings",
    "all censored": KNOWN,  # counts and rates have no detection limit
    "constant": "All values are the same",
    "each time twice": KNOWN,  # means of stretches
    "unsorted": SAME,
    "mixed units": KNOWN,  # counts are of no unit, and a device has one scale
    "NaN": "no usable time or value",
    "infinite": "no usable time or value",
    "nothing above 0": KNOWN,
    "milliseconds": "no usable time or value",
}
_SLEEP = {
    "13 hours": "there ",  # one night
    "all censored": "there are 0",  # half an hour is nobody's night
    "constant": KNOWN,  # every night of one length
    "each time twice": "Two sleeps overlap",
    "one time": "Two sleeps overlap",
    "unsorted": SAME,
    "mixed units": "a waking is missing in between",
    "NaN": "no usable time",
    "infinite": "no usable time",
    "nothing above 0": "ends before it",
    "milliseconds": "no usable time",
}
_SLOW = {
    "none": "There are no results",
    "unsorted": SAME,
    "13 hours": KNOWN,  # all in one year
    "mixed units": MIXED,
    "NaN": "no usable age or value above 0",
    "infinite": "no usable age or value above 0",
    "nothing above 0": "no usable age or value above 0",
    "milliseconds": "no usable age or value above 0",
}

COLUMNS: dict[str, Estimator] = {
    "one harmonic": Estimator(
        DAYS, cosinor_of(1), {**_COSINOR, "none": FEW_1, "two samples": FEW_1}
    ),
    "two harmonics": Estimator(
        DAYS, cosinor_of(2), {**_COSINOR, "none": FEW_2, "two samples": FEW_2}
    ),
    "difference": Estimator(
        DAYS, two_conditions, {**_COSINOR, "none": FEW_1, "two samples": FEW_1}
    ),
    "diurnal slope": Estimator(
        SALIVA,
        of_samples(diurnal_slope, 7.0, **CV),
        {
            **_SALIVA,
            "two samples": "at least 3 samples over 6 hours",
            "13 hours": KNOWN,  # it is not of a period
            "all censored": "below the assay's detection limit",
            "constant": KNOWN,  # a slope of 0, to the errors of the assay
        },
    ),
    "evening over morning": Estimator(
        SALIVA,
        of_samples(evening_morning_ratio, **CV),
        {
            **_SALIVA,
            "two samples": "no evening sample",
            "13 hours": "no evening sample",
            "all censored": "below the assay's detection limit",
            "constant": KNOWN,
        },
    ),
    "late night": Estimator(
        SALIVA,
        of_samples(late_night_level, **CV),
        {
            **_SALIVA,
            "two samples": "no late-night sample",
            "13 hours": "no late-night sample",
            "all censored": "below the assay's detection limit",
            "constant": KNOWN,
        },
    ),
    "awakening response": Estimator(
        MORNING,
        response,
        {
            **_SALIVA,
            "two samples": "after waking",
            "13 hours": SAME,
            "all censored": "below the assay's detection limit",
            "constant": KNOWN,  # no rise, to the errors of the assay
        },
    ),
    **{
        name: Estimator(NIGHT, of_samples(method, 3.0, cv_analytical=0.1), {**_NIGHT, **cells})
        for name, method, cells in (
            ("threshold", dlmo_threshold, {"13 hours": KNOWN}),  # an evening is enough
            ("baseline", dlmo_baseline, {"13 hours": KNOWN}),
            ("hockey stick", dlmo_hockey_stick, {"13 hours": KNOWN}),
            ("offset", melatonin_offset, {"13 hours": "does not fall below the threshold"}),
            ("midpoint", melatonin_midpoint, {"13 hours": "does not fall below the threshold"}),
        )
    },
    "rest and activity": Estimator(
        DAYS,
        activity,
        {
            **_ACTIVITY,
            "two samples": "At least 5 days",
            "13 hours": "At least 5 days",
            "one time": "At least 5 days",
        },
    ),
    "rhythm at rest": Estimator(
        DAYS,
        at_rest,
        {
            **_ACTIVITY,
            "two samples": "At least 12 stretches",
            "13 hours": "cover 14 hours of the day",
            "one time": "At least 12 stretches",
        },
    ),
    "phase of each day": Estimator(
        DAYS,
        by_day,
        {
            **_ACTIVITY,
            "none": "no days",
            "two samples": "At least 12 stretches",
            "13 hours": "cover 14 hours of the day",
            "one time": "At least 12 stretches",
            "mixed units": "region of the 24-hour harmonic contains zero",
            "milliseconds": "no days",
        },
    ),
    "sleep": Estimator(
        NIGHTS,
        sleeping,
        {**_SLEEP, "none": "At least 3 nights", "two samples": "At least 3 nights"},
    ),
    "usual wake": Estimator(
        NIGHTS, usually, {**_SLEEP, "none": "at least 5 nights", "two samples": "at least 5 nights"}
    ),
    "own days": Estimator(NIGHTS, of_own, {**_SLEEP, "none": "there are 0", "two samples": KNOWN}),
    "free period": Estimator(
        FREE,
        period,
        {
            "none": "at least 20 samples",
            "two samples": "at least 20 samples",
            "13 hours": "at least 20 samples",
            "all censored": KNOWN,  # as the cosinor
            "constant": "All values are the same",
            "each time twice": KNOWN,
            "one time": "span 0.0 days",
            "unsorted": SAME,
            "mixed units": KNOWN,
            "NaN": "no usable time or value",
            "infinite": "no usable time or value",
            "nothing above 0": KNOWN,
            "milliseconds": "no usable time or value",
        },
    ),
    "ovulation by LH": Estimator(
        CYCLE,
        surge,
        {
            # The calendar is left, as wide as without a reading (test_what_tells_nothing_is_wide).
            "none": KNOWN,
            "two samples": KNOWN,
            "13 hours": KNOWN,
            "all censored": KNOWN,
            "constant": "probably has no ovulation",
            "each time twice": KNOWN,
            "one time": KNOWN,
            "unsorted": SAME,
            "mixed units": MIXED,
            "NaN": "no usable day or value above 0",
            "infinite": "no usable day or value above 0",
            "nothing above 0": "no usable day or value above 0",
            "milliseconds": "no usable day or value above 0",
        },
    ),
    "temperature shift": Estimator(
        WARM,
        warm,
        {
            "none": "needs 9 days",
            "two samples": "needs 9 days",
            "13 hours": "needs 9 days",
            "all censored": "not in degrees Celsius of a body",
            "constant": "No three temperatures in a row",
            "each time twice": ONCE,
            "one time": ONCE,
            "unsorted": SAME,
            "mixed units": MIXED,
            "NaN": "no usable day or value above 0",
            "infinite": "no usable day or value above 0",
            "nothing above 0": "no usable day or value above 0",
            "milliseconds": "no usable day or value above 0",
        },
    ),
    "level for age": Estimator(
        YEARS,
        for_age,
        {
            **_SLOW,
            "two samples": KNOWN,
            "all censored": "below the assay's limit",
            "constant": KNOWN,  # to the errors of assay and person
            "each time twice": KNOWN,
            "one time": KNOWN,
        },
    ),
    "trend beyond age": Estimator(
        YEARS,
        beyond_age,
        {
            **_SLOW,
            "two samples": "at least 3 results over half a year",
            "13 hours": "at least 3 results over half a year",
            "all censored": "no trend to see",
            "constant": KNOWN,
            "each time twice": KNOWN,
            "one time": "at least 3 results over half a year",
        },
    ),
    "change": Estimator(
        YEARS,
        last_change,
        {
            "none": "not two results",
            "two samples": KNOWN,
            "13 hours": KNOWN,
            "all censored": "below the assay's detection limit",
            "constant": KNOWN,
            "each time twice": KNOWN,
            "one time": KNOWN,
            "unsorted": SAME,
            "mixed units": MIXED,
            "NaN": KNOWN,  # of the first result, which is not one of the two
            "infinite": "no two results above 0",
            "nothing above 0": KNOWN,  # as NaN
            "milliseconds": SAME,  # times only say which are the last
        },
    ),
}


def assert_sound(marker: Marker) -> None:
    """Numbers that are numbers, in order, or none and a sentence."""
    numbers = (marker.low, marker.value, marker.high)
    assert marker.sentence.endswith("."), marker.sentence
    if marker.status == "withheld":
        assert numbers == (None, None, None), marker
        return
    low, value, high = (float(x) for x in numbers if x is not None)
    assert all(map(math.isfinite, (low, value, high))), marker
    assert low <= value <= high, marker
    assert marker.unit != "clock_h" or 0.0 <= value < 24.0, marker


@pytest.mark.parametrize("column", COLUMNS)
def test_a_good_recording_is_one(column: str) -> None:
    """Otherwise the table would tell nothing."""
    estimator = COLUMNS[column]
    answer = estimator.of(estimator.good)
    assert "measured" in {marker.status for marker in answer}, answer
    for marker in answer:
        assert_sound(marker)
    assert set(estimator.cells) == set(ROWS)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("column", COLUMNS)
def test_bad_input_is_answered_with_a_sentence(column: str, row: str) -> None:
    estimator = COLUMNS[column]
    answer = estimator.of(dict(spoilt(estimator.good))[row])
    for marker in answer:
        assert_sound(marker)
    expected = estimator.cells[row]
    if expected == SAME:
        for one, plain in zip(answer, estimator.of(estimator.good), strict=True):
            assert one.status == plain.status
            for name in ("low", "value", "high"):
                ours, theirs = getattr(one, name), getattr(plain, name)
                assert ours == theirs or ours == pytest.approx(theirs, rel=1e-7, abs=1e-9)
    elif expected == KNOWN:
        assert "measured" in {marker.status for marker in answer}, answer
    else:
        for marker in answer:
            assert marker.status == "withheld", marker
            assert expected in marker.sentence, marker.sentence


# -- what the table's rows do not reach ---------------------------------------------------------


@pytest.mark.parametrize("late_min", [2.0, 20.0, 90.0, 150.0])
def test_a_wake_event_after_the_sample(late_min: float) -> None:
    """The first sample at 07:00 and the waking after it."""
    wake = 7.0 + late_min / 60.0
    found = awakening_response(
        taken(MORNING), wake, wake_verified=True, responder_rise=2.5, cv_analytical=0.06
    )
    for marker in (found.rise, found.aucg, found.auci, found.responder):
        assert_sound(marker)
        assert marker.status == "withheld"
        assert "before the waking" in marker.sentence
    since = since_waking(7.0, 0.0, [Wake(wake, True)], None)
    assert since.hours is None
    assert "was taken before the waking" in since.sentence
    # The slope leaves the first 90 minutes out, wherever they begin, and samples before it.
    slope = diurnal_slope(taken(SALIVA), 26.0, **CV)
    assert slope.status == "withheld"
    assert "there are 0" in slope.sentence


def test_two_menses_a_day_apart() -> None:
    for days in ([0, 1, 28], [0, 28, 29], [28, 29, 1, 0]):
        log = cycle_log(days)
        assert [cycle.length for cycle in log.cycles] == [28, None]
        assert "is the same one" in log.notes[0]
        assert_sound(cycle_day(log, 30.0))
        assert cycle_day(log, 30.0).value == 3.0
    # And a cycle of a day, if told as one, is none.
    one = ovulation_day(ovulation([], today=1.0, length=1.0))
    assert one.status == "withheld"
    assert "no cycle" in one.sentence


@pytest.mark.parametrize("name", ["threshold", "baseline", "hockey stick", "offset", "midpoint"])
@pytest.mark.parametrize("dose", [5.5, 17.0, 21.0, 33.0, math.nan, math.inf])
def test_a_dose_in_the_window(name: str, dose: float) -> None:
    methods = {
        "threshold": dlmo_threshold,
        "baseline": dlmo_baseline,
        "hockey stick": dlmo_hockey_stick,
        "offset": melatonin_offset,
        "midpoint": melatonin_midpoint,
    }
    marker = methods[name](taken(NIGHT), 3.0, cv_analytical=0.1, doses=[dose])
    assert_sound(marker)
    # At infinity it was after all samples.
    assert (marker.status == "withheld") == (dose != math.inf)
    assert marker.status == "measured" or "Melatonin was taken at" in marker.sentence


def test_what_tells_nothing_is_wide() -> None:
    """An LH that was never seen leaves the calendar: as unsure as without a reading."""
    calendar = ovulation_day(ovulation([], today=28.0, length=28.0))
    assert calendar.low is not None
    assert calendar.high is not None
    rows = dict(spoilt(CYCLE))
    for row in ("two samples", "all censored", "one time"):
        (marker,) = surge(rows[row])
        assert marker.low is not None
        assert marker.high is not None
        assert marker.high - marker.low > 0.75 * (calendar.high - calendar.low), row


def test_mixed_units_widen_a_curve() -> None:
    """A cosinor sees numbers: what is a thousand times off is scatter, and swallows the rhythm.
    A file of them is refused or cleaned before (tests/acrophase/test_fit_person.py)."""
    for components in (1, 2):
        plain = {m.name: m for m in cosinor_of(components)(DAYS)}
        for share in (0.1, 0.5):
            rng = np.random.default_rng(8)
            factor = np.where(rng.random(HOURS.size) < share, 1000.0, 1.0)
            mixed = {m.name: m for m in cosinor_of(components)(DAYS._replace(y=DAYS.y * factor))}
            explained, before = mixed["percent-rhythm"].high, plain["percent-rhythm"].low
            assert explained is not None
            assert before is not None
            assert explained < 50 < 95 < before


def test_no_fit_stops_at_an_amplitude_of_zero_and_reports_success() -> None:
    """Every fit here is a linear solve or a search of a whole grid, so none starts anywhere and
    none stops early. What is left of the failure is an answer for data without a rhythm: data
    that are orthogonal to it exactly, constant but for rounding, and noise."""
    exact = 10 + np.cos(2 * np.pi * HOURS / 12) + np.cos(2 * np.pi * HOURS / 8)
    rounding = 0.1 + 1e-17 * np.cos(HOURS)
    tiny = 1e6 + 5e-10 * np.cos(2 * np.pi * HOURS / 24)
    for y in (exact, rounding, tiny):
        r = recording(HOURS, y)
        for answer in (cosinor_of(1)(r), cosinor_of(2)(r), two_conditions(r), at_rest(r)):
            acrophase = next(m for m in answer if "acrophase" in m.name)
            assert acrophase.status == "withheld", acrophase
            assert_sound(acrophase)
        assert period(r)[0].status == "withheld"
    rng = np.random.default_rng(9)
    said = np.zeros(3)
    for _ in range(300):
        r = recording(HOURS[:96], rng.standard_normal(96))
        said += [
            cosinor_of(1)(r)[2].status == "measured",
            cosinor_of(2)(r)[2].status == "measured",
            at_rest(r)[2].status == "measured",
        ]
    # One in twenty, by the test's own level.
    assert np.all(np.abs(said / 300 - 0.05) < 0.04), said
    nobody = population_cosinor(np.c_[np.full(12, 10.0), rng.normal(0, 1, (12, 2))], "1")
    assert nobody.acrophase.status == "withheld"
    # A flat evening has no knee, and a knee that is found has a rise.
    for _ in range(200):
        y = np.exp(0.8 * rng.standard_normal(NIGHT.t.size)) * 2.0
        marker = dlmo_hockey_stick(taken(NIGHT._replace(y=y)), 3.0, cv_analytical=0.1)
        assert_sound(marker)
        if marker.status == "measured":
            assert marker.value is not None
            knee = marker.value + 24.0 * (marker.value < 12.0)
            after = y[(NIGHT.t > knee) & (NIGHT.t < knee + 4.0)]
            assert after.max() >= 3.0


# -- arbitrary numbers --------------------------------------------------------------------------

ANY = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(COLUMNS)),
    st.lists(
        st.tuples(st.floats(0, 400) | ANY, st.floats(0.1, 60) | ANY, st.booleans()), max_size=40
    ),
    st.sampled_from([0.0, 1e-12, 1.0, 1e6]),
)
def test_arbitrary_arrays_have_sound_answers(
    column: str, rows: list[tuple[float, float, bool]], size: float
) -> None:
    t, y, below = (np.array([row[k] for row in rows]) for k in range(3))
    with np.errstate(over="ignore", invalid="ignore"):
        y = size * y if rows else y
    for marker in COLUMNS[column].of(Recording(t, y, below.astype(bool))):
        assert_sound(marker)


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(COLUMNS)),
    st.lists(st.tuples(st.integers(0, 10_000), ANY, ANY), max_size=3),
    st.integers(0, 2**32),
)
def test_a_good_recording_with_anything_in_it_has_sound_answers(
    column: str, odd: list[tuple[int, float, float]], seed: int
) -> None:
    """Nearly good data reach further into an estimator than noise does."""
    t, y, below = (part.copy() for part in COLUMNS[column].good)
    rng = np.random.default_rng(seed)
    y = y * np.exp(0.1 * rng.standard_normal(y.size))
    kept = rng.random(y.size) > rng.uniform(0, 0.6)
    below = rng.random(y.size) < rng.uniform(-0.3, 0.6)
    for at, hour, value in odd:
        t[at % t.size], y[at % t.size] = hour, value
    for marker in COLUMNS[column].of(Recording(t[kept], y[kept], below[kept])):
        assert_sound(marker)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(ANY, ANY, ANY), max_size=4),
    st.lists(st.tuples(ANY | st.floats(0, 500), ANY | st.floats(-12, 12), ANY), max_size=4),
    ANY | st.floats(0, 500),
)
def test_arbitrary_flights_pairs_and_values_have_sound_answers(
    flights: list[tuple[float, float, float]], phases: list[tuple[float, float, float]], at: float
) -> None:
    seen = [PhaseSeen(*phase) for phase in phases]
    assert_sound(body_clock_lag(body_clock([Flight(*flight) for flight in flights], at, seen)))
    thyroid = axis(
        "TSH-free T4",
        controller=(0.4, 4.0),
        product=(0.9, 1.7),
        controller_cv=(0.22, 0.05),
        product_cv=(0.06, 0.05),
    )
    past = np.array(phases, dtype=np.float64).reshape(-1, 3)
    found = departure(thyroid, at, at, past_controller=past[:, 0], past_product=np.abs(past[:, 1]))
    assert found.sentence.endswith(".")
    assert found.p is None or 0.0 <= found.p <= 1.0
    grid = np.arange(4.0, 80.1, 0.25)
    now = Ovulation(grid, np.full(grid.size, 1.0 / grid.size), 0.0, 0)
    own = against_own_cycles(
        at, at, now, past[:, 0], past[:, 1], np.arange(len(past)) % 2, "ng/mL", cv=0.3
    )
    assert own.sentence.endswith(".")
    for probability in (own.low_probability, own.high_probability):
        assert probability is None or 0.0 <= probability <= 1.0
