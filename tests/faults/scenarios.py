"""Faults on real processes and a real broker; every scenario ends in the same exact count.

A scenario takes the address of a broker whose topics are fresh. It publishes numbered readings
while it does harm to the workers, then waits until the rest has been worked through, stops the
workers in peace and compares state, store and dead letters with what was sent.
"""

from __future__ import annotations

import contextlib
import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from processors.recovery import StateLog
from schemas.dead_letters import DeadLetter
from schemas.topics import DEAD_LETTERS, EVENTS, READINGS, STATE

PARTITIONS = 4
SUBJECTS = tuple(f"person-{n}" for n in range(10))
BROKEN_KEY = b"broken-1"
# The embedded broker slows down with the number of batches it holds, so few batches of many.
_ROUND_S = 0.1
_READINGS_A_ROUND = 5
_WITHIN_S = 120.0


class Feed:
    """Publishes readings of every subject, on both topics, on a thread until stopped."""

    def __init__(self, address: str) -> None:
        self._producer = KafkaProducer(bootstrap_servers=address, linger_ms=20, acks="all")
        self._stop = threading.Event()
        self.readings = 0  # of each subject
        self.broken = 0
        self._thread = threading.Thread(target=self._run, name="feed")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Returns when all that was published is confirmed."""
        self._stop.set()
        self._thread.join()
        self._producer.close()

    def _run(self) -> None:
        while not self._stop.wait(_ROUND_S):
            for i in range(self.readings, self.readings + _READINGS_A_ROUND):
                value = json.dumps({"i": i}).encode()
                for subject in SUBJECTS:
                    self._producer.send(READINGS.name, key=subject.encode(), value=value)
                    self._producer.send(EVENTS.name, key=subject.encode(), value=value)
            self.readings += _READINGS_A_ROUND
            if self.readings % 25 == 0:
                broken = b"\xff broken %d" % self.broken
                self._producer.send(READINGS.name, key=BROKEN_KEY, value=broken)
                self.broken += 1
        self._producer.flush()


class WorkerProcess:
    """One worker process of `tests.faults.worker_process`, its log in a file.

    It has imported what it needs and waits for `go`.
    """

    def __init__(self, address: str, folder: Path, session_timeout_s: float) -> None:
        folder.mkdir(exist_ok=True)
        self.log = folder / f"worker-{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "tests.faults.worker_process", address]
        command += [str(folder / "store.db"), str(folder / "outage"), str(session_timeout_s)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)

    def go(self) -> None:
        """Begin."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def wait_until_it_has_work(self) -> None:
        """Until the group has given it partitions and it has loaded one since."""

        def loaded() -> bool:
            place = self.text().rpartition(": partitions [")[2]
            return "state rows loaded" in place

        wait_until(loaded, f"{self.log.name} to load a partition")

    def wait_for(self, words: str, times: int = 1) -> None:
        """Until its log says so; fails if the process ends before."""

        def said() -> bool:
            return self.text().count(words) >= times

        wait_until(said, f"{self.log.name} to say {words!r}")

    def text(self) -> str:
        """Its log so far; fails if it has ended."""
        text = self.log.read_text(errors="replace")
        assert self._process.poll() is None, text[-4000:]
        return text

    def kill(self) -> None:
        """SIGKILL, at once."""
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """SIGSTOP."""
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """SIGTERM; must end with status 0 within seconds."""
        self._process.terminate()
        status = self._process.wait(20)
        assert status == 0, self.log.read_text(errors="replace")[-4000:]

    def end(self) -> None:
        """Make sure it is gone, whatever happened."""
        if self._process.poll() is None:
            self.kill()


class Ward:
    """The workers of one scenario."""

    def __init__(self, address: str, folder: Path, session_timeout_s: float) -> None:
        self.address = address
        self.folder = folder
        self.session_timeout_s = session_timeout_s
        self.outage = folder / "outage"
        self._workers: list[WorkerProcess] = []
        self._spares: list[WorkerProcess] = []

    def prepare(self) -> None:
        """Have a process ready for the next `start`: its imports take longer than the harm."""
        spare = WorkerProcess(self.address, self.folder, self.session_timeout_s)
        self._workers.append(spare)
        self._spares.append(spare)

    def start(self) -> WorkerProcess:
        """A worker that begins now."""
        if not self._spares:
            self.prepare()
        worker = self._spares.pop(0)
        worker.go()
        return worker

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()


def kill_again_and_again(
    address: str, folder: Path, seed: int, kills: int, session_timeout_s: float
) -> None:
    """One worker at a time, killed at random moments; the next one is started at once."""
    chance = random.Random(seed)
    with Ward(address, folder, session_timeout_s) as ward, Feed(address) as feed:
        worker = ward.start()
        for _ in range(kills):
            # From the middle of taking over to well into the checkpoints.
            ward.prepare()
            worker.wait_for("generation")
            time.sleep(chance.uniform(0.0, 1.5))
            worker.kill()
            worker = ward.start()
        worker.wait_until_it_has_work()
        _finish(ward, feed, [worker])


