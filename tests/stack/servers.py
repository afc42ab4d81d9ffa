"""A Kafka and an InfluxDB of a test's own, which may be killed and started again."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlencode

import pytest

from tests.processes import ROOT, free_port

_ANSWER_WITHIN_S = 60.0
_FETCH_WITHIN_S = 600.0  # Maven brings 45 jars the first time
_STOP_WITHIN_S = 20.0


class Server(ABC):
    """A server in a folder of its own, on one port for all its lives."""

    within_s = _ANSWER_WITHIN_S

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it on its folder and port."""

    @abstractmethod
    def answers(self) -> bool:
        """True once it serves."""

    def start(self) -> None:
        """Returns when it answers; what it says is added to the log."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(self.command(), stdout=output, stderr=output)
        limit = time.monotonic() + self.within_s
        while not self.answers():
            status = self._process.poll()
            late = time.monotonic() > limit
            if status is not None or late:
                said = self.log.read_text(errors="replace")[-4000:]
                pytest.fail(
                    f"{self.command()}: status {status} within {self.within_s:.0f} s\n{said}"
                )
            time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL, at once; what it has confirmed must be there after the next `start`."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    # An outage, as `tests.faults.ward.Outage` has it.
    begin = kill
    end = start

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class KafkaNode(Server):
    """One node of Apache Kafka, by ``tools/kafka/run.py``."""

    within_s = _FETCH_WITHIN_S

    @property
    def address(self) -> str:
        """``host:port`` for ``bootstrap_servers``."""
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        runner = ROOT / "tools" / "kafka" / "run.py"
        where = ["--port", str(self.port), "--dir", str(self.folder / "data")]
        return [sys.executable, str(runner), *where]

    def answers(self) -> bool:
        # Kafka opens this listener only when it is ready to serve.
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Bucket(NamedTuple):
    """A bucket of an InfluxDB 2.x, with a token that may do everything with it."""

    url: str
    org: str
    bucket: str
    token: str

    @property
    def store_url(self) -> str:
        """As the setting ``store`` takes it; the token travels apart."""
        return f"{self.url}?{urlencode({'org': self.org, 'bucket': self.bucket})}"

    def other(self, name: str) -> Bucket:
        """Another, empty bucket of the same server."""
        found = _ask(f"{self.url}/api/v2/orgs?org={quote(self.org)}", self.token)
        wanted = {"orgID": found["orgs"][0]["id"], "name": name, "retentionRules": []}
        _ask(f"{self.url}/api/v2/buckets", self.token, wanted)
        return self._replace(bucket=name)


class InfluxNode(Server):
    """One InfluxDB 2.x; ``program`` is the path of its ``influxd``."""

    def __init__(self, folder: Path, program: str) -> None:
        super().__init__(folder)
        self._program = program
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [
            self._program,
            f"--bolt-path={self.folder / 'influxd.bolt'}",
            f"--sqlite-path={self.folder / 'influxd.sqlite'}",
            f"--engine-path={self.folder / 'engine'}",
            f"--http-bind-address=127.0.0.1:{self.port}",
            "--reporting-disabled",
            "--log-level=error",
        ]

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def set_up(self) -> Bucket:
        """The first user, organisation and bucket; once in its life."""
        names = {"username": "acrophase", "org": "acrophase", "bucket": "acrophase"}
        wanted = names | {"password": "only-for-this-test-run"}
        answer = _ask(f"{self.url}/api/v2/setup", None, wanted)
        return Bucket(self.url, names["org"], names["bucket"], answer["auth"]["token"])


def _ask(url: str, token: str | None, body: Mapping[str, object] | None = None) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Token {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        answer: dict[str, Any] = json.load(response)
    return answer
