"""Recordings in files: tables and JSON Lines as series of readings, in plain arrays.

``producers.rows`` reads the rows, and ``producers.batches`` makes of the series what travels on
Kafka.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from producers.clocks import Clock, Millis
from producers.columns import open_table
from producers.rows import Columns, FileMapping, FileReport, RowReader, find_samples
from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError, Reason, RejectedRecord
from schemas.readings import Timing, oldest_time

_OLDEST_MS = round(oldest_time().timestamp() * 1000)

_TOO_OLD = (
    "the time is before 2000; if the file counts from an unknown origin, say with --start when "
    "its first reading was taken"
)
SAME_TIME = "at the same time as another of the same person, of which the first counts"


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

    def spacing_s(self, longest_s: float) -> NDArray[np.float64] | None:
        """Seconds that each reading stands for; None if all are of one time.

        Half of the gap to either neighbour, a gap over ``longest_s`` counting as that. So their
        sum is the time that the series covers, whether its source measures evenly, in bursts or
        now and then; of a watch that speeds up in exercise the median gap tells nothing.
        Readings at one time share what one of them would stand for.
        """
        times, where, counts = np.unique(self.times_ms, return_inverse=True, return_counts=True)
        if len(times) < 2:
            return None
        gaps = np.minimum(np.diff(times) / 1000.0, longest_s)
        each = (np.append(gaps[0], gaps) + np.append(gaps, gaps[-1])) / 2.0
        return np.asarray((each / counts)[where.reshape(-1)], dtype=np.float64)

    def select(self, keep: NDArray[np.bool_]) -> Series:
        """The readings at which ``keep`` (n) is true."""
        columns = ("times_ms", "offset_ms", "values", "comparators", "rows")
        return replace(self, **{name: getattr(self, name)[keep] for name in columns})

    def __len__(self) -> int:
        return len(self.times_ms)


def read_series(
    path: Path, mapping: FileMapping, report: FileReport | None = None
) -> Iterator[Series]:
    """The series of a file, subjects in order of their first row.

    With a ``report``, rows that cannot be used are counted there and the rest is read; without
    one, the first such row raises. Raises InputFileError naming line and column, and
    CatalogueError for an unknown analyte.
    """
    unit = resolve_unit(mapping)
    wanted = (mapping.time_column, mapping.value_column, mapping.subject_column)
    table = open_table(path, [name for name in wanted if name is not None])
    reader = RowReader(table, mapping, find_samples(table, mapping))
    counted = FileReport() if report is None else report
    counted.clock = reader.clock.words
    subjects: dict[str, Columns] = {}
    for row in table.rows:
        if row.cells is None:
            counted.rows += 1
            counted.refuse(row.line, "the line is no JSON object")
        else:
            reader.add(row.line, row.cells, subjects, counted)
        if report is None and counted.refused:
            (reason,) = counted.refused
            raise InputFileError(f"{path}, line {row.line}: {reason}.")
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


def screen(
    path: Path, people: Sequence[Series], report: FileReport, latest_ms: int
) -> list[Series]:
    """Only what the worker would take; the rest is refused in the ``report``.

    What it would make dead letters (impossible values, values that fit another unit only, times
    after ``latest_ms``) is told better here, where line numbers are known. Each reason is shown
    with its first value. Raises InputFileError if nothing is left.
    """
    shown: dict[Reason, str] = {}
    left = [_screened(series, report, latest_ms, shown) for series in people]
    if not any(map(len, left)):
        raise InputFileError(
            f"{path}: none of the readings can be used: {' '.join(report.sentences())}"
        )
    return [series for series in left if len(series)]


def _screened(
    series: Series, report: FileReport, latest_ms: int, shown: dict[Reason, str]
) -> Series:
    analyte = load_catalogue()[series.analyte]
    factor, shift = analyte.conversion(series.unit)
    values = series.values * factor + shift
    future = series.times_ms > latest_ms
    odd = (values < analyte.screen.low) | (values > analyte.screen.high)
    keep = ~future
    for i in np.flatnonzero(future | odd).tolist():
        reason = "the time is in the future"
        if not future[i]:
            try:
                analyte.check(float(values[i]), series.unit)
                continue
            except RejectedRecord as error:
                reason = shown.setdefault(error.reason, error.detail)
        keep[i] = False
        report.refuse(int(series.rows[i]), reason)
        report.readings -= 1
    return series if keep.all() else series.select(keep)


def _settle(
    path: Path,
    clock: Clock,
    subjects: dict[str, Columns],
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
            counted.notes[SAME_TIME] = counted.notes.get(SAME_TIME, 0) + same
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
