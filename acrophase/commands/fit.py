"""``acrophase fit``: the least-squares cosinor of a recording, without Kafka."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.table import Table
from scipy.special import stdtrit

from processors.rhythm.cosinor import Cosinor, fit_cosinor
from producers.clocks import TimeUnit
from producers.files import FileMapping, FileReport, Series, read_series
from schemas.analytes import Analyte, Scale
from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError

Floats = NDArray[np.float64]

CONVENTION = (
    "y = M + A cos(w t + phi), w = 2 pi / 24 h. Acrophase: peak clock time of the 24-hour "
    "harmonic, local hours [0, 24); in radians phi, (-pi, pi], so that acrophase = (-phi / w) mod "
    "24. Peak and trough: of the full curve. SE: standard error, by the delta method for amplitude "
    "and times."
)

# Columns that the table of many people may take.
_MANY_WIDTH = 140


class Fit(BaseModel):
    """One person's fit, as ``--json`` prints it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    subject: str = Field(description="Pseudonymous id of the person.")
    analyte: str = Field(description="Analyte slug of the catalogue.")
    unit: str = Field(description="UCUM unit of the values; results are in the analyte's own.")
    scale: Scale = Field(
        description="What was fitted: 'linear' the values, 'log' their natural logarithms; "
        "'value unit' in `least_squares` is then natural-log units."
    )
    convention: str = Field(default=CONVENTION, description="Phase convention in words.")
    notes: tuple[str, ...] = Field(description="What was done to readings before the fit.")
    least_squares: Cosinor = Field(description="Ordinary least-squares cosinor, on `scale`.")
    midline: float | None = Field(
        description="Mesor in `unit`: on the log scale the geometric midline exp(M)."
    )
    peak_value: float | None = Field(description="The curve's maximum in `unit`.")
    trough_value: float | None = Field(description="The curve's minimum in `unit`.")
    posterior: dict[str, Any] | None = Field(
        default=None,
        description="What the Bayesian estimator says of the recording, on the catalogue's scale; "
        "see processors.rhythm.estimator.Posterior. Null where that scale is log and a value is "
        "not above 0.",
    )


def fit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, table or JSON Lines file.")],
    analyte: Annotated[
        str, typer.Option(help="What was measured: a slug of the catalogue, e.g. serum-cortisol.")
    ],
    components: Annotated[
        int | None,
        typer.Option(
            min=1, max=2, help="Harmonics: 1 (24 h) or 2 (24 and 12 h). [default: as catalogue]"
        ),
    ] = None,
    scale: Annotated[
        Literal["linear", "log"] | None,
        typer.Option(help="Fit values or their logarithms. [default: as catalogue]"),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON, one object a line and person.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw data and curve to a PNG, SVG or PDF file."),
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="SUBJECT", help="Fit this person of the file only.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="UCUM unit of the values. [default: the analyte's own]")
    ] = None,
    time_column: Annotated[
        str | None, typer.Option(help="Column of the times: name, or number from 1.")
    ] = None,
    value_column: Annotated[
        str | None, typer.Option(help="Column of the values: name, or number from 1.")
    ] = None,
    subject_column: Annotated[
        str | None, typer.Option(help="Column of the people's ids; without it, one person.")
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(help="The person's pseudonym; with --subject-column the prefix of numbers."),
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="Time zone of the wearer, e.g. Europe/Berlin or +02:00.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="Clock time from which the file counts, e.g. 2024-01-01T06:15 or 06:15."),
    ] = None,
    time_unit: Annotated[
        TimeUnit, typer.Option(help="How the file tells time, if it cannot be guessed.")
    ] = "auto",
    time_format: Annotated[
        str | None, typer.Option(help="Format of the times (strptime), e.g. '%d.%m.%Y %H:%M'.")
    ] = None,
) -> None:
    """Fit a cosinor to the readings of a file, without Kafka.

    Prints mesor, amplitude and acrophase with their standard errors, the peak and trough of the
    full curve, and the zero-amplitude test; as JSON also the posterior of the Bayesian estimator
    that the stream runs. Where the data do not carry a fit or an acrophase,
    it says why. Minutes from midnight, say:

    acrophase fit cortisol.txt --analyte serum-cortisol --time-unit minutes --start 00:00
    """
    known = load_catalogue()[analyte]
    mapping = FileMapping(
        analyte=analyte,
        unit=unit,
        time_column=time_column,
        value_column=value_column,
        subject_column=subject_column,
        subject=subject,
        zone=zone,
        start=start,
        time_unit=time_unit,
        time_format=time_format,
    )
    errors = Console(stderr=True)
    report = FileReport()
    people = [s for s in read_series(file, mapping, report) if only in (None, s.subject)]
    for sentence in (*report.sentences(), *(f"{n} {note}" for note, n in report.notes.items())):
        errors.print(f"note: {file}: {sentence}", soft_wrap=True, highlight=False, markup=False)
    if not people:
        raise InputFileError(f"{file} has no readings of '{only}'.")
    if plot is not None and len(people) > 1:
        raise InputFileError(
            f"{file} has {len(people)} people and a picture shows one: choose with --only."
        )
    harmonics: Literal[1, 2] = known.components if components is None else _one_or_two(components)
    chosen: Scale = scale or known.scale
    samples = [prepare(file, series, known, chosen) for series in people]
    fits = [
        _fit(series, known, chosen, harmonics, *sample)
        for series, sample in zip(people, samples, strict=True)
    ]
    if json:
        for series, (hours, values, _), result in zip(people, samples, fits, strict=True):
            posterior = _posterior(known, series, hours, values)
            typer.echo(result.model_copy(update={"posterior": posterior}).model_dump_json())
    elif len(fits) == 1:
        _print_one(Console(), known, fits[0])
    else:
        _print_many(Console(), known, fits)
    if plot is not None:
        # Matplotlib takes half a second to import.
        from acrophase.plots import draw_fit

        hours, values, _ = samples[0]
        draw_fit(
            plot,
            title=f"{known.name}, {fits[0].subject}",
            axis=f"{known.name} ({known.unit_label})",
            hours=hours,
            values=values,
            fit=fits[0].least_squares,
            is_log=chosen == "log",
            peak_label=_peak_label(fits[0].least_squares),
        )
        errors.print(f"wrote {plot}", soft_wrap=True, highlight=False, markup=False)


