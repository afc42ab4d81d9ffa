"""The scenarios of this folder, all under way from the first test on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from processors.engine.__main__ import compile_kernel
from tests.faults.at_once import Runs, under_way

# More would keep each other from their heartbeats on two cores.
AT_ONCE = 8


@pytest.fixture(scope="session")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    """Scenarios take an empty folder and that of the real recordings, if there is one."""
    try:
        shared: Path | None = request.getfixturevalue("shared_data")
    except pytest.skip.Exception:
        shared = None  # only one test needs them, and says so itself
    # Otherwise the workers of all scenarios would do it at once, while the brokers starve.
    compile_kernel()
    with under_way(request, tmp_path_factory, AT_ONCE, shared) as runs:
        yield runs
