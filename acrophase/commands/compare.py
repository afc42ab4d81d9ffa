"""``acrophase compare``: the mean rhythm of a group, and the difference between two conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.console import Console
from rich.table import Table

from acrophase.fit_markers import FitMarker, dated
from acrophase.fits import Fit
from processors.rhythm.cosinor_difference import Difference, difference, population_difference
from processors.rhythm.cosinor_population import PopulationCosinor, population_cosinor
from processors.rhythm.marker_text import CLOCK, clock
from processors.rhythm.samples import Floats
from producers.columns import numbered_lines
from schemas.errors import InputFileError

Design = Literal["group", "one person", "paired", "independent"]


class Comparison(BaseModel):
    """What ``--json`` prints."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    analyte: str = Field(description="Analyte slug of the catalogue.")
    scale: str = Field(description="'linear', or 'log': natural-log units.")
    design: Design = Field(
        description="'group': one file, the mean rhythm of its people. Two files: 'one person' in "
        "two conditions, the same people in both ('paired'), or others ('independent')."
    )
    people: tuple[int, ...] = Field(description="With a fit, of each file.")
    left_out: tuple[str, ...] = Field(description="People without a fit, or in one file only.")
    f: float | None = Field(default=None, description="Zero-amplitude F of the group.")
    p: float | None = Field(default=None, description="Its p.")
    markers: tuple[FitMarker, ...] = Field(
        description="Mesor, amplitude and acrophase of the group; or the second less the first."
    )


