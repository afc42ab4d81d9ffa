"""``acrophase dead-letters``: what could not be used, and how it gets another chance.

A replay sends key and bytes of a dead letter to the topic that it came from, unchanged. Then it
writes a *receipt* on ``dead-letters``: a record whose header ``receipt`` lists the offsets that
have been replayed. Letters with a receipt are not replayed again. Receipts lie behind their
letters on the same topic, so they live at least as long, whatever becomes of consumer groups.
A crash between the two replays a letter again, which is harmless: the engine counts a reading
once. A letter that is refused again comes back as a new letter.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import typer
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from acrophase.settings import load_settings
from producers.client import Publisher
from schemas.dead_letters import REPLAYED_HEADER, DeadLetter
from schemas.errors import BrokerUnavailable, DeliveryError, Reason
from schemas.topics import DEAD_LETTERS

app = typer.Typer(no_args_is_help=True, help="List and replay records that could not be used.")

_RECEIPT = "receipt"
_CONNECT_WITHIN_S = 15.0
_SILENT_S = 15.0
_OFFSETS_A_RECEIPT = 10_000

Bootstrap = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Kafka. [default: as the settings]")
]
Reasons = Annotated[
    list[Reason] | None, typer.Option("--reason", help="Only these; may be given several times.")
]


@dataclass(frozen=True)
class StoredLetter:
    """A dead letter where it lies: ``offset`` is its own, on ``dead-letters``."""

    offset: int
    key: bytes | None
    value: bytes | None
    letter: DeadLetter


@dataclass(frozen=True)
class Mailbox:
    """All of ``dead-letters``, and which of them have been replayed."""

    letters: list[StoredLetter]
    replayed: frozenset[int]


def read_mailbox(bootstrap: str) -> Mailbox:
    """Read the topic from its beginning to where it ends now.

    Raises ``BrokerUnavailable`` and, if a record is neither a letter nor a receipt,
    ``DeliveryError``.
    """
    letters: list[StoredLetter] = []
    replayed: set[int] = set()
    for offset, key, value, headers in _records(bootstrap):
        receipt = dict(headers).get(_RECEIPT)
        if receipt is not None:
            replayed.update(json.loads(receipt))
            continue
        try:
            letters.append(StoredLetter(offset, key, value, DeadLetter.from_headers(headers)))
        except ValidationError as error:
            raise DeliveryError(
                f"the record at offset {offset} of {DEAD_LETTERS.name} is no dead letter of "
                f"Acrophase: give it a topic of its own ({error.error_count()} headers are wrong)",
                0,
            ) from error
    return Mailbox(letters, frozenset(replayed))


def replay_letters(bootstrap: str, letters: list[StoredLetter]) -> None:
    """Send letters to where they came from, then write their receipts.

    Raises ``BrokerUnavailable`` and ``DeliveryError``; then some may have been sent, and have no
    receipt.
    """
    with Publisher(bootstrap) as publisher:
        for stored in letters:
            publisher.publish_raw(
                stored.letter.topic, stored.key, stored.value, [(REPLAYED_HEADER, b"1")]
            )
        publisher.flush()
        for first in range(0, len(letters), _OFFSETS_A_RECEIPT):
            offsets = [stored.offset for stored in letters[first : first + _OFFSETS_A_RECEIPT]]
            headers = [(_RECEIPT, json.dumps(offsets).encode())]
            publisher.publish_raw(DEAD_LETTERS.name, None, b"", headers, readings=0)


@app.callback()
def _dead_letters() -> None:
    """List and replay records that could not be used."""


@app.command("list")
def list_letters(
    reason: Reasons = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, for other programs.")
    ] = False,
    bootstrap: Bootstrap = None,
) -> None:
    """Show dead letters: when, from where, and why, oldest first.

    Keys and contents are not shown: they may be what identifies a person.
    """
    mailbox = read_mailbox(load_settings(bootstrap=bootstrap).bootstrap)
    chosen = _chosen(mailbox, reason)
    if as_json:
        for stored in chosen[-limit:]:
            told = stored.letter.model_dump(mode="json")
            told |= {"letter": stored.offset, "bytes": len(stored.value or b"")}
            typer.echo(json.dumps(told | {"replayed": stored.offset in mailbox.replayed}))
        return
    table = Table()
    for title in ("letter", "time (UTC)", "from", "reason", "detail", "bytes", "replayed"):
        table.add_column(title, no_wrap=title in ("from", "reason"))
    for stored in chosen[-limit:]:
        letter = stored.letter
        table.add_row(
            str(stored.offset),
            f"{letter.time:%Y-%m-%d %H:%M:%S}",
            f"{letter.topic}/{letter.partition} @ {letter.offset}",
            letter.reason.value,
            letter.detail,
            str(len(stored.value or b"")),
            "yes" if stored.offset in mailbox.replayed else "no",
        )
    if chosen:
        Console().print(table)
    typer.echo(_summary(chosen))


@app.command()
def replay(
    reason: Reasons = None,
    again: Annotated[
        bool, typer.Option("--again", help="Those that have been replayed before as well.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be sent.")
    ] = False,
    bootstrap: Bootstrap = None,
) -> None:
    """Send dead letters to where they came from, byte for byte.

    To be used after a fix: of the catalogue, of a device's mapping, of Acrophase. Letters that
    have been replayed are left out. Readings that had been accepted count once all the same.
    """
    address = load_settings(bootstrap=bootstrap).bootstrap
    mailbox = read_mailbox(address)
    chosen = _chosen(mailbox, reason)
    if not again:
        chosen = [stored for stored in chosen if stored.offset not in mailbox.replayed]
    if chosen and not dry_run:
        replay_letters(address, chosen)
    typer.echo(("would replay " if dry_run else "replayed ") + _summary(chosen))


def _chosen(mailbox: Mailbox, reasons: list[Reason] | None) -> list[StoredLetter]:
    return [each for each in mailbox.letters if not reasons or each.letter.reason in reasons]


def _summary(letters: list[StoredLetter]) -> str:
    counts = Counter(stored.letter.reason.value for stored in letters)
    told = ", ".join(f"{reason} {n}" for reason, n in counts.most_common())
    return f"{len(letters)} dead letters" + (f": {told}" if told else "")


def _records(
    bootstrap: str,
) -> Iterator[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes]]]]:
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=[address.strip() for address in bootstrap.split(",")],
            enable_auto_commit=False,
            bootstrap_timeout_ms=round(_CONNECT_WITHIN_S * 1000),
            max_partition_fetch_bytes=DEAD_LETTERS.max_message_bytes,
            metrics_enabled=False,
        )
        try:
            where = TopicPartition(DEAD_LETTERS.name, 0)
            if not consumer.partitions_for_topic(DEAD_LETTERS.name):
                raise BrokerUnavailable(
                    f"Kafka at {bootstrap} has no topic {DEAD_LETTERS.name}: run `acrophase "
                    "topics create`"
                )
            consumer.assign([where])
            consumer.seek_to_beginning(where)
            # Where the topic ends is what the first fetch says: the embedded broker's own answer
            # to that question is wrong.
            end: int | None = None
            limit = time.monotonic() + _SILENT_S
            while end is None or consumer.position(where) < end:
                for record in consumer.poll(timeout_ms=500).get(where, []):
                    yield record.offset, record.key, record.value, list(record.headers)
                    limit = time.monotonic() + _SILENT_S
                end = consumer.highwater(where) if end is None else end
                if time.monotonic() > limit:
                    raise BrokerUnavailable(
                        f"Kafka at {bootstrap} sent nothing of {DEAD_LETTERS.name} for "
                        f"{_SILENT_S:.0f} s"
                    )
        finally:
            consumer.close()
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable(
            f"Kafka at {bootstrap} does not answer as it should: start a broker or give its "
            f"address with --bootstrap ({error})"
        ) from error
