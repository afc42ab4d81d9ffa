"""``acrophase fit --events``: wakings and doses that a file of events tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.errors import InputFileError
from tests.acrophase.fitting import (
    CORTISOL,
    markers,
    nights,
    printed,
    run,
    saliva,
    words,
)


def told(folder: Path, *events: dict[str, object]) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps({"schema": 1, **event}) + "\n" for event in events))
    return path


def dose(at: str, substance: str = "melatonin", subject: str = "person-1") -> dict[str, object]:
    return {
        "subject": subject,
        "at": at,
        "kind": "dose",
        "substance": substance,
        "amount": 3.0,
        "unit": "mg",
        "route": "oral",
    }


@pytest.mark.parametrize(
    ("event", "hidden"),
    [
        (dose("2024-03-05T22:00:00+01:00"), {"2024-03-05"}),
        (dose("2024-03-06T13:00:00+01:00"), {"2024-03-06"}),
        (dose("2024-03-05T22:00:00+01:00", "hydrocortisone"), set()),
        (dose("2024-03-05T22:00:00+01:00", subject="person-2"), set()),
    ],
)
def test_a_dose_hides_the_melatonin_of_its_night(
    tmp_path: Path, event: dict[str, object], hidden: set[str]
) -> None:
    path = nights(tmp_path)
    options = ("--analyte", "saliva-melatonin", "--zone", "Europe/Berlin")
    told(tmp_path, event)
    found = markers(path, *options, "--events", tmp_path / "events.jsonl")
    withheld = [marker for marker in found if marker["status"] == "withheld"]
    assert {marker["on"] for marker in withheld} == hidden
    assert len(withheld) == 5 * len(hidden)
    at = str(event["at"])[11:16]
    assert all(f"Melatonin was taken at {at}" in marker["sentence"] for marker in withheld)
    if hidden:
        arguments = (*options, "--events", tmp_path / "events.jsonl")
        picture = tmp_path / "night.svg"
        printed(path, *arguments, "--plot", picture)
        assert "Melatonin was taken" in words(picture)


def test_wake_events_serve_cortisol(tmp_path: Path) -> None:
    """The nap in the afternoon is no waking; --wake counts before events."""
    path = saliva(tmp_path, 5, 6)
    wakings = told(
        tmp_path,
        *(
            {"subject": "person-1", "at": at, "kind": kind, "verified": verified}
            for at, kind, verified in (
                ("2024-03-05T06:40:00+01:00", "wake", True),
                ("2024-03-05T15:00:00+01:00", "wake", True),
                ("2024-03-05T23:30:00+01:00", "sleep", True),
                ("2024-03-06T06:40:00+01:00", "wake", False),
            )
        ),
    )
    nmol = (*CORTISOL, "--unit", "nmol/L")
    found = markers(path, *nmol, "--events", wakings)
    slopes = [marker for marker in found if marker["name"] == "diurnal-slope"]
    assert [marker["on"] for marker in slopes] == ["2024-03-05", "2024-03-06"]
    # The waking is verified, and the times of the table's samples are not.
    rises = [marker["sentence"] for marker in found if marker["name"] == "car-rise"]
    assert rises[0].startswith("The sampling times of 5 of 5 samples")
    assert rises[1].startswith("The time of waking is reported or assumed")
    own = markers(path, *nmol, "--events", wakings, "--wake", "2024-03-06T06:40")
    assert [m["on"] for m in own if m["name"] == "diurnal-slope"] == ["2024-03-06"]


def test_events_without_use_are_refused(tmp_path: Path) -> None:
    events = told(tmp_path, dose("2024-03-05T22:00:00+01:00"))
    result = run(saliva(tmp_path, 5), "--analyte", "heart-rate", "--events", events)
    assert isinstance(result.exception, InputFileError)
    assert "--events serves cortisol (wakings) and melatonin (doses)" in str(result.exception)
