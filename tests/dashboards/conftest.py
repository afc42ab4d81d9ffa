"""What the page's tests share: a filled store, and the page in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from dashboards.page.source import Overview, read_overview
from processors.store.memory import MemoryStore
from tests.dashboards.browser import (
    Desk,
    PageProcess,
    Rows,
    Ward,
)
from tests.dashboards.clinic import Clinic, fill
from tests.dashboards.clinic_markers import fill_markers


@pytest.fixture(scope="session")
def clinic_store() -> MemoryStore:
    """The filled clinic; to be read only."""
    store = MemoryStore()
    fill(store)
    fill_markers(store)
    return store


@pytest.fixture(scope="session")
def overview(clinic_store: MemoryStore) -> Overview:
    """What the page reads of everybody in the filled clinic."""
    return read_overview(clinic_store)


@pytest.fixture
def clinic() -> Clinic:
    """An empty clinic in memory, to be filled as a test needs it."""
    return Clinic(MemoryStore())


@pytest.fixture(scope="session")
def clinic_rows() -> Rows:
    """The filled clinic as rows."""
    rows = Rows()
    fill(rows)
    fill_markers(rows)
    return rows


@pytest.fixture(scope="session")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ward, PageProcess]]:
    """One page process for all tests: it takes seconds to start."""
    folder = tmp_path_factory.mktemp("page")
    ward = Ward(folder / "ward.db")
    with PageProcess(ward.path, folder / "log") as served:
        yield ward, served
    ward.store.close()
    assert "Traceback" not in served.said(), served.said()


@pytest.fixture
def ward(_served: tuple[Ward, PageProcess], clinic_rows: Rows) -> Ward:
    """The store behind the page, with the clinic in it."""
    _served[0].begin_with(clinic_rows)
    return _served[0]


@pytest.fixture(scope="module")
def _desk(chromium: Browser, _served: tuple[Ward, PageProcess]) -> Iterator[Desk]:
    desk = Desk(chromium, _served[1].address)
    yield desk
    desk.close()


@pytest.fixture
def desk(_desk: Desk) -> Iterator[Desk]:
    """A browser before the page; whatever a test did, no other host was asked and no error told."""
    _desk.clear()
    yield _desk
    hosts, complaints = set(_desk.hosts), list(_desk.complaints)
    _desk.clear()
    assert hosts <= {_desk.address.removeprefix("http://")}
    assert complaints == []
