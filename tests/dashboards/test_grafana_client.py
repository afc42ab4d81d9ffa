"""The edge to Grafana: every documented answer, and every way to give none, ends as one of ours."""

from __future__ import annotations

import inspect
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import grafana_api.grafana_api
import pytest
import requests.exceptions
import urllib3.exceptions

from dashboards.deploy.answers import Permission
from dashboards.deploy.client import Grafana
from schemas.errors import GrafanaError, GrafanaRefused, GrafanaUnavailable
from tests.dashboards.grafana_server import TOKEN, Fault, GrafanaServer

MODEL = {"uid": "acrophase-cohort", "title": "Cohort", "tags": ["acrophase"], "panels": []}

# Every request that we make: method, path, and the call behind it.
CALLS: dict[str, tuple[str, str, Callable[[Grafana], Any]]] = {
    "health": ("GET", "/api/health", lambda g: g.version()),
    "folder": ("GET", "/api/folders/", lambda g: g.folder("acrophase")),
    "folder-new": ("POST", "/api/folders", lambda g: g.create_folder("second", "Second")),
    "permissions": ("GET", "/permissions", lambda g: g.folder_permissions("acrophase")),
    "permissions-set": (
        "POST",
        "/permissions",
        lambda g: g.set_folder_permissions("acrophase", [Permission(role="Viewer", permission=1)]),
    ),
    "team": ("GET", "/api/teams/search", lambda g: g.team("Night shift & day")),
    "search": ("GET", "/api/search", lambda g: g.tagged("acrophase")),
    "dashboard": ("GET", "/api/dashboards/uid/", lambda g: g.dashboard("acrophase-cohort")),
    "versions": ("GET", "/versions", lambda g: g.newest_version("acrophase-cohort")),
    "save": (
        "POST",
        "/api/dashboards/db",
        lambda g: g.save_dashboard(MODEL, "acrophase", "a message", 1),
    ),
    "delete": ("DELETE", "/api/dashboards/uid/", lambda g: g.delete_dashboard("acrophase-cohort")),
    "annotations": ("GET", "/api/annotations", lambda g: g.annotations(["acrophase"], 1000)),
    "annotation-change": (
        "PATCH",
        "/api/annotations/",
        lambda g: g.change_annotation(1, 1000, 2000, ["acrophase"], "text"),
    ),
    "annotation-new": (
        "POST",
        "/api/annotations",
        lambda g: g.add_annotation(1000, None, ["acrophase"], "text"),
    ),
}
ONCE = "annotation-new"
REPEATED = sorted(set(CALLS) - {ONCE})


@pytest.fixture
def server() -> Iterator[GrafanaServer]:
    with GrafanaServer() as server:
        server.teams["Night shift & day"] = 12
        grafana = Grafana(server.url, TOKEN)
        grafana.add_annotation(1000, None, ["acrophase"], "text")
        grafana.create_folder("acrophase", "Acrophase")
        grafana.save_dashboard(MODEL, "acrophase", "first", None)
        grafana.close()
        server.requests.clear()
        yield server


@pytest.fixture
def waits() -> list[float]:
    """How long the client waited, each time."""
    return []


@pytest.fixture
def grafana(server: GrafanaServer, waits: list[float]) -> Iterator[Grafana]:
    grafana = Grafana(server.url, TOKEN, pause=waits.append)
    yield grafana
    grafana.close()


@pytest.fixture
def hasty(server: GrafanaServer, waits: list[float]) -> Iterator[Grafana]:
    """It waits half a second for an answer."""
    grafana = Grafana(server.url, TOKEN, timeout_s=0.5, pause=waits.append)
    yield grafana
    grafana.close()


def fail(server: GrafanaServer, name: str, **fault: Any) -> None:
    method, path, _ = CALLS[name]
    server.faults = [Fault(method, path, **fault)]


@pytest.mark.parametrize("name", CALLS)
def test_every_request_is_served_as_documented(
    name: str, grafana: Grafana, server: GrafanaServer
) -> None:
    CALLS[name][2](grafana)
    (asked,) = server.requests
    assert asked.method == CALLS[name][0]
    assert CALLS[name][1] in asked.path
    assert asked.authorised
    # Numbers of dashboards and folders are no part of any request; annotations have nothing else.
    assert "/id/" not in asked.path
    assert not {"folderIds", "dashboardIds", "dashboardId"} & set(asked.query)


