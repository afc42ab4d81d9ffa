"""The catalogue: complete, consistent, sourced, and clear about what is wrong in an entry."""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from schemas.analytes import loinc_check_digit_holds
from schemas.catalogue import Analyte, catalogue_files, load_catalogue, parse_catalogue
from schemas.catalogue_page import PAGE, catalogue_page, write
from schemas.errors import CatalogueError, Reason, RejectedRecord

CATALOGUE = load_catalogue()
FILES = catalogue_files()
ANALYTES = pytest.mark.parametrize("analyte", CATALOGUE, ids=lambda analyte: analyte.slug)


def test_what_must_be_there_is_there() -> None:
    # The list of hormones, with the first code of each.
    assert {analyte.slug: analyte.codes[0].code for analyte in CATALOGUE} == {
        "saliva-cortisol": "2142-8",
        "saliva-cortisone": "71892-4",
        "serum-cortisol": "2143-6",
        "plasma-acth": "2141-0",
        "serum-dheas": "2191-5",
        "saliva-dhea": "local:saliva-dhea",
        "saliva-melatonin": "78992-5",
        "plasma-melatonin": "11055-1",
        "urine-sulfatoxymelatonin": "local:urine-6-sulfatoxymelatonin",
        "serum-testosterone": "2986-8",
        "serum-free-testosterone": "2991-8",
        "saliva-testosterone": "2984-3",
        "serum-estradiol": "2243-4",
        "serum-progesterone": "2839-9",
        "serum-lh": "10501-5",
        "urine-lh": "15079-7",
        "serum-fsh": "15067-2",
        "urine-e3g": "local:urine-e3g",
        "urine-pdg": "local:urine-pdg",
        "serum-tsh": "3016-3",
        "serum-free-t4": "3024-7",
        "serum-free-t3": "3051-0",
        "serum-gh": "2963-7",
        "serum-igf-1": "2484-4",
        "serum-prolactin": "2842-3",
        "serum-insulin": "20448-7",
        "interstitial-glucose": "99504-3",
        "hba1c": "4548-4",
        "heart-rate": "8867-4",
        "resting-heart-rate": "40443-4",
        "hrv-rmssd": "local:hrv-rmssd",
        "hrv-sdnn": "80404-7",
        "respiratory-rate": "9279-1",
        "spo2": "59408-5",
        "core-temperature": "8329-5",
        "wrist-temperature": "39106-0",
        "basal-temperature": "local:basal-temperature",
        "steps": "55423-8",
        "sleep-duration": "93832-4",
        "sleep-midpoint": "local:sleep-midpoint",
    }


@pytest.mark.parametrize(
    ("rhythm", "slugs"),
    [
        ("wake-keyed", {"saliva-cortisol", "saliva-cortisone"}),
        ("pulsatile", {"serum-gh"}),
        (
            "cycle",
            {
                "serum-estradiol",
                "serum-progesterone",
                "serum-lh",
                "urine-lh",
                "serum-fsh",
                "urine-e3g",
                "urine-pdg",
                "basal-temperature",
            },
        ),
        (
            "flat",
            {
                "serum-dheas",
                "serum-free-t4",
                "serum-igf-1",
                "hba1c",
                "resting-heart-rate",
                "sleep-duration",
                "sleep-midpoint",
            },
        ),
        (
            "24-h sleep-keyed",
            {"serum-prolactin", "respiratory-rate", "spo2", "wrist-temperature"},
        ),
    ],
)
def test_every_rhythm_kind_has_its_analytes(rhythm: str, slugs: set[str]) -> None:
    assert {analyte.slug for analyte in CATALOGUE if analyte.rhythm == rhythm} == slugs


@ANALYTES
def test_a_concentration_has_what_its_assay_needs(analyte: Analyte) -> None:
    if analyte.specimen.startswith("none") or analyte.unit == "%":
        return
    assert analyte.detection_limit is not None
    assert analyte.scale == "log"
    assert analyte.neighbour_units
    # Mass and amount convert, or the entry says on what it depends, or there is no mass at all.
    international = "[IU]" in analyte.unit
    assert (analyte.molar_mass is None) == (
        analyte.slug in {"serum-gh", "serum-prolactin"} or (international and not analyte.equations)
    )


def test_lookups() -> None:
    assert CATALOGUE.by_code("101173-3") is CATALOGUE["saliva-melatonin"]
    assert "heart-rate" in CATALOGUE
    assert "pulse" not in CATALOGUE
    assert len(CATALOGUE) == len(list(CATALOGUE))
    assert load_catalogue() is CATALOGUE


