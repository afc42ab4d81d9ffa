"""The page's server: one port, one store, one feed."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI
from nicegui import ui

from dashboards.page.feed import Feed
from dashboards.page.site import create_page
from dashboards.page.source import ReadableStore
from schemas.errors import SettingsError

# A round pulse with its peak marked; inline, because the page may ask no other address.
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="7" fill="#1d5b8f"/>'
    '<path d="M3 22C9 22 10 9 16 9s7 13 13 13" fill="none" stroke="#fff" stroke-width="3"/>'
    '<circle cx="16" cy="9" r="3.2" fill="#fff"/></svg>'
)


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything else starts; port 0 takes a free one.

    Raises ``SettingsError`` if the port is taken or the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen()
    except OSError as error:
        taken.close()
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"port {port} of {host} is taken by another program: choose another with --port"
            ) from error
        raise SettingsError(
            f"cannot listen on {host}, port {port} ({error.strerror}): check --host and --port"
        ) from error
    return taken


def page_server(
    store: ReadableStore, *, title: str = "Acrophase", period_s: float = 1.0
) -> uvicorn.Server:
    """The server of the page, ready for ``run(sockets=[bind(host, port)])``.

    NiceGUI keeps one application a process, so a process can serve one page. ``period_s`` is the
    time between two polls of the store.
    """
    feed = Feed(store, period_s=period_s)

    @contextlib.asynccontextmanager
    async def polling(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(feed.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    app = FastAPI(lifespan=polling, openapi_url=None)
    create_page(feed, title=title)
    ui.run_with(
        app, title=title, favicon=_ICON, dark=None, tailwind=False, show_welcome_message=False
    )
    # A browser holds its websocket open for ever: stopping must not wait for it.
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))


def run_page(store: ReadableStore, listening: socket.socket, *, title: str = "Acrophase") -> None:
    """Serve the page until SIGINT or SIGTERM."""
    # The server ends in order and then sends itself the signal once more: end like Ctrl-C then too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        page_server(store, title=title).run(sockets=[listening])
