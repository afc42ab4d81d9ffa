"""``acrophase demo`` in a terminal of its own: what it writes, Ctrl-C, what it leaves behind."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from tests.processes import wait_until

WITHIN_S = 120.0

# The terminal becomes the controlling one, so that a typed Ctrl-C is a signal to the demo alone:
# its children have sessions of their own. Ctrl-C must not be ignored, as it is by whatever runs in
# the background of a script.
_IN_A_TERMINAL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


class DemoTerminal:
    """A running demo. ``folder`` takes its temporary files."""

    def __init__(self, root: Path, folder: Path, port: int, *arguments: str) -> None:
        self.folder = folder
        self.port = port
        self._written = b""
        self._known: dict[str, psutil.Process] = {}
        self._master, slave = pty.openpty()
        demo = [sys.executable, "-m", "acrophase", "demo", "--port", str(port), *arguments]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _IN_A_TERMINAL, *demo],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=root,
            env=os.environ | {"TMPDIR": str(folder), "COLUMNS": "100"},
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                self._written += os.read(self._master, 65536)
            except OSError:  # the other end has been closed
                return

    @property
    def text(self) -> str:
        """All that it has written so far, without what moves the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._written.decode(errors="replace"))

    def wait_for(self, words: str) -> None:
        """Until it says so; fails if it ends before."""

        def said() -> bool:
            assert words in self.text or self.process.poll() is None, self.text
            return words in self.text

        wait_until(said, f"the demo to say {words!r}", WITHIN_S)

    def children(self) -> dict[str, psutil.Process]:
        """All processes that it has started, by the command (``broker`` for the broker's own)."""
        running = psutil.Process(self.process.pid).children(recursive=True)
        named = [(child, child.cmdline()) for child in running]
        self._known = {
            line[3] if line[1:3] == ["-m", "acrophase"] else "broker": child
            for child, line in named
        }
        return self._known

    def type_ctrl_c(self) -> None:
        """As a person does."""
        os.write(self._master, b"\x03")

    def ended(self) -> int:
        """Its exit status, once it has one."""
        status = self.process.wait(WITHIN_S)
        self._reader.join(WITHIN_S)
        return status

    def close(self) -> None:
        """End it in any case, and what it has left behind."""
        self.process.kill()
        for child in self._known.values():
            if child.is_running():
                child.kill()
        self.process.wait()
        self._reader.join(WITHIN_S)
        os.close(self._master)


def all_gone(processes: Iterable[psutil.Process], within_s: float = 10.0) -> bool:
    """Whether none of them runs any more; who waits to be buried does not."""
    limit = time.monotonic() + within_s

    def running() -> list[psutil.Process]:
        return [
            process
            for process in processes
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        ]

    while running() and time.monotonic() < limit:
        time.sleep(0.05)
    return not running()
