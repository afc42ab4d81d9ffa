"""The command line as a person meets it: every command answers, and errors end clearly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import acrophase
from acrophase import cli
from acrophase.cli import COMMANDS, Entry, app, load, main
from schemas.errors import AcrophaseError, BrokerUnavailable, SettingsError, StoreUnavailable

SLOW_IMPORTS = ("numba", "faust", "nicegui", "matplotlib", "scipy", "pint", "rich.markdown")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output
    assert len(result.output.splitlines()) > 5


@pytest.mark.parametrize(
    ("group", "commands"),
    [
        ("topics", ["create"]),
        ("dead-letters", ["list", "replay"]),
        ("dashboards", ["deploy", "diff", "prune", "annotate"]),
    ],
)
def test_groups_hold_their_commands(group: str, commands: list[str]) -> None:
    for command in commands:
        result = CliRunner().invoke(app, [group, command, "--help"])
        assert result.exit_code == 0, result.output
        assert "Usage:" in result.output


def test_help_lists_all_commands_and_imports_none() -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from acrophase.cli import app; "
        "print(CliRunner().invoke(app, ['--help']).output); "
        f"print('IMPORTED', [m for m in {SLOW_IMPORTS!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "IMPORTED []" in done.stdout
    listed = [
        line.split()[0] for line in done.stdout.partition("Commands:")[2].splitlines() if line
    ]
    assert [name for name in COMMANDS if name not in listed] == []
    # A summary that does not fit into a line of 80 is cut, and says less than it should.
    assert "..." not in done.stdout.partition("Commands:")[2]


def test_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"acrophase {acrophase.__version__}\n")


def test_a_misspelt_command_is_refused_with_a_guess() -> None:
    result = CliRunner().invoke(app, ["demmo"])
    assert result.exit_code == 2
    assert "Did you mean 'demo'?" in result.output


def test_config_is_the_variable_for_whatever_the_command_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACROPHASE_CONFIG", "before.toml")  # and put back after the test
    monkeypatch.chdir(tmp_path)
    seen: list[str] = []

    def command() -> None:
        """A command."""
        seen.append(os.environ["ACROPHASE_CONFIG"])

    monkeypatch.setattr(cli, "_look_at_me", command, raising=False)
    monkeypatch.setitem(COMMANDS, "topics", Entry("acrophase.cli:_look_at_me", "A command."))
    result = CliRunner().invoke(app, ["--config", "mine.toml", "topics"])
    assert result.exit_code == 0, result.output
    assert seen == [str(tmp_path / "mine.toml")]


def _end_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    def command() -> None:
        raise error

    monkeypatch.setattr(cli, "_fails", command, raising=False)
    monkeypatch.setitem(COMMANDS, "topics", Entry("acrophase.cli:_fails", "A command."))
    monkeypatch.setattr(sys, "argv", ["acrophase", "topics"])
    with pytest.raises(SystemExit) as end:
        main()
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("setting page_port is wrong"), 2),
        (AcrophaseError("a process of ours has ended"), 1),
        (BrokerUnavailable("no broker answers at 127.0.0.1:9"), 1),
        (StoreUnavailable("the store does not answer"), 1),
    ],
)
def test_an_error_of_ours_is_one_line_and_a_code(
    error: AcrophaseError,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _end_with(error, monkeypatch) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"error: {error}\n")


def test_an_interrupt_ends_quietly_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _end_with(KeyboardInterrupt(), monkeypatch) == 130
    assert capsys.readouterr() == ("", "")


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        _end_with(ZeroDivisionError(), monkeypatch)


@pytest.mark.parametrize("amount", [10, 1_000_000], ids=["at the last flush", "while writing"])
def test_a_reader_that_leaves_is_no_error(amount: int) -> None:
    program = (
        "import sys; from acrophase import cli; "
        f"cli.speak = lambda: sys.stdout.write('x' * {amount}) and None; "
        "cli.COMMANDS['topics'] = cli.Entry('acrophase.cli:speak', ''); "
        "sys.argv = ['acrophase', 'topics']; cli.main()"
    )
    read, write = os.pipe()
    os.close(read)  # the reader has left before a word was said
    try:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_python_dash_m_is_the_command(project_root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "acrophase", "--version"],
        capture_output=True,
        text=True,
        cwd=project_root,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("acrophase ")


def test_load_refuses_what_is_not_in_the_table() -> None:
    with pytest.raises(KeyError):
        load("no-such-command")
