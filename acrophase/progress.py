"""What a person sees, and may stop, while a file is read and sent."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from producers.rows import FileReport


class CtrlC:
    """Ctrl-C as a request: an exception could fall between a record's way to Kafka and its count.

    The second one interrupts at once.
    """

    pressed = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True
        typer.echo("\nstopping when what is under way has arrived; again to stop at once", err=True)


@contextmanager
def reading_rows(report: FileReport) -> Iterator[None]:
    """On a terminal, how many rows have been read: a large file takes its time."""

    class Rows(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"reading {report.rows:,} rows")

    console = Console(stderr=True)
    columns = (SpinnerColumn(), Rows(), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        progress.add_task("reading", total=None)
        yield


@contextmanager
def confirmed_readings(total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar of confirmed readings on a terminal; nothing where there is none."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _confirmed: None
        return
    columns = (
        TextColumn("publishing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("readings"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("publishing", total=total, rate="")

        def advance(confirmed: int) -> None:
            speed = progress.tasks[0].speed
            rate = f"{speed:,.0f}/s" if speed else ""
            progress.update(task, completed=confirmed, rate=rate)

        yield advance
