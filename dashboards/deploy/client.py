"""Grafana's HTTP API, as far as we use it: the thin edge over the package ``grafana-api``.

Requests go by uid. The package's calls by numeric id and those of legacy alerting are left alone:
Grafana 13 answers them no more. What the package has no call for (health, versions of a dashboard)
goes through its own request runner.

Requests that may be repeated are: a few times after a failure that passes (no answer, 429, 5xx),
with growing waits or as long as ``Retry-After`` says. Errors of the package and of what is beneath
it (requests, urllib3) leave as ``GrafanaUnavailable`` or ``GrafanaRefused``. No text of ours holds
the token or a requested address, whose query may name a person.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import requests
import urllib3.exceptions
from grafana_api.grafana_api import GrafanaException
from grafana_api.grafana_face import GrafanaFace
from pydantic import TypeAdapter, ValidationError

from dashboards.deploy.answers import (
    Annotation,
    Created,
    Dashboard,
    Folder,
    Health,
    Hit,
    Permission,
    Team,
    Version,
    Versions,
)
from schemas.errors import GrafanaError, GrafanaRefused, GrafanaUnavailable

_FIRST_WAIT_S = 0.5
# Longer than this nobody waits at a terminal: the error then says after when to come back.
_LONGEST_WAIT_S = 60.0
# Grafana gives no more hits than this at once.
_MOST_HITS = 5000
_MOST_ANNOTATIONS = 1000
_TOLD_CHARACTERS = 200

Model = TypeVar("Model")


class Grafana:
    """One Grafana; not for several threads at once.

    url: http(s)://HOST[:PORT][/PATH]. token: of a service account. attempts: how often a request
    that may be repeated is tried. pause: waits for so many seconds.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 10.0,
        attempts: int = 4,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        path = parts.path.strip("/")
        self.url = url.rstrip("/")
        self._face = GrafanaFace(
            token,
            host=f"[{host}]" if ":" in host else host,
            port=parts.port,
            url_path_prefix=f"{path}/" if path else "",
            protocol=parts.scheme,
            timeout=timeout_s,
        )
        # Looked at before the package does, which drops the headers (Retry-After) and stumbles
        # over a proxy's page of text that contains the word "message".
        self._face.api.s.hooks["response"].append(_look)
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._pause = pause

    def close(self) -> None:
        """Let go of the connections."""
        self._face.api.s.close()

    def version(self) -> str:
        """Grafana's version; asked first, since it needs no token."""
        answer = self._ask("tell its version", Health, lambda: self._face.api.GET("/health"))
        return answer.version

    def folder(self, uid: str) -> Folder | None:
        """The folder, or None."""
        what = f"show folder {uid}"
        return self._find(what, Folder, lambda: self._face.folder.get_folder(uid))

    def create_folder(self, uid: str, title: str) -> None:
        """Make a folder at the top. ``GrafanaRefused`` with status 409 if there is one."""
        what = f"make folder {uid}"
        self._ask(what, Folder, lambda: self._face.folder.create_folder(title, uid))

    def folder_permissions(self, uid: str) -> list[Permission]:
        """Who may do what in the folder, as far as it is set on the folder itself."""
        found = self._ask(
            f"show the permissions of folder {uid}",
            list[Permission],
            lambda: self._face.folder.get_folder_permissions(uid),
        )
        return [each for each in found if not each.inherited]

    def set_folder_permissions(self, uid: str, permissions: Sequence[Permission]) -> None:
        """Replace all permissions that are set on the folder."""
        items = {"items": [each.item() for each in permissions]}
        self._ask(
            f"set the permissions of folder {uid}",
            dict[str, Any],
            lambda: self._face.folder.update_folder_permissions(uid, items),
        )

    def team(self, name: str) -> Team | None:
        """The team of this name, or None."""
        found = self._find(
            f"look for team {name!r}",
            list[Team],
            lambda: self._face.teams.get_team_by_name(quote(name, safe="")),
        )
        return next((team for team in found or [] if team.name == name), None)

    def dashboard(self, uid: str) -> Dashboard | None:
        """The dashboard with its metadata, or None."""
        what = f"show dashboard {uid}"
        return self._find(what, Dashboard, lambda: self._face.dashboard.get_dashboard(uid))

    def newest_version(self, uid: str) -> Version | None:
        """How and by whom the dashboard was last saved."""
        found = self._ask(
            f"show the versions of dashboard {uid}",
            Versions,
            lambda: self._face.api.GET(f"/dashboards/uid/{uid}/versions?limit=1"),
        )
        return max(found.versions, key=lambda each: each.version, default=None)

    def tagged(self, tag: str) -> list[Hit]:
        """Dashboards with this tag, wherever they are; at most 5,000."""
        return self._ask(
            f"list the dashboards with tag {tag}",
            list[Hit],
            lambda: self._face.search.search_dashboards(
                tag=quote(tag, safe=""), type_="dash-db", limit=_MOST_HITS
            ),
        )

    def save_dashboard(
        self, model: dict[str, Any], folder_uid: str, message: str, version: int | None
    ) -> None:
        """Create a dashboard (version None) or replace the version that was read.

        ``GrafanaRefused`` with status 412 if it is there already, or is no longer that version;
        also if an earlier attempt was carried out and its answer lost.
        """
        body = {
            "dashboard": model | {"id": None, "version": version},
            "folderUid": folder_uid,
            "message": message,
            "overwrite": False,
        }
        self._ask(
            f"save dashboard {model['uid']}",
            dict[str, Any],
            lambda: self._face.dashboard.update_dashboard(body),
        )

    def delete_dashboard(self, uid: str) -> None:
        """Delete it; well done if it is gone already."""
        what = f"delete dashboard {uid}"
        self._find(what, dict[str, Any], lambda: self._face.dashboard.delete_dashboard(uid))

    def annotations(self, tags: Sequence[str], time_ms: int) -> list[Annotation]:
        """Annotations with all these tags whose time or region holds the moment (ms since 1970)."""
        return self._ask(
            "list annotations",
            list[Annotation],
            lambda: self._face.annotations.get_annotation(
                time_from=time_ms,
                time_to=time_ms,
                tags=[quote(tag, safe="") for tag in tags],
                limit=_MOST_ANNOTATIONS,
            ),
        )

    def add_annotation(
        self, time_ms: int, end_ms: int | None, tags: Sequence[str], text: str
    ) -> int:
        """Write an annotation, a region if it has an end; its id.

        Tried once only, whatever comes: written twice, it would be there twice. Look before you
        try again.
        """
        answer = self._ask(
            "write an annotation",
            Created,
            lambda: self._face.annotations.add_annotation(
                time_from=time_ms, time_to=end_ms, tags=list(tags), text=text
            ),
            repeatable=False,
        )
        return answer.id

    def change_annotation(
        self, number: int, time_ms: int, end_ms: int | None, tags: Sequence[str], text: str
    ) -> bool:
        """Give an annotation its end and text; False if it is there no more."""
        changed = self._find(
            "change an annotation",
            dict[str, Any],
            # All of it: what the package is not given, it would send as nothing.
            lambda: self._face.annotations.partial_update_annotation(
                number, time_from=time_ms, time_to=end_ms, tags=list(tags), text=text
            ),
        )
        return changed is not None

    def _find(self, what: str, kind: type[Model], call: Callable[[], Any]) -> Model | None:
        try:
            return self._ask(what, kind, call)
        except GrafanaRefused as error:
            if error.status == 404:
                return None
            raise

    def _ask(
        self, what: str, kind: type[Model], call: Callable[[], Any], *, repeatable: bool = True
    ) -> Model:
        for attempt in count(1):
            try:
                return TypeAdapter(kind).validate_python(self._once(what, call))
            except ValidationError as error:
                raise self._strange(what) from error
            except GrafanaUnavailable as error:
                wait = error.retry_after_s
                if wait is None:
                    wait = _FIRST_WAIT_S * 2 ** (attempt - 1)
                if not repeatable or attempt >= self._attempts or wait > _LONGEST_WAIT_S:
                    raise
                self._pause(wait)
        raise AssertionError  # count() has no end

    def _once(self, what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except _Answered as answer:
            raise self._told(what, answer.status, answer.message, answer.retry_after_s) from None
        except GrafanaException as error:
            raise self._told(what, error.status_code, str(error.message), None) from error
        except requests.exceptions.InvalidJSONError as error:
            raise self._strange(what) from error
        except requests.exceptions.SSLError as error:
            raise GrafanaRefused(
                f"the certificate of {self.url} is not trusted: name the file of its authority in "
                "REQUESTS_CA_BUNDLE",
                0,
            ) from error
        except _WRONG_ADDRESS as error:
            raise GrafanaRefused(
                f"{self.url} cannot be asked ({type(error).__name__}): see to "
                "ACROPHASE_GRAFANA_URL and ACROPHASE_GRAFANA_TOKEN",
                0,
            ) from error
        except requests.exceptions.Timeout as error:
            raise self._away(f"no answer within {self._timeout_s:g} s") from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as e:
            raise self._away("no connection, or one that broke off") from e

    def _told(
        self, what: str, status: int, message: str, retry_after_s: float | None
    ) -> GrafanaError:
        said = f"{status}: {message}" if message else str(status)
        if status == 429 or status >= 500:
            return self._away(said, retry_after_s)
        advice = {
            401: "it does not take the token: make a new one for the service account, and set "
            "ACROPHASE_GRAFANA_TOKEN",
            403: "the token may not: give its service account the permission "
            "(docs/deploying-dashboards.md)",
            404: "there is none",
            409: "there is one already",
            412: "it was changed by somebody else in the same moment: look, and run this again",
        }.get(status, "the request is refused as it is")
        if 300 <= status < 400:
            advice = "it leads elsewhere: set ACROPHASE_GRAFANA_URL to the address it leads to"
        return GrafanaRefused(f"Grafana at {self.url} did not {what}: {advice} ({said})", status)

    def _away(self, cause: str, retry_after_s: float | None = None) -> GrafanaUnavailable:
        later = f"; it asks to wait {retry_after_s:.0f} s" if retry_after_s else ""
        return GrafanaUnavailable(
            f"Grafana at {self.url} does not answer as it should ({cause}){later}: see whether it "
            "runs, and whether ACROPHASE_GRAFANA_URL is its address",
            retry_after_s,
        )

    def _strange(self, what: str) -> GrafanaRefused:
        return GrafanaRefused(
            f"what answers at {self.url} is not Grafana as documented (asked to {what}): see to "
            "ACROPHASE_GRAFANA_URL, and to proxies before it",
            0,
        )


_WRONG_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidProxyURL,
    urllib3.exceptions.LocationValueError,
    UnicodeError,
)


class _Answered(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, retry_after_s: float | None) -> None:
        super().__init__(status)
        self.status = status
        self.message = message
        self.retry_after_s = retry_after_s


def _look(response: requests.Response, **_: object) -> None:
    # Redirects too: followed, a POST would become a GET, and the token might go elsewhere.
    if response.status_code >= 300:
        after = _seconds(response.headers.get("Retry-After"))
        raise _Answered(response.status_code, _message(response), after)


def _message(response: requests.Response) -> str:
    try:
        body = response.json()
    except requests.exceptions.JSONDecodeError:
        return response.reason or ""
    said = body.get("message") if isinstance(body, dict) else None
    return " ".join(str(said or response.reason or "").split())[:_TOLD_CHARACTERS]


def _seconds(retry_after: str | None) -> float | None:
    """``Retry-After`` (RFC 9110): seconds, or the moment."""
    if retry_after is None:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    # "-0000" comes out without a zone, and means UTC.
    return max(
        0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    )
