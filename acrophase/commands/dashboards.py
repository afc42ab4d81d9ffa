"""``acrophase dashboards``: dashboards to Grafana, and what happens as annotations on them."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from acrophase.settings import PREFIX, Settings, load_settings
from dashboards.deploy.annotate import Annotator, told
from dashboards.deploy.apply import deploy, observe, prunable, prune
from dashboards.deploy.client import Grafana
from dashboards.deploy.plan import LEVELS, Action, Grant, Item, Plan, read_access
from dashboards.deploy.wanted import FOLDER_TITLE, GENERATED, read_wanted
from schemas.errors import AcrophaseError, SettingsError

app = typer.Typer(no_args_is_help=True, help="Deploy dashboards to Grafana, and annotate them.")

Folder = Annotated[
    Path | None,
    typer.Argument(metavar="FOLDER", help="Folder of dashboards (*.json). [default: ours]"),
]
Url = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="Grafana. [default: as the settings]")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Those that somebody edited by hand as well.")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for other programs.")]

_PAST = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.EDITED: "overwritten",
    Action.ORPHANED: "deleted",
}
_LEVEL_NAMES = {number: name for name, number in LEVELS.items()}


@app.callback()
def _dashboards() -> None:
    """Deploy dashboards to Grafana, and annotate them.

    The token of a Grafana service account is read from ACROPHASE_GRAFANA_TOKEN or the settings
    file; docs/deploying-dashboards.md says what it must be allowed.
    """


@app.command("deploy")
def deploy_(
    folder: Folder = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done, and the diff.")
    ] = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Bring folder, dashboards and permissions to Grafana.

    A dashboard that somebody edited by hand is left as it is, unless --overwrite is given; what is
    not ours is never touched. May be run again at any time: what is there already is not written.

    Ends with 0 if Grafana then has what is wanted, and with 1 if something was left as it is.
    """
    settings = load_settings(grafana_url=url)
    with _grafana(settings) as grafana:
        plan = _observe(grafana, settings, folder)
        version = grafana.version()
        left = plan.of(Action.FOREIGN, *([] if overwrite else [Action.EDITED]))
        done: list[Item] = []
        if not as_json:
            typer.echo(f"Grafana {version} at {grafana.url}")
        if dry_run:
            if not as_json:
                _show(plan)
        else:
            tell = done.append if as_json else _telling(done)
            deploy(grafana, plan, overwrite=overwrite, tell=tell)
        if as_json:
            _print_json(grafana, version, plan, done)
        elif not dry_run:
            _show_left(left, plan)
            typer.echo(_summary(plan, done, left))
    raise typer.Exit(1 if left else 0)


@app.command()
def diff(folder: Folder = None, as_json: AsJson = False, url: Url = None) -> None:
    """Show how Grafana differs from what is wanted, and change nothing.

    Ends with 0 if it does not differ, with 1 if it does, and with 2 if that could not be told.
    """
    try:
        settings = load_settings(grafana_url=url)
        with _grafana(settings) as grafana:
            plan = _observe(grafana, settings, folder)
            if as_json:
                _print_json(grafana, grafana.version(), plan, [])
            else:
                _show(plan)
    except AcrophaseError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(1 if plan.differs else 0)


