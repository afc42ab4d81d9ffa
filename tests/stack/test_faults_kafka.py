"""The scenarios of `tests.faults` on a real Apache Kafka, three at once, each on one of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from acrophase.commands.topics import create_topics
from tests.faults import scenarios
from tests.faults.at_once import Runs, under_way
from tests.faults.feeds import PARTITIONS, Counted
from tests.faults.scenarios import Harm
from tests.faults.simulated import Simulated
from tests.faults.ward import FileOutage, Site, real_worker, rim_worker
from tests.stack.servers import InfluxNode, KafkaNode

SESSION_S = 6.0  # Kafka allows no less
AT_ONCE = 3


def counting(harm: Harm, _influxd: str, kafka: str, folder: Path) -> None:
    """The counting engine and SQLite."""
    outage = folder / "outage"
    site = Site(kafka, f"sqlite:///{folder / 'store.db'}", FileOutage(outage))
    traffic = Counted()
    launch = rim_worker(site, traffic.engine, outage, SESSION_S)
    scenarios.run(site, launch, folder, traffic, harm, seed=1)


def real(seed: int, harm: Harm, influxd: str, kafka: str, folder: Path) -> None:
    """`acrophase worker` and InfluxDB, of which the outage is that it is killed."""
    home = folder / "influx"
    home.mkdir()
    with InfluxNode(home, influxd) as influx:
        bucket = influx.set_up()
        site = Site(kafka, bucket.store_url, influx, bucket.token)
        launch = real_worker(site, folder, {"session_timeout_s": SESSION_S, "checkpoint_s": 0.5})
        scenarios.run(site, launch, folder, Simulated(seed), harm, seed)


# The longest first: they decide when the last one ends.
SCENARIOS: dict[str, Callable[[str, str, Path], None]] = {
    "killed ten times": partial(real, 11, scenarios.kill_again_and_again(10)),
    "counting, killed ten times": partial(counting, scenarios.kill_again_and_again(10)),
    "paused past the session": partial(real, 12, scenarios.pause_past_the_session(2)),
    "one of two killed": partial(real, 13, scenarios.kill_one_of_two(3)),
    "InfluxDB killed for twenty seconds": partial(real, 14, scenarios.lose_the_store(20.0)),
    "paused with work in hand": partial(real, 15, scenarios.pause_with_work_in_hand),
    "counting, one of two killed": partial(counting, scenarios.kill_one_of_two(3)),
    "counting, twenty seconds without a store": partial(counting, scenarios.lose_the_store(20.0)),
    "counting, paused past the session": partial(counting, scenarios.pause_past_the_session(2)),
}


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    kafka_runs_here: None,
    influxd: str,
) -> Iterator[Runs]:
    def run(name: str, folder: Path) -> None:
        home = folder / "kafka"
        home.mkdir()
        with KafkaNode(home) as kafka:
            create_topics(kafka.address, PARTITIONS)
            SCENARIOS[name](influxd, kafka.address, folder)

    with under_way(request, tmp_path_factory, run, AT_ONCE) as runs:
        yield runs


@pytest.mark.parametrize("name", SCENARIOS)
def test_everything_counts_exactly_once(runs: Runs, name: str) -> None:
    runs[name].result()
