"""The workers of one scenario, where they work, and how their store goes away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Protocol, Self

from processors.store import Store, open_store
from schemas.topics import INPUTS
from tests.faults.feeds import GROUP, PARTITIONS
from tests.faults.worker_process import Forked
from tests.kafka_log import GroupOffsets
from tests.processes import Program, acrophase, started

# An owner of partitions says when it was given them, and when it has loaded one.
PLACE, LOADED = ": partitions [", "state rows loaded"


class Outage(Protocol):
    """A way to take a server away and to bring it back."""

    def begin(self) -> None:
        """It is gone when this returns."""
        ...

    def end(self) -> None:
        """It is back when this returns."""
        ...


class FileOutage:
    """The store of `tests.faults.worker_process` is down while a file exists."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self) -> None:
        """Make the file."""
        self.path.touch()

    def end(self) -> None:
        """Remove the file."""
        self.path.unlink()


class Site:
    """Where workers work; open while they do.

    ``outage`` is the store's, ``broker`` that of Kafka, where the scenario can take it away.
    """

    def __init__(
        self,
        address: str,
        store_url: str,
        outage: Outage,
        broker: Outage | None = None,
        store_token: str | None = None,
    ) -> None:
        self.address = address
        self.store_url = store_url
        self.outage = outage
        self.broker = broker
        self.store_token = store_token
        self.group = GroupOffsets(address, GROUP)

    def store(self) -> closing[Store]:
        """The store, to look into it."""
        return closing(open_store(self.store_url, self.store_token))

    def offsets(self) -> dict[tuple[str, int], int]:
        """Next offset of each input partition, as the group has committed it."""
        return self.group.committed((topic.name, n) for topic in INPUTS for n in range(PARTITIONS))

    def committed(self) -> int:
        """How many records the group has worked through, over all partitions."""
        return sum(self.offsets().values())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.group.close()


class Worker(Program):
    """A worker process of either kind."""

    def wait_until_it_has_work(self) -> None:
        """Until the group has given it partitions and it has loaded one since."""
        self.wait_until(lambda text: LOADED in text.rpartition(PLACE)[2], "load a partition")

    def places(self) -> int:
        """How many times the group has given it partitions so far."""
        return self.text().count(PLACE)


Launch = Callable[[Path], Worker]  # a worker with its log at that path


def rim_worker(site: Site, engine: str, outage: Path, session_timeout_s: float) -> Launch:
    """Workers of `tests.faults.worker_process`, for sessions shorter than Kafka allows."""

    def launch(log: Path) -> Worker:
        told = (engine, site.address, site.store_url, outage, session_timeout_s)
        return Worker(Forked(*told, log), log)

    return launch


def real_worker(site: Site, folder: Path, settings: Mapping[str, object]) -> Launch:
    """`acrophase worker` with settings from the environment."""
    told = {"bootstrap": site.address, "store": site.store_url} | dict(settings)
    if site.store_token:
        told["store_token"] = site.store_token
    environment = {f"ACROPHASE_{name.upper()}": str(value) for name, value in told.items()}

    def launch(log: Path) -> Worker:
        return Worker(started(acrophase("worker"), log, folder, environment), log)

    return launch


class Ward:
    """Starts workers, and sees to it that none is left."""

    def __init__(self, launch: Launch, folder: Path) -> None:
        self._launch = launch
        self._folder = folder
        self._workers: list[Worker] = []

    def start(self) -> Worker:
        """A worker that begins now."""
        worker = self._launch(self._folder / f"worker-{len(self._workers)}.log")
        self._workers.append(worker)
        return worker

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.__exit__()
