"""Pipeline: whether what the other dashboards show can be believed at all.

What passed through is in the store; how it passed is in the system's own metrics, whose names
``schemas.metrics_names`` declares for those who emit them.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, timeseries
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana import palette, promql, signs, variables
from dashboards.grafana.board import board, laid_out
from dashboards.grafana.datasource import metric_query, metrics_variable, store_variable
from dashboards.grafana.identity import PIPELINE_UID
from dashboards.grafana.panels import About, Column, Line, bars, curve, metrics, value
from dashboards.grafana.queries import pipeline
from dashboards.page.words import STATUSES


def dashboard() -> Dashboard:
    """The dashboard."""
    made = (
        board(
            "Pipeline",
            PIPELINE_UID,
            "Does everything arrive, in time, and is it kept.",
            since="now-24h",
            refresh="1m",
        )
        .with_variable(store_variable())
        .with_variable(metrics_variable())
        .with_variable(variables.any_site())
    )
    return laid_out(
        made,
        [
            (4, [(_silence(), 8), (_series(), 16)]),
            (8, [(_stored(), 12), (_late_share(), 12)]),
            (8, [(_lag(), 8), (_latency(), 8), (_readings(), 8)]),
            (8, [(_dead_letters(), 12), (_duplicates(), 12)]),
            (8, [(_checkpoints(), 8), (_retries(), 8), (_unconfirmed(), 8)]),
            (8, [(_state(), 8), (_recovery(), 8), (_notifications(), 8)]),
        ],
    )


def _silence() -> stat.Panel:
    return value(
        About(
            "Newest reading of anybody",
            "How long the newest half hour in which anybody was measured has been over, by what is "
            "stored.",
            "s",
            ((None, palette.INK), (3_600, palette.MODERATE), (21_600, palette.MAJOR)),
        ),
        pipeline.silence(),
        [Column("silent_s", "ago", decimals=0)],
    )


def _series() -> stat.Panel:
    return value(
        About(
            "Series by how far they can be believed",
            "A series is one analyte of one person, counted where its newest rhythm stands.",
            "none",
        ),
        pipeline.series_by_status(),
        [Column(name, signs.said(sign), colour=palette.INK) for name, sign in STATUSES.items()],
    )


def _stored() -> timeseries.Panel:
    line = Line("readings", "Readings", palette.CURVE)
    return bars(
        About(
            "Readings stored, by their time of collection",
            "How many readings the stored rows stand for, in each step of the chart. A gap at the "
            "right that does not fill is a fleet that does not send.",
            "short",
        ),
        pipeline.readings_stored(),
        [line],
    )


def _late_share() -> timeseries.Panel:
    return bars(
        About(
            "Late data, by day of collection",
            "Share of the single readings stored that came too late to be acted upon. Means of "
            "several readings do not say.",
            "percentunit",
        ),
        pipeline.late_share(),
        [Line("late", "Late", palette.SECOND)],
    )


def _lag() -> timeseries.Panel:
    return metrics(
        About(
            "Consumer lag",
            "Records behind the committed offset, by topic and partition. It rises while the store "
            "is down, since then nothing is confirmed, and falls when it is back.",
            "short",
            ((None, palette.INK), (10_000, palette.MODERATE), (100_000, palette.MAJOR)),
        ),
        [metric_query(promql.lag(), "{{topic}} {{partition}}")],
        colour=palette.CURVE,
    )


def _latency() -> timeseries.Panel:
    return metrics(
        About(
            "Event to store",
            "Seconds from a record's receipt until it has passed each stage: half of them, and 99 "
            "of 100.",
            "s",
            ((None, palette.INK), (10, palette.MODERATE), (60, palette.MAJOR)),
        ),
        [
            metric_query(promql.latency(0.5), "{{stage}}, half", "A"),
            metric_query(promql.latency(0.99), "{{stage}}, 99 of 100", "B"),
        ],
        colour=palette.CURVE,
    )


def _readings() -> timeseries.Panel:
    return metrics(
        About(
            "Readings taken in",
            "Live ones, and backfill that came too late to be acted upon and pages nobody.",
            "suffix:/s",
        ),
        [metric_query(promql.readings(), "{{timeliness}}")],
        [curve("live", "Live"), curve("backfill", "Backfill", palette.SECOND)],
    )


def _dead_letters() -> timeseries.Panel:
    return metrics(
        About(
            "Dead letters by reason",
            "Records and elements of batches that could not be used. Each is kept byte for byte on "
            "its topic; acrophase dead-letters replay sends them again.",
            "suffix:/min",
        ),
        [metric_query(promql.dead_letters(), "{{reason}}")],
        colour=palette.SECOND,
    )


def _duplicates() -> timeseries.Panel:
    return metrics(
        About(
            "Duplicates",
            "Readings that had been counted before: phones that send again. Harmless; a sudden "
            "rise is a device or a publisher that repeats itself.",
            "suffix:/s",
        ),
        [metric_query(promql.duplicates(), "Duplicates")],
        colour=palette.REFERENCE,
    )


def _checkpoints() -> timeseries.Panel:
    return metrics(
        About(
            "Checkpoints",
            "Seconds that a checkpoint takes (half of them, and 99 of 100), and how many a second "
            "are confirmed. None for a minute: nothing is being kept.",
            "s",
        ),
        [
            metric_query(promql.checkpoint_duration(0.5), "half", "A"),
            metric_query(promql.checkpoint_duration(0.99), "99 of 100", "B"),
            metric_query(promql.checkpoints(), "confirmed", "C"),
        ],
        [
            curve("half", "Half of them"),
            curve("99 of 100", "99 of 100", palette.SECOND),
            Line(
                "confirmed",
                "Confirmed a second",
                palette.REFERENCE,
                {"unit": "suffix:/s", "custom.axisPlacement": "right"},
            ),
        ],
    )


def _retries() -> timeseries.Panel:
    return metrics(
        About(
            "Store: writes tried again",
            "By cause: unavailable (down, slow or busy: waits by itself), refused (token, bucket "
            "or retention: needs a hand). Nothing is lost meanwhile, and consumption pauses.",
            "suffix:/min",
        ),
        [metric_query(promql.store_retries(), "{{cause}}")],
        [curve("unavailable", "Unavailable"), curve("refused", "Refused", palette.SECOND)],
    )


def _unconfirmed() -> timeseries.Panel:
    return metrics(
        About(
            "Oldest unconfirmed output",
            "Age of the oldest result that neither store nor Kafka has confirmed. After a crash it "
            "is made again from the input, so this is delay and not loss.",
            "s",
            ((None, palette.INK), (30, palette.MODERATE), (120, palette.MAJOR)),
        ),
        [metric_query(promql.oldest_unconfirmed(), "Oldest")],
        colour=palette.CURVE,
    )


def _state() -> timeseries.Panel:
    return metrics(
        About("State in memory", "Series and people that all workers hold.", "short"),
        [metric_query(promql.rows_in_memory(), "Rows")],
        colour=palette.CURVE,
    )


def _recovery() -> timeseries.Panel:
    return metrics(
        About(
            "Recovery",
            "Seconds that the last recovery of each partition took, after an assignment.",
            "s",
        ),
        [metric_query(promql.recovery(), "partition {{partition}}")],
        colour=palette.CURVE,
    )


def _notifications() -> timeseries.Panel:
    return metrics(
        About(
            "Notifications that failed",
            "Notifications of alerts that did not get through, by channel. They are tried again.",
            "suffix:/min",
        ),
        [metric_query(promql.notification_failures(), "{{channel}}")],
        colour=palette.SECOND,
    )
