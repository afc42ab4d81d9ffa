"""Real recordings the whole way: published, judged by the real worker, stored, on the page.

Every part is a process of its own and one of our commands, as a person would start it.
"""

from __future__ import annotations

import math
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from acrophase.offline import RESULTS, Offline
from processors.engine import Policy
from processors.store import Store
from schemas.catalogue import load_catalogue
from schemas.measurements import RHYTHM, Measurement
from schemas.topics import READINGS
from tests.faults.feeds import PARTITIONS
from tests.faults.oracle import Undisturbed
from tests.faults.ward import Launch, Site, Ward, Worker
from tests.kafka_log import records_of
from tests.processes import Program, acrophase, started, wait_until

_PUBLISHED_WITHIN_S = 240.0
_WEARER, _CURVE, _TWIN = "wearer-1", "carroll-1", "twin"


class Recording(NamedTuple):
    """A file of the shared recordings, and what a person tells about it."""

    file: str
    told: str
    readings: int  # which the command says that it has sent


# The hourly ones first: they are of 2002, and time must not run backwards for the others.
RECORDINGS = (
    Recording(
        "hourly_heart_rate/twins_hourly.csv",
        "--analyte heart-rate --time-column dyxtime --value-column HR --subject-column patid"
        f" --subject {_TWIN} --zone +00:00",
        8_149,
    ),
    Recording(
        "hpa_24h/Carroll-2007-controlGroupCortisol.txt",
        f"--analyte serum-cortisol --time-unit minutes --subject {_CURVE} --start 2024-01-01T00:00",
        145,
    ),
    Recording(
        "hpa_24h/Carroll-2007-controlGroupACTH.txt",
        f"--analyte plasma-acth --time-unit minutes --subject {_CURVE} --start 2024-01-01T00:00",
        145,
    ),
    Recording(
        "wearable_heart_rate/hr_data.csv",
        f"--analyte heart-rate --time-unit epoch-s --subject {_WEARER} --start 2024-01-01T00:00",
        100_000,
    ),
)


Harm = Callable[[Ward, Site, Worker], Worker]  # done while the last one is published


def run(site: Site, launch: Launch, folder: Path, recordings: Path, port: int, harm: Harm) -> None:
    """Publish all recordings and do the harm, then compare with what is known of them."""
    with ExitStack() as stack:
        ward = stack.enter_context(Ward(launch, folder))
        worker = ward.start()
        stack.enter_context(_page(site, folder, port))
        worker.wait_for("generation")
        for recording in RECORDINGS[:-1]:
            _Publishing(recording, site, recordings, folder).finish()
        publishing = stack.enter_context(_Publishing(RECORDINGS[-1], site, recordings, folder))
        worker = harm(ward, site, worker)
        publishing.finish()

        undisturbed = Undisturbed(site.address, PARTITIONS)
        wait_until(lambda: site.offsets() == undisturbed.ends, "all to be worked through")
        worker.stop()
        with site.store() as store:
            undisturbed.assert_same_store(store)
            undisturbed.assert_same_state()
            _assert_same_offline(site.address, store)
            _assert_physiology(store)
        _assert_served(port)


def kill_the_worker(ward: Ward, site: Site, worker: Worker) -> Worker:
    """SIGKILL in the middle of the recording; another one goes on."""
    wait_until(lambda: site.committed() > 400, "a part of the last recording")
    worker.kill()
    worker = ward.start()
    worker.wait_until_it_has_work()
    return worker


def lose_the_store(seconds: float) -> Harm:
    """The store is killed in the middle of the recording and comes back that much later."""

    def harm(_ward: Ward, site: Site, worker: Worker) -> Worker:
        site.outage.begin()
        worker.wait_for("store unavailable, reading pauses")
        time.sleep(seconds)
        site.outage.end()
        worker.wait_for("store available again, reading goes on")
        assert worker.places() == 1
        return worker

    return harm


def _page(site: Site, folder: Path, port: int) -> Program:
    environment = {"ACROPHASE_STORE": site.store_url}
    if site.store_token:
        environment["ACROPHASE_STORE_TOKEN"] = site.store_token
    log = folder / "page.log"
    return Program(started(acrophase("page", "--port", str(port)), log, folder, environment), log)


