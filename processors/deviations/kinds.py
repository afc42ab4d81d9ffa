"""Kinds of deviation as the compiled loops number them."""

from __future__ import annotations

from typing import Final

from schemas.results import DeviationKind, Direction

LEVEL: Final = 0
AMPLITUDE: Final = 1
PHASE: Final = 2
ARRHYTHMIC: Final = 3
OUTLIER: Final = 4
MISSING: Final = 5

KINDS: Final = (
    DeviationKind.LEVEL,
    DeviationKind.AMPLITUDE,
    DeviationKind.PHASE,
    DeviationKind.ARRHYTHMIC,
    DeviationKind.OUTLIER,
    DeviationKind.MISSING,
)


def direction(kind: int, sign: float) -> Direction:
    """Which way a deviation of this kind and sign goes.

    >>> direction(PHASE, 1.0)
    'later'
    """
    if kind == PHASE:
        return "later" if sign > 0 else "earlier"
    if kind == ARRHYTHMIC:
        return "lost"
    if kind == MISSING:
        return "silent"
    return "higher" if sign > 0 else "lower"
