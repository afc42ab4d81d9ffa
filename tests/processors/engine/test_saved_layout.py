"""A state that another version has written is refused in words, not half understood."""

from __future__ import annotations

import msgspec
import pytest

from processors.engine import Partition, Policy
from processors.engine.series import Rows
from processors.engine.state import VERSION, Person, series_key, subject_key
from processors.engine_port import ForeignState
from schemas.catalogue import load_catalogue


@pytest.mark.parametrize("key", [series_key("p-1", "heart-rate"), subject_key("p-1")])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            msgspec.msgpack.encode([VERSION + 1, "who", "knows"]),
            "another version .*empty the topic",
        ),
        (
            msgspec.msgpack.encode([VERSION - 1, 7]),
            f"layout {VERSION - 1}, this one reads {VERSION}",
        ),
        (msgspec.msgpack.encode([]), "not Acrophase's"),
        (msgspec.msgpack.encode({"a": 1}), "not Acrophase's"),
        (b"\xff not packed", "not Acrophase's"),
    ],
)
def test_what_this_version_did_not_write_is_refused(key: bytes, value: bytes, words: str) -> None:
    partition = Partition(0, load_catalogue(), Policy())
    with pytest.raises(ForeignState, match=words):
        partition.restore(key, value)


def test_a_layout_has_a_version_of_its_own() -> None:
    """Whoever changes what is saved must raise VERSION, and this line with it."""
    rows = Rows()
    sizes = [len(part) for part in rows.dump(rows.append(0.0))]
    fields = len(msgspec.msgpack.decode(Person().dump()))
    assert (VERSION, sizes, fields) == (3, [1624, 192, 96], 10)
