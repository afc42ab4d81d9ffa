"""A store by its address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from processors.store.interface import Store
from processors.store.memory import MemoryStore
from processors.store.sqlite import SqliteStore
from schemas.errors import StoreRefused

_FORMS = (
    "use sqlite:///relative.db, sqlite:////absolute.db, memory: or "
    "http(s)://host:8086?org=…&bucket=… with the token given apart"
)


def open_store(url: str, token: str | None = None) -> Store:
    """The store at ``url``; SQLite files are made if absent, InfluxDB is not contacted yet.

    ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``memory:``, or
    ``http(s)://host:8086?org=…&bucket=…`` with its ``token``. Raises ``StoreRefused`` for any
    other form, and what ``SqliteStore`` raises.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise StoreRefused(f"the store's address is malformed ({error}); {_FORMS}") from None
    if url == "memory:":
        return MemoryStore()
    if parts.scheme == "sqlite":
        return _sqlite(parts)
    if parts.scheme in ("http", "https"):
        return _influx(parts, token)
    # The address itself is not repeated: it may hold a password.
    raise StoreRefused(f"unknown kind of store {parts.scheme + ':'!r}; {_FORMS}")


def _sqlite(parts: SplitResult) -> SqliteStore:
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or parts.query or path in ("", ":memory:"):
        raise StoreRefused(f"the address names no SQLite file; {_FORMS}")
    return SqliteStore(Path(path))


def _influx(parts: SplitResult, token: str | None) -> Store:
    # Here, because the client takes half a second to import, which embedded use need not pay.
    from processors.store.influx import InfluxStore

    query = parse_qs(parts.query)
    org, bucket = (query.pop(name, [""])[0] for name in ("org", "bucket"))
    if not parts.hostname or "@" in parts.netloc or query or not org or not bucket:
        raise StoreRefused(f"InfluxDB's address needs exactly host, org and bucket; {_FORMS}")
    if not token:
        raise StoreRefused("InfluxDB needs a token that may read and write the bucket; give one")
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return InfluxStore(base, org=org, bucket=bucket, token=token)
