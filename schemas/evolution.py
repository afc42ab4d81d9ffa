"""What may change in a record between two releases, and whether it has.

Within one version of a record (its field ``schema``) only optional fields may be added:

- a sender that knows the last release must still be understood: nothing that it sends is refused,
  and what it leaves out means what it meant;
- a reader that knows the last release must still understand: no field is missing, none holds what
  it could not hold before. Only lists of words may grow (kinds of deviations, say), and a reader
  must expect words that it does not know.

The JSON Schemas of the last release lie in ``json/released``; ``python -m schemas.evolution``
puts the present ones there, as a part of making a release, and refuses if the rule is broken. A
record whose version is raised is free.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.jsonschema import FOLDER, MODELS, json_schemas

RELEASED = FOLDER / "released"

Schema = dict[str, Any]

# Of two bounds, which way is tighter: 1 means that the larger one refuses more.
_BOUNDS = {
    "minimum": 1,
    "exclusiveMinimum": 1,
    "minLength": 1,
    "minItems": 1,
    "maximum": -1,
    "exclusiveMaximum": -1,
    "maxLength": -1,
    "maxItems": -1,
}


def breaks(old: Schema, new: Schema, *, incoming: bool) -> list[str]:
    """What breaks the rule between two JSON Schemas of one record, in words; empty if nothing.

    ``incoming``: others send it to us; otherwise we send it to others.

    >>> old = {"properties": {"unit": {"type": "string"}}, "required": ["unit"]}
    >>> new = {"properties": {"unit": {"type": "string"}, "posture": {"type": "string"}}}
    >>> breaks(old, {**new, "required": ["unit"]}, incoming=True)
    []
    >>> breaks(old, {**new, "required": ["unit", "posture"]}, incoming=True)
    ['posture: is required, and senders do not know it']
    """
    if _version(new) != _version(old):
        return []
    return list(_compare(old, new, incoming))


def broken_rules(released: Path = RELEASED) -> list[str]:
    """What the present schemas break of the released ones, all records together."""
    found = []
    present = json_schemas()
    for path in sorted(released.glob("*.json")):
        if path.name not in present:
            found.append(f"{path.stem}: is gone")
            continue
        old, new = json.loads(path.read_text(encoding="utf-8")), json.loads(present[path.name])
        incoming = MODELS[path.stem][1] == "validation"
        found += [f"{path.stem}: {each}" for each in breaks(old, new, incoming=incoming)]
    return found


def release(released: Path = RELEASED) -> list[str]:
    """Put the present schemas where the next release will find them, if nothing is broken."""
    found = broken_rules(released)
    if not found:
        released.mkdir(parents=True, exist_ok=True)
        for name, text in json_schemas().items():
            (released / name).write_text(text, encoding="utf-8")
    return found


def _version(schema: Schema) -> object:
    return schema.get("properties", {}).get("schema", {}).get("default")


def _compare(old: Schema, new: Schema, incoming: bool) -> Iterator[str]:
    was, now = old["properties"], new["properties"]
    required_before, required = set(old.get("required", ())), set(new.get("required", ()))
    for name, shape in was.items():
        if name not in now:
            yield f"{name}: is gone"
            continue
        for trouble in _narrower(resolved(shape, old), resolved(now[name], new), incoming):
            yield f"{name}: {trouble}"
        if incoming and shape.get("default") != now[name].get("default"):
            yield f"{name}: left out, it would mean something else"
    if incoming:
        for name in sorted(required - required_before):
            yield f"{name}: is required, and senders do not know it"
    else:
        for name in sorted(required_before - required):
            yield f"{name}: may be missing, and readers count on it"


def _narrower(old: Schema, new: Schema, incoming: bool) -> Iterator[str]:
    """What one field no longer takes (incoming), or may hold for the first time (outgoing)."""
    was, now = _types(old), _types(new)
    surprise = was - now if incoming else now - was
    if surprise:
        verb = "no longer takes" if incoming else "may hold"
        yield f"{verb} {', '.join(sorted(surprise))}"
    before, after = _words(old), _words(new)
    if before is not None and after is not None and before - after:
        yield f"no longer knows {', '.join(sorted(before - after))}"
    elif incoming and before is None and after is not None:
        yield "takes a few words only"
    for key, tighter in _BOUNDS.items():
        low, high = _bound(old, key, tighter), _bound(new, key, tighter)
        if low != high and (high > low) == incoming:
            yield f"{key} has changed from {old.get(key)} to {new.get(key)}"
    for key in ("pattern", "format"):
        if old.get(key) != new.get(key):
            yield f"{key} has changed from {old.get(key)} to {new.get(key)}"
    if "items" in old and "items" in new:
        for trouble in _narrower(old["items"], new["items"], incoming):
            yield f"its items: {trouble}"


def resolved(shape: Schema, document: Schema) -> Schema:
    """A field's shape without references and unions with null; `type` may be a list then."""
    if "$ref" in shape:
        target = document["$defs"][shape["$ref"].rpartition("/")[2]]
        return resolved({**target, **{k: v for k, v in shape.items() if k != "$ref"}}, document)
    if "anyOf" not in shape:
        return shape
    parts = [resolved(part, document) for part in shape["anyOf"]]
    merged: Schema = {}
    for part in parts:
        merged |= {key: value for key, value in part.items() if key != "type"}
    merged |= {key: value for key, value in shape.items() if key != "anyOf"}
    return {**merged, "type": sorted({kind for part in parts for kind in _types(part)})}


def _types(shape: Schema) -> set[str]:
    kind = shape.get("type", "string" if "enum" in shape or "const" in shape else "anything")
    return set(kind) if isinstance(kind, list) else {kind}


def _words(shape: Schema) -> set[str] | None:
    if "const" in shape:
        return {str(shape["const"])}
    return {str(word) for word in shape["enum"]} if "enum" in shape else None


def _bound(shape: Schema, key: str, tighter: int) -> float:
    """How tight a bound is; one that is not there is the loosest."""
    value = shape.get(key)
    return float("-inf") if value is None else tighter * float(value)


if __name__ == "__main__":
    if broken := release():
        sys.exit("\n".join(["the rule of schemas/evolution.py is broken:", *broken]))
