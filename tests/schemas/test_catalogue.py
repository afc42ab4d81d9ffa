"""The catalogue: complete, consistent, sourced, and clear about what is wrong in an entry."""

from __future__ import annotations

import math
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from schemas.analytes import loinc_check_digit_holds
from schemas.catalogue import Analyte, load_catalogue, parse_catalogue
from schemas.catalogue_page import PAGE, catalogue_page, write
from schemas.errors import CatalogueError, Reason, RejectedRecord

CATALOGUE = load_catalogue()
TEXT = resources.files("schemas").joinpath("catalogue.toml").read_text(encoding="utf-8")
DOCUMENT = tomllib.loads(TEXT)
ANALYTES = pytest.mark.parametrize("analyte", CATALOGUE, ids=lambda analyte: analyte.slug)


def test_what_must_be_there_is_there() -> None:
    assert {
        "saliva-cortisol": "2142-8",
        "serum-cortisol": "2143-6",
        "plasma-acth": "2141-0",
        "saliva-melatonin": "78992-5",
        "heart-rate": "8867-4",
        "hrv-rmssd": "local:hrv-rmssd",
        "wrist-temperature": "39106-0",
        "steps": "55423-8",
    }.items() <= {analyte.slug: analyte.codes[0].code for analyte in CATALOGUE}.items()


def test_lookups() -> None:
    assert CATALOGUE.by_code("101173-3") is CATALOGUE["saliva-melatonin"]
    assert "heart-rate" in CATALOGUE
    assert "pulse" not in CATALOGUE
    assert len(CATALOGUE) == len(list(CATALOGUE))
    assert load_catalogue() is CATALOGUE


def test_an_unknown_slug_names_similar_ones() -> None:
    with pytest.raises(CatalogueError, match=r"'salivary-cortisol'.*saliva-cortisol"):
        CATALOGUE["salivary-cortisol"]


@pytest.mark.parametrize("code", ["80404-7", "8867-5", "", "local:hrv", "2142-8 "])
def test_an_unknown_code_is_a_dead_letter(code: str) -> None:
    # 80404-7 is SDNN; others send RMSSD under it.
    with pytest.raises(RejectedRecord, match="known codes: 2142-8") as caught:
        CATALOGUE.by_code(code)
    assert caught.value.reason is Reason.UNKNOWN_CODE


@pytest.mark.parametrize(
    "code",
    [
        "2142-8",
        "58644-6",
        "54235-7",
        "2143-6",
        "14679-5",
        "78992-5",
        "101173-3",
        "11055-1",
        "2986-8",
        "2243-4",
        "10501-5",
        "15067-2",
        "3016-3",
        "3024-7",
        "2191-5",
        "2484-4",
        "99504-3",
        "105272-9",
        "8867-4",
        "40443-4",
        "80404-7",
        "39106-0",
        "55423-8",
    ],
)
def test_real_codes_hold_the_check_digit(code: str) -> None:
    assert loinc_check_digit_holds(code)


@pytest.mark.parametrize(
    "code", ["8867-5", "54423-8", "2142-", "-8", "2142", "2142-88", "²-1", "a-1", "12345678-2"]
)
def test_scrambled_codes_fail_the_check_digit(code: str) -> None:
    assert not loinc_check_digit_holds(code)


@ANALYTES
def test_every_code_holds_the_check_digit_or_is_local(analyte: Analyte) -> None:
    for code in analyte.codes:
        assert code.code.startswith("local:") == (code.evidence == "local")
        assert code.evidence == "local" or loinc_check_digit_holds(code.code)


def _unsourced(node: Any, path: str, sourced: bool) -> list[str]:
    """Paths of numbers whose own table has no source; written apart from the loader's rule."""
    if isinstance(node, dict):
        here = isinstance(node.get("source"), str) and len(node["source"]) > 10
        return [p for k, v in node.items() for p in _unsourced(v, f"{path}.{k}", here)]
    if isinstance(node, list):
        return [p for i, v in enumerate(node) for p in _unsourced(v, f"{path}.{i}", sourced)]
    number = isinstance(node, int | float) and not isinstance(node, bool)
    return [path] if number and not sourced else []


