"""``acrophase dashboards annotate``: Kafka in, annotations out, each once, whatever happens."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from acrophase.broker import EmbeddedBroker
from acrophase.commands.topics import create_topics
from dashboards.deploy.annotate import Outcome, write
from dashboards.deploy.client import Grafana
from dashboards.deploy.notes import note_of
from schemas.errors import GrafanaUnavailable
from tests.dashboards.grafana_records import MS, TIME, alert, deviation
from tests.dashboards.grafana_server import TOKEN, Fault, GrafanaServer
from tests.kafka_log import GroupOffsets
from tests.processes import ROOT, Program, acrophase, started, wait_until

ADD = ("POST", "/api/annotations")
GROUP = "acrophase-annotate"


def dose(minute: int = 0, subject: str = "p-0412", **more: Any) -> tuple[str, bytes, bytes]:
    given = {
        "kind": "dose",
        "subject": subject,
        "at": f"2026-03-01T07:{minute:02d}:00+01:00",
        "substance": "hydrocortisone",
        "amount": 20.0,
        "unit": "mg",
        "route": "oral",
    }
    return "events", subject.encode(), json.dumps(given | more).encode()


def found(**more: Any) -> tuple[str, bytes, bytes]:
    return "deviations", b"p-0412|saliva-cortisol", deviation(**more).model_dump_json().encode()


def alarm(**more: Any) -> tuple[str, bytes, bytes]:
    return (
        "alerts",
        b"p-0412|saliva-cortisol|level|higher",
        alert(**more).model_dump_json().encode(),
    )


ENDED = {"ended_at": TIME + timedelta(days=2)}


@pytest.fixture
def server() -> Iterator[GrafanaServer]:
    with GrafanaServer() as server:
        yield server


@pytest.fixture
def grafana(server: GrafanaServer) -> Iterator[Grafana]:
    grafana = Grafana(server.url, TOKEN, attempts=1)
    yield grafana
    grafana.close()


def bring(grafana: Grafana, record: tuple[str, bytes, bytes]) -> Outcome:
    note = note_of(*record)
    assert note is not None
    return write(grafana, note)


def test_a_record_makes_one_annotation_however_often_it_comes(
    grafana: Grafana, server: GrafanaServer
) -> None:
    records = [dose(), dose(substance="melatonin"), dose(1), found(), alarm()]
    assert [bring(grafana, each) for each in records] == [Outcome.WRITTEN] * 5
    assert [bring(grafana, each) for each in records] == [Outcome.THERE] * 5
    assert len(server.annotations) == 5
    assert server.annotations[1] == {
        "id": 1,
        "time": MS - 30 * 60_000,
        "timeEnd": MS - 30 * 60_000,
        "tags": ["acrophase", "type:event", "site:default", "subject:p-0412", "kind:dose"],
        "text": "hydrocortisone 20 mg oral",
    }


def test_a_deviation_becomes_a_region_when_it_ends_and_stays_one(
    grafana: Grafana, server: GrafanaServer
) -> None:
    assert bring(grafana, found()) is Outcome.WRITTEN
    assert bring(grafana, found(**ENDED)) is Outcome.CHANGED
    before = json.dumps(server.annotations)
    assert bring(grafana, found()) is Outcome.THERE
    assert bring(grafana, found(**ENDED)) is Outcome.THERE
    assert json.dumps(server.annotations) == before
    (region,) = server.annotations.values()
    assert (region["time"], region["timeEnd"]) == (MS, MS + 2 * 86_400_000)
    assert len(region["tags"]) == 7
    assert "direction:higher" in region["tags"]


def test_an_older_record_takes_nothing_back(grafana: Grafana, server: GrafanaServer) -> None:
    resolved = alarm(state="resolved", resolved_at=TIME + timedelta(hours=1))
    assert [bring(grafana, each) for each in (alarm(), resolved)] == ["written", "changed"]
    assert bring(grafana, alarm()) is Outcome.THERE
    (region,) = server.annotations.values()
    assert "resolved" in region["text"]


def test_one_that_begins_within_another_is_one_of_its_own(
    grafana: Grafana, server: GrafanaServer
) -> None:
    bring(grafana, found(**ENDED))
    assert bring(grafana, found(time=TIME + timedelta(days=1))) is Outcome.WRITTEN
    assert [each["timeEnd"] - MS for each in server.annotations.values()] == [
        2 * 86_400_000,
        86_400_000,
    ]


def test_a_deviation_that_is_met_at_its_end_is_written_whole(
    grafana: Grafana, server: GrafanaServer
) -> None:
    assert bring(grafana, found(**ENDED)) is Outcome.WRITTEN
    (region,) = server.annotations.values()
    assert region["timeEnd"] == MS + 2 * 86_400_000


def test_what_is_revised_is_changed_and_another_is_another(
    grafana: Grafana, server: GrafanaServer
) -> None:
    assert bring(grafana, alarm(severity="minor")) is Outcome.WRITTEN
    assert bring(grafana, alarm(severity="major")) is Outcome.CHANGED
    assert [each["text"][:5] for each in server.annotations.values()] == ["major"]
    for other in (
        alarm(direction="lower"),
        alarm(subject="p-0413"),
        alarm(site="south"),
        alarm(analyte="heart-rate"),
        alarm(time=TIME + timedelta(milliseconds=1)),
    ):
        assert bring(grafana, other) is Outcome.WRITTEN
    assert len(server.annotations) == 6


def test_what_a_person_deletes_in_between_is_left_deleted(
    grafana: Grafana, server: GrafanaServer
) -> None:
    bring(grafana, found())
    server.faults = [Fault("PATCH", "/api/annotations/", status=404)]
    assert bring(grafana, found(**ENDED)) is Outcome.DELETED


@pytest.mark.parametrize("fault", [{"cut": True}, {"status": 502}], ids=["cut", "502"])
def test_an_answer_that_was_lost_makes_no_second_annotation(
    fault: dict[str, Any], grafana: Grafana, server: GrafanaServer
) -> None:
    server.faults = [Fault(*ADD, carried_out="cut" in fault, **fault)]
    with pytest.raises(GrafanaUnavailable):
        bring(grafana, dose())
    expected = Outcome.THERE if "cut" in fault else Outcome.WRITTEN
    assert bring(grafana, dose()) is expected
    assert len(server.annotations) == 1


# -- the agent, in a process of its own, on a broker ---------------------------------------------


class Agent:
    """A broker, a Grafana, and the agent between them."""

    def __init__(self, address: str, server: GrafanaServer, folder: Path) -> None:
        self.address = address
        self.server = server
        self._folder = folder
        self._runs = 0
        self._producer = KafkaProducer(bootstrap_servers=address)

    def send(self, *records: tuple[str, bytes, bytes | None]) -> None:
        for topic, key, value in records:
            self._producer.send(topic, key=key, value=value)
        self._producer.flush()

    def start(self, *arguments: str) -> Program:
        self._runs += 1
        log = self._folder / f"agent-{self._runs}.log"
        environment = {
            "ACROPHASE_BOOTSTRAP": self.address,
            "ACROPHASE_GRAFANA_URL": self.server.url,
            "ACROPHASE_GRAFANA_TOKEN": TOKEN,
            # The embedded broker lets a group's first member wait half of it.
            "ACROPHASE_SESSION_TIMEOUT_S": "6",
            "PYTHONUNBUFFERED": "1",
        }
        command = acrophase("dashboards", "annotate", *arguments)
        return Program(started(command, log, self._folder, environment), log)

    def wait_for(self, annotations: int) -> None:
        wait_until(
            lambda: len(self.server.annotations) >= annotations, f"{annotations} annotations"
        )

    def committed(self) -> int:
        """Records that the group has behind it."""
        offsets = GroupOffsets(self.address, GROUP)
        try:
            topics = ("events", "deviations", "alerts")
            return sum(offsets.committed((name, n) for name in topics for n in range(2)).values())
        finally:
            offsets.close()

    def close(self) -> None:
        self._producer.close()


@pytest.fixture
def agent(server: GrafanaServer, tmp_path: Path) -> Iterator[Agent]:
    with EmbeddedBroker() as broker:
        create_topics(broker.address, 2)
        made = Agent(broker.address, server, tmp_path)
        yield made
        made.close()


def test_it_follows_goes_on_where_it_stood_and_ends_when_it_is_told_to(agent: Agent) -> None:
    people = [f"p-{n:04d}" for n in range(6)]
    agent.send(*(dose(subject=each) for each in people), found(), alarm(), found(**ENDED))
    with agent.start() as running:
        running.wait_for("8 written, 1 changed")
        assert len(agent.server.annotations) == 8
        agent.send(dose(5))
        agent.wait_for(9)
        running.stop()
    assert "annotate: ended; 9 written, 1 changed" in running.text()
    assert "p-0" not in running.text()
    assert TOKEN not in running.text()
    assert agent.committed() == 10
    before = json.dumps(agent.server.annotations)
    with agent.start("--json") as running:
        agent.send(alarm(state="resolved", resolved_at=TIME + timedelta(hours=1)))
        running.wait_for('{"told": "1 changed"}')
        running.send(signal.SIGINT)
        assert running.status(20) == 0
    assert '{"ended": {"changed": 1}}' in running.text()
    assert json.dumps(agent.server.annotations) != before
    # A group that is new begins from the beginning, and finds all of it there.
    writes = len(agent.server.writes())
    with agent.start("--group", "second") as running:
        running.wait_until(lambda text: "already there" in text, "find what is there")
        running.stop()
    assert len(agent.server.annotations) == 9
    # The alert says "open" and then "resolved" once more; nothing else is written.
    assert {each.method for each in agent.server.requests[-1:]} == {"GET"}
    assert not [each for each in agent.server.writes()[writes:] if each.method == "POST"]


def test_a_grafana_that_is_down_is_waited_for_and_nothing_is_lost(agent: Agent) -> None:
    agent.server.stop()
    agent.send(*(dose(n) for n in range(5)), found())
    with agent.start() as running:
        running.wait_for("waiting, nothing is lost")
        assert agent.committed() == 0
        agent.server.start()
        running.wait_for("answers again")
        agent.wait_for(6)
        agent.server.stop()
        agent.send(dose(7))
        running.wait_until(lambda text: text.count("waiting, nothing is lost") == 2, "say so again")
        running.stop()  # while it waits
    assert running.text().count("waiting, nothing is lost") == 2
    assert agent.committed() == 6
    agent.server.start()
    with agent.start() as running:
        agent.wait_for(7)
        running.stop()
    assert sorted(each["time"] for each in agent.server.annotations.values()) == sorted(
        [MS + (n - 30) * 60_000 for n in (0, 1, 2, 3, 4, 7)] + [MS]
    )


def test_while_it_waits_it_stays_in_its_group_and_shares(agent: Agent) -> None:
    agent.server.stop()
    people = [f"p-{n:04d}" for n in range(12)]  # in both partitions
    agent.send(*(dose(subject=each) for each in people), found(), alarm())
    with agent.start() as first:
        first.wait_for("waiting, nothing is lost")
        with agent.start() as second:
            # It gets its share only if the first one, which polls while it waits, gives some up.
            second.wait_for("waiting, nothing is lost")
            agent.server.start()
            agent.wait_for(14)
            wait_until(lambda: agent.committed() == 14, "all offsets")
            second.stop()
        first.stop()
    assert len(agent.server.annotations) == 14
    counted = [int(run.text().split("ended; ")[1].split()[0]) for run in (first, second)]
    assert min(counted) > 0
    assert sum(counted) == 14
    # What went to the second was not even looked up by the first.
    assert "already there" not in first.text() + second.text()


def test_a_record_that_nobody_can_use_does_not_stop_it(agent: Agent) -> None:
    agent.server.faults = [Fault(*ADD, status=400, holds="poison")]
    agent.send(
        ("events", b"p-0412", b"{"),
        ("alerts", b"k", None),
        dose(substance="poison"),
        dose(kind="wake"),
        dose(3),
    )
    with agent.start() as running:
        agent.wait_for(1)
        wait_until(lambda: agent.committed() == 5, "all offsets")
        running.stop()
    assert running.text().count("skipped events/") == 2
    assert "400: as the test wants it" in running.text()
    assert "annotate: ended; 1 written, 2 refused" in running.text()


def test_a_token_that_is_taken_away_ends_it_and_nothing_is_lost(agent: Agent) -> None:
    agent.send(dose())
    with agent.start() as running:
        agent.wait_for(1)
        agent.server.token = "another"
        agent.send(dose(1))
        assert running.status(30) == 1
    assert "does not take the token" in running.text()
    agent.server.token = TOKEN
    with agent.start() as running:
        agent.wait_for(2)
        running.stop()
    assert len(agent.server.annotations) == 2


def test_it_ends_well_also_when_the_broker_has_gone(server: GrafanaServer, tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        create_topics(broker.address, 2)
        alone = Agent(broker.address, server, tmp_path)
        alone.send(dose())
        running = alone.start()
        running.wait_for("1 written")
        alone.close()
    with running:
        running.stop()
    with alone.start() as running:
        assert running.status(60) == 1
    assert f"error: Kafka at {alone.address} does not answer" in running.text()


def test_without_topics_it_says_so(server: GrafanaServer, tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        alone = Agent(broker.address, server, tmp_path)
        with alone.start() as running:
            assert running.status(60) == 1
        alone.close()
    assert "has no topic alerts, deviations, events: run `acrophase topics create`" in (
        running.text()
    )


def test_the_agent_needs_neither_numba_nor_faust() -> None:
    """It is a small process."""
    program = (
        "import sys; import acrophase.commands.dashboards; "
        "print([m for m in ('numba', 'faust', 'nicegui', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"
