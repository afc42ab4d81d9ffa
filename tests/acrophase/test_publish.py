"""``acrophase publish`` as a person runs it: files in, records on Kafka, a summary, a status."""

from __future__ import annotations

import gc
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from typer.testing import CliRunner, Result

from acrophase.broker import EmbeddedBroker
from acrophase.cli import app
from producers.client import Publisher, Record
from schemas.errors import BrokerUnavailable, DeliveryError, InputFileError
from schemas.events import parse_event
from schemas.readings import Reading, ReadingBatch, parse_reading

DRY = "--dry-run"
RECORD = (
    '{"subject":"wire-1","device":"d","code":"8867-4","unit":"/min",'
    '"collected_at":"2024-01-01T08:00:00+01:00","value": 60}'
)


@pytest.fixture
def broker() -> Iterator[str]:
    """A broker of its own, so that a test may read whole topics."""
    with EmbeddedBroker() as embedded:
        yield embedded.address


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["publish", *map(str, arguments)])


def topic_bytes(address: str, topic: str, n: int) -> list[bytes]:
    """Values of the first n records of a topic, or as many as come within 20 s."""
    consumer = KafkaConsumer(
        topic, bootstrap_servers=address, auto_offset_reset="earliest", group_id=None
    )
    values: list[bytes] = []
    limit = time.monotonic() + 20
    try:
        while len(values) < n and time.monotonic() < limit:
            for records in consumer.poll(timeout_ms=500).values():
                for record in records:
                    assert record.key == json.loads(record.value)["subject"].encode()
                    values.append(record.value)
    finally:
        consumer.close()
    return values


def table(folder: Path, *rows: str) -> Path:
    path = folder / "readings.csv"
    path.write_text("time,value\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_a_table_arrives_whole_and_the_summary_counts_it(tmp_path: Path, broker: str) -> None:
    rows = [f"2024-01-01T08:{minute:02d}:00+01:00,{60 + minute}" for minute in range(40)]
    path = table(tmp_path, *rows)
    result = run(path, "--analyte", "heart-rate", "--subject", "p-1", "--bootstrap", broker)
    assert result.exit_code == 0, result.output
    assert (
        f"40 readings of 1 person (heart-rate in /min, the catalogue's unit) -> {broker}"
        in result.stdout
    )
    assert result.stderr == ""
    batches = [parse_reading(value) for value in topic_bytes(broker, "readings", 3)]
    values = [v for b in batches if isinstance(b, ReadingBatch) for v in b.values]
    assert values == [60.0 + minute for minute in range(40)]
    assert {b.device for b in batches} == {"file"}
    assert batches[-1].received_at == datetime.fromisoformat("2024-01-01T08:39:00+01:00")


def test_now_makes_a_backfill(tmp_path: Path, broker: str) -> None:
    path = table(tmp_path, "2024-01-01T08:00:00+01:00,60", "2024-01-02T08:00:00+01:00,61")
    before = datetime.now(UTC)
    result = run(
        path,
        "--analyte",
        "heart-rate",
        "--subject",
        "p-1",
        "--bootstrap",
        broker,
        "--received",
        "now",
        "--device",
        "watch-1",
        "--site",
        "berlin",
    )
    assert result.exit_code == 0, result.output
    (value,) = topic_bytes(broker, "readings", 1)
    batch = parse_reading(value)
    assert batch.received_at is not None
    assert before <= batch.received_at <= datetime.now(UTC)
    assert (batch.device, batch.site) == ("watch-1", "berlin")


def test_broken_rows_are_named_the_rest_is_sent_and_the_status_is_1(
    tmp_path: Path, broker: str
) -> None:
    path = table(
        tmp_path,
        "2024-01-01T08:00:00Z,60",
        "2024-01-01T08:01:00Z,x",
        "2024-01-01T08:02:00Z,NA",
        "2024-01-01T08:03:00Z,62",
    )
    result = run(path, "--analyte", "heart-rate", "--subject", "p-1", "--bootstrap", broker)
    assert result.exit_code == 1
    assert "2 readings of 1 person" in result.stdout
    assert "1 row without a value" in result.stdout
    assert "1 refused: column 'value' is not a number (line 3)" in result.stderr
    (value,) = topic_bytes(broker, "readings", 1)
    batch = parse_reading(value)
    assert isinstance(batch, ReadingBatch)
    assert batch.values == [60.0, 62.0]


def test_wire_format_travels_byte_for_byte_if_it_says_when_it_was_received(
    tmp_path: Path, broker: str
) -> None:
    complete = RECORD[:-1] + ',"received_at":"2024-01-01T07:05:00Z", "extra" : 1}'
    wake = '{"kind":"wake","subject":"wire-1","at":"2024-01-01T07:00:00+01:00"}'
    path = tmp_path / "records.jsonl"
    path.write_text("\n".join([RECORD, complete, wake, '{"subject": 1}']))
    result = run(path, "--bootstrap", broker)
    assert result.exit_code == 1
    assert "3 readings of 1 person (wire-format records)" in result.stdout
    assert "(line 4)" in result.stderr
    first, second = topic_bytes(broker, "readings", 2)
    dated = parse_reading(first)
    assert isinstance(dated, Reading)
    assert dated.received_at == dated.collected_at
    assert second == complete.encode()
    (event,) = topic_bytes(broker, "events", 1)
    assert parse_event(event).received_at == parse_event(event).at


def test_a_dry_run_needs_no_kafka(tmp_path: Path) -> None:
    path = table(tmp_path, "2024-01-01 08:00,60")
    result = run(
        path,
        "--analyte",
        "heart-rate",
        "--subject",
        "p-1",
        "--zone",
        "Europe/Berlin",
        "--bootstrap",
        "127.0.0.1:1",
        "--dry-run",
    )
    assert result.exit_code == 0, result.output
    assert "1 reading of 1 person" in result.stdout
    assert "nothing was sent" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "add --analyte, one of .*heart-rate"),
        (["--analyte", "heart-rate"], "Add --subject"),
        (["--analyte", "heart-rate", "--subject", "Jane"], "--subject"),
        (["--analyte", "heart-rate", "--subject", "p-1", "--unit", "kg"], "no unit of heart-rate"),
        (["--analyte", "heart-rate", "--subject", "p-1", "--site", "a b"], "site"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, arguments: list[str], message: str) -> None:
    path = table(tmp_path, "2024-01-01T08:00:00Z,60")
    result = run(path, "--dry-run", *arguments)
    assert isinstance(result.exception, InputFileError)
    with pytest.raises(InputFileError, match=message):
        raise result.exception