def compare(
    first: Annotated[
        Path,
        typer.Argument(metavar="FITS.jsonl", help="What acrophase fit --json wrote."),
    ],
    second: Annotated[
        Path | None,
        typer.Argument(metavar="OTHER.jsonl", help="The same of the other condition."),
    ] = None,
    independent: Annotated[
        bool,
        typer.Option(
            "--independent", help="Two groups of different people, though pseudonyms are shared."
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """The mean rhythm of a group of people, or the difference between two conditions.

    Of one file of fits the population-mean cosinor (Bingham et al. 1982): mesor, amplitude and
    acrophase of the group with 90 % intervals, and the test for a rhythm at all. Of two files the
    second less the first: one person in two conditions, the same people in both (paired by
    pseudonym), or two groups. People without a fit are left out and named.

    \b
    acrophase fit before.csv --analyte heart-rate --json > before.jsonl
    acrophase fit after.csv --analyte heart-rate --json > after.jsonl
    acrophase compare before.jsonl
    acrophase compare before.jsonl after.jsonl
    """
    one = _fits(first)
    if second is None:
        if independent:
            raise InputFileError("--independent is about two files, and there is one.")
        found = _of_group(first, one)
    else:
        other = _fits(second)
        kinds = {(fit.analyte, fit.scale) for fit in (*one, *other)}
        if len(kinds) > 1:
            told = " and ".join(sorted(f"{slug} ({scale})" for slug, scale in kinds))
            raise InputFileError(f"{first} and {second} have fits of {told}, which do not compare.")
        found = _of_two(one, other, independent=independent)
    if json:
        typer.echo(found.model_dump_json())
    else:
        _print(Console(), found)


def _fits(path: Path) -> list[Fit]:
    """The fits of a file; each person once, all of one analyte and scale."""
    found = list(_read(path))
    if not found:
        raise InputFileError(f"{path} holds no fits: write it with acrophase fit --json.")
    if len({(fit.analyte, fit.scale) for fit in found}) > 1:
        raise InputFileError(f"{path} has fits of several analytes or scales: give one of each.")
    names = [fit.subject for fit in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputFileError(f"{path} has more than one fit of {', '.join(twice[:5])}.")
    return found


def _read(path: Path) -> Iterator[Fit]:
    for number, line in numbered_lines(path):
        try:
            yield Fit.model_validate_json(line)
        except ValidationError as error:
            raise InputFileError(
                f"{path}, line {number}: no fit of a curve (write it with acrophase fit --json): "
                f"{error.errors()[0]['msg']}"
            ) from None


def _usable(fits: Sequence[Fit]) -> dict[str, Fit]:
    return {fit.subject: fit for fit in fits if fit.least_squares.coefficients}


def _table(fits: Sequence[Fit]) -> Floats:
    return np.array([fit.least_squares.coefficients[:3] for fit in fits]).reshape(-1, 3)


def _unit(fit: Fit) -> str:
    return "1" if fit.scale == "log" else fit.unit


def _three(found: PopulationCosinor | Difference) -> tuple[FitMarker, ...]:
    return tuple(dated(each, None) for each in (found.mesor, found.amplitude, found.acrophase))


def _of_group(path: Path, fits: Sequence[Fit]) -> Comparison:
    with_fit = _usable(fits)
    found: PopulationCosinor = population_cosinor(_table([*with_fit.values()]), _unit(fits[0]))
    return Comparison(
        analyte=fits[0].analyte,
        scale=fits[0].scale,
        design="group",
        people=(len(with_fit),),
        left_out=tuple(fit.subject for fit in fits if fit.subject not in with_fit),
        f=found.f,
        p=found.p,
        markers=tuple(
            dated(each, None) for each in (found.mesor, found.amplitude, found.acrophase)
        ),
    )


def _of_two(one: Sequence[Fit], other: Sequence[Fit], *, independent: bool) -> Comparison:
    first, second = _usable(one), _usable(other)
    unit = _unit(one[0])
    design: Design
    out = {fit.subject for fit in (*one, *other)} - ({*first} | {*second})
    found: Difference
    shared = sorted({*first} & {*second})
    if len(one) == len(other) == 1:
        design = "one person"
        found = difference(one[0].least_squares, other[0].least_squares, unit)
    elif shared and not independent:
        design = "paired"
        out |= ({*first} | {*second}) - {*shared}
        pairs = _table([first[name] for name in shared]), _table([second[name] for name in shared])
        found = population_difference(*pairs, unit, paired=True)
    else:
        design = "independent"
        groups = _table([*first.values()]), _table([*second.values()])
        found = population_difference(*groups, unit, paired=False)
    counted = (len(shared), len(shared)) if design == "paired" else (len(first), len(second))
    return Comparison(
        analyte=one[0].analyte,
        scale=one[0].scale,
        design=design,
        people=counted,
        left_out=tuple(sorted(out)),
        markers=tuple(
            dated(each, None) for each in (found.mesor, found.amplitude, found.acrophase)
        ),
    )


def _print(console: Console, found: Comparison) -> None:
    people = " and ".join(str(n) for n in found.people)
    what = "mean rhythm" if found.design == "group" else f"second less first, {found.design}"
    table = Table(title=f"{found.analyte}: {what}, n = {people}", title_justify="left", box=None)
    for heading in ("", "Value", "90 % interval", "Unit"):
        table.add_column(heading, justify="left" if heading in ("", "Unit") else "right")
    for marker in found.markers:
        if marker.value is None or marker.low is None or marker.high is None:
            table.add_row(marker.name, "not given", "", "")
        elif marker.unit == CLOCK:
            interval = f"{clock(marker.low)} to {clock(marker.high)}"
            table.add_row(marker.name, clock(marker.value), interval, "local clock")
        else:
            interval = f"{marker.low:.4g} to {marker.high:.4g}"
            table.add_row(marker.name, f"{marker.value:.4g}", interval, marker.unit)
    console.print(table)
    if found.f is not None and found.p is not None:
        told = f"zero amplitude: F = {found.f:.4g}, p = {found.p:.2g}"
        console.print(told, highlight=False, markup=False)
    for marker in found.markers:
        if marker.status == "withheld":
            console.print(f"{marker.name}: {marker.sentence}", highlight=False, markup=False)
    if found.left_out:
        named = ", ".join(found.left_out[:5])
        more = f" and {len(found.left_out) - 5} more" if len(found.left_out) > 5 else ""
        told = f"left out, without a fit or a pair: {named}{more}"
        console.print(told, highlight=False, markup=False)
