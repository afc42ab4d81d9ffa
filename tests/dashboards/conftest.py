"""What the page's tests share: a filled store, and a page in a browser (``browser.py``)."""

from __future__ import annotations

import pytest

from dashboards.page.source import Overview, read_overview
from processors.store.memory import MemoryStore
from tests.dashboards.clinic import Clinic, fill


@pytest.fixture(scope="session")
def clinic_store() -> MemoryStore:
    """The filled clinic; to be read only."""
    store = MemoryStore()
    fill(store)
    return store


@pytest.fixture(scope="session")
def overview(clinic_store: MemoryStore) -> Overview:
    """What the page reads of everybody in the filled clinic."""
    return read_overview(clinic_store)


@pytest.fixture
def clinic() -> Clinic:
    """An empty clinic in memory, to be filled as a test needs it."""
    return Clinic(MemoryStore())
