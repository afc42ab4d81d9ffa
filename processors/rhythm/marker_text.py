"""How a marker's numbers read in a sentence, and the one place where measured markers are made."""

from __future__ import annotations

import math

from processors.rhythm.marker import Marker, withheld

CLOCK = "clock_h"


def clock(hour: float) -> str:
    """A clock time of any day as HH:MM.

    >>> clock(26.51), clock(-0.5), clock(23.999)
    ('02:31', '23:30', '00:00')
    """
    minutes = round(hour * 60) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def number(value: float, unit: str) -> str:
    """A number with its unit as people read it.

    >>> number(20.5, "clock_h"), number(41.318, "%"), number(0.3333, "1"), number(5.5824, "ug/dL")
    ('20:30', '41.3 %', '0.333', '5.58 ug/dL')
    """
    if unit == CLOCK:
        return clock(value)
    return f"{value:.3g}" if unit == "1" else f"{value:.3g} {unit}"


def measured(
    name: str,
    unit: str,
    n: int,
    value: float,
    limits: tuple[float, float],
    method: str,
    lead: str,
    note: str = "",
) -> Marker:
    """A marker with its 90 % interval; `lead` begins its sentence, as in "The onset is".

    A clock time is turned into [0, 24) together with its limits. Where the arithmetic has left the
    range of numbers the marker is withheld.
    """
    low, high = limits
    if not (math.isfinite(low) and math.isfinite(high) and low <= value <= high):
        return withheld(
            name, unit, n, f"{lead.split(' is')[0]} has no finite interval in these data.", method
        )
    if unit == CLOCK:
        turn = 24.0 * math.floor(value / 24.0)
        # A hair below midnight would be rounded up to 24 itself.
        turn += 24.0 * (value - turn >= 24.0)
        value, low, high = value - turn, low - turn, high - turn
    sentence = (
        f"{lead} {number(value, unit)} "
        f"(90 % interval {number(low, unit)} to {number(high, unit)}){note}."
    )
    return Marker(name, "measured", unit, n, sentence, method, value, low, high)