def test_no_number_without_a_source_but_our_own_choices() -> None:
    found = _unsourced(DOCUMENT, "", sourced=False)
    assert {path.rpartition(".")[2] for path in found} == {"decimals", "components"}


@ANALYTES
def test_every_number_in_code_finds_its_source(analyte: Analyte) -> None:
    numbers = [
        name
        for name in type(analyte).model_fields
        if isinstance(getattr(analyte, name), float) or name in {"limits", "usual", "z_sd"}
    ]
    numbers += [f"prior.{name}" for name in type(analyte.prior).model_fields]
    numbers += [f"references.{n}.low" for n in range(len(analyte.references))]
    for path in [*numbers, "minimum_effect.phase_h"]:
        assert analyte.source(path)
    with pytest.raises(KeyError):
        analyte.source("codes")


@ANALYTES
def test_the_population_curve_lies_inside_the_reference(analyte: Analyte) -> None:
    for reference in analyte.references:
        middle = (reference.from_hour + reference.to_hour) / 2
        value = analyte.from_model(analyte.prior.value(middle))
        assert (reference.low or -math.inf) < value < (reference.high or math.inf)
        assert analyte.reference(middle) == (reference.low, reference.high)


@ANALYTES
def test_the_prior_as_coefficients_is_the_same_curve(analyte: Analyte) -> None:
    mesor, beta, gamma, beta_2, gamma_2 = analyte.prior.mean()
    for hour in (0.0, 3.3, 8.0, 15.75, 23.9):
        angle = 2 * math.pi * hour / 24
        curve = mesor + beta * math.cos(angle) + gamma * math.sin(angle)
        curve += beta_2 * math.cos(2 * angle) + gamma_2 * math.sin(2 * angle)
        assert curve == pytest.approx(analyte.prior.value(hour), abs=1e-12)
    assert len(analyte.prior.sd()) == 5
    assert all(sd > 0 for sd in analyte.prior.sd())


@pytest.mark.parametrize(
    ("slug", "from_hour", "to_hour"),
    [
        ("saliva-cortisol", 7, 9),
        ("serum-cortisol", 7, 9.5),
        ("plasma-acth", 6, 9),
        ("saliva-melatonin", 2, 4),
        ("heart-rate", 12, 17),
        ("wrist-temperature", 2, 5),
    ],
)
def test_the_population_peaks_when_physiology_says(
    slug: str, from_hour: float, to_hour: float
) -> None:
    prior = CATALOGUE[slug].prior
    assert from_hour <= max((h / 10 for h in range(240)), key=prior.value) <= to_hour


@pytest.mark.parametrize(
    "analyte",
    # The prior of steps is wide on purpose and reaches below 0.
    [analyte for analyte in CATALOGUE if analyte.slug != "steps"],
    ids=lambda analyte: analyte.slug,
)
def test_the_population_passes_its_own_checks(analyte: Analyte) -> None:
    # Two SDs between people and two of the residual either way: the engine must not refuse them.
    spread = 2 * math.hypot(analyte.prior.mesor_sd, analyte.prior.residual_sd)
    for hour in range(24):
        for y in (analyte.prior.value(hour) - spread, analyte.prior.value(hour) + spread):
            analyte.check(analyte.from_model(y), analyte.unit)


def test_analytes_are_frozen_hashable_and_closed() -> None:
    analyte = CATALOGUE["heart-rate"]
    with pytest.raises(ValueError, match="frozen"):
        analyte.decimals = 3  # type: ignore[misc]
    assert {analyte: 1}[CATALOGUE["heart-rate"]] == 1


