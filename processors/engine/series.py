"""The series of a partition: their identity and what Python keeps beside the kernel's rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from processors.engine.seen import Seen
from processors.rhythm.layout import HALF_HOURS, ROW_SIZE
from processors.rhythm.sums import empty_row
from schemas.catalogue import Analyte
from schemas.conditions import Sex
from schemas.priors import Prior
from schemas.reference_intervals import ReferenceGroup


class Limits(NamedTuple):
    """Reference limits at the middle of a half hour, canonical unit; None where there is none."""

    low: float | None
    high: float | None
    young_low: float | None
    """Those of healthy young adults of the same sex, beside the ones above."""
    young_high: float | None


_GROUPS: frozenset[str | None] = frozenset(get_args(ReferenceGroup))


class Known(NamedTuple):
    """What is known of a person, as far as the catalogue asks for it."""

    sex: Sex | None = None
    birth_year: int | None = None
    group: str | None = None
    wake_hour: float | None = None
    """Usual local clock hour of waking; None: the catalogue's, which is assumed."""

    def age(self, year: int) -> float | None:
        """Years completed in the course of a year."""
        return None if self.birth_year is None else float(year - self.birth_year)


NOBODY = Known()


@dataclass(slots=True)
class Series:
    """One subject's series of one analyte."""

    slot: int
    site: str
    subject: str
    analyte: Analyte
    began_ms: int
    """When the first reading that came was collected: the age then chooses the prior."""
    absorbed: int = -1
    """Last offset of `readings` that this series has taken in."""
    seen: dict[str, Seen] = field(default_factory=dict)
    """What each device has sent."""
    open: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By kind: the deviation (and its alert, if any) as published when it opened."""
    known: Known = field(init=False)
    """What is known of the person."""
    prior: Prior = field(init=False)
    """What is expected of people like this one."""
    prior_weight: float = field(init=False)
    """Readings that the prior of the level is worth."""
    _limits: dict[int, list[Limits]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.know(NOBODY)

    def know(self, known: Known) -> None:
        """Take over who the person is."""
        self.known = known
        began = datetime.fromtimestamp(self.began_ms / 1000.0, UTC)
        self.prior = self.analyte.prior_of(known.sex, known.age(began.year))
        self.prior_weight = (self.prior.residual_sd / self.prior.mesor_sd) ** 2
        self._limits.clear()

    def limits(self, year: int) -> list[Limits]:
        """Reference limits in the half hours of a day of this year, by the age then."""
        found = self._limits.get(year)
        if found is None:
            known = self.known
            found = reference_limits(
                self.analyte, known.sex, known.age(year), known.group, known.wake_hour
            )
            self._limits[year] = found
        return found


@lru_cache(maxsize=4096)
def reference_limits(
    analyte: Analyte,
    sex: Sex | None,
    age: float | None,
    group: str | None,
    wake_hour: float | None,
) -> list[Limits]:
    """Reference limits at the middle of each half hour of the day.

    A group that the catalogue does not know is compared with people of the same age. Hours since
    waking are counted from `wake_hour` by the local clock, or without it from the catalogue's,
    which only analytes that waking rules have; their intervals by clock hour are of people who
    wake at the catalogue's hour, and move with the waking of those who do not. The phase of the
    cycle is not known, and what depends on it has no limits.

    The young adults' limits stand beside the others whoever the person is, also where they are the
    same, or not at all: a row that is written again once more is known of the person gives them
    again, while a store would keep what a later row leaves out.
    """
    asked: ReferenceGroup | None = "young-adult" if group in _GROUPS else None
    if wake_hour is None:
        wake_hour = analyte.wake_hour
    found = []
    for i in range(HALF_HOURS):
        hour = i / 2.0 + 0.25
        since = None if wake_hour is None else (hour - wake_hour) % 24.0
        if since is not None and analyte.wake_hour is not None:
            hour = (analyte.wake_hour + since) % 24.0
        own = analyte.reference(hour, sex, age, hours_since_waking=since, group=asked)
        young: tuple[float | None, float | None] = (None, None)
        if analyte.has_young_adults:
            young = analyte.reference(hour, sex, hours_since_waking=since, group="young-adult")
        found.append(Limits(*own, *young))
    return found


class Rows:
    """The kernel's arrays, one row a series; they grow by doubling."""

    def __init__(self) -> None:
        self.n = 0
        self._allocate(16)

    def _allocate(self, capacity: int) -> None:
        self.rows: NDArray[np.float64] = np.zeros((capacity, ROW_SIZE))
        self.parameters: NDArray[np.int64] = np.zeros(capacity, dtype=np.int64)
        """Where each series' constants are, see `engine.parameters`."""
        self.ring_mean: NDArray[np.float32] = np.zeros((capacity, HALF_HOURS), dtype=np.float32)
        self.ring_n: NDArray[np.uint16] = np.zeros((capacity, HALF_HOURS), dtype=np.uint16)

    def append(self, at_h: float) -> int:
        """Add a series that has seen nothing; returns its slot."""
        if self.n == len(self.rows):
            rows, parameters, mean, n = self.rows, self.parameters, self.ring_mean, self.ring_n
            self._allocate(2 * self.n)
            self.rows[: self.n] = rows
            self.parameters[: self.n] = parameters
            self.ring_mean[: self.n] = mean
            self.ring_n[: self.n] = n
        slot = self.n
        self.rows[slot] = empty_row(at_h)
        self.n += 1
        return slot

    def dump(self, slot: int) -> tuple[bytes, bytes, bytes]:
        """The kernel's state of one series."""
        return (
            self.rows[slot].tobytes(),
            self.ring_mean[slot].tobytes(),
            self.ring_n[slot].tobytes(),
        )

    def load(self, slot: int, row: bytes, mean: bytes, n: bytes) -> None:
        """Inverse of `dump`."""
        self.rows[slot] = np.frombuffer(row)
        self.ring_mean[slot] = np.frombuffer(mean, dtype=np.float32)
        self.ring_n[slot] = np.frombuffer(n, dtype=np.uint16)