@app.command("prune")
def prune_(
    folder: Folder = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete them; without it, only tell.")] = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Delete dashboards of ours that no file wants any more.

    Ours are those in our folder, with our tag and a uid that begins as ours do. One that somebody
    edited by hand is kept, unless --overwrite is given.
    """
    settings = load_settings(grafana_url=url)
    with _grafana(settings) as grafana:
        plan = _observe(grafana, settings, folder)
        done: list[Item] = []
        if yes:
            tell = done.append if as_json else _telling(done)
            prune(grafana, plan, overwrite=overwrite, tell=tell)
        if as_json:
            _print_json(grafana, grafana.version(), plan, done)
            return
        going = prunable(plan, overwrite=overwrite)
        kept = [item for item in plan.of(Action.ORPHANED) if item not in going]
        for item in [] if yes else going:
            typer.echo(_line(item, "would be deleted"))
        for item in kept:
            typer.echo(_line(item, f"kept: {item.reason}; --overwrite deletes it"))
        verb = "deleted" if yes else "to delete"
        hint = "" if yes or not going else "; --yes deletes them"
        typer.echo(f"{len(going)} {verb}, {len(kept)} kept{hint}")


@app.command()
def annotate(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, for other programs.")
    ] = False,
    url: Url = None,
    bootstrap: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Kafka. [default: as the settings]")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(help="Consumer group. [default: that of the workers with -annotate]"),
    ] = None,
) -> None:
    """Write doses, illness, travel, cycles, deviations and alerts into Grafana as they happen.

    Begins with all that Kafka still has, and goes on where it stood. A record that comes twice
    makes one annotation. While Grafana is away it waits. SIGTERM and Ctrl-C end it with status 0.
    """
    settings = load_settings(grafana_url=url, bootstrap=bootstrap)
    named = group or f"{settings.group}-annotate"
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def tell(line: str) -> None:
        typer.echo(json.dumps({"told": line}) if as_json else f"annotate: {line}")

    with _grafana(settings, attempts=1, pause=stop.wait) as grafana:
        annotator = Annotator(
            grafana, settings.bootstrap, named, settings.session_timeout_s, stop, tell
        )
        tell(f"follows Kafka at {settings.bootstrap} as {named}, writes to {grafana.url}")
        annotator.run()
    if as_json:
        counts = {each.value: n for each, n in sorted(annotator.outcomes.items())}
        typer.echo(json.dumps({"ended": counts}))
    else:
        tell(f"ended; {told(annotator.outcomes) or 'nothing was to be written'}")


@contextmanager
def _grafana(settings: Settings, **patience: Any) -> Iterator[Grafana]:
    if settings.grafana_token is None:
        raise SettingsError(
            f"no token for Grafana: make one for a service account, and set {PREFIX}GRAFANA_TOKEN "
            "(docs/deploying-dashboards.md says what it must be allowed)"
        )
    grafana = Grafana(settings.grafana_url, settings.grafana_token.get_secret_value(), **patience)
    try:
        yield grafana
    finally:
        grafana.close()


def _observe(grafana: Grafana, settings: Settings, folder: Path | None) -> Plan:
    # The files first: who has named a wrong folder should not wait for Grafana.
    wanted = read_wanted(folder or GENERATED)
    return observe(grafana, wanted, read_access(settings.grafana_access))


def _telling(done: list[Item]) -> Callable[[Item], None]:
    def tell(item: Item) -> None:
        done.append(item)
        typer.echo(_line(item, _PAST[item.action]))

    return tell


def _show(plan: Plan) -> None:
    if plan.folder_missing:
        typer.echo(f"folder {FOLDER_TITLE}: to be created")
    if plan.permissions_differ:
        typer.echo(f"permissions: {_grants(plan.before)} -> {_grants(plan.after)}")
    for item in plan.items:
        reason = f": {item.reason}" if item.reason else ""
        typer.echo(_line(item, f"{item.action}{reason}"))
        if text := item.diff():
            typer.echo(text, nl=False)


def _show_left(left: Sequence[Item], plan: Plan) -> None:
    for item in left:
        hint = "; --overwrite replaces it" if item.action is Action.EDITED else ""
        typer.echo(_line(item, f"left as it is: {item.reason}{hint}"))
    for item in plan.of(Action.ORPHANED):
        hint = "`acrophase dashboards prune` deletes it"
        typer.echo(_line(item, f"{item.action}: {item.reason}; {hint}"))


def _summary(plan: Plan, done: Sequence[Item], left: Sequence[Item]) -> str:
    told = [f"{len(done)} written", f"{len(plan.of(Action.UNCHANGED))} unchanged"]
    if left:
        told.append(f"{len(left)} left as they are")
    if plan.folder_missing or plan.permissions_differ:
        told.append(f"permissions set: {_grants(plan.after)}")
    return ", ".join(told)


def _line(item: Item, what: str) -> str:
    return f"{item.uid:<24} {what}"


def _grants(grants: Sequence[Grant]) -> str:
    return ", ".join(f"{g.who} {_LEVEL_NAMES.get(g.permission, g.permission)}" for g in grants) or (
        "none"
    )


def _print_json(grafana: Grafana, version: str, plan: Plan, done: Sequence[Item]) -> None:
    """One object: what was found, what was to be done, and what has been."""
    written = {item.uid for item in done}
    told = {
        "grafana": {"url": grafana.url, "version": version},
        "folder_missing": plan.folder_missing,
        "permissions": {
            "before": {grant.who: grant.permission for grant in plan.before},
            "after": {grant.who: grant.permission for grant in plan.after},
        },
        "differs": plan.differs,
        "dashboards": [
            {
                "uid": item.uid,
                "title": item.title,
                "file": item.wanted.file if item.wanted else None,
                "version": item.found.version if item.found else None,
                "action": item.action.value,
                "reason": item.reason,
                "done": item.uid in written,
                "diff": item.diff(),
            }
            for item in plan.items
        ],
    }
    typer.echo(json.dumps(told, ensure_ascii=False))
