"""One poller for all visitors, on a store that can be made to fail."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from dashboards.page.feed import Feed, Snapshot
from dashboards.page.source import Person, ReadableStore, Series, StoreRow
from processors.store.memory import MemoryStore
from schemas.errors import StoreUnavailable
from schemas.measurements import PROFILE, RHYTHM, Measurement
from tests.dashboards.clinic import NOW, NOW_MS, Clinic, Plan, half_hour, rhythm

_PERIOD_S = 0.01
_WITHIN_S = 10.0
_SIM_01 = Series(Person("default", "sim-01"), "saliva-cortisol")


class Counted:
    """The real store in memory; counts questions, and fails while ``error`` is set."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.questions: list[tuple[str, Mapping[str, str], int | None]] = []
        self.error: Exception | None = None

    def select(
        self,
        measurement: Measurement,
        *,
        tags: Mapping[str, str] | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        latest: bool = False,
        limit: int | None = None,
    ) -> list[StoreRow]:
        """As the store, or the error."""
        self.questions.append((measurement.name, tags or {}, start_ms))
        if self.error is not None:
            raise self.error
        return self._store.select(
            measurement,
            tags=tags or {},
            start_ms=start_ms,
            end_ms=end_ms,
            latest=latest,
            limit=limit,
        )

    @property
    def polls(self) -> int:
        """How often the overview was asked for."""
        return sum(name == "alert" for name, _, _ in self.questions)


class Visitor:
    """A view that remembers what it was shown."""

    def __init__(self, series: Series | None = _SIM_01) -> None:
        self.series = series
        self.shown: list[Snapshot] = []

    def wanted(self) -> Series | None:
        """The series it looks at."""
        return self.series

    def show(self, snapshot: Snapshot) -> None:
        """Remember."""
        self.shown.append(snapshot)


@pytest.fixture
def store() -> Counted:
    """One person of 20 days."""
    memory = MemoryStore()
    Clinic(memory).series("sim-01", "saliva-cortisol", days=20)
    return Counted(memory)


@contextlib.asynccontextmanager
async def _running(store: ReadableStore) -> AsyncIterator[Feed]:
    feed = Feed(store, period_s=_PERIOD_S)
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(_WITHIN_S):
        while not condition():
            await asyncio.sleep(_PERIOD_S / 5)


async def test_nobody_looks_and_nobody_asks(store: Counted) -> None:
    async with _running(store) as feed:
        await asyncio.sleep(5 * _PERIOD_S)
        assert store.questions == []
        visitor = Visitor()
        feed.join(visitor)
        await _until(lambda: len(visitor.shown) >= 2)
        feed.leave(visitor)
        feed.leave(visitor)  # a browser may say so twice
        await asyncio.sleep(3 * _PERIOD_S)  # a poll under way may end
        asked, shown = len(store.questions), len(visitor.shown)
        await asyncio.sleep(5 * _PERIOD_S)
        assert (len(store.questions), len(visitor.shown)) == (asked, shown)


async def test_what_nobody_has_looked_at_for_a_while_is_not_shown_to_the_next(
    store: Counted,
) -> None:
    async with _running(store) as feed:
        visitor = Visitor()
        feed.join(visitor)
        await _until(lambda: visitor.shown)
        feed.leave(visitor)
        await _until(lambda: feed.snapshot.overview is None)
        late = Visitor()
        feed.join(late)
        await _until(lambda: late.shown)
        assert late.shown[0].overview is not None


async def test_many_visitors_cost_as_much_as_one(store: Counted) -> None:
    async with _running(store) as feed:
        visitors = [Visitor() for _ in range(50)]
        for visitor in visitors:
            feed.join(visitor)
        await _until(lambda: len(visitors[-1].shown) >= 4)
        # at most one poll more than was shown: the one under way
        assert store.polls <= len(visitors[0].shown) + 1
        for visitor in visitors:
            assert [id(one) for one in visitor.shown] == [id(one) for one in visitors[0].shown]


async def test_each_series_wanted_is_read_once_a_poll(store: Counted) -> None:
    async with _running(store) as feed:
        nobody = Series(Person("default", "sim-02"), "heart-rate")
        views = [Visitor(), Visitor(), Visitor(nobody), Visitor(None)]
        for view in views:
            feed.join(view)
        await _until(lambda: len(views[0].shown) >= 3)
        assert set(views[0].shown[-1].evidence) == {_SIM_01, nobody}
        assert views[0].shown[-1].evidence[nobody].history == ()
        read = [name for name, tags, _ in store.questions if tags.get("subject") == "sim-01"]
        assert read.count("profile") <= store.polls


