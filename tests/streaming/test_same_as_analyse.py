"""The same records through Kafka and a worker, and through `acrophase analyse`: the same results.

With one partition and with several. What cannot be the same, by design:

- A file has events apart from readings, and `analyse` takes them first; so they are published and
  worked through first. A worker that meets a dose after the deviation that it explains is late.
- A partition has a clock, the newest receipt that it has seen, and half hours and silences end by
  it. The last record of everybody has the same receipt, or several clocks would stop apart.
- A line of a file has no key and no Kafka timestamp: a wrong key cannot be told, and a record
  without `received_at` is taken to be received as it was collected.
- A worker shows the open half hour before it has ended, and stores merge rows: where its rhythm
  has no phase in the end, or a marker is withheld, a provisional one may still stand in that row.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from acrophase.broker import EmbeddedBroker
from acrophase.cli import app
from acrophase.commands.dead_letters import StoredLetter, read_mailbox
from acrophase.commands.topics import create_topics
from acrophase.offline import RESULTS
from producers.client import Publisher
from schemas.measurements import MARKER, MEASUREMENTS, RHYTHM, Measurement
from schemas.readings import parse_reading
from schemas.topics import EVENTS, READINGS
from tests.streaming.clinic import Recorded, Sent, recorded
from tests.streaming.worker import WorkerProcess

PARTITIONS = (1, 4)
Rows = dict[tuple[Any, ...], dict[str, Any]]
Site = tuple[str, WorkerProcess]  # the broker's address, and who works there


class Outcome(NamedTuple):
    """What a worker has left behind."""

    rows: dict[str, Rows]
    letters: list[StoredLetter]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Site]]:
    """A broker and a worker for each number of partitions."""
    with ExitStack() as stack:
        found = {}
        for partitions in PARTITIONS:
            address = stack.enter_context(EmbeddedBroker()).address
            create_topics(address, partitions)
            folder = tmp_path_factory.mktemp(f"partitions-{partitions}")
            found[partitions] = (address, stack.enter_context(WorkerProcess(address, folder)))
        yield found


@pytest.fixture(scope="module")
def sent(sites: dict[int, Site]) -> Recorded:
    """The records of both ways; made while the workers start."""
    return recorded(seed=4)


@pytest.fixture(scope="module")
def analysed(sent: Recorded, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What `acrophase analyse` writes."""
    folder = tmp_path_factory.mktemp("analysed")
    readings, events, results = (folder / name for name in ("r.jsonl", "e.jsonl", "results.jsonl"))
    readings.write_bytes(b"".join(each.value + b"\n" for each in sent.readings))
    events.write_bytes(b"".join(each.value + b"\n" for each in sent.events))
    told = ["analyse", str(readings), "--events", str(events), "--out", str(results)]
    outcome = CliRunner().invoke(app, told)
    assert outcome.exit_code == 0, outcome.output
    return [json.loads(line) for line in results.read_text().splitlines()]


@pytest.fixture(scope="module")
def streamed(sites: dict[int, Site], sent: Recorded) -> dict[int, Outcome]:
    """What the workers have left behind, by number of partitions; they work at the same time."""
    for address, _ in sites.values():
        publish(address, EVENTS.name, sent.events)
    for partitions, (address, worker) in sites.items():
        worker.wait_until_worked_through(partitions, len(sent.events))
        publish(address, READINGS.name, sent.readings)
    outcomes = {}
    for partitions, (address, worker) in sites.items():
        worker.wait_until_worked_through(partitions, len(sent.events) + len(sent.readings))
        worker.stop()
        outcomes[partitions] = Outcome(stored(worker), read_mailbox(address).letters)
    return outcomes


def publish(address: str, topic: str, records: list[Sent]) -> None:
    with Publisher(address) as publisher:
        for each in records:
            publisher.publish_raw(topic, each.key, each.value)


def stored(worker: WorkerProcess) -> dict[str, Rows]:
    """Every row of the store, as `acrophase analyse` writes them."""
    with worker.store() as store:
        return {
            measurement.name: by_identity(
                measurement, (plain(measurement, row) for row in store.select(measurement))
            )
            for measurement in MEASUREMENTS
        }


def plain(measurement: Measurement, row: dict[str, Any]) -> dict[str, Any]:
    """Times as RFC 3339."""
    times = {"time", *(column.name for column in measurement.fields if column.type == "time")}
    return {
        name: datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
        if name in times and value is not None
        else value
        for name, value in row.items()
    }


