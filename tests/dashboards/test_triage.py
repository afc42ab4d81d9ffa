"""Who comes first: the queue and its counters."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboards.page.source import Overview, Person, person_of
from dashboards.page.triage import (
    QueueEntry,
    analytes_of,
    by_urgency,
    count,
    default_analyte,
    rank,
)
from dashboards.page.words import QUIET, SEVERITIES, SILENT

_SEVERITY_ORDER = ["major", "moderate", "minor"]
_people = st.tuples(
    st.sampled_from(["default", "north"]), st.sampled_from(["sim-1", "sim-2", "sim-10", "b-7"])
)


def _tags(person: tuple[str, str], analyte: str) -> dict[str, Any]:
    return {"site": person[0], "subject": person[1], "analyte": analyte}


_analytes = st.sampled_from(["heart-rate", "saliva-cortisol"])
_rhythms = st.builds(
    lambda person, analyte, status, last: {
        **_tags(person, analyte),
        "time": last,
        "status": status,
        "last_reading": last,
    },
    _people,
    _analytes,
    st.sampled_from(["established", "emerging", "insufficient", "arrhythmic", "stale"]),
    st.integers(0, 5),
)
_alerts = st.builds(
    lambda person, analyte, kind, state, severity, time: {
        **_tags(person, analyte),
        "kind": kind,
        "direction": "higher",
        "state": state,
        "severity": severity,
        "time": time,
        "updated_at": time,
        "reason": "Because.",
    },
    _people,
    _analytes,
    st.sampled_from(["level", "phase", "missing"]),
    st.sampled_from(["open", "resolved"]),
    st.sampled_from(_SEVERITY_ORDER),
    st.integers(0, 3),
)


def _series(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["site"], row["subject"], row["analyte"], row.get("kind")


# As the store answers: one newest row a series, and one a series and kind.
_overviews = st.builds(
    lambda rhythms, alerts: Overview(tuple(rhythms), tuple(alerts), 5),
    st.lists(_rhythms, unique_by=_series, max_size=8),
    st.lists(_alerts, unique_by=_series, max_size=12),
)


def _place(entry: QueueEntry) -> tuple[int, int, int]:
    """Where an entry belongs, said once more and independently of the code."""
    if entry.alert is not None:
        return 0, _SEVERITY_ORDER.index(entry.alert["severity"]), entry.alert["time"]
    return (1 if entry.silent else 2), 0, 0


@given(_overviews)
def test_everybody_is_in_the_queue_once_and_the_worst_come_first(overview: Overview) -> None:
    entries = rank(overview)
    assert sorted(entry.person for entry in entries) == sorted(overview.people())
    assert [_place(entry) for entry in entries] == sorted(_place(entry) for entry in entries)
    assert sum(count(entries).values()) == len(entries)


@given(_overviews, st.randoms(use_true_random=False))
def test_the_queue_does_not_depend_on_the_order_of_rows(
    overview: Overview, mixer: random.Random
) -> None:
    rhythms, alerts = list(overview.rhythms), list(overview.alerts)
    mixer.shuffle(rhythms)
    mixer.shuffle(alerts)
    mixed = Overview(tuple(rhythms), tuple(alerts), overview.now_ms)
    assert rank(mixed) == rank(overview)
    for person in overview.people():
        assert default_analyte(mixed, person) == default_analyte(overview, person)
        assert analytes_of(mixed, person) == analytes_of(overview, person)


@given(_overviews)
def test_a_persons_row_tells_of_the_worst_open_alert_and_counts_the_others(
    overview: Overview,
) -> None:
    for entry in rank(overview):
        mine = [
            row
            for row in overview.alerts
            if row["state"] == "open" and person_of(row) == entry.person
        ]
        assert entry.others == max(0, len(mine) - 1)
        assert (entry.alert is None) == (not mine)
        if entry.alert is not None:
            assert _SEVERITY_ORDER.index(entry.alert["severity"]) == min(
                _SEVERITY_ORDER.index(row["severity"]) for row in mine
            )
            assert entry.sign is SEVERITIES[entry.alert["severity"]]
            assert entry.rhythm is None or entry.rhythm["analyte"] == entry.alert["analyte"]
        else:
            assert entry.sign is (SILENT if entry.silent else QUIET)


def test_the_clinic_is_ranked_as_a_clinician_would(overview: Overview) -> None:
    entries = rank(overview)
    assert [entry.person.subject for entry in entries] == [
        "sim-03",  # major
        "sim-02",  # moderate, for 30 h
        "sim-07",  # moderate, for 9 h
        "sim-05",  # minor
        "sim-01",
        "sim-04",
        "sim-06",
        "sim-08",
    ]
    assert {sign.word: n for sign, n in count(entries).items()} == {
        "Major": 1,
        "Moderate": 2,
        "Minor": 1,
        "Silent": 0,
        "No alert": 4,
    }
    assert [entry.person.subject for entry in entries if entry.silent] == ["sim-05"]


def test_silent_people_stand_before_the_quiet_and_numbers_count_as_numbers() -> None:
    def row(subject: str, status: str) -> dict[str, Any]:
        return {
            **_tags(("default", subject), "heart-rate"),
            "time": 0,
            "status": status,
            "last_reading": 0,
        }

    rows = [row("sim-10", "established"), row("sim-9", "emerging"), row("sim-30", "stale")]
    entries = rank(Overview(tuple(rows), (), 0))
    assert [entry.person.subject for entry in entries] == ["sim-30", "sim-9", "sim-10"]
    assert [entry.sign for entry in entries] == [SILENT, QUIET, QUIET]


def test_somebody_known_only_by_an_alert_is_shown_and_not_called_silent() -> None:
    alert = {
        **_tags(("default", "sim-1"), "heart-rate"),
        "kind": "level",
        "direction": "higher",
        "state": "open",
        "severity": "minor",
        "time": 0,
        "updated_at": 0,
        "reason": "Because.",
    }
    (entry,) = rank(Overview((), (alert,), 0))
    assert (entry.alert, entry.rhythm, entry.silent, entry.last_ms) == (alert, None, False, None)


def test_the_analyte_shown_first_is_the_alerting_one_or_the_best_known(overview: Overview) -> None:
    assert default_analyte(overview, Person("default", "sim-02")) == "heart-rate"
    assert default_analyte(overview, Person("default", "sim-03")) == "saliva-cortisol"
    assert default_analyte(overview, Person("default", "sim-06")) == "saliva-cortisol"
    assert default_analyte(overview, Person("default", "nobody")) is None
    marked = dict(analytes_of(overview, Person("default", "sim-03")))
    assert list(marked) == [
        "heart-rate",
        "saliva-cortisol",
        "saliva-melatonin",
        "wrist-temperature",
    ]
    assert marked["saliva-cortisol"] is SEVERITIES["major"]
    assert marked["heart-rate"] is None


def test_by_urgency_lets_the_one_that_has_waited_longest_go_first() -> None:
    rows = [
        {"severity": severity, "time": time, "analyte": "heart-rate", "kind": "level"}
        for severity, time in (("minor", 1), ("major", 9), ("moderate", 2), ("major", 3))
    ]
    assert [(row["severity"], row["time"]) for row in by_urgency(rows)] == [
        ("major", 3),
        ("major", 9),
        ("moderate", 2),
        ("minor", 1),
    ]
