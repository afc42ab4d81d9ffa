"""The conformance suite on a real InfluxDB, and how its refusals read."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from influxdb_client import BucketRetentionRules, InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

from processors.store import Store, open_store
from schemas.errors import StoreRefused
from schemas.measurements import PROFILE
from tests.processors.store.test_conformance import StoreConformance, profile


def address(influx: Any, bucket: str) -> str:
    return f"{influx.url}?{urlencode({'org': influx.org, 'bucket': bucket})}"


@pytest.fixture
def client(influx: Any) -> Iterator[Any]:
    with InfluxDBClient(influx.url, influx.token, org=influx.org) as client:
        yield client


@pytest.fixture
def bucket(client: Any) -> Iterator[str]:
    made = client.buckets_api().create_bucket(bucket_name=f"conformance {uuid.uuid4()}")
    yield made.name
    client.buckets_api().delete_bucket(made)


@pytest.fixture
def store_in_bucket(influx: Any, bucket: str) -> Iterator[Store]:
    store = open_store(address(influx, bucket), influx.token)
    yield store
    store.close()


class TestInfluxStore(StoreConformance):
    @pytest.fixture
    def store(self, store_in_bucket: Store) -> Store:
        return store_in_bucket


def refused(store: Store) -> str:
    """What the store says to a write; a selection is refused as well."""
    try:
        with pytest.raises(StoreRefused):
            store.select(PROFILE)
        with pytest.raises(StoreRefused) as caught:
            store.write(PROFILE, [profile()])
        return str(caught.value)
    finally:
        store.close()


def test_a_wrong_token(influx: Any, bucket: str) -> None:
    text = refused(open_store(address(influx, bucket), "no-such-token"))
    assert "HTTP 401" in text
    assert "give a token" in text
    assert "no-such-token" not in text


def test_an_absent_bucket(influx: Any) -> None:
    text = refused(open_store(address(influx, "no-such-bucket"), influx.token))
    assert "HTTP 404" in text
    assert "create bucket 'no-such-bucket'" in text


def test_an_absent_organisation(influx: Any, bucket: str) -> None:
    url = f"{influx.url}?{urlencode({'org': 'no-such-org', 'bucket': bucket})}"
    assert "'no-such-org'" in refused(open_store(url, influx.token))


def test_a_field_of_another_type(
    influx: Any, client: Any, bucket: str, store_in_bucket: Store
) -> None:
    client.write_api(write_options=SYNCHRONOUS).write(
        bucket, influx.org, 'profile,site=s,subject=p,analyte=a value="text" 1700000000000000000'
    )
    with pytest.raises(StoreRefused, match=r"field type conflict.*use another bucket"):
        store_in_bucket.write(PROFILE, [profile(value=1.0)])


def test_rows_older_than_the_retention(influx: Any, client: Any) -> None:
    rule = BucketRetentionRules(type="expire", every_seconds=86_400)
    made = client.buckets_api().create_bucket(
        bucket_name=f"short {uuid.uuid4()}", retention_rules=[rule]
    )
    store = open_store(address(influx, made.name), influx.token)
    with pytest.raises(StoreRefused, match="retention"):
        store.write(PROFILE, [profile(time=946_684_800_000)])
    store.close()
    client.buckets_api().delete_bucket(made)
