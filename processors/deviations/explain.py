"""What a dose explains.

A deviation that a recent dose explains is recorded with that explanation and alerts nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class TakenDose(NamedTuple):
    """A dose that was taken; `at_ms` in epoch ms UTC."""

    at_ms: int
    substance: str


# Hours for which a substance moves an analyte: five half-lives of the slowest people reported.
# Assumed from reported half-lives: hydrocortisone (it is cortisol) up to 225 min, oral melatonin
# about 45 min after a peak at 50 min.
_EXPLAINS_H: dict[str, dict[str, float]] = {
    "hydrocortisone": {"saliva-cortisol": 19.0, "serum-cortisol": 19.0, "plasma-acth": 19.0},
    "melatonin": {"saliva-melatonin": 5.0},
}
LONGEST_H = max(hours for analytes in _EXPLAINS_H.values() for hours in analytes.values())


def explanation(analyte: str, time_ms: int, doses: Sequence[TakenDose]) -> str | None:
    """The newest dose that explains a deviation of `analyte` at `time_ms`, in words.

    >>> explanation("saliva-melatonin", 7_200_000, [TakenDose(0, "melatonin")])
    'dose of melatonin 2.0 h before'
    """
    for dose in sorted(doses, reverse=True):
        hours = (time_ms - dose.at_ms) / 3_600_000
        if 0 <= hours <= _EXPLAINS_H.get(dose.substance.lower(), {}).get(analyte, -1.0):
            return f"dose of {dose.substance} {hours:.1f} h before"
    return None
