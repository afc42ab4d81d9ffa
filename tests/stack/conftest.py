"""A real Apache Kafka and a real InfluxDB for the tests in this folder.

``ACROPHASE_TEST_KAFKA=host:port`` and ``ACROPHASE_TEST_INFLUX=http://host:8086?org=…&bucket=…``
with ``ACROPHASE_TEST_INFLUX_TOKEN`` name running ones. Otherwise Kafka comes from Maven
(``tools/kafka/run.py``), and InfluxDB from ``influxd`` on the path or from the build in
``../shared/tools/influxd``. Tests that kill a server always start one of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.stack.servers import Bucket, InfluxNode, KafkaNode

BUILD_WITHIN_S = 2400  # about 6 minutes on two idle cores


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, before ``-m`` chooses."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def kafka_runs_here() -> None:
    """Skips where Kafka cannot be started."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            pytest.skip(f"Apache Kafka needs {program}, and ACROPHASE_TEST_KAFKA names no other")


@pytest.fixture(scope="session")
def kafka_address(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """``host:port`` of a real Apache Kafka; name topics and groups apart, it is shared."""
    if named := os.environ.get("ACROPHASE_TEST_KAFKA"):
        yield named
        return
    request.getfixturevalue("kafka_runs_here")
    with KafkaNode(tmp_path_factory.mktemp("kafka")) as node:
        yield node.address


@pytest.fixture(scope="session")
def influxd(project_root: Path) -> str:
    """Path of the server's program, built if need be."""
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
def influx(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bucket]:
    """A bucket of a real InfluxDB 2.x; it is shared, so keep subjects apart."""
    if named := os.environ.get("ACROPHASE_TEST_INFLUX"):
        parts = urlsplit(named)
        query = parse_qs(parts.query)
        token = os.environ.get("ACROPHASE_TEST_INFLUX_TOKEN", "")
        url = f"{parts.scheme}://{parts.netloc}"
        yield Bucket(url, query["org"][0], query["bucket"][0], token)
        return
    program = request.getfixturevalue("influxd")
    with InfluxNode(tmp_path_factory.mktemp("influx"), program) as node:
        yield node.set_up()
