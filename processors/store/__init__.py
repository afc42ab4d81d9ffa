"""The time-series store: one interface; memory, SQLite and InfluxDB behind it."""

from processors.store.address import open_store
from processors.store.interface import Store

__all__ = ["Store", "open_store"]
