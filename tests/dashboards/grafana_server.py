"""A Grafana for tests: a real HTTP server that keeps state and can be told to fail.

No Grafana runs on the machines that the tests run on. This server follows the documentation of
Grafana 13's HTTP API, read at
https://grafana.com/docs/grafana/latest/developer-resources/api-reference/http-api/ : the pages
api-legacy/annotations, api-legacy/dashboard_versions, api-legacy/folder_dashboard_search,
api-legacy/folder_permissions, api-legacy/team, api-legacy/other (health). The pages of
``/api/dashboards`` and ``/api/folders`` now describe ``/apis``; they were read as they were before,
docs/sources/developers/http_api/dashboard.md and folder.md in https://github.com/grafana/grafana.
From Grafana's sources there (pkg/registry/apis/dashboard/mutate.go) is that a dashboard may be
brought to a newer schema when it is saved. That an annotation is found if its region touches the
time asked for is an assumption; the agent compares the times itself.

What is not served is answered with 404, the calls by numeric id among them.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

TOKEN = "glsa_test-of-acrophase"
CREATOR = 7  # number of the service account that the token is of


@dataclass
class Fault:
    """How one request to ``method`` and a path that holds ``path`` is answered instead.

    carried_out: the request is done, and its answer lost or late. cut: the connection is closed
    without an answer. times: for so many requests. holds: only if this is in the body.
    """

    method: str
    path: str
    status: int = 0
    body: bytes = b'{"message": "as the test wants it"}'
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: bool = False
    carried_out: bool = False
    times: int = 1
    holds: str = ""


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    authorised: bool


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, message: str, **more: str) -> None:
        super().__init__(message)
        self.code = code
        self.body = {"message": message, **more}


class GrafanaServer:
    """As a context manager it serves on a free port of this machine.

    ``migrates``: saved dashboards are brought to schema 99, as a newer Grafana does.
    """

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.token = TOKEN
        self.migrates = False
        self.folders: dict[str, dict[str, Any]] = {}
        self.permissions: dict[str, list[dict[str, Any]]] = {}
        self.teams: dict[str, int] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self.annotations: dict[int, dict[str, Any]] = {}
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self._lock = threading.Lock()
        self._numbers = 0
        self._http: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}{self.prefix}"

    @property
    def serving(self) -> bool:
        """Whether it is started."""
        return self._http is not None

    def start(self) -> None:
        """Serve, after a stop on the same port and with what it had."""
        server = self

        class Handler(_Handler):
            grafana = server

        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._http.daemon_threads = True
        self._port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        """Serve no more; who asks is refused the connection."""
        if self._http is not None and self._thread is not None:
            http, self._http = self._http, None
            http.shutdown()
            http.server_close()
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def asked(self, method: str, path: str = "") -> list[Request]:
        """The requests of a method to paths that hold this."""
        return [each for each in self.requests if each.method == method and path in each.path]

    def writes(self) -> list[Request]:
        """The requests that change something."""
        return [each for each in self.requests if each.method != "GET"]

    def edit(self, uid: str, message: str = "", **values: Any) -> None:
        """Somebody saves a dashboard by hand."""
        stored = self.dashboards[uid]
        self._keep(uid, stored["dashboard"] | values, stored["meta"]["folderUid"], message, "admin")

    def answer(self, request: Request) -> Any:
        """What is answered; raises `Refusal`."""
        for method, pattern, serve in _ROUTES:
            match = re.fullmatch(pattern, request.path)
            if request.method == method and match:
                if not request.authorised and request.path != "/api/health":
                    raise Refusal(401, "Invalid API key")
                with self._lock:
                    return serve(self, request, *match.groups())
        raise Refusal(404, "Not found")

    def fault(self, request: Request) -> Fault | None:
        """The fault that this request meets."""
        with self._lock:
            for each in self.faults:
                meant = request.method == each.method and each.path in request.path
                if each.times and meant and each.holds in json.dumps(request.body):
                    each.times -= 1
                    return each
        return None

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    # -- what is served --------------------------------------------------------------------------

    def health(self, _: Request) -> Any:
        return {"commit": "087143285", "database": "ok", "version": "13.0.1"}

    def folder(self, _: Request, uid: str) -> Any:
        if uid not in self.folders:
            raise Refusal(404, "folder not found", status="not-found")
        return self.folders[uid]

    def create_folder(self, request: Request) -> Any:
        uid, title = request.body.get("uid") or f"f{self.number()}", request.body["title"]
        if uid in self.folders:
            raise Refusal(409, "a folder with the same UID already exists")
        self.folders[uid] = {"id": self.number(), "uid": uid, "title": title, "version": 1}
        self.permissions[uid] = [
            {"role": "Viewer", "permission": 1, "permissionName": "View"},
            {"role": "Editor", "permission": 2, "permissionName": "Edit"},
            {"userId": CREATOR, "permission": 4, "permissionName": "Admin"},
        ]
        return self.folders[uid]

    def folder_permissions(self, request: Request, uid: str) -> Any:
        self.folder(request, uid)
        blank = {"userId": 0, "userLogin": "", "teamId": 0, "team": "", "inherited": False}
        return [blank | each for each in self.permissions[uid]]

    def set_folder_permissions(self, request: Request, uid: str) -> Any:
        folder = self.folder(request, uid)
        for item in request.body["items"]:
            if sum(bool(item.get(name)) for name in ("role", "teamId", "userId")) != 1:
                raise Refusal(400, "Permissions need one of role, teamId and userId")
        self.permissions[uid] = list(request.body["items"])
        return {"message": "Folder permissions updated", "id": folder["id"], "title": "…"}

    def team(self, request: Request) -> Any:
        name = request.query["name"][0]
        found = [{"id": self.teams[name], "name": name}] if name in self.teams else []
        return {"totalCount": len(found), "teams": found, "page": 1, "perPage": 1000}

    def search(self, request: Request) -> Any:
        tags = request.query.get("tag", [])
        if request.query.get("type") != ["dash-db"]:
            raise Refusal(400, "this test's Grafana searches dashboards")
        hits = [
            {
                "uid": uid,
                "title": each["dashboard"]["title"],
                "type": "dash-db",
                "tags": each["dashboard"].get("tags", []),
                "folderUid": each["meta"]["folderUid"],
            }
            for uid, each in self.dashboards.items()
            if set(tags) <= set(each["dashboard"].get("tags", []))
        ]
        return hits[: int(request.query.get("limit", ["1000"])[0])]

    def dashboard(self, _: Request, uid: str) -> Any:
        if uid not in self.dashboards:
            raise Refusal(404, "Dashboard not found")
        return self.dashboards[uid]

    def dashboard_versions(self, request: Request, uid: str) -> Any:
        self.dashboard(request, uid)
        limit = int(request.query.get("limit", ["1000"])[0])
        return {"continueToken": "", "versions": self.versions[uid][::-1][:limit]}

    def save_dashboard(self, request: Request) -> Any:
        model, overwrite = request.body["dashboard"], request.body.get("overwrite", False)
        uid, folder_uid = model.get("uid"), request.body.get("folderUid", "")
        if not model.get("title"):
            raise Refusal(400, "Dashboard title cannot be empty", status="empty-name")
        if folder_uid and folder_uid not in self.folders:
            raise Refusal(400, "folder not found", status="not-found")
        present = self.dashboards.get(uid)
        if present is not None and present["meta"].get("provisioned"):
            raise Refusal(400, "Cannot save provisioned dashboard")
        if present is not None and not overwrite:
            if model.get("version") is None:
                raise Refusal(
                    412, "A dashboard with the same uid already exists", status="name-exists"
                )
            if model["version"] != present["dashboard"]["version"]:
                raise Refusal(
                    412,
                    "The dashboard has been changed by someone else",
                    status="version-mismatch",
                )
        version = self._keep(uid, model, folder_uid, request.body.get("message", ""), "sa-deploy")
        return {"uid": uid, "url": f"/d/{uid}/x", "status": "success", "version": version}

    def _keep(self, uid: str, model: dict[str, Any], folder_uid: str, message: str, by: str) -> int:
        history = self.versions.setdefault(uid, [])
        version = len(history) + 1
        number = self.dashboards[uid]["dashboard"]["id"] if history else self.number()
        kept = model | {"id": number, "version": version}
        if self.migrates:
            kept |= {"schemaVersion": 99, "fiscalYearStartMonth": 0}
        history.append({"version": version, "uid": uid, "message": message, "createdBy": by})
        self.dashboards[uid] = {"dashboard": kept, "meta": {"folderUid": folder_uid}}
        return version

    def delete_dashboard(self, request: Request, uid: str) -> Any:
        title = self.dashboard(request, uid)["dashboard"]["title"]
        del self.dashboards[uid], self.versions[uid]
        return {"title": title, "message": f"Dashboard {title} deleted", "id": 2}

    def find_annotations(self, request: Request) -> Any:
        tags = set(request.query.get("tags", []))
        begin, end = (int(request.query.get(name, ["0"])[0]) for name in ("from", "to"))
        found = [
            each
            for each in self.annotations.values()
            if tags <= set(each["tags"])
            and (not (begin and end) or (each["time"] <= end and each["timeEnd"] >= begin))
        ]
        return found[: int(request.query.get("limit", ["100"])[0])]

    def add_annotation(self, request: Request) -> Any:
        if not request.body.get("text"):
            raise Refusal(400, "Failed to save annotation: text field should not be empty")
        number = self.number()
        begin = request.body["time"]
        self.annotations[number] = {
            "id": number,
            "time": begin,
            "timeEnd": request.body.get("timeEnd") or begin,
            "tags": request.body.get("tags") or [],
            "text": request.body["text"],
        }
        return {"message": "Annotation added", "id": number}

    def patch_annotation(self, request: Request, number: str) -> Any:
        if int(number) not in self.annotations:
            raise Refusal(404, "Annotation not found")
        given = {
            name: value
            for name, value in request.body.items()
            # An empty list is a value: it takes the tags away.
            if name in ("time", "timeEnd", "text", "tags") and value is not None
        }
        self.annotations[int(number)].update(given)
        return {"message": "Annotation patched"}


_ROUTES: list[tuple[str, str, Callable[..., Any]]] = [
    ("GET", "/api/health", GrafanaServer.health),
    ("GET", "/api/folders/([^/]+)", GrafanaServer.folder),
    ("POST", "/api/folders", GrafanaServer.create_folder),
    ("GET", "/api/folders/([^/]+)/permissions", GrafanaServer.folder_permissions),
    ("POST", "/api/folders/([^/]+)/permissions", GrafanaServer.set_folder_permissions),
    ("GET", "/api/teams/search", GrafanaServer.team),
    ("GET", "/api/search", GrafanaServer.search),
    ("GET", "/api/dashboards/uid/([^/]+)", GrafanaServer.dashboard),
    ("GET", "/api/dashboards/uid/([^/]+)/versions", GrafanaServer.dashboard_versions),
    ("POST", "/api/dashboards/db", GrafanaServer.save_dashboard),
    ("DELETE", "/api/dashboards/uid/([^/]+)", GrafanaServer.delete_dashboard),
    ("GET", "/api/annotations", GrafanaServer.find_annotations),
    ("POST", "/api/annotations", GrafanaServer.add_annotation),
    ("PATCH", "/api/annotations/([0-9]+)", GrafanaServer.patch_annotation),
]


class _Handler(BaseHTTPRequestHandler):
    grafana: GrafanaServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        if not self.grafana.serving:
            self.close_connection = True  # kept open from before it was stopped
            return
        request = Request(
            self.command,
            parts.path.removeprefix(self.grafana.prefix),
            parse_qs(parts.query),
            json.loads(content) if content else None,
            self.headers.get("Authorization") == f"Bearer {self.grafana.token}",
        )
        self.grafana.requests.append(request)
        fault = self.grafana.fault(request)
        if fault is not None:
            status, body = fault.status, fault.body
            if fault.carried_out:
                status, body = self._carry_out(request)
            time.sleep(fault.delay_s)
            if fault.cut:
                self.close_connection = True
                return
            self._send(status or 200, body, fault.headers)
            return
        self._send(*self._carry_out(request), {})

    def _carry_out(self, request: Request) -> tuple[int, bytes]:
        try:
            return 200, json.dumps(self.grafana.answer(request)).encode()
        except Refusal as refusal:
            return refusal.code, json.dumps(refusal.body).encode()

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        try:
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # who asked has gone

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve
