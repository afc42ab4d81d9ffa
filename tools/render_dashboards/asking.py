"""What Grafana does between a dashboard's JSON and a panel: fills variables in, asks, makes frames.

After Grafana's own code: formats of variables (``public/app/features/templating``), the words
``v.…`` of Flux (``pkg/tsdb/influxdb/flux/macros.go``) and frames of a Flux answer
(``pkg/tsdb/influxdb/flux/builder.go``: a table without ``_value`` is a frame as it is).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from influxdb_client.client.influxdb_client import InfluxDBClient

ALL = "$__all"
_ALL_VALUE = ".*"
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}")
_REGEX_SIGNS = re.compile(r"[\\^$*+?.()|\[\]{}/]")

Frame = dict[str, list[Any]]
Json = dict[str, Any]


@dataclass(frozen=True)
class Viewer:
    """Who looks at what: the values of the variables and the time range."""

    start: datetime
    stop: datetime
    site: str = ALL
    subject: str = ""
    analyte: str = ""
    unit: str = ""

    @property
    def step_s(self) -> int:
        """A step of a panel about a thousand points wide, as ``v.windowPeriod``."""
        return max(60, round((self.stop - self.start).total_seconds() / 1_000))


@dataclass(frozen=True)
class Asked:
    """One Flux query of a dashboard, and what it is for; ``what`` names the thing in its kind."""

    kind: str
    what: str
    query: str


def asked(board: Json) -> Iterator[Asked]:
    """Every Flux query of a dashboard: variables, annotations, panels (by title and letter)."""
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield Asked("variable", variable["name"], variable["query"])
    for annotation in board["annotations"].get("list", []):
        yield Asked("annotation", annotation["name"], annotation["target"]["query"])
    for panel in board["panels"]:
        for target in panel["targets"]:
            if "query" in target:
                yield Asked("panel", f"{panel['title']} {target['refId']}", target["query"])


def fill(text: str, viewer: Viewer, bucket: str) -> str:
    """A query with all filled in; raises ``KeyError`` for a variable that there is not."""
    text = said(text, viewer)
    for word, value in (
        ("v.timeRangeStart", _instant(viewer.start)),
        ("v.timeRangeStop", _instant(viewer.stop)),
        ("v.windowPeriod", f"{viewer.step_s}s"),
        ("v.defaultBucket", json.dumps(bucket)),
    ):
        text = text.replace(word, value)
    return text


def said(text: str, viewer: Viewer) -> str:
    """A text with its variables, as titles have them too; raises ``KeyError`` likewise."""
    values = {
        "site": viewer.site,
        "subject": viewer.subject,
        "analyte": viewer.analyte,
        "unit": viewer.unit,
    }

    def filled(match: re.Match[str]) -> str:
        value, form = values[match[1]], match[2]
        if value == ALL:
            # A custom value of All is put in as it is.
            return "All" if form in (None, "text") else _ALL_VALUE
        if form == "doublequote":
            return '"' + value.replace('"', '\\"') + '"'
        if form == "regex":
            return _REGEX_SIGNS.sub(lambda sign: "\\" + sign[0], value)
        if form in (None, "text"):
            return value
        raise KeyError(f"variable format {form}")

    return _VARIABLE.sub(filled, text)


class Store:
    """A bucket of an InfluxDB, as Grafana's datasource sees it."""

    def __init__(self, url: str, org: str, bucket: str, token: str) -> None:
        self._bucket = bucket
        self._client: Any = InfluxDBClient(url, token, org=org, timeout=60_000)

    def ask(self, query: str, viewer: Viewer) -> list[Frame]:
        """The frames of the answer, a Flux table each; raises the client's error."""
        tables = self._client.query_api().query(fill(query, viewer, self._bucket))
        return [_frame(table) for table in tables]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _frame(table: Any) -> Frame:
    names = [column.label for column in table.columns if column.label not in ("result", "table")]
    return {name: [record.values[name] for record in table.records] for name in names}


def _instant(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
