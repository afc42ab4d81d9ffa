"""The series of a partition: their identity and what Python keeps beside the kernel's rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.engine.seen import Seen
from processors.rhythm.layout import HALF_HOURS, ROW_SIZE
from processors.rhythm.sums import empty_row
from schemas.catalogue import Analyte

Limits = list[tuple[float | None, float | None]]


@dataclass(slots=True)
class Series:
    """One subject's series of one analyte."""

    slot: int
    site: str
    subject: str
    analyte: Analyte
    limits: Limits
    """Reference limits for each half hour of the day."""
    prior_weight: float
    """Readings that the prior of the level is worth."""
    absorbed: int = -1
    """Last offset of `readings` that this series has taken in."""
    seen: dict[str, Seen] = field(default_factory=dict)
    """What each device has sent."""
    open: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By kind: the deviation (and its alert, if any) as published when it opened."""


def reference_limits(analyte: Analyte, sex: Any, age: float | None) -> Limits:
    """Reference limits at the middle of each half hour of the day."""
    return [analyte.reference(i / 2.0 + 0.25, sex, age) for i in range(HALF_HOURS)]


class Rows:
    """The kernel's arrays, one row a series; they grow by doubling."""

    def __init__(self) -> None:
        self.n = 0
        self._allocate(16)

    def _allocate(self, capacity: int) -> None:
        self.rows: NDArray[np.float64] = np.zeros((capacity, ROW_SIZE))
        self.analytes: NDArray[np.int64] = np.zeros(capacity, dtype=np.int64)
        self.ring_mean: NDArray[np.float32] = np.zeros((capacity, HALF_HOURS), dtype=np.float32)
        self.ring_n: NDArray[np.uint16] = np.zeros((capacity, HALF_HOURS), dtype=np.uint16)

    def append(self, analyte: int, at_h: float) -> int:
        """Add a series that has seen nothing; returns its slot."""
        if self.n == len(self.rows):
            rows, analytes, mean, n = self.rows, self.analytes, self.ring_mean, self.ring_n
            self._allocate(2 * self.n)
            self.rows[: self.n] = rows
            self.analytes[: self.n] = analytes
            self.ring_mean[: self.n] = mean
            self.ring_n[: self.n] = n
        slot = self.n
        self.rows[slot] = empty_row(at_h)
        self.analytes[slot] = analyte
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
