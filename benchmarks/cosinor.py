"""One least-squares cosinor with statistics beside CosinorPy 3.1, ten thousand of them, and a knee.

CosinorPy needs an older NumPy than ours, so it runs as a process in an environment of its own
(`.venv-cosinorpy`, made on the first run from `cosinorpy-requirements.txt`). Both fit the very
same series in the same run, and must find the same.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.machine import table
from processors.rhythm.cosinor import fit_cosinor
from processors.rhythm.cosinor_many import fit_many
from processors.rhythm.hockey_stick import Rise, find_rise, fit
from processors.rhythm.melatonin import dlmo_hockey_stick
from processors.rhythm.samples import samples
from processors.rhythm.waveform import Floats

_ROOT = Path(__file__).parent.parent
_ENVIRONMENT = _ROOT / ".venv-cosinorpy"
_PINNED = Path(__file__).with_name("cosinorpy-requirements.txt")

# Samples of a series, and the times as fast that were promised.
SIZES = {24: 300, 288: 300, 2_880: 100}
PEOPLE = 10_000
WEEK = 168  # hourly samples
_ROUNDS = 50


class Time(NamedTuple):
    """Seconds of the fastest of several runs, by the clock and by the processor."""

    wall: float
    core: float


def timed(run: Callable[[], object], rounds: int = _ROUNDS, repeats: int = 1) -> Time:
    """The fastest of some rounds of a run, each of which repeats it."""
    run()
    wall = core = math.inf
    for _ in range(rounds):
        started, worked = time.perf_counter(), time.thread_time()
        for _ in range(repeats):
            run()
        wall = min(wall, (time.perf_counter() - started) / repeats)
        core = min(core, (time.thread_time() - worked) / repeats)
    return Time(wall, core)


def series(n: int) -> tuple[Floats, Floats]:
    """A day of n samples, and ten days where there are more than one in five minutes."""
    hours = np.linspace(0.0, 24.0 if n <= 288 else 240.0, n, endpoint=False)
    noise = np.random.default_rng(n).normal(0, 1, n)
    return hours, 10 + 3 * np.cos(2 * math.pi / 24 * (hours - 8)) + noise


def peer_python() -> Path:
    """The Python of CosinorPy's environment, made if it is not there or is another's."""
    python = _ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    stamp = _ENVIRONMENT / "installed.txt"
    pinned = _PINNED.read_text(encoding="utf-8")
    if not (stamp.exists() and stamp.read_text(encoding="utf-8") == pinned):
        print(f"making {_ENVIRONMENT.name} for CosinorPy", flush=True)
        venv.create(_ENVIRONMENT, clear=True, with_pip=True)
        pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run((*pip, "--requirement", str(_PINNED)), check=True)
        stamp.write_text(pinned, encoding="utf-8")
    return python


def beside_cosinorpy() -> None:
    """Print both for every size."""
    rows = []
    peer = subprocess.Popen(
        (str(peer_python()), str(Path(__file__).with_name("cosinorpy_peer.py"))),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert peer.stdin is not None
    assert peer.stdout is not None
    for n, promised in SIZES.items():
        hours, values = series(n)
        print(
            json.dumps({"hours": hours.tolist(), "values": values.tolist()}),
            file=peer.stdin,
            flush=True,
        )
        answer = json.loads(peer.stdout.readline())
        theirs = Time(answer["wall"], answer["core"])
        ours = timed(lambda h=hours, v=values: fit_many(h, v, [h.size]), repeats=20)  # type: ignore[misc]
        full = timed(lambda h=hours, v=values: fit_cosinor(h, v), repeats=5)  # type: ignore[misc]
        one = fit_cosinor(hours, values)
        many = fit_many(hours, values, [n])
        assert one.acrophase_radians is not None
        for found in (float(many.amplitude[0]), one.amplitude):
            assert found is not None
            assert math.isclose(found, answer["amplitude"], rel_tol=1e-9)
        assert math.isclose(float(many.f[0]), answer["f"], rel_tol=1e-9)
        assert math.isclose(one.acrophase_radians, answer["acrophase"], rel_tol=1e-9)
        for name, spent, promise in (
            ("CosinorPy 3.1, fit_cosinor", theirs, ""),
            ("fit_cosinor: one recording, for people", full, ""),
            ("fit_many: one series, for the stream", ours, f"{promised}"),
        ):
            rows.append(
                (
                    name,
                    f"{n:,}",
                    f"{1e6 * spent.wall:,.1f}",
                    f"{1e6 * spent.core:,.1f}",
                    f"{theirs.wall / spent.wall:,.0f}",
                    promise,
                )
            )
    peer.stdin.close()
    peer.wait()
    print(
        table(
            "one least-squares cosinor with statistics, fastest of many, the same series",
            ("contestant", "samples", "µs", "CPU µs", "times CosinorPy", "promised"),
            rows,
        ),
        flush=True,
    )


def many_and_knees() -> None:
    """Print ten thousand people's weeks, and the knee of an evening's melatonin."""
    rng = np.random.default_rng(1)
    hours = np.tile(np.arange(float(WEEK)), PEOPLE)
    peaks = np.repeat(rng.uniform(0, 24, PEOPLE), WEEK)
    values = 10 + 3 * np.cos(2 * math.pi / 24 * (hours - peaks)) + rng.normal(0, 1, hours.size)
    lengths = np.full(PEOPLE, WEEK)
    weeks = timed(lambda: fit_many(hours, values, lengths), rounds=5)

    times = np.arange(17.0, 26.0, 0.5)
    levels = (0.8 + 9 * np.clip(times - 20.7, 0, 3)) * np.exp(0.1 * rng.standard_normal(times.size))
    rise = find_rise(times, levels, 3.0)
    assert isinstance(rise, Rise)
    search = timed(lambda: fit(times, levels, 3.0, rise), rounds=20)
    evening = samples(times, levels, "pg/mL")
    knee = timed(lambda: dlmo_hockey_stick(evening, 3.0, cv_analytical=0.1), rounds=20)
    print(
        table(
            "many cosinors, and hockey sticks (dlmoR's README: 10 minutes a profile)",
            ("what", "ms", "CPU ms", "promised ms"),
            [
                (name, f"{1e3 * spent.wall:,.1f}", f"{1e3 * spent.core:,.1f}", promised)
                for name, spent, promised in (
                    (f"{PEOPLE:,} weeks of {WEEK} samples, fit_many", weeks, "1,000"),
                    ("hockey-stick search", search, "100"),
                    ("hockey-stick DLMO with its interval", knee, "100"),
                )
            ],
        ),
        flush=True,
    )


def main() -> None:
    """Print two tables."""
    beside_cosinorpy()
    many_and_knees()
