"""The rows of a table as the columns of its people: what a user says about a file, made true.

``producers.columns`` finds the cells and ``producers.clocks`` reads the times; here a row becomes
readings of a person, or is refused with a reason.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic_core import PydanticCustomError

from producers.clocks import Clock, TimeUnit, choose_clock, parse_number
from producers.columns import TIME_NAMES, Cells, Table, is_absent, looks_dated
from schemas.errors import InputFileError
from schemas.readings import check_subject

# Not the file's name: that may name a person, and the same reading from a renamed file is the same.
FILE_DEVICE = "file"
DEFAULT_SITE = "default"

# Participant numbers are short; a longer number is a record, telephone or insurance number.
_LONGEST_NUMBER = 6
_LINES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class FileMapping:
    """What the columns of a file mean. Columns are named, or numbered from 1.

    ``unit`` is UCUM and defaults to the analyte's canonical unit. ``subject`` is the person's
    pseudonym, or, beside a ``subject_column``, the prefix of numeric ids; it defaults to the
    file's stem. ``start`` is the clock time of zero for times in minutes, hours or clock hours,
    and of the oldest reading for epoch times from an unknown origin. ``sample_times`` makes the
    table a wide one, with a row a person and a column a sample: it holds a time for each of the
    columns that ``value_column`` names.
    """

    analyte: str
    unit: str | None = None
    time_column: str | None = None
    value_column: str | None = None
    subject_column: str | None = None
    subject: str | None = None
    device: str = FILE_DEVICE
    site: str = DEFAULT_SITE
    zone: str | None = None
    start: str | None = None
    time_unit: TimeUnit = "auto"
    time_format: str | None = None
    sample_times: tuple[str, ...] | None = None


@dataclass(slots=True)
class Refusal:
    """Rows refused for one reason: how many, and the first of them."""

    count: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass(slots=True)
class FileReport:
    """What became of the rows of a file: rows = readings + absent + refused.

    A row of a wide table counts once a sample. ``clock`` says how the times were understood.
    """

    clock: str = ""
    rows: int = 0
    readings: int = 0
    absent: int = 0
    refused: dict[str, Refusal] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def n_refused(self) -> int:
        return sum(refusal.count for refusal in self.refused.values())

    def refuse(self, line: int, reason: str) -> None:
        refusal = self.refused.setdefault(reason, Refusal())
        refusal.count += 1
        if len(refusal.lines) < _LINES_SHOWN:
            refusal.lines.append(line)

    def sentences(self) -> list[str]:
        """One sentence a reason, with the first line numbers."""
        return [
            f"{refusal.count} refused: {reason} (line "
            + ", ".join(map(str, refusal.lines))
            + (", …)" if refusal.count > len(refusal.lines) else ")")
            for reason, refusal in self.refused.items()
        ]


class Columns:
    """The growing columns of one subject while the file is read."""

    __slots__ = ("comparators", "offsets", "rows", "times", "values")

    def __init__(self) -> None:
        self.times = array("q")
        self.offsets = array("q")
        self.values = array("d")
        self.comparators = array("b")
        self.rows = array("q")


@dataclass(frozen=True, slots=True)
class Sample:
    """Where one reading of a row stands: the column of its value and those of its time, or, in a
    wide table, the time itself."""

    value: int
    times: tuple[int, ...] = ()
    time: str = ""


def find_samples(table: Table, mapping: FileMapping) -> list[Sample]:
    """The readings of each row: one, or in a wide table several. Raises InputFileError."""
    if mapping.sample_times is None:
        times, value = _time_and_value(table, mapping)
        return [Sample(value, times)]
    if mapping.time_column is not None:
        raise InputFileError("--times says when each column was sampled: leave --time-column out.")
    if mapping.value_column is None:
        raise InputFileError(
            f"{table.path}: --times needs the columns of the samples: name them in the same order "
            f"with --value-column first,second,… {table.listing()}"
        )
    values = table.columns(mapping.value_column)
    if len(values) != len(mapping.sample_times):
        raise InputFileError(
            f"{table.path}: --value-column names {len(values)} columns and --times has "
            f"{len(mapping.sample_times)}: give each column its time."
        )
    return [
        Sample(value, time=time) for value, time in zip(values, mapping.sample_times, strict=True)
    ]


def pseudonym(cell: str, prefix: str) -> str:
    """The subject of a cell: a pseudonym as it stands, or a short number behind the prefix.

    Raises ValueError, whose text does not repeat the cell, for anything that may identify a
    person.

    >>> pseudonym("1.0", "twins"), pseudonym("Vp01", "x")
    ('twins-1', 'Vp01')
    """
    text = cell.strip()
    number = re.fullmatch(r"(\d+)(\.0*)?", text)
    if number and len(number[1]) <= _LONGEST_NUMBER:
        text = f"{prefix}-{number[1]}"
    try:
        return check_subject(text)
    except PydanticCustomError:
        raise ValueError(
            "is no pseudonym: it may name a person or a record. Use letters and digits mixed, or "
            f"numbers of up to {_LONGEST_NUMBER} digits"
        ) from None


class RowReader:
    """Reads the cells of one row into the columns of its subject."""

    def __init__(self, table: Table, mapping: FileMapping, samples: list[Sample]) -> None:
        self._samples = samples
        self._decimal_comma = table.delimiter == ";"
        self._subject_columns: tuple[int, ...] = ()
        prefix = mapping.subject or _stem(table.path)
        if mapping.subject_column is not None:
            self._subject_columns = table.columns(mapping.subject_column)
            self._subject = ""
        elif mapping.subject is not None:
            self._subject = _given_subject(mapping.subject)
        else:
            self._subject = prefix if _is_pseudonym(prefix) else f"{prefix}-1"
        self._prefix = prefix
        self._pseudonyms: dict[str, str] = {}
        used = {*self._subject_columns, *(i for s in samples for i in (s.value, *s.times))}
        self._last = max(used)
        self._names = {i: _name(table, i) for i in used}
        self.clock = _choose_clock(table, mapping, samples)
        # The times of a wide table are the same in every row.
        self._fixed = [self._given_time(sample.time) for sample in samples if sample.time]

    def add(
        self, line: int, cells: Cells, subjects: dict[str, Columns], report: FileReport
    ) -> None:
        """Take the readings of one row, or refuse them."""
        for number, sample in enumerate(self._samples):
            report.rows += 1
            reason = self._add(line, cells, sample, number, subjects, report)
            if reason is not None:
                report.refuse(line, reason)

    def _add(
        self,
        line: int,
        cells: Cells,
        sample: Sample,
        number: int,
        subjects: dict[str, Columns],
        report: FileReport,
    ) -> str | None:
        """Take one reading; returns why it is refused, or None."""
        if len(cells) <= self._last:
            return f"the row has {len(cells)} columns and not {self._last + 1}"
        column = sample.value
        try:
            cell = cells[column].strip()
            if is_absent(cell):
                report.absent += 1
                return None
            comparator = {"<": -1, ">": 1}.get(cell[0], 0)
            value = parse_number(
                cell.lstrip("<>≤≥=") if comparator else cell, decimal_comma=self._decimal_comma
            )
            if not np.isfinite(value):
                raise ValueError("is not a finite number")
            if sample.times:
                column = sample.times[0]
                text = cells[column]
                if len(sample.times) > 1:
                    text = " ".join(cells[i].strip() for i in sample.times)
                time_ms, offset_ms = self.clock.read(text)
            else:
                time_ms, offset_ms = self._fixed[number]
            subject = self._subject
            if self._subject_columns:
                column = self._subject_columns[0]
                subject = self._pseudonym(" ".join(cells[i] for i in self._subject_columns))
        except ValueError as error:
            return f"column '{self._names[column]}' {error}"
        columns = subjects.get(subject)
        if columns is None:
            columns = subjects[subject] = Columns()
        columns.times.append(time_ms)
        columns.offsets.append(offset_ms)
        columns.values.append(value)
        columns.comparators.append(comparator)
        columns.rows.append(line)
        report.readings += 1
        return None

    def _pseudonym(self, cell: str) -> str:
        known = self._pseudonyms.get(cell)
        if known is None:
            known = self._pseudonyms[cell] = pseudonym(cell, self._prefix)
        return known

    def _given_time(self, text: str) -> tuple[int, int]:
        try:
            return self.clock.read(text)
        except ValueError as error:
            raise InputFileError(f"--times: '{text}' {error}.") from None


def _time_and_value(table: Table, mapping: FileMapping) -> tuple[tuple[int, ...], int]:
    """Positions of the time and value columns; what is not named is found by its usual name, or
    by being the only one left."""
    everything = set(range(table.width))
    taken = set(table.columns(mapping.subject_column)) if mapping.subject_column else set()
    times: tuple[int, ...] | None = None
    value: int | None = None
    if mapping.value_column is not None:
        (value, *more) = table.columns(mapping.value_column)
        if more:
            raise InputFileError(
                f"{table.path}: {len(more) + 1} columns are samples: say when each was taken with "
                "--times, for example --times=-30,0,30 and --time-unit minutes."
            )
        taken.add(value)
    if mapping.time_column is not None:
        times = table.columns(mapping.time_column)
    else:
        left = sorted(everything - taken)
        usual = [i for i in left if table.names and table.names[i].casefold() in TIME_NAMES]
        dated = [i for i in left if all(looks_dated(row[i]) for row in table.sample if row[i:])]
        if len(usual) == 1:
            times = (usual[0],)
        elif len(dated) == 1:
            times = (dated[0],)
        elif table.names is None and table.width == 2 + bool(mapping.subject_column):
            times = (left[0],)
        elif value is not None:
            times = (left[0],) if len(left) == 1 else None
    if times is not None and value is None:
        left = sorted(everything - taken - set(times))
        value = left[0] if len(left) == 1 else None
    if times is None or value is None:
        missing = "--time-column" if times is None else "--value-column"
        raise InputFileError(
            f"{table.path}: say which column to read with {missing}. {table.listing()} If each "
            "row has several samples in columns of their own, name those with --value-column and "
            "their times with --times."
        )
    return times, value


def _choose_clock(table: Table, mapping: FileMapping, samples: list[Sample]) -> Clock:
    if mapping.sample_times is not None:
        cells = list(mapping.sample_times)
    else:
        columns = samples[0].times
        cells = [
            " ".join(row[i].strip() for i in columns)
            for row in table.sample
            if len(row) > max(columns)
        ]
    try:
        return choose_clock(
            [cell for cell in cells if not is_absent(cell)],
            time_unit=mapping.time_unit,
            zone=mapping.zone,
            start=mapping.start,
            time_format=mapping.time_format,
        )
    except InputFileError as error:
        raise InputFileError(f"{table.path}: {error}") from None


def _name(table: Table, position: int) -> str:
    return table.names[position] if table.names is not None else str(position + 1)


def _stem(path: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).lstrip("_-")[:50] or "file"


def _is_pseudonym(subject: str) -> bool:
    try:
        check_subject(subject)
    except PydanticCustomError:
        return False
    return True


def _given_subject(subject: str) -> str:
    try:
        return check_subject(subject)
    except PydanticCustomError as error:
        raise InputFileError(f"--subject: {error.message()}.") from None
