"""``docs/catalogue.md``: the catalogue for people, with the source of every number.

``python -m schemas.catalogue_page`` writes it; a test fails when it and the catalogue have
drifted apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from schemas.analytes import SUSPECT_FACTOR, WITHOUT_CURVE, Analyte, RhythmKind
from schemas.catalogue import Catalogue, load_catalogue
from schemas.conditions import CYCLE_DAYS, Conditions
from schemas.priors import GroupPrior
from schemas.reference_intervals import YOUNG_ADULT_AGE, Reference

PAGE = Path(__file__).parents[1] / "docs" / "catalogue.md"

_EVIDENCE = {
    "A": "its owner's page",
    "B": "a copy of its table with the name",
    "C": "seen in public repositories only",
    "?": "unverified",
    "local": "ours; LOINC has none, or none that we found",
}

_RHYTHMS: dict[RhythmKind, str] = {
    "24-h": "a 24-hour rhythm on the local clock",
    "24-h sleep-keyed": "a 24-hour rhythm that goes with sleep",
    "wake-keyed": "a 24-hour rhythm that goes with waking; hours since waking where they are known",
    "cycle": "the menstrual cycle; over 24 hours little or nothing",
    "flat": "no rhythm: level and trend only",
    "pulsatile": "pulses: a cosinor is refused",
}

_DAYS = ", ".join(
    f"{phase} {first:+d} to {last:+d}" if first != last else f"{phase} {first}"
    for phase, (first, last) in CYCLE_DAYS.items()
)

_INTRODUCTION = f"""# The analyte catalogue

Generated from `schemas/catalogue/*.toml` by `python -m schemas.catalogue_page`: edit those files.

Acrophase is research software for monitoring teams, not a medical device. A source that begins
with **assumed** is a wide guess of ours, for want of a better one: replace it when you know
better. "From memory" in one says that the figure is believed to be published there, but was not
read there for this project. "Computed" says from what.

**How a value is judged at the edge.** Outside *possible* it is refused. On the log scale, one more
than {SUSPECT_FACTOR:g} times beyond *usual* is refused as a likely slip of unit, but only if the
same number would be usual in the analyte's own unit or in one listed under "mistaken for"; a true
extreme that fits no such unit passes. On the linear scale only *possible* counts.

**Which reference counts.** Of the intervals that fit a person and a moment, the one with the most
conditions; hours since waking go before clock hours, a cycle phase before an age. The clock hours
of an analyte that waking rules are of people who wake at the hour given there, and move with those
who do not. What is not known of a person fits no condition. Those who ask for the young adults'
reference get the interval marked so or, where there is none, that of {YOUNG_ADULT_AGE:g} years,
whatever their own age. Intervals are a laboratory's and its method's: prefer the reporting
laboratory's own.

**Cycle phases** are counted in days from the LH peak in serum (Stricker 2006): {_DAYS}.

**Priors** and their spreads are on the model scale: natural-log units where the scale is log (0.69
is a factor of two), the unit itself where it is linear. Phases are peak clock times in local
hours.

