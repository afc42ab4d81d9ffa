"""What a replay tells the worker beside key and bytes."""

from __future__ import annotations

from datetime import UTC, datetime

from kafka import KafkaProducer
from typer.testing import CliRunner

from acrophase.broker import EmbeddedBroker
from acrophase.cli import app
from acrophase.commands.topics import create_topics
from schemas.dead_letters import DeadLetter, replayed_elements
from schemas.errors import Reason
from schemas.topics import DEAD_LETTERS, READINGS
from tests.kafka_log import records_of


def post(address: str, elements: tuple[int, ...]) -> None:
    letter = DeadLetter(
        reason=Reason.OUT_OF_LIMITS,
        detail="too high",
        topic=READINGS.name,
        partition=0,
        offset=7,
        time=datetime(2026, 1, 2, tzinfo=UTC),
        elements=elements,
    )
    producer = KafkaProducer(bootstrap_servers=address)
    producer.send(DEAD_LETTERS.name, key=b"ann-1", value=b"{}", headers=letter.headers())
    producer.close()


def test_it_tells_what_was_refused_and_that_only_once() -> None:
    """What is sent again after that may have been counted, so it has no privilege."""
    with EmbeddedBroker() as broker:
        create_topics(broker.address, 1)
        post(broker.address, (0, 2))
        post(broker.address, ())
        replay = ["dead-letters", "replay", "--bootstrap", broker.address]
        for arguments in (replay, [*replay, "--again"]):
            assert CliRunner().invoke(app, arguments).exit_code == 0
        sent = [replayed_elements(r.headers) for r in records_of(broker.address, READINGS.name)]
    assert sent == [(0, 2), (), None, None]
