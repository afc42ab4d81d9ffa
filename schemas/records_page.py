"""``docs/records.md``: every record that travels and every row that is stored, field by field.

``python -m schemas.records_page`` writes it; a test fails when it and the models have drifted
apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.errors import Reason
from schemas.evolution import resolved
from schemas.jsonschema import MODELS, json_schemas
from schemas.measurements import MEASUREMENTS, Measurement
from schemas.topics import TOPICS, Topic

PAGE = Path(__file__).parents[1] / "docs" / "records.md"

_INTRODUCTION = """# Records

Generated from the models in `schemas/` by `python -m schemas.records_page`: edit those. The same
as JSON Schemas (draft 2020-12): [schemas/json](../schemas/json). How to send them:
[integrating.md](integrating.md).

Times are RFC 3339. Phases are peak clock times in hours of the wearer's local clock; every
interval is a 90 % interval, and bounds around a clock time are not wrapped. Canonical units and
codes: [catalogue.md](catalogue.md).

Within one version (`schema`) only optional fields are added, and lists of words may grow: ignore
fields and words that you do not know. [schemas/evolution.py](../schemas/evolution.py) holds every
release to it.
"""

# One of each that comes in, as it may be sent.
EXAMPLES: dict[str, dict[str, Any]] = {
    "reading": {
        "subject": "p-0412",
        "device": "kit-7",
        "code": "2142-8",
        "unit": "nmol/L",
        "collected_at": "2026-03-01T07:30:00+01:00",
        "timing": "reported",
        "value": 11.8,
    },
    "reading-batch": {
        "subject": "p-0412",
        "device": "watch-19",
        "code": "8867-4",
        "unit": "/min",
        "collected_at": "2026-03-01T07:30:00+01:00",
        "zone": "Europe/Berlin",
        "timing": "device",
        "interval_s": 60.0,
        "offsets_ms": [0, 60000, 120000],
        "values": [61.0, 63.0, 60.0],
    },
    "event-dose": {
        "kind": "dose",
        "subject": "p-0412",
        "at": "2026-03-01T07:45:00+01:00",
        "substance": "hydrocortisone",
        "amount": 10.0,
        "unit": "mg",
        "route": "oral",
    },
    "event-sleep": {
        "kind": "wake",
        "subject": "p-0412",
        "at": "2026-03-01T07:05:00+01:00",
        "verified": True,
    },
    "event-menses": {"kind": "menses", "subject": "p-0413", "at": "2026-03-01T08:00:00+01:00"},
    "event-lh-surge": {
        "kind": "lh-surge",
        "subject": "p-0413",
        "at": "2026-03-13T08:00:00+01:00",
    },
    "event-travel": {
        "kind": "travel",
        "subject": "p-0412",
        "at": "2026-03-02T15:40:00+09:00",
        "from_offset_min": 60,
    },
    "event-illness": {
        "kind": "illness",
        "subject": "p-0412",
        "at": "2026-03-05T08:00:00+01:00",
        "until": "2026-03-09T08:00:00+01:00",
    },
    "event-profile": {
        "kind": "profile",
        "subject": "p-0412",
        "at": "2026-01-01T09:00:00+01:00",
        "birth_year": 1985,
        "sex": "female",
    },
}

_TITLES = {
    "reading": "Reading",
    "reading-batch": "Batch of readings",
    "event-dose": "Event: dose",
    "event-sleep": "Event: sleep and wake",
    "event-menses": "Event: menses",
    "event-lh-surge": "Event: positive LH test",
    "event-travel": "Event: travel",
    "event-illness": "Event: illness",
    "event-profile": "Event: profile",
    "rhythm": "Rhythm",
    "profile-point": "Profile point",
    "marker": "Marker",
    "deviation": "Deviation",
    "alert": "Alert",
    "dead-letter": "Dead letter",
}

_PLAIN = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true/false"}


def records_page() -> str:
    """The page's text (Markdown)."""
    documents = {name.removesuffix(".json"): json.loads(t) for name, t in json_schemas().items()}
    lines = [_INTRODUCTION, *_topics()]
    for heading, names in (
        ("What comes in", [name for name in MODELS if name in EXAMPLES]),
        ("What comes out", ["rhythm", "profile-point", "marker", "deviation", "alert"]),
    ):
        lines += [f"## {heading}", ""]
        for name in names:
            lines += _record(name, documents[name])
    lines += [*_dead_letters(documents["dead-letter"]), *_measurements()]
    return "\n".join(lines).rstrip() + "\n"


