"""Names of the system's own metrics: what workers and page expose and dashboards and rules ask for.

Declared once, like topics and measurements, because the rooms that emit them and the room that
draws them do not know each other. Names, units and suffixes are those of Prometheus: base units,
``_total`` for what only grows. A label never names a person, a device or an offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; ``labels`` are all that it has beside those of the scrape."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    description: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which a server has it."""
        if self.kind == "histogram":
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)


CONSUMER_LAG = Metric(
    "acrophase_consumer_lag_records",
    "gauge",
    ("topic", "partition"),
    "Records in the partition that are behind the committed offset.",
)
EVENT_TO_STORE = Metric(
    "acrophase_event_to_store_seconds",
    "histogram",
    ("stage",),
    "Seconds from a record's receipt until it has passed the stage: taken in, judged, stored.",
)
READINGS = Metric(
    "acrophase_readings_total",
    "counter",
    ("timeliness",),
    "Readings taken in, by timeliness: live, or backfill that came too late to be acted upon.",
)
DUPLICATES = Metric(
    "acrophase_duplicates_total", "counter", (), "Readings that had been counted before."
)
DEAD_LETTERS = Metric(
    "acrophase_dead_letters_total",
    "counter",
    ("reason",),
    "Records, or elements of a batch, that could not be used, by the contract's reason.",
)
CHECKPOINTS = Metric("acrophase_checkpoints_total", "counter", (), "Checkpoints confirmed.")
CHECKPOINT_DURATION = Metric(
    "acrophase_checkpoint_seconds",
    "histogram",
    (),
    "Seconds that a checkpoint took: outputs, then state, then offsets.",
)
STORE_RETRIES = Metric(
    "acrophase_store_retries_total",
    "counter",
    ("cause",),
    "Writes to the store that had to be tried again, by cause: unavailable, refused.",
)
OLDEST_UNCONFIRMED = Metric(
    "acrophase_oldest_unconfirmed_output_seconds",
    "gauge",
    (),
    "Age of the oldest output that neither store nor Kafka has confirmed; 0 without one.",
)
ROWS_IN_MEMORY = Metric(
    "acrophase_state_rows", "gauge", ("partition",), "Series and people held in memory."
)
RECOVERY = Metric(
    "acrophase_recovery_seconds",
    "gauge",
    ("partition",),
    "Seconds that the last recovery of the partition took.",
)
NOTIFICATION_FAILURES = Metric(
    "acrophase_notification_failures_total",
    "counter",
    ("channel",),
    "Notifications of alerts that did not get through.",
)

METRICS: tuple[Metric, ...] = (
    CONSUMER_LAG,
    EVENT_TO_STORE,
    READINGS,
    DUPLICATES,
    DEAD_LETTERS,
    CHECKPOINTS,
    CHECKPOINT_DURATION,
    STORE_RETRIES,
    OLDEST_UNCONFIRMED,
    ROWS_IN_MEMORY,
    RECOVERY,
    NOTIFICATION_FAILURES,
)
