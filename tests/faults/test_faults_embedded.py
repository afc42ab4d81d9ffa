"""Workers are killed and paused, and the store goes away, on the embedded broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from acrophase.broker import EmbeddedBroker
from acrophase.commands.topics import create_topics
from tests.faults import scenarios

# The embedded broker takes a shorter session than Kafka allows, and the tests so much less time.
SESSION_S = 2.0


@pytest.fixture
def address() -> Iterator[str]:
    with EmbeddedBroker() as broker:
        create_topics(broker.address, scenarios.PARTITIONS)
        yield broker.address


def test_killed_ten_times(address: str, tmp_path: Path) -> None:
    scenarios.kill_again_and_again(address, tmp_path, seed=1, kills=10, session_timeout_s=SESSION_S)


def test_one_of_two_killed(address: str, tmp_path: Path) -> None:
    scenarios.kill_one_of_two(address, tmp_path, seed=2, kills=1, session_timeout_s=SESSION_S)


def test_without_a_store(address: str, tmp_path: Path) -> None:
    scenarios.lose_the_store(address, tmp_path, seconds=4.0, session_timeout_s=SESSION_S)


def test_paused_past_the_session(address: str, tmp_path: Path) -> None:
    scenarios.pause_past_the_session(
        address, tmp_path, seed=3, pauses=1, session_timeout_s=SESSION_S
    )
