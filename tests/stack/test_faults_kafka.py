"""The scenarios of `tests.faults` on a real Apache Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from acrophase.commands.topics import create_topics
from schemas.topics import TOPICS
from tests.faults import scenarios

SESSION_S = 6.0  # Kafka allows no less


@pytest.fixture
def address(kafka_address: str) -> Iterator[str]:
    """The broker with fresh topics, and again afterwards: a topic's name is the same for all."""
    _forget(kafka_address)
    create_topics(kafka_address, scenarios.PARTITIONS)
    yield kafka_address
    _forget(kafka_address)


def _forget(address: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=address)
    try:
        names = {topic.name for topic in TOPICS}
        admin.delete_topics(sorted(names & set(admin.list_topics())))
        scenarios.wait_until(
            lambda: not names & set(admin.list_topics()), "the topics to be deleted", 30
        )
    finally:
        admin.close()


def test_killed_ten_times(address: str, tmp_path: Path) -> None:
    scenarios.kill_again_and_again(address, tmp_path, seed=1, kills=10, session_timeout_s=SESSION_S)


def test_one_of_two_killed(address: str, tmp_path: Path) -> None:
    scenarios.kill_one_of_two(address, tmp_path, seed=2, kills=3, session_timeout_s=SESSION_S)


def test_without_a_store_for_twenty_seconds(address: str, tmp_path: Path) -> None:
    scenarios.lose_the_store(address, tmp_path, seconds=20.0, session_timeout_s=SESSION_S)


def test_paused_past_the_session(address: str, tmp_path: Path) -> None:
    scenarios.pause_past_the_session(
        address, tmp_path, seed=3, pauses=2, session_timeout_s=SESSION_S
    )
