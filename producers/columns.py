"""A text file as rows of cells: which delimiter, which header, which column is meant.

Comma, semicolon, tab and white-space tables and JSON Lines all become a ``Table``: numbered rows
of text cells under optional names. What the cells mean is for ``producers.files`` to say.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from schemas.errors import InputFileError

Cells = Sequence[str]
Delimiter = Literal[",", ";", "\t", " ", "json"]

# Rows that are looked at before the first is read: enough to tell columns apart, small enough
# to hold.
_SAMPLE_ROWS = 200
# A minute of 1 kHz samples in one line is about this long; longer lines are no table.
_LONGEST_LINE = 16 * 1_048_576

_NUMBER = re.compile(r"^[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$")
_DATED = re.compile(r"^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T].*)?$|^\d{1,2}:\d{2}(:\d{2})?")

# Columns called so hold times; these and the others are never data themselves.
TIME_NAMES = frozenset({"time", "timestamp", "datetime", "date", "collected_at", "t"})
_USUAL_NAMES = TIME_NAMES | {"subject", "id", "participant", "patient", "value"}

ABSENT = frozenset({"", "na", "n/a", "nan", "null", "none", "-", ".", "#n/a"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line number in the file (from 1) and its cells; None if it is broken."""

    line: int
    cells: Cells | None


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file under their names.

    ``names`` is None where the file has no header. ``width`` is the number of columns of the
    first row. ``sample`` holds the first rows for sniffing; ``rows`` gives all of them, once.
    """

    path: Path
    delimiter: Delimiter
    names: tuple[str, ...] | None
    width: int
    sample: tuple[Cells, ...]
    rows: Iterator[Row]

    def columns(self, column: str) -> tuple[int, ...]:
        """Positions of the columns that ``column`` names.

        A name counts before a position (from 1); several, separated by commas, are read as one
        cell joined by a space (``Date,Time``). Raises InputFileError that lists the columns.
        """
        single = self._position(column)
        if single is not None:
            return (single,)
        positions = tuple(self._position(part.strip()) for part in column.split(","))
        found = tuple(p for p in positions if p is not None)
        if len(found) != len(positions):
            raise InputFileError(f"{self.path}: there is no column '{column}'. {self.listing()}")
        return found

    def listing(self) -> str:
        """The columns in words, for error messages."""
        if self.names is None:
            return f"The file has no header; its columns are 1 to {self.width}."
        return "The columns are: " + ", ".join(f"'{name}'" for name in self.names) + "."

    def _position(self, column: str) -> int | None:
        names = self.names or ()
        if column in names:
            return names.index(column)
        folded = [name.casefold() for name in names]
        if column.casefold() in folded:
            return folded.index(column.casefold())
        if column.isdecimal() and 1 <= int(column) <= self.width:
            return int(column) - 1
        return None


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            yield stream
    except FileNotFoundError:
        raise InputFileError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise InputFileError(f"{path} is a directory; name one file in it.") from None
    except PermissionError:
        raise InputFileError(f"{path}: you may not read this file.") from None
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputFileError(
            f"{path} is not UTF-8 text (byte {error.object[error.start]:#04x}): save it as UTF-8, "
            "for example with `iconv -f latin1 -t utf-8`."
        ) from None


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 text file that are not blank, with their numbers from 1.

    All three line ends count, and a last line needs none. Raises InputFileError.
    """
    with _text(path) as stream:
        for number in itertools.count(1):
            line = stream.readline(_LONGEST_LINE)
            if not line:
                return
            if len(line) == _LONGEST_LINE:
                raise InputFileError(f"{path}, line {number} is over 16 MB: this is no table.")
            if line.strip():
                yield number, line


def first_line(path: Path) -> str:
    """The first line that is not blank. Raises InputFileError if there is none."""
    for _, line in numbered_lines(path):
        return line
    raise InputFileError(f"{path} is empty.")


def open_table(path: Path, wanted: Iterable[str] = ()) -> Table:
    """Sniff a file and return its table; rows are read as they are asked for.

    ``wanted`` are the column names that somebody will ask for: if the first row holds one of
    them, it is the header. Raises InputFileError (also while rows are read).
    """
    first = first_line(path)
    if first.lstrip().startswith("["):
        raise InputFileError(
            f"{path} is a JSON array; write one JSON object a line instead, for example with "
            "`jq -c '.[]'`."
        )
    if first.lstrip().startswith("{"):
        return _json_table(path)
    delimiter = sniff_delimiter([line for _, line in _head(numbered_lines(path))])
    rows = _delimited(path, delimiter)
    sample = _head(rows)
    head = [tuple(row.cells) for row in sample if row.cells is not None]
    names: tuple[str, ...] | None = None
    rows = itertools.chain(sample, rows)
    if is_header(head, wanted):
        names = tuple(cell.strip() for cell in head[0])
        next(rows)
        head = head[1:]
    if not head:
        raise InputFileError(f"{path} has a header and no row of data.")
    return Table(path, delimiter, names, max(map(len, head)), tuple(head), rows)


