"""Processes that end with the one that started them, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from types import TracebackType
from typing import IO, Self

# The child asks the kernel to end it with its parent and then becomes the program. This runs in
# the child's own interpreter: Popen's preexec_fn may deadlock in a process that has threads.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
parent = int(sys.argv[1])
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
    if os.getppid() != parent:
        sys.exit("the parent ended before its child had started")
os.execv(sys.argv[2], sys.argv[2:])
"""


def tied(command: list[str]) -> list[str]:
    """The command line that runs `command` (an absolute program and its arguments) tied to us.

    On Linux the child dies with the *thread* that starts it.
    """
    return [sys.executable, "-c", _DIE_WITH_PARENT, str(os.getpid()), *command]


class Child:
    """One of our own commands as a process, e.g. ``Child("worker", "--store", url)``."""

    def __init__(self, *arguments: str, output: IO[bytes] | None = None) -> None:
        self.name = arguments[0]
        self._process = subprocess.Popen(
            tied([sys.executable, "-m", "acrophase", *arguments]),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            # Ctrl-C is for us; we end our children in order.
            start_new_session=True,
        )

    @property
    def status(self) -> int | None:
        """Exit status, None while it runs."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def stop(self, within_s: float = 15.0) -> None:
        """Ask it to end, and end it if it does not."""
        self._process.terminate()
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
