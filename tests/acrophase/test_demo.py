"""The demo with its real processes: it finds what it planned, and leaves nothing behind."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest
from playwright.sync_api import Browser, expect

from acrophase.commands.demo import paced, panels_of
from processors.store.sqlite import SqliteStore
from producers.clinic import demo_clinic
from producers.day_records import Delivery
from producers.panels import Panel
from schemas.measurements import ALERT, RHYTHM
from tests.acrophase.demo_terminal import WITHIN_S, DemoTerminal, all_gone
from tests.dashboards.browser import Desk, free_port
from tests.processes import wait_until

# Person, what goes wrong (`producers.clinic.demo_clinic`), and how the page says it.
PLANNED = {
    ("sim-01", "phase"): "later than this person's baseline",
    ("sim-02", "amplitude"): "Saliva cortisol runs flatter",
    ("sim-03", "level"): "higher than this person's baseline",
    ("sim-04", "missing"): "silent for",
    ("sim-05", "phase"): "later than this person's baseline",
    ("sim-06", "level"): "Heart rate is",
}
# Five days, in which the last of them is found, take 8 seconds.
SPEED = 60_000


@pytest.fixture(scope="module")
def demo(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoTerminal]:
    """A demo with as few people as there may be; the module's last test ends it."""
    folder = tmp_path_factory.mktemp("demo")
    running = DemoTerminal(
        project_root, folder, free_port(), "--people", "6", "--speed", str(SPEED)
    )
    yield running
    running.close()


def _latest(demo: DemoTerminal, measurement: Any) -> list[dict[str, Any]]:
    (path,) = demo.folder.glob("acrophase-demo-*/demo.db")
    with closing(SqliteStore(path)) as store:
        return store.select(measurement, latest=True)


def test_the_page_is_there_while_the_past_loads(demo: DemoTerminal) -> None:
    began = time.monotonic()
    demo.wait_for(f"The page is at http://localhost:{demo.port}")
    assert time.monotonic() - began < 60
    with urlopen(f"http://localhost:{demo.port}/", timeout=WITHIN_S) as answer:
        assert answer.status == 200
        assert b"Acrophase" in answer.read()
    demo.wait_for("publishing 30 days")
    demo.wait_for("judging them")
    assert "live on" not in demo.text, "it is still loading"
    demo.wait_for("live on at 60000 times real time")
    shares = demo.text.split("judging them")
    assert len(shares) > 5, "the bar moves"
    assert "100%" in shares[-1]


def test_every_planned_trouble_becomes_an_alert(demo: DemoTerminal) -> None:
    demo.wait_for("Ctrl-C ends the demo.")
    found: set[tuple[str, str]] = set()

    def all_found() -> bool:
        rows = _latest(demo, ALERT)
        found.update((row["subject"], row["kind"]) for row in rows if row["state"] == "open")
        newest = max(row["time"] for row in _latest(demo, RHYTHM))
        assert newest <= time.time() * 1000, "event time is ahead of the clock"
        return found >= set(PLANNED)

    wait_until(all_found, "all planned troubles to be found", WITHIN_S)


@pytest.mark.browser
def test_the_page_ranks_them_first_and_says_why(demo: DemoTerminal, chromium: Browser) -> None:
    demo.wait_for("Ctrl-C ends the demo.")
    desk = Desk(chromium, f"http://127.0.0.1:{demo.port}")
    page = desk.open()
    for (subject, _), words in PLANNED.items():
        row = page.locator(".queue > a", has_text=subject)
        expect(row).to_contain_text(words)
    page.get_by_role("link", name="sim-02").click()
    expect(page.locator(".heading h3").first).to_have_text("24 hours · Saliva cortisol")
    expect(page.locator(".chart.drift svg:visible")).to_contain_text("Daily swing lower")
    expect(page.locator(".chart.day svg:visible")).to_contain_text("≤ 0.401")
    assert page.locator(".chart.day svg:visible path").count() > 10
    before = page.locator(".clock").inner_text()
    expect(page.locator(".clock")).not_to_have_text(before)
    desk.close()
    assert desk.complaints == []
    assert desk.hosts == {f"127.0.0.1:{demo.port}"}