def test_options_that_a_wire_format_file_cannot_use_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(RECORD)
    result = run(path, "--analyte", "heart-rate", "--zone", "+01:00")
    assert isinstance(result.exception, InputFileError)
    assert "--analyte, --zone" in str(result.exception)


def test_the_summary_says_how_the_times_were_understood(tmp_path: Path) -> None:
    path = table(tmp_path, "32716774.78,60", "32803174.78,61")
    options = ("--analyte", "heart-rate", "--subject", "p-1", "--dry-run")
    result = run(path, *options, "--start", "2024-01-01T06:15", "--zone", "+01:00")
    assert result.exit_code == 0, result.output
    assert (
        "collected 2024-01-01 06:15 to 2024-01-02 06:15 local time "
        "(shifted epoch times, the oldest put at the start)"
    ) in result.stdout


def test_a_wide_table_is_sent_person_by_person(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("id,before,after\n1,6.9,7.0\n2,5.1,NA\n")
    people = ("--subject-column", "id", "--subject", "p", "--value-column", "before,after")
    clock = ("--times=-30,30", "--time-unit", "minutes", "--start", "2024-01-01T14:00")
    result = run(path, "--analyte", "saliva-cortisol", "--unit", "nmol/L", *people, *clock, DRY)
    assert result.exit_code == 0, result.output
    assert "3 readings of 2 people (saliva-cortisol in nmol/L)" in result.stdout
    assert "collected 2024-01-01 13:30 to 2024-01-01 14:30" in result.stdout
    assert "1 row without a value" in result.stdout


def test_a_file_in_another_unit_is_not_sent(tmp_path: Path) -> None:
    path = table(tmp_path, "2024-01-01T08:00:00Z,14.5", "2024-01-01T08:30:00Z,12.1")
    result = run(path, "--analyte", "saliva-cortisol", "--subject", "p-1", DRY)
    assert isinstance(result.exception, InputFileError)
    assert "the same number in nmol/L" in str(result.exception)
    assert "(line 2, 3)" in str(result.exception)


def test_the_future_is_not_sent(tmp_path: Path) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=60)
    later = soon + timedelta(days=1)
    path = table(tmp_path, f"{soon.isoformat()},60", f"{later.isoformat()},61")
    result = run(path, "--analyte", "heart-rate", "--subject", "p-1", DRY)
    assert result.exit_code == 1
    assert "1 reading of 1 person" in result.stdout  # the next five minutes are a clock's error
    assert "1 refused: the time is in the future (line 3)" in result.stderr


