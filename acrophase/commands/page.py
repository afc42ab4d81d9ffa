"""``acrophase page``: the live page over a store."""

from __future__ import annotations

from typing import Annotated

import typer

from acrophase.settings import load_settings
from dashboards.page.serve import bind, run_page
from processors.store import open_store


def page(
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Store to read, e.g. sqlite:///acrophase.db. [default: the setting]"
        ),
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. [default: 8080]")] = None,
) -> None:
    """Serve the live page over the store: the ranked queue, charts and evidence.

    It only reads, so any number of pages may serve one store. Beyond this machine (--host
    0.0.0.0) put a proxy with access control before it: the page itself asks nobody who they are.
    """
    settings = load_settings(store=store, page_host=host, page_port=port)
    # The port first: whoever cannot be served should not wait for the store.
    listening = bind(settings.page_host, settings.page_port)
    token = settings.store_token.get_secret_value() if settings.store_token else None
    opened = open_store(settings.store, token)
    shown = "localhost" if settings.page_host in ("127.0.0.1", "::1") else settings.page_host
    typer.echo(f"page: http://{shown}:{settings.page_port}  (Ctrl-C stops it)")
    try:
        run_page(opened, listening)
    finally:
        opened.close()
