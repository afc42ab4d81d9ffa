"""The way into Kafka: everything that Acrophase publishes goes through ``Publisher``.

Nothing is lost in silence. ``publish`` returns as soon as the record is in the buffer; what Kafka
did not confirm in the end is raised as DeliveryError by the next ``publish``, by ``flush`` or by
``close``, with the number of readings and the first cause. Kafka's own errors end here.
"""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Self

from kafka import KafkaProducer
from kafka.errors import (
    BrokerResponseError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
)
from kafka.net.compat import KafkaNetClient
from pydantic_core import PydanticCustomError

from schemas.errors import BrokerUnavailable, DeliveryError, Reason, RejectedRecord
from schemas.events import Event
from schemas.readings import Reading, ReadingBatch, check_subject
from schemas.topics import EVENTS, READINGS, TOPICS

Record = Reading | ReadingBatch | Event

# 256 KB of JSON is about 1000 single readings: enough for one request to be worth its overhead.
_BATCH_BYTES = 262_144
_LIMITS = {topic.name: topic.max_message_bytes for topic in TOPICS}
# A record's and its batch's own fields (KIP-98: 61 bytes a batch, at most 21 a record and the
# headers), rounded up.
_OVERHEAD_BYTES = 128
_CLOSE_S = 5.0


class Publisher:
    """Publishes readings and events, each exactly once and in order per subject.

    Use it as a context manager, from one thread or several. The producer is idempotent and waits
    for all replicas, so its own retries neither duplicate nor reorder.

    ``in_flight_bytes`` bounds what is not confirmed yet; beyond it ``publish`` blocks.
    ``max_block_s`` bounds how long it blocks, and how long the topic may be unknown.
    ``delivery_timeout_s`` is how long a record may take to be confirmed before it counts as
    undelivered. ``linger_ms`` is how long a record waits for company.

    Raises BrokerUnavailable if no broker answers within ``connect_timeout_s``.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        compression: Literal["gzip"] | None = "gzip",
        linger_ms: int = 10,
        in_flight_bytes: int = 32 * 1_048_576,
        max_block_s: float = 30.0,
        delivery_timeout_s: float = 60.0,
        connect_timeout_s: float = 15.0,
    ) -> None:
        self._bootstrap = bootstrap
        self._in_flight_bytes = in_flight_bytes
        self._max_block_s = max_block_s
        self._delivery_timeout_s = delivery_timeout_s
        self._state = threading.Condition()
        self._pending_bytes = 0
        self._pending = 0
        self._confirmed = 0
        self._undelivered = 0
        self._cause: BaseException | None = None
        self._closed = False
        self._refused = False
        delivery_ms = round(delivery_timeout_s * 1000)
        self._options: dict[str, Any] = {
            "bootstrap_servers": [address.strip() for address in bootstrap.split(",")],
            "enable_idempotence": True,
            "acks": "all",
            "compression_type": compression,
            "linger_ms": linger_ms,
            "batch_size": _BATCH_BYTES,
            # The broker decides what is too large; this only must not be smaller.
            "max_request_size": max(_LIMITS.values()) + _BATCH_BYTES,
            "max_block_ms": round(max_block_s * 1000),
            "delivery_timeout_ms": delivery_ms,
            # Several tries fit into one delivery.
            "request_timeout_ms": max(500, min(20_000, delivery_ms // 3)),
            "reconnect_backoff_max_ms": 1000,
            # A topic made by naming it would have the wrong number of partitions.
            "allow_auto_create_topics": False,
            "bootstrap_timeout_ms": round(connect_timeout_s * 1000),
            "metrics_enabled": False,
        }
        self._producer = self._connect()

    @property
    def confirmed(self) -> int:
        """Readings and events that Kafka has confirmed; each reading of a batch counts."""
        with self._state:
            return self._confirmed

    def publish(self, record: Record) -> None:
        """Send one reading, batch of readings or event to its topic, with its subject as key.

        Sets ``received_at`` to now if it is absent. Blocks while too much is in flight.

        Raises RejectedRecord for a subject that may identify a person, BrokerUnavailable if
        nothing is taken within ``max_block_s``, and DeliveryError for a record over the topic's
        limit, or for earlier records that were not delivered; in all of these cases ``record``
        itself has not been sent.
        """
        try:
            subject = check_subject(record.subject)
        except PydanticCustomError as error:
            raise RejectedRecord(Reason.IDENTIFYING, error.message()) from None
        if record.received_at is None:
            record = record.model_copy(update={"received_at": datetime.now(UTC)})
        topic = READINGS if isinstance(record, Reading | ReadingBatch) else EVENTS
        weight = len(record.values) if isinstance(record, ReadingBatch) else 1
        value = record.model_dump_json(by_alias=True, exclude_none=True).encode()
        self._send(topic.name, subject.encode(), value, [], weight)

    def publish_raw(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]] | None = None,
        *,
        readings: int = 1,
    ) -> None:
        """Send bytes as they are, for replays. ``readings`` is how many ``confirmed`` counts.

        Raises BrokerUnavailable and DeliveryError as ``publish`` does.
        """
        self._send(topic, key, value, headers or [], readings)

    def flush(self) -> None:
        """Wait until all that was published is confirmed or has failed.

        Raises DeliveryError if some of it failed, or is unconfirmed for longer than a delivery may
        take.
        """
        # A delivery that has timed out is reported by the sender's next round.
        limit = time.monotonic() + self._delivery_timeout_s + 5.0
        with self._state:
            while self._pending and (left := limit - time.monotonic()) > 0:
                self._state.wait(left)
            self._raise_undelivered(unconfirmed=self._pending)

    def close(self) -> None:
        """Flush and disconnect; a second call does nothing.

        Raises DeliveryError if something was not delivered.
        """
        with self._state:
            if self._closed:
                return
            self._closed = True
        try:
            self.flush()
        finally:
            # It fails only when the broker is gone for good, and `flush` has said so.
            with contextlib.suppress(KafkaError):
                self._producer.close(timeout=_CLOSE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
            return
        try:
            self.close()
        except DeliveryError as further:
            error.add_note(f"While closing: {further}")

    def _connect(self) -> KafkaProducer:
        network: list[KafkaNetClient] = []

        def open_network(**configs: Any) -> KafkaNetClient:
            network.append(KafkaNetClient(**configs))
            return network[0]

        try:
            return KafkaProducer(**self._options, kafka_client=open_network)
        except (KafkaError, OSError) as error:
            # A producer that fails to start leaves its sockets open.
            for client in network:
                client.close()
            raise BrokerUnavailable(
                f"no Kafka broker answers at {self._bootstrap}: start one (`acrophase broker`) or "
                f"give its address with --bootstrap ({error})"
            ) from error

    def _replace_producer(self, limit: float) -> None:
        """Start afresh after a refusal. The lock is held.

        kafka-python 3.0.12 takes a record that the broker refuses for good as the end of an
        idempotent producer: it fails every later record with the same error.
        """
        # What the old one still holds fails at once; it must not overlap with the new one.
        while self._pending_bytes and (left := limit - time.monotonic()) > 0:
            self._state.wait(left)
        self._raise_undelivered()
        if not self._refused:
            return  # another thread has been here while this one waited
        if self._pending_bytes:
            raise self._not_taking()
        with contextlib.suppress(KafkaError):
            self._producer.close(timeout=_CLOSE_S)
        self._producer = self._connect()
        self._refused = False

    def _send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]],
        weight: int,
    ) -> None:
        size = _OVERHEAD_BYTES + len(key or b"") + len(value or b"")
        size += sum(len(name) + len(content) for name, content in headers)
        limit = _LIMITS.get(topic)
        if limit is not None and size > limit:
            raise DeliveryError(
                f"a record of {size} bytes is over the limit of {limit} bytes of the topic "
                f"'{topic}': send smaller batches",
                weight,
            )
        self._reserve(size, weight)
        try:
            future = self._producer.send(topic, value, key=key, headers=headers)
        except BaseException as error:
            self._release(size, weight)
            if isinstance(error, KafkaTimeoutError):
                raise BrokerUnavailable(
                    f"the broker at {self._bootstrap} knows no topic '{topic}' within "
                    f"{self._max_block_s:g} s: create it (`acrophase topics create`), or look "
                    "whether the broker still runs"
                ) from error
            if isinstance(error, KafkaError):
                raise DeliveryError(f"Kafka refused the record: {error}", weight) from error
            raise
        future.add_callback(self._on_confirmed, size, weight)
        future.add_errback(self._on_failed, size, weight)

    def _reserve(self, size: int, weight: int) -> None:
        """Take room in flight. One record may always go, however large."""
        limit = time.monotonic() + self._max_block_s
        with self._state:
            if self._closed:
                raise DeliveryError("the publisher is closed", weight)
            self._raise_undelivered()
            if self._refused:
                self._replace_producer(limit)
            while self._pending_bytes and self._pending_bytes + size > self._in_flight_bytes:
                left = limit - time.monotonic()
                if left <= 0:
                    raise self._not_taking()
                self._state.wait(left)
                self._raise_undelivered()
            self._pending_bytes += size
            self._pending += weight

    def _not_taking(self) -> BrokerUnavailable:
        return BrokerUnavailable(
            f"the broker at {self._bootstrap} has not confirmed any of {self._pending} readings "
            f"for {self._max_block_s:g} s: look whether it still runs"
        )

    def _release(self, size: int, weight: int) -> None:
        with self._state:
            self._pending_bytes -= size
            self._pending -= weight
            self._state.notify_all()

    def _on_confirmed(self, size: int, weight: int, _metadata: Any) -> None:
        with self._state:
            self._confirmed += weight
            self._release(size, weight)

    def _on_failed(self, size: int, weight: int, error: BaseException) -> None:
        with self._state:
            # A timeout leaves the producer usable; an answer of the broker's does not.
            self._refused |= isinstance(error, BrokerResponseError)
            self._undelivered += weight
            self._cause = self._cause or error
            self._release(size, weight)

    def _raise_undelivered(self, unconfirmed: int = 0) -> None:
        """Report what failed since the last report. The lock is held."""
        undelivered, cause = self._undelivered + unconfirmed, self._cause
        if not undelivered:
            return
        self._undelivered, self._cause = 0, None
        raise DeliveryError(
            f"{undelivered} readings or events were not delivered to {self._bootstrap}; the first "
            f"cause: {_explain(cause)}",
            undelivered,
        ) from cause


def _explain(cause: BaseException | None) -> str:
    if isinstance(cause, MessageSizeTooLargeError):
        return "the record is over the broker's size limit (max.message.bytes of the topic)"
    if cause is None:
        return "no answer from the broker"
    text = str(cause) or type(cause).__name__
    return text.removeprefix("[Error] ")
