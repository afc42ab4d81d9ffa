"""What travels: series as records, in the order in which they are sent."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import numpy as np
from pydantic import ValidationError

from producers.files import Series
from producers.wire import first_problem
from schemas.catalogue import load_catalogue
from schemas.errors import InputFileError
from schemas.readings import Reading, ReadingBatch

Received = Literal["replay", "now"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A source that is watched live sends at least this often. Longer batches would reach the worker
# after other people's readings had closed the half hours that they belong to.
_LIVE_SPAN_H = 0.25


def to_batches(
    series: Series,
    *,
    batch_size: int = 100,
    received: Received = "replay",
) -> Iterator[Reading | ReadingBatch]:
    """The records of one series, in order of time.

    A batch ends after ``batch_size`` readings, where the wearer's offset from UTC changes, and
    before a censored reading, which travels alone. With ``replay`` each record was received when
    its last reading was taken, and a batch never spans more than a quarter of an hour (or half
    of the analyte's live window), so that a recording is judged as if it arrived live. With
    ``now`` the publisher sets the time, and all of it is a backfill. Each record states the
    spacing of its own readings, which decides what they weigh.

    Raises InputFileError if the device or site of the series cannot travel.
    """
    analyte = load_catalogue()[series.analyte]
    span_h = min(_LIVE_SPAN_H, analyte.live_window_h / 2) if received == "replay" else np.inf
    longest_ms = span_h * 3_600_000
    heading: dict[str, Any] = {
        "subject": series.subject,
        "device": series.device,
        "site": series.site,
        "code": analyte.codes[0].code,
        "unit": series.unit,
        "zone": series.zone,
        "timing": series.timing,
    }
    spacing_s = series.spacing_s(analyte.decorrelation_s)
    times, offsets = series.times_ms, series.offset_ms
    begin = 0
    while begin < len(series):
        # Bounded look ahead: the first reading that may not share the batch ends it.
        window = slice(begin, begin + batch_size)
        apart = (
            (times[window] - times[begin] > longest_ms)
            | (offsets[window] != offsets[begin])
            | (series.comparators[window] != 0)
        )
        apart[0] = False
        end = begin + (int(np.argmax(apart)) if apart.any() else len(apart))
        if series.comparators[begin]:
            end = begin + 1
        if spacing_s is not None:
            heading["interval_s"] = max(0.001, round(float(spacing_s[begin:end].mean()), 3))
        heading["collected_at"] = _moment(times[begin], offsets[begin])
        heading["received_at"] = (
            _moment(times[end - 1], offsets[begin]) if received == "replay" else None
        )
        if series.comparators[begin]:
            limit: dict[str, Any] = {"value": float(series.values[begin])}
            limit["comparator"] = "<" if series.comparators[begin] < 0 else ">"
            yield _record(Reading, heading | limit)
        else:
            columns: dict[str, Any] = {"offsets_ms": (times[begin:end] - times[begin]).tolist()}
            columns["values"] = series.values[begin:end].tolist()
            yield _record(ReadingBatch, heading | columns)
        begin = end


def merge_batches(
    batches: Iterable[Iterator[Reading | ReadingBatch]],
) -> Iterator[Reading | ReadingBatch]:
    """Records of several series in the order in which they were received (or collected).

    A partition's clock is the newest ``received_at`` that it has seen, so people recorded in the
    same years must be sent side by side, not one after the other.
    """
    return heapq.merge(*batches, key=lambda record: record.received_at or record.collected_at)


def _record(
    kind: type[Reading] | type[ReadingBatch], fields: dict[str, Any]
) -> Reading | ReadingBatch:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise InputFileError(
            f"the readings cannot be sent as asked: {first_problem(error)}"
        ) from error


def _moment(utc_ms: int | np.int64, offset_ms: int | np.int64) -> datetime:
    zone = timezone(timedelta(milliseconds=int(offset_ms)))
    return (_EPOCH + timedelta(milliseconds=int(utc_ms))).astimezone(zone)
