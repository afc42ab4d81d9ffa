"""Judging a value at the edge, and the reference of an hour and a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.analytes import Analyte
from schemas.catalogue import load_catalogue
from schemas.errors import Reason, RejectedRecord
from schemas.reference_intervals import Reference

CATALOGUE = load_catalogue()


def _check(slug: str, number: float, unit: str) -> None:
    analyte = CATALOGUE[slug]
    scale, offset = analyte.conversion(unit)
    analyte.check(number * scale + offset, unit)


@pytest.mark.parametrize(
    ("slug", "number", "unit", "fits"),
    [
        ("saliva-cortisol", 200.0, "ug/dL", "ng/dL"),  # ng/dL sent as ug/dL
        ("saliva-cortisol", 0.2, "ng/dL", "ug/dL"),
        ("saliva-cortisol", 8.0, "ug/dL", "nmol/L"),
        ("saliva-cortisol", 300.0, "nmol/L", "ng/dL"),
        ("saliva-cortisol", 300.0, "ng/mL", "ng/dL"),
        ("serum-cortisol", 400.0, "ug/dL", "nmol/L"),
        ("serum-cortisol", 12.0, "ng/dL", "ug/dL"),
        ("serum-cortisol", 9000.0, "ug/dL", "ng/dL"),
        ("saliva-melatonin", 12.0, "ng/mL", "pg/mL"),
        ("heart-rate", 1.2, "/min", "Hz"),
        ("heart-rate", 72.0, "Hz", "/min"),
        ("hrv-rmssd", 0.042, "ms", "s"),
        ("hrv-rmssd", 42.0, "s", "ms"),
        ("wrist-temperature", 92.3, "Cel", "[degF]"),
        ("wrist-temperature", 306.0, "Cel", "K"),
        ("wrist-temperature", 33.5, "[degF]", "Cel"),
        ("saliva-cortisone", 0.05, "nmol/L", "ug/dL"),
        ("serum-testosterone", 0.55, "ng/dL", "ng/mL"),  # a woman's 55 ng/dL as ng/mL
        ("serum-estradiol", 0.15, "pg/mL", "nmol/L"),
        ("serum-lh", 7000.0, "m[IU]/mL", "m[IU]/L"),  # a factor of 1000
        ("serum-tsh", 2.1, "m[IU]/mL", "m[IU]/L"),
        ("serum-tsh", 1800.0, "m[IU]/L", "u[IU]/L"),
        ("serum-free-t4", 16.0, "ng/dL", "pmol/L"),
        ("serum-dheas", 6.0, "ng/mL", "umol/L"),
        ("serum-prolactin", 150000.0, "ng/mL", "m[IU]/L"),
        ("interstitial-glucose", 5.4, "mg/dL", "mmol/L"),
        ("interstitial-glucose", 110.0, "mmol/L", "mg/dL"),
        ("hba1c", 53.0, "%", "mmol/mol"),
        ("hba1c", 7.0, "mmol/mol", "%"),
        ("spo2", 0.97, "%", "1"),
        ("core-temperature", 98.2, "Cel", "[degF]"),
        ("basal-temperature", 97.7, "Cel", "[degF]"),
        ("sleep-duration", 432.0, "h", "min"),
    ],
)
def test_a_value_that_fits_only_another_unit_is_suspect(
    slug: str, number: float, unit: str, fits: str
) -> None:
    with pytest.raises(RejectedRecord) as caught:
        _check(slug, number, unit)
    assert caught.value.reason is Reason.UNIT_SUSPECT
    assert caught.value.detail.startswith(f"{number:.6g} {unit} of ")
    assert fits in caught.value.detail.partition("the same number in")[2]


@pytest.mark.parametrize(
    ("slug", "number", "unit"),
    [
        ("serum-cortisol", 60.0, "ug/dL"),  # septic shock
        ("serum-cortisol", 110.0, "ug/dL"),  # adrenal carcinoma
        ("serum-cortisol", 0.3, "ug/dL"),  # suppressed by dexamethasone
        ("serum-cortisol", 8.0, "nmol/L"),  # adrenal failure
        ("serum-cortisol", 1650.0, "nmol/L"),
        ("saliva-cortisol", 3.0, "ug/dL"),  # ectopic Cushing's syndrome
        ("saliva-cortisol", 80.0, "nmol/L"),
        ("saliva-cortisol", 0.002, "ug/dL"),
        ("plasma-acth", 3000.0, "pg/mL"),  # primary adrenal failure
        ("plasma-acth", 1.0, "pg/mL"),
        ("saliva-melatonin", 3550.0, "pg/mL"),  # a 10 mg tablet
        ("saliva-melatonin", 900.0, "pg/mL"),
        ("heart-rate", 27.0, "/min"),
        ("heart-rate", 215.0, "/min"),
        ("wrist-temperature", 22.0, "Cel"),
        ("steps", 0.0, "{steps}"),
        ("serum-testosterone", 11400.0, "ng/dL"),  # gel on the draw site
        ("serum-testosterone", 1.0, "ng/dL"),
        ("serum-estradiol", 4000.0, "pg/mL"),  # ovarian stimulation
        ("serum-progesterone", 200.0, "ng/mL"),  # late pregnancy
        ("serum-lh", 0.1, "m[IU]/mL"),
        ("serum-fsh", 180.0, "m[IU]/mL"),
        ("serum-tsh", 300.0, "m[IU]/L"),  # untreated thyroid failure
        ("serum-tsh", 0.005, "m[IU]/L"),
        ("serum-free-t4", 7.8, "ng/dL"),  # thyroid storm
        ("serum-gh", 0.01, "ng/mL"),
        ("serum-prolactin", 12000.0, "ng/mL"),  # prolactinoma
        ("serum-insulin", 300.0, "u[IU]/mL"),
        ("interstitial-glucose", 22.0, "mmol/L"),
        ("hba1c", 120.0, "mmol/mol"),
        ("spo2", 62.0, "%"),
        ("core-temperature", 41.8, "Cel"),
        ("sleep-duration", 0.0, "h"),
        ("sleep-midpoint", 36.0, "h"),  # a night worker's noon
    ],
)
def test_true_extremes_pass(slug: str, number: float, unit: str) -> None:
    _check(slug, number, unit)


@pytest.mark.parametrize(
    ("slug", "number", "unit", "words"),
    [
        ("heart-rate", 300.0, "/min", "300 /min of heart rate is outside what is possible"),
        ("heart-rate", 0.0, "/min", "outside what is possible"),
        ("wrist-temperature", -5.0, "Cel", "20 to 42 Cel"),
        ("serum-cortisol", -1.0, "ug/dL", "0.01 to 200 ug/dL"),
        ("steps", -1.0, "{steps}", "outside"),
        ("saliva-cortisol", 0.0, "ug/dL", "comparator '<'"),  # absent is never 0
        ("saliva-melatonin", 0.0, "pmol/L", "comparator '<'"),
    ],
)
def test_the_impossible_is_refused(slug: str, number: float, unit: str, words: str) -> None:
    with pytest.raises(RejectedRecord) as caught:
        _check(slug, number, unit)
    assert caught.value.reason is Reason.OUT_OF_LIMITS
    assert words in caught.value.detail


@given(
    analyte=st.sampled_from(list(CATALOGUE)),
    share=st.floats(min_value=0, max_value=1),
)
def test_the_screen_lets_through_only_what_the_check_does(analyte: Analyte, share: float) -> None:
    screen = analyte.screen
    assert screen.low in analyte.limits
    assert screen.high in analyte.limits
    value = min(screen.low + share * (screen.high - screen.low), screen.high)
    analyte.check(value, analyte.unit)


@given(analyte=st.sampled_from(list(CATALOGUE)), value=st.floats(-1e9, 1e9))
def test_nothing_outside_the_limits_passes(analyte: Analyte, value: float) -> None:
    if value in analyte.limits:
        return
    with pytest.raises(RejectedRecord):
        analyte.check(value, analyte.unit)


def test_the_reference_of_an_hour() -> None:
    cortisol = CATALOGUE["saliva-cortisol"]
    assert cortisol.reference(8.0) == (0.1, 0.75)
    assert cortisol.reference(9.0) == (None, None)  # to before 09:00
    assert cortisol.reference(16.0, sex="female", age=40) == (None, 0.401)
    assert cortisol.reference(23.99) == (None, 0.1)
    assert cortisol.reference(12.0) == (None, None)


def test_the_most_specific_reference_wins_and_the_unknown_fits_none() -> None:
    references = (
        Reference(low=30, high=200),
        Reference(low=40, high=100, sex="female"),
        Reference(low=45, high=90, sex="female", from_age=20, to_age=40),
        Reference(low=35, high=80, from_hour=22, to_hour=6),
    )
    analyte = CATALOGUE["heart-rate"].model_copy(update={"references": references})
    assert analyte.reference(12) == (30, 200)
    assert analyte.reference(12, sex="male", age=30) == (30, 200)
    assert analyte.reference(12, sex="female") == (40, 100)
    assert analyte.reference(12, sex="female", age=20) == (45, 90)
    assert analyte.reference(12, sex="female", age=40) == (40, 100)
    assert analyte.reference(23) == analyte.reference(5.9) == (35, 80)  # wraps midnight
    assert analyte.reference(6) == analyte.reference(21.9) == (30, 200)


@pytest.mark.parametrize(
    "bad", [{}, {"low": 2, "high": 1}, {"low": 1, "from_hour": 5, "to_hour": 5}]
)
def test_an_empty_reference_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"give low, high|not below|the same"):
        Reference(**bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("slug", ["serum-lh", "urine-lh", "serum-fsh", "serum-tsh"])
@pytest.mark.parametrize("unit", ["ng/mL", "ug/L", "pmol/L", "mg/dL", "10*3/L", "Cel", "%"])
def test_hormones_in_international_units_have_no_mass(slug: str, unit: str) -> None:
    with pytest.raises(RejectedRecord) as caught:
        CATALOGUE[slug].conversion(unit)
    assert caught.value.reason is Reason.UNKNOWN_UNIT
    assert "counted in international units, to which no fixed mass" in caught.value.detail
    assert f"send {CATALOGUE[slug].unit!r}, not {unit!r}" in caught.value.detail


def test_what_is_no_unit_at_all_is_not_called_a_mass() -> None:
    with pytest.raises(RejectedRecord, match="'ngs/mL' is not a UCUM unit"):
        CATALOGUE["serum-tsh"].conversion("ngs/mL")


@pytest.mark.parametrize(
    ("slug", "unit", "names"),
    [
        ("serum-insulin", "pmol/L", "6.945"),
        ("serum-insulin", "ng/mL", "6.945"),  # by the molar mass, then by the standard
        ("serum-prolactin", "m[IU]/L", "84/500"),
        ("serum-prolactin", "u[IU]/mL", "84/500"),
        ("serum-gh", "m[IU]/L", "98/574"),
    ],
)
def test_a_conversion_that_depends_on_a_standard_says_so(slug: str, unit: str, names: str) -> None:
    assert names in (CATALOGUE[slug].depends_on(unit) or "")


@pytest.mark.parametrize(
    ("slug", "unit"),
    [
        ("serum-insulin", "u[IU]/mL"),
        ("serum-insulin", "m[IU]/L"),
        ("serum-prolactin", "ug/L"),
        ("serum-gh", "ng/mL"),
        ("hba1c", "mmol/mol"),  # tied by an equation, but by no standard that varies
        ("serum-cortisol", "nmol/L"),
        ("serum-insulin", "Cel"),
        ("serum-insulin", "no unit"),
    ],
)
def test_a_conversion_by_arithmetic_depends_on_nothing(slug: str, unit: str) -> None:
    assert CATALOGUE[slug].depends_on(unit) is None


def test_a_unit_of_neither_kind_is_refused_for_an_analyte_with_an_equation() -> None:
    for slug, unit in (("serum-prolactin", "pmol/L"), ("serum-insulin", "/min"), ("hba1c", "g/L")):
        with pytest.raises(RejectedRecord) as caught:
            CATALOGUE[slug].conversion(unit)
        assert caught.value.reason is Reason.UNKNOWN_UNIT


def test_the_model_scale() -> None:
    cortisol, heart_rate = CATALOGUE["saliva-cortisol"], CATALOGUE["heart-rate"]
    assert cortisol.from_model(cortisol.to_model(0.25)) == pytest.approx(0.25)
    assert cortisol.to_model(1.0) == 0
    assert heart_rate.to_model(70.0) == heart_rate.from_model(70.0) == 70.0
