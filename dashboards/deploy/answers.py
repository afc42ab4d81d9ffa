"""What Grafana answers, as far as it is read: the fields that its HTTP API documents.

https://grafana.com/docs/grafana/latest/developer-resources/api-reference/http-api/api-legacy/
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Fields that are not ours to know are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Health(Answer):
    """``GET /api/health``."""

    version: str


class Folder(Answer):
    """``GET /api/folders/:uid``."""

    uid: str
    title: str


class Permission(Answer):
    """One entry of ``GET /api/folders/:uid/permissions``: of a role, a team or a user.

    ``permission`` is 1 view, 2 edit, 4 administer.
    """

    role: str | None = None
    team_id: int = Field(default=0, alias="teamId")
    user_id: int = Field(default=0, alias="userId")
    permission: int
    inherited: bool = False

    model_config = ConfigDict(populate_by_name=True)

    def item(self) -> dict[str, Any]:
        """As ``POST`` takes it."""
        if self.role:
            return {"role": self.role, "permission": self.permission}
        if self.team_id:
            return {"teamId": self.team_id, "permission": self.permission}
        return {"userId": self.user_id, "permission": self.permission}


class Team(Answer):
    """One team of ``GET /api/teams/search``. Permissions still name it by its number."""

    id: int
    name: str


class Meta(Answer):
    """What ``GET /api/dashboards/uid/:uid`` tells beside the model."""

    folder_uid: str = Field(default="", alias="folderUid")
    provisioned: bool = False


class Dashboard(Answer):
    """``GET /api/dashboards/uid/:uid``."""

    dashboard: dict[str, Any]
    meta: Meta


class Version(Answer):
    """One version of ``GET /api/dashboards/uid/:uid/versions``."""

    version: int
    message: str = ""
    created_by: str = Field(default="", alias="createdBy")


class Versions(Answer):
    """``GET /api/dashboards/uid/:uid/versions``."""

    versions: list[Version]


class Hit(Answer):
    """One dashboard of ``GET /api/search``."""

    uid: str
    folder_uid: str = Field(default="", alias="folderUid")


class Annotation(Answer):
    """One annotation of ``GET /api/annotations``; times in ms since 1970."""

    id: int
    time: int
    time_end: int | None = Field(default=None, alias="timeEnd")
    text: str = ""
    tags: list[str] = []


class Created(Answer):
    """``POST /api/annotations``."""

    id: int
