"""``topics create``, on the embedded broker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from typer.testing import CliRunner

from acrophase.broker import EmbeddedBroker
from acrophase.commands.topics import app, create_topics
from schemas.topics import DEAD_LETTERS, READINGS, STATE, TOPICS


@pytest.fixture
def address() -> Iterator[str]:
    with EmbeddedBroker() as broker:
        yield broker.address


def test_it_creates_what_is_missing_and_says_so(address: str) -> None:
    result = CliRunner().invoke(app, ["create", "--bootstrap", address, "--partitions", "3"])
    assert result.exit_code == 0
    assert result.output.count("created") == len(TOPICS)
    assert "readings: created, 3 partitions" in result.output
    assert "dead-letters: created, 1 partition\n" in result.output
    again = CliRunner().invoke(app, ["create", "--bootstrap", address, "--partitions", "3"])
    assert again.exit_code == 0
    assert again.output.count("exists") == len(TOPICS)


def test_it_tells_what_differs_and_changes_nothing(address: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics([NewTopic(name=STATE.name, num_partitions=2, replication_factor=1)])
    admin.close()
    for _ in range(2):
        reports = {report.name: report for report in create_topics(address, 4)}
        assert reports[STATE.name].partitions == 2
        assert "2 partitions instead of 4" in reports[STATE.name].differences[0]
        assert reports[READINGS.name].differences == ()
        assert reports[DEAD_LETTERS.name].partitions == 1
    result = CliRunner().invoke(app, ["create", "--bootstrap", address, "--partitions", "4"])
    assert result.exit_code == 1
    assert "differs: 2 partitions instead of 4" in result.output
    assert "Nothing was changed. Give the partitions that there are" in result.stderr
