"""No error of a library that we stand on travels further than the module that calls it.

Real servers can be brought to a few of these errors, and those tests are with their modules. Here
every class that a library declares is thrown at each of the boundaries, so that a new version
with a new kind of error is noticed.
"""

from __future__ import annotations

import asyncio
import inspect
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import aiokafka.errors
import faust.exceptions
import influxdb_client.rest
import kafka.errors
import pytest
import urllib3.exceptions
from kafka.future import Future

from processors.checkpoint import OwnershipLost
from processors.engine_port import OutMessage
from processors.faust_kafka import FaustKafka
from processors.recovery import StateLog
from processors.store.influx import InfluxStore
from processors.store.sqlite import SqliteStore
from producers.client import Publisher
from schemas.errors import AcrophaseError, BrokerUnavailable, DeliveryError, StoreError
from schemas.measurements import PROFILE
from schemas.topics import READINGS, STATE

# Warnings are given and not raised; the proxies' own error is raised where a client is made; the
# last is of Faust's Records, which nothing here uses.
_NOT_RAISED = (
    Warning,
    urllib3.exceptions.ProxySchemeUnsupported,
    faust.exceptions.ValidationError,
)
# Classes whose text needs what their constructor is given.
_ASK_FOR_MORE: dict[str, tuple[Any, ...]] = {
    "IncompleteRead": (3, 7),
    "InvalidChunkLength": (SimpleNamespace(tell=lambda: 3, length_remaining=7), b"x"),
}


def classes(module: ModuleType) -> list[type[Exception]]:
    found = [
        each
        for each in vars(module).values()
        if inspect.isclass(each)
        and issubclass(each, Exception)
        and each.__module__ == module.__name__
        and not issubclass(each, _NOT_RAISED)
    ]
    assert len(found) > 10  # or the library has moved them
    return found


def instances(module: ModuleType) -> list[Exception]:
    """One error of each class, whatever its constructor asks for."""
    made = []
    for each in classes(module):
        ask = _ASK_FOR_MORE.get(each.__name__)
        if ask is not None:
            made.append(each(*ask))
            continue
        error = each.__new__(each)
        Exception.__init__(error, "what the library said")
        made.append(error)
    return made


def test_kafka_python_ends_at_the_publisher(
    embedded_broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = instances(kafka.errors)
    with Publisher(embedded_broker) as publisher:
        for error in errors:

            def refuse(*_: object, error: Exception = error, **__: object) -> Future:
                raise error

            def fail(*_: object, error: Exception = error, **__: object) -> Future:
                return Future().failure(error)

            monkeypatch.setattr(publisher._producer, "send", refuse)
            with pytest.raises((DeliveryError, BrokerUnavailable)):
                publisher.publish_raw(READINGS.name, b"k-1", b"{}")
            monkeypatch.setattr(publisher._producer, "send", fail)
            publisher.publish_raw(READINGS.name, b"k-1", b"{}")
            with pytest.raises(DeliveryError) as caught:
                publisher.flush()
            assert caught.value.undelivered == 1
            publisher._refused = False  # or the next would begin with a producer of its own
        monkeypatch.undo()


class Broken:
    """Stands for Faust's producer and consumer: every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(*_: object, **__: object) -> None:
            raise self._error

        return call


def broken_kafka(error: Exception, loop: asyncio.AbstractEventLoop) -> FaustKafka:
    broken = Broken(error)
    consumer = SimpleNamespace(
        _coordinator=SimpleNamespace(generation=1),
        commit=broken.commit,
        committed=broken.committed,
    )

    async def partitions_for(_: str) -> set[int]:
        return {0}

    producer = SimpleNamespace(
        _producer=SimpleNamespace(
            partitions_for=partitions_for,
            create_batch=lambda: SimpleNamespace(
                append=lambda **_: object(), close=lambda: None, record_count=lambda: 1
            ),
            send_batch=broken.send_batch,
        ),
    )
    app: Any = SimpleNamespace(
        producer=producer,
        consumer=SimpleNamespace(
            _thread=SimpleNamespace(thread_loop=loop, _consumer=consumer),
            seek_wait=broken.seek_wait,
        ),
    )
    kafka = FaustKafka(app, "127.0.0.1:1", STATE)
    kafka._reader = SimpleNamespace(
        assign=lambda _: None,
        seek=lambda *_: None,
        seek_to_beginning=broken.seek_to_beginning,
        position=broken.position,
        getmany=broken.getmany,
        beginning_offsets=broken.beginning_offsets,
    )
    return kafka


@pytest.fixture
def consumer_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop of the thread that Faust's consumer has for itself."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def test_aiokafka_and_faust_end_at_the_workers_rim(
    consumer_loop: asyncio.AbstractEventLoop,
) -> None:
    ours = (AcrophaseError, OwnershipLost)
    where = (READINGS.name, 0)
    for error in (*instances(aiokafka.errors), *instances(faust.exceptions)):
        kafka = broken_kafka(error, consumer_loop)
        with pytest.raises(ours):
            await kafka.send([OutMessage("deviations", b"k", b"v", [])])
    for error in instances(aiokafka.errors):
        kafka = broken_kafka(error, consumer_loop)
        with pytest.raises(ours):
            await kafka.write_state(0, [(b"k", b"v")], [])
        with pytest.raises(ours):
            await kafka.read_state(0, 0, 10, StateLog())
        with pytest.raises(ours):
            await kafka.commit({where: 7}, 1)
        with pytest.raises(ours):
            await kafka.committed([where])
        with pytest.raises(ours):
            await kafka.seek(where, 7)


SQLITE_CODES = sorted(
    {
        code
        for name, code in vars(sqlite3).items()
        if name.startswith("SQLITE_") and isinstance(code, int) and 0 < code & 0xFF < 100
    }
)


def test_sqlite_ends_at_its_store(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    assert len(SQLITE_CODES) > 50
    for code in SQLITE_CODES:
        error = sqlite3.OperationalError("what the library said")
        error.sqlite_errorcode = code
        with pytest.raises(StoreError, match=r"a\.db: "), store._translating():
            raise error
    for kind in (sqlite3.InterfaceError, sqlite3.ProgrammingError, sqlite3.DataError):
        with pytest.raises(StoreError, match=r"a\.db: "), store._translating():
            raise kind("what the library said")
    store.close()


def test_the_influx_client_ends_at_its_store(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = influxdb_client.rest.ApiException(status=500, reason="what the server said")
    store = InfluxStore("http://127.0.0.1:1", org="o", bucket="b", token="secret-of-the-store")
    for error in (*instances(urllib3.exceptions), answered, ConnectionResetError()):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(store._writes, "post_write", fail)
        monkeypatch.setattr(store._queries, "query_raw", fail)
        with pytest.raises(StoreError) as written:
            store._post(["a line"])
        with pytest.raises(StoreError) as read:
            store.select(PROFILE)
        for caught in (written, read):
            assert "secret-of-the-store" not in str(caught.value)
    store.close()
