"""``acrophase analyse``: judge a file of records as the worker would, without Kafka."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from acrophase.offline import Offline, read_lines
from acrophase.settings import load_settings
from processors.engine import Policy
from schemas.catalogue import load_catalogue
from schemas.errors import OutputFileError
from schemas.topics import EVENTS, READINGS


def analyse(
    readings: Annotated[
        Path,
        typer.Argument(metavar="READINGS.jsonl", help="Wire-format readings, one record a line."),
    ],
    events: Annotated[
        Path | None,
        typer.Option(metavar="EVENTS.jsonl", help="Wire-format events of the same people."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="RESULTS.jsonl", help="Where to write. [default: standard output]"),
    ] = None,
) -> None:
    """Judge a file of records as the worker would, without Kafka.

    Writes one JSON object a line with a "type": rhythm, profile, marker, deviation, alert (in
    order of time) and dead-letter (with the line of the record that could not be used). The lines
    are taken in the order of the file, as a worker takes a partition.

    Example: acrophase simulate --out readings.jsonl && acrophase analyse readings.jsonl
    """
    settings = load_settings()
    policy = Policy(
        alerts_per_person_month=settings.alerts_per_person_month,
        future_tolerance_s=settings.future_tolerance_s,
    )
    # before the work, which may take long
    with _opened(out) if out else nullcontext(sys.stdout) as target:
        offline = Offline(load_catalogue(), policy)
        console = Console(stderr=True)
        if events is not None:
            offline.take(EVENTS.name, read_lines(events))
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,} records"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        ) as progress:
            total = sum(1 for _ in read_lines(readings))
            task = progress.add_task("judging", total=total)

            def lines() -> Iterator[bytes]:
                for line in read_lines(readings):
                    yield line
                    progress.advance(task)

            offline.take(READINGS.name, lines())
        count: Counter[str] = Counter()
        for result in offline.results():
            count[result["type"]] += 1
            target.write(json.dumps(result, ensure_ascii=False) + "\n")
    told = ", ".join(f"{n:,} {name}" for name, n in sorted(count.items()))
    console.print(f"{total:,} records: {told or 'no results'}", highlight=False)


def _opened(out: Path) -> TextIO:
    try:
        return out.open("w", encoding="utf-8")
    except OSError as error:
        raise OutputFileError(f"{out} cannot be written: {error.strerror}") from error
