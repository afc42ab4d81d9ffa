"""Processes that a test starts, harms and ends, each with its log in a file."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, Self

ROOT = Path(__file__).parents[1]
_WITHIN_S = 120.0


def wait_until(
    condition: Callable[[], bool], what: str, within_s: float = _WITHIN_S, every_s: float = 0.05
) -> None:
    """Look every 50 ms; fails with ``what`` it waited for."""
    limit = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < limit, f"waited {within_s:.0f} s for {what}"
        time.sleep(every_s)


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Handle(Protocol):
    """A process as `subprocess.Popen` offers it."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class Program:
    """A running process whose output goes to ``log``; as a context manager it is gone after."""

    def __init__(self, handle: Handle, log: Path) -> None:
        self.handle = handle
        self.log = log

    def text(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    def wait_for(self, words: str) -> None:
        """Until its log says so; fails if the process ends before."""
        self.wait_until(lambda text: words in text, f"say {words!r}")

    def wait_until(self, condition: Callable[[str], bool], what: str) -> None:
        """Until its log is so; fails if the process ends before."""

        def reached() -> bool:
            if condition(self.text()):
                return True
            status = self.handle.poll()
            assert status is None, f"ended with {status}"
            return False

        try:
            wait_until(reached, f"it to {what}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self}") from None

    def kill(self) -> None:
        """SIGKILL, at once."""
        self.send(signal.SIGKILL)
        self.handle.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.handle.pid, number)

    def status(self, within_s: float) -> int:
        """How it ended; fails if it has not ended in time."""
        try:
            return self.handle.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still runs after {within_s:.0f} s\n{self}") from None

    def stop(self, within_s: float = 20.0) -> None:
        """SIGTERM; must end with status 0 within seconds."""
        self.send(signal.SIGTERM)
        assert self.status(within_s) == 0, str(self)

    def __str__(self) -> str:
        return f"{self.log}:\n{self.text()[-4000:]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.handle.poll() is None:
            self.kill()


def started(
    command: list[str], log: Path, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a command in a folder; what it says goes to ``log``."""
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | dict(environment or {}),
        )


def acrophase(*arguments: str) -> list[str]:
    """The command line of one of our own commands."""
    return [sys.executable, "-m", "acrophase", *arguments]
