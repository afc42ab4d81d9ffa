"""InfluxDB 2: the client's edge. What is written and asked is made in line_protocol and flux."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from typing import Any

from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.dialect import Dialect
from influxdb_client.service.write_service import WriteService
from urllib3 import Retry
from urllib3.exceptions import HTTPError, LocationValueError

from processors.store.flux import FluxError, parse, select_query
from processors.store.interface import NO_TAGS
from processors.store.line_protocol import encode
from processors.store.rows import check_selection, checked, in_order
from schemas.errors import StoreError, StoreRefused, StoreUnavailable
from schemas.measurements import Measurement, Row

LINES_PER_REQUEST = 5_000
_CONNECT_MS, _READ_MS = 3_000, 20_000
# Level 1 already makes line protocol 6 to 10 times smaller; higher ones only cost time.
_GZIP_LEVEL = 1
_TOO_LARGE = 413
_TRY_AGAIN = frozenset({408, 425, 429})


class InfluxStore:
    """One bucket of an InfluxDB 2 server. Any thread may write or read."""

    def __init__(self, url: str, *, org: str, bucket: str, token: str) -> None:
        """``url`` is the server's base address; no connection is made yet."""
        self._url, self._org, self._bucket = url, org, bucket
        # A broken connection is tried again at once, which is safe because the same points
        # change nothing. An answer is never: when to come back is the checkpoint's decision,
        # with the server's Retry-After in hand. (WritesRetry counts its time limit from its
        # making and sleeps through Retry-After while holding the writer.)
        retries = Retry(
            total=2, connect=2, read=1, status=0, redirect=0, other=0,
            allowed_methods=["POST"], backoff_factor=0.2,
            raise_on_status=False, respect_retry_after_header=False,
        )  # fmt: skip
        self._client: Any = InfluxDBClient(
            url, token, org=org, timeout=(_CONNECT_MS, _READ_MS), retries=retries
        )
        self._writes: Any = WriteService(self._client.api_client)
        self._queries: Any = self._client.query_api()
        self._dialect = Dialect(annotations=["datatype"])

    def write(self, measurement: Measurement, rows: Sequence[Row]) -> None:
        """As ``Store.write``; up to ``LINES_PER_REQUEST`` lines a request."""
        lines = encode(measurement, checked(measurement, rows))
        for start in range(0, len(lines), LINES_PER_REQUEST):
            self._post(lines[start : start + LINES_PER_REQUEST])

    def _post(self, lines: list[str]) -> None:
        body = gzip.compress("\n".join(lines).encode(), _GZIP_LEVEL)
        try:
            self._writes.post_write(
                self._org, self._bucket, body, content_encoding="gzip", precision="ms"
            )
        except InfluxDBError as error:
            if _status(error) != _TOO_LARGE or len(lines) == 1:
                raise self._translated(error) from error
        except (HTTPError, OSError) as error:
            raise self._translated(error) from error
        else:
            return
        half = len(lines) // 2
        self._post(lines[:half])
        self._post(lines[half:])

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
        """As ``Store.select``."""
        check_selection(measurement, tags, limit)
        if start_ms is not None and end_ms is not None and start_ms >= end_ms:
            return []  # which Flux takes for an error
        query = select_query(
            self._bucket,
            measurement,
            tags=tags,
            start_ms=start_ms,
            end_ms=end_ms,
            latest=latest,
            limit=limit,
        )
        try:
            response = self._queries.query_raw(query, dialect=self._dialect)
            answer = response.data.decode()
            found = list(parse(measurement, answer))
        except (InfluxDBError, HTTPError, OSError, FluxError, UnicodeDecodeError) as error:
            raise self._translated(error) from error
        return in_order(measurement, found, latest=latest, limit=limit)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _translated(self, error: Exception) -> StoreError:
        """Our error for one of the client's; neither holds the token."""
        where = f"InfluxDB at {self._url}"
        status = _status(error)
        if status is None:
            if isinstance(error, LocationValueError):
                return StoreRefused(f"{where}: {error}; check the store's address")
            if isinstance(error, FluxError | UnicodeDecodeError):
                return StoreUnavailable(f"{where} broke off its answer: {error}")
            return StoreUnavailable(
                f"{where} does not answer ({_cause(error)}); check that it runs and is reachable"
            )
        reason = str(getattr(error, "message", error)).strip()
        if status in _TRY_AGAIN or status >= 500:
            return StoreUnavailable(
                f"{where} asks to come back later (HTTP {status}: {reason})",
                retry_after_s=_retry_after_s(error),
            )
        if status in (401, 403):
            advice = f"give a token that may read and write bucket {self._bucket!r}"
        elif status == 404:
            advice = f"create bucket {self._bucket!r} in organisation {self._org!r}, or name others"
        elif status == _TOO_LARGE:
            advice = "one row alone is too large: raise the body limit of the proxy before it"
        elif "field type conflict" in reason:
            advice = "something else wrote this measurement with another type: use another bucket"
        elif "retention policy" in reason:
            advice = "the bucket's retention is shorter than the data is old: lengthen it"
        else:
            advice = "this is the server's own reason; trying again would not help"
        return StoreRefused(f"{where} refuses (HTTP {status}: {reason}); {advice}")


def _status(error: Exception) -> int | None:
    """HTTP status of the answer; ``None`` (or the client's 0) if there was none."""
    return getattr(error, "status", None) or None


def _cause(error: Exception) -> str:
    """The innermost reason in words, without the client's object representations."""
    reason = getattr(error, "reason", None) or error
    text = str(reason)
    return text.rpartition(">: ")[2] or type(reason).__name__


def _retry_after_s(error: Exception) -> float | None:
    """Seconds of the ``Retry-After`` header; its date form is rare and left to our own pace."""
    try:
        return float(getattr(error, "retry_after", None) or "")
    except ValueError:
        return None
