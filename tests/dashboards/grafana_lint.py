"""A linter of dashboards: what Grafana would draw without complaint and people would stumble over.

Each rule gives complaints in words; none are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from dashboards.grafana import palette

Json = dict[str, Any]

WIDTH = 24
DATASOURCES = {"influxdb": "${datasource}", "prometheus": "${metrics}"}
VARIABLES = {"datasource", "metrics", "site", "subject", "analyte", "unit"}
# Of everything stored of a person, these could tell who it is, or what they own.
PERSONAL = ("device", "original", "birth", "email", "name", "address", "phone", "zone")
_COLOUR_KEYS = {"color", "fixedColor", "iconColor"}
_COLOUR = re.compile(r"^(#[0-9a-fA-F]{3,8}|(rgb|hsl)a?\(.*\))$")
_LINK = re.compile(r"/d/([\w-]+)")
_SET_VARIABLE = re.compile(r"(?:var-(\w+)=|\$\{(\w+):queryparam\})")
_LEAST_WORDS = 5


def complaints(board: Json, boards: Mapping[str, Json]) -> list[str]:
    """Of one dashboard, that may link to those of ``boards`` (by UID)."""
    found: list[str] = []
    for rule in (_told, _asked, _coloured, _linked, _anonymous, _placed):
        found += rule(board, boards)
    return found


def _told(board: Json, _: Mapping[str, Json]) -> Iterator[str]:
    for panel in board["panels"]:
        where = panel.get("title") or f"panel {panel.get('id')}"
        if not panel.get("title"):
            yield f"{where}: no title"
        if len(panel.get("description", "").split()) < _LEAST_WORDS:
            yield f"{where}: no description"
        defaults = panel["fieldConfig"]["defaults"]
        if not defaults.get("unit"):
            yield f"{where}: no unit"
        if not defaults.get("thresholds", {}).get("steps"):
            yield f"{where}: Grafana's own thresholds, green and red"


def _asked(board: Json, _: Mapping[str, Json]) -> Iterator[str]:
    declared = {v["name"] for v in board["templating"]["list"] if v["type"] == "datasource"}
    for where, node in _nodes(board):
        if "datasource" not in node or not isinstance(node["datasource"], dict):
            continue
        source = node["datasource"]
        if DATASOURCES.get(source.get("type", "")) != source.get("uid"):
            yield f"{where}: a datasource that is not the variable: {source}"
        elif source["uid"][2:-1] not in declared:
            yield f"{where}: the variable {source['uid']} is not declared"
    for panel in board["panels"]:
        if not panel.get("targets"):
            yield f"{panel.get('title')}: asks nothing"


def _coloured(board: Json, _: Mapping[str, Json]) -> Iterator[str]:
    for where, node in _nodes(board):
        for key, value in node.items():
            if not isinstance(value, str):
                continue
            named = key in _COLOUR_KEYS or _COLOUR.match(value)
            if named and value not in palette.ALL:
                yield f"{where}: {value} is not in the palette"
    for panel in board["panels"]:
        for override in panel["fieldConfig"]["overrides"]:
            field = override["matcher"]["options"]
            for setting in override["properties"]:
                if setting["id"] != "color":
                    continue
                if setting["value"]["fixedColor"] in palette.ALARMS and field not in (
                    "major",
                    "moderate",
                    "minor",
                ):
                    yield f"{panel['title']}: {field} has the colour of an alarm and is none"


def _linked(board: Json, boards: Mapping[str, Json]) -> Iterator[str]:
    for where, node in _nodes(board):
        url = node.get("url")
        if isinstance(url, str) and url:
            yield from (f"{where}: {words}" for words in _broken(url, boards))
    links = board.get("links", [])
    if not links:
        yield "no link to the other dashboards"
    for link in links:
        if not (link["keepTime"] and link["includeVars"]):
            yield f"link {link['title']}: loses the time range or the person"
        if not any(set(link["tags"]) <= set(other["tags"]) for other in boards.values()):
            yield f"link {link['title']}: no dashboard has its tags"


def _broken(url: str, boards: Mapping[str, Json]) -> Iterator[str]:
    match = _LINK.match(url)
    if match is None or match[1] not in boards:
        yield f"leads nowhere: {url}"
        return
    if "${__url_time_range}" not in url:
        yield f"loses the time range: {url}"
    known = {variable["name"] for variable in boards[match[1]]["templating"]["list"]}
    given = {one or other for one, other in _SET_VARIABLE.findall(url)}
    if unknown := given - known:
        yield f"sets {', '.join(sorted(unknown))}, which is not there: {url}"
    if "datasource" not in given:
        yield f"loses the store: {url}"
    if "subject" in known and not {"site", "subject", "analyte"} <= given:
        yield f"loses the person: {url}"


def _anonymous(board: Json, _: Mapping[str, Json]) -> Iterator[str]:
    for variable in board["templating"]["list"]:
        if variable["name"] not in VARIABLES:
            yield f"variable {variable['name']} is asked of viewers"
    for where, node in _nodes(board):
        asked = f"{node.get('query', '')} {node.get('expr', '')}"
        for word in PERSONAL:
            if f'r._field == "{word}' in asked or f"r.{word}" in asked:
                yield f"{where}: asks for {word}"
        if re.search(r"(by|without) \([^)]*\b(subject|site|device)\b", asked):
            yield f"{where}: a metric by person"


def _placed(board: Json, _: Mapping[str, Json]) -> Iterator[str]:
    numbers = [panel["id"] for panel in board["panels"]]
    if len(set(numbers)) < len(numbers):
        yield "two panels have one number"
    for panel in board["panels"]:
        at = panel["gridPos"]
        if at["x"] < 0 or at["x"] + at["w"] > WIDTH or at["w"] < 1 or at["h"] < 1:
            yield f"{panel['title']}: off the grid"
    for one, other in combinations(board["panels"], 2):
        a, b = one["gridPos"], other["gridPos"]
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        if not (beside or above):
            yield f"{one['title']} lies over {other['title']}"


def _nodes(node: Any, where: str = "") -> Iterator[tuple[str, Json]]:
    """Every object of the JSON, with the titles on the way to it."""
    if isinstance(node, dict):
        name = node.get("title") or node.get("name")
        where = f"{where}/{name}" if isinstance(name, str) and name else where
        yield where or "dashboard", node
        for child in node.values():
            yield from _nodes(child, where)
    elif isinstance(node, list):
        for child in node:
            yield from _nodes(child, where)
