"""``acrophase simulate``: synthetic people with known truth, as files or into Kafka."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from acrophase.settings import load_settings
from producers.client import Publisher
from producers.clinic import Clinic, demo_clinic
from producers.day_records import Delivery
from producers.laboratory import EVERY_DAYS, THYROID
from producers.panels import Panel
from producers.physiology import Trouble
from producers.wearer_clock import Journey
from schemas.errors import OutputFileError, SettingsError
from schemas.readings import ReadingBatch
from schemas.topics import EVENTS, READINGS

# The demo's last trouble begins two days after its "present", and needs a day to be seen; the
# first begins six days before it.
_DEMO_AFTER, _DEMO_DAYS = timedelta(days=3), 10
# Results before the thyroid fails, while it does, and after.
_AXIS_DAYS = 3 * EVERY_DAYS


class Troubles(StrEnum):
    """What goes wrong in a simulated clinic."""

    NONE = "none"
    DEMO = "demo"
    AXIS = "axis"


def simulate(
    people: Annotated[int, typer.Option(min=1, max=999, help="How many people.")] = 20,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How many days.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 1,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="ISO",
            help="First date or time, e.g. 2026-01-01. [default: so long ago that all is past]",
        ),
    ] = None,
    zone: Annotated[
        str, typer.Option(help="Time zone in which the people live, e.g. Europe/Berlin.")
    ] = "Europe/Berlin",
    journey: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PERSON=ZONE@ISO",
            help="A person sets the clock to another zone, e.g. "
            "sim-02=America/New_York@2026-01-10T15:00. May be repeated.",
        ),
    ] = None,
    troubles: Annotated[
        Troubles,
        typer.Option(
            help="none: all stay well. demo: six fall ill or silent around the third last day. "
            "axis: one thyroid fails from a third of the time on (needs --panel labs)."
        ),
    ] = Troubles.NONE,
    panel: Annotated[
        list[Panel] | None,
        typer.Option(
            metavar="|".join(Panel),
            help="What people measure on top; may be repeated. steps: counts a minute, which move "
            "the heart. cycle: menses, urine LH and PdG, basal temperature of women of 18 to 45. "
            "labs: blood every four weeks. awakening: every second person has a saliva kit that "
            "notes its times. travel: journeys are told, and bodies follow them at their own pace.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Readings, as JSON Lines.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Events, as JSON Lines.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What should be found, as JSON."),
    ] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Send all of it to Kafka.")] = False,
    bootstrap: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Kafka. [default: as the settings]")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=1.0,
            help="Let the simulated clock run this many times as fast as the real one. "
            "[default: as fast as possible]",
        ),
    ] = None,
) -> None:
    """Make synthetic people with known truth.

    Wrist heart rate every minute and temperature every five, saliva cortisol five times a day and
    melatonin in the evening, with everything that real devices add: noise, gaps, detection limits,
    late and repeated delivery. Lines of the files are exactly what Kafka would carry, in order of
    arrival; the same seed and --start give the same bytes. Simulated time never runs ahead of the
    real one.

    \b
    # files, and beside them what an estimator should find in them
    acrophase simulate --out readings.jsonl --events events.jsonl --truth truth.json
    # a week of many people into Kafka, as fast as it takes them
    acrophase simulate --people 200 --days 7 --publish
    # what cycles and a heart rate at rest are found in
    acrophase simulate --days 90 --panel steps --panel cycle --out r.jsonl --events e.jsonl
    # people who fall ill, ten minutes a second
    acrophase simulate --troubles demo --publish --speed 600
    """
    if not (out or events or truth or publish):
        raise SettingsError("say where to put it: --out, --events, --truth FILE or --publish")
    now = datetime.now(UTC)
    begin = _start(start, zone, days, now)
    end = begin + timedelta(days=days)
    _refuse_future(begin, end, now, speed)
    clinic = _clinic(troubles, seed, people, begin, end, zone, journey or [], panel or [])
    if truth is not None:
        with _writing(truth) as file:
            file.write(json.dumps(clinic.truth(end), indent=2).encode() + b"\n")
    if not (out or events or publish):
        return
    deliveries: Iterable[Delivery] = clinic.records(begin, end)
    if speed is not None:
        deliveries = paced(deliveries, begin, speed, time.monotonic, time.sleep)
    with ExitStack() as stack:
        files = {
            topic.name: stack.enter_context(_writing(path))
            for topic, path in ((READINGS, out), (EVENTS, events))
            if path is not None
        }
        publisher = (
            stack.enter_context(Publisher(load_settings(bootstrap=bootstrap).bootstrap))
            if publish
            else None
        )
        records = readings = 0
        for delivery in _shown(deliveries, begin, end):
            records += 1
            record = delivery.record
            weight = len(record.values) if isinstance(record, ReadingBatch) else 1
            readings += weight if delivery.topic == READINGS.name else 0
            if delivery.topic in files:
                files[delivery.topic].write(delivery.value + b"\n")
            if publisher is not None:
                key = delivery.subject.encode()
                publisher.publish_raw(delivery.topic, key, delivery.value, readings=weight)
    typer.echo(
        f"{people} {'person' if people == 1 else 'people'}, {days} day{'s'[: days > 1]} from "
        f"{begin.isoformat()}: {readings} readings in {records} records"
    )


@contextmanager
def _writing(path: Path) -> Iterator[BinaryIO]:
    """A file to write; what is wrong with it is our error, and a half of it is told."""
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise OutputFileError(f"{path} cannot be written: {error.strerror}") from error
    except BaseException:
        typer.echo(f"{path} is not complete", err=True)
        raise


def paced(
    deliveries: Iterable[Delivery],
    begin: datetime,
    speed: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Iterator[Delivery]:
    """Hold each delivery back until the simulated clock, `speed` times as fast, has reached it.

    The simulated clock shows `begin` at the first delivery; `clock` tells real seconds.
    """
    began = clock()
    for delivery in deliveries:
        due = began + (delivery.received_at - begin).total_seconds() / speed
        while (left := due - clock()) > 0:
            sleep(left)
        yield delivery


def _start(start: str | None, zone: str, days: int, now: datetime) -> datetime:
    try:
        home = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f"--zone: {zone!r} is no IANA time zone, e.g. Europe/Berlin or America/New_York"
        ) from None
    if start is None:
        # The last full day that has ended everywhere the wearer calls home.
        midnight = now.astimezone(home).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight.replace(tzinfo=None, fold=0).replace(tzinfo=home) - timedelta(days=days)
    return _moment(start, home, "--start")


def _moment(text: str, zone: ZoneInfo, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"{option}: {text!r} is no date or time, e.g. 2026-01-31 or 2026-01-31T08:00+01:00"
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _refuse_future(begin: datetime, end: datetime, now: datetime, speed: float | None) -> None:
    """At the end, when simulated time has come closest to the real one, it must not be ahead."""
    real_end = now if speed is None else now + (end - begin) / speed
    if end > real_end:
        latest = real_end - (end - begin)
        raise SettingsError(
            f"--start: {begin.isoformat()} would let simulated time run ahead of the clock: "
            f"start at {latest.isoformat(timespec='seconds')} or earlier, or simulate fewer days"
        )


def _clinic(
    troubles: Troubles,
    seed: int,
    people: int,
    begin: datetime,
    end: datetime,
    zone: str,
    journeys: list[str],
    panel: list[Panel],
) -> Clinic:
    planned: dict[str, list[Journey]] = {}
    for text in journeys:
        subject, _, rest = text.partition("=")
        place, _, moment = rest.partition("@")
        try:
            there = ZoneInfo(place)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise SettingsError(
                f"--journey: {text!r}: write PERSON=ZONE@ISO, e.g. "
                "sim-02=America/New_York@2026-01-10T15:00"
            ) from None
        at = _moment(moment, there, "--journey")
        planned.setdefault(subject, []).append(Journey(at, place))
    try:
        if troubles is Troubles.NONE:
            return Clinic(seed, people, begin, zone, journeys=planned, panel=panel)
        if troubles is Troubles.AXIS:
            return _axis_clinic(seed, people, begin, end, zone, planned, panel)
        if end - begin < timedelta(days=_DEMO_DAYS):
            raise SettingsError(
                f"--days: --troubles demo needs at least {_DEMO_DAYS}, so that people are well "
                "before they fall ill"
            )
        live_from = end - _DEMO_AFTER
        return demo_clinic(seed, begin, live_from, people, zone, journeys=planned, panel=panel)
    except ValueError as error:
        raise SettingsError(f"--people: {error}") from None
    except KeyError as error:
        raise SettingsError(f"--journey: {error.args[0]}") from None


def _axis_clinic(
    seed: int,
    people: int,
    begin: datetime,
    end: datetime,
    zone: str,
    journeys: dict[str, list[Journey]],
    panel: list[Panel],
) -> Clinic:
    """One person's free T4 falls to half from a third of the time on."""
    if Panel.LABS not in panel:
        raise SettingsError("--panel: --troubles axis needs --panel labs, which measures it")
    if end - begin < timedelta(days=_AXIS_DAYS):
        raise SettingsError(
            f"--days: --troubles axis needs at least {_AXIS_DAYS}, since blood is drawn every "
            f"{EVERY_DAYS} days"
        )
    onset = begin + (end - begin) / 3
    plan = {f"sim-{(people + 1) // 2:02d}": [Trouble("axis", onset.timestamp(), 0.5, THYROID)]}
    return Clinic(seed, people, begin, zone, troubles=plan, journeys=journeys, panel=panel)


def _shown(deliveries: Iterable[Delivery], begin: datetime, end: datetime) -> Iterator[Delivery]:
    """The deliveries, with a progress bar of simulated time on a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from deliveries
        return
    columns = (
        TextColumn("simulating {task.fields[date]}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=(end - begin).total_seconds(), date="")
        shown = begin
        for delivery in deliveries:
            yield delivery
            if delivery.received_at - shown > timedelta(minutes=30):
                shown = delivery.received_at
                done = (shown - begin).total_seconds()
                progress.update(task, completed=done, date=shown.date().isoformat())
