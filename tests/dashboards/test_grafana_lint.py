"""The generated dashboards have nothing to complain of, and the linter sees each fault."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import pytest

from dashboards.grafana import palette
from dashboards.grafana.generate import as_json, dashboards
from tests.dashboards.grafana_lint import Json, complaints

BOARDS: dict[str, Json] = {
    board["uid"]: board for board in (json.loads(as_json(made)) for made in dashboards().values())
}
SUBJECT, COHORT = BOARDS["acrophase-subject"], BOARDS["acrophase-cohort"]


@pytest.mark.parametrize("uid", BOARDS)
def test_nothing_to_complain_of(uid: str) -> None:
    assert complaints(BOARDS[uid], BOARDS) == []


def panel(board: Json, title: str) -> Json:
    (found,) = (one for one in board["panels"] if one["title"] == title)
    assert isinstance(found, dict)
    return found


def override(board: Json, title: str, field: str, setting: str) -> Json:
    (found,) = (
        one
        for each in panel(board, title)["fieldConfig"]["overrides"]
        if each["matcher"]["options"] == field
        for one in each["properties"]
        if one["id"] == setting
    )
    assert isinstance(found, dict)
    return found


def link_of(board: Json) -> Json:
    found = override(board, "Who needs looking at", "subject", "links")["value"][0]
    assert isinstance(found, dict)
    return found


def _without(key: str) -> Callable[[Json], object]:
    return lambda board: board["panels"][0].pop(key)


def _url(old: str, new: str) -> Callable[[Json], object]:
    def change(board: Json) -> None:
        link = link_of(board)
        assert old in link["url"]
        link["url"] = link["url"].replace(old, new)

    return change


def _colour(board: Json, colour: str) -> None:
    line = override(board, "People", "quiet", "color")
    line["value"]["fixedColor"] = colour


FAULTS: dict[str, tuple[Callable[[Json], object], str]] = {
    "no title": (_without("title"), "no title"),
    "no description": (_without("description"), "no description"),
    "no unit": (
        lambda board: board["panels"][0]["fieldConfig"]["defaults"].pop("unit"),
        "no unit",
    ),
    "no thresholds": (
        lambda board: board["panels"][0]["fieldConfig"]["defaults"].pop("thresholds"),
        "green and red",
    ),
    "no query": (_without("targets"), "asks nothing"),
    "a datasource by uid": (
        lambda board: board["panels"][0]["targets"][0]["datasource"].update(uid="abc"),
        "not the variable",
    ),
    "a variable that is not declared": (
        lambda board: board["panels"][0]["datasource"].update(type="prometheus", uid="${metrics}"),
        "not declared",
    ),
    "a colour of its own": (lambda board: _colour(board, "#00ff00"), "not in the palette"),
    "a colour by name": (lambda board: _colour(board, "semi-dark-red"), "not in the palette"),
    "an alarm's colour": (lambda board: _colour(board, palette.MAJOR), "colour of an alarm"),
    "a link to nowhere": (_url("acrophase-subject", "acrophase-person"), "leads nowhere"),
    "a link that forgets the time": (_url("${__url_time_range}", ""), "loses the time range"),
    "a link that forgets the store": (_url("${datasource:queryparam}", ""), "loses the store"),
    "a link that forgets who": (_url("var-subject=", "x="), "loses the person"),
    "a link with a variable too many": (_url("var-site=", "var-place="), "which is not there"),
    "links that forget": (
        lambda board: board["links"][0].update(keepTime=False),
        "loses the time range or the person",
    ),
    "links to no dashboard": (
        lambda board: board["links"][0].update(tags=["other"]),
        "no dashboard has its tags",
    ),
    "no links": (lambda board: board["links"].clear(), "no link to the other dashboards"),
    "a variable of a person": (
        lambda board: board["templating"]["list"].append({"name": "surname", "type": "query"}),
        "variable surname",
    ),
    "a query of a device": (
        lambda board: board["panels"][0]["targets"][0].update(query='r._field == "device"'),
        "asks for device",
    ),
    "a metric by person": (
        lambda board: board["panels"][0]["targets"][0].update(expr="sum by (subject) (x)"),
        "a metric by person",
    ),
    "panels that overlap": (
        lambda board: board["panels"][1]["gridPos"].update(x=0),
        "lies over",
    ),
    "a panel off the grid": (
        lambda board: board["panels"][1]["gridPos"].update(w=20),
        "off the grid",
    ),
    "one number twice": (
        lambda board: board["panels"][1].update(id=board["panels"][0]["id"]),
        "one number",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_seen(fault: str) -> None:
    spoil, words = FAULTS[fault]
    board = copy.deepcopy(COHORT)
    spoil(board)
    found = complaints(board, BOARDS)
    assert any(words in complaint for complaint in found), found
