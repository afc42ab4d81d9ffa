"""What every store can do; the contract is held by one conformance suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from schemas.measurements import Measurement, Row

NO_TAGS: Mapping[str, str] = MappingProxyType({})


class Store(Protocol):
    """A time-series store. One thread writes; any number of threads read beside it."""

    def write(self, measurement: Measurement, rows: Sequence[Row]) -> None:
        """Write rows ``(*tags, time_ms, *fields)``; returns when they are durable.

        Rows of the same tags and time are the same row: fields given replace those that are
        there, fields that are ``None`` (or empty text) leave them. So writing again changes
        nothing. A row without any field is not written. Control characters in text become
        spaces.

        Raises ``ValueError`` naming the column if a value does not fit it (wrong type, not
        finite, beyond 64 bits, a tag that is empty, holds control characters or ends in a
        backslash): then nothing is written. Raises ``StoreUnavailable`` if it may work later
        and ``StoreRefused`` if it never will: then some of the rows may be there already.
        """
        ...

    def select(
        self,
        measurement: Measurement,
        *,
        tags: Mapping[str, str] = NO_TAGS,
        start_ms: int | None = None,
        end_ms: int | None = None,
        latest: bool = False,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """Rows as dicts by column name, ascending in time, then in tags.

        ``time`` and fields of type time are epoch milliseconds, UTC; absent fields are ``None``.
        ``tags`` are exact values of any of the measurement's tags; ``start_ms`` is inclusive and
        ``end_ms`` exclusive. ``latest`` leaves the newest row of each tag set within that range,
        ``limit`` then the newest so many of all.

        Raises ``ValueError`` for an unknown tag or a limit below 1, ``StoreUnavailable`` and
        ``StoreRefused`` as ``write``.
        """
        ...

    def close(self) -> None:
        """Release files and connections; the store is not used after it."""
        ...