async def test_a_failure_stands_beside_the_last_rows_until_the_store_is_back(
    store: Counted,
) -> None:
    async with _running(store) as feed:
        visitor = Visitor()
        feed.join(visitor)
        await _until(lambda: visitor.shown and visitor.shown[-1].evidence)
        before = visitor.shown[-1]
        store.error = StoreUnavailable("the disk is full: free some space")
        await _until(lambda: visitor.shown[-1].failure)
        failed = visitor.shown[-1]
        assert failed.failure is not None
        assert failed.failure.message == "the disk is full: free some space"
        assert (failed.overview, failed.evidence) == (before.overview, before.evidence)
        known = len(visitor.shown)
        await _until(lambda: len(visitor.shown) > known + 2)
        assert visitor.shown[-1].failure == failed.failure, "since when does not move"
        store.error = None
        await _until(lambda: visitor.shown[-1].failure is None)
        assert visitor.shown[-1].overview == before.overview


async def test_a_store_that_fails_from_the_beginning_is_said_as_well(store: Counted) -> None:
    store.error = StoreUnavailable("nobody answers")
    async with _running(store) as feed:
        visitor = Visitor()
        feed.join(visitor)
        await _until(lambda: visitor.shown)
        assert visitor.shown[0].overview is None
        assert visitor.shown[0].failure is not None


async def test_a_bug_is_shown_as_a_failure_without_its_details(
    store: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    store.error = RuntimeError("sim-01 was born in 1971")
    async with _running(store) as feed:
        visitor = Visitor()
        feed.join(visitor)
        await _until(lambda: visitor.shown)
        failure = visitor.shown[-1].failure
        assert failure is not None
        assert failure.message == "RuntimeError (the log says more)"
        assert "reading the store failed" in caplog.text
        store.error = None
        await _until(lambda: visitor.shown[-1].overview)


async def test_one_visitors_trouble_is_not_the_others(
    store: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Visitor):
        def show(self, snapshot: Snapshot) -> None:
            raise KeyError("gone")

    async with _running(store) as feed:
        visitor = Visitor()
        feed.join(Broken())
        feed.join(visitor)
        await _until(lambda: len(visitor.shown) >= 3)
        assert "a view could not be brought up to date" in caplog.text


async def test_only_what_is_new_is_read_again_and_nothing_is_missed(store: Counted) -> None:
    async with _running(store) as feed:
        visitor = Visitor()
        feed.join(visitor)
        await _until(lambda: visitor.shown and visitor.shown[-1].evidence)
        first = visitor.shown[-1].evidence[_SIM_01]
        later = NOW + timedelta(hours=3)
        plan = Plan("sim-01", "saliva-cortisol", days=20)
        newer = rhythm(plan, 0).model_copy(update={"time": later, "last_reading": later})
        point = half_hour(plan, 0)
        begin = point.time + timedelta(hours=3)
        memory = store._store
        memory.write(RHYTHM, [RHYTHM.row(newer)])
        memory.write(PROFILE, [PROFILE.row(point.model_copy(update={"time": begin}))])
        await _until(lambda: visitor.shown[-1].evidence[_SIM_01].history[-1]["time"] > NOW_MS)
        second = visitor.shown[-1].evidence[_SIM_01]
        month_ago = NOW_MS + 3 * 3_600_000 - 30 * 86_400_000
        assert second.history == tuple(
            memory.select(
                RHYTHM,
                tags={"subject": "sim-01", "analyte": "saliva-cortisol"},
                start_ms=month_ago,
            )
        )
        assert len(second.history) == len(first.history) + 1
        whole = memory.select(PROFILE, tags={"subject": "sim-01", "analyte": "saliva-cortisol"})
        assert second.profile == tuple(whole[-len(second.profile) :])
        assert len(second.profile) == 48 * 15
        starts = [start for name, tags, start in store.questions if name == "rhythm" and tags]
        assert starts[0] == NOW_MS - 30 * 86_400_000
        assert starts[1] == NOW_MS, "from the newest known row on"