class _Publishing(Program):
    """``acrophase publish`` of one recording."""

    def __init__(self, recording: Recording, site: Site, recordings: Path, folder: Path) -> None:
        log = folder / f"publish-{Path(recording.file).stem}.log"
        file = str(recordings / recording.file)
        command = acrophase("publish", file, *recording.told.split(), "--bootstrap", site.address)
        super().__init__(started(command, log, folder), log)
        self._readings = recording.readings

    def finish(self) -> None:
        """Until it has ended well and has sent what the recording holds."""
        assert self.status(_PUBLISHED_WITHIN_S) == 0, str(self)
        assert f": {self._readings} readings of" in self.text(), str(self)


def _assert_same_offline(address: str, store: Store) -> None:
    """`acrophase analyse` finds the same in the same records, partition by partition."""
    found: dict[str, list[dict[str, Any]]] = {measurement.name: [] for measurement in RESULTS}
    for number in range(PARTITIONS):
        offline = Offline(load_catalogue(), Policy())
        offline.take(READINGS.name, [r.value for r in records_of(address, READINGS.name, number)])
        for result in offline.results():
            found[result.pop("type")].append(result)
    for measurement in RESULTS:
        stored = [_as_offline(measurement, row) for row in store.select(measurement)]
        assert len(stored) > 0 or measurement is not RHYTHM
        assert _sorted(stored) == _sorted(found[measurement.name]), measurement.name


def _as_offline(measurement: Measurement, row: dict[str, Any]) -> dict[str, Any]:
    times = {"time", *(column.name for column in measurement.fields if column.type == "time")}
    return {
        name: datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
        if name in times and value is not None
        else value
        for name, value in row.items()
    }


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["subject"], row["analyte"], row["time"], str(row)))


def _assert_physiology(store: Store) -> None:
    """What is published about these people, as told in the recordings' README."""
    newest = {(row["subject"], row["analyte"]): row for row in store.select(RHYTHM, latest=True)}
    twins = [row for (subject, _), row in newest.items() if subject.startswith(_TWIN)]
    assert len(twins) == 380
    # Least squares, averaged over all 657 people of the study: 69.0, 5.66 beats/min and 14.6 h.
    assert math.isclose(_mean(twins, "mesor"), 69.0, abs_tol=1.0)
    assert math.isclose(_mean(twins, "amplitude"), 5.66, abs_tol=0.3)
    assert math.isclose(_mean_hour(twins, "acrophase"), 14.6, abs_tol=0.5)
    # Least squares on the linear scale: 9.45 and 9.02 h. Ours is on the log scale.
    for analyte, peak in (("serum-cortisol", 9.4521), ("plasma-acth", 9.0248)):
        rhythm = newest[_CURVE, analyte]
        assert rhythm["n_readings"] == 145
        assert rhythm["acrophase_low"] < peak < rhythm["acrophase_high"]
    # 37 rows of the file have the time of another one.
    assert newest[_WEARER, "heart-rate"]["n_readings"] == 100_000 - 37
    assert newest[_WEARER, "heart-rate"]["n_days"] == 164


def _mean(rows: list[dict[str, Any]], name: str) -> float:
    return float(sum(row[name] for row in rows) / len(rows))


def _mean_hour(rows: list[dict[str, Any]], name: str) -> float:
    """Circular mean of clock hours, of those who have one."""
    angles = [row[name] * math.pi / 12.0 for row in rows if row[name] is not None]
    return math.atan2(sum(map(math.sin, angles)), sum(map(math.cos, angles))) * 12 / math.pi % 24.0


def _assert_served(port: int) -> None:
    """The page has everybody in its queue, and a chart of the person who is chosen."""
    address = f"http://127.0.0.1:{port}/?subject={_CURVE}&analyte=serum-cortisol"

    def shown() -> bool:
        # The first visit makes it read the store; a later one finds what was read.
        with urllib.request.urlopen(address, timeout=20) as response:
            text = response.read().decode()
        return all(each in text for each in (_WEARER, "Serum cortisol", '"tag":"nicegui-echart"'))

    wait_until(shown, "the page to show the person", every_s=2.0)  # each answer is 300 KB