def prepare(
    file: Path, series: Series, analyte: Analyte, scale: Scale
) -> tuple[Floats, Floats, tuple[str, ...]]:
    """A series ready to fit: local hours from its first midnight, values in the analyte's unit.

    Of readings at the same time the first counts, as it does on Kafka. Censored readings count
    at their limit. The third is what was done, in sentences.

    Raises ``InputFileError`` that names the rows whose value has no logarithm on the log scale,
    and ``RejectedRecord`` for a unit that does not convert.
    """
    _, first = np.unique(series.times_ms, return_index=True)
    local_ms = (series.times_ms + series.offset_ms)[first]
    hours = (local_ms - local_ms.min() // 86_400_000 * 86_400_000) / 3_600_000
    factor, offset = analyte.conversion(series.unit)
    values = series.values[first] * factor + offset
    rows = series.rows[first]
    notes = []
    if len(first) < len(series):
        notes.append(f"{len(series) - len(first)} readings at the time of another left out.")
    censored = int(np.count_nonzero(series.comparators[first]))
    if censored:
        notes.append(f"{censored} readings beyond the assay's range taken at its limit.")
    if scale == "log" and (values <= 0).any():
        bad = rows[values <= 0]
        shown = ", ".join(map(str, bad[:5].tolist())) + (", …" if len(bad) > 5 else "")
        raise InputFileError(
            f"{file}, line {shown}: values that are not above 0 have no logarithm. Write a result "
            "below the detection limit as '<LIMIT', or fit with --scale linear."
        )
    return hours, values, tuple(notes)


def _fit(
    series: Series,
    analyte: Analyte,
    scale: Scale,
    components: Literal[1, 2],
    hours: Floats,
    values: Floats,
    notes: tuple[str, ...],
) -> Fit:
    is_log = scale == "log"
    found = fit_cosinor(hours, np.log(values) if is_log else values, components=components)

    def natural(value: float | None) -> float | None:
        return math.exp(value) if is_log and value is not None else value

    return Fit(
        subject=series.subject,
        analyte=series.analyte,
        unit=analyte.unit,
        scale=scale,
        notes=notes,
        least_squares=found,
        midline=natural(found.mesor),
        peak_value=natural(found.peak_value),
        trough_value=natural(found.trough_value),
    )


def _posterior(
    analyte: Analyte, series: Series, hours: Floats, values: Floats
) -> dict[str, Any] | None:
    # Numba takes a second to import, which the table need not pay.
    from processors.rhythm.estimator import fit_posterior

    if analyte.scale == "log" and (values <= 0).any():
        return None
    interval_s = series.interval_s or analyte.cadence_s
    return fit_posterior(analyte, hours % 24, values, interval_s).model_dump(mode="json")


def _peak_label(fit: Cosinor) -> str:
    """The peak's time with its 90 % interval, or as much of it as there is."""
    if fit.peak is None:
        return ""
    if fit.peak_se is None or fit.df_residual is None:
        return f"peak {_clock(fit.peak)}, uncertain"
    half = float(stdtrit(fit.df_residual, 0.95)) * fit.peak_se
    return f"peak {_clock(fit.peak)} ({_clock(fit.peak - half)} to {_clock(fit.peak + half)})"


def _one_or_two(components: int) -> Literal[1, 2]:
    return 1 if components == 1 else 2


def _print_one(console: Console, analyte: Analyte, result: Fit) -> None:
    fit = result.least_squares
    unit = analyte.unit_label
    is_log = result.scale == "log"
    fitted_unit = f"ln({unit})" if is_log else unit
    table = Table("Parameter", title=f"{analyte.name}, {result.subject}", title_justify="left")
    table.add_column("Estimate", justify="right")
    table.add_column("SE", justify="right")
    table.add_column("Unit")

    def row(name: str, value: float | None, se: float | None, unit: str, shown: str = "") -> None:
        if value is not None:
            table.add_row(name, shown or _number(value), "" if se is None else _number(se), unit)

    row("mesor M", fit.mesor, fit.mesor_se, fitted_unit)
    if is_log:
        row("midline exp(M)", result.midline, None, unit)
    row("amplitude A", fit.amplitude, fit.amplitude_se, "ln units" if is_log else unit)
    for name, value, se in (
        ("acrophase", fit.acrophase, fit.acrophase_se),
        ("peak", fit.peak, fit.peak_se),
        ("trough", fit.trough, fit.trough_se),
    ):
        if value is not None:
            row(name, value, se, "h", f"{_clock(value)}  {value:.4f}")
        if name == "acrophase":
            row("acrophase phi", fit.acrophase_radians, fit.acrophase_radians_se, "rad")
    row("highest", result.peak_value, None, unit)
    row("lowest", result.trough_value, None, unit)
    table.add_section()
    if fit.f is not None:
        row(f"F({fit.df_model}, {fit.df_residual})", fit.f, None, "")
        row("p (no rhythm)", fit.p, None, "")
        row("R²", fit.r_squared, None, "")
        row("residual SD", fit.residual_sd, None, "ln units" if is_log else unit)
    row("samples n", fit.n, None, "", str(fit.n))
    console.print(table)
    for sentence in filter(None, (fit.reason, *result.notes, CONVENTION)):
        console.print(sentence, highlight=False, markup=False)


def _print_many(console: Console, analyte: Analyte, results: list[Fit]) -> None:
    unit = "ln units" if results[0].scale == "log" else analyte.unit_label
    title = f"{analyte.name}, {len(results)} people, mesor and amplitude in {unit}"
    table = Table("Person", title=title, title_justify="left", box=None)
    for heading in ("Mesor", "SE", "Amplitude", "SE", "Acrophase", "SE (h)", "p", "R²", "n"):
        table.add_column(heading, justify="right")
    table.add_column("Status")
    for result in results:
        fit = result.least_squares
        numbers = (fit.mesor, fit.mesor_se, fit.amplitude, fit.amplitude_se)
        table.add_row(
            result.subject,
            *("" if value is None else f"{value:.4g}" for value in numbers),
            "" if fit.acrophase is None else _clock(fit.acrophase),
            *("" if v is None else f"{v:.2g}" for v in (fit.acrophase_se, fit.p, fit.r_squared)),
            str(fit.n),
            fit.status.value,
        )
    # A long table is read by other programs too: rather leave the terminal than cut numbers.
    Console(width=max(console.width, _MANY_WIDTH)).print(table)
    reasons = {r.least_squares.status: r.least_squares.reason for r in results}
    for status, reason in reasons.items():
        if reason is not None:
            console.print(f"{status.value}, for example: {reason}", highlight=False, markup=False)
    console.print(CONVENTION, highlight=False, markup=False)


def _number(value: float) -> str:
    """Five significant digits."""
    return f"{value:.5g}"


def _clock(hour: float) -> str:
    minutes = round(hour * 60) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
