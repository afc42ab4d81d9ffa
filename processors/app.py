"""The worker: Faust wired to frames, sessions and the engine, and nothing else.

Faust brings the consumer group, the co-partitioned assignment, the producer and one agent that
takes one frame at a time. When to process, confirm and commit is decided in
`processors.session`; where work is spread, by partitions and workers.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from dataclasses import dataclass
from typing import Any

import faust
from faust.types import TP
from mode import CrashingSupervisor

from processors.checkpoint import PatientStore, StoreSink
from processors.engine_port import EngineFactory
from processors.faust_kafka import FaustKafka, require_topics
from processors.frames import FrameScheduler
from processors.session import Session
from schemas.errors import AcrophaseError, DeliveryError
from schemas.topics import DEAD_LETTERS, INPUTS, READINGS, STATE

log = logging.getLogger(__name__)

# A poll's records become frames; this bounds a frame, and with the few frames that may wait for
# the agent it bounds memory.
_RECORDS_A_POLL = 4_000
_FRAMES_WAITING = 8
_FETCH_BYTES = 16 * 1_048_576
# A dead letter is as large as the largest input and its headers.
_SEND_BYTES = DEAD_LETTERS.max_message_bytes + 65_536
_BATCH_BYTES = 512 * 1024
_DAY_S = 86_400.0
# Together within the 10 s that containers are usually given to stop.
_LAST_CHECKPOINT_WITHIN_S = 4.0
_STOP_WITHIN_S = 5.0
_REJOIN_WITHIN_S = 120.0


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker is told; times in seconds."""

    bootstrap: str
    group: str = "acrophase"
    checkpoint_s: float = 1.0
    session_timeout_s: float = 8.0


