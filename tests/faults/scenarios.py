"""Faults on real processes and a real broker; every scenario ends in the same exact outcome.

A harm is done to the workers while traffic flows; it returns those that are left alive. Then the
rest of the traffic is worked through, the workers are stopped in peace, and the traffic compares
state, store and dead letters with what was sent.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.feeds import Feed, Traffic
from tests.faults.ward import PLACE, Launch, Site, Ward, Worker
from tests.processes import wait_until

# Does it to a worker that is at work already; returns those that are alive in the end.
Harm = Callable[[Ward, Site, Worker, random.Random], list[Worker]]


def run(site: Site, launch: Launch, folder: Path, traffic: Traffic, harm: Harm, seed: int) -> None:
    """One scenario, from fresh topics and an empty store to the proof."""
    with Ward(launch, folder) as ward, Feed(site.address, site.group, traffic) as feed:
        worker = ward.start()
        feed.wait_until_it_flows()
        worker.wait_until_it_has_work()
        workers = harm(ward, site, worker, random.Random(seed))
        feed.stop()
        feed.wait_until_worked_through()
        for worker in workers:
            worker.stop()
        with site.store() as store:
            traffic.check(site.address, store)


def kill_again_and_again(kills: int) -> Harm:
    """One worker at a time, killed at random moments; the next one is started at once.

    Every other one dies while it takes over, the others once they have confirmed something.
    """

    def harm(ward: Ward, site: Site, worker: Worker, chance: random.Random) -> list[Worker]:
        for kill in range(kills):
            worker.wait_for("generation")
            if kill % 2 == 0:
                _wait_for_a_checkpoint(site)
            time.sleep(chance.uniform(0.0, 0.7))
            worker.kill()
            worker = ward.start()
        worker.wait_until_it_has_work()
        return [worker]

    return harm


def kill_one_of_two(kills: int) -> Harm:
    """Two workers share the partitions; one of them is killed, a new one joins."""

    def harm(ward: Ward, _site: Site, worker: Worker, chance: random.Random) -> list[Worker]:
        workers = [worker, ward.start()]
        for _ in range(kills):
            for worker in workers:
                worker.wait_until_it_has_work()
            time.sleep(chance.uniform(0.0, 1.0))
            workers.pop(chance.randrange(2)).kill()
            workers.append(ward.start())
        for worker in workers:
            worker.wait_until_it_has_work()
        return workers

    return harm


def lose_the_store(seconds: float) -> Harm:
    """The store is away for longer than a session; then a worker is killed while it is away."""

    def harm(ward: Ward, site: Site, worker: Worker, _chance: random.Random) -> list[Worker]:
        site.outage.begin()
        worker.wait_for("store unavailable")
        time.sleep(seconds)
        # Heartbeats went on: nobody took the partitions away.
        assert worker.places() == 1
        worker.kill()
        worker = ward.start()
        worker.wait_for("store unavailable")
        site.outage.end()
        worker.wait_for("store available again")
        assert worker.text().count("store unavailable") == 1
        return [worker]

    return harm


def lose_the_broker(seconds: float) -> Harm:
    """Kafka is killed and comes back; a worker that gave up meanwhile is started again."""

    def harm(ward: Ward, site: Site, worker: Worker, _chance: random.Random) -> list[Worker]:
        assert site.broker is not None
        _wait_for_a_checkpoint(site)
        site.broker.begin()
        time.sleep(seconds)
        site.broker.end()
        before = site.committed()
        wait_until(
            lambda: worker.handle.poll() is not None or site.committed() > before,
            "the worker to go on or to give up",
        )
        if worker.handle.poll() is None:
            return [worker]
        assert worker.text().splitlines()[-1].count(" ERROR Kafka ") == 1, str(worker)
        worker = ward.start()
        worker.wait_until_it_has_work()
        return [worker]

    return harm


def pause_past_the_session(pauses: int) -> Harm:
    """A worker sleeps through its session with unconfirmed work, another takes over, it wakes.

    Then both share the work, until one of them is killed and the other one is put to sleep. After
    the last pause both live on.
    """

    def harm(ward: Ward, _site: Site, worker: Worker, chance: random.Random) -> list[Worker]:
        workers = [worker]
        for _ in range(pauses):
            while len(workers) > 1:
                workers.pop(chance.randrange(2)).kill()
            (sleeper,) = workers
            sleeper.wait_until_it_has_work()
            time.sleep(chance.uniform(0.3, 1.2))
            sleeper.send(signal.SIGSTOP)
            heir = ward.start()
            heir.wait_until_it_has_work()
            time.sleep(chance.uniform(0.5, 1.5))
            _wake(sleeper)
            heir.wait_until_it_has_work()
            workers = [sleeper, heir]
        return workers

    return harm


def pause_with_work_in_hand(
    ward: Ward, site: Site, sleeper: Worker, chance: random.Random
) -> list[Worker]:
    """A worker that waits for the store is paused past its session and wakes with old results.

    Both live on: what it wrote now over the newer rows of its heir would stay.
    """
    time.sleep(chance.uniform(0.5, 1.5))
    site.outage.begin()
    sleeper.wait_for("store unavailable")
    sleeper.send(signal.SIGSTOP)
    site.outage.end()
    heir = ward.start()
    heir.wait_until_it_has_work()
    # Long enough for half hours to end that were open when the sleeper was paused.
    time.sleep(chance.uniform(2.0, 3.0))
    _wake(sleeper)
    for worker in (sleeper, heir):
        worker.wait_until_it_has_work()
    return [sleeper, heir]


def _wait_for_a_checkpoint(site: Site) -> None:
    before = site.committed()
    wait_until(lambda: site.committed() > before, "a checkpoint")


def _wake(sleeper: Worker) -> None:
    """It learns that it is out of date, comes back as a member and gets its share."""
    before = sleeper.places()
    sleeper.send(signal.SIGCONT)
    sleeper.wait_until(lambda text: text.count(PLACE) > before, "come back")
