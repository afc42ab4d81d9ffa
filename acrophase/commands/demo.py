"""``acrophase demo``: everything on this machine, with a simulated clinic."""

from __future__ import annotations

import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from acrophase.broker import EmbeddedBroker
from acrophase.children import Child
from acrophase.commands.topics import create_topics
from acrophase.settings import load_settings
from processors.store import Store, open_store
from producers.client import Publisher
from producers.clinic import Clinic, demo_clinic
from producers.day_records import Delivery
from producers.menstrual import FERTILE_AGES
from producers.panels import Panel
from schemas.errors import AcrophaseError, SettingsError
from schemas.measurements import RHYTHM
from schemas.readings import ReadingBatch

# The people have a month behind them when the demo begins; then simulated time runs on until it
# has caught up with the real one, and goes on with that.
_PAST = timedelta(days=30)
_AHEAD = timedelta(days=20)
_PAGE_WITHIN_S = 60.0
_LOADED_WITHIN_S = 600.0
# The broker is on this machine; if it is gone, ending need not wait for it a whole minute.
_DELIVERED_WITHIN_S = 15.0
_PARTITIONS = 2
_MS = 1000.0


def demo(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the page. [default: 8080]")
    ] = None,
    speed: Annotated[
        float, typer.Option(min=1.0, help="How many times as fast as real time people live.")
    ] = 1800.0,
    people: Annotated[int, typer.Option(min=6, max=200, help="How many people.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same people.")] = 1,
) -> None:
    """Run everything on this machine with a simulated clinic.

    Starts the embedded broker, a worker, a store in a temporary folder and the page; loads the
    past 30 days of the people and then lets them live on faster than real time. Six of them fall
    ill or silent: the page finds them. Ctrl-C ends all of it and leaves nothing behind.
    """
    settings = load_settings(page_port=port)
    _require_free(settings.page_host, settings.page_port)
    for number in (signal.SIGTERM, signal.SIGHUP):  # stopped, or its terminal closed: as Ctrl-C
        signal.signal(number, signal.default_int_handler)
    live_from = datetime.now(UTC) - _AHEAD
    begin = live_from - _PAST
    plain = demo_clinic(seed, begin, live_from, people)
    clinic = demo_clinic(seed, begin, live_from, people, panel=panels_of(plain))
    console = Console()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="acrophase-demo-")))
        broker = stack.enter_context(EmbeddedBroker())
        create_topics(broker.address, _PARTITIONS)
        url = f"sqlite:///{folder / 'demo.db'}"
        store = open_store(url)
        stack.callback(store.close)
        log = stack.enter_context((folder / "log").open("wb"))
        page_at = ("--host", settings.page_host, "--port", str(settings.page_port))
        page = stack.enter_context(Child("page", "--store", url, *page_at, output=log))
        worker = stack.enter_context(
            Child("worker", "--store", url, "--bootstrap", broker.address, output=log)
        )

        def require_alive() -> None:
            broker.require_alive()
            for child in (page, worker):
                if child.status is not None:
                    raise AcrophaseError(f"the {child.name} ended with status {child.status}")

        address = f"http://{_shown_host(settings.page_host)}:{settings.page_port}"
        try:
            _await_page(settings.page_host, settings.page_port, require_alive)
            console.print(f"The page is at [bold]{address}[/bold]", highlight=False)
            publisher = stack.enter_context(
                Publisher(broker.address, delivery_timeout_s=_DELIVERED_WITHIN_S)
            )
            _load(
                clinic.records(begin, live_from), publisher, store, begin, live_from, require_alive
            )
            console.print(
                f"{people} people with {_PAST.days} days behind them now live on at {speed:g} "
                f"times real time: {address}\nCtrl-C ends the demo.",
                highlight=False,
            )
            for delivery in paced(clinic.records(live_from, None), live_from, speed):
                _send(publisher, delivery)
                require_alive()
        except KeyboardInterrupt:
            console.print("Ending ...", highlight=False)
        except AcrophaseError:
            said = (folder / "log").read_text(errors="replace")[-2000:]
            console.print(said, highlight=False, markup=False)
            raise


