"""The agent that writes annotations as things happen.

It follows ``events``, ``deviations`` and ``alerts`` with a consumer group of its own, and commits
an offset when Grafana has confirmed what the record asked for. A record may thus come twice, and is
looked up before it is written, so that it makes one annotation. While Grafana is away the agent
waits, stays a member of its group, and loses nothing.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CommitFailedError, KafkaError, RebalanceInProgressError
from kafka.structs import OffsetAndMetadata

from dashboards.deploy.answers import Annotation
from dashboards.deploy.client import Grafana
from dashboards.deploy.notes import FOLLOWED, Note, note_of
from schemas.errors import (
    BrokerUnavailable,
    GrafanaRefused,
    GrafanaUnavailable,
    RejectedRecord,
)

_CONNECT_WITHIN_S = 15.0
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
_POLL_S = 0.5
# A poll may come back at once, with nothing.
_BREATH_S = 0.05
# The token is what ends these, and no other record would fare better.
_OF_THE_TOKEN = (0, 401, 403)


class Outcome(StrEnum):
    """What became of one record."""

    WRITTEN = "written"
    CHANGED = "changed"
    THERE = "already there"
    DELETED = "deleted by somebody"
    NOTHING = "asks for none"
    REFUSED = "refused"


def write(grafana: Grafana, note: Note) -> Outcome:
    """Bring one annotation to Grafana, unless it is there.

    An annotation that has its end keeps it: an older record that comes again does not take it back.

    Raises ``GrafanaError``; whether it has been written must then be looked up, which the next call
    does.
    """
    there = _find(grafana, note)
    if there is None:
        grafana.add_annotation(note.time_ms, note.end_ms, note.tags, note.text)
        return Outcome.WRITTEN
    has_end = there.time_end is not None and there.time_end != there.time
    if note.end_ms is None and has_end:
        return Outcome.THERE
    # Grafana says that a moment ends when it begins.
    end_differs = note.end_ms is not None and note.end_ms != (there.time_end or there.time)
    if not end_differs and there.text == note.text:
        return Outcome.THERE
    changed = grafana.change_annotation(there.id, note.time_ms, note.end_ms, note.tags, note.text)
    return Outcome.CHANGED if changed else Outcome.DELETED


def _find(grafana: Grafana, note: Note) -> Annotation | None:
    for each in grafana.annotations(note.tags, note.time_ms):
        same = each.time == note.time_ms and set(note.tags) <= set(each.tags)
        if same and (each.text == note.text or not note.fixed):
            return each
    return None


class Annotator:
    """The agent; `run` ends when `stop` is set.

    grafana: to be made with ``attempts=1``, since the patience is here. tell: takes a line that is
    worth reading.
    """

    def __init__(
        self,
        grafana: Grafana,
        bootstrap: str,
        group: str,
        session_timeout_s: float,
        stop: threading.Event,
        tell: Callable[[str], None],
    ) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self._grafana = grafana
        self._bootstrap = bootstrap
        self._group = group
        self._session_ms = round(session_timeout_s * 1000)
        self._stop = stop
        self._tell = tell
        self._waiting: deque[Any] = deque()  # records that are not confirmed, in order
        self._done: dict[TopicPartition, OffsetAndMetadata] = {}

    def run(self) -> None:
        """Follow the topics from where the group stands, at first from their beginning.

        Raises ``BrokerUnavailable`` and, where waiting would not help, ``GrafanaRefused``.
        """
        with self._consumer() as consumer:
            try:
                while not self._stop.is_set():
                    self._take(consumer, timeout_ms=round(_POLL_S * 1000))
                    before = self.outcomes.copy()
                    self._work_off(consumer)
                    self._commit(consumer)
                    if news := told(self.outcomes - before):
                        self._tell(news)
            finally:
                self._commit(consumer)

    def _work_off(self, consumer: KafkaConsumer) -> None:
        failures = 0
        while self._waiting and not self._stop.is_set():
            record = self._waiting[0]
            try:
                self.outcomes[self._bring(record)] += 1
            except GrafanaUnavailable as error:
                if not failures:
                    self._tell(f"waiting, nothing is lost: {error}")
                    self._commit(consumer)
                wait = min(_FIRST_WAIT_S * 2**failures, _LONGEST_WAIT_S)
                failures += 1
                self._wait(consumer, max(wait, error.retry_after_s or 0.0))
                continue
            if failures:
                self._tell(f"Grafana at {self._grafana.url} answers again")
                failures = 0
                consumer.resume(*consumer.paused())
            self._waiting.popleft()
            where = TopicPartition(record.topic, record.partition)
            self._done[where] = OffsetAndMetadata(record.offset + 1, "", -1)

    def _bring(self, record: Any) -> Outcome:
        if record.value is None:
            return Outcome.NOTHING
        try:
            note = note_of(record.topic, record.key, record.value)
            return Outcome.NOTHING if note is None else write(self._grafana, note)
        except RejectedRecord as error:
            self._tell(f"skipped {record.topic}/{record.partition} @ {record.offset}: {error}")
        except GrafanaRefused as error:
            if error.status in _OF_THE_TOKEN:
                raise
            self._tell(f"skipped {record.topic}/{record.partition} @ {record.offset}: {error}")
        return Outcome.REFUSED

    def _wait(self, consumer: KafkaConsumer, seconds: float) -> None:
        """Wait, and remain a member of the group, which asks for polls.

        Long ones: sharing out anew takes several steps, and what goes to another member should be
        out of here before Grafana is back.
        """
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._stop.is_set():
            consumer.pause(*consumer.assignment())
            self._take(consumer, timeout_ms=round(min(left, _POLL_S) * 1000))
            self._stop.wait(min(left, _BREATH_S))

    def _take(self, consumer: KafkaConsumer, timeout_ms: int) -> None:
        fetched = consumer.poll(timeout_ms=timeout_ms)
        mine = consumer.assignment()
        # What went to another member is for that one to do and to commit.
        self._waiting = deque(
            each for each in self._waiting if TopicPartition(each.topic, each.partition) in mine
        )
        self._done = {where: offset for where, offset in self._done.items() if where in mine}
        for records in fetched.values():
            self._waiting.extend(records)

    def _commit(self, consumer: KafkaConsumer) -> None:
        if not self._done:
            return
        try:
            consumer.commit(self._done)
        except RebalanceInProgressError:
            return  # the next poll ends that, and leaves what is still ours to be committed
        except CommitFailedError:
            pass  # the group was shared out anew: whoever has the records now finds them done
        self._done = {}

    @contextmanager
    def _consumer(self) -> Iterator[KafkaConsumer]:
        names = [topic.name for topic in FOLLOWED]
        try:
            consumer = KafkaConsumer(
                bootstrap_servers=[each.strip() for each in self._bootstrap.split(",")],
                group_id=self._group,
                session_timeout_ms=self._session_ms,
                heartbeat_interval_ms=self._session_ms // 3,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                allow_auto_create_topics=False,
                bootstrap_timeout_ms=round(_CONNECT_WITHIN_S * 1000),
                max_partition_fetch_bytes=max(topic.max_message_bytes for topic in FOLLOWED),
                max_poll_records=200,
                metrics_enabled=False,
            )
            try:
                missing = sorted(set(names) - consumer.topics())
                if missing:
                    raise BrokerUnavailable(
                        f"Kafka at {self._bootstrap} has no topic {', '.join(missing)}: run "
                        "`acrophase topics create`"
                    )
                consumer.subscribe(names)
                yield consumer
            finally:
                consumer.close()
        except (KafkaError, OSError) as error:
            raise BrokerUnavailable(
                f"Kafka at {self._bootstrap} does not answer as it should: start a broker or give "
                f"its address with --bootstrap ({error})"
            ) from error


def told(outcomes: Counter[Outcome]) -> str:
    """How many records came to what, in words; empty if nothing is worth telling.

    >>> told(Counter({Outcome.WRITTEN: 2, Outcome.NOTHING: 5}))
    '2 written'
    """
    return ", ".join(
        f"{outcomes[each]:,} {each}"
        for each in Outcome
        if outcomes[each] and each is not Outcome.NOTHING
    )
