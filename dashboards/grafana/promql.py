"""Every PromQL expression of the Pipeline dashboard and of the alert rules, a function each."""

from __future__ import annotations

from schemas.metrics_names import (
    CHECKPOINT_DURATION,
    CHECKPOINTS,
    CONSUMER_LAG,
    DEAD_LETTERS,
    DUPLICATES,
    EVENT_TO_STORE,
    NOTIFICATION_FAILURES,
    OLDEST_UNCONFIRMED,
    READINGS,
    RECOVERY,
    ROWS_IN_MEMORY,
    STORE_RETRIES,
    Metric,
)

_STEP = "$__rate_interval"


def lag() -> str:
    """Records behind, by topic and partition."""
    return f"max by (topic, partition) ({CONSUMER_LAG.name})"


def latency(quantile: float) -> str:
    """Seconds until a stage is passed, by stage."""
    buckets, _, _ = EVENT_TO_STORE.series
    return f"histogram_quantile({quantile}, sum by (le, stage) (rate({buckets}[{_STEP}])))"


def readings() -> str:
    """Readings a second, live and backfill."""
    return _rate(READINGS, by="timeliness")


def duplicates() -> str:
    """Readings a second that had been counted before."""
    return _rate(DUPLICATES)


def dead_letters() -> str:
    """Dead letters a minute, by reason."""
    return f"60 * {_rate(DEAD_LETTERS, by='reason')}"


def checkpoints() -> str:
    """Checkpoints a second."""
    return _rate(CHECKPOINTS)


def checkpoint_duration(quantile: float) -> str:
    """Seconds that a checkpoint takes."""
    buckets, _, _ = CHECKPOINT_DURATION.series
    return f"histogram_quantile({quantile}, sum by (le) (rate({buckets}[{_STEP}])))"


def store_retries() -> str:
    """Writes a minute that had to be tried again, by cause."""
    return f"60 * {_rate(STORE_RETRIES, by='cause')}"


def oldest_unconfirmed() -> str:
    """Seconds that the oldest output waits to be confirmed."""
    return f"max({OLDEST_UNCONFIRMED.name})"


def rows_in_memory() -> str:
    """Series and people held in memory by all workers."""
    return f"sum({ROWS_IN_MEMORY.name})"


def recovery() -> str:
    """Seconds that the last recovery of each partition took."""
    return f"max by (partition) ({RECOVERY.name})"


def notification_failures() -> str:
    """Notifications a minute that did not get through, by channel."""
    return f"60 * {_rate(NOTIFICATION_FAILURES, by='channel')}"


def worst_lag() -> str:
    """For the alert rule: records behind in the worst partition."""
    return f"max({CONSUMER_LAG.name})"


def dead_letter_share() -> str:
    """For the alert rule: dead letters of all that came in, over the last half hour, 0-1."""
    dead = f"sum(increase({DEAD_LETTERS.name}[30m]))"
    good = f"sum(increase({READINGS.name}[30m]))"
    return f"{dead} / clamp_min({dead} + {good}, 1)"


def recent_store_retries() -> str:
    """For the alert rule: writes tried again within ten minutes."""
    return f"sum(increase({STORE_RETRIES.name}[10m]))"


def _rate(metric: Metric, *, by: str | None = None) -> str:
    if by is None:
        return f"sum(rate({metric.name}[{_STEP}]))"
    if by not in metric.labels:
        raise ValueError(f"{metric.name} has no label {by}")
    return f"sum by ({by}) (rate({metric.name}[{_STEP}]))"
