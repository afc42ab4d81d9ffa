"""The servers that the other stack tests stand on are what they should be."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import TopicAlreadyExistsError

# The largest record that must reach the dead letters with a reason.
TEN_MB = 10 * 1_048_576


def test_kafka_carries_a_record_of_ten_megabytes(kafka_address: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka_address)
    try:
        admin.create_topics({"servers-test": {"num_partitions": 1, "replication_factor": 1}})
    except TopicAlreadyExistsError:
        pass  # a Kafka named by ACROPHASE_TEST_KAFKA may have seen this test before
    finally:
        admin.close()
    producer = KafkaProducer(bootstrap_servers=kafka_address, max_request_size=2 * TEN_MB)
    sent = producer.send("servers-test", key=b"k", value=b"x" * TEN_MB).get(timeout=30)
    producer.close()
    consumer = KafkaConsumer(
        "servers-test",
        bootstrap_servers=kafka_address,
        auto_offset_reset="earliest",
        consumer_timeout_ms=30_000,
    )
    received = next(record for record in consumer if record.offset == sent.offset)
    consumer.close()
    assert (received.key, len(received.value)) == (b"k", TEN_MB)


def _influx(url: str, token: str, body: bytes | None = None, kind: str = "text/plain") -> Any:
    headers = {"Authorization": f"Token {token}", "Content-Type": kind}
    request = urllib.request.Request(url, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read().decode()


def test_influx_keeps_a_point_in_the_bucket(influx: Any) -> None:
    where = f"org={influx.org}&bucket={influx.bucket}"
    _influx(f"{influx.url}/api/v2/write?{where}", influx.token, b"servers_test value=42 1000000000")
    flux = (
        f'from(bucket: "{influx.bucket}") |> range(start: 0, stop: 10) '
        '|> filter(fn: (r) => r._measurement == "servers_test") |> keep(columns: ["_value"])'
    )
    body = json.dumps({"query": flux, "type": "flux"}).encode()
    answer = _influx(
        f"{influx.url}/api/v2/query?org={influx.org}", influx.token, body, "application/json"
    )
    assert [line for line in answer.split() if line.endswith(",42")]


def test_influx_refuses_a_wrong_token(influx: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        _influx(f"{influx.url}/api/v2/buckets", "not-the-token")
    with refused.value:
        assert refused.value.code == 401
