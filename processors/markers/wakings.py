"""Cortisol: the markers of one waking, and of the days up to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from processors.markers.dated import Dated
from processors.rhythm.awakening_response import awakening_response
from processors.rhythm.cortisol import (
    EVENING_H,
    LATE_NIGHT_H,
    MORNING_H,
    diurnal_slope,
    evening_morning_ratio,
    late_night_level,
)
from processors.rhythm.marker import withheld
from processors.rhythm.marker_text import clock
from processors.rhythm.own_day import UsualWake, Wake
from processors.rhythm.samples import Bools, Floats, Samples
from schemas.analytes import Analyte

CORTISOL = ("saliva-cortisol", "serum-cortisol")

# Wüst et al., Noise Health 2 (2000) 79-88: salivary cortisol that rises by 2.5 nmol/L.
_RESPONDER_NMOL_L = 2.5

# A sample belongs to the last waking of the 20 hours before it; one up to three hours before a
# waking contradicts it, which the markers then say.
LONGEST_AWAKE_H = 20.0
JUST_BEFORE_H = 3.0
# Waking up again within so many hours is that from a nap.
NAP_H = 12.0

# Whom the windows of the clock are for; early and late risers keep them (assumed).
_WINDOWS_WAKE_H, _OTHER_HOURS_H = 7.0, 3.0

HYDROCORTISONE = "hydrocortisone"
# Five half-lives of the slowest people reported, see `processors.deviations.explain`.
MASKS_H = 19.0
_OF_WAKING = "samples of one waking that no dose masks"


def wakes_of(told: Sequence[Wake], taken: Samples) -> tuple[Wake, ...]:
    """Of wake events on the scale of the samples' hours those that samples follow or contradict.

    >>> from processors.rhythm.samples import samples
    >>> told = [Wake(15.0, True), Wake(7.0, False), Wake(-300.0, True)]
    >>> wakes_of(told, samples([7.5, 16.0], [1.0, 2.0], "ug/dL"))
    (Wake(hour=7.0, verified=False),)
    """
    found: list[Wake] = []
    for wake in sorted(told):
        if has_samples(wake.hour, taken.hours) and not (
            found and wake.hour - found[-1].hour < NAP_H
        ):
            found.append(wake)
    return tuple(found)


def has_samples(wake: float, hours: Floats) -> bool:
    """Whether a sample follows or contradicts a waking."""
    since = hours - wake
    return bool(((since >= -JUST_BEFORE_H) & (since <= LONGEST_AWAKE_H)).any())


def masked(taken: Samples, doses: Sequence[float]) -> Bools:
    """Which samples measure a dose of hydrocortisone, which is cortisol, beside the person's own.

    `doses`: when it was taken, on the scale of the samples' hours.
    """
    since = taken.hours[:, None] - np.asarray(doses, dtype=np.float64)
    return np.asarray(((since >= 0.0) & (since <= MASKS_H)).any(axis=1))


def waking_markers(
    analyte: Analyte,
    taken: Samples,
    day: int,
    wake: Wake | None,
    doses: Sequence[float] = (),
) -> list[Dated]:
    """Slope and, of saliva, the awakening response of the waking of a local date.

    `taken`: samples in the analyte's unit; `wake`: when the person woke up, on the scale of their
    hours; ``None``: not known; `doses`: when hydrocortisone was taken, on the same scale. The
    intervals hold for the person, whose own days vary, but those of the awakening response are of
    that morning.
    """
    hour = None if wake is None else wake.hour
    if hour is not None:
        since = taken.hours - hour
        of_waking = (since >= -JUST_BEFORE_H) & (since <= LONGEST_AWAKE_H)
        n = int((masked(taken, doses) & of_waking).sum())
        if n:
            sentence = (
                f"Hydrocortisone was taken in the {MASKS_H:.0f} hours before "
                f"{n} sample{'' if n == 1 else 's'}: they measure the dose."
            )
            return withheld_markers(analyte, day, n, sentence)
    slope = diurnal_slope(
        taken, hour, cv_analytical=analyte.cv_analytical, cv_within=analyte.cv_within
    )
    found = [slope]
    if analyte.slug == "saliva-cortisol":
        response = awakening_response(
            taken,
            hour,
            wake_verified=wake is not None and wake.verified,
            responder_rise=_RESPONDER_NMOL_L * analyte.conversion("nmol/L").scale,
            cv_analytical=analyte.cv_analytical,
        )
        found += [response.rise, response.aucg, response.auci, response.responder]
    return [Dated(analyte.slug, day, marker) for marker in found]


def assumed_waking_markers(
    analyte: Analyte,
    taken: Samples,
    day: int,
    usual: UsualWake | str,
    doses: Sequence[float] = (),
) -> list[Dated]:
    """The same of a local date without a wake event: the slope from the usual waking, which its
    sentence says, and no awakening response."""
    if isinstance(usual, str):
        return waking_markers(analyte, taken, day, None, doses)
    local = 24.0 * day + usual.clock_h
    # By the clock that the wearer had at the first sample after it.
    after = min(int(np.searchsorted(taken.hours + taken.offset_h, local)), taken.n - 1)
    assumed = Wake(local - float(taken.offset_h[after]), verified=False)
    found = waking_markers(analyte, taken, day, assumed, doses)
    note = f" Waking is assumed at the usual {clock(usual.clock_h)} (± {usual.sd_h:.1f} h)."
    slope = replace(found[0].marker, sentence=found[0].marker.sentence + note)
    return [found[0]._replace(marker=slope), *found[1:]]


def withheld_markers(analyte: Analyte, day: int, n: int, sentence: str) -> list[Dated]:
    """All markers of a waking, and why there are none."""
    names = [("diurnal-slope", "1/h")]
    if analyte.slug == "saliva-cortisol":
        names += [
            ("car-rise", analyte.unit),
            ("car-aucg", f"{analyte.unit}.min"),
            ("car-auci", f"{analyte.unit}.min"),
            ("car-responder", "1"),
        ]
    return [
        Dated(analyte.slug, day, withheld(name, unit, n, sentence, _OF_WAKING))
        for name, unit in names
    ]


def level_markers(
    analyte: Analyte,
    taken: Samples,
    day: int,
    doses: Sequence[float] = (),
    usual: UsualWake | str | None = None,
) -> list[Dated]:
    """Evening-to-morning ratio and late-night level of some days up to a local date, of the
    samples that no dose of hydrocortisone masks.

    The windows of the clock are those of people who wake up at about seven. For somebody who
    usually wakes up at quite another hour (`usual`), as night workers do, they move with that.
    """
    taken = taken.part(~masked(taken, doses))
    moved = _moved_h(usual)
    shifted = [(begin + moved, end + moved) for begin, end in (MORNING_H, EVENING_H, LATE_NIGHT_H)]
    morning, evening, late = shifted
    cvs = {"cv_analytical": analyte.cv_analytical, "cv_within": analyte.cv_within}
    found = [
        evening_morning_ratio(taken, morning_h=morning, evening_h=evening, **cvs),
        late_night_level(taken, window_h=late, **cvs),
    ]
    if isinstance(usual, UsualWake) and moved:
        note = (
            f" Windows of the clock are moved by {moved:+.1f} h, to waking at "
            f"{clock(usual.clock_h)}."
        )
        found = [replace(marker, sentence=marker.sentence + note) for marker in found]
    return [Dated(analyte.slug, day, marker) for marker in found]


def _moved_h(usual: UsualWake | str | None) -> float:
    if not isinstance(usual, UsualWake):
        return 0.0
    apart = (usual.clock_h - _WINDOWS_WAKE_H + 12.0) % 24.0 - 12.0
    return apart if abs(apart) > _OTHER_HOURS_H else 0.0
