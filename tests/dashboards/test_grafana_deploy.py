"""``acrophase dashboards deploy``, ``diff`` and ``prune`` against a Grafana that is served here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from acrophase.commands.dashboards import app
from dashboards.deploy import client
from schemas.errors import GrafanaRefused, GrafanaUnavailable, SettingsError
from tests.dashboards.grafana_server import CREATOR, TOKEN, Fault, GrafanaServer

SAVE = ("POST", "/api/dashboards/db")


class Site:
    """A Grafana, a folder of dashboards, and somebody who types commands."""

    def __init__(self, server: GrafanaServer, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def want(self, name: str, **more: Any) -> str:
        """Make or change a file; the dashboard's uid."""
        uid = f"acrophase-{name}"
        model = {"uid": uid, "title": name.title(), "tags": ["acrophase"], "panels": []} | more
        (self.folder / f"{name}.json").write_text(json.dumps(model))
        return uid

    def run(self, *arguments: str) -> Result:
        """Type a command; an error of ours is raised."""
        typed = [arguments[0], str(self.folder), *arguments[1:]]
        result = CliRunner().invoke(app, typed)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert TOKEN not in result.output
        return result

    def has(self, uid: str) -> dict[str, Any]:
        """What Grafana has."""
        model: dict[str, Any] = self.server.dashboards[uid]["dashboard"]
        return model

    def foreign(self, uid: str, folder_uid: str, **more: Any) -> None:
        """A dashboard that somebody made."""
        model = {"uid": uid, "title": "Theirs", "tags": ["acrophase"]} | more
        self.server._keep(uid, model, folder_uid, "", "ann")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(client, "_FIRST_WAIT_S", 0.01)
    with GrafanaServer() as server:
        monkeypatch.setenv("ACROPHASE_GRAFANA_URL", server.url)
        monkeypatch.setenv("ACROPHASE_GRAFANA_TOKEN", TOKEN)
        made = Site(server, tmp_path)
        made.want("cohort", refresh="30s")
        made.want("subject")
        yield made


def test_a_deployment_brings_everything_and_is_quiet_the_second_time(site: Site) -> None:
    result = site.run("deploy")
    assert result.exit_code == 0
    assert "Grafana 13.0.1 at http://127.0.0.1:" in result.output
    assert "acrophase-cohort         created" in result.output
    assert "2 written, 0 unchanged, permissions set: Viewer view, Editor view" in result.output
    assert site.server.folders["acrophase"]["title"] == "Acrophase"
    assert site.has("acrophase-cohort")["refresh"] == "30s"
    assert site.server.dashboards["acrophase-subject"]["meta"]["folderUid"] == "acrophase"
    site.server.requests.clear()
    again = site.run("deploy")
    assert (again.exit_code, site.server.writes()) == (0, [])
    assert "0 written, 2 unchanged" in again.output


def test_only_what_has_changed_is_written(site: Site) -> None:
    site.run("deploy")
    site.want("cohort", refresh="5m")
    result = site.run("deploy")
    assert "acrophase-cohort         updated" in result.output
    assert "1 written, 1 unchanged" in result.output
    assert (site.has("acrophase-cohort")["version"], site.has("acrophase-subject")["version"]) == (
        2,
        1,
    )
    assert site.has("acrophase-cohort")["refresh"] == "5m"


def test_a_dry_run_shows_and_writes_nothing(site: Site) -> None:
    result = site.run("deploy", "--dry-run")
    assert result.exit_code == 0
    assert "folder Acrophase: to be created" in result.output
    assert "permissions: none -> Viewer view, Editor view" in result.output
    assert '+  "refresh": "30s",' in result.output
    assert site.server.writes() == []