def _changed(before: str, after: str) -> str:
    assert TEXT.count(before) >= 1, before
    return TEXT.replace(before, after, 1)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('code = "2142-8"', 'code = "2142-7"', "saliva-cortisol: codes.0.code: 2142-7 is not a L"),
        ('code = "2143-6"', 'code = "2142-8"', "serum-cortisol: codes: 2142-8 already belongs to"),
        ("mesor = -2.31", "mesor = 1", "saliva-cortisol: prior.mesor: not inside usual"),
        ("low = 0.0005, high = 50", "low = 0, high = 50", "saliva-cortisol: limits: on the log"),
        ("low = 0.0005, high = 50", "low = 60, high = 50", "saliva-cortisol: limits: low 60 is n"),
        ("high = 0.750", "high = 75.0", "saliva-cortisol: references.0: 75 is not inside limits"),
        ("low = 0.100, high = 0.750", "low = 0.8, high = 0.7", "saliva-cortisol: references.0: l"),
        ("decimals = 3", "decimals = 3\ncolour = 'red'", "saliva-cortisol: colour: Extra inputs"),
        ("acrophase_h = 9.86", "acrophase_h = 24.5", "saliva-cortisol: prior.acrophase_h: Input"),
        ('"nmol/L", "ng/dL"', '"nmol/L", "Cel"', "saliva-cortisol: neighbour_units: 'Cel' does "),
        ('sampling = "saliva-sample"', 'sampling = "spit"', "saliva-cortisol: sampling: 'spit' i"),
        ("decimals = 3", "decimals = 3\ncadence_s = 60", "saliva-cortisol: cadence_s: number wit"),
        ("decimals = 3", "decimals = 3\nx = { value = 1, source = ' ' }", "saliva-cortisol: x: s"),
        ("[analyte.steps]", "[analytes.steps]", "unknown tables"),
        ("[analyte.steps]", "[analyte.steps", "is not TOML"),
        ('unit = "/min"', 'unit = "beats"', "heart-rate: unit: 'beats' is not UCUM"),
        ("low = 0.004, high = 1.2", "low = 0.004, high = 99", "saliva-cortisol: usual: not insi"),
        ("{ value = 0.007,", "{ value = 70,", "saliva-cortisol: detection_limit: not inside lim"),
        ("{ value = 168,", "{ value = 1,", "saliva-cortisol: stale_after_h: shorter than missing"),
        ("{ value = 7200,", "{ value = nan,", "heart-rate: decorrelation_s: Input should be a fi"),
    ],
)
def test_a_broken_entry_is_named_with_its_field(before: str, after: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        parse_catalogue(_changed(before, after))


def test_a_missing_field_is_named() -> None:
    with pytest.raises(CatalogueError, match="saliva-cortisol: unit_label: Field required"):
        parse_catalogue(_changed('unit_label = "µg/dL"\n', ""))


def test_a_prior_that_leaves_the_limits_is_refused() -> None:
    with pytest.raises(CatalogueError, match="heart-rate: prior: the curve leaves the limits at"):
        parse_catalogue(_changed("amplitude = 5.66", "amplitude = 60"))


def test_the_page_for_people_is_the_catalogues() -> None:
    assert PAGE.read_text(encoding="utf-8") == catalogue_page(CATALOGUE), (
        "docs/catalogue.md has drifted: run `python -m schemas.catalogue_page`"
    )


def test_the_page_shows_every_source() -> None:
    page = catalogue_page(CATALOGUE)
    for analyte in CATALOGUE:
        section = page.partition(f'<a id="{analyte.slug}">')[2].partition("<a id=")[0]
        assert [s for s in analyte.sources.values() if s not in section] == []


def test_the_page_names_whom_a_reference_is_for() -> None:
    before = "{ from_hour = 0, to_hour = 6, low = 46, high = 88,"
    after = "{ sex = 'female', from_age = 20, to_age = 40, low = 46,"
    page = catalogue_page(parse_catalogue(_changed(before, after)))
    assert "| reference female 20-40 years | above 46 beats/min |" in page
    assert "| reference 06:00-12:00 | 51 to 94 beats/min |" in page


def test_writing_the_page(tmp_path: Path) -> None:
    write(tmp_path / "catalogue.md")
    assert (tmp_path / "catalogue.md").read_text(encoding="utf-8") == catalogue_page(CATALOGUE)