def test_what_is_read_is_what_is_there(grafana: Grafana) -> None:
    assert grafana.version() == "13.0.1"
    folder, dashboard = grafana.folder("acrophase"), grafana.dashboard("acrophase-cohort")
    newest, team = grafana.newest_version("acrophase-cohort"), grafana.team("Night shift & day")
    assert folder is not None
    assert folder.title == "Acrophase"
    assert dashboard is not None
    assert (dashboard.meta.folder_uid, dashboard.dashboard["version"]) == ("acrophase", 1)
    assert newest is not None
    assert (newest.message, newest.created_by) == ("first", "sa-deploy")
    assert team is not None
    assert team.id == 12
    assert [hit.uid for hit in grafana.tagged("acrophase")] == ["acrophase-cohort"]
    assert grafana.tagged("another") == []
    assert [each.text for each in grafana.annotations(["acrophase"], 1000)] == ["text"]
    assert grafana.annotations(["acrophase"], 1001) == []
    odd = ["acrophase", "kind:a&b=1 #+%"]
    grafana.add_annotation(3000, 5000, odd, "a region")
    (region,) = grafana.annotations(odd, 4000)
    assert (region.time, region.time_end, region.tags) == (3000, 5000, odd)


def test_what_is_not_there_is_nothing(grafana: Grafana) -> None:
    assert grafana.folder("none") is None
    assert grafana.dashboard("none") is None
    assert grafana.team("none") is None
    grafana.delete_dashboard("none")
    assert not grafana.change_annotation(99, 1, 2, [], "text")


@pytest.mark.parametrize("status", [400, 403, 409, 412, 422])
@pytest.mark.parametrize("name", CALLS)
def test_a_refusal_is_told_once_and_not_repeated(
    name: str, status: int, grafana: Grafana, server: GrafanaServer, waits: list[float]
) -> None:
    fail(server, name, status=status, times=9)
    with pytest.raises(GrafanaRefused, match=f"{status}: as the test wants it") as caught:
        CALLS[name][2](grafana)
    assert caught.value.status == status
    assert not caught.value.retryable
    assert (len(server.requests), waits) == (1, [])


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "make a new one for the service account, and set ACROPHASE_GRAFANA_TOKEN"),
        (403, "give its service account the permission"),
        (404, "there is none"),
        (409, "there is one already"),
        (412, "changed by somebody else"),
        (302, "set ACROPHASE_GRAFANA_URL to the address it leads to"),
    ],
)
def test_a_refusal_says_what_to_do(
    status: int, advice: str, grafana: Grafana, server: GrafanaServer
) -> None:
    fail(server, "save", status=status, headers={"Location": "/login"})
    with pytest.raises(GrafanaRefused, match=advice) as caught:
        CALLS["save"][2](grafana)
    assert f"Grafana at {server.url} did not save dashboard acrophase-cohort" in str(caught.value)
    assert len(server.requests) == 1  # a redirect is not followed


def test_a_wrong_token_is_refused_and_never_told(server: GrafanaServer) -> None:
    grafana = Grafana(server.url, "glsa_wrong-secret")
    with pytest.raises(GrafanaRefused, match="does not take the token") as caught:
        grafana.folder("acrophase")
    assert caught.value.status == 401
    assert "wrong-secret" not in str(caught.value)
    grafana.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("name", REPEATED)
def test_what_passes_is_waited_for(
    name: str, status: int, grafana: Grafana, server: GrafanaServer, waits: list[float]
) -> None:
    fail(server, name, status=status, times=3)
    CALLS[name][2](grafana)
    assert (len(server.requests), waits) == (4, [0.5, 1.0, 2.0])


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_does_not_pass_is_told_in_the_end(
    status: int, grafana: Grafana, server: GrafanaServer
) -> None:
    fail(server, "search", status=status, times=9)
    with pytest.raises(GrafanaUnavailable, match=f"{status}: as the test wants it") as caught:
        grafana.tagged("acrophase")
    assert caught.value.retryable
    assert len(server.requests) == 4


def test_retry_after_says_how_long(
    grafana: Grafana, server: GrafanaServer, waits: list[float]
) -> None:
    fail(server, "save", status=429, headers={"Retry-After": "7"}, times=2)
    CALLS["save"][2](grafana)
    assert waits == [7.0, 7.0]
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    fail(server, "dashboard", status=503, headers={"Retry-After": moment})
    CALLS["dashboard"][2](grafana)
    assert 20 < waits[2] <= 30
    fail(server, "dashboard", status=503, headers={"Retry-After": "soon"})
    CALLS["dashboard"][2](grafana)
    assert waits[3] == 0.5


def test_nobody_waits_an_hour_at_a_terminal(
    grafana: Grafana, server: GrafanaServer, waits: list[float]
) -> None:
    fail(server, "save", status=429, headers={"Retry-After": "3600"})
    with pytest.raises(GrafanaUnavailable, match="asks to wait 3600 s") as caught:
        CALLS["save"][2](grafana)
    assert (caught.value.retry_after_s, waits) == (3600.0, [])


@pytest.mark.parametrize("name", REPEATED)
def test_a_connection_that_breaks_is_opened_again(
    name: str, grafana: Grafana, server: GrafanaServer, waits: list[float]
) -> None:
    fail(server, name, cut=True)
    CALLS[name][2](grafana)
    assert (len(server.requests), waits) == (2, [0.5])


