"""Every deviation says one sentence that a person can read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.deviations.explain import LONGEST_H, TakenDose, by_dose
from processors.deviations.kinds import KINDS, direction
from processors.deviations.wording import Evidence, clock, duration, reason, severity
from schemas.catalogue import Analyte, load_catalogue
from schemas.results import DeviationKind

CATALOGUE = load_catalogue()
CORTISOL = CATALOGUE["saliva-cortisol"]
HOUR_MS = 3_600_000

number = st.floats(0.001, 1000)
hours = st.floats(-24, 48)


def evidence(kind: DeviationKind, z: float, a: float, b: float, n: float) -> Evidence:
    """What the engine gives for a kind, from arbitrary numbers."""
    if kind is DeviationKind.PHASE:
        low, high = sorted((a - 12, b - 12))
        middle = (low + high) / 2
        return Evidence(z, 4.0, middle, low, high, (8 + middle) % 24, 8.0, n, 3.0)
    if kind is DeviationKind.MISSING:
        return Evidence(0.0, 0.0, a, None, None, None, b, n, None)
    low, high = sorted((a, b))
    return Evidence(z, 4.0, (low + high) / 2, low, high, a, b, n, 3.0)


@given(
    st.sampled_from(list(CATALOGUE)),
    st.sampled_from(range(len(KINDS))),
    st.floats(-50, 50),
    number,
    number,
    st.floats(0, 1e5),
)
def test_one_plain_sentence(
    analyte: Analyte, index: int, z: float, a: float, b: float, n: float
) -> None:
    kind = KINDS[index]
    e = evidence(kind, z, a, b, n)
    way = direction(index, z or 1.0)
    text = reason(analyte, kind, way, e)
    assert text[0].isupper()
    assert text.endswith(").")
    assert not re.search(r"\.\s", text), "one sentence"
    assert not re.search(r"\bnan\b|\binf\b|None|\d{7}", text)
    assert text.lower().startswith(analyte.short_name.lower())
    # against what
    against = {
        DeviationKind.OUTLIER: "predicted for that hour",
        DeviationKind.MISSING: "the longest usual pause",
    }.get(kind, "this person's baseline")
    assert against in text
    # how sure, from how many readings
    if kind is not DeviationKind.MISSING:
        assert re.search(r"score [+−]?\d+\.\d", text)
        assert re.search(r"\d+ effective readings", text)
    assert severity(analyte, kind, e) in ("minor", "moderate", "major")


@pytest.mark.parametrize(
    ("kind", "way", "e", "text"),
    [
        (
            DeviationKind.LEVEL,
            "higher",
            Evidence(4.04, 3.9, 1.49, 1.08, 2.05, 0.161, 0.108, 8.2, 1.0),
            "Saliva cortisol is 49 % higher than this person's baseline: 0.161 instead of 0.108 "
            "µg/dL (90 % interval +8 to +105 %; score 4.0; 8 effective readings of about the last "
            "24 h).",
        ),
        (
            DeviationKind.AMPLITUDE,
            "lower",
            Evidence(-4.2, 3.9, 0.55, 0.2, 0.89, 0.6, 1.1, 8.0, 3.0),
            "Saliva cortisol runs flatter: the daily swing is 45 % lower than this person's "
            "baseline (90 % interval −80 to −11 %; score 4.2; 8 effective readings of about the "
            "last 3 days).",
        ),
        (
            DeviationKind.PHASE,
            "earlier",
            Evidence(-5.0, 3.9, -2.5, -3.5, -1.5, 7.25, 9.75, 20.0, 3.0),
            "Saliva cortisol peaks 2.5 h earlier than this person's baseline: at 07:15 instead "
            "of 09:45 (90 % interval −3.5 to −1.5 h; score 5.0; 20 effective readings of about "
            "the last 3 days).",
        ),
        (
            DeviationKind.ARRHYTHMIC,
            "lost",
            Evidence(-6.0, 3.9, 0.2, 0.0, 0.5, 0.2, 1.1, 21.0, 3.0),
            "Saliva cortisol has lost its 24-hour rhythm: the daily swing is 20 % of this "
            "person's baseline and cannot be told from none (score 6.0; 21 effective readings of "
            "about the last 3 days).",
        ),
        (
            DeviationKind.OUTLIER,
            "higher",
            Evidence(4.3, 3.9, 5.68, 0.15, 0.534, 1.609, 0.28, 81.0, None),
            "Saliva cortisol of 1.609 µg/dL is higher than predicted for that hour (90 % of "
            "readings fall between 0.150 and 0.534 µg/dL; score +4.3; from 81 effective "
            "readings).",
        ),
        (
            DeviationKind.MISSING,
            "silent",
            Evidence(0.0, 0.0, 36.0, None, None, None, 13.0, 62.0, None),
            "Saliva cortisol: no readings for 36 h; the longest usual pause is 13 h (from 62 "
            "readings so far).",
        ),
    ],
)
def test_the_sentences(kind: DeviationKind, way: str, e: Evidence, text: str) -> None:
    assert reason(CORTISOL, kind, way, e) == text  # type: ignore[arg-type]


def test_a_silence_without_a_known_pause_claims_none() -> None:
    e = Evidence(0.0, 0.0, 8.0, None, None, None, 0.0, 20.0, None)
    assert "pause" not in reason(CORTISOL, DeviationKind.MISSING, "silent", e)


@given(hours)
def test_clock_times(hour: float) -> None:
    text = clock(hour)
    shown = int(text[:2]) + int(text[3:]) / 60
    assert 0 <= shown < 24
    assert min((hour - shown) % 24, (shown - hour) % 24) <= 0.5 / 60 + 1e-9


@given(st.floats(0, 5000))
def test_lengths_of_time(length: float) -> None:
    value, unit = duration(length).split()
    in_hours = float(value) * {"min": 1 / 60, "h": 1.0, "days": 24.0}[unit]
    assert in_hours == pytest.approx(length, abs={"min": 1 / 119, "h": 0.051, "days": 1.21}[unit])


@given(st.floats(1.01, 20), st.floats(4, 40))
def test_a_larger_surer_change_is_never_less_severe(effect: float, z: float) -> None:
    order = ("minor", "moderate", "major")

    def rank(effect: float, z: float) -> int:
        e = Evidence(z, 4.0, effect, effect, effect, 1.0, 1.0, 10.0, 3.0)
        return order.index(severity(CORTISOL, DeviationKind.LEVEL, e))

    assert rank(effect * 1.5, z) >= rank(effect, z)
    assert rank(effect, z * 1.5) >= rank(effect, z)
    # as much lower is as severe as as much higher
    assert rank(1 / effect, -z) == rank(effect, z)


def test_a_dose_explains_for_its_hours_and_its_analytes_only() -> None:
    doses = [TakenDose(0, "Hydrocortisone"), TakenDose(5 * HOUR_MS, "hydrocortisone")]

    def at(hour: float, slug: str = "saliva-cortisol") -> str | None:
        found = by_dose(slug, hour, doses)
        return None if found is None else found.words

    assert at(2) == "dose of Hydrocortisone 2.0 h before"
    assert at(6) == "dose of hydrocortisone 1.0 h before"  # the newest one
    assert at(24) == "dose of hydrocortisone 19.0 h before"
    assert at(24.1) is None
    assert at(-0.1) is None  # not yet taken
    assert at(6, "heart-rate") is None
    assert at(6, "saliva-melatonin") is None
    assert by_dose("saliva-cortisol", 1.0, [TakenDose(0, "levothyroxine")]) is None
    assert by_dose("saliva-cortisol", 1.0, []) is None
    assert LONGEST_H == 19.0
