"""``acrophase topics``: the topics as `schemas.topics` declares them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from acrophase.settings import load_settings
from schemas.errors import BrokerUnavailable
from schemas.topics import TOPICS, Topic

app = typer.Typer(no_args_is_help=True, help="Create the Kafka topics.")

_CONNECT_WITHIN_S = 15.0


@dataclass(frozen=True)
class TopicReport:
    """What was found, and done, about one topic; ``differences`` are plain sentences."""

    name: str
    partitions: int
    created: bool
    differences: tuple[str, ...] = ()


def create_topics(
    bootstrap: str, partitions: int, replication: int | None = None
) -> list[TopicReport]:
    """Create every topic that is not there yet, and compare the others with their declaration.

    ``partitions`` is the number of the input topics and of all that must agree with them;
    ``replication`` None leaves it to the broker. What exists is never changed.

    Raises ``BrokerUnavailable``.
    """
    with _admin(bootstrap) as admin:
        found = {
            each["name"]: len(each["partitions"])
            for each in admin.describe_topics([topic.name for topic in TOPICS])
            if not each["error_code"]
        }
        reports = []
        for topic in TOPICS:
            wanted = topic.partitions or partitions
            if topic.name not in found and _create(admin, topic, wanted, replication):
                reports.append(TopicReport(topic.name, wanted, created=True))
            else:
                exist = found.get(topic.name, wanted)
                differences = tuple(_differences(admin, topic, wanted, exist))
                reports.append(TopicReport(topic.name, exist, False, differences))
        return reports


@app.callback()
def _topics() -> None:
    """Create the Kafka topics."""


@app.command()
def create(
    bootstrap: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Kafka. [default: as the settings]")
    ] = None,
    partitions: Annotated[
        int | None,
        typer.Option(
            help="Partitions of the input topics: the most workers that can share the work. "
            "[default: as the settings, 8]"
        ),
    ] = None,
    replication: Annotated[
        int | None, typer.Option(min=1, help="Copies of each record. [default: the broker's]")
    ] = None,
) -> None:
    """Create the missing topics, and tell where others differ.

    Run it as often as you like: what exists is never changed. The exit status is 1 if a topic
    differs from its declaration.
    """
    settings = load_settings(bootstrap=bootstrap, partitions=partitions)
    reports = create_topics(settings.bootstrap, settings.partitions, replication)
    for report in reports:
        state = "created" if report.created else "exists"
        count = f"{report.partitions} partition{'s'[: report.partitions > 1]}"
        typer.echo(f"{report.name}: {state}, {count}")
        for difference in report.differences:
            typer.echo(f"  differs: {difference}")
    if any(report.differences for report in reports):
        typer.echo(
            "Nothing was changed. Give the partitions that there are (--partitions), or change "
            "the topics with Kafka's own tools: readings, events and state need one number, and "
            "another number sends people to other partitions than those that hold their state.",
            err=True,
        )
        raise typer.Exit(1)


@contextmanager
def _admin(bootstrap: str) -> Iterator[KafkaAdminClient]:
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=[address.strip() for address in bootstrap.split(",")],
            bootstrap_timeout_ms=round(_CONNECT_WITHIN_S * 1000),
        )
        try:
            yield admin
        finally:
            admin.close()
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable(
            f"Kafka at {bootstrap} does not answer as it should: start a broker (`acrophase "
            f"broker`) or give its address with --bootstrap ({error})"
        ) from error


def _create(
    admin: KafkaAdminClient, topic: Topic, partitions: int, replication: int | None
) -> bool:
    """False if another process was quicker."""
    new = NewTopic(
        name=topic.name,
        num_partitions=partitions,
        replication_factor=replication or -1,
        topic_configs=topic.config(),
    )
    try:
        admin.create_topics([new])
    except TopicAlreadyExistsError:
        return False
    return True


def _differences(
    admin: KafkaAdminClient, topic: Topic, wanted: int, partitions: int
) -> Iterator[str]:
    if partitions != wanted:
        yield f"{partitions} partitions instead of {wanted}"
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name)
    described = admin.describe_configs([resource])["topic"][topic.name]
    for name, value in topic.config().items():
        # The embedded broker tells nothing about configurations.
        if name in described and described[name]["value"] != value:
            yield f"{name} is {described[name]['value']} instead of {value}"
