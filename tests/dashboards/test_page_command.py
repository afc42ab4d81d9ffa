"""``acrophase page`` as a process: how it begins and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dashboards.page.serve import bind
from schemas.errors import SettingsError
from tests.dashboards.browser import WITHIN_S, PageProcess


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "acrophase", "page", "--port", str(port)]
        store = f"sqlite:///{tmp_path / 'x.db'}"
        ended = subprocess.run(
            [*command, "--store", store],
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr == (
        f"error: port {port} of 127.0.0.1 is taken by another program: choose another with --port\n"
    )
    assert ended.stdout == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to(tmp_path: Path, number: signal.Signals) -> None:
    page = PageProcess(tmp_path / "x.db", tmp_path / "log")
    with socket.create_connection(("127.0.0.1", page.port)):  # somebody is still there
        assert page.stop(number) == 0
    assert "Traceback" not in page.said()
    assert not (tmp_path / "x.db-wal").exists(), "the store has been closed"


def test_an_address_that_is_not_ours_is_refused_with_what_to_check() -> None:
    with pytest.raises(SettingsError, match=r"cannot listen on 192\.0\.2\.1.*check --host"):
        bind("192.0.2.1", 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_it_listens_where_it_is_told_to(host: str) -> None:
    if host == "::1" and not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with bind(host, 0) as listening:
        port = listening.getsockname()[1]
        with socket.create_connection((host, port), timeout=WITHIN_S):
            pass
        with pytest.raises(SettingsError, match="is taken"):
            bind(host, port)
