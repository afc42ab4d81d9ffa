"""``acrophase publish``: a recording, or a file of wire-format records, through Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from acrophase.progress import CtrlC, confirmed_readings, reading_rows
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
from acrophase.settings import load_settings
from producers.batches import Received, merge_batches, to_batches
from producers.client import Publisher
from producers.files import Series, read_series, screen
from producers.rows import DEFAULT_SITE, FILE_DEVICE, FileMapping, FileReport
from producers.wire import WireRecord, is_wire_format, wire_records
from schemas.errors import BrokerUnavailable, DeliveryError, InputFileError
from schemas.readings import Reading, ReadingBatch
from schemas.topics import EVENTS, READINGS

# A record, its bytes if they travel unchanged, and how many readings it holds.
Item = tuple[WireRecord, bytes | None, int]


def publish(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV, white-space table or JSON Lines file.")
    ],
    analyte: Analyte = None,
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
    device: Annotated[
        str | None,
        typer.Option(
            help="Stable id of the source; the same reading of it again counts once. "
            "[default: file]"
        ),
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="Tenant or study site. [default: default]")
    ] = None,
    received: Annotated[
        Received,
        typer.Option(
            help="When the readings count as received: replay, as they were taken, so that they "
            "are judged as if they arrived live; or now, as a backfill."
        ),
    ] = "replay",
    batch_size: Annotated[
        int, typer.Option(min=1, max=100_000, help="Most readings in one record.")
    ] = 100,
    bootstrap: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Kafka. [default: as the settings]")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and report, and send nothing.")
    ] = False,
) -> None:
    """Send the readings of a file to Kafka.

    Tables need --analyte and, unless the file says it, columns and clock. JSON Lines of
    wire-format records are recognised and sent as they are. Rows that cannot be used are counted
    and named, the others are sent, and the exit status is then 1. The same readings of the same
    person and --device sent again count once.

    \b
    # a watch's export, its epoch shifted to hide when it was recorded
    acrophase publish hr.csv --analyte heart-rate --subject person-1 \\
        --start 2024-01-01T00:00
    # many people, one row an hour, epoch times that show the local clock as UTC
    acrophase publish hourly.csv --analyte heart-rate --time-column time \\
        --value-column HR --subject-column id --zone +00:00
    # a curve read off a figure, in minutes from midnight
    acrophase publish cortisol.txt --analyte serum-cortisol --subject curve-1 \\
        --time-unit minutes --start 00:00
    # one row a person, one column a sample
    acrophase publish saliva.csv --analyte saliva-cortisol --unit nmol/L \\
        --subject-column id --value-column s1,s2,s3 --times=-30,0,30 \\
        --time-unit minutes --start 2024-01-01T14:00
    """
    settings = load_settings(bootstrap=bootstrap)
    address = settings.bootstrap
    report = FileReport()
    if is_wire_format(file):
        refuse_unused(
            file,
            {
                "--analyte": analyte,
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
                "--device": device,
                "--site": site,
            },
        )
        items: Iterator[Item] = _wire_items(file, report, received)
        total, what, span = None, "wire-format records", ""
    else:
        analyte = require_analyte(file, analyte)
        if subject is None and subject_column is None:
            raise InputFileError(
                f"{file}: whose readings are these? Add --subject with a pseudonym (letters and "
                "digits mixed), or --subject-column."
            )
        mapping = FileMapping(
            analyte=analyte,
            unit=unit,
            time_column=time_column,
            value_column=value_column,
            subject_column=subject_column,
            subject=subject,
            device=device or FILE_DEVICE,
            site=site or DEFAULT_SITE,
            zone=zone,
            start=start,
            time_unit=time_unit,
            time_format=time_format,
            sample_times=split_times(times),
        )
        latest = datetime.now(UTC) + timedelta(seconds=settings.future_tolerance_s)
        with reading_rows(report):
            people = screen(
                file,
                list(read_series(file, mapping, report)),
                report,
                round(latest.timestamp() * 1000),
            )
        used = people[0].unit
        what = f"{analyte} in {used}" + (", the catalogue's unit" if unit is None else "")
        span = _span(people, report.clock)
        total = report.readings
        batches = [
            to_batches(series, batch_size=batch_size, received=received) for series in people
        ]
        items = ((batch, None, _weight(batch)) for batch in merge_batches(batches))
    subjects: set[str] = set()
    sent = 0
    if dry_run:
        for record, _, weight in items:
            subjects.add(record.subject)
            sent += weight
    else:
        sent = _send(address, items, subjects, total)
    where = "nothing was sent" if dry_run else address
    _summarise(file, report, sent, subjects, what, where, span)
    if report.n_refused:
        raise typer.Exit(1)


def _send(address: str, items: Iterator[Item], subjects: set[str], total: int | None) -> int:
    """Publish all items; returns how many readings Kafka has confirmed."""
    publisher = Publisher(address)
    try:
        with confirmed_readings(total) as advance, CtrlC() as ctrl_c, publisher:
            for record, value, weight in items:
                if ctrl_c.pressed:
                    break
                subjects.add(record.subject)
                if value is None:
                    publisher.publish(record)
                else:
                    topic = READINGS if isinstance(record, Reading | ReadingBatch) else EVENTS
                    publisher.publish_raw(
                        topic.name, record.subject.encode(), value, readings=weight
                    )
                advance(publisher.confirmed)
            publisher.flush()
            advance(publisher.confirmed)
        if ctrl_c.pressed:
            raise KeyboardInterrupt
    except (BrokerUnavailable, DeliveryError, KeyboardInterrupt) as error:
        how = "you stopped it" if isinstance(error, KeyboardInterrupt) else "it failed"
        typer.echo(
            f"{_count(publisher.confirmed, 'reading')} confirmed before {how}. Send the whole "
            "file again: the same readings count once.",
            err=True,
        )
        raise
    return publisher.confirmed


def _wire_items(file: Path, report: FileReport, received: Received) -> Iterator[Item]:
    for value, record in wire_records(file, report):
        weight = _weight(record)
        if record.received_at is not None:
            yield record, value, weight
        elif received == "replay":
            yield record.model_copy(update={"received_at": _last_time(record)}), None, weight
        else:
            yield record, None, weight


def _last_time(record: WireRecord) -> datetime:
    """When the newest reading of a record was taken, or the event happened."""
    if isinstance(record, ReadingBatch):
        return record.collected_at + timedelta(milliseconds=max(0, *record.offsets_ms))
    return record.collected_at if isinstance(record, Reading) else record.at


def _weight(record: WireRecord) -> int:
    return len(record.values) if isinstance(record, ReadingBatch) else 1


def _span(people: list[Series], clock: str) -> str:
    """From when to when on the wearers' own clocks, and how the file's times were understood."""
    local = [series.times_ms[[0, -1]] + series.offset_ms[[0, -1]] for series in people]
    first, last = min(each[0] for each in local), max(each[1] for each in local)
    told = (f"{datetime.fromtimestamp(int(ms) / 1000, UTC):%Y-%m-%d %H:%M}" for ms in (first, last))
    return f"collected {' to '.join(told)} local time ({clock})"


def _summarise(
    file: Path, report: FileReport, sent: int, subjects: set[str], what: str, where: str, span: str
) -> None:
    people = "1 person" if len(subjects) == 1 else f"{len(subjects)} people"
    typer.echo(f"{file}: {_count(sent, 'reading')} of {people} ({what}) -> {where}")
    if span:
        typer.echo(span)
    if report.absent:
        typer.echo(f"{_count(report.absent, 'row')} without a value")
    for note, count in report.notes.items():
        typer.echo(f"note: {_count(count, 'reading')} {note}")
    for sentence in report.sentences():
        typer.echo(sentence, err=True)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")
