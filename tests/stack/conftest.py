"""A real Apache Kafka and a real InfluxDB for the tests in this folder.

``ACROPHASE_TEST_KAFKA=host:port`` and ``ACROPHASE_TEST_INFLUX=http://host:8086?org=…&bucket=…``
with ``ACROPHASE_TEST_INFLUX_TOKEN`` name running ones. Otherwise Kafka comes from Maven
(``tools/kafka/run.py``), and InfluxDB from ``influxd`` on the path or from the build in
``../shared/tools/influxd``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

FETCH_WITHIN_S = 600  # Maven brings 45 jars the first time
BUILD_WITHIN_S = 1800  # about 6 minutes on two idle cores
ANSWER_WITHIN_S = 60
STOP_WITHIN_S = 20


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, before ``-m`` chooses."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.stack)


class InfluxServer(NamedTuple):
    """A running InfluxDB 2.x with an organisation, a bucket and an operator's token."""

    url: str
    org: str
    bucket: str
    token: str

    @property
    def store_url(self) -> str:
        """As the setting ``store`` takes it; the token travels apart."""
        return f"{self.url}?org={self.org}&bucket={self.bucket}"


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server(
    command: Sequence[str], log: Path, answers: Callable[[], bool], within_s: float
) -> Iterator[None]:
    """Run ``command`` from when it answers until the block ends; what it says goes to ``log``."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + within_s
        while not answers():
            ended = process.poll() is not None
            if ended or time.monotonic() > deadline:
                what = f"ended with {process.returncode}" if ended else f"silent for {within_s} s"
                pytest.fail(f"{command}: {what}\n{log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def kafka_address(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``host:port`` of a real Apache Kafka; name topics and groups apart, it is shared."""
    if named := os.environ.get("ACROPHASE_TEST_KAFKA"):
        yield named
        return
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            pytest.skip(f"Apache Kafka needs {program}, and ACROPHASE_TEST_KAFKA names no other")
    port = free_port()
    folder = tmp_path_factory.mktemp("kafka")
    runner = project_root / "tools" / "kafka" / "run.py"
    command = [sys.executable, str(runner), "--port", str(port), "--dir", str(folder / "data")]

    def answers() -> bool:
        # Kafka opens this listener only when it is ready to serve.
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with server(command, folder / "kafka.log", answers, FETCH_WITHIN_S):
        yield f"127.0.0.1:{port}"


def _influxd(project_root: Path) -> str:
    if found := shutil.which("influxd"):
        return found
    build = project_root.parent / "shared" / "tools" / "influxd" / "build"
    if not build.exists():
        pytest.skip(
            "there is no influxd on the path and no ../shared/tools/influxd, and "
            "ACROPHASE_TEST_INFLUX names no other"
        )
    done = subprocess.run([build], capture_output=True, text=True, timeout=BUILD_WITHIN_S)
    if done.returncode != 0:
        pytest.fail(f"InfluxDB could not be built:\n{done.stderr[-4000:]}")
    return done.stdout.splitlines()[-1]


@pytest.fixture(scope="session")
def influx(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """A real InfluxDB 2.x with an empty bucket; it is shared, so keep subjects apart."""
    if named := os.environ.get("ACROPHASE_TEST_INFLUX"):
        parts = urlsplit(named)
        query = parse_qs(parts.query)
        token = os.environ.get("ACROPHASE_TEST_INFLUX_TOKEN", "")
        url = f"{parts.scheme}://{parts.netloc}"
        yield InfluxServer(url, query["org"][0], query["bucket"][0], token)
        return
    folder = tmp_path_factory.mktemp("influx")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        _influxd(project_root),
        f"--bolt-path={folder / 'influxd.bolt'}",
        f"--sqlite-path={folder / 'influxd.sqlite'}",
        f"--engine-path={folder / 'engine'}",
        f"--http-bind-address=127.0.0.1:{port}",
        "--reporting-disabled",
        "--log-level=error",
    ]

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    with server(command, folder / "influxd.log", answers, ANSWER_WITHIN_S):
        yield _set_up(url)


def _set_up(url: str) -> InfluxServer:
    wanted = {
        "username": "acrophase",
        "password": "only-for-this-test-run",
        "org": "acrophase",
        "bucket": "acrophase",
    }
    request = urllib.request.Request(
        f"{url}/api/v2/setup",
        data=json.dumps(wanted).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        token: str = json.load(response)["auth"]["token"]
    return InfluxServer(url, wanted["org"], wanted["bucket"], token)
