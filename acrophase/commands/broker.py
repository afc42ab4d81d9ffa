"""``acrophase broker``: the embedded broker in the foreground."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Annotated

import typer

from acrophase.broker import EmbeddedBroker
from acrophase.commands.topics import create_topics
from acrophase.settings import load_settings


def broker(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 9092,
    partitions: Annotated[
        int | None,
        typer.Option(help="Partitions of the input topics. [default: as the settings, 8]"),
    ] = None,
) -> None:
    """Run the embedded Kafka-compatible broker on 127.0.0.1, with all topics.

    For trying things out: it holds everything in memory and forgets it when it stops (Ctrl-C).
    """
    wanted = load_settings(partitions=partitions).partitions
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    with EmbeddedBroker(port or None) as running:
        create_topics(running.address, wanted)
        typer.echo(f"broker: {running.address}  (in memory; Ctrl-C stops it)")
        while not stop.wait(1.0):
            running.require_alive()
