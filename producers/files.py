"""Recordings in files: tables and JSON Lines as series of readings, in plain arrays.

``producers.columns`` finds the cells, ``producers.clocks`` reads the times, and
``producers.batches`` makes of the series what travels on Kafka.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

from producers.clocks import Clock, Millis, TimeUnit, choose_clock, parse_number
from producers.columns import TIME_NAMES, Cells, Table, is_absent, open_table
from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError, RejectedRecord
from schemas.readings import Timing, check_subject, oldest_time

# Not the file's name: that may name a person, and the same reading from a renamed file is the same.
FILE_DEVICE = "file"
DEFAULT_SITE = "default"

_OLDEST_MS = round(oldest_time().timestamp() * 1000)
# Participant numbers are short; a longer number is a record, telephone or insurance number.
_LONGEST_NUMBER = 6
_LINES_SHOWN = 3

_TOO_OLD = (
    "the time is before 2000; if the file counts from an unknown origin, say with --start when "
    "its first reading was taken"
)
_SAME_TIME = "at the same time as another of the same person, of which the first counts"


@dataclass(frozen=True, slots=True)
class FileMapping:
    """What the columns of a file mean. Columns are named, or numbered from 1.

    ``unit`` is UCUM and defaults to the analyte's canonical unit. ``subject`` is the person's
    pseudonym, or, beside a ``subject_column``, the prefix of numeric ids; it defaults to the
    file's stem. ``start`` is the clock time of zero for times in minutes, hours or clock hours,
    and of the oldest reading for epoch times from an unknown origin.
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


@dataclass(slots=True)
class Refusal:
    """Rows refused for one reason: how many, and the first of them."""

    count: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass(slots=True)
