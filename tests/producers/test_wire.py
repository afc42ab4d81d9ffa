"""Files of wire-format records: kept byte for byte, or taken as series."""

from __future__ import annotations

from pathlib import Path

import pytest

from producers.rows import FileReport
from producers.wire import is_wire_format, wire_records, wire_series
from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError

ZONED = "2024-01-01T08:00:00+01:00"
CORTISOL = load_catalogue()["saliva-cortisol"]


def write(folder: Path, text: str) -> Path:
    path = folder / "records-1.jsonl"
    path.write_text(text)
    return path


def test_wire_format_is_recognised_and_kept_byte_for_byte(tmp_path: Path) -> None:
    reading = (
        '{"subject":"p-1","device":"d","code":"8867-4","unit":"/min",'
        f'"collected_at":"{ZONED}","value": 60,"extra":1}}'
    )
    event = f'{{"kind":"wake","subject":"p-1","at":"{ZONED}"}}'
    bad = reading.replace("p-1", "jane@x.org")
    path = write(tmp_path, "\n".join([reading, event, "{oops", bad]) + "\n")
    assert is_wire_format(path)
    report = FileReport()
    records = list(wire_records(path, report))
    assert [value.decode() for value, _ in records] == [reading, event]
    assert (report.rows, report.readings, report.n_refused) == (4, 2, 2)
    assert "jane" not in " ".join(report.sentences())
    assert not is_wire_format(write(tmp_path, f'{{"time": "{ZONED}", "value": 60}}\n'))


def record(code: str, unit: str, at: str, rest: str) -> str:
    return (
        f'{{"subject":"p-1","device":"d","code":"{code}","unit":"{unit}","collected_at":"{at}",'
        f"{rest}}}"
    )


def test_records_of_an_analyte_are_series_in_its_unit(tmp_path: Path) -> None:
    lines = [
        record("2142-8", "ug/dL", "2024-01-01T09:00:00+01:00", '"value":0.4'),
        record("8867-4", "/min", ZONED, '"value":60'),
        record("58644-6", "nmol/L", "2024-01-01T12:00:00+02:00", '"value":5.5,"comparator":"<"'),
        record("2142-8", "nmol/L", ZONED, '"offsets_ms":[0,60000],"values":[11.0,12.0]'),
        record("2142-8", "nmol/L", ZONED, '"absent_reason":"lost"'),
        record("2142-8", "kg", ZONED, '"value":1'),
        f'{{"kind":"wake","subject":"p-1","at":"{ZONED}"}}',
    ]
    report = FileReport()
    (series,) = wire_series(write(tmp_path, "\n".join(lines)), CORTISOL, report)
    factor, _ = CORTISOL.conversion("nmol/L")
    assert series.unit == "ug/dL"
    assert series.values == pytest.approx([11.0 * factor, 12.0 * factor, 0.4, 5.5 * factor])
    assert series.comparators.tolist() == [0, 0, 0, -1]
    assert (series.offset_ms / 3_600_000).tolist() == [1.0, 1.0, 1.0, 2.0]
    assert series.rows.tolist() == [4, 4, 1, 3]
    assert (report.rows, report.readings, report.absent, report.n_refused) == (7, 4, 1, 1)
    assert "(line 6)" in report.sentences()[0]
    with pytest.raises(InputFileError, match="no readings of plasma-acth"):
        list(wire_series(tmp_path / "records-1.jsonl", load_catalogue()["plasma-acth"], report))
