"""What the page reads from the store, and the store as far as the page knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from schemas.measurements import (
    ALERT,
    DEVIATION,
    EVENT,
    MARKER,
    PROFILE,
    READING,
    RHYTHM,
    Measurement,
)

StoreRow = dict[str, Any]

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
DRIFT_MS = 30 * DAY_MS  # what the drift chart and the list of deviations reach back to
DAYS_SHOWN = 14  # as pictures of single days
READINGS_SHOWN = 50
# A day of five-minute means and the 50 rows of the table fit in; a minute-wise series kept whole
# is cut to its newest five hours and a half.
_READINGS_READ = 330
_HALF_HOURS_READ = 48 * (DAYS_SHOWN + 1)
# A marker of the last days is still being revised when those of other analytes are a day further.
_MARKERS_REVISED_MS = 3 * DAY_MS
# A day, and two more for a day that was 25 hours long.
_NEWEST_HALF_HOURS = 50


class ReadableStore(Protocol):
    """The reading part of ``processors.store.Store`` (docs/architecture.md)."""

    def select(
        self,
        measurement: Measurement,
        *,
        tags: Mapping[str, str] = ...,
        start_ms: int | None = ...,
        end_ms: int | None = ...,
        latest: bool = ...,
        limit: int | None = ...,
    ) -> list[StoreRow]:
        """Rows as dicts by column name, ascending time; raises ``schemas.errors.StoreError``."""
        ...


class Person(NamedTuple):
    """Who: a pseudonym is unique within its site only."""

    site: str
    subject: str


class Series(NamedTuple):
    """One analyte of one person."""

    person: Person
    analyte: str


@dataclass(frozen=True)
class Overview:
    """The newest rhythm of every series and the newest alert of every series, kind and direction.

    ``now_ms`` is the data's own clock: the newest event time seen, None in an empty store.
    """

    rhythms: tuple[StoreRow, ...]
    alerts: tuple[StoreRow, ...]
    now_ms: int | None

    def people(self) -> set[Person]:
        """Everybody the store knows."""
        return {person_of(row) for row in (*self.rhythms, *self.alerts)}

    def rhythms_of(self, person: Person) -> list[StoreRow]:
        """The newest rhythm of each analyte of one person, by analyte."""
        rows = [row for row in self.rhythms if person_of(row) == person]
        return sorted(rows, key=lambda row: str(row["analyte"]))

    def open_alerts_of(self, person: Person) -> list[StoreRow]:
        """The open alerts of one person."""
        return [row for row in self.alerts if row["state"] == "open" and person_of(row) == person]


@dataclass(frozen=True)
class Evidence:
    """Everything shown of one series, rows in ascending time.

    ``deviations``, ``events`` and ``markers`` are the person's, of all analytes. Of each marker
    there is the newest row, whatever its age, and those of the last 30 days; their times are dates
    (see ``schemas.results.Marker``).
    """

    series: Series
    profile: tuple[StoreRow, ...]
    history: tuple[StoreRow, ...]
    readings: tuple[StoreRow, ...]
    deviations: tuple[StoreRow, ...]
    events: tuple[StoreRow, ...]
    markers: tuple[StoreRow, ...] = ()

    @property
    def rhythm(self) -> StoreRow | None:
        """The newest rhythm."""
        return self.history[-1] if self.history else None

    @property
    def offset_ms(self) -> int:
        """The wearer's clock minus UTC as it was last seen; 0 without readings."""
        if self.readings:
            newest = self.readings[-1]
            return clock_offset_ms(newest["time"], newest["clock_hour"])
        if self.profile:
            # A half hour bears the time of its beginning and the clock hour of its middle.
            newest = self.profile[-1]
            return clock_offset_ms(newest["time"] + HOUR_MS // 4, newest["clock_hour"])
        return 0

    def today_ms(self, now_ms: int) -> int:
        """The wearer's date as markers bear it: its midnight as if that clock were UTC."""
        return (now_ms + self.offset_ms) // DAY_MS * DAY_MS


def peak_hour(rhythm: StoreRow) -> float | None:
    """The acrophase, or None where the rhythm has none to report.

    The status decides, because a store that merges fields keeps the phase that an earlier estimate
    of the same time had.
    """
    return None if rhythm["status"] in ("arrhythmic", "level-only") else rhythm["acrophase"]


def person_of(row: StoreRow) -> Person:
    """Whose row it is."""
    return Person(row["site"], row["subject"])


def read_overview(store: ReadableStore) -> Overview:
    """Two queries, however many people there are. Raises ``StoreError``."""
    rhythms = tuple(store.select(RHYTHM, latest=True))
    alerts = tuple(store.select(ALERT, latest=True))
    times = [row[name] for row in rhythms for name in ("time", "last_reading")]
    times += [row["updated_at"] for row in alerts]
    return Overview(rhythms, alerts, max(times, default=None))


def read_evidence(
    store: ReadableStore, series: Series, now_ms: int, known: Evidence | None = None
) -> Evidence:
    """All rows of one series that the page shows. Raises ``StoreError``.

    The history of rhythms and the profile's earlier days are by far the largest part: with
    ``known``, an earlier answer for the same series, only what came since is read. The past changes
    only when readings come late, so the caller leaves ``known`` out now and then.
    """
    person = {"site": series.person.site, "subject": series.person.subject}
    tags = {**person, "analyte": series.analyte}
    since = now_ms - DRIFT_MS
    old: tuple[StoreRow, ...] = ()
    if known is not None and known.history:
        old = tuple(row for row in known.history[:-1] if row["time"] >= since)
        since = max(since, known.history[-1]["time"])
    if known is None:
        profile = store.select(PROFILE, tags=tags, limit=_HALF_HOURS_READ)
    else:
        newest = store.select(PROFILE, tags=tags, limit=_NEWEST_HALF_HOURS)
        begin = newest[0]["time"] if newest else 0
        profile = [row for row in known.profile if row["time"] < begin] + newest
    return Evidence(
        series=series,
        profile=tuple(profile[-_HALF_HOURS_READ:]),
        history=old + tuple(store.select(RHYTHM, tags=tags, start_ms=since)),
        readings=tuple(store.select(READING, tags=tags, limit=_READINGS_READ)),
        deviations=tuple(store.select(DEVIATION, tags=person, start_ms=now_ms - DRIFT_MS)),
        events=tuple(store.select(EVENT, tags=person, start_ms=now_ms - DRIFT_MS)),
        markers=_read_markers(store, person, now_ms, known),
    )


def _read_markers(
    store: ReadableStore, person: Mapping[str, str], now_ms: int, known: Evidence | None
) -> tuple[StoreRow, ...]:
    """Two queries, however many markers: one bears the date of its night, day or cycle, and a cycle
    may have begun, or a yearly test have been taken, long before the last 30 days."""
    since = (now_ms - DRIFT_MS) // DAY_MS * DAY_MS
    rows: list[StoreRow] = []
    if known is not None and known.markers:
        again = max(since, known.markers[-1]["time"] - _MARKERS_REVISED_MS)
        rows = [row for row in known.markers if since <= row["time"] < again]
        since = again
    # No end: where the wearer is ahead of UTC, the date is too.
    rows += store.select(MARKER, tags=person, latest=True)
    rows += store.select(MARKER, tags=person, start_ms=since)
    newest = {(row["time"], row["analyte"], row["marker"]): row for row in rows}
    return tuple(newest[key] for key in sorted(newest))


def clock_offset_ms(time_ms: int, clock_hour: float) -> int:
    """Local clock minus UTC in (-12 h, 12 h], from an instant and the local hour at it.

    Rows carry no time zone, but this pair gives the offset, to the quarter hour that zones are
    made of.

    >>> clock_offset_ms(0, 5.75) / HOUR_MS, clock_offset_ms(0, 20.5) / HOUR_MS
    (5.75, -3.5)
    """
    quarters: int = round((clock_hour - time_ms % DAY_MS / HOUR_MS) * 4) % 96
    return (quarters - 96 if quarters > 48 else quarters) * (HOUR_MS // 4)
