"""Files of records that are in wire format already: recognised, read one by one, or as series."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from producers.columns import first_line, numbered_lines
from producers.files import Series
from producers.rows import DEFAULT_SITE, FILE_DEVICE, Columns, FileReport
from schemas.analytes import Analyte
from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError, RejectedRecord
from schemas.events import Event, parse_event
from schemas.readings import Reading, ReadingBatch, Timing, parse_reading

# From the surest on.
_TIMINGS: tuple[Timing, ...] = ("device", "verified", "reported", "assumed")

WireRecord = Reading | ReadingBatch | Event


def is_wire_format(path: Path) -> bool:
    """Whether a file holds wire-format records (``Reading``, ``ReadingBatch``, ``Event``) as JSON
    Lines. Raises InputFileError if it cannot be read."""
    first = first_line(path)
    return (
        first.lstrip().startswith("{")
        and '"subject"' in first
        and ('"collected_at"' in first or '"kind"' in first)
        and ('"code"' in first or '"kind"' in first)
    )


def wire_records(path: Path, report: FileReport) -> Iterator[tuple[bytes, WireRecord]]:
    """The records of a wire-format file with their own bytes, in file order.

    Lines that are no valid record are counted in ``report``. Raises InputFileError.
    """
    for _, value, record in _records(path, report):
        report.readings += len(record.values) if isinstance(record, ReadingBatch) else 1
        yield value, record


def wire_series(path: Path, analyte: Analyte, report: FileReport) -> Iterator[Series]:
    """The readings of one analyte, person by person, in the analyte's own unit.

    A person's times count as known as the least sure of them.
    Records of other analytes and events are passed over; lines that are no valid record are
    counted in ``report``. Raises InputFileError if there is no reading of the analyte.
    """
    catalogue = load_catalogue()
    report.clock = "times with their offset from UTC"
    people: dict[str, Columns] = {}
    timings: dict[str, Timing] = {}
    for line, _, record in _records(path, report):
        if not isinstance(record, Reading | ReadingBatch):
            continue
        try:
            if catalogue.by_code(record.code) is not analyte:
                continue
            factor, shift = analyte.conversion(record.unit)
        except RejectedRecord as error:
            report.refuse(line, error.detail)
            continue
        values = record.values if isinstance(record, ReadingBatch) else [record.value]
        offsets = record.offsets_ms if isinstance(record, ReadingBatch) else [0]
        sign = 0
        if isinstance(record, Reading):
            if record.value is None:
                report.absent += 1
                continue
            sign = {"<": -1, ">": 1}.get(record.comparator or "", 0)
        columns = people.setdefault(record.subject, Columns())
        sure = timings.setdefault(record.subject, record.timing)
        timings[record.subject] = max(sure, record.timing, key=_TIMINGS.index)
        first_ms = round(record.collected_at.timestamp() * 1000)
        offset = record.collected_at.utcoffset()
        assert offset is not None  # the models take no other times
        for ms, value in zip(offsets, values, strict=True):
            assert value is not None
            columns.times.append(first_ms + ms)
            columns.offsets.append(round(offset.total_seconds() * 1000))
            columns.values.append(value * factor + shift)
            columns.comparators.append(sign)
            columns.rows.append(line)
            report.readings += 1
    if not people:
        raise InputFileError(
            f"{path} has no readings of {analyte.slug}. " + " ".join(report.sentences())
        )
    for subject, columns in people.items():
        yield _series(subject, analyte, columns, timings[subject])


def wire_events(path: Path, report: FileReport) -> list[Event]:
    """The events of a wire-format file, in file order; readings are passed over, and lines that
    are no valid record are counted in ``report``. Raises InputFileError."""
    return [
        record
        for _, _, record in _records(path, report)
        if not isinstance(record, Reading | ReadingBatch)
    ]


def _series(subject: str, analyte: Analyte, columns: Columns, timing: Timing) -> Series:
    order = np.argsort(np.asarray(columns.times), kind="stable")
    return Series(
        subject=subject,
        analyte=analyte.slug,
        unit=analyte.unit,
        device=FILE_DEVICE,
        site=DEFAULT_SITE,
        zone=None,
        timing=timing,
        times_ms=np.asarray(columns.times, dtype=np.int64)[order],
        offset_ms=np.asarray(columns.offsets, dtype=np.int64)[order],
        values=np.asarray(columns.values, dtype=np.float64)[order],
        comparators=np.asarray(columns.comparators, dtype=np.int8)[order],
        rows=np.asarray(columns.rows, dtype=np.int64)[order],
    )


def _records(path: Path, report: FileReport) -> Iterator[tuple[int, bytes, WireRecord]]:
    for line, text in numbered_lines(path):
        report.rows += 1
        value = text.strip().encode()
        try:
            record = parse_event(value) if b'"kind"' in value else parse_reading(value)
        except ValidationError as error:
            report.refuse(line, first_problem(error))
            continue
        yield line, value, record


def first_problem(error: ValidationError) -> str:
    """The first of a model's complaints, without what it was given."""
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else problem["msg"]