def panels_of(clinic: Clinic) -> dict[str, list[Panel]]:
    """What the demo's people measure on top: all steps; a woman who stays well her cycle, if there
    is one; another who does her blood."""
    people = clinic.truth()["people"]
    well = [person for person in people if not person["troubles"]]
    youngest, oldest = FERTILE_AGES
    women = [
        person["subject"]
        for person in well
        if person["sex"] == "female"
        and youngest <= clinic.start.year - person["birth_year"] <= oldest
    ]
    panels = {person["subject"]: [Panel.STEPS] for person in people}
    for subject in women[:1]:
        panels[subject].append(Panel.CYCLE)
    for person in [person for person in well if person["subject"] not in women[:1]][:1]:
        panels[person["subject"]].append(Panel.LABS)
    return panels


def paced(deliveries: Iterable[Delivery], live_from: datetime, speed: float) -> Iterator[Delivery]:
    """Hold each delivery back until its time has come: simulated time is never ahead of real."""
    began = time.monotonic()
    for delivery in deliveries:
        due_s = (delivery.received_at - live_from).total_seconds() / speed
        real_s = (delivery.received_at - datetime.now(UTC)).total_seconds()
        while (left := max(due_s - (time.monotonic() - began), real_s)) > 0:
            time.sleep(min(left, 0.2))
            real_s = (delivery.received_at - datetime.now(UTC)).total_seconds()
        yield delivery


def _load(
    deliveries: Iterable[Delivery],
    publisher: Publisher,
    store: Store,
    begin: datetime,
    live_from: datetime,
    require_alive: Callable[[], None],
) -> None:
    """Publish the past and wait until the worker has judged it, with a bar for each."""
    span = (live_from - begin).total_seconds()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns) as progress:
        sent = progress.add_task(f"publishing {_PAST.days} days", total=span)
        judged = progress.add_task("judging them", total=span)
        shown = begin
        for delivery in deliveries:
            _send(publisher, delivery)
            if delivery.received_at - shown > timedelta(hours=6):
                shown = delivery.received_at
                progress.update(sent, completed=(shown - begin).total_seconds())
                progress.update(judged, completed=_judged_s(store, begin))
                require_alive()
        publisher.flush()
        progress.update(sent, completed=span)
        deadline = time.monotonic() + _LOADED_WITHIN_S
        # the newest half hour may still be open, and the last records may be late ones
        while (done := _judged_s(store, begin)) < span - 3 * 3600.0:
            if time.monotonic() > deadline:
                raise AcrophaseError("the worker does not come forward; its log follows above")
            progress.update(judged, completed=done)
            require_alive()
            time.sleep(0.25)
        progress.update(judged, completed=span)


def _judged_s(store: Store, begin: datetime) -> float:
    """Seconds of event time that the worker has judged: the newest rhythm of anybody."""
    times = [row["time"] for row in store.select(RHYTHM, latest=True)]
    return max(times) / _MS - begin.timestamp() if times else 0.0


def _send(publisher: Publisher, delivery: Delivery) -> None:
    record = delivery.record
    readings = len(record.values) if isinstance(record, ReadingBatch) else 1
    key = delivery.subject.encode()
    publisher.publish_raw(delivery.topic, key, delivery.value, readings=readings)


def _require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"port {port} on {host} cannot be used ({error.strerror}): end what listens "
                "there, or choose another one with --port"
            ) from error


def _await_page(host: str, port: int, require_alive: Callable[[], None]) -> None:
    deadline = time.monotonic() + _PAGE_WITHIN_S
    while True:
        try:
            socket.create_connection((_shown_host(host), port), timeout=1.0).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise AcrophaseError("the page does not answer; its log follows above") from None
            require_alive()
            time.sleep(0.1)


def _shown_host(host: str) -> str:
    return "localhost" if host in ("0.0.0.0", "127.0.0.1", "::") else host
