"""The cortisol awakening response: rise, areas under the curve, responder.

- rise: the sample nearest to half an hour after waking less the first;
- AUCg, area under the curve with respect to ground: the trapezoids over all samples;
- AUCi, with respect to increase: AUCg less the first value over the whole time; it may be below 0.

They are given only if the wake time and every sampling time are verified and the first sample was
taken within five minutes of waking: later ones miss the start of the rise and bias all of it.

Sources: Pruessner, Kirschbaum, Meinlschmid & Hellhammer, Psychoneuroendocrinology 28 (2003)
916-931 (areas); Stalder et al., Psychoneuroendocrinology 63 (2016) 414-432 and 146 (2022) 105946
(sampling and its verification); Wüst et al., Noise Health 2 (2000) 79-88 (responder).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from processors.rhythm.lognormal_sums import sum_interval
from processors.rhythm.marker import Marker, withheld
from processors.rhythm.marker_text import clock, measured
from processors.rhythm.samples import Floats, Samples, log_sd

_STALDER = "Stalder et al. 2016"
_METHODS = {
    "car-rise": f"{_STALDER}: half an hour after waking less at waking",
    "car-aucg": f"Pruessner et al. 2003, AUCg; {_STALDER}",
    "car-auci": f"Pruessner et al. 2003, AUCi; {_STALDER}",
    "car-responder": "Wüst et al. 2000: rise of at least the criterion",
}

# Minutes after waking. Recommended are 0, 30 and 45, or 0, 15, 30, 45 and 60 (Stalder 2016); the
# times that were meant are kept to some minutes, and those that were met count.
_FIRST_MIN = 5.0
_LAST_MIN = 65.0
# Tubes are labelled to the minute and watches record seconds: a sample at 06:48 may follow a waking
# at 06:48:17.
_SAME_MINUTE_MIN = 1.0
_HALF_HOUR_MIN = (20.0, 40.0)
_AREA_MIN = 40.0
# A sample so long before waking belongs to the evening or the night; a later one contradicts it.
_ASLEEP_H = 3.0


def weights_ground(times: ArrayLike) -> Floats:
    """What each sample counts in the AUCg: the trapezoid rule. `times` (n), ascending."""
    t = np.asarray(times, dtype=np.float64)
    steps = np.diff(t)
    weights = np.zeros_like(t)
    weights[:-1] += steps / 2
    weights[1:] += steps / 2
    return weights


def weights_increase(times: ArrayLike) -> Floats:
    """What each sample counts in the AUCi: the first is taken off over the whole time."""
    t = np.asarray(times, dtype=np.float64)
    weights = weights_ground(t)
    weights[0] -= t[-1] - t[0]
    return weights


def auc_ground(times: ArrayLike, values: ArrayLike) -> float:
    """Area under the curve with respect to ground (Pruessner et al. 2003).

    >>> auc_ground([0, 10, 15, 30, 45], [3.5, 7, 14, 7, 10])
    390.0
    """
    return float(weights_ground(times) @ np.asarray(values, dtype=np.float64))


def auc_increase(times: ArrayLike, values: ArrayLike) -> float:
    """Area under the curve with respect to increase (Pruessner et al. 2003).

    >>> auc_increase([0, 10, 15, 30, 45], [3.5, 7, 14, 7, 10])
    232.5
    """
    return float(weights_increase(times) @ np.asarray(values, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class AwakeningResponse:
    """Rise in the samples' unit, areas in that unit times minutes; `responder` is 1 or 0.

    The responder's limits say how sure it is: 1 (1 to 1) is one, 1 (0 to 1) may be none.
    """

    rise: Marker
    aucg: Marker
    auci: Marker
    responder: Marker


def awakening_response(
    samples: Samples,
    wake: float | None,
    *,
    wake_verified: bool,
    responder_rise: float,
    cv_analytical: float,
    cv_within: float = 0.0,
) -> AwakeningResponse:
    """The awakening response of one morning.

    `wake`: when the person woke up, on the scale of `samples.hours`. `responder_rise`: rise from
    which on a person counts as a responder, in the samples' unit (2.5 nmol/L in Wüst et al. 2000).
    `cv_analytical`: the assay's coefficient of variation; `cv_within`: the person's own from day
    to day, if the interval is to hold the person's usual response and not only this morning's.
    Raises ``ValueError`` for a CV or a criterion that is no number of 0 or more.
    """
    if not (math.isfinite(responder_rise) and responder_rise >= 0.0):
        raise ValueError(f"a rise that makes a responder is 0 or more, not {responder_rise}")
    sd = log_sd(cv_analytical, cv_within)
    reason = samples.flaw()
    morning = samples
    if reason is None and wake is not None and math.isfinite(wake):
        minutes = (samples.hours - wake) * 60.0
        morning = samples.part((minutes >= -60.0 * _ASLEEP_H) & (minutes <= _LAST_MIN))
    if reason is None:
        reason = _unverified(morning, wake, wake_verified)
    if reason is not None:
        return _all_withheld(samples.unit, morning.n, reason)
    assert wake is not None

    minutes = (morning.hours - wake) * 60.0
    values, unit, n = morning.values, morning.unit, morning.n
    criterion = f"{responder_rise:g} {unit}"
    half_hour = int(np.argmin(np.abs(minutes - 30.0)))
    if half_hour and _HALF_HOUR_MIN[0] <= minutes[half_hour] <= _HALF_HOUR_MIN[1]:
        weights = np.zeros(n)
        weights[0], weights[half_hour] = -1.0, 1.0
        difference = float(values[half_hour] - values[0])
        limits = sum_interval(weights, values, sd)
        rise = _measured(
            "car-rise", unit, 2, difference, limits, "The rise within half an hour of waking is"
        )
        held = [float(x >= responder_rise) for x in (difference, *limits)]
        is_one = "is a responder" if held[0] else "is no responder"
        sure = "" if held[1] == held[2] else ", which these samples cannot settle"
        sentence = f"This person {is_one} (a rise of at least {criterion}){sure}."
        responder = Marker(
            "car-responder", "measured", "1", 2, sentence, _METHODS["car-responder"], *held
        )
    else:
        sentence = "There is no sample 20 to 40 minutes after waking, where the rise is read."
        rise = _withheld("car-rise", unit, n, sentence)
        responder = _withheld("car-responder", "1", n, sentence)

    if n < 3 or minutes[-1] < _AREA_MIN:
        sentence = (
            f"The areas need at least three samples up to {_AREA_MIN:.0f} minutes after waking or "
            f"longer; there are {n}, the last at {minutes[-1]:.0f} minutes."
        )
        return AwakeningResponse(
            rise,
            _withheld("car-aucg", f"{unit}.min", n, sentence),
            _withheld("car-auci", f"{unit}.min", n, sentence),
            responder,
        )
    ground, increase = weights_ground(minutes), weights_increase(minutes)
    over = f" over {minutes[-1] - minutes[0]:.0f} minutes"
    return AwakeningResponse(
        rise,
        _measured(
            "car-aucg",
            f"{unit}.min",
            n,
            float(ground @ values),
            sum_interval(ground, values, sd),
            f"The area under the awakening curve{over} is",
        ),
        _measured(
            "car-auci",
            f"{unit}.min",
            n,
            float(increase @ values),
            sum_interval(increase, values, sd),
            f"The area of the increase after waking{over} is",
        ),
        responder,
    )


def _unverified(morning: Samples, wake: float | None, wake_verified: bool) -> str | None:
    """Why this morning's samples carry no awakening response."""
    if wake is None or not math.isfinite(wake):
        return "The time of waking is not known, so there is no awakening response."
    at = clock(morning.wall_clock(wake)) if morning.n else ""
    if not wake_verified:
        return (
            "The time of waking is reported or assumed, not verified, and minutes matter for the "
            f"awakening response ({_STALDER})."
        )
    minutes = (morning.hours - wake) * 60.0
    if morning.n and minutes[0] <= -_SAME_MINUTE_MIN:
        return (
            f"A sample was taken at {clock(morning.wall_clock(float(morning.hours[0])))}, before "
            f"the waking at {at}: one of the two times is wrong."
        )
    if morning.n < 2:
        return "There are not two samples within the hour after waking."
    if minutes[0] > _FIRST_MIN:
        return (
            f"The first sample was taken {minutes[0]:.0f} minutes after waking; more than "
            f"{_FIRST_MIN:.0f} miss the start of the response ({_STALDER})."
        )
    if not morning.verified.all():
        unknown = int((~morning.verified).sum())
        return (
            f"The sampling times of {unknown} of {morning.n} samples are reported or assumed, not "
            f"verified ({_STALDER})."
        )
    if morning.below.any():
        return "A sample of the morning is below the assay's detection limit."
    return None


def _all_withheld(unit: str, n: int, sentence: str) -> AwakeningResponse:
    return AwakeningResponse(
        _withheld("car-rise", unit, n, sentence),
        _withheld("car-aucg", f"{unit}.min", n, sentence),
        _withheld("car-auci", f"{unit}.min", n, sentence),
        _withheld("car-responder", "1", n, sentence),
    )


def _withheld(name: str, unit: str, n: int, sentence: str) -> Marker:
    return withheld(name, unit, n, sentence, _METHODS[name])


def _measured(
    name: str, unit: str, n: int, value: float, limits: tuple[float, float], lead: str
) -> Marker:
    return measured(name, unit, n, value, limits, _METHODS[name], lead)