def test_an_unknown_slug_names_similar_ones() -> None:
    with pytest.raises(CatalogueError, match=r"'salivary-cortisol'.*saliva-cortisol"):
        CATALOGUE["salivary-cortisol"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("8867-5", "8867-4 is heart rate"),
        ("2142-8 ", "2142-8 is saliva cortisol"),
        ("local:hrv", "local:hrv-rmssd is RMSSD"),
        ("2951-2", "none like it"),
        ("", "none like it"),
    ],
)
def test_an_unknown_code_is_a_dead_letter_that_names_similar_ones(code: str, words: str) -> None:
    with pytest.raises(RejectedRecord) as caught:
        CATALOGUE.by_code(code)
    assert caught.value.reason is Reason.UNKNOWN_CODE
    assert caught.value.detail.startswith(f"code {code!r} belongs to no analyte")
    assert words in caught.value.detail
    assert len(caught.value.detail) < 200


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
    found = [path for text in FILES.values() for path in _unsourced(tomllib.loads(text), "", False)]
    assert {path.rpartition(".")[2] for path in found} == {"decimals", "components"}


def test_what_is_assumed_is_called_so_from_the_first_word() -> None:
    # "from memory" must not pass for a source, nor a guess hide behind another word.
    for analyte in CATALOGUE:
        for path, source in analyte.sources.items():
            if re.search(r"from memory|\bguess|\bprobably\b", source):
                assert source.startswith("assumed") or "computed" in source, (analyte.slug, path)


def test_the_page_counts_what_is_assumed() -> None:
    numbers = [(a, path) for a in CATALOGUE for path, _ in a.numbers()]
    assumed = sum(analyte.source(path).startswith("assumed") for analyte, path in numbers)
    words = f"{len(CATALOGUE)} analytes, {len(numbers)} numbers, of which {assumed} are assumed."
    assert words in catalogue_page(CATALOGUE)


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
    # Hours and ages are picked here, apart from the loader's own choice of them.
    for reference in analyte.references:
        turn = 24 if reference.to_hour < reference.from_hour else 0
        hour = ((reference.from_hour + reference.to_hour + turn) / 2) % 24
        woken = None
        if reference.from_wake_h is not None and reference.to_wake_h is not None:
            woken = (reference.from_wake_h + reference.to_wake_h) / 2
            assert analyte.wake_hour is not None
            hour = (analyte.wake_hour + woken) % 24
        age = None
        if (reference.from_age, reference.to_age) != (None, None):
            age = (reference.from_age or 0) + 4
        prior = analyte.prior_of(
            reference.sex, 25.0 if reference.group else age, reference.cycle_phase
        )
        value = analyte.from_model(prior.value(hour))
        assert (reference.low or -math.inf) < value < (reference.high or math.inf), reference
        assert analyte.reference(
            hour,
            reference.sex,
            age,
            hours_since_waking=woken,
            cycle_phase=reference.cycle_phase,
            group=reference.group,
        ) == (reference.low, reference.high)


@ANALYTES
def test_every_person_of_a_sex_and_age_that_is_listed_has_a_reference(analyte: Analyte) -> None:
    """No adult falls between two ages: if one has an interval, so has the next year."""
    for sex in ("female", "male"):
        for hour in (3.0, 8.0, 16.0, 23.5):
            of_adults = [
                analyte.reference(hour, sex, float(age)) != (None, None) for age in range(20, 60)
            ]
            assert all(of_adults) or not any(of_adults), (sex, hour)


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
        ("plasma-melatonin", 2, 4),
        ("urine-sulfatoxymelatonin", 3, 6),
        ("serum-testosterone", 5.5, 8),
        ("serum-tsh", 2, 4),
        ("serum-prolactin", 2, 5),
        ("saliva-cortisone", 7, 9),
        ("core-temperature", 15, 20),
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


