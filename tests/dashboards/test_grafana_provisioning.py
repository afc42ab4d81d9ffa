"""What Grafana reads at its start: fields that it documents, no secret, and nothing that leads
nowhere. https://grafana.com/docs/grafana/latest/administration/provisioning/"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana import generate, provisioning
from dashboards.grafana.datasource import INFLUX_UID, PROMETHEUS_UID
from dashboards.grafana.identity import PIPELINE_UID
from dashboards.grafana.rules import RULES
from schemas.metrics_names import METRICS

FILES = {
    path: yaml.safe_load(text) for path, text in generate.texts().items() if path.endswith(".yaml")
}
(RULES_FILE,) = (FILES[path] for path in FILES if path.endswith("alerting/rules.yaml"))
(POINTS,) = (FILES[path] for path in FILES if path.endswith("contact-points.yaml"))
(POLICIES,) = (FILES[path] for path in FILES if path.endswith("policies.yaml"))
(SOURCES,) = (FILES[path] for path in FILES if "datasources/" in path)
(PROVIDERS,) = (FILES[path] for path in FILES if "dashboards/acrophase.yaml" in path)
RULE_NAMES = [rule.uid for rule in RULES]
METRIC = re.compile(r"\bacrophase_\w+")

# Fields as Grafana documents them for files.
DATASOURCE = {"name", "uid", "type", "access", "url", "isDefault", "editable", "jsonData"}
DATASOURCE |= {"secureJsonData"}
PROVIDER = {"name", "orgId", "folder", "folderUid", "type", "disableDeletion", "options"}
PROVIDER |= {"updateIntervalSeconds", "allowUiUpdates"}
RULE = {"uid", "title", "condition", "data", "for", "noDataState", "execErrState", "annotations"}
RULE |= {"labels", "isPaused"}
QUERY = {"refId", "datasourceUid", "relativeTimeRange", "model"}
RECEIVER = {"uid", "type", "settings", "disableResolveMessage"}
POLICY = {"orgId", "receiver", "group_by", "group_wait", "group_interval", "repeat_interval"}
POLICY |= {"routes", "object_matchers"}


def strings(node: Any) -> list[str]:
    """Every text in it."""
    if isinstance(node, str):
        return [node]
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [text for child in children for text in strings(child)]


def test_fields_are_those_that_grafana_documents() -> None:
    for content in FILES.values():
        assert content["apiVersion"] == 1
    assert all(set(source) <= DATASOURCE for source in SOURCES["datasources"])
    assert all(set(provider) <= PROVIDER for provider in PROVIDERS["providers"])
    (group,) = RULES_FILE["groups"]
    assert set(group) == {"orgId", "name", "folder", "interval", "rules"}
    for rule in group["rules"]:
        assert set(rule) == RULE
        assert all(set(query) == QUERY for query in rule["data"])
        assert rule["noDataState"] in ("Alerting", "NoData", "OK", "KeepLast")
        assert rule["execErrState"] in ("Alerting", "Error", "OK", "KeepLast")
    (point,) = POINTS["contactPoints"]
    assert all(set(receiver) == RECEIVER for receiver in point["receivers"])
    (root,) = POLICIES["policies"]
    assert all(set(policy) <= POLICY for policy in (root, *root["routes"]))


def test_addresses_and_secrets_come_from_the_environment(project_root: Path) -> None:
    page = (project_root / "docs" / "grafana.md").read_text()
    named = {
        name
        for content in FILES.values()
        for text in strings(content)
        for name in re.findall(r"\$\{?(\w+)", text)
    }
    assert named == set(provisioning.ENVIRONMENT)
    for name in named:
        assert f"`{name}`" in page
    for source in SOURCES["datasources"]:
        assert re.fullmatch(r"\$\{\w+\}", source["url"])
        for secret in source.get("secureJsonData", {}).values():
            assert re.fullmatch(r"\$\{\w+\}", secret)
    (point,) = POINTS["contactPoints"]
    for receiver in point["receivers"]:
        assert re.fullmatch(r"\$\{\w+\}", receiver["settings"]["url"])


def test_the_sources_are_those_that_dashboards_and_rules_name() -> None:
    uids = {source["uid"] for source in SOURCES["datasources"]}
    assert uids == {INFLUX_UID, PROMETHEUS_UID}
    chosen = {
        variable["current"]["value"]
        for board in generate.dashboards().values()
        for variable in json.loads(generate.as_json(board))["templating"]["list"]
        if variable["type"] == "datasource"
    }
    assert chosen == uids
    for rule in RULES_FILE["groups"][0]["rules"]:
        assert {query["datasourceUid"] for query in rule["data"]} <= {*uids, "__expr__"}


def test_whoever_is_told_exists() -> None:
    points = {point["name"] for point in POINTS["contactPoints"]}
    (root,) = POLICIES["policies"]
    assert {policy["receiver"] for policy in (root, *root["routes"])} <= points
    routed = {matcher[2] for route in root["routes"] for matcher in route["object_matchers"]}
    assert routed == {rule["labels"]["severity"] for rule in RULES_FILE["groups"][0]["rules"]}


@pytest.mark.parametrize("uid", RULE_NAMES)
def test_a_rule_compares_its_question_with_a_number(uid: str) -> None:
    (rule,) = (rule for rule in RULES_FILE["groups"][0]["rules"] if rule["uid"] == uid)
    question, comparison = rule["data"]
    assert rule["condition"] == comparison["refId"]
    assert comparison["model"]["expression"] == question["refId"]
    assert comparison["datasourceUid"] == "__expr__"
    ((number,),) = (each["evaluator"]["params"] for each in comparison["model"]["conditions"])
    assert number >= 0
    # Grafana would put an environment variable there.
    assert not [text for text in strings(question["model"]) if "$" in text]


@pytest.mark.parametrize("uid", RULE_NAMES)
def test_a_rule_leads_to_its_runbook_and_its_panel(uid: str, project_root: Path) -> None:
    (rule,) = (rule for rule in RULES_FILE["groups"][0]["rules"] if rule["uid"] == uid)
    page = (project_root / "docs" / "runbooks.md").read_text()
    headings = {
        title.strip().lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", page, re.M)
    }
    told = rule["annotations"]
    assert told["runbook_url"].partition("#")[2] in headings
    assert f"*{rule['title']}" in page
    pipeline = json.loads(generate.as_json(generate.dashboards()["pipeline"]))
    assert told["__dashboardUid__"] == pipeline["uid"] == PIPELINE_UID
    assert int(told["__panelId__"]) in {panel["id"] for panel in pipeline["panels"]}
    (declared,) = (each for each in RULES if each.uid == uid)
    (panel,) = (p for p in pipeline["panels"] if str(p["id"]) == told["__panelId__"])
    assert panel["title"] == declared.panel


def test_every_metric_asked_for_is_declared_and_every_one_declared_is_asked_for() -> None:
    asked = {name for text in generate.texts().values() for name in METRIC.findall(text)}
    series = {name for metric in METRICS for name in metric.series}
    assert asked <= series
    for metric in METRICS:
        assert asked & set(metric.series), f"nobody looks at {metric.name}"


def test_metrics_are_named_as_prometheus_has_it_and_name_no_person() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch(r"acrophase_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert not {"subject", "site", "device", "analyte", "offset"} & set(metric.labels)
        assert metric.description.endswith(".")


def test_the_wall_shows_nobodys_own_dashboard() -> None:
    (text,) = (text for path, text in generate.texts().items() if path.endswith("wall.json"))
    wall = json.loads(text)
    uids = {board.uid for board in generate.dashboards().values()}
    shown = [item["value"] for item in wall["spec"]["items"]]
    assert set(shown) == uids - {"acrophase-subject"}
    assert wall["apiVersion"] == "playlist.grafana.app/v1"
