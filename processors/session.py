"""One worker's ownership of its partitions, from an assignment to its end.

A session lives as long as the consumer group's generation. Its partitions are loaded at their
first frame and forgotten when it ends, even if the next generation gives them back: in between,
another worker may have had them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from processors.checkpoint import (
    Confirmation,
    Cut,
    Kafka,
    Lease,
    Outbox,
    OwnershipLost,
    PatientStore,
    TopicPartition,
)
from processors.engine_port import EngineFactory, PartitionEngine, Record
from processors.recovery import StateLog, mark_key, state_headers

log = logging.getLogger(__name__)

# Outputs are handed to the store early beyond this many rows: memory stays bounded and the store
# works while the next frames are decoded.
_EARLY_ROWS = 5_000


@dataclass(slots=True)
class _Owned:
    engine: PartitionEngine
    generation: int  # of this owner's mark
    topics: tuple[str, ...]
    dirty: bool = False
    # Topic -> (position, first offset) of a frame that left a hole and was asked for again.
    holes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def positions(self) -> dict[str, int]:
        return {topic: self.engine.position(topic) for topic in self.topics}


class Session:
    """Processes frames and makes checkpoints for one generation; not for several tasks at once,
    except that `checkpoint` and `close` may come from others than `process`.

    ``assigned`` are the input partitions, ``lease_s`` is `Lease`'s; ``clock`` is monotonic, in
    seconds.
    """

    def __init__(
        self,
        generation: int,
        assigned: Collection[TopicPartition],
        make_engine: EngineFactory,
        store: PatientStore,
        kafka: Kafka,
        checkpoint_s: float,
        lease_s: float,
        clock: Callable[[], float],
    ) -> None:
        self.generation = generation
        self.lost = False  # the broker said that this generation is over
        self._assigned = frozenset(assigned)
        self._make_engine = make_engine
        self._kafka = kafka
        self._lease = Lease(kafka, generation, lease_s, clock)
        self._confirmation = Confirmation(store, kafka, self._lease, self._hasten)
        self._outbox = Outbox()
        self._owned: dict[int, _Owned] = {}
        self._checkpoint_s = checkpoint_s
        self._clock = clock
        self._due = clock() + checkpoint_s
        self._turn = asyncio.Lock()  # to see the confirmation idle and begin the next
        self._closed = False

    @property
    def due_in_s(self) -> float:
        """Seconds until the next checkpoint is due."""
        return max(0.0, self._due - self._clock())

    async def process(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """One frame, in offset order. Returns early, having done nothing, if the session is over.

        Raises ``StoreRefused``, ``DeliveryError``, `ForeignState` and what the engine raises.
        """
        if not self._open() or (topic, partition) not in self._assigned:
            return
        try:
            owned = self._owned.get(partition) or await self._take_over(partition)
            if not self._open():
                return
            self._owned[partition] = owned
            todo = await self._that_follow(owned, topic, partition, records)
            if not self._open() or not todo:
                return
            self._outbox.add(owned.engine.process(todo))
            owned.dirty = True
            if self._clock() >= self._due:
                await self.checkpoint()
            elif self._outbox.n_rows >= _EARLY_ROWS:
                async with self._turn:
                    await self._confirmation.idle()
                    if self._open():
                        self._confirmation.begin_outputs(self._outbox.take())
            else:
                self._hasten()
        except OwnershipLost as error:
            self._lose(error)
        except Exception:
            # An engine that failed within a frame may have taken half of it: never confirm that.
            self._closed = True
            raise

    async def checkpoint(self) -> None:
        """Begin a checkpoint if one is due; raises as `process` does.

        Waits for the one before, so no more than two are ever in memory.
        """
        try:
            async with self._turn:
                await self._confirmation.idle()
                # `process` may have made it while a timer waited here
                if self._open() and self._clock() >= self._due:
                    self._cut()
        except OwnershipLost as error:
            self._lose(error)

    async def close(self, within_s: float) -> None:
        """End the session with a last checkpoint, if that can be had in the time given.

        Otherwise what was not confirmed is left to the next owner, who will do it again.
        """
        if not self._open():
            await self._confirmation.give_up()
            return
        self._closed = True
        try:
            async with asyncio.timeout(within_s):
                async with self._turn:
                    await self._confirmation.idle()
                    self._cut()
                await self._confirmation.idle()
        except TimeoutError:
            log.warning(
                "no last checkpoint within %.0f s: what was not confirmed will be done again by "
                "the next owner",
                within_s,
            )
        except OwnershipLost as error:
            self._lose(error)
        finally:
            await self._confirmation.give_up()
            self._owned.clear()

    def _hasten(self) -> None:
        """Begin to write at once what a person should see, instead of at the next checkpoint.

        Whoever has the turn is about to write everything anyway.
        """
        if (
            self._outbox.urgent
            and self._open()
            and not self._turn.locked()
            and self._confirmation.free
        ):
            self._confirmation.begin_outputs(self._outbox.take())

    def _cut(self) -> None:
        """Take what is to be confirmed, all at one moment, and begin to confirm it."""
        self._due = self._clock() + self._checkpoint_s
        cuts: list[Cut] = []
        for partition, owned in self._owned.items():
            if owned.dirty:
                owned.dirty = False
                self._outbox.add(owned.engine.settle())
                rows = owned.engine.changes()
                cuts.append(Cut(partition, owned.generation, rows, owned.positions()))
        if cuts:
            self._confirmation.begin_checkpoint(self._outbox.take(), cuts)

    async def _that_follow(
        self, owned: _Owned, topic: str, partition: int, records: Sequence[Record]
    ) -> Sequence[Record]:
        """The records that come next; none if there is a hole before them.

        After a rebalance or a seek Faust may still deliver a frame that it had fetched before.
        Behind a hole the partition is read again from where it should go on; a hole that is still
        there then is real: those offsets have expired, or belonged to a transaction.
        """
        position = owned.engine.position(topic)
        first = records[0].offset
        if first > position:
            if owned.holes.get(topic) != (position, first):
                owned.holes[topic] = (position, first)
                await self._kafka.seek((topic, partition), position)
                return ()
            log.warning(
                "%s/%d: offsets %d to %d are gone from Kafka", topic, partition, position, first - 1
            )
        owned.holes.pop(topic, None)
        if first < position:
            return [record for record in records if record.offset >= position]
        return records

    async def _take_over(self, partition: int) -> _Owned:
        """Load a partition's state, as `processors.recovery` tells."""
        inputs = sorted(each for each in self._assigned if each[1] == partition)
        committed = await self._kafka.committed(inputs)
        # The broker refuses this if the group has moved on; then this worker is the zombie.
        await self._lease.commit(committed)
        positions = {topic: offset for (topic, _), offset in committed.items()}

        state = StateLog()
        generation = self.generation
        end = await self._mark(partition, generation, positions)
        await self._kafka.read_state(partition, 0, end, state)
        if state.generation > generation:
            # The broker has just confirmed that we are the owner, so the group was created anew
            # (it counts from 1 again) and all that is on the topic is older than we are.
            generation = state.generation + 1
            start, end = end + 1, await self._mark(partition, generation, positions)
            await self._kafka.read_state(partition, start, end, state)

        begin = state.start(positions)
        if begin != positions:
            log.warning("partition %d: a paused worker wrote state late, reading again", partition)
            offsets = {(topic, partition): offset for topic, offset in begin.items()}
            await self._lease.commit(offsets)
            for where, offset in offsets.items():
                await self._kafka.seek(where, offset)
        if repairs := state.repairs(generation):
            await self._kafka.write_state(partition, repairs, state_headers(generation, begin))

        engine = self._make_engine(partition)
        for key, value in state.rows.items():
            engine.restore(key, value)
        engine.start(begin)
        log.info("partition %d: %d state rows loaded", partition, len(state.rows))
        return _Owned(engine, generation, tuple(begin))

    async def _mark(self, partition: int, generation: int, positions: dict[str, int]) -> int:
        headers = state_headers(generation, positions)
        return await self._kafka.write_state(partition, [(mark_key(generation), b"1")], headers)

    def _open(self) -> bool:
        return not self._closed

    def _lose(self, error: OwnershipLost) -> None:
        if not self.lost:
            log.warning("partitions lost, dropping what was not confirmed: %s", error)
        self.lost = True
        self._closed = True
        self._owned.clear()
