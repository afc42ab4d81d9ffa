"""What senders get wrong: the table, for the engine's tests and for those on a broker.

Each entry is a record that cannot be used (or a part of one), the reason that it must be refused
for, and words that the sentence beside the reason must have: what is wrong or what would be right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from schemas.catalogue import load_catalogue
from schemas.errors import Reason
from schemas.topics import EVENTS, READINGS

SUBJECT = "twin-0412"
KEY = SUBJECT.encode()
# Every record of the table is received at this time (and has no received_at unless it says so).
RECEIVED_AT = "2026-03-01T06:00:00+00:00"
RECEIVED_MS = 1_772_344_800_000

READING: dict[str, Any] = {
    "schema": 1,
    "subject": SUBJECT,
    "device": "kit-7",
    "code": "2142-8",
    "unit": "ug/dL",
    "collected_at": "2026-03-01T07:30:00+02:00",
    "value": 0.2,
}
BATCH: dict[str, Any] = {
    **{name: value for name, value in READING.items() if name != "value"},
    "offsets_ms": [-120_000, -60_000, 0],
    "values": [0.2, 0.21, 0.19],
}
DOSE: dict[str, Any] = {
    "schema": 1,
    "kind": "dose",
    "subject": SUBJECT,
    "at": "2026-03-01T07:30:00+02:00",
    "substance": "melatonin",
    "amount": 1.0,
    "unit": "mg",
    "route": "oral",
}
PROFILE: dict[str, Any] = {
    "schema": 1,
    "kind": "profile",
    "subject": SUBJECT,
    "at": "2026-03-01T07:30:00+02:00",
    "birth_year": 1980,
}


class Bad(NamedTuple):
    """One record that cannot be used. `elements`: positions, if the rest of a batch can."""

    name: str
    value: bytes | None
    reason: Reason
    words: str  # a regular expression
    key: bytes | None = KEY
    elements: tuple[int, ...] = ()
    topic: str = READINGS.name


def changed(record: Mapping[str, Any], **fields: Any) -> bytes:
    """The record with other fields; ``...`` takes one out."""
    merged = {name: value for name, value in {**record, **fields}.items() if value is not ...}
    return json.dumps(merged).encode()


def spelled(record: Mapping[str, Any], name: str, text: str) -> bytes:
    """The record with this JSON text as the value of a field."""
    return json.dumps({**record, name: "@@"}).replace('"@@"', text).encode()


_DEEP = "[" * 1000 + "]" * 1000
_RECORD = changed(READING)
_ABSURD_INTEGER = "1" + "0" * 5000

_UNDECODABLE = (
    ("empty value", b""),
    ("bytes of something else", b"\x00\x01\xff\xfe\x89PNG"),
    ("cut short", _RECORD[:-7]),
    ("no closing quote", b'{"subject": "twin-0412'),
    ("two records in one", _RECORD + _RECORD),
    ("a byte order mark", b"\xef\xbb\xbf" + _RECORD),
    ("UTF-16", changed(READING).decode().encode("utf-16")),
    ("invalid UTF-8 in a field", _RECORD[:-1] + b', "zone": "Europe/\xff"}'),
    ("a lone surrogate", spelled(READING, "zone", '"\\ud800"')),
    ("a thousand deep", b"[" * 1000),
    ("a thousand deep, objects", b'{"a": ' * 1000 + b"1" + b"}" * 1000),
    ("a thousand deep within a field", spelled(READING, "notes", _DEEP)),
    ("an integer of 5000 digits", spelled(READING, "value", _ABSURD_INTEGER)),
    ("a comment", _RECORD[:-1] + b" /* as agreed */}"),
)
_MALFORMED = (
    ("no value at all", None, "no value"),
    ("null", b"null", "object"),
    ("a list", b"[]", "object"),
    ("a number", b"5", "object"),
    ("no subject", changed(READING, subject=...), "subject"),
    ("no device", changed(READING, device=...), "device"),
    ("no code", changed(READING, code=...), "code"),
    ("no unit", changed(READING, unit=...), "unit"),
    ("no time", changed(READING, collected_at=...), "collected_at"),
    ("neither value nor reason", changed(READING, value=...), "value or absent_reason"),
    ("value and reason", changed(READING, absent_reason="lost"), "not both"),
    ("null value", changed(READING, value=None), "value or absent_reason"),
    ("number in quotes", changed(READING, value="0.2"), "value.*number"),
    ("boolean as value", changed(READING, value=True), "value.*number"),
    ("list as value", changed(READING, value=[0.2]), "value.*number"),
    ("nonsense comparator", changed(READING, comparator="<="), "comparator.*'<' or '>'"),
    ("number as code", changed(READING, code=21428), "code.*string"),
    ("number as subject", changed(READING, subject=412), "subject"),
    ("empty device", changed(READING, device=""), "device"),
    ("device of 129 characters", changed(READING, device="d" * 129), "device.*128"),
    ("site with a blank", changed(READING, site="ward 7"), "site"),
    ("zone of 65 characters", changed(READING, zone="z" * 65), "zone.*64"),
    ("unknown timing", changed(READING, timing="guessed"), "timing.*'device'"),
    ("time as a number", changed(READING, collected_at=1_772_343_000), "collected_at.*datetime"),
    ("time as a number in quotes", changed(READING, collected_at="1772343000"), "collected_at"),
    ("time in words", changed(READING, collected_at="yesterday"), "collected_at.*datetime"),
    ("a date only", changed(READING, collected_at="2026-03-01"), "collected_at.*datetime"),
    (
        "no such day",
        changed(READING, collected_at="2026-02-30T07:30:00Z"),
        "collected_at.*datetime",
    ),
    ("schema in quotes", changed(READING, schema="1"), "schema.*integer"),
    ("schema true", changed(READING, schema=True), "schema.*integer"),
    ("sampling interval 0", changed(READING, interval_s=0), "interval_s.*greater than 0"),
    ("empty batch", changed(BATCH, offsets_ms=[], values=[]), "offsets_ms.*at least 1"),
    ("batch of unequal columns", changed(BATCH, values=[0.2, 0.3]), "same length"),
    ("batch without times", changed(BATCH, offsets_ms=...), "offsets_ms"),
    ("batch without a column", changed(BATCH, values=None), "values"),
    ("null within a batch", changed(BATCH, values=[0.2, None, 0.3]), "values.1"),
    ("number in quotes within a batch", changed(BATCH, values=[0.2, "0.2", 0.3]), "values.1"),
    ("boolean within a batch", changed(BATCH, values=[0.2, 0.2, False]), "values.2"),
    ("fraction of a millisecond", changed(BATCH, offsets_ms=[0, 0.5, 1]), "offsets_ms.1"),
    ("offsets of centuries", changed(BATCH, offsets_ms=[0, 1, 10**13]), "400 days"),
    ("offsets beyond 64 bits", changed(BATCH, offsets_ms=[0, 1, 10**30]), "400 days"),
    ("comparator for a whole batch", changed(BATCH, comparator="<"), "comparator"),
    ("100,001 readings", changed(BATCH, offsets_ms=[0] * 100_001, values=[1] * 100_001), "100000"),
)
_PSEUDONYM = "no pseudonym"
_IDENTIFYING = (
    ("an e-mail address", "jane.doe@example.org"),
    ("a name", "Jane Doe"),
    ("a name joined", "jane-doe"),
    ("a name alone", "jane"),
    ("a record number", "mrn-0012345"),
    ("a patient number", "PatientNo7731"),
    ("an insurance number", "123-45-6789"),
    ("a birthday", "1980-02-29"),
    ("a telephone number", "tel0049301234567"),
    ("nothing", ""),
    ("too short", "a1"),
    ("too long", "a1" * 33),
    ("a slash", "twin/0412"),
    ("a name in another script", "Ιωάννα-1"),
)
_OTHERS = (
    Bad("10 MB", changed(READING, zone="z" * 10_000_000), Reason.TOO_LARGE, "smaller batches"),
    Bad("wrong key", _RECORD, Reason.WRONG_KEY, "key.*subject", b"twin-0413"),
    Bad("no key", _RECORD, Reason.WRONG_KEY, "key.*subject", None),
    Bad("empty key", _RECORD, Reason.WRONG_KEY, "key.*subject", b""),
    Bad("key in capitals", _RECORD, Reason.WRONG_KEY, "key.*subject", b"TWIN-0412"),
    Bad(
        "the subject twice",
        _RECORD[:-1] + b', "subject": "twin-0413"}',
        Reason.WRONG_KEY,
        "key.*subject",
    ),
    Bad(
        "unknown code",
        changed(READING, code="2142-9"),
        Reason.UNKNOWN_CODE,
        "2142-8 is saliva cortisol",
    ),
    Bad("empty code", changed(READING, code=""), Reason.UNKNOWN_CODE, r"knows \d+ codes"),
    Bad("no unit of anything", changed(READING, unit="furlongs"), Reason.UNKNOWN_UNIT, "'ug/dL'"),
    Bad("empty unit", changed(READING, unit=""), Reason.UNKNOWN_UNIT, "send 'ug/dL'"),
    Bad("unit of something else", changed(READING, unit="mm[Hg]"), Reason.UNKNOWN_UNIT, "convert"),
    Bad("international units", changed(READING, unit="[IU]/L"), Reason.UNKNOWN_UNIT, "convert"),
    Bad("absurd power", changed(READING, unit="10*999999999"), Reason.UNKNOWN_UNIT, "'ug/dL'"),
    Bad("value of another unit", changed(READING, value=8.0), Reason.UNIT_SUSPECT, "in nmol/L or"),
    Bad(
        "another unit within a batch",
        changed(BATCH, values=[8.0, 7.0, 9.0]),
        Reason.UNIT_SUSPECT,
        "send it with the unit it was measured in",
    ),
    Bad(
        "degrees of Fahrenheit",
        changed(READING, code="39106-0", unit="Cel", value=95.0),
        Reason.UNIT_SUSPECT,
        r"in \[degF\]",
    ),
    Bad("below nothing", changed(READING, value=-0.2), Reason.OUT_OF_LIMITS, "0.0005 to 50 ug/dL"),
    Bad("beyond everything", changed(READING, value=1e9), Reason.OUT_OF_LIMITS, "0.0005 to 50"),
    Bad("zero", changed(READING, value=0), Reason.OUT_OF_LIMITS, "comparator '<'"),
    Bad(
        "a heart of 400 beats",
        changed(READING, code="8867-4", unit="/min", value=400.0),
        Reason.OUT_OF_LIMITS,
        "25 to 230 /min",
    ),
    Bad("NaN", spelled(READING, "value", "NaN"), Reason.NOT_FINITE, "finite"),
    Bad("Infinity", spelled(READING, "value", "Infinity"), Reason.NOT_FINITE, "finite"),
    Bad("-Infinity", spelled(READING, "value", "-Infinity"), Reason.NOT_FINITE, "finite"),
    Bad("1e400", spelled(READING, "value", "1e400"), Reason.NOT_FINITE, "finite"),
    Bad("-1e400", spelled(READING, "value", "-1e400"), Reason.NOT_FINITE, "finite"),
    Bad("400 digits", spelled(READING, "value", "1" + "0" * 400), Reason.NOT_FINITE, "finite"),
    Bad("interval NaN", spelled(READING, "interval_s", "NaN"), Reason.NOT_FINITE, "interval_s"),
    Bad(
        "six minutes ahead",
        changed(READING, collected_at="2026-03-01T06:06:00Z"),
        Reason.FUTURE,
        "check the clock",
    ),
    Bad(
        "in the year 9999",
        changed(READING, collected_at="9999-12-31T23:59:59-12:00"),
        Reason.FUTURE,
        "check the clock",
    ),
    Bad(
        "after it was received",
        changed(READING, received_at="2026-03-01T04:00:00Z"),
        Reason.FUTURE,
        "after it was received",
    ),
    Bad(
        "received tomorrow",
        changed(READING, received_at="2026-03-02T06:00:00Z"),
        Reason.FUTURE,
        "received_at lies in the future",
    ),
    Bad(
        "all of a batch ahead",
        changed(BATCH, collected_at="2026-03-01T09:00:00Z"),
        Reason.FUTURE,
        "check the clock",
    ),
    Bad(
        "a dead clock",
        changed(READING, collected_at="1999-12-31T23:59:59Z"),
        Reason.TOO_OLD,
        "before the year 2000",
    ),
    Bad(
        "in the year 1",
        changed(READING, collected_at="0001-01-01T00:00:00+14:00"),
        Reason.TOO_OLD,
        "before the year 2000",
    ),
    Bad(
        "no offset",
        changed(READING, collected_at="2026-03-01T07:30:00"),
        Reason.NO_OFFSET,
        r"collected_at has no offset.*write it like 2026-03-01T07:30:00\+01:00",
    ),
    Bad(
        "no offset of a batch",
        changed(BATCH, collected_at="2026-03-01 07:30:00"),
        Reason.NO_OFFSET,
        "write it like",
    ),
    Bad(
        "received without offset",
        changed(READING, received_at="2026-03-01T07:31:00"),
        Reason.NO_OFFSET,
        "received_at has no offset",
    ),
    Bad("schema 2", changed(READING, schema=2), Reason.UNSUPPORTED_SCHEMA, "reads schema 1"),
    Bad("schema 0", changed(READING, schema=0), Reason.UNSUPPORTED_SCHEMA, "reads schema 1"),
    Bad("schema 10^50", changed(READING, schema=10**50), Reason.UNSUPPORTED_SCHEMA, "schema 1"),
    Bad(
        "one of a batch below nothing",
        changed(BATCH, values=[0.2, -1.0, 0.19]),
        Reason.OUT_OF_LIMITS,
        "-1 ug/dL",
        elements=(1,),
    ),
    Bad(
        "two of a batch not finite",
        spelled(BATCH, "values", "[NaN, 0.2, Infinity]"),
        Reason.NOT_FINITE,
        "finite",
        elements=(0, 2),
    ),
    Bad(
        "the last of a batch ahead",
        changed(BATCH, offsets_ms=[0, 60_000, 7_200_000]),
        Reason.FUTURE,
        "check the clock",
        elements=(2,),
    ),
    Bad(
        "the first of a batch with a dead clock",
        changed(BATCH, collected_at="2000-01-01T00:00:00Z", offsets_ms=[-1, 0, 1]),
        Reason.TOO_OLD,
        "before the year 2000",
        elements=(0,),
    ),
)
_EVENTS = (
    Bad("no JSON", b"dose taken", Reason.UNDECODABLE, "not JSON"),
    Bad("a thousand deep", b'{"kind": ' * 1000, Reason.UNDECODABLE, "not JSON"),
    Bad("a lone surrogate", spelled(DOSE, "kind", '"\\ud800"'), Reason.UNDECODABLE, "not JSON"),
    Bad("no value at all", None, Reason.MALFORMED, "no value"),
    Bad("unknown kind", changed(DOSE, kind="surgery"), Reason.MALFORMED, "'dose'"),
    Bad("no kind", changed(DOSE, kind=...), Reason.MALFORMED, "kind"),
    Bad("an object as kind", changed(DOSE, kind={"a": 1}), Reason.MALFORMED, "kind"),
    Bad("no time", changed(DOSE, at=...), Reason.MALFORMED, "at"),
    Bad("time as a number in quotes", changed(DOSE, at="1772343000"), Reason.MALFORMED, "at"),
    Bad("nothing taken", changed(DOSE, amount=0), Reason.MALFORMED, "amount.*greater than 0"),
    Bad("amount in quotes", changed(DOSE, amount="1"), Reason.MALFORMED, "amount.*number"),
    Bad("boolean as amount", changed(DOSE, amount=True), Reason.MALFORMED, "amount.*number"),
    Bad("amount NaN", spelled(DOSE, "amount", "NaN"), Reason.NOT_FINITE, "amount"),
    Bad("amount 1e400", spelled(DOSE, "amount", "1e400"), Reason.NOT_FINITE, "amount"),
    Bad("born in 1066", changed(PROFILE, birth_year=1066), Reason.MALFORMED, "birth_year.*1900"),
    Bad("unknown sex", changed(PROFILE, sex="x"), Reason.MALFORMED, "sex.*'female' or 'male'"),
    Bad(
        "an e-mail address",
        changed(DOSE, subject="jane@example.org"),
        Reason.IDENTIFYING,
        _PSEUDONYM,
        b"jane@example.org",
    ),
    Bad("wrong key", changed(DOSE), Reason.WRONG_KEY, "key.*subject", b"twin-0413"),
    Bad("no key", changed(DOSE), Reason.WRONG_KEY, "key.*subject", None),
    Bad("schema 2", changed(DOSE, schema=2), Reason.UNSUPPORTED_SCHEMA, "reads schema 1"),
    Bad("no offset", changed(DOSE, at="2026-03-01T07:30:00"), Reason.NO_OFFSET, "write it like"),
    Bad("tomorrow", changed(DOSE, at="2026-03-02T07:30:00Z"), Reason.FUTURE, "check the clock"),
    Bad("a dead clock", changed(DOSE, at="1970-01-01T00:00:00Z"), Reason.TOO_OLD, "2000"),
    Bad("10 MB", changed(DOSE, route="r" * 10_000_000), Reason.TOO_LARGE, "10,000,"),
)


def _mass_units() -> list[Bad]:
    """Hormones that are measured in international units only, as far as the catalogue has them."""
    return [
        Bad(
            f"a mass of {slug}",
            changed(READING, code=load_catalogue()[slug].codes[0].code, unit="ng/mL", value=5.0),
            Reason.UNKNOWN_UNIT,
            "convert",
        )
        for slug in ("lh", "fsh", "tsh")
        if slug in load_catalogue()
    ]


TABLE: tuple[Bad, ...] = (
    *(Bad(name, value, Reason.UNDECODABLE, "not JSON") for name, value in _UNDECODABLE),
    *(Bad(name, value, Reason.MALFORMED, words) for name, value, words in _MALFORMED),
    *(
        Bad(name, changed(READING, subject=who), Reason.IDENTIFYING, _PSEUDONYM, who.encode())
        for name, who in _IDENTIFYING
    ),
    *_OTHERS,
    *_mass_units(),
    *(each._replace(name=f"event: {each.name}", topic=EVENTS.name) for each in _EVENTS),
)
