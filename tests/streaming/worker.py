"""A real ``acrophase worker`` on an embedded broker, with a store in SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition

from processors.store import Store, open_store
from schemas.topics import INPUTS

_ROOT = Path(__file__).parents[2]
_GROUP = "acrophase"
_WITHIN_S = 60.0


class WorkerProcess:
    """``acrophase worker`` in a folder, its log beside its store; killed if it is left behind."""

    def __init__(self, address: str, folder: Path, **settings: object) -> None:
        self._address = address
        self._store_url = f"sqlite:///{folder / 'acrophase.db'}"
        self._log = folder / f"worker-{time.monotonic_ns()}.log"
        told = {"bootstrap": address, "store": self._store_url, "group": _GROUP, **settings}
        # The shortest session there is, since the group forms within half of it.
        told |= {"session_timeout_s": 6, "checkpoint_s": 0.3}
        variables = {f"ACROPHASE_{name.upper()}": str(value) for name, value in told.items()}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "acrophase", "worker"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=os.environ | variables | {"PYTHONPATH": str(_ROOT)},
            )

    def wait_until_worked_through(self, records: int) -> None:
        """Until the group has committed so many records of both topics."""
        with closing(
            KafkaConsumer(
                bootstrap_servers=self._address, group_id=_GROUP, enable_auto_commit=False
            )
        ) as consumer:
            partitions = [
                TopicPartition(topic.name, number)
                for topic in INPUTS
                for number in consumer.partitions_for_topic(topic.name) or ()
            ]

            def done() -> bool:
                assert self.process.poll() is None, str(self)
                committed = sum(consumer.committed(each) or 0 for each in partitions)
                assert committed <= records, f"{committed} records, not {records}"
                return committed == records

            wait_until(done, f"{records} records to be worked through", str(self))

    def stop(self) -> None:
        """In peace, with a last checkpoint."""
        self.process.terminate()
        assert self.process.wait(20) == 0, str(self)

    def store(self) -> closing[Store]:
        """What it has written, to look into it."""
        return closing(open_store(self._store_url, None))

    def __str__(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def wait_until(condition: Callable[[], bool], what: str, log: str = "") -> None:
    """Look every 50 ms; fails with what it waited for."""
    limit = time.monotonic() + _WITHIN_S
    while not condition():
        assert time.monotonic() < limit, f"waited {_WITHIN_S:.0f} s for {what}\n{log}"
        time.sleep(0.05)


def records_of(address: str, topic: str, partition: int = 0) -> Iterable[Any]:
    """All records of a partition as kafka-python gives them, up to the end at the first fetch."""
    with closing(
        KafkaConsumer(
            bootstrap_servers=address,
            enable_auto_commit=False,
            max_partition_fetch_bytes=32 * 1_048_576,
        )
    ) as consumer:
        where = TopicPartition(topic, partition)
        consumer.assign([where])
        consumer.seek_to_beginning(where)
        limit, end = time.monotonic() + _WITHIN_S, None
        while end is None or consumer.position(where) < end:
            assert time.monotonic() < limit, f"{topic}/{partition} cannot be read"
            yield from consumer.poll(timeout_ms=500).get(where, [])
            end = consumer.highwater(where) if end is None else end
