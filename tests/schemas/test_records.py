"""What travels: readings, events, dead letters, results; round trips and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.dead_letters import DeadLetter
from schemas.errors import Reason
from schemas.events import Dose, Profile, Sleep, parse_event
from schemas.readings import Reading, ReadingBatch, check_subject, oldest_time, parse_reading

READING: dict[str, Any] = {
    "schema": 1,
    "subject": "twin-0412",
    "device": "watch-7",
    "code": "8867-4",
    "unit": "/min",
    "collected_at": "2026-03-01T07:30:00+02:00",
    "value": 61.5,
}
BATCH: dict[str, Any] = {
    **{name: value for name, value in READING.items() if name != "value"},
    "offsets_ms": [0, 60_000],
    "values": [61.5, 62.0],
}
EVENT: dict[str, Any] = {"subject": "twin-0412", "at": "2026-03-01T07:30:00+02:00"}


def _bytes(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode()


@pytest.mark.parametrize(
    "record",
    [
        READING,
        {**READING, "value": 0.5, "comparator": "<"},
        {**READING, "value": None, "absent_reason": "haemolysed"},
        {**READING, "zone": "Europe/Helsinki", "timing": "device", "interval_s": 60.0},
        {**READING, "received_at": "2026-03-01T05:31:00Z", "assayed_at": "2026-03-02T05:31:00Z"},
        BATCH,
    ],
)
def test_a_reading_survives_the_wire(record: dict[str, Any]) -> None:
    reading = parse_reading(_bytes(record))
    assert isinstance(reading, ReadingBatch if "values" in record else Reading)
    again = json.loads(reading.model_dump_json(by_alias=True))
    assert record.items() <= again.items()
    assert parse_reading(_bytes(again)) == reading


def test_the_wearers_offset_is_kept() -> None:
    reading = parse_reading(_bytes(READING))
    assert reading.collected_at.utcoffset() == timedelta(hours=2)
    assert reading.collected_at.hour == 7


def test_a_later_versions_optional_field_is_ignored() -> None:
    assert parse_reading(_bytes({**READING, "posture": "sitting"})) == parse_reading(
        _bytes(READING)
    )


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"subject": "anna@example.org"}, "subject"),
        ({"subject": None}, "subject"),
        ({"device": ""}, "device"),
        ({"device": "d" * 129}, "device"),
        ({"site": "a b"}, "site"),
        ({"code": 8867}, "code"),
        ({"unit": None}, "unit"),
        ({"value": "61.5"}, "value"),
        ({"value": True}, "value"),
        ({"comparator": "<="}, "comparator"),
        ({"collected_at": "2026-03-01T07:30:00"}, "collected_at"),
        ({"collected_at": "yesterday"}, "collected_at"),
        ({"collected_at": 1_772_343_000}, "collected_at"),
        ({"received_at": "2026-03-01T07:30:00"}, "received_at"),
        ({"timing": "guessed"}, "timing"),
        ({"interval_s": 0}, "interval_s"),
        ({"value": None}, ""),
        ({"absent_reason": "lost"}, ""),
    ],
)
def test_a_malformed_reading_is_refused_at_its_field(change: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_reading(_bytes({**READING, **change}))
    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == where


@pytest.mark.parametrize(
    "change",
    [
        {"values": [61.5]},
        {"values": [], "offsets_ms": []},
        {"offsets_ms": [0, 0.5]},
        {"values": [61.5, None]},
        {"values": [0.0] * 100_001, "offsets_ms": [0] * 100_001},
    ],
)
def test_a_malformed_batch_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parse_reading(_bytes({**BATCH, **change}))


@pytest.mark.parametrize("value", [b"", b"[]", b"{", b"null", b"\xff\xfe", b"[" * 5000])
def test_what_is_no_json_object_is_refused(value: bytes) -> None:
    with pytest.raises(ValidationError):
        parse_reading(value)
    with pytest.raises(ValidationError):
        parse_event(value)


@pytest.mark.parametrize(
    "subject", ["twin-0412", "P01", "a1b", "0f9c2e7a", "x_1-2", "s" * 63 + "1"]
)
def test_pseudonyms_pass(subject: str) -> None:
    assert check_subject(subject) == subject


@pytest.mark.parametrize(
    "subject",
    [
        "anna@example.org",
        "anna",
        "Anna-Schmidt",
        "anna_schmidt",
        "1985-03-12",
        "123456789",
        "555-0199",
        "MRN12345",
        "mrn-12345",
        "patient_id_77",
        "ssn123456789",
        "dob-19850312",
        "phone0199",
        "a1",
        "s" * 64 + "1",
        "twin 0412",
        "twin-0412\n",  # would end a line of the store's protocol
        "twin/0412",
        "-twin1",
        "zoë-1",
        "",
    ],
)
def test_what_may_identify_a_person_is_refused_and_not_repeated(subject: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_reading(_bytes({**READING, "subject": subject}))
    (error,) = caught.value.errors()
    assert error["type"] == "identifying_subject"
    assert not subject or subject not in error["msg"]
    with pytest.raises(ValidationError, match="no pseudonym"):
        parse_event(_bytes({**EVENT, "kind": "wake", "subject": subject}))


@given(st.text(max_size=70))
def test_an_accepted_subject_is_safe_in_keys_tags_and_addresses(subject: str) -> None:
    try:
        check_subject(subject)
    except ValueError:
        return
    assert subject.isascii()
    assert subject.replace("-", "").replace("_", "").isalnum()
    assert 3 <= len(subject) <= 64


@pytest.mark.parametrize(
    ("record", "model"),
    [
        (
            {"kind": "dose", "substance": "hydrocortisone", "amount": 10.0}
            | {"unit": "mg", "route": "oral"},
            Dose,
        ),
        ({"kind": "sleep", "verified": True}, Sleep),
        ({"kind": "wake"}, Sleep),
        ({"kind": "profile", "birth_year": 1985, "sex": "female"}, Profile),
        ({"kind": "profile"}, Profile),
    ],
)
def test_an_event_survives_the_wire(record: dict[str, Any], model: type) -> None:
    event = parse_event(_bytes({**EVENT, **record}))
    assert type(event) is model
    assert parse_event(event.model_dump_json(by_alias=True).encode()) == event
    assert event.at.utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"kind": "party"},
        {"kind": "dose", "substance": "x", "amount": 0, "unit": "mg", "route": "oral"},
        {"kind": "dose", "substance": "x", "amount": 1.0, "unit": "mg"},
        {"kind": "profile", "birth_year": 1685},
        {"kind": "profile", "sex": "other"},
        {"kind": "wake", "at": "2026-03-01T07:30:00"},
    ],
)
def test_a_malformed_event_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parse_event(_bytes({**EVENT, **record}))


@given(
    reason=st.sampled_from(Reason),
    detail=st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    partition=st.integers(0, 1000),
    offset=st.integers(0, 2**62),
    time=st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1)),
    elements=st.lists(st.integers(0, 99_999), max_size=20),
    offset_h=st.integers(-12, 14),
)
def test_dead_letter_headers_say_everything_back(
    reason: Reason,
    detail: str,
    partition: int,
    offset: int,
    time: datetime,
    elements: list[int],
    offset_h: int,
) -> None:
    letter = DeadLetter(
        reason=reason,
        detail=detail,
        topic="readings",
        partition=partition,
        offset=offset,
        time=time.replace(tzinfo=timezone(timedelta(hours=offset_h))),
        elements=tuple(elements),
    )
    assert DeadLetter.from_headers(letter.headers()) == letter
    assert DeadLetter.from_headers(letter.headers()).time.tzinfo == UTC


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reason", b"bored"),
        ("offset", b"-1"),
        ("partition", b"two"),
        ("time", b"noon"),
        ("elements", b"1,x"),
        ("detail", None),
        ("trace", b"1"),
        ("reason", b"\xff"),
    ],
)
def test_headers_that_are_not_ours_are_refused(name: str, value: bytes | None) -> None:
    letter = DeadLetter(
        reason=Reason.FUTURE, detail="d", topic="t", partition=0, offset=0, time=oldest_time()
    )
    headers = dict(letter.headers())
    if value is None:
        del headers[name]
    else:
        headers[name] = value
    with pytest.raises(ValidationError):
        DeadLetter.from_headers(list(headers.items()))
