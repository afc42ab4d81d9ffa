"""How the page says numbers, times, kinds and severities. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from dashboards.page.source import DAY_MS, HOUR_MS, MINUTE_MS
from schemas.catalogue import load_catalogue
from schemas.errors import CatalogueError

NO_VALUE = "–"


@dataclass(frozen=True)
class Sign:
    """A state as symbol and word; ``tone`` names its colour in the style sheet."""

    symbol: str
    word: str
    tone: str


SEVERITIES = {
    "major": Sign("▲", "Major", "major"),
    "moderate": Sign("◆", "Moderate", "moderate"),
    "minor": Sign("●", "Minor", "minor"),
}
SILENT = Sign("◌", "Silent", "silent")
QUIET = Sign("✓", "No alert", "quiet")

STATUSES = {
    "established": Sign("●", "Established", "sure"),
    "emerging": Sign("◐", "Emerging", "unsure"),
    "insufficient": Sign("○", "Not enough data", "unsure"),
    "arrhythmic": Sign("≈", "No 24-hour rhythm", "unsure"),
    "stale": Sign("◌", "Stale", "silent"),
}
STATUS_SENTENCES = {
    "established": "Weeks of this person's own readings stand behind the curve.",
    "emerging": "Days, not yet weeks, of own readings: the curve is taking shape.",
    "insufficient": "The curve is still mostly the population's, not this person's.",
    "arrhythmic": "Enough readings, and no 24-hour rhythm in them: no peak time is given.",
    "stale": "No readings lately: what is shown is the last estimate.",
}
KINDS = {
    "outlier": "Single reading",
    "level": "Level",
    "amplitude": "Amplitude",
    "phase": "Timing",
    "arrhythmic": "Rhythm",
    "missing": "No data",
}


@dataclass(frozen=True)
class Face:
    """What the page needs to know of an analyte; ``log`` if its curve is fitted to logarithms."""

    slug: str
    name: str
    unit: str
    decimals: int
    log: bool

    def amount(self, value: float | None, *, unit: bool = False) -> str:
        """A value in the canonical unit with the analyte's decimals."""
        if value is None:
            return NO_VALUE
        text = f"{value:.{self.decimals}f}"
        return f"{text} {self.unit}".rstrip() if unit else text


def face(slug: str) -> Face:
    """The analyte's face from the catalogue.

    A store may hold analytes that this version's catalogue does not know (it was written by a
    newer one): those show under their slug, without a unit.
    """
    try:
        analyte = load_catalogue()[slug]
    except CatalogueError:
        return Face(slug, slug, "", 2, False)
    return Face(slug, analyte.name, analyte.unit_label, analyte.decimals, analyte.scale == "log")


def duration(milliseconds: float) -> str:
    """A length of time in its largest fitting unit.

    >>> duration(20_000), duration(95 * 60_000), duration(26 * 3_600_000), duration(9 * 86_400_000)
    ('< 1 min', '95 min', '26 h', '9 d')
    """
    if milliseconds < MINUTE_MS:
        return "< 1 min"
    if milliseconds < 100 * MINUTE_MS:
        return f"{milliseconds / MINUTE_MS:.0f} min"
    if milliseconds < 2 * DAY_MS:
        return f"{milliseconds / HOUR_MS:.0f} h"
    return f"{milliseconds / DAY_MS:.0f} d"


def ago(then_ms: int, now_ms: int) -> str:
    """How long before ``now_ms``.

    >>> ago(0, 10_000), ago(0, 7_200_000)
    ('just now', '2 h ago')
    """
    passed = now_ms - then_ms
    return "just now" if passed < MINUTE_MS else f"{duration(passed)} ago"


def moment(time_ms: int, offset_ms: int = 0, *, year: bool = False) -> str:
    """A time on the clock that is ``offset_ms`` ahead of UTC.

    >>> moment(1_793_716_320_000, year=True), moment(1_793_716_320_000, 3_600_000)
    ('Tue 3 Nov 2026 14:32', 'Tue 3 Nov 15:32')
    """
    when = datetime.fromtimestamp((time_ms + offset_ms) / 1000, UTC)
    day = f"{when:%a} {when.day} {when:%b}"
    return f"{day} {when:%Y %H:%M}" if year else f"{day} {when:%H:%M}"


def utc_label(offset_ms: int) -> str:
    """The name of a clock by its offset.

    >>> utc_label(0), utc_label(-12_600_000), utc_label(7_200_000)
    ('UTC', 'UTC−3:30', 'UTC+2')
    """
    if offset_ms == 0:
        return "UTC"
    hours, minutes = divmod(abs(offset_ms) // MINUTE_MS, 60)
    sign = "+" if offset_ms > 0 else "−"
    return f"UTC{sign}{hours}" + (f":{minutes:02d}" if minutes else "")


def clock(hours: float | None) -> str:
    """A clock time, wrapped to the day.

    >>> clock(8.525), clock(-1.5), clock(23.999), clock(None)
    ('08:32', '22:30', '00:00', '–')
    """
    if hours is None:
        return NO_VALUE
    minutes = math.floor(hours * 60 + 0.5) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def signed(value: float, decimals: int) -> str:
    """A number with its sign, and a true minus.

    >>> signed(1.25, 1), signed(-3, 0), signed(-0.01, 1)
    ('+1.2', '−3', '0.0')
    """
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return text
    return ("+" if value > 0 else "−") + text


def percent_change(ratio: float | None) -> str:
    """A ratio as a change.

    >>> percent_change(1.125), percent_change(0.5), percent_change(1.0), percent_change(None)
    ('+12 %', '−50 %', '0 %', '–')
    """
    return NO_VALUE if ratio is None else f"{signed((ratio - 1) * 100, 0)} %"
