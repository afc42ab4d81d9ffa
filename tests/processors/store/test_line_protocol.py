"""Line protocol, read back by a reader written from the specification."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processors.store.flux import text_literal
from processors.store.line_protocol import encode
from processors.store.rows import MAX_TIME_MS, MIN_TIME_MS, checked
from schemas.measurements import EVENT, READING, Measurement, Row

T0 = 1_700_000_000_000


def lines(measurement: Measurement, *rows: Row) -> list[str]:
    return encode(measurement, checked(measurement, rows))


def reading(**values: Any) -> Row:
    plain = {**dict.fromkeys(READING.columns), "site": "s", "subject": "p1", "analyte": "a"}
    return tuple((plain | {"time": T0} | values).values())


# https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/: a backslash escapes
# comma, equals sign and space in tags, quote and backslash in strings, and is itself elsewhere.
_TAG_TEXT = r"(?:\\[,= ]|[^,= ])+"
_STRING = r'"(?:\\["\\]|[^"\\])*"'
_FIELD = re.compile(rf"(\w+)=({_STRING}|[^, ]+)(?:,|$)")


def read(line: str) -> tuple[str, dict[str, str], dict[str, Any], int]:
    match = re.fullmatch(
        rf"(\w+)((?:,\w+={_TAG_TEXT})*) ((?:\w+=(?:{_STRING}|[^, ]+),?)+) (-?\d+)", line, re.S
    )
    assert match, line
    name, tags, fields, time_ms = match.groups()
    return (
        name,
        {
            key: re.sub(r"\\([,= ])", r"\1", value)
            for key, value in re.findall(rf",(\w+)=({_TAG_TEXT})", tags, re.S)
        },
        {key: _value(text) for key, text in _FIELD.findall(fields)},
        int(time_ms),
    )


def _value(text: str) -> Any:
    if text.startswith('"'):
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if text in ("true", "false"):
        return text == "true"
    return int(text[:-1]) if text.endswith("i") else float(text)


def test_one_line_by_hand() -> None:
    row = reading(value=12.5, low=12.0, high=13, n=2, clock_hour=7.25, device="w 1", live=True)
    assert lines(READING, row) == [
        "reading,analyte=a,site=s,subject=p1 "
        f'value=12.5,low=12.0,high=13.0,n=2i,clock_hour=7.25,device="w 1",live=true {T0}'
    ]


def test_absent_fields_are_left_out_wherever_they_stand() -> None:
    assert lines(READING, reading(live=False), reading(value=1.0), reading()) == [
        f"reading,analyte=a,site=s,subject=p1 live=false {T0}",
        f"reading,analyte=a,site=s,subject=p1 value=1.0 {T0}",
    ]
    assert lines(READING) == []


def test_tags_escape_only_what_they_must() -> None:
    (line,) = lines(EVENT, ("a=b", "c,d e", "f\\g", T0, 'say "\\"', 0.5))
    assert line == (
        f'event,kind=f\\g,site=a\\=b,subject=c\\,d\\ e text="say \\"\\\\\\"",clock_hour=0.5 {T0}'
    )


_text = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
_tag = _text.filter(lambda text: not text.endswith("\\"))
_finite = st.none() | st.floats(allow_nan=False, allow_infinity=False)
_integers = st.none() | st.integers(-(2**63), 2**63 - 1)


@given(
    st.lists(
        st.builds(
            reading, site=_tag, subject=_tag, analyte=_tag,
            time=st.integers(MIN_TIME_MS, MAX_TIME_MS),
            value=_finite, low=_finite, n=_integers,
            original=st.none() | _text, live=st.none() | st.booleans(),
        ),
        max_size=5,
    )
)  # fmt: skip
def test_what_is_written_can_be_read(rows: list[Row]) -> None:
    expected = [row for row in rows if any(value is not None for value in row[4:])]
    written = lines(READING, *rows)
    assert len(written) == len(expected)
    for line, row in zip(written, expected, strict=True):
        name, tags, fields, time_ms = read(line)
        given_fields = dict(zip(READING.columns[4:], row[4:], strict=True))
        assert name == "reading"
        assert tags == dict(zip(READING.tags, row[:3], strict=True))
        assert fields == {key: v for key, v in given_fields.items() if v is not None}
        assert time_ms == row[3]


@given(_text)
def test_flux_literals_cannot_be_left(text: str) -> None:
    literal = text_literal(text)
    assert re.fullmatch(r'"(?:\\["\\]|\\x24|[^"\\$])*"', literal, re.S)
    inner = re.sub(r'\\(x24|["\\])', lambda m: "$" if m[1] == "x24" else m[1], literal[1:-1])
    assert inner == text