@pytest.mark.parametrize("name", ["dashboard", "permissions-set", "annotation-change"])
def test_a_slow_answer_is_asked_for_again(
    name: str, hasty: Grafana, server: GrafanaServer, waits: list[float]
) -> None:
    fail(server, name, delay_s=2.0)
    CALLS[name][2](hasty)
    assert (len(server.requests), waits) == (2, [0.5])


def test_slow_answers_are_told_in_the_end(hasty: Grafana, server: GrafanaServer) -> None:
    fail(server, "search", delay_s=2.0, times=4)
    with pytest.raises(GrafanaUnavailable, match=r"no answer within 0\.5 s"):
        hasty.tagged("acrophase")


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"status": 500},
        {"status": 503},
        {"delay_s": 2.0, "carried_out": True},
        {"cut": True, "carried_out": True},
    ],
    ids=["429", "500", "503", "slow", "cut"],
)
def test_an_annotation_is_never_written_twice(
    fault: dict[str, Any], hasty: Grafana, server: GrafanaServer, waits: list[float]
) -> None:
    fail(server, ONCE, **fault)
    with pytest.raises(GrafanaUnavailable):
        CALLS[ONCE][2](hasty)
    assert (len(server.requests), waits) == (1, [])


def test_nothing_listens(waits: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        grafana = Grafana(f"http://127.0.0.1:{taken.getsockname()[1]}", TOKEN, pause=waits.append)
        with pytest.raises(GrafanaUnavailable, match="no connection") as caught:
            grafana.version()
        grafana.close()
    assert waits == [0.5, 1.0, 2.0]
    assert "see whether it runs" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"<html>log in</html>", b"null", b"[1]", b'{"a": 1}'])
def test_what_is_no_grafana_is_told_as_such(
    body: bytes, grafana: Grafana, server: GrafanaServer
) -> None:
    fail(server, "folder", status=200, body=body)
    with pytest.raises(GrafanaRefused, match="is not Grafana as documented") as caught:
        grafana.folder("acrophase")
    assert caught.value.status == 0


@pytest.mark.parametrize(
    "body", [b"", b"null", b"7", b"a page with the word message", b'["message"]', b"\xff{"]
)
def test_a_proxys_page_does_not_trip_us(
    body: bytes, grafana: Grafana, server: GrafanaServer
) -> None:
    """grafana-api itself fails with a TypeError on most of these."""
    fail(server, "search", status=502, body=body, times=4)
    with pytest.raises(GrafanaUnavailable, match="502"):
        grafana.tagged("acrophase")


def test_grafana_below_a_path() -> None:
    with GrafanaServer(prefix="/grafana") as server:
        grafana = Grafana(server.url + "/", TOKEN)
        assert grafana.version() == "13.0.1"
        assert grafana.url == server.url
        grafana.close()


def test_the_address_of_ipv6_keeps_its_brackets() -> None:
    grafana = Grafana("https://[::1]:3000/g", TOKEN)
    assert grafana._face.api.url == "https://[::1]:3000/g/api"
    grafana.close()


def test_a_certificate_that_is_not_trusted_is_told_at_once(
    server: GrafanaServer, waits: list[float]
) -> None:
    # Spoken to in TLS, a server without it breaks the handshake: requests says SSLError as well.
    grafana = Grafana(server.url.replace("http:", "https:"), TOKEN, pause=waits.append)
    with pytest.raises(GrafanaRefused, match="REQUESTS_CA_BUNDLE"):
        grafana.version()
    assert waits == []
    grafana.close()


def errors_of_others() -> Iterator[Exception]:
    """One of each class that grafana-api, requests and urllib3 declare."""
    for module in (grafana_api.grafana_api, requests.exceptions, urllib3.exceptions):
        found = [
            each
            for each in vars(module).values()
            if inspect.isclass(each)
            and issubclass(each, Exception)
            and each.__module__ == module.__name__
            and not issubclass(each, Warning | urllib3.exceptions.ProxySchemeUnsupported)
        ]
        assert len(found) > 4  # or the library has moved them
        for each in found:
            error = each.__new__(each)
            Exception.__init__(error, "what the library said")
            if isinstance(error, grafana_api.grafana_api.GrafanaException):
                error.status_code, error.message = 418, "what the library said"
            yield error
    yield ConnectionResetError()
    yield ssl.SSLError("what the library said")
    yield UnicodeEncodeError("latin-1", "token", 0, 1, "what the library said")


def test_no_error_of_a_library_goes_further(
    grafana: Grafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in errors_of_others():

        def throw(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(grafana._face.api.s, "get", throw)
        with pytest.raises(GrafanaError) as caught:
            grafana.dashboard("acrophase-cohort")
        assert TOKEN not in str(caught.value)
