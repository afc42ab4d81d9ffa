"""What README and docs tell people to type, is typed here, and must do what they say.

All pages are one session in one temporary folder against one embedded broker: a command is run
the first time that it is met. Long-running ones (with a trailing ``&``) are started, must answer,
and must end with status 0 when they are asked to.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acrophase.broker import EmbeddedBroker
from acrophase.cli import COMMANDS, load
from acrophase.commands.topics import create_topics
from acrophase.settings import Settings, load_settings
from processors.store import open_store
from producers.clinic import Clinic
from schemas.events import parse_event
from schemas.measurements import EVENT, READING
from schemas.readings import parse_reading
from schemas.units import scale_of

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

# What is not run, by its beginning, and why.
NOT_RUN = {
    "make demo": "installs first; the command behind it is `acrophase demo`, which has its tests",
    "make test": "this is it",
    ". .venv/bin/activate": "the tests run in an environment of their own",
    "acrophase dashboards": "needs Grafana; tests/dashboards/test_grafana_*.py run each of them",
    "python -m schemas.": "writes into the project; that nothing has drifted is tests/schemas'",
    "python -m acrophase.": "the same, and tests/acrophase/test_settings.py's",
    "python -m dashboards.": "the same, and tests/dashboards/test_grafana_files.py's",
}

READY_WITHIN_S = 60.0


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    begin, language, lines = 0, "", list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.startswith("```"):
            lines.append(line)
        elif begin:
            yield Block(page, begin, language, "\n".join(lines) + "\n")
            begin = 0
        else:
            begin, language, lines = number, line[3:].strip(), []


BLOCKS = [block for page in PAGES for block in blocks(page)]


def commands(block: Block) -> Iterator[str]:
    """The commands of a shell block: continued lines joined, comments left out."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield shlex.join(words).replace("'&'", "&")