def test_a_hand_edit_is_kept_until_it_is_told_to_go(site: Site) -> None:
    site.run("deploy")
    site.server.edit("acrophase-cohort", title="My cohort")
    site.want("cohort", refresh="5m")
    site.want("subject", refresh="5m")
    result = site.run("deploy")
    assert result.exit_code == 1
    assert (
        "acrophase-cohort         left as it is: version 2 was saved by admin, not by us; "
        "--overwrite replaces it" in result.output
    )
    assert site.has("acrophase-cohort")["title"] == "My cohort"
    assert site.has("acrophase-subject")["refresh"] == "5m"
    shown = site.run("deploy", "--dry-run")
    assert shown.exit_code == 1
    assert '-  "title": "My cohort",' in shown.output
    told = site.run("deploy", "--overwrite")
    assert told.exit_code == 0
    assert "acrophase-cohort         overwritten" in told.output
    assert (site.has("acrophase-cohort")["title"], site.has("acrophase-cohort")["version"]) == (
        "Cohort",
        3,
    )


def test_a_grafana_of_a_newer_schema_is_not_taken_for_a_hand(site: Site) -> None:
    site.server.migrates = True
    site.run("deploy")
    assert site.has("acrophase-cohort")["schemaVersion"] == 99
    assert site.run("diff").exit_code == 0
    site.want("cohort", refresh="5m")
    assert "1 written, 1 unchanged" in site.run("deploy").output
    site.server.edit("acrophase-cohort", refresh="1h")
    assert site.run("deploy").exit_code == 1


def test_what_is_not_ours_is_never_touched(site: Site) -> None:
    site.run("deploy")
    site.foreign("acrophase-cohort", "elsewhere", title="A copy that was moved")
    site.foreign("acrophase-copy", "elsewhere")
    site.foreign("their-own", "acrophase")
    site.foreign("acrophase-untagged", "acrophase", tags=["wall"])
    site.server.requests.clear()
    result = site.run("deploy", "--overwrite")
    assert result.exit_code == 1
    assert "left as it is: it lies in another folder" in result.output
    pruned = site.run("prune", "--yes", "--overwrite")
    assert "0 deleted, 0 kept" in pruned.output
    assert site.server.writes() == []
    for elsewhere in ("acrophase-copy", "their-own"):
        assert site.server.asked("GET", elsewhere) == []


def test_what_grafana_provisions_from_files_is_left_to_it(site: Site) -> None:
    site.run("deploy")
    site.server.dashboards["acrophase-cohort"]["meta"]["provisioned"] = True
    site.want("cohort", refresh="5m")
    result = site.run("deploy", "--overwrite")
    assert result.exit_code == 1
    assert "provisions it from files" in result.output


def test_permissions_are_set_and_those_of_others_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.run("deploy")
    creator = {"userId": CREATOR, "permission": 4}
    assert site.server.permissions["acrophase"] == [
        creator,
        {"role": "Viewer", "permission": 1},
        {"role": "Editor", "permission": 1},
    ]
    site.server.teams = {"Night shift": 3, "Others": 4}
    site.server.permissions["acrophase"].append({"teamId": 4, "permission": 2})
    monkeypatch.setenv("ACROPHASE_GRAFANA_ACCESS", "team:Night shift=edit")
    assert "Viewer view, Editor view -> team:Night shift edit" in site.run("diff").output
    assert site.run("deploy").exit_code == 0
    assert site.server.permissions["acrophase"] == [
        creator,
        {"teamId": 4, "permission": 2},
        {"teamId": 3, "permission": 2},
    ]
    assert site.run("diff").exit_code == 0
    monkeypatch.setenv("ACROPHASE_GRAFANA_ACCESS", "team:Nobody=view")
    site.server.requests.clear()
    with pytest.raises(GrafanaRefused, match="has no team 'Nobody'"):
        site.run("deploy")
    assert site.server.writes() == []


def test_diff_tells_by_its_status(site: Site) -> None:
    result = site.run("diff")
    assert result.exit_code == 1
    assert "acrophase-cohort         create" in result.output
    site.run("deploy")
    assert site.run("diff").exit_code == 0
    site.want("cohort", refresh="5m")
    result = site.run("diff")
    assert result.exit_code == 1
    assert '-  "refresh": "30s",\n+  "refresh": "5m",' in result.output
    site.server.token = "another"
    result = site.run("diff")
    assert result.exit_code == 2
    assert "does not take the token" in result.stderr
    assert site.server.writes() == site.server.writes()[:4]  # of the one deployment


