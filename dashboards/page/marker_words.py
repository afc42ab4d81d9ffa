"""How the page says a marker: its title, and its numbers in the unit as people write it. Pure."""

from __future__ import annotations

import math
from functools import cache

from dashboards.page.source import StoreRow
from dashboards.page.words import NO_VALUE, clock, face
from schemas.catalogue import load_catalogue

# A marker that is not among them shows under its name.
_TITLES = {
    "dlmo-threshold": "Melatonin onset (DLMO), fixed threshold",
    "dlmo-baseline": "Melatonin onset (DLMO), own baseline",
    "dlmo-hockey-stick": "Melatonin onset (DLMO), hockey stick",
    "diurnal-slope": "Slope over the day",
    "car-rise": "Rise after waking (CAR)",
    "car-aucg": "Area after waking (AUCg)",
    "car-auci": "Area of the increase after waking (AUCi)",
    "car-responder": "Responder to waking",
    "evening-morning-ratio": "Evening ÷ morning",
    "late-night-level": "Late-night level",
    "m10": "Ten highest hours (M10)",
    "l5": "Five lowest hours (L5)",
    "acrophase": "Peak time of the week (acrophase)",
    "day-acrophase": "Peak time of the day (acrophase)",
    "mesor": "Level of the week (mesor)",
    "amplitude": "Swing of the week (amplitude)",
    "per-step": "Rise for each step",
    "sleep-midpoint": "Middle of sleep",
    "sleep-midpoint-corrected": "Middle of sleep, free days (MSFsc)",
    "sleep-duration": "Length of sleep",
    "social-jet-lag": "Social jet lag",
    "ovulation-day": "Ovulation, day of the cycle",
    "cycle-day": "Day of the cycle",
    "temperature-shift": "Temperature shift, day of the cycle",
    "outside-phase-reference": "Outside the reference of the phase, probability",
    "own-cycle-percentile": "Percentile among own cycles",
    "lh-testosterone-axis": "LH–testosterone axis",
    "fsh-estradiol-axis": "FSH–estradiol axis",
    "tsh-free-t4-axis": "TSH–free T4 axis",
    "acth-cortisol-axis": "ACTH–cortisol axis",
    "insulin-glucose-axis": "Insulin–glucose axis",
    "level-for-age": "Level for the age, SD",
    "trend-beyond-age": "Trend beyond that of age",
    "change": "Change from the result before",
    "free-period": "Period of the own clock",
    "body-clock-lag": "Body clock behind the wall clock",
}
# Before what analytes call them: a change of HbA1c is in per cent of it, social jet lag in hours.
_UNITS = {"1": "", "%": "%", "h": "h", "d": "d", "1/h": "per hour", "%/a": "% a year"}
# Day 14 lasts from 14 to 15: a number in `d` that counts from the first day is no length of time.
_DAY_NUMBERS = ("cycle-day", "ovulation-day", "temperature-shift")
_CLOCK = "clock_h"
_FIGURES = 3
_PLAIN = (1e-6, 1e9)  # beyond them with an exponent


def title(marker: str) -> str:
    """A marker's name in words.

    >>> title("m10"), title("sleep-onset-variance")
    ('Ten highest hours (M10)', 'Sleep onset variance')
    """
    return _TITLES.get(marker) or _from_name(marker)


def subject_matter(analyte: str) -> str:
    """What a marker is of: an analyte, or what is no analyte of the catalogue, such as the cycle.

    >>> subject_matter("saliva-melatonin"), subject_matter("body-clock")
    ('Saliva melatonin', 'Body clock')
    """
    return face(analyte).name if analyte in load_catalogue() else _from_name(analyte)


def is_measured(row: StoreRow) -> bool:
    """Whether a marker's row has a number to show.

    The status decides, because a store that merges fields keeps the number that an earlier answer
    for the same date had.
    """
    return row["status"] == "measured" and row["value"] is not None


def is_clock(row: StoreRow) -> bool:
    """Whether a marker is a time of the day."""
    return bool(row["unit"] == _CLOCK)


def day_number(value: float) -> int:
    """The number of the day that a time in days lies in, counted from the first."""
    return math.floor(value)


def amount(row: StoreRow) -> str:
    """A marker's value with its unit; a dash if it has none."""
    if not is_measured(row):
        return NO_VALUE
    number = _number(row["value"], row)
    unit = "" if _is_bare(row) else unit_words(row["unit"], row["analyte"])
    return f"{number} {unit}".rstrip()


def interval(row: StoreRow) -> str:
    """A marker's 90 % interval; nothing if it has none, or is exact."""
    if not is_measured(row) or None in (row["low"], row["high"]) or row["low"] == row["high"]:
        return ""
    return f"{_number(row['low'], row)} to {_number(row['high'], row)}"


def unit_words(unit: str, analyte: str) -> str:
    """A UCUM unit as people write it; as it is if nobody knows better.

    >>> unit_words("ug/dL.min", "saliva-cortisol"), unit_words("/min", "heart-rate")
    ('µg/dL·min', 'beats/min')
    >>> unit_words("%/a", "serum-dheas"), unit_words("ug/dL", "unheard-of"), unit_words("kat", "")
    ('% a year', 'µg/dL', 'kat')
    """
    if unit in _UNITS:
        return _UNITS[unit]
    own = face(analyte)
    if unit == own.code:
        return own.unit
    if own.code and unit.startswith(f"{own.code}."):
        return f"{own.unit}·{unit.removeprefix(f'{own.code}.')}"
    return _labels().get(unit, unit)


def _from_name(name: str) -> str:
    words = name.replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def _is_bare(row: StoreRow) -> bool:
    return is_clock(row) or row["marker"] in _DAY_NUMBERS


def _number(value: float, row: StoreRow) -> str:
    """Value and limits of one marker have the same decimals: those of the largest's figures."""
    if is_clock(row):
        return clock(value)
    if row["marker"] in _DAY_NUMBERS:
        return str(day_number(value))
    largest = max(abs(each) for each in (row["value"], row["low"], row["high"]) if each is not None)
    if largest and not _PLAIN[0] <= largest < _PLAIN[1]:
        return f"{value:.{_FIGURES}g}".replace("-", "−")
    decimals = _FIGURES - 1 - math.floor(math.log10(largest)) if largest else 0
    # z: what is rounded to 0 has no sign.
    return f"{value:z,.{max(0, decimals)}f}".replace("-", "−")


@cache
def _labels() -> dict[str, str]:
    """Units of the catalogue as people write them, where all its analytes agree."""
    labels: dict[str, set[str]] = {}
    for analyte in load_catalogue():
        labels.setdefault(analyte.unit, set()).add(analyte.unit_label)
    return {unit: label for unit, (label, *others) in labels.items() if not others}
