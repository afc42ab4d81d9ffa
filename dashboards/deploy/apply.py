"""Reads what Grafana has, and does what the plan says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dashboards.deploy.answers import Permission
from dashboards.deploy.client import Grafana
from dashboards.deploy.plan import Action, Found, Grant, Item, Plan, make_plan, same
from dashboards.deploy.wanted import FOLDER_TITLE, FOLDER_UID, TAG, UID_PREFIX, Wanted, stamp_of
from schemas.errors import GrafanaRefused


def observe(grafana: Grafana, wanted: Sequence[Wanted], access: Sequence[Grant]) -> Plan:
    """Read what is there, and plan.

    Raises ``GrafanaError``.
    """
    folder = grafana.folder(FOLDER_UID)
    permissions = grafana.folder_permissions(FOLDER_UID) if folder else []
    uids = {each.uid: each for each in wanted}
    ours = {
        hit.uid
        for hit in grafana.tagged(TAG)
        if hit.folder_uid == FOLDER_UID and hit.uid.startswith(UID_PREFIX)
    }
    found = {uid: _found(grafana, uid, uids.get(uid)) for uid in sorted(ours | set(uids))}
    return make_plan(
        wanted,
        {uid: each for uid, each in found.items() if each is not None},
        folder_missing=folder is None,
        before=tuple(_grants(permissions, _team_names(grafana, access))),
        after=access,
    )


def deploy(grafana: Grafana, plan: Plan, *, overwrite: bool, tell: Callable[[Item], None]) -> None:
    """Make folder, dashboards and permissions as planned; `tell` is called after each dashboard.

    overwrite: replace those that were edited by hand as well. Never touches a foreign one.
    Raises ``GrafanaError``; what was done before it stays, and doing it again does the rest.
    """
    if plan.folder_missing:
        _make_folder(grafana)
    # Before the dashboards: nobody who should not sees one for a moment.
    if plan.folder_missing or plan.permissions_differ:
        _set_permissions(grafana, plan.after)
    write = [Action.CREATE, Action.UPDATE, *([Action.EDITED] if overwrite else [])]
    for item in plan.of(*write):
        _save(grafana, item)
        tell(item)


def prune(grafana: Grafana, plan: Plan, *, overwrite: bool, tell: Callable[[Item], None]) -> None:
    """Delete ours that nobody wants any more; those edited by hand only with `overwrite`.

    Raises ``GrafanaError``.
    """
    for item in prunable(plan, overwrite=overwrite):
        grafana.delete_dashboard(item.uid)
        tell(item)


def prunable(plan: Plan, *, overwrite: bool) -> list[Item]:
    """What `prune` deletes."""
    orphans = plan.of(Action.ORPHANED)
    return [item for item in orphans if overwrite or not (item.found and item.found.edited)]


def _found(grafana: Grafana, uid: str, wanted: Wanted | None) -> Found | None:
    stored = grafana.dashboard(uid)
    if stored is None:
        return None
    found = Found(uid, stored.dashboard, stored.meta.folder_uid, stored.meta.provisioned)
    if found.foreign() or (wanted is not None and same(wanted, found.model)):
        return found
    newest = grafana.newest_version(uid)
    if newest is None:
        return found
    return Found(
        uid,
        stored.dashboard,
        stored.meta.folder_uid,
        stored.meta.provisioned,
        newest.message,
        newest.created_by,
    )


def _save(grafana: Grafana, item: Item) -> None:
    wanted, found = item.wanted, item.found
    assert wanted is not None  # only what is wanted is written
    version = found.version if found else None
    try:
        grafana.save_dashboard(wanted.model, FOLDER_UID, wanted.message(), version)
    except GrafanaRefused as error:
        if error.status != 412 or not _saved_before(grafana, wanted):
            raise


def _saved_before(grafana: Grafana, wanted: Wanted) -> bool:
    """Whether it was our own save, the answer to which was lost, that came between."""
    newest = grafana.newest_version(wanted.uid)
    return newest is not None and stamp_of(newest.message) == stamp_of(wanted.message())


def _make_folder(grafana: Grafana) -> None:
    try:
        grafana.create_folder(FOLDER_UID, FOLDER_TITLE)
    except GrafanaRefused as error:
        # By our own attempt, the answer to which was lost, or by somebody in the same moment.
        if error.status != 409 or grafana.folder(FOLDER_UID) is None:
            raise


def _set_permissions(grafana: Grafana, access: Sequence[Grant]) -> None:
    """Roles and the teams that are named are ours to say; other teams and users keep what they
    have, among them the account that made the folder.
    """
    teams = _team_names(grafana, access)
    kept = [
        each
        for each in grafana.folder_permissions(FOLDER_UID)
        if (each.user_id or each.team_id) and each.team_id not in teams
    ]
    numbers = {name: number for number, name in teams.items()}
    wanted = [
        Permission(team_id=numbers[grant.who], permission=grant.permission)
        if grant.who in numbers
        else Permission(role=grant.who, permission=grant.permission)
        for grant in access
    ]
    grafana.set_folder_permissions(FOLDER_UID, [*kept, *wanted])


def _team_names(grafana: Grafana, access: Sequence[Grant]) -> dict[int, str]:
    """The teams that are named, as ``team:NAME`` by the number that Grafana gave them."""
    names = {}
    for grant in access:
        prefix, _, name = grant.who.partition(":")
        if prefix == "team" and name:
            team = grafana.team(name)
            if team is None:
                raise GrafanaRefused(
                    f"Grafana at {grafana.url} has no team {name!r}: make it, or take it out of "
                    "ACROPHASE_GRAFANA_ACCESS",
                    404,
                )
            names[team.id] = grant.who
    return names


def _grants(permissions: Sequence[Permission], teams: dict[int, str]) -> Iterator[Grant]:
    for each in permissions:
        if each.role:
            yield Grant(each.role, each.permission)
        elif each.team_id in teams:
            yield Grant(teams[each.team_id], each.permission)
