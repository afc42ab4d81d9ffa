"""The Publisher on a real broker: what is confirmed is there once, what is not is counted."""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from kafka import KafkaConsumer
from kafka.consumer.fetcher import ConsumerRecord

from acrophase.broker import EmbeddedBroker
from producers.client import Publisher
from schemas.errors import BrokerUnavailable, DeliveryError, Reason, RejectedRecord
from schemas.events import parse_event
from schemas.readings import Reading, ReadingBatch, parse_reading
from schemas.topics import READINGS

BERLIN_WINTER = timezone(timedelta(hours=1))
MORNING = datetime(2024, 1, 1, 8, 0, tzinfo=BERLIN_WINTER)


def reading(subject: str, minute: int = 0) -> Reading:
    return Reading(
        subject=subject,
        device="watch-1",
        code="8867-4",
        unit="/min",
        collected_at=MORNING + timedelta(minutes=minute),
        value=60.0 + minute,
    )


def batch(subject: str, n: int) -> ReadingBatch:
    return ReadingBatch(
        subject=subject,
        device="watch-1",
        code="8867-4",
        unit="/min",
        collected_at=MORNING,
        offsets_ms=[1000 * i for i in range(n)],
        values=[60.0 + 0.1 * i for i in range(n)],
    )


def publish_minutes(publisher: Publisher, subject: str, minutes: range) -> None:
    for minute in minutes:
        publisher.publish(reading(subject, minute))


def read_back(address: str, topic: str, subject: str, n: int) -> list[ConsumerRecord]:
    """The records of one subject: waits for the first n, and then for a moment that holds no
    more."""
    consumer = KafkaConsumer(
        topic, bootstrap_servers=address, auto_offset_reset="earliest", group_id=None
    )
    found: list[ConsumerRecord] = []
    limit = time.monotonic() + 20
    try:
        while time.monotonic() < limit:
            polled = consumer.poll(timeout_ms=500)
            found += [r for rs in polled.values() for r in rs if r.key == subject.encode()]
            if len(found) >= n and not polled:
                break
    finally:
        consumer.close()
    return found


