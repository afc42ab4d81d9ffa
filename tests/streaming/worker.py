"""A real ``acrophase worker`` on an embedded broker, with a store in SQLite."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from processors.store import Store, open_store
from schemas.topics import INPUTS
from tests.kafka_log import GroupOffsets
from tests.processes import Program, acrophase, started, wait_until

_GROUP = "acrophase"


class WorkerProcess(Program):
    """``acrophase worker`` in a folder, its log beside its store; killed if it is left behind."""

    def __init__(self, address: str, folder: Path, **settings: object) -> None:
        self._address = address
        self._store_url = f"sqlite:///{folder / 'acrophase.db'}"
        told = {"bootstrap": address, "store": self._store_url, "group": _GROUP, **settings}
        # The shortest session there is, since the group forms within half of it.
        told |= {"session_timeout_s": 6, "checkpoint_s": 0.3}
        variables = {f"ACROPHASE_{name.upper()}": str(value) for name, value in told.items()}
        log = folder / f"worker-{time.monotonic_ns()}.log"
        super().__init__(started(acrophase("worker"), log, folder, variables), log)

    def wait_until_worked_through(self, partitions: int, records: int) -> None:
        """Until the group has committed so many records of both topics."""
        where = [(topic.name, number) for topic in INPUTS for number in range(partitions)]
        with closing(GroupOffsets(self._address, _GROUP)) as group:

            def done() -> bool:
                assert self.handle.poll() is None, str(self)
                committed = sum(group.committed(where).values())
                assert committed <= records, f"{committed} records, not {records}"
                return committed == records

            wait_until(done, f"{records} records to be worked through")

    def store(self) -> closing[Store]:
        """What it has written, to look into it."""
        return closing(open_store(self._store_url, None))