def sniff_delimiter(lines: Sequence[str]) -> Delimiter:
    """The delimiter that cuts most of the lines into the same number of cells, at least two.

    >>> sniff_delimiter(["datetime;melatonin", "2024-04-17 07:32:48;11,743"])
    ';'
    >>> sniff_delimiter(["0   1.903323", "10\\t1.903323"])
    ' '
    """
    best: tuple[float, Delimiter] = (0.0, ",")
    candidates: tuple[Delimiter, ...] = (";", "\t", ",", " ")
    for delimiter in candidates:
        widths = [len(_cut(line, delimiter)) for line in lines]
        usual = max(set(widths), key=lambda width: (widths.count(width), width))
        if usual >= 2:
            # A row may lack its last cells; the share of full rows decides, then the order above.
            share = widths.count(usual) / len(widths)
            if share > best[0]:
                best = (share, delimiter)
    return best[1]


def is_header(rows: Sequence[Cells], wanted: Iterable[str] = ()) -> bool:
    """Whether the first row names the columns.

    It does if it holds a wanted or usual name, or if some column has text above numbers or dates.

    >>> is_header([["subject", "0", "1"], ["Vp01", "6.98", "7.03"]], ["subject"])
    True
    >>> is_header([["0", "14.47"], ["10", "17.13"]])
    False
    """
    if not rows:
        return False
    first = [cell.strip() for cell in rows[0]]
    names = {part.strip().casefold() for name in wanted for part in (name, *name.split(","))}
    names = {name for name in names if not name.isdecimal()} | _USUAL_NAMES
    if any(cell.casefold() in names for cell in first):
        return True
    if any(_is_data(cell) for cell in first):
        return False
    below = [row for row in rows[1:] if len(row) == len(first)]
    return not below or any(_is_data(cell.strip()) for row in below for cell in row)


def is_absent(cell: str) -> bool:
    """Whether a cell says that there is no value (blank, NA, NaN, null, ``-``, ``.``)."""
    return cell.strip().casefold() in ABSENT


def looks_dated(cell: str) -> bool:
    """Whether a cell begins like a date or a time of day."""
    return bool(_DATED.match(cell.strip()))


def _is_data(cell: str) -> bool:
    return bool(_NUMBER.match(cell)) or looks_dated(cell)


def _cut(line: str, delimiter: Delimiter) -> list[str]:
    if delimiter == " ":
        return line.split()
    return next(csv.reader([line], delimiter=delimiter), [])


def _head(items: Iterator[Any]) -> list[Any]:
    return list(itertools.islice(items, _SAMPLE_ROWS))


def _delimited(path: Path, delimiter: Delimiter) -> Iterator[Row]:
    if delimiter == " ":
        for number, line in numbered_lines(path):
            yield Row(number, line.split())
        return
    with _text(path) as stream:
        # Strict, because an open quotation mark would otherwise swallow the rest of the file.
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        whole = 0
        try:
            for cells in reader:
                whole = reader.line_num
                if any(cell.strip() for cell in cells):
                    yield Row(whole, cells)
        except csv.Error as error:
            raise InputFileError(
                f"{path}, line {whole + 1}: {error}; a quotation mark in it is left open, or "
                'stands inside a quoted cell (there it must be doubled: "").'
            ) from error


def _json_table(path: Path) -> Table:
    head = _head(_objects(path))
    names = tuple(dict.fromkeys(name for _, item in head if item is not None for name in item))
    rows = (
        Row(line, None if item is None else [_cell(item.get(name)) for name in names])
        for line, item in _objects(path)
    )
    sample = [tuple(_cell(item.get(name)) for name in names) for _, item in head if item]
    if not sample:
        raise InputFileError(f"{path}: none of the first {len(head)} lines is a JSON object.")
    return Table(path, "json", names, len(names), tuple(sample), rows)


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    for number, line in numbered_lines(path):
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            item = None
        yield number, item if isinstance(item, dict) else None


def _cell(value: object) -> str:
    return "" if value is None else str(value)
