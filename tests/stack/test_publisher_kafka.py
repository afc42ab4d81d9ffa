"""The Publisher on a real Apache Kafka: what the embedded broker does not refuse."""

from __future__ import annotations

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from producers.client import Publisher
from schemas.errors import BrokerUnavailable, DeliveryError


@pytest.fixture
def narrow_topic(kafka_address: str) -> str:
    """A topic that takes no record over 2,000 bytes."""
    name = "publisher-narrow"
    admin = KafkaAdminClient(bootstrap_servers=kafka_address)
    try:
        config = {"max.message.bytes": "2000"}
        admin.create_topics(
            [NewTopic(name, num_partitions=1, replication_factor=1, topic_configs=config)]
        )
    finally:
        admin.close()
    return name


def test_a_record_that_kafka_refuses_is_reported_and_the_next_are_sent(
    kafka_address: str, narrow_topic: str
) -> None:
    """A refusal is the end of an idempotent producer to kafka-python; to the Publisher not."""
    with Publisher(kafka_address, compression=None) as publisher:
        publisher.publish_raw(narrow_topic, b"k-1", b"small")
        publisher.flush()
        publisher.publish_raw(narrow_topic, b"k-1", b"x" * 5_000)
        with pytest.raises(DeliveryError, match="over the broker's size limit") as refused:
            publisher.flush()
        assert refused.value.undelivered == 1
        for _ in range(100):
            publisher.publish_raw(narrow_topic, b"k-1", b"small")
        publisher.flush()
        assert publisher.confirmed == 101


def test_a_topic_is_not_made_by_naming_it(kafka_address: str) -> None:
    with Publisher(kafka_address, max_block_s=2.0) as publisher:
        with pytest.raises(BrokerUnavailable, match=r"no topic 'publisher-nowhere' within 2 s"):
            publisher.publish_raw("publisher-nowhere", b"k-1", b"{}")
        publisher.flush()
        assert publisher.confirmed == 0
