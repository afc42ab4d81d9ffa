"""Deviations and alerts that tests send into Grafana."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from schemas.results import Alert, Deviation, DeviationKind

TIME = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
MS = round(TIME.timestamp() * 1000)
SERIES: dict[str, Any] = {
    "site": "north",
    "subject": "p-0412",
    "analyte": "saliva-cortisol",
    "time": TIME,
}


def deviation(**more: Any) -> Deviation:
    given: dict[str, Any] = {
        "kind": DeviationKind.LEVEL,
        "direction": "higher",
        "severity": "major",
        "z": 4.0,
        "threshold": 3.6,
        "effect": 1.5,
        "n_effective": 20.0,
        "retrospective": False,
        "reason": "Level is 50 % above <the usual>",
    }
    return Deviation(**SERIES | given | more)


def alert(**more: Any) -> Alert:
    given: dict[str, Any] = {
        "kind": DeviationKind.LEVEL,
        "direction": "higher",
        "state": "open",
        "severity": "major",
        "updated_at": TIME,
        "reason": "Level is high",
    }
    return Alert(**SERIES | given | more)