def _topics() -> Iterator[str]:
    yield "## Topics"
    yield ""
    yield "| topic | key | value | partitions | kept | largest record |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for topic in TOPICS:
        partitions = str(topic.partitions) if topic.partitions else "as `readings`"
        yield (
            f"| `{topic.name}` | {_cell(topic.key)} | {_cell(topic.value)} | {partitions} "
            f"| {_kept(topic)} | {topic.max_message_bytes / 1_048_576:.3g} MB |"
        )
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _kept(topic: Topic) -> str:
    return "the last of each key" if topic.compacted else f"{topic.retention_days} days"


def _record(name: str, document: dict[str, Any]) -> Iterator[str]:
    yield f'<a id="{name}"></a>'
    yield f"### {_TITLES[name]}"
    yield ""
    yield _sentence(document["description"])
    yield ""
    if name in EXAMPLES:
        yield "```json"
        yield json.dumps(EXAMPLES[name])
        yield "```"
        yield ""
    yield from _fields(document, incoming=MODELS[name][1] == "validation")


def _fields(document: dict[str, Any], *, incoming: bool) -> Iterator[str]:
    yield "| field | holds | " + ("without it | " if incoming else "") + "meaning |"
    yield "| --- | --- | " + ("--- | " if incoming else "") + "--- |"
    required = document.get("required", [])
    for name, shape in document["properties"].items():
        found = resolved(shape, document)
        absent = "must be there" if name in required else _absent(shape.get("default"))
        yield (
            f"| `{name}` | {_holds(found)} | {f'{absent} | ' if incoming else ''}"
            f"{found.get('description') or 'What kind of event it is.'} |"
        )
    yield ""


def _absent(default: object) -> str:
    return "nothing" if default in (None, [], ()) else f"`{json.dumps(default)}`"


def _holds(shape: dict[str, Any]) -> str:
    """What a field may hold, in words."""
    if "const" in shape:
        return f"`{shape['const']}`"
    kinds = shape.get("type", "string")
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    null = " or null" if "null" in kinds else ""
    kind = next((each for each in kinds if each != "null"), "string")
    if "enum" in shape:
        return ", ".join(f"`{word}`" for word in shape["enum"]) + null
    if kind == "array":
        return f"list of {_holds(shape['items'])}s{null}"
    if shape.get("format") == "date-time":
        return "time" + null
    bounds = [
        f"{sign} {shape[key]:g}"
        for key, sign in (
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
        )
        if key in shape
    ]
    if "maxLength" in shape:
        bounds.append(f"at most {shape['maxLength']} characters")
    return _PLAIN[kind] + "".join(f", {bound}" for bound in bounds) + null


def _dead_letters(document: dict[str, Any]) -> Iterator[str]:
    yield "## Dead letters"
    yield ""
    yield (
        "A record that cannot be used lies on `dead-letters` with its own key and bytes, and with "
        "these headers as UTF-8 text. `acrophase dead-letters list` shows them, `acrophase "
        "dead-letters replay` sends them again."
    )
    yield ""
    yield from _fields(document, incoming=False)
    yield "| reason | meaning |"
    yield "| --- | --- |"
    for reason in Reason:
        yield f"| `{reason.value}` | {reason.meaning} |"
    yield ""


def _measurements() -> Iterator[str]:
    yield "## What is stored"
    yield ""
    yield (
        "One measurement a kind of row, the same in SQLite and InfluxDB. Rows with the same tags "
        "and time are the same row: writing one again changes nothing. `time` is the event time; "
        "SQLite keeps times as epoch milliseconds."
    )
    yield ""
    for measurement in MEASUREMENTS:
        yield from _measurement(measurement)


def _measurement(measurement: Measurement) -> Iterator[str]:
    yield f"### `{measurement.name}`"
    yield ""
    yield _sentence(measurement.model.__doc__ or "")
    yield ""
    yield f"Tags: {', '.join(f'`{tag}`' for tag in measurement.tags)}."
    yield ""
    yield "| field | type | meaning |"
    yield "| --- | --- | --- |"
    for column in measurement.fields:
        yield f"| `{column.name}` | {column.type} | {column.description} |"
    yield ""


def _sentence(text: str) -> str:
    """A docstring without its line breaks; paragraphs stay."""
    paragraphs = text.strip().replace("``", "`").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def write(page: Path = PAGE) -> None:
    """Write the page."""
    page.write_text(records_page(), encoding="utf-8")


if __name__ == "__main__":
    write()
