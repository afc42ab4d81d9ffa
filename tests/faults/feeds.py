"""What is published while the workers are harmed, and what must have become of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, Self

from kafka import KafkaProducer

from processors.recovery import StateLog
from processors.store import Store
from schemas.dead_letters import DeadLetter
from schemas.measurements import READING
from schemas.topics import DEAD_LETTERS, EVENTS, READINGS, STATE
from tests.kafka_log import GroupOffsets, records_of
from tests.processes import wait_until

PARTITIONS = 4
GROUP = "acrophase"
# The embedded broker slows down with the number of batches it holds, so few batches of many.
_ROUND_S = 0.1


class Message(NamedTuple):
    """One record to publish."""

    topic: str
    key: bytes | None
    value: bytes


class Traffic(Protocol):
    """Rounds of messages, and the proof that all of them were worked through exactly once."""

    engine: str  # as `tests.faults.worker_process` names it

    def rounds(self, feed: Feed) -> Iterator[list[Message]]:
        """What to publish, a round at a time; should end soon once ``feed.stopping``."""
        ...

    def check(self, address: str, store: Store) -> None:
        """Fails unless state, store and dead letters are as they should be."""
        ...


class Feed:
    """Publishes the rounds of some traffic on a thread, one every tenth of a second.

    When told to stop it publishes what is left of them at once.
    """

    def __init__(self, address: str, group: GroupOffsets, traffic: Traffic) -> None:
        self._rounds = traffic.rounds(self)
        # Several requests under way could change places when one is tried again.
        self._producer = KafkaProducer(
            bootstrap_servers=address,
            linger_ms=20,
            acks="all",
            enable_idempotence=True,
            delivery_timeout_ms=120_000,
        )
        self._group = group
        self._stop = threading.Event()
        self._flows = threading.Event()
        self._ends: dict[tuple[str, int], int] = {}
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="feed")

    @property
    def stopping(self) -> bool:
        """True once `stop` was called."""
        return self._stop.is_set()

    def wait_until_it_flows(self) -> None:
        """Until more than the first round is on its way."""
        wait_until(self._flows.is_set, "the feed to flow")

    def stop(self) -> None:
        """Returns when all that is to be published is confirmed."""
        self._stop.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def wait_until_worked_through(self) -> None:
        """Until the workers have committed all that is confirmed so far."""
        self._producer.flush()
        wanted = dict(self._ends)

        def done() -> bool:
            committed = self._group.committed(wanted)
            assert all(committed[where] <= self._ends[where] for where in wanted), committed
            return all(committed[where] >= end for where, end in wanted.items())

        wait_until(done, f"offsets {wanted} to be committed")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._producer.close()

    def _run(self) -> None:
        try:
            for number, messages in enumerate(self._rounds):
                if number:
                    self._flows.set()
                for message in messages:
                    sent = self._producer.send(message.topic, key=message.key, value=message.value)
                    sent.add_callback(self._note)
                self._stop.wait(_ROUND_S)
            self._producer.flush()
        except BaseException as error:
            self._error = error

    def _note(self, sent: Any) -> None:
        where = (sent.topic, sent.partition)
        self._ends[where] = max(self._ends.get(where, 0), sent.offset + 1)


class Counted:
    """Numbered readings of every subject, on both topics, for `CountingEngine`."""

    engine = "counting"
    subjects = tuple(f"person-{n}" for n in range(10))

    def __init__(self) -> None:
        self.readings = 0  # of each subject
        self.broken = 0

    def rounds(self, feed: Feed) -> Iterator[list[Message]]:
        """Five readings of each subject, and now and then one that cannot be read."""
        while not feed.stopping:
            messages = []
            for _ in range(5):
                value = json.dumps({"i": self.readings}).encode()
                for subject in self.subjects:
                    messages.append(Message(READINGS.name, subject.encode(), value))
                    messages.append(Message(EVENTS.name, subject.encode(), value))
                self.readings += 1
            if self.readings % 25 == 0:
                broken = b"\xff broken %d" % self.broken
                messages.append(Message(READINGS.name, b"broken-1", broken))
                self.broken += 1
            yield messages

    def check(self, address: str, store: Store) -> None:
        """Every reading counted once in state, a point of the store; dead letters at least once."""
        n = self.readings
        assert n > 50
        rows: dict[bytes, bytes] = {}
        for partition in range(PARTITIONS):
            log = StateLog()
            for record in records_of(address, STATE.name, partition):
                log.add(record.key, record.value, list(record.headers))
            rows |= log.rows
        counts = {key.decode(): json.loads(value)[:2] for key, value in rows.items()}
        topics = (READINGS, EVENTS)
        wanted = {f"{topic.name} {subject}" for topic in topics for subject in self.subjects}
        assert counts == {name: [n, n * (n - 1) // 2] for name in wanted}

        for name in wanted:
            topic, subject = name.split()
            points = store.select(READING, tags={"analyte": topic, "subject": subject})
            assert [point["time"] for point in points] == list(range(n + 1))
            # Time 0 has the count so far, the others the readings' own numbers.
            assert [point["value"] for point in points] == [n, *range(n)]

        letters = list(records_of(address, DEAD_LETTERS.name, 0))
        refused = {DeadLetter.from_headers(list(r.headers)).offset: r.value for r in letters}
        assert len(refused) == self.broken > 0
        assert set(refused.values()) == {b"\xff broken %d" % each for each in range(self.broken)}
