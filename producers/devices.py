"""How devices and home tests see a person: cadence, noise, assay limits, gaps and delivery.

Pure functions of the true values and a random stream. Instants are epoch seconds, shares
probabilities 0..1. The defaults are assumed and there to be set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from producers.physiology import FloatArray
from schemas.catalogue import Analyte

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Wearable:
    """One sensor of a wrist band whose phone sends columnar batches."""

    analyte: str
    cadence_s: int
    sync_s: int  # the phone sends what has come in at every full `sync_s`
    resolution: float  # step of the values, canonical unit


@dataclass(frozen=True, slots=True)
class Wear:
    """How a band is worn: off once a day for charging, and now and then no signal."""

    charging_min: tuple[float, float] = (25.0, 70.0)
    gaps_a_day: float = 3.0
    gap_min: tuple[float, float] = (2.0, 20.0)


@dataclass(frozen=True, slots=True)
class HomeTest:
    """A saliva test at set times, read by a device at home."""

    analyte: str
    clock_hours: tuple[float, ...]  # local clock
    after_waking_min: tuple[float, ...] = ()
    missed_share: float = 0.08
    # People note the time they meant, and sample some minutes off it.
    timing_sd_min: float = 4.0
    assay_min: tuple[float, float] = (20.0, 40.0)
    decimals: int = 3
    detection_limit: float | None = None  # of this kit; None: the catalogue's
    verified: bool = False  # the kit notes the true time itself


@dataclass(frozen=True, slots=True)
class Delivery:
    """How records travel from the home: late while the phone is offline, and sometimes twice."""

    late_share: float = 0.03
    late_h: tuple[float, float] = (2.0, 10.0)
    duplicate_share: float = 0.02
    duplicate_after_s: tuple[float, float] = (5.0, 3600.0)

    @property
    def longest_s(self) -> float:
        """No record arrives later than this after it was ready, however unlucky."""
        return 3600.0 * self.late_h[1] + self.duplicate_after_s[1] + 60.0


HEART_RATE = Wearable("heart-rate", cadence_s=60, sync_s=1800, resolution=1.0)
WRIST_TEMPERATURE = Wearable("wrist-temperature", cadence_s=300, sync_s=3600, resolution=0.01)
CORTISOL = HomeTest("saliva-cortisol", clock_hours=(12.0, 17.0, 22.0), after_waking_min=(0.0, 30.0))
# With a cap that notes when it is opened: the awakening response needs its first sample within five
# minutes of waking, and a late-night level one near 23 h.
VERIFIED_CORTISOL = HomeTest(
    "saliva-cortisol",
    clock_hours=(12.0, 17.0, 23.25),
    after_waking_min=(0.0, 30.0, 45.0),
    timing_sd_min=1.5,
    verified=True,
)
STEPS = Wearable("steps", cadence_s=60, sync_s=1800, resolution=1.0)
# Stated sensitivity of a saliva ELISA in wide use (Salimetrics, 1.37 pg/mL): above the daytime
# level of most people, so that early evenings read '<'.
MELATONIN = HomeTest(
    "saliva-melatonin",
    clock_hours=(19.0, 20.0, 21.0, 22.0, 23.0),
    decimals=2,
    detection_limit=1.37,
)


def between(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """A uniform draw; several times as fast as ``Generator.uniform`` for one number."""
    return bounds[0] + (bounds[1] - bounds[0]) * float(rng.random())


def sampling(wearable: Wearable, span: tuple[float, float], phase_s: int) -> FloatArray:
    """Instants in [begin, end): every full `cadence_s` and `phase_s` seconds."""
    begin, end = (math.ceil((edge - phase_s) / wearable.cadence_s) for edge in span)
    return np.arange(begin, end, dtype=np.float64) * wearable.cadence_s + phase_s


def worn(
    rng: np.random.Generator, wear: Wear, instants: FloatArray, span: tuple[float, float]
) -> BoolArray:
    """At which instants of a day's `span` the band gives a signal."""
    begin, end = span
    lengths = [between(rng, wear.charging_min)]
    lengths += [between(rng, wear.gap_min) for _ in range(rng.poisson(wear.gaps_a_day))]
    # Charging is in the second half of the day.
    earliest = [0.5, *([0.0] * (len(lengths) - 1))]
    signal = np.ones(instants.shape, dtype=np.bool_)
    for minutes, share in zip(lengths, earliest, strict=True):
        off = begin + (end - begin) * between(rng, (share, 1.0))
        signal &= ~((instants >= off) & (instants < off + 60.0 * minutes))
    return signal