def test_prune_deletes_orphans_when_it_is_told_to(site: Site) -> None:
    site.want("old")
    site.want("older")
    site.run("deploy")
    for name in ("old", "older"):
        (site.folder / f"{name}.json").unlink()
    site.server.edit("acrophase-older", title="Still mine")
    assert site.run("diff").exit_code == 1
    assert "`acrophase dashboards prune` deletes it" in site.run("deploy").output
    result = site.run("prune")
    assert "acrophase-old            would be deleted" in result.output
    assert "1 to delete, 1 kept; --yes deletes them" in result.output
    assert len(site.server.dashboards) == 4
    result = site.run("prune", "--yes")
    assert "acrophase-old            deleted" in result.output
    assert "acrophase-older          kept" in result.output
    assert set(site.server.dashboards) == {
        "acrophase-cohort",
        "acrophase-older",
        "acrophase-subject",
    }
    assert "1 deleted, 0 kept" in site.run("prune", "--yes", "--overwrite").output
    assert set(site.server.dashboards) == {"acrophase-cohort", "acrophase-subject"}


def test_json_tells_all_of_it(site: Site) -> None:
    told = json.loads(site.run("deploy", "--json").output)
    assert told["grafana"] == {"url": site.server.url, "version": "13.0.1"}
    assert [(d["uid"], d["action"], d["done"]) for d in told["dashboards"]] == [
        ("acrophase-cohort", "create", True),
        ("acrophase-subject", "create", True),
    ]
    assert told["permissions"]["after"] == {"Viewer": 1, "Editor": 1}
    assert json.loads(site.run("diff", "--json").output)["differs"] is False
    (site.folder / "subject.json").unlink()
    told = json.loads(site.run("prune", "--json").output)
    assert [(d["action"], d["done"]) for d in told["dashboards"]] == [
        ("unchanged", False),
        ("orphaned", False),
    ]
    assert len(site.server.dashboards) == 2


def test_an_answer_that_was_lost_is_no_conflict(site: Site) -> None:
    """The save is done, its answer is not heard, and the second attempt meets the first."""
    site.server.faults = [
        Fault("POST", "/api/folders", cut=True, carried_out=True),
        Fault(*SAVE, cut=True, carried_out=True),
    ]
    assert "2 written" in site.run("deploy").output
    site.want("cohort", refresh="5m")
    site.server.faults = [Fault(*SAVE, cut=True, carried_out=True)]
    assert "1 written" in site.run("deploy").output
    assert site.has("acrophase-cohort")["version"] == 2
    assert site.run("diff").exit_code == 0


def test_somebody_who_saves_in_the_same_moment_is_not_overwritten(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.run("deploy")
    site.want("cohort", refresh="5m")
    save = client.Grafana.save_dashboard

    def edited_first(self: client.Grafana, *arguments: Any) -> None:
        site.server.edit("acrophase-cohort", title="Faster")
        save(self, *arguments)

    monkeypatch.setattr(client.Grafana, "save_dashboard", edited_first)
    with pytest.raises(GrafanaRefused, match="changed by somebody else") as caught:
        site.run("deploy", "--overwrite")
    assert caught.value.status == 412
    assert site.has("acrophase-cohort")["title"] == "Faster"


def test_what_was_done_before_a_failure_stays_and_the_rest_follows(site: Site) -> None:
    site.run("deploy")
    site.want("cohort", refresh="5m")
    site.want("subject", refresh="5m")
    site.server.faults = [Fault(*SAVE, status=500, times=4, holds="acrophase-subject")]
    with pytest.raises(GrafanaUnavailable, match="500"):
        site.run("deploy")
    assert site.has("acrophase-cohort")["refresh"] == "5m"
    assert "1 written, 1 unchanged" in site.run("deploy").output
    assert site.has("acrophase-subject")["refresh"] == "5m"


def test_without_a_token_nothing_is_asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACROPHASE_GRAFANA_TOKEN")
    with pytest.raises(SettingsError, match="set ACROPHASE_GRAFANA_TOKEN"):
        site.run("deploy")
    assert site.server.requests == []
