"""What Grafana reads at its start, as YAML: datasources, dashboards, rules, and who is told.

Addresses and secrets are environment variables of the Grafana process. The notification policies
are the whole tree: Grafana replaces what it had.
"""

from __future__ import annotations

from typing import Any

import yaml
from grafana_foundation_sdk.builders import playlistv1

from dashboards.grafana import pipeline
from dashboards.grafana.datasource import (
    INFLUX_NAME,
    INFLUX_TYPE,
    INFLUX_UID,
    PROMETHEUS_NAME,
    PROMETHEUS_TYPE,
    PROMETHEUS_UID,
)
from dashboards.grafana.identity import (
    ALERTS_UID,
    COHORT_UID,
    FOLDER,
    FOLDER_UID,
    PIPELINE_UID,
    PLAYLIST_UID,
)
from dashboards.grafana.rules import EVERY, RULES, RUNBOOKS, Rule

# Every variable that the files name; Grafana starts with an empty string for one that is not set.
ENVIRONMENT = (
    "ACROPHASE_INFLUX_URL",
    "ACROPHASE_INFLUX_ORG",
    "ACROPHASE_INFLUX_BUCKET",
    "ACROPHASE_INFLUX_READ_TOKEN",
    "ACROPHASE_PROMETHEUS_URL",
    "ACROPHASE_DASHBOARDS_DIR",
    "ACROPHASE_RUNBOOKS_URL",
    "ACROPHASE_OPERATIONS_WEBHOOK_URL",
)
# What Grafana serves; the SDK 0.0.21 writes "playlistv1".
_PLAYLIST_API = "playlist.grafana.app/v1"
_OPERATIONS = "Acrophase operations"
_WALL = (COHORT_UID, ALERTS_UID, PIPELINE_UID)
_HEADING = "# Written by python -m dashboards.grafana; change the code and not this file.\n"


def texts() -> dict[str, str]:
    """Text of each file by its path below Grafana's provisioning folder."""
    files = {
        "datasources/acrophase.yaml": datasources(),
        "dashboards/acrophase.yaml": dashboards(),
        "alerting/rules.yaml": rules(),
        "alerting/contact-points.yaml": contact_points(),
        "alerting/policies.yaml": policies(),
    }
    return {path: _HEADING + _yaml(content) for path, content in files.items()}


def datasources() -> dict[str, Any]:
    """The store, with a token that may only read its bucket, and the metrics."""
    influx = {
        "name": INFLUX_NAME,
        "uid": INFLUX_UID,
        "type": INFLUX_TYPE,
        "access": "proxy",
        "url": "${ACROPHASE_INFLUX_URL}",
        "isDefault": True,
        "editable": False,
        "jsonData": {
            "version": "Flux",
            "organization": "${ACROPHASE_INFLUX_ORG}",
            "defaultBucket": "${ACROPHASE_INFLUX_BUCKET}",
            # A rhythm is said anew at most every half hour; nothing finer is worth a query.
            "timeInterval": "1m",
        },
        "secureJsonData": {"token": "${ACROPHASE_INFLUX_READ_TOKEN}"},
    }
    prometheus = {
        "name": PROMETHEUS_NAME,
        "uid": PROMETHEUS_UID,
        "type": PROMETHEUS_TYPE,
        "access": "proxy",
        "url": "${ACROPHASE_PROMETHEUS_URL}",
        "isDefault": False,
        "editable": False,
        "jsonData": {"httpMethod": "POST", "timeInterval": "15s"},
    }
    return {"apiVersion": 1, "datasources": [influx, prometheus]}


def dashboards() -> dict[str, Any]:
    """Where the generated dashboards are; what is edited by hand is not saved over them."""
    provider = {
        "name": "acrophase",
        "orgId": 1,
        "folder": FOLDER,
        "folderUid": FOLDER_UID,
        "type": "file",
        "disableDeletion": True,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 60,
        "options": {"path": "${ACROPHASE_DASHBOARDS_DIR}", "foldersFromFilesStructure": False},
    }
    return {"apiVersion": 1, "providers": [provider]}


def rules() -> dict[str, Any]:
    """The alert rules, one group."""
    group = {
        "orgId": 1,
        "name": "acrophase-pipeline",
        "folder": FOLDER,
        "interval": EVERY,
        "rules": [_rule(rule) for rule in RULES],
    }
    return {"apiVersion": 1, "groups": [group]}


def contact_points() -> dict[str, Any]:
    """Who runs the system, by webhook. People's alerts take another way."""
    receiver = {
        "uid": "acrophase-operations",
        "type": "webhook",
        "settings": {"url": "${ACROPHASE_OPERATIONS_WEBHOOK_URL}", "httpMethod": "POST"},
        "disableResolveMessage": False,
    }
    point = {"orgId": 1, "name": _OPERATIONS, "receivers": [receiver]}
    return {"apiVersion": 1, "contactPoints": [point]}


def policies() -> dict[str, Any]:
    """What pages comes at once and again each hour, a ticket twice a day."""
    pages = {
        "receiver": _OPERATIONS,
        "object_matchers": [["severity", "=", "page"]],
        "group_wait": "10s",
        "repeat_interval": "1h",
    }
    tickets = {
        "receiver": _OPERATIONS,
        "object_matchers": [["severity", "=", "ticket"]],
        "group_wait": "5m",
        "repeat_interval": "12h",
    }
    root = {
        "orgId": 1,
        "receiver": _OPERATIONS,
        "group_by": ["alertname"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
        "routes": [pages, tickets],
    }
    return {"apiVersion": 1, "policies": [root]}


def playlist() -> object:
    """For a wall, without people's own dashboards, half a minute each; kiosk mode is in its URL.

    Grafana has no provisioning file for playlists: this is the manifest of its resource, for the
    deployment to apply.
    """
    wall = playlistv1.Playlist("Acrophase wall").interval("30s")
    for uid in _WALL:
        wall = wall.item(playlistv1.PlaylistItem().type("dashboard_by_uid").value(uid))
    manifest = playlistv1.manifest(PLAYLIST_UID, wall).build()
    manifest.api_version = _PLAYLIST_API
    return manifest


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "uid": rule.uid,
        "title": rule.title,
        "condition": "B",
        "data": rule.queries(),
        "for": rule.lasting,
        "noDataState": rule.on_no_data,
        "execErrState": "Error",
        "annotations": {
            "summary": rule.summary,
            "runbook_url": f"{RUNBOOKS}#{rule.runbook}",
            "__dashboardUid__": PIPELINE_UID,
            "__panelId__": str(_panel_id(rule.panel)),
        },
        "labels": {"severity": rule.severity},
        "isPaused": False,
    }


def _panel_id(title: str) -> int:
    found = [panel.id_val for panel in pipeline.dashboard().panels or () if panel.title == title]
    if len(found) != 1 or found[0] is None:
        raise ValueError(f"the Pipeline dashboard has {len(found)} panels {title!r}")
    return found[0]


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # it has no types
    """Several lines as a block, as people write them."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _yaml(content: dict[str, Any]) -> str:
    text: str = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2
    )
    return text