This material contains content from LOINC (https://loinc.org). LOINC is copyright © Regenstrief
Institute, Inc. and the LOINC Committee and is available at no cost under the licence at
https://loinc.org/license. LOINC® is a registered United States trademark of Regenstrief
Institute, Inc.
"""


def catalogue_page(catalogue: Catalogue) -> str:
    """The page's text (Markdown)."""
    assumed, all_numbers = _counts(catalogue)
    lines = [
        _INTRODUCTION,
        f"{len(catalogue)} analytes, {all_numbers} numbers, of which {assumed} are assumed.",
        "",
        "| rhythm kind | meaning |",
        "| --- | --- |",
        *(f"| {kind} | {meaning} |" for kind, meaning in _RHYTHMS.items()),
        "",
    ]
    for axis, analytes in groupby(catalogue, key=lambda analyte: analyte.axis):
        members = list(analytes)
        lines += [f"## {axis}", "", *_overview(members), ""]
        for analyte in members:
            lines += _section(analyte)
    return "\n".join(lines)


def _counts(analytes: Iterable[Analyte]) -> tuple[int, int]:
    """How many numbers are assumed, and how many there are."""
    sources = [analyte.source(path) for analyte in analytes for path, _ in analyte.numbers()]
    return sum(source.startswith("assumed") for source in sources), len(sources)


def _overview(analytes: list[Analyte]) -> Iterator[str]:
    yield "| analyte | slug | codes | unit | rhythm | scale | peak | trough | assumed |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for analyte in analytes:
        high, low = _extremes(analyte)
        assumed, all_numbers = _counts([analyte])
        yield (
            f"| [{analyte.name}](#{analyte.slug}) | `{analyte.slug}` "
            f"| {', '.join(code.code for code in analyte.codes)} | {analyte.unit_label} "
            f"| {analyte.rhythm} | {analyte.scale} | {high} | {low} "
            f"| {assumed} of {all_numbers} numbers |"
        )


def _section(analyte: Analyte) -> Iterator[str]:
    kept = {
        "all": "every reading",
        "means": "five-minute means",
        "none": "none",
    }[analyte.keep]
    yield f'<a id="{analyte.slug}"></a>'
    yield f"### {analyte.name}"
    yield ""
    yield (
        f"Specimen: {analyte.specimen}. Collected as: {analyte.sampling}. Unit: "
        f"{analyte.unit_label} (UCUM `{analyte.unit}`). Rhythm: {_RHYTHMS[analyte.rhythm]}. "
        f"Raw readings kept: {kept}. Harmonics shown: {analyte.components}."
    )
    yield ""
    for code in analyte.codes:
        yield f"- Code `{code.code}` {code.name} ({_EVIDENCE[code.evidence]})"
    yield ""
    if analyte.references:
        yield from _table(("reference for", "interval", "source"), _references(analyte))
    yield from _table(("what", "value", "source"), _numbers(analyte))


def _table(head: tuple[str, str, str], rows: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "| --- | --- | --- |"
    last = None
    for what, value, source in rows:
        yield f"| {what} | {value} | {'as above' if source == last else source} |"
        last = source
    yield ""


def _references(analyte: Analyte) -> Iterator[tuple[str, str, str]]:
    for n, reference in enumerate(analyte.references):
        yield (
            _who_and_when(reference),
            _interval(reference, analyte.unit_label),
            analyte.source(f"references.{n}"),
        )


def _numbers(analyte: Analyte) -> Iterator[tuple[str, str, str]]:
    """(what, value, source) of every number of an entry."""
    unit, source, prior = analyte.unit_label, analyte.source, analyte.prior
    scale_unit = "ln" if analyte.scale == "log" else unit
    if analyte.molar_mass is not None:
        yield "molar mass", f"{analyte.molar_mass:g} g/mol", source("molar_mass")
    for n, equation in enumerate(analyte.equations):
        offset = f" + {equation.offset:g}" if equation.offset else ""
        caution = f"; depends on {equation.depends_on}" if equation.depends_on else ""
        yield (
            f"from `{equation.unit}`",
            f"× {equation.scale:.4g}{offset}{caution}",
            source(f"equations.{n}"),
        )
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
    if analyte.wake_hour is not None:
        yield "prior's waking hour", _clock(analyte.wake_hour), source("wake_hour")
    yield (
        "population midline",
        f"{analyte.from_model(prior.mesor):.3g} {unit} (mesor {prior.mesor:g})",
        source("prior.mesor"),
    )
    if prior.amplitude:
        yield (
            "population 24-h harmonic",
            f"{prior.amplitude:g} {scale_unit}, peak {_clock(prior.acrophase_h)}",
            source("prior.amplitude"),
        )
    if prior.amplitude_2:
        yield (
            "population 12-h harmonic",
            f"{prior.amplitude_2:g} {scale_unit}, first peak {_clock(prior.acrophase_2_h)}",
            source("prior.amplitude_2"),
        )
    for n, group in enumerate(analyte.group_priors):
        yield (
            f"prior: {_who(group)}",
            _group_prior(analyte, group, scale_unit),
            source(f"group_priors.{n}"),
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


def _group_prior(analyte: Analyte, group: GroupPrior, scale_unit: str) -> str:
    says = []
    for name, value in group.numbers.items():
        match name:
            case "mesor":
                middle = analyte.from_model(value)
                says.append(f"midline {middle:.3g} {analyte.unit_label} (mesor {value:g})")
            case "acrophase_h":
                says.append(f"peak {_clock(value)}")
            case _:
                says.append(f"{_NAMES[name]} {value:g} {scale_unit}")
    return ", ".join(says)


_NAMES = {
    "mesor_sd": "midline SD between people",
    "amplitude": "24-h amplitude",
    "residual_sd": "residual SD",
}


def _who(conditions: Conditions) -> str:
    says = []
    if conditions.sex is not None:
        says.append({"female": "women", "male": "men"}[conditions.sex])
    if conditions.cycle_phase is not None:
        says.append(conditions.cycle_phase)
    if conditions.has_age:
        says.append(_ages(conditions))
    return ", ".join(says)


def _ages(conditions: Conditions) -> str:
    low, high = conditions.from_age, conditions.to_age
    if high is None:
        return f"{low:g} years and above"
    return f"below {high:g} years" if low is None else f"{low:g} to below {high:g} years"


def _who_and_when(reference: Reference) -> str:
    says = [_who(reference)] if _who(reference) else []
    if reference.group is not None:
        says.append("young adults")
    if not reference.whole_day:
        says.append(f"{_clock(reference.from_hour)}-{_clock(reference.to_hour)}")
    if reference.from_wake_h is not None and reference.to_wake_h is not None:
        says.append(f"{reference.from_wake_h:g}-{reference.to_wake_h:g} h after waking")
    return ", ".join(says) or "all"


def _interval(reference: Reference, unit: str) -> str:
    if reference.low is None:
        return f"below {reference.high:g} {unit}"
    if reference.high is None:
        return f"above {reference.low:g} {unit}"
    return f"{reference.low:g} to {reference.high:g} {unit}"


def _extremes(analyte: Analyte) -> tuple[str, str]:
    """Peak and trough of the population curve in words, to five minutes."""
    if analyte.rhythm in WITHOUT_CURVE or not analyte.prior.amplitude:
        return f"{analyte.from_model(analyte.prior.mesor):.3g}", "-"
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
