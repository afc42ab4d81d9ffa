"""Everything that is generated, as text by path: the same bytes every time. Pure."""

from __future__ import annotations

import json

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana import alerts, cohort, pipeline, provisioning, subject


def dashboards() -> dict[str, Dashboard]:
    """The dashboards by the name of their file."""
    return {
        "cohort": cohort.dashboard(),
        "subject": subject.dashboard(),
        "alerts": alerts.dashboard(),
        "pipeline": pipeline.dashboard(),
    }


def texts() -> dict[str, str]:
    """Text of each generated file by its path below this folder."""
    made = {f"generated/{name}.json": as_json(board) for name, board in dashboards().items()}
    made["provisioning/playlists/wall.json"] = as_json(provisioning.playlist())
    made |= {f"provisioning/{path}": text for path, text in provisioning.texts().items()}
    return made


def as_json(made: object) -> str:
    """JSON as it is checked in."""
    return json.dumps(made, cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"