def test_ctrl_c_ends_everything(demo: DemoTerminal) -> None:
    demo.wait_for("Ctrl-C ends the demo.")
    children = demo.children()
    assert set(children) == {"broker", "page", "worker"}
    began = time.monotonic()
    demo.type_ctrl_c()
    assert demo.ended() == 0
    assert time.monotonic() - began < 20
    assert all_gone(children.values(), within_s=0)
    assert "Ending ..." in demo.text
    assert "Traceback" not in demo.text
    assert list(demo.folder.iterdir()) == []
    with socket.create_server(("127.0.0.1", demo.port)):
        pass


def test_a_worker_that_is_killed_ends_the_demo_with_a_clear_error(
    project_root: Path, tmp_path: Path
) -> None:
    demo = DemoTerminal(project_root, tmp_path, free_port(), "--people", "6")
    try:
        demo.wait_for("publishing 30 days")
        children = demo.children()
        children["worker"].kill()
        assert demo.ended() == 1
        assert "error: the worker ended with status -9" in demo.text
        assert "Traceback" not in demo.text
        assert all_gone(children.values(), within_s=0)
        assert list(tmp_path.iterdir()) == []
    finally:
        demo.close()


def test_a_demo_that_is_killed_leaves_no_process(project_root: Path, tmp_path: Path) -> None:
    demo = DemoTerminal(project_root, tmp_path, free_port(), "--people", "6")
    try:
        demo.wait_for("The page is at")
        children = demo.children()
        assert set(children) == {"broker", "page", "worker"}
        demo.process.kill()
        assert demo.ended() == -9
        assert all_gone(children.values())
    finally:
        demo.close()


def test_a_port_that_is_taken_is_said_before_anything_is_started(
    project_root: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "acrophase", "demo", "--port", str(port)],
            cwd=project_root,
            env={**psutil.Process().environ(), "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"error: port {port} on 127.0.0.1 cannot be used")
    assert ended.stderr.endswith("choose another one with --port\n")
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def records() -> list[Delivery]:
    """Some real ones."""
    start = datetime(2026, 11, 3, tzinfo=UTC)
    return list(islice(demo_clinic(1, start, start).records(start), 4))


def test_all_count_steps_and_two_who_stay_well_measure_more() -> None:
    start = datetime(2026, 11, 3, tzinfo=UTC)
    clinic = demo_clinic(1, start, start)
    panels = panels_of(clinic)
    assert panels.keys() == set(clinic.subjects)
    assert all(Panel.STEPS in panel for panel in panels.values())
    people = {person["subject"]: person for person in clinic.truth()["people"]}
    (woman,) = (subject for subject, panel in panels.items() if Panel.CYCLE in panel)
    (patient,) = (subject for subject, panel in panels.items() if Panel.LABS in panel)
    assert woman != patient
    assert people[woman]["sex"] == "female"
    assert 18 <= 2026 - people[woman]["birth_year"] <= 45
    assert people[woman]["troubles"] == people[patient]["troubles"] == []
    more = demo_clinic(1, start, start, panel=panels).truth()["people"]
    assert [p["subject"] for p in more if "cycles" in p["markers"]] == [woman]
    assert [p["subject"] for p in more if "set_points" in p["markers"]] == [patient]


def _due(records: list[Delivery], *seconds: float) -> list[Delivery]:
    """The same, due so many seconds from now."""
    now = datetime.now(UTC)
    return [
        record._replace(received_at=now + timedelta(seconds=after))
        for record, after in zip(records, seconds, strict=False)
    ]


def test_simulated_time_never_runs_ahead_of_the_clock(records: list[Delivery]) -> None:
    due = _due(records, -0.5, 0.0, 0.2, 0.4)
    live_from = due[0].received_at
    for delivery in paced(due, live_from, speed=1e9):
        assert datetime.now(UTC) >= delivery.received_at


def test_people_live_as_much_faster_as_they_were_told_to(records: list[Delivery]) -> None:
    due = _due(records, -100.0, -90.0, -80.0)
    began = time.monotonic()
    when = [time.monotonic() - began for _ in paced(due, due[0].received_at, speed=50.0)]
    assert when[1] >= 0.2
    assert when[2] >= 0.4
    assert when[2] < 10, "not 20 s; a busy machine may take its time"