class FileReport:
    """What became of the rows of a file: rows = readings + absent + refused."""

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


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of one subject and analyte, in order of time. All arrays have one length.

    ``times_ms``: collection times, epoch milliseconds, UTC. ``offset_ms``: the wearer's offset
    from UTC at each; their sum is the local clock. ``values`` in ``unit``. ``comparators``: -1
    where the value is an upper bound (``<``), 1 where it is a lower bound (``>``), else 0.
    ``rows``: line numbers in the file.
    """

    subject: str
    analyte: str
    unit: str
    device: str
    site: str
    zone: str | None
    timing: Timing
    times_ms: Millis
    offset_ms: Millis
    values: NDArray[np.float64]
    comparators: NDArray[np.int8]
    rows: NDArray[np.int64]

    @property
    def interval_s(self) -> float | None:
        """Median spacing of the readings in seconds; None for fewer than two times."""
        steps = np.diff(self.times_ms)
        steps = steps[steps > 0]
        return float(np.median(steps)) / 1000 if len(steps) else None

    def __len__(self) -> int:
        return len(self.times_ms)


class _Columns:
    """The growing columns of one subject while the file is read."""

    __slots__ = ("comparators", "offsets", "rows", "times", "values")

    def __init__(self) -> None:
        self.times = array("q")
        self.offsets = array("q")
        self.values = array("d")
        self.comparators = array("b")
        self.rows = array("q")


def read_series(
    path: Path, mapping: FileMapping, report: FileReport | None = None
) -> Iterator[Series]:
    """The series of a file, subjects in order of their first row.

    With a ``report``, rows that cannot be used are counted there and the rest is read; without
    one, the first such row raises. Raises InputFileError naming line and column, and
    CatalogueError for an unknown analyte.
    """
    unit = resolve_unit(mapping)
    table = open_table(path, _names(mapping))
    time_columns, value_column = _time_and_value(table, mapping)
    reader = _RowReader(table, mapping, time_columns, value_column)
    counted = FileReport() if report is None else report
    subjects: dict[str, _Columns] = {}
    for row in table.rows:
        counted.rows += 1
        if row.cells is None:
            reason: str | None = "the line is no JSON object"
        else:
            reason = reader.add(row.line, row.cells, subjects, counted)
        if reason is not None:
            if report is None:
                raise InputFileError(f"{path}, line {row.line}: {reason}.")
            counted.refuse(row.line, reason)
    yield from _settle(path, reader.clock, subjects, mapping, unit, report, counted)


def resolve_unit(mapping: FileMapping) -> str:
    """The unit of the values: as given, or the analyte's canonical one.

    Raises InputFileError for a unit that is not the analyte's, CatalogueError for an analyte
    that the catalogue does not know.
    """
    analyte = load_catalogue()[mapping.analyte]
    if mapping.unit is None:
        return analyte.unit
    try:
        analyte.conversion(mapping.unit)
    except RejectedRecord as error:
        raise InputFileError(
            f"'{mapping.unit}' is no unit of {mapping.analyte}: {error.detail}"
        ) from error
    return mapping.unit


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


def _names(mapping: FileMapping) -> list[str]:
    named = (mapping.time_column, mapping.value_column, mapping.subject_column)
    return [name for name in named if name is not None]


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
                f"{table.path}: a value stands in one column. Wide tables, with a column a "
                "sample, are not read; write one row a sample."
            )
        taken.add(value)
    if mapping.time_column is not None:
        times = table.columns(mapping.time_column)
    elif table.names is None:
        left = sorted(everything - taken)
        times = (left[0],) if left and table.width == 2 + bool(mapping.subject_column) else None
    else:
        usual = [i for i, name in enumerate(table.names) if name.casefold() in TIME_NAMES]
        left = sorted(everything - taken)
        if len(usual) == 1:
            times = (usual[0],)
        elif value is not None and len(left) == 1:
            times = (left[0],)
    if times is not None and value is None:
        left = sorted(everything - taken - set(times))
        value = left[0] if len(left) == 1 else None
    if times is None or value is None:
        missing = "--time-column" if times is None else "--value-column"
        raise InputFileError(
            f"{table.path}: say which column to read with {missing}. " + table.listing()
        )
    return times, value


class _RowReader:
    """Reads the cells of one row into the columns of its subject."""

    def __init__(
        self, table: Table, mapping: FileMapping, time_columns: tuple[int, ...], value_column: int
    ) -> None:
        self._times = time_columns
        self._value = value_column
        self._decimal_comma = table.delimiter == ";"
        self._names = {
            "time": mapping.time_column or _name(table, time_columns[0]),
            "value": mapping.value_column or _name(table, value_column),
            "subject": mapping.subject_column or "",
        }
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
        self._last = max(*time_columns, value_column, *self._subject_columns, 0)
        self._pseudonyms: dict[str, str] = {}
        sample = [
            " ".join(cells[i].strip() for i in time_columns)
            for cells in table.sample
            if len(cells) > max(time_columns)
        ]
        self.clock: Clock = choose_clock(
            [cell for cell in sample if not is_absent(cell)],
            time_unit=mapping.time_unit,
            zone=mapping.zone,
            start=mapping.start,
            time_format=mapping.time_format,
        )

    def add(
        self,
        line: int,
        cells: Cells,
        subjects: dict[str, _Columns],
        report: FileReport,
    ) -> str | None:
        """Take one row; returns why it is refused, or None."""
        if len(cells) <= self._last:
            return f"the row has {len(cells)} columns and not {self._last + 1}"
        column = "value"
        try:
            cell = cells[self._value].strip()
            if is_absent(cell):
                report.absent += 1
                return None
            comparator = {"<": -1, ">": 1}.get(cell[0], 0)
            number = parse_number(
                cell.lstrip("<>≤≥=") if comparator else cell, decimal_comma=self._decimal_comma
            )
            if not np.isfinite(number):
                raise ValueError("is not a finite number")
            column = "time"
            text = cells[self._times[0]]
            if len(self._times) > 1:
                text = " ".join(cells[i].strip() for i in self._times)
            time_ms, offset_ms = self.clock.read(text)
            column = "subject"
            subject = self._subject
            if self._subject_columns:
                subject = self._pseudonym(" ".join(cells[i] for i in self._subject_columns))
        except ValueError as error:
            return f"column '{self._names[column]}' {error}"
        columns = subjects.get(subject)
        if columns is None:
            columns = subjects[subject] = _Columns()
        columns.times.append(time_ms)
        columns.offsets.append(offset_ms)
        columns.values.append(number)
        columns.comparators.append(comparator)
        columns.rows.append(line)
        report.readings += 1
        return None

    def _pseudonym(self, cell: str) -> str:
        known = self._pseudonyms.get(cell)
        if known is None:
            known = self._pseudonyms[cell] = pseudonym(cell, self._prefix)
        return known


def _settle(
    path: Path,
    clock: Clock,
    subjects: dict[str, _Columns],
    mapping: FileMapping,
    unit: str,
    report: FileReport | None,
    counted: FileReport,
) -> Iterator[Series]:
    if not subjects:
        detail = " ".join(counted.sentences()) or "no row has a value."
        raise InputFileError(f"{path}: none of the {counted.rows} rows can be used: {detail}")
    oldest = min(min(columns.times) for columns in subjects.values())
    timing: Timing = "assumed" if clock.start is not None else "reported"
    usable = False
    for subject, columns in subjects.items():
        times, offsets = clock.settle(
            np.asarray(columns.times, dtype=np.int64),
            np.asarray(columns.offsets, dtype=np.int64),
            oldest,
            counted.notes,
        )
        rows = np.asarray(columns.rows, dtype=np.int64)
        too_old = times < _OLDEST_MS
        for line in rows[too_old].tolist():
            if report is None:
                raise InputFileError(f"{path}, line {line}: {_TOO_OLD}.")
            counted.refuse(line, _TOO_OLD)
            counted.readings -= 1
        order = np.argsort(times, kind="stable")
        order = order[~too_old[order]]
        if not len(order):
            continue
        usable = True
        times = times[order]
        same = int(np.count_nonzero(np.diff(times) == 0))
        if same:
            counted.notes[_SAME_TIME] = counted.notes.get(_SAME_TIME, 0) + same
        yield Series(
            subject=subject,
            analyte=mapping.analyte,
            unit=unit,
            device=mapping.device,
            site=mapping.site,
            zone=mapping.zone if mapping.zone and not mapping.zone.startswith(("+", "-")) else None,
            timing=timing,
            times_ms=times,
            offset_ms=offsets[order],
            values=np.asarray(columns.values, dtype=np.float64)[order],
            comparators=np.asarray(columns.comparators, dtype=np.int8)[order],
            rows=rows[order],
        )
    if not usable:
        raise InputFileError(f"{path}: none of the rows can be used: {_TOO_OLD}.")


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
