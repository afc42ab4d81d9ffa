"""The command line: what commands there are, and how they end.

A command's module is imported when the command is called. Help and completion show the table
below, so ``acrophase --help`` does not wait for Numba, Faust and NiceGUI.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from acrophase import __version__
from schemas.errors import (
    AcrophaseError,
    CatalogueError,
    InputFileError,
    OutputFileError,
    RejectedRecord,
    SettingsError,
)

# Rich's Markdown and syntax colours take longer to import than all the rest of `--help`.
PLAIN = None


class Entry(NamedTuple):
    """One command: where it is (``module:name`` of a function or a Typer app) and what it does."""

    place: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "demo": Entry(
        "acrophase.commands.demo:demo",
        "Run everything on this machine with a simulated clinic.",
    ),
    "publish": Entry("acrophase.commands.publish:publish", "Send the readings of a file to Kafka."),
    "fit": Entry("acrophase.commands.fit:fit", "Fit a cosinor to the readings of a file."),
    "compare": Entry(
        "acrophase.commands.compare:compare",
        "Find a group's mean rhythm, or what two conditions change.",
    ),
    "analyse": Entry(
        "acrophase.commands.analyse:analyse",
        "Judge a file of records as the worker would, without Kafka.",
    ),
    "simulate": Entry(
        "acrophase.commands.simulate:simulate", "Make synthetic people with known truth."
    ),
    "worker": Entry(
        "acrophase.commands.worker:worker", "Process readings from Kafka into the store."
    ),
    "page": Entry("acrophase.commands.page:page", "Serve the live page over the store."),
    "dashboards": Entry(
        "acrophase.commands.dashboards:app", "Deploy dashboards to Grafana, and annotate them."
    ),
    "broker": Entry(
        "acrophase.commands.broker:broker", "Run the embedded Kafka-compatible broker."
    ),
    "topics": Entry("acrophase.commands.topics:app", "Create the Kafka topics."),
    "dead-letters": Entry(
        "acrophase.commands.dead_letters:app", "List and replay records that could not be used."
    ),
}


def load(name: str) -> TyperCommand | TyperGroup:
    """Import the command called ``name`` of `COMMANDS`; a KeyError if there is none."""
    module, _, attribute = COMMANDS[name].place.partition(":")
    command = getattr(import_module(module), attribute)
    if isinstance(command, typer.Typer):
        command.rich_markup_mode = PLAIN
        return typer.main.get_group(command)
    single = typer.Typer(add_completion=False, rich_markup_mode=PLAIN)
    single.command(name)(command)
    loaded = typer.main.get_command(single)
    assert isinstance(loaded, TyperCommand)  # one command without a callback is no group
    return loaded


class LazyGroup(TyperGroup):
    """Shows the table, and imports what is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, entry in COMMANDS.items():
            self.add_command(TyperCommand(name, help=entry.summary))

    def resolve_command(
        self, ctx: Any, args: list[str]
    ) -> tuple[str | None, TyperCommand | TyperGroup | None, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else load(name), rest


app = typer.Typer(
    name="acrophase",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=PLAIN,
    # A traceback with the values of variables could show personal data.
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"acrophase {__version__}")
        raise typer.Exit


@app.callback()
def acrophase(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Settings file (TOML), given before the command; otherwise ACROPHASE_CONFIG, or "
            "acrophase.toml here.",
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Watch hormone rhythms as they happen.

    Settings come from flags, from the environment (ACROPHASE_…) and from a file, in that order.
    Research software for monitoring teams, not a medical device.
    """
    if config is not None:
        # The flag is the variable: workers that a command starts read the same file.
        os.environ["ACROPHASE_CONFIG"] = str(config.absolute())


def main() -> None:
    """Run the command line; the process ends here.

    0 done · 1 something failed on the way (Kafka, the store, a process of ours) · 2 what was asked
    cannot be done as given (settings, files, usage) · 130 interrupted.
    """
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except AcrophaseError as error:
        typer.echo(f"error: {error}", err=True)
        asked = isinstance(
            error,
            SettingsError | InputFileError | OutputFileError | CatalogueError | RejectedRecord,
        )
        sys.exit(2 if asked else 1)
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python flushes once more at exit: let it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
