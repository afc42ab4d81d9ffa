"""Files as series: every real recording, every way of telling time, and what is refused."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.batches import to_batches
from producers.clocks import parse_zone
from producers.columns import open_table
from producers.files import Series, read_series, screen
from producers.rows import FileMapping, FileReport, pseudonym
from schemas.errors import CatalogueError, InputFileError
from schemas.readings import Reading, ReadingBatch


def write(folder: Path, text: str, name: str = "curve-1.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def read_one(path: Path, report: FileReport | None = None, **mapping: Any) -> Series:
    options: dict[str, Any] = {"analyte": "heart-rate", **mapping}
    (series,) = read_series(path, FileMapping(**options), report)
    return series


def utc(series: Series) -> list[str]:
    return [f"{datetime.fromtimestamp(t / 1000, UTC):%Y-%m-%dT%H:%M:%S}" for t in series.times_ms]


def local_hours(series: Series) -> np.ndarray:
    return (series.times_ms + series.offset_ms) / 3_600_000 % 24


# --- the real recordings ------------------------------------------------------------------------


def test_wearable_heart_rate_is_moved_to_its_start(shared_data: Path) -> None:
    report = FileReport()
    series = read_one(
        shared_data / "wearable_heart_rate/hr_data.csv",
        report,
        time_unit="epoch-s",
        start="2024-01-01T00:00",
        subject="wearer-1",
    )
    assert len(series) == report.rows == report.readings == 100_000
    assert utc(series)[0] == "2024-01-01T00:00:00"
    # Newest row first in the file: the series runs the other way.
    assert series.rows[0] > series.rows[-1]
    assert (np.diff(series.times_ms) >= 0).all()
    span_days = (series.times_ms[-1] - series.times_ms[0]) / 86_400_000
    assert span_days == pytest.approx((46883592.693424225 - 32716774.77971196) / 86_400, abs=1e-6)
    assert series.timing == "assumed"
    # It measures every few seconds in exercise and every five minutes else: no reading stands for
    # a "usual" interval, and together they stand for the time that they cover.
    spacing = series.spacing_s(7200.0)
    assert spacing is not None
    assert np.quantile(spacing, [0.25, 0.5, 0.9]) == pytest.approx([5, 7, 332], rel=0.1)
    assert 0.8 < spacing.sum() / 86_400 / span_days <= 1.0
    batches = list(to_batches(series))
    assert sum(len(b.values) for b in batches if isinstance(b, ReadingBatch)) == 100_000
    assert max(len(b.values) for b in batches if isinstance(b, ReadingBatch)) == 100


def test_wearable_heart_rate_without_a_start_says_what_is_missing(shared_data: Path) -> None:
    path = shared_data / "wearable_heart_rate/hr_data.csv"
    choices: list[dict[str, Any]] = [{}, {"time_unit": "epoch-s", "zone": "+00:00"}]
    for options in choices:
        with pytest.raises(InputFileError, match=r"hr_data.csv: .*before 2000.*--start"):
            read_one(path, **options)
    # With a start it is understood without more: so large a number counts no minutes.
    report = FileReport()
    series = read_one(path, report, start="2024-01-01T00:00")
    assert utc(series)[0] == "2024-01-01T00:00:00"
    assert report.clock == "shifted epoch times, the oldest put at the start"


def test_hourly_heart_rates_agree_with_the_local_hour_and_the_published_peak(
    shared_data: Path,
) -> None:
    path = shared_data / "hourly_heart_rate/twins_hourly.csv"
    report = FileReport()
    mapping = FileMapping(
        analyte="heart-rate",
        time_column="dyxtime",
        value_column="HR",
        subject_column="patid",
        zone="+00:00",
    )
    people = list(read_series(path, mapping, report))
    assert len(people) == 380
    assert (report.rows, report.readings, report.absent, report.n_refused) == (8150, 8149, 1, 0)
    assert people[0].subject == "twins_hourly-1"
    with path.open() as lines:
        hour_of_line = {n: float(r["hour"]) for n, r in enumerate(csv.DictReader(lines), start=2)}
    peaks = []
    for series in people:
        hours = local_hours(series)
        # The clock that the epoch column shows as UTC is the wearer's own, on every row.
        stated = np.array([hour_of_line[row] for row in series.rows.tolist()]) % 24
        assert (np.floor(hours) == stated).all()
        if len(series) >= 20:
            angle = 2 * np.pi * hours / 24
            design = np.column_stack([np.ones_like(angle), np.cos(angle), np.sin(angle)])
            _, cosine, sine = np.linalg.lstsq(design, series.values, rcond=None)[0]
            peaks.append(np.arctan2(sine, cosine))
    mean_peak = np.angle(np.mean(np.exp(1j * np.array(peaks)))) * 24 / (2 * np.pi) % 24
    # Published for all 657 people: 14.6 h. About half of them are here.
    assert mean_peak == pytest.approx(14.6, abs=0.7)


@pytest.mark.parametrize(
    ("name", "rows", "time_unit", "start", "first"),
    [
        ("Carroll-2007-controlGroupCortisol", 145, "minutes", "2024-01-01T00:00", "00:00"),
        ("Carroll-2007-controlGroupACTH", 145, "minutes", "2024-01-01T00:00", "00:00"),
        ("Carroll-2007-HCDepressedCortisol", 145, "minutes", "2024-01-01T00:00", "00:00"),
        ("Carroll-2007-HCDepressedACTH", 145, "minutes", "2024-01-01T00:00", "00:00"),
        ("Carroll-2007-LCDepressedCortisol", 145, "minutes", "2024-01-01T00:00", "00:00"),
        ("Carroll-2007-LCDepressedACTH", 145, "minutes", "2024-01-01T00:00", "00:00"),
        ("Golier-2007-PTSD-cortisol", 49, "hours", "06:15", "06:30"),
        ("Golier-2007-PTSD-ACTH", 24, "hours", "06:15", "06:45"),
        ("Golier-2007-non-PTSD-trauma-exposed-cortisol", 49, "hours", "06:15", "06:30"),
        ("Golier-2007-non-PTSD-trauma-exposed-ACTH", 24, "hours", "06:15", "06:45"),
        ("Golier-2007-non-exposed-control-cortisol", 49, "hours", "06:15", "06:30"),
        ("Golier-2007-non-exposed-control-ACTH", 24, "hours", "06:15", "06:45"),
    ],
)
def test_hormone_curves(
    shared_data: Path, name: str, rows: int, time_unit: str, start: str, first: str
) -> None:
    series = read_one(
        shared_data / "hpa_24h" / f"{name}.txt",
        analyte="plasma-acth" if name.endswith("ACTH") else "serum-cortisol",
        time_unit=time_unit,
        start=start,
    )
    assert len(series) == rows
    assert utc(series)[0].endswith(f"T{first}:00")
    assert series.subject == name


def test_melatonin_profiles_need_a_zone(shared_data: Path) -> None:
    path = shared_data / "dlmo_melatonin/sample_melatonin_profile.csv"
    with pytest.raises(InputFileError, match="--zone"):
        read_one(path, analyte="saliva-melatonin")
    series = read_one(path, analyte="saliva-melatonin", zone="Europe/Berlin")
    assert len(series) == 19
    assert utc(series)[0] == "2024-04-17T05:32:48"
    assert series.values[0] == 11.743
    quoted = shared_data / "dlmo_melatonin/first_Visit_1_PB_1.csv"
    assert len(read_one(quoted, analyte="saliva-melatonin", zone="+00:00")) == 14


def test_actigraphy_joins_date_and_time(shared_data: Path) -> None:
    report = FileReport()
    series = read_one(
        shared_data / "wearable_heart_rate/sample_actiwatch.csv",
        report,
        analyte="steps",
        time_column="Date,Time",
        value_column="Activity",
        zone="-05:00",
    )
    assert report.rows == 55_651
    assert report.n_refused == 0
    assert report.readings + report.absent == report.rows
    assert utc(series)[0] == "2019-02-20T17:32:00"
    spacing = series.spacing_s(7200.0)
    assert spacing is not None
    assert np.median(spacing) == 30.0


STRESSOR: dict[str, Any] = {
    "analyte": "saliva-cortisol",
    "unit": "nmol/L",
    "subject_column": "subject",
    "value_column": "0,1,2,3,4,5,6",
    "sample_times": ("-30", "-1", "30", "40", "50", "60", "70"),
    "time_unit": "minutes",
    "start": "2024-01-01T14:00",
}


def test_a_wide_table_is_a_row_a_person_and_a_column_a_sample(shared_data: Path) -> None:
    path = shared_data / "saliva_cortisol_stress/cortisol_sample.csv"
    report = FileReport()
    people = list(read_series(path, FileMapping(**STRESSOR), report))
    assert len(people) == 26
    assert (report.rows, report.readings, report.n_refused) == (26 * 7, 26 * 7, 0)
    first = people[0]
    assert first.subject == "Vp01"
    assert [time[11:16] for time in utc(first)] == [
        "13:30", "13:59", "14:30", "14:40", "14:50", "15:00", "15:10",
    ]  # fmt: skip
    assert first.values[[0, -1]] == pytest.approx([6.9889, 4.06615])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sample_times": None}, r"7 columns are samples: .*--times"),
        ({"sample_times": ("0", "30")}, r"names 7 columns and --times has 2"),
        ({"sample_times": ("0",) * 6 + ("noon",)}, r"--times: 'noon' is not a number"),
        ({"time_column": "condition"}, "leave --time-column out"),
        ({"value_column": None}, r"--value-column first,second.*'subject', 'condition', '0'"),
        ({"start": None}, "--start with the date and clock time of zero"),
        ({"sample_times": None, "value_column": None}, r"--time-column.*'0'.*--times"),
    ],
)
def test_a_wide_table_says_what_it_lacks(
    shared_data: Path, change: dict[str, Any], message: str
) -> None:
    path = shared_data / "saliva_cortisol_stress/cortisol_sample.csv"
    with pytest.raises(InputFileError, match=message):
        list(read_series(path, FileMapping(**{**STRESSOR, **change})))


def test_each_sample_of_a_wide_row_is_read_or_refused_for_itself(tmp_path: Path) -> None:
    path = write(tmp_path, "id,a,b,c\n1,5,NA,6\n2,x,7,<0.5\n3,8\n")
    options: dict[str, Any] = {
        "analyte": "saliva-cortisol",
        "unit": "nmol/L",
        "subject_column": "id",
    }
    options |= {"value_column": "a,b,c", "time_unit": "hours", "start": "08:00"}
    mapping = FileMapping(**options, subject="p", sample_times=("0", "1.5", "4"))
    report = FileReport()
    first, second = read_series(path, mapping, report)
    assert (report.rows, report.readings, report.absent, report.n_refused) == (9, 4, 1, 4)
    assert [time[11:16] for time in utc(first)] == ["08:00", "12:00"]
    assert (second.values.tolist(), second.comparators.tolist()) == ([7.0, 0.5], [0, -1])
    assert any("column 'a' is not a number (line 3)" in s for s in report.sentences())


# --- what a reading stands for ------------------------------------------------------------------


def series_at(*seconds: float) -> Series:
    n = len(seconds)
    return Series(
        "p-1", "heart-rate", "/min", "file", "default", None, "reported",
        times_ms=np.array([round(1_704_092_400_000 + 1000 * s) for s in seconds]),
        offset_ms=np.zeros(n, dtype=np.int64),
        values=np.full(n, 60.0),
        comparators=np.zeros(n, dtype=np.int8),
        rows=np.arange(n),
    )  # fmt: skip


def spacing(*seconds: float, longest_s: float = 7200.0) -> list[float]:
    found = series_at(*seconds).spacing_s(longest_s)
    return [] if found is None else found.tolist()


def test_readings_stand_for_the_time_between_their_neighbours() -> None:
    assert spacing(0, 60, 120, 180) == [60.0] * 4
    # a burst, and single readings around it; at the ends the one gap counts for both
    assert spacing(0, 300, 305, 310, 610) == [300, 152.5, 5, 152.5, 300]
    # a night without readings is not data
    assert spacing(0, 60, 30_060, 30_120, longest_s=600) == [60, 330, 330, 60]
    # the same time twice is one reading
    assert spacing(0, 60, 60, 120) == [60, 30, 30, 60]
    assert spacing(7) == spacing(7, 7) == []


@given(
    seconds=st.lists(st.integers(0, 1_000_000), min_size=2, max_size=30, unique=True).map(sorted),
    longest=st.sampled_from([600.0, 3600.0, 1e9]),
)
def test_spacings_add_up_to_the_time_that_is_covered(seconds: list[int], longest: float) -> None:
    spacing = series_at(*seconds).spacing_s(longest)
    assert spacing is not None
    gaps = np.minimum(np.diff(seconds), longest)
    assert spacing.sum() == pytest.approx(gaps.sum() + (gaps[0] + gaps[-1]) / 2)
    assert (spacing > 0).all()


# --- what the worker would refuse ---------------------------------------------------------------


def test_what_the_worker_would_refuse_is_refused_with_its_line(tmp_path: Path) -> None:
    rows = [
        "08:00:00Z,0.4",
        "08:30:00Z,14.5",
        "09:00:00Z,12.1",
        "09:30:00Z,40000",
        "10:00:00Z,<0.01",
    ]
    path = write(tmp_path, "time,value\n" + "".join(f"2024-01-01T{row}\n" for row in rows))
    report = FileReport()
    series = read_one(path, report, analyte="saliva-cortisol")
    latest = series.times_ms[-1] - 1
    (left,) = screen(path, [series], report, int(latest))
    assert left.values.tolist() == [0.4]
    assert (report.readings, report.n_refused) == (1, 4)
    suspect, impossible, future = report.sentences()
    assert suspect.startswith("2 refused: 14.5 ug/dL of saliva cortisol is implausible")
    assert "the same number in nmol/L" in suspect
    assert suspect.endswith("(line 3, 4)")
    assert impossible.startswith("1 refused: 40000 ug/dL")
    assert future == "1 refused: the time is in the future (line 6)"
    with pytest.raises(InputFileError, match=r"none of the readings can be used: .*future"):
        screen(path, [left], report, 0)


def test_extremes_of_real_people_are_let_through(shared_data: Path) -> None:
    path = shared_data / "wearable_heart_rate/hr_data.csv"
    series = read_one(path, start="2024-01-01T00:00")
    report = FileReport(readings=len(series))
    (same,) = screen(path, [series], report, int(series.times_ms[-1]))
    assert same is series
    assert report.n_refused == 0


# --- ways of writing a table --------------------------------------------------------------------

ZONED = "2024-01-01T08:00:00+01:00"
LATER = "2024-01-01T09:00:00+01:00"


@pytest.mark.parametrize(
    "text",
    [
        f"time,value\n{ZONED},60.5\n{LATER},61\n",
        f"time;value\r\n{ZONED};60,5\r\n{LATER};61\r\n",
        f"time\tvalue\r{ZONED}\t60.5\r{LATER}\t61",
        f"value,time\n60.5,{ZONED}\n61,{LATER}",
        f"{ZONED} 60.5\n{LATER}   61\n\n",
        f'\ufeff"time","value"\n"{ZONED}","60.5"\n"{LATER}","61"\n',
        f'{{"time": "{ZONED}", "value": 60.5}}\n\n{{"value": 61, "time": "{LATER}"}}\n',
        f"Time,note,Value\n{ZONED},,60.5\n{LATER},x,61\n",
    ],
    ids=["comma", "semicolon", "tab-cr", "order", "spaces", "bom-quotes", "json", "case"],
)
def test_spellings_of_one_table(tmp_path: Path, text: str) -> None:
    wide = "note" in text
    series = read_one(write(tmp_path, text), value_column="value" if wide else None)
    assert utc(series) == ["2024-01-01T07:00:00", "2024-01-01T08:00:00"]
    assert series.values.tolist() == [60.5, 61.0]
    assert series.offset_ms.tolist() == [3_600_000, 3_600_000]
    assert series.unit == "/min"


def test_columns_by_number_and_header_less_files(tmp_path: Path) -> None:
    path = write(tmp_path, f"x1,61,{LATER}\nx2,60,{ZONED}\n")
    series = read_one(path, time_column="3", value_column="2")
    assert series.values.tolist() == [60.0, 61.0]
    assert series.rows.tolist() == [2, 1]
    with pytest.raises(InputFileError, match="no header; its columns are 1 to 3"):
        read_one(path, time_column="time", value_column="2")


def test_the_column_of_dates_is_found_by_its_look(tmp_path: Path) -> None:
    rows = f'{{"n": 1, "wann": "{ZONED}", "puls": 60}}\n' * 2
    series = read_one(write(tmp_path, rows), value_column="puls")
    assert series.values.tolist() == [60.0, 60.0]
    two = f'{{"wann": "{ZONED}", "puls": 60}}\n'
    assert read_one(write(tmp_path, two)).values.tolist() == [60.0]
    both = f'{{"from": "{ZONED}", "to": "{ZONED}", "puls": 60}}\n'
    with pytest.raises(InputFileError, match="--time-column"):
        read_one(write(tmp_path, both), value_column="puls")


def test_a_column_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    path = write(tmp_path, f"when,pulse,who\n{ZONED},60,x-1\n")
    with pytest.raises(InputFileError, match=r"no column 'hr'\. The columns are: 'when', 'pulse'"):
        read_one(path, time_column="when", value_column="hr")


def test_absent_values_are_never_zero(tmp_path: Path) -> None:
    report = FileReport()
    text = "".join(f"2024-01-01T08:0{i}:00Z,{v}\n" for i, v in enumerate(["60", "NA", "", "nan"]))
    series = read_one(write(tmp_path, "time,value\n" + text), report)
    assert series.values.tolist() == [60.0]
    assert (report.readings, report.absent, report.n_refused) == (1, 3, 0)


def test_results_beyond_the_assay_keep_their_sign(tmp_path: Path) -> None:
    path = write(tmp_path, f"time;value\n{ZONED};<0,3\n{LATER};2,5\n2024-01-01T10:00+01:00;>50\n")
    series = read_one(path, analyte="saliva-melatonin")
    assert series.comparators.tolist() == [-1, 0, 1]
    low, middle, high = to_batches(series)
    assert isinstance(low, Reading)
    assert (low.value, low.comparator) == (0.3, "<")
    assert isinstance(middle, ReadingBatch)
    assert isinstance(high, Reading)
    assert (high.value, high.comparator) == (50.0, ">")


# --- clocks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "time_unit", "zone", "start", "expected"),
    [
        ("1704092400", "auto", "Europe/Berlin", None, "2024-01-01T07:00:00"),
        ("1704092400000", "auto", "+01:00", None, "2024-01-01T07:00:00"),
        ("1/31/2024 8:00:00 PM", "auto", "+00:00", None, "2024-01-31T20:00:00"),
        ("31.01.2024 20:00", "auto", "+00:00", None, "2024-01-31T20:00:00"),
        ("2024-01-31 20:00", "auto", "America/New_York", None, "2024-02-01T01:00:00"),
        ("90", "minutes", None, "2024-01-01T06:15+02:00", "2024-01-01T05:45:00"),
        ("1.5", "hours", "Europe/Berlin", "2024-07-01T06:00", "2024-07-01T05:30:00"),
        ("7.5", "clock-hour", "+01:00", "2024-01-01", "2024-01-01T06:30:00"),
        ("12345", "epoch-s", None, "2024-01-01T06:15", "2024-01-01T06:15:00"),
    ],
)
def test_ways_of_telling_time(
    tmp_path: Path, cell: str, time_unit: str, zone: str | None, start: str | None, expected: str
) -> None:
    path = write(tmp_path, f"time,value\n{cell},60\n")
    assert utc(read_one(path, time_unit=time_unit, zone=zone, start=start)) == [expected]


def test_clock_hours_go_on_into_the_next_day(tmp_path: Path) -> None:
    path = write(tmp_path, "hour,value\n22,60\n24,61\n1,62\n23,63\n0.5,64\n")
    series = read_one(
        path, time_column="hour", time_unit="clock-hour", start="2024-01-01", zone="+00:00"
    )
    assert utc(series) == [
        "2024-01-01T22:00:00",
        "2024-01-02T00:00:00",
        "2024-01-02T01:00:00",
        "2024-01-02T23:00:00",
        "2024-01-03T00:30:00",
    ]


def test_clock_changes(tmp_path: Path) -> None:
    report = FileReport()
    path = write(
        tmp_path,
        "time,value\n2024-03-31 01:30,60\n2024-03-31 02:30,61\n2024-03-31 03:30,62\n"
        "2024-10-27 01:30,63\n2024-10-27 02:30,64\n2024-10-27 03:30,65\n",
    )
    series = read_one(path, report, zone="Europe/Berlin")
    assert utc(series) == [
        "2024-03-31T00:30:00",
        "2024-03-31T01:30:00",  # 02:30 did not exist: half an hour after the change
        "2024-03-31T01:30:00",
        "2024-10-26T23:30:00",
        "2024-10-27T00:30:00",  # 02:30 came twice: the first
        "2024-10-27T02:30:00",
    ]
    notes = " ".join(report.notes)
    assert "came twice" in notes
    assert "left out" in notes
    assert report.notes["at the same time as another of the same person, of which the first counts"]


def test_a_batch_ends_where_the_clocks_change(tmp_path: Path) -> None:
    change = 1711846800  # 31 March 2024, 01:00 UTC
    rows = "".join(f"{change + 60 * minute},60\n" for minute in range(-3, 3))
    series = read_one(write(tmp_path, rows), zone="Europe/Berlin")
    winter, summer = to_batches(series)
    assert winter.collected_at.utcoffset() == timedelta(hours=1)
    assert summer.collected_at.utcoffset() == timedelta(hours=2)
    assert winter.zone == summer.zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("time,value\n01/02/2024 08:00,60\n", {"zone": "+00:00"}, "day first or month first"),
        ("time,value\n1704092400,60\n", {}, "--zone"),
        ("time,value\n30,60\n", {"time_unit": "minutes"}, "--start"),
        ("time,value\n30,60\n", {"time_unit": "minutes", "start": "noon"}, "'noon' is no start"),
        (f"time,value\n{ZONED},60\n", {"zone": "Mars/Base"}, "no time zone"),
        (f"time,value\n{ZONED},60\n", {"start": "2024-01-01"}, "--start is for files"),
        ("time,value\nyesterday,60\n", {"zone": "+00:00"}, "--time-format"),
        (f"time,value\n{ZONED},60\n", {"unit": "kg"}, "no unit of heart-rate"),
        ('time,value\n2024-01-01T08:00Z,60\n2024-01-01T08:01Z,"61\n', {}, "line 3.*left open"),
        ('time,note,value\n2024-01-01T08:00Z,"a "b" c",60\n', {}, "line 2.*doubled"),
        ("", {}, "is empty"),
        ("\n \n", {}, "is empty"),
        ("time,value\n", {}, "no row of data"),
        ('[{"time": 1}]', {}, "one JSON object a line"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(
    tmp_path: Path, text: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputFileError, match=message):
        read_one(write(tmp_path, text), **options)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such file"):
        read_one(tmp_path / "absent.csv")
    with pytest.raises(InputFileError, match="directory"):
        read_one(tmp_path)
    latin = tmp_path / "latin.csv"
    latin.write_bytes(b"time,value\n2024-01-01,\xe4\n")
    with pytest.raises(InputFileError, match="not UTF-8"):
        read_one(latin)
    with pytest.raises(CatalogueError, match="heart-rate"):
        read_one(tmp_path, analyte="hart-rate")
    for zone in ("+25:00", "../etc/passwd", ""):
        with pytest.raises(InputFileError, match="no time zone"):
            parse_zone(zone)


def test_broken_rows_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f"time,value,who\n{ZONED},60,x-1\n{LATER},many,x-1\nnever,60,x-1\n{LATER},inf,x-1\n"
        f"{LATER},61\n1999-12-31T23:00:00Z,60,x-1\n2024-01-01T08:00,60,x-1\n{LATER},62,x-1\n",
    )
    report = FileReport()
    series = read_one(path, report, value_column="value", subject_column="who")
    assert series.values.tolist() == [60.0, 62.0]
    assert (report.rows, report.readings, report.n_refused) == (8, 2, 6)
    refused = {line: reason for reason, r in report.refused.items() for line in r.lines}
    assert "'value' is not a number" in refused[3]
    assert "'time' is no time" in refused[4]
    assert "'value' is not a finite number" in refused[5]
    assert "2 columns and not 3" in refused[6]
    assert "before 2000" in refused[7]
    assert "'time' has no offset" in refused[8]
    with pytest.raises(InputFileError, match="line 3: column 'value' is not a number"):
        read_one(path, value_column="value", subject_column="who")


def test_a_file_without_one_good_row_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"none of the 2 rows.*not a number"):
        read_one(write(tmp_path, f"time,value\n{ZONED},a\n{LATER},b\n"), FileReport())


def test_a_broken_json_line_is_named(tmp_path: Path) -> None:
    report = FileReport()
    lines = [
        f'{{"time": "{ZONED}", "value": 60}}',
        "{",
        "[1]",
        f'{{"time": "{LATER}", "value": 1}}',
    ]
    series = read_one(write(tmp_path, "\n".join(lines)), report)
    assert len(series) == 2
    assert report.refused["the line is no JSON object"].lines == [2, 3]


# --- subjects -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1", "study-1"),
        ("1.0", "study-1"),
        (" 42 ", "study-42"),
        ("007", "study-007"),
        ("Vp01", "Vp01"),
        ("x_9", "x_9"),
    ],
)
def test_pseudonyms(cell: str, expected: str) -> None:
    assert pseudonym(cell, "study") == expected


@pytest.mark.parametrize(
    "cell", ["jane.doe@clinic.org", "Jane Doe", "Doe", "4857773456", "1980-05-01", "mrn-12345", ""]
)
def test_names_are_refused_and_never_repeated(tmp_path: Path, cell: str) -> None:
    report = FileReport()
    path = write(tmp_path, f"who,time,value\nx-1,{ZONED},60\n{cell},{LATER},61\n")
    series = read_one(path, report, subject_column="who", value_column="value")
    assert series.subject == "x-1"
    (reason,) = report.refused
    assert report.refused[reason].lines == [3]
    assert "no pseudonym" in reason
    assert not cell or cell not in " ".join(report.sentences())


def test_a_given_subject_that_is_a_name_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, f"time,value\n{ZONED},60\n")
    with pytest.raises(InputFileError, match="--subject") as caught:
        read_one(path, subject="Jane")
    assert "Jane" not in str(caught.value)


def test_the_header_is_told_from_data(tmp_path: Path) -> None:
    assert open_table(write(tmp_path, "0   1.9\n10\t1.8\n")).names is None
    assert open_table(write(tmp_path, "subject,0,1\nVp01,6.9,7.0\n"), ["subject"]).names == (
        "subject",
        "0",
        "1",
    )
