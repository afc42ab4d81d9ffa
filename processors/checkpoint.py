"""How results are confirmed, in the one order that loses nothing.

    outputs in the store and in Kafka  →  changed rows on ``state``  →  input offsets

A crash between two steps repeats the earlier ones: outputs written twice are the same outputs,
and a record read twice is skipped by every row that has absorbed it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from processors.engine_port import OutMessage, Outputs, StateRow
from processors.recovery import Headers, StateLog, state_headers
from schemas.errors import StoreUnavailable
from schemas.measurements import DEVIATION, Measurement, Row

log = logging.getLogger(__name__)

TopicPartition = tuple[str, int]

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 15.0
_ROWS_A_WRITE = 5_000


class OwnershipLost(Exception):
    """The group has moved on: this worker's generation may no longer commit."""


class Kafka(Protocol):
    """What the rim needs of Kafka. Failures other than those named end the worker."""

    async def send(self, messages: Sequence[OutMessage]) -> None:
        """Send and wait until all are delivered; raises ``DeliveryError``."""
        ...

    async def write_state(self, partition: int, rows: Sequence[StateRow], headers: Headers) -> int:
        """Write rows to one partition of ``state``; returns the last one's offset when delivered.

        Raises ``DeliveryError``.
        """
        ...

    async def read_state(self, partition: int, start: int, end: int, into: StateLog) -> None:
        """Add the records of offsets start..end (inclusive) to ``into``; ``DeliveryError``."""
        ...

    async def commit(self, offsets: Mapping[TopicPartition, int], generation: int) -> None:
        """Commit next offsets as a member of ``generation``; raises `OwnershipLost`."""
        ...

    async def committed(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Committed next offsets; the earliest one available where nothing was committed."""
        ...

    async def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on reading an assigned input partition at ``offset``."""
        ...


class StoreSink(Protocol):
    """The part of the store that the rim writes to."""

    def write(self, measurement: Measurement, rows: Sequence[Row]) -> None:
        """Returns when durable; ``StoreUnavailable`` or ``StoreRefused``."""
        ...


@dataclass(slots=True)
class Cut:
    """One partition at one moment: what to write to ``state``, and how far it has read.

    ``generation`` is the owner's mark under which its rows are written.
    """

    partition: int
    generation: int
    rows: Sequence[StateRow]
    positions: dict[str, int]


@dataclass(slots=True)
class Outbox:
    """Outputs that have not been handed to a writer yet."""

    rows: dict[Measurement, list[Row]] = field(default_factory=dict)
    messages: list[OutMessage] = field(default_factory=list)
    n_rows: int = 0

    @property
    def urgent(self) -> bool:
        """Whether somebody waits for what is in it: a person should see it at once."""
        return DEVIATION in self.rows

    def add(self, outputs: Outputs) -> None:
        """Take outputs over, behind those that are there."""
        for measurement, rows in outputs.rows.items():
            self.rows.setdefault(measurement, []).extend(rows)
            self.n_rows += len(rows)
        self.messages.extend(outputs.messages)

    def take(self) -> Outputs:
        """All of them; the outbox is empty afterwards."""
        taken = Outputs(self.rows, self.messages)
        self.rows, self.messages, self.n_rows = {}, [], 0
        return taken


class PatientStore:
    """Writes rows to the store on a thread of its own and waits out its absence.

    ``StoreUnavailable`` is waited out for as long as it takes, ``StoreRefused`` is raised. The
    log tells once that the store went away and once that it came back.
    """

    def __init__(
        self,
        store: StoreSink,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._pause = pause
        self._jitter = jitter
        # One thread: a store has one writer, and rows of the same point keep their order.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    async def write(
        self, rows: Mapping[Measurement, Sequence[Row]], permit: Callable[[], Awaitable[None]]
    ) -> None:
        """Returns when all rows are durable; raises ``StoreRefused``.

        ``permit`` is asked before every attempt; what it raises ends the writing.
        """
        for measurement, all_rows in rows.items():
            for first in range(0, len(all_rows), _ROWS_A_WRITE):
                await self._write(measurement, all_rows[first : first + _ROWS_A_WRITE], permit)

    def close(self) -> None:
        """Let go of the thread; the store itself belongs to the caller."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _write(
        self, measurement: Measurement, rows: Sequence[Row], permit: Callable[[], Awaitable[None]]
    ) -> None:
        loop = asyncio.get_running_loop()
        delay_s = 0.0
        while True:
            await permit()
            try:
                await loop.run_in_executor(self._thread, self._store.write, measurement, rows)
            except StoreUnavailable as error:
                if not delay_s:
                    log.warning("store unavailable, reading pauses until it is back: %s", error)
                delay_s = min(max(2 * delay_s, _FIRST_DELAY_S), _LONGEST_DELAY_S)
                # Half of the delay is random, so that workers do not come back all at once.
                wait_s = delay_s * (0.5 + 0.5 * self._jitter())
                await self._pause(max(wait_s, error.retry_after_s or 0.0))
            else:
                if delay_s:
                    log.warning("store available again, reading goes on")
                return


class Lease:
    """The proof that this worker still owns its partitions; a commit renews it.

    Outputs of a half hour that is still open are written again and again, so an old one must not
    come after a newer owner's. The group gives partitions away at the earliest one session
    timeout after the broker has heard of their owner. A worker that has had no answer for
    ``lease_s``, which is less, was perhaps paused, and asks before it writes anything.
    """

    def __init__(
        self, kafka: Kafka, generation: int, lease_s: float, clock: Callable[[], float]
    ) -> None:
        self._kafka = kafka
        self._generation = generation
        self._lease_s = lease_s
        self._clock = clock
        self._proven = clock()
        self._offsets: dict[TopicPartition, int] = {}
        # To ask means to commit the last offsets again: never after newer ones.
        self._turn = asyncio.Lock()

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit next offsets; raises ``DeliveryError`` or `OwnershipLost`."""
        async with self._turn:
            await self._commit(offsets)

    async def require(self) -> None:
        """Returns if the partitions are ours for a while yet; raises as `commit` does."""
        async with self._turn:
            if self._clock() - self._proven > self._lease_s:
                await self._commit(self._offsets)

    async def _commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        asked = self._clock()
        await self._kafka.commit(offsets, self._generation)
        self._offsets.update(offsets)
        self._proven = asked


class Confirmation:
    """Confirms outputs and cuts in the background, one after another.

    At most one is under way. `idle` waits for it and raises what went wrong: ``StoreRefused``,
    ``DeliveryError`` or `OwnershipLost`. ``when_free`` is called after each.
    """

    def __init__(
        self, store: PatientStore, kafka: Kafka, lease: Lease, when_free: Callable[[], None]
    ) -> None:
        self._store = store
        self._kafka = kafka
        self._lease = lease
        self._when_free = when_free
        self._task: asyncio.Task[None] | None = None

    @property
    def free(self) -> bool:
        """Whether nothing is under way and nothing has gone wrong."""
        task = self._task
        return task is None or (task.done() and not task.cancelled() and task.exception() is None)

    async def idle(self) -> None:
        """Wait for what is under way, and raise its failure."""
        if self._task is not None:
            # Not awaited itself: it must outlive a caller that is cancelled.
            await asyncio.wait({self._task})
            if not self._task.cancelled():
                self._task.result()

    def begin_outputs(self, outputs: Outputs) -> None:
        """Start to write outputs; only when idle."""
        self._begin(self._write(outputs))

    def begin_checkpoint(self, outputs: Outputs, cuts: Sequence[Cut]) -> None:
        """Start to confirm cuts, of which these are the last outputs; only when idle."""
        self._begin(self._confirm(outputs, cuts))

    async def give_up(self) -> None:
        """Stop what is under way, wherever it is. It will be done again by the next owner."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        # Two at a time could commit offsets whose outputs are still on their way.
        assert self._task is None or self._task.done()
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(lambda _: self._when_free())

    async def _write(self, outputs: Outputs) -> None:
        await self._lease.require()
        await self._kafka.send(outputs.messages)
        await self._store.write(outputs.rows, self._lease.require)

    async def _confirm(self, outputs: Outputs, cuts: Sequence[Cut]) -> None:
        await self._write(outputs)
        for cut in cuts:
            if cut.rows:
                headers = state_headers(cut.generation, cut.positions)
                await self._lease.require()
                await self._kafka.write_state(cut.partition, cut.rows, headers)
        offsets = {
            (topic, cut.partition): position
            for cut in cuts
            for topic, position in cut.positions.items()
        }
        await self._lease.commit(offsets)
