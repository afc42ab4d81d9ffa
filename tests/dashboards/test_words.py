"""How numbers, times and deviations are said (the shorter rules are doctests)."""

from __future__ import annotations

import pytest

from dashboards.page.words import face, gist, percent_change, standing
from processors.deviations.wording import Evidence, reason
from schemas.catalogue import load_catalogue
from schemas.results import DeviationKind, Direction

_HOUR_MS = 3_600_000
_RHYTHM = {
    "status": "established",
    "acrophase": 11.6,
    "phase_shift": 3.4,
    "level_ratio": 1.47,
    "amplitude_ratio": 0.49,
    "last_reading": 0,
}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("phase", "now +3.4 h"),
        ("level", "now +47 %"),
        ("amplitude", "now −51 %"),
        ("missing", "silent for 30 h"),
        ("arrhythmic", ""),
        ("outlier", ""),
    ],
)
def test_an_open_alert_tells_how_it_stands_now(kind: str, said: str) -> None:
    assert standing(kind, _RHYTHM, 30 * _HOUR_MS) == said
    assert standing(kind, None, 30 * _HOUR_MS) == ""


def test_what_cannot_be_compared_is_not() -> None:
    lost = _RHYTHM | {"status": "arrhythmic"}
    assert standing("phase", lost, 0) == ""
    assert standing("phase", _RHYTHM | {"phase_shift": None}, 0) == ""
    assert standing("amplitude", _RHYTHM | {"amplitude_ratio": None}, 0) == ""


_EVIDENCE = Evidence(
    z=4.4,
    threshold=3.6,
    effect=1.36,
    low=0.9,
    high=1.82,
    observed=0.154,
    expected=0.113,
    n_effective=57.0,
    window_d=3.0,
)
_DIRECTIONS: dict[DeviationKind, Direction] = {
    DeviationKind.OUTLIER: "higher",
    DeviationKind.LEVEL: "higher",
    DeviationKind.AMPLITUDE: "lower",
    DeviationKind.PHASE: "later",
    DeviationKind.ARRHYTHMIC: "lost",
    DeviationKind.MISSING: "silent",
}


@pytest.mark.parametrize("analyte", [analyte.slug for analyte in load_catalogue()])
@pytest.mark.parametrize("kind", list(DeviationKind))
def test_the_engines_sentences_fit_the_queue(kind: DeviationKind, analyte: str) -> None:
    """They begin with the name that the page writes in bold, and the bracket can be left out."""
    sentence = reason(load_catalogue()[analyte], kind, _DIRECTIONS[kind], _EVIDENCE)
    short = gist(sentence)
    assert sentence.startswith(face(analyte).name)
    assert short.endswith(".")
    assert short[:-1] in sentence
    assert len(short) < 140  # four lines of the queue
    assert "effective" not in short


def test_a_swing_is_a_factor_where_the_curve_is_fitted_to_logarithms() -> None:
    assert face("saliva-cortisol").swing(0.693) == "×2.00"
    assert face("heart-rate").swing(9.2) == "±9"
    assert face("heart-rate").swing(None) == "–"


def test_an_analyte_that_the_catalogue_does_not_know_goes_by_its_slug() -> None:
    unknown = face("urine-gold")
    assert (unknown.name, unknown.amount(1.5, unit=True)) == ("urine-gold", "1.50")


def test_a_ratio_is_never_minus_nought() -> None:
    assert percent_change(0.9999) == "0 %"
