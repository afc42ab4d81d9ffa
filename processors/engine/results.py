"""From the kernel's buffers to rows of the store."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.engine.kernel.buffers import (
    F_DAYS,
    F_HALF,
    F_N,
    F_OFFSET_H,
    F_P05,
    F_P95,
    F_SLOT,
    F_VALUE,
    R_BASELINE,
    R_CURRENT,
    R_DAYS,
    R_HALF,
    R_HOURS,
    R_JOURNEYS,
    R_LAG,
    R_N,
    R_NEWEST,
    R_OFFSET_H,
    R_SETTLED,
    R_SLOT,
    R_STALE,
    V_HALF,
    V_N,
    V_OFFSET_H,
    V_SLOT,
    V_VALUE,
)
from processors.engine.series import Series
from processors.rhythm.body_clock import lag_bounds
from processors.rhythm.curve import (
    ACROPHASE,
    ACROPHASE_HALF,
    AMPLITUDE,
    AMPLITUDE_HALF,
    MESOR,
    MESOR_HALF,
    N_EFFECTIVE,
    PEAK,
    PEAK_HALF,
    PEAK_VALUE,
    RESIDUAL_SD,
    TROUGH,
    TROUGH_HALF,
    TROUGH_VALUE,
)
from processors.rhythm.reentrainment import flights
from schemas.measurements import PROFILE, Row
from schemas.results import Status

Array = NDArray[np.float64]

# A rhythm is `insufficient` below these, `emerging` until a week of days, then `established`.
_LEAST_READINGS = 6.0
_LEAST_HOURS = 3.0
_ESTABLISHED_DAYS = 7.0
HOUR_MS = 3_600_000


def nullable(column: Array) -> list[float | None]:
    """A column with NaN as None."""
    return [None if v != v else v for v in column.tolist()]


def start_ms(half: Array, offset_h: Array) -> list[int]:
    """Begin of half hours in epoch ms; see `kernel.half_hours.half_hour_start`."""
    part = offset_h - np.floor(2.0 * offset_h) / 2.0
    starts: list[int] = np.rint((half / 2.0 - part) * HOUR_MS).astype(np.int64).tolist()
    return starts


def middle_hour(half: Array, offset_h: Array) -> Array:
    """Middle of half hours in local clock hours [0, 24)."""
    part = offset_h - np.floor(2.0 * offset_h) / 2.0
    return np.mod(half / 2.0 - part + 0.25 + offset_h, 24.0)


def heads(series: Sequence[Series], slots: Array) -> tuple[list[str], list[str], list[str]]:
    """Tags (site, subject, analyte) of rows of these slots."""
    which = [series[i] for i in slots.astype(np.int64).tolist()]
    return [s.site for s in which], [s.subject for s in which], [s.analyte.slug for s in which]


def statuses(
    buffer: Array, level_only: NDArray[np.bool_], prior_weight: NDArray[np.float64]
) -> list[str]:
    """Status of each rhythm.

    level_only: whether its analyte has no 24-hour curve; a level needs neither days nor hours of
    the day to be the person's own, but readings that weigh at least as much as the prior does
    (prior_weight, in readings).
    """
    n = buffer[:, R_CURRENT + N_EFFECTIVE]
    no_phase = np.isnan(buffer[:, R_CURRENT + ACROPHASE])
    status = np.full(len(buffer), Status.ESTABLISHED.value, dtype=object)
    status[no_phase] = Status.ARRHYTHMIC.value
    status[(buffer[:, R_DAYS] < _ESTABLISHED_DAYS) & ~no_phase] = Status.EMERGING.value
    few = (n < _LEAST_READINGS) | (buffer[:, R_HOURS] < _LEAST_HOURS)
    few |= no_phase & (buffer[:, R_DAYS] < _ESTABLISHED_DAYS)
    few = np.where(level_only, n < prior_weight, few)
    status[level_only] = Status.LEVEL_ONLY.value
    status[few] = Status.INSUFFICIENT.value
    status[buffer[:, R_STALE] > 0.0] = Status.STALE.value
    result: list[str] = status.tolist()
    return result


def rhythm_rows(series: Sequence[Series], buffer: Array) -> list[Row]:
    """Rows of the measurement `rhythm` (schemas.results.Rhythm)."""
    slots = buffer[:, R_SLOT]
    of_rows = [series[i] for i in slots.astype(np.int64).tolist()]
    is_log = np.array([s.analyte.scale == "log" for s in of_rows])
    level_only = np.array([not s.analyte.is_daily for s in of_rows], dtype=bool)
    prior_weight = np.array([s.prior_weight for s in of_rows])
    now = buffer[:, R_CURRENT:R_BASELINE]
    base = buffer[:, R_BASELINE:R_LAG]

    def natural(values: Array) -> Array:
        return np.where(is_log, np.exp(np.where(is_log, values, 0.0)), values)

    def around(at: int, half: int) -> list[list[float | None]]:
        centre = np.mod(now[:, at] + buffer[:, R_LAG], 24.0)
        centre = np.where(centre >= 24.0, 0.0, centre)  # of a hair less than midnight, rounded
        return [nullable(centre), nullable(centre - now[:, half]), nullable(centre + now[:, half])]

    mesor, half = now[:, MESOR], now[:, MESOR_HALF]
    sd = now[:, RESIDUAL_SD]
    log_sd = np.where(is_log, sd, 0.0)  # an SD in a unit, such as of steps, may overflow
    residual_cv = np.where(
        is_log, np.sqrt(np.expm1(log_sd * log_sd)), sd / np.maximum(1e-9, abs(mesor))
    )
    both = np.hypot(half, base[:, MESOR_HALF])
    shift = mesor - base[:, MESOR]

    def level(values: Array) -> list[float]:
        ratio = np.where(
            is_log,
            np.exp(np.where(is_log, values, 0.0)),
            1.0 + values / np.where(is_log, 1.0, base[:, MESOR]),
        )
        result: list[float] = ratio.tolist()
        return result

    def of_curve(values: Array) -> list[float | None]:
        return nullable(np.where(level_only, np.nan, values))

    swing, swing_half = now[:, AMPLITUDE], now[:, AMPLITUDE_HALF]
    base_swing = np.where(np.isnan(base[:, ACROPHASE]), np.nan, base[:, AMPLITUDE])
    drift = 12.0 - np.mod(12.0 - (now[:, ACROPHASE] - base[:, ACROPHASE]), 24.0)
    drift_half = np.hypot(now[:, ACROPHASE_HALF], base[:, ACROPHASE_HALF])
    newest: list[int] = np.rint(buffer[:, R_NEWEST] * HOUR_MS).astype(np.int64).tolist()
    columns: list[list[Any]] = [
        *heads(series, slots),
        start_ms(buffer[:, R_HALF], buffer[:, R_OFFSET_H]),
        statuses(buffer, level_only, prior_weight),
        natural(mesor).tolist(),
        natural(mesor - half).tolist(),
        natural(mesor + half).tolist(),
        of_curve(swing),
        of_curve(np.maximum(0.0, swing - swing_half)),
        of_curve(swing + swing_half),
        *around(ACROPHASE, ACROPHASE_HALF),
        *around(PEAK, PEAK_HALF),
        of_curve(natural(now[:, PEAK_VALUE])),
        *around(TROUGH, TROUGH_HALF),
        of_curve(natural(now[:, TROUGH_VALUE])),
        buffer[:, R_N].astype(np.int64).tolist(),
        now[:, N_EFFECTIVE].tolist(),
        (buffer[:, R_HOURS] / 24.0).tolist(),
        buffer[:, R_DAYS].astype(np.int64).tolist(),
        residual_cv.tolist(),
        nullable(base[:, ACROPHASE]),
        level(shift),
        level(shift - both),
        level(shift + both),
        nullable(swing / base_swing),
        nullable(np.maximum(0.0, swing - swing_half) / base_swing),
        nullable((swing + swing_half) / base_swing),
        nullable(drift),
        nullable(drift - drift_half),
        nullable(drift + drift_half),
        newest,
        *(of_curve(column) for column in lags(buffer)),
    ]
    return list(zip(*columns, strict=True))


def lags(buffer: Array) -> Array:
    """Lag of the body clock in each rhythm, and its bounds (3 x n), hours."""
    found = np.zeros((3, len(buffer)))
    for i in np.flatnonzero(buffer[:, R_NEWEST] < buffer[:, R_SETTLED]).tolist():
        row = buffer[i]
        lag = float(row[R_LAG])
        bounds = lag_bounds(flights(row[R_JOURNEYS:]), float(row[R_NEWEST]), lag)
        found[:, i] = lag, *bounds
    return found


def profile_rows(series: Sequence[Series], buffer: Array) -> list[Row]:
    """Rows of the measurement `profile` (schemas.results.ProfilePoint)."""
    slots = buffer[:, F_SLOT]
    hours = middle_hour(buffer[:, F_HALF], buffer[:, F_OFFSET_H])
    position = (hours * 2.0).astype(np.int64).tolist()
    starts = start_ms(buffer[:, F_HALF], buffer[:, F_OFFSET_H])
    years = np.array(starts, dtype="datetime64[ms]").astype("datetime64[Y]").astype(int) + 1970
    limits = [
        series[i].limits(year)[at]
        for i, year, at in zip(
            slots.astype(np.int64).tolist(), years.tolist(), position, strict=True
        )
    ]
    columns: list[list[Any]] = [
        *heads(series, slots),
        starts,
        hours.tolist(),
        nullable(buffer[:, F_VALUE]),
        buffer[:, F_N].astype(np.int64).tolist(),
        *(buffer[:, i].tolist() for i in range(F_P05, F_P95 + 1)),
        [each.low for each in limits],
        [each.high for each in limits],
        buffer[:, F_DAYS].astype(np.int64).tolist(),
        [each.young_low for each in limits],
        [each.young_high for each in limits],
    ]
    return list(zip(*columns, strict=True))


def revision_rows(series: Sequence[Series], buffer: Array) -> list[Row]:
    """Rows of `profile` that give a late half hour its value and leave its band and limits."""
    last = {(slot, half): i for i, (slot, half) in enumerate(buffer[:, : V_HALF + 1].tolist())}
    buffer = buffer[list(last.values())]
    columns: list[list[Any]] = [
        *heads(series, buffer[:, V_SLOT]),
        start_ms(buffer[:, V_HALF], buffer[:, V_OFFSET_H]),
        middle_hour(buffer[:, V_HALF], buffer[:, V_OFFSET_H]).tolist(),
        buffer[:, V_VALUE].tolist(),
        buffer[:, V_N].astype(np.int64).tolist(),
    ]
    left_alone = (None,) * (len(PROFILE.columns) - len(columns))
    return [(*row, *left_alone) for row in zip(*columns, strict=True)]


def finite(value: float) -> float | None:
    """A number, or None for NaN."""
    return None if math.isnan(value) else value