@pytest.fixture(autouse=True)
def _collect_sockets(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Collect them while the mark above holds; log records would keep them alive for longer."""
    caplog.set_level(logging.CRITICAL, logger="kafka")
    yield
    gc.collect()


@pytest.fixture
def own_broker() -> Iterator[EmbeddedBroker]:
    """A broker that a test may stop, go on with, or kill."""
    with EmbeddedBroker() as broker:
        yield broker


def test_readings_arrive_once_in_order_with_their_subject_as_key(embedded_broker: str) -> None:
    before = datetime.now(UTC)
    with Publisher(embedded_broker) as publisher:
        for minute in range(500):
            publisher.publish(reading("order-1", minute))
        publisher.flush()
        assert publisher.confirmed == 500
    records = read_back(embedded_broker, "readings", "order-1", 500)
    assert len({r.partition for r in records}) == 1
    arrived = [parse_reading(r.value) for r in records]
    assert [r.value for r in arrived if isinstance(r, Reading)] == [60.0 + m for m in range(500)]
    assert all(r.received_at and before <= r.received_at <= datetime.now(UTC) for r in arrived)
    assert arrived[0].collected_at.utcoffset() == timedelta(hours=1)


def test_the_wire_is_compact_json_without_absent_fields(embedded_broker: str) -> None:
    with Publisher(embedded_broker) as publisher:
        publisher.publish(reading("compact-1").model_copy(update={"received_at": MORNING}))
    (record,) = read_back(embedded_broker, "readings", "compact-1", 1)
    assert record.value == (
        b'{"schema":1,"subject":"compact-1","device":"watch-1","site":"default","code":"8867-4",'
        b'"unit":"/min","collected_at":"2024-01-01T08:00:00+01:00",'
        b'"received_at":"2024-01-01T08:00:00+01:00","timing":"reported","value":60.0}'
    )


def test_every_reading_of_a_batch_counts_as_confirmed(embedded_broker: str) -> None:
    with Publisher(embedded_broker) as publisher:
        publisher.publish(batch("batch-1", 250))
        publisher.publish(batch("batch-1", 3))
        publisher.flush()
        assert publisher.confirmed == 253


def test_events_go_to_their_own_topic(embedded_broker: str) -> None:
    event = parse_event(
        b'{"kind":"wake","subject":"sleeper-1","at":"2024-01-01T07:00:00+01:00","verified":true}'
    )
    with Publisher(embedded_broker) as publisher:
        publisher.publish(event)
    (record,) = read_back(embedded_broker, "events", "sleeper-1", 1)
    sent = parse_event(record.value)
    assert sent.received_at is not None
    assert sent.model_copy(update={"received_at": None}) == event


def test_raw_bytes_and_headers_travel_unchanged(embedded_broker: str) -> None:
    with Publisher(embedded_broker) as publisher:
        publisher.publish_raw("raw-replay", b"key-1", b"\xff\x00 not json", [("reason", b"x")])
    (record,) = read_back(embedded_broker, "raw-replay", "key-1", 1)
    assert record.value == b"\xff\x00 not json"
    assert record.headers == [("reason", b"x")]


def test_a_subject_that_names_a_person_is_refused_unsent(embedded_broker: str) -> None:
    # model_construct skips validation, as a careless caller may.
    careless = Reading.model_construct(**{**dict(reading("x-1")), "subject": "jane.doe@clinic.org"})
    with Publisher(embedded_broker) as publisher:
        with pytest.raises(RejectedRecord) as caught:
            publisher.publish(careless)
        assert caught.value.reason is Reason.IDENTIFYING
        assert "jane" not in str(caught.value)
        publisher.flush()
        assert publisher.confirmed == 0


def test_a_record_over_the_limit_says_so_and_the_publisher_goes_on(embedded_broker: str) -> None:
    with Publisher(embedded_broker) as publisher:
        with pytest.raises(DeliveryError, match=r"over the limit of 16777216 bytes.*smaller") as e:
            publisher.publish_raw(READINGS.name, b"big-1", b" " * (READINGS.max_message_bytes + 1))
        assert e.value.undelivered == 1
        publisher.publish(reading("after-big-1"))
        publisher.flush()
        assert publisher.confirmed == 1


def test_no_broker_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(BrokerUnavailable, match="acrophase broker"):
        Publisher("127.0.0.1:1", connect_timeout_s=0.5)


def test_a_killed_broker_is_reported_with_the_number_undelivered(
    own_broker: EmbeddedBroker,
) -> None:
    publisher = Publisher(own_broker.address, delivery_timeout_s=2.0)
    publisher.publish(batch("killed-1", 40))
    publisher.flush()
    os.kill(own_broker.pid, signal.SIGKILL)
    publisher.publish(batch("killed-1", 30))
    publisher.publish(reading("killed-1"))
    with pytest.raises(DeliveryError, match="31 readings or events were not delivered") as first:
        publisher.flush()
    assert first.value.undelivered == 31
    assert first.value.__cause__ is not None
    assert publisher.confirmed == 40
    # Each loss is reported once, by whichever call comes next.
    publisher.flush()
    publisher.publish(reading("killed-1"))
    with pytest.raises(DeliveryError) as second:
        publisher.close()
    assert second.value.undelivered == 1
    publisher.close()
    with pytest.raises(DeliveryError, match="closed"):
        publisher.publish(reading("killed-1"))


def test_the_next_publish_reports_what_failed_before(own_broker: EmbeddedBroker) -> None:
    publisher = Publisher(own_broker.address, delivery_timeout_s=1.5)
    publisher.publish(reading("next-1"))
    publisher.flush()
    os.kill(own_broker.pid, signal.SIGKILL)
    publisher.publish(reading("next-1", 1))
    sent = 1
    caught: DeliveryError | None = None
    limit = time.monotonic() + 15
    while caught is None and time.monotonic() < limit:
        try:
            publisher.publish(reading("next-1", 2))
            sent += 1
            time.sleep(0.02)
        except DeliveryError as error:
            caught = error
    assert caught is not None
    # What failed after that report is in the next one; together they name every record once.
    undelivered = caught.undelivered
    try:
        publisher.close()
    except DeliveryError as rest:
        undelivered += rest.undelivered
    assert undelivered == sent


def test_a_full_buffer_blocks_and_then_fails_and_loses_nothing(
    own_broker: EmbeddedBroker,
) -> None:
    publisher = Publisher(own_broker.address, in_flight_bytes=20_000, max_block_s=0.5)
    publisher.publish(reading("full-1", 0))
    publisher.flush()
    os.kill(own_broker.pid, signal.SIGSTOP)
    taken = 1
    caught: BrokerUnavailable | None = None
    began = time.monotonic()
    while caught is None and taken < 10_000:
        try:
            publisher.publish(reading("full-1", taken))
            taken += 1
        except BrokerUnavailable as error:
            caught = error
    assert caught is not None
    assert caught.retryable
    assert "has not confirmed" in str(caught)
    assert 0.5 <= time.monotonic() - began < 10
    # About 350 bytes a record with its overhead: the bound holds the buffer to these few.
    assert 20 < taken < 100
    os.kill(own_broker.pid, signal.SIGCONT)
    publisher.close()
    assert publisher.confirmed == taken
    records = read_back(own_broker.address, "readings", "full-1", taken)
    values = [parse_reading(r.value).model_dump()["value"] for r in records]
    assert values == [60.0 + minute for minute in range(taken)]


def test_publish_does_not_wait_for_the_broker(own_broker: EmbeddedBroker) -> None:
    with Publisher(own_broker.address) as publisher:
        publisher.publish(reading("async-1"))
        publisher.flush()
        os.kill(own_broker.pid, signal.SIGSTOP)
        try:
            publish_minutes(publisher, "async-1", range(1, 200))  # with a stopped broker
            assert publisher.confirmed == 1
        finally:
            os.kill(own_broker.pid, signal.SIGCONT)
    assert publisher.confirmed == 200


def test_a_retry_neither_duplicates_nor_reorders(
    own_broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """The broker takes a request and stands still before it answers; the producer sends again."""
    caplog.set_level(logging.WARNING, logger="kafka.producer.sender")
    # A third of the delivery is one try.
    publisher = Publisher(own_broker.address, delivery_timeout_s=6.0)
    publisher.publish(reading("retry-1", 0))
    publisher.flush()
    os.kill(own_broker.pid, signal.SIGSTOP)
    publish_minutes(publisher, "retry-1", range(1, 60))
    limit = time.monotonic() + 5.0
    while "retrying" not in caplog.text and time.monotonic() < limit:
        time.sleep(0.02)
    assert "retrying" in caplog.text
    publish_minutes(publisher, "retry-1", range(60, 120))
    os.kill(own_broker.pid, signal.SIGCONT)
    publisher.close()
    assert publisher.confirmed == 120
    records = read_back(own_broker.address, "readings", "retry-1", 120)
    values = [parse_reading(r.value).model_dump()["value"] for r in records]
    assert values == [60.0 + minute for minute in range(120)]


def test_a_topic_that_nobody_tells_of_is_named(own_broker: EmbeddedBroker) -> None:
    publisher = Publisher(own_broker.address, max_block_s=0.5)
    os.kill(own_broker.pid, signal.SIGSTOP)
    try:
        with pytest.raises(BrokerUnavailable, match=r"no topic 'events'.*acrophase topics create"):
            publisher.publish_raw("events", b"k-1", b"{}")
        # What was not sent is not waited for.
        publisher.flush()
    finally:
        os.kill(own_broker.pid, signal.SIGCONT)
    publisher.close()
    assert publisher.confirmed == 0


def test_a_blocked_publish_goes_on_when_the_broker_does(own_broker: EmbeddedBroker) -> None:
    with Publisher(own_broker.address, in_flight_bytes=2_000, max_block_s=20.0) as publisher:
        publisher.publish(reading("again-1"))
        publisher.flush()
        os.kill(own_broker.pid, signal.SIGSTOP)
        blocked = threading.Thread(
            target=publish_minutes, args=(publisher, "again-1", range(1, 30))
        )
        blocked.start()
        blocked.join(0.3)
        assert blocked.is_alive()
        os.kill(own_broker.pid, signal.SIGCONT)
        blocked.join(20)
        assert not blocked.is_alive()
    assert publisher.confirmed == 30


def test_a_broker_that_hangs_is_reported_in_bounded_time(own_broker: EmbeddedBroker) -> None:
    publisher = Publisher(own_broker.address, delivery_timeout_s=1.5)
    publisher.publish(reading("hang-1"))
    publisher.flush()
    os.kill(own_broker.pid, signal.SIGSTOP)
    try:
        publisher.publish(batch("hang-1", 12))
        began = time.monotonic()
        with pytest.raises(DeliveryError) as caught:
            publisher.close()
        assert time.monotonic() - began < 15
        assert caught.value.undelivered == 12
        assert publisher.confirmed == 1
    finally:
        # A stopped process does not hear a polite request to end.
        os.kill(own_broker.pid, signal.SIGCONT)


def test_leaving_by_an_exception_keeps_it_and_adds_what_was_lost(
    own_broker: EmbeddedBroker,
) -> None:
    def leave() -> None:
        with Publisher(own_broker.address, delivery_timeout_s=1.5) as publisher:
            publisher.publish(reading("leave-1"))
            publisher.flush()
            os.kill(own_broker.pid, signal.SIGKILL)
            publisher.publish(reading("leave-1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        leave()
    assert any("1 readings or events were not delivered" in n for n in caught.value.__notes__)


def test_leaving_by_an_exception_still_delivers(embedded_broker: str) -> None:
    publisher = Publisher(embedded_broker)

    def leave() -> None:
        with publisher:
            publisher.publish(reading("deliver-1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        leave()
    assert publisher.confirmed == 1
    assert len(read_back(embedded_broker, "readings", "deliver-1", 1)) == 1


def test_threads_share_one_publisher(embedded_broker: str) -> None:
    with Publisher(embedded_broker) as publisher:
        threads = [
            threading.Thread(target=publish_minutes, args=(publisher, f"thread-{k}", range(200)))
            for k in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert publisher.confirmed == 800
