"""``dead-letters list`` and ``replay``, on the embedded broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from kafka import KafkaProducer
from typer.testing import CliRunner

from acrophase.broker import EmbeddedBroker
from acrophase.commands.dead_letters import app, read_mailbox
from acrophase.commands.topics import create_topics
from schemas.dead_letters import DeadLetter
from schemas.errors import BrokerUnavailable, DeliveryError, Reason
from schemas.topics import DEAD_LETTERS, EVENTS, READINGS
from tests.kafka_log import records_of

LETTERS = [
    (b"ann-1", b'{"broken', Reason.UNDECODABLE, READINGS.name),
    (None, b"\x00\xff\n", Reason.UNDECODABLE, READINGS.name),
    (b"bob-2", b'{"unit": "furlong"}', Reason.UNKNOWN_UNIT, READINGS.name),
    (b"bob-2", b'{"kind": "dose"}', Reason.MALFORMED, EVENTS.name),
]


@pytest.fixture
def address() -> Iterator[str]:
    with EmbeddedBroker() as broker:
        create_topics(broker.address, 1)
        yield broker.address


def post(address: str) -> None:
    producer = KafkaProducer(bootstrap_servers=address)
    for offset, (key, value, reason, topic) in enumerate(LETTERS):
        letter = DeadLetter(
            reason=reason,
            detail=f"number {offset} is wrong",
            topic=topic,
            partition=0,
            offset=offset,
            time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        )
        producer.send(DEAD_LETTERS.name, key=key, value=value, headers=letter.headers())
    producer.close()


def run(address: str, *arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments, "--bootstrap", address])
    assert result.exit_code == 0, result.output
    return result.output


def replayed(address: str, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    return [(record.key, record.value) for record in records_of(address, topic, 0)]


def test_a_replay_is_exact_and_happens_once(address: str) -> None:
    post(address)
    assert "would replay 4 dead letters" in run(address, "replay", "--dry-run")
    assert replayed(address, READINGS.name) == []
    told = run(address, "replay", "--reason", "undecodable")
    assert told.strip() == "replayed 2 dead letters: undecodable 2"
    assert replayed(address, READINGS.name) == [(key, value) for key, value, _, _ in LETTERS[:2]]
    assert "replayed 2 dead letters: unknown-unit 1, malformed 1" in run(address, "replay")
    assert replayed(address, EVENTS.name) == [(b"bob-2", b'{"kind": "dose"}')]
    assert run(address, "replay").strip() == "replayed 0 dead letters"
    assert "replayed 2 dead letters" in run(
        address, "replay", "--again", "--reason", "unknown-unit", "--reason", "malformed"
    )
    assert len(replayed(address, READINGS.name)) == 4


def test_a_letter_that_comes_back_is_a_new_one(address: str) -> None:
    post(address)
    run(address, "replay")
    post(address)
    assert "replayed 4 dead letters" in run(address, "replay")


def test_the_list_shows_reasons_and_no_contents(address: str) -> None:
    assert run(address, "list").strip() == "0 dead letters"
    post(address)
    run(address, "replay", "--reason", "malformed")
    shown = run(address, "list")
    assert "4 dead letters: undecodable 2, unknown-unit 1, malformed 1" in shown
    assert "furlong" not in shown
    assert "bob-2" not in shown
    lines = [json.loads(line) for line in run(address, "list", "--json").splitlines()]
    assert [line["replayed"] for line in lines] == [False, False, False, True]
    assert lines[1] == {
        "reason": "undecodable",
        "detail": "number 1 is wrong",
        "topic": "readings",
        "partition": 0,
        "offset": 1,
        "time": "2026-01-02T03:04:05Z",
        "elements": [],
        "letter": 1,
        "bytes": 3,
        "replayed": False,
    }
    (newest,) = run(address, "list", "--json", "--limit", "1").splitlines()
    assert json.loads(newest)["letter"] == 3
    (only,) = run(address, "list", "--json", "--reason", "unknown-unit").splitlines()
    assert json.loads(only)["letter"] == 2


def test_records_of_somebody_else_are_not_guessed_at(address: str) -> None:
    producer = KafkaProducer(bootstrap_servers=address)
    producer.send(DEAD_LETTERS.name, value=b"not ours")
    producer.close()
    with pytest.raises(DeliveryError, match="offset 0 of dead-letters is no dead letter"):
        read_mailbox(address)


def test_missing_topics_are_named() -> None:
    with EmbeddedBroker() as broker, pytest.raises(BrokerUnavailable, match="topics create"):
        read_mailbox(broker.address)
