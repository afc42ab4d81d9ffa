"""``acrophase worker``: one member of the group that processes readings into the store."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from typing import Annotated

import typer

from acrophase.settings import Settings, load_settings
from processors.app import Worker, WorkerSettings
from processors.engine import Partition, Policy
from processors.engine_port import PartitionEngine
from processors.store import Store, open_store
from schemas.catalogue import load_catalogue
from schemas.errors import AcrophaseError, DeliveryError

log = logging.getLogger(__name__)


def worker(
    bootstrap: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Kafka. [default: as the settings]")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Store to write, e.g. sqlite:///acrophase.db. [default: the setting]",
        ),
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Consumer group; workers of one group share the work.")
    ] = None,
) -> None:
    """Process readings from Kafka into the store, until it is stopped.

    Start as many as there are cores and machines for, up to the number of partitions; they find
    each other through Kafka. A worker may be killed at any moment: another one, or the next,
    goes on where it stood, and nothing is lost or counted twice. While the store is down it waits.

    SIGTERM and Ctrl-C make a last checkpoint and end with status 0. If going on makes no sense
    (Kafka is gone, the store refuses what is written) it ends with another status: let whatever
    started it start it again.
    """
    settings = load_settings(bootstrap=bootstrap, store=store, group=group)
    _log_to_stderr()
    token = settings.store_token.get_secret_value() if settings.store_token else None
    opened = open_store(settings.store, token)
    status = 0
    _collect_garbage_seldom()
    try:
        asyncio.run(_run(settings, opened))
    except AcrophaseError as error:
        log.error("%s", error)
        status = 1
    except Exception:
        log.exception("the worker failed; what is not confirmed will be done again")
        status = 1
    finally:
        opened.close()
    others = (each for each in threading.enumerate() if each is not threading.main_thread())
    if any(not each.daemon for each in others):
        # A client's thread that waits for a server which is gone would keep the process.
        sys.stderr.flush()
        os._exit(status)
    raise typer.Exit(status)


async def _run(settings: Settings, store: Store) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    catalogue = load_catalogue()
    policy = Policy(
        alerts_per_person_month=settings.alerts_per_person_month,
        future_tolerance_s=settings.future_tolerance_s,
    )

    def make_engine(number: int) -> PartitionEngine:
        return Partition(number, catalogue, policy)

    told = WorkerSettings(
        settings.bootstrap, settings.group, settings.checkpoint_s, settings.session_timeout_s
    )
    running = Worker(told, make_engine, store)

    def on_thread_error(arguments: threading.ExceptHookArgs) -> None:
        # Without its consumer's thread Faust would wait for ever. On the way out, with a broker
        # that is gone, the thread ends like this as well.
        if not stop.is_set():
            error = DeliveryError(
                f"a thread of the Kafka client failed: {arguments.exc_value!r}", 0
            )
            loop.call_soon_threadsafe(running.fail, error)

    threading.excepthook = on_thread_error
    await running.run(stop)


def _collect_garbage_seldom() -> None:
    """Frames make and drop thousands of objects that are in no cycle.

    With Python's thresholds the collector looked through the whole state for them several times
    a second, which was a third of the worker's time (measured).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class _OnceAMinute(logging.Filter):
    """Lets a message pass once a minute: clients repeat theirs several times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        last = self._passed.get(str(record.msg))
        if last is not None and record.created - last < 60:
            return False
        self._passed[str(record.msg)] = record.created
        record.exc_info = None  # a line, not a traceback
        return True


def _log_to_stderr() -> None:
    ours, theirs = logging.StreamHandler(sys.stderr), logging.StreamHandler(sys.stderr)
    for handler in (ours, theirs):
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    theirs.addFilter(_OnceAMinute())
    logging.basicConfig(level=logging.WARNING, handlers=[ours])
    for name in ("processors", "acrophase"):
        logging.getLogger(name).setLevel(logging.INFO)
    for name in ("aiokafka", "faust", "mode"):
        client = logging.getLogger(name)
        client.setLevel(logging.ERROR)
        client.addHandler(theirs)
        client.propagate = False