def assayed(rng: np.random.Generator, analyte: Analyte, true: FloatArray) -> FloatArray:
    """True values (n, canonical unit) with the analytical error of the catalogue's CV.

    Lognormal with the true value as median on the log scale; normal on the linear one, of a size
    that the prior's mesor sets, because such sensors err by a constant.
    """
    z = rng.standard_normal(true.shape)
    if analyte.scale == "log":
        return np.asarray(true * np.exp(math.sqrt(math.log1p(analyte.cv_analytical**2)) * z))
    return np.asarray(true + analyte.cv_analytical * analyte.prior.mesor * z)


def shown(analyte: Analyte, values: FloatArray, resolution: float) -> FloatArray:
    """What the display says: steps of `resolution`, within the catalogue's limits."""
    steps = np.rint(np.clip(values, analyte.limits.low, analyte.limits.high) / resolution)
    # A second rounding takes the binary tail off 0.01·k, so that JSON stays short.
    return np.round(steps * resolution, max(0, -math.floor(math.log10(resolution))))


def appointments(
    rng: np.random.Generator,
    test: HomeTest,
    planned_at: Sequence[float | None],
    waking: float | None,
) -> list[tuple[float, float, float]]:
    """A date's samples: (time noted, seconds from it to the true time, minutes to the result).

    `planned_at` has the instants of the test's clock hours on that date (``None``: the wearer's
    clock jumped over it). Samples keyed to waking are never taken before their time, others up to
    ten minutes early or late.
    """
    planned = [None if waking is None else waking + 60.0 * m for m in test.after_waking_min]
    planned += planned_at
    taken = []
    for number, when in enumerate(planned):
        missed = rng.random() < test.missed_share
        late_min = max(-10.0, min(10.0, test.timing_sd_min * float(rng.standard_normal())))
        result_min = between(rng, test.assay_min)
        if number < len(test.after_waking_min):
            late_min = abs(late_min)
        if when is not None and not missed:
            taken.append((when, 60.0 * late_min, result_min))
    return taken


def batches(instants: FloatArray, wearable: Wearable, jumps: list[float]) -> list[tuple[int, int]]:
    """Slices [first, last) of ascending instants that one message each carries.

    A message ends at every sync, and where the wearer's clock jumps: a batch has one offset.
    """
    if not instants.size:
        return []
    message = np.floor(instants / wearable.sync_s) + np.searchsorted(jumps, instants, "right")
    cuts = (np.flatnonzero(np.diff(message)) + 1).tolist()
    return list(zip([0, *cuts], [*cuts, instants.size], strict=True))


def offline_spell(
    rng: np.random.Generator, delivery: Delivery, span: tuple[float, float]
) -> tuple[float, float] | None:
    """When a day's `span` has the phone out of reach; so often that `late_share` is late."""
    begin, end = span
    hours = between(rng, delivery.late_h)
    chance = delivery.late_share * 24.0 / (sum(delivery.late_h) / 2.0)
    where = between(rng, (begin, end - 3600.0 * hours))
    return (where, where + 3600.0 * hours) if rng.random() < chance else None


def arrival(ready: float, delay_s: float, spell: tuple[float, float] | None) -> float:
    """When a record that is ready at an instant reaches us."""
    sent = ready + delay_s
    if spell is not None and spell[0] <= sent < spell[1]:
        # All that has waited comes at once, in the order it was made.
        return spell[1] + 30.0 * (sent - spell[0]) / (spell[1] - spell[0])
    return sent
