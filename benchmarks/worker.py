"""The worker on Apache Kafka, beside plain Faust and the bare aiokafka loop.

Feeds: one reading a message, and batches of 100. Each contestant is a process of its own with
a consumer group of its own on the same topic; the rate is what its group committed between its
first and last commit. The worker commits only what Kafka and the store have confirmed; what the
store then holds is counted and must be all of it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import table
from benchmarks.stack import apache_kafka, fresh_topics, measure
from benchmarks.traffic import BATCH, PARTITIONS, PEOPLE, batches, fill, singles
from processors.store.address import open_store
from schemas.measurements import RHYTHM
from schemas.topics import READINGS

# Enough for more than ten seconds at the rates aimed at: 60,000 and 500,000 readings a second.
MINUTES = 2_000
ROUNDS = 200
# A peer is given this long, not all of the topic; the worker must get through all of it.
PEER_S = 20.0
LONGEST_S = 600.0


class Feed(NamedTuple):
    """Messages in the topic of readings."""

    slug: str
    name: str
    make: Callable[[], Iterator[tuple[bytes, bytes]]]
    readings_a_message: int


FEEDS = (
    Feed("singles", "one reading a message, one a minute", lambda: singles(MINUTES), 1),
    Feed(
        "batches-1s", f"batches of {BATCH}, a reading a second", lambda: batches(ROUNDS, 1), BATCH
    ),
    # A reading has the same work behind it, and sixty times as many half hours to close and
    # means to store.
    Feed(
        "batches-60s", f"batches of {BATCH}, a reading a minute", lambda: batches(ROUNDS, 60), BATCH
    ),
)


class Place(NamedTuple):
    """A store that the worker writes to."""

    name: str
    url: str
    token: str | None


def main() -> None:
    """Print one table a feed."""
    with apache_kafka() as bootstrap, tempfile.TemporaryDirectory() as folder:
        for feed in FEEDS:
            print(_compare(bootstrap, Path(folder), feed), flush=True)


def _compare(bootstrap: str, folder: Path, feed: Feed) -> str:
    """All contestants on one feed, peers first."""
    per = feed.readings_a_message
    fresh_topics(bootstrap)
    count = fill(bootstrap, READINGS.name, feed.make())
    peers: dict[str, tuple[str, tuple[str, ...]]] = {
        "bare aiokafka and json.loads, nothing done": ("benchmarks.bare_aiokafka", ())
    }
    if per == 1:
        peers |= {
            "plain Faust, Record and Table": (
                "benchmarks.plain_faust",
                (str(folder / "plain-faust.db"),),
            )
        }
    rates: dict[str, float] = {}
    for name, (module, more) in peers.items():
        group = f"{module.rpartition('.')[2].replace('_', '-')}-{feed.slug}"
        command = (sys.executable, "-m", module, bootstrap, READINGS.name, group, *more)
        rates[name] = per * _rate(command, {}, bootstrap, group, count, longest_s=PEER_S)
    for number, place in enumerate(_places(folder / f"worker-{feed.slug}.db")):
        if number:
            # The topic of state knows what the run before has absorbed.
            fresh_topics(bootstrap)
            fill(bootstrap, READINGS.name, feed.make())
        rates[f"acrophase worker, {place.name}"] = per * _worker(bootstrap, place, count, feed)
    first = next(reversed(peers))
    return table(
        f"{feed.name}: {count * per:,} readings of {PEOPLE} people, {PARTITIONS} partitions",
        ("contestant", "readings/s", f"times {first.split(',')[0]}"),
        [(name, f"{rate:,.0f}", f"{rate / rates[first]:.2f}") for name, rate in rates.items()],
    )


def _worker(bootstrap: str, place: Place, count: int, feed: Feed) -> float:
    """Messages a second of the worker; what the store then holds must be everything."""
    per = feed.readings_a_message
    group = f"benchmark-{feed.slug}"
    environment = {
        "ACROPHASE_BOOTSTRAP": bootstrap,
        "ACROPHASE_GROUP": group,
        "ACROPHASE_STORE": place.url,
        "ACROPHASE_PARTITIONS": str(PARTITIONS),
    }
    if place.token is not None:
        environment["ACROPHASE_STORE_TOKEN"] = place.token
    command = (sys.executable, "-m", "acrophase", "worker")
    rate = _rate(command, environment, bootstrap, group, count, longest_s=LONGEST_S)
    store = open_store(place.url, place.token)
    try:
        people = store.select(RHYTHM, latest=True)
    finally:
        store.close()
    stored = sum(row["n_readings"] for row in people if row["subject"].startswith("bench-"))
    if stored != count * per:
        raise RuntimeError(f"the store counts {stored} readings of {count * per}")
    return rate


def _rate(
    command: Sequence[str],
    environment: Mapping[str, str],
    bootstrap: str,
    group: str,
    count: int,
    longest_s: float,
) -> float:
    return measure(
        command,
        environment,
        bootstrap=bootstrap,
        group=group,
        topic=READINGS.name,
        messages=count,
        longest_s=longest_s,
    ).rate


def _places(file: Path) -> list[Place]:
    """SQLite, and InfluxDB where the environment names one."""
    places = [Place("SQLite", f"sqlite:///{file}", None)]
    if influx := os.environ.get("ACROPHASE_TEST_INFLUX"):
        places.append(Place("InfluxDB", influx, os.environ.get("ACROPHASE_TEST_INFLUX_TOKEN")))
    return places
