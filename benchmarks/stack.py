"""A real Apache Kafka for the benchmarks, and the processes that run against it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import RetriableError

from benchmarks.traffic import PARTITIONS
from schemas.topics import TOPICS, Topic

ROOT = Path(__file__).resolve().parent.parent
_KAFKA_WITHIN_S = 600.0  # Maven brings 45 jars the first time
_STOP_WITHIN_S = 30.0
_FIRST_COMMIT_WITHIN_S = 120.0
_LOOK_EVERY_S = 0.05


class Measured(NamedTuple):
    """What a consumer group committed between its first and its last commit that was seen."""

    messages: int
    seconds: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


@contextmanager
def apache_kafka() -> Iterator[str]:
    """Address of a Kafka: ``ACROPHASE_TEST_KAFKA``, or one started from its Maven artefact.

    Topics of Acrophase on it are deleted and made anew by `fresh_topics`.
    """
    if named := os.environ.get("ACROPHASE_TEST_KAFKA"):
        yield named
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with tempfile.TemporaryDirectory(prefix="acrophase-benchmark-") as folder:
        runner = str(ROOT / "tools" / "kafka" / "run.py")
        command = (sys.executable, runner, "--port", str(port), "--dir", folder)
        with running(command) as process:
            wait_for(answers, _KAFKA_WITHIN_S, "Apache Kafka to listen", process)
            yield f"127.0.0.1:{port}"


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended, by force if it must be, when the block ends."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        except Exception as error:
            log.seek(max(0, log.tell() - 4000))
            error.add_note(log.read().decode(errors="replace"))
            raise
        finally:
            process.terminate()
            try:
                process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(
    done: Callable[[], bool], within_s: float, what: str, process: subprocess.Popen[bytes]
) -> None:
    """Return when ``done``; raise RuntimeError if the process ends first, or if it takes longer."""
    deadline = time.monotonic() + within_s
    while not done():
        if process.poll() is not None:
            raise RuntimeError(f"waiting for {what}: the process ended ({process.returncode})")
        if time.monotonic() > deadline:
            raise RuntimeError(f"waiting for {what}: not within {within_s:g} s")
        time.sleep(_LOOK_EVERY_S)


def fresh_topics(bootstrap: str, *more: Topic) -> None:
    """Delete and create every topic of Acrophase, and ``more``, with `PARTITIONS` partitions."""
    wanted = {topic.name: topic for topic in (*TOPICS, *more)}
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        there = [name for name in wanted if name in admin.list_topics()]
        if there:
            admin.delete_topics(there)
        deadline = time.monotonic() + 60
        while any(name in wanted for name in admin.list_topics()):
            if time.monotonic() > deadline:
                raise RuntimeError("Kafka did not delete the topics of the last benchmark")
            time.sleep(_LOOK_EVERY_S)
        admin.create_topics(
            {
                name: {
                    "num_partitions": topic.partitions or PARTITIONS,
                    "replication_factor": 1,
                    "configs": topic.config(),
                }
                for name, topic in wanted.items()
            },
            wait_for_metadata=True,
        )
    finally:
        admin.close()


def measure(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    bootstrap: str,
    group: str,
    topic: str,
    messages: int,
    longest_s: float,
) -> Measured:
    """Run a consumer until its group has committed ``messages`` of a topic, or for ``longest_s``.

    Time runs from the first commit to the last one seen, so starting, joining and compiling do
    not count. Raises RuntimeError if there was one commit only: then there is nothing to measure
    between, and the topic must be longer.
    """
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    first: tuple[float, int] | None = None
    last = (0.0, 0)

    def look() -> bool:
        nonlocal first, last
        count = committed(admin, group, topic)
        now = time.monotonic()
        if count > last[1]:
            last = (now, count)
            first = first or last
        return count >= messages or (first is not None and now - first[0] > longest_s)

    try:
        with running(command, environment) as process:
            wait_for(look, _FIRST_COMMIT_WITHIN_S + longest_s, f"commits of {group}", process)
    finally:
        admin.close()
    if first is None or first == last:
        raise RuntimeError(f"{group} made one commit only: the topic is too short to measure")
    return Measured(last[1] - first[1], last[0] - first[0])


def committed(admin: KafkaAdminClient, group: str, topic: str) -> int:
    """Messages of a topic that a consumer group has committed; 0 before its first commit."""
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    try:
        (offsets,) = admin.list_group_offsets({group: partitions}).values()
    except RetriableError:
        # The very first group makes Kafka create the topic of offsets and choose a coordinator.
        return 0
    return sum(max(0, found.offset) for found in offsets.values())
