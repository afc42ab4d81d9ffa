"""What senders get wrong, through Kafka and real workers: told, kept, and brought back once.

A strict worker meets the whole table of bad input between good records. Then the tolerance for
clocks that run fast is raised, which is the fix for some of it, and the letters are replayed: by a
command that is killed half way and one that is killed before it could say what it had done, by one
that gets through, and by one more.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from acrophase.broker import EmbeddedBroker
from acrophase.cli import app
from acrophase.commands.dead_letters import Mailbox, StoredLetter, read_mailbox
from acrophase.commands.topics import create_topics
from schemas.errors import Reason
from schemas.measurements import EVENT, READING, RHYTHM
from schemas.topics import EVENTS, READINGS
from tests.kafka_log import records_of
from tests.processors.engine.bad_input import SUBJECT, TABLE, Bad
from tests.streaming import refused
from tests.streaming.refused import FAST_BATCHES, FAST_CLOCK, LENIENT_S, STRICT_S
from tests.streaming.worker import WorkerProcess


class Stored(NamedTuple):
    """What the store holds at one moment."""

    times: set[int]  # of the readings of the table's person
    events: int
    fast: int  # readings that the series of `FAST_CLOCK` has counted


class Aftermath(NamedTuple):
    """What was left behind at each step."""

    refused: Mailbox
    listed: dict[int, str]  # by columns of the terminal
    listed_json: list[dict[str, Any]]
    refused_again: Mailbox
    strict: Stored
    killed: list[int]  # exit status of the replays that were killed
    after_kills: Mailbox
    told: list[str]  # by the replays that were not killed
    replayed: Mailbox
    lenient: Stored
    sent_again: list[Any]  # Kafka's records of the topic readings that are replays


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    """The whole story; one worker at a time."""
    folder = tmp_path_factory.mktemp("refused")
    with EmbeddedBroker() as broker:
        address = broker.address
        create_topics(address, 1)
        sent = refused.publish(address)
        with WorkerProcess(address, folder, future_tolerance_s=STRICT_S) as worker:
            worker.wait_until_worked_through(1, sent)
            first = read_mailbox(address)
            whole = ("list", "--limit", "1000")
            listed = {columns: dead_letters(address, columns, *whole) for columns in (80, 200)}
            lines = dead_letters(address, 80, *whole, "--json").splitlines()
            # nothing has been fixed for these
            dead_letters(address, 80, "replay", "--reason", "no-offset")
            sent += letters_for(first, Reason.NO_OFFSET)
            worker.wait_until_worked_through(1, sent)
            worker.stop()
            strict = look_into(worker)
        again = read_mailbox(address)
        with WorkerProcess(address, folder, future_tolerance_s=LENIENT_S) as worker:
            future = letters_for(again, Reason.FUTURE)
            killed = killed_replays(address, folder, [future // 2, future])
            sent += future // 2 + future
            after_kills = read_mailbox(address)
            told = [dead_letters(address, 80, "replay", "--reason", "future") for _ in range(2)]
            sent += future
            worker.wait_until_worked_through(1, sent)
            worker.stop()
            lenient = look_into(worker)
        replays = [r for r in records_of(address, READINGS.name) if dict(r.headers)]
        return Aftermath(
            refused=first,
            listed=listed,
            listed_json=[json.loads(line) for line in lines],
            refused_again=again,
            strict=strict,
            killed=killed,
            after_kills=after_kills,
            told=told,
            replayed=read_mailbox(address),
            lenient=lenient,
            sent_again=replays,
        )


def dead_letters(address: str, columns: int, *arguments: str) -> str:
    told = ["dead-letters", *arguments, "--bootstrap", address]
    result = CliRunner().invoke(app, told, env={"COLUMNS": str(columns)})
    assert result.exit_code == 0, result.output
    return result.output


def killed_replays(address: str, folder: Path, records: Sequence[int]) -> list[int]:
    """Exit status of replays that die after so many records; they run at the same time."""
    running = []
    for n in records:
        command = [sys.executable, "-m", "tests.streaming.dying_replay", str(n)]
        command += ["--reason", "future", "--bootstrap", address]
        with (folder / f"replay-{n}.log").open("wb") as log:
            running.append(subprocess.Popen(command, stdout=log, stderr=log))
    return [each.wait(60) for each in running]


def letters_for(mailbox: Mailbox, reason: Reason) -> int:
    return sum(stored.letter.reason is reason for stored in mailbox.letters)


def look_into(worker: WorkerProcess) -> Stored:
    with worker.store() as store:
        readings = store.select(READING, tags={"subject": SUBJECT})
        (*_, rhythm) = store.select(RHYTHM, tags={"subject": FAST_CLOCK})
        return Stored(
            {row["time"] for row in readings},
            len(store.select(EVENT)),
            rhythm["n_readings"],
        )


def of_the_table(mailbox: Mailbox) -> dict[tuple[str, int], StoredLetter]:
    """The letters of the table by topic and offset."""
    found = {}
    for stored in mailbox.letters:
        where = (stored.letter.topic, stored.letter.offset)
        assert where not in found
        found[where] = stored
    return {where: found[where] for where in map(place, TABLE)}


def place(bad: Bad) -> tuple[str, int]:
    """Topic and offset: every second record is bad."""
    return (bad.topic, 2 * [each for each in TABLE if each.topic == bad.topic].index(bad))


def test_each_is_told_once_with_its_reason_and_kept_byte_for_byte(aftermath: Aftermath) -> None:
    letters = of_the_table(aftermath.refused)
    assert len(aftermath.refused.letters) == len(TABLE) + FAST_BATCHES
    for bad in TABLE:
        stored = letters[place(bad)]
        assert (stored.key, stored.value) == (bad.key, bad.value), bad.name
        assert (stored.letter.reason, stored.letter.elements) == (bad.reason, bad.elements)
        assert re.search(bad.words, stored.letter.detail), (bad.name, stored.letter.detail)
    assert {stored.letter.reason for stored in letters.values()} == set(Reason)


def test_nothing_else_is_lost(aftermath: Aftermath) -> None:
    """Neither the records between them nor, of a batch, the readings that are good."""
    assert aftermath.strict.times == refused.stored_times()
    assert aftermath.strict.events == sum(bad.topic == EVENTS.name for bad in TABLE)
    assert aftermath.strict.fast == 2 * FAST_BATCHES


@pytest.mark.parametrize("columns", [80, 200])
def test_the_list_fits_the_terminal(aftermath: Aftermath, columns: int) -> None:
    shown = aftermath.listed[columns]
    assert max(map(len, shown.splitlines())) <= columns
    # sentences are wrapped, but nothing is cut or taken for markup, as [degF] would be
    words = shown.split()
    assert "…" not in shown
    for stored in aftermath.refused.letters:
        told = f"{stored.offset} {stored.letter.reason.value} {stored.letter.detail}"
        assert {word for word in told.split() if len(word) < 40} <= set(words), told
    counted = f"{len(aftermath.refused.letters)} dead letters: future "
    assert counted in " ".join(words)


def test_the_list_for_programs_has_all_of_them(aftermath: Aftermath) -> None:
    told = [(each["topic"], each["offset"], each["reason"]) for each in aftermath.listed_json]
    letters = [stored.letter for stored in aftermath.refused.letters]
    assert told == [(each.topic, each.offset, each.reason.value) for each in letters]
    assert max(each["bytes"] for each in aftermath.listed_json) > 10_000_000


def test_no_list_shows_who_it_is(aftermath: Aftermath) -> None:
    shown = "".join([*aftermath.listed.values(), json.dumps(aftermath.listed_json)]).lower()
    for private in ("jane", "mrn-0012345", "123-45-6789", "1980-02-29", SUBJECT, FAST_CLOCK):
        assert private not in shown


def test_what_was_not_fixed_comes_back_as_a_new_letter(aftermath: Aftermath) -> None:
    before, after = aftermath.refused, aftermath.refused_again
    old = [s for s in before.letters if s.letter.reason is Reason.NO_OFFSET]
    new = after.letters[len(before.letters) :]
    assert [(s.key, s.value, s.letter.detail) for s in new if s.letter.topic == READINGS.name] == [
        (s.key, s.value, s.letter.detail) for s in old if s.letter.topic == READINGS.name
    ]
    assert len(new) == len(old)
    assert after.replayed == {stored.offset for stored in old}
    # told for its new place, and not replayed so far
    assert not {s.letter.offset for s in new} & {s.letter.offset for s in old}


def test_a_replay_that_is_killed_says_nothing_of_what_it_has_sent(aftermath: Aftermath) -> None:
    assert aftermath.killed == [-signal.SIGKILL] * 2
    assert aftermath.after_kills.replayed == aftermath.refused_again.replayed


def test_the_replay_that_gets_through_sends_all_and_the_next_one_nothing(
    aftermath: Aftermath,
) -> None:
    future = letters_for(aftermath.refused_again, Reason.FUTURE)
    assert aftermath.told == [
        f"replayed {future} dead letters: future {future}\n",
        "replayed 0 dead letters\n",
    ]
    sent = Counter((record.key, record.value) for record in aftermath.sent_again)
    times = Counter(n for (key, _), n in sent.items() if key == FAST_CLOCK.encode())
    # by the one that got through, the one that nearly did, and for some the one that died half way
    assert times.keys() == {2, 3}
    assert times.total() == FAST_BATCHES


def test_after_the_fix_everything_has_come_back_once(aftermath: Aftermath) -> None:
    assert aftermath.lenient.fast == 4 * FAST_BATCHES
    assert aftermath.lenient.times >= aftermath.strict.times
    refused_again = aftermath.replayed.letters[len(aftermath.refused_again.letters) :]
    assert FAST_CLOCK.encode() not in {stored.key for stored in refused_again}