def by_identity(measurement: Measurement, rows: Iterator[dict[str, Any]]) -> Rows:
    return {tuple(row[name] for name in (*measurement.tags, "time")): row for row in rows}


@pytest.mark.parametrize("partitions", PARTITIONS)
@pytest.mark.parametrize("measurement", RESULTS, ids=lambda measurement: measurement.name)
def test_every_result_is_the_same(
    analysed: list[dict[str, Any]],
    streamed: dict[int, Outcome],
    measurement: Measurement,
    partitions: int,
) -> None:
    told = (row for row in analysed if row["type"] == measurement.name)
    wanted = by_identity(
        measurement, ({k: v for k, v in row.items() if k != "type"} for row in told)
    )
    found = streamed[partitions].rows[measurement.name]
    assert wanted.keys() == found.keys()
    differences = [
        (
            key,
            {name: (found[key][name], row[name]) for name in row if found[key][name] != row[name]},
        )
        for key, row in wanted.items()
        if settled(measurement, found[key], row) != row
    ]
    assert differences == []


def settled(
    measurement: Measurement, found: dict[str, Any], wanted: dict[str, Any]
) -> dict[str, Any]:
    if measurement is RHYTHM and wanted["acrophase"] is not None:
        return found
    if measurement not in (RHYTHM, MARKER):
        return found
    return {name: None if wanted[name] is None else value for name, value in found.items()}


@pytest.mark.parametrize("partitions", PARTITIONS)
def test_every_dead_letter_is_the_same(
    sent: Recorded, analysed: list[dict[str, Any]], streamed: dict[int, Outcome], partitions: int
) -> None:
    lines = {each.value: number for number, each in enumerate(sent.readings, 1)}
    found = []
    for stored_letter in streamed[partitions].letters:
        letter = stored_letter.letter
        assert stored_letter.value is not None
        line = lines[stored_letter.value]
        assert partitions > 1 or letter.offset == line - 1
        elements = list(letter.elements)
        found.append((line, letter.reason.value, letter.detail, letter.topic, elements))
    wanted = [
        (row["line"], row["reason"], row["detail"], row["topic"], row["elements"])
        for row in analysed
        if row["type"] == "dead-letter"
    ]
    assert sorted(found) == sorted(wanted)
    assert Counter(reason for _, reason, *_ in found) == Counter(
        {reason.value: n for reason, n in sent.refused.items()}
    )


def test_one_partition_and_several_store_the_same_readings_and_events(
    streamed: dict[int, Outcome],
) -> None:
    one, several = (streamed[partitions] for partitions in PARTITIONS)
    for name in ("reading", "event"):
        assert one.rows[name] == several.rows[name]
        assert len(one.rows[name]) > 50


def test_the_records_have_something_to_say(
    analysed: list[dict[str, Any]], sent: Recorded, streamed: dict[int, Outcome]
) -> None:
    """Or the same nothing would do."""
    deviations = [row for row in analysed if row["type"] == "deviation"]
    kinds = {(row["subject"], row["kind"]) for row in deviations}
    assert {("sim-01", "level"), ("sim-02", "missing"), ("sim-02", "outlier")} < kinds
    assert ("sim-04", "phase") in kinds
    (explained,) = [row for row in deviations if row["explained_by"]]
    assert explained["explained_by"].startswith("dose of hydrocortisone")
    assert {row["state"] for row in analysed if row["type"] == "alert"} == {"open", "resolved"}
    rhythms = [row for row in analysed if row["type"] == "rhythm"]
    assert {"insufficient", "emerging", "established"} <= {row["status"] for row in rhythms}
    good = [parse_reading(each.value) for each in sent.readings if b"spoilt" not in each.value]
    # summer time and a journey; phones that were offline, and some that sent twice
    offsets = {str(reading.collected_at.utcoffset()) for reading in good}
    assert offsets == {"1:00:00", "2:00:00", "-1 day, 20:00:00"}
    waited = [each.received_at - each.collected_at for each in good if each.received_at]
    assert sum(wait > timedelta(hours=3) for wait in waited) > 20
    identities = {(each.subject, each.device, each.code, each.collected_at) for each in good}
    assert len(good) - len(identities) > 100
    partitions = {letter.letter.partition for letter in streamed[PARTITIONS[-1]].letters}
    assert len(partitions) > 2
