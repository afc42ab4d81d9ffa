"""A worker process for tests: another engine, a store that can be away, any session timeout.

It is forked from a process that has imported everything (multiprocessing's fork server), since
imports take several times as long as what is done to a worker.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from processors.app import Worker, WorkerSettings
from processors.engine import Partition, Policy
from processors.engine_port import EngineFactory
from processors.store import Store, open_store
from schemas.catalogue import load_catalogue
from schemas.errors import StoreUnavailable
from schemas.measurements import Measurement, Row
from tests.faults.counting import CountingEngine

ENGINES: dict[str, EngineFactory] = {
    "counting": CountingEngine,
    "real": lambda number: Partition(number, load_catalogue(), Policy()),
}
_CHECKPOINT_S = 0.3


class Forked:
    """`tests.processes.Handle` of a worker that begins now."""

    def __init__(
        self, engine: str, bootstrap: str, store: str, outage: Path, session_s: float, log: Path
    ) -> None:
        log.touch()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        arguments = (engine, bootstrap, store, outage, session_s, log)
        self._process: ForkServerProcess = context.Process(target=_main, args=arguments)
        self._process.start()

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Exit status, None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Exit status; raises ``TimeoutExpired``."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0.0)
        return self._process.exitcode


class FailingStore:
    """A store that is down while a file exists."""

    def __init__(self, store: Store, outage: Path) -> None:
        self._store = store
        self._outage = outage

    def write(self, measurement: Measurement, rows: Sequence[Row]) -> None:
        if self._outage.exists():
            raise StoreUnavailable("down for the test", retry_after_s=0.2)
        self._store.write(measurement, rows)


def _main(
    engine: str, bootstrap: str, store: str, outage: Path, session_s: float, log: Path
) -> None:
    output = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("processors").setLevel(logging.INFO)
    settings = WorkerSettings(bootstrap, checkpoint_s=_CHECKPOINT_S, session_timeout_s=session_s)
    failing = FailingStore(open_store(store), outage)
    asyncio.run(_work(Worker(settings, ENGINES[engine], failing)))


async def _work(worker: Worker) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await worker.run(stop)
