"""Scenarios that run at the same time: they mostly wait for sessions to pass.

A test that takes the fixture ``runs`` has a parameter ``scenario``, and does nothing but wait for
it: ``runs[scenario].result()``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, cast

import pytest

Scenario = Callable[..., None]
Runs = dict[Scenario, Future[None]]


@contextmanager
def under_way(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    at_once: int,
    *given: Any,
) -> Iterator[Runs]:
    """The scenarios of the chosen tests, so many at once, in the tests' order.

    Each is called with an empty folder and what is ``given``.
    """
    scenarios: list[Scenario] = [
        cast("Scenario", item.callspec.params["scenario"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and request.fixturename in item.fixturenames
    ]
    pool = ThreadPoolExecutor(at_once)
    try:
        yield {
            scenario: pool.submit(scenario, tmp_path_factory.mktemp("scenario"), *given)
            for scenario in scenarios
        }
    finally:
        pool.shutdown(cancel_futures=True)
