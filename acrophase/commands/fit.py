"""``acrophase fit``: the least-squares cosinor of a recording, without Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from acrophase.cycles import CycleFit, cycles_of, parse_menses
from acrophase.fit_markers import (
    Night,
    activity_days,
    activity_markers,
    cortisol_markers,
    melatonin_nights,
    told_by,
)
from acrophase.fits import (
    Fit,
    Samples,
    fit_samples,
    periodogram_of,
    prepare,
    refuse_without_curve,
    with_free_period,
    with_posterior,
)
from acrophase.person import BirthYear, Person, SexOption, check_age, hourly_reference
from acrophase.recordings import (
    Analyte,
    SampleTimes,
    Start,
    Subject,
    SubjectColumn,
    TellsTime,
    TimeColumn,
    TimeFormat,
    Unit,
    ValueColumn,
    Zone,
    refuse_unused,
    require_analyte,
    split_times,
)
from acrophase.slow_fits import is_slow, slow_results
from acrophase.tables import print_cycles, print_many, print_one, print_slow
from acrophase.wakings import parse_wakes, place_wakes
from processors.markers.cycles import KINDS
from processors.markers.nights import DLMO_THRESHOLDS
from processors.markers.wakings import CORTISOL
from producers.files import SAME_TIME, Series, read_series
from producers.rows import FileMapping, FileReport
from producers.wire import is_wire_format, wire_events, wire_series
from schemas.analytes import Analyte as Entry
from schemas.analytes import Scale
from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError
from schemas.events import Event


def fit(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV, white-space table, JSON Lines or wire-format records."
        ),
    ],
    analyte: Analyte = None,
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
        typer.Option(metavar="FILE", help="Draw one person to a PNG, SVG or PDF file."),
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="SUBJECT", help="Fit this person of the file only.")
    ] = None,
    wake: Annotated[
        str | None,
        typer.Option(
            metavar="TIME,…",
            help="Cortisol: when the person woke up, by the local clock: 06:50 for every day, or "
            "2024-01-01T06:50 for one. Needed for the slope and the awakening response.",
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            metavar="EVENTS.jsonl",
            help="Wire-format events of the same people: wakings for cortisol unless --wake tells "
            "them, doses that hide the person's own melatonin.",
        ),
    ] = None,
    menses: Annotated[
        str | None,
        typer.Option(
            metavar="DATE,…",
            help="LH, progesterone, PdG, basal temperature: first days of the person's menses, "
            "2024-03-01,2024-03-29. Ovulation is looked for in each cycle.",
        ),
    ] = None,
    verified: Annotated[
        bool,
        typer.Option(
            "--verified",
            help="Wake and sampling times were recorded by a device or a witness, not told; "
            "wire-format records say so of their own. Needed for the awakening response.",
        ),
    ] = False,
    sex: SexOption = None,
    birth_year: BirthYear = None,
    unit: Unit = None,
    time_column: TimeColumn = None,
    value_column: ValueColumn = None,
    times: SampleTimes = None,
    subject_column: SubjectColumn = None,
    subject: Subject = None,
    zone: Zone = None,
    start: Start = None,
    time_unit: TellsTime = "auto",
    time_format: TimeFormat = None,
) -> None:
    """Fit a cosinor to the readings of a file and read off its markers, without Kafka.

    Prints mesor, amplitude and acrophase with their standard errors, the peak and trough of the
    full curve, and the zero-amplitude test, beside them the posterior of the Bayesian estimator
    that the stream runs; of many people a line each, and as JSON everything of everybody. Where
    the data do not carry a fit or an acrophase, it says why; what is not ruled by the hour
    (growth hormone, free T4) is refused, and it says what to use instead. From five days on it also
    looks for a period other than 24 hours, and gives it where 24 hours does not fit (blind or
    free-running people, shift workers).

    --sex and --birth-year choose the population that the posterior starts from, and the reference
    that the picture shows, as a profile event does in the stream.

    Melatonin: the onset in dim light (DLMO) by threshold, own baseline and hockey stick, offset and
    midpoint, each with its 90 % interval or the reason why not, for each night.
    Cortisol: the slope over the day and the awakening response of
    each waking, evening-to-morning ratio and late-night level. Steps and heart rate: interdaily
    stability, intradaily variability, M10, L5 and relative amplitude.

    LH, progesterone, PdG and basal temperature have no 24-hour curve: with --menses, the day of
    ovulation in each cycle, and the shift of the temperature. DHEA-S, IGF-1 and HbA1c have none
    either: the level for the age, the trend beyond what age does, and whether the last result
    differs from the one before by more than assay and person explain.

    --plot draws the curve with its band beside the clock dial with the confidence ellipse, below
    them the double-plotted actogram of steps or heart rate; of melatonin the profiles
    with threshold and knee above them, of cycles a chart by cycle day, of slow hormones the results
    over the years on the reference of the age; of a clock that runs free the periodogram.

    \b
    # a day of saliva samples, from waking on
    acrophase fit saliva.csv --analyte saliva-cortisol --unit nmol/L --zone Europe/Berlin \\
        --wake 06:50
    # morning temperatures, with the first days of two menses
    acrophase fit temperature.csv --analyte basal-temperature --zone Europe/Berlin \\
        --menses 2024-03-01,2024-03-29 --plot cycles.png
    # results of some years
    acrophase fit dheas.csv --analyte serum-dheas --zone Europe/Berlin --sex female \\
        --birth-year 1968 --plot dheas.png
    # a curve read off a figure, in minutes from midnight, drawn to a file
    acrophase fit cortisol.txt --analyte serum-cortisol --time-unit minutes \\
        --start 00:00 --plot cortisol.png
    # one line a person, from hours of the day
    acrophase fit hourly.csv --analyte heart-rate --time-column hour \\
        --value-column HR --subject-column id --time-unit clock-hour --start 00:00
    """
    known = load_catalogue()[require_analyte(file, analyte)]
    person = Person(sex, birth_year)
    if is_slow(known):
        if menses is not None or components is not None or scale is not None:
            raise InputFileError(
                f"{file}: {known.short_name} hardly changes over the day, so it has no 24-hour "
                "curve and follows no cycle: leave --menses, --components and --scale out."
            )
    elif menses is None:
        more = (
            " With --menses, fit looks for ovulation in each cycle." if known.slug in KINDS else ""
        )
        refuse_without_curve(file, known, more)
    elif known.slug not in KINDS:
        raise InputFileError(
            f"{file}: --menses serves {', '.join(KINDS)}, whose course about ovulation is known, "
            f"not {known.slug}: leave it out."
        )
    elif components is not None or scale is not None:
        raise InputFileError(
            f"{file}: --components and --scale are of a 24-hour curve, which cycles have none of: "
            "leave them out."
        )
    starts = () if menses is None else parse_menses(menses)
    if (wake is not None or verified) and known.slug not in CORTISOL:
        raise InputFileError(
            f"{file}: --wake and --verified serve the markers of {' and '.join(CORTISOL)}, not "
            f"those of {known.slug}: leave them out."
        )
    wakes = () if wake is None else parse_wakes(wake)
    if events is not None and known.slug not in (*CORTISOL, *DLMO_THRESHOLDS):
        raise InputFileError(
            f"{file}: --events serves cortisol (wakings) and melatonin (doses), not "
            f"{known.slug}: leave it out."
        )
    report = FileReport()
    happened = [] if events is None else _read_events(events)
    if is_wire_format(file):
        refuse_unused(
            file,
            {
                "--unit": unit,
                "--time-column": time_column,
                "--value-column": value_column,
                "--times": times,
                "--subject-column": subject_column,
                "--subject": subject,
                "--zone": zone,
                "--start": start,
                "--time-unit": None if time_unit == "auto" else time_unit,
                "--time-format": time_format,
            },
        )
        everybody = wire_series(file, known, report)
        if known.slug in (*CORTISOL, *DLMO_THRESHOLDS):
            # What is no record is told of with the readings.
            happened += wire_events(file, FileReport())
    else:
        mapping = FileMapping(
            analyte=known.slug,
            unit=unit,
            time_column=time_column,
            value_column=value_column,
            subject_column=subject_column,
            subject=subject,
            zone=zone,
            start=start,
            time_unit=time_unit,
            time_format=time_format,
            sample_times=split_times(times),
        )
        everybody = read_series(file, mapping, report)
        if verified:
            everybody = (replace(series, timing="verified") for series in everybody)
    errors = Console(stderr=True)
    people = [series for series in everybody if only in (None, series.subject)]
    # Readings at one time are told of with the person whose they are.
    notes = [f"{n} readings {note}" for note, n in report.notes.items() if note != SAME_TIME]
    for sentence in (*report.sentences(), *notes):
        errors.print(f"note: {file}: {sentence}", soft_wrap=True, highlight=False, markup=False)
    if not people:
        raise InputFileError(f"{file} has no readings of '{only}'.")
    if plot is not None and len(people) > 1:
        raise InputFileError(
            f"{file} has {len(people)} people and a picture shows one: choose with --only."
        )
    if wakes and len(people) > 1:
        raise InputFileError(
            f"{file} has {len(people)} people, and each woke up at another time: choose one with "
            "--only, or leave --wake out."
        )
    if person != Person() and len(people) > 1:
        raise InputFileError(
            f"{file} has {len(people)} people, and each has a sex and an age: choose one with "
            "--only, or leave --sex and --birth-year out."
        )
    if is_slow(known):
        _fit_slow(file, known, people, person, json, plot)
        return
    if starts:
        if len(people) > 1:
            raise InputFileError(
                f"{file} has {len(people)} people, and each has cycles of their own: choose one "
                "with --only."
            )
        _fit_cycles(file, known, people[0], starts, json, plot)
        return
    harmonics: Literal[1, 2] = known.components if components is None else _one_or_two(components)
    chosen: Scale = scale or known.scale
    samples = [prepare(file, series, known, chosen) for series in people]
    for sample in samples:
        check_age(file, person, sample.midnight, sample.last)
    fits = [
        fit_samples(series, known, chosen, harmonics, sample)
        for series, sample in zip(people, samples, strict=True)
    ]
    if json or len(fits) == 1:
        told = [
            told_by(happened, series.subject, known, sample.begin_ms, sample.taken)
            for series, sample in zip(people, samples, strict=True)
        ]
        if wakes:
            placed = place_wakes(
                file, wakes, samples[0].taken, samples[0].midnight, verified=verified
            )
            told = [told[0]._replace(wakes=placed)]
        nights = [
            melatonin_nights(known, sample.taken, sample.midnight, of.doses)
            for sample, of in zip(samples, told, strict=True)
        ]
        found = [
            (
                *(marker for night in profiles for marker in night.markers),
                *cortisol_markers(known, sample.taken, sample.midnight, of.wakes, of.doses),
                *activity_markers(known, sample.taken),
            )
            for sample, profiles, of in zip(samples, nights, told, strict=True)
        ]
        fits = [
            with_free_period(result.model_copy(update={"markers": markers}), sample)
            for result, markers, sample in zip(fits, found, samples, strict=True)
        ]
    if json:
        for result, sample in zip(fits, samples, strict=True):
            typer.echo(with_posterior(result, known, sample, person).model_dump_json())
    elif len(fits) == 1:
        print_one(Console(), known, with_posterior(fits[0], known, samples[0], person))
    else:
        print_many(Console(), known, fits)
    if plot is not None:
        _draw(plot, known, fits[0], samples[0], nights[0], person, is_log=chosen == "log")
        _tell_written(plot)


def _draw(
    plot: Path,
    known: Entry,
    fit: Fit,
    sample: Samples,
    nights: Sequence[Night],
    person: Person,
    *,
    is_log: bool,
) -> None:
    # Matplotlib takes half a second to import.
    from acrophase.plots.recording import draw_recording

    draw_recording(
        plot,
        title=f"{known.name}, {fit.subject}",
        axis=f"{known.name} ({known.unit_label})",
        unit=known.unit_label,
        hours=sample.hours,
        values=sample.values,
        fit=fit.least_squares,
        is_log=is_log,
        reference=hourly_reference(known, person, sample.midnight),
        period=fit.free_period,
        periodogram=periodogram_of(fit, sample),
        days=activity_days(known, sample.taken),
        midnight=sample.midnight,
        markers=fit.markers,
        nights=nights,
    )


def _fit_cycles(
    file: Path, known: Entry, series: Series, menses: Sequence[date], json: bool, plot: Path | None
) -> None:
    """The cycles of one person: their markers, and the chart."""
    sample = prepare(file, series, known, known.scale)
    cycles, notes = cycles_of(file, known, sample, menses)
    found = CycleFit(
        subject=series.subject,
        analyte=known.slug,
        unit=known.unit,
        notes=(*sample.notes, *notes),
        markers=tuple(marker for cycle in cycles for marker in cycle.markers),
    )
    if json:
        typer.echo(found.model_dump_json())
    else:
        print_cycles(Console(), known, found)
    if plot is not None:
        from acrophase.plots.cycle import draw_cycles

        draw_cycles(
            plot,
            f"{known.name}, {series.subject}",
            f"{known.name} ({known.unit_label})",
            cycles,
            is_log=known.scale == "log",
        )
        _tell_written(plot)


def _fit_slow(
    file: Path,
    known: Entry,
    people: Sequence[Series],
    person: Person,
    json: bool,
    plot: Path | None,
) -> None:
    """Level, trend and change of everybody, and the chart of one."""
    for series in people:
        sample = prepare(file, series, known, known.scale)
        check_age(file, person, sample.midnight, sample.last)
        results = slow_results(series.subject, known, sample, person)
        if json:
            typer.echo(results.fit.model_dump_json())
        else:
            print_slow(Console(), known, results.fit)
        if plot is not None:
            from acrophase.plots.slow import draw_slow

            draw_slow(
                plot,
                f"{known.name}, {series.subject}",
                f"{known.short_name} ({known.unit_label})",
                results,
                is_log=known.scale == "log",
            )
            _tell_written(plot)


def _read_events(path: Path) -> list[Event]:
    """The events of a file, and in sentences what of it cannot be used."""
    report = FileReport()
    found = wire_events(path, report)
    for sentence in report.sentences():
        console = Console(stderr=True)
        console.print(f"note: {path}: {sentence}", soft_wrap=True, highlight=False, markup=False)
    return found


def _tell_written(plot: Path) -> None:
    errors = Console(stderr=True)
    errors.print(f"wrote {plot}", soft_wrap=True, highlight=False, markup=False)


def _one_or_two(components: int) -> Literal[1, 2]:
    return 1 if components == 1 else 2
