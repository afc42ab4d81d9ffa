"""What is to be done, from what is wanted and what Grafana has. Pure.

Whether somebody edited a dashboard by hand is told by its newest version. We name each version that
we save with the SHA-256 of what was sent; whoever saves after us makes a version that is named
otherwise. Comparing contents alone would not do: Grafana brings a dashboard to its own schema when
it is saved, and would seem to be a hand. Where the contents are the same there is nothing to do,
whoever saved last.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboards.deploy.wanted import (
    FOLDER_UID,
    TAG,
    UID_PREFIX,
    Wanted,
    digest,
    stamp_of,
    text_of,
)

LEVELS = {"view": 1, "edit": 2, "admin": 4}
_ROLES = {"viewer": "Viewer", "editor": "Editor"}
_ACCESS = re.compile(r"(viewer|editor|team:[^=,]+)=(view|edit|admin)")


class Action(StrEnum):
    """What becomes of one dashboard."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    EDITED = "edited-by-hand"
    ORPHANED = "orphaned"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class Found:
    """One dashboard as Grafana has it, and how its newest version was saved."""

    uid: str
    model: Mapping[str, Any]
    folder_uid: str
    provisioned: bool = False
    message: str = ""
    saved_by: str = ""

    @property
    def version(self) -> int:
        """Grafana's number of this version."""
        return int(self.model.get("version") or 0)

    def foreign(self) -> str | None:
        """Why it is not ours to touch; None if it is ours."""
        if self.provisioned:
            return "Grafana provisions it from files: change those, or take the provider away"
        if self.folder_uid != FOLDER_UID:
            return f"it lies in another folder than {FOLDER_UID!r}: move it there, or delete it"
        if TAG not in (self.model.get("tags") or []):
            return f"it lacks the tag {TAG!r}: put the tag back, or delete it"
        if not self.uid.startswith(UID_PREFIX):
            return f"its uid does not begin with {UID_PREFIX!r}"
        return None

    @property
    def edited(self) -> bool:
        """Whether the newest version is somebody else's."""
        return stamp_of(self.message) is None


@dataclass(frozen=True)
class Item:
    """One dashboard, what becomes of it, and why."""

    uid: str
    title: str
    action: Action
    reason: str = ""
    wanted: Wanted | None = None
    found: Found | None = None

    def diff(self) -> str:
        """From what Grafana has to what is wanted, unified; empty if nothing is to be written."""
        if self.action not in (Action.CREATE, Action.UPDATE, Action.EDITED):
            return ""
        before = text_of(dict(self.found.model)) if self.found else ""
        after = text_of(self.wanted.model) if self.wanted else ""
        had = f"grafana/{self.uid} (version {self.found.version})" if self.found else "/dev/null"
        lines = difflib.unified_diff(
            before.splitlines(keepends=True),
            after.splitlines(keepends=True),
            had,
            self.wanted.file if self.wanted else "/dev/null",
        )
        return "".join(lines)


@dataclass(frozen=True)
class Grant:
    """What a role or a team may do in the folder: 1 view, 2 edit, 4 administer."""

    who: str
    permission: int


def read_access(text: str) -> tuple[Grant, ...]:
    """Who may do what, from ``viewer=view, team:NAME=edit``; roles as Grafana names them.

    Raises ``ValueError``.

    >>> read_access("viewer=view, team:Night shift=edit")
    (Grant(who='Viewer', permission=1), Grant(who='team:Night shift', permission=2))
    """
    grants = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _ACCESS.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not viewer|editor|team:NAME=view|edit|admin")
        who = _ROLES.get(match[1], match[1])
        grants[who] = Grant(who, LEVELS[match[2]])
    return tuple(grants.values())


@dataclass(frozen=True)
class Plan:
    """All that is to be done. ``before`` and ``after``: permissions of roles and teams."""

    items: tuple[Item, ...]
    folder_missing: bool
    before: tuple[Grant, ...]
    after: tuple[Grant, ...]

    @property
    def permissions_differ(self) -> bool:
        """Whether the folder's permissions are to be set."""
        return set(self.before) != set(self.after)

    @property
    def differs(self) -> bool:
        """Whether Grafana is other than wanted."""
        kept = all(item.action is Action.UNCHANGED for item in self.items)
        return self.folder_missing or self.permissions_differ or not kept

    def of(self, *actions: Action) -> list[Item]:
        """The dashboards that these are to happen to."""
        return [item for item in self.items if item.action in actions]


def make_plan(
    wanted: Sequence[Wanted],
    found: Mapping[str, Found],
    *,
    folder_missing: bool,
    before: Sequence[Grant],
    after: Sequence[Grant],
) -> Plan:
    """What becomes of each dashboard that is wanted or found, by uid.

    found: all with the uid of a wanted one, wherever they are, and all of ours.
    """
    named = {each.uid for each in wanted}
    items = [_judge(each, found.get(each.uid)) for each in wanted]
    items += [
        _orphan(each) for uid, each in found.items() if uid not in named and each.foreign() is None
    ]
    items.sort(key=lambda item: item.uid)
    return Plan(tuple(items), folder_missing, tuple(before), tuple(after))


def same(wanted: Wanted, model: Mapping[str, Any]) -> bool:
    """Whether Grafana has exactly what is wanted."""
    return digest(wanted.model) == digest(dict(model))


def _judge(wanted: Wanted, found: Found | None) -> Item:
    def item(action: Action, reason: str = "") -> Item:
        return Item(wanted.uid, wanted.title, action, reason, wanted, found)

    if found is None:
        return item(Action.CREATE)
    if (why := found.foreign()) is not None:
        return item(Action.FOREIGN, why)
    if same(wanted, found.model):
        return item(Action.UNCHANGED)
    if found.edited:
        return item(Action.EDITED, _hand(found))
    if stamp_of(found.message) == digest(wanted.model):
        return item(Action.UNCHANGED, "Grafana keeps it in a form of its own")
    return item(Action.UPDATE)


def _orphan(found: Found) -> Item:
    title = str(found.model.get("title", ""))
    reason = "no file wants it any more"
    if found.edited:
        reason += f", and {_hand(found)}"
    return Item(found.uid, title, Action.ORPHANED, reason, found=found)


def _hand(found: Found) -> str:
    by = f" by {found.saved_by}" if found.saved_by else ""
    return f"version {found.version} was saved{by}, not by us"
