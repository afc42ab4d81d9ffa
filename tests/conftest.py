"""What every test may ask for.

``ACROPHASE_REQUIRE_ALL=1`` (the gate sets it) turns every skip into a failure: a machine that is
meant to have the recordings, a browser, Kafka and InfluxDB must not pass by lacking one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers
from playwright.sync_api import Browser, sync_playwright
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from acrophase.broker import EmbeddedBroker
from acrophase.settings import PREFIX, Settings

# In a container there is no sandbox; and nothing but the page may make requests.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

REQUIRE_ALL = os.environ.get("ACROPHASE_REQUIRE_ALL") == "1"

# The same examples every time: a test that fails only sometimes teaches people to try again.
# No deadline, since a busy machine is not a wrong result.
# Hypothesis tries numbers that stand in the modules which happen to be loaded: which those are
# depends on the tests that ran before in the same process, and with them what is tried.
providers.is_local_module_file = lambda _: False  # type: ignore[attr-defined, assignment]
hypothesis.settings.register_profile("house", derandomize=True, deadline=None)
hypothesis.settings.load_profile("house")


def pytest_configure() -> None:
    """Forget the developer's own settings: a test sets what it needs."""
    for name in Settings.model_fields:
        os.environ.pop(PREFIX + name.upper(), None)
    os.environ.pop("ACROPHASE_CONFIG", None)


FAULTS = "tests/faults/"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Harmed workers come last, when nothing else keeps them from their heartbeats."""
    items.sort(key=lambda item: item.nodeid.startswith(FAULTS))


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Tests of one file run in one process, and so do the scenarios that are under way at once.

    Marks with the name of a group do the same, but not with this release of pytest.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return FAULTS if path.startswith(FAULTS) else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Which process runs which tests, when there are several (``make test``)."""
    return _ByFile(config, log)


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    # An expected failure is reported as skipped too, and is none.
    if REQUIRE_ALL and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"ACROPHASE_REQUIRE_ALL=1 allows no skip, and this was one: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See ``ACROPHASE_REQUIRE_ALL`` above."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module that skips itself."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.fixture(scope="session")
def project_root(pytestconfig: pytest.Config) -> Path:
    """The folder of pyproject.toml."""
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def shared_data(project_root: Path) -> Path:
    """The folder of real recordings: ``ACROPHASE_SHARED_DATA`` or ``../shared/data``."""
    named = os.environ.get("ACROPHASE_SHARED_DATA")
    folder = Path(named) if named else project_root.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real recordings (../shared/data) are not on this machine")
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """This machine's Chromium, headless.

    Not for the session: while it lives, Playwright's event loop runs in this thread, and no test of
    asyncio can.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[str]:
    """Address of a running embedded broker; name topics and groups apart, it is shared."""
    with EmbeddedBroker() as broker:
        yield broker.address
