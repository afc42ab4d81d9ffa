"""JSON Schemas of everything that travels, generated from the models.

``python -m schemas.jsonschema`` writes ``schemas/json/*.json``; a test fails when the files and
the models have drifted apart. Records that come in are described as they are accepted, results
as they are sent.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from schemas.dead_letters import DeadLetter
from schemas.events import Dose, Illness, LhSurge, Menses, Profile, Sleep, Travel
from schemas.readings import Reading, ReadingBatch
from schemas.results import Alert, Deviation, Marker, ProfilePoint, Rhythm

FOLDER = Path(__file__).parent / "json"

_Mode = Literal["validation", "serialization"]
MODELS: dict[str, tuple[type[BaseModel], _Mode]] = {
    "reading": (Reading, "validation"),
    "reading-batch": (ReadingBatch, "validation"),
    "event-dose": (Dose, "validation"),
    "event-sleep": (Sleep, "validation"),
    "event-menses": (Menses, "validation"),
    "event-lh-surge": (LhSurge, "validation"),
    "event-travel": (Travel, "validation"),
    "event-illness": (Illness, "validation"),
    "event-profile": (Profile, "validation"),
    "rhythm": (Rhythm, "serialization"),
    "profile-point": (ProfilePoint, "serialization"),
    "marker": (Marker, "serialization"),
    "deviation": (Deviation, "serialization"),
    "alert": (Alert, "serialization"),
    "dead-letter": (DeadLetter, "serialization"),
}


def json_schemas() -> dict[str, str]:
    """File name → text of each JSON Schema (draft 2020-12)."""
    return {f"{name}.json": _text(*described) for name, described in MODELS.items()}


def _text(model: type[BaseModel], mode: _Mode) -> str:
    schema = model.model_json_schema(by_alias=True, mode=mode)
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path = FOLDER) -> None:
    """Write every schema, and remove files of models that are gone."""
    texts = json_schemas()
    folder.mkdir(parents=True, exist_ok=True)
    for stray in folder.glob("*.json"):
        if stray.name not in texts:
            stray.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
