"""The estimator's kernel on one core, beside the same mathematics without a compiler.

The kernel closes half hours, scores each reading against its prediction, tests the sustained
directions and folds four half-lives. Peers: the very same source run by the interpreter
(``NUMBA_DISABLE_JIT=1``, in a process of its own), and a plain NumPy estimator that only scores
each reading and folds one half-life.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import table
from processors.engine import kernel
from processors.engine.parameters import ParameterTable
from processors.engine.policy import Policy
from processors.engine.series import Rows
from processors.rhythm.layout import BYTES_PER_SERIES, RATES
from processors.rhythm.parameters import weight
from schemas.catalogue import load_catalogue

SERIES = 500
ANALYTE = "heart-rate"
FRAME = 5_000  # readings the worker hands over at once
FIRST_H = 480_000.0  # 2024-10-04
# Readings of each contestant, for some seconds of work.
COMPILED, INTERPRETED, NUMPY = 5_000_000, 25_000, 100_000
_ROUNDS = 3

Floats = NDArray[np.float64]


class Speed(NamedTuple):
    """Readings a second, and a second of the core's own work: other programs run here too."""

    wall: float
    core: float


class Stopwatch:
    """Runs from its making."""

    def __init__(self) -> None:
        self._wall, self._core = time.perf_counter(), time.thread_time()

    def speed(self, n: int) -> Speed:
        """Of n readings until now."""
        return Speed(n / (time.perf_counter() - self._wall), n / (time.thread_time() - self._core))


class Feed(NamedTuple):
    """One reading a minute of each series, minute by minute: columns of one length."""

    slots: NDArray[np.int64]
    hours: Floats
    values: Floats


def feed(n: int) -> Feed:
    """Heart rates 70 + 6 cos w(t - 15 h) + noise of SD 4."""
    minutes = np.arange(n) // SERIES
    hours = FIRST_H + minutes / 60
    noise = np.random.default_rng(1).normal(0, 4, n)
    values = 70 + 6 * np.cos(2 * math.pi / 24 * (hours - 15)) + noise
    return Feed(np.arange(n) % SERIES, hours, values)


def run_kernel(n: int) -> Speed:
    """Speed of the kernel, after a run that compiles it."""
    catalogue = load_catalogue()
    analyte = catalogue[ANALYTE]
    table = ParameterTable(catalogue, Policy())
    data = feed(n)
    share = weight(analyte, 60.0)

    def through(count: int) -> Speed:
        state = Rows()
        for _ in range(SERIES):
            slot = state.append(FIRST_H)
            state.parameters[slot] = table.place(analyte, analyte.prior)
        rhythm, profile, revision, bins, transition, counters = kernel.buffers()
        watch = Stopwatch()
        for start in range(0, count, FRAME):
            frame = slice(start, min(start + FRAME, count))
            size = frame.stop - frame.start
            clocks = data.hours[frame] + 1 / 60
            z, lives = np.empty(size), np.empty(size, dtype=bool)
            position = 0
            while position < size:
                counters[:] = 0
                position = kernel.run(
                    start=position,
                    slots=data.slots[frame],
                    times=data.hours[frame],
                    offsets_h=np.zeros(size),
                    values=data.values[frame],
                    model_values=data.values[frame],
                    extra_variances=np.zeros(size),
                    weights=np.full(size, share),
                    clocks=clocks,
                    censored=np.zeros(size, dtype=bool),
                    rows=state.rows,
                    analytes=state.parameters,
                    parameters=table.rows,
                    ring_mean=state.ring_mean,
                    ring_n=state.ring_n,
                    z=z,
                    lives=lives,
                    rhythm=rhythm,
                    profile=profile,
                    revision=revision,
                    bins=bins,
                    transition=transition,
                    counters=counters,
                )
        return watch.speed(count)

    through(min(n, FRAME))
    return max(through(n) for _ in range(_ROUNDS))


def run_numpy(n: int) -> Speed:
    """Speed of the same regression, one half-life, one reading at a time."""
    prior = load_catalogue()[ANALYTE].prior
    mean = np.array(prior.mean())
    precision = np.diag(prior.residual_sd**2 / np.array(prior.sd()) ** 2)
    shape = prior.residual_strength / 2
    scale = shape * prior.residual_sd**2
    data = feed(n)
    moments = np.zeros((SERIES, 5, 5))
    products = np.zeros((SERIES, 5))
    squares = np.zeros((SERIES, 2))
    newest = np.full(SERIES, FIRST_H)
    watch = Stopwatch()
    for slot, hour, value in zip(data.slots, data.hours, data.values, strict=True):
        angle = 2 * math.pi / 24 * hour
        x = np.array(
            (1, math.cos(angle), math.sin(angle), math.cos(2 * angle), math.sin(2 * angle))
        )
        decay = math.exp(-RATES[0] * (hour - newest[slot]))
        newest[slot] = hour
        moments[slot] *= decay
        products[slot] *= decay
        squares[slot] *= decay
        a = moments[slot] + precision
        right = products[slot] + precision @ mean
        solved = np.linalg.solve(a, np.column_stack((right, x)))
        posterior = solved[:, 0]
        explained = posterior @ a @ posterior - mean @ precision @ mean
        variance = (scale + (squares[slot, 0] - explained) / 2) / (shape + squares[slot, 1] / 2)
        score = (value - x @ posterior) / math.sqrt(variance * (1 + x @ solved[:, 1]))
        assert math.isfinite(score)
        moments[slot] += np.outer(x, x)
        products[slot] += value * x
        squares[slot] += (value * value, 1)
    return watch.speed(n)


def main() -> None:
    """Print one table."""
    compiled = run_kernel(COMPILED)
    interpreted = subprocess.run(
        (sys.executable, "-m", "benchmarks.kernel"),
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    speeds = {
        "NumPy, scores and folds one half-life": run_numpy(NUMPY),
        "the kernel's source, interpreted": Speed(*map(float, interpreted.stdout.split())),
        "the kernel, compiled": compiled,
    }
    peer = next(iter(speeds.values()))
    rows = [
        (name, f"{speed.wall:,.0f}", f"{speed.core:,.0f}", f"{speed.core / peer.core:,.2f}")
        for name, speed in speeds.items()
    ]
    print(
        table(
            f"kernel, one core: {SERIES} series of {ANALYTE}, {BYTES_PER_SERIES:,} bytes a series",
            ("contestant", "readings/s", "readings/CPU s", "times NumPy"),
            rows,
        )
    )


if __name__ == "__main__":
    print(*run_kernel(INTERPRETED))
