"""Records change by new optional fields alone, from one release to the next."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.evolution import breaks, broken_rules, release
from schemas.jsonschema import MODELS, json_schemas

SCHEMAS: dict[str, dict[str, Any]] = {
    name.removesuffix(".json"): json.loads(text) for name, text in json_schemas().items()
}
READING, DEVIATION = SCHEMAS["reading"], SCHEMAS["deviation"]


def test_nothing_that_was_released_is_broken() -> None:
    assert broken_rules() == []


def changed(schema: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with one entry set, or removed for None; the path is dotted."""
    new = copy.deepcopy(schema)
    node: Any = new
    *way, last = path.split(".")
    for step in way:
        node = node[int(step)] if isinstance(node, list) else node[step]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return new


@pytest.mark.parametrize(
    ("path", "value", "trouble"),
    [
        ("properties.comparator", None, "comparator: is gone"),
        ("properties.value.anyOf.0.type", "string", "value: no longer takes number"),
        ("properties.unit.maxLength", 8, "unit: maxLength has changed from 64 to 8"),
        ("properties.unit.minLength", 2, "unit: minLength has changed from None to 2"),
        ("properties.subject.pattern", "^x", "subject: pattern has changed"),
        ("properties.timing.enum", ["device", "verified"], "timing: no longer knows assumed"),
        ("properties.unit.enum", ["/min"], "unit: takes a few words only"),
        ("properties.timing.default", "device", "timing: left out, it would mean something else"),
        ("required", ["subject", "zone"], "zone: is required, and senders do not know it"),
        ("properties.collected_at.format", "date", "collected_at: format has changed"),
    ],
)
def test_what_breaks_a_sender(path: str, value: object, trouble: str) -> None:
    found = breaks(READING, changed(READING, path, value), incoming=True)
    assert [each for each in found if each.startswith(trouble)] == found != []


@pytest.mark.parametrize(
    ("path", "value", "trouble"),
    [
        ("properties.reason", None, "reason: is gone"),
        ("properties.z.type", ["number", "null"], "z: may hold null"),
        ("properties.severity.enum", ["minor"], "severity: no longer knows major, moderate"),
        ("required", ["subject"], "analyte: may be missing, and readers count on it"),
    ],
)
def test_what_breaks_a_reader(path: str, value: object, trouble: str) -> None:
    found = breaks(DEVIATION, changed(DEVIATION, path, value), incoming=False)
    assert trouble in found


@pytest.mark.parametrize(
    ("schema", "path", "value", "incoming"),
    [
        (READING, "properties.unit.maxLength", 128, True),
        (READING, "properties.unit.description", "In other words.", True),
        (READING, "properties.unit.type", ["string", "null"], True),
        (READING, "properties.comparator.anyOf.0.enum", ["<", ">", "~"], True),
        (READING, "required", ["subject"], True),
        (DEVIATION, "properties.severity.enum", ["minor", "moderate", "major", "grave"], False),
        (DEVIATION, "properties.effect.anyOf", [{"type": "number"}], False),
    ],
)  # fmt: skip
def test_what_breaks_nobody(
    schema: dict[str, Any], path: str, value: object, incoming: bool
) -> None:
    assert breaks(schema, changed(schema, path, value), incoming=incoming) == []


@given(name=st.sampled_from(sorted(MODELS)), field=st.from_regex(r"[a-z]{3,9}_new", fullmatch=True))
def test_a_new_optional_field_is_always_allowed(name: str, field: str) -> None:
    old = SCHEMAS[name]
    incoming = MODELS[name][1] == "validation"
    shape = {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None}
    assert breaks(old, changed(old, f"properties.{field}", shape), incoming=incoming) == []
    assert breaks(old, old, incoming=incoming) == []


def test_a_new_version_is_free() -> None:
    new = changed(changed(READING, "properties.value", None), "properties.schema.default", 2)
    assert breaks(READING, new, incoming=True) == []


def test_a_release_keeps_its_schemas_and_the_next_is_held_to_them(tmp_path: Path) -> None:
    assert release(tmp_path) == []
    assert {path.stem for path in tmp_path.iterdir()} == set(MODELS)
    assert release(tmp_path) == []
    # as if the release had known a field that is gone now, and a record that is
    old = changed(READING, "properties.posture", {"type": "string"})
    (tmp_path / "reading.json").write_text(json.dumps(old))
    (tmp_path / "gone.json").write_text("{}")
    expected = ["gone: is gone", "reading: posture: is gone"]
    assert broken_rules(tmp_path) == release(tmp_path) == expected
    assert "posture" in (tmp_path / "reading.json").read_text()
