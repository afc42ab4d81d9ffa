"""One poller for all visitors: reads the store off the event loop and tells every view.

The store is asked once a period while anybody looks, whatever the number of visitors, and not at
all while nobody does.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from dataclasses import dataclass, field
from typing import Protocol

from dashboards.page.source import (
    Evidence,
    Overview,
    ReadableStore,
    Series,
    read_evidence,
    read_overview,
)
from schemas.errors import StoreError

_log = logging.getLogger(__name__)

# Late readings revise rhythms of the past, which the quick polls do not read again.
_WHOLE_HISTORY_S = 60.0


@dataclass(frozen=True)
class Failure:
    """The store cannot be read; ``since`` is the wall clock in epoch seconds."""

    since: float
    message: str


@dataclass(frozen=True)
class Snapshot:
    """What all views share; ``failure`` stands beside the last rows that could be read."""

    overview: Overview | None = None
    evidence: dict[Series, Evidence] = field(default_factory=dict)
    failure: Failure | None = None


class View(Protocol):
    """One visitor's page."""

    def wanted(self) -> Series | None:
        """The series it shows."""
        ...

    def show(self, snapshot: Snapshot) -> None:
        """Bring the page up to date; called on the event loop after every poll."""
        ...


class Feed:
    """Polls the store and keeps the newest snapshot."""

    def __init__(self, store: ReadableStore, *, period_s: float = 1.0) -> None:
        self._store = store
        self._period_s = period_s
        self._views: set[View] = set()
        self._wake = asyncio.Event()
        self._read_whole: dict[Series, float] = {}
        self.snapshot = Snapshot()

    def join(self, view: View) -> None:
        """Keep a view up to date from now on."""
        self._views.add(view)
        self._wake.set()

    def leave(self, view: View) -> None:
        """Forget a view; leaving twice is fine."""
        self._views.discard(view)

    def hurry(self) -> None:
        """Poll at once: a view has changed what it wants."""
        self._wake.set()

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            if not self._views:
                self.snapshot = Snapshot()  # it grows old: the next visitor must not see it
                await self._wake.wait()
            self._wake.clear()
            wanted = {series for view in self._views if (series := view.wanted()) is not None}
            self.snapshot = await asyncio.to_thread(self._poll, wanted)
            for view in list(self._views):
                try:
                    view.show(self.snapshot)
                except Exception:  # one visitor's trouble must not stop the page of the others
                    _log.exception("a view could not be brought up to date")
            try:
                await asyncio.wait_for(self._wake.wait(), self._period_s)
            except TimeoutError:
                continue

    def _poll(self, wanted: set[Series]) -> Snapshot:
        before = self.snapshot
        try:
            overview = read_overview(self._store)
            evidence = {}
            if overview.now_ms is not None:
                evidence = {
                    series: self._evidence(series, overview.now_ms, before) for series in wanted
                }
        except Exception as error:  # whatever it is, the page must say so and go on trying
            if isinstance(error, StoreError):
                message = str(error)
            else:
                _log.exception("reading the store failed")
                message = f"{type(error).__name__} (the log says more)"
            since = before.failure.since if before.failure else time.time()
            return Snapshot(before.overview, before.evidence, Failure(since, message))
        self._read_whole = {
            series: when for series, when in self._read_whole.items() if series in wanted
        }
        return Snapshot(overview, evidence)

    def _evidence(self, series: Series, now_ms: int, before: Snapshot) -> Evidence:
        known = before.evidence.get(series)
        if time.monotonic() - self._read_whole.get(series, -math.inf) > _WHOLE_HISTORY_S:
            known = None
        answer = read_evidence(self._store, series, now_ms, known)
        if known is None:
            self._read_whole[series] = time.monotonic()
        return answer