def _changed(before: str, after: str) -> dict[str, str]:
    """The files with the first occurrence of `before` replaced."""
    name = next(name for name, text in FILES.items() if before in text)
    return FILES | {name: FILES[name].replace(before, after, 1)}


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
        ("[analyte.steps]", "[analytes.steps]", "90-activity-sleep.toml: unknown tables"),
        ("[analyte.steps]", "[analyte.steps", "90-activity-sleep.toml is not TOML"),
        ("[analyte.steps]", "[analyte.hba1c]", "90-.*: analyte.hba1c stands in another file"),
        ("[analyte.steps]", "[sampling.wearable]\n[analyte.steps]", "wearable stands in another"),
        ('axis = "Pineal"', "", "20-pineal.toml: axis: analytes need the name"),
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


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        # A flat analyte has no curve, a 24-h one has, and only wake-keyed ones a waking hour.
        ('rhythm = "24-h"', 'rhythm = "flat"', "serum-cortisol: prior.amplitude: flat has no 24-h"),
        ('rhythm = "24-h"', 'rhythm = "pulsatile"', "serum-cortisol: prior.amplitude: pulsatile"),
        ('rhythm = "flat"', 'rhythm = "24-h"', "serum-dheas: prior.amplitude: 24-h needs one"),
        ('rhythm = "wake-keyed"', 'rhythm = "24-h"', "saliva-cortisol: wake_hour: needed for wake"),
        ('rhythm = "24-h"', 'rhythm = "wake-keyed"', "serum-cortisol: wake_hour: needed for wake"),
        ('rhythm = "24-h"', 'rhythm = "cycle"', "serum-cortisol: group_priors: a cycle analyte"),
        # Priors of groups
        (
            "mesor = 5.86, mesor_sd = 0.21, ",
            "",
            "serum-dheas: group_priors.0: a prior of a group giv",
        ),
        (
            'sex = "male", from_age = 20, to_age = 30, mesor',
            "mesor",
            "serum-dheas: group_priors.0: a prior of a group needs a sex",
        ),
        (
            "from_age = 30, to_age = 40, mesor = 5.34",
            "from_age = 25, to_age = 45, mesor = 5.34",
            "serum-dheas: group_priors.0 and group_priors.1: both can fit a person",
        ),
        ("mesor = 5.86", "mesor = 58.6", "serum-dheas: group_priors.0.mesor: not inside usual"),
        # References
        (
            "to_age = 30, low = 232, high = 531",
            "to_age = 30, low = 400, high = 531",
            "serum-dheas: references.0: the population's own value there, 351, is outside",
        ),
        (
            "from_age = 30, to_age = 40, low = 100",
            "from_age = 25, to_age = 35, low = 100",
            "serum-dheas: references.0 and references.1: both can apply",
        ),
        (
            "from_age = 30, to_age = 40, low = 100",
            "from_age = 33, to_age = 40, low = 100",
            "serum-dheas: references: nothing covers the ages 30 to 33",
        ),
        ('group = "young-adult", sex', 'group = "old", sex', "serum-testosterone: references.3.g"),
        (
            'group = "young-adult", sex',
            'group = "young-adult", from_age = 3, sex',
            "serum-testosterone: references.3: a group has its own age",
        ),
        (
            "from_wake_h = 8, to_wake_h = 10",
            "from_wake_h = 8",
            "saliva-cortisol: references.4: give both from_wake_h and to_wake_h",
        ),
        (
            "from_wake_h = 8, to_wake_h = 10",
            "from_wake_h = 10, to_wake_h = 8",
            "saliva-cortisol: references.4: from_wake_h is not below",
        ),
        (
            "from_wake_h = 8, to_wake_h = 10",
            "from_hour = 3, from_wake_h = 8, to_wake_h = 10",
            "saliva-cortisol: references.4: either clock hours or hours since waking",
        ),
        (
            'sex = "male", from_age = 30, to_age = 40, low',
            'sex = "male", from_age = 40, to_age = 30, low',
            "serum-dheas: references.1: from_age 40 is not below to_age 30",
        ),
        # Units
        (
            'unit = "m[IU]/mL"',
            'unit = "m[IU]/mL"\nmolar_mass = { value = 30000, source = "none" }',
            "serum-lh: molar_mass: international units do not convert",
        ),
        (
            'unit = "m[IU]/L", scale',
            'unit = "miu", scale',
            "serum-gh: equations.0: 'miu' is not UCU",
        ),
    ],
)
def test_an_inconsistent_entry_is_named_with_its_field(
    before: str, after: str, message: str
) -> None:
    with pytest.raises(CatalogueError, match=message):
        parse_catalogue(_changed(before, after))


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


@pytest.mark.parametrize(
    "row",
    [
        "| men, 20 to below 30 years | 232 to 531 µg/dL |",
        "| women, 70 years and above | 8 to 75 µg/dL |",
        "| men, young adults | 264 to 916 ng/dL |",
        "| women, mid-luteal | 8.2 to 17 ng/mL |",
        "| women, 60 years and above | 23 to 116.3 IU/L |",
        "| 0.25-1 h after waking | 0.1 to 1.43 µg/dL |",
        "| women, 08:00-20:00 | 4.8 to 23.3 ng/mL |",
        "| all | 0.9 to 1.7 ng/dL |",
        "| prior: men, 60 years and above | 24-h amplitude 0.063 ln |",
        "| from `mmol/mol` | × 0.09148 + 2.152 |",
    ],
)
def test_the_page_names_whom_a_number_is_for(row: str) -> None:
    assert row in catalogue_page(CATALOGUE)


def test_the_page_is_grouped_by_axis() -> None:
    page = catalogue_page(CATALOGUE)
    axes = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert axes == list(dict.fromkeys(analyte.axis for analyte in CATALOGUE))
    for analyte in CATALOGUE:
        own = page.partition(f"## {analyte.axis}\n")[2].partition("\n## ")[0]
        assert f"[{analyte.name}](#{analyte.slug})" in own
        assert f'<a id="{analyte.slug}"></a>' in own


def test_writing_the_page(tmp_path: Path) -> None:
    write(tmp_path / "catalogue.md")
    assert (tmp_path / "catalogue.md").read_text(encoding="utf-8") == catalogue_page(CATALOGUE)
