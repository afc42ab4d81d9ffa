"""From a published reading to its deviation in the store, at 1,000 single readings a second.

Two thousand people with two weeks of saliva cortisol behind them go on live; now and then one
sends a value far from the prediction. Time runs from before ``publish`` until a reader of the
store sees the deviation of that very reading.
"""

from __future__ import annotations

import math
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from kafka.admin import KafkaAdminClient

from benchmarks.machine import table
from benchmarks.stack import apache_kafka, committed, fresh_topics, running, wait_for
from benchmarks.traffic import PARTITIONS
from processors.store.address import open_store
from producers.client import Publisher
from schemas.catalogue import Analyte, load_catalogue
from schemas.measurements import DEVIATION
from schemas.readings import Reading, ReadingBatch
from schemas.topics import READINGS

ANALYTE = "saliva-cortisol"
PEOPLE = 2_000
DAYS = 14
SAMPLES = (7.0, 7.5, 12.0, 17.0, 22.0)  # hours of each day
RATE = 1_000
SECONDS = 60
# One outlier each so many readings. People take turns, and this has no divisor in common with
# their number, so it is another person's each time.
EVERY = 199
NOISE_SD = 0.15  # natural-log units
# exp(2) is over seven times what was expected.
FAR = 2.0
_LOOK_EVERY_S = 0.01
_AFTERWARDS_S = 30.0
_GROUP = "benchmark-latency"
_Key = tuple[str, int]


def main() -> None:
    """Print the distribution of the latencies."""
    with apache_kafka() as bootstrap, tempfile.TemporaryDirectory() as folder:
        fresh_topics(bootstrap)
        url = f"sqlite:///{Path(folder) / 'latency.db'}"
        environment = {
            "ACROPHASE_BOOTSTRAP": bootstrap,
            "ACROPHASE_GROUP": _GROUP,
            "ACROPHASE_STORE": url,
            "ACROPHASE_PARTITIONS": str(PARTITIONS),
        }
        with running((sys.executable, "-m", "acrophase", "worker"), environment) as worker:
            with Publisher(bootstrap) as publisher:
                _publish_past(publisher)
            admin = KafkaAdminClient(bootstrap_servers=bootstrap)
            try:
                wait_for(
                    lambda: committed(admin, _GROUP, READINGS.name) == PEOPLE,
                    300,
                    "the past to be worked through",
                    worker,
                )
            finally:
                admin.close()
            seconds, sent, achieved = _live(bootstrap, url)
    q50, q90, q99 = np.quantile(seconds, (0.5, 0.9, 0.99))
    print(
        table(
            f"publish() to deviation visible in SQLite, {achieved:,.0f} single readings/s, "
            f"{len(seconds)} of {sent} outliers seen",
            ("", "seconds"),
            [
                ("p50", f"{q50:.3f}"),
                ("p90", f"{q90:.3f}"),
                ("p99", f"{q99:.3f}"),
                ("largest", f"{max(seconds):.3f}"),
            ],
        )
    )


def _subject(person: int) -> str:
    return f"late-{person:04d}"


def _curve(analyte: Analyte, moment: datetime) -> float:
    """The population's curve on the model scale (natural log) at a UTC clock time."""
    return analyte.prior.value(moment.hour + moment.minute / 60 + moment.second / 3600)


def _publish_past(publisher: Publisher) -> None:
    """Two weeks of each person in one batch, up to yesterday."""
    analyte = load_catalogue()[ANALYTE]
    rng = np.random.default_rng(3)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=DAYS)
    times = [first + timedelta(days=d, hours=h) for d in range(DAYS) for h in SAMPLES]
    curve = np.array([_curve(analyte, moment) for moment in times])
    offsets = [round((moment - times[0]).total_seconds() * 1000) for moment in times]
    for person in range(PEOPLE):
        values = np.exp(curve + rng.normal(0, NOISE_SD, len(times)))
        publisher.publish(
            ReadingBatch(
                subject=_subject(person),
                device="home-test-1",
                code=analyte.codes[0].code,
                unit=analyte.unit,
                collected_at=times[0],
                received_at=times[-1],
                timing="verified",
                offsets_ms=offsets,
                values=values.tolist(),
            )
        )


def _live(bootstrap: str, url: str) -> tuple[list[float], int, float]:
    """Publish in step with the clock; latencies in seconds, outliers sent, readings a second."""
    sent: dict[_Key, float] = {}
    seen: dict[_Key, float] = {}
    done = threading.Event()
    begin_ms = round(time.time() * 1000)
    reader = threading.Thread(target=_watch, args=(url, begin_ms, seen, done))
    reader.start()
    try:
        achieved = _publish_live(bootstrap, sent)
        deadline = time.monotonic() + _AFTERWARDS_S
        while len(sent.keys() & seen.keys()) < len(sent) and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY_S)
    finally:
        done.set()
        reader.join()
    missing = len(sent) - len(sent.keys() & seen.keys())
    if missing:
        raise RuntimeError(f"{missing} of {len(sent)} outliers never became a deviation")
    return [seen[key] - sent[key] for key in sent], len(sent), achieved


def _publish_live(bootstrap: str, sent: dict[_Key, float]) -> float:
    analyte = load_catalogue()[ANALYTE]
    rng = np.random.default_rng(4)
    noise = rng.normal(0, NOISE_SD, RATE * SECONDS)
    with Publisher(bootstrap) as publisher:
        begin = time.monotonic()
        for i in range(RATE * SECONDS):
            ahead = begin + i / RATE - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            now = datetime.now(UTC)
            now = now.replace(microsecond=now.microsecond // 1000 * 1000)
            person = i % PEOPLE
            level = _curve(analyte, now)
            is_outlier = i % EVERY == EVERY - 1
            value = math.exp(level + (_away(analyte, level) if is_outlier else noise[i]))
            reading = Reading(
                subject=_subject(person),
                device="home-test-1",
                code=analyte.codes[0].code,
                unit=analyte.unit,
                collected_at=now,
                timing="verified",
                value=value,
            )
            if is_outlier:
                sent[reading.subject, round(now.timestamp() * 1000)] = time.monotonic()
            publisher.publish(reading)
        publisher.flush()
        return RATE * SECONDS / (time.monotonic() - begin)


def _away(analyte: Analyte, level: float) -> float:
    """Far above what is expected, or far below where that would be taken for a slip of unit."""
    return FAR if math.exp(level + FAR) in analyte.screen else -FAR


def _watch(url: str, begin_ms: int, seen: dict[_Key, float], done: threading.Event) -> None:
    """Note when each deviation is first visible."""
    store = open_store(url)
    try:
        while not done.wait(_LOOK_EVERY_S):
            found = store.select(DEVIATION, tags={"kind": "outlier"}, start_ms=begin_ms)
            now = time.monotonic()
            for row in found:
                seen.setdefault((row["subject"], row["time"]), now)
    finally:
        store.close()
