"""Workers are killed and paused, and the store goes away, on the embedded broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from acrophase.broker import EmbeddedBroker
from acrophase.commands.topics import create_topics
from tests.faults import recordings, scenarios
from tests.faults.at_once import Runs, Scenario
from tests.faults.feeds import PARTITIONS, Counted, Traffic
from tests.faults.scenarios import Harm
from tests.faults.simulated import Simulated
from tests.faults.ward import FileOutage, Site, real_worker, rim_worker
from tests.processes import free_port

# The embedded broker takes a shorter session than Kafka allows, and the tests so much less time.
SESSION_S = 2.0


@contextmanager
def embedded(folder: Path) -> Iterator[Site]:
    """A broker of the scenario's own, and a SQLite file."""
    with EmbeddedBroker() as broker:
        create_topics(broker.address, PARTITIONS)
        store = f"sqlite:///{folder / 'store.db'}"
        with Site(broker.address, store, FileOutage(folder / "outage")) as site:
            yield site


def harmed(make_traffic: Callable[[], Traffic], harm: Harm) -> Scenario:
    """Workers with short sessions, harmed while the traffic flows."""

    def scenario(folder: Path, _shared: Path | None) -> None:
        traffic = make_traffic()
        with embedded(folder) as site:
            launch = rim_worker(site, traffic.engine, folder / "outage", SESSION_S)
            scenarios.run(site, launch, folder, traffic, harm, seed=1)

    return scenario


def real_recordings(folder: Path, shared: Path | None) -> None:
    """`acrophase worker`, killed on the way."""
    if shared is None:
        return
    with embedded(folder) as site:
        launch = real_worker(site, folder, {"session_timeout_s": 6.0, "checkpoint_s": 0.5})
        recordings.run(site, launch, folder, shared, free_port(), recordings.kill_the_worker)


# The longest first: it decides when the last one ends.
SCENARIOS = {
    "killed ten times": harmed(lambda: Simulated(1), scenarios.kill_again_and_again(10)),
    "one of two killed": harmed(lambda: Simulated(2), scenarios.kill_one_of_two(2)),
    "twenty seconds without a store": harmed(lambda: Simulated(3), scenarios.lose_the_store(20.0)),
    "paused with work in hand": harmed(lambda: Simulated(4), scenarios.pause_with_work_in_hand),
    "counting, paused past the session": harmed(Counted, scenarios.pause_past_the_session(2)),
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_everything_counts_exactly_once(runs: Runs, scenario: Scenario) -> None:
    runs[scenario].result()


@pytest.mark.usefixtures("shared_data")
@pytest.mark.parametrize("scenario", [real_recordings], ids=["worker killed"])
def test_real_recordings_travel_the_whole_way(runs: Runs, scenario: Scenario) -> None:
    runs[scenario].result()