def test_an_interrupt_says_what_has_arrived(tmp_path: Path, broker: str) -> None:
    """Ctrl-C while it sends: what is in flight is confirmed, nothing hangs, the status is 130."""
    rows = (f"{1_704_067_200 + 60 * i},{60 + i % 40}\n" for i in range(150_000))
    path = tmp_path / "long.csv"
    path.write_text("time,value\n" + "".join(rows))
    options = ("--analyte", "heart-rate", "--subject", "p-1", "--zone", "UTC")
    command = [sys.executable, "-m", "acrophase", "publish", str(path), *options]
    process = subprocess.Popen(
        [*command, "--bootstrap", broker],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TTY_COMPATIBLE": "1"},
    )
    assert process.stderr is not None
    seen = b""
    confirmed = re.compile(rb"[1-9]\d*/150000")
    while not confirmed.search(seen) and (piece := os.read(process.stderr.fileno(), 4096)):
        seen += piece
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err.decode()
    assert out == b""
    told = re.search(r"(\d+) readings confirmed before you stopped it", err.decode())
    assert told is not None
    assert 0 < int(told[1]) < 150_000
    # A quarter of an hour a record, both its ends included.
    found = [parse_reading(value) for value in topic_bytes(broker, "readings", int(told[1]) // 16)]
    assert sum(len(b.values) for b in found if isinstance(b, ReadingBatch)) == int(told[1])


def test_no_kafka_is_our_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(Publisher):
        def __init__(self, bootstrap: str) -> None:
            super().__init__(bootstrap, connect_timeout_s=0.3)

    monkeypatch.setattr("acrophase.commands.publish.Publisher", Impatient)
    path = table(tmp_path, "2024-01-01T08:00:00Z,60")
    result = run(path, "--analyte", "heart-rate", "--subject", "p-1", "--bootstrap", "127.0.0.1:1")
    assert isinstance(result.exception, BrokerUnavailable)


def test_a_broker_that_dies_on_the_way_is_an_error_with_what_had_arrived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Log records would keep refused sockets alive for longer than the mark above holds.
    caplog.set_level(logging.CRITICAL, logger="kafka")
    with EmbeddedBroker() as mortal:

        class Witness(Publisher):
            """Sees the broker die after the first record."""

            def __init__(self, bootstrap: str) -> None:
                super().__init__(bootstrap, delivery_timeout_s=1.5)

            def publish(self, record: Record) -> None:
                super().publish(record)
                if self.confirmed == 0:
                    self.flush()
                    os.kill(mortal.pid, signal.SIGKILL)

        monkeypatch.setattr("acrophase.commands.publish.Publisher", Witness)
        path = table(tmp_path, *(f"2024-01-01T{hour:02d}:00:00Z,60" for hour in range(5)))
        result = run(
            path, "--analyte", "heart-rate", "--subject", "p-1", "--bootstrap", mortal.address
        )
    assert isinstance(result.exception, DeliveryError)
    assert result.exception.undelivered == 4
    assert "1 reading confirmed before it failed" in result.stderr
    del result
    gc.collect()


def test_a_terminal_shows_progress(
    tmp_path: Path, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # how rich is told that this is a terminal
    path = table(tmp_path, "2024-01-01T08:00:00Z,60", "2024-01-01T08:01:00Z,61")
    result = run(path, "--analyte", "heart-rate", "--subject", "p-1", "--bootstrap", broker)
    assert result.exit_code == 0, result.output
    assert "publishing" in result.stderr
    assert "2/2" in result.stderr
    assert "publishing" not in result.stdout


def test_the_whole_wearable_recording_arrives(shared_data: Path, broker: str) -> None:
    result = run(
        shared_data / "wearable_heart_rate/hr_data.csv",
        "--analyte",
        "heart-rate",
        "--subject",
        "wearer-1",
        "--time-unit",
        "epoch-s",
        "--start",
        "2024-01-01T00:00",
        "--bootstrap",
        broker,
    )
    assert result.exit_code == 0, result.output
    assert "100000 readings of 1 person" in result.stdout
    assert "37 readings at the same time as another" in result.stdout
    dry = run(
        shared_data / "hourly_heart_rate/twins_hourly.csv",
        "--analyte",
        "heart-rate",
        "--time-column",
        "dyxtime",
        "--value-column",
        "HR",
        "--subject-column",
        "patid",
        "--zone",
        "+00:00",
        "--dry-run",
    )
    assert dry.exit_code == 0, dry.output
    assert "8149 readings of 380 people" in dry.stdout
