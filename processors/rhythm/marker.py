"""What a marker is: a number that the field names, with its interval, or a sentence why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker of one person over one stretch of data.

    `value`, `low` and `high` (90 % interval) are in `unit`: UCUM, or ``clock_h`` for a local
    clock time in hours (`value` in [0, 24), the interval not wrapped). A marker that the data do
    not carry is `withheld`: no number, and `sentence` says why. `sentence` is plain language and
    names no disease; `method` names the formula and its source; `n` counts the readings used.
    """

    name: str
    status: Literal["measured", "withheld"]
    unit: str
    n: int
    sentence: str
    method: str
    value: float | None = None
    low: float | None = None
    high: float | None = None


def withheld(name: str, unit: str, n: int, sentence: str, method: str) -> Marker:
    """A marker that is not given, and why."""
    return Marker(name, "withheld", unit, n, sentence, method)
