"""What a folder of dashboard files wants Grafana to have."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import InputFileError

# All of ours carry this tag, have a uid that begins like this, and lie in this folder. What lacks
# one of the three is somebody else's and is never changed.
TAG = "acrophase"
UID_PREFIX = "acrophase-"
FOLDER_UID = "acrophase"
FOLDER_TITLE = "Acrophase"

GENERATED = Path(__file__).parents[1] / "grafana" / "generated"

# Given by Grafana, and different in every Grafana.
_VOLATILE = ("id", "version", "iteration")
_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_STAMP = re.compile(r"\bsha256:([0-9a-f]{64})\b")


@dataclass(frozen=True)
class Wanted:
    """One dashboard as its file has it."""

    file: str
    uid: str
    title: str
    model: dict[str, Any]

    def message(self) -> str:
        """What the version that we save is called: by it we know our own saves again."""
        return f"Deployed by acrophase, sha256:{digest(self.model)}"


def stamp_of(message: str) -> str | None:
    """The digest of what we deployed, from a version's message; None if it is not ours."""
    found = _STAMP.search(message)
    return found[1] if found else None


def text_of(model: dict[str, Any]) -> str:
    """The model without what Grafana gives it, one value a line, in a fixed order."""
    kept = {name: value for name, value in model.items() if name not in _VOLATILE}
    return json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def digest(model: dict[str, Any]) -> str:
    """SHA-256 of `text_of`, in hex.

    >>> digest({"title": "Cohort", "id": 7, "version": 3}) == digest({"title": "Cohort"})
    True
    """
    return hashlib.sha256(text_of(model).encode()).hexdigest()


def read_wanted(folder: Path) -> list[Wanted]:
    """The dashboards of a folder's ``*.json``, by uid.

    Raises ``InputFileError`` if the folder has none, or one is not a dashboard of ours.
    """
    try:
        files = sorted(folder.glob("*.json"))
    except OSError as error:
        raise InputFileError(f"{folder} cannot be read: {error.strerror}") from None
    if not files:
        raise InputFileError(f"{folder} holds no dashboard (*.json): name the folder that does")
    wanted: dict[str, Wanted] = {}
    for path in files:
        each = _read(path)
        if each.uid in wanted:
            raise InputFileError(
                f"{path} and {wanted[each.uid].file} have the same uid {each.uid}: give one another"
            )
        wanted[each.uid] = each
    return [wanted[uid] for uid in sorted(wanted)]


def _read(path: Path) -> Wanted:
    try:
        model = json.loads(path.read_bytes())
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InputFileError(f"{path} is not JSON: {error}") from None
    if not isinstance(model, dict):
        raise InputFileError(f"{path} is not a dashboard: it should be one JSON object")
    uid, title, tags = model.get("uid"), model.get("title"), model.get("tags")
    if not (isinstance(uid, str) and _UID.fullmatch(uid) and uid.startswith(UID_PREFIX)):
        raise InputFileError(
            f"{path}: uid is {uid!r}; ours begin with {UID_PREFIX!r} and have at most 40 letters, "
            "digits, '-' and '_'"
        )
    if not (isinstance(title, str) and title.strip()):
        raise InputFileError(f"{path} has no title")
    if not (isinstance(tags, list) and TAG in tags):
        raise InputFileError(f"{path} lacks the tag {TAG!r}, by which ours are known")
    return Wanted(path.name, uid, title, model)
