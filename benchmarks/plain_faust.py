"""The peer: the worker's job as Faust's own documentation would have it written.

One Record a message, one Table with the sums of each series, one agent per message, a timer that
writes the rhythms of changed series to SQLite each second. It does less than the worker (one rate
of forgetting, no deduplication, judging, tests or recovery guarantees, no dead letters), so its
rate flatters it.

    python -m benchmarks.plain_faust BOOTSTRAP TOPIC GROUP SQLITE-FILE
"""

from __future__ import annotations

import math
import sqlite3
import sys
from datetime import datetime
from typing import Any

import faust
import numpy as np

from benchmarks.traffic import PARTITIONS

OMEGA = 2 * math.pi / 24
RATE = math.log(2) / (28 * 24)


class Reading(faust.Record, serializer="json"):
    """The fields of a single reading that the job needs."""

    subject: str
    code: str
    unit: str
    value: float
    collected_at: str


def fold(row: list[float], at: datetime, value: float) -> list[float]:
    """Sums [time, w, 15 of w x x', 5 of w y x, w y^2] with one reading more."""
    time_h = at.timestamp() / 3600
    angle = OMEGA * (at.hour + at.minute / 60 + at.second / 3600)
    x = (1.0, math.cos(angle), math.sin(angle), math.cos(2 * angle), math.sin(2 * angle))
    if not row:
        row = [time_h, *([0.0] * 22)]
    decay = math.exp(-RATE * (time_h - row[0]))
    sums = [decay * total for total in row[1:]]
    sums[0] += 1.0
    position = 1
    for i in range(5):
        for j in range(i + 1):
            sums[position] += x[i] * x[j]
            position += 1
    for i in range(5):
        sums[position + i] += value * x[i]
    sums[position + 5] += value * value
    return [time_h, *sums]


def solve(row: list[float]) -> tuple[float, float, float]:
    """Mesor, amplitude and acrophase (h), with a small ridge for the first readings."""
    s = np.zeros((5, 5))
    s[np.tril_indices(5)] = row[2:17]
    s += np.tril(s, -1).T + 0.01 * np.eye(5)
    mesor, beta, gamma, *_ = np.linalg.solve(s, row[17:22])
    return (
        float(mesor),
        float(math.hypot(beta, gamma)),
        float(math.atan2(gamma, beta) / OMEGA % 24),
    )


def main() -> None:
    """Run until ended."""
    bootstrap, topic_name, group, file = sys.argv[1:]
    app = faust.App(
        group,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        web_enabled=False,
        topic_partitions=PARTITIONS,
        # As often as the worker's checkpoint.
        broker_commit_interval=1.0,
        consumer_auto_offset_reset="earliest",
    )
    topic = app.topic(topic_name, value_type=Reading, key_type=bytes)
    sums = app.Table(f"{group}-sums", default=list, partitions=PARTITIONS)
    changed: set[str] = set()
    store = sqlite3.connect(file)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute(
        "CREATE TABLE rhythm (series TEXT PRIMARY KEY, mesor REAL, amplitude REAL, acrophase REAL)"
    )

    @app.agent(topic)
    async def count(readings: faust.StreamT[Any]) -> None:
        async for reading in readings:
            series = f"{reading.subject}|{reading.code}"
            at = datetime.fromisoformat(reading.collected_at)
            sums[series] = fold(sums[series], at, reading.value)
            changed.add(series)

    @app.timer(1.0)  # type: ignore[untyped-decorator]
    async def write() -> None:
        rows = [(series, *solve(sums[series])) for series in changed]
        changed.clear()
        with store:
            store.executemany("INSERT OR REPLACE INTO rhythm VALUES (?, ?, ?, ?)", rows)

    # At WARN Faust 0.15.3 shows a spinner that turns debug logging on for every message.
    worker = faust.Worker(app, loglevel="INFO")
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
