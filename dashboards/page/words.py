"""How the page says numbers, times, kinds and severities. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from dashboards.page.source import DAY_MS, HOUR_MS, MINUTE_MS, StoreRow, peak_hour
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
    "level-only": Sign("▬", "Level only", "sure"),
    "arrhythmic": Sign("≈", "No 24-hour rhythm", "unsure"),
    "stale": Sign("◌", "Stale", "silent"),
}
STATUS_SENTENCES = {
    "established": "Weeks of this person's own readings stand behind the curve.",
    "emerging": "Days, not yet weeks, of own readings: the curve is taking shape.",
    "insufficient": "The estimate is still mostly the population's, not this person's.",
    "level-only": "The level is this person's own. It is not ruled by the hour of the day, so no "
    "peak time and no swing are given.",
    "arrhythmic": "Enough readings, and no 24-hour rhythm in them: no peak time is given.",
    "stale": "No readings lately: what is shown is the last estimate.",
}
KINDS = {
    "outlier": "Single reading",
    "level": "Level",
    "amplitude": "Daily swing",
    "phase": "Timing",
    "arrhythmic": "Rhythm",
    "missing": "No data",
}


def occurrence(kind: str, direction: str) -> str:
    """Kind and direction of a deviation in a word or two.

    >>> occurrence("phase", "later"), occurrence("arrhythmic", "lost"), occurrence("missing", "")
    ('Timing later', 'Rhythm lost', 'No data')
    """
    return KINDS[kind] if kind == "missing" else f"{KINDS[kind]} {direction}"


@dataclass(frozen=True)
class Face:
    """What the page needs to know of an analyte; ``log`` if its curve is fitted to logarithms.

    ``unit`` is for people, ``code`` the same in UCUM, as readings are sent. Of one that is not
    ``daily`` there is a level and no 24-hour curve; the references of one that is ``waking`` go by
    hours since waking.
    """

    slug: str
    name: str
    unit: str
    code: str
    decimals: int
    log: bool
    daily: bool
    waking: bool

    def amount(self, value: float | None, *, unit: bool = False) -> str:
        """A value in the canonical unit with the analyte's decimals."""
        if value is None:
            return NO_VALUE
        text = f"{value:.{self.decimals}f}"
        return f"{text} {self.unit}".rstrip() if unit else text

    def swing(self, amplitude: float | None) -> str:
        """An amplitude: a factor where the curve is fitted to logarithms, else in the unit."""
        if amplitude is None:
            return NO_VALUE
        return f"×{math.exp(amplitude):.2f}" if self.log else f"±{self.amount(amplitude)}"


def face(slug: str) -> Face:
    """The analyte's face from the catalogue.

    A store may hold analytes that this version's catalogue does not know (it was written by a
    newer one): those show under their slug, without a unit.
    """
    try:
        analyte = load_catalogue()[slug]
    except CatalogueError:
        return Face(slug, slug, "", "", 2, False, True, False)
    return Face(
        slug,
        name=analyte.short_name[0].upper() + analyte.short_name[1:],
        unit=analyte.unit_label,
        code=analyte.unit,
        decimals=analyte.decimals,
        log=analyte.scale == "log",
        daily=analyte.is_daily,
        waking=analyte.wake_hour is not None,
    )


def gist(reason: str) -> str:
    """A deviation's sentence without the brackets at its end that say how sure it is.

    >>> gist("RMSSD (sleep) is 20 % higher: 60 instead of 50 ms (90 % interval +5 to +40 %).")
    'RMSSD (sleep) is 20 % higher: 60 instead of 50 ms.'
    >>> gist("No brackets at the end (of this one) here.")
    'No brackets at the end (of this one) here.'
    """
    head, bracket, _ = reason.rpartition(" (")
    return f"{head}." if bracket and reason.endswith(").") else reason


def standing(kind: str, rhythm: StoreRow | None, now_ms: int) -> str:
    """How an open alert stands now: its sentence tells of the moment when it was opened.

    Empty where there is nothing to compare: single readings, a lost rhythm.
    """
    if rhythm is None:
        return ""
    if kind == "missing":
        return f"silent for {duration(now_ms - rhythm['last_reading'])}"
    if kind == "phase" and peak_hour(rhythm) is not None and rhythm["phase_shift"] is not None:
        return f"now {signed(rhythm['phase_shift'], 1)} h"
    ratio = {"level": "level_ratio", "amplitude": "amplitude_ratio"}.get(kind)
    if ratio is None or rhythm[ratio] is None:
        return ""
    return f"now {percent_change(rhythm[ratio])}"


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


def day(time_ms: int, offset_ms: int = 0) -> str:
    """The date on the clock that is ``offset_ms`` ahead of UTC.

    >>> day(1_793_716_320_000)
    'Tue 3 Nov'
    """
    when = datetime.fromtimestamp((time_ms + offset_ms) / 1000, UTC)
    return f"{when:%a} {when.day} {when:%b}"


def moment(time_ms: int, offset_ms: int = 0, *, year: bool = False) -> str:
    """A time on the clock that is ``offset_ms`` ahead of UTC.

    >>> moment(1_793_716_320_000, year=True), moment(1_793_716_320_000, 3_600_000)
    ('Tue 3 Nov 2026 14:32', 'Tue 3 Nov 15:32')
    """
    when = datetime.fromtimestamp((time_ms + offset_ms) / 1000, UTC)
    date = day(time_ms, offset_ms)
    return f"{date} {when:%Y %H:%M}" if year else f"{date} {when:%H:%M}"


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
