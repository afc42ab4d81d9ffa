"""``docs/catalogue.md``: the catalogue for people, with the source of every number.

``python -m schemas.catalogue_page`` writes it; a test fails when it and the catalogue have
drifted apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from schemas.analytes import SUSPECT_FACTOR, Analyte, Reference
from schemas.catalogue import Catalogue, load_catalogue

PAGE = Path(__file__).parents[1] / "docs" / "catalogue.md"

_EVIDENCE = {
    "A": "its owner's page",
    "B": "a copy of its table with the name",
    "C": "seen in public repositories only",
    "?": "unverified",
    "local": "ours; LOINC has none",
}

_INTRODUCTION = f"""# The analyte catalogue

Generated from `schemas/catalogue.toml` by `python -m schemas.catalogue_page`: edit that file.

Acrophase is research software for monitoring teams, not a medical device. A source that begins
with **assumed** is a wide guess of ours, for want of a better one: replace it when you know
better. "Computed" says from what.

How a value is judged at the edge: outside *possible* it is refused. On the log scale, one more
than {SUSPECT_FACTOR:g} times beyond *usual* is refused as a likely slip of unit, but only if the
same number would be usual in the analyte's own unit or in one listed under "mistaken for"; a true
extreme that fits no such unit passes. On the linear scale only *possible* counts.

Phases are peak clock times in local hours. Priors and their spreads are on the model scale:
natural-log units where the scale is log (0.69 is a factor of two), the unit itself where it is
linear.

