"""Units: the table agrees with pint, strangers' units end in a sentence, never in a hang."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import units
from schemas.catalogue import load_catalogue
from schemas.errors import CatalogueError, Reason, RejectedRecord
from schemas.units import (
    ALIASES,
    EVERYDAY,
    Conversion,
    UnitScale,
    _read_ucum,
    conversion,
    scale_of,
    spelling,
)


@pytest.mark.parametrize("ucum", EVERYDAY)
def test_the_everyday_table_is_what_pint_says(ucum: str) -> None:
    read = _read_ucum(ucum)
    assert read is not None
    assert read.dimension == EVERYDAY[ucum].dimension
    assert read.factor == pytest.approx(EVERYDAY[ucum].factor, rel=1e-12)
    assert read.offset == pytest.approx(EVERYDAY[ucum].offset, abs=1e-9)


@pytest.mark.parametrize(
    ("slug", "unit", "factor"),
    [  # factors to SI as printed in tables of conversion, to their four digits
        ("saliva-cortisol", "nmol/L", 27.59),
        ("serum-cortisol", "nmol/L", 27.59),
        ("plasma-acth", "pmol/L", 0.2202),
        ("saliva-melatonin", "pmol/L", 4.305),
        ("plasma-melatonin", "pmol/L", 4.305),
        ("serum-testosterone", "nmol/L", 0.03467),
        ("serum-free-testosterone", "pmol/L", 3.467),
        ("saliva-testosterone", "pmol/L", 3.467),
        ("serum-estradiol", "pmol/L", 3.671),
        ("serum-progesterone", "nmol/L", 3.180),
        ("serum-free-t4", "pmol/L", 12.872),
        ("serum-free-t3", "pmol/L", 1.536),
        ("serum-dheas", "umol/L", 0.02714),
        ("serum-igf-1", "nmol/L", 0.1307),
        ("interstitial-glucose", "mmol/L", 0.05551),
        ("serum-insulin", "pmol/L", 6.00),
        ("serum-prolactin", "m[IU]/L", 21.2),
        ("serum-gh", "m[IU]/L", 3.0),
        ("serum-lh", "[IU]/L", 1.0),
        ("serum-fsh", "[IU]/L", 1.0),
        ("serum-tsh", "u[IU]/mL", 1.0),
    ],
)
def test_conversions_to_si_are_those_of_the_tables(slug: str, unit: str, factor: float) -> None:
    scale, offset = load_catalogue()[slug].conversion(unit)
    assert 1 / scale == pytest.approx(factor, rel=5e-4)
    assert offset == 0


@pytest.mark.parametrize(
    ("ifcc", "ngsp"),
    [(20, 4.0), (31, 5.0), (42, 6.0), (48, 6.5), (53, 7.0), (64, 8.0), (75, 9.0), (86, 10.0)],
)
def test_hba1c_is_not_a_mere_ratio(ifcc: float, ngsp: float) -> None:
    # The pairs as printed on result sheets; arithmetic of units would make 53 mmol/mol 5.3 %.
    hba1c = load_catalogue()["hba1c"]
    for unit in ("mmol/mol", "mmol/mol{Hb}"):
        scale, offset = hba1c.conversion(unit)
        assert round(ifcc * scale + offset, 1) == ngsp
    assert hba1c.conversion("%") == (1.0, 0.0)
    assert hba1c.conversion("1") == (100.0, 0.0)


def test_insulin_by_mass_goes_through_amount_to_units() -> None:
    # 1 ng/mL = 172.2 pmol/L = 28.7 uIU/mL, as 28.8 IU to the milligram says.
    scale, offset = load_catalogue()["serum-insulin"].conversion("ng/mL")
    assert scale == pytest.approx(28.8, rel=5e-3)
    assert offset == 0


@given(
    first=st.tuples(st.floats(0.01, 100), st.floats(-100, 100)),
    second=st.tuples(st.floats(0.01, 100), st.floats(-100, 100)),
    value=st.floats(-1e3, 1e3),
)
def test_one_conversion_after_another(
    first: tuple[float, float], second: tuple[float, float], value: float
) -> None:
    a, b = Conversion(*first), Conversion(*second)
    step = value * a.scale + a.offset
    together = a.then(b)
    assert value * together.scale + together.offset == pytest.approx(
        step * b.scale + b.offset, rel=1e-9, abs=1e-6
    )


@pytest.mark.parametrize(
    ("unit", "canonical", "value", "expected"),
    [
        ("[degF]", "Cel", 98.6, 37.0),
        ("K", "Cel", 306.65, 33.5),
        ("Cel", "[degF]", 37.0, 98.6),
        ("ng/dL", "ug/dL", 100.0, 0.1),
        ("10*-6.g/dL", "ug/dL", 3.0, 3.0),  # through pint
        ("fmol/mL", "pmol/L", 7.0, 7.0),  # through pint
        ("Hz", "/min", 1.2, 72.0),
        ("s", "ms", 0.042, 42.0),
        ("{beats}/min", "/min", 61.0, 61.0),
        ("mIU/mL", "[IU]/L", 5.0, 5.0),
    ],
)
def test_conversions(unit: str, canonical: str, value: float, expected: float) -> None:
    scale, offset = conversion(unit, canonical)
    assert value * scale + offset == pytest.approx(expected, rel=1e-12)


def test_mass_converts_to_a_molar_canonical_unit_too() -> None:
    assert conversion("ug/dL", "nmol/L", 362.46).scale == pytest.approx(27.589, rel=1e-4)


def test_decimal_factors_are_exact() -> None:
    assert conversion("ng/dL", "ug/dL") == (0.001, 0.0)
    assert conversion("ng/mL", "ug/dL") == (0.1, 0.0)
    assert conversion("ug/dL", "ug/dL") == (1.0, 0.0)


@pytest.mark.parametrize(
    ("written", "ucum"),
    [
        ("\N{MICRO SIGN}g/dL", "ug/dL"),
        ("\N{GREEK SMALL LETTER MU}g/dL", "ug/dL"),
        ("mcg/dl", "ug/dL"),
        ("pg/ml", "pg/mL"),
        (" nmol/l ", "nmol/L"),
        ("bpm", "/min"),
        ("°C", "Cel"),
        ("°F", "[degF]"),
        ("count", "{steps}"),
        ("mol", "mol"),
    ],
)
def test_everyday_spellings_are_read_as_their_ucum_unit(written: str, ucum: str) -> None:
    assert spelling(written) == ucum
    assert scale_of(written) == scale_of(ucum) is not None


def test_every_alias_leads_to_a_unit_of_the_table() -> None:
    assert {unit for unit in ALIASES.values() if unit not in EVERYDAY} == set()
    assert not set(ALIASES) & set(EVERYDAY)


@pytest.mark.parametrize(
    "unit",
    [
        "",
        " ",
        "foo",
        "g/dL/",
        "UG/DL",
        "[pH]",
        "dB",
        "B[SPL]",
        "Cel/d",
        "日本",
        "\x00",
        "ug/dL" * 12,
        "ug;dL",
        "10*99.10*99.10*99.10*99.10*99",
        "10*9999/L",
        "m99999",
        "((((((((((((((((",
    ],
)
def test_what_is_no_linear_unit_is_refused_with_a_sentence(unit: str) -> None:
    with pytest.raises(RejectedRecord) as caught:
        conversion(unit, "ug/dL", 362.46)
    assert caught.value.reason is Reason.UNKNOWN_UNIT
    assert "'ug/dL'" in caught.value.detail
    assert len(caught.value.detail) < 160


@pytest.mark.parametrize(
    ("unit", "canonical", "molar_mass"),
    [
        ("nmol/L", "ug/dL", None),  # no molar mass: mass and amount stay apart
        ("ng/mL", "m[IU]/mL", None),  # LH, FSH, TSH exist in international units only
        ("ng/mL", "m[IU]/mL", 30000.0),
        ("10*3/L", "[IU]/L", None),  # pint takes both for a number in a volume
        ("/mL", "[IU]/L", None),
        ("[IU]/L", "ug/dL", 362.46),
        ("nmol", "ug/dL", 362.46),
        ("/min", "ms", None),
        ("Cel", "/min", None),
    ],
)
def test_units_of_another_quantity_are_refused(
    unit: str, canonical: str, molar_mass: float | None
) -> None:
    with pytest.raises(RejectedRecord, match="does not convert") as caught:
        conversion(unit, canonical, molar_mass)
    assert caught.value.reason is Reason.UNKNOWN_UNIT


@pytest.mark.parametrize("bomb", ["10*999999999", "10^999999999", "10*-999999999", "m999999999"])
def test_a_power_that_would_run_for_hours_is_not_even_tried(bomb: str) -> None:
    program = (
        f"from schemas.units import scale_of; raise SystemExit(scale_of({bomb!r}) is not None)"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("unit", ["mmol/m3", "furlongs", "kg"])
def test_a_conversion_and_a_refusal_are_worked_out_once(unit: str) -> None:
    """A device sends its one unit all day, the wrong one as well."""
    cortisol = load_catalogue()["saliva-cortisol"]

    def convert() -> object:
        try:
            return cortisol.conversion(unit)
        except RejectedRecord as error:
            return error.detail

    first = convert()
    before = units._conversion.cache_info()
    assert [convert() for _ in range(5)] == [first] * 5
    after = units._conversion.cache_info()
    assert (after.hits - before.hits, after.misses - before.misses) == (5, 0)


def test_everyday_units_do_not_load_pint() -> None:
    program = (
        "import sys; from schemas.catalogue import load_catalogue; "
        "load_catalogue()['saliva-cortisol'].conversion('nmol/l'); "
        "raise SystemExit('pint' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0


@given(
    pair=st.sampled_from(
        [
            (a, b)
            for a in EVERYDAY
            for b in EVERYDAY
            if EVERYDAY[a].dimension == EVERYDAY[b].dimension
        ]
    ),
    value=st.floats(min_value=-1e6, max_value=1e6),
)
def test_there_and_back_is_the_same_value(pair: tuple[str, str], value: float) -> None:
    there, back = conversion(pair[0], pair[1]), conversion(pair[1], pair[0])
    returned = (value * there.scale + there.offset) * back.scale + back.offset
    # Offsets of temperatures cost absolute digits: 1e-9 of a kelvin.
    assert returned == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_powers_of_international_units_are_not_each_other() -> None:
    square = scale_of("[IU]2/L")
    assert square is not None
    assert square.dimension != EVERYDAY["[IU]/L"].dimension


def test_converting_to_what_is_no_unit_is_our_own_mistake() -> None:
    with pytest.raises(CatalogueError, match="'beats'"):
        conversion("/min", "beats")


@given(st.text(max_size=40))
def test_any_text_is_a_unit_or_is_not(text: str) -> None:
    assert scale_of(text) is None or isinstance(scale_of(text), UnitScale)
