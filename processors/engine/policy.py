"""What a programme decides about its alerts and its readings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """The engine's settings."""

    alerts_per_person_month: float = 0.1
    """False alerts accepted a person and month, over all of the person's series."""
    series_per_person: int = 4
    """Series that share this budget."""
    future_tolerance_s: float = 300.0
    """How far ahead of the receiving clock a device's clock may run."""
    max_record_bytes: int = 1_048_576
    """Larger records are refused."""
