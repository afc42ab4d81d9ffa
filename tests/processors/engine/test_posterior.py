"""Any permutation, split and repetition of the same readings ends in the same posterior.

Through the whole of a partition: records of one reading or many, in any order, some of them again
and differently cut. What the partition would save is compared with an independent batch solve.
"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.engine.state import load_series, series_key
from processors.engine_port import Record
from processors.rhythm.layout import N_RATES, N_READINGS, NEWEST, RATES, SUMS
from processors.rhythm.parameters import estimator_parameters
from processors.rhythm.posterior import backward, solve
from schemas.catalogue import Analyte
from schemas.measurements import READING
from tests.processors.engine.feeding import (
    CATALOGUE,
    HOUR_MS,
    START_MS,
    SUBJECT,
    Run,
    heading,
    numbered,
    record,
)

Floats = NDArray[np.float64]
DAYS = 40
RECEIVED_H = 24.0 * DAYS
ANALYTES = [CATALOGUE["saliva-cortisol"], CATALOGUE["wrist-temperature"]]


def saved_row(run: Run, analyte: Analyte) -> Floats:
    """The kernel's row of the series, as saved."""
    kernel, _, _ = load_series(run.changes()[series_key(SUBJECT, analyte.slug)]).kernel
    return np.frombuffer(kernel)


def posterior(row: Floats, analyte: Analyte, k: int) -> Floats:
    """Coefficients, residual variance and degrees of freedom at the newest reading."""
    lower, g, m = np.empty((5, 5)), np.empty(5), np.empty(5)
    variance, df, _ = solve(row, estimator_parameters(analyte), k, row[NEWEST], lower, g)
    backward(lower, g, m)
    return np.array([*m, variance, df])


def batch_solve(
    analyte: Analyte, hours: Floats, values: Floats, weight: float, rate: float
) -> Floats:
    """The same from the formulas of `processors.rhythm.posterior`, by NumPy alone."""
    w = 2 * np.pi / 24 * hours
    x = np.column_stack([np.ones_like(w), np.cos(w), np.sin(w), np.cos(2 * w), np.sin(2 * w)])
    y = np.log(values) if analyte.scale == "log" else values
    wt = weight * np.exp(-rate * (hours.max() - hours))
    prior, sd = np.array(analyte.prior.mean()), np.array(analyte.prior.sd())
    precision = np.diag((analyte.prior.residual_sd / sd) ** 2)
    a = x.T @ (x * wt[:, None]) + precision
    m = np.linalg.solve(a, x.T @ (wt * y) + precision @ prior)
    shape = analyte.prior.residual_strength / 2 + wt.sum() / 2
    rest = float(np.sum(wt * (y - x @ m) ** 2) + (m - prior) @ precision @ (m - prior))
    scale = analyte.prior.residual_strength / 2 * analyte.prior.residual_sd**2 + rest / 2
    return np.array([*m, scale / shape, 2 * shape])


def in_records(
    analyte: Analyte, times_ms: list[int], values: list[float], interval_s: float, chance: Random
) -> list[Record]:
    """The readings in records of random sizes, as they stand; a batch's first is any of its."""
    records = []
    at = 0
    while at < len(times_ms):
        n = chance.choice((1, 1, 2, 7, 30))
        times, part = times_ms[at : at + n], values[at : at + n]
        body = heading(analyte, SUBJECT, times[0] / HOUR_MS) | {"interval_s": interval_s}
        if len(times) == 1 and chance.random() < 0.5:
            body |= {"value": part[0]}
        else:
            body |= {"offsets_ms": [t - times[0] for t in times], "values": part}
        records.append(record(body, RECEIVED_H))
        at += n
    return records


@pytest.mark.parametrize("analyte", ANALYTES, ids=lambda each: each.slug)
@settings(max_examples=60)
@given(
    st.lists(st.integers(0, DAYS * 24 * 60 - 1), min_size=1, max_size=120, unique=True),
    st.sampled_from([600.0, 1800.0, 86400.0]),
    st.randoms(use_true_random=False),
)
def test_the_same_readings_end_in_the_same_posterior(
    analyte: Analyte, minutes: list[int], interval_s: float, chance: Random
) -> None:
    times_ms = [minute * 60_000 for minute in minutes]
    low, high = analyte.usual.low, analyte.usual.high
    values = [low + (high - low) * chance.random() for _ in times_ms]
    order = list(range(len(times_ms)))
    sent: list[Record] = []
    for part in (order, order[: len(order) // 2]):  # the second time only some of them
        chance.shuffle(part)
        again = [times_ms[i] for i in part], [values[i] for i in part]
        sent += in_records(analyte, *again, interval_s, chance)
    run = Run()
    run.feed(numbered(sent))
    row = saved_row(run, analyte)
    assert row[N_READINGS] == len(minutes)
    # hours as the kernel has them, since 1970: of the same double precision
    hours = (np.array(times_ms) + START_MS) / HOUR_MS
    weight = min(1.0, interval_s / analyte.decorrelation_s)
    for k in range(N_RATES):
        expected = batch_solve(analyte, hours, np.array(values), weight, RATES[k])
        np.testing.assert_allclose(posterior(row, analyte, k), expected, rtol=1e-9, atol=1e-9)


def test_a_batch_means_the_same_as_its_readings_one_by_one() -> None:
    """To the bit, if the sampling interval is given: the sums, and how each reading is judged.

    (Half hours close by the clock in between, which a batch does not move until it is through.)
    """
    analyte = CATALOGUE["saliva-cortisol"]
    rng = np.random.default_rng(3)
    offsets = np.sort(rng.choice(2 * 24 * 60, 60, replace=False)) * 60_000
    values = np.exp(rng.normal(-2.3, 0.4, 60))
    start = heading(analyte, SUBJECT, 0.0) | {"interval_s": 1800.0}
    columns = {"offsets_ms": offsets.tolist(), "values": values.tolist()}
    one, many = Run(), Run()
    one.feed(numbered([record(start | columns, 60.0)]))
    many.feed(
        numbered(
            record(
                heading(analyte, SUBJECT, offset / HOUR_MS)
                | {"interval_s": 1800.0, "value": float(value)},
                60.0,
            )
            for offset, value in zip(offsets.tolist(), values, strict=True)
        )
    )
    for run in (one, many):
        run.settle()
    assert saved_row(one, analyte)[SUMS:].tobytes() == saved_row(many, analyte)[SUMS:].tobytes()
    told = [run.store.select(READING) for run in (one, many)]
    for row in (*told[0], *told[1]):
        del row["original"]  # the value as it was sent; a batch sends none apart
    assert told[0] == told[1]
    assert len(told[0]) == 60
