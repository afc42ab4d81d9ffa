"""Melatonin: the markers of one night, from noon to noon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from processors.markers.dated import Dated
from processors.rhythm.melatonin import (
    dlmo_baseline,
    dlmo_hockey_stick,
    dlmo_threshold,
    melatonin_midpoint,
    melatonin_offset,
)
from processors.rhythm.samples import Samples
from schemas.analytes import Analyte

# Fixed thresholds, pg/mL, the analytes' own unit. Of the two in use for saliva, 3 and 4, the one
# that also finds the onset of people with low levels (Benloucif et al., J Clin Sleep Med 4 (2008)
# 66-69).
DLMO_THRESHOLDS = {"saliva-melatonin": 3.0, "plasma-melatonin": 10.0}

NIGHT_BEGINS_H = 12


class Night(NamedTuple):
    """One melatonin profile."""

    day: int
    """Local date on which it begins, in days on the scale of the samples' hours."""
    samples: Samples
    threshold: float
    """In the samples' unit."""
    doses: tuple[float, ...]
    """When melatonin was taken, on the scale of the samples' hours."""
    markers: tuple[Dated, ...]


def nights(analyte: Analyte, taken: Samples, doses: Sequence[float]) -> list[Night]:
    """The nights that samples lie in; each with its markers, from its own samples alone.

    `taken`: in the analyte's unit; `doses`: when melatonin was taken, on the scale of its hours.
    """
    local = taken.hours + taken.offset_h
    number = np.floor((local - NIGHT_BEGINS_H) / 24.0).astype(np.int64)
    return [night(analyte, taken.part(number == day), day, doses) for day in np.unique(number)]


def night(analyte: Analyte, taken: Samples, day: int, doses: Sequence[float]) -> Night:
    """One profile that begins on a local date."""
    threshold = DLMO_THRESHOLDS[analyte.slug]
    found = (
        method(taken, threshold, cv_analytical=analyte.cv_analytical, doses=doses)
        for method in (
            dlmo_threshold,
            dlmo_baseline,
            dlmo_hockey_stick,
            melatonin_offset,
            melatonin_midpoint,
        )
    )
    markers = tuple(Dated(analyte.slug, int(day), marker) for marker in found)
    return Night(int(day), taken, threshold, tuple(doses), markers)
