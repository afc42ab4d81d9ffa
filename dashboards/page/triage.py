"""Who comes first: store rows to the ranked queue and the counters above it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.page.source import Overview, Person, StoreRow, person_of
from dashboards.page.words import QUIET, SEVERITIES, SILENT, Sign

_RANKS = {"major": 0, "moderate": 1, "minor": 2}


@dataclass(frozen=True)
class QueueEntry:
    """One person's row in the queue; times are event times in epoch milliseconds.

    ``alert`` is the worst open one and ``rhythm`` the newest of its series, None without one;
    ``others`` counts the open alerts beside it. ``silent`` if a device of the person is, or nothing
    at all has come in lately.
    """

    person: Person
    sign: Sign
    alert: StoreRow | None
    rhythm: StoreRow | None
    last_ms: int | None
    others: int
    silent: bool


def by_urgency(alerts: Sequence[StoreRow]) -> list[StoreRow]:
    """Alerts with the worst first: severity, then the one that has waited longest."""
    return sorted(
        alerts,
        key=lambda row: (_RANKS[row["severity"]], row["time"], row["analyte"], row["kind"]),
    )


def rank(overview: Overview) -> list[QueueEntry]:
    """The queue: open alerts first by severity and age, then silent people, then the quiet.

    Every person of the overview is in it exactly once, and the order does not depend on the order
    of the rows.
    """
    alerts: dict[Person, list[StoreRow]] = {person: [] for person in overview.people()}
    rhythms: dict[Person, list[StoreRow]] = {person: [] for person in alerts}
    for row in overview.alerts:
        if row["state"] == "open":
            alerts[person_of(row)].append(row)
    for row in overview.rhythms:
        rhythms[person_of(row)].append(row)
    entries = [_entry(person, by_urgency(alerts[person]), rhythms[person]) for person in alerts]
    return sorted(entries, key=_urgency)


def count(entries: Sequence[QueueEntry]) -> dict[Sign, int]:
    """How many people stand under each sign, worst first; together all of them."""
    counted = Counter(entry.sign for entry in entries)
    return {sign: counted[sign] for sign in (*SEVERITIES.values(), SILENT, QUIET)}


def analytes_of(overview: Overview, person: Person) -> list[tuple[str, Sign | None]]:
    """A person's analytes by slug, each with the sign of its worst open alert if it has one."""
    alerts = by_urgency(overview.open_alerts_of(person))
    slugs = {row["analyte"] for row in (*alerts, *overview.rhythms_of(person))}
    worst = {row["analyte"]: SEVERITIES[row["severity"]] for row in reversed(alerts)}
    return [(slug, worst.get(slug)) for slug in sorted(slugs)]


def default_analyte(overview: Overview, person: Person) -> str | None:
    """The analyte to show first: that of the worst alert, or the one that is best established."""
    alerts = by_urgency(overview.open_alerts_of(person))
    if alerts:
        return str(alerts[0]["analyte"])
    order = {"established": 0, "emerging": 1, "arrhythmic": 2, "insufficient": 3, "stale": 4}
    rhythms = overview.rhythms_of(person)
    if not rhythms:
        return None
    return str(min(rhythms, key=lambda row: order[row["status"]])["analyte"])


def _entry(person: Person, alerts: Sequence[StoreRow], rhythms: Sequence[StoreRow]) -> QueueEntry:
    silent = any(row["kind"] == "missing" for row in alerts) or (
        bool(rhythms) and all(row["status"] == "stale" for row in rhythms)
    )
    worst = alerts[0] if alerts else None
    return QueueEntry(
        person=person,
        sign=SEVERITIES[worst["severity"]] if worst else SILENT if silent else QUIET,
        alert=worst,
        rhythm=next((r for r in rhythms if worst and r["analyte"] == worst["analyte"]), None),
        last_ms=max((row["last_reading"] for row in rhythms), default=None),
        others=max(0, len(alerts) - 1),
        silent=silent,
    )


def _urgency(entry: QueueEntry) -> tuple[object, ...]:
    if entry.alert is not None:
        return (0, _RANKS[entry.alert["severity"]], entry.alert["time"], *_natural(entry.person))
    return (1, 0 if entry.silent else 1, 0, *_natural(entry.person))


def _natural(person: Person) -> tuple[object, ...]:
    """sim-2 before sim-10; text and numbers alternate, so that tuples compare."""
    parts = re.split(r"(\d+)", person.subject)
    key = tuple(int(part) if index % 2 else part for index, part in enumerate(parts))
    return (key, person.site, person.subject)
