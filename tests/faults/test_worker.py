"""How the real ``acrophase worker`` starts, stops and fails, as a process."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from acrophase.broker import EmbeddedBroker
from acrophase.commands.topics import create_topics
from processors.faust_kafka import require_topics
from schemas.topics import INPUTS
from tests.faults.at_once import Runs, Scenario
from tests.processes import Program, acrophase, started


@contextmanager
def topics() -> Iterator[EmbeddedBroker]:
    """A broker with all topics, of two partitions."""
    with EmbeddedBroker() as broker:
        create_topics(broker.address, 2)
        yield broker


class WorkerCommand(Program):
    """``acrophase worker`` in an empty folder."""

    def __init__(self, address: str, folder: Path, store: str = "sqlite:///acrophase.db") -> None:
        self.home = folder / "home"
        self.home.mkdir()
        log = folder / "log"
        command = acrophase("worker", "--bootstrap", address, "--store", store)
        settings = {"ACROPHASE_SESSION_TIMEOUT_S": "6"}
        super().__init__(started(command, log, self.home, settings), log)

    def last_line(self) -> str:
        """What it ended with; a traceback is no way to end."""
        assert "Traceback" not in self.text(), str(self)
        return self.text().splitlines()[-1]


def a_signal_ends_it_in_peace(folder: Path, _shared: Path | None) -> None:
    with topics() as broker, WorkerCommand(broker.address, folder) as worker:
        worker.wait_for("partitions [0, 1]")
        began = time.monotonic()
        worker.stop(15)
        assert time.monotonic() - began < 10
    lines = worker.text().splitlines()
    assert lines[-1].endswith("worker stopped")
    assert len(lines) <= 4, lines  # start, assignment, end: nothing else is worth a line
    left = {path.name for path in worker.home.iterdir()}
    assert {name.split("-")[0] for name in left} == {"acrophase.db"}


def a_signal_before_the_group_has_formed(folder: Path, _shared: Path | None) -> None:
    with topics() as broker, WorkerCommand(broker.address, folder) as worker:
        worker.wait_for("worker of group")
        worker.send(signal.SIGINT)
        assert worker.status(25) == 0
        assert worker.last_line()


def no_broker_is_a_clear_line(folder: Path, _shared: Path | None) -> None:
    with WorkerCommand("127.0.0.1:1", folder) as worker:
        assert worker.status(60) == 1
        assert "no Kafka broker answers at 127.0.0.1:1" in worker.last_line()


def missing_topics_are_one_clear_line(folder: Path, _shared: Path | None) -> None:
    with EmbeddedBroker() as bare, WorkerCommand(bare.address, folder) as worker:
        assert worker.status(60) == 1
        (line,) = worker.text().splitlines()
        assert "no topic readings, events, state: run `acrophase topics create`" in line


def it_can_be_stopped_while_its_broker_is_gone(folder: Path, _shared: Path | None) -> None:
    with topics() as broker, WorkerCommand(broker.address, folder) as worker:
        worker.wait_for("partitions [0, 1]")
        broker.close()
        worker.stop(20)
        assert worker.last_line()


def a_broker_that_is_gone_ends_it_with_a_clear_line(folder: Path, _shared: Path | None) -> None:
    """If there is something to confirm; otherwise it waits for the broker to come back."""
    with topics() as broker, WorkerCommand(broker.address, folder) as worker:
        worker.wait_for("partitions [0, 1]")
        # While another writer holds the store, what the worker has done waits to be confirmed.
        with closing(sqlite3.connect(worker.home / "acrophase.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            simulate = ("simulate", "--days", "2", "--people", "2", "--publish")
            command = acrophase(*simulate, "--bootstrap", broker.address)
            log = folder / "simulate.log"
            with Program(started(command, log, folder), log) as publishing:
                assert publishing.status(60) == 0, str(publishing)
            worker.wait_for("store unavailable")
            broker.close()
            other.execute("ROLLBACK")
        assert worker.status(60) == 1
    assert " ERROR Kafka " in worker.last_line()


def a_store_that_refuses_ends_it(folder: Path, _shared: Path | None) -> None:
    (folder / "no-database").write_text("this is no SQLite file, and long enough to be sure" * 20)
    store = f"sqlite:///{folder / 'no-database'}"
    with WorkerCommand("127.0.0.1:1", folder, store) as worker:
        assert worker.status(60) != 0
        assert "no-database" in worker.text()
        assert worker.last_line()


# The longest first: it waits for as long as Kafka's client tries.
SCENARIOS = (
    a_broker_that_is_gone_ends_it_with_a_clear_line,
    it_can_be_stopped_while_its_broker_is_gone,
    a_signal_ends_it_in_peace,
    a_signal_before_the_group_has_formed,
    no_broker_is_a_clear_line,
    missing_topics_are_one_clear_line,
    a_store_that_refuses_ends_it,
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_worker(runs: Runs, scenario: Scenario) -> None:
    runs[scenario].result()


async def test_topics_that_are_just_being_made_are_waited_for() -> None:
    """A broker may confirm the creation of a topic before it tells others of it."""
    with EmbeddedBroker() as bare:
        found = asyncio.create_task(require_topics(bare.address, INPUTS))
        await asyncio.sleep(0.5)
        assert not found.done()
        await asyncio.to_thread(create_topics, bare.address, 2)
        assert await found == 2
