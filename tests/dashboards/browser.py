"""A real page process over a real SQLite store, and a real Chromium that looks at it."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from urllib.request import urlopen

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from acrophase.children import tied
from processors.store.sqlite import SqliteStore
from schemas.measurements import MEASUREMENTS, RHYTHM, Measurement, Row

WITHIN_S = 30.0  # a busy machine is not a wrong result
expect.set_options(timeout=WITHIN_S * 1000)


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether a page is served there (the port is taken a moment before)."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/", timeout=WITHIN_S) as answer:
            return int(answer.status) == 200
    except OSError:
        return False


class PageProcess:
    """``acrophase page`` on a free port over a SQLite file, for as long as the context lasts."""

    def __init__(self, store: Path, log: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = log
        command = [sys.executable, "-m", "acrophase", "page", "--store", f"sqlite:///{store}"]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                tied([*command, "--port", str(self.port)]), stdout=output, stderr=output
            )
        limit = time.monotonic() + WITHIN_S
        while not answers(self.port):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < limit, "the page does not answer"
            time.sleep(0.05)

    def said(self) -> str:
        """Its log so far."""
        return self._log.read_text(errors="replace")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status after a signal; killed, with status -9, if it does not end by itself."""
        self.process.send_signal(number)
        try:
            return self.process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class Rows:
    """Rows that were written, to be written again elsewhere."""

    def __init__(self) -> None:
        self._rows: dict[Measurement, list[Row]] = {one: [] for one in MEASUREMENTS}

    def write(self, measurement: Measurement, rows: Sequence[Row]) -> None:
        """Remember."""
        self._rows[measurement] += rows

    def copy_to(self, store: SqliteStore) -> None:
        """Write all of it into a store, people last: who sees them sees everything of them."""
        for measurement in (*(one for one in MEASUREMENTS if one is not RHYTHM), RHYTHM):
            store.write(measurement, self._rows[measurement])


class Ward:
    """The store behind the page: the processors' own writer, and a way to break the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = SqliteStore(path)

    def begin_with(self, rows: Rows) -> None:
        """Replace everything."""
        with closing(sqlite3.connect(self.path)) as connection:
            for measurement in MEASUREMENTS:
                connection.execute(f"DELETE FROM {measurement.name}_rows")
            connection.commit()
        rows.copy_to(self.store)

    def break_it(self) -> None:
        """From now on no query of rhythms can be answered."""
        self._rename("rhythm_rows", "elsewhere")

    def mend_it(self) -> None:
        """As before."""
        self._rename("elsewhere", "rhythm_rows")

    def _rename(self, old: str, new: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA legacy_alter_table = ON")  # leaves views alone
            connection.execute(f"ALTER TABLE {old} RENAME TO {new}")
            connection.commit()


class Desk:
    """A visitor's browser: opens pages, and keeps what they asked for and complained about."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self.address = address
        # One a kind of screen, kept for all tests: what was loaded once is in its cache.
        self._contexts: dict[tuple[int, int, bool], BrowserContext] = {}
        self.hosts: set[str] = set()
        self.complaints: list[str] = []

    def open(
        self, view: str = "/", *, width: int = 1280, height: int = 800, dark: bool = False
    ) -> Page:
        """A page in a tab of its own."""
        screen = (width, height, dark)
        if screen not in self._contexts:
            self._contexts[screen] = self._browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                base_url=self.address,
            )
        page = self._contexts[screen].new_page()
        page.set_default_timeout(WITHIN_S * 1000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda request: self._ask(request.url))
        page.on("websocket", lambda socket: self._ask(socket.url))
        page.goto(view)
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _ask(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob"):
            self.hosts.add(parts.netloc)

    def clear(self) -> None:
        """Close all tabs and forget what was noted."""
        for context in self._contexts.values():
            for page in context.pages:
                page.close()
        self.hosts.clear()
        self.complaints.clear()

    def close(self) -> None:
        """Close all windows."""
        for context in self._contexts.values():
            context.close()
