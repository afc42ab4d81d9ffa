"""Whether a heading is already known makes no difference to what becomes of a record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processors.engine import Partition, Policy
from processors.engine_port import OutMessage, Record
from schemas.catalogue import load_catalogue
from schemas.measurements import READING, Row
from schemas.topics import DEAD_LETTERS, EVENTS, READINGS

CATALOGUE = load_catalogue()
KAFKA_MS = 1_772_355_600_000  # 2026-03-01T09:00:00Z
PLAIN: dict[str, Any] = {
    "subject": "p-01",
    "device": "home-test",
    "code": "2142-8",
    "unit": "ug/dL",
    "collected_at": "2026-03-01T08:00:00+01:00",
    "value": 0.3,
}
# What a field may be instead; the first records of a run are plain, so their heading is known.
INSTEAD: dict[str, Sequence[Any]] = {
    "schema": (1, 2, True, 1.0, None),
    "subject": ("p-02", "jane@example.org", 7, ""),
    "device": ("other", "values", "", "x" * 129, None),
    "site": ("default", "site-2", "no site", None),
    "code": ("2142-8", "8867-4", "9999-9", None),
    "unit": ("ug/dL", "nmol/L", "parsec", None),
    "zone": (None, "Europe/Berlin", "x" * 65),
    "timing": ("device", "reported", "guessed", None),
    "collected_at": (
        "2026-03-01T08:00:00.123456789+01:00",
        "2026-03-01 08:00:00+01:00",
        "2026-03-01T08:00:00",
        "2026-03-01T23:00:00+01:00",
        "1999-12-31T23:59:59Z",
        1_772_000_000,
        None,
    ),
    "received_at": (None, "2026-03-01T08:30:00Z", "2026-03-01T10:30:00Z", "soon"),
    "assayed_at": (None, "2026-03-01T08:30:00Z", "later"),
    "interval_s": (None, 60, 0.5, 0, -1, "60"),
    "value": (0.3, 5, 0, -1, 1e6, 27.6, True, "0.3", None),
    "comparator": (None, "<", ">", "=<"),
    "absent_reason": (None, "lost", "x" * 65),
    "offsets_ms": ([0, 60_000], [0], [], [0, 0], [0, 1e3], [0, 10**14], None),
    "values": ([0.3, 0.4], [0.3], [], [0.3, 1e9], [0.3, "x"], None),
}


@st.composite
def records(draw: st.DrawFn) -> list[bytes]:
    """Plain records, and such that differ from them in up to three fields."""
    found = []
    for minute in range(draw(st.integers(1, 5))):
        record = PLAIN | {"collected_at": f"2026-03-01T08:{minute:02d}:00+01:00"}
        for name in draw(st.lists(st.sampled_from(sorted(INSTEAD)), max_size=3)):
            record[name] = draw(st.sampled_from(INSTEAD[name]))
        if draw(st.booleans()):
            del record[draw(st.sampled_from(sorted(record)))]
        found.append(json.dumps(record).encode())
    return found


class Run:
    """A partition that takes one record a frame; `forgetful` knows no heading from before."""

    def __init__(self, *, forgetful: bool) -> None:
        self._partition = Partition(0, CATALOGUE, Policy())
        self._partition.start({READINGS.name: 0, EVENTS.name: 0})
        self._forgetful = forgetful
        self.rows: list[Row] = []
        self.letters: list[OutMessage] = []

    def take(self, values: Sequence[bytes]) -> None:
        for offset, value in enumerate(values):
            if self._forgetful:
                self._partition._intake._sources.clear()
            record = Record(READINGS.name, 0, offset, KAFKA_MS, b"p-01", value)
            outputs = self._partition.process([record])
            self.rows += outputs.rows.get(READING, [])
            self.letters += [m for m in outputs.messages if m.topic == DEAD_LETTERS.name]


@given(values=records())
def test_a_known_heading_changes_nothing(values: list[bytes]) -> None:
    values = [json.dumps(PLAIN).encode(), *values]
    knowing, forgetful = Run(forgetful=False), Run(forgetful=True)
    for run in (knowing, forgetful):
        run.take(values)
    assert knowing.rows == forgetful.rows
    assert knowing.letters == forgetful.letters
    assert knowing.rows  # the plain one, at least


def test_a_device_called_values_is_no_batch() -> None:
    run = Run(forgetful=True)
    run.take([json.dumps(PLAIN | {"device": "values"}).encode()])
    assert not run.letters
    assert len(run.rows) == 1