def kill_one_of_two(
    address: str, folder: Path, seed: int, kills: int, session_timeout_s: float
) -> None:
    """Two workers share the partitions; one of them is killed, a new one joins."""
    chance = random.Random(seed)
    with Ward(address, folder, session_timeout_s) as ward, Feed(address) as feed:
        workers = [ward.start(), ward.start()]
        for _ in range(kills):
            ward.prepare()
            for worker in workers:
                worker.wait_until_it_has_work()
            time.sleep(chance.uniform(0.0, 1.0))
            workers.pop(chance.randrange(2)).kill()
            workers.append(ward.start())
        for worker in workers:
            worker.wait_until_it_has_work()
        _finish(ward, feed, workers)


def lose_the_store(address: str, folder: Path, seconds: float, session_timeout_s: float) -> None:
    """The store is away for longer than a session; then a worker is killed while it is away."""
    with Ward(address, folder, session_timeout_s) as ward, Feed(address) as feed:
        worker = ward.start()
        worker.wait_until_it_has_work()
        ward.prepare()
        ward.outage.touch()
        worker.wait_for("store unavailable")
        before = _stored(ward)
        time.sleep(seconds)
        assert _stored(ward) == before
        # Heartbeats went on: nobody took the partitions away.
        assert worker.text().count("generation") == 1
        worker.kill()
        worker = ward.start()
        worker.wait_for("store unavailable")
        ward.outage.unlink()
        worker.wait_for("store available again")
        _finish(ward, feed, [worker])
        assert worker.log.read_text().count("store unavailable") == 1


def pause_past_the_session(
    address: str, folder: Path, seed: int, pauses: int, session_timeout_s: float
) -> None:
    """A worker sleeps through its session with unconfirmed work, another takes over, it wakes."""
    chance = random.Random(seed)
    with Ward(address, folder, session_timeout_s) as ward, Feed(address) as feed:
        sleeper = ward.start()
        for _ in range(pauses):
            ward.prepare()
            sleeper.wait_until_it_has_work()
            time.sleep(chance.uniform(0.3, 1.2))
            sleeper.pause()
            heir = ward.start()
            heir.wait_until_it_has_work()
            time.sleep(chance.uniform(0.5, 1.0))
            places = sleeper.text().count(": partitions [")
            sleeper.wake()
            # It learns that it is out of date, comes back as a member and gets its share.
            sleeper.wait_for(": partitions [", times=places + 1)
            heir.kill()
        _finish(ward, feed, [sleeper])


def wait_until(condition: Callable[[], bool], what: str, within_s: float = _WITHIN_S) -> None:
    """Look every 50 ms; fails with ``what`` it waited for."""
    limit = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < limit, f"waited {within_s:.0f} s for {what}"
        time.sleep(0.05)


def _finish(ward: Ward, feed: Feed, workers: list[WorkerProcess]) -> None:
    feed.stop()
    expected = 2 * len(SUBJECTS) * feed.readings
    wait_until(lambda: _counted(ward) == expected, f"{expected} readings to be counted")
    for worker in workers:
        worker.stop()
    _assert_exact(ward, feed)


def _assert_exact(ward: Ward, feed: Feed) -> None:
    n = feed.readings
    assert n > 50
    rows: dict[bytes, bytes] = {}
    for partition in range(PARTITIONS):
        log = StateLog()
        for key, value, headers in records_of(ward.address, STATE.name, partition):
            log.add(key, value, headers)
        rows |= log.rows
    counts = {key.decode(): json.loads(value)[:2] for key, value in rows.items()}
    wanted = {f"{topic.name} {subject}" for topic in (READINGS, EVENTS) for subject in SUBJECTS}
    assert counts == {name: [n, n * (n - 1) // 2] for name in wanted}

    with contextlib.closing(sqlite3.connect(ward.folder / "store.db")) as store:
        points = store.execute(
            "select analyte || ' ' || subject, count(*), max(time) from reading group by 1"
        ).fetchall()
    assert {name: (rows, last) for name, rows, last in points} == dict.fromkeys(wanted, (n + 1, n))

    letters = records_of(ward.address, DEAD_LETTERS.name, 0)
    refused = {DeadLetter.from_headers(headers).offset: value for _, value, headers in letters}
    assert len(refused) == feed.broken
    assert set(refused.values()) == {b"\xff broken %d" % each for each in range(feed.broken)}


def _counted(ward: Ward) -> int:
    """Sum of the last counts in the store (points at time 0)."""
    return _ask(ward, "select coalesce(sum(value), 0) from reading where time = 0")


def _stored(ward: Ward) -> int:
    return _ask(ward, "select count(*) from reading")


def _ask(ward: Ward, query: str) -> int:
    with contextlib.closing(sqlite3.connect(ward.folder / "store.db", timeout=10)) as store:
        return int(store.execute(query).fetchone()[0])


def records_of(
    address: str, topic: str, partition: int
) -> Iterator[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]]:
    """All records of a partition, up to the end that the first fetch tells."""
    consumer = KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    try:
        where = TopicPartition(topic, partition)
        consumer.assign([where])
        consumer.seek_to_beginning(where)
        limit, end = time.monotonic() + 20, None
        while end is None or consumer.position(where) < end:
            assert time.monotonic() < limit, f"{topic}/{partition} cannot be read"
            for record in consumer.poll(timeout_ms=500).get(where, []):
                yield record.key, record.value, list(record.headers)
            end = consumer.highwater(where) if end is None else end
    finally:
        consumer.close()
