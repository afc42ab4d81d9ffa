"""What the InfluxDB client's edge makes of a server's answers, over real HTTP.

The server here speaks just enough HTTP to give the answers that a healthy InfluxDB cannot be
brought to give; the healthy one is in ``tests/stack``.
"""

from __future__ import annotations

import gzip
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from processors.store.flux import FluxError, parse
from processors.store.influx import LINES_PER_REQUEST, InfluxStore
from schemas.errors import StoreError, StoreRefused, StoreUnavailable
from schemas.measurements import PROFILE
from tests.processors.store.test_conformance import T0, profile

TOKEN = "a-token-nobody-may-see"
Answer = tuple[int, dict[str, str], bytes]


class Server(ThreadingHTTPServer):
    """Answers each request with ``answer(lines of the request)`` and keeps the lines."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: Callable[[list[str]], Answer] = lambda lines: (204, {}, b"")
        self.requests: list[list[str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        lines = body.decode().split("\n")
        self.server.requests.append(lines)
        status, headers, content = self.server.answer(lines)
        if status == 0:  # break the connection
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def store(server: Server) -> Iterator[InfluxStore]:
    store = InfluxStore(server.url, org="o", bucket="b", token=TOKEN)
    yield store
    store.close()


def failure(store: InfluxStore) -> StoreError:
    with pytest.raises(StoreError) as of_select:
        store.select(PROFILE)
    with pytest.raises(StoreError) as of_write:
        store.write(PROFILE, [profile()])
    assert type(of_select.value) is type(of_write.value)
    return of_write.value


@pytest.mark.parametrize(
    ("status", "error", "advice"),
    [
        (400, StoreRefused, "server's own reason"),
        (401, StoreRefused, "give a token"),
        (403, StoreRefused, "give a token"),
        (404, StoreRefused, "create bucket 'b' in organisation 'o'"),
        (405, StoreRefused, "server's own reason"),
        (413, StoreRefused, "one row alone is too large"),
        (422, StoreRefused, "server's own reason"),
        (408, StoreUnavailable, "come back later"),
        (429, StoreUnavailable, "come back later"),
        (500, StoreUnavailable, "come back later"),
        (502, StoreUnavailable, "come back later"),
        (503, StoreUnavailable, "come back later"),
        (504, StoreUnavailable, "come back later"),
    ],
)
def test_every_status_is_translated(
    server: Server, store: InfluxStore, status: int, error: type[StoreError], advice: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    server.answer = lambda lines: (status, {}, b'{"code":"x","message":"the reason it gave"}')
    caught = failure(store)
    assert type(caught) is error
    assert f"HTTP {status}: the reason it gave" in str(caught)
    assert advice in str(caught)
    assert len(server.requests) == 2  # neither was tried again behind our back
    assert TOKEN not in str(caught) + repr(caught.__cause__) + caplog.text


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
def test_when_to_come_back_is_passed_on(
    server: Server, store: InfluxStore, header: str, seconds: float | None
) -> None:
    server.answer = lambda lines: (503, {"Retry-After": header}, b"busy")
    caught = failure(store)
    assert isinstance(caught, StoreUnavailable)
    assert caught.retry_after_s == seconds


def test_a_request_that_is_too_large_is_split(server: Server, store: InfluxStore) -> None:
    server.answer = lambda lines: (413 if len(lines) > 300 else 204, {}, b"")
    store.write(PROFILE, [profile(time=T0 + step) for step in range(1_000)])
    taken = [lines for lines in server.requests if len(lines) <= 300]
    times = [int(line.rpartition(" ")[2]) - T0 for lines in taken for line in lines]
    assert times == list(range(1_000))


def test_long_writes_are_cut_into_requests(server: Server, store: InfluxStore) -> None:
    store.write(PROFILE, [profile(time=T0 + step) for step in range(LINES_PER_REQUEST + 1)])
    assert [len(lines) for lines in server.requests] == [LINES_PER_REQUEST, 1]


def test_a_broken_connection_is_tried_again(server: Server, store: InfluxStore) -> None:
    server.answer = lambda lines: (0 if len(server.requests) == 1 else 204, {}, b"")
    store.write(PROFILE, [profile()])
    assert len(server.requests) == 2
    assert server.requests[0] == server.requests[1]


def test_nobody_listens() -> None:
    with socket.socket() as reserved:  # bound, not listening: nobody else can take the port
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        store = InfluxStore(url, org="o", bucket="b", token=TOKEN)
        caught = failure(store)
        store.close()
    assert isinstance(caught, StoreUnavailable)
    assert url in str(caught)
    assert "refused" in str(caught)
    assert "0x" not in str(caught)


def test_an_answer_that_breaks_off_is_for_now(server: Server, store: InfluxStore) -> None:
    begun = (
        b"#datatype,string,long,dateTime:RFC3339,string,string,string,double\r\n"
        b",result,table,_time,site,subject,analyte,value\r\n"
        b",_result,0,2023-11-14T22:13:20.5Z,s,p,a,1.5\r\n\r\n"
    )
    server.answer = lambda lines: (200, {}, begun)
    assert [(r["time"] - T0, r["value"]) for r in store.select(PROFILE)] == [(500, 1.5)]
    server.answer = lambda lines: (
        200, {}, begun + b"#datatype,string,string\r\n,error,reference\r\n,memory limit,897\r\n",
    )  # fmt: skip
    with pytest.raises(StoreUnavailable, match="memory limit"):
        store.select(PROFILE)


@pytest.mark.parametrize("head", [",error,reference\r\n,", "error,reference\r\n"])
def test_both_forms_of_an_error_table(head: str) -> None:
    with pytest.raises(FluxError, match="out of luck"):
        list(parse(PROFILE, head + "out of luck,897\r\n"))
