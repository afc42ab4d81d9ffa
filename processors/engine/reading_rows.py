"""Rows of the measurement `reading`: single readings as they came, and means of dense ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.engine.intake import Arrivals
from processors.engine.kernel.buffers import (
    B_HIGH,
    B_LOW,
    B_N,
    B_OFFSET_H,
    B_SLOT,
    B_SUM,
    B_TIME,
    F_HALF,
    F_N,
    F_OFFSET_H,
    F_SLOT,
    F_VALUE,
    V_HALF,
    V_N,
    V_OFFSET_H,
    V_SLOT,
    V_VALUE,
)
from processors.engine.results import HOUR_MS, heads
from processors.engine.series import Series
from processors.engine.wire import Wire
from processors.markers.book import keeps_readings
from processors.markers.diary import Kept
from processors.markers.half_hours import PER_DAY
from schemas.measurements import Row


def single_rows(
    arrivals: Arrivals,
    offsets_h: NDArray[np.float64],
    z: NDArray[np.float64],
    lives: NDArray[np.bool_],
) -> list[Row]:
    """Rows of the readings that are stored one by one.

    Per reading of the frame (n): offsets_h (wearer's clock minus UTC), z (score) and lives.
    """
    rows = []
    for load in arrivals.singles:
        series, wire = load.source.series, load.wire
        assert series is not None
        original = None
        if not wire.is_batch:
            original = f"{wire.comparator or ''}{wire.value:g} {wire.unit}"
        for i in range(load.position, load.position + load.n):
            time_ms, value = arrivals.times_ms[i], arrivals.values[i]
            hour = (time_ms / HOUR_MS + float(offsets_h[i])) % 24.0
            rows.append(
                (
                    series.site,
                    series.subject,
                    series.analyte.slug,
                    time_ms,
                    *(value, value, value, 1, hour, wire.comparator, original, wire.device),
                    None if wire.comparator else float(z[i]),
                    bool(lives[i]),
                )
            )
    return rows


def absent_rows(absent: Sequence[tuple[Series, Wire, int, int]]) -> list[Row]:
    """Rows of results that have a reason and no value; times and clock offsets in ms."""
    return [
        (
            series.site,
            series.subject,
            series.analyte.slug,
            time_ms,
            *(None, None, None, 0, (time_ms + offset_ms) / HOUR_MS % 24.0, None),
            f"absent: {wire.absent_reason}",
            wire.device,
            None,
            None,
        )
        for series, wire, time_ms, offset_ms in absent
    ]


def mean_rows(series: Sequence[Series], buffer: NDArray[np.float64]) -> list[Row]:
    """Rows of the measurement `reading` for means of dense analytes."""
    times = np.rint(buffer[:, B_TIME] * HOUR_MS).astype(np.int64)
    count = buffer[:, B_N]
    n = len(buffer)
    none: list[None] = [None] * n
    columns: list[list[Any]] = [
        *heads(series, buffer[:, B_SLOT]),
        times.tolist(),
        (buffer[:, B_SUM] / count).tolist(),
        buffer[:, B_LOW].tolist(),
        buffer[:, B_HIGH].tolist(),
        count.astype(np.int64).tolist(),
        np.mod(buffer[:, B_TIME] + buffer[:, B_OFFSET_H], 24.0).tolist(),
        none,
        none,
        none,
        none,
        none,
    ]
    return list(zip(*columns, strict=True))


def kept_readings(
    arrivals: Arrivals, offsets_h: NDArray[np.float64]
) -> Iterator[tuple[Series, list[Kept]]]:
    """The readings that markers are made of, by record; offsets_h: as `single_rows`."""
    for load in arrivals.singles:
        series, wire = load.source.series, load.wire
        assert series is not None
        if not keeps_readings(series.analyte.slug):
            continue
        sign = {"<": -1, ">": 1}.get(wire.comparator or "", 0)
        verified = wire.timing in ("device", "verified")
        yield (
            series,
            [
                Kept(
                    arrivals.times_ms[i],
                    round(float(offsets_h[i]) * HOUR_MS),
                    arrivals.values[i],
                    sign,
                    verified,
                )
                for i in range(load.position, load.position + load.n)
            ],
        )


def closed_half_hours(
    profile: NDArray[np.float64], revision: NDArray[np.float64]
) -> Iterator[tuple[int, int, int, float, int, float]]:
    """Slot, local date, half hour of the day, mean, n and offset from UTC (h) of the half hours
    with a reading.

    profile, revision: rows of the kernel's buffers, those of half hours that are over.
    """
    of_profile = profile[profile[:, F_N] > 0.0][:, [F_SLOT, F_HALF, F_VALUE, F_N, F_OFFSET_H]]
    late = revision[:, [V_SLOT, V_HALF, V_VALUE, V_N, V_OFFSET_H]]
    for rows in (of_profile, late):
        # Half hours begin on the local clock's own: see `kernel.half_hours`.
        local = (rows[:, 1] + np.floor(2.0 * rows[:, 4])).astype(np.int64)
        yield from zip(
            rows[:, 0].astype(np.int64).tolist(),
            (local // PER_DAY).tolist(),
            (local % PER_DAY).tolist(),
            rows[:, 2].tolist(),
            rows[:, 3].astype(np.int64).tolist(),
            rows[:, 4].tolist(),
            strict=True,
        )