This material contains content from LOINC (https://loinc.org). LOINC is copyright © Regenstrief
Institute, Inc. and the LOINC Committee and is available at no cost under the licence at
https://loinc.org/license. LOINC® is a registered United States trademark of Regenstrief
Institute, Inc.
"""


def catalogue_page(catalogue: Catalogue) -> str:
    """The page's text (Markdown)."""
    overview = [
        "| analyte | slug | codes | unit | rhythm | scale | peak | trough |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for analyte in catalogue:
        high, low = _extremes(analyte)
        overview.append(
            f"| [{analyte.name}](#{analyte.slug}) | `{analyte.slug}` "
            f"| {', '.join(code.code for code in analyte.codes)} | {analyte.unit_label} "
            f"| {analyte.rhythm} | {analyte.scale} | {high} | {low} |"
        )
    sections = [_section(analyte) for analyte in catalogue]
    return "\n".join([_INTRODUCTION, *overview, "", *sections])


def _section(analyte: Analyte) -> str:
    kept = {
        "all": "every reading",
        "means": "five-minute means",
        "none": "none",
    }[analyte.keep]
    lines = [
        f'<a id="{analyte.slug}"></a>',
        f"## {analyte.name}",
        "",
        f"Specimen: {analyte.specimen}. Collected as: {analyte.sampling}. Unit: "
        f"{analyte.unit_label} (UCUM `{analyte.unit}`). Raw readings kept: {kept}. Harmonics "
        f"shown: {analyte.components}.",
        "",
        *(
            f"- Code `{code.code}` {code.name} ({_EVIDENCE[code.evidence]})"
            for code in analyte.codes
        ),
        "",
        "| what | value | source |",
        "| --- | --- | --- |",
    ]
    last = None
    for what, value, source in _numbers(analyte):
        lines.append(f"| {what} | {value} | {'as above' if source == last else source} |")
        last = source
    return "\n".join([*lines, ""])


def _numbers(analyte: Analyte) -> Iterator[tuple[str, str, str]]:
    """(what, value, source) of every number of an entry."""
    unit, source, prior = analyte.unit_label, analyte.source, analyte.prior
    scale_unit = "ln" if analyte.scale == "log" else unit
    if analyte.molar_mass is not None:
        yield "molar mass", f"{analyte.molar_mass:g} g/mol", source("molar_mass")
    limits, usual = analyte.limits, analyte.usual
    yield "possible", f"{limits.low:g} to {limits.high:g} {unit}", source("limits")
    mistaken = ", ".join(f"`{other}`" for other in analyte.neighbour_units) or "nothing"
    yield (
        "usual",
        f"{usual.low:g} to {usual.high:g} {unit}; mistaken for {mistaken}",
        source("usual"),
    )
    if analyte.detection_limit is not None:
        yield "detection limit", f"{analyte.detection_limit:g} {unit}", source("detection_limit")
    yield "within-person CV", f"{analyte.cv_within:.1%}", source("cv_within")
    yield "analytical CV", f"{analyte.cv_analytical:.1%}", source("cv_analytical")
    for n, reference in enumerate(analyte.references):
        yield _reference_name(reference), _interval(reference, unit), source(f"references.{n}")
    yield (
        "population midline",
        f"{analyte.from_model(prior.mesor):.3g} {unit} (mesor {prior.mesor:g})",
        source("prior.mesor"),
    )
    yield (
        "population 24-h harmonic",
        f"{prior.amplitude:g} {scale_unit}, peak {_clock(prior.acrophase_h)}",
        source("prior.amplitude"),
    )
    yield (
        "population 12-h harmonic",
        f"{prior.amplitude_2:g} {scale_unit}, first peak {_clock(prior.acrophase_2_h)}",
        source("prior.amplitude_2"),
    )
    for what, field in (
        ("midline, SD between people", "mesor_sd"),
        ("24-h coefficients, SD between people", "coefficient_sd"),
        ("12-h coefficients, SD between people", "coefficient_2_sd"),
        ("residual SD", "residual_sd"),
    ):
        yield what, f"{getattr(prior, field):g} {scale_unit}", source(f"prior.{field}")
    yield (
        "readings the residual SD is worth",
        f"{prior.residual_strength:g}",
        source("prior.residual_strength"),
    )
    z_sd, effect = analyte.z_sd, analyte.minimum_effect
    yield (
        "SD of raw scores",
        f"level {z_sd.level:g}, amplitude {z_sd.amplitude:g}, phase {z_sd.phase:g}",
        source("z_sd"),
    )
    yield (
        "smallest effect told",
        f"level × {effect.level_ratio:g}, amplitude × {effect.amplitude_ratio:g}, "
        f"phase {effect.phase_h:g} h",
        source("minimum_effect"),
    )
    for what, field, seconds in (
        ("live window", "live_window_h", 3600),
        ("expected cadence", "cadence_s", 1),
        ("decorrelation time", "decorrelation_s", 1),
        ("missing after", "missing_after_h", 3600),
        ("stale after", "stale_after_h", 3600),
    ):
        yield what, _duration(getattr(analyte, field) * seconds), source(field)


def _reference_name(reference: Reference) -> str:
    conditions = []
    if (reference.from_hour, reference.to_hour) != (0, 24):
        conditions.append(f"{_clock(reference.from_hour)}-{_clock(reference.to_hour)}")
    if reference.sex is not None:
        conditions.append(reference.sex)
    if reference.from_age is not None or reference.to_age is not None:
        ages = (reference.from_age, reference.to_age)
        conditions.append("-".join("" if age is None else f"{age:g}" for age in ages) + " years")
    return " ".join(["reference", *conditions])


def _interval(reference: Reference, unit: str) -> str:
    if reference.low is None:
        return f"below {reference.high:g} {unit}"
    if reference.high is None:
        return f"above {reference.low:g} {unit}"
    return f"{reference.low:g} to {reference.high:g} {unit}"


def _extremes(analyte: Analyte) -> tuple[str, str]:
    """Peak and trough of the population curve in words, to five minutes."""
    hours = [minute / 60 for minute in range(0, 24 * 60, 5)]
    high = max(hours, key=analyte.prior.value)
    low = min(hours, key=analyte.prior.value)
    return _at(analyte, high), _at(analyte, low)


def _at(analyte: Analyte, hour: float) -> str:
    return f"{analyte.from_model(analyte.prior.value(hour)):.3g} at {_clock(hour)}"


def _clock(hour: float) -> str:
    minutes = round(hour * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _duration(seconds: float) -> str:
    for name, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:g} s"


def write(page: Path = PAGE) -> None:
    """Write the page."""
    page.write_text(catalogue_page(load_catalogue()), encoding="utf-8")


if __name__ == "__main__":
    write()