class Worker:
    """One member of the consumer group, from `run` to its end."""

    def __init__(
        self, settings: WorkerSettings, make_engine: EngineFactory, store: StoreSink
    ) -> None:
        self._settings = settings
        self._make_engine = make_engine
        self._store = PatientStore(store)
        self._session: Session | None = None
        self._lost_since: float | None = None
        self._ended: asyncio.Future[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; then make a last checkpoint and leave the group.

        Raises ``BrokerUnavailable`` if Kafka or its topics are not there at the start,
        ``StoreRefused`` and ``DeliveryError`` if going on makes no sense. Then nothing was
        committed that is not confirmed, and a new process goes on where this one ended.
        """
        settings = self._settings
        partitions = await require_topics(settings.bootstrap, (*INPUTS, STATE))
        log.info(
            "worker of group %s on %s, %d partitions, checkpoint every %g s",
            settings.group,
            settings.bootstrap,
            partitions,
            settings.checkpoint_s,
        )
        self._ended = asyncio.get_running_loop().create_future()
        with tempfile.TemporaryDirectory(prefix="acrophase-faust-") as folder:
            app = self._make_app(folder)
            self._kafka = FaustKafka(app, settings.bootstrap, STATE)
            tasks = [
                asyncio.create_task(app.start(), name="start"),
                asyncio.create_task(self._tick(), name="checkpoints"),
                asyncio.create_task(_crash_of(app), name="crash"),
            ]
            stopping = asyncio.create_task(stop.wait())
            try:
                await self._first_failure(stopping, tasks)
            finally:
                await self._leave(app, [*tasks, stopping])

    async def _first_failure(
        self, stopping: asyncio.Task[Any], tasks: list[asyncio.Task[None]]
    ) -> None:
        assert self._ended is not None
        watched: set[asyncio.Future[Any]] = {stopping, self._ended, *tasks}
        while not stopping.done():
            done, watched = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            # What the agent or a checkpoint raised tells more than Faust's crash that follows.
            for each in sorted(done, key=lambda task: task is not self._ended):
                each.result()

    async def _leave(self, app: faust.App, tasks: list[asyncio.Task[Any]]) -> None:
        session, self._session = self._session, None
        try:
            if session is not None:
                await session.close(_LAST_CHECKPOINT_WITHIN_S)
        finally:
            for task in tasks:
                task.cancel()
            self._store.close()
            try:
                async with asyncio.timeout(_STOP_WITHIN_S):
                    await self._kafka.close()
                    await app.stop()
            except TimeoutError:
                log.warning("Kafka's clients did not stop within %.0f s", _STOP_WITHIN_S)
        log.info("worker stopped")

    def _make_app(self, folder: str) -> faust.App:
        settings = self._settings
        app = faust.App(
            settings.group,
            broker=[f"kafka://{address.strip()}" for address in settings.bootstrap.split(",")],
            autodiscover=False,
            datadir=folder,
            key_serializer="raw",
            value_serializer="raw",
            ConsumerScheduler=FrameScheduler,
            agent_supervisor=CrashingSupervisor,
            consumer_auto_offset_reset="earliest",
            consumer_max_fetch_size=_FETCH_BYTES,
            broker_max_poll_records=_RECORDS_A_POLL,
            stream_buffer_maxsize=_FRAMES_WAITING,
            stream_wait_empty=False,
            # Faust's own assignor keeps equal partition numbers of all topics in one worker. It
            # is used only if this is above 0: otherwise aiokafka's round robin tears them apart.
            # There are no tables, so no standby is ever made.
            table_standby_replicas=1,
            broker_session_timeout=settings.session_timeout_s,
            broker_heartbeat_interval=settings.session_timeout_s / 4,
            broker_rebalance_timeout=2 * settings.session_timeout_s,
            broker_request_timeout=max(30.0, 2 * settings.session_timeout_s),
            # While the store is down nothing is polled, and that is right: heartbeats go on.
            broker_max_poll_interval=_DAY_S,
            stream_processing_timeout=_DAY_S,
            broker_commit_livelock_soft_timeout=_DAY_S,
            broker_commit_interval=_DAY_S,
            producer_request_timeout=30.0,
            producer_max_request_size=_SEND_BYTES,
            producer_max_batch_size=_BATCH_BYTES,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            web_tables_enabled=False,
        )
        # Offsets are ours: Faust must not acknowledge anything.
        inputs = app.topic(*(topic.name for topic in INPUTS), acks=False)
        app.agent(inputs, concurrency=1, name="frames")(self._frames)
        app.on_partitions_revoked.connect(self._revoked, weak=False)
        app.on_partitions_assigned.connect(self._assigned, weak=False)
        self._app = app
        return app

    async def _frames(self, stream: Any) -> None:
        try:
            async for event in stream.events():
                session, message = self._session, event.message
                if session is not None and message.generation_id == session.generation:
                    await session.process(message.topic, message.partition, message.value)
        except Exception as error:
            self.fail(error)
            raise

    async def _tick(self) -> None:
        """Checkpoints when no frame comes, and a watch over a worker that lost its place."""
        while True:
            session = self._session
            wait_s = self._settings.checkpoint_s
            if session is not None:
                # a little more, so that it is due when the timer wakes
                wait_s = min(wait_s, session.due_in_s) + 0.01
            await asyncio.sleep(wait_s)
            session = self._session
            if session is None or not session.lost:
                self._lost_since = None
                if session is not None:
                    await session.checkpoint()
                continue
            self._lost_since = self._lost_since or time.monotonic()
            if time.monotonic() - self._lost_since > _REJOIN_WITHIN_S:
                raise DeliveryError("the group gave this worker no new place: start it again", 0)

    async def _assigned(self, app: Any, /, *arguments: Any, signal: Any, **_: Any) -> None:
        assigned: set[TP] = arguments[0]
        self._kafka.fetch_promptly()
        generation = app.consumer_generation_id
        partitions = {(tp.topic, tp.partition) for tp in assigned}
        self._session = Session(
            generation,
            partitions,
            self._make_engine,
            self._store,
            self._kafka,
            self._settings.checkpoint_s,
            self._settings.session_timeout_s / 2,
            time.monotonic,
        )
        numbers = sorted({number for topic, number in partitions if topic == READINGS.name})
        log.info("generation %d: partitions %s", generation, numbers)

    async def _revoked(self, _app: Any, /, *_: Any, signal: Any, **__: Any) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        try:
            # Within the session timeout: a worker that takes longer is taken for dead.
            await session.close(self._settings.session_timeout_s * 0.6)
        except AcrophaseError as error:
            self.fail(error)
        log.info("generation %d is over", session.generation)

    def fail(self, error: Exception) -> None:
        """End `run` with this error; the first one counts."""
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(error)


async def _crash_of(app: faust.App) -> None:
    await app._crashed.wait()
    raise DeliveryError(f"Faust ended: {app.crash_reason!r}", 0)
