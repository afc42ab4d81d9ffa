"""Every Kafka topic, declared once.

``readings`` and ``events`` are keyed by subject, so that all of a person's records meet in one
partition. ``state`` has as many partitions as ``readings`` and is written on the same partition
number, so that a worker finds its own recovery rows without a table of anything.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One Kafka topic.

    ``partitions`` is ``None`` where the topic has as many as ``readings`` (a setting).
    ``retention_days`` is ``None`` for compacted topics, which keep the last record of each key.
    """

    name: str
    key: str
    value: str
    compacted: bool = False
    partitions: int | None = None
    retention_days: int | None = 30
    max_message_bytes: int = 1_048_576

    def config(self) -> dict[str, str]:
        """Broker-side configuration of the topic."""
        config = {"max.message.bytes": str(self.max_message_bytes)}
        if self.compacted:
            config["cleanup.policy"] = "compact"
        elif self.retention_days is not None:
            config["retention.ms"] = str(self.retention_days * 86_400_000)
        return config


# Inputs may be as large as a misbehaving device makes them (up to this), so that an oversized
# record reaches the dead letters with a reason instead of failing at somebody's producer.
_INPUT_BYTES = 16 * 1_048_576

READINGS = Topic(
    "readings", key="subject", value="Reading | ReadingBatch", max_message_bytes=_INPUT_BYTES
)
EVENTS = Topic("events", key="subject", value="Event", max_message_bytes=_INPUT_BYTES)
ESTIMATES = Topic("estimates", key="subject|analyte", value="Rhythm", compacted=True)
MARKERS = Topic("markers", key="subject|analyte|marker|date", value="Marker", compacted=True)
DEVIATIONS = Topic("deviations", key="subject|analyte", value="Deviation", retention_days=365)
ALERTS = Topic("alerts", key="subject|analyte|kind|direction", value="Alert", compacted=True)
STATE = Topic(
    "state", key="row key", value="state row, see processors.engine.state", compacted=True
)
DEAD_LETTERS = Topic(
    "dead-letters",
    key="key of the refused record",
    value="bytes of the refused record, unchanged",
    partitions=1,
    retention_days=90,
    # The largest input must fit with the headers that say what is wrong with it.
    max_message_bytes=_INPUT_BYTES + 65_536,
)

TOPICS: tuple[Topic, ...] = (
    READINGS,
    EVENTS,
    ESTIMATES,
    MARKERS,
    DEVIATIONS,
    ALERTS,
    STATE,
    DEAD_LETTERS,
)
INPUTS: tuple[Topic, ...] = (READINGS, EVENTS)
