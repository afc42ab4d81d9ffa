"""The 3-over-6 rule: the thermal shift of a cycle, from one temperature a day.

The shift is the first day from which three temperatures in a row are above the highest of the six
before them, the third by at least 0.2 °C; ovulation is placed on the day before. Days of illness do
not count. A missing day is passed over; more than two in a row make the rule unsure, and it then
says so.

The rule gives a day and no interval. The one given here is that of `cycle_evidence` with the
temperatures alone and every day as likely as the next.

Source: the temperature rule of Frank-Herrmann et al., Hum Reprod 22 (2007) 1310-1319 (three above
six, the third by 0.2 °C), from memory: the paper was not at hand, the three over six were read as
used by others (Shilaih et al., Biosci Rep 38 (2018) BSR20171279).
"""

from __future__ import annotations

import numpy as np

from processors.rhythm.cycle_evidence import Evidence, log_likelihood
from processors.rhythm.marker import Marker, withheld

_METHOD = "three over six, third by 0.2 °C (Frank-Herrmann et al. 2007)"
_BEFORE, _AFTER = 6, 3
_THIRD = 0.2
# Thermometers show a hundredth; what is a rise of 0.2 by the display is one.
_ROUNDING = 1e-9
_MOST_GAP_DAYS = 3


def temperature_shift(found: Evidence | str) -> Marker:
    """Cycle day before the shift, 1 being the first day of the menses.

    `found`: of kind "temperature", at most one a day, as `cycle_evidence.evidence` gives it.
    Raises ``ValueError`` for another kind.

    >>> from processors.rhythm.cycle_evidence import evidence
    >>> low, high = [36.4, 36.5, 36.3, 36.4, 36.5, 36.4], [36.7, 36.6, 36.8, 36.7]
    >>> shift = temperature_shift(evidence("temperature", np.arange(8, 18) + 0.3, low + high))
    >>> shift.value, shift.sentence[:55]
    (14.0, 'The temperature shift puts ovulation on cycle day 14 (9')
    """
    name, unit = "temperature-shift", "d"
    if isinstance(found, str):
        return withheld(name, unit, 0, found, _METHOD)
    if found.kind != "temperature":
        raise ValueError(f"a temperature shift is of temperatures, not of {found.kind}")
    days, values = np.floor(found.days).astype(int), found.values
    n = days.size
    if n < _BEFORE + _AFTER:
        sentence = f"The rule needs {_BEFORE + _AFTER} days with a temperature; there are {n}."
        return withheld(name, unit, n, sentence, _METHOD)
    if (np.diff(days) == 0).any():
        sentence = "There are two temperatures on one day, so it is not known which of them counts."
        return withheld(name, unit, n, sentence, _METHOD)
    windows = np.lib.stride_tricks.sliding_window_view(values, _BEFORE + _AFTER)
    highest = windows[:, :_BEFORE].max(axis=1)
    after = windows[:, _BEFORE:]
    shifted = (after > highest[:, None]).all(axis=1) & (
        after[:, -1] >= highest + _THIRD - _ROUNDING
    )
    if not shifted.any():
        sentence = "No three temperatures in a row are above the six before them, by the rule."
        return withheld(name, unit, n, sentence, _METHOD)
    at = int(shifted.argmax()) + _BEFORE
    gaps = np.diff(days[at - _BEFORE : at + _AFTER])
    if int(gaps.max()) > _MOST_GAP_DAYS:
        sentence = f"About the shift there is no temperature for {int(gaps.max()) - 1} days."
        return withheld(name, unit, n, sentence, _METHOD)
    day = float(days[at] - 1) + 1.0
    grid = np.arange(max(float(days[0]) - 3.0, 0.0), float(days[-1]) + 1.0, 0.25)
    likelihood, _ = log_likelihood(found, grid)
    total = np.cumsum(np.exp(likelihood - likelihood.max()))
    low, high = np.interp(np.array([0.05, 0.95]) * total[-1], total, grid) + 1.0
    low, high = min(float(low), day), max(float(high), day)
    sentence = (
        f"The temperature shift puts ovulation on cycle day {int(day)} "
        f"(90 % interval day {int(low)} to {int(high)})."
    )
    return Marker(name, "measured", unit, n, sentence, _METHOD, day, low, high)
