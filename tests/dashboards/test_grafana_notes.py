"""Records as annotations."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from dashboards.deploy.notes import Note, note_of
from schemas.errors import Reason, RejectedRecord
from tests.dashboards.grafana_records import MS, TIME, alert, deviation


def event(kind: str, **more: Any) -> Note | None:
    given = {"kind": kind, "subject": "p-0412", "site": "north", "at": "2026-03-01T07:30:00+01:00"}
    return note_of("events", b"p-0412", json.dumps(given | more).encode())


def test_a_dose_is_told_where_it_was_taken() -> None:
    dose = event("dose", substance="hydro<b>cortisone", amount=20.0, unit="mg", route="oral")
    assert dose == Note(
        ("acrophase", "type:event", "site:north", "subject:p-0412", "kind:dose"),
        MS,
        None,
        "hydro&lt;b&gt;cortisone 20 mg oral",
        fixed=True,
    )


def test_other_events() -> None:
    ill = event("illness", until="2026-03-03T07:30:00+01:00")
    assert ill is not None
    assert (ill.end_ms, ill.text) == (MS + 2 * 86_400_000, "ill until 2026-03-03 07:30")
    travel = event("travel", from_offset_min=-300)
    assert travel is not None
    assert travel.text == "clock set from UTC-05:00 to UTC+01:00"
    for kind, text in (("menses", "first day of menses"), ("lh-surge", "LH test positive")):
        told = event(kind)
        assert told is not None
        assert (told.text, told.tags[-1], told.end_ms) == (text, f"kind:{kind}", None)


def test_sleep_and_profile_ask_for_none() -> None:
    assert [event(kind) for kind in ("sleep", "wake", "profile")] == [None, None, None]


def test_a_deviation_lasts_until_it_ends() -> None:
    open_now = note_of("deviations", b"k", deviation().model_dump_json().encode())
    ended = deviation(ended_at=TIME + timedelta(days=2), explained_by="a dose")
    over = note_of("deviations", b"k", ended.model_dump_json().encode())
    assert open_now == Note(
        (
            "acrophase",
            "type:deviation",
            "site:north",
            "subject:p-0412",
            "kind:level",
            "analyte:saliva-cortisol",
            "direction:higher",
        ),
        MS,
        None,
        "major: Level is 50 % above &lt;the usual&gt;",
        fixed=False,
    )
    assert over is not None
    assert (over.end_ms, over.tags) == (MS + 2 * 86_400_000, open_now.tags)
    assert over.text.endswith("(a dose)")


def test_an_alert_is_told_apart_from_its_deviation() -> None:
    told = note_of("alerts", b"k", alert().model_dump_json().encode())
    assert told is not None
    assert (told.tags[1], told.end_ms, told.text) == (
        "type:alert",
        None,
        "major alert, open: Level is high",
    )
    resolved = alert(state="resolved", resolved_at=TIME + timedelta(hours=1))
    told = note_of("alerts", b"k", resolved.model_dump_json().encode())
    assert told is not None
    assert told.end_ms == MS + 3_600_000


@pytest.mark.parametrize("topic", ["events", "deviations", "alerts"])
@pytest.mark.parametrize("value", [b"", b"{", b"[]", b'{"subject": "Ann Smith"}', b"\xff"])
def test_what_cannot_be_read_is_rejected_without_being_quoted(topic: str, value: bytes) -> None:
    with pytest.raises(RejectedRecord) as caught:
        note_of(topic, b"p-0412", value)
    assert caught.value.reason is Reason.MALFORMED
    assert "Ann" not in str(caught.value)


def test_an_event_under_another_key_is_rejected() -> None:
    value = json.dumps({"kind": "menses", "subject": "p-0412", "at": "2026-03-01T07:30:00Z"})
    for key in (None, b"p-0413"):
        with pytest.raises(RejectedRecord) as caught:
            note_of("events", key, value.encode())
        assert caught.value.reason is Reason.WRONG_KEY
