"""``acrophase simulate``: files that the rest of the system reads, and honest refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from typer.testing import CliRunner, Result

from acrophase.broker import EmbeddedBroker
from acrophase.cli import app
from acrophase.commands.simulate import paced
from producers.clinic import Clinic
from producers.day_records import Delivery
from producers.panels import Panel
from schemas.catalogue import load_catalogue
from schemas.errors import OutputFileError
from schemas.events import parse_event
from schemas.readings import ReadingBatch, parse_reading


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["simulate", *arguments])


def test_files_hold_the_clinics_bytes_and_the_truth_beside_them(tmp_path: Path) -> None:
    out, events, truth = (tmp_path / name for name in ("r.jsonl", "e.jsonl", "t.json"))
    result = run(
        *("--people", "2", "--days", "2", "--seed", "5", "--start", "2026-01-05"),
        *("--out", str(out), "--events", str(events), "--truth", str(truth)),
    )
    assert result.exit_code == 0, result.output
    start = datetime.fromisoformat("2026-01-05T00:00:00+01:00")
    clinic = Clinic(5, 2, start)
    deliveries = list(clinic.records(start, start + timedelta(days=2)))
    for path, topic in ((out, "readings"), (events, "events")):
        lines = path.read_bytes().splitlines()
        assert lines == [d.value for d in deliveries if d.topic == topic]
    records = [parse_reading(line) for line in out.read_bytes().splitlines()]
    readings = sum(len(r.values) if isinstance(r, ReadingBatch) else 1 for r in records)
    assert f"{readings} readings in {len(deliveries)} records" in result.output
    assert all(parse_event(line).received_at for line in events.read_bytes().splitlines())
    written = json.loads(truth.read_text())
    assert written["people"] == clinic.truth()["people"]
    assert set(written["people"][0]["analytes"]) == {
        "heart-rate",
        "wrist-temperature",
        "saliva-cortisol",
        "saliva-melatonin",
    }


def test_without_a_start_the_last_full_days_are_simulated(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    result = run("--people", "1", "--days", "2", "--zone", "Asia/Tokyo", "--out", str(out))
    assert result.exit_code == 0, result.output
    received = [parse_reading(line).received_at for line in out.read_bytes().splitlines()]
    newest = max(each for each in received if each is not None)
    assert timedelta(0) <= datetime.now(UTC) - newest < timedelta(hours=27)


def test_a_journey_is_in_the_readings(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    result = run(
        *("--people", "1", "--days", "3", "--start", "2026-01-05", "--out", str(out)),
        *("--journey", "sim-01=America/New_York@2026-01-06T10:00"),
    )
    assert result.exit_code == 0, result.output
    lines = out.read_bytes().splitlines()
    offsets = {parse_reading(line).collected_at.utcoffset() for line in lines}
    assert offsets == {timedelta(hours=1), timedelta(hours=-5)}


def test_panels_are_in_the_readings_the_events_and_the_truth(tmp_path: Path) -> None:
    out, events, truth = (tmp_path / name for name in ("r.jsonl", "e.jsonl", "t.json"))
    panels = [word for panel in Panel for word in ("--panel", panel.value)]
    result = run(
        *("--people", "4", "--days", "9", "--seed", "2", "--start", "2026-01-05", *panels),
        *("--journey", "sim-03=America/New_York@2026-01-09T10:00"),
        *("--out", str(out), "--events", str(events), "--truth", str(truth)),
    )
    assert result.exit_code == 0, result.output
    codes = {parse_reading(line).code for line in out.read_bytes().splitlines()}
    catalogue = load_catalogue()
    slugs = {catalogue.by_code(code).slug for code in codes}
    assert slugs >= {"steps", "basal-temperature", "urine-pdg", "serum-tsh", "serum-dheas"}
    kinds = {parse_event(line).kind for line in events.read_bytes().splitlines()}
    assert kinds >= {"travel", "sleep", "wake", "profile"}
    people = {p["subject"]: p["markers"] for p in json.loads(truth.read_text())["people"]}
    assert [person["verified_kit"] for person in people.values()] == [True, False, True, False]
    assert people["sim-03"]["body_clock"][0]["lag_h"] == -6.0
    assert people["sim-01"]["body_clock"] == []
    assert all(0.1 < person["per_step"] < 0.5 for person in people.values())
    (woman,) = (person for person in people.values() if "cycles" in person)
    menses = [cycle["menses"] for cycle in woman["cycles"]]
    assert menses
    assert all(day < "2026-01-14" for day in menses)


def test_the_failing_thyroid_is_in_the_truth(tmp_path: Path) -> None:
    truth = tmp_path / "t.json"
    result = run(
        *("--people", "3", "--days", "90", "--troubles", "axis", "--panel", "labs"),
        *("--start", "2026-01-05", "--truth", str(truth)),
    )
    assert result.exit_code == 0, result.output
    people = json.loads(truth.read_text())["people"]
    (trouble,) = people[1]["troubles"]
    assert trouble["kind"] == "axis"
    assert trouble["onset"].startswith("2026-02-03T23:00")
    assert [person["troubles"] for person in (people[0], people[2])] == [[], []]


def test_the_demos_troubles_are_in_the_truth(tmp_path: Path) -> None:
    truth = tmp_path / "t.json"
    result = run("--people", "8", "--troubles", "demo", "--truth", str(truth))
    assert result.exit_code == 0, result.output
    people = json.loads(truth.read_text())["people"]
    assert sum(bool(person["troubles"]) for person in people) == 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say where to put it"),
        (["--start", "2999-01-01"], "ahead of the clock"),
        (["--start", "soon"], "--start: 'soon' is no date or time"),
        (["--zone", "Mars/Olympus"], "--zone: 'Mars/Olympus' is no IANA time zone"),
        (["--journey", "sim-01"], "--journey: 'sim-01': write PERSON=ZONE@ISO"),
        (["--journey", "sim-77=Asia/Tokyo@2026-01-01"], "--journey: no person sim-77"),
        (["--troubles", "demo", "--days", "5"], "--days: --troubles demo needs at least 10"),
        (["--troubles", "demo", "--people", "5"], "--people: the demo needs at least 6"),
        (["--troubles", "axis"], "--panel: --troubles axis needs --panel labs"),
        (
            ["--troubles", "axis", "--panel", "labs", "--days", "83"],
            "--days: --troubles axis needs at least 84",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    truth = tmp_path / "t.json"
    to_file = ["--truth", str(truth)] if arguments else []
    result = run(*arguments, *to_file)
    assert result.exit_code != 0
    assert words in str(result.exception)
    assert not truth.exists()


@pytest.mark.parametrize("option", ["--out", "--events", "--truth"])
def test_a_file_that_cannot_be_written_is_named(option: str, tmp_path: Path) -> None:
    for path, words in ((tmp_path, "Is a directory"), (tmp_path / "no" / "x", "No such file")):
        result = run("--people", "1", "--days", "1", option, str(path))
        assert isinstance(result.exception, OutputFileError)
        assert str(result.exception) == f"{path} cannot be written: {words}" + (
            " or directory" if words == "No such file" else ""
        )


def test_an_interrupted_file_is_said_to_be_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def records(self: Clinic, since: datetime, until: datetime | None = None) -> Iterator[Delivery]:
        yield from islice(whole(self, since, until), 40)
        raise KeyboardInterrupt

    whole = Clinic.records
    monkeypatch.setattr(Clinic, "records", records)
    out = tmp_path / "r.jsonl"
    result = run("--people", "1", "--days", "3", "--out", str(out))
    assert result.exit_code != 0
    assert f"{out} is not complete" in result.stderr
    assert all(parse_reading(line) for line in out.read_bytes().splitlines())


def test_the_same_seed_gives_the_same_bytes_in_any_process() -> None:
    """Hashes of strings differ from process to process; nothing that is written may."""
    program = (
        "import hashlib, json; from datetime import datetime; "
        "from producers.clinic import demo_clinic; "
        "start, live = map(datetime.fromisoformat, "
        "('2026-03-20T00:00:00+01:00', '2026-03-30T00:00:00+02:00')); "
        "clinic = demo_clinic({seed}, start, live, 6); digest = hashlib.sha256(); "
        "[digest.update(d.topic.encode() + d.value) for d in clinic.records(live, "
        "datetime.fromisoformat('2026-03-31T00:00:00+02:00'))]; "
        "digest.update(json.dumps(clinic.truth()).encode()); print(digest.hexdigest())"
    )
    digests = [
        subprocess.run(
            [sys.executable, "-c", program.replace("{seed}", seed)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, hash_seed, zone in (
            ("1", "0", "UTC"),
            ("1", "4242", "Asia/Tokyo"),
            ("2", "0", "UTC"),
        )
    ]
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_a_fast_clock_may_not_overtake_the_real_one(tmp_path: Path) -> None:
    # Ten days at ten times the speed take one day: nine days of past are too few by a bit.
    start = datetime.now(UTC) - timedelta(days=8, hours=23)
    truth = str(tmp_path / "t.json")
    options = ("--people", "1", "--days", "10", "--speed", "10", "--truth", truth)
    late = run(*options, "--start", start.isoformat())
    assert "ahead of the clock" in str(late.exception)
    early = run(*options, "--start", (start - timedelta(hours=2)).isoformat())
    assert early.exit_code == 0, early.output


def test_deliveries_wait_for_the_simulated_clock() -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    deliveries = list(Clinic(1, 1, start).records(start, start + timedelta(hours=12)))
    real = 100.0

    def sleep(seconds: float) -> None:
        nonlocal real
        assert seconds > 0
        real += seconds

    seen = 0
    for delivery in paced(deliveries, start, 600.0, lambda: real, sleep):
        due = 100.0 + (delivery.received_at - start).total_seconds() / 600.0
        assert real == pytest.approx(due)
        seen += 1
    assert seen == len(deliveries) > 20


def test_kafka_carries_the_same_bytes_with_the_subject_as_key(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    with EmbeddedBroker() as broker:
        result = run(
            *("--people", "2", "--days", "1", "--start", "2026-01-05", "--out", str(out)),
            *("--publish", "--bootstrap", broker.address),
        )
        assert result.exit_code == 0, result.output
        lines = out.read_bytes().splitlines()
        consumer = KafkaConsumer(
            "readings",
            bootstrap_servers=broker.address,
            auto_offset_reset="earliest",
            group_id=None,
        )
        carried: dict[bytes, list[bytes]] = {}
        limit = time.monotonic() + 20
        try:
            while sum(map(len, carried.values())) < len(lines) and time.monotonic() < limit:
                for records in consumer.poll(timeout_ms=500).values():
                    for record in records:
                        carried.setdefault(record.key, []).append(record.value)
        finally:
            consumer.close()
    for subject in (b"sim-01", b"sim-02"):
        assert carried[subject] == [line for line in lines if subject in line]
