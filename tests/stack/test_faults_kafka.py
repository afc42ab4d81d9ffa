"""The scenarios of `tests.faults` on a real Apache Kafka, three at once, each on one of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from acrophase.commands.topics import create_topics
from tests.faults import recordings, scenarios
from tests.faults.at_once import Runs, Scenario, under_way
from tests.faults.feeds import PARTITIONS, Counted
from tests.faults.scenarios import Harm
from tests.faults.simulated import Simulated
from tests.faults.ward import FileOutage, Site, real_worker, rim_worker
from tests.processes import free_port
from tests.stack.servers import InfluxNode, KafkaNode

SESSION_S = 6.0  # Kafka allows no less
_REAL = {"session_timeout_s": SESSION_S, "checkpoint_s": 0.5}
AT_ONCE = 3


def counting(harm: Harm) -> Scenario:
    """The counting engine and SQLite."""

    def scenario(folder: Path, _influxd: str, _shared: Path) -> None:
        with ExitStack() as stack:
            kafka = _kafka(stack, folder)
            outage = FileOutage(folder / "outage")
            store = f"sqlite:///{folder / 'store.db'}"
            site = stack.enter_context(Site(kafka.address, store, outage, kafka))
            traffic = Counted()
            launch = rim_worker(site, traffic.engine, outage.path, SESSION_S)
            scenarios.run(site, launch, folder, traffic, harm, seed=1)

    return scenario


def real(seed: int, harm: Harm) -> Scenario:
    """`acrophase worker` and InfluxDB, whose outage is that it is killed."""

    def scenario(folder: Path, influxd: str, _shared: Path) -> None:
        with ExitStack() as stack:
            site = stack.enter_context(_real_site(stack, folder, influxd))
            launch = real_worker(site, folder, _REAL)
            scenarios.run(site, launch, folder, Simulated(seed), harm, seed)

    return scenario


def real_recordings(folder: Path, influxd: str, shared: Path) -> None:
    """What `acrophase publish` sends of them, while InfluxDB is away for a moment."""
    with ExitStack() as stack:
        site = stack.enter_context(_real_site(stack, folder, influxd))
        launch = real_worker(site, folder, _REAL)
        harm = recordings.lose_the_store(5.0)
        recordings.run(site, launch, folder, shared, free_port(), harm)


def _real_site(stack: ExitStack, folder: Path, influxd: str) -> Site:
    kafka = _kafka(stack, folder)
    home = folder / "influx"
    home.mkdir()
    influx = stack.enter_context(InfluxNode(home, influxd))
    bucket = influx.set_up()
    return Site(kafka.address, bucket.store_url, influx, kafka, bucket.token)


def _kafka(stack: ExitStack, folder: Path) -> KafkaNode:
    home = folder / "kafka"
    home.mkdir()
    kafka = stack.enter_context(KafkaNode(home))
    create_topics(kafka.address, PARTITIONS)
    return kafka


# The longest first: they decide when the last one ends.
SCENARIOS: dict[str, Callable[[Path, str, Path], None]] = {
    "killed ten times": real(11, scenarios.kill_again_and_again(10)),
    "counting, killed ten times": counting(scenarios.kill_again_and_again(10)),
    "Kafka killed and started again": real(16, scenarios.lose_the_broker(5.0)),
    "paused past the session": real(12, scenarios.pause_past_the_session(2)),
    "one of two killed": real(13, scenarios.kill_one_of_two(3)),
    "InfluxDB killed for twenty seconds": real(14, scenarios.lose_the_store(20.0)),
    "paused with work in hand": real(15, scenarios.pause_with_work_in_hand),
    "counting, one of two killed": counting(scenarios.kill_one_of_two(3)),
    "counting, twenty seconds without a store": counting(scenarios.lose_the_store(20.0)),
    "counting, paused past the session": counting(scenarios.pause_past_the_session(2)),
}


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    kafka_runs_here: None,
    influxd: str,
    shared_data: Path,
) -> Iterator[Runs]:
    with under_way(request, tmp_path_factory, AT_ONCE, influxd, shared_data) as runs:
        yield runs


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_everything_counts_exactly_once(runs: Runs, scenario: Scenario) -> None:
    runs[scenario].result()


@pytest.mark.parametrize("scenario", [real_recordings], ids=["InfluxDB killed"])
def test_real_recordings_travel_the_whole_way(runs: Runs, scenario: Scenario) -> None:
    runs[scenario].result()