@dataclass
class Session:
    """A person at work: a folder with their files, an environment, and what they have started."""

    folder: Path
    environment: dict[str, str]
    page_port: int
    done: set[str] = field(default_factory=set)
    running: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)
    starting: list[tuple[str, Path, subprocess.Popen[bytes]]] = field(default_factory=list)

    def run(self, command: str) -> str:
        """Run a command to its end; its output."""
        self.done.add(command)
        self.wait_until_ready()
        finished = subprocess.run(
            self._words(command),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert finished.returncode == 0, f"{command}\n{finished.stdout}{finished.stderr}"
        return finished.stdout

    def start(self, command: str) -> None:
        """Start a long-running command; `wait_until_ready` sees that it answers."""
        self.done.add(command)
        words = self._words(command.removesuffix("&").strip())
        if words[-1] == "broker":
            words += ["--port", "0"]  # somebody may have the usual one
        output = self.folder / f"{words[3]}.log"
        with output.open("wb") as log:
            process = subprocess.Popen(
                words, cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        self.running.append((command, process))
        self.starting.append((words[3], output, process))

    def wait_until_ready(self) -> None:
        """Until all that was started answers."""
        limit = time.monotonic() + READY_WITHIN_S
        for name, output, process in self.starting:
            while not self._answers(name, output):
                assert process.poll() is None, f"{name}\n{output.read_text()}"
                assert time.monotonic() < limit, f"{name} does not answer\n{output.read_text()}"
                time.sleep(0.05)
        self.starting.clear()

    def end(self) -> list[str]:
        """Ask all that runs to end; what did not do so with status 0."""
        for _, process in self.running:
            process.send_signal(signal.SIGINT)  # Ctrl-C
        return [
            f"{command}: {status}"
            for command, process in self.running
            if (status := process.wait(30)) != 0
        ]

    def _words(self, command: str) -> list[str]:
        program, *arguments = shlex.split(command)
        assert program == "acrophase", f"{command}: run it, or say in NOT_RUN why not"
        return [sys.executable, "-m", program, *arguments]

    def _answers(self, name: str, output: Path) -> bool:
        if name == "page":
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.page_port}/", timeout=5) as r:
                    return int(r.status) == 200
            except (urllib.error.URLError, OSError):
                return False
        return {"broker": "broker: 127.0.0.1:", "worker": "worker of group"}[name] in (
            output.read_text()
        )


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("docs")
    _files(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        page_port = probe.getsockname()[1]
    with EmbeddedBroker() as broker:
        create_topics(broker.address, 2)
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "ACROPHASE_BOOTSTRAP": broker.address,
            "ACROPHASE_PAGE_PORT": str(page_port),
        }
        session = Session(folder, environment, page_port)
        try:
            yield session
        finally:
            for _, process in session.running:
                if process.poll() is None:
                    process.kill()
                    process.wait()


def _files(folder: Path) -> None:
    """The files that the pages take for granted."""
    curve = (f"{10 * i}\t{5 + 4 * (1 if 30 <= i < 90 else 0) + i % 3}\n" for i in range(145))
    (folder / "curve.csv").write_text("".join(curve))
    for name, header, times, values in (
        ("evening.csv", "melatonin", (18, 19, 20, 21, 22, 23), (0.8, 1.0, 0.9, 4.0, 12.0, 18.0)),
        ("day.csv", "cortisol", (7, 10, 14, 18, 23), (12.0, 8.0, 5.0, 3.0, 1.5)),
    ):
        rows = (f"2024-03-05 {h:02d}:00,{v}\n" for h, v in zip(times, values, strict=True))
        (folder / name).write_text(f"time,{header}\n" + "".join(rows))
    years = (f"{2019 + k}-03-05,{v}\n" for k, v in enumerate((96, 88, 91, 84, 102)))
    (folder / "dheas.csv").write_text("date,dheas\n" + "".join(years))
    # shifted epoch seconds, newest first
    heart = (f"{60 + i % 30},{32_716_774.5 + 600 * i}\n" for i in reversed(range(300)))
    (folder / "heart.csv").write_text("heartrate,timestamp\n" + "".join(heart))
    start = datetime(2026, 1, 5, tzinfo=UTC)
    deliveries = Clinic(1, 1, start).records(start, start + timedelta(days=2))
    lines = b"".join(d.value + b"\n" for d in deliveries if d.topic == "readings")
    (folder / "readings.jsonl").write_bytes(lines)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_does_what_it_says(block: Block, session: Session) -> None:
    if block.language == "sh":
        for command in commands(block):
            if command in session.done or command.startswith(tuple(NOT_RUN)):
                continue
            (session.start if command.endswith("&") else session.run)(command)
        session.wait_until_ready()
    elif block.language == "python":
        finished = subprocess.run(
            [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c", block.text],
            cwd=session.folder,
            env=session.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert finished.returncode == 0, f"{block}\n{finished.stderr}"
    elif block.language == "json":
        for line in block.text.splitlines():
            parse = parse_event if "kind" in json.loads(line) else parse_reading
            parse(line.encode())
    elif block.language == "toml":
        config = session.folder / "settings.toml"
        config.write_text(block.text)
        assert load_settings(config) != Settings()
    else:
        assert block.language == "", f"{block}: a {block.language} block is not run"


def test_what_the_pages_send_arrives(session: Session) -> None:
    """The examples of integrating.md and README, in the worker's store; nothing was refused."""
    store = open_store(f"sqlite:///{session.folder / 'acrophase.db'}")
    expected = {"saliva-cortisol": 2, "heart-rate": 3}
    limit = time.monotonic() + READY_WITHIN_S
    while True:
        rows = store.select(READING, tags={"subject": "p-0412"})
        counted = {slug: sum(r["n"] for r in rows if r["analyte"] == slug) for slug in expected}
        events = {row["kind"] for row in store.select(EVENT, tags={"subject": "p-0412"})}
        watch = sum(row["n"] for row in store.select(READING, tags={"subject": "watch-1"}))
        if (counted, events, watch) == (expected, {"dose", "wake", "profile"}, 300):
            break
        assert time.monotonic() < limit, (counted, events, watch)
        time.sleep(0.1)
    store.close()
    assert session.run("acrophase dead-letters list").startswith("0 dead letters")


def test_files_that_the_pages_make_are_there(session: Session) -> None:
    assert (session.folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    results = (session.folder / "results.jsonl").read_text().splitlines()
    assert {json.loads(line)["type"] for line in results} >= {"rhythm", "profile"}
    assert len(json.loads((session.folder / "truth.json").read_text())["people"]) == 3


def test_what_was_started_ends_when_it_is_asked_to(session: Session) -> None:
    assert {command.split()[1] for command, _ in session.running} == {"broker", "worker", "page"}
    assert session.end() == []


def test_what_is_not_run_is_on_a_page() -> None:
    typed = [command for block in BLOCKS if block.language == "sh" for command in commands(block)]
    unused = [begin for begin in NOT_RUN if not any(c.startswith(begin) for c in typed)]
    assert unused == []


def examples(name: str) -> list[list[str]]:
    """The command lines of a command's help, each as its words."""
    text = (load(name).help or "").replace("\\\n", " ")
    lines = re.findall(rf"^\s*(?:Example: )?acrophase ({re.escape(name)}\b.*)$", text, re.M)
    return [shlex.split(line.partition(" && ")[0])[1:] for line in lines]


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("topics",)])
def test_the_examples_of_a_commands_help_can_be_typed(name: str) -> None:
    for words in examples(name):
        with load(name).make_context(name, list(words)) as context:
            assert context.params
    if name in ("publish", "fit", "simulate"):
        assert len(examples(name)) >= 2


LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if anchor:
            text = there.read_text(encoding="utf-8")
            headings = re.findall(r"^#+ (.*)$", text, re.M)
            known = {re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings}
            assert anchor in known | set(re.findall(r'<a id="([^"]+)">', text)), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_exist(page: Path) -> None:
    """`producers/client.py` in a sentence is a claim about the project."""
    named = re.findall(r"`([a-z_]+(?:/[a-z_0-9]+)+/?(?:\.(?:py|toml|md))?)`", page.read_text())
    claims = [name for name in named if scale_of(name) is None]  # `mmol/mol` is a unit
    assert [name for name in claims if not (ROOT / name).exists()] == []
