"""How the real ``acrophase worker`` starts, stops and fails, as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from acrophase.broker import EmbeddedBroker
from acrophase.commands.topics import create_topics
from tests.faults.scenarios import wait_until


class WorkerCommand:
    """``acrophase worker`` in an empty folder."""

    def __init__(self, address: str, folder: Path, store: str = "sqlite:///acrophase.db") -> None:
        self.log = folder / "log"
        self.home = folder / "home"
        self.home.mkdir()
        command = [sys.executable, "-m", "acrophase", "worker"]
        command += ["--bootstrap", address, "--store", store]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self.home,
                env=os.environ | {"PYTHONPATH": str(Path.cwd())},
            )

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, words: str) -> None:
        def said() -> bool:
            assert self.process.poll() is None, self.text()
            return words in self.text()

        wait_until(said, f"the worker to say {words!r}")

    def status(self, within_s: float) -> int:
        return self.process.wait(within_s)

    def __enter__(self) -> WorkerCommand:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        create_topics(broker.address, 2)
        yield broker


def test_a_signal_ends_it_in_peace(broker: EmbeddedBroker, tmp_path: Path) -> None:
    with WorkerCommand(broker.address, tmp_path) as worker:
        worker.wait_for("partitions [0, 1]")
        began = time.monotonic()
        worker.process.terminate()
        assert worker.status(15) == 0
        assert time.monotonic() - began < 10
    lines = worker.text().splitlines()
    assert lines[-1].endswith("worker stopped")
    assert len(lines) <= 4, lines  # start, assignment, end: nothing else is worth a line
    left = {path.name for path in worker.home.iterdir()}
    assert {name.split("-")[0] for name in left} == {"acrophase.db"}


def test_a_signal_before_the_group_has_formed(broker: EmbeddedBroker, tmp_path: Path) -> None:
    with WorkerCommand(broker.address, tmp_path) as worker:
        worker.wait_for("worker of group")
        worker.process.send_signal(signal.SIGINT)
        assert worker.status(25) == 0
    assert "Traceback" not in worker.text()


def test_no_broker_is_a_clear_line(tmp_path: Path) -> None:
    with WorkerCommand("127.0.0.1:1", tmp_path) as worker:
        assert worker.status(30) == 1
    assert "no Kafka broker answers at 127.0.0.1:1" in worker.text().splitlines()[-1]
    assert "Traceback" not in worker.text()


def test_missing_topics_are_one_clear_line(tmp_path: Path) -> None:
    with EmbeddedBroker() as bare, WorkerCommand(bare.address, tmp_path) as worker:
        assert worker.status(30) == 1
    (line,) = worker.text().splitlines()
    assert "no topic readings, events, state: run `acrophase topics create`" in line


def test_it_can_be_stopped_while_its_broker_is_gone(broker: EmbeddedBroker, tmp_path: Path) -> None:
    with WorkerCommand(broker.address, tmp_path) as worker:
        worker.wait_for("partitions [0, 1]")
        broker.close()
        worker.process.terminate()
        assert worker.status(20) == 0
    assert "Traceback" not in worker.text()


def test_a_store_that_refuses_ends_it(broker: EmbeddedBroker, tmp_path: Path) -> None:
    (tmp_path / "no-database").write_text("this is no SQLite file, and long enough to be sure" * 20)
    store = f"sqlite:///{tmp_path / 'no-database'}"
    with WorkerCommand(broker.address, tmp_path, store) as worker:
        assert worker.status(30) != 0
    assert "Traceback" not in worker.text()
    assert "no-database" in worker.text()
