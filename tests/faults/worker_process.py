"""A worker process with the counting engine.

``python -m tests.faults.worker_process KAFKA SQLITE OUTAGE SESSION_TIMEOUT``

It begins when its standard input is closed. The store is unavailable while the file OUTAGE exists.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from processors.app import Worker, WorkerSettings
from processors.store.sqlite import SqliteStore
from schemas.errors import StoreUnavailable
from schemas.measurements import Measurement, Row
from tests.faults.counting import CountingEngine


class FailingStore:
    """A store that is down while a file exists."""

    def __init__(self, path: Path, outage: Path) -> None:
        self._store = SqliteStore(path)
        self._outage = outage

    def write(self, measurement: Measurement, rows: Sequence[Row]) -> None:
        if self._outage.exists():
            raise StoreUnavailable("down for the test", retry_after_s=0.2)
        self._store.write(measurement, rows)


async def run(bootstrap: str, path: Path, outage: Path, session_timeout_s: float) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    settings = WorkerSettings(bootstrap, checkpoint_s=0.3, session_timeout_s=session_timeout_s)
    await Worker(settings, CountingEngine, FailingStore(path, outage)).run(stop)


if __name__ == "__main__":
    sys.stdin.read()  # until we are told to go
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("processors").setLevel(logging.INFO)
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])))
